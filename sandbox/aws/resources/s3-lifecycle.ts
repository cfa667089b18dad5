/** `aws:s3/bucketLifecycleConfiguration`: its rules are optional members all the way down, and read back as they were written. */
import type { Properties } from "../../types.js";
import type { Members } from "./api.js";
import type { Definition } from "./behaviour.js";
import { setting } from "./s3.js";
import { compact, fromMembers, list, object, tagList, tagMap, text, toMembers } from "./values.js";

/** A rule without the members that say nothing, as programs write them and as S3 answers. */
function lifecycleRule(rule: Properties): Properties {
  const without = (value: unknown, empty: readonly unknown[]) => {
    const entries = Object.entries(object(value)).filter(([, item]) => !empty.includes(item));
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  };
  return compact({
    ...rule,
    prefix: text(rule.prefix),
    expiration: without(rule.expiration, [0, false, ""]),
    filter: without(rule.filter, [0, ""]),
  });
}

/** A rule as the provider shows it, with every member that is not optional. */
function shownRule(rule: Properties): Properties {
  const expiration = rule.expiration && { days: 0, expiredObjectDeleteMarker: false, ...object(rule.expiration) };
  const filter = rule.filter && { objectSizeGreaterThan: 0, objectSizeLessThan: 0, prefix: "", ...object(rule.filter) };
  return compact({ prefix: "", ...rule, expiration, filter });
}

function ruleMembers(rule: Properties): Members {
  const { and, ...filter } = object(rule.filter);
  const both = and && { ...object(toMembers(and)), Tags: tagList(object(and).tags) };
  return { ...object(toMembers(rule)), Filter: compact({ Prefix: and || filter.tag ? undefined : "", ...object(toMembers(filter)), And: both }) };
}

function ruleOf(members: Members): Properties {
  const { and, ...filter } = object(object(fromMembers(members)).filter);
  const both = and && { ...object(and), tags: tagMap(object(object(members.Filter).And).Tags) };
  return { ...object(fromMembers(members)), filter: compact({ ...filter, and: both }) };
}

const stored = setting({
  type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  noun: "Lifecycle Configuration",
  inputs: ["bucket", "expectedBucketOwner", "rules", "timeouts", "transitionDefaultMinimumObjectSize"],
  required: ["rules"],
  local: ["expectedBucketOwner", "timeouts"],
  computed: ["expectedBucketOwner", "transitionDefaultMinimumObjectSize"],
  normalise: (inputs) => ({ ...inputs, rules: list<Properties>(inputs.rules).map(lifecycleRule) }),
  put: (named, { rules, transitionDefaultMinimumObjectSize }, call) =>
    call(
      "PutBucketLifecycleConfiguration",
      compact({
        ...named,
        LifecycleConfiguration: { Rules: list<Properties>(rules).map(ruleMembers) },
        TransitionDefaultMinimumObjectSize: text(transitionDefaultMinimumObjectSize),
      }),
    ),
  get: "GetBucketLifecycleConfiguration",
  absent: ["NoSuchLifecycleConfiguration"],
  read: (found) => ({
    expectedBucketOwner: "",
    rules: list<Members>(found.Rules).map(ruleOf),
    transitionDefaultMinimumObjectSize: found.TransitionDefaultMinimumObjectSize ?? "all_storage_classes_128K",
  }),
  remove: (named, _outputs, call) => call("DeleteBucketLifecycle", named),
});

export const bucketLifecycleConfiguration: Definition = {
  ...stored,
  async read(id, context, olds) {
    const state = await stored.read(id, context, olds);
    if (!state) return undefined;
    const rules = list<Properties>(state.outputs.rules).map(lifecycleRule);
    return { outputs: { ...state.outputs, rules: rules.map(shownRule) }, inputs: { rules } };
  },
};
