/** Access tokens of the sandbox's Entra: JWTs in v1's form, signed by one key, and whom each of them proves. */
import { createPublicKey, type KeyObject, randomUUID, verify } from "node:crypto";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import { newKey, publicJwk, type PublicJwk, signJwt } from "../issuer-keys.js";
import type { SandboxCore } from "../types.js";
import type { DirectoryPrincipal } from "./directory.js";
import { tokenIssuer } from "./errors.js";
import { SIGNING_KEY } from "./store-types.js";
import type { AzureCaller } from "./types.js";

/** Seconds that a token is good for, without the random part that Entra adds. https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime */
export const TOKEN_SECONDS = 3599;

export interface Refused {
  fault: "missing" | "invalid" | "expired" | "audience";
  /** The token's, where that is what is wrong with it. */
  audience?: string;
}

interface SigningKey {
  kid: string;
  privateKeyPem: string;
}

/** https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
interface Claims {
  aud: string;
  iss: string;
  iat: number;
  nbf: number;
  exp: number;
  appid: string;
  oid: string;
  sub: string;
  tid: string;
  idtyp: "app";
  ver: "1.0";
  uti: string;
  roles?: readonly string[];
}

export type Inspected = { caller: AzureCaller } | Refused;

export class Tokens {
  #parsed: { kid: string; key: KeyObject } | undefined;
  #making: Promise<SigningKey> | undefined;

  constructor(private readonly core: SandboxCore) {}

  /** `resource` is the audience, as the scope named it. */
  async issue(principal: DirectoryPrincipal, resource: string, cloud: AzureCloudFacts, roles: readonly string[] = []): Promise<string> {
    const { kid, privateKeyPem } = await this.#signingKey();
    const now = Math.floor(this.core.clock.now().getTime() / 1000);
    const claims: Claims = {
      aud: resource,
      iss: tokenIssuer(principal.tenantId, cloud),
      iat: now,
      nbf: now,
      exp: now + TOKEN_SECONDS,
      appid: principal.clientId,
      oid: principal.objectId,
      sub: principal.objectId,
      tid: principal.tenantId,
      idtyp: "app",
      ver: "1.0",
      uti: randomUUID().replaceAll("-", "").slice(0, 22),
      ...(roles.length > 0 && { roles }),
    };
    return signJwt({ typ: "JWT", alg: "RS256", kid, x5t: kid }, claims, privateKeyPem);
  }

  /** Whom the token proves at a service of these audiences, or what is wrong with it. */
  inspect(token: string | undefined, audiences: readonly string[]): Inspected {
    if (token === undefined) return { fault: "missing" };
    const claims = this.#verified(token);
    if (!claims) return { fault: "invalid" };
    if (claims.exp * 1000 <= this.core.clock.now().getTime()) return { fault: "expired" };
    if (!audiences.some((audience) => sameResource(audience, claims.aud))) return { fault: "audience", audience: claims.aud };
    return { caller: { kind: "servicePrincipal", tenantId: claims.tid, objectId: claims.oid, clientId: claims.appid, name: claims.appid, audience: claims.aud } };
  }

  /** What clients check tokens by. */
  async keys(): Promise<PublicJwk[]> {
    const { kid, privateKeyPem } = await this.#signingKey();
    return [{ ...publicJwk(privateKeyPem, kid, "RS256"), x5t: kid }];
  }

  #verified(token: string): Claims | undefined {
    const key = this.core.store.get<SigningKey>(SIGNING_KEY, "current");
    const [header = "", payload = "", signature = ""] = token.split(".");
    if (!key || !verify("sha256", Buffer.from(`${header}.${payload}`), this.#publicKey(key), Buffer.from(signature, "base64url"))) return undefined;
    return JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Claims;
  }

  /** Taking a key out of its text costs more than checking a signature. */
  #publicKey({ kid, privateKeyPem }: SigningKey): KeyObject {
    if (this.#parsed?.kid !== kid) this.#parsed = { kid, key: createPublicKey(privateKeyPem) };
    return this.#parsed.key;
  }

  /** Made when a token is first asked for: a sandbox for other clouds needs none. */
  async #signingKey(): Promise<SigningKey> {
    const known = this.core.store.get<SigningKey>(SIGNING_KEY, "current");
    if (known) return known;
    this.#making ??= newKey("RS256").then((privateKeyPem) => {
      const made: SigningKey = { kid: randomUUID().replaceAll("-", ""), privateKeyPem };
      this.core.store.put(SIGNING_KEY, "current", made);
      this.#making = undefined;
      return made;
    });
    return this.#making;
  }
}

/** A slash at the end makes no difference. */
export const sameResource = (a: string, b: string): boolean => a.replace(/\/+$/, "").toLowerCase() === b.replace(/\/+$/, "").toLowerCase();

export const ANONYMOUS: AzureCaller = { kind: "anonymous", tenantId: "", objectId: "", clientId: "", name: "", audience: "" };
