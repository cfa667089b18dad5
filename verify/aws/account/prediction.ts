/** What STS would answer, by the account's own configuration and the rules of `trust/`. */
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { CALLER_CONDITION_KEYS } from "../../../facts/aws/conditions.js";
import type { Supposition } from "../../../trust/aws/conditions.js";
import { readPolicy } from "../../../trust/aws/policy.js";
import { evaluateWebIdentity } from "../../../trust/aws/web-identity.js";
import { explainTrust, type TrustStatementExplanation } from "../../../trust/aws/trust-policy.js";
import type { OidcProvider, Role, WebIdentityAnswer } from "../../../trust/aws/types.js";
import { decodeJwt } from "../../../trust/jwt.js";
import type { Cause } from "../../causes.js";
import type { AwsCauseCode } from "../causes.js";
import { cause, sessionName, type AwsRun } from "../run.js";
import type { AccountReader, Reading } from "./reader.js";

export interface Prediction {
  answer: WebIdentityAnswer;
  /** The answer, should the keys that only the call has speak against it; undefined when they decide nothing. */
  otherwise: Extract<WebIdentityAnswer, { allowed: false }> | undefined;
  /** What the account has, for the explanation. */
  role: Role | undefined;
  provider: OidcProvider | undefined;
  /** The account's providers as far as they could be listed. */
  providerArns: string[];
  /** Claims of the token that was evaluated. */
  claims: Record<string, unknown>;
}

/** The account's part of the question. */
interface Trust {
  role: Role | undefined;
  provider: OidcProvider | undefined;
  providerArns: string[];
}

/** What cannot be read, or what could. */
export async function readTrust(account: AccountReader): Promise<Reading<Trust>> {
  const [role, provider, arns] = await Promise.all([account.role(), account.provider(), account.providerArns()]);
  if (role.status === "unreadable") return role;
  if (provider.status === "unreadable") return provider;
  return {
    status: "read",
    value: {
      role: role.status === "read" ? role.value : undefined,
      provider: provider.status === "read" ? provider.value : undefined,
      providerArns: arns.status === "read" ? arns.value : [],
    },
  };
}

/** Of this run's own token; undefined without account evidence, without a token, or when the account cannot be read. */
export async function predictExchange(run: AwsRun): Promise<Prediction | undefined> {
  if (!run.account || !run.token) return undefined;
  const [trust, issuer] = await Promise.all([readTrust(run.account), run.issuer()]);
  if (trust.status !== "read") return undefined;
  const now = new Date();
  return predict(run, trust.value, run.token.raw, now, issuer.evidence);
}

/** What a token of the workload would need to be: made here, signed with a key of our own, never sent anywhere. */
export interface ImaginedToken {
  issuer: string;
  subject: string;
  audience: string;
}

/** Of a token that nobody has issued. */
export function predictImagined(run: AwsRun, trust: Trust, token: ImaginedToken): Prediction {
  const now = new Date();
  const seconds = Math.floor(now.getTime() / 1000);
  const pair = imaginedKey();
  const kid = "imagined";
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg: "ES256", typ: "JWT", kid })}.${encode({ iss: token.issuer, sub: token.subject, aud: token.audience, iat: seconds, exp: seconds + 3600 })}`;
  const signature = sign("sha256", Buffer.from(signed), { key: pair.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return predict(run, trust, `${signed}.${signature}`, now, {
    status: "ok",
    discovery: {
      issuer: token.issuer,
      jwks_uri: `${token.issuer}/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    },
    jwks: { keys: [{ ...pair.jwk, kid, use: "sig", alg: "ES256" }] },
  });
}

let imagined: { privateKey: ReturnType<typeof createPrivateKey>; jwk: object } | undefined;

/** One a process: it proves nothing to anybody. */
function imaginedKey() {
  if (!imagined) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    imagined = { privateKey, jwk: publicKey.export({ format: "jwk" }) };
  }
  return imagined;
}

