/**
 * What IAM keeps, in the shapes of its API, and how it is found. Pools, providers, accounts and roles propagate: reads show
 * what was written last, enforcement asks for the `effective` view.
 *
 * | type | id |
 * |---|---|
 * | `gcp:iam/pool` | `projects/NUMBER/locations/global/workloadIdentityPools/POOL` |
 * | `gcp:iam/provider` | `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` |
 * | `gcp:iam/service-account` | `projects/ID/serviceAccounts/EMAIL` |
 * | `gcp:iam/deleted-service-account` | the account's unique id |
 * | `gcp:iam/role` | `projects/ID/roles/ROLE` |
 * | `gcp:iam/deny-policy` | `policies/ATTACHMENT/denypolicies/POLICY`, the attachment point percent-encoded |
 *
 * Pools and providers that were deleted stay in the store with the state `DELETED` until `expireTime`, roles with `deleted`.
 */
import type { Condition, DenyPolicy, Policy, WorkloadIdentityPool, WorkloadIdentityPoolProvider } from "../../trust/gcp/types.js";
import type { Clock, ResourceStore } from "../types.js";

/** What soft-deleted things have; RFC 3339. */
interface Expiring {
  expireTime?: string | undefined;
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools */
export interface PoolRecord extends WorkloadIdentityPool, Expiring {
  displayName?: string | undefined;
  description?: string | undefined;
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
export interface ProviderRecord extends WorkloadIdentityPoolProvider, Expiring {
  displayName?: string | undefined;
  description?: string | undefined;
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
export interface ServiceAccountRecord {
  /** `projects/ID/serviceAccounts/EMAIL` */
  name: string;
  projectId: string;
  /** 21 digits, never used again. */
  uniqueId: string;
  email: string;
  displayName?: string | undefined;
  description?: string | undefined;
  etag: string;
  oauth2ClientId: string;
  disabled?: boolean | undefined;
}

export interface DeletedServiceAccount {
  account: ServiceAccountRecord;
  /** Its own policy, which comes back with it. */
  policy: Policy;
  expireTime: string;
}

/** https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles */
export interface RoleRecord extends Expiring {
  name: string;
  title?: string | undefined;
  description?: string | undefined;
  includedPermissions: readonly string[];
  stage: string;
  etag: string;
  deleted?: boolean | undefined;
}

/** https://cloud.google.com/iam/docs/reference/rest/v2/policies */
export interface DenyPolicyRecord extends DenyPolicy {
  uid: string;
  kind: "DenyPolicy";
  displayName?: string | undefined;
  annotations?: Readonly<Record<string, string>> | undefined;
  etag: string;
  createTime: string;
  updateTime: string;
  rules: readonly { description?: string | undefined; denyRule: DenyPolicy["rules"][number]["denyRule"] & { denialCondition?: Condition | undefined } }[];
}

const POOL = "gcp:iam/pool";
const PROVIDER = "gcp:iam/provider";
const SERVICE_ACCOUNT = "gcp:iam/service-account";
const DELETED_SERVICE_ACCOUNT = "gcp:iam/deleted-service-account";
const ROLE = "gcp:iam/role";
const DENY_POLICY = "gcp:iam/deny-policy";

const propagates = { propagates: true };

/** A read of what was written last, or of what enforcement sees. */
export type View = "written" | "effective";

export class IamStore {
  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Clock,
  ) {}

  /** By its name with the project's number. */
  pool(name: string, view: View = "written"): PoolRecord | undefined {
    return this.#living(this.#read<PoolRecord>(POOL, name, view));
  }

  pools(projectNumber: string): PoolRecord[] {
    return this.#below<PoolRecord>(POOL, `projects/${projectNumber}/`).filter((pool) => this.#living(pool));
  }

  putPool(pool: PoolRecord): void {
    this.store.put(POOL, pool.name, pool, propagates);
  }

  /** By its name with the project's number. */
  provider(name: string, view: View = "written"): ProviderRecord | undefined {
    return this.#living(this.#read<ProviderRecord>(PROVIDER, name, view));
  }

  providers(poolName: string): ProviderRecord[] {
    return this.#below<ProviderRecord>(PROVIDER, `${poolName}/`).filter((provider) => this.#living(provider));
  }

