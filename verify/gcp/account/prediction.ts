/** What STS would answer by the pool and the provider as they stand, and what the policies make of it. */
import { ACCESS_TOKEN_TYPE, AWS_TOKEN_TYPE, GCP_TOKEN_LIMITS, GRANT_TYPE } from "../../../facts/gcp/sts.js";
import { admit, awsAssertion, checkAccount, checkProvider, evaluateTokenExchange } from "../../../trust/gcp/exchange.js";
import { checkAudience, checkIssuer } from "../../../trust/gcp/token-claims.js";
import type { AwsIdentity, ExchangeReason, TokenExchangeAnswer, WorkloadIdentityPool, WorkloadIdentityPoolProvider } from "../../../trust/gcp/types.js";
import type { JsonObject } from "../../../trust/jwt.js";
import type { Workload } from "../../../contract/schema.js";
import type { Cause } from "../../causes.js";
import type { GcpCauseCode } from "../causes.js";
import { cause, PROBE_PREFIX, stsAudience, type GcpRun } from "../run.js";
import { tokenCause } from "../token.js";
import { predictImpersonation } from "./impersonation.js";
import type { ProjectDocuments, Reading } from "./reader.js";
import type { Rights } from "./rights.js";
import type { Prediction } from "./types.js";

/** Pool and provider; undefined members where there is none. */
export interface Trust {
  pool: WorkloadIdentityPool | undefined;
  provider: WorkloadIdentityPoolProvider | undefined;
}

export async function readTrust(documents: ProjectDocuments): Promise<Reading<Trust>> {
  const [pool, provider] = await Promise.all([documents.pool(), documents.provider()]);
  if (pool.status === "unreadable") return pool;
  if (provider.status === "unreadable") return provider;
  return { status: "read", value: { pool: pool.status === "read" ? asPool(pool.value) : undefined, provider: provider.status === "read" ? asProvider(provider.value) : undefined } };
}

function asPool(value: JsonObject): WorkloadIdentityPool {
  return { name: String(value["name"]), state: value["state"] === "DELETED" ? "DELETED" : "ACTIVE", disabled: value["disabled"] === true };
}

/** Google leaves out what is false or empty. */
export function asProvider(value: JsonObject): WorkloadIdentityPoolProvider {
  const { attributeMapping, attributeCondition, oidc, aws } = value as unknown as WorkloadIdentityPoolProvider;
  const condition = attributeCondition === "" ? undefined : attributeCondition;
  return { name: String(value["name"]), state: value["state"] === "DELETED" ? "DELETED" : "ACTIVE", disabled: value["disabled"] === true, attributeMapping, attributeCondition: condition, oidc, aws };
}

export async function predict(run: GcpRun, documents: ProjectDocuments, rights: Rights): Promise<Prediction | undefined> {
  const trust = await readTrust(documents);
  if (trust.status !== "read") return undefined;
  const exchange = await predictExchange(run, trust.value);
  const members = exchange.allowed ? exchange.identity.members : [run.exchange.principal];
  const email = run.exchange.serviceAccountEmail;
  const impersonation = email === undefined ? undefined : await predictImpersonation(run, documents, rights, email, members);
  return { exchange, exchangeCause: await exchangeCause(run, exchange, trust.value), impersonation: impersonation?.answer, impersonationCause: impersonation?.cause };
}

/** Of the run's token where there is one, otherwise of one as the contract's workload has it. */
async function predictExchange(run: GcpRun, trust: Trust): Promise<TokenExchangeAnswer> {
  if (!run.token) return imagine(run, trust, run.contract.workload);
  const { kind, raw } = run.token;
  const answer = await evaluateTokenExchange({
    audience: stsAudience(run.exchange),
    grantType: GRANT_TYPE,
    requestedTokenType: ACCESS_TOKEN_TYPE,
    subjectTokenType: kind === "jwt" ? "urn:ietf:params:oauth:token-type:jwt" : AWS_TOKEN_TYPE,
    subjectToken: raw,
    scope: "https://www.googleapis.com/auth/cloud-platform",
    now: new Date(),
    ...trust,
    issuer: async () => (await run.issuer()).evidence,
    awsIdentity: async () => {
      const caller = await run.awsCaller(raw);
      // Out of reach from here; Google will have asked it.
      return caller.status === "no-answer" ? contractsRole(run.contract.workload.subject) : caller;
    },
  });
  // What is wrong with the issuer's own documents is no matter of the project, and Google may see them otherwise than they are seen from here.
  const ofIssuer = !answer.allowed && run.exchange.issuerKeys !== "uploaded" && OF_ISSUER.has(answer.reason);
  return ofIssuer && run.token.kind === "jwt" ? imagine(run, trust, run.contract.workload, run.token.jwt.claims) : answer;
}

