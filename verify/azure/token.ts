/** The run's own token against the contract. */
import { differenceOf } from "../../trust/azure/difference.js";
import { isRefusal } from "../../trust/azure/refusal.js";
import { checkTimes, readAssertion, workloadOf } from "../../trust/azure/token-claims.js";
import type { Cause } from "../causes.js";
import { fail, pass, type Check } from "../check.js";
import { at } from "../token.js";
import { cause, type AzureRun, type OwnToken } from "./run.js";

/** The first thing that keeps the token from being the contract's workload's. */
export function tokenCause(run: AzureRun, token: OwnToken, now: Date): Cause | undefined {
  return formCause(run, token) ?? timeCause(run, token, now) ?? workloadCause(run, token);
}

function workloadCause(run: AzureRun, { visible: { iss = "", sub = "", aud } }: OwnToken): Cause | undefined {
  const { issuer, subject, audience } = run.contract.workload;
  if (iss !== issuer) return cause(run, "token.other-issuer", `iss is ${differing(iss, issuer)}`);
  const [only = ""] = [aud ?? []].flat();
  if (only !== audience) return cause(run, "token.other-audience", `the audience is ${differing(only, audience)}`);
  return sub === subject ? undefined : cause(run, "token.other-subject", `sub is ${differing(sub, subject)}`);
}

/** Finishes a sentence that begins with what `value` is. */
export function differing(value: string, contracts: string): string {
  const { found, expected, hint } = differenceOf(value, contracts);
  return `${found}, the contract has ${expected}${hint === undefined ? "" : ` (${hint})`}`;
}

function timeCause(run: AzureRun, { jwt }: OwnToken, now: Date): Cause | undefined {
  const refused = checkTimes(jwt.claims, now);
  return refused && cause(run, refused.reason === "assertion-not-yet-valid" ? "token.not-yet-valid" : "token.expired", refused.detail);
}

/** What keeps Entra from reading the token at all. */
export function formCause(run: AzureRun, { raw, jwt, visible }: OwnToken): Cause | undefined {
  const unusable = (found: string) => cause(run, "token.unusable", found, { found });
  const read = readAssertion(raw);
  if (isRefusal(read)) return unusable(read.detail);
  if (visible.kid === undefined) return unusable("its header has no kid");
  const claims = workloadOf(jwt.claims);
  return isRefusal(claims) ? unusable(claims.detail) : undefined;
}

/** Only asked for in runs with a token. */
export function tokenCheck(run: AzureRun, token: OwnToken): Check {
  return {
    id: "azure.token",
    title: "Token: of the contract's workload, in time",
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: 1_000,
    run: async () => {
      const { visible, fingerprint } = token;
      const seen = `token ${fingerprint}: iss ${visible.iss ?? "-"}, sub ${visible.sub ?? "-"}, aud ${[visible.aud ?? "-"].flat().join(" ")}${visible.exp === undefined ? "" : `, valid until ${at(visible.exp)}`}`;
      const found = tokenCause(run, token, new Date());
      return found ? fail(seen, found) : pass(seen);
    },
  };
}
