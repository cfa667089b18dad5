/** Whom the identity's federated credentials let in: the contract's workload, and nobody else. */
import { numberRules } from "../../../facts/azure/limits.js";
import { matchCredential } from "../../../trust/azure/credentials.js";
import type { FederatedIdentityCredential } from "../../../trust/azure/types.js";
import type { JsonObject } from "../../../trust/jwt.js";
import { fail, pass, unknown, type CheckScope, type Verdict } from "../../check.js";
import type { Cause } from "../../causes.js";
import type { Explanation } from "../account-reader.js";
import type { AzureCauseCode } from "../causes.js";
import { partsOf } from "../fixes.js";
import { cause, type AzureRun } from "../run.js";
import { identityFault } from "./identity.js";
import { mapReading, objects, properties, strings, type AzureDocuments, type Reading } from "./reader.js";

/** What Entra would find, by why it finds none. */
const CAUSES: Readonly<Record<string, AzureCauseCode>> = {
  "no-credentials": "azure.credential.missing",
  "issuer-differs": "azure.credential.issuer-differs",
  "audience-differs": "azure.credential.audience-differs",
  "subject-differs": "azure.credential.subject-differs",
  "subject-case-differs": "azure.credential.subject-case-differs",
};

/** Everything that an exchange is refused for and that the identity's configuration does not show. */
const EXCLUDED: readonly AzureCauseCode[] = [
  ...Object.values(CAUSES),
  "azure.credential.differs",
  "azure.credential.on-other-identity",
  "azure.client.missing",
  "azure.client.recreated",
  "azure.client.is-principal-id",
  "azure.client.service-principal-missing",
  "azure.client.disabled",
];

/** What lets the contract's workload in, or what keeps it out. */
export async function predictExchange(run: AzureRun, documents: AzureDocuments): Promise<{ status: "accepted"; credential: FederatedIdentityCredential } | { status: "refused"; seen: string; cause: Cause } | { status: "unknown"; reason: string }> {
  const fault = await identityFault(run, documents);
  if (fault) {
    const found = fault.status === "fail" ? fault.diagnosis.causes[0] : undefined;
    return found && fault.status === "fail" ? { status: "refused", seen: fault.seen, cause: found } : { status: "unknown", reason: fault.status === "unknown" ? fault.reason : "the identity cannot be read" };
  }
  const reading = mapReading(await documents.federatedCredentials(), (all) => all.map(asCredential));
  if (reading.status !== "read") return { status: "unknown", reason: reading.status === "absent" ? reading.detail : reading.reason };
  const matched = matchCredential({ credentials: reading.value, displayName: run.exchange.clientId }, run.contract.workload);
  if ("name" in matched) return { status: "accepted", credential: matched };
  if (reading.value.length >= numberRules.federatedCredentials.max && !reading.value.some(({ name }) => name === run.exchange.federatedCredential)) {
    const full = `the identity has ${reading.value.length} credentials, and none of the contract's name ${run.exchange.federatedCredential}`;
    return { status: "refused", seen: matched.detail, cause: cause(run, "azure.credential.limit", [matched.detail, full]) };
  }
  const elsewhere = await otherIdentity(run, documents);
  if (elsewhere !== undefined) return { status: "refused", seen: matched.detail, cause: cause(run, "azure.credential.on-other-identity", [matched.detail, `${elsewhere} has a credential for this workload`], { found: elsewhere }) };
  return { status: "refused", seen: matched.detail, cause: cause(run, CAUSES[matched.reason] ?? "azure.credential.differs", matched.detail) };
}

/** Of a refusal that was seen. */
export async function explainExchange(run: AzureRun, documents: AzureDocuments): Promise<Explanation> {
  const prediction = await predictExchange(run, documents);
  if (prediction.status === "refused") return { cause: prediction.cause };
  return prediction.status === "accepted" ? { excluded: EXCLUDED } : {};
}

