/** Where tokens come from, how the network is reached, and what wrong input is answered with. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPairSync, sign } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { within } from "../../verify/deadline.js";
import { proxyFor } from "../../verify/network.js";
import { corruptSignature } from "../../verify/token.js";
import { sessionName } from "../../verify/aws/run.js";
import { readDenial } from "../../verify/aws/denial-text.js";
import { commandToken, environmentToken, fileToken, functionToken, planVerification, verifyContract } from "../../verify/index.js";
import { splitWords } from "../../verify/token-source.js";
import { decodeJwt } from "../../trust/jwt.js";
import { exampleContract } from "../support/contract.js";

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signed = `${encode({ alg: "ES256" })}.${encode({ iss: "https://a.example", sub: "s" })}`;
const jwt = `${signed}.${sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
const { signal } = new AbortController();
const defaults = { subject: "the workload", audience: "sts.amazonaws.com", expiresInSeconds: 900 };
let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "verify-"))));
afterAll(() => rmSync(folder, { recursive: true }));

describe("deadlines", () => {
  const untilAborted = (bounded: AbortSignal) => new Promise<string>((resolve) => bounded.addEventListener("abort", () => resolve("aborted")));

  it("hold through a garbage collection", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const call = within(50, signal, untilAborted);
    await new Promise(setImmediate);
    collect();
    await expect(call).resolves.toBe("aborted");
  });

  it("are over when the outer signal aborts, or has aborted", async () => {
    const outer = new AbortController();
    const call = within(600_000, outer.signal, untilAborted);
    outer.abort();
    await expect(call).resolves.toBe("aborted");
    await expect(within(600_000, outer.signal, (bounded) => Promise.resolve(bounded.aborted))).resolves.toBe(true);
    await expect(within(600_000, undefined, (bounded) => Promise.resolve(bounded.aborted))).resolves.toBe(false);
  });
});

describe("token sources", () => {
  it("reads a file anew each time", async () => {
    const path = join(folder, "token");
    writeFileSync(path, `${jwt}\n`);
    const source = fileToken(path);
    await expect(source.token(signal)).resolves.toBe(jwt);
    writeFileSync(path, "gone");
    await expect(source.token(signal)).rejects.toThrow(`The file ${path} is no JWT (4 characters, which are not shown). It must hold one JWT and nothing else.`);
    writeFileSync(path, "");
    await expect(source.token(signal)).rejects.toThrow(`The file ${path} is empty.`);
    await expect(fileToken(join(folder, "none")).token(signal)).rejects.toThrow("cannot be read (ENOENT)");
  });

  it("reads the environment", async () => {
    await expect(environmentToken("T", { T: jwt }).token(signal)).resolves.toBe(jwt);
    await expect(environmentToken("T", {}).token(signal)).rejects.toThrow("The environment variable T is not set");
    await expect(environmentToken("T", { T: " " }).token(signal)).rejects.toThrow("The environment variable T is empty");
    await expect(environmentToken("T", { T: "secret-but-no-jwt" }).token(signal)).rejects.toThrow(/^(?!.*secret-but).*is no JWT/);
  });

  it("asks a function", async () => {
    await expect(functionToken(async () => jwt).token(signal)).resolves.toBe(jwt);
    await expect(functionToken(async () => "x").token(signal)).rejects.toThrow("is no JWT");
  });

  const printing = (script: string) => `"${process.execPath}" -e '${script}'`;

  it("runs a command without a shell and fills in what is ordered", async () => {
    const echo = printing("process.stdout.write(process.env.T + JSON.stringify(process.argv.slice(1)).length * 0 + (process.argv.slice(1).join() === process.env.WANT ? \"\" : \"!\"))");
    const source = commandToken(`${echo} {subject} {audience} --in={expires-in} $HOME`, defaults, { T: jwt.slice(0, -1), WANT: "the workload,sts.amazonaws.com,--in=900,$HOME" });
    expect([...source.variations].sort()).toEqual(["audience", "expiresInSeconds", "subject"]);
    // The expression adds a 0 where the last character was: still a JWT by its form.
    await expect(source.token(signal)).resolves.toBe(`${jwt.slice(0, -1)}0`);
    await expect(source.token(signal, { subject: "another" })).rejects.toThrow("is no JWT");
    expect([...commandToken("mint --for {subject}", defaults).variations]).toEqual(["subject"]);
    expect([...commandToken("mint", defaults).variations]).toEqual([]);
  });

  it("never shows what a command prints", async () => {
    const failing = commandToken(printing("console.log(\"secret-output\"); console.error(\"secret-error\"); process.exit(7)"), defaults).token(signal);
    await expect(failing).rejects.toThrow(/ended with status 7\. Its output is not shown/);
    await expect(failing).rejects.not.toThrow(/secret-/);
    await expect(commandToken("no-such-program-here", defaults).token(signal)).rejects.toThrow("The token command no-such-program-here was not found");
    expect(() => commandToken("  ", defaults)).toThrow("--token-command is empty");
    expect(() => commandToken("mint 'x", defaults)).toThrow("--token-command has a ' that is never closed.");
  });

  it.each([
    ["a b  c", ["a", "b", "c"]],
    ["a 'b c' \"d \\\" e\" f\\ g ''", ["a", "b c", 'd " e', "f g", ""]],
    ["x'y'z", ["xyz"]],
    ["a; rm -rf / | b", ["a;", "rm", "-rf", "/", "|", "b"]],
  ])("splits %s", (command, words) => expect(splitWords(command)).toEqual(words));
});

describe("corrupting a signature", () => {
  it("changes one bit of it, and nothing else", () => {
    const corrupted = corruptSignature(jwt);
    const before = decodeJwt(jwt)!;
    const after = decodeJwt(corrupted)!;
    expect(corrupted).toHaveLength(jwt.length);
    expect(after.signed).toBe(before.signed);
    const differing = before.signature.filter((byte, index) => byte !== after.signature[index]);
    expect(differing).toHaveLength(1);
  });
});

describe("the proxy", () => {
  const proxy = "http://proxy.example:3128";
  it.each([
    ["https://sts.amazonaws.com/", {}, undefined],
    ["https://sts.amazonaws.com/", { HTTPS_PROXY: proxy }, proxy],
    ["https://sts.amazonaws.com/", { https_proxy: "proxy.example:3128" }, proxy],
    ["https://sts.amazonaws.com/", { HTTPS_PROXY: proxy, NO_PROXY: "amazonaws.com" }, undefined],
    ["https://sts.amazonaws.com/", { HTTPS_PROXY: proxy, NO_PROXY: ".amazonaws.com" }, undefined],
    ["https://sts.amazonaws.com/", { HTTPS_PROXY: proxy, NO_PROXY: "other.com, *.amazonaws.com" }, undefined],
    ["https://sts.notamazonaws.com/", { HTTPS_PROXY: proxy, NO_PROXY: "amazonaws.com" }, proxy],
    ["https://sts.amazonaws.com/", { HTTPS_PROXY: proxy, NO_PROXY: "amazonaws.com:8443" }, proxy],
    ["https://sts.amazonaws.com:8443/", { HTTPS_PROXY: proxy, NO_PROXY: "amazonaws.com:8443" }, undefined],
    ["https://[::1]:8443/", { HTTPS_PROXY: proxy, NO_PROXY: "::1" }, undefined],
    ["https://a.example/", { HTTPS_PROXY: proxy, no_proxy: "*" }, undefined],
  ])("for %s with %j", (url, env, expected) => expect(proxyFor(new URL(url), env)).toBe(expected));
});

const contract = exampleContract({
  environment: "cloud",
  grants: [{ id: "artifacts", kind: "s3-objects", permissions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], bucket: "acme", region: "eu-west-1", accountId: "111122223333", prefix: "project-4711/" }],
});

describe("wrong input", () => {
  const source = functionToken(async () => jwt);
  const answers = (options: Parameters<typeof verifyContract>[0]) => expect(verifyContract({ env: {}, ...options })).rejects;

  it("is answered in one line that says what to do", async () => {
    await answers({ contract: 7, token: source }).toThrow("A contract is a JSON object; got 7.");
    await answers({ contract }).toThrow(/^There is nothing to verify with: give a token/);
    await answers({ contract: { ...contract, environment: "sandbox" }, token: source }).toThrow(/^This contract is of a sandbox, and CLOUD_FEDERATION_SANDBOX is not set/);
    await answers({ contract, token: source, env: { CLOUD_FEDERATION_SANDBOX: "http://127.0.0.1:1" } }).toThrow(/^This contract is of a real account, and this shell is pointed at a sandbox/);
    await answers({ contract, token: functionToken(async () => "no token") }).toThrow("is no JWT");
  });
});

describe("the plan", () => {
  it("lists calls, objects, cost and residue, and does nothing", async () => {
    const token = commandToken("mint {subject}", defaults);
    const plan = await planVerification({ contract, token, account: true, env: {} });
    for (const line of [
      "GET https://oidc.dcf.example/.well-known/openid-configuration",
      "sts:AssumeRoleWithWebIdentity on arn:aws:iam::111122223333:role/dcf, not signed, session cloud-federation-verify-<run id>, 15 minutes",
      "with another subject, to be refused",
      "s3:PutObject project-4711/cloud-federation-verify/<run id>",
      "s3:ListBucket on acme-refusal",
      "iam:GetRole",
      "Residue:",
    ]) {
      expect(plan).toContain(line);
    }
    expect(plan).not.toContain("another audience");
    const less = await planVerification({ contract, token, depth: "identity", refusals: false, env: {} });
    expect(less).not.toContain("PutObject");
    expect(less).not.toContain("to be refused");
    expect(less).toContain("Residue: none");
  });
});

describe("the session name", () => {
  const { exchange } = contract;
  it.each([
    [undefined, "cloud-federation-verify-0123456789ab"],
    ["dcf-project-4711", "dcf-project-4711"],
    ["dcf-*", "dcf-cloud-federation-verify-0123456789ab"],
    ["dcf-?-*", "dcf-x-cloud-federation-verify-0123456789ab"],
  ])("fits a trust that pins %s", (pattern, expected) => {
    expect(sessionName({ ...exchange, ...(pattern === undefined ? {} : { sessionName: pattern }) }, "0123456789ab")).toBe(expected);
  });
});

describe("AWS's words for who refused", () => {
  const said = (end: string) => `User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" ${end}`;
  it.each([
    ["because no identity-based policy allows the s3:PutObject action", "identity", false],
    ["with an explicit deny in a resource-based policy", "resource", true],
    ["because no permissions boundary allows the s3:PutObject action", "boundary", false],
    ["with an explicit deny in a service control policy", "service-control", true],
    ["with an explicit deny in a resource control policy", "resource-control", true],
    ["because no session policy allows the s3:PutObject action", "session", false],
    ["because no VPC endpoint policy allows the s3:PutObject action", "vpc-endpoint", false],
  ])("%s", (end, layer, explicit) => {
    expect(readDenial(said(end))).toMatchObject({ action: "s3:PutObject", resource: "arn:aws:s3:::b/k", layer, explicit });
  });

  it("names no layer where there is none", () => {
    expect(readDenial("Access Denied")).toBeUndefined();
  });
});
