/** Containers whose blobs can be written once: time-based retention and legal holds. https://learn.microsoft.com/azure/storage/blobs/immutable-container-level-worm-policies */
import { storageLimits } from "../../facts/azure/storage.js";
import { BlobStore } from "./blob-store.js";
import { type AzureAnswer, type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { CONTAINER, type StorageArm, assertMatches, invalidValue, isObject, propertiesOf } from "./storage-arm.js";
import { storageRefusal } from "./storage-errors.js";
import type { Account, Container, ContainerProperties, ImmutabilityPolicy } from "./storage-state.js";
import { AzureError } from "./types.js";

const POLICY = `${CONTAINER}/immutabilityPolicies/default`;

export function immutabilityRoutes(arm: StorageArm): AzureRoute[] {
  const route = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute => ({
    method,
    path,
    operation: `storage:BlobContainers_${operation}`,
    run: async (request) => run(request),
  });
  const save = (request: AzureRequest, container: Container, update: ImmutabilityPolicy["history"][number]["update"], change: Partial<ImmutabilityPolicy> & { days: number }): AzureAnswer => {
    const { objectId, tenantId } = request.caller;
    const before = container.properties.immutabilityPolicy;
    const entry = { update, immutabilityPeriodSinceCreationInDays: change.days, timestamp: arm.state.now().toISOString(), objectIdentifier: objectId, tenantId };
    const policy: ImmutabilityPolicy = { state: "Unlocked", ...before, ...change, etag: `"${arm.state.etag().slice(2).toLowerCase()}"`, history: [...(before?.history ?? []), entry] };
    arm.state.putContainer({ ...container, properties: { ...container.properties, immutabilityPolicy: policy } });
    return policyAnswer(container, policy);
  };
  const withPolicy = (request: AzureRequest, action: string): { container: Container; policy: ImmutabilityPolicy } => {
    const { container } = arm.container(request, `immutabilityPolicies/${action}`);
    const policy = container.properties.immutabilityPolicy;
    if (!policy) throw new AzureError(404, "ImmutabilityPolicyNotFound", "The immutability policy is not found.");
    assertMatches(request, policy.etag);
    return { container, policy };
  };
  return [
    route("GET", POLICY, "GetImmutabilityPolicy", (request) => {
      const { container } = arm.container(request, "immutabilityPolicies/read");
      return policyAnswer(container, container.properties.immutabilityPolicy);
    }),
    route("PUT", POLICY, "CreateOrUpdateImmutabilityPolicy", (request) => {
      const { container } = arm.container(request, "immutabilityPolicies/write");
      const standing = container.properties.immutabilityPolicy;
      assertMatches(request, standing?.etag);
      if (standing?.state === "Locked") throw notAllowed();
      return save(request, container, "put", { ...readPolicy(request) });
    }),
    route("DELETE", POLICY, "DeleteImmutabilityPolicy", (request) => {
      const { container, policy } = withPolicy(request, "delete");
      if (policy.state === "Locked") throw notAllowed();
      const { immutabilityPolicy: _, ...properties } = container.properties;
      arm.state.putContainer({ ...container, properties });
      return policyAnswer(container, undefined);
    }),
    route("POST", `${POLICY}/lock`, "LockImmutabilityPolicy", (request) => {
      const { container, policy } = withPolicy(request, "lock/action");
      return save(request, container, "lock", { days: policy.days, state: "Locked" });
    }),
    route("POST", `${POLICY}/extend`, "ExtendImmutabilityPolicy", (request) => {
      const { container, policy } = withPolicy(request, "extend/action");
      const wanted = readPolicy(request);
      const extensions = policy.history.filter(({ update }) => update === "extend").length;
      if (policy.state !== "Locked" || wanted.days < policy.days || extensions >= storageLimits.immutabilityExtensions.max) throw notAllowed();
      return save(request, container, "extend", wanted);
    }),
    route("POST", `${CONTAINER}/setLegalHold`, "SetLegalHold", (request) => {
      const { container } = arm.container(request, "setLegalHold/action");
      const { objectId, tenantId } = request.caller;
      const standing = container.properties.legalHolds;
      const added = readTags(request).filter((tag) => !standing.some((hold) => hold.tag === tag));
      const legalHolds = [...standing, ...added.map((tag) => ({ tag, timestamp: arm.state.now().toISOString(), objectIdentifier: objectId, tenantId }))];
      arm.state.putContainer({ ...container, properties: { ...container.properties, legalHolds } });
      return { hasLegalHold: legalHolds.length > 0, tags: legalHolds.map(({ tag }) => tag) };
    }),
    route("POST", `${CONTAINER}/clearLegalHold`, "ClearLegalHold", (request) => {
      const { container } = arm.container(request, "clearLegalHold/action");
      const cleared = readTags(request);
      const legalHolds = container.properties.legalHolds.filter(({ tag }) => !cleared.includes(tag));
      arm.state.putContainer({ ...container, properties: { ...container.properties, legalHolds } });
      return { hasLegalHold: legalHolds.length > 0, tags: legalHolds.map(({ tag }) => tag) };
    }),
  ];
}

/** Throws 409 while a blob of this age may not be changed. Policies hold whether locked or not; that decides only who may end them. */
export function assertMutable({ properties: { legalHolds, immutabilityPolicy } }: Container, blobCreated: string, now: Date): void {
  if (legalHolds.length > 0) throw storageRefusal("BlobImmutableDueToLegalHold");
  const end = new Date(blobCreated).getTime() + (immutabilityPolicy?.days ?? 0) * 86_400_000;
  if (end > now.getTime()) throw storageRefusal("BlobImmutableDueToPolicy");
}

/** By ARM a container is deleted once nothing is left in it, whatever its policy. */
export function assertContainerDeletable({ context, state }: Pick<StorageArm, "context" | "state">, container: Container): void {
  const protectedBlobs = new BlobStore(context.core.store, state).blobs(container).length > 0;
  if (container.properties.legalHolds.length > 0 && protectedBlobs) throw storageRefusal("ContainerHasLegalHold");
  if (container.properties.immutabilityPolicy && protectedBlobs) throw storageRefusal("ContainerImmutabilityPolicyLocked");
}

/** By the Blob service a container with a policy is not deleted at all. */
export function assertContainerUnprotected({ properties: { legalHolds, immutabilityPolicy } }: Container): void {
  if (legalHolds.length > 0) throw storageRefusal("ContainerHasLegalHold");
  if (immutabilityPolicy) throw storageRefusal("ContainerImmutabilityPolicyLocked");
}

/** https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview#allow-or-prevent-deletion */
export function assertDeletable(account: Account, containers: readonly Container[]): void {
  const locked = containers.filter(({ properties }) => properties.immutabilityPolicy?.state === "Locked");
  const held = containers.filter(({ properties }) => properties.legalHolds.length > 0);
  const named = (found: readonly Container[]): string => found.map(({ name }) => name).join(", ");
  if (locked.length > 0) throw new AzureError(409, "AccountProtectedFromDeletion", `${account.name} is protected from deletion. The container(s) ${named(locked)} have a locked immutability policy.`);
  if (held.length > 0) throw new AzureError(409, "AccountProtectedFromDeletion", `${account.name} is protected from deletion. The container(s) ${named(held)} have a legal hold.`);
}

export function immutabilityView({ days, state, etag, history, ...appends }: ImmutabilityPolicy): object {
  return { etag, properties: { immutabilityPeriodSinceCreationInDays: days, state, ...appends }, updateHistory: history };
}

export const legalHoldView = ({ legalHolds }: ContainerProperties): object => ({ hasLegalHold: true, tags: legalHolds });

function policyAnswer({ id, properties }: Container, policy: ImmutabilityPolicy | undefined): RawAnswer {
  const { days = 0, state = "Unlocked", etag = '""', allowProtectedAppendWrites, allowProtectedAppendWritesAll } = policy ?? {};
  const appends = { ...(allowProtectedAppendWrites !== undefined && { allowProtectedAppendWrites }), ...(allowProtectedAppendWritesAll !== undefined && { allowProtectedAppendWritesAll }) };
  const type = "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies";
  const view = { id: `${id}/immutabilityPolicies/default`, name: "default", type, etag, properties: { immutabilityPeriodSinceCreationInDays: days, state, hasLegalHold: properties.legalHolds.length > 0, ...appends } };
  return RawAnswer.json(200, view, { etag });
}

function readPolicy(request: AzureRequest): Pick<ImmutabilityPolicy, "days" | "allowProtectedAppendWrites" | "allowProtectedAppendWritesAll"> {
  const { immutabilityPeriodSinceCreationInDays: days, allowProtectedAppendWrites: appends, allowProtectedAppendWritesAll: all } = propertiesOf(request);
  const { min, max } = storageLimits.immutability;
  if (typeof days !== "number" || !Number.isInteger(days) || days < min || days > max) throw invalidValue(days, "immutabilityPeriodSinceCreationInDays");
  return { days, ...(typeof appends === "boolean" && { allowProtectedAppendWrites: appends }), ...(typeof all === "boolean" && { allowProtectedAppendWritesAll: all }) };
}

function readTags({ body }: AzureRequest): string[] {
  const tags = isObject(body) && Array.isArray(body["tags"]) ? (body["tags"] as unknown[]) : [];
  const { min, max } = storageLimits.legalHoldTag;
  const invalid = tags.find((tag) => typeof tag !== "string" || !/^[a-z0-9]+$/i.test(tag) || tag.length < min || tag.length > max);
  if (tags.length === 0 || invalid !== undefined) throw invalidValue(invalid, "tags");
  return tags.map((tag) => String(tag).toLowerCase());
}

const notAllowed = (): AzureError => new AzureError(412, "ImmutabilityPolicyOperationNotAllowed", "Operation not allowed on immutability policy with current state.");
