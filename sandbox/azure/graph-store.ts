/** Applications of every tenant with their federated credentials and secrets, in the store by `TENANT/…` ids. */
import { randomBytes, randomUUID } from "node:crypto";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import type { SandboxCore } from "../types.js";
import type { DirectoryView } from "./directory.js";
import { APPLICATION, CLIENT_SECRET, FEDERATED_CREDENTIAL } from "./store-types.js";

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

  /** By object id or client id. */
  application(tenantId: string, objectOrClientId: string): ApplicationRecord | undefined {
    const wanted = objectOrClientId.toLowerCase();
    return this.applications(tenantId).find(({ id, appId }) => id === wanted || appId === wanted);
  }

  applications(tenantId: string): ApplicationRecord[] {
    return ofTenant(tenantId, this.core.store.list<ApplicationRecord>(APPLICATION));
  }

  putApplication(tenantId: string, record: ApplicationRecord): void {
    this.core.store.put(APPLICATION, `${tenantId}/${record.id}`, record);
  }

  /** With its credentials. */
  deleteApplication(tenantId: string, { id, appId }: ApplicationRecord): void {
    this.core.store.delete(APPLICATION, `${tenantId}/${id}`);
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
