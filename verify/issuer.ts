/** An issuer's documents, seen from here as a cloud needs them. */
import { isJsonObject, type JsonObject } from "../trust/jwt.js";
import { fetchDocument, type Fetched, type Network } from "./network.js";

/** What may be wrong with an issuer; every cloud has an entry for each. */
export type IssuerCauseCode =
  | "issuer.unreachable"
  | "issuer.slow"
  | "issuer.error-answer"
  | "issuer.certificate-untrusted"
  | "issuer.discovery-invalid"
  | "issuer.issuer-differs"
  | "issuer.keys-invalid"
  | "issuer.key-unusable";

/** What a cloud asks of an issuer. */
export interface IssuerRules {
  /** For each document. */
  timeoutMs: number;
  maxKeysPerType: number;
  /** A sentence each. */
  discoveryMistakes(issuer: string, discovery: unknown): string[];
  /** Why the cloud does not use a key; undefined when it does. */
  keyMistake(jwk: JsonObject): string | undefined;
}

export type IssuerEvidence = { status: "ok"; discovery: unknown; jwks: unknown } | { status: "unavailable"; detail: string };

export interface IssuerProblem {
  code: IssuerCauseCode;
  detail: string;
  /** URL or key id at fault. */
  subject?: string;
  /** What stands there instead. */
  found?: string;
}

export interface IssuerReading {
  /** For the evaluator. */
  evidence: IssuerEvidence;
  problem: IssuerProblem | undefined;
  /** How long each document took, in milliseconds. */
  tookMs: number;
  keys: number;
}

/** Fetches both documents of an issuer, as a cloud does: each within its time, no redirects. */
export async function readIssuer(network: Network, issuer: string, rules: IssuerRules, signal: AbortSignal): Promise<IssuerReading> {
  const began = performance.now();
  const reading = (evidence: IssuerEvidence, problem?: IssuerProblem, keys = 0): IssuerReading => ({ evidence, problem, tookMs: Math.round(performance.now() - began), keys });
  const failed = (problem: IssuerProblem) => reading({ status: "unavailable", detail: problem.detail }, problem);

  const discovery = await fetchJson(network, `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, rules, signal);
  if ("code" in discovery) return failed(discovery);
  const mistakes = rules.discoveryMistakes(issuer, discovery.json);
  const jwksUri = isJsonObject(discovery.json) ? discovery.json["jwks_uri"] : undefined;
  if (typeof jwksUri !== "string" || !URL.canParse(jwksUri) || !jwksUri.startsWith("https://")) {
    const detail = mistakes[0] ?? `jwks_uri is ${JSON.stringify(jwksUri)}, which is no https:// URL`;
    return reading({ status: "ok", discovery: discovery.json, jwks: undefined }, discoveryProblem(issuer, discovery.json, [detail]));
  }
  const jwks = await fetchJson(network, jwksUri, rules, signal);
  if ("code" in jwks) return failed(jwks.code === "issuer.discovery-invalid" ? { ...jwks, code: "issuer.keys-invalid" } : jwks);
  const evidence: IssuerEvidence = { status: "ok", discovery: discovery.json, jwks: jwks.json };
  const keys = isJsonObject(jwks.json) && Array.isArray(jwks.json["keys"]) ? jwks.json["keys"].filter(isJsonObject) : undefined;
  return reading(evidence, mistakes.length > 0 ? discoveryProblem(issuer, discovery.json, mistakes) : keysProblem(jwksUri, keys, rules), keys?.length);
}

async function fetchJson(network: Network, url: string, { timeoutMs }: IssuerRules, signal: AbortSignal): Promise<{ json: unknown } | IssuerProblem> {
  const answer = await fetchDocument(network, new URL(url), timeoutMs, signal);
  if (answer.status === "failed") return { code: FETCH_PROBLEMS[answer.kind], detail: `${url}: ${answer.detail}`, subject: url };
  if (answer.httpStatus !== 200) return { code: "issuer.error-answer", detail: `${url} answers ${answer.httpStatus}`, subject: url };
  try {
    return { json: JSON.parse(answer.body) as unknown };
  } catch {
    return { code: "issuer.discovery-invalid", detail: `${url} answers no JSON (${answer.body.length} characters)`, subject: url, found: "it is no JSON" };
  }
}

const FETCH_PROBLEMS: Readonly<Record<Extract<Fetched, { status: "failed" }>["kind"], IssuerCauseCode>> = {
  certificate: "issuer.certificate-untrusted",
  timeout: "issuer.slow",
  unreachable: "issuer.unreachable",
  "too-large": "issuer.discovery-invalid",
};

function discoveryProblem(issuer: string, discovery: unknown, mistakes: string[]): IssuerProblem {
  const named = isJsonObject(discovery) ? discovery["issuer"] : undefined;
  const code = typeof named === "string" && named !== issuer ? "issuer.issuer-differs" : "issuer.discovery-invalid";
  return { code, detail: mistakes.join("; "), found: mistakes.join("; ") };
}

function keysProblem(url: string, keys: JsonObject[] | undefined, rules: IssuerRules): IssuerProblem | undefined {
  const invalid = (detail: string): IssuerProblem => ({ code: "issuer.keys-invalid", detail: `${url}: ${detail}`, subject: url, found: detail });
  if (!keys) return invalid("there is no list of keys");
  const named = keys.filter(({ kid }) => typeof kid === "string" && kid !== "");
  if (named.length === 0) return invalid(keys.length === 0 ? "the list of keys is empty" : `none of the ${keys.length} keys has a kid`);
  const unusable = named.flatMap((key) => rules.keyMistake(key) ?? []);
  if (unusable.length === named.length) {
    const kids = named.map(({ kid }) => String(kid)).join(", ");
    return { code: "issuer.key-unusable", detail: `${url}: ${unusable.join("; ")}`, subject: kids };
  }
  const crowded = ["RSA", "EC"].find((type) => keys.filter(({ kty }) => kty === type).length > rules.maxKeysPerType);
  return crowded === undefined ? undefined : invalid(`there are more than ${rules.maxKeysPerType} keys of type ${crowded}`);
}
