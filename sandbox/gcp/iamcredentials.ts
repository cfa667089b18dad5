/** Short-lived credentials of service accounts for those who may have them. https://cloud.google.com/iam/docs/reference/credentials/rest */
import * as z from "zod";
import { CREDENTIALS_REFUSALS, type CredentialsRefusalFact } from "../../facts/gcp/iam-credentials.js";
import { LIFETIME_EXTENSION_CONSTRAINT, SERVICE_ACCOUNT_TOKEN_SECONDS } from "../../facts/gcp/sts.js";
import type { Issuers } from "../issuers.js";
import { invalidArgument, permissionDenied } from "./errors.js";
import type { IamStore, ServiceAccountRecord } from "./iam-store.js";
import { GOOGLE_ISSUER, googleIssuer } from "./oauth.js";
import type { OrgPolicies } from "./org-policies.js";
import type { GcpRequest, GcpRoute, GcpService, GcpServiceContext } from "./service.js";
import type { Tokens } from "./tokens.js";
import { GcpError, type GcpCaller, type GcpResource } from "./types.js";

export interface CredentialsParts {
  context: GcpServiceContext;
  iam: IamStore;
  tokens: Tokens;
  issuers: Issuers;
  orgPolicies: OrgPolicies;
}

const ID_TOKEN_SECONDS = 3600;
const ACCOUNT = /^(?:[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com|\d{15,25})$/;
const SCOPE = /^(?:https:\/\/(?:www\.googleapis\.com\/auth\/[\w.-]+|mail\.google\.com\/|www\.google\.com\/\S+)|openid|email|profile)$/;
/** https://protobuf.dev/reference/protobuf/google.protobuf/#duration */
const DURATION = /^(-?\d+)(?:\.\d{1,9})?s$/;

const delegates = z.array(z.string()).nullish();
const accessTokenForm = z.object({ scope: z.array(z.string().regex(SCOPE)).min(1), lifetime: z.string().regex(DURATION).nullish(), delegates });
const idTokenForm = z.object({ audience: z.string().min(1), includeEmail: z.boolean().nullish(), delegates });
const signingForm = z.object({ payload: z.string().min(1), delegates });

export function createIamCredentials(parts: CredentialsParts): GcpService {
  const google = googleIssuer(parts.issuers);
  const route = (verb: string, operation: string, run: GcpRoute["run"]): GcpRoute => ({
    method: "POST",
    path: `/v1/projects/{project}/serviceAccounts/{account}:${verb}`,
    operation: `iamcredentials:${operation}`,
    consumer: (request) => consumerOf(parts, request),
    run,
  });
  return {
    name: "iamcredentials",
    api: "iamcredentials.googleapis.com",
    serves: (host) => host === "iamcredentials.googleapis.com",
    routes: [
      route("generateAccessToken", "GenerateAccessToken", async (request) => generateAccessToken(parts, request)),
      route("generateIdToken", "GenerateIdToken", async (request) => {
        const { audience, includeEmail, ...form } = read(idTokenForm, request);
        const account = authorise(parts, request, "iam.serviceAccounts.getOpenIdToken", form.delegates);
        await google();
        return { token: await mintIdToken(parts, account, audience, includeEmail === true) };
      }),
      route("signBlob", "SignBlob", async (request) => refuseSigning(parts, request, "iam.serviceAccounts.signBlob")),
      route("signJwt", "SignJwt", async (request) => refuseSigning(parts, request, "iam.serviceAccounts.signJwt")),
      // Clients ask for it in the background and go on without.
      { method: "GET", path: "/v1/projects/{project}/serviceAccounts/{account}/allowedLocations", operation: "iamcredentials:GetAllowedLocations", run: async () => ({ locations: [], encodedLocations: "0x0" }) },
    ],
  };
}

function generateAccessToken(parts: CredentialsParts, request: GcpRequest): object {
  const { scope, lifetime, delegates: chain } = read(accessTokenForm, request);
  const account = authorise(parts, request, "iam.serviceAccounts.getAccessToken", chain);
  const seconds = lifetime == null ? SERVICE_ACCOUNT_TOKEN_SECONDS.default : Number(DURATION.exec(lifetime)?.[1] ?? 0);
  if (seconds <= 0) throw refusal(CREDENTIALS_REFUSALS.lifetimeZero);
  if (seconds > longest(parts, account)) throw refusal(CREDENTIALS_REFUSALS.lifetimeTooLong, account.email);
  const expires = new Date(parts.context.core.clock.now().getTime() + seconds * 1000);
  return { accessToken: parts.tokens.issueServiceAccount(account, request.caller, scope, seconds), expireTime: `${expires.toISOString().slice(0, 19)}Z` };
}

/** Longer only for accounts that the organisation lists. */
function longest({ orgPolicies }: CredentialsParts, { email, projectId }: ServiceAccountRecord): number {
  const constraint = LIFETIME_EXTENSION_CONSTRAINT.replace(/^constraints\//, "");
  const extended = orgPolicies.effective(constraint, projectId) !== undefined && orgPolicies.allows(constraint, projectId, email);
  return extended ? SERVICE_ACCOUNT_TOKEN_SECONDS.extended : SERVICE_ACCOUNT_TOKEN_SECONDS.max;
}

function mintIdToken({ issuers }: CredentialsParts, { email, uniqueId }: ServiceAccountRecord, audience: string, includeEmail: boolean): Promise<string> {
  const claims = { azp: uniqueId, ...(includeEmail && { email, email_verified: true }) };
  return issuers.mint({ issuer: GOOGLE_ISSUER, subject: uniqueId, audience, expiresInSeconds: ID_TOKEN_SECONDS, claims, omit: ["nbf", "jti"] });
}

/** Nobody who was granted what the integrations need may sign; for those who may there is no key. */
function refuseSigning(parts: CredentialsParts, request: GcpRequest, permission: string): never {
  authorise(parts, request, permission, read(signingForm, request).delegates);
  throw new GcpError("UNIMPLEMENTED", "The sandbox signs nothing with the keys of service accounts.");
}

function read<T>(form: z.ZodType<T>, { params, body }: GcpRequest): T {
  const result = form.safeParse(body ?? {});
  if (params["project"] !== "-" || !ACCOUNT.test(params["account"] ?? "") || !result.success) throw invalidArgument();
  return result.data;
}

/** The account, once the caller may have credentials of it, if need be over a chain of others. */
function authorise({ context, iam, tokens }: CredentialsParts, { caller, params }: GcpRequest, permission: string, chain: readonly string[] | null | undefined): ServiceAccountRecord {
  let acting = caller;
  for (const delegate of chain ?? []) {
    const account = require(acting, "iam.serviceAccounts.implicitDelegation", /^projects\/-\/serviceAccounts\/(.+)$/.exec(delegate)?.[1] ?? "");
    acting = tokens.serviceAccountCaller(account);
  }
  return require(acting, permission, params["account"] ?? "");

  function require(by: GcpCaller, wanted: string, name: string): ServiceAccountRecord {
    const account = iam.serviceAccount(name, "-", "effective");
    if (!account) throw absent(by, wanted, name);
    context.require(by, wanted, resourceOf(account.projectId, account.email));
    // A disabled account has no credentials for anybody.
    if (account.disabled === true) throw permissionDenied(wanted, resourceOf(account.projectId, account.email).name);
    return account;
  }

  /** Only who could have had a token of it, by the project's policy, is told that it is not there. */
  function absent(by: GcpCaller, wanted: string, name: string): GcpError {
    const project = context.cloud.project(projectOf(name) ?? "");
    const known = project && context.allows(by, wanted, resourceOf(project.projectId, name));
    return known ? refusal(CREDENTIALS_REFUSALS.unknownAccount, name) : permissionDenied(wanted, resourceOf("-", name).name);
  }
}

function resourceOf(projectId: string, email: string): GcpResource {
  return { name: `//iam.googleapis.com/projects/${projectId}/serviceAccounts/${email}`, type: "iam.googleapis.com/ServiceAccount", projectId };
}

/** Id of the project in an address. */
const projectOf = (email: string): string | undefined => /@([^.]+)\.iam\.gserviceaccount\.com$/.exec(email)?.[1];

/**
 * The project whose API a call uses: that of the pool or the account that the token is of; users' own clients have none here, so
 * theirs is the account's.
 */
function consumerOf({ iam }: CredentialsParts, { caller, params, headers }: GcpRequest): string | undefined {
  if (headers["x-goog-user-project"] !== undefined) return undefined;
  const account = params["account"] ?? "";
  if (caller.kind === "federated") return /\/projects\/(\d+)\//.exec(caller.name)?.[1];
  return projectOf(caller.kind === "serviceAccount" ? caller.name : account) ?? iam.serviceAccount(account)?.projectId;
}

function refusal(fact: CredentialsRefusalFact, ...values: string[]): GcpError {
  return new GcpError(fact.status, fact.text(...values));
}
