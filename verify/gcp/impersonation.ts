/** IAM Credentials: from the federated token to one of the service account. https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { ask, describeAnswer, isOverload, type GcpAnswer } from "./answers.js";
import { diagnoseImpersonation, impersonationMayBePropagation } from "./impersonation-causes.js";
import type { GcpRun } from "./run.js";

/** Seconds; no run takes longer. */
export const SESSION_SECONDS = 900;

/** One attempt. */
export async function impersonate(run: GcpRun, email: string, signal: AbortSignal): Promise<GcpAnswer> {
  const answer = await ask(
    run.network,
    {
      method: "POST",
      url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:generateAccessToken`,
      accessToken: run.federatedToken,
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

async function runImpersonation(run: GcpRun, email: string, scope: CheckScope): Promise<Verdict> {
  const { answer, attempts, exhausted } = await run.waiter.until(
    "gcp.impersonation",
    scope,
    () => impersonate(run, email, scope.signal),
    (given) => (given.ok || given.kind === "no-answer" ? undefined : impersonationMayBePropagation(run, given)),
  );
  if (!answer.ok) {
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(`IAM Credentials gave no verdict: ${describeAnswer(answer)}`);
    const found = await diagnoseImpersonation(run, answer, exhausted);
    const seen = `IAM Credentials answered ${describeAnswer(answer)}`;
    return found ? fail(seen, found) : unknown(seen);
  }
  run.session = { accessToken: String(answer.json["accessToken"]), as: email };
  return pass(`until ${String(answer.json["expireTime"] ?? "?")}${attempts > 1 ? `, at attempt ${attempts}` : ""}`);
}
