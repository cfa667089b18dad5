/** KMS keys: finding them, their state, and who may use them. Shared by the KMS API and by S3's encryption. */
import { randomBytes, randomUUID } from "node:crypto";
import type { NamedPolicy } from "../../trust/aws/types.js";
import type { AwsServiceContext, OperationRequest } from "./service.js";
import { partitionOf } from "./s3-state.js";
import { AwsError } from "./types.js";

export interface KmsKey {
  keyId: string;
  arn: string;
  accountId: string;
  partition: string;
  region: string;
  description: string;
  state: "Enabled" | "Disabled" | "PendingDeletion";
  /** ISO 8601. */
  creationDate: string;
  deletionDate?: string;
  manager: "CUSTOMER" | "AWS";
  rotationPeriodDays?: number;
  tags: { TagKey: string; TagValue: string }[];
}

export interface KmsAlias {
  name: string;
  arn: string;
  accountId: string;
  region: string;
  targetKeyId: string;
  creationDate: string;
}

const KEY = "aws:kms/key";
/** Its own resource, so that a change of policy propagates and a change of the key does not. */
const POLICY = "aws:kms/key-policy";
const ALIAS = "aws:kms/alias";
export const KMS_TYPES = [KEY, POLICY, ALIAS];
/** Apart from the key, so that reading a key out of band does not show it. */
const MATERIAL = "secret:aws/kms-key-material";

export function kmsError(code: string, message: string, status = 400): AwsError {
  return new AwsError(code, status, message);
}

function keyNotFound(arn: string): AwsError {
  return kmsError("NotFoundException", `Key '${arn}' does not exist`);
}

export class KmsKeys {
  constructor(private readonly context: AwsServiceContext) {}

  private get store() {
    return this.context.core.store;
  }

  /** A key that is not in the store yet: its policy is checked first. */
  prepare(
    where: { accountId: string; region: string },
    settings: Pick<KmsKey, "description" | "manager" | "tags">,
  ): KmsKey {
    const keyId = randomUUID();
    const partition = partitionOf(where.region);
    const arn = `arn:${partition}:kms:${where.region}:${where.accountId}:key/${keyId}`;
    return { keyId, arn, ...where, partition, state: "Enabled", creationDate: this.context.core.clock.now().toISOString(), ...settings };
  }

  add(key: KmsKey, policy: string): void {
    this.store.put(POLICY, key.arn, { document: policy });
    this.store.put(MATERIAL, key.arn, { bytes: randomBytes(32).toString("base64") });
    this.store.put(KEY, key.arn, key);
  }

  put(key: KmsKey): void {
    this.store.put(KEY, key.arn, key);
  }

  /** Every key that still exists: one whose waiting period is over is gone. */
  list(accountId: string, region: string): KmsKey[] {
    return this.store
      .list<KmsKey>(KEY)
      .map((each) => each.value)
      .filter((each) => each.accountId === accountId && each.region === region && !this.gone(each));
  }

  aliases(accountId: string, region: string): KmsAlias[] {
    return this.store
      .list<KmsAlias>(ALIAS)
      .map((each) => each.value)
      .filter((each) => each.accountId === accountId && each.region === region);
  }

  alias(arn: string): KmsAlias | undefined {
    return this.store.get<KmsAlias>(ALIAS, arn);
  }

  putAlias(alias: KmsAlias): void {
    this.store.put(ALIAS, alias.arn, alias);
  }

  deleteAlias(arn: string): void {
    this.store.delete(ALIAS, arn);
  }

  /**
   * The key behind a key id, key ARN, alias name or alias ARN. Ids and names are looked up in the caller's account.
   * Throws NotFoundException, also for an ARN of another region.
   */
  find(request: OperationRequest, reference: string): KmsKey {
    const { accountId } = request.caller.principal;
    const scope = `arn:${partitionOf(request.region)}:kms:${request.region}:${accountId}`;
    if (reference.startsWith("arn:") && reference.split(":")[3] !== request.region)
      throw kmsError("NotFoundException", `Invalid arn ${reference.split(":")[3] ?? ""}`);
    const aliasArn = /^alias\//.test(reference) ? `${scope}:${reference}` : /:alias\//.test(reference) ? reference : undefined;
    if (aliasArn !== undefined) {
      const alias = this.alias(aliasArn);
      if (alias === undefined) throw kmsError("NotFoundException", `Alias ${aliasArn} is not found.`);
      return this.byArn(`${aliasArn.slice(0, aliasArn.indexOf(":alias/"))}:key/${alias.targetKeyId}`);
    }
    if (reference.startsWith("arn:")) return this.byArn(reference);
    if (!/^[0-9a-f-]{36}$/.test(reference)) throw kmsError("NotFoundException", `Invalid keyId '${reference}'`);
    return this.byArn(`${scope}:key/${reference}`);
  }

