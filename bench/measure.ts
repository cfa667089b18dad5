/** Timing whole processes, alternately, so that a machine's changing speed hits both sides of a ratio alike. */
import { spawnSync } from "node:child_process";

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Milliseconds from start to exit of `node ARGS`. Throws when it does not exit with 0. */
function processMs(args: readonly string[], environment: NodeJS.ProcessEnv): number {
  const begin = process.hrtime.bigint();
  const run = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"], env: environment, encoding: "utf8", timeout: 60_000 });
  const elapsed = Number(process.hrtime.bigint() - begin) / 1e6;
  if (run.status !== 0) throw new Error(`node ${args.join(" ")} exited with ${String(run.status)}: ${run.stderr.trim()}`);
  return elapsed;
}

export interface ProcessRatio {
  ratio: number;
  ms: number;
  baselineMs: number;
}

/** Medians of `runs` pairs, after one pair to warm the disk's cache. */
export function compareProcesses(args: readonly string[], baseline: readonly string[], runs = 11, environment: NodeJS.ProcessEnv = process.env): ProcessRatio {
  const pairs = Array.from({ length: runs + 1 }, () => ({ ms: processMs(args, environment), baselineMs: processMs(baseline, environment) })).slice(1);
  return {
    ratio: median(pairs.map((pair) => pair.ms / pair.baselineMs)),
    ms: median(pairs.map((pair) => pair.ms)),
    baselineMs: median(pairs.map((pair) => pair.baselineMs)),
  };
}
