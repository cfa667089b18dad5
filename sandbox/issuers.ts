import { randomBytes } from "node:crypto";
import { InputError } from "./errors.js";
import { newKey, publicJwk, signJwt, type PublicJwk, type SigningAlgorithm } from "./issuer-keys.js";
import type { Clock, ResourceStore } from "./types.js";

/** The issuer that every sandbox has. */
export const defaultIssuerUrl = "https://oidc.dcf.example";
/** What AWS's own clients register and ask for. */
export const defaultAudience = "sts.amazonaws.com";
export const defaultLifetimeSeconds = 3600;

/** How an issuer answers otherwise than it should; an empty object is a healthy issuer. */
export interface IssuerBehaviour {
  /** Members put over the discovery document; null removes one. */
  discovery?: Record<string, unknown>;
  /** Answered instead of the key set, as it is. */
  jwks?: unknown;
  /** Seconds before every answer. STS gives up after 5. */
  delaySeconds?: number;
  /** Answered instead of 200, with an empty body. */
  status?: number;
  /** `untrusted`: from an authority that nobody knows. */
  certificate?: "trusted" | "untrusted";
}

export interface IssuerKey {
  kid: string;
  algorithm: SigningAlgorithm;
  /** As published; another key's numbers after {@link Issuers.publishForeignKey}. */
  jwk: PublicJwk;
}

/** An issuer as everybody may see it. Private keys are kept apart, under a `secret:` type. */
export interface Issuer {
  /** The `iss` of its tokens, exactly. */
  url: string;
  /** Of new keys. */
  algorithm: SigningAlgorithm;
  keys: IssuerKey[];
  /** Where its keys are, where that is not the usual place below its URL. */
  jwksUri?: string;
  /** Signs unless told otherwise. */
  signingKid: string;
  behaviour: IssuerBehaviour;
}

export interface TokenOrder {
  /** Default {@link defaultIssuerUrl}. */
  issuer?: string;
  subject: string;
  /** Default {@link defaultAudience}. */
  audience?: string | string[];
  /** From now, by the sandbox's clock; negative for a token that is expired already. Default {@link defaultLifetimeSeconds}. */
  expiresInSeconds?: number;
  /** Further claims, which also replace the ones above. */
  claims?: Record<string, unknown>;
  /** Claims to leave out, such as `iat`. */
  omit?: string[];
  /** Further members of the header, which also replace `alg`, `typ` and `kid`; null leaves one out. */
  header?: Record<string, unknown>;
  /** Sign with this key of the issuer and name it; an unknown one is named while the current key signs. */
  kid?: string;
  /** Sign with a key that the issuer never published, under the kid of one that it did. */
  foreignKey?: boolean;
}

const issuerType = "sandbox:oidc/issuer";
const keyType = "secret:oidc/issuer-key";

