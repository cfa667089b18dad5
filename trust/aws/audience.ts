/** What a client id that is added to a provider opens: AWS accepts it for every role on the provider that does not pin the audience. */
import { parseOperator, type ConditionResult } from "./conditions.js";
import { explainTrust, type TrustStatementExplanation } from "./trust-policy.js";
import type { OidcProvider } from "./types.js";

/**
 * Whether the trust policy would take a token of an audience that it does not name, once the provider has it: the subject
 * and every other claim taken as fitting. Throws `PolicyError` when the text is no policy document.
 */
export function takesUnnamedAudience(trustPolicy: string, provider: Pick<OidcProvider, "arn" | "url">, audience: string): boolean {
  const { statements } = explainTrust(trustPolicy, {
    provider: { ...provider, clientIds: [audience] },
    claims: { aud: audience },
    sessionName: "",
    roleArn: "",
    now: new Date(0),
  });
  const keys = ["aud", "oaud"].map((claim) => `${provider.url}:${claim}`.toLowerCase());
  const relevant = statements
    .filter(({ principal, action }) => principal.holds && action.holds)
    .map((statement) => ({ ...statement, ...splitConditions(statement, keys) }));
  const denied = relevant.some(({ effect, others, audiences }) => effect === "Deny" && others.length === 0 && audiences.every(({ holds }) => holds));
  return !denied && relevant.some(({ effect, audiences }) => effect === "Allow" && audiences.every((test) => test.holds && !names(test)));
}

/** Whether the test, which holds, names the audience itself: then the role is meant for it. */
function names({ operator }: ConditionResult): boolean {
  const fact = parseOperator(operator)?.fact;
  return fact?.comparison === "equal" && !fact.negated;
}

function splitConditions({ conditions }: TrustStatementExplanation, keys: readonly string[]) {
  const isOfAudience = ({ key }: { key: string }) => keys.includes(key.toLowerCase());
  return { audiences: conditions.filter(isOfAudience), others: conditions.filter((test) => !isOfAudience(test)) };
}
