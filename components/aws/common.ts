/** What the AWS components check alike. */
import type * as pulumi from "@pulumi/pulumi";
import { codeBuildRules } from "../../facts/aws/codebuild.js";
import { quotas, textRules } from "../../facts/aws/index.js";
import { textViolation } from "../../facts/rules.js";
import type { InputChecks } from "../inputs.js";
import { hasWildcard } from "./trust-document.js";

export type Tags = Record<string, pulumi.Input<string>>;

/** Tags as given, or none. Keys are compared without case, as IAM does. */
export function checkTags(checks: InputChecks, tags: pulumi.Input<Tags> | undefined): { tags?: pulumi.Output<Record<string, string>> } {
  if (tags === undefined) return {};
  return {
    tags: checks.check(tags, (known) =>
      tagMistakes(known).map(({ key, reason }) => ({ path: key === undefined ? "tags" : `tags[${JSON.stringify(key)}]`, reason })),
    ),
  };
}

/** What is wrong with tags, all together (no key) or one by one. */
export function tagMistakes(tags: Record<string, string>): { key?: string; reason: string }[] {
  const keys = Object.keys(tags);
  const { limit } = quotas.tagsPerResource;
  const tooMany = keys.length > limit ? [{ reason: `must be at most ${limit}; got ${keys.length}` }] : [];
  const single = Object.entries(tags).flatMap(([key, value]) => {
    const wrongKey = textViolation(textRules.tagKey, key);
    const twin = keys.find((other) => other < key && other.toLowerCase() === key.toLowerCase());
    const reasons = [
      wrongKey && `the key ${wrongKey}`,
      textViolation(textRules.tagValue, value),
      twin && `differs from the tag ${JSON.stringify(twin)} only in case, which IAM takes for the same key`,
    ];
    return reasons.flatMap((reason) => (reason ? [{ key, reason }] : []));
  });
  return [...tooMany, ...single];
}

/** What CodeBuild would refuse of tags that IAM takes: it allows a character less. */
export function buildTagMistakes(tags: Record<string, string>): { key: string; reason: string }[] {
  const { tagKey, tagValue } = codeBuildRules;
  return Object.entries(tags).flatMap(([key, value]) => [
    ...(key.length > tagKey.max ? [{ key, reason: `the key must have at most ${tagKey.max} characters on a CodeBuild project; has ${key.length}` }] : []),
    ...(value.length > tagValue.max ? [{ key, reason: `must have at most ${tagValue.max} characters on a CodeBuild project; has ${value.length}` }] : []),
  ]);
}

/** Why a text cannot be the one value that a trust policy tests for: IAM would read `*` and `?` as a pattern, `$` as a variable. */
export function exactViolation(rule: "subject" | "clientId", value: string): string | undefined {
  const malformed = textViolation(textRules[rule], value) ?? variableViolation(value);
  return malformed ?? (hasWildcard(value) ? `must be exact, without * and ?; got ${JSON.stringify(value)}` : undefined);
}

export function subjectViolation(subject: string, wildcards: boolean): string | undefined {
  const malformed = textViolation(textRules.subject, subject) ?? variableViolation(subject);
  if (malformed !== undefined || !hasWildcard(subject)) return malformed;
  const got = `got ${JSON.stringify(subject)}`;
  if (!wildcards) return `must be one exact subject, without * and ?, unless dangerouslyAllowSubjectWildcards is set; ${got}`;
  return /^[*?]/.test(subject) ? `must begin with something exact: a wildcard in front admits anybody; ${got}` : undefined;
}

/** `${…:sub}` as the value of `:sub` would admit every subject. */
function variableViolation(value: string): string | undefined {
  return value.includes("$") ? `must not contain $, with which IAM begins a policy variable; got ${JSON.stringify(value)}` : undefined;
}

/** A session name, or a pattern of one with something exact in it. */
export function sessionNameViolation(pattern: string): string | undefined {
  const { min, max, form } = textRules.sessionName;
  const fits = pattern.length <= max && /^[\w+=,.@*?-]+$/.test(pattern) && (hasWildcard(pattern) ? /[^*?]/.test(pattern) : pattern.length >= min);
  return fits ? undefined : `must be a role session name (${form}), with * and ? for any text and any character; got ${JSON.stringify(pattern)}`;
}

/** Logical name of a component's error title. */
export function titleOf(component: string, name: string): string {
  return `${component} ${JSON.stringify(name)}`;
}
