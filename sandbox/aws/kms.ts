/** AWS KMS in the sandbox: symmetric keys, their policies and aliases, and the calls that use them. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type * as api from "@aws-sdk/client-kms";
import { parsePolicy } from "../../trust/aws/policy.js";
import { KmsKeys, type KmsAlias, type KmsKey, kmsError } from "./kms-keys.js";
import { showPrincipals, storePrincipals } from "./resource-policy.js";
import { partitionOf } from "./s3-state.js";
import type { AwsService, AwsServiceContext, Operation, OperationRequest } from "./service.js";

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html */
const DELETION_DAYS = { min: 7, max: 30 };
/** https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html */
const ROTATION_DAYS = { min: 90, max: 2560, standard: 365 };
/** https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html */
const MAX_POLICY_CHARACTERS = 32_768;
/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]+$/;

/** Hands every decision to the account's IAM policies. https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
function defaultPolicy(accountId: string, region: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:${partitionOf(region)}:iam::${accountId}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });
}

function metadata(key: KmsKey): Partial<api.KeyMetadata> {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.creationDate),
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: "ENCRYPT_DECRYPT",
    KeyState: key.state,
    Origin: "AWS_KMS",
    KeyManager: key.manager,
    KeySpec: "SYMMETRIC_DEFAULT",
    EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
    MultiRegion: false,
    ...(key.deletionDate === undefined ? {} : { DeletionDate: new Date(key.deletionDate) }),
  };
}

/** Bytes come as base64 from the wire and as they are from a direct call. */
function bytes(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(typeof value === "string" ? value : "", "base64");
}

type EncryptionContext = Readonly<Record<string, string>> | undefined;

function contextConditions(context: EncryptionContext): Record<string, string | string[]> {
  const entries = Object.entries(context ?? {});
  if (entries.length === 0) return {};
  return {
    "kms:EncryptionContextKeys": entries.map(([name]) => name),
    ...Object.fromEntries(entries.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
  };
}

/** The context is authenticated in a fixed order, so that the caller's order does not matter. */
function canonical(context: EncryptionContext): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))));
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Key ARN, nonce, tag and text: a ciphertext names its key, as KMS's do. */
function seal(key: KmsKey, material: Buffer, plaintext: Buffer, context: EncryptionContext): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", material, nonce).setAAD(canonical(context));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const name = Buffer.from(key.arn);
  return Buffer.concat([Buffer.from([name.length]), name, nonce, cipher.getAuthTag(), sealed]);
}

const invalidCiphertext = () => kmsError("InvalidCiphertextException", "The ciphertext is invalid.");

function sealedBy(blob: Buffer): { arn: string; rest: Buffer } {
  const length = blob[0] ?? 0;
  const arn = blob.subarray(1, 1 + length).toString("utf8");
  const rest = blob.subarray(1 + length);
  if (!arn.startsWith("arn:") || rest.length < NONCE_BYTES + TAG_BYTES) throw invalidCiphertext();
  return { arn, rest };
}

