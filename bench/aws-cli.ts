/**
 * The steps of a verification at depth deploy by hand: one command of the `aws` CLI after another, each checked for what
 * it must answer. Fewer than verify's own: nobody reads the issuer's documents by hand.
 */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandboxClient } from "../cli/sandbox-client.js";
import { readContract, type GrantKind, type GrantOf } from "../contract/index.js";
import { dcfBuildspec } from "../facts/aws/dcf-buildspec.js";
import { canaryArchive } from "../verify/aws/canary-archive.js";
import { canaryKey } from "../verify/aws/canary-staging.js";
import { canaryName, strangerName } from "../verify/aws/lambda.js";
import { corruptSignature } from "../verify/token.js";
import { fetchDocument, type Network } from "../verify/network.js";
import type { BenchSandbox } from "./sandbox-process.js";

const COMMAND_DEADLINE_MS = 60_000;

/** Why there is nothing to compare with; undefined when there is. */
export function withoutAwsCli(): string | undefined {
  return spawnSync("aws", ["--version"], { stdio: "ignore" }).status === 0 ? undefined : "left out: no aws CLI on PATH";
}

/** Milliseconds and commands of one round. Throws when a step is not answered as it must be. */
export async function stepsByCli(sandbox: BenchSandbox, network: Network): Promise<{ ms: number; commands: number }> {
  const folder = mkdtempSync(join(tmpdir(), "cloud-federation-bench-"));
  try {
    const steps = new Steps(sandbox, network, folder);
    const began = performance.now();
    await steps.all();
    return { ms: performance.now() - began, commands: steps.commands };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class Steps {
  commands = 0;
  readonly #contract;
  readonly #exchange;
  readonly #bucket;
  readonly #builds;
  readonly #functions;
  /** Sets the session's credentials, once there are some. */
  #session: Record<string, string> = {};

  constructor(
    private readonly sandbox: BenchSandbox,
    private readonly network: Network,
    private readonly folder: string,
  ) {
    const contract = readContract(sandbox.contract);
    const { exchange, grants } = contract;
    const grant = <K extends GrantKind>(kind: K): GrantOf<K> => {
      const found = grants.find((candidate): candidate is GrantOf<K> => candidate.kind === kind);
      if (!found) throw new Error(`the contract that is measured grants no ${kind}`);
      return found;
    };
    if (exchange.type !== "aws-web-identity") throw new Error("the contract that is measured is not AWS's");
    this.#contract = contract;
    this.#exchange = exchange;
    this.#bucket = grant("s3-objects");
    this.#builds = grant("codebuild-project");
    this.#functions = grant("lambda-functions");
  }

  async all(): Promise<void> {
    await this.#identity();
    await this.#storage();
    await this.#runtime();
    await this.#canary();
  }

  async #identity(): Promise<void> {
    const { roleArn, accountId, partition } = this.#exchange;
    const { subject } = this.#contract.workload;
    // A token on a command line would be in the list of processes.
    const assume = (token: string, role = roleArn) =>
      ["sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "bench", "--web-identity-token", `file://${this.#file("token", token)}`, "--duration-seconds", "900"];
    const token = await this.#token({});
    const { Credentials: keys } = await this.#aws<{ Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string } }>(...assume(token));
    this.#session = { AWS_ACCESS_KEY_ID: keys.AccessKeyId, AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey, AWS_SESSION_TOKEN: keys.SessionToken };
    await this.#aws("sts", "get-caller-identity");
    await this.#refused("InvalidIdentityToken", ...assume(corruptSignature(token)));
    await this.#refused("AccessDenied", ...assume(token, `arn:${partition}:iam::${accountId}:role/bench-absent`));
    await this.#refused("InvalidIdentityToken", ...assume(await this.#token({ audience: "bench" })));
    await this.#refused("AccessDenied", ...assume(await this.#token({ subject: `${subject}.bench` })));
    await this.#refused("ExpiredTokenException", ...assume(await this.#token({ expiresInSeconds: -900 })));
  }

  async #storage(): Promise<void> {
    const { bucket, accountId, prefix = "" } = this.#bucket;
    const owned = ["--bucket", bucket, "--expected-bucket-owner", accountId];
    const key = `${prefix}bench`;
    const object = [...owned, "--key", key];
    await this.#aws("s3api", "get-bucket-location", ...owned);
    await this.#aws("s3api", "put-object", ...object, "--body", this.#file("object", "bench"));
    await this.#aws("s3api", "get-object", ...object, join(this.folder, "read"));
    const list = ["s3api", "list-objects-v2", ...owned, "--prefix", key];
    await this.#aws(...list);
    await this.#aws("s3api", "delete-object", ...object);
    await this.#aws(...list);
    for (const target of this.#contract.refusalTargets) {
      if (target.kind === "s3-bucket") await this.#refused("AccessDenied", "s3api", "list-objects-v2", "--bucket", target.bucket, "--expected-bucket-owner", target.accountId);
    }
  }

  async #runtime(): Promise<void> {
    const { project } = this.#builds;
    const absent = canaryName(this.#functions, "absent-bench");
    await this.#aws("codebuild", "batch-get-builds", "--ids", `${project}:bench`);
    await this.#refused("AccessDeniedException", "codebuild", "batch-get-projects", "--names", project);
    await this.#refused("ResourceNotFoundException", "lambda", "get-function", "--function-name", absent);
    await this.#refused("ResourceNotFoundException", "lambda", "get-function-url-config", "--function-name", absent);
    await this.#refused("AccessDeniedException", "lambda", "get-function", "--function-name", strangerName(this.#functions, "bench"));
  }

  /** The contract of the example grants no undeployment: the function stays, as verify's does. */
  async #canary(): Promise<void> {
    const owned = ["--bucket", this.#bucket.bucket, "--expected-bucket-owner", this.#bucket.accountId];
    const name = canaryName(this.#functions, "bench");
    const keys = [1, 2].map((revision) => canaryKey(this.#bucket, this.#builds, "bench", revision));
    for (const [index, key] of keys.entries()) {
      await this.#aws("s3api", "put-object", ...owned, "--key", key, "--body", this.#file(`${index}.zip`, canaryArchive("bench", index + 1)));
    }
    await this.#build(keys[0] ?? "", name);
    const before = await this.#image(name);
    const { FunctionUrl: url } = await this.#aws<{ FunctionUrl: string }>("lambda", "get-function-url-config", "--function-name", name);
    const answer = await fetchDocument(this.network, new URL(url), COMMAND_DEADLINE_MS, new AbortController().signal);
    if (answer.status !== "ok" || answer.httpStatus !== 200) throw new Error(`${url} does not answer`);
    await this.#build(keys[1] ?? "", name);
    if ((await this.#image(name)) === before) throw new Error("the second build did not update the function");
    for (const key of keys) await this.#aws("s3api", "delete-object", ...owned, "--key", key);
  }

  async #build(key: string, functionName: string): Promise<void> {
    const variables = Object.entries({ S3_BUCKET: this.#bucket.bucket, S3_KEY: key, FUNCTION_NAME: functionName, AWS_REGION: this.#builds.region });
    const { build } = await this.#aws<{ build: { id: string } }>(
      ...["codebuild", "start-build", "--project-name", this.#builds.project, "--buildspec-override", `file://${this.#file("buildspec.yml", dcfBuildspec)}`],
      ...["--environment-variables-override", ...variables.map(([variable, value]) => `name=${variable},value=${value},type=PLAINTEXT`)],
    );
    let status = "IN_PROGRESS";
    while (status === "IN_PROGRESS") {
      const { builds } = await this.#aws<{ builds: { buildStatus: string }[] }>("codebuild", "batch-get-builds", "--ids", build.id);
      status = builds[0]?.buildStatus ?? "";
    }
    if (status !== "SUCCEEDED") throw new Error(`the build that is measured ended as ${status}`);
  }

  async #image(name: string): Promise<string> {
    return (await this.#aws<{ Code: { ResolvedImageUri: string } }>("lambda", "get-function", "--function-name", name)).Code.ResolvedImageUri;
  }

  async #token(order: object): Promise<string> {
    const { subject } = this.#contract.workload;
    return (await new SandboxClient(this.sandbox.url).post<{ token: string }>("/tokens", { subject, ...order })).token;
  }

  #file(name: string, content: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  async #aws<T>(...args: string[]): Promise<T> {
    const { ok, output } = await this.#run(args);
    if (!ok) throw new Error(`aws ${args.slice(0, 2).join(" ")} failed: ${output}`);
    return (output === "" ? {} : JSON.parse(output)) as T;
  }

  async #refused(code: string, ...args: string[]): Promise<void> {
    const { ok, output } = await this.#run(args);
    if (ok || !output.includes(`(${code})`)) throw new Error(`aws ${args.slice(0, 2).join(" ")} was to be refused with ${code}: ${ok ? "it was allowed" : output}`);
  }

  /** By the real host names, through the proxy: no endpoint, and no credentials but the session's. */
  #run(args: string[]): Promise<{ ok: boolean; output: string }> {
    this.commands += 1;
    const given = Object.entries(this.sandbox.env).filter(([name]) => !/^AWS_(ENDPOINT_URL|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)/.test(name));
    const own = { AWS_CONFIG_FILE: join(this.folder, "config"), AWS_SHARED_CREDENTIALS_FILE: join(this.folder, "credentials"), AWS_PAGER: "", AWS_MAX_ATTEMPTS: "1", AWS_EC2_METADATA_DISABLED: "true" };
    const env = { PATH: process.env["PATH"], HOME: this.folder, ...Object.fromEntries(given), ...own, ...this.#session };
    return new Promise((resolve) => {
      execFile("aws", ["--region", this.#exchange.region, "--output", "json", ...args], { env, timeout: COMMAND_DEADLINE_MS }, (error, stdout, stderr) => {
        resolve({ ok: error === null, output: (error === null ? stdout : stderr).trim() });
      });
    });
  }
}
