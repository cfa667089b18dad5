/** Members of a bucket in the provider's form and in the JSON API's. https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucket/ */
import type { Properties } from "../../types.js";
import type { Members } from "./api.js";
import { compact, list, object, text } from "./values.js";

/** Condition members whose names differ. */
const CONDITION_NAMES: Readonly<Record<string, string>> = { matchesPrefixes: "matchesPrefix", matchesStorageClasses: "matchesStorageClass", matchesSuffixes: "matchesSuffix" };
const LIVE: Readonly<Record<string, boolean | undefined>> = { LIVE: true, ARCHIVED: false };
const CORS_NAMES: Readonly<Record<string, string>> = { methods: "method", origins: "origin", responseHeaders: "responseHeader" };

function renamed(value: unknown, names: Readonly<Record<string, string>>): Properties {
  return Object.fromEntries(Object.entries(object(value)).map(([key, item]) => [names[key] ?? key, item]));
}

const reversed = (names: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [theirs, ours]));

function toRule(value: unknown): Members {
  const { action, condition } = object(value);
  const { withState, ...rest } = object(condition);
  // `sendAgeIfZero` and its like say how the provider sends a zero; it is sent here where it is given.
  const sent = Object.fromEntries(Object.entries(renamed(rest, CONDITION_NAMES)).filter(([key]) => !key.startsWith("send")));
  return { action: compact(object(action)), condition: compact({ ...sent, isLive: LIVE[text(withState) ?? ""] }) };
}

function fromRule(value: unknown): Properties {
  const { action, condition } = object(value);
  const { isLive, ...rest } = object(condition);
  const withState = isLive === undefined ? "ANY" : isLive === true ? "LIVE" : "ARCHIVED";
  return { action, condition: { ...renamed(rest, reversed(CONDITION_NAMES)), withState } };
}

/** The program's own form, where it says what the service has; so defaults that the program leaves out are no drift. */
function asWritten<T>(olds: unknown, found: unknown, to: (value: T) => unknown, from: (value: unknown) => T): T {
  return olds !== undefined && JSON.stringify(to(olds as T)) === JSON.stringify(found) ? (olds as T) : from(found);
}

const toRules = (rules: unknown): Members[] => list(rules).map(toRule);
const toCors = (cors: unknown): Members[] => list(cors).map((each) => renamed(each, CORS_NAMES));

/** The JSON API's resource; what the program leaves out is absent. */
export function toBucket(inputs: Properties): Members {
  const { autoclass, cors, customPlacementConfig, defaultEventBasedHold, effectiveLabels, encryption, hierarchicalNamespace, ipFilter, lifecycleRules, logging } = inputs;
  const { publicAccessPrevention, requesterPays, retentionPolicy, rpo, softDeletePolicy, storageClass, uniformBucketLevelAccess, versioning, website } = inputs;
  const { retentionPeriod } = object(retentionPolicy);
  const { retentionDurationSeconds } = object(softDeletePolicy);
  const iam = compact({ publicAccessPrevention, ...(uniformBucketLevelAccess !== undefined && { uniformBucketLevelAccess: { enabled: uniformBucketLevelAccess } }) });
  return compact({
    autoclass,
    cors: cors === undefined ? undefined : toCors(cors),
    customPlacementConfig,
    defaultEventBasedHold,
    encryption,
    hierarchicalNamespace,
    ipFilter,
    labels: effectiveLabels,
    lifecycle: lifecycleRules === undefined ? undefined : { rule: toRules(lifecycleRules) },
    logging,
    rpo,
    storageClass,
    versioning,
    website,
    ...(Object.keys(iam).length > 0 && { iamConfiguration: iam }),
    ...(requesterPays !== undefined && { billing: { requesterPays } }),
    ...(retentionPeriod !== undefined && { retentionPolicy: { retentionPeriod } }),
    ...(retentionDurationSeconds !== undefined && { softDeletePolicy: { retentionDurationSeconds } }),
  });
}

/** Outputs, without those that are known by the bucket's name and project. */
export function fromBucket(found: Members, olds: Properties): Properties {
  const { autoclass, billing, cors, customPlacementConfig, defaultEventBasedHold, encryption, hierarchicalNamespace, iamConfiguration, ipFilter, labels } = found;
  const { lifecycle, location, logging, projectNumber, retentionPolicy, rpo, selfLink, softDeletePolicy, storageClass, timeCreated, updated, versioning, website } = found;
  const iam = object(iamConfiguration);
  const { isLocked = false, retentionPeriod } = object(retentionPolicy);
  const { effectiveTime = "", retentionDurationSeconds } = object(softDeletePolicy);
  const { rule } = object(lifecycle);
  return compact({
    autoclass,
    cors: cors === undefined ? undefined : asWritten(olds.cors, cors, toCors, (value) => list(value).map((each) => renamed(each, reversed(CORS_NAMES)))),
    customPlacementConfig,
    defaultEventBasedHold: defaultEventBasedHold ?? false,
    effectiveLabels: object(labels),
    enableObjectRetention: false,
    encryption,
    hierarchicalNamespace: hierarchicalNamespace ?? { enabled: false },
    ipFilter,
    lifecycleRules: rule === undefined ? undefined : asWritten(olds.lifecycleRules, rule, toRules, (value) => list(value).map(fromRule)),
    location,
    logging,
    projectNumber: Number(projectNumber),
    publicAccessPrevention: iam.publicAccessPrevention,
    requesterPays: object(billing).requesterPays ?? false,
    retentionPolicy: retentionPeriod === undefined ? undefined : { isLocked, retentionPeriod },
    rpo: rpo ?? "",
    selfLink,
    softDeletePolicy: { effectiveTime, retentionDurationSeconds: Number(retentionDurationSeconds) },
    storageClass,
    timeCreated,
    uniformBucketLevelAccess: object(iam.uniformBucketLevelAccess).enabled,
    updated,
    versioning: versioning ?? { enabled: false },
    website,
  });
}

/** What a change takes away: null in a patch. */
export function removals(olds: Properties, news: Properties): Members {
  const before = toBucket(olds);
  const after = toBucket(news);
  const gone = Object.keys(before).filter((key) => !(key in after) && ["autoclass", "cors", "defaultEventBasedHold", "encryption", "ipFilter", "lifecycle", "logging", "retentionPolicy", "versioning", "website"].includes(key));
  const labels = Object.keys(object(before.labels)).filter((key) => !(key in object(after.labels)));
  return {
    ...Object.fromEntries(gone.map((key) => [key, null])),
    ...(labels.length > 0 && { labels: { ...object(after.labels), ...Object.fromEntries(labels.map((key) => [key, null])) } }),
  };
}
