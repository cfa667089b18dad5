/** `aws:s3/*`: buckets and what is set on them. https://www.pulumi.com/registry/packages/aws/api-docs/s3/ */
import type { Properties } from "../../types.js";
import { during, unless, type Api, type Members } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { compact, fromMembers, list, object, tagChange, tagList, tagMap, tagsOf, text, toMembers } from "./values.js";

const noBucket = ["NoSuchBucket", "NotFound", "404"];

/** The region that needs no, and takes no, location constraint. */
const firstRegion = "us-east-1";

/** Hosted zones of S3 website endpoints: https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints */
const hostedZones: Readonly<Record<string, string>> = {
  "us-east-1": "Z3AQBSTGFYJSTF",
  "us-east-2": "Z2O1EMRO9K5GLX",
  "us-west-1": "Z2F56UZL2M1ACD",
  "us-west-2": "Z3BJ6K6RIION7M",
  "ap-northeast-1": "Z2M4EHUR26P7ZW",
  "ap-northeast-2": "Z3W03O7B5YMIYP",
  "ap-south-1": "Z11RGJOFQNVJUP",
  "ap-southeast-1": "Z3O0J2DXBE1FTB",
  "ap-southeast-2": "Z1WCIGYICN2BYD",
  "ca-central-1": "Z1QDHH18159H29",
  "eu-central-1": "Z21DNDUVLTQW6Q",
  "eu-north-1": "Z3BAZG2TWCNX0D",
  "eu-west-1": "Z1BKCTXD74EZPE",
  "eu-west-2": "Z3GKZC51ZF0DB4",
  "eu-west-3": "Z3R1K369G5AVDG",
  "sa-east-1": "Z7KQH4QJS55SO",
};

/** What follows from a bucket's name and region alone; `getBucket` answers the same. */
export function addresses(bucket: string, region: string, api: Api): Properties {
  return {
    arn: `arn:${api.partition}:s3:::${bucket}`,
    bucket,
    bucketDomainName: `${bucket}.s3.${api.dnsSuffix}`,
    bucketRegion: region,
    bucketRegionalDomainName: `${bucket}.s3.${region}.${api.dnsSuffix}`,
    hostedZoneId: hostedZones[region] ?? "",
  };
}

/** The bucket's head; undefined when there is none. */
export function headBucket(api: Api, Bucket: string, region: string): Promise<Members | undefined> {
  return api.find("s3", "HeadBucket", { Bucket }, noBucket, region);
}

async function readTags(api: Api, Bucket: string, region: string): Promise<Properties> {
  const found = await api.find("s3", "GetBucketTagging", { Bucket }, ["NoSuchTagSet"], region);
  const tags = tagMap(found?.TagSet);
  return { tags, tagsAll: tags };
}

