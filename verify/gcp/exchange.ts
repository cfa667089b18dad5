/** Google's STS: the workload's token in, a federated token out. https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
import type { JsonObject } from "../../trust/jwt.js";
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { ask, describeAnswer, isOverload, type GcpAnswer } from "./answers.js";
import { diagnoseExchange, exchangeMayBePropagation } from "./exchange-causes.js";
import { renewToken, stsAudience, type GcpRun } from "./run.js";

const STS_URL = "https://sts.googleapis.com/v1/token";
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

const SUBJECT_TOKEN_TYPES = { jwt: "urn:ietf:params:oauth:token-type:jwt", aws4_request: "urn:ietf:params:aws:token-type:aws4_request" } as const;

/** One attempt. */
export async function exchangeToken(run: GcpRun, subjectToken: string, signal: AbortSignal): Promise<GcpAnswer> {
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: stsAudience(run.exchange),
    scope: CLOUD_PLATFORM,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: subjectToken,
    subject_token_type: SUBJECT_TOKEN_TYPES[run.exchange.subjectTokenType],
  });
  const answer = await ask(run.network, { method: "POST", url: STS_URL, raw: { contentType: "application/x-www-form-urlencoded", content: form.toString() } }, signal);
  if (!answer.ok) return answer;
  const { access_token: token } = answer.json;
  if (typeof token !== "string" || token === "") return { ok: false, kind: "no-answer", detail: "STS's answer has no access_token in it" };
  run.scrubber.register(token);
  return answer;
}

export function exchangeCheck(run: GcpRun): Check {
  return {
    id: "gcp.exchange",
    title: "Exchange: Security Token Service",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 60_000,
    run: (scope) => runExchange(run, scope),
  };
}

async function runExchange(run: GcpRun, scope: CheckScope): Promise<Verdict> {
  let first = true;
  const attempt = async () => {
    if (!first) await renewToken(run, scope.signal);
    first = false;
    const began = performance.now();
    const answer = await exchangeToken(run, run.token?.raw ?? "", scope.signal);
    run.hops.push({ name: "Security Token Service", endpoint: `POST ${STS_URL}`, sent: sent(run), answer: answer.ok ? `200: a federated token for ${lifetime(answer.json)} seconds` : describeAnswer(answer), durationMs: Math.round(performance.now() - began) });
    return answer;
  };
  const { answer, attempts, exhausted } = await run.waiter.until("gcp.exchange", scope, attempt, (given) =>
    given.ok || given.kind === "no-answer" ? undefined : exchangeMayBePropagation(run, given),
  );
  if (!answer.ok) {
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(`STS gave no verdict: ${describeAnswer(answer)}`);
    const found = await diagnoseExchange(run, answer, exhausted);
    const seen = `STS answered ${describeAnswer(answer)}`;
    return found ? fail(seen, found) : unknown(seen);
  }
  const token = String(answer.json["access_token"]);
  run.federatedToken = token;
  if (run.exchange.serviceAccountEmail === undefined) run.session = { accessToken: token, as: run.exchange.principal };
  return pass(`a federated token for ${lifetime(answer.json)} seconds${attempts > 1 ? `, at attempt ${attempts}` : ""}`);
}

/** Google gives a number or its digits. */
function lifetime({ expires_in: seconds }: JsonObject): string {
  return typeof seconds === "number" || typeof seconds === "string" ? String(seconds) : "?";
}

/** The request without the token; of the token what is no secret. */
function sent(run: GcpRun): Record<string, string> {
  const { token, exchange } = run;
  const claims = token?.kind === "jwt" ? { iss: token.visible.iss ?? "-", sub: token.visible.sub ?? "-", aud: [token.visible.aud ?? "-"].flat().join(" "), kid: token.visible.kid ?? "-" } : {};
  return { audience: stsAudience(exchange), subject_token_type: SUBJECT_TOKEN_TYPES[exchange.subjectTokenType], subject_token: `fingerprint ${token?.fingerprint ?? "-"}`, ...claims };
}
