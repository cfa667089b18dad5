/** The run's own token against the contract. */
import { STS_LIMITS } from "../../facts/aws/sts.js";
import { readIdentity } from "../../trust/aws/token-claims.js";
import type { Cause } from "../causes.js";
import { fail, pass, type Check } from "../check.js";
import { at } from "../token.js";
import { cause, type AwsRun, type OwnToken } from "./run.js";

/** The first thing that keeps the token from being the contract's workload's, in the order in which STS would notice. */
export function tokenCause(run: AwsRun, token: OwnToken, now: Date): Cause | undefined {
  const { workload } = run.contract;
  const { visible, raw, audience, subject } = token;
  // A claim that is not there, or that STS cannot read, is a matter of form.
  if (visible.iss !== undefined && visible.iss !== workload.issuer) return cause(run, "token.other-issuer", `iss is ${JSON.stringify(visible.iss)}, the contract has ${JSON.stringify(workload.issuer)}`);
  if (subject !== undefined && subject !== workload.subject) return cause(run, "token.other-subject", `sub is ${JSON.stringify(subject)}, the contract has ${JSON.stringify(workload.subject)}`);
  if (audience !== undefined && audience !== workload.audience) return cause(run, "token.other-audience", `the audience is ${JSON.stringify(visible.azp ?? visible.aud)}, the contract has ${JSON.stringify(workload.audience)}`);
  return timeCause(run, token, now) ?? lengthCause(run, raw) ?? formCause(run, token, now);
}

function timeCause(run: AwsRun, { visible }: OwnToken, now: Date): Cause | undefined {
  const seconds = Math.floor(now.getTime() / 1000);
  const skew = STS_LIMITS.clockSkewSeconds;
  if (visible.exp !== undefined && visible.exp <= seconds - skew) return cause(run, "token.expired", `exp is ${at(visible.exp)}, ${seconds - visible.exp} s ago`);
  const from = Math.max(visible.nbf ?? -Infinity, visible.iat ?? -Infinity);
  if (from > seconds + skew) return cause(run, "token.not-yet-valid", `it is valid from ${at(from)}, ${from - seconds} s ahead`);
  return undefined;
}

function lengthCause(run: AwsRun, raw: string): Cause | undefined {
  const { min, max } = STS_LIMITS.tokenLength;
  return raw.length < min || raw.length > max ? cause(run, "token.unusable", `it has ${raw.length} characters; STS takes ${min} to ${max}`, { found: "fewer claims" }) : undefined;
}

/** Claims and times as STS reads them, in the evaluator's words. */
function formCause(run: AwsRun, { jwt }: OwnToken, now: Date): Cause | undefined {
  const identity = readIdentity(jwt.claims, now);
  return "allowed" in identity ? cause(run, "token.unusable", identity.detail, { found: identity.detail }) : undefined;
}

/** Only asked for in runs with a token. */
export function tokenCheck(run: AwsRun, token: OwnToken): Check {
  return {
    id: "aws.token",
    title: "Token: of the contract's workload, in time",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 1_000,
    run: async () => {
      const { visible, fingerprint } = token;
      const seen = `token ${fingerprint}: iss ${visible.iss ?? "-"}, sub ${token.subject ?? "-"}, aud ${token.audience ?? "-"}${visible.exp === undefined ? "" : `, valid until ${at(visible.exp)}`}`;
      const found = tokenCause(run, token, new Date());
      return found ? fail(seen, found) : pass(seen);
    },
  };
}
