/** Applications of every tenant with their federated credentials and secrets, in the store by `TENANT/…` ids. */
import { randomBytes, randomUUID } from "node:crypto";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import type { SandboxCore } from "../types.js";
import type { DirectoryView, ServicePrincipalRecord } from "./directory.js";
import { APPLICATION, CLIENT_SECRET, DELETED_ITEM, FEDERATED_CREDENTIAL, SERVICE_PRINCIPAL } from "./store-types.js";

/** As Graph answers it; members that the sandbox gives no meaning are kept as they came. https://learn.microsoft.com/graph/api/resources/application */
export interface ApplicationRecord {
  id: string;
  appId: string;
  displayName: string;
  signInAudience: string;
  identifierUris: readonly string[];
  createdDateTime: string;
  deletedDateTime: string | null;
  [member: string]: unknown;
}

/** https://learn.microsoft.com/graph/api/resources/federatedidentitycredential */
export interface FederatedCredentialRecord {
  id: string;
  name: string;
  issuer: string;
  subject: string;
  audiences: readonly string[];
  description: string | null;
}

/** A password of an application; Graph shows everything but `secretText` later. https://learn.microsoft.com/graph/api/resources/passwordcredential */
export interface ClientSecretRecord {
  tenantId: string;
  appId: string;
  keyId: string;
  displayName: string | null;
  secretText: string;
  startDateTime: string;
  endDateTime: string;
}

/** Restorable for thirty days. https://learn.microsoft.com/graph/api/resources/directory */
export type DeletedItem = { deletedDateTime: string } & ({ kind: "application"; record: ApplicationRecord } | { kind: "servicePrincipal"; record: ServicePrincipalRecord });

const RESTORABLE_MS = 30 * 86_400_000;
const STORE_TYPE = { application: APPLICATION, servicePrincipal: SERVICE_PRINCIPAL } as const;

export class GraphStore {
  constructor(private readonly core: SandboxCore) {}

  newApplication(tenantId: string, members: { displayName: string } & Readonly<Record<string, unknown>>): ApplicationRecord {
    const record: ApplicationRecord = {
      signInAudience: "AzureADMyOrg",
      identifierUris: [],
      ...members,
      id: randomUUID(),
      appId: randomUUID(),
      createdDateTime: this.core.clock.now().toISOString(),
      deletedDateTime: null,
    };
    this.putApplication(tenantId, record);
    return record;
  }

  /** By client id. */
  registration(tenantId: string, clientId: string): ApplicationRecord | undefined {
    return this.applications(tenantId).find(({ appId }) => appId === clientId.toLowerCase());
  }

  applications(tenantId: string): ApplicationRecord[] {
    return ofTenant(tenantId, this.core.store.list<ApplicationRecord>(APPLICATION));
  }

  putApplication(tenantId: string, record: ApplicationRecord): void {
    this.core.store.put(APPLICATION, `${tenantId}/${record.id}`, record);
  }

  /** Takes it out of sight; its credentials come back with it. */
  softDelete(tenantId: string, item: { kind: "application"; record: ApplicationRecord } | { kind: "servicePrincipal"; record: ServicePrincipalRecord }): void {
    const deleted = { ...item, deletedDateTime: this.core.clock.now().toISOString() };
    this.core.store.delete(STORE_TYPE[item.kind], `${tenantId}/${item.record.id}`, { propagates: true });
    this.core.store.put(DELETED_ITEM, `${tenantId}/${item.record.id}`, deleted);
  }

  /** What can still be restored. */
  deleted(tenantId: string): DeletedItem[] {
    const now = this.core.clock.now().getTime();
    return ofTenant(tenantId, this.core.store.list<DeletedItem>(DELETED_ITEM)).filter(({ deletedDateTime }) => now - Date.parse(deletedDateTime) < RESTORABLE_MS);
  }

  restore(tenantId: string, { kind, record }: DeletedItem): void {
    this.core.store.delete(DELETED_ITEM, `${tenantId}/${record.id}`);
    this.core.store.put(STORE_TYPE[kind], `${tenantId}/${record.id}`, record, { propagates: true });
  }

  /** With its credentials. */
  purge(tenantId: string, { kind, record: { id, appId } }: DeletedItem): void {
    this.core.store.delete(DELETED_ITEM, `${tenantId}/${id}`);
    if (kind === "servicePrincipal") return;
    for (const credential of this.credentials(tenantId, id)) this.deleteCredential(tenantId, id, credential.id);
    for (const secret of this.secrets(tenantId, appId)) this.deleteSecret(secret);
  }

  credentials(tenantId: string, applicationId: string, view: DirectoryView = "written"): FederatedCredentialRecord[] {
    const { store } = this.core;
    const all = view === "effective" ? store.listEffective<FederatedCredentialRecord>(FEDERATED_CREDENTIAL) : store.list<FederatedCredentialRecord>(FEDERATED_CREDENTIAL);
    return ofTenant(`${tenantId}/${applicationId}`, all);
  }

  putCredential(tenantId: string, applicationId: string, credential: FederatedCredentialRecord): void {
    this.core.store.put(FEDERATED_CREDENTIAL, `${tenantId}/${applicationId}/${credential.id}`, credential, { propagates: true });
  }

  deleteCredential(tenantId: string, applicationId: string, credentialId: string): boolean {
    return this.core.store.delete(FEDERATED_CREDENTIAL, `${tenantId}/${applicationId}/${credentialId}`, { propagates: true });
  }

  secrets(tenantId: string, appId: string): ClientSecretRecord[] {
    return ofTenant(`${tenantId}/${appId}`, this.core.store.list<ClientSecretRecord>(CLIENT_SECRET));
  }

  putSecret(secret: ClientSecretRecord): void {
    this.core.store.put(CLIENT_SECRET, secretKey(secret), secret);
  }

  deleteSecret(secret: ClientSecretRecord): void {
    this.core.store.delete(CLIENT_SECRET, secretKey(secret));
  }
}

const secretKey = ({ tenantId, appId, keyId }: ClientSecretRecord): string => `${tenantId}/${appId}/${keyId}`;

const ofTenant = <T>(prefix: string, all: readonly { id: string; value: T }[]): T[] => all.flatMap(({ id, value }) => (id.startsWith(`${prefix}/`) ? [value] : []));

export const newSecretText = (): string => `${SANDBOX_SECRET_MARK}${randomBytes(24).toString("base64url")}`;