  /** Those of a pool that is gone for good, before another one gets its id. */
  forgetProviders(poolName: string): void {
    for (const { name } of this.#below<ProviderRecord>(PROVIDER, `${poolName}/`)) this.store.delete(PROVIDER, name);
  }

  putProvider(provider: ProviderRecord): void {
    this.store.put(PROVIDER, provider.name, provider, propagates);
  }

  /** By email address or unique id, in one project or, with `-`, in any. */
  serviceAccount(account: string, project = "-", view: View = "written"): ServiceAccountRecord | undefined {
    const means = (each: ServiceAccountRecord): boolean => (each.email === account || each.uniqueId === account) && (project === "-" || each.projectId === project);
    const written = this.store.list<ServiceAccountRecord>(SERVICE_ACCOUNT).map(({ value }) => value);
    if (view === "written") return written.find(means);
    // One that was deleted, or made again, may still be there for those who enforce.
    const names = [...written, ...this.#deleted().map(({ account: each }) => each)].filter(means).map(({ name }) => name);
    return names.map((name) => this.#read<ServiceAccountRecord>(SERVICE_ACCOUNT, name, view)).find((each) => each !== undefined && means(each));
  }

  serviceAccounts(projectId: string): ServiceAccountRecord[] {
    return this.#below<ServiceAccountRecord>(SERVICE_ACCOUNT, `projects/${projectId}/`);
  }

  /** `atOnce` for accounts that Google makes for a project, which are there before any delay. */
  putServiceAccount(account: ServiceAccountRecord, atOnce = false): void {
    this.store.put(SERVICE_ACCOUNT, account.name, account, atOnce ? {} : propagates);
  }

  /** Keeps what is needed to bring it back. */
  deleteServiceAccount(deleted: DeletedServiceAccount): void {
    this.store.delete(SERVICE_ACCOUNT, deleted.account.name, propagates);
    this.store.put(DELETED_SERVICE_ACCOUNT, deleted.account.uniqueId, deleted);
  }

  deletedServiceAccount(uniqueId: string): DeletedServiceAccount | undefined {
    return this.#living(this.store.get<DeletedServiceAccount>(DELETED_SERVICE_ACCOUNT, uniqueId));
  }

  forgetDeletedServiceAccount(uniqueId: string): void {
    this.store.delete(DELETED_SERVICE_ACCOUNT, uniqueId);
  }

  /** A custom role by its full name; one that was deleted is answered too. */
  role(name: string, view: View = "written"): RoleRecord | undefined {
    return this.#living(this.#read<RoleRecord>(ROLE, name, view));
  }

  roles(projectId: string): RoleRecord[] {
    return this.#below<RoleRecord>(ROLE, `projects/${projectId}/`).filter((role) => this.#living(role));
  }

  putRole(role: RoleRecord): void {
    this.store.put(ROLE, role.name, role, propagates);
  }

  denyPolicy(name: string): DenyPolicyRecord | undefined {
    return this.store.get<DenyPolicyRecord>(DENY_POLICY, name);
  }

  /** Of one attachment point, percent-encoded as in names. */
  denyPolicies(attachment: string, view: View = "written"): DenyPolicyRecord[] {
    const found = this.#below<DenyPolicyRecord>(DENY_POLICY, `policies/${attachment}/`);
    return view === "written" ? found : found.flatMap(({ name }) => this.store.effective<DenyPolicyRecord>(DENY_POLICY, name) ?? []);
  }

  putDenyPolicy(policy: DenyPolicyRecord): void {
    this.store.put(DENY_POLICY, policy.name, policy, propagates);
  }

  deleteDenyPolicy(name: string): void {
    this.store.delete(DENY_POLICY, name, propagates);
  }

  #deleted(): DeletedServiceAccount[] {
    return this.store.list<DeletedServiceAccount>(DELETED_SERVICE_ACCOUNT).map(({ value }) => value);
  }

  /** Undefined once the time in which it could be brought back is over. */
  #living<T extends Expiring>(value: T | undefined): T | undefined {
    const gone = value?.expireTime !== undefined && Date.parse(value.expireTime) <= this.clock.now().getTime();
    return gone ? undefined : value;
  }

  #read<T>(type: string, id: string, view: View): T | undefined {
    return view === "written" ? this.store.get<T>(type, id) : this.store.effective<T>(type, id);
  }

  #below<T>(type: string, prefix: string): T[] {
    return this.store
      .list<T>(type)
      .filter(({ id }) => id.startsWith(prefix))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ value }) => value);
  }
}