function predict(run: AwsRun, trust: Trust, token: string, now: Date, issuer: Parameters<typeof evaluateWebIdentity>[0]["issuer"]): Prediction {
  const known: OidcProvider[] = trust.provider ? [trust.provider] : trust.providerArns.map((arn) => ({ arn, url: urlOf(arn), clientIds: [] }));
  const evaluate = (unknown: Supposition["in"]) => evaluateWebIdentity({
    token,
    roleArn: run.exchange.roleArn,
    sessionName: sessionName(run.exchange, run.runId),
    durationSeconds: 900,
    now,
    providers: known,
    role: trust.role,
    issuer,
    context: exchangeContext(run),
    supposition: { unknownKeys: CALLER_CONDITION_KEYS, in: unknown },
  });
  const answer = evaluate("favour");
  const disfavoured = answer.allowed ? evaluate("disfavour") : answer;
  return { answer, otherwise: answer.allowed && !disfavoured.allowed ? disfavoured : undefined, ...trust, claims: decodeJwt(token)?.claims ?? {} };
}

/** What is certain of the call: verify and platform use TLS and the contract's region. */
function exchangeContext({ exchange }: AwsRun): Record<string, string> {
  return { "aws:SecureTransport": "true", "aws:RequestedRegion": exchange.region };
}

/** The provider's URL is in its ARN: without scheme. */
function urlOf(providerArn: string): string {
  return providerArn.split(":oidc-provider/")[1] ?? "";
}

/** Why STS would refuse, as far as the account is at fault; undefined for reasons of token and issuer. */
export function predictionCause(run: AwsRun, prediction: Prediction, ...evidence: string[]): Cause | undefined {
  const answer = prediction.otherwise ?? prediction.answer;
  if (answer.allowed) return undefined;
  const named = (code: AwsCauseCode, detail: string, values: Parameters<typeof cause>[3] = {}) => cause(run, code, [...evidence, detail], values);
  switch (answer.reason) {
    case "provider-missing":
      return missingProvider(run, prediction, evidence);
    case "audience-not-registered":
      return named("aws.oidc-provider.audience-not-registered", answer.detail);
    case "role-missing":
      return named("aws.role.missing", `account ${run.exchange.accountId} has no role ${run.exchange.roleArn}`);
    case "trust-refused":
      return trustCause(run, prediction, evidence);
    case "tag-session-refused":
      return named("aws.trust.tag-session-missing", answer.detail);
    case "source-identity-refused":
      return named("aws.trust.source-identity-missing", answer.detail);
    case "duration-too-long":
      return named("aws.role.session-too-long", answer.detail);
    default:
      return undefined;
  }
}