export const bucket: Definition = {
  type: "aws:s3/bucket:Bucket",
  inputs: ["bucket", "bucketNamespace", "bucketPrefix", "forceDestroy", "tags"],
  defaults: { forceDestroy: false },
  replaceOn: ["bucket", "bucketNamespace", "bucketPrefix"],
  name: { property: "bucket", prefixProperty: "bucketPrefix", maxLength: 63, lowerCase: true },
  computed: ["bucketNamespace"],
  local: ["bucketPrefix", "forceDestroy", "bucketNamespace"],
  notPlayed: {
    accelerationStatus: "no transfer acceleration",
    acl: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    corsRules: "no CORS rules",
    grants: "aws:s3/bucketPolicy:BucketPolicy",
    lifecycleRules: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    logging: "no access logs",
    objectLockConfiguration: "no object lock",
    objectLockEnabled: "no object lock",
    policy: "aws:s3/bucketPolicy:BucketPolicy",
    replicationConfiguration: "no replication",
    requestPayer: "the owner as payer",
    serverSideEncryptionConfiguration: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    versioning: "aws:s3/bucketVersioning:BucketVersioning",
    website: "no website",
  },
  known: (inputs, { api, region }) => ({ ...addresses(String(inputs.bucket), region, api), tagsAll: tagsOf(inputs.tags) }),

  async create(inputs, { api, region }) {
    const Bucket = String(inputs.bucket);
    const doing = `creating S3 Bucket (${Bucket})`;
    // The first region answers with success when its bucket is made again: the provider looks first.
    if (region === firstRegion && (await ownsAlready(api, Bucket))) throw new Error(`${doing}: BucketAlreadyExists`);
    const configuration = region === firstRegion ? {} : { CreateBucketConfiguration: { LocationConstraint: region } };
    const input = compact({ Bucket, BucketNamespace: text(inputs.bucketNamespace), ...configuration });
    await during(doing, api.call("s3", "CreateBucket", input, region));
    return Bucket;
  },

  async complete(id, inputs, { api, region }) {
    const TagSet = tagList(inputs.tags);
    if (TagSet.length > 0) await during(`setting tags for S3 Bucket (${id})`, api.call("s3", "PutBucketTagging", { Bucket: id, Tagging: { TagSet } }, region));
  },

  async read(id, { api, region }) {
    const doing = `reading S3 Bucket (${id})`;
    const head = await during(doing, headBucket(api, id, region));
    if (!head) return undefined;
    const at = text(head.BucketRegion) ?? region;
    const named = { Bucket: id };
    const [tags, policyAnswer, versioning, encryption, lifecycle, acl] = await during(
      doing,
      Promise.all([
        readTags(api, id, at),
        api.find("s3", "GetBucketPolicy", named, ["NoSuchBucketPolicy"], at),
        api.call("s3", "GetBucketVersioning", named, at),
        api.call("s3", "GetBucketEncryption", named, at),
        api.find("s3", "GetBucketLifecycleConfiguration", named, ["NoSuchLifecycleConfiguration"], at),
        api.call("s3", "GetBucketAcl", named, at),
      ]),
    );
    return {
      outputs: {
        ...addresses(id, at, api),
        ...tags,
        accelerationStatus: "",
        acl: "private",
        bucketNamespace: "global",
        bucketPrefix: "",
        corsRules: [],
        grants: list<Members>(acl.Grants).map(grant),
        lifecycleRules: list<Members>(lifecycle?.Rules).map((rule) => ({ id: rule.ID, enabled: rule.Status === "Enabled" })),
        objectLockEnabled: false,
        policy: text(policyAnswer?.Policy) ?? "",
        requestPayer: "BucketOwner",
        serverSideEncryptionConfiguration: { rule: encryptionRules(encryption)[0] },
        versioning: { enabled: versioning.Status === "Enabled", mfaDelete: false },
      },
    };
  },

  async update(id, olds, news, { api, region }) {
    const { removed, added } = tagChange(olds.tags, news.tags);
    if (removed.length === 0 && Object.keys(added).length === 0) return;
    const TagSet = tagList(news.tags);
    const change =
      TagSet.length === 0
        ? api.call("s3", "DeleteBucketTagging", { Bucket: id }, region)
        : api.call("s3", "PutBucketTagging", { Bucket: id, Tagging: { TagSet } }, region);
    await during(`updating tags for S3 Bucket (${id})`, change);
  },

  async delete(id, outputs, { api, region }) {
    const doing = `deleting S3 Bucket (${id})`;
    if (outputs.forceDestroy === true) await during(doing, empty(api, id, region));
    await during(doing, api.find("s3", "DeleteBucket", { Bucket: id }, noBucket, region));
  },
};

/** A bucket that the account may not look at is somebody else's: S3's own answer to the creation says so better. */
async function ownsAlready(api: Api, Bucket: string): Promise<boolean> {
  const head = await unless(["AccessDenied", "Forbidden", "403", "PermanentRedirect", "301"], headBucket(api, Bucket, firstRegion));
  return head !== undefined;
}

function grant(granted: Members): Properties {
  const grantee = object(granted.Grantee);
  return compact({ id: grantee.ID, permissions: [granted.Permission], type: grantee.Type, uri: grantee.URI });
}

