/**
 * The S3 API as its vendor models it: the operations' methods, paths, headers and XML, read from the schemas that the
 * AWS SDK publishes with its client. Nothing of the wire format is written down a second time here.
 */
import * as api from "@aws-sdk/client-s3";

export type Scalar = "string" | "number" | "boolean" | "date-time" | "http-date" | "blob";

export type Shape =
  | { kind: Scalar }
  | { kind: "list"; element: Member }
  | { kind: "map" }
  | { kind: "structure"; name: string; xmlName: string; members: readonly Member[] };

export interface Member {
  name: string;
  shape(): Shape;
  required: boolean;
  /** Where the member travels; `body` is an element of the XML document. */
  location: "label" | "header" | "prefix-headers" | "query" | "payload" | "body";
  /** Name of the header (lower case), header prefix, query parameter or XML element. */
  wireName: string;
  /** List elements stand directly in the parent. */
  flattened: boolean;
  /** An XML attribute of its parent, such as `xsi:type`. */
  attribute: boolean;
}

export interface OperationModel {
  name: string;
  method: string;
  /** What the path addresses. */
  level: "service" | "bucket" | "object";
  /** Query parameters that choose the operation, with their value where the API fixes it. */
  literals: readonly (readonly [name: string, value: string])[];
  status: number;
  input: Extract<Shape, { kind: "structure" }>;
  output: Extract<Shape, { kind: "structure" }> | undefined;
}

type Traits = Readonly<Record<string, unknown>>;

const LABEL = 1;
const PAYLOAD = 16;
const LIST_OF = 64;
const MAP_OF = 128;
const SCALARS: Readonly<Record<number, Scalar>> = {
  0: "string",
  1: "number",
  2: "boolean",
  4: "date-time",
  5: "date-time",
  6: "http-date",
  21: "blob",
  42: "blob",
};

function traitsOf(traits: unknown): Traits {
  if (typeof traits === "number") return { label: traits === LABEL, payload: traits === PAYLOAD };
  return (traits ?? {}) as Traits;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function locationOf(traits: Traits, name: string): Pick<Member, "location" | "wireName"> {
  const header = text(traits["httpHeader"]);
  if (header !== undefined) return { location: "header", wireName: header.toLowerCase() };
  const prefix = text(traits["httpPrefixHeaders"]);
  if (prefix !== undefined) return { location: "prefix-headers", wireName: prefix.toLowerCase() };
  const query = text(traits["httpQuery"]);
  if (query !== undefined) return { location: "query", wireName: query };
  const wireName = text(traits["xmlName"]);
  if (traits["label"] === true) return { location: "label", wireName: name };
  if (traits["payload"] === true || traits["httpPayload"] === 1) return { location: "payload", wireName: wireName ?? "" };
  return { location: "body", wireName: wireName ?? name };
}

/** A member is a reference, or a pair of a reference and traits; a schema array has its namespace in second place. */
function member(name: string, reference: unknown, required: boolean): Member {
  const pair = Array.isArray(reference) && typeof reference[1] !== "string" ? (reference as unknown[]) : [reference, 0];
  const traits = traitsOf(pair[1]);
  return {
    name,
    required,
    ...locationOf(traits, name),
    flattened: traits["xmlFlattened"] === 1,
    attribute: traits["xmlAttribute"] === 1,
    shape: () => shape(pair[0]),
  };
}

const shapes = new Map<unknown, Shape>();

function shape(reference: unknown): Shape {
  const resolved: unknown = typeof reference === "function" ? (reference as () => unknown)() : reference;
  if (typeof resolved === "number") return simple(resolved);
  const known = shapes.get(resolved);
  if (known !== undefined) return known;
  const made = complex(resolved as unknown[]);
  shapes.set(resolved, made);
  return made;
}

function simple(sentinel: number): Shape {
  if (sentinel >= MAP_OF) return { kind: "map" };
  if (sentinel >= LIST_OF) return { kind: "list", element: member("member", sentinel - LIST_OF, false) };
  return { kind: SCALARS[sentinel] ?? "string" };
}

function complex(schema: unknown[]): Shape {
  const [kind, , name, traits, fourth, fifth, required] = schema;
  if (kind === 0) return shape(fourth);
  if (kind === 1) return { kind: "list", element: member("member", fourth, false) };
  if (kind === 2) return { kind: "map" };
  const names = (fourth ?? []) as string[];
  const references = (fifth ?? []) as unknown[];
  const requiredCount = typeof required === "number" ? required : 0;
  return {
    kind: "structure",
    name: String(name),
    xmlName: text(traitsOf(traits)["xmlName"]) ?? String(name),
    members: names.map((each, index) => member(each, references[index], index < requiredCount)),
  };
}

/** Directory buckets and Object Lambda answer on other hosts. */
const ELSEWHERE = new Set(["ListDirectoryBuckets", "CreateSession", "WriteGetObjectResponse"]);

function operation(schema: unknown): OperationModel | undefined {
  if (!Array.isArray(schema) || schema[0] !== 9) return undefined;
  const [, , name, traits, input, output] = schema as unknown[];
  const http = traitsOf(traits)["http"];
  if (!Array.isArray(http) || ELSEWHERE.has(String(name))) return undefined;
  const [method, uri, status] = http as [string, string, number];
  const [path, query = ""] = uri.split("?");
  const inputShape = shape(input);
  const outputShape = output === undefined ? undefined : shape(output);
  if (inputShape.kind !== "structure") return undefined;
  const bucket = inputShape.members.some((each) => each.name === "Bucket" && each.location === "label");
  return {
    name: String(name),
    method,
    level: path?.includes("{Key") === true ? "object" : bucket ? "bucket" : "service",
    // `x-id` only tells the operation's name to those who log URLs.
    literals: [...new URLSearchParams(query)].filter(([key]) => key !== "x-id"),
    status,
    input: inputShape,
    output: outputShape?.kind === "structure" ? outputShape : undefined,
  };
}

/** Every operation that general purpose buckets have, by name. */
export const S3_OPERATIONS: ReadonlyMap<string, OperationModel> = new Map(
  Object.values(api)
    .map(operation)
    .filter((each) => each !== undefined)
    .map((each) => [each.name, each]),
);
