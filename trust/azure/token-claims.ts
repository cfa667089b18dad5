/**
 * An assertion as Entra reads it, before it looks at credentials and keys.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 */
import { ENTRA_ASSERTION_LIMITS } from "../../facts/azure/entra.js";
import { decodeJwt, type DecodedJwt, type JsonObject } from "../jwt.js";
import { refuse, type AssertionRefusal } from "./refusal.js";

/** By what a credential is found. */
export interface WorkloadClaims {
  issuer: string;
  subject: string;
  audience: string;
}

/** A JWT of a type and an algorithm that Entra takes. */
export function readAssertion(raw: string): DecodedJwt | AssertionRefusal {
  const token = decodeJwt(raw);
  if (token === undefined) return refuse("assertion-malformed", "assertionMalformed", [], "the assertion is no JWT (JWS compact serialization)");
  const { typ, alg } = token.header;
  const { types, algorithm } = ENTRA_ASSERTION_LIMITS;
  if (typ !== undefined && !types.some((type) => typeof typ === "string" && type.toLowerCase() === typ.toLowerCase())) {
    return refuse("assertion-type-invalid", "assertionType", [], `the header's typ is ${JSON.stringify(typ)}; Entra takes ${types.join(" and ")}`);
  }
  if (alg === algorithm) return token;
  return refuse("algorithm-unsupported", "algorithm", [typeof alg === "string" ? alg : ""], `the assertion is signed with ${JSON.stringify(alg)}; Entra takes ${algorithm}`);
}

/** A list of audiences may have one member: Kubernetes writes it so. */
export function workloadOf({ iss, sub, aud, exp }: JsonObject): WorkloadClaims | AssertionRefusal {
  const [audience, ...more]: unknown[] = [aud].flat();
  if (typeof iss === "string" && typeof sub === "string" && typeof audience === "string" && more.length === 0 && typeof exp === "number") return { issuer: iss, subject: sub, audience };
  const wrong = Object.entries({ iss, sub, aud, exp }).filter(([name, value]) => (name === "exp" ? typeof value !== "number" : name === "aud" ? typeof audience !== "string" : typeof value !== "string"));
  const detail = wrong.length > 0 ? `the assertion's ${wrong.map(([name]) => name).join(", ")} ${wrong.length === 1 ? "is" : "are"} missing or of the wrong type` : `the assertion is for ${more.length + 1} audiences; Entra takes one`;
  return refuse("assertion-malformed", "assertionMalformed", [], detail);
}

/** Undefined when the assertion is in time. */
export function checkTimes({ exp, nbf, iat }: JsonObject, now: Date): AssertionRefusal | undefined {
  const seconds = Math.floor(now.getTime() / 1000);
  const skew = ENTRA_ASSERTION_LIMITS.clockSkewSeconds;
  const until = Number(exp);
  const from = [nbf, iat].find((value) => typeof value === "number") ?? 0;
  const values = [stamp(now.getTime()), stamp(from * 1000), stamp(until * 1000)] as const;
  if (until + skew < seconds) return refuse("assertion-expired", "assertionTime", [...values], `the assertion expired ${seconds - until} seconds ago; Entra tolerates ${skew}`);
  if (from - skew > seconds) return refuse("assertion-not-yet-valid", "assertionTime", [...values], `the assertion is valid from ${from - seconds} seconds ahead; Entra tolerates ${skew}`);
  return undefined;
}

/** As .NET writes times, to a tenth of a microsecond. */
function stamp(milliseconds: number): string {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString().replace("Z", "0000Z");
}
