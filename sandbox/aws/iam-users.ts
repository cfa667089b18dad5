/** IAM users and their access keys: operators, and those who may only read. */
import * as z from "zod";
import { iamQuotas } from "../../facts/aws/iam.js";
import type { UserKey } from "./credentials.js";
import { type IamContext, accountOf, assertQuota, iamArn, member, mergeTags, page, pageMembers, refuse, resourceTagConditions } from "./iam-context.js";
import { type IdentityKind, assertAttachable, assertWithoutPolicies, authoriseCreation, boundaryMember, identityPolicyOperations, identityTagOperations } from "./iam-identity-policies.js";
import type { UserRecord } from "./iam-store.js";
import { uniqueId } from "./identifiers.js";
import { operation } from "./members.js";
import type { Operation, OperationRequest } from "./service.js";

const named = { UserName: member.userName };
/** Whoever names nobody means the own user. */
const ownOrNamed = { UserName: member.userName.optional() };

const createInput = z.object({ ...named, Path: member.path.optional(), PermissionsBoundary: member.arn.optional(), Tags: member.tags.optional() });

export function userOperations(iam: IamContext): Record<string, Operation> {
  const kind = userKind(iam);
  const open = (request: OperationRequest, action: string, context?: Record<string, string | string[]>): UserRecord => kind.open(request, action, context);
  return {
    CreateUser: operation(createInput, (input, request) => createUser(iam, input, request)),
    GetUser: operation(z.object(ownOrNamed), (_input, request) => ({ User: shown(open(request, "GetUser")) })),
    ListUsers: operation(z.object({ PathPrefix: member.pathPrefix.optional(), ...pageMembers }), (input, request) => {
      iam.authorise(request, "ListUsers", iamArn(request, "user/"));
      return page("Users", iam.store.users(accountOf(request)).filter(({ path }) => path.startsWith(input.PathPrefix ?? "/")).map(shown), input);
    }),
    DeleteUser: operation(z.object(named), (_input, request) => {
      const user = open(request, "DeleteUser");
      assertWithoutPolicies(user);
      if (iam.credentials.keysOf(user).length > 0) throw refuse.deleteConflict("Cannot delete entity, must delete access keys first.");
      iam.store.deleteUser(user);
      return {};
    }),
    ...keyOperations(iam, kind),
    ...identityTagOperations(kind),
    ...identityPolicyOperations(iam, kind),
  };
}

function keyOperations(iam: IamContext, kind: IdentityKind<UserRecord>): Record<string, Operation> {
  const namedKey = { ...ownOrNamed, AccessKeyId: member.accessKeyId };
  const keyOf = (user: UserRecord, id: string): UserKey => {
    const found = iam.credentials.keysOf(user).find((each) => each.id === id);
    if (!found) throw refuse.noSuchEntity(`The Access Key with id ${id} cannot be found.`);
    return found.key;
  };
  return {
    CreateAccessKey: operation(z.object(ownOrNamed), (_input, request) => {
      const user = kind.open(request, "CreateAccessKey");
      assertQuota(iamQuotas.accessKeysPerUser, iam.credentials.keysOf(user).length + 1);
      const { accessKeyId, secretAccessKey, createDate } = iam.credentials.issueUserKey(user);
      return { AccessKey: { UserName: user.userName, AccessKeyId: accessKeyId, Status: "Active", SecretAccessKey: secretAccessKey, CreateDate: createDate } };
    }),
    ListAccessKeys: operation(z.object({ ...ownOrNamed, ...pageMembers }), (input, request) => {
      const user = kind.open(request, "ListAccessKeys");
      const keys = iam.credentials.keysOf(user);
      return page("AccessKeyMetadata", keys.map(({ id, key }) => ({ UserName: user.userName, AccessKeyId: id, Status: key.status, CreateDate: key.createDate })), input);
    }),
    UpdateAccessKey: operation(z.object({ ...namedKey, Status: z.enum(["Active", "Inactive"]) }), (input, request) => {
      const key = keyOf(kind.open(request, "UpdateAccessKey"), input.AccessKeyId);
      iam.credentials.setStatus(input.AccessKeyId, key, input.Status);
      return {};
    }),
    DeleteAccessKey: operation(z.object(namedKey), (input, request) => {
      keyOf(kind.open(request, "DeleteAccessKey"), input.AccessKeyId);
      iam.credentials.delete(input.AccessKeyId);
      return {};
    }),
  };
}

function userKind(iam: IamContext): IdentityKind<UserRecord> {
  return {
    noun: "User",
    named,
    open: (request, action, context = {}) => {
      const name = userNameOf(request);
      const user = iam.store.user(accountOf(request), name);
      iam.authorise(request, action, user?.arn ?? iamArn(request, `user/${name}`), { ...resourceTagConditions(user?.tags ?? []), ...context });
      if (!user) throw refuse.noSuchEntity(`The user with name ${name} cannot be found.`);
      return user;
    },
    put: (user) => iam.store.putUser(user),
    nameOf: ({ userName }) => userName,
    inlineQuota: iamQuotas.userInlinePolicySize,
    attachedQuota: iamQuotas.policiesPerUser,
  };
}

function userNameOf({ input, caller }: OperationRequest): string {
  const given = input["UserName"];
  if (typeof given === "string") return given;
  if (caller.principal.kind !== "user") throw refuse.validation("Must specify userName when calling with non-User credentials");
  return caller.principal.arn.slice(caller.principal.arn.lastIndexOf("/") + 1);
}

function createUser(iam: IamContext, input: z.output<typeof createInput>, request: OperationRequest): object {
  const { UserName: userName, Path: path = "/", PermissionsBoundary: permissionsBoundary, Tags = [] } = input;
  const accountId = accountOf(request);
  const arn = iamArn(request, `user${path}${userName}`);
  authoriseCreation(iam, request, "User", arn, input);
  const users = iam.store.users(accountId);
  if (users.some((user) => user.userName.toLowerCase() === userName.toLowerCase())) throw refuse.alreadyExists(`User with name ${userName} already exists.`);
  assertQuota(iamQuotas.users, users.length + 1);
  if (permissionsBoundary !== undefined) assertAttachable(iam, { accountId }, permissionsBoundary);
  const user: UserRecord = {
    accountId,
    userName,
    userId: uniqueId("AIDA"),
    arn,
    path,
    createDate: iam.now(),
    tags: mergeTags([], Tags),
    inlinePolicies: {},
    attachedPolicies: [],
    permissionsBoundary,
  };
  iam.store.putUser(user);
  return { User: shown(user) };
}

function shown(user: UserRecord): object {
  const { path, userName, userId, arn, createDate, tags } = user;
  return { Path: path, UserName: userName, UserId: userId, Arn: arn, CreateDate: createDate, ...boundaryMember(user), ...(tags.length > 0 && { Tags: tags }) };
}
