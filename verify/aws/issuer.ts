/** The issuer as STS needs it, seen from here. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html */
import { STS_LIMITS } from "../../facts/aws/sts.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { checkSignature, discoveryMistakes, keyMistake } from "../../trust/aws/issuer-keys.js";
import type { IssuerEvidence, WebIdentityReason } from "../../trust/aws/types.js";
import type { Cause } from "../causes.js";
import { fail, notTested, pass, type Check, type CheckScope, type Verdict } from "../check.js";
import { fetchDocument, type Fetched, type Network } from "../network.js";
import type { AwsCauseCode } from "./causes.js";
import { cause, type AwsRun } from "./run.js";

interface Problem {
  code: AwsCauseCode;
  detail: string;
  /** URL or key id at fault. */
  subject?: string;
  /** What stands there instead. */
  found?: string;
}

export interface IssuerReading {
  /** For the evaluator. */
  evidence: IssuerEvidence;
  problem: Problem | undefined;
  /** How long each document took, in milliseconds. */
  tookMs: number;
  keys: number;
}

/** Fetches both documents of an issuer, as STS does: each within its time, no redirects. */
export async function readIssuer(network: Network, issuer: string, signal: AbortSignal): Promise<IssuerReading> {
  const began = performance.now();
  const reading = (evidence: IssuerEvidence, problem?: Problem, keys = 0): IssuerReading => ({ evidence, problem, tookMs: Math.round(performance.now() - began), keys });
  const failed = (problem: Problem) => reading({ status: "unavailable", detail: problem.detail }, problem);

  const discovery = await fetchJson(network, `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, signal);
  if ("code" in discovery) return failed(discovery);
  const mistakes = discoveryMistakes(issuer, discovery.json);
  const jwksUri = isJsonObject(discovery.json) ? discovery.json["jwks_uri"] : undefined;
  if (typeof jwksUri !== "string" || !URL.canParse(jwksUri) || !jwksUri.startsWith("https://")) {
    const detail = mistakes[0] ?? `jwks_uri is ${JSON.stringify(jwksUri)}, which is no https:// URL`;
    return reading({ status: "ok", discovery: discovery.json, jwks: undefined }, discoveryProblem(issuer, discovery.json, [detail]));
  }
  const jwks = await fetchJson(network, jwksUri, signal);
  if ("code" in jwks) return failed(jwks.code === "issuer.discovery-invalid" ? { ...jwks, code: "issuer.keys-invalid" } : jwks);
  const evidence: IssuerEvidence = { status: "ok", discovery: discovery.json, jwks: jwks.json };
  const keys = isJsonObject(jwks.json) && Array.isArray(jwks.json["keys"]) ? jwks.json["keys"].filter(isJsonObject) : undefined;
  return reading(evidence, mistakes.length > 0 ? discoveryProblem(issuer, discovery.json, mistakes) : keysProblem(jwksUri, keys), keys?.length);
}

async function fetchJson(network: Network, url: string, signal: AbortSignal): Promise<{ json: unknown } | Problem> {
  const answer = await fetchDocument(network, new URL(url), STS_LIMITS.issuerTimeoutMs, signal);
  if (answer.status === "failed") return { code: FETCH_PROBLEMS[answer.kind], detail: `${url}: ${answer.detail}`, subject: url };
  if (answer.httpStatus !== 200) return { code: "issuer.error-answer", detail: `${url} answers ${answer.httpStatus}`, subject: url };
  try {
    return { json: JSON.parse(answer.body) as unknown };
  } catch {
    return { code: "issuer.discovery-invalid", detail: `${url} answers no JSON (${answer.body.length} characters)`, subject: url, found: "it is no JSON" };
  }
}

const FETCH_PROBLEMS: Readonly<Record<Extract<Fetched, { status: "failed" }>["kind"], AwsCauseCode>> = {
  certificate: "issuer.certificate-untrusted",
  timeout: "issuer.slow",
  unreachable: "issuer.unreachable",
  "too-large": "issuer.discovery-invalid",
};

