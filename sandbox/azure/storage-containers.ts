/** Blob containers in ARM. https://learn.microsoft.com/rest/api/storagerp/blob-containers */
import { textRules } from "../../facts/azure/limits.js";
import { specialContainers } from "../../facts/azure/storage.js";
import { type AzureAnswer, type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { CONTAINER, CONTAINERS, type StorageArm, invalidValue, isObject, propertiesOf } from "./storage-arm.js";
import { storageRefusal } from "./storage-errors.js";
import { assertContainerDeletable, immutabilityView, legalHoldView } from "./storage-immutability.js";
import { type Account, type Container, type ContainerProperties, type DeletedContainer, type PublicAccess, containerId } from "./storage-state.js";

export function containerRoutes(arm: StorageArm): AzureRoute[] {
  const route = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute => ({
    method,
    path,
    operation: `storage:BlobContainers_${operation}`,
    run: async (request) => run(request),
  });
  return [
    route("GET", CONTAINERS, "List", (request) => list(arm, request)),
    route("GET", CONTAINER, "Get", (request) => containerView(arm.container(request, "read").container)),
    route("PUT", CONTAINER, "Create", (request) => put(arm, request)),
    route("PATCH", CONTAINER, "Update", (request) => {
      const { account, container } = arm.container(request, "write");
      return writtenView(arm.state.putContainer(changed(account, container, request)));
    }),
    route("DELETE", CONTAINER, "Delete", (request) => {
      const { params } = request;
      const account = arm.changed(request, "blobServices/containers/delete", `/blobServices/default/containers/${params["container"] ?? ""}`);
      const container = arm.state.container(account, params["container"] ?? "");
      if (!container) return RawAnswer.json(204);
      assertContainerDeletable(arm, container);
      arm.state.deleteContainer(account, container);
      return RawAnswer.json(200);
    }),
  ];
}

export const isContainerName = (name: string): boolean => textRules.blobContainer.pattern.test(name) || specialContainers.includes(name);

/** What containers both APIs make have to stand: a name that is allowed and free. */
export function assertCreatable(arm: Pick<StorageArm, "state">, account: Account, name: string): void {
  if (!isContainerName(name)) throw storageRefusal("InvalidResourceName");
  if (arm.state.isBeingDeleted(account, name)) throw storageRefusal("ContainerBeingDeleted");
}

/** Throws 409 where the account allows no anonymous access. https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent */
export function assertPublicAccess(account: Account, access: PublicAccess): void {
  if (access !== "None" && !account.properties.allowBlobPublicAccess) throw storageRefusal("PublicAccessNotPermitted");
}

function put(arm: StorageArm, request: AzureRequest): AzureAnswer {
  const name = request.params["container"] ?? "";
  const account = arm.changed(request, "blobServices/containers/write", `/blobServices/default/containers/${name}`);
  const standing = arm.state.container(account, name);
  if (!standing) assertCreatable(arm, account, name);
  const container = arm.state.putContainer(changed(account, standing ?? arm.state.newContainer(account, name), request));
  return RawAnswer.json(standing ? 200 : 201, writtenView(container));
}

function changed(account: Account, container: Container, request: AzureRequest): Container {
  const { publicAccess, metadata, defaultEncryptionScope, denyEncryptionScopeOverride, immutableStorageWithVersioning } = propertiesOf(request);
  const properties: ContainerProperties = { ...container.properties };
  if (publicAccess !== undefined && publicAccess !== null) {
    const access = (["None", "Blob", "Container"] as const).find((each) => typeof publicAccess === "string" && each.toLowerCase() === publicAccess.toLowerCase());
    if (!access) throw invalidValue(publicAccess, "publicAccess");
    assertPublicAccess(account, access);
    properties.publicAccess = access;
  }
  if (isObject(metadata)) properties.metadata = metadata as Record<string, string>;
  if (typeof defaultEncryptionScope === "string") properties.defaultEncryptionScope = defaultEncryptionScope;
  if (typeof denyEncryptionScopeOverride === "boolean") properties.denyEncryptionScopeOverride = denyEncryptionScopeOverride;
  if (isObject(immutableStorageWithVersioning)) properties["immutableStorageWithVersioning"] = immutableStorageWithVersioning;
  return { ...container, properties };
}

/** Pages by name; `$filter` is a prefix of the name. */
function list(arm: StorageArm, request: AzureRequest): object {
  const { query } = request;
  const account = arm.account(request, "blobServices/containers/read", "/blobServices/default");
  const after = query.get("$skipToken") ?? "";
  const prefix = /startswith\(name,\s*'?([^')]*)'?\)/i.exec(query.get("$filter") ?? "")?.[1] ?? query.get("$filter") ?? "";
  const size = Number(query.get("$maxpagesize") ?? "5000") || 5000;
  const deleted = query.get("$include") === "deleted" ? arm.state.deletedContainers(account).map((each) => deletedView(arm, account, each)) : [];
  const all = arm.state.containers(account).filter(({ name }) => name.startsWith(prefix) && name > after);
  const page = all.slice(0, size);
  const next = new URL(request.url);
  next.searchParams.set("$skipToken", page.at(-1)?.name ?? "");
  return { value: [...page.map(containerView), ...(after === "" ? deleted : [])], ...(all.length > size && { nextLink: next.href }) };
}

/** What a write answers: not all that a read does. */
function writtenView({ id, name, type, etag, properties: { publicAccess, metadata, immutabilityPolicy, legalHolds } }: Container): object {
  const shown = { ...(publicAccess !== "None" && { publicAccess }), ...(Object.keys(metadata).length > 0 && { metadata }) };
  const flags = { deleted: false, remainingRetentionDays: 0, hasImmutabilityPolicy: immutabilityPolicy !== undefined, hasLegalHold: legalHolds.length > 0 };
  return { id, name, type, etag, properties: { ...flags, ...shown } };
}

export function containerView({ id, name, type, etag, properties }: Container): object {
  const { incarnation: _, immutabilityPolicy, legalHolds, metadata, allowProtectedAppendWritesUnderHold: __, ...rest } = properties;
  return {
    id,
    name,
    type,
    etag,
    properties: {
      deleted: false,
      remainingRetentionDays: 0,
      defaultEncryptionScope: "$account-encryption-key",
      denyEncryptionScopeOverride: false,
      leaseStatus: "Unlocked",
      leaseState: "Available",
      ...rest,
      ...(Object.keys(metadata).length > 0 && { metadata }),
      hasImmutabilityPolicy: immutabilityPolicy !== undefined,
      hasLegalHold: legalHolds.length > 0,
      ...(immutabilityPolicy && { immutabilityPolicy: immutabilityView(immutabilityPolicy) }),
      ...(legalHolds.length > 0 && { legalHold: legalHoldView(properties) }),
    },
  };
}

function deletedView(arm: StorageArm, account: Account, { container, version, deletedTime, retainedUntil = deletedTime }: DeletedContainer): object {
  const view = containerView(container) as { properties: object };
  const state = { deleted: true, version, deletedTime, remainingRetentionDays: arm.state.remainingDays(retainedUntil) };
  return { ...view, id: containerId(account, container.name), properties: { ...view.properties, ...state } };
}
