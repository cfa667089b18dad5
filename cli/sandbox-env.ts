import { dirname } from "node:path";
import { SANDBOX_SECRET_MARK } from "../facts/sandbox.js";
import { CliError, shellQuote } from "./output.js";
import { SandboxClient } from "./sandbox-client.js";

/**
 * Variables by which clients find credentials of a real cloud, from the vendors' own lists:
 * https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
 * https://learn.microsoft.com/en-us/dotnet/api/azure.identity.environmentcredential
 * https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs (the ARM_ names, which Pulumi shares)
 * https://cloud.google.com/docs/authentication/application-default-credentials
 */
const credentialVariables = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AZURE_CLIENT_SECRET",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_FEDERATED_TOKEN_FILE",
  "AZURE_PASSWORD",
  "AZURE_STORAGE_KEY",
  "AZURE_STORAGE_CONNECTION_STRING",
  "AZURE_STORAGE_SAS_TOKEN",
  "ARM_CLIENT_SECRET",
  "ARM_CLIENT_CERTIFICATE",
  "ARM_CLIENT_CERTIFICATE_PATH",
  "ARM_OIDC_TOKEN",
  "ARM_OIDC_TOKEN_FILE_PATH",
  "ARM_ACCESS_KEY",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_CREDENTIALS",
  "GOOGLE_CLOUD_KEYFILE_JSON",
  "GOOGLE_OAUTH_ACCESS_TOKEN",
  "CLOUDSDK_AUTH_ACCESS_TOKEN",
  "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
  "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
] as const;

/** Name what the sandbox gave to this shell, so that it is known as the sandbox's even after a restart with others. */
const ownKeyVariable = "CLOUD_FEDERATION_SANDBOX_ACCESS_KEY_ID";
const ownGoogleVariable = "CLOUD_FEDERATION_SANDBOX_GOOGLE_CREDENTIALS";

/** Null: to be unset. */
export type Assignments = Record<string, string | null>;

/** Prints the assignments, or nothing at all when the shell holds real credentials. */
export async function printEnvironment(options: { format: "sh" | "json"; override?: boolean; sandbox?: string }): Promise<void> {
  const shell = process.env;
  const region = shell["AWS_REGION"] || shell["AWS_DEFAULT_REGION"];
  const client = new SandboxClient(options.sandbox);
  const { variables } = await client.get<{ variables: Record<string, string> }>("/env", region ? { region } : {});
  const assignments = assign(variables, shell, options.override ?? false);
  process.stdout.write(options.format === "json" ? `${JSON.stringify(assignments, undefined, 2)}\n` : exportLines(assignments));
}

/** What the shell has to change. Throws when it carries credentials of a real cloud and `override` is not given. */
export function assign(variables: Record<string, string>, shell: NodeJS.ProcessEnv, override: boolean): Assignments {
  const real = realCredentials(variables, shell);
  if (real.length > 0 && !override) {
    throw new CliError(
      `This shell carries credentials of a real cloud: ${real.join(", ")}. ` +
        "Use a shell without them, or add --override to replace and unset them in this one.",
    );
  }
  const assignments: Assignments = {};
  for (const name of [...real, ...redirections(shell)]) assignments[name] = null;
  const googleFile = variables["GOOGLE_APPLICATION_CREDENTIALS"];
  return { ...assignments, ...variables, [ownKeyVariable]: variables["AWS_ACCESS_KEY_ID"] ?? "", ...(googleFile !== undefined && { [ownGoogleVariable]: googleFile }) };
}

function realCredentials(variables: Record<string, string>, shell: NodeJS.ProcessEnv): string[] {
  const own = [variables["AWS_ACCESS_KEY_ID"], shell[ownKeyVariable]];
  const ownKey = shell["AWS_ACCESS_KEY_ID"] !== undefined && own.includes(shell["AWS_ACCESS_KEY_ID"]);
  const ownSecrets = ["AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET"].filter((name) => shell[name]?.startsWith(SANDBOX_SECRET_MARK) === true);
  const ours = [...(ownKey ? ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] : []), ...ownGoogleFiles(variables, shell), ...ownSecrets];
  return credentialVariables.filter((name) => (shell[name] ?? "") !== "" && !ours.includes(name));
}

/** Those of Google's variables that name files in a folder of the sandbox's. */
function ownGoogleFiles(variables: Record<string, string>, shell: NodeJS.ProcessEnv): string[] {
  const folders = [variables["GOOGLE_APPLICATION_CREDENTIALS"], shell[ownGoogleVariable]].flatMap((file) => (file ? [dirname(file)] : []));
  return ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"].filter((name) => folders.includes(dirname(shell[name] ?? "")));
}

/** Endpoints of single services win over the general one, and so do choices that hold in another configuration than the sandbox's. */
const redirectionVariables = [
  /^AWS_ENDPOINT_URL_\w+$/,
  /^AWS_IGNORE_CONFIGURED_ENDPOINT_URLS$/,
  /^CLOUDSDK_API_ENDPOINT_OVERRIDES_\w+$/,
  /^CLOUDSDK_PROXY_\w+$/,
  /^CLOUDSDK_(?:ACTIVE_CONFIG_NAME|CORE_ACCOUNT|AUTH_IMPERSONATE_SERVICE_ACCOUNT|BILLING_QUOTA_PROJECT)$/,
  /^GOOGLE_(?:CLOUD_QUOTA_PROJECT|IMPERSONATE_SERVICE_ACCOUNT)$/,
  /^STORAGE_EMULATOR_HOST$/,
  /^AZURE_(?:AUTHORITY_HOST|CLOUD_NAME|POD_IDENTITY_AUTHORITY_HOST|TOKEN_CREDENTIALS|USERNAME)$/,
  /^AZURE_(?:CORE_INSTANCE_DISCOVERY|STORAGE_(?:ACCOUNT|ACCOUNT_URL|AUTH_MODE))$/,
  /^ARM_(?:ENVIRONMENT|ENDPOINT|CLOUD_METADATA_URL|METADATA_HOST(?:NAME)?|MSI_ENDPOINT|OIDC_(?:REQUEST|AZURE_SERVICE_CONNECTION)\w+)$/,
  /^ARM_USE_(?:AKS_WORKLOAD_IDENTITY|CLI|MSI|OIDC)$/,
];

function redirections(shell: NodeJS.ProcessEnv): string[] {
  return Object.keys(shell).filter((name) => redirectionVariables.some((pattern) => pattern.test(name)));
}

function exportLines(assignments: Assignments): string {
  return Object.entries(assignments)
    .map(([name, value]) => (value === null ? `unset ${name}\n` : `export ${name}=${shellQuote(value)}\n`))
    .join("");
}
