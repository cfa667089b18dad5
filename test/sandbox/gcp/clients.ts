/** Google's command line tools and container clients in child processes, pointed at a sandbox through its proxy. */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "../../../sandbox/index.js";

export interface Result {
  status: number;
  out: string;
  err: string;
}

/** Says so on standard error where there is none. */
export function onPath(program: string): boolean {
  const found = spawnSync(program, ["--version"], { timeout: 60_000 }).status === 0;
  if (!found) process.stderr.write(`skipped: ${program} is not on PATH\n`);
  return found;
}

/** What clients keep, tokens among it, goes with the last test of the file. */
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export class Clients {
  readonly folder = mkdtempSync(join(tmpdir(), "cloud-federation-clients-"));

  constructor(private readonly sandbox: () => Sandbox) {
    folders.push(this.folder);
  }

  /** With a configuration of its own, as whoever the token proves. */
  gcloud(token: string, ...args: string[]): Promise<Result> {
    const sandbox = this.sandbox();
    const config = mkdtempSync(join(this.folder, "config-"));
    const tokenFile = join(config, "token");
    writeFileSync(tokenFile, token);
    return this.run("gcloud", args, {
      CLOUDSDK_CONFIG: config,
      CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
      CLOUDSDK_CORE_PROJECT: sandbox.gcp.defaultProject.projectId,
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
      CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "true",
      CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: sandbox.caFile,
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: tokenFile,
    });
  }

  /** Credentials are `USER:PASSWORD`. `side` is which of a copy's ends they are for. */
  skopeo(credentials: string, side: "dest" | "src" | "", ...args: string[]): Promise<Result> {
    const certificates = join(this.folder, "certificates");
    mkdirSync(certificates, { recursive: true });
    cpSync(this.sandbox().caFile, join(certificates, "ca.crt"));
    const policy = join(this.folder, "policy.json");
    writeFileSync(policy, JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
    const [command = "", ...rest] = args;
    const prefix = side === "" ? "" : `${side}-`;
    return this.run("skopeo", ["--policy", policy, command, `--${prefix}creds`, credentials, `--${prefix}cert-dir`, certificates, ...rest]);
  }

  run(program: string, args: string[], variables: Record<string, string> = {}): Promise<Result> {
    const { url, caFile } = this.sandbox();
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.folder, HTTPS_PROXY: url, https_proxy: url, SSL_CERT_FILE: caFile, ...variables };
    return new Promise((resolve) => {
      execFile(program, args, { env, timeout: 90_000 }, (error, out, err) => resolve({ status: error ? Number(error.code ?? 1) : 0, out, err }));
    });
  }
}
