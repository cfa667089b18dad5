/** A registry's own tokens: given for an Entra token or a password, each for what its holder may do. https://azure.github.io/acr/AAD-OAuth.html */
import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS, type RepositoryRight, TOKEN_USER, registryRefusals, repositoryRights } from "../../facts/azure/container-registry.js";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import type { WireRequest, WireResponse } from "../types.js";
import { type Registries, refuse } from "./container-registry-access.js";
import { adminPasswords } from "./container-registry-passwords.js";
import type { ArmResource, AzureServiceContext } from "./service.js";
import type { AzureCaller } from "./types.js";

/** Whom credentials of a registry prove. */
export type Holder = { kind: "entra"; caller: AzureCaller } | { kind: "admin" } | { kind: "anonymous" };

/** What a token is good for; `*` stands for every action. */
interface Access {
  type: "repository" | "registry";
  name: string;
  actions: readonly string[];
}

interface TokenRecord {
  kind: "refresh" | "access";
  registryId: string;
  holder: Holder;
  access: readonly Access[];
  /** ISO 8601. */
  expiresAt: string;
}

/** The store keeps secrets under types that begin so. */
const TOKEN = "secret:azure/registry-token";

/** What a request may do. */
export interface Session {
  can(right: RepositoryRight, repository: string): boolean;
  catalog(): boolean;
}

export class RegistryTokens {
  constructor(
    private readonly context: AzureServiceContext,
    private readonly registries: Registries,
  ) {}

  /** Undefined where there are no credentials, or those of nobody. */
  session(registry: ArmResource, { headers }: WireRequest): Session | undefined {
    const [scheme = "", value = ""] = (headers["authorization"] ?? "").split(/ +/);
    if (scheme.toLowerCase() === "bearer") {
      const access = this.#find(registry, "access", value)?.access;
      const has = (type: Access["type"], name: string, action: string): boolean =>
        access?.some((each) => each.type === type && each.name === name && (each.actions.includes("*") || each.actions.includes(action))) === true;
      return access && { can: (right, repository) => has("repository", repository, right), catalog: () => has("registry", "catalog", "*") };
    }
    const holder = this.#holderOf(registry, headers["authorization"]);
    return holder && { can: (right, repository) => this.#may(registry, holder, right, repository), catalog: () => this.#mayList(registry, holder) };
  }

  /** `POST /oauth2/exchange` and `GET` or `POST /oauth2/token`; undefined for every other request. */
  async answer(registry: ArmResource, request: WireRequest): Promise<WireResponse | undefined> {
    const { pathname, searchParams } = request.url;
    const form = new URLSearchParams(request.body.toString("utf8"));
    if (pathname === "/oauth2/exchange" && request.method === "POST") return this.#exchange(registry, form);
    if (pathname !== "/oauth2/token") return undefined;
    if (request.method === "POST") return this.#token(registry, this.#holderOfForm(registry, form), form);
    const anonymous = registry.properties["anonymousPullEnabled"] === true ? ({ kind: "anonymous" } as const) : undefined;
    return this.#token(registry, this.#holderOf(registry, request.headers["authorization"]) ?? anonymous, searchParams);
  }

  #exchange(registry: ArmResource, form: URLSearchParams): WireResponse {
    if (form.get("grant_type") !== "access_token") throw refuse(registryRefusals.requestInvalid("grant_type must be access_token"));
    if (form.get("service")?.toLowerCase() !== registry.properties["loginServer"]) throw refuse(registryRefusals.requestInvalid("service must be the registry's login server"));
    const caller = this.registries.callerOf(registry, form.get("access_token") ?? "");
    if (!caller) throw refuse(registryRefusals.tokenInvalid());
    if (!this.registries.knows(caller, registry)) throw refuse(registryRefusals.unauthorized());
    return json({ refresh_token: this.#issue(registry, "refresh", { kind: "entra", caller }, []) });
  }

  #token(registry: ArmResource, holder: Holder | undefined, asked: URLSearchParams): WireResponse {
    if (!holder) throw refuse(registryRefusals.unauthorized());
    const access = asked
      .getAll("scope")
      .flatMap((scope) => scope.split(" "))
      .flatMap((scope) => this.#granted(registry, holder, scope));
    return json({ access_token: this.#issue(registry, "access", holder, access) });
  }

  /** Of what a scope asks for, what its holder may do. */
  #granted(registry: ArmResource, holder: Holder, scope: string): Access[] {
    const [type = "", name = "", asked = ""] = scope.split(":");
    const actions = asked.split(",");
    if (type === "registry") return name === "catalog" && this.#mayList(registry, holder) ? [{ type, name, actions: ["*"] }] : [];
    if (type !== "repository") return [];
    const rights = repositoryRights.filter((right) => (actions.includes("*") || actions.includes(right)) && this.#may(registry, holder, right, name));
    return rights.length > 0 ? [{ type, name, actions: rights }] : [];
  }

  #may(registry: ArmResource, holder: Holder, right: RepositoryRight, repository: string): boolean {
    if (holder.kind === "entra") return this.registries.allows(holder.caller, registry, right, repository);
    return holder.kind === "admin" || right === "pull" || right === "metadata_read";
  }

  #mayList(registry: ArmResource, holder: Holder): boolean {
    return holder.kind === "entra" ? this.registries.allowsCatalog(holder.caller, registry) : holder.kind === "admin";
  }

  #holderOf(registry: ArmResource, authorization: string | undefined): Holder | undefined {
    const [scheme = "", value = ""] = (authorization ?? "").split(/ +/);
    if (scheme.toLowerCase() !== "basic") return undefined;
    const [user = "", password = ""] = Buffer.from(value, "base64").toString("utf8").split(/:(.*)/s);
    return this.#holderOfPassword(registry, user, password);
  }

  #holderOfForm(registry: ArmResource, form: URLSearchParams): Holder | undefined {
    const grant = form.get("grant_type");
    if (grant === "refresh_token") return this.#find(registry, "refresh", form.get("refresh_token") ?? "")?.holder;
    if (grant === "password") return this.#holderOfPassword(registry, form.get("username") ?? "", form.get("password") ?? "");
    throw refuse(registryRefusals.requestInvalid("grant_type must be refresh_token or password"));
  }