/** The OIDC issuers of a sandbox. All of their state is in the store, so that it comes back with snapshots and state files. */
export class Issuers {
  readonly #foreign = new Map<SigningAlgorithm, Promise<string>>();

  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Clock,
  ) {}

  list(): Issuer[] {
    return this.store.list<Issuer>(issuerType).map(({ value }) => value);
  }

  find(url: string): Issuer | undefined {
    return this.store.get<Issuer>(issuerType, url);
  }

  /** Throws an Error that names what exists. */
  get(url: string): Issuer {
    const issuer = this.find(url);
    if (issuer) return issuer;
    const known = this.list().map((other) => other.url);
    throw new InputError(`No issuer ${url} in this sandbox (there is: ${known.join(", ") || "none"}).`);
  }

  /** Makes an issuer with one key. Throws when the URL is none, taken, or served at the same place as another one's. */
  async create(url: string, algorithm: SigningAlgorithm = "RS256", jwksUri?: string): Promise<Issuer> {
    this.#assertFree(url);
    const key = await newKey(algorithm);
    this.#assertFree(url);
    const issuer: Issuer = { url, algorithm, keys: [], ...(jwksUri !== undefined && { jwksUri }), signingKid: "", behaviour: {} };
    return this.#addKey(issuer, key);
  }

  delete(url: string): void {
    for (const key of this.get(url).keys) this.store.delete(keyType, keyId(url, key.kid));
    this.store.delete(issuerType, url);
  }

  /** Adds a key and signs with it from now on; earlier keys stay published until they are removed. */
  async rotate(url: string): Promise<Issuer> {
    const key = await newKey(this.get(url).algorithm);
    return this.#addKey(this.get(url), key);
  }

  /** Stops publishing a key (default: the one that signs now); tokens are still signed with it if it signs. */
  removeKey(url: string, kid?: string): Issuer {
    const issuer = this.get(url);
    const removed = publishedKey(issuer, kid);
    return this.#write({ ...issuer, keys: issuer.keys.filter((key) => key !== removed) });
  }

  /** Publishes another key's numbers under a kid (default: the one that signs now), so that signatures do not match. */
  async publishForeignKey(url: string, kid?: string): Promise<Issuer> {
    const { algorithm } = publishedKey(this.get(url), kid);
    const foreign = await this.#foreignKey(algorithm);
    const issuer = this.get(url);
    const replaced = publishedKey(issuer, kid);
    replaced.jwk = publicJwk(foreign, replaced.kid, algorithm);
    return this.#write(issuer);
  }

  /** Replaces the issuer's behaviour; `{}` heals it. */
  behave(url: string, behaviour: IssuerBehaviour): Issuer {
    return this.#write({ ...this.get(url), behaviour });
  }

  /** Signs a token with the issuer's key. Nothing is checked: tokens that must be refused are made here too. */
  async mint(order: TokenOrder): Promise<string> {
    const issuer = this.get(order.issuer ?? defaultIssuerUrl);
    const ownKid = this.store.get(keyType, keyId(issuer.url, order.kid ?? "")) === undefined ? issuer.signingKid : (order.kid ?? "");
    const own = this.store.get<StoredKey>(keyType, keyId(issuer.url, ownKid));
    if (!own) throw new InputError(`The issuer ${issuer.url} has lost its private key ${ownKid}: rotate its keys.`);
    const key = order.foreignKey ? await this.#foreignKey(own.algorithm) : own.privatePem;
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const expires = now + Math.round(order.expiresInSeconds ?? defaultLifetimeSeconds);
    const issued = Math.min(now, expires - 1);
    const claims: Record<string, unknown> = {
      iss: issuer.url,
      sub: order.subject,
      aud: order.audience ?? defaultAudience,
      iat: issued,
      nbf: issued,
      exp: expires,
      jti: randomBytes(12).toString("base64url"),
      ...order.claims,
    };
    const header: Record<string, unknown> = { alg: own.algorithm, typ: "JWT", kid: order.kid ?? ownKid, ...order.header };
    const left = (members: Record<string, unknown>, out: (name: string, value: unknown) => boolean): object =>
      Object.fromEntries(Object.entries(members).filter(([name, value]) => !out(name, value)));
    return signJwt(
      left(header, (_, value) => value === null),
      left(claims, (name) => order.omit?.includes(name) ?? false),
      key,
    );
  }

  #assertFree(url: string): void {
    const place = discoveryUrl(url).href;
    const other = this.list().find((issuer) => discoveryUrl(issuer.url).href === place);
    if (!other) return;
    throw new InputError(
      other.url === url
        ? `The issuer ${url} exists already.`
        : `The issuer ${url} would answer at the same place as ${other.url}: ${place}.`,
    );
  }

  #addKey(issuer: Issuer, privatePem: string): Issuer {
    const { algorithm } = issuer;
    const kid = randomBytes(8).toString("hex");
    const stored: StoredKey = { algorithm, privatePem };
    this.store.put(keyType, keyId(issuer.url, kid), stored);
    const published: IssuerKey = { kid, algorithm, jwk: publicJwk(privatePem, kid, algorithm) };
    return this.#write({ ...issuer, keys: [...issuer.keys, published], signingKid: kid });
  }

  #write(issuer: Issuer): Issuer {
    this.store.put(issuerType, issuer.url, issuer);
    return issuer;
  }

  #foreignKey(algorithm: SigningAlgorithm): Promise<string> {
    const key = this.#foreign.get(algorithm) ?? newKey(algorithm);
    this.#foreign.set(algorithm, key);
    return key;
  }
}

interface StoredKey {
  algorithm: SigningAlgorithm;
  privatePem: string;
}

function keyId(url: string, kid: string): string {
  return `${url}#${kid}`;
}

function publishedKey(issuer: Issuer, kid = issuer.signingKid): IssuerKey {
  const key = issuer.keys.find((candidate) => candidate.kid === kid);
  if (key) return key;
  const published = issuer.keys.map((candidate) => candidate.kid);
  throw new InputError(`The issuer ${issuer.url} publishes no key ${kid} (it publishes: ${published.join(", ") || "none"}).`);
}

/** Throws an Error that says what an issuer URL has to look like. */
export function issuerUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const wrong =
    parsed === undefined
      ? "it is not a URL"
      : parsed.protocol !== "https:"
        ? "it has to start with https://"
        : parsed.search !== "" || parsed.hash !== "" || parsed.username !== ""
          ? "it may have neither query nor fragment nor user"
          : undefined;
  if (parsed === undefined || wrong !== undefined) throw new InputError(`${JSON.stringify(url)} cannot be an issuer: ${wrong ?? ""}.`);
  return parsed;
}

/** OpenID Connect Discovery 1.0 section 4: a slash at the end of the issuer is not doubled. */
export function discoveryUrl(issuer: string): URL {
  return wellKnown(issuer, "openid-configuration");
}

export function jwksUrl({ url, jwksUri }: Pick<Issuer, "url" | "jwksUri">): URL {
  return jwksUri === undefined ? wellKnown(url, "jwks.json") : new URL(jwksUri);
}

function wellKnown(issuer: string, document: string): URL {
  issuerUrl(issuer);
  return new URL(`${issuer.replace(/\/$/, "")}/.well-known/${document}`);
}
