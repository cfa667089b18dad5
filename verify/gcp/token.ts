/** The run's own token against the contract. */
import { GCP_TOKEN_LIMITS } from "../../facts/gcp/sts.js";
import type { Cause } from "../causes.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { at } from "../token.js";
import { awsRequestCause } from "./aws-caller.js";
import { cause, type GcpRun, type OwnToken } from "./run.js";

/** The first thing that keeps the token from being the contract's workload's, in the order in which STS would notice. */
export async function tokenCause(run: GcpRun, token: OwnToken, now: Date): Promise<Cause | undefined> {
  if (token.kind === "aws") return awsRequestCause(run, token.raw);
  const { workload } = run.contract;
  const { visible, raw } = token;
  const audiences = [visible.aud ?? []].flat();
  if (visible.iss !== undefined && visible.iss !== workload.issuer) return cause(run, "token.other-issuer", `iss is ${JSON.stringify(visible.iss)}, the contract has ${JSON.stringify(workload.issuer)}`);
  if (audiences.length > 0 && !audiences.includes(workload.audience)) return cause(run, "token.other-audience", `the audience is ${JSON.stringify(visible.aud)}, the contract has ${JSON.stringify(workload.audience)}`);
  return timeCause(run, visible, now) ?? formCause(run, raw, token) ?? subjectCause(run, visible.sub);
}

function subjectCause(run: GcpRun, sub: unknown): Cause | undefined {
  const { subject } = run.contract.workload;
  return sub === undefined || sub === subject ? undefined : cause(run, "token.other-subject", `sub is ${JSON.stringify(sub)}, the contract has ${JSON.stringify(subject)}`);
}

function timeCause(run: GcpRun, { exp, iat, nbf }: { exp?: number | undefined; iat?: number | undefined; nbf?: number | undefined }, now: Date): Cause | undefined {
  const seconds = Math.floor(now.getTime() / 1000);
  const skew = GCP_TOKEN_LIMITS.clockSkewSeconds;
  if (exp !== undefined && exp <= seconds - skew) return cause(run, "token.expired", `exp is ${at(exp)}, ${seconds - exp} s ago`);
  const from = Math.max(nbf ?? -Infinity, iat ?? -Infinity);
  if (from > seconds + skew) return cause(run, "token.not-yet-valid", `it is valid from ${at(from)}, ${from - seconds} s ahead`);
  if (iat !== undefined && iat < seconds - GCP_TOKEN_LIMITS.maxAgeSeconds) return cause(run, "token.too-old", `iat is ${at(iat)}`);
  return undefined;
}

export function formCause(run: GcpRun, raw: string, { jwt, visible }: Extract<OwnToken, { kind: "jwt" }>): Cause | undefined {
  const unusable = (found: string) => cause(run, "token.unusable", found, { found });
  if (raw.length > GCP_TOKEN_LIMITS.maxBytes) return unusable(`it has ${raw.length} bytes; Google takes ${GCP_TOKEN_LIMITS.maxBytes}`);
  const alg = jwt.header["alg"];
  if (typeof alg !== "string" || !GCP_TOKEN_LIMITS.algorithms.includes(alg)) return unusable(`it is signed with ${JSON.stringify(alg)}; Google takes ${GCP_TOKEN_LIMITS.algorithms.join(" and ")}`);
  if (visible.kid === undefined) return unusable("its header has no kid");
  const missing = (["iss", "sub", "aud", "iat", "exp"] as const).filter((claim) => jwt.claims[claim] === undefined);
  return missing.length > 0 ? unusable(`it has no ${missing.join(", no ")}`) : undefined;
}

/** Only asked for in runs with a token. */
export function tokenCheck(run: GcpRun, token: OwnToken): Check {
  return {
    id: "gcp.token",
    title: token.kind === "jwt" ? "Token: of the contract's workload, in time" : "Signed request: of the contract's AWS role",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: token.kind === "jwt" ? 1_000 : 60_000,
    run: async (scope) => {
      const found = await tokenCause(run, token, new Date());
      if (token.kind === "aws") return found ? fail(`request ${token.fingerprint}`, found) : signedBy(run, token, scope);
      const { visible, fingerprint } = token;
      const seen = `token ${fingerprint}: iss ${visible.iss ?? "-"}, sub ${visible.sub ?? "-"}, aud ${[visible.aud ?? "-"].flat().join(" ")}${visible.exp === undefined ? "" : `, valid until ${at(visible.exp)}`}`;
      return found ? fail(seen, found) : pass(seen);
    },
  };
}

/** From here AWS may be out of reach; whether Google has taken the request then says as much. */
async function signedBy(run: GcpRun, { raw, fingerprint }: OwnToken, scope: CheckScope): Promise<Verdict> {
  const caller = await run.awsCaller(raw);
  if (caller.status === "ok") return pass(`request ${fingerprint}, signed by ${caller.arn}`);
  const detail = caller.status === "no-answer" ? caller.detail : caller.code;
  return (await scope.outcome("gcp.exchange"))?.status === "pass" ? notTested(`AWS cannot be asked from here who signed (${detail}), but Google has asked it and taken the request`) : unknown(`AWS cannot be asked from here who signed: ${detail}`);
}
