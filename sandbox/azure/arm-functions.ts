/** Functions of expressions that depend on nothing but what they are given. https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions */
import { createHash } from "node:crypto";
import { type ExpressionFunctions, ExpressionError } from "./arm-expressions.js";

/** Namespace of the version 5 UUIDs that `guid()` makes of its texts, joined by hyphens. https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-string#guid */
const GUID_NAMESPACE = "11fb06fb712d4ddd98c7e71bbd588830";

function guid(...texts: unknown[]): string {
  const hash = createHash("sha1").update(Buffer.from(GUID_NAMESPACE, "hex")).update(texts.map(String).join("-")).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** As long and as stable as Azure's, of another hash: Azure's is not documented. */
function uniqueString(...texts: unknown[]): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const bytes = createHash("sha256").update(texts.map(String).join("-")).digest();
  return [...bytes.subarray(0, 13)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

/** `{0}` and the like. */
const format = (pattern: unknown, ...values: unknown[]): string => String(pattern).replace(/\{(\d+)\}/g, (_, index: string) => textOf(values[Number(index)]));

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : typeof value === "boolean" ? (value ? "True" : "False") : String(value);
}

const listOf = (value: unknown): unknown[] => {
  if (!Array.isArray(value)) throw new ExpressionError("The template language function expects an array.");
  return value as unknown[];
};

const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === "" || (typeof value === "object" && Object.keys(value).length === 0);

const sameText = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const PURE_FUNCTIONS: ExpressionFunctions = {
  concat: (...values) => (Array.isArray(values[0]) ? values.flatMap(listOf) : values.map(textOf).join("")),
  format,
  guid,
  uniquestring: uniqueString,
  tolower: (text) => String(text).toLowerCase(),
  toupper: (text) => String(text).toUpperCase(),
  trim: (text) => String(text).trim(),
  string: (value) => (typeof value === "string" ? value : JSON.stringify(value)),
  int: (value) => Math.trunc(Number(value)),
  bool: (value) => String(value).toLowerCase() === "true" || value === 1,
  json: (text) => JSON.parse(String(text)) as unknown,
  true: () => true,
  false: () => false,
  null: () => null,
  equals: sameText,
  not: (value) => value !== true,
  and: (...values) => values.every((value) => value === true),
  or: (...values) => values.some((value) => value === true),
  greater: (a, b) => Number(a) > Number(b),
  less: (a, b) => Number(a) < Number(b),
  add: (a, b) => Number(a) + Number(b),
  sub: (a, b) => Number(a) - Number(b),
  empty: isEmpty,
  coalesce: (...values) => values.find((value) => value !== null && value !== undefined) ?? null,
  length: (value) => (typeof value === "string" ? value.length : Object.keys(value as object).length),
  contains: (whole, part) => (typeof whole === "string" ? whole.includes(String(part)) : Array.isArray(whole) ? whole.some((each) => sameText(each, part)) : Object.keys(whole as object).includes(String(part))),
  createarray: (...values) => values,
  createobject: (...values) => Object.fromEntries(values.flatMap((name, index) => (index % 2 === 0 ? [[String(name), values[index + 1]]] : []))),
  union: (...values) => (Array.isArray(values[0]) ? [...new Set(values.flatMap(listOf))] : Object.fromEntries(values.flatMap((each) => Object.entries(each as Record<string, unknown>)))),
  first: (value) => (typeof value === "string" ? value.slice(0, 1) : listOf(value)[0]),
  last: (value) => (typeof value === "string" ? value.slice(-1) : listOf(value).at(-1)),
  take: (value, count) => (typeof value === "string" ? value.slice(0, Number(count)) : listOf(value).slice(0, Number(count))),
  skip: (value, count) => (typeof value === "string" ? value.slice(Number(count)) : listOf(value).slice(Number(count))),
  split: (text, by) => String(text).split(String(by)),
  join: (list, by) => listOf(list).map(textOf).join(String(by)),
  replace: (text, old, next) => String(text).replaceAll(String(old), String(next)),
  substring: (text, start, length) => (length === undefined ? String(text).slice(Number(start)) : String(text).slice(Number(start), Number(start) + Number(length))),
  startswith: (text, start) => String(text).toLowerCase().startsWith(String(start).toLowerCase()),
  endswith: (text, end) => String(text).toLowerCase().endsWith(String(end).toLowerCase()),
  base64: (text) => Buffer.from(String(text)).toString("base64"),
};
