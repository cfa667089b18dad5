/** What all operations of IAM share: the account they are in, authorisation, refusals, pages, tags. */
import * as z from "zod";
import { iamMembers, iamNumbers, type IamQuota, iamQuotas } from "../../facts/aws/iam.js";
import { textRules } from "../../facts/aws/limits.js";
import { partitionOfRegion } from "../../facts/aws/partitions.js";
import { type PolicyKind, parsePolicy } from "../../trust/aws/policy.js";
import type { SandboxCore } from "../types.js";
import type { Credentials } from "./credentials.js";
import type { IamStore, Tag } from "./iam-store.js";
import { timestamp } from "./identifiers.js";
import { flag, integer, list, text } from "./members.js";
import type { Authoriser, OperationRequest } from "./service.js";
import { AwsError } from "./types.js";

/** Names of these have the same form and, when it is broken, the same words. */
function nameMember(rule: Parameters<typeof text>[0], member: string): z.ZodString {
  return text(rule, `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`);
}

const tag = z.object({ Key: text(iamMembers.tagKey), Value: text(textRules.tagValue) });

/** The API's members by what they are. */
export const member = {
  roleName: nameMember(textRules.roleName, "roleName"),
  userName: nameMember(iamMembers.userName, "userName"),
  policyName: nameMember(iamMembers.policyName, "policyName"),
  path: text(textRules.path),
  policyPath: text(iamMembers.policyPath),
  description: text(textRules.roleDescription),
  policyDescription: text(iamMembers.policyDescription),
  document: text(iamMembers.policyDocument),
  arn: text(iamMembers.arn),
  versionId: text(iamMembers.policyVersionId),
  accessKeyId: text(iamMembers.accessKeyId),
  clientId: text(iamMembers.clientId),
  thumbprint: text(iamMembers.thumbprint),
  url: text(iamMembers.providerUrl),
  tags: list(tag, { max: iamQuotas.tagsPerResource.limit }),
  tagKeys: list(text(iamMembers.tagKey), { max: iamQuotas.tagsPerResource.limit }),
  pathPrefix: text(iamMembers.pathPrefix),
  flag,
} as const;

/** Members of every operation that lists. */
export const pageMembers = {
  Marker: text(iamMembers.marker).optional(),
  MaxItems: integer(iamNumbers.maxItems).optional(),
};

export class IamContext {
  constructor(
    readonly core: SandboxCore,
    readonly store: IamStore,
    readonly credentials: Credentials,
    private readonly authoriser: Authoriser,
  ) {}

  now(): string {
    return timestamp(this.core.clock.now());
  }

  /** Throws AccessDenied. `resource` is an ARN, or `*` for operations on no one thing. */
  authorise(request: OperationRequest, action: string, resource: string, context: Record<string, string | string[]> = {}): void {
    this.authoriser.require({ request, action: `iam:${action}`, resource, resourceAccountId: accountOf(request), context });
  }
}

export function accountOf(request: OperationRequest): string {
  return request.caller.principal.accountId;
}

/** ARN of a thing of IAM in the caller's account; `resource` as in `role/path/name`. */
export function iamArn(request: OperationRequest, resource: string): string {
  return `arn:${partitionOfRegion(request.region)?.name ?? "aws"}:iam::${accountOf(request)}:${resource}`;
}

export const refuse = {
  noSuchEntity: (message: string): AwsError => new AwsError("NoSuchEntity", 404, message),
  alreadyExists: (message: string): AwsError => new AwsError("EntityAlreadyExists", 409, message),
  deleteConflict: (message: string): AwsError => new AwsError("DeleteConflict", 409, message),
  invalidInput: (message: string): AwsError => new AwsError("InvalidInput", 400, message),
  validation: (message: string): AwsError => new AwsError("ValidationError", 400, message),
  malformedPolicy: (message: string): AwsError => new AwsError("MalformedPolicyDocument", 400, message),
  limitExceeded: (message: string): AwsError => new AwsError("LimitExceeded", 409, message),
};

/** Throws LimitExceeded when `count` is over the quota. */
export function assertQuota(quota: IamQuota, count: number): void {
  if (count > quota.limit) throw refuse.limitExceeded(`Cannot exceed quota for ${quota.name}: ${quota.limit}`);
}

/** Throws MalformedPolicyDocument with the first mistake. */
export function assertPolicy(document: string, kind: PolicyKind): void {
  const [mistake] = parsePolicy(document, kind).mistakes;
  if (mistake) throw refuse.malformedPolicy(mistake.message);
}

export interface Page {
  Marker?: string | undefined;
  MaxItems?: number | undefined;
}

/** One page of a list under its name; the marker is where the next begins. */
export function page<T>(name: string, items: readonly T[], { Marker, MaxItems = 100 }: Page): Record<string, unknown> {
  const start = Marker === undefined ? 0 : Number(Buffer.from(Marker, "base64").toString("utf8"));
  if (!Number.isInteger(start) || start < 0) throw refuse.validation(`Invalid Marker: ${Marker ?? ""}`);
  const end = start + MaxItems;
  const truncated = end < items.length;
  return { [name]: items.slice(start, end), IsTruncated: truncated, ...(truncated && { Marker: Buffer.from(String(end)).toString("base64") }) };
}

/** Keys are compared without regard to case, and kept as they were first written. Throws InvalidInput. */
export function mergeTags(known: readonly Tag[], added: readonly Tag[]): Tag[] {
  const keys = added.map(({ Key }) => Key.toLowerCase());
  if (new Set(keys).size < keys.length) throw refuse.invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  if (keys.some((key) => key.startsWith("aws:"))) throw refuse.invalidInput("System tags cannot be added/updated/deleted by requester");
  const merged = [...known.filter(({ Key }) => !keys.includes(Key.toLowerCase())), ...added];
  assertQuota(iamQuotas.tagsPerResource, merged.length);
  return merged;
}

export function withoutTags(known: readonly Tag[], keys: readonly string[]): Tag[] {
  const removed = keys.map((key) => key.toLowerCase());
  return known.filter(({ Key }) => !removed.includes(Key.toLowerCase()));
}

/** Condition keys of requests that carry tags. */
export function tagConditions(tags: readonly Tag[] | undefined): Record<string, string | string[]> {
  if (!tags || tags.length === 0) return {};
  return { "aws:TagKeys": tags.map(({ Key }) => Key), ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])) };
}

/** Condition keys of what a request is about. */
export function resourceTagConditions(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(tags.flatMap(({ Key, Value }) => [[`aws:ResourceTag/${Key}`, Value], [`iam:ResourceTag/${Key}`, Value]]));
}
