/** IAM roles: who may assume them, and how long. Their permissions are in `iam-identity-policies.ts`. */
import * as z from "zod";
import { iamQuotas } from "../../facts/aws/iam.js";
import { numberRules, policySize } from "../../facts/aws/limits.js";
import { type IamContext, accountOf, assertPolicy, assertQuota, iamArn, member, mergeTags, page, pageMembers, refuse, resourceTagConditions } from "./iam-context.js";
import { type IdentityKind, assertAttachable, assertWithoutPolicies, authoriseCreation, boundaryMember, identityPolicyOperations, identityTagOperations } from "./iam-identity-policies.js";
import type { RoleRecord } from "./iam-store.js";
import { uniqueId } from "./identifiers.js";
import { integer, operation } from "./members.js";
import { showPrincipals, storePrincipals } from "./resource-policy.js";
import type { Operation, OperationRequest } from "./service.js";

const named = { RoleName: member.roleName };
const maxSessionDuration = integer(numberRules.maxSessionDuration);

const createInput = z.object({
  ...named,
  Path: member.path.optional(),
  AssumeRolePolicyDocument: member.document,
  Description: member.description.optional(),
  MaxSessionDuration: maxSessionDuration.optional(),
  PermissionsBoundary: member.arn.optional(),
  Tags: member.tags.optional(),
});

export function roleOperations(iam: IamContext): Record<string, Operation> {
  const kind = roleKind(iam);
  const open = (request: OperationRequest, action: string, context?: Record<string, string | string[]>): RoleRecord => kind.open(request, action, context);
  return {
    CreateRole: operation(createInput, (input, request) => createRole(iam, input, request)),
    GetRole: operation(z.object(named), (_input, request) => ({ Role: shown(iam, open(request, "GetRole"), "whole") })),
    ListRoles: operation(z.object({ PathPrefix: member.pathPrefix.optional(), ...pageMembers }), (input, request) => {
      iam.authorise(request, "ListRoles", iamArn(request, "role/"));
      const roles = iam.store.roles(accountOf(request)).filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
      return page("Roles", roles.map((role) => shown(iam, role, "listed")), input);
    }),
    DeleteRole: operation(z.object(named), (_input, request) => {
      const role = open(request, "DeleteRole");
      assertWithoutPolicies(role);
      iam.store.deleteRole(role);
      return {};
    }),
    UpdateRole: operation(z.object({ ...named, Description: member.description.optional(), MaxSessionDuration: maxSessionDuration.optional() }), (input, request) => {
      const role = open(request, "UpdateRole");
      iam.store.putRole({ ...role, description: input.Description ?? role.description, maxSessionDuration: input.MaxSessionDuration ?? numberRules.maxSessionDuration.min });
      return {};
    }),
    UpdateRoleDescription: operation(z.object({ ...named, Description: member.description }), (input, request) => {
      const role = { ...open(request, "UpdateRoleDescription"), description: input.Description };
      iam.store.putRole(role);
      return { Role: shown(iam, role, "whole") };
    }),
    UpdateAssumeRolePolicy: operation(z.object({ ...named, PolicyDocument: member.document }), (input, request) => {
      const role = open(request, "UpdateAssumeRolePolicy");
      iam.store.putRole({ ...role, trustPolicy: acceptedTrust(iam, input.PolicyDocument) });
      return {};
    }),
    // The sandbox has no EC2; clients ask before they delete a role.
    ListInstanceProfilesForRole: operation(z.object({ ...named, ...pageMembers }), (input, request) => {
      open(request, "ListInstanceProfilesForRole");
      return page("InstanceProfiles", [], input);
    }),
    ...identityTagOperations(kind),
    ...identityPolicyOperations(iam, kind),
  };
}

function roleKind(iam: IamContext): IdentityKind<RoleRecord> {
  return {
    noun: "Role",
    named,
    open: (request, action, context = {}) => {
      const name = String(request.input["RoleName"]);
      const role = iam.store.role(accountOf(request), name);
      iam.authorise(request, action, role?.arn ?? iamArn(request, `role/${name}`), {
        ...resourceTagConditions(role?.tags ?? []),
        ...(role?.permissionsBoundary !== undefined && { "iam:PermissionsBoundary": role.permissionsBoundary }),
        ...context,
      });
      if (!role) throw refuse.noSuchEntity(`The role with name ${name} cannot be found.`);
      return role;
    },
    put: (role) => iam.store.putRole(role),
    nameOf: ({ roleName }) => roleName,
    inlineQuota: iamQuotas.roleInlinePolicySize,
    attachedQuota: iamQuotas.policiesPerRole,
  };
}

function createRole(iam: IamContext, input: z.output<typeof createInput>, request: OperationRequest): object {
  const { RoleName: roleName, Path: path = "/", PermissionsBoundary: permissionsBoundary, Tags = [] } = input;
  const accountId = accountOf(request);
  const arn = iamArn(request, `role${path}${roleName}`);
  authoriseCreation(iam, request, "Role", arn, input);
  const roles = iam.store.roles(accountId);
  // Names differ by more than case.
  if (roles.some((role) => role.roleName.toLowerCase() === roleName.toLowerCase())) throw refuse.alreadyExists(`Role with name ${roleName} already exists.`);
  assertQuota(iamQuotas.roles, roles.length + 1);
  if (permissionsBoundary !== undefined) assertAttachable(iam, { accountId }, permissionsBoundary);
  const role: RoleRecord = {
    accountId,
    roleName,
    roleId: uniqueId("AROA"),
    arn,
    path,
    createDate: iam.now(),
    tags: mergeTags([], Tags),
    inlinePolicies: {},
    attachedPolicies: [],
    permissionsBoundary,
    description: input.Description,
    maxSessionDuration: input.MaxSessionDuration ?? numberRules.maxSessionDuration.min,
    trustPolicy: acceptedTrust(iam, input.AssumeRolePolicyDocument),
  };
  iam.store.putRole(role);
  return { Role: shown(iam, role, "whole") };
}

/** The trust policy as it is kept. Throws MalformedPolicyDocument and LimitExceeded. */
function acceptedTrust(iam: IamContext, document: string): string {
  assertPolicy(document, "trust");
  assertQuota(iamQuotas.trustPolicySize, policySize(document));
  if (!namesAwsPrincipals(document)) return document;
  return storePrincipals(document, identities(iam), (principal) => refuse.malformedPolicy(`Invalid principal in policy: "AWS":"${principal}"`));
}

/** Without them the text is kept and shown to the letter. */
const namesAwsPrincipals = (document: string): boolean => document.includes('"AWS"');

function identities({ store }: IamContext): Parameters<typeof showPrincipals>[1] {
  return { principalId: (arn) => store.uniqueId(arn), principalArn: (id) => store.arnOf(id) };
}

function shown(iam: IamContext, role: RoleRecord, extent: "whole" | "listed"): object {
  const { path, roleName, roleId, arn, createDate, trustPolicy, description, maxSessionDuration: MaxSessionDuration, tags } = role;
  return {
    Path: path,
    RoleName: roleName,
    RoleId: roleId,
    Arn: arn,
    CreateDate: createDate,
    AssumeRolePolicyDocument: namesAwsPrincipals(trustPolicy) ? showPrincipals(trustPolicy, identities(iam)) : trustPolicy,
    ...(description !== undefined && { Description: description }),
    MaxSessionDuration,
    ...(extent === "whole" && { ...boundaryMember(role), ...(tags.length > 0 && { Tags: tags }), RoleLastUsed: {} }),
  };
}