async function empty(api: Api, Bucket: string, region: string): Promise<void> {
  for (;;) {
    const page = await api.find("s3", "ListObjectVersions", { Bucket }, noBucket, region);
    const Objects = [...list<Members>(page?.Versions), ...list<Members>(page?.DeleteMarkers)].map(({ Key, VersionId }) => compact({ Key, VersionId }));
    if (Objects.length === 0) return;
    await api.call("s3", "DeleteObjects", { Bucket, Delete: { Objects, Quiet: true } }, region);
  }
}

type Call = (operation: string, input: Members) => Promise<Members>;

/** One thing that is set on a bucket, under the bucket's name as its id. */
interface Setting {
  type: string;
  /** In error messages: `creating S3 Bucket (x) NOUN: …`. */
  noun: string;
  inputs: readonly string[];
  required?: readonly string[];
  defaults?: Properties;
  local?: readonly string[];
  computed?: readonly string[];
  documents?: readonly string[];
  normalise?: (inputs: Properties) => Properties;
  put: (named: { Bucket: string }, inputs: Properties, call: Call) => Promise<unknown>;
  get: string;
  /** Codes that say that nothing is set. */
  absent: readonly string[];
  read: (found: Members) => Properties;
  remove: (named: { Bucket: string }, outputs: Properties, call: Call) => Promise<unknown>;
}

/** Makes the definition of a type whose resources are settings of a bucket. */
export function setting(particulars: Setting): Definition {
  const { noun, get, absent, put, read, remove, required = [], ...rest } = particulars;
  const caller = ({ api, region }: Context) => (operation: string, input: Members) => api.call("s3", operation, input, region);
  const doing = (verb: string, id: string) => `${verb} S3 Bucket (${id}) ${noun}`;
  return {
    ...rest,
    required: ["bucket", ...required],
    replaceOn: ["bucket", "expectedBucketOwner"],

    async create(inputs, context) {
      const Bucket = String(inputs.bucket);
      await during(doing("creating", Bucket), put({ Bucket }, inputs, caller(context)));
      return Bucket;
    },

    async read(id, { api, region }) {
      const found = await during(doing("reading", id), api.find("s3", get, { Bucket: id }, [...noBucket, ...absent], region));
      const outputs = found && read(found);
      return outputs && { outputs: { ...outputs, bucket: id } };
    },

    async update(id, _olds, news, context) {
      await during(doing("updating", id), put({ Bucket: id }, news, caller(context)));
    },

    async delete(id, outputs, context) {
      await during(doing("deleting", id), unless(noBucket, remove({ Bucket: id }, outputs, caller(context))));
    },
  };
}

export const bucketPublicAccessBlock = setting({
  type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  noun: "Public Access Block",
  inputs: ["blockPublicAcls", "blockPublicPolicy", "bucket", "ignorePublicAcls", "restrictPublicBuckets", "skipDestroy"],
  defaults: { blockPublicAcls: false, blockPublicPolicy: false, ignorePublicAcls: false, restrictPublicBuckets: false },
  local: ["skipDestroy"],
  put: (named, { blockPublicAcls, blockPublicPolicy, ignorePublicAcls, restrictPublicBuckets }, call) =>
    call("PutPublicAccessBlock", {
      ...named,
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: blockPublicAcls,
        BlockPublicPolicy: blockPublicPolicy,
        IgnorePublicAcls: ignorePublicAcls,
        RestrictPublicBuckets: restrictPublicBuckets,
      },
    }),
  get: "GetPublicAccessBlock",
  absent: ["NoSuchPublicAccessBlockConfiguration"],
  read: (found) => fromMembers(found.PublicAccessBlockConfiguration) as Properties,
  remove: async (named, { skipDestroy }, call) => (skipDestroy === true ? {} : call("DeletePublicAccessBlock", named)),
});

export const bucketPolicy = setting({
  type: "aws:s3/bucketPolicy:BucketPolicy",
  noun: "Policy",
  inputs: ["bucket", "policy"],
  required: ["policy"],
  documents: ["policy"],
  put: (named, { policy }, call) => call("PutBucketPolicy", { ...named, Policy: policy }),
  get: "GetBucketPolicy",
  absent: ["NoSuchBucketPolicy"],
  read: (found) => ({ policy: found.Policy }),
  remove: (named, _outputs, call) => call("DeleteBucketPolicy", named),
});

