import { execFile, spawn, spawnSync } from "node:child_process";
import { createPublicKey, verify as verifySignature, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { duplexPair } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tls from "node:tls";
import { promisify } from "node:util";
import { HttpsProxyAgent } from "https-proxy-agent";
import { CertificateAuthority } from "../../sandbox/certificates.js";
import { SandboxClock } from "../../sandbox/clock.js";
import { Faults } from "../../sandbox/faults.js";
import { defaultIssuerUrl, startSandbox, type Sandbox } from "../../sandbox/index.js";
import { Settings } from "../../sandbox/settings.js";
import { MemoryStore } from "../../sandbox/store.js";
import { FaultError } from "../../sandbox/types.js";

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "sandbox-core-"));
const logged: string[] = [];
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ log: (line) => logged.push(line) });
});

afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

function collect(request: http.ClientRequest, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.end(body);
  });
}

/** A GET by the real host name, through the proxy, trusting the sandbox's CA. */
function throughProxy(url: string, target: Sandbox = sandbox): Promise<Answer> {
  return collect(https.request(url, { agent: new HttpsProxyAgent(target.url), ca: target.caPem }));
}

async function admin(method: string, path: string, body?: unknown, target: Sandbox = sandbox): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${target.url}/_sandbox/v1${path}`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** What comes back for bytes as they are, until the other side closes or the text shows up. */
function raw(port: number, text: string, until = "\r\n\r\n"): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
    let seen = "";
    socket.on("data", (chunk) => {
      seen += chunk.toString();
      if (seen.includes(until)) socket.end();
    });
    socket.on("close", () => resolve(seen));
    socket.on("error", reject);
  });
}

function decode(token: string): { header: Record<string, unknown>; claims: Record<string, unknown>; signed: Buffer; signature: Buffer } {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const json = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  return { header: json(header), claims: json(claims), signed: Buffer.from(`${header}.${claims}`), signature: Buffer.from(signature, "base64url") };
}

/** Discovery, keys and signature, as a relying party checks them. */
async function verifies(token: string, target: Sandbox = sandbox): Promise<boolean> {
  const { header, claims, signed, signature } = decode(token);
  const discovery = JSON.parse((await throughProxy(`${String(claims["iss"])}/.well-known/openid-configuration`, target)).body) as { jwks_uri: string };
  const { keys } = JSON.parse((await throughProxy(discovery.jwks_uri, target)).body) as { keys: Record<string, string>[] };
  const jwk = keys.find((key) => key["kid"] === header["kid"]);
  if (!jwk) return false;
  return verifySignature("sha256", signed, { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" }, signature);
}

describe("store", () => {
  function stored(delay = 0): { store: MemoryStore; clock: SandboxClock; settings: Settings } {
    const clock = new SandboxClock();
    const settings = new Settings();
    settings.propagationDelaySeconds = delay;
    return { store: new MemoryStore(clock, settings), clock, settings };
  }

  it("gives copies and keeps copies", () => {
    const { store } = stored();
    const value = { tags: { a: "1" }, list: [1, { x: true }], none: undefined };
    store.put("t:a/b", "1", value);
    value.tags.a = "changed outside";
    const got = store.get<typeof value>("t:a/b", "1");
    expect(got).toEqual({ tags: { a: "1" }, list: [1, { x: true }] });
    got!.tags.a = "changed inside";
    expect(store.get<typeof value>("t:a/b", "1")?.tags.a).toBe("1");
    store.list<typeof value>("t:a/b")[0]!.value.tags.a = "changed in a list";
    expect(store.get<typeof value>("t:a/b", "1")?.tags.a).toBe("1");
  });

  it.each([
    ["a date", new Date(), "an object with a class"],
    ["a buffer", Buffer.from("x"), "an object with a class"],
    ["a function", () => 1, "a function"],
    ["not a number", Number.NaN, "a number"],
    ["a big integer", 1n, "a bigint"],
  ])("refuses %s, which JSON does not have", (_, value, named) => {
    expect(() => stored().store.put("t:a/b", "id", { deep: [value] })).toThrow(`t:a/b id.deep[0] is ${named}`);
  });

  it("lets enforcement see a change only after the delay, and reads at once", () => {
    const { store, clock } = stored(60);
    store.put("t", "x", "first");
    expect(store.effective("t", "x")).toBe("first");
    store.put("t", "x", "second", { propagates: true });
    expect([store.get("t", "x"), store.effective("t", "x")]).toEqual(["second", "first"]);
    clock.advance(59);
    expect(store.effective("t", "x")).toBe("first");
    clock.advance(1);
    expect(store.effective("t", "x")).toBe("second");
  });

  it("delays creations and deletions alike", () => {
    const { store, clock } = stored(10);
    store.put("t", "new", 1, { propagates: true });
    expect([store.get("t", "new"), store.effective("t", "new")]).toEqual([1, undefined]);
    clock.advance(10);
    expect(store.effective("t", "new")).toBe(1);
    expect(store.delete("t", "new", { propagates: true })).toBe(true);
    expect([store.get("t", "new"), store.effective("t", "new"), store.list("t"), store.types()]).toEqual([undefined, 1, [], []]);
    expect(store.delete("t", "new")).toBe(false);
    clock.advance(10);
    expect(store.effective("t", "new")).toBeUndefined();
  });

  it("shows several changes in their order, each after its own delay", () => {
    const { store, clock } = stored(10);
    store.put("t", "x", "a");
    store.put("t", "x", "b", { propagates: true });
    clock.advance(4);
    store.put("t", "x", "c", { propagates: true });
    const seen = [0, 6, 4].map((seconds) => {
      clock.advance(seconds);
      return store.effective("t", "x");
    });
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("lets an immediate change overtake one on its way, and a changed delay hide nothing that was seen", () => {
    const { store, clock, settings } = stored(10);
    store.put("t", "x", "slow", { propagates: true });
    store.put("t", "x", "now");
    expect(store.effective("t", "x")).toBe("now");
    clock.advance(11);
    expect(store.effective("t", "x")).toBe("now");
    settings.propagationDelaySeconds = 1000;
    expect(store.effective("t", "x")).toBe("now");
  });

  it("restores a snapshot through JSON, changes on their way included", () => {
    const { store, clock } = stored(10);
    store.put("t", "x", { v: 1 });
    store.put("t", "x", { v: 2 }, { propagates: true });
    const snapshot = JSON.parse(JSON.stringify(store.snapshot())) as ReturnType<typeof store.snapshot>;
    store.delete("t", "x");
    store.put("t", "y", 1);
    store.restore(snapshot);
    expect([store.get("t", "x"), store.effective("t", "x"), store.get("t", "y")]).toEqual([{ v: 2 }, { v: 1 }, undefined]);
    clock.advance(10);
    expect(store.effective("t", "x")).toEqual({ v: 2 });
    expect(() => store.restore({ entries: [{ type: "t" }] })).toThrow("Not a snapshot");
  });

  it("tells listeners of every change until they stop", () => {
    const { store } = stored();
    let heard = 0;
    const stop = store.onChange(() => heard++);
    store.put("t", "x", 1);
    store.delete("t", "x");
    store.restore(store.snapshot());
    stop();
    store.put("t", "x", 1);
    expect(heard).toBe(3);
  });
});

describe("faults", () => {
  it("strike by pattern, as often as ordered, and no neighbour", async () => {
    const faults = new Faults(() => 0);
    faults.add({ operation: "sts:*", status: 400, code: "Throttling", message: "Rate exceeded", count: 2 });
    await expect(faults.enter("sts:AssumeRole")).rejects.toEqual(new FaultError({ status: 400, code: "Throttling", message: "Rate exceeded" }));
    await expect(faults.enter("s3:PutObject")).resolves.toBeUndefined();
    await expect(faults.enter("STS:getcalleridentity")).rejects.toBeInstanceOf(FaultError);
    await expect(faults.enter("sts:AssumeRole")).resolves.toBeUndefined();
  });

  it("stay until removed when no count is given", async () => {
    const faults = new Faults(() => 0);
    const id = faults.add({ operation: "s3:GetObject", status: 503, code: "SlowDown", message: "Please reduce your request rate." });
    await expect(faults.enter("s3:GetObject")).rejects.toBeInstanceOf(FaultError);
    await expect(faults.enter("s3:GetObjectAcl")).resolves.toBeUndefined();
    expect(faults.remove(id)).toBe(true);
    expect(faults.remove(id)).toBe(false);
    await expect(faults.enter("s3:GetObject")).resolves.toBeUndefined();
  });

  it("wait the global latency and the largest of the operation's", async () => {
    const waited: number[] = [];
    const faults = new Faults(
      () => 30,
      undefined,
      async (milliseconds) => void waited.push(milliseconds),
    );
    faults.setLatency("s3:*", 20);
    faults.setLatency("s3:GetObject", 60);
    faults.setLatency("kms:*", 10);
    faults.setLatency("kms:*", 0);
    for (const operation of ["s3:GetObject", "s3:PutObject", "kms:Decrypt"]) await faults.enter(operation);
    expect(waited).toEqual([90, 50, 30]);
  });

  it("keep the general latency from what is called inside of the cloud", async () => {
    const waited: number[] = [];
    const faults = new Faults(() => 30, undefined, async (milliseconds) => void waited.push(milliseconds));
    faults.setLatency("s3:*", 20);
    faults.add({ operation: "kms:*", status: 503, code: "Busy", message: "later" });
    await faults.enter("s3:GetObject", "inside");
    await faults.enter("ecr:PutImage", "inside");
    await expect(faults.enter("kms:Decrypt", "inside")).rejects.toThrow("later");
    expect(waited).toEqual([20]);
  });
});

describe("certificates", () => {
  /** What a client that trusts `trusted` is shown for a host. */
  async function shown(authority: CertificateAuthority, host: string, trusted: string): Promise<X509Certificate> {
    const [near, far] = duplexPair();
    const server = new tls.TLSSocket(far, { isServer: true, secureContext: await authority.context(host) });
    server.on("error", () => server.destroy());
    // Node's releases differ in how they compare IPv6 addresses: for those, the certificate itself is asked.
    const names = net.isIP(host) === 0 ? { servername: host } : { checkServerIdentity: () => undefined };
    const client = tls.connect({ socket: near, host, ...names, ca: trusted });
    try {
      await once(client, "secureConnect");
      const certificate = client.getPeerX509Certificate();
      if (!certificate) throw new Error("no certificate");
      return certificate;
    } finally {
      client.destroy();
      server.destroy();
    }
  }

  it("are what strict verifiers want: X.509 v3, SHA-256, chained by key identifiers, names in the SAN", async () => {
    const authority = await CertificateAuthority.create();
    const ca = new X509Certificate(authority.certPem);
    expect(ca.ca).toBe(true);
    expect(ca.checkIssued(ca)).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    const leaf = await shown(authority, "sts.amazonaws.com", authority.certPem);
    expect([leaf.ca, leaf.subjectAltName, leaf.keyUsage]).toEqual([false, "DNS:sts.amazonaws.com", ["1.3.6.1.5.5.7.3.1"]]);
    expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.issuerCertificate?.fingerprint256).toBe(ca.fingerprint256);
    expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now());
    expect((Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000).toBeLessThanOrEqual(398);
    const stranger = await CertificateAuthority.create();
    await expect(shown(authority, "sts.amazonaws.com", stranger.certPem)).rejects.toThrow(/self-signed|unable to (get|verify)/);
  });

  it.each([
    ["192.0.2.7", "IP Address:192.0.2.7"],
    ["2001:db8::7", "IP Address:2001:DB8:0:0:0:0:0:7"],
  ])("name the address %s as one", async (host, names) => {
    const authority = await CertificateAuthority.create();
    const certificate = await shown(authority, host, authority.certPem);
    expect(certificate.subjectAltName).toBe(names);
    expect([certificate.checkIP(host), certificate.checkIP("192.0.2.8")]).toEqual([host, undefined]);
  });

  it("are made once for each host", async () => {
    const authority = await CertificateAuthority.create();
    expect(await authority.context("a.example")).toBe(await authority.context("a.example"));
    expect(await authority.context("a.example")).not.toBe(await authority.context("b.example"));
    expect(await authority.loopbackContext()).toBe(await authority.loopbackContext());
  });

  it("come back with the same authority from its material", async () => {
    const { certPem, material } = await CertificateAuthority.create();
    expect((await shown(new CertificateAuthority({ ...material }), "sts.amazonaws.com", certPem)).subjectAltName).toBe("DNS:sts.amazonaws.com");
  });

  it("name the loopback listener", async () => {
    const socket = tls.connect({ host: "127.0.0.1", port: sandbox.port, ca: sandbox.caPem });
    await once(socket, "secureConnect");
    expect(socket.getPeerX509Certificate()?.subjectAltName).toBe("DNS:localhost, DNS:*.localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    socket.destroy();
  });

  const openssl = spawnSync("openssl", ["version"]).status === 0;
  (openssl ? it : it.skip)("satisfy OpenSSL's strict check", async () => {
    const host = "oidc.dcf.example";
    const where = ["-proxy", `127.0.0.1:${sandbox.port}`, "-connect", `${host}:443`, "-servername", host, "-verify_hostname", host];
    const running = run("openssl", ["s_client", ...where, "-CAfile", sandbox.caFile, "-x509_strict", "-verify_return_error"], { timeout: 20_000 });
    running.child.stdin?.end();
    expect((await running).stdout).toContain("Verify return code: 0 (ok)");
  });
});

describe("proxy", () => {
  it("ends a real host name in the sandbox, in TLS with its certificate", async () => {
    const answer = await throughProxy(`${defaultIssuerUrl}/.well-known/openid-configuration`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ issuer: defaultIssuerUrl, jwks_uri: `${defaultIssuerUrl}/.well-known/jwks.json` });
  });

  it("is not trusted without the sandbox's CA", async () => {
    const untrusting = https.request(`${defaultIssuerUrl}/`, { agent: new HttpsProxyAgent(sandbox.url) });
    await expect(collect(untrusting)).rejects.toThrow(/self-signed certificate|unable to/);
  });

  it("keeps a connection for several requests", async () => {
    const agent = new HttpsProxyAgent(sandbox.url, { keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let index = 0; index < 3; index++) {
      const request = https.request(`${defaultIssuerUrl}/.well-known/jwks.json`, { agent, ca: sandbox.caPem });
      request.on("socket", (socket) => socket.once("secureConnect", () => ports.add(socket.localPort)));
      expect((await collect(request)).status).toBe(200);
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  it.each(["example.com:443", "169.254.169.254:80", "127.0.0.1:1", "localhost:443", "[::1]:443", "evil-amazonaws.com:443"])("refuses CONNECT %s by name and forwards nothing", async (authority) => {
    const answer = await raw(sandbox.port, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`, "docs/sandbox.md");
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(answer).toContain(`The sandbox serves no "${authority.replace(/:\d+$/, "").replace(/[[\]]/g, "")}"`);
  });

  it("takes CONNECT without a Host header, and HTTP/1.0", async () => {
    expect(await raw(sandbox.port, "CONNECT oidc.dcf.example:443 HTTP/1.1\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await raw(sandbox.port, "CONNECT oidc.dcf.example:443 HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("takes a TLS hello that comes together with the CONNECT", async () => {
    const [near, far] = duplexPair();
    const socket = net.connect(sandbox.port, "127.0.0.1");
    let ahead = Buffer.from("CONNECT oidc.dcf.example:443 HTTP/1.1\r\n\r\n");
    far.on("data", (sent: Buffer) => {
      socket.write(Buffer.concat([ahead, sent]));
      ahead = Buffer.alloc(0);
    });
    let established = false;
    socket.on("data", (received: Buffer) => {
      far.write(established ? received : received.subarray(received.indexOf("\r\n\r\n") + 4));
      established = true;
    });
    const client = tls.connect({ socket: near, servername: "oidc.dcf.example", ca: sandbox.caPem });
    await once(client, "secureConnect");
    client.write("GET /.well-known/jwks.json HTTP/1.1\r\nHost: oidc.dcf.example\r\n\r\n");
    expect(String(((await once(client, "data")) as [Buffer])[0])).toMatch(/^HTTP\/1\.1 200 /);
    client.destroy();
    socket.destroy();
  });

  it("refuses absolute-form requests for other hosts, and issuers without TLS", async () => {
    const other = await raw(sandbox.port, "GET http://example.com/x HTTP/1.1\r\nHost: example.com\r\n\r\n", "docs/sandbox.md");
    expect(other).toMatch(/^HTTP\/1\.1 403 /);
    expect(other).toContain('"example.com"');
    const plain = await raw(sandbox.port, "GET http://oidc.dcf.example/.well-known/jwks.json HTTP/1.1\r\nHost: oidc.dcf.example\r\n\r\n", "docs/sandbox.md");
    expect(plain).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("answers absolute-form requests for hosts that it serves", async () => {
    const answer = await raw(sandbox.port, "GET http://sts.amazonaws.com/ HTTP/1.1\r\nHost: sts.amazonaws.com\r\nconnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 \d{3} /);
    expect(answer).not.toContain("serves no");
  });

  it("serves the endpoint in TLS on the same port, by its loopback names", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const answer = await collect(https.request(`https://${host}:${sandbox.port}/_sandbox/v1/info`, { ca: sandbox.caPem, lookup: (_name, options, done) => (typeof options === "object" && options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4)) }));
      expect(answer.status).toBe(200);
    }
  });

  it("survives broken clients", async () => {
    await raw(sandbox.port, "\x16\x03\x01\x00\x05hello", "never");
    await raw(sandbox.port, "NONSENSE\r\n\r\n");
    await new Promise<void>((resolve) => {
      const socket = net.connect(sandbox.port, "127.0.0.1", () => {
        socket.write("CONNECT oidc.dcf.example:443 HTTP/1.1\r\n\r\n", () => {
          socket.destroy();
          resolve();
        });
      });
    });
    expect((await admin("GET", "/info")).status).toBe(200);
  });

  it("takes a body after 100-continue, and refuses one over the limit before it is sent", async () => {
    const accepted = await raw(sandbox.port, "PUT /_sandbox/v1/resource?type=t&id=x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1", '"value":1');
    expect(accepted).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    const refused = await raw(sandbox.port, "PUT /_sandbox/v1/resource?type=t&id=x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 104857601\r\n\r\n", "100 MB");
    expect(refused).toMatch(/^HTTP\/1\.1 413 /);
    await admin("DELETE", "/resource?type=t&id=x");
  });

  it("refuses a body over the limit that was not announced", async () => {
    const chunk = Buffer.alloc(10 * 1024 * 1024 + 1, 32);
    const large = http.request(`${sandbox.url}/_sandbox/v1/resource?type=t&id=x`, { method: "PUT", headers: { "transfer-encoding": "chunked" } });
    for (let sent = 0; sent < 10; sent++) large.write(chunk);
    expect(await collect(large)).toMatchObject({ status: 413, body: "The sandbox takes requests of 100 MB at most.\n" });
  });

  const curl = spawnSync("curl", ["--version"]).status === 0;
  (curl ? it : it.skip)("is what curl expects of a proxy", async () => {
    const get = async (url: string): Promise<string> => {
      const options = ["--silent", "--max-time", "20", "--proxy", sandbox.url, "--cacert", sandbox.caFile, "--write-out", "\n%{http_connect} %{http_code}"];
      return (await run("curl", [...options, url]).catch((error: unknown) => error as { stdout: string })).stdout;
    };
    expect(await get(`${defaultIssuerUrl}/.well-known/jwks.json`)).toMatch(/"kty":"RSA".*\n200 200$/s);
    expect(await get("https://example.com/")).toMatch(/403 000$/);
  });
});

describe("issuers", () => {
  beforeAll(async () => {
    await sandbox.issuers.create("https://issuer.example/tenants/a");
    await sandbox.issuers.create("https://issuer.example/tenants/b", "ES256");
  });

  it("publish all that STS asks of discovery", async () => {
    const { body } = await throughProxy("https://issuer.example/tenants/a/.well-known/openid-configuration");
    expect(JSON.parse(body)).toEqual({
      issuer: "https://issuer.example/tenants/a",
      jwks_uri: "https://issuer.example/tenants/a/.well-known/jwks.json",
      authorization_endpoint: "https://issuer.example/tenants/a/authorize",
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256", "ES256"],
      claims_supported: ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
    });
    expect((await throughProxy("https://issuer.example/.well-known/openid-configuration")).status).toBe(404);
    expect((await throughProxy("https://issuer.example/tenants/A/.well-known/openid-configuration")).status).toBe(404);
  });

  it.each([
    ["RS256", "https://issuer.example/tenants/a"],
    ["ES256", "https://issuer.example/tenants/b"],
  ])("sign with %s what their key set verifies", async (algorithm, issuer) => {
    const token = await sandbox.issuers.mint({ issuer, subject: "s" });
    expect(decode(token).header).toMatchObject({ alg: algorithm, typ: "JWT" });
    expect(await verifies(token)).toBe(true);
    const [header = "", , signature = ""] = token.split(".");
    const forged = Buffer.from(JSON.stringify({ ...decode(token).claims, sub: "other" })).toString("base64url");
    expect(await verifies(`${header}.${forged}.${signature}`)).toBe(false);
    expect(await verifies(await sandbox.issuers.mint({ issuer, subject: "s", foreignKey: true }))).toBe(false);
  });

  it("put the sandbox's time into tokens", async () => {
    const before = sandbox.snapshot();
    sandbox.core.clock.advance(86_400);
    const seconds = Math.floor(sandbox.core.clock.now().getTime() / 1000);
    const { claims } = decode(await sandbox.issuers.mint({ subject: "tenant:1", expiresInSeconds: 600, claims: { groups: ["a"], iss: "https://else.example" }, omit: ["jti"] }));
    expect(claims).toEqual({ iss: "https://else.example", sub: "tenant:1", aud: "sts.amazonaws.com", iat: claims["iat"], nbf: claims["iat"], exp: Number(claims["iat"]) + 600, groups: ["a"] });
    expect(Math.abs(Number(claims["iat"]) - seconds)).toBeLessThanOrEqual(1);
    const expired = decode(await sandbox.issuers.mint({ subject: "s", expiresInSeconds: -301 })).claims;
    expect(Number(expired["exp"]) - seconds).toBeLessThanOrEqual(-300);
    expect(Number(expired["iat"])).toBeLessThan(Number(expired["exp"]));
    sandbox.restore(before);
  });

  it("rotate: old tokens verify until their key is removed", async () => {
    const issuer = "https://issuer.example/tenants/b";
    const old = await sandbox.issuers.mint({ issuer, subject: "s" });
    const oldKid = String(decode(old).header["kid"]);
    const { signingKid, keys } = await sandbox.issuers.rotate(issuer);
    expect(keys.map((key) => key.kid)).toEqual([oldKid, signingKid]);
    const fresh = await sandbox.issuers.mint({ issuer, subject: "s" });
    expect(decode(fresh).header["kid"]).toBe(signingKid);
    expect([await verifies(old), await verifies(fresh)]).toEqual([true, true]);
    sandbox.issuers.removeKey(issuer, oldKid);
    expect([await verifies(old), await verifies(fresh)]).toEqual([false, true]);
    // The removed key still signs when asked for by name: a token of a key that was rotated away.
    expect(decode(await sandbox.issuers.mint({ issuer, subject: "s", kid: oldKid })).header["kid"]).toBe(oldKid);
    expect(() => sandbox.issuers.removeKey(issuer, oldKid)).toThrow(`publishes no key ${oldKid}`);
  });

  it("show another key under the right kid, and a kid that nobody knows", async () => {
    const issuer = "https://issuer.example/tenants/a";
    const before = sandbox.snapshot();
    const kid = String(decode(await sandbox.issuers.mint({ issuer, subject: "s" })).header["kid"]);
    await sandbox.issuers.publishForeignKey(issuer);
    const token = await sandbox.issuers.mint({ issuer, subject: "s" });
    expect(decode(token).header["kid"]).toBe(kid);
    expect(await verifies(token)).toBe(false);
    sandbox.restore(before);
    expect(await verifies(token)).toBe(true);
    expect(decode(await sandbox.issuers.mint({ issuer, subject: "s", kid: "nobody" })).header["kid"]).toBe("nobody");
    expect(decode(await sandbox.issuers.mint({ issuer, subject: "s", header: { kid: null, crit: ["b64"] } })).header).toEqual({ alg: "RS256", typ: "JWT", crit: ["b64"] });
  });

  it.each([
    ["http://issuer.example", "it has to start with https://"],
    ["issuer.example", "it is not a URL"],
    ["https://issuer.example/?a=b", "it may have neither query nor fragment nor user"],
  ])("cannot be at %s", async (url, why) => {
    await expect(sandbox.issuers.create(url)).rejects.toThrow(`${JSON.stringify(url)} cannot be an issuer: ${why}.`);
  });

  it("are one a place: not twice, and not beside a slash", async () => {
    await expect(sandbox.issuers.create("https://issuer.example/tenants/a")).rejects.toThrow("exists already");
    await expect(sandbox.issuers.create("https://issuer.example/tenants/a/")).rejects.toThrow("would answer at the same place as https://issuer.example/tenants/a");
    await expect(sandbox.issuers.mint({ issuer: "https://nobody.example", subject: "s" })).rejects.toThrow("No issuer https://nobody.example in this sandbox");
  });

  describe("asked by the sandbox's clouds", () => {
    const issuer = "https://broken.example/x";
    const url = `${issuer}/.well-known/openid-configuration`;
    const ask = (timeoutMs = 5000): ReturnType<Sandbox["core"]["fetchPublic"]> => sandbox.core.fetchPublic(url, timeoutMs);
    beforeAll(() => sandbox.issuers.create(issuer));
    afterEach(() => void sandbox.issuers.behave(issuer, {}));

    it("answer over TLS", async () => {
      const answer = await ask();
      expect(answer).toMatchObject({ status: "ok", httpStatus: 200 });
      expect(JSON.parse((answer as { body: string }).body)).toMatchObject({ issuer });
    });

    it("answer what behaviour says: another issuer, other keys, an error", async () => {
      sandbox.issuers.behave(issuer, { discovery: { issuer: `${issuer}/`, jwks_uri: null }, jwks: { keys: [] } });
      const changed = JSON.parse(((await ask()) as { body: string }).body) as Record<string, unknown>;
      expect(changed["issuer"]).toBe(`${issuer}/`);
      expect(changed).not.toHaveProperty("jwks_uri");
      expect(await sandbox.core.fetchPublic(`${issuer}/.well-known/jwks.json`, 5000)).toEqual({ status: "ok", httpStatus: 200, body: '{"keys":[]}' });
      sandbox.issuers.behave(issuer, { status: 500 });
      expect(await ask()).toEqual({ status: "ok", httpStatus: 500, body: "" });
    });

    it("answer again after longer than HTTP servers keep an idle connection by default", async () => {
      expect(await ask()).toMatchObject({ status: "ok" });
      await new Promise((resolve) => setTimeout(resolve, 6500));
      expect(await ask()).toMatchObject({ status: "ok" });
    });

    it("are unreachable when slower than the deadline, untrusted, unknown, or without TLS", async () => {
      sandbox.issuers.behave(issuer, { delaySeconds: 6 });
      expect(await ask(50)).toEqual({ status: "unreachable", detail: "no answer within 0.05 s" });
      sandbox.issuers.behave(issuer, { certificate: "untrusted" });
      expect(await ask()).toMatchObject({ status: "unreachable", detail: expect.stringMatching(/certificate/) });
      await expect(throughProxy(url)).rejects.toThrow(/certificate/);
      expect(await sandbox.core.fetchPublic("https://nobody.example/", 5000)).toEqual({ status: "unreachable", detail: "no issuer of the sandbox is at nobody.example" });
      expect(await sandbox.core.fetchPublic("http://broken.example/x", 5000)).toEqual({ status: "unreachable", detail: "http://broken.example/x is no https:// URL" });
    });

    it("are beyond latency and faults, which clients meet", async () => {
      const id = sandbox.faults.add({ operation: "oidc:*", status: 503, code: "Unavailable", message: "Try later." });
      expect(await ask()).toMatchObject({ httpStatus: 200 });
      expect(await throughProxy(url)).toMatchObject({ status: 503, body: '{"error":"Unavailable","error_description":"Try later."}' });
      sandbox.faults.remove(id);
    });
  });
});

describe("admin API", () => {
  it("tells what runs, without secrets", async () => {
    const { body } = await admin("GET", "/info");
    expect(body).toMatchObject({ ready: true, url: sandbox.url, pid: process.pid, caFile: sandbox.caFile, providersPort: null, latencyMs: 0, propagationDelaySeconds: 0 });
    expect(JSON.stringify(body)).not.toContain(sandbox.env()["AWS_SECRET_ACCESS_KEY"]);
  });

  it("lists, reads, changes and deletes resources, with propagation where asked", async () => {
    const at = `/resource?type=${encodeURIComponent("aws:organizations/scp")}&id=${encodeURIComponent("111122223333/deny")}`;
    const value = { name: "deny", document: "{}" };
    expect((await admin("PUT", at, value)).status).toBe(200);
    expect((await admin("GET", at)).body).toEqual({ type: "aws:organizations/scp", id: "111122223333/deny", value });
    expect((await admin("GET", "/types")).body["types"]).toContain("aws:organizations/scp");
    expect((await admin("GET", "/resources?type=aws:organizations/scp")).body["resources"]).toEqual([{ id: "111122223333/deny", value }]);
    await admin("PUT", "/propagation-delay", { seconds: 60 });
    expect((await admin("DELETE", `${at}&propagates=true`)).status).toBe(200);
    expect(sandbox.store.effective("aws:organizations/scp", "111122223333/deny")).toEqual(value);
    await admin("POST", "/clock", { advanceSeconds: 60 });
    expect(sandbox.store.effective("aws:organizations/scp", "111122223333/deny")).toBeUndefined();
    await admin("POST", "/clock", { advanceSeconds: -60 });
    await admin("PUT", "/propagation-delay", { seconds: 0 });
    expect(await admin("GET", at)).toEqual({ status: 404, body: { error: "No aws:organizations/scp 111122223333/deny in this sandbox." } });
  });

  it("neither shows nor changes secrets", async () => {
    expect((await admin("GET", "/types")).body["types"]).not.toContainEqual(expect.stringMatching(/^secret:/));
    for (const [method, path] of [
      ["GET", "/resources?type=secret:oidc/issuer-key"],
      ["GET", "/resource?type=secret:oidc/issuer-key&id=x"],
      ["PUT", "/resource?type=secret:oidc/issuer-key&id=x"],
      ["DELETE", "/resource?type=secret:oidc/issuer-key&id=x"],
    ] as const) {
      expect((await admin(method, path, method === "PUT" ? {} : undefined)).status).toBe(403);
    }
    expect(JSON.stringify((await admin("GET", "/issuers")).body)).not.toMatch(/PRIVATE KEY|"d":/);
  });

  it("orders latency, faults and time", async () => {
    const before = sandbox.snapshot();
    expect((await admin("PUT", "/latency", { milliseconds: 5 })).body).toEqual({ milliseconds: 5, operations: {} });
    expect((await admin("PUT", "/latency", { milliseconds: 7, operation: "s3:*" })).body).toEqual({ milliseconds: 5, operations: { "s3:*": 7 } });
    const { body } = await admin("POST", "/faults", { operation: "kms:Decrypt", status: 400, code: "X", message: "m" });
    expect((await admin("GET", "/faults")).body["faults"]).toEqual([{ id: body["id"], operation: "kms:Decrypt", status: 400, code: "X", message: "m" }]);
    expect((await admin("DELETE", `/faults?id=${String(body["id"])}`)).body).toEqual({ faults: [] });
    expect((await admin("DELETE", "/faults?id=fault-999")).status).toBe(404);
    expect((await admin("POST", "/clock", { advanceSeconds: 3600 })).body["offsetSeconds"]).toBe(3600);
    sandbox.restore(before);
    expect((await admin("GET", "/clock")).body["offsetSeconds"]).toBe(0);
  });

  it("runs issuers and mints tokens", async () => {
    const url = "https://admin.example/i";
    expect((await admin("POST", "/issuers", { url, algorithm: "ES256" })).body).toMatchObject({ url, algorithm: "ES256" });
    expect((await admin("POST", "/issuers/rotate", { url })).body["keys"]).toHaveLength(2);
    expect((await admin("POST", "/issuers/remove-key", { url })).body["keys"]).toHaveLength(1);
    expect((await admin("POST", "/issuers/rotate", { url })).body["keys"]).toHaveLength(2);
    expect((await admin("POST", "/issuers/foreign-key", { url })).status).toBe(200);
    expect((await admin("PUT", "/issuers/behaviour", { url, behaviour: { status: 500 } })).body).toMatchObject({ behaviour: { status: 500 } });
    expect((await throughProxy(`${url}/.well-known/jwks.json`)).status).toBe(500);
    const { token } = (await admin("POST", "/tokens", { issuer: "https://made.example", subject: "s", audience: ["a", "b"], createIssuer: true })).body;
    expect(decode(String(token)).claims).toMatchObject({ iss: "https://made.example", aud: ["a", "b"] });
    expect(await verifies(String(token))).toBe(true);
    expect((await admin("DELETE", `/issuers?url=${encodeURIComponent(url)}`)).status).toBe(200);
    expect((await throughProxy(`${url}/.well-known/jwks.json`)).status).toBe(403);
  });

  it("keeps snapshots inside and goes back to them", async () => {
    const { id } = (await admin("POST", "/snapshots")).body;
    await admin("PUT", "/resource?type=t:x/y&id=1", { v: 1 });
    expect((await admin("POST", "/snapshots/restore", { id })).status).toBe(200);
    expect((await admin("GET", "/resource?type=t:x/y&id=1")).status).toBe(404);
    expect((await admin("POST", "/snapshots/restore", { id: "none" })).status).toBe(404);
  });

  it.each([
    ["GET", "/nothing", undefined, 404, "The admin API has no /_sandbox/v1/nothing."],
    ["PATCH", "/clock", undefined, 405, "/_sandbox/v1/clock takes GET, POST, not PATCH."],
    ["PUT", "/latency", { milliseconds: -1 }, 400, "milliseconds: Too small: expected number to be >=0"],
    ["PUT", "/latency", { milliseconds: 1, operatoin: "x" }, 400, 'body: Unrecognized key: "operatoin"'],
    ["POST", "/tokens", { subject: "s", issuer: "https://nobody.example" }, 400, "No issuer https://nobody.example in this sandbox"],
    ["GET", "/resources", undefined, 400, "The query has to name a type, as in ?type=aws:iam/role."],
    ["GET", "/resource?type=t", undefined, 400, "The query has to name the id of one t."],
  ])("answers %s %s with one clear line", async (method, path, body, status, message) => {
    const answer = await admin(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body["error"]).toEqual(expect.stringContaining(message));
  });

  it("answers under loopback names only, and no web page", async () => {
    const get = (headers: string): Promise<string> => raw(sandbox.port, `GET /_sandbox/v1/info HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);
    expect(await get(`Host: localhost:${sandbox.port}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await get(`Host: [::1]:${sandbox.port}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await get("Host: rebound.example\r\n")).toMatch(/^HTTP\/1\.1 403 /);
    expect(await get("Host: 127.0.0.1.rebound.example\r\n")).toMatch(/^HTTP\/1\.1 403 /);
    expect(await get(`Host: localhost\r\nOrigin: https://page.example\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
    expect((await throughProxy(`${defaultIssuerUrl}/_sandbox/v1/info`)).status).toBe(404);
  });

  it("gives clients what points them here", async () => {
    const { variables } = (await admin("GET", "/env?region=eu-west-1")).body as { variables: Record<string, string> };
    expect(variables).toMatchObject({ HTTPS_PROXY: sandbox.url, AWS_ENDPOINT_URL: sandbox.endpointUrl, NODE_EXTRA_CA_CERTS: sandbox.caFile, AWS_REGION: "eu-west-1", NO_PROXY: "127.0.0.1,localhost,::1" });
    expect(variables).not.toHaveProperty("PULUMI_DEBUG_PROVIDERS");
    sandbox.providersPort = 4242;
    expect(sandbox.env()["PULUMI_DEBUG_PROVIDERS"]).toBe("aws:4242,azure-native:4242,azuread:4242,gcp:4242,kubernetes:4242");
    sandbox.providersPort = undefined;
  });
});

describe("state file", () => {
  const file = join(folder, "state.json");

  it("brings back everything: resources, issuers and their keys, the CA, time, settings, faults", async () => {
    const first = await startSandbox({ stateFile: file, latencyMs: 1, propagationDelaySeconds: 9 });
    await first.issuers.create("https://kept.example", "ES256");
    const token = await first.issuers.mint({ issuer: "https://kept.example", subject: "s" });
    first.store.put("t:x/y", "1", { v: 1 }, { propagates: true });
    first.core.clock.advance(7);
    first.faults.add({ operation: "nothing:*", status: 500, code: "X", message: "m" });
    const { caPem, caFile } = first;
    await first.close();

    const second = await startSandbox({ stateFile: file });
    try {
      expect([second.caPem, second.caFile, readFileSync(second.caFile, "utf8")]).toEqual([caPem, caFile, caPem]);
      expect(await verifies(token, second)).toBe(true);
      expect([second.store.get("t:x/y", "1"), second.store.effective("t:x/y", "1")]).toEqual([{ v: 1 }, undefined]);
      second.core.clock.advance(2);
      expect(second.store.effective("t:x/y", "1")).toEqual({ v: 1 });
      expect(second.core.settings).toMatchObject({ latencyMs: 1, propagationDelaySeconds: 9 });
      expect(second.faults.plan.faults).toHaveLength(1);
      expect(second.env()["AWS_SECRET_ACCESS_KEY"]).toBeTruthy();
    } finally {
      await second.close();
    }
  });

  it("keeps secrets in the keys file alone, which is its owner's", () => {
    expect(statSync(`${file}.keys`).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toMatch(/PRIVATE KEY|"secret:/);
    expect(readFileSync(`${file}.keys`, "utf8")).toContain("PRIVATE KEY");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it.each([
    ["not JSON", "{ half", "it is not JSON"],
    ["somebody else's", '{"name":"package"}', "it is no cloud-federation-sandbox-state"],
    ["of a later version", '{"format":"cloud-federation-sandbox-state","version":2}', "it is of version 2, this is version 1"],
    ["empty", "", "it is not JSON"],
    ["null", "null", "it is no cloud-federation-sandbox-state"],
  ])("is refused and left as it is when %s", async (_, content, why) => {
    const broken = join(folder, "broken.json");
    writeFileSync(broken, content);
    await expect(startSandbox({ stateFile: broken })).rejects.toThrow(`${broken} is not a sandbox's state (${why}). It was left as it is; name another --state file.`);
    expect(readFileSync(broken, "utf8")).toBe(content);
    expect(existsSync(`${broken}.keys`)).toBe(false);
  });

  it.each([
    ["settings", (state: Record<string, Record<string, unknown>>) => delete state["sandbox"]!["faults"], "its settings cannot be read"],
    ["resources", (state: Record<string, Record<string, unknown>>) => (state["sandbox"]!["resources"] = { entries: [1] }), "its resources cannot be read"],
  ])("is refused and left as it is when its %s were damaged", async (_, damage, why) => {
    const damaged = join(folder, "damaged.json");
    const state = JSON.parse(readFileSync(file, "utf8")) as Record<string, Record<string, unknown>>;
    damage(state);
    writeFileSync(damaged, JSON.stringify(state));
    writeFileSync(`${damaged}.keys`, readFileSync(`${file}.keys`));
    await expect(startSandbox({ stateFile: damaged })).rejects.toThrow(`${damaged} is not a sandbox's state (${why}).`);
    expect(readFileSync(damaged, "utf8")).toBe(JSON.stringify(state));
  });

  it.each([
    ["another key", (ca: Record<string, string>, key: string) => (ca["keyPem"] = key)],
    ["half a certificate", (ca: Record<string, string>) => (ca["certPem"] = ca["certPem"]!.slice(0, 300))],
  ])("is refused and left as it is when its CA has %s", async (_, damage) => {
    const damaged = join(folder, "ca.json");
    const keys = JSON.parse(readFileSync(`${file}.keys`, "utf8")) as { ca: Record<string, string> };
    damage(keys.ca, (await CertificateAuthority.create()).material.keyPem);
    writeFileSync(`${damaged}.keys`, JSON.stringify(keys));
    await expect(startSandbox({ stateFile: damaged })).rejects.toThrow(`${damaged}.keys is not a sandbox's state (its CA cannot be read).`);
    expect([readFileSync(`${damaged}.keys`, "utf8"), existsSync(damaged)]).toEqual([JSON.stringify(keys), false]);
  });

  it("is for one sandbox at a time, and free again after a close, a failed start or a crash", async () => {
    const shared = join(folder, "shared.json");
    const lock = `${shared}.lock`;
    const message = (pid: number): string => `The state file ${shared} is in use by process ${pid}: stop that sandbox, or name another --state file. If it is no sandbox, delete ${lock}.`;
    const first = await startSandbox({ stateFile: shared });
    expect(readFileSync(lock, "utf8")).toBe(`${process.pid}\n`);
    await expect(startSandbox({ stateFile: shared })).rejects.toThrow(message(process.pid));
    await first.close();
    expect(existsSync(lock)).toBe(false);
    await expect(startSandbox({ stateFile: shared, port: sandbox.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(existsSync(lock)).toBe(false);

    writeFileSync(lock, `${process.ppid}\n`);
    await expect(startSandbox({ stateFile: shared })).rejects.toThrow(message(process.ppid));
    expect(readFileSync(lock, "utf8")).toBe(`${process.ppid}\n`);
    // A process that has gone, one that had this process's id, and a write that was cut off.
    for (const left of [`${spawnSync(process.execPath, ["--version"]).pid}\n`, `${process.pid}\n`, ""]) {
      writeFileSync(lock, left);
      await (await startSandbox({ stateFile: shared })).close();
    }
  });

  (existsSync("/proc/self/stat") ? it : it.skip)("is free when the process that held it is a zombie", async () => {
    const shared = join(folder, "zombie.json");
    // Becomes another program while its child ends, so that nobody asks for the child's status.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [printed] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(printed.toString());
      while (!readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")) await new Promise(setImmediate);
      writeFileSync(`${shared}.lock`, `${pid}\n`);
      await (await startSandbox({ stateFile: shared })).close();
      expect(existsSync(`${shared}.lock`)).toBe(false);
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it("is refused without its keys", async () => {
    const lonely = join(folder, "lonely.json");
    writeFileSync(lonely, readFileSync(file));
    await expect(startSandbox({ stateFile: lonely })).rejects.toThrow(`${lonely}.keys is missing`);
  });
});

describe("a failure inside a service", () => {
  it("is a 500 with one line, in the log too, and no crash", async () => {
    const broken = jest.spyOn(sandbox.issuers, "list").mockImplementation(() => {
      throw new Error("broken on purpose");
    });
    const response = await fetch(`${sandbox.url}/_sandbox/v1/issuers`);
    broken.mockRestore();
    expect([response.status, await response.text()]).toEqual([500, "The sandbox failed at this request; its log says why.\n"]);
    expect(logged).toContainEqual(expect.stringContaining("broken on purpose"));
    expect((await admin("GET", "/info")).status).toBe(200);
  });
});

describe("closing", () => {
  it("takes the temporary CA file along and frees the port", async () => {
    const other = await startSandbox();
    const idle = net.connect(other.port, "127.0.0.1");
    await new Promise((resolve) => idle.once("connect", resolve));
    await expect(startSandbox({ port: other.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await other.close();
    expect(existsSync(other.caFile)).toBe(false);
    await expect(fetch(other.url)).rejects.toThrow();
  });
});
