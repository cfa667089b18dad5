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
  "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
] as const;

/** Names the key that the sandbox gave to this shell, so that it is known as the sandbox's even after a restart with others. */
const ownKeyVariable = "CLOUD_FEDERATION_SANDBOX_ACCESS_KEY_ID";

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
  return { ...assignments, ...variables, [ownKeyVariable]: variables["AWS_ACCESS_KEY_ID"] ?? "" };
}

function realCredentials(variables: Record<string, string>, shell: NodeJS.ProcessEnv): string[] {
  const own = [variables["AWS_ACCESS_KEY_ID"], shell[ownKeyVariable]];
  const ownKey = shell["AWS_ACCESS_KEY_ID"] !== undefined && own.includes(shell["AWS_ACCESS_KEY_ID"]);
  const ours = ownKey ? ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] : [];
  return credentialVariables.filter((name) => (shell[name] ?? "") !== "" && !ours.includes(name));
}

/** Endpoints of single services win over the general one. */
function redirections(shell: NodeJS.ProcessEnv): string[] {
  return Object.keys(shell).filter((name) => /^AWS_ENDPOINT_URL_\w+$/.test(name) || name === "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
}

function exportLines(assignments: Assignments): string {
  return Object.entries(assignments)
    .map(([name, value]) => (value === null ? `unset ${name}\n` : `export ${name}=${shellQuote(value)}\n`))
    .join("");
}
