/** Access and refresh tokens, and whom each of them proves. The store knows access tokens by their digest only. */
import { createHash, randomBytes } from "node:crypto";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import { CLOUD_PLATFORM_SCOPE } from "../../facts/gcp/services.js";
import type { FederatedIdentity } from "../../trust/gcp/types.js";
import type { SandboxCore } from "../types.js";
import type { TokenFault } from "./errors.js";
import type { IamStore, ServiceAccountRecord } from "./iam-store.js";
import { GcpError, type GcpCaller } from "./types.js";

const ACCESS_TOKEN = "secret:gcp/access-token";
const USER = "secret:gcp/user";
/** Sandbox time between two clean-ups, milliseconds. */
const PURGE_EVERY_MS = 60_000;

type Proven =
  | { kind: "user"; email: string }
  /** An account made again under the same address does not get the old one's tokens. */
  | { kind: "serviceAccount"; email: string; uniqueId: string; delegatedBy?: string | undefined }
  | { kind: "federated"; pool: string; principal: string; members: readonly string[] };

export interface AccessTokenRecord {
  proves: Proven;
  scopes: readonly string[];
  issuedAt: string;
  /** Absent for the administrator's, which lasts as long as the sandbox. */
  expiresAt?: string;
}

interface UserRecord {
  accessToken: string;
  refreshToken: string;
}

export type Inspected = { caller: GcpCaller; record: AccessTokenRecord } | { fault: TokenFault };

export class Tokens {
  #purgedAt = 0;

  constructor(
    private readonly core: SandboxCore,
    private readonly iam: IamStore,
  ) {}

  /** Whom the token proves now, or what is wrong with it. */
  inspect(token: string): Inspected {
    const record = this.core.store.get<AccessTokenRecord>(ACCESS_TOKEN, digest(token));
    if (!record) return { fault: "ACCESS_TOKEN_TYPE_UNSUPPORTED" };
    if (record.expiresAt !== undefined && Date.parse(record.expiresAt) <= this.core.clock.now().getTime()) return { fault: "ACCESS_TOKEN_EXPIRED" };
    const caller = this.#caller(record);
    return caller ? { caller, record } : { fault: "ACCOUNT_STATE_INVALID" };
  }

  caller(token: string): GcpCaller | undefined {
    const inspected = this.inspect(token);
    return "caller" in inspected ? inspected.caller : undefined;
  }

  issueFederated(pool: string, { principal, members }: FederatedIdentity, scopes: readonly string[], seconds: number): string {
    return this.#issue("ya29.d.", { kind: "federated", pool, principal, members }, scopes, seconds);
  }

  /** `by` is who impersonates the account. */
  issueServiceAccount({ email, uniqueId }: ServiceAccountRecord, by: GcpCaller, scopes: readonly string[], seconds: number): string {
    return this.#issue("ya29.c.", { kind: "serviceAccount", email, uniqueId, delegatedBy: by.members[0] }, scopes, seconds);
  }

  /** A fresh token for a user's refresh token; undefined where the sandbox knows none such. */
  refresh(refreshToken: string, seconds: number): { accessToken: string; email: string } | undefined {
    const user = this.core.store.list<UserRecord>(USER).find(({ value }) => value.refreshToken === refreshToken);
    return user && { accessToken: this.#issue("ya29.a0", { kind: "user", email: user.id }, [CLOUD_PLATFORM_SCOPE], seconds), email: user.id };
  }

  /** A user's lasting tokens; made when first asked for. */
  userTokens(email: string): UserRecord {
    const known = this.core.store.get<UserRecord>(USER, email);
    if (known) return known;
    const accessToken = this.#issue("ya29.a0", { kind: "user", email }, [CLOUD_PLATFORM_SCOPE]);
    const made: UserRecord = { accessToken, refreshToken: secret("1//") };
    this.core.store.put(USER, email, made);
    return made;
  }

  userCaller(email: string, scopes: readonly string[] = []): GcpCaller {
    return { kind: "user", name: email, members: [`user:${email}`, `domain:${email.slice(email.indexOf("@") + 1)}`, ...EVERYBODY], scopes };
  }

  serviceAccountCaller({ email }: ServiceAccountRecord, scopes: readonly string[] = []): GcpCaller {
    return { kind: "serviceAccount", name: email, members: [`serviceAccount:${email}`, ...EVERYBODY], scopes };
  }

  /** The account as enforcement sees it, whose policies and tokens count. */
  livingAccount(emailOrId: string): ServiceAccountRecord | undefined {
    const account = this.iam.serviceAccount(emailOrId, "-", "effective");
    return account?.disabled === true ? undefined : account;
  }

  /** For builds and services that act as an account. */
  actAs(email: string): GcpCaller {
    const account = this.iam.serviceAccount(email, "-", "effective");
    if (!account) throw new GcpError("NOT_FOUND", `Not found; Gaia id not found for email ${email}`);
    if (account.disabled === true) throw new GcpError("FAILED_PRECONDITION", `Service account ${email} is disabled.`);
    return this.serviceAccountCaller(account);
  }

  #caller({ proves, scopes }: AccessTokenRecord): GcpCaller | undefined {
    if (proves.kind === "user") return this.userCaller(proves.email, scopes);
    if (proves.kind === "serviceAccount") {
      const account = this.livingAccount(proves.uniqueId);
      return account && { ...this.serviceAccountCaller(account, scopes), ...(proves.delegatedBy !== undefined && { delegatedBy: proves.delegatedBy }) };
    }
    // The provider may be disabled or gone: what it let in stays. https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers
    const pool = this.iam.pool(proves.pool, "effective");
    if (pool?.state !== "ACTIVE" || pool.disabled) return undefined;
    return { kind: "federated", name: proves.principal, members: [...proves.members, ...EVERYBODY], scopes };
  }

  #issue(prefix: string, proves: Proven, scopes: readonly string[], seconds?: number): string {
    const now = this.core.clock.now().getTime();
    if (Math.abs(now - this.#purgedAt) > PURGE_EVERY_MS) this.#purge(now);
    const token = secret(prefix);
    const record: AccessTokenRecord = { proves, scopes, issuedAt: new Date(now).toISOString(), ...(seconds !== undefined && { expiresAt: new Date(now + seconds * 1000).toISOString() }) };
    this.core.store.put(ACCESS_TOKEN, digest(token), record);
    return token;
  }

  /** Tokens that expired an hour ago and more; until then a refusal can say that they did. */
  #purge(now: number): void {
    this.#purgedAt = now;
    for (const { id, value } of this.core.store.list<AccessTokenRecord>(ACCESS_TOKEN)) {
      if (value.expiresAt !== undefined && Date.parse(value.expiresAt) < now - 3_600_000) this.core.store.delete(ACCESS_TOKEN, id);
    }
  }
}

const EVERYBODY = ["allUsers", "allAuthenticatedUsers"] as const;

export const ANONYMOUS: GcpCaller = { kind: "anonymous", name: "", members: ["allUsers"], scopes: [] };

const secret = (prefix: string): string => `${prefix}${SANDBOX_SECRET_MARK}${randomBytes(48).toString("base64url")}`;

const digest = (token: string): string => createHash("sha256").update(token).digest("base64url");
