/** The issuer as Google's STS needs it, seen from here. https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers#oidc */
import { checkSignature, GCP_ISSUER_RULES } from "../../trust/gcp/issuer-keys.js";
import type { Cause } from "../causes.js";
import { fail, notTested, pass, type Check, type CheckScope, type Verdict } from "../check.js";
import type { IssuerReading } from "../issuer.js";
import type { GcpCauseCode } from "./causes.js";
import { cause, type GcpRun } from "./run.js";
import { formCause } from "./token.js";

const SIGNATURE_PROBLEMS: Readonly<Record<string, GcpCauseCode>> = {
  "key-unknown": "issuer.key-unknown",
  "key-unusable": "issuer.key-unusable",
  "signature-invalid": "issuer.signature-mismatch",
};

/** What keeps STS from verifying this run's token with the issuer's keys, as far as can be seen from here. */
export function issuerCause(run: GcpRun, reading: IssuerReading): Cause | undefined {
  const { problem, evidence } = reading;
  if (problem) return cause(run, problem.code, `seen from here: ${problem.detail}`, { subject: problem.subject, found: problem.found });
  const { token } = run;
  if (token?.kind !== "jwt" || token.visible.iss !== run.contract.workload.issuer || evidence.status !== "ok") return undefined;
  // A token that Google cannot read has no key that could be looked for.
  if (formCause(run, token.raw, token)) return undefined;
  const refusal = checkSignature(token.jwt, evidence.jwks);
  const code = refusal && SIGNATURE_PROBLEMS[refusal.reason];
  return code && cause(run, code, refusal.detail, { subject: token.visible.kid });
}

/** Only for tokens of an issuer whose keys Google fetches. */
export function issuerCheck(run: GcpRun): Check {
  const { issuer } = run.contract.workload;
  return {
    id: "gcp.issuer",
    title: "Issuer: discovery and keys as Google STS needs them",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 3 * GCP_ISSUER_RULES.timeoutMs,
    run: async (scope) => {
      const reading = await run.issuer();
      const found = issuerCause(run, reading);
      if (found) return failed(run, scope, reading, found);
      const { token } = run;
      const verified = token?.kind === "jwt" && token.visible.iss === issuer ? `, the token's signature verifies with ${token.visible.kid ?? "the only key"}` : "";
      return pass(`${issuer} answers in ${reading.tookMs} ms with ${reading.keys} ${reading.keys === 1 ? "key" : "keys"}${verified}`);
    },
  };
}

/** From here an issuer may be out of reach that Google can reach: then the exchange is the better witness. */
async function failed(run: GcpRun, scope: CheckScope, reading: IssuerReading, found: Cause): Promise<Verdict> {
  const detail = reading.problem?.detail ?? found.evidence[0] ?? "";
  if (reading.problem?.code === "issuer.unreachable" && (await scope.outcome("gcp.exchange"))?.status === "pass") {
    return notTested(`the issuer is out of reach from here (${detail}), but Google has just verified a token of it`);
  }
  return fail(detail, found);
}
