/** Managed policies: an account's own, with their versions, and those of AWS to read. */
import * as z from "zod";
import { iamQuotas } from "../../facts/aws/iam.js";
import { policySize } from "../../facts/aws/limits.js";
import { type IamContext, accountOf, assertPolicy, assertQuota, iamArn, member, mergeTags, page, pageMembers, refuse, resourceTagConditions, tagConditions, withoutTags } from "./iam-context.js";
import type { Identity, PolicyRecord, PolicyVersionRecord } from "./iam-store.js";
import { uniqueId } from "./identifiers.js";
import { operation } from "./members.js";
import type { Operation, OperationRequest } from "./service.js";

const named = { PolicyArn: member.arn };

const createInput = z.object({
  PolicyName: member.policyName,
  Path: member.policyPath.optional(),
  PolicyDocument: member.document,
  Description: member.policyDescription.optional(),
  Tags: member.tags.optional(),
});

const listInput = z.object({
  Scope: z.enum(["All", "AWS", "Local"]).optional(),
  OnlyAttached: member.flag.optional(),
  PathPrefix: member.pathPrefix.optional(),
  ...pageMembers,
});

type Conditions = Record<string, string | string[]>;

export function policyOperations(iam: IamContext): Record<string, Operation> {
  /** The policy that a request names, once the caller may do this to it. */
  const open = (request: OperationRequest, action: string, arn: string, conditions: Conditions = {}): PolicyRecord => {
    const policy = iam.store.policy(arn);
    iam.authorise(request, action, arn, { ...resourceTagConditions(policy?.tags ?? []), ...conditions });
    if (!policy || (policy.accountId !== "aws" && policy.accountId !== accountOf(request))) throw refuse.noSuchEntity(`Policy ${arn} was not found.`);
    return policy;
  };
  /** One that the account may change: AWS's own are nobody's. */
  const openOwn = (request: OperationRequest, action: string, arn: string, conditions?: Conditions): PolicyRecord => {
    const policy = open(request, action, arn, conditions);
    if (policy.accountId === "aws") throw refuse.noSuchEntity(`Policy ${arn} was not found.`);
    return policy;
  };

  return {
    CreatePolicy: operation(createInput, (input, request) => createPolicy(iam, input, request)),
    GetPolicy: operation(z.object(named), (input, request) => ({ Policy: shown(iam, request, open(request, "GetPolicy", input.PolicyArn)) })),
    ListPolicies: operation(listInput, (input, request) => {
      iam.authorise(request, "ListPolicies", iamArn(request, "policy/"));
      const { Scope = "All", OnlyAttached = false, PathPrefix = "/" } = input;
      const found = [...(Scope === "Local" ? [] : iam.store.awsManagedPolicies(iamArn(request, ""))), ...(Scope === "AWS" ? [] : iam.store.policies(accountOf(request)))]
        .filter(({ path, arn }) => path.startsWith(PathPrefix) && (!OnlyAttached || holders(iam, request, arn).attached.length > 0))
        .map((policy) => shown(iam, request, policy));
      return page("Policies", found, input);
    }),
    DeletePolicy: operation(z.object(named), (input, request) => {
      const policy = openOwn(request, "DeletePolicy", input.PolicyArn);
      const { attached, bounded } = holders(iam, request, policy.arn);
      if (attached.length + bounded.length > 0) throw refuse.deleteConflict("Cannot delete a policy attached to entities.");
      if (policy.versions.length > 1)
        throw refuse.deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
      iam.store.deletePolicy(policy);
      return {};
    }),
    ListEntitiesForPolicy: operation(z.object({ ...named, EntityFilter: z.string().optional(), PathPrefix: member.path.optional(), ...pageMembers }), (input, request) => {
      const { arn } = open(request, "ListEntitiesForPolicy", input.PolicyArn);
      const { attached } = holders(iam, request, arn);
      return {
        PolicyGroups: [],
        PolicyUsers: attached.flatMap((each) => ("userName" in each ? [{ UserName: each.userName, UserId: each.userId }] : [])),
        PolicyRoles: attached.flatMap((each) => ("roleName" in each ? [{ RoleName: each.roleName, RoleId: each.roleId }] : [])),
        IsTruncated: false,
      };
    }),
    ...versionOperations(iam, open, openOwn),
    TagPolicy: operation(z.object({ ...named, Tags: member.tags }), (input, request) => {
      const policy = openOwn(request, "TagPolicy", input.PolicyArn, tagConditions(input.Tags));
      iam.store.putPolicy({ ...policy, tags: mergeTags(policy.tags, input.Tags) });
      return {};
    }),
    UntagPolicy: operation(z.object({ ...named, TagKeys: member.tagKeys }), (input, request) => {
      const policy = openOwn(request, "UntagPolicy", input.PolicyArn, { "aws:TagKeys": input.TagKeys });
      iam.store.putPolicy({ ...policy, tags: withoutTags(policy.tags, input.TagKeys) });
      return {};
    }),
    ListPolicyTags: operation(z.object({ ...named, ...pageMembers }), (input, request) => page("Tags", open(request, "ListPolicyTags", input.PolicyArn).tags, input)),
  };
}

type Open = (request: OperationRequest, action: string, arn: string) => PolicyRecord;

