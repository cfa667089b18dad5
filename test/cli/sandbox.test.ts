import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { assign } from "../../cli/sandbox-env.js";
import { coloured, colours, shellQuote } from "../../cli/output.js";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import { exampleContract } from "../support/contract.js";

const bin = join(__dirname, "..", "..", "bin", "cloud-federation.js");
const folder = mkdtempSync(join(tmpdir(), "sandbox-cli-"));
/** Nothing of the machine's own shell: no proxy, no credentials. */
const bare = { PATH: process.env["PATH"] ?? "", HOME: folder };
const running = new Set<ChildProcess>();

interface Ready {
  url: string;
  pid: number;
  providersPort: number;
  caFile: string;
}

interface Started {
  child: ChildProcess;
  ready: Ready;
  /** All lines on standard output so far. */
  lines: string[];
  stderr: () => string;
}

function cli(args: string[], environment: NodeJS.ProcessEnv = {}, input?: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bin, ...args], { env: { ...bare, ...environment }, encoding: "utf8", timeout: 30_000, ...(input !== undefined && { input }) });
}

/** As {@link cli}, for calls of a server in this process. */
async function cliAsync(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...bare, ...environment } });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stderr };
}

const start = (...args: string[]): Promise<Started> => startWith([], ...args);

/** As {@link start}, with options for Node itself. */
async function startWith(node: string[], ...args: string[]): Promise<Started> {
  const child = spawn(process.execPath, [...node, bin, "sandbox", "start", "--port", "0", ...args], { env: bare, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  child.once("close", () => running.delete(child));
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  reader.on("line", (line) => lines.push(line));
  await Promise.race([once(reader, "line"), once(child, "close")]);
  if (lines[0] === undefined) throw new Error(`The sandbox did not start: ${stderr}`);
  return { child, ready: JSON.parse(lines[0]) as Ready, lines, stderr: () => stderr };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
  child.kill(signal);
  const [code, by] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return code ?? by;
}

let shared: Started;
const readyFile = join(folder, "ready.json");
const at = (): NodeJS.ProcessEnv => ({ CLOUD_FEDERATION_SANDBOX: shared.ready.url });
const environment = (): Record<string, string> => JSON.parse(cli(["sandbox", "env", "--format", "json"], at()).stdout) as Record<string, string>;

beforeAll(async () => {
  shared = await start("--ready-file", readyFile);
});

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("help", () => {
  it("has an example for every command", () => {
    const commands = [
      [],
      ["sandbox"],
      ...["start", "env", "token", "admin"].map((name) => ["sandbox", name]),
      ...["resources", "policy", "org-policy", "fault", "issuer", "latency", "propagation-delay", "clock", "restore"].map((name) => ["sandbox", "admin", name]),
    ];
    for (const command of commands) {
      const { status, stdout, stderr } = cli([...command, "--help"]);
      expect([command, status, stderr]).toEqual([command, 0, ""]);
      expect(stdout).toMatch(/Examples:\n {2}\$ .*cloud-federation/);
    }
  });

  it("tells the version", () => {
    const { version } = JSON.parse(readFileSync(join(__dirname, "..", "..", "package.json"), "utf8")) as { version: string };
    expect(cli(["--version"])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("mistakes are one line, exit 2, and nothing on standard output", () => {
  const nowhere = "http://127.0.0.1:9";
  const broken = join(folder, "broken.json");
  writeFileSync(broken, "{ half");
  const contract = join(folder, "contract.json");
  writeFileSync(contract, JSON.stringify(exampleContract({ environment: "cloud" })));

  it.each<[string, string[], string]>([
    ["an unknown command", ["sandbox", "strat"], "unknown command 'strat' (Did you mean start?)"],
    ["an unknown flag", ["sandbox", "start", "--prot", "1"], "unknown option '--prot' (Did you mean --port?)"],
    ["an unknown flag like no other", ["sandbox", "start", "--bogus"], "unknown option '--bogus'; see `cloud-federation sandbox start --help`"],
    ["an unknown flag before what is missing", ["verify", "--bogus"], "unknown option '--bogus'; see `cloud-federation verify --help`"],
    ["a misspelt flag before what is missing", ["verify", "--contrat", "c.json"], "unknown option '--contrat' (Did you mean --contract?)"],
    ["no contract", ["verify"], "required option '--contract <file>' not specified; see `cloud-federation verify --help`"],
    ["a fault without a code", ["sandbox", "admin", "fault", "add", "s3:*"], "required option '--code <code>' not specified; see `cloud-federation sandbox admin fault add --help`"],
    ["a command that there is not", ["bogus"], "unknown command 'bogus'; see `cloud-federation --help`"],
    ["a missing argument", ["sandbox", "admin", "resources", "list"], "missing required argument 'type'; see `cloud-federation sandbox admin resources list --help`"],
    ["a port that is none", ["sandbox", "start", "--port", "70000"], "argument '70000' is invalid. It has to be a whole number from 0 to 65535."],
    ["a negative delay", ["sandbox", "start", "--propagation-delay", "-1"], "argument '-1' is invalid. It has to be 0 or more."],
    ["a latency in words", ["sandbox", "start", "--latency", "slow"], "argument 'slow' is invalid. It has to be a number."],
    ["a state file of somebody else", ["sandbox", "start", "--port", "0", "--state", broken], "broken.json is not a sandbox's state (it is not JSON). It was left as it is; name another --state file."],
    ["a state file in no folder", ["sandbox", "start", "--port", "0", "--state", join(folder, "none", "s.json")], "s.json cannot be written: ENOENT"],
    ["a ready file in no folder", ["sandbox", "start", "--port", "0", "--ready-file", join(folder, "none", "r.json")], "r.json cannot be written: ENOENT"],
    ["a format that there is not", ["sandbox", "env", "--format", "csh"], "Allowed choices are sh, json."],
    ["no sandbox for env", ["sandbox", "env", "--sandbox", nowhere], `No sandbox is running at ${nowhere}: start one with \`cloud-federation sandbox start\`, or name it with --sandbox URL.`],
    ["no sandbox for token", ["sandbox", "token", "--subject", "s", "--sandbox", nowhere], `No sandbox is running at ${nowhere}`],
    ["no sandbox for admin", ["sandbox", "admin", "info", "--sandbox", nowhere], `No sandbox is running at ${nowhere}`],
    ["a sandbox elsewhere", ["sandbox", "env", "--sandbox", "https://sandbox.example"], '"https://sandbox.example" is no sandbox: it is on this machine'],
    ["no subject", ["sandbox", "token"], "required option '--subject <subject>' not specified"],
    ["a lifetime in words", ["sandbox", "token", "--subject", "s", "--expires-in", "1h"], "argument '1h' is invalid. It has to be a number."],
    ["a claim without a value", ["sandbox", "token", "--subject", "s", "--claim", "email"], '--claim takes name=value, not "email".'],
    ["a missing file", ["sandbox", "admin", "resources", "set", "t", "i", join(folder, "none.json")], "none.json cannot be read: ENOENT"],
    ["a file that is not JSON", ["sandbox", "admin", "policy", "set", "scp", "n", broken], "broken.json is not JSON"],
    ["a token file that there is not", ["verify", "--contract", contract, "--token-file", join(folder, "none.jwt")], "none.jwt cannot be read (ENOENT)"],
    ["a token that is no JWT", ["verify", "--contract", contract, "--token-file", broken], "broken.json is no JWT (6 characters, which are not shown)"],
    ["a report in no folder, before anything is asked", ["verify", "--contract", contract, "--token-file", broken, "--report", join(folder, "none", "r.json")], "The report cannot be written: ENOENT"],
    ["a constraint that there is not", ["sandbox", "admin", "org-policy", "delete", "iam.nothing"], 'The sandbox plays no constraint "iam.nothing"; it has: iam.allowServiceAccountCredentialLifetimeExtension, '],
    ["a kind of policy that there is not", ["sandbox", "admin", "policy", "list", "spc"], 'The kind of policy is scp or rcp, not "spc".'],
  ])("%s", (_, args, message) => {
    const { status, stdout, stderr } = cli(args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  it("a port in use, naming it and the way out", async () => {
    const { port } = new URL(shared.ready.url);
    const { status, stderr } = await cliAsync(["sandbox", "start", "--port", port]);
    expect([status, stderr]).toEqual([2, `error: Port ${port} is in use, perhaps by a sandbox that runs already: stop what listens there, or choose another with --port.\n`]);
  });

  it("an issuer that cannot be, a resource that is not there, a secret", () => {
    const message = (args: string[]): string => cli(["sandbox", ...args], at()).stderr;
    expect(message(["token", "--subject", "s", "--issuer", "http://plain.example"])).toBe('error: "http://plain.example" cannot be an issuer: it has to start with https://.\n');
    expect(message(["admin", "resources", "get", "aws:iam/role", "nobody"])).toBe("error: No aws:iam/role nobody in this sandbox.\n");
    expect(message(["admin", "resources", "list", "aws:iam/rol"])).toBe('error: There is no type of resources "aws:iam/rol". Known are aws:iam/oidc-provider, aws:iam/policy, aws:iam/role, aws:iam/user.\n');
    expect(message(["admin", "resources", "list", "bogus"])).toMatch(/^error: There is no type of resources "bogus"\. Known are aws:codebuild\/build, .*, sandbox:oidc\/issuer\.\n$/);
    expect(message(["admin", "resources", "list", "aws:lambda/function"])).toBe("");
    expect(message(["admin", "resources", "list", "secret:oidc/issuer-key"])).toContain("are secrets: they are neither shown nor changed.");
  });

  it("something else at the sandbox's place", async () => {
    const other = http.createServer((_, response) => response.end("<html>"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await cliAsync(["sandbox", "env", "--sandbox", url])).toEqual({ status: 2, stderr: `error: What answers at ${url} is not a sandbox (HTTP 200).\n` });
    other.close();
  });
});

describe("sandbox start", () => {
  it("prints one JSON line without secrets, and writes the same to the ready file", () => {
    expect(shared.lines).toHaveLength(1);
    expect(`${shared.lines[0] ?? ""}\n`).toBe(readFileSync(readyFile, "utf8"));
    expect(shared.ready).toMatchObject({ ready: true, pid: shared.child.pid, providersPort: expect.any(Number) });
    expect(shared.lines[0]).not.toContain(environment()["AWS_SECRET_ACCESS_KEY"]);
    expect(shared.stderr()).toBe("");
  });

  it.each(["SIGINT", "SIGTERM"] as const)("stops in order on %s and leaves nothing", async (signal) => {
    const file = join(folder, `${signal}.json`);
    const { child, ready, stderr } = await start("--ready-file", file);
    expect(existsSync(ready.caFile)).toBe(true);
    expect(await end(child, signal)).toBe(0);
    expect([existsSync(ready.caFile), existsSync(file)]).toEqual([false, false]);
    expect(stderr()).toBe("sandbox: stopping\n");
  });

  it.each([["SIGINT", 130], ["SIGTERM", 143]] as const)("stops at once on a second %s, whatever the first still waits for", async (signal, status) => {
    const stuck = join(folder, "stuck.cjs");
    writeFileSync(stuck, 'require("node:fs/promises").rm = () => new Promise(() => setInterval(() => undefined, 1000));');
    const file = join(folder, "stuck.json");
    const { child, stderr } = await startWith(["--require", stuck], "--ready-file", file);
    child.kill(signal);
    while (!stderr().includes("stopping")) await once(child.stderr!, "data");
    expect(await end(child, signal)).toBe(status);
    expect([stderr(), existsSync(file)]).toEqual(["sandbox: stopping\n", true]);
  });

  it("does not wait for its own latency when it stops", async () => {
    const { child, ready } = await start("--latency", "600000");
    const headers = { "content-type": "application/x-www-form-urlencoded", expect: "100-continue" };
    const hanging = http.request(ready.url, { method: "POST", headers });
    hanging.on("error", () => undefined);
    hanging.flushHeaders();
    await once(hanging, "continue");
    hanging.end("Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    expect(await end(child, "SIGTERM")).toBe(0);
  });

  it("comes back from its state file, also after kill -9", async () => {
    const state = join(folder, "state.json");
    const first = await start("--state", state, "--propagation-delay", "3");
    const target = { CLOUD_FEDERATION_SANDBOX: first.ready.url };
    cli(["sandbox", "admin", "resources", "set", "t:x/y", "one", "-"], target, '{"v":1}');
    const issuers = cli(["sandbox", "admin", "issuer", "list"], target).stdout;
    const variables = cli(["sandbox", "env", "--format", "json"], target).stdout;
    // The state is written some time after the change: wait until it is there rather than for a time.
    while (!readFileSync(state, "utf8").includes("t:x/y")) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await end(first.child, "SIGKILL")).toBe("SIGKILL");

    const second = await start("--state", state);
    const again = { CLOUD_FEDERATION_SANDBOX: second.ready.url };
    expect(JSON.parse(cli(["sandbox", "admin", "resources", "get", "t:x/y", "one"], again).stdout)).toEqual({ v: 1 });
    expect(cli(["sandbox", "admin", "issuer", "list"], again).stdout).toBe(issuers);
    expect(JSON.parse(cli(["sandbox", "admin", "propagation-delay"], again).stdout)).toEqual({ seconds: 3 });
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "NODE_EXTRA_CA_CERTS"]) {
      const before = (JSON.parse(variables) as Record<string, string>)[name];
      expect((JSON.parse(cli(["sandbox", "env", "--format", "json"], again).stdout) as Record<string, string>)[name]).toBe(before);
    }
    expect(await end(second.child, "SIGTERM")).toBe(0);
  });
});

describe("a state file that is in use", () => {
  it("stops a second start with one line", async () => {
    const state = join(folder, "used.json");
    const { child, ready } = await start("--state", state);
    const { status, stderr } = await cliAsync(["sandbox", "start", "--port", "0", "--state", state]);
    expect([status, stderr]).toEqual([2, `error: The state file ${state} is in use by process ${ready.pid}: stop that sandbox, or name another --state file. If it is no sandbox, delete ${state}.lock.\n`]);
    expect(await end(child, "SIGTERM")).toBe(0);
    expect(existsSync(`${state}.lock`)).toBe(false);
  });
});

describe("sandbox env", () => {
  it("is read back by a shell, value for value", () => {
    const { stdout } = spawnSync("sh", ["-c", `eval "$("$NODE" "$BIN" sandbox env)" && "$NODE" -p 'JSON.stringify(process.env)'`], { env: { ...bare, ...at(), NODE: process.execPath, BIN: bin }, encoding: "utf8" });
    expect(JSON.parse(stdout)).toMatchObject(environment());
  });

  it("has all that points clients here", () => {
    const { url, providersPort, caFile } = shared.ready;
    const variables = environment();
    for (const name of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "CLOUD_FEDERATION_SANDBOX"]) expect(variables[name]).toBe(url);
    for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"]) expect(variables[name]).toBe(caFile);
    expect(variables).toMatchObject({
      AWS_ENDPOINT_URL: url.replace("http:", "https:"),
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
      PULUMI_DEBUG_PROVIDERS: ["aws", "azure-native", "azuread", "gcp", "kubernetes"].map((name) => `${name}:${providersPort}`).join(","),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      NO_PROXY: "127.0.0.1,localhost,::1",
    });
  });

  it("keeps the shell's region", () => {
    expect(JSON.parse(cli(["sandbox", "env", "--format", "json"], { ...at(), AWS_DEFAULT_REGION: "eu-west-1" }).stdout)).toMatchObject({ AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-1" });
  });

  it("refuses a shell with real credentials by the variables' names, and prints none of their values", () => {
    const real = { AWS_ACCESS_KEY_ID: "AKIAREAL", AWS_SECRET_ACCESS_KEY: "real-secret", AWS_SESSION_TOKEN: "real-session", GOOGLE_APPLICATION_CREDENTIALS: "/real/file" };
    const { status, stdout, stderr } = cli(["sandbox", "env"], { ...at(), ...real });
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(
      "error: This shell carries credentials of a real cloud: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, GOOGLE_APPLICATION_CREDENTIALS. Use a shell without them, or add --override to replace and unset them in this one.\n",
    );
    const overridden = cli(["sandbox", "env", "--override"], { ...at(), ...real });
    expect(overridden.status).toBe(0);
    expect(overridden.stdout).toMatch(/^unset AWS_SESSION_TOKEN$/m);
    expect(overridden.stdout).toMatch(/^export GOOGLE_APPLICATION_CREDENTIALS=/m);
    expect(overridden.stdout).toMatch(/^export AWS_ACCESS_KEY_ID=/m);
    expect(overridden.stdout + overridden.stderr).not.toMatch(/AKIAREAL|real-s|real\/file/);
  });

  it("knows the sandbox's own keys, also those of a sandbox that has gone", () => {
    const own = environment();
    expect(cli(["sandbox", "env"], { ...own, ...at() })).toMatchObject({ status: 0, stderr: "" });
    const variables = { AWS_ACCESS_KEY_ID: "new", AWS_SECRET_ACCESS_KEY: "s" };
    const gone = { AWS_ACCESS_KEY_ID: "old", AWS_SECRET_ACCESS_KEY: "o", CLOUD_FEDERATION_SANDBOX_ACCESS_KEY_ID: "old" };
    expect(assign(variables, gone, false)).toEqual({ ...variables, CLOUD_FEDERATION_SANDBOX_ACCESS_KEY_ID: "new" });
    expect(() => assign(variables, { ...gone, AWS_ACCESS_KEY_ID: "other" }, false)).toThrow("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY");
    expect(() => assign(variables, { ...gone, AWS_SESSION_TOKEN: "t" }, false)).toThrow(/: AWS_SESSION_TOKEN\./);
    expect(assign(variables, { AZURE_CLIENT_SECRET: `${SANDBOX_SECRET_MARK}old`, AZURE_AUTHORITY_HOST: "https://real.example", ARM_USE_OIDC: "true" }, false)).toMatchObject({ AZURE_AUTHORITY_HOST: null, ARM_USE_OIDC: null });
    expect(() => assign(variables, { ARM_CLIENT_SECRET: "real" }, false)).toThrow(/: ARM_CLIENT_SECRET\./);
  });

  it("gives Google's clients files that are the owner's alone, and knows them again", () => {
    const own = environment();
    const [credentials, token, config] = [own["GOOGLE_APPLICATION_CREDENTIALS"] ?? "", own["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"] ?? "", own["CLOUDSDK_CONFIG"] ?? ""];
    for (const file of [credentials, token]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(config).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(credentials, "utf8"))).toMatchObject({ type: "authorized_user", refresh_token: expect.stringContaining("SANDBOXSECRET") });
    expect(own).toMatchObject({ CLOUDSDK_CORE_PROJECT: "customer-app-prod", GOOGLE_CLOUD_PROJECT: "customer-app-prod", CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: shared.ready.caFile });
    expect(own).not.toHaveProperty("KUBECONFIG");
    // Of a sandbox that has gone, too; but no other file.
    const variables = { GOOGLE_APPLICATION_CREDENTIALS: "/new/c.json", CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: "/new/t" };
    const gone = { GOOGLE_APPLICATION_CREDENTIALS: "/old/c.json", CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: "/old/t", CLOUD_FEDERATION_SANDBOX_GOOGLE_CREDENTIALS: "/old/c.json" };
    expect(assign(variables, gone, false)).toMatchObject({ ...variables, CLOUD_FEDERATION_SANDBOX_GOOGLE_CREDENTIALS: "/new/c.json" });
    expect(() => assign(variables, { ...gone, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: "/home/t" }, false)).toThrow(/: CLOUDSDK_AUTH_ACCESS_TOKEN_FILE\./);
    expect(assign(variables, { CLOUDSDK_ACTIVE_CONFIG_NAME: "work", CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: "u" }, false)).toMatchObject({ CLOUDSDK_ACTIVE_CONFIG_NAME: null, CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: null });
  });

  it.each(["AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET", "GOOGLE_CREDENTIALS"])("takes %s for real", (name) => {
    expect(() => assign({}, { [name]: "x" }, false)).toThrow(`: ${name}.`);
    expect(assign({}, { [name]: "" }, false)).not.toHaveProperty(name);
    expect(assign({}, { [name]: "x" }, true)).toHaveProperty(name, null);
  });

  it("unsets endpoints of single services, which would win", () => {
    expect(assign({ AWS_ENDPOINT_URL: "u" }, { AWS_ENDPOINT_URL_S3: "x", AWS_ENDPOINT_URL: "y", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }, false)).toMatchObject({
      AWS_ENDPOINT_URL: "u",
      AWS_ENDPOINT_URL_S3: null,
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: null,
    });
  });
});

describe("sandbox token", () => {
  const claims = (args: string[]): Record<string, unknown> => {
    const { stdout, status } = cli(["sandbox", "token", ...args], at());
    expect([status, stdout.split("\n").length]).toEqual([0, 1]);
    return JSON.parse(Buffer.from(stdout.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  };

  it("prints the token alone, with defaults", () => {
    const token = claims(["--subject", "tenant:acme"]);
    expect(token).toMatchObject({ iss: "https://oidc.dcf.example", sub: "tenant:acme", aud: "sts.amazonaws.com" });
    expect(Number(token["exp"]) - Number(token["iat"])).toBe(3600);
  });

  it("takes issuer, audiences, lifetime and claims", () => {
    const token = claims(["--subject", "s", "--issuer", "https://new.example/t", "--audience", "a", "--audience", "b", "--expires-in", "-301", "--claim", 'groups=["x"]', "--claim", "email=a@b.example", "--claim", "n=1"]);
    expect(token).toMatchObject({ iss: "https://new.example/t", aud: ["a", "b"], groups: ["x"], email: "a@b.example", n: 1 });
    expect(Number(token["exp"])).toBeLessThan(Date.now() / 1000 - 300);
    expect(cli(["sandbox", "admin", "issuer", "list"], at()).stdout).toContain('"https://new.example/t"');
  });
});

describe("sandbox admin", () => {
  const admin = (...args: string[]): unknown => {
    const { status, stdout, stderr } = cli(["sandbox", "admin", ...args], at());
    expect([args, status, stderr]).toEqual([args, 0, ""]);
    return JSON.parse(stdout);
  };

  it("changes resources, policies, faults, latency, time and issuers", () => {
    const { id } = admin("snapshot") as { id: string };
    const document = join(folder, "deny.json");
    writeFileSync(document, '{"Version":"2012-10-17","Statement":[]}');
    const { accountId } = admin("info") as { accountId: string };
    const spec = join(folder, "domains.json");
    writeFileSync(spec, '{"rules":[{"values":{"allowedValues":["C0123abcd"]}}]}');
    admin("org-policy", "set", "constraints/iam.allowedPolicyMemberDomains", spec);
    const constrained = "projects/customer-app-prod/policies/iam.allowedPolicyMemberDomains";
    expect(admin("org-policy", "list")).toEqual({ type: "gcp:orgpolicy/constraint", resources: [{ id: constrained, value: { rules: [{ values: { allowedValues: ["C0123abcd"] } }] } }] });
    admin("org-policy", "delete", "iam.allowedPolicyMemberDomains");
    expect(admin("org-policy", "list")).toEqual({ type: "gcp:orgpolicy/constraint", resources: [] });
    admin("policy", "set", "scp", "deny", document);
    admin("policy", "set", "rcp", "deny", document, "--account", "999988887777");
    const value = { name: "deny", document: '{"Version":"2012-10-17","Statement":[]}' };
    expect(admin("policy", "list", "scp")).toEqual({ type: "aws:organizations/scp", resources: [{ id: `${accountId}/deny`, value }] });
    expect(admin("resources", "get", "aws:organizations/rcp", "999988887777/deny")).toEqual(value);
    admin("policy", "delete", "scp", "deny");
    expect(admin("resources", "list", "aws:organizations/scp")).toEqual({ type: "aws:organizations/scp", resources: [] });
    admin("resources", "delete", "aws:organizations/rcp", "999988887777/deny");

    const fault = admin("fault", "add", "sts:*", "--code", "Throttling", "--status", "400", "--count", "2") as { id: string };
    expect(admin("fault", "list")).toEqual({ faults: [{ id: fault.id, operation: "sts:*", status: 400, code: "Throttling", message: "ordered by the sandbox's administrator", count: 2 }] });
    expect(admin("fault", "remove")).toEqual({ faults: [] });
    expect(admin("latency", "5", "--operation", "s3:*")).toEqual({ milliseconds: 0, operations: { "s3:*": 5 } });
    expect(admin("propagation-delay", "4")).toEqual({ seconds: 4 });
    expect(admin("clock", "advance", "3600")).toMatchObject({ offsetSeconds: 3600 });
    expect(admin("clock", "advance", "-600")).toMatchObject({ offsetSeconds: 3000 });

    const url = "https://cli.example";
    admin("issuer", "create", url, "--algorithm", "ES256");
    expect(admin("issuer", "rotate", url)).toMatchObject({ keys: [{}, {}] });
    expect(admin("issuer", "foreign-key", url)).toMatchObject({ url });
    expect(admin("issuer", "remove-key", url)).toMatchObject({ keys: [{}] });
    expect(admin("issuer", "behave", url, "--discovery-issuer", `${url}/`, "--delay", "6", "--status", "500", "--untrusted-certificate")).toMatchObject({
      behaviour: { discovery: { issuer: `${url}/` }, delaySeconds: 6, status: 500, certificate: "untrusted" },
    });
    expect(admin("issuer", "behave", url)).toMatchObject({ behaviour: {} });
    admin("issuer", "delete", url);

    admin("restore", id);
    expect([admin("clock", "show"), admin("latency"), admin("propagation-delay")]).toMatchObject([{ offsetSeconds: 0 }, { operations: {} }, { seconds: 0 }]);
  });
});

describe("sandbox admin for Azure", () => {
  const admin = (...args: string[]): ReturnType<typeof cli> => cli(["sandbox", "admin", ...args], at());
  const answer = (...args: string[]): { id: string; resources: { id: string; value: { tenantId: string; state: string; displayName: string; servicePrincipalType: string; appId: string } }[] } => {
    const { status, stdout, stderr } = admin(...args);
    expect([args, status, stderr]).toEqual([args, 0, ""]);
    return JSON.parse(stdout) as ReturnType<typeof answer>;
  };

  it("moves subscriptions, and blocks service principals", () => {
    const { id: snapshot } = answer("snapshot");
    const [subscription, elsewhere] = ["aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", "bbbbcccc-1111-dddd-2222-eeee3333ffff"] as const;
    expect(answer("tenant", "list").resources.map(({ id }) => id)).toContain(elsewhere);
    answer("subscription", "set", subscription, "--tenant", elsewhere, "--state", "Disabled");
    expect(answer("subscription", "list").resources.find(({ id }) => id === subscription)?.value).toMatchObject({ tenantId: elsewhere, state: "Disabled", displayName: "customer-app-prod" });
    expect(admin("subscription", "set", subscription, "--tenant", "nothing")).toMatchObject({ status: 2, stderr: "error: No azure:account/tenant nothing in this sandbox.\n" });
    expect(admin("subscription", "set", subscription)).toMatchObject({ status: 2, stderr: "error: Say what to change: --tenant or --state.\n" });

    const [own] = answer("resources", "list", "azure:graph/servicePrincipal").resources;
    answer("conditional-access", "block", own?.value.appId ?? "");
    expect(answer("conditional-access", "list").resources).toMatchObject([{ id: own?.id, value: { state: "enabled", grantControls: { builtInControls: ["block"] } } }]);
    answer("conditional-access", "unblock", own?.value.appId ?? "");
    expect(answer("conditional-access", "list").resources).toEqual([]);
    expect(admin("conditional-access", "block", "nobody")).toMatchObject({ status: 2, stderr: "error: No tenant of the sandbox has a service principal with the client id nobody.\n" });
    answer("restore", snapshot);
  });
});

describe("output", () => {
  it("is coloured on a terminal only, and never with NO_COLOR", () => {
    expect([coloured({ isTTY: true }, {}), coloured({ isTTY: false }, {}), coloured({ isTTY: true }, { NO_COLOR: "1" }), coloured({ isTTY: true }, { NO_COLOR: "" }), coloured({ isTTY: true }, { TERM: "dumb" })]).toEqual([true, false, false, true, false]);
    expect(colours({ isTTY: false }).red("plain")).toBe("plain");
    // In a pipe Node leaves the member out.
    expect(coloured({}, {})).toBe(false);
  });

  it("shows a stack only where it is asked for", () => {
    const args = ["sandbox", "token", "--subject", "s", "--claim", "x"];
    expect(cli(args).stderr.split("\n")).toHaveLength(2);
    expect(cli(args, { CLOUD_FEDERATION_DEBUG: "1" }).stderr).toMatch(/\n {4}at /);
  });

  it("quotes for every POSIX shell", () => {
    const word = `it's $HOME "and" \`more\` \\ !`;
    expect(spawnSync("sh", ["-c", `printf %s ${shellQuote(word)}`], { encoding: "utf8" }).stdout).toBe(word);
  });
});
