/** What IAM keeps, and how it is found. Trust and permissions propagate; reads see what was written last. */
import { AWS_MANAGED_POLICIES } from "../../facts/aws/managed-policies.js";
import { parseArn } from "../../trust/aws/arn.js";
import type { ResourceStore } from "../types.js";

export interface Tag {
  Key: string;
  Value: string;
}

/** What users and roles have in common. */
export interface Identity {
  accountId: string;
  arn: string;
  path: string;
  createDate: string;
  tags: Tag[];
  /** JSON texts by policy name. */
  inlinePolicies: Record<string, string>;
  /** ARNs of managed policies. */
  attachedPolicies: string[];
  /** ARN of a managed policy. */
  permissionsBoundary?: string | undefined;
}

export interface RoleRecord extends Identity {
  roleName: string;
  roleId: string;
  description?: string | undefined;
  maxSessionDuration: number;
  /** JSON text in which roles and users are named by unique id. */
  trustPolicy: string;
}

export interface UserRecord extends Identity {
  userName: string;
  userId: string;
}

export interface ProviderRecord {
  accountId: string;
  arn: string;
  /** Without `https://`. */
  url: string;
  clientIds: string[];
  thumbprints: string[];
  tags: Tag[];
  createDate: string;
}

export interface PolicyVersionRecord {
  versionId: string;
  document: string;
  createDate: string;
}

export interface PolicyRecord {
  /** `aws` for those that AWS manages. */
  accountId: string;
  arn: string;
  policyId: string;
  policyName: string;
  path: string;
  description?: string | undefined;
  defaultVersionId: string;
  versions: PolicyVersionRecord[];
  /** Version numbers are never used again. */
  lastVersion: number;
  tags: Tag[];
  createDate: string;
  updateDate: string;
}

const ROLE = "aws:iam/role";
const USER = "aws:iam/user";
const PROVIDER = "aws:iam/oidc-provider";
const POLICY = "aws:iam/policy";
export const IAM_TYPES = [ROLE, USER, PROVIDER, POLICY];

const propagates = { propagates: true };
const idOf = (accountId: string, name: string): string => `${accountId}/${name}`;

/** A read of what was written last, or of what enforcement sees. */
export type View = "written" | "effective";

export class IamStore {
  constructor(private readonly store: ResourceStore) {}

  role(accountId: string, name: string, view: View = "written"): RoleRecord | undefined {
    return this.#read<RoleRecord>(ROLE, idOf(accountId, name), view);
  }

  roles(accountId: string): RoleRecord[] {
    return this.#of<RoleRecord>(ROLE, accountId);
  }

  putRole(role: RoleRecord): void {
    this.store.put(ROLE, idOf(role.accountId, role.roleName), role, propagates);
  }

  deleteRole(role: RoleRecord): void {
    this.store.delete(ROLE, idOf(role.accountId, role.roleName), propagates);
  }

  /** The role that an ARN names, path included; undefined when there is none. */
  roleByArn(arn: string, view: View = "written"): RoleRecord | undefined {
    const role = this.#byArn(arn, "role/", (accountId, name) => this.role(accountId, name, view));
    return role?.arn === arn ? role : undefined;
  }

  user(accountId: string, name: string, view: View = "written"): UserRecord | undefined {
    return this.#read<UserRecord>(USER, idOf(accountId, name), view);
  }

  users(accountId: string): UserRecord[] {
    return this.#of<UserRecord>(USER, accountId);
  }

  /** `atOnce` for the sandbox's own administrator, who is there before any delay. */
  putUser(user: UserRecord, atOnce = false): void {
    this.store.put(USER, idOf(user.accountId, user.userName), user, atOnce ? {} : propagates);
  }

  deleteUser(user: UserRecord): void {
    this.store.delete(USER, idOf(user.accountId, user.userName), propagates);
  }

  userByArn(arn: string, view: View = "written"): UserRecord | undefined {
    const user = this.#byArn(arn, "user/", (accountId, name) => this.user(accountId, name, view));
    return user?.arn === arn ? user : undefined;
  }

  /** By ARN. */
  provider(arn: string): ProviderRecord | undefined {
    return this.store.get<ProviderRecord>(PROVIDER, arn);
  }

