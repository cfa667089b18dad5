import { setTimeout as sleep } from "node:timers/promises";
import { signingAlgorithms } from "./issuer-keys.js";
import { discoveryUrl, issuerUrl, jwksUrl, type Issuer, type Issuers } from "./issuers.js";
import { FaultError, type WireRequest, type WireResponse, type WireService } from "./types.js";

/** Serves discovery and keys of every issuer at its own host. */
export class IssuerService implements WireService {
  constructor(
    private readonly issuers: Issuers,
    private readonly enter: (operation: string) => Promise<void>,
  ) {}

  serves(host: string, direct: boolean, request: WireRequest): boolean {
    return !direct && request.secure && this.#at(host, request.url.port).length > 0;
  }

  /** What is at its documents' own paths alone: for hosts that are somebody else's, too. */
  readonly documents: WireService = {
    serves: (host, direct, request) => this.serves(host, direct, request) && this.#at(host, request.url.port).some((issuer) => document(issuer, request.url) !== undefined),
    handle: (request) => this.handle(request),
  };

  /** True when the issuers of this host and port show a certificate that nobody trusts. */
  untrusted(host: string, port: string): boolean {
    return this.#at(host, port).some((issuer) => issuer.behaviour.certificate === "untrusted");
  }

  /** For clients: with the latency and faults of `oidc:GetDiscovery` and `oidc:GetKeys`. */
  async handle(request: WireRequest): Promise<WireResponse> {
    try {
      await this.enter(/\/jwks(\.json)?$/.test(request.url.pathname) ? "oidc:GetKeys" : "oidc:GetDiscovery");
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return json(error.fault.status, { error: error.fault.code, error_description: error.fault.message });
    }
    return this.answer(request);
  }

  /** For the sandbox's own clouds, whose calls have no simulated latency of their own. */
  async answer(request: WireRequest): Promise<WireResponse> {
    for (const issuer of this.#at(request.host, request.url.port)) {
      const found = document(issuer, request.url);
      if (found === undefined) continue;
      const { delaySeconds = 0, status } = issuer.behaviour;
      if (delaySeconds > 0) await sleep(delaySeconds * 1000, undefined, { ref: false });
      if (status !== undefined) return { status };
      if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, headers: { allow: "GET, HEAD" } };
      return json(200, found);
    }
    return json(404, { error: "not_found", error_description: `No issuer's document is at ${request.url.pathname}.` });
  }

  #at(host: string, port: string): Issuer[] {
    return this.issuers.list().filter((issuer) => {
      const url = issuerUrl(issuer.url);
      return url.hostname === host && url.port === port;
    });
  }
}

function document(issuer: Issuer, url: URL): unknown {
  if (url.pathname === discoveryUrl(issuer.url).pathname) return discovery(issuer);
  if (url.pathname === jwksUrl(issuer).pathname) {
    return issuer.behaviour.jwks ?? { keys: issuer.keys.map((key) => key.jwk) };
  }
  return undefined;
}

/** The members that STS insists on, and what OpenID Connect Discovery 1.0 section 3 requires besides. */
function discovery(issuer: Issuer): Record<string, unknown> {
  const document: Record<string, unknown> = {
    issuer: issuer.url,
    jwks_uri: jwksUrl(issuer).href,
    authorization_endpoint: `${issuer.url.replace(/\/$/, "")}/authorize`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...signingAlgorithms],
    claims_supported: ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"],
    ...issuer.behaviour.discovery,
  };
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null));
}

function json(status: number, body: unknown): WireResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
