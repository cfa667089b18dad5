/** The issuer as Entra needs it, seen from here. https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
import { AZURE_ISSUER_RULES, checkSignature } from "../../trust/azure/issuer-keys.js";
import type { Cause } from "../causes.js";
import { fail, notTested, pass, type Check, type CheckScope, type Verdict } from "../check.js";
import type { IssuerReading } from "../issuer.js";
import type { AzureCauseCode } from "./causes.js";
import { cause, type AzureRun } from "./run.js";
import { formCause } from "./token.js";

const SIGNATURE_PROBLEMS: Readonly<Record<string, AzureCauseCode>> = {
  "key-unknown": "issuer.key-unknown",
  "key-unusable": "issuer.key-unusable",
  "signature-invalid": "issuer.signature-mismatch",
};

/** What keeps Entra from verifying this run's token with the issuer's keys, as far as can be seen from here. */
export function issuerCause(run: AzureRun, { problem, evidence }: IssuerReading): Cause | undefined {
  if (problem) return cause(run, problem.code, `seen from here: ${problem.detail}`, { subject: problem.subject, found: problem.found });
  const { token } = run;
  if (token?.visible.iss !== run.contract.workload.issuer || evidence.status !== "ok") return undefined;
  // A token that Entra cannot read has no key that could be looked for.
  if (formCause(run, token)) return undefined;
  const refusal = checkSignature(token.jwt, evidence.jwks);
  const code = refusal && SIGNATURE_PROBLEMS[refusal.reason];
  return code && cause(run, code, refusal.detail, { subject: token.visible.kid });
}

export function issuerCheck(run: AzureRun): Check {
  const { issuer } = run.contract.workload;
  return {
    id: "azure.issuer",
    title: "Issuer: discovery and keys as Entra needs them",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 3 * AZURE_ISSUER_RULES.timeoutMs,
    run: async (scope) => {
      const reading = await run.issuer();
      const found = issuerCause(run, reading);
      if (found) return failed(scope, reading, found);
      const { token } = run;
      const verified = token?.visible.iss === issuer ? `, the token's signature verifies with ${token.visible.kid ?? "the only key"}` : "";
      return pass(`${issuer} answers in ${reading.tookMs} ms with ${reading.keys} ${reading.keys === 1 ? "key" : "keys"}${verified}`);
    },
  };
}

/** From here an issuer may be out of reach that Entra can reach: then the exchange is the better witness. */
async function failed(scope: CheckScope, reading: IssuerReading, found: Cause): Promise<Verdict> {
  const detail = reading.problem?.detail ?? found.evidence[0] ?? "";
  if (reading.problem?.code === "issuer.unreachable" && (await scope.outcome("azure.exchange"))?.status === "pass") {
    return notTested(`the issuer is out of reach from here (${detail}), but Entra has just verified a token of it`);
  }
  return fail(detail, found);
}
