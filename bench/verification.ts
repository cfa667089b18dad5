/** What a verification takes, against how long its longest chain of calls takes at the least. */
import { SandboxClient } from "../cli/sandbox-client.js";
import { readContract } from "../contract/index.js";
import { functionToken, verifyContract, type Depth, type Network, type Report } from "../verify/index.js";
import { median } from "./measure.js";
import type { BenchSandbox } from "./sandbox-process.js";

/** Milliseconds a call, as between a client and a cloud region that is not next door. */
export const LATENCY_MS = 50;

export interface Measured {
  wallMs: number;
  /** Calls of the longest chain. */
  chain: number;
  /** What CodeBuild says that the builds of one verification took; 0 where there are none. */
  buildsMs: number;
}

export interface Latencies {
  /** Two at which the same calls are made; what one adds to the other is the chain's. */
  chain: readonly [number, number];
  runs: number;
  chainRuns: number;
}

/** As a pipeline does that verifies many: connections are kept from one verification to the next, the token is there. */
export async function verifyOnce(sandbox: BenchSandbox, network: Network, depth: Depth): Promise<{ report: Report; ms: number }> {
  const client = new SandboxClient(sandbox.url);
  const { issuer, subject, audience } = readContract(sandbox.contract).workload;
  const mint = async (order: object): Promise<string> => (await client.post<{ token: string }>("/tokens", { issuer, subject, audience, ...order })).token;
  const own = await mint({});
  const token = functionToken(async (order) => (Object.keys(order).length === 0 ? own : mint(order)), ["subject", "audience", "expiresInSeconds"]);
  const began = performance.now();
  const report = await verifyContract({ contract: sandbox.contract, token, waitSeconds: 0, depth, acceptResidue: true, env: sandbox.env, network });
  return { report, ms: performance.now() - began };
}

export function setLatency(sandbox: BenchSandbox, milliseconds: number): Promise<unknown> {
  return new SandboxClient(sandbox.url).put("/latency", { milliseconds });
}

/** How many calls the longest chain has: what a greater latency adds to the whole, over what it adds to one call. */
export async function measureVerification(sandbox: BenchSandbox, network: Network, depth: Depth, { chain: [less, more], runs, chainRuns }: Latencies): Promise<Measured> {
  const at = async (latencyMs: number, count: number): Promise<{ wallMs: number; buildsMs: number }> => {
    await setLatency(sandbox, latencyMs);
    const walls: number[] = [];
    const builds: number[] = [];
    for (let run = 0; run < count; run++) {
      const before = await sandbox.buildMs();
      const { report, ms } = await verifyOnce(sandbox, network, depth);
      if (report.exitCode !== 0) throw new Error(`the verification that is measured did not pass: ${JSON.stringify(report.findings)}`);
      walls.push(ms);
      builds.push((await sandbox.buildMs()) - before);
    }
    return { wallMs: median(walls), buildsMs: median(builds) };
  };
  await at(0, 3);
  const measured = await at(LATENCY_MS, runs);
  const lesser = less === LATENCY_MS ? measured : await at(less, chainRuns);
  const greater = await at(more, chainRuns);
  await setLatency(sandbox, 0);
  return { ...measured, chain: Math.round((greater.wallMs - lesser.wallMs) / (more - less)) };
}
