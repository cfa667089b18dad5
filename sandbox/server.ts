import * as http from "node:http";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import type { CertificateAuthority } from "./certificates.js";
import type { WireRequest, WireResponse, WireService } from "./types.js";
import {
  WireError,
  anyRequestTo,
  assertAcceptableLength,
  isLoopback,
  parseAuthority,
  readRequest,
  textResponse,
  writeResponse,
} from "./wire.js";

/** Where the admin API is, on the loopback listener only. */
export const adminPrefix = "/_sandbox/";

export interface ServerOptions {
  services: WireService[];
  admin(request: WireRequest): Promise<WireResponse>;
  /** The authority that signs for a host: an untrusted one where an issuer is told to show such a certificate. */
  authority: (host: string, port: string) => Promise<CertificateAuthority>;
  /** One line of what went wrong inside. */
  log(line: string): void;
}

/** What is known about a connection before its first request. */
interface Connection {
  /** Authority of the CONNECT that it came by; undefined on the loopback listener itself. */
  tunnel?: string;
  secure: boolean;
}

/** Where a CONNECT leads; `port` is empty for 443. */
interface Tunnel {
  host: string;
  port: string;
  authority: string;
}

/**
 * One loopback listener for three things: the CONNECT proxy in which the real host names end, the endpoint for clients
 * that take a URL (in TLS or not, told apart by the first byte), and the admin API.
 */
export class SandboxServer {
  readonly #http: http.Server;
  readonly #listener: net.Server;
  readonly #connections = new WeakMap<Duplex, Connection>();
  readonly #sockets = new Set<Duplex>();

