/**
 * The demonstration: a sandbox, the stacks that customers run, the proof that they work, and the diagnosis of one thing
 * broken on purpose in each. Everything on this machine.
 */
import { readContract, type Contract } from "../contract/index.js";
import { startSandbox, type Sandbox } from "../sandbox/index.js";
import { conclusion, verifyContract, type Paint, type Report, type RunEvent, type TokenSource } from "../verify/index.js";
import { provision } from "./provision.js";
import type { Scene } from "./scene.js";
import { scenes } from "./scenes.js";

export interface QuickstartOptions {
  /** The package's folder, where Pulumi.yaml and examples/ are. */
  root: string;
  /** Which integrations are shown; one of the scenes each. */
  integrations: readonly string[];
  print: (text: string) => void;
  paint: Paint;
  /** Shows the checks of one verification while it runs. */
  showRun: () => (event: RunEvent) => void;
  signal?: AbortSignal;
}

/** Whether everything went as it should, the breakages included. */
export async function quickstart(options: QuickstartOptions): Promise<boolean> {
  const { print, paint } = options;
  const began = performance.now();
  const chosen = options.integrations.flatMap((name) => scenes.filter(({ integration }) => integration === name));
  print(`\n${paint.bold("A sandbox: the clouds' own protocols, signatures and refusals, on loopback")}\n`);
  const sandbox = await startSandbox();
  print(`listening on ${sandbox.url}, started in ${seconds(began)}; nothing leaves this machine\n`);
  try {
    for (const scene of chosen) if (!(await play(scene, sandbox, options))) return false;
    print(`\n${paint.green(paint.bold(`Everything went as it should: proven, broken, diagnosed (${seconds(began)}).`))}\n`);
    return true;
  } finally {
    await sandbox.close();
  }
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function play(scene: Scene, sandbox: Sandbox, { root, print, paint, showRun, signal }: QuickstartOptions): Promise<boolean> {
  const { integration } = scene;
  const heading = (text: string): void => print(`\n${paint.bold(`${integration}: ${text}`)}\n`);

  heading(`provision it from examples/${integration}, with the program that customers run`);
  const provisionBegan = performance.now();
  await scene.prepare?.(sandbox);
  const { engine, resources, outputs } = await provision({
    sandbox,
    root,
    integration,
    onResource: ({ type, name }) => print(`  ${paint.green("+")} ${typeName(type).padEnd(58)} ${name}\n`),
  });
  print(`${resources.length} resources in ${seconds(provisionBegan)} by ${engine}\n`);
  const contract = readContract(outputs["contract"]);
  const token = await scene.token(sandbox, contract);
  const run = () => verify({ sandbox, scene, contract, token, onEvent: showRun(), signal });

  heading(`verify it, with a real token as the platform, and with read-only credentials as ${scene.owner}`);
  const healthy = await run();
  print(conclusion(healthy, paint));
  if (healthy.exitCode !== 0) return false;

  heading(`break one thing: ${scene.mistake}`);
  print(`  ${await scene.break(sandbox, contract)}\n`);

  heading("verify again: what is wrong, how it shows, what to change");
  const broken = await run();
  print(conclusion(broken, paint));
  const causes = broken.findings.map((finding) => finding.causes.map(({ code }) => code).join(" or "));
  const found = broken.exitCode === 1 && causes.length === 1 && causes[0] === scene.cause;
  if (!found) print(paint.red(`The breakage should have been diagnosed as ${scene.cause}; it was: ${causes.join("; ") || "not found"}.\n`));
  return found;
}

interface Verification {
  sandbox: Sandbox;
  scene: Scene;
  contract: Contract;
  token: TokenSource;
  onEvent: (event: RunEvent) => void;
  signal: AbortSignal | undefined;
}

function verify({ sandbox, scene, contract, token, onEvent, signal }: Verification): Promise<Report> {
  return verifyContract({
    contract,
    token,
    account: scene.account(sandbox),
    waitSeconds: 0,
    // As deep as it goes: what a canary leaves behind goes with the sandbox.
    depth: "deploy",
    acceptResidue: true,
    env: sandbox.env(),
    ca: sandbox.caPem,
    signal,
    onEvent,
  });
}

/** `aws:s3/bucket:Bucket` as `aws:s3:Bucket`, the way Pulumi shows it. */
function typeName(type: string): string {
  return type.replace(/\/[^:]*:/, ":");
}