/** A provider whose URL is nearly the issuer tells more than that there is none. */
export function missingProvider(run: AwsRun, { providerArns }: Pick<Prediction, "providerArns">, evidence: readonly string[]): Cause {
  const { issuer } = run.contract.workload;
  const plain = (url: string) => url.toLowerCase().replace(/^https:\/\//, "").replace(/\/+$/, "");
  const near = providerArns.find((arn) => plain(urlOf(arn)) === plain(issuer) && `https://${urlOf(arn)}` !== issuer);
  if (near !== undefined) return cause(run, "aws.oidc-provider.url-differs", [...evidence, `account ${run.exchange.accountId} has the provider https://${urlOf(near)}, the issuer is ${issuer}`], { found: near });
  return cause(run, "aws.oidc-provider.missing", [...evidence, `account ${run.exchange.accountId} has no provider for ${issuer}${providerArns.length === 0 ? "" : `; it has ${providerArns.map(urlOf).join(", ")}`}`]);
}

/** The part of the trust that does not fit, in the statement that comes nearest. */
function trustCause(run: AwsRun, { role, provider, claims, otherwise }: Prediction, evidence: readonly string[]): Cause | undefined {
  if (!role || !provider) return undefined;
  const { decision, statements } = explainTrust(role.trustPolicy, {
    provider,
    claims,
    sessionName: sessionName(run.exchange, run.runId),
    roleArn: role.arn,
    now: new Date(),
    context: exchangeContext(run),
    supposition: { unknownKeys: CALLER_CONDITION_KEYS, in: otherwise === undefined ? "favour" : "disfavour" },
  });
  const named = (code: AwsCauseCode, detail: string, values: Parameters<typeof cause>[3] = {}) => cause(run, code, [...evidence, detail], values);
  if (decision === "explicit-deny") {
    const denying = statements.find(({ effect, applies }) => effect === "Deny" && applies);
    return named("aws.trust.denies", `statement ${denying?.sid ?? denying?.index ?? ""} of the trust policy is a Deny that matches`);
  }
  const nearest = statements.filter(({ effect }) => effect === "Allow").sort((a, b) => failures(a) - failures(b))[0];
  if (!nearest) return named("aws.trust.refuses", "the trust policy has no statement that allows anything");
  if (!nearest.principal.holds) {
    return named("aws.trust.provider-differs", `the trust policy names ${quoted(nearest.principal.expected)}, the provider is ${provider.arn}`);
  }
  if (!nearest.action.holds) return named("aws.trust.action-missing", `the trust policy allows ${quoted(nearest.action.expected)}`);
  const [failed, ...others] = nearest.conditions.filter(({ holds }) => !holds);
  if (!failed) return named("aws.trust.refuses", "the trust policy does not allow it");
  const details = [failed, ...others].map(({ operator, key, expected, presented, supposed }) => {
    const has = supposed ? "what the call has is not known" : `the token has ${presented === undefined ? "no such key" : quoted(presented)}`;
    return `${operator} ${key}: the trust policy has ${quoted(expected)}, ${has}`;
  });
  return named(conditionCode(failed.key, failed.presented, provider), details.join("; "), { subject: failed.key });
}

function conditionCode(key: string, presented: readonly string[] | undefined, provider: OidcProvider): AwsCauseCode {
  if (presented === undefined) return "aws.trust.condition-fails";
  if (key.toLowerCase() === `${provider.url}:sub`.toLowerCase()) return "aws.trust.subject-differs";
  return key.toLowerCase() === `${provider.url}:aud`.toLowerCase() ? "aws.trust.audience-differs" : "aws.trust.condition-fails";
}

function failures({ principal, action, conditions }: TrustStatementExplanation): number {
  return (principal.holds ? 0 : 1) + (action.holds ? 0 : 1) + conditions.filter(({ holds }) => !holds).length;
}

function quoted(values: readonly string[]): string {
  return values.length === 0 ? "nothing" : values.map((value) => JSON.stringify(value)).join(" or ");
}

/** Whom the trust names besides the contract's workload, and lets in: other subjects of the issuer, other principals. */
export function otherTrusted(run: AwsRun, trust: Trust): string[] {
  const { role, provider } = trust;
  if (!role || !provider) return [];
  const { workload } = run.contract;
  const allows = readPolicy({ name: "the trust policy", document: role.trustPolicy }).statements.filter(({ effect }) => effect === "Allow");
  const named = allows.flatMap(({ conditions }) => conditions.filter(({ key }) => key.toLowerCase() === `${provider.url}:sub`.toLowerCase()).flatMap(({ values }) => values));
  const subjects = [...new Set(named)].filter((subject) => subject !== workload.subject && predictImagined(run, trust, { ...workload, subject }).answer.allowed);
  const principals = allows.flatMap(({ principal }) => (principal?.anyone ? ["*"] : (principal?.values ?? []).map(({ value }) => value))).filter((value) => value !== provider.arn);
  return [...subjects.map((subject) => `the subject ${JSON.stringify(subject)}`), ...new Set(principals)];
}