  constructor(private readonly options: ServerOptions) {
    // Node would answer 400 to a request without Host before we could; proxies' clients may leave it out in CONNECT.
    this.#http = http.createServer({ requireHostHeader: false, maxHeaderSize: 64 * 1024, keepAliveTimeout: 60_000 });
    this.#http.on("request", (request, response) => void this.#request(request, response));
    this.#http.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
      try {
        assertAcceptableLength(request);
        response.writeContinue();
      } catch {
        response.setHeader("connection", "close");
      }
      void this.#request(request, response);
    });
    this.#http.on("connect", (request, socket, head) => {
      // What came in one piece with the CONNECT, such as the TLS hello of a client that does not wait.
      if (head.length > 0) socket.unshift(head);
      this.#connect(request, socket);
    });
    this.#listener = net.createServer((socket) => this.#accept(socket));
  }

  /** Listens on 127.0.0.1; port 0 takes any. Rejects with the system's error. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.once("error", reject);
      this.#listener.listen(port, "127.0.0.1", () => {
        this.#listener.off("error", reject);
        resolve();
      });
    });
    return (this.#listener.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // A client that goes away is no news; the request's handler notices by itself.
    socket.on("error", () => socket.destroy());
  }

  #accept(socket: net.Socket): void {
    this.#track(socket);
    socket.once("data", (first) => {
      socket.pause();
      socket.unshift(first);
      const resume = (): void => process.nextTick(() => socket.resume());
      if (first[0] === tlsHandshake) {
        void this.#terminate(socket, undefined).then(resume);
      } else {
        this.#serve(socket, { secure: false });
        resume();
      }
    });
  }

  #serve(socket: Duplex, connection: Connection): void {
    this.#connections.set(socket, connection);
    this.#http.emit("connection", socket);
  }

  /** Ends TLS for a host behind a CONNECT, which it accepts, or for the listener itself. HTTP/1.1 inside. Never rejects. */
  async #terminate(socket: Duplex, tunnel: Tunnel | undefined): Promise<void> {
    try {
      const secureContext = await this.#context(tunnel?.host, tunnel?.port);
      if (socket.destroyed) return;
      if (tunnel) socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      const secured = new tls.TLSSocket(socket, {
        isServer: true,
        secureContext,
        ALPNProtocols: ["http/1.1"],
        SNICallback: (name, done) => {
          const host = name.toLowerCase();
          const port = tunnel?.port ?? "";
          if (host === tunnel?.host || (!tunnel && isLoopback(host))) done(null);
          else if (this.#serves(host, port)) this.#context(host, port).then((context) => done(null, context), done);
          else done(new Error(`The sandbox serves no ${host}.`));
        },
      });
      this.#track(secured);
      this.#serve(secured, { secure: true, ...(tunnel && { tunnel: tunnel.authority }) });
    } catch (error) {
      this.options.log(`TLS for ${tunnel?.authority ?? "loopback"}: ${error instanceof Error ? error.message : String(error)}`);
      socket.destroy();
    }
  }

  /** The certificate of a host, or of the loopback listener where there is none. */
  async #context(host: string | undefined, port = ""): Promise<tls.SecureContext> {
    const authority = await this.options.authority(host ?? "localhost", port);
    return host === undefined ? authority.loopbackContext() : authority.context(host);
  }

  #connect(request: http.IncomingMessage, socket: Duplex): void {
    const target = parseAuthority(request.url ?? "");
    const nested = this.#connections.get(socket)?.tunnel !== undefined;
    const port = target?.port === "443" ? "" : (target?.port ?? "");
    if (!target || nested || !this.#serves(target.host, port)) {
      const body = `${refusal(target?.host ?? request.url ?? "")}\n`;
      const length = Buffer.byteLength(body);
      const fields = ["content-type: text/plain; charset=utf-8", `content-length: ${length}`, "connection: close"];
      socket.end(`HTTP/1.1 403 Forbidden\r\n${fields.join("\r\n")}\r\n\r\n${body}`);
      return;
    }
    void this.#terminate(socket, { host: target.host, port, authority: port === "" ? target.host : `${target.host}:${port}` });
  }

  #serves(host: string, port: string): boolean {
    const probe = anyRequestTo(host, port);
    return this.options.services.some((service) => service.serves(host, false, probe));
  }

  async #request(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const method = incoming.method ?? "GET";
    try {
      const connection = this.#connections.get(incoming.socket) ?? { secure: false };
      const request = await readRequest(incoming, connection.secure, connection.tunnel ?? "127.0.0.1");
      writeResponse(outgoing, method, await this.#answer(request, connection));
    } catch (error) {
      if (incoming.destroyed && !incoming.complete) return;
      if (error instanceof WireError) {
        outgoing.setHeader("connection", "close");
        writeResponse(outgoing, method, textResponse(error.status, error.message));
        return;
      }
      this.options.log(`${method} ${incoming.headers.host ?? ""}: ${error instanceof Error ? error.message : String(error)}`);
      writeResponse(outgoing, method, textResponse(500, "The sandbox failed at this request; its log says why."));
    }
  }

  #answer(request: WireRequest, connection: Connection): Promise<WireResponse> {
    const direct = connection.tunnel === undefined && isLoopback(request.host);
    if (connection.tunnel === undefined && request.rawTarget.startsWith(adminPrefix)) {
      // Another site's page in a browser reaches loopback under its own name (DNS rebinding) or with an Origin.
      if (!direct) throw new WireError(403, "The admin API answers under a loopback name only.");
      if (request.headers["origin"] !== undefined) throw new WireError(403, "The admin API does not answer web pages.");
      return this.options.admin(request);
    }
    const service = this.options.services.find((candidate) => candidate.serves(request.host, direct, request));
    if (!service) throw new WireError(403, refusal(request.host));
    return service.handle(request);
  }
}

/** First byte of a TLS record that carries a handshake (RFC 8446 section 5.1). */
const tlsHandshake = 0x16;

function refusal(host: string): string {
  return `The sandbox serves no ${JSON.stringify(host)} and forwards nothing: see docs/sandbox.md for the hosts that end here.`;
}
