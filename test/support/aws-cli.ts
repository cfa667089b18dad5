/** The real `aws` CLI and boto3 as programs of their own, pointed at a sandbox. */
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Sandbox } from "../../sandbox/index.js";

/** By the real host names through the proxy, or by an endpoint variable. */
export type Way = "proxy" | "endpoint";

export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/** Says so where it is not installed: its tests are skipped. */
export function hasCli(): boolean {
  return said(spawnSync("aws", ["--version"]).status === 0, "the aws CLI is not on PATH");
}

export function hasBoto3(): boolean {
  return said(spawnSync("python3", ["-c", "import boto3"]).status === 0, "python3 has no boto3");
}

function said(has: boolean, otherwise: string): boolean {
  if (!has) process.stderr.write(`skipped: ${otherwise}\n`);
  return has;
}

/** Only what the sandbox sets and what a process needs: nothing of the shell that the tests run in. */
export function clientEnvironment(sandbox: Sandbox, folder: string, way: Way, region: string, change: Record<string, string> = {}): Record<string, string> {
  const other = way === "proxy" ? /^AWS_ENDPOINT/ : /_PROXY$/i;
  return {
    ...Object.fromEntries(Object.entries(sandbox.env({ region })).filter(([name]) => !other.test(name))),
    ...(way === "endpoint" ? { NO_PROXY: "127.0.0.1" } : {}),
    PATH: process.env["PATH"] ?? "",
    // The CLI keeps sessions there that it exchanged by itself, and would show those of another way.
    HOME: join(folder, way),
    AWS_CONFIG_FILE: join(folder, "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
    AWS_MAX_ATTEMPTS: "1",
    AWS_PAGER: "",
    ...change,
  };
}

export function runClient(program: string, args: readonly string[], env: Record<string, string>, cwd: string): Promise<Result> {
  return new Promise((resolve) => {
    execFile(program, args, { env, cwd, timeout: 50_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      // A refusal of the service is 254 to version 2 of the CLI, 255 to version 1.
      resolve({ status: status === 255 ? 254 : status, stdout, stderr });
    });
  });
}