function versionOperations(iam: IamContext, open: Open, openOwn: Open): Record<string, Operation> {
  const namedVersion = { ...named, VersionId: member.versionId };
  const version = (policy: PolicyRecord, id: string): PolicyVersionRecord => {
    const found = policy.versions.find(({ versionId }) => versionId === id);
    if (!found) throw refuse.noSuchEntity(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
    return found;
  };
  return {
    GetPolicyVersion: operation(z.object(namedVersion), (input, request) => {
      const policy = open(request, "GetPolicyVersion", input.PolicyArn);
      const found = version(policy, input.VersionId);
      return { PolicyVersion: { Document: found.document, ...shownVersion(policy, found) } };
    }),
    ListPolicyVersions: operation(z.object({ ...named, ...pageMembers }), (input, request) => {
      const policy = open(request, "ListPolicyVersions", input.PolicyArn);
      return page("Versions", policy.versions.map((each) => shownVersion(policy, each)).reverse(), input);
    }),
    CreatePolicyVersion: operation(z.object({ ...named, PolicyDocument: member.document, SetAsDefault: member.flag.optional() }), (input, request) => {
      const policy = openOwn(request, "CreatePolicyVersion", input.PolicyArn);
      assertDocument(input.PolicyDocument);
      const { limit } = iamQuotas.managedPolicyVersions;
      if (policy.versions.length >= limit)
        throw refuse.limitExceeded(`A managed policy can have up to ${limit} versions. Before you create a new version, you must delete an existing version.`);
      const lastVersion = policy.lastVersion + 1;
      const made = { versionId: `v${lastVersion}`, document: input.PolicyDocument, createDate: iam.now() };
      const changed: PolicyRecord = {
        ...policy,
        lastVersion,
        versions: [...policy.versions, made],
        updateDate: made.createDate,
        ...(input.SetAsDefault === true && { defaultVersionId: made.versionId }),
      };
      iam.store.putPolicy(changed);
      return { PolicyVersion: shownVersion(changed, made) };
    }),
    SetDefaultPolicyVersion: operation(z.object(namedVersion), (input, request) => {
      const policy = openOwn(request, "SetDefaultPolicyVersion", input.PolicyArn);
      iam.store.putPolicy({ ...policy, defaultVersionId: version(policy, input.VersionId).versionId, updateDate: iam.now() });
      return {};
    }),
    DeletePolicyVersion: operation(z.object(namedVersion), (input, request) => {
      const policy = openOwn(request, "DeletePolicyVersion", input.PolicyArn);
      const { versionId } = version(policy, input.VersionId);
      if (versionId === policy.defaultVersionId) throw refuse.deleteConflict("Cannot delete the default version of a policy.");
      iam.store.putPolicy({ ...policy, versions: policy.versions.filter((each) => each.versionId !== versionId), updateDate: iam.now() });
      return {};
    }),
  };
}

function createPolicy(iam: IamContext, input: z.output<typeof createInput>, request: OperationRequest): object {
  const { PolicyName: policyName, Path: path = "/", PolicyDocument: document, Tags = [] } = input;
  const accountId = accountOf(request);
  const arn = iamArn(request, `policy${path}${policyName}`);
  iam.authorise(request, "CreatePolicy", arn, tagConditions(Tags));
  if (Tags.length > 0) iam.authorise(request, "TagPolicy", arn, tagConditions(Tags));
  const policies = iam.store.policies(accountId);
  if (policies.some((policy) => policy.policyName.toLowerCase() === policyName.toLowerCase()))
    throw refuse.alreadyExists(`A policy called ${policyName} already exists. Duplicate names are not allowed.`);
  assertQuota(iamQuotas.policies, policies.length + 1);
  assertDocument(document);
  const now = iam.now();
  const policy: PolicyRecord = {
    accountId,
    arn,
    policyId: uniqueId("ANPA"),
    policyName,
    path,
    description: input.Description,
    defaultVersionId: "v1",
    versions: [{ versionId: "v1", document, createDate: now }],
    lastVersion: 1,
    tags: mergeTags([], Tags),
    createDate: now,
    updateDate: now,
  };
  iam.store.putPolicy(policy);
  return { Policy: shown(iam, request, policy) };
}

/** Throws MalformedPolicyDocument and LimitExceeded. */
function assertDocument(document: string): void {
  assertPolicy(document, "identity");
  assertQuota(iamQuotas.managedPolicySize, policySize(document));
}

/** Who has the policy, attached or as a boundary. */
function holders(iam: IamContext, request: OperationRequest, arn: string) {
  const all = [...iam.store.roles(accountOf(request)), ...iam.store.users(accountOf(request))];
  return {
    attached: all.filter((each) => each.attachedPolicies.includes(arn)),
    bounded: all.filter((each: Identity) => each.permissionsBoundary === arn),
  };
}

function shown(iam: IamContext, request: OperationRequest, policy: PolicyRecord): object {
  const { policyName, policyId, arn, path, defaultVersionId, description, createDate, updateDate, tags } = policy;
  const { attached, bounded } = holders(iam, request, arn);
  return {
    PolicyName: policyName,
    PolicyId: policyId,
    Arn: arn,
    Path: path,
    DefaultVersionId: defaultVersionId,
    AttachmentCount: attached.length,
    PermissionsBoundaryUsageCount: bounded.length,
    IsAttachable: true,
    ...(description !== undefined && { Description: description }),
    CreateDate: createDate,
    UpdateDate: updateDate,
    ...(tags.length > 0 && { Tags: tags }),
  };
}

function shownVersion(policy: PolicyRecord, { versionId, createDate }: PolicyVersionRecord): object {
  return { VersionId: versionId, IsDefaultVersion: versionId === policy.defaultVersionId, CreateDate: createDate };
}
