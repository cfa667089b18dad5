/** IAM Credentials: from the federated token to one of the service account. https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
import type { JsonObject } from "../../trust/jwt.js";
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { ask, describeAnswer, isOverload, type GcpAnswer } from "./answers.js";
import { diagnoseImpersonation, impersonationMayBePropagation } from "./impersonation-causes.js";
import type { GcpCauseCode } from "./causes.js";
import { cause, type GcpRun } from "./run.js";
import { tokenCause } from "./token.js";

/** Seconds; no run takes longer. */
export const SESSION_SECONDS = 900;

const urlOf = (email: string) => `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:generateAccessToken`;

const expiry = ({ expireTime }: JsonObject): string => (typeof expireTime === "string" ? expireTime : "?");

/** One attempt. */
export async function impersonate(run: GcpRun, email: string, signal: AbortSignal, federatedToken = run.federatedToken): Promise<GcpAnswer> {
  const answer = await ask(
    run.network,
    {
      method: "POST",
      url: urlOf(email),
      accessToken: federatedToken,
      body: { scope: ["https://www.googleapis.com/auth/cloud-platform"], lifetime: `${SESSION_SECONDS}s` },
    },
    signal,
  );
  if (!answer.ok) return answer;
  const { accessToken } = answer.json;
  if (typeof accessToken !== "string" || accessToken === "") return { ok: false, kind: "no-answer", detail: "IAM Credentials' answer has no accessToken in it" };
  run.scrubber.register(accessToken);
  return answer;
}

export function impersonationCheck(run: GcpRun, email: string): Check {
  return {
    id: "gcp.impersonation",
    title: `Impersonation: a token of ${email}`,
    grade: "live",
    required: true,
    needs: ["gcp.exchange"],
    deadlineMs: 60_000,
    run: (scope) => runImpersonation(run, email, scope),
  };
}

/** What must never get as far as a token of the service account. */
const SOMEBODY_ELSES: ReadonlySet<string> = new Set<GcpCauseCode>(["token.other-issuer", "token.other-subject", "gcp.aws.account-differs", "gcp.aws.other-role"]);

async function runImpersonation(run: GcpRun, email: string, scope: CheckScope): Promise<Verdict> {
  const { answer, attempts, exhausted } = await run.waiter.until(
    "gcp.impersonation",
    scope,
    async () => {
      const began = performance.now();
      const given = await impersonate(run, email, scope.signal);
      run.hops.push({ name: "IAM Service Account Credentials", endpoint: `POST ${urlOf(email)}`, sent: { as: run.exchange.principal, lifetime: `${SESSION_SECONDS}s` }, answer: given.ok ? `200: an access token until ${expiry(given.json)}` : describeAnswer(given), durationMs: Math.round(performance.now() - began) });
      return given;
    },
    (given) => (given.ok || given.kind === "no-answer" ? undefined : impersonationMayBePropagation(run, given)),
  );
  if (!answer.ok) {
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(`IAM Credentials gave no verdict: ${describeAnswer(answer)}`);
    const found = await diagnoseImpersonation(run, answer, exhausted);
    const seen = `IAM Credentials answered ${describeAnswer(answer)}`;
    return found ? fail(seen, found) : unknown(seen);
  }
  const foreign = run.token && (await tokenCause(run, run.token, new Date()));
  if (foreign && SOMEBODY_ELSES.has(foreign.code)) return fail("IAM Credentials gave a token to somebody else than the contract's workload", cause(run, "gcp.provider.too-wide", foreign.evidence));
  run.session = { accessToken: String(answer.json["accessToken"]), as: email };
  return pass(`until ${expiry(answer.json)}${attempts > 1 ? `, at attempt ${attempts}` : ""}`);
}
