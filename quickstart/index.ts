/**
 * The demonstration: a sandbox, the stack that customers run, the proof that it works, and the diagnosis of one thing
 * broken on purpose. Everything on this machine.
 */
import { readContract, type AwsExchange, type Contract } from "../contract/index.js";
import { startSandbox, type Sandbox } from "../sandbox/index.js";
import { conclusion, functionToken, verifyContract, type Paint, type Report, type RunEvent } from "../verify/index.js";
import { provision } from "./provision.js";

export interface QuickstartOptions {
  /** The package's folder, where Pulumi.yaml and examples/ are. */
  root: string;
  print: (text: string) => void;
  paint: Paint;
  /** Shows the checks of one verification while it runs. */
  showRun: () => (event: RunEvent) => void;
  signal?: AbortSignal;
}

/** The cause that the breakage has to be diagnosed as. */
const expectedCause = "aws.trust.subject-differs";

/** Whether everything went as it should, the breakage included. */
export async function quickstart({ root, print, paint, showRun, signal }: QuickstartOptions): Promise<boolean> {
  const began = performance.now();
  const heading = (text: string): void => print(`\n${paint.bold(text)}\n`);
  const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

  heading("1. A sandbox: AWS's own protocols, signatures and refusals, on loopback");
  const sandboxBegan = performance.now();
  const sandbox = await startSandbox();
  print(`listening on ${sandbox.url}, started in ${seconds(sandboxBegan)}; nothing leaves this machine\n`);
  try {
    heading("2. Provision dcf-aws from examples/dcf-aws, with the program that customers run");
    const provisionBegan = performance.now();
    const { engine, resources, outputs } = await provision({
      sandbox,
      root,
      integration: "dcf-aws",
      onResource: ({ type, name }) => print(`  ${paint.green("+")} ${typeName(type).padEnd(52)} ${name}\n`),
    });
    print(`${resources.length} resources in ${seconds(provisionBegan)} by ${engine}\n`);
    const contract = readContract(outputs["contract"]);

    heading("3. Verify: with a real token, as the platform; and with read-only credentials, as the account's owner");
    const healthy = await verify(sandbox, contract, showRun, signal);
    print(conclusion(healthy, paint));
    if (healthy.exitCode !== 0) return false;

    heading("4. Break one thing: the trust names another project's subject");
    await breakTrust(sandbox, contract);
    print(`  the role's trust policy now says ${otherSubject(contract.workload.subject)}\n`);

    heading("5. Verify again: what is wrong, how it shows, what to change");
    const broken = await verify(sandbox, contract, showRun, signal);
    print(conclusion(broken, paint));
    const causes = broken.findings.map((finding) => finding.causes.map(({ code }) => code).join(" or "));
    const found = broken.exitCode === 1 && causes.length === 1 && causes[0] === expectedCause;
    print(
      found
        ? paint.green(paint.bold(`Everything went as it should: proven, broken, diagnosed (${seconds(began)}).\n`))
        : paint.red(`The breakage should have been diagnosed as ${expectedCause}; it was: ${causes.join("; ") || "not found"}.\n`),
    );
    return found;
  } finally {
    await sandbox.close();
  }
}

async function verify(sandbox: Sandbox, contract: Contract, showRun: QuickstartOptions["showRun"], signal: AbortSignal | undefined): Promise<Report> {
  const { accessKey } = sandbox.aws.administrator(sandbox.aws.defaultAccountId);
  const { issuer, subject, audience } = contract.workload;
  return verifyContract({
    contract,
    token: functionToken((order) => sandbox.issuers.mint({ issuer, subject, audience, ...order }), ["subject", "audience", "expiresInSeconds"]),
    account: { accessKeyId: accessKey.accessKeyId, secretAccessKey: accessKey.secretAccessKey },
    waitSeconds: 0,
    // As deep as it goes: what a canary leaves behind goes with the sandbox.
    depth: "deploy",
    acceptResidue: true,
    env: sandbox.env(),
    ca: sandbox.caPem,
    signal,
    onEvent: showRun(),
  });
}

/** As somebody would who edits the role by hand. */
async function breakTrust(sandbox: Sandbox, { exchange, workload }: Contract): Promise<void> {
  const { roleArn, accountId, region } = exchange as AwsExchange;
  const { caller } = sandbox.aws.administrator(accountId);
  const RoleName = roleArn.split("/").at(-1);
  const { Role } = await sandbox.aws.call(caller, "iam", "GetRole", { RoleName }, region);
  const document = decodeURIComponent((Role as { AssumeRolePolicyDocument: string }).AssumeRolePolicyDocument);
  const PolicyDocument = document.replaceAll(JSON.stringify(workload.subject), JSON.stringify(otherSubject(workload.subject)));
  await sandbox.aws.call(caller, "iam", "UpdateAssumeRolePolicy", { RoleName, PolicyDocument }, region);
}

function otherSubject(subject: string): string {
  return `${subject}-other`;
}

/** `aws:s3/bucket:Bucket` as `aws:s3:Bucket`, the way Pulumi shows it. */
function typeName(type: string): string {
  return type.replace(/\/[^:]*:/, ":");
}
