/**
 * Policy documents: their text read into statements, and the mistakes for which IAM does not store one.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { isJsonObject, type JsonObject } from "../jwt.js";
import type { ConditionTest } from "./conditions.js";
import { statementMistakes, textMistakes } from "./policy-rules.js";

export type PolicyKind = "identity" | "trust" | "resource" | "boundary" | "service-control" | "resource-control";

export interface PolicyMistake {
  /** Where in the document, such as `Statement[0].Action`; empty for the whole. */
  path: string;
  /** AWS's own words, as `MalformedPolicyDocument` shows them. */
  message: string;
}

export const PRINCIPAL_TYPES = ["AWS", "Federated", "Service", "CanonicalUser"] as const;
export type PrincipalType = (typeof PRINCIPAL_TYPES)[number];

export interface PrincipalElement {
  /** The bare `"*"`, which is not the same as `{"AWS": "*"}` to every reader. */
  anyone: boolean;
  values: { type: PrincipalType; value: string }[];
}

export interface Statement {
  /** Position in the document, from 0. */
  index: number;
  sid?: string;
  effect: "Allow" | "Deny";
  principal?: PrincipalElement;
  notPrincipal?: PrincipalElement;
  actions?: string[];
  notActions?: string[];
  resources?: string[];
  notResources?: string[];
  conditions: ConditionTest[];
}

export interface PolicyDocument {
  /** A document without version is of 2008-10-17, which knows no policy variables. */
  version: "2012-10-17" | "2008-10-17";
  statements: Statement[];
}

export interface ParsedPolicy {
  /** There whenever the document can be evaluated, even if IAM would not store it. */
  document?: PolicyDocument;
  /** Empty for a document that IAM stores; its own answer shows the first. */
  mistakes: PolicyMistake[];
}

/** Raised for a document that cannot be evaluated; the message is one line that names the policy. */
export class PolicyError extends Error {
  constructor(name: string, mistake: PolicyMistake) {
    super(`policy ${name} cannot be read: ${mistake.path === "" ? "" : `${mistake.path}: `}${mistake.message}`);
    this.name = "PolicyError";
  }
}

/** Reads a document as IAM does when it is stored under this kind. */
export function parsePolicy(json: string, kind: PolicyKind): ParsedPolicy {
  const parsed = readDocument(json, kind);
  const document = parsed.document;
  if (document === undefined) return parsed;
  return { document, mistakes: [...textMistakes(json), ...parsed.mistakes, ...statementMistakes(document, kind)] };
}

/** Reads a stored document for evaluation. Throws {@link PolicyError} when its shape makes that impossible. */
export function readPolicy(policy: { name: string; document: string }): PolicyDocument {
  const { document, mistakes } = readDocument(policy.document, "identity");
  if (document === undefined) throw new PolicyError(policy.name, mistakes[0] ?? { path: "", message: SYNTAX });
  return document;
}

const SYNTAX = "Syntax errors in policy.";
const DOCUMENT_FIELDS = ["Version", "Id", "Statement"];
const STATEMENT_FIELDS = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];

/** Collects mistakes while the shape is read; a mistake of shape makes the document unusable. */
class Reader {
  readonly mistakes: PolicyMistake[] = [];
  usable = true;

  broken(path: string, message: string): void {
    this.usable = false;
    this.mistakes.push({ path, message });
  }

  /** The value as an object; a mistake when it is none. */
  object(value: unknown, path: string, message: string): JsonObject | undefined {
    if (isJsonObject(value)) return value;
    this.broken(path, message);
    return undefined;
  }

  unknownFields(value: object, known: readonly string[], path: string): void {
    for (const field of Object.keys(value).filter((name) => !known.includes(name))) {
      this.mistakes.push({ path: path === "" ? field : `${path}.${field}`, message: `Unknown field ${field}` });
    }
  }
}