  #holderOfPassword(registry: ArmResource, user: string, password: string): Holder | undefined {
    if (user === TOKEN_USER) return this.#find(registry, "refresh", password)?.holder;
    if (registry.properties["adminUserEnabled"] !== true || user.toLowerCase() !== registry.name.toLowerCase()) return undefined;
    const known = adminPasswords(this.context.core.store, registry).map(({ value }) => value);
    return known.some((each) => same(each, password)) ? { kind: "admin" } : undefined;
  }

  #find({ id }: ArmResource, kind: TokenRecord["kind"], token: string): TokenRecord | undefined {
    const { store, clock } = this.context.core;
    const found = store.get<TokenRecord>(TOKEN, token);
    return found?.kind === kind && found.registryId === id && found.expiresAt > clock.now().toISOString() ? found : undefined;
  }

  /** In the form of a JWT, whose claims clients show; what it is good for the store knows. */
  #issue({ id, properties }: ArmResource, kind: TokenRecord["kind"], holder: Holder, access: readonly Access[]): string {
    const { store, clock } = this.context.core;
    const now = clock.now();
    for (const { id: token, value } of store.list<TokenRecord>(TOKEN)) if (value.expiresAt <= now.toISOString()) store.delete(TOKEN, token);
    const iat = Math.floor(now.getTime() / 1000);
    const exp = iat + (kind === "refresh" ? REFRESH_TOKEN_SECONDS : ACCESS_TOKEN_SECONDS);
    const subject = holder.kind === "entra" ? holder.caller.objectId : holder.kind;
    const claims = { jti: randomUUID(), sub: subject, iat, nbf: iat, exp, iss: "Azure Container Registry", aud: properties["loginServer"], version: "1.0", grant_type: `${kind}_token`, access };
    const token = `${encoded({ typ: "JWT", alg: "RS256" })}.${encoded(claims)}.${SANDBOX_SECRET_MARK}${randomBytes(48).toString("base64url")}`;
    store.put(TOKEN, token, { kind, registryId: id, holder, access, expiresAt: new Date(exp * 1000).toISOString() } satisfies TokenRecord);
    return token;
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const json = (body: object): WireResponse => ({ status: 200, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(body) });

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
