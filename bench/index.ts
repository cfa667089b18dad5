/** Figures as ratios measured in one run; absolute times are printed beside them for orientation only. */
import { join } from "node:path";
import { packageFolder } from "../cli/package.js";
import { Network } from "../verify/index.js";
import { stepsByCli, withoutAwsCli } from "./aws-cli.js";
import { compareProcesses } from "./measure.js";
import { forkSandbox, type BenchSandbox } from "./sandbox-process.js";
import { LATENCY_MS, measureVerification, setLatency, verifyOnce } from "./verification.js";

const root = packageFolder();
const dist = join(root, "dist");

function row(what: string, figure: string, goal: string, detail: string): void {
  process.stdout.write(`${what.padEnd(58)} ${figure.padStart(12)}   ${goal.padEnd(15)} ${detail}\n`);
}

function ratioRow(what: string, ratio: number, goal: number, detail: string): void {
  row(what, ratio.toFixed(2), `goal ${goal} or less`, detail);
}

async function verification(integration: string, sandbox: BenchSandbox, network: Network): Promise<void> {
  const { wallMs, chain } = await measureVerification(sandbox, network, "storage", { chain: [LATENCY_MS, 450], runs: 9, chainRuns: 3 });
  ratioRow(`${integration}: verify at ${LATENCY_MS} ms latency / critical path`, wallMs / (chain * LATENCY_MS), 1.15, `${wallMs.toFixed(0)} ms / ${chain} calls x ${LATENCY_MS} ms`);
}

/**
 * Builds cannot be made faster by verify: what CodeBuild says that they took is on the critical path, without latency for
 * their own calls. Pauses between two looks at a build are not. The chain is measured where the first look finds the build
 * ended, so further looks are wall time too.
 */
async function deepVerification(sandbox: BenchSandbox, network: Network): Promise<void> {
  const { wallMs, chain, buildsMs } = await measureVerification(sandbox, network, "deploy", { chain: [600, 1000], runs: 5, chainRuns: 1 });
  const critical = chain * LATENCY_MS + buildsMs;
  row(`dcf-aws: verify --depth deploy at ${LATENCY_MS} ms / critical path`, (wallMs / critical).toFixed(2), "", `${wallMs.toFixed(0)} ms / (${chain} calls x ${LATENCY_MS} ms + two builds' ${buildsMs.toFixed(0)} ms); pauses between polls are no part of the path`);
  const what = "  the same steps by aws CLI commands / verify";
  const missing = withoutAwsCli();
  if (missing !== undefined) {
    row(what, "-", "", missing);
    return;
  }
  await setLatency(sandbox, LATENCY_MS);
  const { ms, commands } = await stepsByCli(sandbox, network);
  await setLatency(sandbox, 0);
  row(what, (ms / wallMs).toFixed(1), "goal 10 or more", `${(ms / 1000).toFixed(1)} s for ${commands} commands one after another / ${(wallMs / 1000).toFixed(1)} s`);
}

async function manyAtOnce(sandbox: BenchSandbox, network: Network, count: number): Promise<void> {
  const began = performance.now();
  const reports = await Promise.all(Array.from({ length: count }, async () => (await verifyOnce(sandbox, network, "storage")).report));
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
  for (const integration of ["dcf-aws", "dcf-gcp", "dcf-azure"]) {
    const load = ["index.js", `${integration}.js`].map((file) => `require(${JSON.stringify(join(dist, "stacks", file))})`).join("; ");
    const program = compareProcesses(["-e", load], ["-e", 'require("@pulumi/pulumi")']);
    ratioRow(`${integration}: start of the stack program / loading the SDK`, program.ratio, 1.3, `${program.ms.toFixed(0)} ms / ${program.baselineMs.toFixed(0)} ms`);
  }
  await within("dcf-aws", async (sandbox, network) => {
    await verification("dcf-aws", sandbox, network);
    await deepVerification(sandbox, network);
    await manyAtOnce(sandbox, network, 200);
  });
  for (const integration of ["dcf-gcp", "dcf-azure"]) await within(integration, (sandbox, network) => verification(integration, sandbox, network));
}

/** With a sandbox that has the integration in it, and connections that are kept. */
async function within(integration: string, measure: (sandbox: BenchSandbox, network: Network) => Promise<void>): Promise<void> {
  const sandbox = await forkSandbox(root, integration);
  const network = new Network({ env: sandbox.env, ca: sandbox.caPem });
  try {
    await measure(sandbox, network);
  } finally {
    network.close();
    await sandbox.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
