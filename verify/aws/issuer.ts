/** The issuer as STS needs it, seen from here. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html */
import { STS_LIMITS } from "../../facts/aws/sts.js";
import { checkSignature, discoveryMistakes, keyMistake } from "../../trust/aws/issuer-keys.js";
import type { WebIdentityReason } from "../../trust/aws/types.js";
import type { Cause } from "../causes.js";
import { fail, notTested, pass, type Check, type CheckScope, type Verdict } from "../check.js";
import type { IssuerReading, IssuerRules } from "../issuer.js";
import type { AwsCauseCode } from "./causes.js";
import { cause, type AwsRun } from "./run.js";

export const STS_ISSUER_RULES: IssuerRules = {
  timeoutMs: STS_LIMITS.issuerTimeoutMs,
  maxKeysPerType: STS_LIMITS.maxIssuerKeysPerType,
  discoveryMistakes,
  keyMistake,
};

const SIGNATURE_PROBLEMS: Partial<Record<WebIdentityReason, AwsCauseCode>> = {
  "key-unknown": "issuer.key-unknown",
  "key-unusable": "issuer.key-unusable",
  "signature-invalid": "issuer.signature-mismatch",
};

/** What keeps STS from verifying this run's token with the issuer's keys, as far as can be seen from here. */
export function issuerCause(run: AwsRun, reading: IssuerReading): Cause | undefined {
  const { problem, evidence } = reading;
  if (problem) return cause(run, problem.code, `seen from here: ${problem.detail}`, { subject: problem.subject, found: problem.found });
  const { token } = run;
  if (!token || token.visible.iss !== run.contract.workload.issuer) return undefined;
  const refusal = checkSignature(token.jwt, token.visible.iss, evidence);
  const code = refusal && SIGNATURE_PROBLEMS[refusal.reason];
  return code && cause(run, code, refusal.detail, { subject: token.visible.kid });
}

export function issuerCheck(run: AwsRun): Check {
  const { issuer } = run.contract.workload;
  return {
    id: "aws.issuer",
    title: "Issuer: discovery and keys as AWS STS needs them",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 3 * STS_LIMITS.issuerTimeoutMs,
    run: async (scope) => {
      const reading = await run.issuer();
      const found = issuerCause(run, reading);
      if (found) return failed(run, scope, reading, found);
      const verified = run.token?.visible.iss === issuer ? `, the token's signature verifies with ${run.token.visible.kid ?? "the only key"}` : "";
      return pass(`${issuer} answers in ${reading.tookMs} ms with ${reading.keys} ${reading.keys === 1 ? "key" : "keys"}${verified}`);
    },
  };
}

/** From here an issuer may be out of reach that AWS can reach: then the exchange is the better witness. */
async function failed(run: AwsRun, scope: CheckScope, reading: IssuerReading, found: Cause): Promise<Verdict> {
  const detail = reading.problem?.detail ?? found.evidence[0] ?? "";
  if (reading.problem?.code === "issuer.unreachable" && (await scope.outcome("aws.exchange"))?.status === "pass") {
    return notTested(`the issuer is out of reach from here (${detail}), but AWS has just verified a token of it`);
  }
  return fail(detail, found);
}
