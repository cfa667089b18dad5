import { Option, type Command } from "commander";
import { defaultPort, parseInteger, parseNumber, sandboxOption } from "./sandbox-arguments.js";
import { registerSandboxAdmin } from "./sandbox-admin.js";

interface EnvOptions {
  format: "sh" | "json";
  override?: boolean;
  sandbox?: string;
}

export interface TokenOptions {
  subject: string;
  audience?: string[];
  issuer?: string;
  expiresIn?: number;
  claim?: string[];
  kid?: string;
  foreignKey?: boolean;
  sandbox?: string;
}

export interface StartOptions {
  port: number;
  state?: string;
  propagationDelay?: number;
  latency?: number;
  readyFile?: string;
}

const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

export function registerSandbox(program: Command): void {
  const sandbox = program
    .command("sandbox")
    .description("a cloud on this machine: real protocols, real signatures, real refusals")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
Examples:
  $ cloud-federation sandbox start --state sandbox.json
  $ eval "$(cloud-federation sandbox env)" && aws sts get-caller-identity`,
    );

  sandbox
    .command("start")
    .description("run the sandbox in the foreground; prints one JSON line when it is ready")
    .option("--port <port>", "port on 127.0.0.1; 0 takes any that is free", parseInteger(0, 65535), defaultPort)
    .option("--state <file>", "keep everything in this file between starts; keys go to <file>.keys")
    .option("--propagation-delay <seconds>", "seconds until trust and grants are seen", parseNumber(0))
    .option("--latency <ms>", "milliseconds added to every operation", parseNumber(0))
    .option("--ready-file <file>", "write the JSON line there too; removed at the end")
    .addHelpText(
      "after",
      `
Examples:
  $ cloud-federation sandbox start
  $ cloud-federation sandbox start --state sandbox.json --propagation-delay 10
  $ cloud-federation sandbox start --port 0 --ready-file ready.json &`,
    )
    .action(async (options: StartOptions) => {
      const { start } = await import("./sandbox-start.js");
      await start(options);
    });

  sandbox
    .command("env")
    .description("print the variables that point every client at the running sandbox")
    .addOption(new Option("--format <format>", "what to print").choices(["sh", "json"]).default("sh"))
    .option("--override", "go on in a shell with real cloud credentials, and unset them")
    .addOption(sandboxOption())
    .addHelpText(
      "after",
      `
Examples:
  $ eval "$(cloud-federation sandbox env)"
  $ cloud-federation sandbox env --format json`,
    )
    .action(async (options: EnvOptions) => {
      const { printEnvironment } = await import("./sandbox-env.js");
      await printEnvironment(options);
    });

  sandbox
    .command("token")
    .description("print a token signed by an issuer of the running sandbox")
    .requiredOption("--subject <subject>", "the sub claim")
    .option("--audience <audience>", "the aud claim; several make a list (default: sts.amazonaws.com)", collect)
    .option("--issuer <url>", "the issuer, made when it is new (default: https://oidc.dcf.example)")
    .option("--expires-in <seconds>", "from now; negative for one that is expired (default: 3600)", parseNumber())
    .option("--claim <name=value>", "a further claim, its value JSON where it reads as JSON; may be repeated", collect)
    .option("--kid <kid>", "name this key, and sign with it where it is the issuer's")
    .option("--foreign-key", "sign with a key that the issuer never published")
    .addOption(sandboxOption())
    .addHelpText(
      "after",
      `
Examples:
  $ cloud-federation sandbox token --subject tenant:acme
  $ cloud-federation sandbox token --subject tenant:acme --expires-in -301
  $ cloud-federation sandbox token --subject tenant:acme --claim groups='["a","b"]' --claim email=a@b.example`,
    )
    .action(async (options: TokenOptions) => {
      const { printToken } = await import("./sandbox-token.js");
      await printToken(options);
    });

  sandbox
    .command("kubeconfig")
    .description("print a kubeconfig for the administrator of a cluster of the running sandbox; it holds a token")
    .argument("[cluster]", "dcf-apps is the customer's on GKE, platform the platform's own", "platform")
    .addOption(sandboxOption())
    .addHelpText(
      "after",
      `
Examples:
  $ cloud-federation sandbox kubeconfig dcf-apps > kubeconfig && kubectl --kubeconfig kubeconfig get namespaces
  $ cloud-federation sandbox kubeconfig > kubeconfig && kubectl --kubeconfig kubeconfig -n dcf create token project-4711`,
    )
    .action(async (cluster: string, options: { sandbox?: string }) => {
      const { printKubeconfig } = await import("./sandbox-kubeconfig.js");
      await printKubeconfig(cluster, options);
    });

  registerSandboxAdmin(sandbox);
}
