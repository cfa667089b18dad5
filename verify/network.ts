/** One way out for everything: proxy, certificate authorities, connections that are kept. */
import * as https from "node:https";
import * as http from "node:http";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, rootCertificates, type ConnectionOptions, type SecureContext } from "node:tls";
import { HttpsProxyAgent } from "https-proxy-agent";
import { within } from "./deadline.js";

export interface NetworkOptions {
  /** Variables such as HTTPS_PROXY and NO_PROXY. Default: the process's. */
  env?: NodeJS.ProcessEnv | undefined;
  /** PEM of a certificate authority that is trusted besides the usual ones. */
  ca?: string | undefined;
}

type ConnectOptions = Parameters<HttpsProxyAgent<string>["connect"]>[1];

/** The library's agent does not pass its own TLS options on to the tunnel's inside, and takes a refusal for the answer. */
class TunnelAgent extends HttpsProxyAgent<string> {
  constructor(
    proxy: string,
    private readonly secureContext: SecureContext | undefined,
  ) {
    super(proxy, { keepAlive: true });
  }

  /**
   * Everything here is https. Left to itself the library tells by the stack, differently when a connection is put back than
   * when one is looked for, and so never finds one again.
   */
  override isSecureEndpoint(): boolean {
    return true;
  }

  override async connect(request: http.ClientRequest, options: ConnectOptions): ReturnType<HttpsProxyAgent<string>["connect"]> {
    let status = 200;
    request.once("proxyConnect", (answer: { statusCode: number }) => (status = answer.statusCode));
    const trust = this.secureContext && options.secureEndpoint ? { secureContext: this.secureContext } : {};
    const socket = await super.connect(request, { ...options, ...trust, ...identityOf(options.host) });
    if (status === 200) return socket;
    // The library would pass the proxy's refusal off as the answer of the host.
    socket.destroy();
    throw new Error(`the proxy ${this.proxy.host} answers ${status} to a connection to ${options.host ?? ""}`);
  }
}

/** The library forgets who is called where that is an IP address, and Node then looks for `localhost` in its certificate. */
function identityOf(host: string | undefined): Pick<ConnectionOptions, "checkServerIdentity"> {
  return host !== undefined && isIP(host) !== 0 ? { checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) } : {};
}

/** The network as one run sees it. `close` ends the kept connections. */
export class Network {
  readonly env: NodeJS.ProcessEnv;
  readonly #secureContext: SecureContext | undefined;
  readonly #agents = new Map<string, http.Agent>();

