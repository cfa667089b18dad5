/** Google's OAuth endpoints: fresh access tokens for a user's refresh token, and what a token stands for. https://developers.google.com/identity/protocols/oauth2 */
import { createHash } from "node:crypto";
import type { Issuer, Issuers } from "../issuers.js";
import type { Clock, WireResponse } from "../types.js";
import { json, renderError } from "./errors.js";
import { RawAnswer, type GcpRequest, type GcpRoute, type GcpService } from "./service.js";
import type { Tokens } from "./tokens.js";
import { GcpError } from "./types.js";

/** Seconds that a refreshed access token lasts. */
const REFRESHED_SECONDS = 3599;
/** Signs identity tokens. */
export const GOOGLE_ISSUER = "https://accounts.google.com";

export interface OauthParts {
  tokens: Tokens;
  issuers: Issuers;
  clock: Clock;
}

const HOSTS = ["oauth2.googleapis.com", "www.googleapis.com", "accounts.google.com", "openidconnect.googleapis.com"];

/** OAuth's flat error (RFC 6749 section 5.2). */
export function oauthError(status: number, error: string, description: string): WireResponse {
  return json(status, { error, error_description: description });
}

export function createOauth({ tokens, issuers, clock }: OauthParts): GcpService {
  const google = googleIssuer(issuers);
  const token = (request: GcpRequest): RawAnswer => {
    const form = formOf(request);
    if (form.get("grant_type") !== "refresh_token") return new RawAnswer(oauthError(400, "unsupported_grant_type", `Invalid grant_type: ${form.get("grant_type") ?? ""}`));
    const fresh = tokens.refresh(form.get("refresh_token") ?? "", REFRESHED_SECONDS);
    if (!fresh) return new RawAnswer(oauthError(400, "invalid_grant", "Bad Request"));
    return new RawAnswer(json(200, { access_token: fresh.accessToken, expires_in: REFRESHED_SECONDS, scope: "https://www.googleapis.com/auth/cloud-platform", token_type: "Bearer" }));
  };
  const tokeninfo = (request: GcpRequest): RawAnswer => {
    const given = formOf(request).get("access_token") ?? request.query.get("access_token") ?? "";
    const inspected = tokens.inspect(given);
    // Tokens of workload identity federation are none of OAuth's.
    if (!("caller" in inspected) || inspected.record.proves.kind === "federated") return new RawAnswer(oauthError(400, "invalid_token", "Invalid Value"));
    const { email } = inspected.record.proves;
    const expires = inspected.record.expiresAt === undefined ? undefined : Math.floor(Date.parse(inspected.record.expiresAt) / 1000);
    const sub = "uniqueId" in inspected.record.proves ? inspected.record.proves.uniqueId : subjectOf(email);
    return new RawAnswer(
      json(200, {
        azp: sub,
        aud: sub,
        sub,
        scope: inspected.record.scopes.join(" "),
        ...(expires !== undefined && { exp: String(expires), expires_in: String(expires - Math.floor(clock.now().getTime() / 1000)) }),
        email,
        email_verified: "true",
        access_type: "online",
      }),
    );
  };
  const userinfo = async ({ caller }: GcpRequest): Promise<object> => ({ sub: subjectOf(caller.name), email: caller.name, email_verified: true });
  const certificates = async (): Promise<object> => ({ keys: (await google()).keys.map(({ jwk }) => jwk) });

  const open = (method: GcpRoute["method"], path: string, operation: string, run: GcpRoute["run"]): GcpRoute => ({ method, path, operation, anonymous: true, run });
  return {
    name: "oauth2",
    api: undefined,
    serves: (host) => HOSTS.includes(host),
    routes: [
      open("POST", "/token", "oauth2:Token", async (request) => token(request)),
      open("POST", "/o/oauth2/token", "oauth2:Token", async (request) => token(request)),
      ...["/tokeninfo", "/oauth2/v1/tokeninfo", "/oauth2/v3/tokeninfo"].flatMap((path) => [
        open("GET", path, "oauth2:TokenInfo", async (request) => tokeninfo(request)),
        open("POST", path, "oauth2:TokenInfo", async (request) => tokeninfo(request)),
      ]),
      { method: "GET", path: "/v1/userinfo", operation: "oauth2:UserInfo", run: userinfo },
      { method: "GET", path: "/oauth2/v3/userinfo", operation: "oauth2:UserInfo", run: userinfo },
      open("GET", "/oauth2/v3/certs", "oauth2:Certificates", certificates),
    ],
    renderError: (error) => (error instanceof GcpError && error.status === "UNIMPLEMENTED" ? json(404, { error: "not_found", error_description: error.message }) : renderError(error)),
  };
}

/** Makes Google's issuer when it is first needed: a sandbox for other clouds has none. */
export function googleIssuer(issuers: Issuers): () => Promise<Issuer> {
  let made: Promise<Issuer> | undefined;
  return async () => {
    const known = issuers.find(GOOGLE_ISSUER);
    if (known) return known;
    made ??= issuers.create(GOOGLE_ISSUER).finally(() => (made = undefined));
    return made;
  };
}

export function formOf({ raw }: { raw: Buffer }): URLSearchParams {
  return new URLSearchParams(raw.toString("utf8"));
}

/** 21 digits that stay the same for a person. */
export function subjectOf(email: string): string {
  return `1${(BigInt(`0x${createHash("sha256").update(email).digest("hex")}`) % 10n ** 20n).toString().padStart(20, "0")}`;
}
