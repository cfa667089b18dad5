/** Entra's directory: the service principals of every tenant, with the applications and managed identities that they stand for. */
import { randomUUID } from "node:crypto";
import type { PutOptions, SandboxCore } from "../types.js";
import { SERVICE_PRINCIPAL } from "./store-types.js";

export type PrincipalKind = "Application" | "ManagedIdentity";

/** Who roles can be assigned to, and whom tokens prove. */
export interface DirectoryPrincipal {
  tenantId: string;
  /** What roles are assigned to. */
  objectId: string;
  /** Application (client) id. */
  clientId: string;
  displayName: string;
  kind: PrincipalKind;
  enabled: boolean;
  /** Of a managed identity: `isExplicit=True` (or `False` for a system-assigned one) and its ARM resource id. */
  alternativeNames: readonly string[];
}

export interface NewPrincipal {
  tenantId: string;
  displayName: string;
  kind: PrincipalKind;
  /** A fresh one where it is left out, as for managed identities. */
  clientId?: string;
  alternativeNames?: readonly string[];
}

/** `effective`: as enforcement sees it now; a new principal is not there yet while it propagates. */
export type DirectoryView = "written" | "effective";

export interface Directory {
  /** Propagates. */
  create(principal: NewPrincipal): DirectoryPrincipal;
  /** By object id or client id, compared without regard to case. */
  find(tenantId: string, objectOrClientId: string, view?: DirectoryView): DirectoryPrincipal | undefined;
  /** Of a managed identity, by its ARM resource id. */
  ofResource(resourceId: string, view?: DirectoryView): DirectoryPrincipal | undefined;
  delete(tenantId: string, objectId: string): boolean;
}

/** As Graph answers it. https://learn.microsoft.com/graph/api/resources/serviceprincipal */
export interface ServicePrincipalRecord {
  id: string;
  appId: string;
  displayName: string;
  servicePrincipalType: PrincipalKind;
  accountEnabled: boolean;
  alternativeNames: readonly string[];
  servicePrincipalNames: readonly string[];
  appOwnerOrganizationId: string | null;
  appRoleAssignmentRequired: boolean;
  createdDateTime: string;
  tags: readonly string[];
  notes?: string | null;
  description?: string | null;
  /** Application permissions of Graph that an administrator consented to, such as `Application.ReadWrite.All`; the sandbox's own member. */
  graphPermissions?: readonly string[];
}

/** Service principals in the store, by `TENANT/OBJECT ID`. */
export class DirectoryStore implements Directory {
  constructor(private readonly core: SandboxCore) {}

  create({ tenantId, displayName, kind, clientId = randomUUID(), alternativeNames = [] }: NewPrincipal, options: { atOnce?: boolean; graphPermissions?: readonly string[] } = {}): DirectoryPrincipal {
    const record: ServicePrincipalRecord = {
      id: randomUUID(),
      appId: clientId,
      displayName,
      servicePrincipalType: kind,
      accountEnabled: true,
      alternativeNames,
      servicePrincipalNames: [clientId],
      appOwnerOrganizationId: kind === "Application" ? tenantId : null,
      appRoleAssignmentRequired: false,
      createdDateTime: this.core.clock.now().toISOString(),
      tags: [],
      ...(options.graphPermissions && { graphPermissions: options.graphPermissions }),
    };
    this.put(tenantId, record, { propagates: options.atOnce !== true });
    return asPrincipal(tenantId, record);
  }

  find(tenantId: string, objectOrClientId: string, view: DirectoryView = "written"): DirectoryPrincipal | undefined {
    const record = this.record(tenantId, objectOrClientId, view);
    return record && asPrincipal(tenantId, record);
  }

  /** By client id alone, as tokens are asked for. */
  ofClient(tenantId: string, clientId: string, view: DirectoryView): DirectoryPrincipal | undefined {
    const wanted = clientId.toLowerCase();
    const found = this.list(tenantId, view).find(({ appId }) => appId.toLowerCase() === wanted);
    return found && asPrincipal(tenantId, found);
  }

  ofResource(resourceId: string, view: DirectoryView = "written"): DirectoryPrincipal | undefined {
    const wanted = resourceId.toLowerCase();
    const found = this.#all(view).find(({ value }) => value.alternativeNames.some((name) => name.toLowerCase() === wanted));
    return found && asPrincipal(tenantOf(found.id), found.value);
  }

  delete(tenantId: string, objectId: string): boolean {
    return this.core.store.delete(SERVICE_PRINCIPAL, key(tenantId, objectId), { propagates: true });
  }

  record(tenantId: string, objectOrClientId: string, view: DirectoryView = "written"): ServicePrincipalRecord | undefined {
    const wanted = objectOrClientId.toLowerCase();
    return this.list(tenantId, view).find(({ id, appId }) => id === wanted || appId.toLowerCase() === wanted);
  }

  list(tenantId: string, view: DirectoryView = "written"): ServicePrincipalRecord[] {
    return this.#all(view).flatMap(({ id, value }) => (tenantOf(id) === tenantId ? [value] : []));
  }

  put(tenantId: string, record: ServicePrincipalRecord, options: PutOptions = { propagates: true }): void {
    this.core.store.put(SERVICE_PRINCIPAL, key(tenantId, record.id), record, options);
  }

  #all(view: DirectoryView): { id: string; value: ServicePrincipalRecord }[] {
    return view === "effective" ? this.core.store.listEffective(SERVICE_PRINCIPAL) : this.core.store.list(SERVICE_PRINCIPAL);
  }
}

const key = (tenantId: string, objectId: string): string => `${tenantId}/${objectId.toLowerCase()}`;

const tenantOf = (id: string): string => id.slice(0, id.indexOf("/"));

function asPrincipal(tenantId: string, { id, appId, displayName, servicePrincipalType, accountEnabled, alternativeNames }: ServicePrincipalRecord): DirectoryPrincipal {
  return { tenantId, objectId: id, clientId: appId, displayName, kind: servicePrincipalType, enabled: accountEnabled, alternativeNames };
}
