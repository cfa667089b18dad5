/** What lists of ARM share: they hold what the caller may read, and are filtered by a small part of OData. */
import { parseArmId } from "./arm-ids.js";
import { tagOf } from "./arm-tags.js";
import type { ArmResource, AzureServiceContext } from "./service.js";
import { AzureError, type AzureCaller } from "./types.js";

/** All where the caller may read the scope, else those that it may read one by one; AuthorizationFailed where there is none. */
export function readable(context: AzureServiceContext, caller: AzureCaller, { action, scope }: { action: string; scope: string }, all: readonly ArmResource[]): ArmResource[] {
  const whole = context.allows(caller, action, scope);
  const found = all.filter(({ id }) => whole || context.allows(caller, action, id));
  if (found.length === 0) context.require(caller, action, scope);
  return found;
}

/** Of groups and resources: by name, type, location, group or tag. All where the filter is empty. */
export function resourceFilter(filter: string | null): (resource: ArmResource) => boolean {
  if (filter === null || filter.trim() === "") return () => true;
  const test = parseFilter(filter);
  const tag = /tagName eq '((?:[^']|'')*)'/i.exec(filter)?.[1] ?? "";
  return ({ id, name, type, location, tags }) =>
    test((field) => ({ name, location, resourceType: type, resourceGroup: parseArmId(id)?.group, tagName: tagOf(tags, tag) === undefined ? undefined : tag, tagValue: tagOf(tags, tag) })[field]);
}

type Test = (value: (field: string) => string | undefined) => boolean;

/**
 * `field eq 'value'` (also `ne` and `startswith(field, 'value')`) joined by `and` and `or`; texts are compared without regard to case.
 * Throws ARM's InvalidFilterInQueryString at anything else.
 */
export function parseFilter(filter: string): Test {
  const alternatives = splitOutside(filter, "or").map((part) => splitOutside(part, "and").map((term) => parseTerm(term, filter)));
  return (value) => alternatives.some((terms) => terms.every((term) => term(value)));
}

function parseTerm(text: string, filter: string): Test {
  const term = text.trim().replace(/^\((.*)\)$/, "$1").trim();
  const [, field, operator = "", value = ""] = /^([\w/]+)\s+(eq|ne)\s+'((?:[^']|'')*)'$/i.exec(term) ?? [];
  if (field !== undefined) return (read) => ((read(field) ?? "").toLowerCase() === unquoted(value)) === (operator.toLowerCase() === "eq");
  const [, startField, start = ""] = /^startswith\(\s*([\w/]+)\s*,\s*'((?:[^']|'')*)'\s*\)$/i.exec(term) ?? [];
  if (startField !== undefined) return (read) => (read(startField) ?? "").toLowerCase().startsWith(unquoted(start));
  throw new AzureError(400, "InvalidFilterInQueryString", `Invalid $filter '${filter}' specified in the query string.`);
}

const unquoted = (text: string): string => text.replaceAll("''", "'").toLowerCase();

/** At the word, where it stands outside quotes. */
function splitOutside(text: string, word: string): string[] {
  const parts: string[] = [""];
  for (const token of text.split(new RegExp(`('(?:[^']|'')*'|\\s${word}\\s)`, "i"))) {
    if (token.trim().toLowerCase() === word && !token.startsWith("'")) parts.push("");
    else parts[parts.length - 1] = `${parts.at(-1) ?? ""}${token}`;
  }
  return parts;
}
