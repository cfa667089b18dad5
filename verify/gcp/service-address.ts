/** A service's own address: who may call it. https://cloud.google.com/run/docs/authenticating/service-to-service */
import { setTimeout as sleep } from "node:timers/promises";
import { send, type HttpAnswer } from "../network.js";
import { ask, type GcpAnswer } from "./answers.js";
import type { GcpRun } from "./run.js";

const DEADLINE_MS = 30_000;
/** A new service and its policy take a moment; a first request starts a container. */
const ATTEMPTS = 4;
const PAUSE_MS = 300;

/**
 * GET of a service's address, again as long as another status comes than the wanted one.
 *
 * @param identityToken of Google, for this address; never shown
 */
export async function visit(run: GcpRun, uri: string, wanted: number, signal: AbortSignal, identityToken?: string): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const headers = identityToken === undefined ? {} : { authorization: `Bearer ${identityToken}` };
    const answer = await send(run.network, { method: "GET", url: new URL(uri), headers, deadlineMs: DEADLINE_MS, signal });
    if ((answer.status === "ok" && answer.httpStatus === wanted) || attempt === ATTEMPTS || signal.aborted) return answer;
    await sleep(PAUSE_MS * attempt, undefined, { signal }).catch(() => undefined);
  }
}

/** Of the service account, for one address. https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken */
export async function identityToken(run: GcpRun, email: string, audience: string, signal: AbortSignal): Promise<{ token: string } | { answer: Exclude<GcpAnswer, { ok: true }> }> {
  const url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:generateIdToken`;
  const answer = await ask(run.network, { method: "POST", url, accessToken: run.federatedToken, body: { audience, includeEmail: true } }, signal);
  if (!answer.ok) return { answer };
  const { token } = answer.json;
  if (typeof token !== "string" || token === "") return { answer: { ok: false, kind: "no-answer", detail: "the answer has no token in it" } };
  run.scrubber.register(token);
  return { token };
}
