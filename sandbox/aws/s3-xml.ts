/** Reading and writing S3's XML by the shapes of the API model. */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import type { Member, Scalar, Shape } from "./s3-model.js";
import { s3Error } from "./s3-errors.js";

export const XML_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";
const ATTRIBUTE = "@";

/** Entities are decoded in `unescape`, so that no document can define any. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
});

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescape(value: string): string {
  return value.replaceAll(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number.parseInt(name.slice(1), 10));
    return ENTITIES[name] ?? whole;
  });
}

export function escapeXml(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\r", "&#13;");
}

/** The text of a scalar as its member; throws MalformedXML or InvalidArgument through `refuse`. */
export function readScalar(kind: Scalar, value: string, refuse: () => Error): string | number | boolean | Date {
  switch (kind) {
    case "string":
    case "blob":
      return value;
    case "number": {
      const number = Number(value);
      if (value.trim() === "" || !Number.isFinite(number)) throw refuse();
      return number;
    }
    case "boolean":
      if (!/^(true|false)$/i.test(value)) throw refuse();
      return value.toLowerCase() === "true";
    case "date-time":
    case "http-date": {
      const date = new Date(value);
      if (Number.isNaN(date.getTime())) throw refuse();
      return date;
    }
  }
}

/** A scalar as text; `place` decides the timestamp format, which differs between headers and XML. */
export function writeScalar(kind: Scalar, value: unknown, place: "header" | "body"): string {
  if (kind === "date-time" || kind === "http-date") {
    const date = value instanceof Date ? value : new Date(String(value));
    return place === "header" ? date.toUTCString() : date.toISOString();
  }
  return String(value);
}

type Node = Readonly<Record<string, unknown>>;

const malformed = () => s3Error("MalformedXML");

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function occurrences(node: Node, name: string): unknown[] {
  const value = node[name];
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function leaf(value: unknown): string {
  if (typeof value === "string") return unescape(value);
  if (isNode(value)) return typeof value["#text"] === "string" ? unescape(value["#text"]) : "";
  throw malformed();
}

function readValue(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case "structure":
      return readStructure(shape, isNode(value) ? value : {});
    case "list":
      return occurrences(isNode(value) ? value : {}, shape.element.wireName).map((each) => readValue(shape.element.shape(), each));
    case "map":
      throw malformed();
    default:
      return readScalar(shape.kind, leaf(value), malformed);
  }
}

function readMember(member: Member, node: Node): unknown {
  if (member.attribute) return occurrences(node, ATTRIBUTE + member.wireName).map(leaf)[0];
  const found = occurrences(node, member.wireName);
  if (found.length === 0) return undefined;
  const shape = member.shape();
  if (shape.kind === "list" && member.flattened) return found.map((each) => readValue(shape.element.shape(), each));
  if (found.length > 1) throw malformed();
  return readValue(shape, found[0]);
}

function readStructure(shape: Extract<Shape, { kind: "structure" }>, node: Node): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const each of shape.members) {
    const value = readMember(each, node);
    if (value !== undefined) members[each.name] = value;
    else if (each.required) throw malformed();
  }
  return members;
}

/** A request body as the members of its structure. Throws MalformedXML, also for a missing required member or a document type. */
export function parseXml(body: string, shape: Extract<Shape, { kind: "structure" }>, root: string): Record<string, unknown> {
  if (/<!DOCTYPE/i.test(body) || XMLValidator.validate(body) !== true) throw malformed();
  const document: unknown = parser.parse(body);
  const found = isNode(document) ? document[root] : undefined;
  if (found === undefined) throw malformed();
  return readStructure(shape, isNode(found) ? found : {});
}

function element(name: string, content: string, attributes = ""): string {
  return `<${name}${attributes}>${content}</${name}>`;
}

function writeMember(member: Member, value: unknown): string {
  const shape = member.shape();
  if (shape.kind === "list" && member.flattened)
    return (value as unknown[]).map((each) => writeValue(shape.element.shape(), each, member.wireName)).join("");
  return writeValue(shape, value, member.wireName);
}

function writeValue(shape: Shape, value: unknown, name: string): string {
  switch (shape.kind) {
    case "list":
      return element(name, (value as unknown[]).map((each) => writeValue(shape.element.shape(), each, shape.element.wireName)).join(""));
    case "structure": {
      const members = value as Record<string, unknown>;
      const attributes = shape.members
        .filter((each) => each.attribute && members[each.name] !== undefined)
        .map((each) => ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ${each.wireName}="${escapeXml(String(members[each.name]))}"`)
        .join("");
      return element(name, writeMembers(shape.members.filter((each) => !each.attribute), members), attributes);
    }
    case "map":
      return "";
    default:
      return element(name, escapeXml(writeScalar(shape.kind, value, "body")));
  }
}

function writeMembers(members: readonly Member[], values: Record<string, unknown>): string {
  return members
    .filter((each) => values[each.name] !== undefined)
    .map((each) => writeMember(each, values[each.name]))
    .join("");
}

/** A whole document of `members` under `root`. */
export function renderXml(root: string, members: readonly Member[], values: Record<string, unknown>): string {
  return XML_HEADER + element(root, writeMembers(members, values), ` xmlns="${NAMESPACE}"`);
}

/** `GetBucketLocation` alone has text in its root element. */
export function renderText(root: string, value: string): string {
  return XML_HEADER + element(root, escapeXml(value), ` xmlns="${NAMESPACE}"`);
}

/** Errors have no namespace. */
export function renderError(fields: Readonly<Record<string, string>>): string {
  return XML_HEADER + element("Error", Object.entries(fields).map(([name, value]) => element(name, escapeXml(value))).join(""));
}
