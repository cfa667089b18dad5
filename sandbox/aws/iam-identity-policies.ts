/** Permissions of users and roles: inline policies, attached ones, boundaries. Both kinds have the same operations. */
import * as z from "zod";
import type { IamQuota } from "../../facts/aws/iam.js";
import { policySize } from "../../facts/aws/limits.js";
import { type IamContext, assertPolicy, assertQuota, member, mergeTags, page, pageMembers, refuse, tagConditions, withoutTags } from "./iam-context.js";
import type { Identity } from "./iam-store.js";
import { operation } from "./members.js";
import type { Operation, OperationRequest } from "./service.js";

/** Users or roles, as far as their permissions go. */
export interface IdentityKind<T extends Identity> {
  noun: "Role" | "User";
  /** The member that names one. */
  named: { RoleName: z.ZodString } | { UserName: z.ZodString };
  /** The one that a request names, once the caller may do this to it. Throws AccessDenied and NoSuchEntity. */
  open(request: OperationRequest, action: string, context?: Record<string, string | string[]>): T;
  put(identity: T): void;
  nameOf(identity: T): string;
  inlineQuota: IamQuota;
  attachedQuota: IamQuota;
}

export function identityPolicyOperations<T extends Identity>(iam: IamContext, kind: IdentityKind<T>): Record<string, Operation> {
  return { ...inlineOperations(kind), ...attachmentOperations(iam, kind), ...boundaryOperations(iam, kind) };
}

/** Throws DeleteConflict while an identity has policies. */
export function assertWithoutPolicies({ attachedPolicies, inlinePolicies }: Identity): void {
  if (attachedPolicies.length > 0) throw refuse.deleteConflict("Cannot delete entity, must detach all policies first.");
  if (Object.keys(inlinePolicies).length > 0) throw refuse.deleteConflict("Cannot delete entity, must delete policies first.");
}

/** Creating one takes the right to tag it, too, where it comes with tags. Throws AccessDenied. */
export function authoriseCreation(
  iam: IamContext,
  request: OperationRequest,
  noun: IdentityKind<Identity>["noun"],
  arn: string,
  { Tags = [], PermissionsBoundary }: { Tags?: Parameters<typeof tagConditions>[0] | undefined; PermissionsBoundary?: string | undefined },
): void {
  const conditions = { ...tagConditions(Tags), ...(PermissionsBoundary !== undefined && { "iam:PermissionsBoundary": PermissionsBoundary }) };
  iam.authorise(request, `Create${noun}`, arn, conditions);
  if (Tags.length > 0) iam.authorise(request, `Tag${noun}`, arn, conditions);
}

export function identityTagOperations<T extends Identity>(kind: IdentityKind<T>): Record<string, Operation> {
  const { noun, named } = kind;
  return {
    [`Tag${noun}`]: operation(z.object({ ...named, Tags: member.tags }), (input, request) => {
      const identity = kind.open(request, `Tag${noun}`, tagConditions(input.Tags));
      kind.put({ ...identity, tags: mergeTags(identity.tags, input.Tags) });
      return {};
    }),
    [`Untag${noun}`]: operation(z.object({ ...named, TagKeys: member.tagKeys }), (input, request) => {
      const identity = kind.open(request, `Untag${noun}`, { "aws:TagKeys": input.TagKeys });
      kind.put({ ...identity, tags: withoutTags(identity.tags, input.TagKeys) });
      return {};
    }),
    [`List${noun}Tags`]: operation(z.object({ ...named, ...pageMembers }), (input, request) => page("Tags", kind.open(request, `List${noun}Tags`).tags, input)),
  };
}

