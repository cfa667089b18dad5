/**
 * What the exchange must refuse. A refusal counts only with its exact code, and only after the right token has passed in
 * the same run: otherwise something else may have refused.
 */
import { fail, notTested, pass, unknown, type Check, type Verdict } from "../check.js";
import type { TokenOrder, Variation } from "../token-source.js";
import { describeAnswer } from "./answers.js";
import type { AwsCauseCode } from "./causes.js";
import { assume } from "./exchange.js";
import { cause, SESSION_PREFIX, type AwsRun } from "./run.js";
import { corruptSignature } from "../token.js";

/** Twice the tolerance of 300 seconds and more: broken by a margin. */
const EXPIRED_SECONDS = -900;

interface Refusal {
  id: string;
  title: string;
  code: string;
  /** What it means when the exchange is not refused. */
  accepted: AwsCauseCode;
  /** What the token source has to be able to make. */
  needs?: Variation;
  order(run: AwsRun, signal: AbortSignal): Promise<{ token: string; roleArn: string }>;
}

const refusals: readonly Refusal[] = [
  {
    id: "corrupted-signature",
    title: "Refusal: a token whose signature is corrupted",
    code: "InvalidIdentityToken",
    accepted: "aws.exchange.not-sts",
    order: async (run) => ({ token: corruptSignature(run.token?.raw ?? ""), roleArn: run.exchange.roleArn }),
  },
  {
    id: "wrong-role",
    title: "Refusal: a role that does not exist",
    code: "AccessDenied",
    accepted: "aws.exchange.not-sts",
    order: async (run) => ({ token: run.token?.raw ?? "", roleArn: `arn:${run.exchange.partition}:iam::${run.exchange.accountId}:role/${SESSION_PREFIX}-${run.runId}` }),
  },
  variation("wrong-audience", "Refusal: a token for another audience", "InvalidIdentityToken", "aws.trust.too-wide", "audience", (run) => ({ audience: `${SESSION_PREFIX}-${run.runId}` })),
  variation("wrong-subject", "Refusal: a token of another subject", "AccessDenied", "aws.trust.too-wide", "subject", (run) => ({ subject: `${run.contract.workload.subject}.${SESSION_PREFIX}` })),
  variation("expired", "Refusal: an expired token", "ExpiredTokenException", "aws.exchange.not-sts", "expiresInSeconds", () => ({ expiresInSeconds: EXPIRED_SECONDS })),
];

function variation(id: string, title: string, code: string, accepted: AwsCauseCode, needs: Variation, order: (run: AwsRun) => TokenOrder): Refusal {
  return {
    id,
    title,
    code,
    accepted,
    needs,
    order: async (run, signal) => {
      const token = (await run.source?.token(signal, order(run))) ?? "";
      run.scrubber.register(token);
      return { token, roleArn: run.exchange.roleArn };
    },
  };
}

export function refusalChecks(run: AwsRun, switchedOn: boolean): Check[] {
  return refusals.map((refusal) => {
    const possible = refusal.needs === undefined || (run.source?.variations.has(refusal.needs) ?? false);
    return {
      id: `aws.refusal.${refusal.id}`,
      title: refusal.title,
      grade: "live",
      required: switchedOn && possible,
      needs: ["aws.exchange"],
      deadlineMs: 60_000,
      run: async ({ signal }) => {
        if (!switchedOn) return notTested("switched off by --refusals off");
        if (!possible) return notTested(`${run.source?.description ?? "the token source"} cannot make such a token: a --token-command with ${PLACEHOLDER[refusal.needs ?? "subject"]} can`);
        return present(run, refusal, signal);
      },
    };
  });
}

const PLACEHOLDER: Readonly<Record<Variation, string>> = { subject: "{subject}", audience: "{audience}", expiresInSeconds: "{expires-in}" };

async function present(run: AwsRun, refusal: Refusal, signal: AbortSignal): Promise<Verdict> {
  const answer = await assume(run, await refusal.order(run, signal), signal);
  if (answer.ok) return fail("STS accepted it", cause(run, refusal.accepted, `${refusal.title.replace("Refusal: ", "")} was accepted, ${refusal.code} was due`));
  if (answer.kind === "refused" && answer.code === refusal.code) return pass(`refused with ${answer.code} (${answer.httpStatus})`);
  return unknown(`${refusal.code} was due, and nothing is proven by ${describeAnswer(answer)}`);
}
