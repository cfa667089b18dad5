/**
 * Nothing secret is printed or written: a whole run of the commands that people use, scanned; and, where
 * SECRET_SCAN names files and folders (as the gate does with all its output), those too.
 */
import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";
import { startSandbox } from "../../sandbox/index.js";
import { scanFolder, scanText } from "../support/secret-scan.js";

const root = join(__dirname, "..", "..");
const bin = join(root, "bin", "cloud-federation.js");
const folder = mkdtempSync(join(tmpdir(), "secret-scan-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where key material belongs, and what Google's clients can only read from a file: readable by its owner alone, and nowhere else. */
const isKeyFile = (path: string): boolean => /\.keys$|\.json\.(?:google|azure)\/[\w-]+(?:\.json)?$/.test(path) && (statSync(path).mode & 0o077) === 0;

function run(args: string[], environment: NodeJS.ProcessEnv, input?: string) {
  const result = spawnSync(process.execPath, [bin, ...args], { cwd: folder, env: environment, encoding: "utf8", timeout: 120_000, ...(input === undefined ? {} : { input }) });
  return { status: result.status, output: result.stdout + result.stderr, stdout: result.stdout };
}

describe("the scanner", () => {
  it("finds each kind of secret that this project handles", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const sandbox = await startSandbox();
    const token = await sandbox.issuers.mint({ subject: "tenant:acme" });
    const { accessKey } = sandbox.aws.administrator(sandbox.aws.defaultAccountId);
    await sandbox.close();
    const shapes = (text: string) => scanText("here", text).map(({ shape }) => shape);
    expect(shapes(`Bearer ${token}`)).toEqual(["JSON Web Token"]);
    expect(shapes(privateKey.export({ type: "pkcs8", format: "pem" }).toString())).toEqual(["private key (PEM)"]);
    expect(shapes(JSON.stringify(privateKey.export({ format: "jwk" })))).toEqual(["private key (JWK)"]);
    expect(shapes(`x=${accessKey.secretAccessKey}`)).toEqual(["sandbox secret"]);
    expect(shapes(`Signature=${"0a".repeat(32)}`)).toEqual(["AWS signature"]);
    expect(shapes(`access key ${accessKey.accessKeyId}, fingerprint 942a3040b49d`)).toEqual([]);
  });
});

describe("a whole run of the commands", () => {
  it("prints and writes nothing secret, in quickstart, in every format of verify, with debugging on", async () => {
    const home = join(folder, "home");
    const temporary = join(folder, "tmp");
    for (const made of [home, temporary]) mkdirSync(made);
    const bare: NodeJS.ProcessEnv = { PATH: process.env["PATH"], HOME: home, TMPDIR: temporary, CLOUD_FEDERATION_DEBUG: "1" };
    const printed: string[] = [];

    const shown = run(["quickstart"], bare);
    expect(shown.status).toBe(0);
    printed.push(shown.output);

    const started = spawn(process.execPath, [bin, "sandbox", "start", "--port", "0", "--state", join(folder, "state.json"), "--ready-file", join(folder, "ready.json")], { env: bare });
    started.stdout.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
    started.stderr.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
    try {
      while (!existsSync(join(folder, "ready.json"))) await new Promise((resolve) => setTimeout(resolve, 50));
      const { url } = JSON.parse(readFileSync(join(folder, "ready.json"), "utf8")) as { url: string };
      const environment = { ...bare, ...(JSON.parse(run(["sandbox", "env", "--format", "json", "--sandbox", url], bare).stdout) as Record<string, string>) };
      const token = run(["sandbox", "token", "--subject", "system:serviceaccount:dcf:project-4711"], environment).stdout.trim();
      const tokenFile = join(folder, "token.jwt");
      writeFileSync(tokenFile, token);
      const contract = JSON.stringify(sandboxContract);
      // Nothing is provisioned here: every hop fails, which is when messages are at their most talkative.
      for (const format of ["text", "json", "junit"]) {
        for (const evidence of [["--token-file", tokenFile], ["--account"], ["--token-env", "THE_TOKEN", "--account"]]) {
          const report = join(folder, `report-${format}.${format === "text" ? "html" : "out"}`);
          const verified = run(["verify", "--contract", "-", "--format", format, "--wait", "0", "--report", report, ...evidence], { ...environment, THE_TOKEN: token }, contract);
          expect(verified.status).toBe(1);
          printed.push(verified.output);
        }
      }
      printed.push(run(["verify", "--contract", "-", "--token-file", tokenFile, "--plan"], environment, contract).output);
      printed.push(run(["verify", "--contract", tokenFile, "--account"], environment).output);
      printed.push(run(["sandbox", "admin", "resources", "list"], environment).output);
      rmSync(tokenFile);
    } finally {
      started.kill("SIGTERM");
      await once(started, "close");
    }

    expect(scanText("output", printed.join("\n"))).toEqual([]);
    expect(scanFolder(folder, isKeyFile)).toEqual([]);
  }, 180_000);
});

const named = (process.env["SECRET_SCAN"] ?? "").split(delimiter).filter((path) => path !== "");
(named.length > 0 ? describe : describe.skip)(named.length > 0 ? "what SECRET_SCAN names" : "what SECRET_SCAN names (skipped: it is not set)", () => {
  it.each(named)("%s", (path) => {
    const found = statSync(path).isDirectory() ? scanFolder(path, (file) => isKeyFile(file) || /[\\/]jest_/.test(file)) : scanText(path, readFileSync(path, "latin1"));
    expect(found).toEqual([]);
  });
});

const account = "111122223333";
const sandboxContract = {
  kind: "cloud-federation/contract",
  version: 1,
  integration: "dcf-aws",
  environment: "sandbox",
  workload: { issuer: "https://oidc.dcf.example", subject: "system:serviceaccount:dcf:project-4711", audience: "sts.amazonaws.com" },
  exchange: {
    type: "aws-web-identity",
    partition: "aws",
    region: "eu-west-1",
    accountId: account,
    providerArn: `arn:aws:iam::${account}:oidc-provider/oidc.dcf.example`,
    roleArn: `arn:aws:iam::${account}:role/dcf`,
    maxSessionDurationSeconds: 3600,
  },
  grants: [{ id: "artifacts", kind: "s3-objects", permissions: ["s3:ListBucket"], bucket: "acme-dcf-artifacts", region: "eu-west-1", accountId: account }],
  targets: [],
  refusalTargets: [],
};
