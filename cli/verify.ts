import { InvalidArgumentError, Option, type Command } from "commander";
import { DEPTHS, FORMATS, type Depth, type Format } from "../verify/options.js";

export interface VerifyCommandOptions {
  contract: string;
  tokenFile?: string;
  tokenCommand?: string;
  tokenEnv?: string;
  tokenAws?: boolean;
  account?: boolean;
  depth: Depth;
  refusals: "on" | "off";
  credentialFile?: string;
  acceptResidue?: boolean;
  allowPublicCanary?: boolean;
  diagnostics?: boolean;
  plan?: boolean;
  wait?: string;
  format: Format;
  report?: string;
}

export function registerVerify(program: Command): void {
  program
    .command("verify")
    .description("prove a contract: walk every hop as the platform does, or read the account as its owner can, and say what is wrong")
    .requiredOption("--contract <file>", "the contract, or the output of `pulumi stack output --json`; - reads standard input", filled)
    .addOption(new Option("--token-file <file>", "the workload's token, read anew for each attempt").conflicts(["tokenCommand", "tokenEnv", "tokenAws"]))
    .addOption(new Option("--token-command <command>", "prints the workload's token; run without a shell; {subject}, {audience} and {expires-in} in it let verify ask for tokens that must be refused").conflicts(["tokenFile", "tokenEnv", "tokenAws"]))
    .addOption(new Option("--token-env <variable>", "environment variable that holds the workload's token").conflicts(["tokenFile", "tokenCommand", "tokenAws"]))
    .addOption(new Option("--token-aws", "for a workload that is an AWS role: sign the request to AWS STS with this shell's AWS credentials").conflicts(["tokenFile", "tokenCommand", "tokenEnv"]))
    .option("--account", "read the account with this shell's own credentials, and predict")
    .option("--credential-file <file>", "for DDOE on Azure: the JSON file that the platform was given, compared with the contract field by field")
    .addOption(new Option("--depth <depth>", "how deep to look").choices(DEPTHS).default("storage"))
    .addOption(new Option("--refusals <on|off>", "try what must be refused").choices(["on", "off"]).default("on"))
    .option("--accept-residue", "run probes that leave something which the granted rights cannot remove")
    .option("--allow-public-canary", "with --depth deploy on Cloud Run: let everybody call the canary's own service until it is removed")
    .option("--diagnostics", "show each hop of the exchange: what was sent and what came back, without any token")
    .option("--plan", "print every call, object, cost and residue, and do nothing")
    .option("--wait <duration>", "how long to wait for changes to take effect, such as 30s, 5m or 0 (default: after a known change of the stack 2m on AWS, 10m on GCP and 15m on Azure, otherwise one more attempt)")
    .addOption(new Option("--format <format>", "how to print the report").choices(FORMATS).default("text"))
    .option("--report <file>", "write the report there too; .json, .xml (JUnit) and .html choose the form")
    .addHelpText(
      "after",
      `
Examples:
  $ pulumi stack output --json | cloud-federation verify --contract - --account
  $ cloud-federation verify --contract contract.json --token-file /var/run/secrets/tokens/aws
  $ cloud-federation verify --contract contract.json --report report.html \\
      --token-command 'cloud-federation sandbox token --subject {subject} --audience {audience} --expires-in {expires-in}'

Exit codes: 0 all required checks passed, 1 a check failed, 2 wrong usage or unreadable input, 3 a required check without a verdict.`,
    )
    .action(async (options: VerifyCommandOptions) => {
      const { runVerify } = await import("./verify-run.js");
      process.exitCode = await runVerify(options);
    });
}

function filled(value: string): string {
  if (value.trim() === "") throw new InvalidArgumentError("It is empty.");
  return value;
}