function readDocument(json: string, kind: PolicyKind): ParsedPolicy {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    return { mistakes: [{ path: "", message: kind === "trust" ? "This policy contains invalid Json" : SYNTAX }] };
  }
  if (!isJsonObject(raw)) return { mistakes: [{ path: "", message: SYNTAX }] };
  const reader = new Reader();
  reader.unknownFields(raw, DOCUMENT_FIELDS, "");
  const version = raw["Version"] ?? "2008-10-17";
  if (version !== "2012-10-17" && version !== "2008-10-17") {
    reader.broken("Version", "The policy must contain a valid version string");
  }
  const list = Array.isArray(raw["Statement"]) ? (raw["Statement"] as unknown[]) : [raw["Statement"]];
  if (raw["Statement"] === undefined || list.length === 0) reader.broken("Statement", SYNTAX);
  const statements = list.map((item, index) => readStatement(item, index, reader)).filter((item) => item !== undefined);
  if (!reader.usable || (version !== "2012-10-17" && version !== "2008-10-17")) return { mistakes: reader.mistakes };
  return { document: { version, statements }, mistakes: reader.mistakes };
}

function readStatement(value: unknown, index: number, reader: Reader): Statement | undefined {
  const path = `Statement[${index}]`;
  const raw = reader.object(value, path, SYNTAX);
  if (raw === undefined) return undefined;
  reader.unknownFields(raw, STATEMENT_FIELDS, path);
  const effect = raw["Effect"];
  if (effect !== "Allow" && effect !== "Deny") {
    reader.broken(`${path}.Effect`, typeof effect === "string" ? `Invalid effect: ${effect}` : "Missing required field Effect");
    return undefined;
  }
  const statement: Statement = { index, effect, conditions: readConditions(raw["Condition"], `${path}.Condition`, reader) };
  if (typeof raw["Sid"] === "string") statement.sid = raw["Sid"];
  else if (raw["Sid"] !== undefined) reader.broken(`${path}.Sid`, SYNTAX);
  for (const [field, member] of LISTS) {
    const values = readStrings(raw[field], `${path}.${field}`, reader);
    if (values !== undefined) statement[member] = values;
  }
  for (const [field, member] of PRINCIPALS) {
    const principal = readPrincipal(raw[field], `${path}.${field}`, reader);
    if (principal !== undefined) statement[member] = principal;
  }
  return statement;
}

const LISTS = [
  ["Action", "actions"],
  ["NotAction", "notActions"],
  ["Resource", "resources"],
  ["NotResource", "notResources"],
] as const;
const PRINCIPALS = [
  ["Principal", "principal"],
  ["NotPrincipal", "notPrincipal"],
] as const;

function readStrings(raw: unknown, path: string, reader: Reader): string[] | undefined {
  if (raw === undefined) return undefined;
  const list: unknown[] = Array.isArray(raw) ? raw : [raw];
  const values = list.filter((item) => typeof item === "string");
  if (values.length !== list.length) reader.broken(path, SYNTAX);
  return values;
}

function readPrincipal(value: unknown, path: string, reader: Reader): PrincipalElement | undefined {
  if (value === undefined) return undefined;
  if (value === "*") return { anyone: true, values: [] };
  const raw = reader.object(value, path, "Invalid principal in policy");
  if (raw === undefined) return undefined;
  reader.unknownFields(raw, PRINCIPAL_TYPES, path);
  const values = PRINCIPAL_TYPES.flatMap((type) =>
    (readStrings(raw[type], `${path}.${type}`, reader) ?? []).map((value) => ({ type, value })),
  );
  return { anyone: false, values };
}

function readConditions(value: unknown, path: string, reader: Reader): ConditionTest[] {
  const operators = value === undefined ? {} : reader.object(value, path, SYNTAX);
  return Object.entries(operators ?? {}).flatMap(([operator, block]) => {
    const keys = reader.object(block, `${path}.${operator}`, SYNTAX);
    return Object.entries(keys ?? {}).map(([key, item]) => {
      const list: unknown[] = Array.isArray(item) ? item : [item];
      const values = list.filter((entry) => ["string", "number", "boolean"].includes(typeof entry)).map(String);
      if (values.length !== list.length) reader.broken(`${path}.${operator}.${key}`, SYNTAX);
      return { operator, key, values };
    });
  });
}
