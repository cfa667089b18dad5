import * as http from "node:http";
import * as https from "node:https";
import { Duplex, duplexPair } from "node:stream";
import * as tls from "node:tls";
import type { CertificateAuthority } from "./certificates.js";
import type { IssuerService } from "./issuer-service.js";
import type { IssuerAnswer } from "./types.js";
import { anyRequestTo, parseAuthority, readRequest, textResponse, writeResponse } from "./wire.js";

/** No honest document is larger. */
const maxDocumentBytes = 1024 * 1024;

export interface PublicNetwork {
  issuers: IssuerService;
  /** What a cloud trusts. */
  trusted: CertificateAuthority;
  /** What the host shows. */
  authority: (host: string, port: string) => Promise<CertificateAuthority>;
}

/**
 * Fetches an issuer's document as a cloud does: HTTP over TLS with the real host name, verified against the sandbox's
 * authority, over a pair of streams in place of the network. Never rejects.
 */
export function publicFetcher(network: PublicNetwork): (url: string, timeoutMs: number) => Promise<IssuerAnswer> {
  // Connections are kept for good: one that the server ends while a request is on its way would fail that request.
  const server = http.createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
    void readRequest(incoming, true, "")
      .then((request) => network.issuers.answer(request))
      .catch(() => textResponse(500, "The issuer failed."))
      .then((response) => writeResponse(outgoing, "GET", response));
  });
  const trusted = tls.createSecureContext({ ca: network.trusted.certPem });
  const agents = new WeakMap<CertificateAuthority, PairAgent>();
  const agentFor = (shown: CertificateAuthority): PairAgent => {
    const agent = agents.get(shown) ?? new PairAgent(server, shown, trusted);
    agents.set(shown, agent);
    return agent;
  };
  const fetchDocument = async (url: string, timeoutMs: number): Promise<IssuerAnswer> => {
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (target?.protocol !== "https:") return { status: "unreachable", detail: `${url} is no https:// URL` };
    const { hostname, port } = target;
    const place = parseAuthority(target.host);
    if (!place || !network.issuers.serves(place.host, false, anyRequestTo(place.host, place.port))) return { status: "unreachable", detail: `no issuer of the sandbox is at ${hostname}` };
    try {
      return await get(target, agentFor(await network.authority(hostname, port)), timeoutMs);
    } catch (error) {
      return { status: "unreachable", detail: error instanceof Error ? error.message : String(error) };
    }
  };
  // Many exchanges at once wait for one answer together, as at a service that keeps documents for a moment.
  const underWay = new Map<string, Promise<IssuerAnswer>>();
  return (url, timeoutMs) => {
    const known = underWay.get(url);
    if (known) return known;
    const answer = fetchDocument(url, timeoutMs).finally(() => underWay.delete(url));
    underWay.set(url, answer);
    return answer;
  };
}

type Connected = (error: Error | null, socket: Duplex) => void;

/** Connects to hosts that show an authority's certificates; keeps connections, as the clouds do. */
class PairAgent extends https.Agent {
  constructor(
    private readonly server: http.Server,
    private readonly shown: CertificateAuthority,
    private readonly trusted: tls.SecureContext,
  ) {
    super({ keepAlive: true });
  }

  override createConnection(options: https.RequestOptions, connected?: Connected): undefined {
    const hostname = options.servername ?? options.host ?? "";
    void this.shown.context(hostname).then(
      (secureContext) => {
        const [near, far] = duplexPair();
        const farEnd = new tls.TLSSocket(far, { isServer: true, secureContext });
        farEnd.on("error", () => farEnd.destroy());
        this.server.emit("connection", farEnd);
        connected?.(null, tls.connect({ socket: near, servername: hostname, secureContext: this.trusted }));
      },
      (error: unknown) => connected?.(error instanceof Error ? error : new Error(String(error)), new Duplex()),
    );
  }
}

function get(url: URL, agent: https.Agent, timeoutMs: number): Promise<IssuerAnswer> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs / 1000} s`));
      request.destroy();
    }, timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(deadline);
      reject(error);
    };
    const request = https.request(url, { agent, headers: { host: url.host } }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxDocumentBytes) request.destroy(new Error("the answer is larger than 1 MB"));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () => {
        clearTimeout(deadline);
        resolve({ status: "ok", httpStatus: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    request.on("error", fail);
    request.end();
  });
}