export async function exchangeCheck(run: AzureRun, documents: AzureDocuments, scope: CheckScope, live: readonly string[]): Promise<Verdict> {
  const prediction = await predictExchange(run, documents);
  const outcomes = await Promise.all(live.map((id) => scope.outcome(id)));
  if (prediction.status === "unknown") return unknown(prediction.reason);
  if (prediction.status === "accepted") {
    const refused = outcomes.find((outcome) => outcome?.status === "fail");
    if (refused?.status === "fail") scope.remark(`The identity's configuration admits the contract's workload, and Entra has refused: ${refused.seen}. What differs is the token, the issuer, a Conditional Access policy, or not there yet.`);
    return pass(`credential ${prediction.credential.name} is for the contract's workload`);
  }
  if (outcomes.some((outcome) => outcome?.status === "pass")) {
    scope.remark(`Prediction and answer disagree: ${prediction.seen}; Entra has accepted the token. The answer counts; a change may be on its way.`);
    return { status: "not-tested", reason: `the live answer counts more than the prediction (${prediction.seen})` };
  }
  return fail(prediction.seen, prediction.cause);
}

/** On an identity that the stack made nobody else has business; one that was there before may serve others too. */
export async function othersCheck(run: AzureRun, documents: AzureDocuments, scope: CheckScope): Promise<Verdict> {
  const reading = await documents.federatedCredentials();
  if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
  const flexible = reading.value.filter(({ claimsMatchingExpression }) => claimsMatchingExpression !== undefined && claimsMatchingExpression !== null).map(({ name }) => String(name));
  if (flexible.length > 0) return fail(`${flexible.join(", ")} has an expression instead of a subject`, cause(run, "azure.credential.flexible", `claimsMatchingExpression of ${flexible.join(", ")}`, { found: flexible.join(", ") }));
  const { issuer, subject, audience } = run.contract.workload;
  const others = reading.value.map(asCredential).filter((credential) => credential.issuer !== issuer || credential.subject !== subject || credential.audiences[0] !== audience);
  if (others.length === 0) return pass(`${reading.value.length} ${reading.value.length === 1 ? "credential" : "credentials"}, for the contract's workload only`);
  const evidence = others.map(({ name, issuer: theirs, subject: whose }) => `${name}: ${whose} of ${theirs}`);
  if (isOwn(run)) return fail(`${others.length} more: ${others.map(({ name }) => name).join(", ")}`, cause(run, "azure.credential.too-wide", evidence, { found: others.map(({ name }) => name).join(", ") }));
  scope.remark(`Others can act as the identity too: ${evidence.join("; ")}.`);
  return pass(`${others.length} for others, on an identity that was there before`);
}

/** Whether the identity is one that the stack made. */
export function isOwn({ contract, exchange }: AzureRun): boolean {
  const id = exchange.identity.kind === "managed-identity" ? exchange.identity.resourceId : exchange.identity.objectId;
  return contract.targets.some((target) => target.ownership === "created" && target.id.toLowerCase().endsWith(id.toLowerCase()));
}

/** Another managed identity of the same group that has the workload's credential. */
async function otherIdentity(run: AzureRun, documents: AzureDocuments): Promise<string | undefined> {
  const { identity } = run.exchange;
  if (identity.kind !== "managed-identity") return undefined;
  const { name } = partsOf(identity.resourceId);
  const listed = await documents.arm(identity.resourceId.slice(0, -(name.length + 1)), "managedIdentity");
  if (listed.status !== "read") return undefined;
  for (const { id } of objects(listed.value["value"])) {
    if (typeof id !== "string" || id.toLowerCase() === identity.resourceId.toLowerCase()) continue;
    const credentials: Reading<JsonObject> = await documents.arm(`${id}/federatedIdentityCredentials`, "managedIdentity");
    if (credentials.status !== "read") continue;
    const all = objects(credentials.value["value"]).map((one) => asCredential({ name: one["name"], ...properties(one) }));
    if ("name" in matchCredential({ credentials: all, displayName: id }, run.contract.workload)) return id;
  }
  return undefined;
}

function asCredential({ name, issuer, subject, audiences }: JsonObject): FederatedIdentityCredential {
  return { name: String(name), issuer: String(issuer), subject: String(subject), audiences: strings(audiences) };
}
