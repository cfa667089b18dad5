/** What Entra fetches of an assertion's issuer, and keeps: a key that the issuer rotates in is unknown until the kept ones are old. */
import { ENTRA_ASSERTION_LIMITS } from "../../facts/azure/entra.js";
import { discoveryMistakes } from "../../trust/azure/issuer-keys.js";
import type { AssertionIssuerEvidence } from "../../trust/azure/types.js";
import type { SandboxCore } from "../types.js";
import { ISSUER_DOCUMENTS } from "./store-types.js";

/** In the store by the issuer's URL, where an administrator can see it, and delete it so that Entra reads afresh. */
interface KeptDocuments {
  fetchedAt: string;
  discovery: unknown;
  jwks: unknown;
}

export async function issuerDocuments(core: SandboxCore, issuer: string): Promise<AssertionIssuerEvidence> {
  const kept = core.store.get<KeptDocuments>(ISSUER_DOCUMENTS, issuer);
  const now = core.clock.now();
  const age = kept === undefined ? undefined : (now.getTime() - Date.parse(kept.fetchedAt)) / 1000;
  if (kept && age !== undefined && age >= 0 && age < ENTRA_ASSERTION_LIMITS.keyCacheSeconds) return { status: "ok", discovery: kept.discovery, jwks: kept.jwks };
  const evidence = await fetchDocuments(core, issuer);
  if (evidence.status === "ok" && discoveryMistakes(issuer, evidence.discovery).length === 0) core.store.put(ISSUER_DOCUMENTS, issuer, { fetchedAt: now.toISOString(), discovery: evidence.discovery, jwks: evidence.jwks } satisfies KeptDocuments);
  return evidence;
}

async function fetchDocuments(core: SandboxCore, issuer: string): Promise<AssertionIssuerEvidence> {
  const discovery = await fetchJson(core, `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (discovery.status === "unavailable") return discovery;
  const jwksUri = (discovery.document as Partial<Record<string, unknown>> | null)?.["jwks_uri"];
  // What else is wrong with the document is for the rules to say.
  if (typeof jwksUri !== "string") return { status: "ok", discovery: discovery.document, jwks: undefined };
  const jwks = await fetchJson(core, jwksUri);
  return jwks.status === "unavailable" ? jwks : { status: "ok", discovery: discovery.document, jwks: jwks.document };
}

async function fetchJson(core: SandboxCore, url: string): Promise<{ status: "ok"; document: unknown } | { status: "unavailable"; detail: string }> {
  const answer = await core.fetchPublic(url, ENTRA_ASSERTION_LIMITS.issuerTimeoutMs);
  if (answer.status === "unreachable") return { status: "unavailable", detail: `${url}: ${answer.detail}` };
  if (answer.httpStatus !== 200) return { status: "unavailable", detail: `${url} answered ${answer.httpStatus}` };
  try {
    return { status: "ok", document: JSON.parse(answer.body) as unknown };
  } catch {
    return { status: "unavailable", detail: `${url} is not JSON` };
  }
}
