/**
 * What the exchange must refuse. A refusal counts only with its exact code, and only after the right token has passed in
 * the same run: otherwise something else may have refused.
 */
import { randomUUID } from "node:crypto";
import { ENTRA_ERRORS, type EntraErrorName } from "../../facts/azure/entra-errors.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import type { TokenOrder, Variation } from "../token-source.js";
import { corruptSignature } from "../token.js";
import { describeAnswer } from "./answers.js";
import type { AzureCauseCode } from "./causes.js";
import type { Resource } from "./endpoints.js";
import { refusalName } from "./exchange-causes.js";
import { withClaims, withHeader } from "./forgery.js";
import { cause, PROBE_PREFIX, type AzureRun } from "./run.js";
import { exchangeToken } from "./session.js";

/** Broken by a margin: the tolerance is five minutes. */
const EXPIRED_SECONDS = -1_800;

interface Refusal {
  id: string;
  title: string;
  /** Refusals that count, by Entra's codes. */
  due: readonly EntraErrorName[];
  /** False where Entra does not say what it looks at first: then another refusal is no lack of a verdict. Default true. */
  required?: false;
  accepted: AzureCauseCode;
  /** What the token source has to be able to make. */
  needs?: Variation;
  order(run: AzureRun, signal: AbortSignal): Promise<string>;
}

const ordered =
  (order: (run: AzureRun) => TokenOrder) =>
  async (run: AzureRun, signal: AbortSignal): Promise<string> => {
    const token = (await run.source?.token(signal, order(run))) ?? "";
    run.scrubber.register(token);
    return token;
  };

/** Made of the run's own token; its signature is no longer right either, which Entra looks at later. */
const forged = (make: (raw: string, run: AzureRun) => string) => async (run: AzureRun) => {
  const token = make(run.token?.raw ?? "", run);
  run.scrubber.register(token);
  return token;
};

const refusals: readonly Refusal[] = [
  { id: "corrupted-signature", title: "a token whose signature is corrupted", due: ["signature", "certificate"], accepted: "azure.exchange.not-entra", order: forged(corruptSignature) },
  {
    id: "wrong-issuer",
    title: "a token that names another issuer",
    due: ["issuer"],
    required: false,
    accepted: "azure.exchange.not-entra",
    // Below a name that nobody can have: https://www.rfc-editor.org/rfc/rfc2606#section-2
    order: forged((raw, { runId }) => withClaims(raw, { iss: `https://${PROBE_PREFIX}-${runId}.invalid` })),
  },
  { id: "wrong-algorithm", title: "a token that names another algorithm", due: ["algorithm"], required: false, accepted: "azure.exchange.not-entra", order: forged((raw) => withHeader(raw, { alg: "HS256" })) },
  { id: "wrong-audience", title: "a token for another audience", due: ["audience"], accepted: "azure.credential.too-wide", needs: "audience", order: ordered(({ runId }) => ({ audience: `api://${PROBE_PREFIX}-${runId}` })) },
  {
    id: "wrong-subject",
    title: "a token of another subject",
    due: ["subject", "subjectOrExpression"],
    accepted: "azure.credential.too-wide",
    needs: "subject",
    order: ordered(({ contract }) => ({ subject: `${contract.workload.subject}.${PROBE_PREFIX}` })),
  },
  { id: "expired", title: "an expired token", due: ["assertionTime"], accepted: "azure.exchange.not-entra", needs: "expiresInSeconds", order: ordered(() => ({ expiresInSeconds: EXPIRED_SECONDS })) },
];

const PLACEHOLDER: Readonly<Record<Variation, string>> = { subject: "{subject}", audience: "{audience}", expiresInSeconds: "{expires-in}" };

/** @param resource of the run's first exchange */
export function refusalChecks(run: AzureRun, resource: Resource, switchedOn: boolean): Check[] {
  return [
    ...refusals.map((refusal) => {
      const possible = refusal.needs === undefined || (run.source?.variations.has(refusal.needs) ?? false);
      const reason = `${run.source?.description ?? "the token source"} cannot make such a token: a --token-command with ${PLACEHOLDER[refusal.needs ?? "subject"]} can`;
      const check = refusalCheck(refusal.id, refusal.title, switchedOn, possible ? undefined : reason, (scope) => present(run, resource, refusal, scope));
      return refusal.required === false ? { ...check, required: false } : check;
    }),
    refusalCheck("unknown-client", "a client id that nobody has", switchedOn, undefined, async ({ signal }) => {
      const clientId = randomUUID();
      const answer = await exchangeToken(run, { resource, assertion: run.token?.raw ?? "", clientId }, signal);
      if (answer.ok) return fail("Entra gave a token", cause(run, "azure.exchange.not-entra", `a token was given for the client id ${clientId}, which nobody has`));
      return judged(answer, ["clientMissing"]);
    }),
  ];
}

function refusalCheck(id: string, title: string, switchedOn: boolean, impossible: string | undefined, run: (scope: CheckScope) => Promise<Verdict>): Check {
  return {
    id: `azure.refusal.${id}`,
    title: `Refusal: ${title}`,
    grade: "live",
    required: switchedOn && impossible === undefined,
    needs: ["azure.exchange"],
    deadlineMs: 60_000,
    run: async (scope) => {
      if (!switchedOn) return notTested("switched off by --refusals off");
      return impossible === undefined ? run(scope) : notTested(impossible);
    },
  };
}

async function present(run: AzureRun, resource: Resource, refusal: Refusal, { signal }: CheckScope): Promise<Verdict> {
  const answer = await exchangeToken(run, { resource, assertion: await refusal.order(run, signal) }, signal);
  if (answer.ok) return fail("Entra accepted it", cause(run, refusal.accepted, `${refusal.title} was accepted, ${dueCodes(refusal.due)} was due`));
  return judged(answer, refusal.due);
}

const dueCodes = (due: readonly EntraErrorName[]): string => due.map((name) => `AADSTS${ENTRA_ERRORS[name].code}`).join(" or ");

function judged(answer: Exclude<Awaited<ReturnType<typeof exchangeToken>>, { ok: true }>, due: readonly EntraErrorName[]): Verdict {
  const name = answer.kind === "refused" ? refusalName(answer) : undefined;
  if (answer.kind === "refused" && name !== undefined && due.includes(name)) return pass(`refused with ${answer.code} (${answer.httpStatus})`);
  return unknown(`${dueCodes(due)} was due, and nothing is proven by ${describeAnswer(answer)}`);
}