function inlineOperations<T extends Identity>(kind: IdentityKind<T>): Record<string, Operation> {
  const { noun, named } = kind;
  const lower = noun.toLowerCase();
  const missing = (name: string): Error => refuse.noSuchEntity(`The ${lower} policy with name ${name} cannot be found.`);
  return {
    [`Put${noun}Policy`]: operation(z.object({ ...named, PolicyName: member.policyName, PolicyDocument: member.document }), (input, request) => {
      const identity = kind.open(request, `Put${noun}Policy`);
      assertPolicy(input.PolicyDocument, "identity");
      const inlinePolicies = { ...identity.inlinePolicies, [input.PolicyName]: input.PolicyDocument };
      const total = Object.values(inlinePolicies).reduce((sum, document) => sum + policySize(document), 0);
      if (total > kind.inlineQuota.limit)
        throw refuse.limitExceeded(`Maximum policy size of ${kind.inlineQuota.limit} bytes exceeded for ${lower} ${kind.nameOf(identity)}`);
      kind.put({ ...identity, inlinePolicies });
      return {};
    }),
    [`Get${noun}Policy`]: operation(z.object({ ...named, PolicyName: member.policyName }), (input, request) => {
      const identity = kind.open(request, `Get${noun}Policy`);
      const document = identity.inlinePolicies[input.PolicyName];
      if (document === undefined) throw missing(input.PolicyName);
      return { [`${noun}Name`]: kind.nameOf(identity), PolicyName: input.PolicyName, PolicyDocument: document };
    }),
    [`Delete${noun}Policy`]: operation(z.object({ ...named, PolicyName: member.policyName }), (input, request) => {
      const identity = kind.open(request, `Delete${noun}Policy`);
      const { [input.PolicyName]: removed, ...inlinePolicies } = identity.inlinePolicies;
      if (removed === undefined) throw missing(input.PolicyName);
      kind.put({ ...identity, inlinePolicies });
      return {};
    }),
    [`List${noun}Policies`]: operation(z.object({ ...named, ...pageMembers }), (input, request) =>
      page("PolicyNames", Object.keys(kind.open(request, `List${noun}Policies`).inlinePolicies).sort(), input),
    ),
  };
}

function attachmentOperations<T extends Identity>(iam: IamContext, kind: IdentityKind<T>): Record<string, Operation> {
  const { noun, named } = kind;
  return {
    [`Attach${noun}Policy`]: operation(z.object({ ...named, PolicyArn: member.arn }), (input, request) => {
      const identity = kind.open(request, `Attach${noun}Policy`, { "iam:PolicyARN": input.PolicyArn });
      assertAttachable(iam, identity, input.PolicyArn);
      const attachedPolicies = [...new Set([...identity.attachedPolicies, input.PolicyArn])];
      assertQuota(kind.attachedQuota, attachedPolicies.length);
      kind.put({ ...identity, attachedPolicies });
      return {};
    }),
    [`Detach${noun}Policy`]: operation(z.object({ ...named, PolicyArn: member.arn }), (input, request) => {
      const identity = kind.open(request, `Detach${noun}Policy`, { "iam:PolicyARN": input.PolicyArn });
      if (!identity.attachedPolicies.includes(input.PolicyArn)) throw refuse.noSuchEntity(`Policy ${input.PolicyArn} was not found.`);
      kind.put({ ...identity, attachedPolicies: identity.attachedPolicies.filter((arn) => arn !== input.PolicyArn) });
      return {};
    }),
    [`ListAttached${noun}Policies`]: operation(z.object({ ...named, PathPrefix: member.pathPrefix.optional(), ...pageMembers }), (input, request) => {
      const attached = kind.open(request, `ListAttached${noun}Policies`).attachedPolicies.map((arn) => ({ PolicyName: arn.slice(arn.lastIndexOf("/") + 1), PolicyArn: arn }));
      const prefix = `policy${input.PathPrefix ?? "/"}`;
      return page("AttachedPolicies", attached.filter(({ PolicyArn }) => PolicyArn.split(":")[5]?.startsWith(prefix) === true), input);
    }),
  };
}

function boundaryOperations<T extends Identity>(iam: IamContext, kind: IdentityKind<T>): Record<string, Operation> {
  const { noun, named } = kind;
  return {
    [`Put${noun}PermissionsBoundary`]: operation(z.object({ ...named, PermissionsBoundary: member.arn }), (input, request) => {
      const identity = kind.open(request, `Put${noun}PermissionsBoundary`, { "iam:PermissionsBoundary": input.PermissionsBoundary });
      assertAttachable(iam, identity, input.PermissionsBoundary);
      kind.put({ ...identity, permissionsBoundary: input.PermissionsBoundary });
      return {};
    }),
    [`Delete${noun}PermissionsBoundary`]: operation(z.object(named), (_input, request) => {
      const identity = kind.open(request, `Delete${noun}PermissionsBoundary`);
      kind.put({ ...identity, permissionsBoundary: undefined });
      return {};
    }),
  };
}

/** Throws NoSuchEntity for a policy that is not there, or is another account's. */
export function assertAttachable(iam: IamContext, { accountId }: Pick<Identity, "accountId">, policyArn: string): void {
  const policy = iam.store.policy(policyArn);
  if (!policy || (policy.accountId !== "aws" && policy.accountId !== accountId))
    throw refuse.noSuchEntity(`Policy ${policyArn} does not exist or is not attachable.`);
}

/** As answers show it. */
export function boundaryMember({ permissionsBoundary }: Identity): object {
  if (permissionsBoundary === undefined) return {};
  return { PermissionsBoundary: { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: permissionsBoundary } };
}