const OF_ISSUER: ReadonlySet<ExchangeReason> = new Set(["discovery-issuer-differs", "issuer-unavailable", "key-unknown", "key-unusable", "signature-invalid"]);

/** What a good token of this workload would be answered with. */
export function imagine(run: GcpRun, { pool, provider }: Trust, { issuer, subject, audience }: Workload, claims: JsonObject = {}): TokenExchangeAnswer {
  const refused = checkProvider(pool, provider);
  if (refused || !provider) return refused ?? checkedAbsent();
  if (run.exchange.subjectTokenType === "aws4_request") return imagineAws(provider, subject);
  const now = Math.floor(Date.now() / 1000);
  const token = { iss: issuer, sub: subject, aud: audience, iat: now, exp: now + GCP_TOKEN_LIMITS.federatedSeconds, ...claims };
  if (!provider.oidc) return imagineAws(provider, subject);
  const oidc = { name: provider.name, oidc: provider.oidc };
  return checkIssuer(token, oidc) ?? checkAudience(token, oidc) ?? admit(provider, token, GCP_TOKEN_LIMITS.federatedSeconds);
}

function imagineAws(provider: WorkloadIdentityPoolProvider, role: string): TokenExchangeAnswer {
  const identity = contractsRole(role);
  return checkAccount(identity, provider.aws?.accountId ?? "") ?? admit(provider, awsAssertion(identity), GCP_TOKEN_LIMITS.federatedSeconds);
}

/** What AWS says of a session of the role; the contract may name one session. */
function contractsRole(subject: string): Extract<AwsIdentity, { status: "ok" }> {
  const [, , , , account = ""] = subject.split(":");
  const [type = "", role = "", session = PROBE_PREFIX] = subject.split("/");
  return { status: "ok", account, arn: [type, role, session].join("/"), userId: `AROAEXAMPLEEXAMPLE123:${session}` };
}

function checkedAbsent(): never {
  throw new Error("a provider that is absent is refused");
}

const CAUSES: Partial<Readonly<Record<ExchangeReason, GcpCauseCode>>> = {
  "audience-malformed": "gcp.exchange.audience-malformed",
  "pool-missing": "gcp.pool.missing",
  "pool-deleted": "gcp.pool.deleted",
  "pool-disabled": "gcp.pool.disabled",
  "provider-missing": "gcp.provider.missing",
  "provider-deleted": "gcp.provider.deleted",
  "provider-disabled": "gcp.provider.disabled",
  "issuer-differs": "gcp.provider.issuer-differs",
  "audience-differs": "gcp.provider.audience-not-allowed",
  "condition-false": "gcp.provider.condition-refuses",
  "condition-failed": "gcp.provider.condition-fails",
  "mapping-failed": "gcp.provider.mapping-fails",
  "subject-missing": "gcp.provider.mapping-fails",
  "subject-too-long": "gcp.provider.subject-too-long",
  "attributes-too-large": "gcp.provider.attributes-too-large",
  "aws-account-differs": "gcp.aws.account-differs",
  "aws-refused": "gcp.aws.request-refused",
  "aws-request-malformed": "gcp.aws.request-refused",
  "aws-target-differs": "gcp.aws.other-target",
  "key-unknown": "issuer.key-unknown",
  "key-unusable": "issuer.key-unusable",
  "signature-invalid": "issuer.signature-mismatch",
  "token-expired": "token.expired",
  "token-not-yet-valid": "token.not-yet-valid",
  "token-too-old": "token.too-old",
  "token-malformed": "token.unusable",
  "token-claim-missing": "token.unusable",
};

async function exchangeCause(run: GcpRun, answer: TokenExchangeAnswer, { provider }: Trust): Promise<Cause | undefined> {
  const { principal } = run.exchange;
  if (answer.allowed && answer.identity.members.includes(principal)) return undefined;
  // Where the token is another one than the contract's, the provider is right to refuse it, or to make somebody else of it.
  const own = run.token && (await tokenCause(run, run.token, new Date()));
  if (answer.allowed) {
    const found = answer.identity.members.filter((member) => !member.endsWith("/*")).join(", ");
    return own ?? cause(run, "gcp.provider.mapping-differs", `the mapping makes ${found}`, { found });
  }
  if (own) return { ...own, evidence: [...own.evidence, answer.detail] };
  const code = CAUSES[answer.reason];
  if (code === undefined) return undefined;
  const kid = run.token?.kind === "jwt" ? run.token.visible.kid : undefined;
  return cause(run, code, answer.detail, { found: answer.detail, subject: kid, expected: provider?.aws?.accountId });
}
