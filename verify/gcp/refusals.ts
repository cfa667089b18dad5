/**
 * What the exchange must refuse. A refusal counts only with its exact error, and only after the right token has passed in
 * the same run: otherwise something else may have refused.
 */
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import type { TokenOrder, Variation } from "../token-source.js";
import { corruptSignature } from "../token.js";
import { describeAnswer } from "./answers.js";
import type { GcpCauseCode } from "./causes.js";
import { exchangeToken } from "./exchange.js";
import { impersonate } from "./impersonation.js";
import { corruptAwsSignature } from "./aws-request.js";
import { cause, PROBE_PREFIX, stsAudience, type GcpRun } from "./run.js";

/** Broken by a margin: the tolerance is a minute. */
const EXPIRED_SECONDS = -900;

interface Refusal {
  id: string;
  title: string;
  /** Errors that count. */
  codes: readonly string[];
  accepted: GcpCauseCode;
  /** Whether it may also stop only at the service account, as where an adopted provider has several workloads and each has a binding. */
  orAtAccount?: boolean;
  /** What the token source has to be able to make. */
  needs?: Variation;
  order(run: GcpRun, signal: AbortSignal): Promise<string>;
}

const ORDERED =
  (order: (run: GcpRun) => TokenOrder) =>
  async (run: GcpRun, signal: AbortSignal): Promise<string> => {
    const token = (await run.source?.token(signal, order(run))) ?? "";
    run.scrubber.register(token);
    return token;
  };

const jwtRefusals: readonly Refusal[] = [
  {
    id: "corrupted-signature",
    title: "Refusal: a token whose signature is corrupted",
    codes: ["invalid_grant"],
    accepted: "gcp.exchange.not-sts",
    order: async (run) => corruptSignature(run.token?.raw ?? ""),
  },
  { id: "wrong-audience", title: "Refusal: a token for another audience", codes: ["invalid_grant"], accepted: "gcp.provider.too-wide", needs: "audience", order: ORDERED((run) => ({ audience: `${PROBE_PREFIX}-${run.runId}` })) },
  { id: "wrong-subject", title: "Refusal: a token of another subject", codes: ["unauthorized_client"], accepted: "gcp.provider.too-wide", orAtAccount: true, needs: "subject", order: ORDERED((run) => ({ subject: `${run.contract.workload.subject}.${PROBE_PREFIX}` })) },
  { id: "expired", title: "Refusal: an expired token", codes: ["invalid_grant"], accepted: "gcp.exchange.not-sts", needs: "expiresInSeconds", order: ORDERED(() => ({ expiresInSeconds: EXPIRED_SECONDS })) },
];

/** AWS says no to the first and the last, Google to the other. */
const awsRefusals: readonly Refusal[] = [
  {
    id: "corrupted-signature",
    title: "Refusal: a request whose signature is corrupted",
    codes: ["invalid_grant"],
    accepted: "gcp.exchange.not-sts",
    order: async (run, signal) => {
      // Google replays a request once: a fresh one, so that it is the signature that is refused.
      const request = (await run.source?.token(signal)) ?? "";
      run.scrubber.register(request);
      return corruptAwsSignature(request);
    },
  },
  { id: "wrong-audience", title: "Refusal: a request that is signed for another provider", codes: ["invalid_grant"], accepted: "gcp.exchange.not-sts", needs: "audience", order: ORDERED((run) => ({ audience: `${stsAudience(run.exchange)}-x` })) },
  { id: "expired", title: "Refusal: a request whose signature has expired", codes: ["invalid_grant"], accepted: "gcp.exchange.not-sts", needs: "expiresInSeconds", order: ORDERED(() => ({ expiresInSeconds: EXPIRED_SECONDS })) },
];

export function refusalChecks(run: GcpRun, switchedOn: boolean): Check[] {
  const refusals = run.exchange.subjectTokenType === "jwt" ? jwtRefusals : awsRefusals;
  return refusals.map((refusal) => {
    const possible = refusal.needs === undefined || (run.source?.variations.has(refusal.needs) ?? false);
    return {
      id: `gcp.refusal.${refusal.id}`,
      title: refusal.title,
      grade: "live",
      required: switchedOn && possible,
      needs: ["gcp.exchange"],
      deadlineMs: 60_000,
      run: async (scope) => {
        if (!switchedOn) return notTested("switched off by --refusals off");
        if (!possible) return notTested(`${run.source?.description ?? "the token source"} cannot make such a token: a --token-command with ${PLACEHOLDER[refusal.needs ?? "subject"]} can`);
        return present(run, refusal, scope);
      },
    };
  });
}

const PLACEHOLDER: Readonly<Record<Variation, string>> = { subject: "{subject}", audience: "{audience}", expiresInSeconds: "{expires-in}" };

async function present(run: GcpRun, refusal: Refusal, scope: CheckScope): Promise<Verdict> {
  const { signal } = scope;
  const what = refusal.title.replace("Refusal: ", "");
  const answer = await exchangeToken(run, await refusal.order(run, signal), signal);
  const email = run.exchange.serviceAccountEmail;
  if (answer.ok && refusal.orAtAccount === true && email !== undefined) return presentAtAccount(run, email, what, String(answer.json["access_token"]), scope);
  if (answer.ok) return fail("STS accepted it", cause(run, refusal.accepted, `${what} was accepted, ${refusal.codes.join(" or ")} was due`));
  if (answer.kind === "refused" && refusal.codes.includes(answer.code)) return pass(`refused with ${answer.code} (${answer.httpStatus})`);
  return unknown(`${refusal.codes.join(" or ")} was due, and nothing is proven by ${describeAnswer(answer)}`);
}

/** STS has let it in; then the binding on the service account must not. */
async function presentAtAccount(run: GcpRun, email: string, what: string, federatedToken: string, scope: CheckScope): Promise<Verdict> {
  if ((await scope.outcome("gcp.impersonation"))?.status !== "pass") return notTested("STS accepted it, and whether the service account refuses it says nothing while it refuses the right one too");
  const answer = await impersonate(run, email, scope.signal, federatedToken);
  if (answer.ok) return fail("STS and IAM Credentials accepted it", cause(run, "gcp.provider.too-wide", `${what} became ${email}`));
  if (answer.kind === "refused" && answer.code === "PERMISSION_DENIED") return pass(`STS accepted it, and ${email} is refused with ${answer.code} (${answer.httpStatus})`);
  return unknown(`PERMISSION_DENIED was due, and nothing is proven by ${describeAnswer(answer)}`);
}

/** The federated token must not become another account: any other, here one that does not exist, is refused without a word whether it does. */
export function wrongAccountCheck(run: GcpRun, email: string, switchedOn: boolean): Check {
  return {
    id: "gcp.refusal.wrong-account",
    title: "Refusal: another service account",
    grade: "live",
    required: switchedOn,
    needs: ["gcp.impersonation"],
    deadlineMs: 60_000,
    run: async ({ signal }) => {
      if (!switchedOn) return notTested("switched off by --refusals off");
      const answer = await impersonate(run, `cf-verify-${run.runId}@${email.slice(email.indexOf("@") + 1)}`, signal);
      if (answer.ok) return fail("IAM Credentials gave a token", cause(run, "gcp.exchange.not-sts", "a token was given for an account that does not exist"));
      if (answer.kind === "refused" && (answer.code === "PERMISSION_DENIED" || answer.code === "NOT_FOUND")) return pass(`refused with ${answer.code} (${answer.httpStatus})`);
      return unknown(`PERMISSION_DENIED was due, and nothing is proven by ${describeAnswer(answer)}`);
    },
  };
}