  private byArn(arn: string): KmsKey {
    const key = this.store.get<KmsKey>(KEY, arn);
    if (key === undefined || this.gone(key)) throw keyNotFound(arn);
    return key;
  }

  private gone(key: KmsKey): boolean {
    return key.deletionDate !== undefined && new Date(key.deletionDate) <= this.context.core.clock.now();
  }

  /** As last written; principals by unique id. */
  policy(key: KmsKey): string {
    return this.store.get<{ document: string }>(POLICY, key.arn)?.document ?? "";
  }

  putPolicy(key: KmsKey, document: string): void {
    this.store.put(POLICY, key.arn, { document }, { propagates: true });
  }

  /** Throws AccessDeniedException: the key policy must allow, or hand the decision to the account's IAM policies. */
  authorise(request: OperationRequest, key: KmsKey, action: string, conditions: Record<string, string | string[]> = {}): void {
    const document = this.store.effective<{ document: string }>(POLICY, key.arn)?.document;
    this.authoriseWith(request, key, action, conditions, document === undefined ? undefined : { name: `key policy of ${key.arn}`, document });
  }

  /** The same under a policy that is not in force yet. */
  authoriseWith(
    request: OperationRequest,
    key: KmsKey,
    action: string,
    conditions: Record<string, string | string[]>,
    resourcePolicy: NamedPolicy | undefined,
  ): void {
    const tags = key.tags.map((tag) => [`aws:ResourceTag/${tag.TagKey}`, tag.TagValue] as const);
    this.decide(request, action, key.arn, key.accountId, { ...Object.fromEntries(tags), ...conditions }, resourcePolicy);
  }

  /** For what has no key policy: an alias, or the account's keys as a whole. */
  authoriseAccount(request: OperationRequest, action: string, resource: string): void {
    const { accountId } = request.caller.principal;
    const answer = this.context.authoriser.decide({ request, action, resource, resourceAccountId: accountId });
    if (!answer.allowed) throw accessDenied(request, action, resource, answer.because);
  }

  private decide(
    request: OperationRequest,
    action: string,
    resource: string,
    resourceAccountId: string,
    conditions: Record<string, string | string[]>,
    resourcePolicy: NamedPolicy | undefined,
  ): void {
    const answer = this.context.authoriser.decide({
      request,
      action,
      resource,
      resourceAccountId,
      resourcePolicy,
      resourcePolicyDecides: true,
      context: {
        "kms:CallerAccount": request.caller.principal.accountId,
        "kms:KeySpec": "SYMMETRIC_DEFAULT",
        "aws:ResourceAccount": resourceAccountId,
        ...conditions,
      },
    });
    if (!answer.allowed) throw accessDenied(request, action, resource, answer.because);
  }

  /** Throws DisabledException or KMSInvalidStateException for a key that must not be used now. */
  requireUsable(key: KmsKey): void {
    if (key.state === "Disabled") throw kmsError("DisabledException", `${key.arn} is disabled.`);
    if (key.state === "PendingDeletion") throw kmsError("KMSInvalidStateException", `${key.arn} is pending deletion.`);
  }

  material(key: KmsKey): Buffer {
    return Buffer.from(this.store.get<{ bytes: string }>(MATERIAL, key.arn)?.bytes ?? "", "base64");
  }

  /** `alias/aws/s3` of an account and region, made when first used; everybody whom S3 lets in may use it through S3. */
  managedForS3(accountId: string, region: string, policy: string): KmsKey {
    const name = "alias/aws/s3";
    const arn = `arn:${partitionOf(region)}:kms:${region}:${accountId}:${name}`;
    const alias = this.alias(arn);
    if (alias !== undefined) return this.byArn(arn.replace(name, `key/${alias.targetKeyId}`));
    const description = "Default key that protects my S3 objects when no other key is defined";
    const key = this.prepare({ accountId, region }, { description, manager: "AWS", tags: [] });
    this.add(key, policy);
    this.putAlias({ name, arn, accountId, region, targetKeyId: key.keyId, creationDate: key.creationDate });
    return key;
  }
}

function accessDenied(request: OperationRequest, action: string, resource: string, because: string): AwsError {
  const message = `User: ${request.caller.principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${because}`;
  return kmsError("AccessDeniedException", message);
}
