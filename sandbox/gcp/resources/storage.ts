/** `gcp:storage/*`. https://www.pulumi.com/registry/packages/gcp/api-docs/storage/ */
import type { Properties } from "../../types.js";
import { type Api, type Members, during, reading, unlessMissing } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { iamBinding, iamMember, iamPolicy, POLICY_VERSION, type PolicyTarget } from "./iam-policies.js";
import type { Lookup } from "./invokes.js";
import { fromBucket, removals, toBucket } from "./storage-bucket.js";
import { STORAGE, objectsOf, storageCall, storageFind } from "./storage-calls.js";
import { compact, labelsOf, lastSegment, list, object, parseId, pick, text } from "./values.js";

const UPLOAD = "https://storage.googleapis.com/upload/storage/v1";

// ---- buckets ----

/** The id of the project that has the number. */
async function projectOf({ api, project }: Context, projectNumber: unknown, olds: Properties): Promise<string> {
  if (text(olds.project) !== undefined) return project;
  const found = await api.find("GET", `https://cloudresourcemanager.googleapis.com/v1/projects/${String(projectNumber)}`);
  return text(found?.projectId) ?? project;
}

async function lockRetention(api: Api, name: string, { retentionPolicy }: Properties): Promise<void> {
  if (object(retentionPolicy).isLocked !== true) return;
  const found = await storageCall(api, "GET", `${STORAGE}/b/${name}`);
  if (object(found.retentionPolicy).isLocked === true) return;
  await storageCall(api, "POST", `${STORAGE}/b/${name}/lockRetentionPolicy?ifMetagenerationMatch=${String(found.metageneration)}`);
}

export const bucket: Definition = {
  type: "gcp:storage/bucket:Bucket",
  noun: "StorageBucket",
  inputs: [
    ...["autoclass", "cors", "customPlacementConfig", "defaultEventBasedHold", "deletionPolicy", "enableObjectRetention", "encryption", "forceDestroy"],
    ...["hierarchicalNamespace", "ipFilter", "labels", "lifecycleRules", "location", "logging", "name", "project", "publicAccessPrevention", "requesterPays"],
    ...["retentionPolicy", "rpo", "softDeletePolicy", "storageClass", "uniformBucketLevelAccess", "versioning", "website"],
  ],
  required: ["location"],
  defaults: { forceDestroy: false, storageClass: "STANDARD" },
  replaceOn: ["customPlacementConfig", "enableObjectRetention", "hierarchicalNamespace", "location", "name"],
  name: { property: "name", maxLength: 63, lowerCase: true },
  computed: ["defaultEventBasedHold", "enableObjectRetention", "hierarchicalNamespace", "publicAccessPrevention", "requesterPays", "rpo", "softDeletePolicy", "uniformBucketLevelAccess", "versioning", "website"],
  local: ["forceDestroy"],
  labels: true,
  normalise: (inputs) => ({ ...inputs, location: String(inputs.location).toUpperCase() }),
  known: ({ name }) => ({ selfLink: `https://www.googleapis.com/storage/v1/b/${String(name)}`, url: `gs://${String(name)}` }),

  async create(inputs, { api, project }) {
    const name = String(inputs.name);
    await storageCall(api, "POST", `${STORAGE}/b?project=${project}`, { ...toBucket(inputs), name, location: inputs.location });
    return name;
  },

  complete: (id, inputs, { api }) => lockRetention(api, id, inputs),

  async read(id, context, olds) {
    const { bucket: name = id } = parseId(id, ["{project}/{bucket}", "{bucket}"]) ?? {};
    const found = await reading(`Storage Bucket "${name}"`, storageFind(context.api, `${STORAGE}/b/${name}`));
    if (!found) return undefined;
    const project = await projectOf(context, found.projectNumber, olds);
    const outputs = { ...fromBucket(found, olds), name, project, url: `gs://${name}` };
    // Since when is Google's to say.
    const { retentionDurationSeconds } = object(found.softDeletePolicy);
    return { id: name, outputs, inputs: { softDeletePolicy: { retentionDurationSeconds: Number(retentionDurationSeconds) } } };
  },

  async update(id, olds, news, { api }) {
    const body: Members = { ...toBucket(news), ...removals(olds, news) };
    await storageCall(api, "PATCH", `${STORAGE}/b/${id}`, body);
    await lockRetention(api, id, news);
  },

  async delete(id, { forceDestroy }, { api }) {
    // Who may not list tries all the same: the bucket may be empty.
    const objects = (await objectsOf(api, id).catch(() => [])) as Members[];
    if (objects.length > 0 && forceDestroy !== true) throw new Error(`Error trying to delete bucket ${id} containing objects without \`force_destroy\` set to true`);
    for (const { name, generation } of objects) {
      await unlessMissing(storageCall(api, "DELETE", `${STORAGE}/b/${id}/o/${encodeURIComponent(String(name))}?generation=${String(generation)}`));
    }
    await unlessMissing(storageCall(api, "DELETE", `${STORAGE}/b/${id}`));
  },
};