function open(material: Buffer, rest: Buffer, context: EncryptionContext): Buffer {
  const nonce = rest.subarray(0, NONCE_BYTES);
  const tag = rest.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  try {
    const decipher = createDecipheriv("aes-256-gcm", material, nonce).setAAD(canonical(context)).setAuthTag(tag);
    return Buffer.concat([decipher.update(rest.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

function bounded(value: number | undefined, rule: { min: number; max: number }, member: string, standard: number): number {
  const number = value ?? standard;
  if (!Number.isInteger(number) || number < rule.min || number > rule.max)
    throw kmsError("ValidationException", `1 validation error detected: Value '${number}' at '${member}' failed to satisfy constraint: Member must have value between ${rule.min} and ${rule.max}`);
  return number;
}

/** An operation's work on its input; the input's members are the API model's. */
type Handler<Input> = (input: Input, request: OperationRequest) => object;

function operation<Input>(handler: Handler<Input>): Operation {
  return async (request) => ({ ...handler(request.input as Input, request) });
}

export function createKms(context: AwsServiceContext): AwsService {
  const keys = new KmsKeys(context);
  const { clock } = context.core;
  const invalidPrincipal = () =>
    kmsError("MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals.");

  /** The key that the input names, once the caller may do `action` to it. */
  function authorised(request: OperationRequest, reference: string | undefined, action: string, conditions: Record<string, string | string[]> = {}): KmsKey {
    const key = keys.find(request, reference ?? "");
    keys.authorise(request, key, `kms:${action}`, conditions);
    return key;
  }

  function customerKey(key: KmsKey): KmsKey {
    if (key.manager === "AWS") throw kmsError("AccessDeniedException", `${key.arn} is an AWS managed key and cannot be changed`);
    return key;
  }

  /** The document as it is stored. The caller must still be able to change it, unless it says that it knows better. */
  function checkedPolicy(request: OperationRequest, key: KmsKey, document: string, bypass: boolean | undefined): string {
    if (document.length > MAX_POLICY_CHARACTERS) throw kmsError("LimitExceededException", `A key policy has at most ${MAX_POLICY_CHARACTERS} characters.`);
    const [mistake] = parsePolicy(document, "resource").mistakes;
    if (mistake !== undefined) throw kmsError("MalformedPolicyDocumentException", mistake.message);
    const stored = storePrincipals(document, context, invalidPrincipal);
    if (bypass === true) return stored;
    try {
      keys.authoriseWith(request, key, "kms:PutKeyPolicy", {}, { name: "the new key policy", document: stored });
    } catch {
      throw kmsError("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.");
    }
    return stored;
  }

  const lifecycle = {
    CreateKey: operation<api.CreateKeyCommandInput>((input, request) => {
      keys.authoriseAccount(request, "kms:CreateKey", "*");
      if ((input.KeySpec ?? "SYMMETRIC_DEFAULT") !== "SYMMETRIC_DEFAULT" || input.MultiRegion === true)
        throw kmsError("UnsupportedOperationException", "The sandbox has symmetric single-Region keys only.");
      const { accountId } = request.caller.principal;
      const where = { accountId, region: request.region };
      const tags = (input.Tags ?? []).map((tag) => ({ TagKey: tag.TagKey ?? "", TagValue: tag.TagValue ?? "" }));
      const settings = { description: input.Description ?? "", manager: "CUSTOMER" as const, tags };
      const key = keys.prepare(where, settings);
      const { BypassPolicyLockoutSafetyCheck: bypass, Policy: given } = input;
      keys.add(key, given === undefined ? defaultPolicy(accountId, request.region) : checkedPolicy(request, key, given, bypass));
      return { KeyMetadata: metadata(key) };
    }),
    DescribeKey: operation<api.DescribeKeyCommandInput>((input, request) => ({
      KeyMetadata: metadata(authorised(request, input.KeyId, "DescribeKey")),
    })),
    ListKeys: operation<api.ListKeysCommandInput>((_input, request) => {
      keys.authoriseAccount(request, "kms:ListKeys", "*");
      const owned = keys.list(request.caller.principal.accountId, request.region);
      return { Keys: owned.map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })), Truncated: false };
    }),
    EnableKey: operation<api.EnableKeyCommandInput>((input, request) => setState(request, input.KeyId, "EnableKey", "Enabled")),
    DisableKey: operation<api.DisableKeyCommandInput>((input, request) => setState(request, input.KeyId, "DisableKey", "Disabled")),
    UpdateKeyDescription: operation<api.UpdateKeyDescriptionCommandInput>((input, request) => {
      const key = customerKey(authorised(request, input.KeyId, "UpdateKeyDescription"));
      keys.put({ ...key, description: input.Description ?? "" });
      return {};
    }),
    ScheduleKeyDeletion: operation<api.ScheduleKeyDeletionCommandInput>((input, request) => {
      const days = bounded(input.PendingWindowInDays, DELETION_DAYS, "pendingWindowInDays", DELETION_DAYS.max);
      const key = customerKey(authorised(request, input.KeyId, "ScheduleKeyDeletion"));
      requireAlive(key);
      const deletion = new Date(clock.now().getTime() + days * 86_400_000);
      keys.put({ ...key, state: "PendingDeletion", deletionDate: deletion.toISOString() });
      return { KeyId: key.arn, DeletionDate: deletion, KeyState: "PendingDeletion", PendingWindowInDays: days };
    }),
    CancelKeyDeletion: operation<api.CancelKeyDeletionCommandInput>((input, request) => {
      const key = authorised(request, input.KeyId, "CancelKeyDeletion");
      if (key.state !== "PendingDeletion") throw kmsError("KMSInvalidStateException", `${key.arn} is not pending deletion.`);
      const { deletionDate: _date, ...kept } = key;
      keys.put({ ...kept, state: "Disabled" });
      return { KeyId: key.arn };
    }),
  };

  function requireAlive(key: KmsKey): void {
    if (key.state === "PendingDeletion") throw kmsError("KMSInvalidStateException", `${key.arn} is pending deletion.`);
  }

  function setState(request: OperationRequest, reference: string | undefined, action: string, state: KmsKey["state"]): object {
    const key = customerKey(authorised(request, reference, action));
    requireAlive(key);
    keys.put({ ...key, state });
    return {};
  }

  const policies = {
    GetKeyPolicy: operation<api.GetKeyPolicyCommandInput>((input, request) => {
      const key = authorised(request, input.KeyId, "GetKeyPolicy");
      requireDefaultName(input.PolicyName);
      return { Policy: showPrincipals(keys.policy(key), context), PolicyName: "default" };
    }),
    PutKeyPolicy: operation<api.PutKeyPolicyCommandInput>((input, request) => {
      const key = customerKey(authorised(request, input.KeyId, "PutKeyPolicy"));
      requireDefaultName(input.PolicyName);
      keys.putPolicy(key, checkedPolicy(request, key, input.Policy ?? "", input.BypassPolicyLockoutSafetyCheck));
      return {};
    }),
    ListKeyPolicies: operation<api.ListKeyPoliciesCommandInput>((input, request) => {
      authorised(request, input.KeyId, "ListKeyPolicies");
      return { PolicyNames: ["default"], Truncated: false };
    }),
  };

  function requireDefaultName(name: string | undefined): void {
    if (name !== undefined && name !== "default") throw kmsError("NotFoundException", `No such policy exists`);
  }

  const settings = {
    EnableKeyRotation: operation<api.EnableKeyRotationCommandInput>((input, request) => {
      const days = bounded(input.RotationPeriodInDays, ROTATION_DAYS, "rotationPeriodInDays", ROTATION_DAYS.standard);
      const key = customerKey(authorised(request, input.KeyId, "EnableKeyRotation"));
      keys.requireUsable(key);
      keys.put({ ...key, rotationPeriodDays: days });
      return {};
    }),
    DisableKeyRotation: operation<api.DisableKeyRotationCommandInput>((input, request) => {
      const { rotationPeriodDays: _days, ...kept } = customerKey(authorised(request, input.KeyId, "DisableKeyRotation"));
      keys.put(kept);
      return {};
    }),
    GetKeyRotationStatus: operation<api.GetKeyRotationStatusCommandInput>((input, request) => {
      const key = authorised(request, input.KeyId, "GetKeyRotationStatus");
      const days = key.rotationPeriodDays;
      return { KeyRotationEnabled: days !== undefined, KeyId: key.arn, ...(days === undefined ? {} : { RotationPeriodInDays: days }) };
    }),
    TagResource: operation<api.TagResourceCommandInput>((input, request) => {
      const key = customerKey(authorised(request, input.KeyId, "TagResource"));
      const added = (input.Tags ?? []).map((tag) => ({ TagKey: tag.TagKey ?? "", TagValue: tag.TagValue ?? "" }));
      const kept = key.tags.filter((tag) => !added.some((each) => each.TagKey === tag.TagKey));
      keys.put({ ...key, tags: [...kept, ...added] });
      return {};
    }),
    UntagResource: operation<api.UntagResourceCommandInput>((input, request) => {
      const key = customerKey(authorised(request, input.KeyId, "UntagResource"));
      keys.put({ ...key, tags: key.tags.filter((tag) => input.TagKeys?.includes(tag.TagKey) !== true) });
      return {};
    }),
    ListResourceTags: operation<api.ListResourceTagsCommandInput>((input, request) => ({
      Tags: authorised(request, input.KeyId, "ListResourceTags").tags,
      Truncated: false,
    })),
  };

  function aliasArn(request: OperationRequest, name: string | undefined): string {
    if (name === undefined || !ALIAS_NAME.test(name))
      throw kmsError("InvalidAliasNameException", "Alias name must begin with alias/ and have only letters, digits, slashes, underscores and dashes.");
    const { accountId } = request.caller.principal;
    return `arn:${partitionOf(request.region)}:kms:${request.region}:${accountId}:${name}`;
  }

  const aliases = {
    CreateAlias: operation<api.CreateAliasCommandInput>((input, request) => {
      const name = input.AliasName ?? "";
      const arn = aliasArn(request, name);
      if (name.startsWith("alias/aws/")) throw kmsError("NotAuthorizedException", "Aliases that begin with alias/aws/ are reserved.");
      keys.authoriseAccount(request, "kms:CreateAlias", arn);
      const key = authorised(request, input.TargetKeyId, "CreateAlias");
      if (keys.alias(arn) !== undefined) throw kmsError("AlreadyExistsException", `An alias with the name ${arn} already exists`);
      requireAlive(key);
      const { accountId, region } = key;
      const alias: KmsAlias = { name, arn, accountId, region, targetKeyId: key.keyId, creationDate: clock.now().toISOString() };
      keys.putAlias(alias);
      return {};
    }),
    DeleteAlias: operation<api.DeleteAliasCommandInput>((input, request) => {
      const arn = aliasArn(request, input.AliasName);
      keys.authoriseAccount(request, "kms:DeleteAlias", arn);
      const alias = keys.alias(arn);
      if (alias === undefined) throw kmsError("NotFoundException", `Alias ${arn} is not found.`);
      authorised(request, alias.targetKeyId, "DeleteAlias");
      keys.deleteAlias(arn);
      return {};
    }),
    ListAliases: operation<api.ListAliasesCommandInput>((input, request) => {
      keys.authoriseAccount(request, "kms:ListAliases", "*");
      const target = input.KeyId === undefined ? undefined : keys.find(request, input.KeyId).keyId;
      const found = keys
        .aliases(request.caller.principal.accountId, request.region)
        .filter((alias) => target === undefined || alias.targetKeyId === target);
      return {
        Aliases: found.map((alias) => ({
          AliasName: alias.name,
          AliasArn: alias.arn,
          TargetKeyId: alias.targetKeyId,
          CreationDate: new Date(alias.creationDate),
        })),
        Truncated: false,
      };
    }),
  };

  function usable(request: OperationRequest, reference: string | undefined, action: string, encryptionContext: EncryptionContext): KmsKey {
    const key = authorised(request, reference, action, contextConditions(encryptionContext));
    keys.requireUsable(key);
    return key;
  }

  const use = {
    Encrypt: operation<api.EncryptCommandInput>((input, request) => {
      const key = usable(request, input.KeyId, "Encrypt", input.EncryptionContext);
      const CiphertextBlob = seal(key, keys.material(key), bytes(input.Plaintext), input.EncryptionContext);
      return { CiphertextBlob, KeyId: key.arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    }),
    Decrypt: operation<api.DecryptCommandInput>((input, request) => {
      const { arn, rest } = sealedBy(bytes(input.CiphertextBlob));
      if (input.KeyId !== undefined && keys.find(request, input.KeyId).arn !== arn)
        throw kmsError("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.");
      const key = usable(request, arn, "Decrypt", input.EncryptionContext);
      const Plaintext = open(keys.material(key), rest, input.EncryptionContext);
      return { Plaintext, KeyId: key.arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    }),
    GenerateDataKey: operation<api.GenerateDataKeyCommandInput>((input, request) => {
      const key = usable(request, input.KeyId, "GenerateDataKey", input.EncryptionContext);
      const Plaintext = randomBytes(input.NumberOfBytes ?? (input.KeySpec === "AES_128" ? 16 : 32));
      return { Plaintext, CiphertextBlob: seal(key, keys.material(key), Plaintext, input.EncryptionContext), KeyId: key.arn };
    }),
  };

  return { name: "kms", operations: { ...lifecycle, ...policies, ...settings, ...aliases, ...use } };
}
