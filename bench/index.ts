/** Figures as ratios measured in one run; absolute times are printed beside them for orientation only. */
import { join } from "node:path";
import { packageFolder } from "../cli/package.js";
import { SandboxClient } from "../cli/sandbox-client.js";
import { functionToken, Network, verifyContract, type Report } from "../verify/index.js";
import { compareProcesses, median } from "./measure.js";
import { forkSandbox, type BenchSandbox } from "./sandbox-process.js";

const root = packageFolder();
const dist = join(root, "dist");

function row(what: string, figure: string, goal: string, detail: string): void {
  process.stdout.write(`${what.padEnd(58)} ${figure.padStart(12)}   ${goal.padEnd(14)} ${detail}\n`);
}

function ratioRow(what: string, ratio: number, goal: number, detail: string): void {
  row(what, ratio.toFixed(2), `goal ${goal} or less`, detail);
}

/** As a pipeline does that verifies many: connections are kept from one verification to the next. */
function verifyOnce(sandbox: BenchSandbox, network: Network): Promise<Report> {
  const client = new SandboxClient(sandbox.url);
  const { subject } = (sandbox.contract as { workload: { subject: string } }).workload;
  const token = functionToken(async (order) => (await client.post<{ token: string }>("/tokens", { subject, ...order })).token, ["subject", "audience", "expiresInSeconds"]);
  return verifyContract({ contract: sandbox.contract, token, waitSeconds: 0, env: sandbox.env, network });
}

async function wallMs(sandbox: BenchSandbox, network: Network, latencyMs: number, runs: number): Promise<number> {
  await new SandboxClient(sandbox.url).put("/latency", { milliseconds: latencyMs });
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    const report = await verifyOnce(sandbox, network);
    if (report.exitCode !== 0) throw new Error(`the verification that is measured did not pass: ${JSON.stringify(report.findings)}`);
    times.push(performance.now() - began);
  }
  return median(times);
}

/** How many calls the longest chain has: what a greater latency adds to the whole, over what it adds to one call. */
async function verification(sandbox: BenchSandbox, network: Network): Promise<void> {
  const latency = 50;
  const greater = 450;
  await wallMs(sandbox, network, 0, 3);
  const wall = await wallMs(sandbox, network, latency, 7);
  const slow = await wallMs(sandbox, network, greater, 3);
  const chain = Math.round((slow - wall) / (greater - latency));
  const critical = chain * latency;
  ratioRow(`verify at ${latency} ms latency / critical path`, wall / critical, 1.15, `${wall.toFixed(0)} ms / ${chain} calls x ${latency} ms`);
  await new SandboxClient(sandbox.url).put("/latency", { milliseconds: 0 });
}

async function manyAtOnce(sandbox: BenchSandbox, network: Network, count: number): Promise<void> {
  const began = performance.now();
  const reports = await Promise.all(Array.from({ length: count }, () => verifyOnce(sandbox, network)));
  const seconds = (performance.now() - began) / 1000;
  const failures = reports.filter(({ exitCode }) => exitCode !== 0);
  const failed = failures.length;
  const checks = reports.reduce((sum, report) => sum + report.checks.filter(({ status }) => status === "pass").length, 0);
  const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  row(`${count} verifications at once, one sandbox: checks a second`, (checks / seconds).toFixed(0), "", `${checks} checks in ${seconds.toFixed(1)} s, ${failed} verifications failed`);
  row("  peak memory", "", "", `verify ${megabytes(process.resourceUsage().maxRSS * 1024)}, sandbox ${megabytes(await sandbox.peakMemory())}`);
  const [first] = failures;
  if (first) throw new Error(`a verification failed: ${JSON.stringify(first.checks.filter(({ status }) => status === "fail" || status === "unknown"))}`);
}

async function main(): Promise<void> {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  const help = compareProcesses([join(root, "bin", "cloud-federation.js"), "--help"], ["-e", "0"]);
  ratioRow("cloud-federation --help / node -e 0", help.ratio, 3, `${help.ms.toFixed(0)} ms / ${help.baselineMs.toFixed(0)} ms`);
  const program = compareProcesses(["-e", `require(${JSON.stringify(join(dist, "stacks", "index.js"))}); require(${JSON.stringify(join(dist, "stacks", "dcf-aws.js"))})`], ["-e", 'require("@pulumi/pulumi")']);
  ratioRow("start of the stack program / loading the SDK alone", program.ratio, 1.3, `${program.ms.toFixed(0)} ms / ${program.baselineMs.toFixed(0)} ms`);
  const sandbox = await forkSandbox(root);
  const network = new Network({ env: sandbox.env, ca: sandbox.caPem });
  try {
    await verification(sandbox, network);
    await manyAtOnce(sandbox, network, 200);
  } finally {
    network.close();
    await sandbox.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