function discoveryProblem(issuer: string, discovery: unknown, mistakes: string[]): Problem {
  const named = isJsonObject(discovery) ? discovery["issuer"] : undefined;
  const code = typeof named === "string" && named !== issuer ? "issuer.issuer-differs" : "issuer.discovery-invalid";
  return { code, detail: mistakes.join("; "), found: mistakes.join("; ") };
}

function keysProblem(url: string, keys: JsonObject[] | undefined): Problem | undefined {
  const invalid = (detail: string): Problem => ({ code: "issuer.keys-invalid", detail: `${url}: ${detail}`, subject: url, found: detail });
  if (!keys) return invalid("there is no list of keys");
  const named = keys.filter(({ kid }) => typeof kid === "string" && kid !== "");
  if (named.length === 0) return invalid(keys.length === 0 ? "the list of keys is empty" : `none of the ${keys.length} keys has a kid`);
  const unusable = named.flatMap((key) => keyMistake(key) ?? []);
  if (unusable.length === named.length) {
    const kids = named.map(({ kid }) => String(kid)).join(", ");
    return { code: "issuer.key-unusable", detail: `${url}: ${unusable.join("; ")}`, subject: kids };
  }
  const crowded = ["RSA", "EC"].find((type) => keys.filter(({ kty }) => kty === type).length > STS_LIMITS.maxIssuerKeysPerType);
  return crowded === undefined ? undefined : invalid(`there are more than ${STS_LIMITS.maxIssuerKeysPerType} keys of type ${crowded}`);
}

const SIGNATURE_PROBLEMS: Partial<Record<WebIdentityReason, AwsCauseCode>> = {
  "key-unknown": "issuer.key-unknown",
  "key-unusable": "issuer.key-unusable",
  "signature-invalid": "issuer.signature-mismatch",
};

/** What keeps STS from verifying this run's token with the issuer's keys, as far as can be seen from here. */
export function issuerCause(run: AwsRun, reading: IssuerReading): Cause | undefined {
  const { problem, evidence } = reading;
  if (problem) return cause(run, problem.code, `seen from here: ${problem.detail}`, { subject: problem.subject, found: problem.found });
  const { token } = run;
  if (!token || token.visible.iss !== run.contract.workload.issuer) return undefined;
  const refusal = checkSignature(token.jwt, token.visible.iss, evidence);
  const code = refusal && SIGNATURE_PROBLEMS[refusal.reason];
  return code && cause(run, code, refusal.detail, { subject: token.visible.kid });
}

export function issuerCheck(run: AwsRun): Check {
  const { issuer } = run.contract.workload;
  return {
    id: "aws.issuer",
    title: "Issuer: discovery and keys as AWS STS needs them",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 3 * STS_LIMITS.issuerTimeoutMs,
    run: async (scope) => {
      const reading = await run.issuer();
      const found = issuerCause(run, reading);
      if (found) return failed(run, scope, reading, found);
      const verified = run.token?.visible.iss === issuer ? `, the token's signature verifies with ${run.token.visible.kid ?? "the only key"}` : "";
      return pass(`${issuer} answers in ${reading.tookMs} ms with ${reading.keys} ${reading.keys === 1 ? "key" : "keys"}${verified}`);
    },
  };
}

/** From here an issuer may be out of reach that AWS can reach: then the exchange is the better witness. */
async function failed(run: AwsRun, scope: CheckScope, reading: IssuerReading, found: Cause): Promise<Verdict> {
  const detail = reading.problem?.detail ?? found.evidence[0] ?? "";
  if (reading.problem?.code === "issuer.unreachable" && (await scope.outcome("aws.exchange"))?.status === "pass") {
    return notTested(`the issuer is out of reach from here (${detail}), but AWS has just verified a token of it`);
  }
  return fail(detail, found);
}
