/** Entra's token endpoint: the workload's token in, an access token out, one for every service. */
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload } from "./answers.js";
import { RESOURCE_TITLES, type Resource } from "./endpoints.js";
import { diagnoseExchange, exchangeMayBePropagation } from "./exchange-causes.js";
import { cause, renewToken, type AzureRun } from "./run.js";
import { lifetime, signIn } from "./session.js";
import { tokenCause } from "./token.js";

/** The first exchange is `azure.exchange`: what every other one, and every refusal, stands on. */
export function exchangeChecks(run: AzureRun, resources: readonly Resource[]): Check[] {
  return resources.map((resource, index) => exchangeCheck(run, resource, index === 0 ? [] : ["azure.exchange"]));
}

/** Id of the check that gets the token for a resource. */
export function exchangeId(resource: Resource, resources: readonly Resource[]): string {
  return resources[0] === resource ? "azure.exchange" : `azure.exchange.${resource}`;
}

function exchangeCheck(run: AzureRun, resource: Resource, needs: string[]): Check {
  const id = needs.length === 0 ? "azure.exchange" : `azure.exchange.${resource}`;
  return {
    id,
    title: `Exchange: a token for ${RESOURCE_TITLES[resource]}`,
    grade: "live",
    required: true,
    needs: ["contract", ...needs],
    deadlineMs: 60_000,
    run: (scope) => exchange(run, resource, id, scope),
  };
}

async function exchange(run: AzureRun, resource: Resource, id: string, scope: CheckScope): Promise<Verdict> {
  let first = true;
  const { answer, attempts, exhausted } = await run.waiter.until(
    id,
    scope,
    async () => {
      if (!first) await renewToken(run, scope.signal);
      first = false;
      return signIn(run, resource, scope.signal);
    },
    (given) => (given.ok || given.kind === "no-answer" ? undefined : exchangeMayBePropagation(run, given)),
  );
  if (!answer.ok) {
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(`Entra gave no verdict: ${describeAnswer(answer)}`);
    const seen = `Entra answered ${describeAnswer(answer)}`;
    return fail(seen, await diagnoseExchange(run, resource, answer, exhausted, scope));
  }
  const foreign = run.token && tokenCause(run, run.token, new Date());
  if (foreign && SOMEBODY_ELSES.has(foreign.code)) return fail("Entra gave a token to somebody else than the contract's workload", cause(run, "azure.credential.too-wide", foreign.evidence));
  return pass(`an access token for ${lifetime(answer.json["expires_in"])} seconds${attempts > 1 ? `, at attempt ${attempts}` : ""}`);
}

/** Whoever comes with these must never get a token. */
const SOMEBODY_ELSES: ReadonlySet<string> = new Set(["token.other-issuer", "token.other-subject", "token.other-audience"]);