  constructor(options: NetworkOptions = {}) {
    this.env = options.env ?? process.env;
    const extra = [options.ca, this.#extraCertificates()].filter((pem) => pem !== undefined);
    this.#secureContext = extra.length > 0 ? trusting(extra.join("\n")) : undefined;
  }

  /** Shared by everything that goes the same way. */
  agentFor(url: URL): http.Agent {
    const proxy = proxyFor(url, this.env);
    const key = proxy ?? "";
    const known = this.#agents.get(key);
    if (known) return known;
    const agent = proxy === undefined ? new https.Agent({ keepAlive: true, ...(this.#secureContext ? { secureContext: this.#secureContext } : {}) }) : new TunnelAgent(proxy, this.#secureContext);
    this.#agents.set(key, agent);
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  /** Node reads NODE_EXTRA_CA_CERTS only at its start, and only from its own environment. */
  #extraCertificates(): string | undefined {
    const file = this.env["NODE_EXTRA_CA_CERTS"];
    if (file === undefined || file === "" || (this.env === process.env && process.env["NODE_EXTRA_CA_CERTS"] === startedWith)) return undefined;
    return readFileSync(file, "utf8");
  }
}

const contexts = new Map<string, SecureContext>();

/**
 * Trusts these authorities besides Node's own, whose list naming any replaces. Reading so many certificates takes longer
 * than a call to AWS, so it is done once a process and not once a connection.
 */
function trusting(extra: string): SecureContext {
  const known = contexts.get(extra);
  if (known) return known;
  const context = createSecureContext({ ca: [...rootCertificates, extra] });
  contexts.set(extra, context);
  return context;
}

const startedWith = process.env["NODE_EXTRA_CA_CERTS"];

/** The proxy that the variables name for an https URL, as curl and most others read them; undefined: none. */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): string | undefined {
  const proxy = env["https_proxy"] ?? env["HTTPS_PROXY"] ?? env["all_proxy"] ?? env["ALL_PROXY"] ?? "";
  if (proxy === "") return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const exceptions = (env["no_proxy"] ?? env["NO_PROXY"] ?? "").toLowerCase().split(/[\s,]+/);
  const excepted = exceptions.some((entry) => {
    // More than one colon: an IPv6 address, which has no port here.
    const [name = "", port] = entry.split(":").length === 2 ? entry.split(":") : [entry];
    if (name === "*") return true;
    if (name === "" || (port !== undefined && port !== (url.port === "" ? "443" : url.port))) return false;
    const domain = name.replace(/^\*?\./, "");
    return host === domain || host.endsWith(`.${domain}`);
  });
  return excepted ? undefined : proxy.includes("://") ? proxy : `http://${proxy}`;
}

export type Fetched =
  | { status: "ok"; httpStatus: number; body: string; contentType: string }
  | { status: "failed"; kind: "timeout" | "certificate" | "unreachable" | "too-large"; detail: string };

const MAX_BYTES = 1024 * 1024;

/** Fetches a public document. Never rejects; follows no redirects, as no cloud does that fetches an issuer's. */
export async function fetchDocument(network: Network, url: URL, deadlineMs: number, signal: AbortSignal): Promise<Fetched> {
  const answer = await send(network, { method: "GET", url, headers: { accept: "application/json" }, deadlineMs, signal });
  if (answer.status === "failed") return answer;
  return { status: "ok", httpStatus: answer.httpStatus, body: answer.body.toString("utf8"), contentType: answer.headers["content-type"] ?? "" };
}

export interface HttpOrder {
  method: string;
  url: URL;
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer | undefined;
  deadlineMs: number;
  signal: AbortSignal;
}

export type HttpAnswer =
  | { status: "ok"; httpStatus: number; /** Names in lower case. */ headers: Readonly<Record<string, string>>; body: Buffer }
  | Extract<Fetched, { status: "failed" }>;

/** One request over HTTPS. Never rejects; follows no redirects. */
export function send(network: Network, { method, url, headers = {}, body, deadlineMs, signal }: HttpOrder): Promise<HttpAnswer> {
  return within(deadlineMs, signal, (bounded) => new Promise((resolve) => {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const request = https.request(url, { method, agent: network.agentFor(url), signal: bounded, headers: { ...headers, ...length } }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) request.destroy(new TooLarge());
        else chunks.push(chunk);
      });
      response.on("end", () => resolve({ status: "ok", httpStatus: response.statusCode ?? 0, headers: single(response.headers), body: Buffer.concat(chunks) }));
      response.on("error", failed);
    });
    const failed = (error: Error): void => resolve(describe(error, bounded.aborted && !signal.aborted, deadlineMs));
    request.on("error", failed);
    request.end(body);
  }));
}

function single(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, [value].flat().join(",")]])));
}

class TooLarge extends Error {}

/** Of Node's TLS errors; https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|HOSTNAME_MISMATCH/;

function describe(error: Error, timedOut: boolean, deadlineMs: number): Extract<Fetched, { status: "failed" }> {
  const code = "code" in error ? String(error.code) : "";
  if (timedOut) return { status: "failed", kind: "timeout", detail: `no answer within ${deadlineMs / 1000} s` };
  if (error instanceof TooLarge) return { status: "failed", kind: "too-large", detail: "the answer is larger than 1 MB" };
  if (CERTIFICATE.test(code)) return { status: "failed", kind: "certificate", detail: `${error.message} (${code})` };
  return { status: "failed", kind: "unreachable", detail: code === "" ? error.message : code };
}
