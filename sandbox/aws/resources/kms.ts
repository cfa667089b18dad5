/** `aws:kms/*`: keys and aliases. https://www.pulumi.com/registry/packages/aws/api-docs/kms/ */
import type { Properties } from "../../types.js";
import { during, type Api, type Members } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { compact, list, object, tagChange, tagsOf, text } from "./values.js";

const gone = ["NotFoundException"];

function kmsTags(tags: unknown): { TagKey: string; TagValue: string }[] {
  return Object.entries(tagsOf(tags)).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

/** The key's description; undefined when there is none, or when it waits for its deletion. */
async function described(api: Api, KeyId: string, region: string): Promise<Members | undefined> {
  const answer = await api.find("kms", "DescribeKey", { KeyId }, gone, region);
  const metadata = answer && object(answer.KeyMetadata);
  return metadata?.KeyState === "PendingDeletion" ? undefined : metadata;
}

async function setRotation(api: Api, KeyId: string, inputs: Properties, region: string): Promise<void> {
  if (inputs.enableKeyRotation !== true) {
    await api.call("kms", "DisableKeyRotation", { KeyId }, region);
    return;
  }
  await api.call("kms", "EnableKeyRotation", compact({ KeyId, RotationPeriodInDays: inputs.rotationPeriodInDays }), region);
}

export const key: Definition = {
  type: "aws:kms/key:Key",
  inputs: [
    "bypassPolicyLockoutSafetyCheck",
    "customerMasterKeySpec",
    "deletionWindowInDays",
    "description",
    "enableKeyRotation",
    "isEnabled",
    "keyUsage",
    "multiRegion",
    "policy",
    "rotationPeriodInDays",
    "tags",
  ],
  defaults: {
    bypassPolicyLockoutSafetyCheck: false,
    customerMasterKeySpec: "SYMMETRIC_DEFAULT",
    enableKeyRotation: false,
    isEnabled: true,
    keyUsage: "ENCRYPT_DECRYPT",
  },
  replaceOn: ["customerMasterKeySpec", "keyUsage", "multiRegion"],
  computed: ["description", "multiRegion", "policy", "rotationPeriodInDays"],
  local: ["bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"],
  documents: ["policy"],
  notPlayed: { customKeyStoreId: "KMS's own key store", xksKeyId: "KMS's own key store" },
  known: (inputs) => ({ tagsAll: tagsOf(inputs.tags) }),

  async create(inputs, { api, region }) {
    const input = compact({
      BypassPolicyLockoutSafetyCheck: inputs.bypassPolicyLockoutSafetyCheck,
      Description: inputs.description,
      KeySpec: inputs.customerMasterKeySpec,
      KeyUsage: inputs.keyUsage,
      MultiRegion: inputs.multiRegion,
      Policy: inputs.policy,
      Tags: kmsTags(inputs.tags),
    });
    const created = await during("creating KMS Key", api.call("kms", "CreateKey", input, region));
    return String(object(created.KeyMetadata).KeyId);
  },

  async complete(id, inputs, { api, region }) {
    if (inputs.enableKeyRotation === true) await during(`updating KMS Key (${id}) rotation`, setRotation(api, id, inputs, region));
    if (inputs.isEnabled === false) await during(`disabling KMS Key (${id})`, api.call("kms", "DisableKey", { KeyId: id }, region));
  },

  async read(id, { api, region }) {
    const doing = `reading KMS Key (${id})`;
    const metadata = await during(doing, described(api, id, region));
    if (!metadata) return undefined;
    const named = { KeyId: id };
    const [policy, rotation, tags] = await during(
      doing,
      Promise.all([
        api.call("kms", "GetKeyPolicy", { ...named, PolicyName: "default" }, region),
        api.call("kms", "GetKeyRotationStatus", named, region),
        api.call("kms", "ListResourceTags", named, region),
      ]),
    );
    const read = Object.fromEntries(list<{ TagKey: string; TagValue: string }>(tags.Tags).map(({ TagKey, TagValue }) => [TagKey, TagValue]));
    return {
      outputs: {
        arn: metadata.Arn,
        customerMasterKeySpec: metadata.KeySpec,
        description: metadata.Description ?? "",
        enableKeyRotation: rotation.KeyRotationEnabled ?? false,
        isEnabled: metadata.Enabled,
        keyId: id,
        keyUsage: metadata.KeyUsage,
        multiRegion: metadata.MultiRegion ?? false,
        policy: policy.Policy,
        rotationPeriodInDays: rotation.KeyRotationEnabled === true ? (rotation.RotationPeriodInDays ?? 365) : 0,
        tags: read,
        tagsAll: read,
      },
    };
  },

  async update(id, olds, news, { api, region }) {
    const named = { KeyId: id };
    if (news.isEnabled !== false && olds.isEnabled === false) await during(`enabling KMS Key (${id})`, api.call("kms", "EnableKey", named, region));
    if (news.description !== undefined && news.description !== olds.description) {
      await during(`updating KMS Key (${id}) description`, api.call("kms", "UpdateKeyDescription", { ...named, Description: news.description }, region));
    }
    if (news.policy !== undefined && news.policy !== olds.policy) {
      const input = { ...named, PolicyName: "default", Policy: news.policy, BypassPolicyLockoutSafetyCheck: news.bypassPolicyLockoutSafetyCheck };
      await during(`updating KMS Key (${id}) policy`, api.call("kms", "PutKeyPolicy", input, region));
    }
    const period = news.rotationPeriodInDays ?? olds.rotationPeriodInDays;
    if (news.enableKeyRotation !== olds.enableKeyRotation || period !== olds.rotationPeriodInDays) {
      await during(`updating KMS Key (${id}) rotation`, setRotation(api, id, news, region));
    }
    const { removed, added } = tagChange(olds.tags, news.tags);
    const doing = `updating tags for KMS Key (${id})`;
    if (removed.length > 0) await during(doing, api.call("kms", "UntagResource", { ...named, TagKeys: removed }, region));
    if (Object.keys(added).length > 0) await during(doing, api.call("kms", "TagResource", { ...named, Tags: kmsTags(added) }, region));
    if (news.isEnabled === false && olds.isEnabled !== false) await during(`disabling KMS Key (${id})`, api.call("kms", "DisableKey", named, region));
  },

  /** A key is never gone at once: it waits for its deletion, and can be brought back until then. */
  async delete(id, outputs, { api, region }) {
    const input = compact({ KeyId: id, PendingWindowInDays: outputs.deletionWindowInDays });
    await during(`deleting KMS Key (${id})`, deletion());
    async function deletion(): Promise<void> {
      if (await described(api, id, region)) await api.call("kms", "ScheduleKeyDeletion", input, region);
    }
  },
};

/** An id, an ARN or another alias of a key, in one form. */
function keyId(reference: unknown): string {
  return (text(reference) ?? "").replace(/^arn:[^/]*:key\//, "");
}

async function findAlias({ api, region }: Context, name: string): Promise<Members | undefined> {
  for (let marker: unknown; ; ) {
    const page = await api.call("kms", "ListAliases", compact({ Marker: marker }), region);
    const found = list<Members>(page.Aliases).find(({ AliasName }) => AliasName === name);
    if (found || page.Truncated !== true) return found;
    marker = page.NextMarker;
  }
}

export const alias: Definition = {
  type: "aws:kms/alias:Alias",
  inputs: ["name", "namePrefix", "targetKeyId"],
  required: ["targetKeyId"],
  replaceOn: ["name", "namePrefix"],
  name: { property: "name", prefixProperty: "namePrefix", maxLength: 256, begin: "alias/" },
  local: ["namePrefix"],
  known: (inputs, { api, region }) => ({ arn: `arn:${api.partition}:kms:${region}:${api.scope.accountId}:${String(inputs.name)}` }),

  async create(inputs, { api, region }) {
    const name = String(inputs.name);
    await during(`creating KMS Alias (${name})`, api.call("kms", "CreateAlias", { AliasName: name, TargetKeyId: inputs.targetKeyId }, region));
    return name;
  },

  async read(id, context, olds) {
    const found = await during(`reading KMS Alias (${id})`, findAlias(context, id));
    if (!found) return undefined;
    const { api, region } = context;
    const target = String(found.TargetKeyId);
    // The program may have named the key by its ARN.
    const targetKeyId = keyId(olds.targetKeyId) === target ? olds.targetKeyId : target;
    const targetKeyArn = `arn:${api.partition}:kms:${region}:${api.scope.accountId}:key/${target}`;
    return { outputs: { arn: found.AliasArn, name: id, namePrefix: "", targetKeyArn, targetKeyId } };
  },

  async update(id, _olds, news, { api, region }) {
    await during(`updating KMS Alias (${id})`, api.call("kms", "UpdateAlias", { AliasName: id, TargetKeyId: news.targetKeyId }, region));
  },

  async delete(id, _outputs, { api, region }) {
    await during(`deleting KMS Alias (${id})`, api.find("kms", "DeleteAlias", { AliasName: id }, gone, region));
  },
};
