/**
 * What a provider makes of an assertion: attributes by its mapping, then yes or no by its condition.
 * https://cloud.google.com/iam/docs/workload-identity-federation#mapping
 */
import { DEFAULT_AWS_MAPPING, MAPPED_BYTES, type AttributeMapping } from "../../facts/gcp/attributes.js";
import { ATTRIBUTE_CONDITION_LENGTH, ATTRIBUTE_MAPPING } from "../../facts/gcp/iam.js";
import type { JsonObject } from "../jwt.js";
import { compileCel } from "./cel.js";
import { selectsOf } from "./cel-names.js";
import { refuse, type ExchangeRefusal } from "./refusal.js";
import type { WorkloadIdentityPoolProvider } from "./types.js";

export interface MappedAttributes {
  subject: string;
  groups: readonly string[];
  attributes: Readonly<Record<string, string | readonly string[]>>;
}

/** The mapping that counts: Google's own for an AWS provider that has none. */
export function mappingOf({ attributeMapping, aws }: Pick<WorkloadIdentityPoolProvider, "attributeMapping" | "aws">): AttributeMapping {
  return aws !== undefined && Object.keys(attributeMapping ?? {}).length === 0 ? DEFAULT_AWS_MAPPING : (attributeMapping ?? {});
}

/** Attributes without a value are left out, but there is always a subject. */
export function mapAttributes(mapping: AttributeMapping, assertion: JsonObject): MappedAttributes | ExchangeRefusal {
  let subject = "";
  let groups: readonly string[] = [];
  const attributes: Record<string, string | readonly string[]> = {};
  for (const [key, expression] of Object.entries(mapping)) {
    const value = valueOf(expression, assertion);
    if (value === undefined || value === null) continue;
    if (key === "google.groups") {
      if (!isTexts(value)) return wrongType(key, value);
      groups = value;
    } else if (key === "google.subject") {
      if (typeof value !== "string") return wrongType(key, value);
      subject = value;
    } else {
      if (typeof value !== "string" && !isTexts(value)) return wrongType(key, value);
      attributes[key.slice("attribute.".length)] = value;
    }
  }
  if (subject === "") return subjectMissing(mapping["google.subject"], assertion);
  const bytes = Buffer.byteLength(subject);
  if (bytes > MAPPED_BYTES.subject) {
    return refuse("subject-too-long", "subjectTooLong", [], `google.subject is ${JSON.stringify(subject)}, ${bytes} bytes; Google takes ${MAPPED_BYTES.subject}`);
  }
  const total = [subject, ...groups, ...Object.values(attributes).flat()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (total > MAPPED_BYTES.total) {
    return refuse("attributes-too-large", "attributesTooLarge", [], `the mapped attributes have ${total} bytes; Google takes ${MAPPED_BYTES.total}`);
  }
  return { subject, groups, attributes };
}

/** Undefined where the expression cannot be evaluated, as for a claim that the assertion does not have. */
function valueOf(expression: string, assertion: JsonObject): unknown {
  const program = compileCel(expression, "attribute-mapping");
  if (typeof program === "string") return undefined;
  const outcome = program.evaluate({ assertion });
  return outcome.ok ? outcome.value : undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function wrongType(key: string, value: unknown): ExchangeRefusal {
  const type = Array.isArray(value) ? "list of other things" : typeof value === "bigint" ? "number" : typeof value;
  return refuse("mapping-failed", "attributeType", [key], `${key} is mapped to a ${type}, not to a text`);
}

function subjectMissing(expression: string | undefined, assertion: JsonObject): ExchangeRefusal {
  const program = expression === undefined ? undefined : compileCel(expression, "attribute-mapping");
  const outcome = typeof program === "object" ? program.evaluate({ assertion }) : undefined;
  const why =
    expression === undefined ? "google.subject is not mapped" : typeof program === "string" ? `its expression ${program}` : outcome?.ok === false ? outcome.error : "the value is empty";
  const claims = Object.keys(assertion).sort().join(", ");
  return refuse("subject-missing", "subjectMissing", [], `google.subject has no value (${why}); the assertion has ${claims}`);
}

/** Undefined when the condition lets the assertion in, as one does that is not there. */
export function conditionRefusal(condition: string | undefined, assertion: JsonObject, mapped: MappedAttributes): ExchangeRefusal | undefined {
  if (condition === undefined || condition === "") return undefined;
  const failed = (detail: string) => refuse("condition-failed", "condition", [], `the attribute condition ${JSON.stringify(condition)} ${detail}`);
  const program = compileCel(condition, "attribute-condition");
  if (typeof program === "string") return failed(program);
  const { subject, groups, attributes } = mapped;
  const outcome = program.evaluate({ assertion, google: groups.length === 0 ? { subject } : { subject, groups }, attribute: attributes });
  if (!outcome.ok) return failed(`cannot be evaluated: ${outcome.error}`);
  if (typeof outcome.value !== "boolean") return failed("is neither true nor false");
  if (outcome.value) return undefined;
  const seen = selectsOf(program.tree).map((path) => `${path} is ${shown(path, { assertion, google: { subject, groups }, attribute: attributes })}`);
  return refuse("condition-false", "condition", [], `the attribute condition ${JSON.stringify(condition)} is false${seen.length === 0 ? "" : `: ${seen.join(", ")}`}`);
}

/** What stands in a context at `assertion.sub` and the like. */
function shown(path: string, context: JsonObject): string {
  let value: unknown = context;
  for (const name of path.split(".")) value = typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined;
  return value === undefined ? "not there" : JSON.stringify(value);
}

/** One thing that Google refuses of a provider's mapping or condition. */
export interface MappingMistake {
  /** Such as `attributeMapping["google.subject"]` or `attributeCondition`. */
  path: string;
  /** The end of a sentence that begins with the path. */
  message: string;
}

/** What Google would not store; empty for a provider that it takes. */
export function mappingMistakes({ attributeMapping = {}, attributeCondition, aws }: Pick<WorkloadIdentityPoolProvider, "attributeMapping" | "attributeCondition" | "aws">): MappingMistake[] {
  const mistakes: MappingMistake[] = [];
  const keys = Object.keys(attributeMapping);
  const add = (path: string, message: string) => mistakes.push({ path, message });
  const customs = keys.filter((key) => !key.startsWith("google."));
  if (customs.length > ATTRIBUTE_MAPPING.customAttributes) add("attributeMapping", `has ${customs.length} custom attributes; Google takes ${ATTRIBUTE_MAPPING.customAttributes}`);
  // An AWS provider without any mapping has Google's.
  if (attributeMapping["google.subject"] === undefined && (aws === undefined || keys.length > 0)) add("attributeMapping", "must map google.subject");
  for (const [key, expression] of Object.entries(attributeMapping)) {
    const path = `attributeMapping[${JSON.stringify(key)}]`;
    if (!ATTRIBUTE_MAPPING.key.test(key)) add(path, "must be google.subject, google.groups or attribute.NAME with a name of a-z, 0-9 and _");
    if (key.length > ATTRIBUTE_MAPPING.keyLength) add(path, `has ${key.length} characters; Google takes ${ATTRIBUTE_MAPPING.keyLength}`);
    if (expression.length > ATTRIBUTE_MAPPING.expression) add(path, `has an expression of ${expression.length} characters; Google takes ${ATTRIBUTE_MAPPING.expression}`);
    const program = compileCel(expression, "attribute-mapping");
    if (typeof program === "string") add(path, program);
  }
  if (attributeCondition !== undefined && attributeCondition !== "") mistakes.push(...conditionMistakes(attributeCondition, mappingOf({ attributeMapping, aws })));
  return mistakes;
}

function conditionMistakes(condition: string, mapping: AttributeMapping): MappingMistake[] {
  const path = "attributeCondition";
  if (condition.length > ATTRIBUTE_CONDITION_LENGTH) return [{ path, message: `has ${condition.length} characters; Google takes ${ATTRIBUTE_CONDITION_LENGTH}` }];
  const program = compileCel(condition, "attribute-condition");
  if (typeof program === "string") return [{ path, message: program }];
  const unmapped = selectsOf(program.tree).filter((name) => /^(google|attribute)\./.test(name) && mapping[name.split(".").slice(0, 2).join(".")] === undefined);
  return unmapped.map((name) => ({ path, message: `names ${name}, which the mapping does not have` }));
}
