/**
 * A stack's configuration, read by an integration's zod schema: flat keys under the project's namespace, objects as
 * Pulumi stores them. Every mistake is reported at once, in words that say what to type.
 */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

/** Keys that belong to the project and not to the integration. */
const SHARED_KEYS = ["integration"];

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The JSON Schema (draft 2020-12) of an integration's configuration, without the project's namespace. */
export function configJsonSchema(integration: string, schema: z.ZodObject): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-2020-12", io: "input", unrepresentable: "throw" });
  return {
    ...($schema === undefined ? {} : { $schema }),
    $id: `https://cloud-federation.dev/schemas/stacks/${integration}.json`,
    title: `Configuration of ${integration}`,
    ...rest,
    properties: { integration: { type: "string", const: integration, description: "Which integration the stack provisions" }, ...rest.properties },
  };
}

/**
 * Reads and checks the configuration of the running stack.
 *
 * @throws pulumi.RunError with one line for each mistake: the key, what it must be, what it is, and how to set it
 */
export function loadConfig<S extends z.ZodObject>(integration: string, schema: S): z.output<S> {
  const namespace = pulumi.getProject();
  const shape = z.toJSONSchema(schema, { io: "input" });
  const values: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    const name = key.startsWith(`${namespace}:`) ? key.slice(namespace.length + 1) : undefined;
    if (name === undefined || SHARED_KEYS.includes(name)) continue;
    values[name] = fitted(shape.properties?.[name], text);
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => explain(issue, shape, values));
  const count = lines.length === 1 ? "a mistake" : `${lines.length} mistakes`;
  throw new pulumi.RunError(`The configuration of ${integration} has ${count}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

/** Pulumi stores every value as text, and `--path` guesses types: back to the type that the schema asks for. */
function fitted(shape: JsonSchema | boolean | undefined, value: unknown): unknown {
  const type = typeof shape === "object" ? shape.type : undefined;
  if (type === "string") return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  if (type === "boolean") return value === "true" ? true : value === "false" ? false : value;
  if (type === "integer" || type === "number") return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  const structure: unknown = typeof value === "string" && (type === "object" || type === "array") ? parsedJson(value) : value;
  if (type !== "object" || !isRecord(structure) || typeof shape !== "object") return structure;
  return Object.fromEntries(Object.entries(structure).map(([key, inner]) => [key, fitted(shape.properties?.[key] ?? shape.additionalProperties, inner)]));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function explain(issue: z.core.$ZodIssue, shape: JsonSchema, values: unknown): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(shapeAt(shape, path)?.properties ?? {});
    return issue.keys.map((key) => `${[...path, key].join(".")}: is no key of this configuration; ${suggestion(path, key, known)}`);
  }
  const value = path.reduce<unknown>((outer, key) => (isRecord(outer) ? outer[key] : undefined), values);
  const here = shapeAt(shape, path);
  const must = issue.code === "invalid_type" ? `must be ${typeName(issue.expected)}` : issue.code === "invalid_value" ? `must be ${issue.values.map((one) => String(one)).join(" or ")}` : issue.message;
  const got = value === undefined ? "it is not set" : must.includes("; got ") ? undefined : `got ${JSON.stringify(value)}`;
  return [[`${path.join(".")}: ${value !== undefined ? must : issue.message.startsWith("is required ") ? issue.message : "is required"}`, got, setCommand(path, here)].filter((part) => part !== undefined).join("; ")];
}

function setCommand(path: string[], shape: JsonSchema | undefined): string | undefined {
  if (path.length === 0) return undefined;
  const example: unknown = shape?.examples?.[0];
  const flags = path.length > 1 ? "--path " : "";
  if (typeof example === "string" || typeof example === "number") return `set it with \`pulumi config set ${flags}${path.join(".")} ${quoted(String(example))}\``;
  const inner = Object.entries(shape?.properties ?? {}).find(([key]) => shape?.required?.includes(key));
  return inner && typeof inner[1] === "object" ? setCommand([...path, inner[0]], inner[1]) : undefined;
}

/** For a shell; a number-like text needs no quotes, since the schema says that it is text. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function suggestion(path: string[], key: string, known: string[]): string {
  const [nearest] = known.map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.distance - b.distance);
  if (nearest && nearest.distance <= Math.max(2, Math.floor(key.length / 3))) return `did you mean ${[...path, nearest.name].join(".")}?`;
  return `known ${path.length === 0 ? "keys" : `keys of ${path.join(".")}`}: ${known.join(", ")}`;
}

/** How many letters must be changed, added, dropped or swapped with their neighbour to come from one word to the other. */
function editDistance(from: string, to: string): number {
  const rows: number[][] = [[...Array(to.length + 1).keys()]];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + (same ? 0 : 1), swapped ? at(row - 2, column - 2) + 1 : Infinity),
      );
    }
  }
  return at(from.length, to.length);
}

function shapeAt(shape: JsonSchema, path: string[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((outer, key) => {
    const inner = outer?.properties?.[key];
    return typeof inner === "object" ? inner : undefined;
  }, shape);
}

function typeName(expected: string): string {
  return { string: "text", int: "a whole number", number: "a number", boolean: "true or false", object: "an object", array: "a list", record: "an object" }[expected] ?? expected;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
