/** Collections as Graph answers them: filtered, searched by OData's simplest expressions, reduced to the members asked for. https://learn.microsoft.com/graph/query-parameters */
import { badRequest } from "./graph-errors.js";
import type { AzureRequest } from "./service.js";

type Item = Readonly<Record<string, unknown>>;

/** A page that holds everything: directories of the sandbox are small. */
export function collection(request: AzureRequest, path: string, items: readonly Item[]): object {
  const { query, url } = request;
  const filter = query.get("$filter");
  const matching = filter ? items.filter(filterOf(filter)) : items;
  const top = query.get("$top");
  const shown = (top === null ? matching : matching.slice(0, Number(top))).map((item) => selected(query, item));
  return {
    "@odata.context": `${url.origin}/v1.0/$metadata#${path}`,
    ...(query.get("$count") === "true" && { "@odata.count": matching.length }),
    value: shown,
  };
}

export function entity(request: AzureRequest, path: string, item: Item): object {
  return { "@odata.context": `${request.url.origin}/v1.0/$metadata#${path}/$entity`, ...selected(request.query, item) };
}

function selected(query: URLSearchParams, item: Item): Item {
  const names = query.get("$select")?.split(",").map((name) => name.trim().toLowerCase());
  return names ? Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name.toLowerCase()))) : item;
}

const TEXT = "'((?:[^']|'')*)'";
const EQUALS = new RegExp(`^(\\w+) eq (?:${TEXT}|(true|false|null))$`, "i");
const STARTS = new RegExp(`^startswith\\((\\w+), ?${TEXT}\\)$`, "i");
const ANY = new RegExp(`^(\\w+)/any\\((\\w+): ?\\2 eq ${TEXT}\\)$`, "i");

/** `and` of `or`s of comparisons; a text compares without regard to case, as it does in directories. */
function filterOf(filter: string): (item: Item) => boolean {
  const alternatives = split(filter, "or").map((one) => split(one, "and").map(comparison));
  return (item) => alternatives.some((all) => all.every((test) => test(item)));
}

/** By a word outside quotes. */
function split(text: string, word: "and" | "or"): string[] {
  const parts = [""];
  for (const token of text.match(/'(?:[^']|'')*'|\s+|[^\s']+/g) ?? []) {
    if (token.toLowerCase() === word) parts.push("");
    else parts.push(`${parts.pop() ?? ""}${token}`);
  }
  return parts.map((part) => part.trim().replace(/^\(((?:[^()]|\([^()]*\))*)\)$/, "$1"));
}

function comparison(expression: string): (item: Item) => boolean {
  const equals = EQUALS.exec(expression);
  if (equals) return (item) => same(member(item, equals[1]), equals[2] === undefined ? JSON.parse((equals[3] ?? "null").toLowerCase()) : unquoted(equals[2]));
  const starts = STARTS.exec(expression);
  if (starts) return (item) => String(member(item, starts[1])).toLowerCase().startsWith(unquoted(starts[2]).toLowerCase());
  const any = ANY.exec(expression);
  if (any) {
    return (item) => {
      const values = member(item, any[1]);
      return Array.isArray(values) && values.some((value) => same(value, unquoted(any[3])));
    };
  }
  throw badRequest(`Invalid filter clause: unsupported expression '${expression}'.`);
}

const unquoted = (text = ""): string => text.replaceAll("''", "'");

function same(value: unknown, wanted: unknown): boolean {
  return typeof value === "string" && typeof wanted === "string" ? value.toLowerCase() === wanted.toLowerCase() : value === wanted;
}

function member(item: Item, name = ""): unknown {
  return Object.entries(item).find(([own]) => own.toLowerCase() === name.toLowerCase())?.[1];
}