/** Programs may write `b/NAME` too, as the provider keeps it. */
const nameOf = ({ bucket: name }: Properties): string => lastSegment(name);

const bucketTarget: PolicyTarget = {
  inputs: ["bucket"],
  id: (inputs) => `b/${nameOf(inputs)}`,
  parse: (resource) => ({ bucket: lastSegment(resource) }),
  describe: (inputs) => `storage bucket "b/${nameOf(inputs)}"`,
  getPolicy: (inputs, { api }) => storageCall(api, "GET", `${STORAGE}/b/${nameOf(inputs)}/iam?optionsRequestedPolicyVersion=${POLICY_VERSION}`),
  setPolicy: (inputs, policy, { api }) => storageCall(api, "PUT", `${STORAGE}/b/${nameOf(inputs)}/iam`, policy),
};

export const bucketIamMember = iamMember("gcp:storage/bucketIAMMember:BucketIAMMember", bucketTarget);
export const bucketIamBinding = iamBinding("gcp:storage/bucketIAMBinding:BucketIAMBinding", bucketTarget);
export const bucketIamPolicy = iamPolicy("gcp:storage/bucketIAMPolicy:BucketIAMPolicy", bucketTarget);

// ---- objects ----

const objectSettings = ["cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "eventBasedHold", "metadata", "storageClass", "temporaryHold"];
const objectUrl = ({ bucket: of, name }: Properties): string => `${STORAGE}/b/${String(of)}/o/${encodeURIComponent(String(name))}`;

/** Metadata and data in one body, as the provider's client sends small objects. */
function twoParts(metadata: object, content: string): Buffer {
  const boundary = "object-of-two-parts";
  const head = [`--${boundary}`, "Content-Type: application/json", "", JSON.stringify(metadata), `--${boundary}`, "Content-Type: text/plain; charset=utf-8", "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

async function upload(inputs: Properties, { api }: Context): Promise<void> {
  const metadata = { ...pick(inputs, [...objectSettings, "kmsKeyName"]), name: inputs.name };
  const body = twoParts(metadata, text(inputs.content) ?? "");
  await during(`Error uploading object ${String(inputs.name)}`, storageCall(api, "POST", `${UPLOAD}/b/${String(inputs.bucket)}/o?uploadType=multipart`, body));
}

export const bucketObject: Definition = {
  type: "gcp:storage/bucketObject:BucketObject",
  noun: "StorageBucketObject",
  inputs: [...objectSettings, "bucket", "content", "contexts", "customerEncryption", "deletionPolicy", "forceEmptyContentType", "kmsKeyName", "name", "retention", "source"],
  required: ["bucket", "content"],
  replaceOn: ["bucket", "kmsKeyName", "name"],
  name: { property: "name", maxLength: 1024 },
  computed: ["contentType", "eventBasedHold", "kmsKeyName", "storageClass", "temporaryHold"],
  local: ["content", "forceEmptyContentType"],
  notPlayed: {
    contexts: "no contexts are kept",
    customerEncryption: "keys of the customer's own are not taken",
    retention: "set it on the bucket",
    source: "give the text in content",
  },

  async create(inputs, context) {
    await upload(inputs, context);
    return `${String(inputs.bucket)}-${String(inputs.name)}`;
  },

  async read(id, { api }, olds) {
    const named = text(olds.name) === undefined ? (parseId(id, ["{bucket}/{name=**}"]) ?? {}) : pick(olds, ["bucket", "name"]);
    const found = await reading(`Storage Bucket Object "${String(named.name)}"`, storageFind(api, objectUrl(named)));
    if (!found) return undefined;
    const { crc32c, generation, kmsKeyName, md5Hash, mediaLink, name, selfLink } = found;
    const settings = { contentDisposition: "", contentEncoding: "", contentLanguage: "", cacheControl: "", eventBasedHold: false, temporaryHold: false, ...pick(found, objectSettings) };
    return {
      id: `${String(named.bucket)}-${String(name)}`,
      outputs: compact({
        ...settings,
        bucket: named.bucket,
        crc32c,
        detectMd5hash: md5Hash,
        generation: Number(generation),
        kmsKeyName: kmsKeyName ?? "",
        md5hash: md5Hash,
        md5hexhash: Buffer.from(text(md5Hash) ?? "", "base64").toString("hex"),
        mediaLink,
        name,
        outputName: name,
        selfLink,
      }),
    };
  },

  async update(_id, olds, news, context) {
    const anew = ["cacheControl", "content", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "storageClass"];
    if (anew.some((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]))) return upload(news, context);
    const holds = { eventBasedHold: news.eventBasedHold ?? false, metadata: news.metadata ?? null, temporaryHold: news.temporaryHold ?? false };
    await storageCall(context.api, "PATCH", objectUrl(news), holds);
  },

  async delete(_id, outputs, { api }) {
    await unlessMissing(during(`Error deleting object ${String(outputs.name)}`, storageCall(api, "DELETE", objectUrl(outputs))));
  },
};

// ---- functions ----

/** Blocks that occur once are lists in what functions answer. */
const BLOCKS: Readonly<Record<string, string>> = {
  autoclass: "autoclasses",
  customPlacementConfig: "customPlacementConfigs",
  encryption: "encryptions",
  hierarchicalNamespace: "hierarchicalNamespaces",
  ipFilter: "ipFilters",
  logging: "loggings",
  retentionPolicy: "retentionPolicies",
  softDeletePolicy: "softDeletePolicies",
  versioning: "versionings",
  website: "websites",
};

export const lookups: Readonly<Record<string, Lookup>> = {
  "gcp:storage/getBucket:getBucket": async ({ name, project }, context) => {
    const state = await bucket.read(String(name), context, {});
    if (!state) throw new Error(`Storage Bucket "${String(name)}" not found`);
    const { cors, effectiveLabels, lifecycleRules, ...outputs } = state.outputs;
    const blocks = Object.entries(BLOCKS).map(([one, many]) => [many, outputs[one] === undefined ? [] : [outputs[one]]] as const);
    const rest = Object.fromEntries(Object.entries(outputs).filter(([key]) => !(key in BLOCKS)));
    const labels = labelsOf(effectiveLabels);
    const unset = { deletionPolicy: "", forceDestroy: false };
    return { ...unset, ...rest, ...Object.fromEntries(blocks), cors: list(cors), effectiveLabels: labels, id: state.id, labels, lifecycleRules: list(lifecycleRules), project: project ?? outputs.project, pulumiLabels: labels };
  },

  "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": async ({ userProject }, { api, project }) => {
    const found = await during("Error reading GCS service account", storageCall(api, "GET", `${STORAGE}/projects/${project}/serviceAccount`));
    const emailAddress = String(found.email_address);
    return compact({ emailAddress, id: emailAddress, member: `serviceAccount:${emailAddress}`, project, userProject });
  },
};