  providers(accountId: string): ProviderRecord[] {
    return this.#of<ProviderRecord>(PROVIDER, accountId);
  }

  /** The provider as enforcement sees it: one just deleted may still be there. */
  effectiveProvider(arn: string): ProviderRecord | undefined {
    return this.store.effective<ProviderRecord>(PROVIDER, arn);
  }

  putProvider(provider: ProviderRecord): void {
    this.store.put(PROVIDER, provider.arn, provider, propagates);
  }

  deleteProvider(provider: ProviderRecord): void {
    this.store.delete(PROVIDER, provider.arn, propagates);
  }

  /** By ARN; one that AWS manages is in every account. */
  policy(arn: string, view: View = "written"): PolicyRecord | undefined {
    return awsManaged(arn) ?? this.#read<PolicyRecord>(POLICY, arn, view);
  }

  policies(accountId: string): PolicyRecord[] {
    return this.#of<PolicyRecord>(POLICY, accountId);
  }

  /** Those that AWS manages, as the partition of an ARN names them. */
  awsManagedPolicies(inPartitionOf: string): PolicyRecord[] {
    const partition = parseArn(inPartitionOf)?.partition ?? "aws";
    return AWS_MANAGED_POLICIES.flatMap(({ path, name }) => awsManaged(`arn:${partition}:iam::aws:policy${path}${name}`) ?? []);
  }

  putPolicy(policy: PolicyRecord): void {
    this.store.put(POLICY, policy.arn, policy, propagates);
  }

  deletePolicy(policy: PolicyRecord): void {
    this.store.delete(POLICY, policy.arn, propagates);
  }

  /** The default version's JSON text, as enforcement sees it. */
  effectiveDocument(policyArn: string): string | undefined {
    const policy = this.policy(policyArn, "effective");
    return policy?.versions.find(({ versionId }) => versionId === policy.defaultVersionId)?.document;
  }

  /** Unique id of the role or user that an ARN names. */
  uniqueId(arn: string): string | undefined {
    return this.roleByArn(arn)?.roleId ?? this.userByArn(arn)?.userId;
  }

  /** ARN of the living role or user that has the unique id. */
  arnOf(uniqueId: string): string | undefined {
    const role = this.store.list<RoleRecord>(ROLE).find(({ value }) => value.roleId === uniqueId);
    return role?.value.arn ?? this.store.list<UserRecord>(USER).find(({ value }) => value.userId === uniqueId)?.value.arn;
  }

  #read<T>(type: string, id: string, view: View): T | undefined {
    return view === "written" ? this.store.get<T>(type, id) : this.store.effective<T>(type, id);
  }

  #of<T extends { accountId: string; arn: string }>(type: string, accountId: string): T[] {
    return this.store
      .list<T>(type)
      .map(({ value }) => value)
      .filter((value) => value.accountId === accountId)
      .sort((a, b) => (a.arn < b.arn ? -1 : 1));
  }

  #byArn<T>(arn: string, kind: string, find: (accountId: string, name: string) => T | undefined): T | undefined {
    const parsed = parseArn(arn);
    if (parsed?.service !== "iam" || !parsed.resource.startsWith(kind)) return undefined;
    return find(parsed.accountId, parsed.resource.slice(parsed.resource.lastIndexOf("/") + 1));
  }
}

/** When AWS's policies were made matters to nobody; the value only has to stay the same. */
const AWS_MANAGED_DATE = "2015-02-06T18:39:46Z";

function awsManaged(arn: string): PolicyRecord | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== "iam" || parsed.accountId !== "aws") return undefined;
  const found = AWS_MANAGED_POLICIES.find((policy) => parsed.resource === `policy${policy.path}${policy.name}`);
  if (!found) return undefined;
  const document = JSON.stringify(found.document);
  return {
    accountId: "aws",
    arn,
    policyId: found.policyId,
    policyName: found.name,
    path: found.path,
    description: found.description,
    defaultVersionId: "v1",
    versions: [{ versionId: "v1", document, createDate: AWS_MANAGED_DATE }],
    lastVersion: 1,
    tags: [],
    createDate: AWS_MANAGED_DATE,
    updateDate: AWS_MANAGED_DATE,
  };
}
