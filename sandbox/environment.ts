import { SANDBOX_VARIABLE } from "../facts/sandbox.js";
import type { AzureCloud } from "./azure/types.js";
import type { Sandbox } from "./index.js";

export interface EnvironmentOptions {
  /** Default `us-east-1`. */
  region?: string;
}

/**
 * What points clients at the sandbox: as their proxy, whose CA they trust, so that the real host names work; and, where
 * a client takes an endpoint URL, directly, for those that know no proxy (the AWS SDK for JavaScript). The endpoint is
 * in TLS, or bucket policies that insist on it would refuse. Google's clients and the `az` CLI take credentials from files;
 * Azure's libraries know the `AZURE_` names, Pulumi's and Terraform's providers the `ARM_` ones.
 * https://cloud.google.com/sdk/docs/properties#setting_properties_using_environment_variables
 * https://learn.microsoft.com/javascript/api/overview/azure/identity-readme#environment-variables
 * https://learn.microsoft.com/cli/azure/azure-cli-configuration#cli-configuration-values-and-environment-variables
 */
export function clientEnvironment(sandbox: Sandbox, options: EnvironmentOptions = {}): Record<string, string> {
  const { accessKey } = sandbox.aws.administrator(sandbox.aws.defaultAccountId);
  const region = options.region ?? "us-east-1";
  const loopback = "127.0.0.1,localhost,::1";
  const { url, caFile, googleFiles, azureFiles, providersPort } = sandbox;
  const { projectId } = sandbox.gcp.defaultProject;
  return {
    [SANDBOX_VARIABLE]: url,
    HTTPS_PROXY: url,
    https_proxy: url,
    HTTP_PROXY: url,
    http_proxy: url,
    NO_PROXY: loopback,
    no_proxy: loopback,
    NODE_EXTRA_CA_CERTS: caFile,
    SSL_CERT_FILE: caFile,
    REQUESTS_CA_BUNDLE: caFile,
    CURL_CA_BUNDLE: caFile,
    AWS_CA_BUNDLE: caFile,
    AWS_ENDPOINT_URL: sandbox.endpointUrl,
    AWS_ACCESS_KEY_ID: accessKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: accessKey.secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    CLOUDSDK_CONFIG: googleFiles.configFolder,
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: googleFiles.accessTokenFile,
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: caFile,
    CLOUDSDK_CORE_PROJECT: projectId,
    CLOUDSDK_CORE_DISABLE_PROMPTS: "true",
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "true",
    CLOUDSDK_SURVEY_DISABLE_PROMPTS: "true",
    GOOGLE_APPLICATION_CREDENTIALS: googleFiles.credentialsFile,
    GOOGLE_CLOUD_PROJECT: projectId,
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: caFile,
    ...azureEnvironment(sandbox.azure),
    AZURE_CONFIG_DIR: azureFiles.configFolder,
    AZURE_CORE_COLLECT_TELEMETRY: "false",
    AZURE_CORE_USE_MSAL_HTTP_CACHE: "false",
    ...(providersPort !== undefined && {
      PULUMI_DEBUG_PROVIDERS: sandbox.tables.map((table) => `${table.package}:${providersPort}`).join(","),
    }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

function azureEnvironment(azure: AzureCloud): Record<string, string> {
  const { clientId, clientSecret } = azure.administrator();
  const values = { TENANT_ID: azure.defaultTenant.tenantId, SUBSCRIPTION_ID: azure.defaultSubscription.subscriptionId, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret };
  return Object.fromEntries(["AZURE", "ARM"].flatMap((prefix) => Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value])));
}
