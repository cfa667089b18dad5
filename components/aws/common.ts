/** What the AWS components check alike. */
import type * as pulumi from "@pulumi/pulumi";
import { quotas, textRules, textViolation } from "../../facts/aws/index.js";
import type { InputChecks, Mistake } from "../inputs.js";

export type Tags = Record<string, pulumi.Input<string>>;

/** Tags as given, or none. Keys are compared without case, as IAM does. */
export function checkTags(checks: InputChecks, tags: pulumi.Input<Tags> | undefined): { tags?: pulumi.Output<Record<string, string>> } {
  if (tags === undefined) return {};
  return { tags: checks.check(tags, tagMistakes) };
}

export function tagMistakes(tags: Record<string, string>): Mistake[] {
  const mistakes: Mistake[] = [];
  const keys = Object.keys(tags);
  if (keys.length > quotas.tagsPerResource.limit) {
    mistakes.push({ path: "tags", reason: `must be at most ${quotas.tagsPerResource.limit}; got ${keys.length}` });
  }
  for (const [key, value] of Object.entries(tags)) {
    const path = `tags[${JSON.stringify(key)}]`;
    const wrongKey = textViolation(textRules.tagKey, key);
    if (wrongKey) mistakes.push({ path, reason: `the key ${wrongKey}` });
    const wrongValue = textViolation(textRules.tagValue, value);
    if (wrongValue) mistakes.push({ path, reason: wrongValue });
    const twin = keys.find((other) => other !== key && other.toLowerCase() === key.toLowerCase());
    if (twin !== undefined && twin < key) mistakes.push({ path, reason: `differs from the tag ${JSON.stringify(twin)} only in case, which IAM takes for the same key` });
  }
  return mistakes;
}

/** Logical name of a component's error title. */
export function titleOf(component: string, name: string): string {
  return `${component} ${JSON.stringify(name)}`;
}
