/**
 * Entra's token endpoint, asked as the platform asks it, and calls with the access tokens that it gives.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
 */
import type { CheckScope } from "../check.js";
import { ask, describeAnswer, type AzureAnswer, type AzureCall, type AzureFailure } from "./answers.js";
import { RESOURCE_TITLES, scopeOf, tokenUrl, type Resource } from "./endpoints.js";
import { renewToken, type AzureRun } from "./run.js";

const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export interface ExchangeOrder {
  resource: Resource;
  assertion: string;
  /** @default the contract's */
  clientId?: string;
}

/** One attempt. */
export async function exchangeToken(run: AzureRun, { resource, assertion, clientId = run.exchange.clientId }: ExchangeOrder, signal: AbortSignal): Promise<AzureAnswer> {
  const body = new URLSearchParams({
    client_id: clientId,
    scope: scopeOf(resource, run.cloud),
    grant_type: "client_credentials",
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
  });
  const answer = await ask(run.network, { method: "POST", url: tokenUrl(run.cloud, run.exchange.tenantId), body }, signal);
  if (!answer.ok) return answer;
  const token = answer.json["access_token"];
  if (typeof token !== "string" || token === "") return { ok: false, kind: "no-answer", detail: "Entra's answer has no access_token in it" };
  run.scrubber.register(token);
  return answer;
}

/** An attempt with the run's own token, which becomes the session where it passes; noted for `diagnostics`. */
export async function signIn(run: AzureRun, resource: Resource, signal: AbortSignal): Promise<AzureAnswer> {
  const began = performance.now();
  const answer = await exchangeToken(run, { resource, assertion: run.token?.raw ?? "" }, signal);
  if (answer.ok) run.sessions.set(resource, String(answer.json["access_token"]));
  run.hops.push({
    name: `Microsoft Entra ID, for ${RESOURCE_TITLES[resource]}`,
    endpoint: `POST ${tokenUrl(run.cloud, run.exchange.tenantId)}`,
    sent: sent(run, resource),
    answer: answer.ok ? `200: an access token for ${lifetime(answer.json["expires_in"])} seconds` : describeAnswer(answer),
    durationMs: Math.round(performance.now() - began),
  });
  return answer;
}

export function lifetime(seconds: unknown): string {
  return typeof seconds === "number" || typeof seconds === "string" ? String(seconds) : "?";
}

/** The request without the assertion; of that what is no secret. */
function sent({ exchange, cloud, token }: AzureRun, resource: Resource): Record<string, string> {
  const { iss, sub, aud, kid } = token?.visible ?? {};
  return {
    client_id: exchange.clientId,
    scope: scopeOf(resource, cloud),
    client_assertion: `fingerprint ${token?.fingerprint ?? "-"}`,
    iss: iss ?? "-",
    sub: sub ?? "-",
    aud: [aud ?? "-"].flat().join(" "),
    kid: kid ?? "-",
  };
}

/** A call with the session's token for a resource. */
export function askAs(run: AzureRun, resource: Resource, call: AzureCall, signal: AbortSignal): Promise<AzureAnswer> {
  const accessToken = run.sessions.get(resource);
  return accessToken === undefined ? Promise.resolve({ ok: false, kind: "no-answer", detail: `there is no token for ${RESOURCE_TITLES[resource]}` }) : ask(run.network, { ...call, accessToken }, signal);
}

export interface Patience {
  /** Names the wait in the report. */
  check: string;
  resource: Resource;
  /** The code of a refusal that may be propagation; undefined for any other. */
  mayPass: (refusal: Extract<AzureFailure, { kind: "refused" }>) => string | undefined | Promise<string | undefined>;
}

/**
 * Asks until the answer is none that may be propagation. After a wait with a new token: services may keep what they decided
 * about an old one.
 *
 * @param exhausted in the answer: the whole time was waited
 */
export async function askPatiently(run: AzureRun, scope: CheckScope, { check, resource, mayPass }: Patience, call: AzureCall): Promise<{ answer: AzureAnswer; exhausted: boolean }> {
  let first = true;
  return run.waiter.until(
    check,
    scope,
    async () => {
      if (!first) await renewSession(run, resource, scope.signal);
      first = false;
      return askAs(run, resource, call, scope.signal);
    },
    (answer) => (answer.ok || answer.kind === "no-answer" ? undefined : mayPass(answer)),
  );
}

/** Keeps the old token where no new one is given. */
async function renewSession(run: AzureRun, resource: Resource, signal: AbortSignal): Promise<void> {
  await renewToken(run, signal);
  await signIn(run, resource, signal);
}