function encryptionRules(found: Members): Properties[] {
  return list<Members>(object(found.ServerSideEncryptionConfiguration).Rules).map((rule) => {
    const byDefault = object(rule.ApplyServerSideEncryptionByDefault);
    return {
      applyServerSideEncryptionByDefault: { kmsMasterKeyId: byDefault.KMSMasterKeyID ?? "", sseAlgorithm: byDefault.SSEAlgorithm },
      blockedEncryptionTypes: list(object(rule.BlockedEncryptionTypes).EncryptionType),
      bucketKeyEnabled: rule.BucketKeyEnabled ?? false,
    };
  });
}

export const bucketServerSideEncryptionConfiguration = setting({
  type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  noun: "Server-side Encryption Configuration",
  inputs: ["bucket", "expectedBucketOwner", "rules"],
  required: ["rules"],
  local: ["expectedBucketOwner"],
  normalise: (inputs) => ({
    ...inputs,
    rules: list<Properties>(inputs.rules).map((rule) => ({ ...rule, bucketKeyEnabled: rule.bucketKeyEnabled ?? false })),
  }),
  put: (named, { rules }, call) =>
    call("PutBucketEncryption", {
      ...named,
      ServerSideEncryptionConfiguration: {
        Rules: list<Properties>(rules).map((rule) => {
          const byDefault = object(rule.applyServerSideEncryptionByDefault);
          const blocked = list(rule.blockedEncryptionTypes);
          return compact({
            ApplyServerSideEncryptionByDefault: compact({ SSEAlgorithm: byDefault.sseAlgorithm, KMSMasterKeyID: text(byDefault.kmsMasterKeyId) }),
            BucketKeyEnabled: rule.bucketKeyEnabled,
            BlockedEncryptionTypes: blocked.length > 0 ? { EncryptionType: blocked } : undefined,
          });
        }),
      },
    }),
  get: "GetBucketEncryption",
  absent: ["ServerSideEncryptionConfigurationNotFoundError"],
  read: (found) => ({ rules: encryptionRules(found) }),
  remove: (named, _outputs, call) => call("DeleteBucketEncryption", named),
});

export const bucketOwnershipControls = setting({
  type: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  noun: "Ownership Controls",
  inputs: ["bucket", "rule"],
  required: ["rule"],
  put: (named, { rule }, call) => call("PutBucketOwnershipControls", { ...named, OwnershipControls: { Rules: [toMembers(rule)] } }),
  get: "GetBucketOwnershipControls",
  absent: ["OwnershipControlsNotFoundError"],
  read: (found) => ({ rule: fromMembers(list(object(found.OwnershipControls).Rules)[0]) }),
  remove: (named, _outputs, call) => call("DeleteBucketOwnershipControls", named),
});

export const bucketVersioning = setting({
  type: "aws:s3/bucketVersioning:BucketVersioning",
  noun: "Versioning",
  inputs: ["bucket", "expectedBucketOwner", "mfa", "versioningConfiguration"],
  required: ["versioningConfiguration"],
  local: ["expectedBucketOwner", "mfa"],
  put: async (named, { versioningConfiguration }, call) => {
    const { status } = object(versioningConfiguration);
    // `Disabled` is how a bucket begins; S3 has no call for it.
    return status === "Disabled" ? {} : call("PutBucketVersioning", { ...named, VersioningConfiguration: { Status: status } });
  },
  get: "GetBucketVersioning",
  absent: [],
  read: (found) => ({ versioningConfiguration: { mfaDelete: "", status: found.Status ?? "Disabled" } }),
  remove: async (named, { versioningConfiguration }, call) =>
    object(versioningConfiguration).status === "Enabled" ? call("PutBucketVersioning", { ...named, VersioningConfiguration: { Status: "Suspended" } }) : {},
});
