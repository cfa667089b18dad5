/** What tags may be, and how they are changed: names without regard to case, values as they are. https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations */
import { numberRules, textRules } from "../../facts/azure/limits.js";
import { invalidContent } from "./arm-errors.js";
import { AzureError } from "./types.js";

export type Tags = Readonly<Record<string, string>>;

const RESERVED = /[<>%&\\?/\p{Cc}]/u;

/** Of a request's body; empty where there are none. Throws what ARM says to tags that it does not take. */
export function readTags(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalidContent("Error converting value to tags: an object of names and texts is expected");
  const tags: Record<string, string> = {};
  for (const [name, text] of Object.entries<unknown>(value as Record<string, unknown>)) {
    if (typeof text !== "string" && text !== null) throw invalidContent(`Error converting value of the tag '${name}' to type 'System.String'`);
    tags[name] = text ?? "";
  }
  assertTags(tags);
  return tags;
}

function assertTags(tags: Tags): void {
  const names = Object.keys(tags);
  const reserved = names.filter((name) => RESERVED.test(name));
  if (reserved.length > 0) throw invalidTags("InvalidTagNameCharacters", `The tag names '${reserved.join(", ")}' have reserved characters '<,>,%,&,\\,?,/' or control characters.`);
  const long = names.find((name) => name.length > textRules.tagName.max);
  if (long !== undefined) throw invalidTags("InvalidTagNameLength", `Tag name too large. Following tag name '${long}' exceeded the maximum length. Maximum allowed length for tag name - '${textRules.tagName.max}' characters.`);
  const [tooLong, text] = Object.entries(tags).find(([, value]) => value.length > textRules.tagValue.max) ?? [];
  if (tooLong !== undefined) throw invalidTags("InvalidTagValueLength", `Tag value too large. Following tag value '${text ?? ""}' exceeded the maximum length. Maximum allowed length for tag value - '${textRules.tagValue.max}' characters.`);
  if (names.length > numberRules.tags.max) throw invalidTags("TooManyTags", `The number of tags '${names.length}' exceeds the maximum allowed number of tags '${numberRules.tags.max}'.`);
  const twice = names.find((name, index) => names.some((other, before) => before < index && same(name, other)));
  if (twice !== undefined) throw invalidTags("DuplicateTagName", `The tag name '${twice}' is given more than once; tag names are case-insensitive.`);
}

const invalidTags = (code: string, message: string): AzureError => new AzureError(400, code, message);
const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** A name that is there keeps the case that it has. */
export function mergeTags(tags: Tags, more: Tags): Record<string, string> {
  const merged: Record<string, string> = { ...tags };
  for (const [name, value] of Object.entries(more)) merged[Object.keys(merged).find((each) => same(each, name)) ?? name] = value;
  assertTags(merged);
  return merged;
}

/** Takes away those that have name and value of the given ones. */
export function removeTags(tags: Tags, gone: Tags): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([name, value]) => !Object.entries(gone).some(([other, text]) => same(name, other) && text === value)));
}

export function tagOf(tags: Tags | undefined, name: string): string | undefined {
  return Object.entries(tags ?? {}).find(([each]) => same(each, name))?.[1];
}
