/** Why Blob storage refused a call. https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
import { BLOB_ERRORS, type BlobErrorName } from "../../facts/azure/blob-errors.js";
import { storageAttributes } from "../../facts/azure/storage.js";
import type { Suspect } from "../causes.js";
import { fail, unknown, type CheckScope, type Verdict } from "../check.js";
import { confirmed, diagnosis, isExplained, narrow, open, type RightQuestion } from "./account-reader.js";
import { RIGHTS_NOT_READ } from "./arm-causes.js";
import { describeAnswer, isOverload, isUnknownHost, type AzureFailure, type AzureRefusal } from "./answers.js";
import type { AzureCauseCode, AzureCauseValues } from "./causes.js";
import { accountId, containerId } from "./endpoints.js";
import { cause, type AzureRun } from "./run.js";
import { StorageView, type ContainerGrant } from "./storage-account.js";

const BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";

/** What the data plane asks for, by what is done. https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-blob-service-operations */
export const BLOB_ACTIONS = { read: `${BLOBS}/read`, write: `${BLOBS}/write`, delete: `${BLOBS}/delete` } as const;
export type BlobRight = keyof typeof BLOB_ACTIONS;

export interface BlobCall {
  grant: ContainerGrant;
  /** For people: `Put Blob`. */
  operation: string;
  right: BlobRight;
  /** Name of the blob, for conditions. */
  blob: string;
}

/** What is needed to tell a missing role from one that only reads. */
export interface BlobWitness {
  /** Whether the same session may read in the container, asked then and there. */
  mayRead(signal: AbortSignal): Promise<boolean>;
}

export function blobErrorName({ code }: AzureRefusal): BlobErrorName | undefined {
  return (Object.keys(BLOB_ERRORS) as BlobErrorName[]).find((name) => BLOB_ERRORS[name].code === code);
}

function valuesOf({ grant, right }: BlobCall): Partial<AzureCauseValues> {
  return { subject: grant.container, resourceGroup: grant.resourceGroup, role: grant.role, action: BLOB_ACTIONS[right], scope: grant.grantedOn === "account" ? accountId(grant) : containerId(grant) };
}

function questionOf({ grant, right, blob }: BlobCall): RightQuestion {
  return { about: "right", action: BLOB_ACTIONS[right], dataAction: true, scope: containerId(grant), attributes: { [storageAttributes.accountName]: grant.account, [storageAttributes.containerName]: grant.container, [storageAttributes.blobPath]: blob } };
}

export async function blobVerdict(run: AzureRun, call: BlobCall, answer: AzureFailure, waited: boolean, scope: CheckScope, witness: BlobWitness): Promise<Verdict> {
  const seen = `${call.operation}: ${describeAnswer(answer)}`;
  if (answer.kind === "no-answer") return unreached(run, call, seen, isUnknownHost(answer), scope);
  if (isOverload(answer)) return unknown(seen);
  const found = diagnosis(await suspectsOf(run, call, answer, `${call.operation} answered ${describeAnswer(answer)}`, waited, scope, witness), RIGHTS_NOT_READ);
  return found ? fail(seen, found) : unknown(seen);
}

/** Without an account there is no such host. A proxy does not say which it was: then the management plane is asked. */
async function unreached(run: AzureRun, call: BlobCall, seen: string, unknownHost: boolean, scope: CheckScope): Promise<Verdict> {
  const managed = await scope.outcome(StorageView.checkId(call.grant, "account"));
  const gone = managed?.status === "fail" && managed.diagnosis.causes.length === 1 && managed.diagnosis.causes[0]?.code === "azure.storage.account-missing";
  if (!gone && !unknownHost) return unknown(seen);
  const host = new URL(call.grant.blobEndpoint).host;
  return fail(seen, cause(run, "azure.storage.account-missing", unknownHost ? `there is no host ${host}` : [seen, managed?.status === "fail" ? managed.seen : ""], { ...valuesOf(call), subject: call.grant.account }));
}

/** Refusals that say by themselves what is at fault. */
const NAMED: Readonly<Partial<Record<BlobErrorName, AzureCauseCode>>> = {
  authenticationMissing: "azure.storage.token-refused",
  authenticationInvalid: "azure.storage.token-refused",
  authenticationFailed: "azure.storage.token-refused",
  sharedKeyOff: "azure.storage.key-refused",
  accountDisabled: "azure.storage.account-disabled",
  containerMissing: "azure.storage.container-missing",
  containerDeleting: "azure.storage.container-deleting",
  immutable: "azure.storage.immutable",
};

async function suspectsOf(run: AzureRun, call: BlobCall, refusal: AzureRefusal, answered: string, waited: boolean, scope: CheckScope, witness: BlobWitness): Promise<Suspect[]> {
  const values = valuesOf(call);
  const name = blobErrorName(refusal);
  if (name === "network") return narrow(run, { about: "network", scope: accountId(call.grant) }, [open(cause(run, "azure.storage.firewall", answered, values))], answered);
  if (name === "permissionMismatch") return rightSuspects(run, call, answered, waited, scope, witness);
  const known = name && NAMED[name];
  if (known === "azure.storage.token-refused") {
    // A subscription that went to another tenant takes no token of this one, and ARM has told which it trusts.
    const subscription = await scope.outcome("azure.subscription");
    const moved = subscription?.status === "fail" ? subscription.diagnosis.causes.find(({ code }) => code === "azure.subscription.other-tenant") : undefined;
    if (moved) return [confirmed({ ...moved, evidence: [answered, ...moved.evidence] })];
  }
  return known ? [confirmed(cause(run, known, answered, values))] : [];
}

/** Storage answers the same for a missing role, one that is too new, a condition, a deny assignment, and, to who has a role on the container alone, a container that is not there. */
async function rightSuspects(run: AzureRun, call: BlobCall, answered: string, waited: boolean, scope: CheckScope, witness: BlobWitness): Promise<Suspect[]> {
  const values = valuesOf(call);
  const reads = call.right !== "read" && (await witness.mayRead(scope.signal));
  const managed = await scope.outcome(StorageView.checkId(call.grant, "container"));
  const evidence = [answered, ...(managed?.status === "pass" ? [`the management plane shows the container (${managed.seen})`] : []), ...(reads ? ["listing the container's blobs is allowed"] : [])];
  const found = (code: AzureCauseCode) => open(cause(run, code, evidence, values));
  const missing = managed?.status === "fail" ? managed.diagnosis.causes.find(({ code }) => code === "azure.storage.container-missing") : undefined;
  if (missing) return [confirmed({ ...missing, evidence: [answered, ...missing.evidence] })];
  const suspects = [
    found(reads ? "azure.storage.reader-only" : "azure.storage.data-role-missing"),
    ...(waited ? [] : [open(cause(run, "azure.storage.data-role-not-propagated", "no change of the assignment is known to be older than the time that Azure takes", values))]),
    found("azure.storage.constrained"),
    ...(managed?.status === "pass" || reads ? [] : [found("azure.storage.container-missing")]),
  ];
  return narrow(run, questionOf(call), suspects, answered);
}

/** The code, when the refusal may end by itself: an assignment that storage has not seen yet. */
export async function blobMayBePropagation(run: AzureRun, call: BlobCall, refusal: AzureRefusal): Promise<string | undefined> {
  const name = blobErrorName(refusal);
  if (name === undefined || BLOB_ERRORS[name].retry !== "propagation") return undefined;
  return (await isExplained(run, questionOf(call))) ? undefined : refusal.code;
}
