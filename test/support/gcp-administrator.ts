/** An administrator who changes a customer's project behind the stack's back. */
import type { Contract } from "../../contract/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import type { Policy } from "../../trust/gcp/types.js";
import { gcpExchangeOf, grantOf } from "./gcp.js";

const IAM = "https://iam.googleapis.com";
const STORAGE = "https://storage.googleapis.com/storage/v1";
const PROJECTS = "https://cloudresourcemanager.googleapis.com/v1/projects";

export class GcpAdministrator {
  readonly projectId: string;
  readonly email: string;
  readonly principal: string;
  readonly pool: string;
  readonly provider: string;
  readonly bucket: string;

  constructor(
    readonly sandbox: Sandbox,
    readonly contract: Contract,
  ) {
    const exchange = gcpExchangeOf(contract);
    this.projectId = exchange.projectId;
    this.email = exchange.serviceAccountEmail ?? "";
    this.principal = exchange.principal;
    this.pool = `${IAM}/v1/projects/${exchange.poolProjectNumber}/locations/global/workloadIdentityPools/${exchange.pool}`;
    this.provider = `${this.pool}/providers/${exchange.provider}`;
    this.bucket = grantOf(contract, "gcs-bucket").bucket;
  }

  /** Past the wire, as the owner of the project. */
  call<T = Record<string, unknown>>(method: string, url: string, body?: unknown): Promise<T> {
    return this.sandbox.gcp.call<T>(this.sandbox.gcp.administrator().caller, method, url, body);
  }

  // ---- trust ----

  async updatePool(change: object): Promise<void> {
    await this.call("PATCH", `${this.pool}?updateMask=${Object.keys(change).join(",")}`, change);
  }

  async updateProvider(change: object): Promise<void> {
    await this.call("PATCH", `${this.provider}?updateMask=${Object.keys(change).join(",")}`, change);
  }

  async createProvider(id: string, provider: object): Promise<void> {
    await this.call("POST", `${this.pool}/providers?workloadIdentityPoolProviderId=${id}`, provider);
  }

  describeProvider(): Promise<Record<string, unknown>> {
    return this.call("GET", this.provider);
  }

  // ---- policies ----

  get accountUrl(): string {
    return `${IAM}/v1/projects/${this.projectId}/serviceAccounts/${this.email}`;
  }

  /** Changes the bindings of whatever has `:getIamPolicy` and `:setIamPolicy`. */
  async editPolicy(url: string, change: (bindings: Binding[]) => Binding[], method: "GET" | "POST" = "POST"): Promise<void> {
    const options = { options: { requestedPolicyVersion: 3 } };
    const policy = await (method === "POST"
      ? this.call<MutablePolicy>("POST", url.startsWith(PROJECTS) ? `${url}:getIamPolicy` : `${url}:getIamPolicy?options.requestedPolicyVersion=3`, url.startsWith(PROJECTS) ? options : undefined)
      : this.call<MutablePolicy>("GET", `${url}:getIamPolicy?options.requestedPolicyVersion=3`));
    await this.call("POST", `${url}:setIamPolicy`, { policy: { ...policy, version: 3, bindings: change(policy.bindings ?? []) } });
  }

  editAccountPolicy(change: (bindings: Binding[]) => Binding[]): Promise<void> {
    return this.editPolicy(this.accountUrl, change);
  }

  editProjectPolicy(change: (bindings: Binding[]) => Binding[], projectId = this.projectId): Promise<void> {
    return this.editPolicy(`${PROJECTS}/${projectId}`, change);
  }

  bucketPolicy(bucket = this.bucket): Promise<{ bindings: Binding[] }> {
    return this.call("GET", `${STORAGE}/b/${bucket}/iam?optionsRequestedPolicyVersion=3`);
  }

  async editBucketPolicy(change: (bindings: Binding[]) => Binding[], bucket = this.bucket): Promise<void> {
    const policy = await this.bucketPolicy(bucket);
    await this.call("PUT", `${STORAGE}/b/${bucket}/iam`, { ...policy, version: 3, bindings: change(policy.bindings) });
  }

  async deny(permission: string, principals: readonly string[]): Promise<void> {
    // An owner may not: deny policies have an administrator of their own.
    await this.editProjectPolicy(including({ role: "roles/iam.denyAdmin", members: ["user:administrator@cloud-federation-sandbox.example"] }));
    const point = encodeURIComponent(`cloudresourcemanager.googleapis.com/projects/${this.projectId}`);
    await this.call("POST", `${IAM}/v2/policies/${point}/denypolicies?policyId=breaker`, { displayName: "breaker", rules: [{ denyRule: { deniedPrincipals: principals, deniedPermissions: [permission] } }] });
  }

  /** As the organisation's administrator: who is of none of these customers keeps out of new bindings. */
  async restrictDomains(...customers: string[]): Promise<void> {
    this.sandbox.store.put("gcp:orgpolicy/constraint", `projects/${this.projectId}/policies/iam.allowedPolicyMemberDomains`, { rules: [{ values: { allowedValues: customers } }] });
  }

  // ---- account ----

  async deleteAccount(): Promise<void> {
    await this.call("DELETE", this.accountUrl);
  }

  async createAccount(): Promise<void> {
    await this.call("POST", `${IAM}/v1/projects/${this.projectId}/serviceAccounts`, { accountId: this.email.slice(0, this.email.indexOf("@")) });
  }

  // ---- the rest ----

  async enableApi(api: string, projectId = this.projectId): Promise<void> {
    await this.call("POST", `https://serviceusage.googleapis.com/v1/projects/${projectId}/services/${api}:enable`, {});
  }

  async disableApi(api: string, projectId = this.projectId): Promise<void> {
    await this.call("POST", `https://serviceusage.googleapis.com/v1/projects/${projectId}/services/${api}:disable`, { disableDependentServices: true });
  }

  async deleteBucket(bucket = this.bucket): Promise<void> {
    await this.call("DELETE", `${STORAGE}/b/${bucket}`);
  }

  async createBucket(bucket: string, projectId: string): Promise<void> {
    await this.call("POST", `${STORAGE}/b?project=${projectId}`, { name: bucket, location: "us-central1", iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "enforced" } });
  }

  async patchBucket(change: object): Promise<void> {
    await this.call("PATCH", `${STORAGE}/b/${this.bucket}`, change);
  }

  /** A user who may read everything that a diagnosis needs, and change nothing: the access token. */
  reader(): string {
    return this.sandbox.gcp.administrator().accessToken;
  }
}

export interface Binding {
  role: string;
  members: string[];
  condition?: { title: string; expression: string };
}

type MutablePolicy = Omit<Policy, "bindings"> & { bindings?: Binding[] };

/** Without the bindings that a test tells. */
export const without = (test: (binding: Binding) => boolean) => (bindings: Binding[]): Binding[] => bindings.filter((binding) => !test(binding));

/** With one more. */
export const including = (binding: Binding) => (bindings: Binding[]): Binding[] => [...bindings, binding];

/** With another member in place of one. */
export const instead = (member: string, other: string) => (bindings: Binding[]): Binding[] =>
  bindings.map((binding) => ({ ...binding, members: binding.members.map((each) => (each === member ? other : each)) }));
