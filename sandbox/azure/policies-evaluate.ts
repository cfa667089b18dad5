/**
 * What a policy makes of a resource. Of conditions: allOf, anyOf, not, fields (name, type, kind, location, tags, aliases of properties) and values with
 * the operators below; of effects: deny, modify and append. Counts, other effects and definitions in sets are not played.
 * https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule
 */
import { ExpressionError, evaluateAll, type ExpressionFunctions } from "./arm-expressions.js";
import { PURE_FUNCTIONS } from "./arm-functions.js";
import { GROUP_TYPE } from "./arm-ids.js";
import { tagOf } from "./arm-tags.js";
import type { PolicyAssignmentProperties, PolicyDefinitionProperties } from "./policies-model.js";
import type { ArmResource } from "./service.js";

/** Effects, in the order in which they take place. */
export type PolicyEffect = { kind: "change"; resource: ArmResource } | { kind: "deny" } | undefined;

export interface PolicyQuestion {
  resource: ArmResource;
  /** The group that it is in. */
  group: ArmResource | undefined;
  assignment: PolicyAssignmentProperties;
  definition: PolicyDefinitionProperties;
}

export function evaluatePolicy(question: PolicyQuestion): PolicyEffect {
  const { resource, definition } = question;
  if (definition.mode.toLowerCase() === "indexed" && (resource.location === undefined || resource.type === GROUP_TYPE)) return undefined;
  const functions = functionsOf(question);
  const holds = (condition: unknown): boolean => test(condition, resource, functions);
  if (!holds(definition.policyRule.if)) return undefined;
  const { effect, details } = evaluateAll(definition.policyRule.then, functions) as { effect?: unknown; details?: unknown };
  switch (String(effect).toLowerCase()) {
    case "deny":
      return { kind: "deny" };
    case "modify":
      return { kind: "change", resource: operationsIn((details as { operations?: unknown } | undefined)?.operations).reduce(change, resource) };
    case "append":
      return { kind: "change", resource: operationsIn(details).map((each) => ({ ...each, operation: "addOrReplace" })).reduce(change, resource) };
    default:
      return undefined;
  }
}

function functionsOf({ resource, group, assignment, definition }: PolicyQuestion): ExpressionFunctions {
  return {
    ...PURE_FUNCTIONS,
    parameters: (name) => {
      const given = assignment.parameters[String(name)];
      const declared = definition.parameters[String(name)];
      if (given) return given.value;
      if (declared?.defaultValue !== undefined) return declared.defaultValue;
      throw new ExpressionError(`The policy assignment has no value for the parameter '${String(name)}'.`);
    },
    field: (name) => fieldOf(resource, String(name)),
    resourcegroup: () => ({ name: group?.name, location: group?.location, tags: withMissing(group?.tags, assignment) }),
  };
}

/** A tag that is not there is an empty text to a policy: the names that the assignment asks for are always there. */
function withMissing(tags: Record<string, string> = {}, { parameters }: PolicyAssignmentProperties): object {
  const asked = Object.values(parameters).flatMap(({ value }) => (typeof value === "string" ? [[value, tagOf(tags, value) ?? ""]] : []));
  return Object.fromEntries([...Object.entries(tags), ...asked]) as object;
}

const OPERATORS: Readonly<Record<string, (found: unknown, wanted: unknown) => boolean>> = {
  equals: (found, wanted) => text(found) === text(wanted),
  notequals: (found, wanted) => text(found) !== text(wanted),
  in: (found, wanted) => list(wanted).some((each) => text(each) === text(found)),
  notin: (found, wanted) => !list(wanted).some((each) => text(each) === text(found)),
  like: (found, wanted) => like(found, wanted),
  notlike: (found, wanted) => !like(found, wanted),
  contains: (found, wanted) => (Array.isArray(found) ? list(found).some((each) => text(each) === text(wanted)) : text(found).includes(text(wanted))),
  notcontains: (found, wanted) => !text(found).includes(text(wanted)),
  exists: (found, wanted) => (found !== undefined && found !== null) === (text(wanted) === "true"),
};

const text = (value: unknown): string => (value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : `${value as string | number | boolean}`).toLowerCase();
const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);

function like(found: unknown, wanted: unknown): boolean {
  const [before = "", after] = text(wanted).split("*");
  return after === undefined ? text(found) === before : text(found).startsWith(before) && text(found).endsWith(after) && text(found).length >= before.length + after.length;
}

function test(condition: unknown, resource: ArmResource, functions: ExpressionFunctions): boolean {
  if (typeof condition !== "object" || condition === null) return false;
  const { allOf, anyOf, not, field, value, ...rest } = condition as Record<string, unknown>;
  if (Array.isArray(allOf)) return allOf.every((each) => test(each, resource, functions));
  if (Array.isArray(anyOf)) return anyOf.some((each) => test(each, resource, functions));
  if (not !== undefined) return !test(not, resource, functions);
  const found = field === undefined ? evaluateAll(value, functions) : fieldOf(resource, String(evaluateAll(field, functions)));
  return Object.entries(rest).every(([name, wanted]) => {
    const operator = OPERATORS[name.toLowerCase()];
    if (!operator) throw new ExpressionError(`The policy condition '${name}' is not played by the sandbox.`);
    return operator(found, evaluateAll(wanted, functions));
  });
}

/** Groups are of another type to policies than to lists. */
const typeOf = ({ type }: ArmResource): string => (type === GROUP_TYPE ? "Microsoft.Resources/subscriptions/resourceGroups" : type);
const TAG_FIELD = /^tags(?:\[\s*'?([^\]']+)'?\s*\]|\.(.+))$/i;

function fieldOf(resource: ArmResource, field: string): unknown {
  const [, bracketed, dotted] = TAG_FIELD.exec(field) ?? [];
  const tag = bracketed ?? dotted;
  if (tag !== undefined) return tagOf(resource.tags, tag);
  switch (field.toLowerCase()) {
    case "name":
    case "fullname":
      return resource.name;
    case "type":
      return typeOf(resource);
    case "id":
      return resource.id;
    case "kind":
      return resource.kind;
    case "location":
      return resource.location;
    case "tags":
      return resource.tags;
    default:
      return pathOf(resource, field).reduce<unknown>((value, name) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined), memberHolder(resource, field));
  }
}

/** An alias: the type, then the path below `properties` (or `sku`). Of another type's resource it is nothing. */
function pathOf({ type }: ArmResource, field: string): string[] {
  const prefix = `${type.toLowerCase()}/`;
  return field.toLowerCase().startsWith(prefix) ? field.slice(prefix.length).replace("[*]", "").split(/[./]/) : ["\0"];
}

const memberHolder = ({ properties, sku, identity }: ArmResource, field: string): Record<string, unknown> => (/\/(?:sku|identity)\.[^/]+$/i.test(field) ? { sku, identity } : properties);

interface Operation {
  operation: string;
  field: string;
  value: unknown;
}

function operationsIn(value: unknown): Operation[] {
  const entries: unknown[] = Array.isArray(value) ? value : [];
  return entries.flatMap((entry) => {
    const { operation = "addOrReplace", field, value: wanted } = (entry ?? {}) as Partial<Operation>;
    return field === undefined ? [] : [{ operation, field, value: wanted }];
  });
}

function change(resource: ArmResource, { operation, field, value }: Operation): ArmResource {
  const before = fieldOf(resource, field);
  if (operation.toLowerCase() === "add" && before !== undefined) return resource;
  const [, bracketed, dotted] = TAG_FIELD.exec(field) ?? [];
  const tag = bracketed ?? dotted;
  const removes = operation.toLowerCase() === "remove";
  if (tag !== undefined) {
    const others = Object.entries(resource.tags ?? {}).filter(([name]) => name.toLowerCase() !== tag.toLowerCase());
    return { ...resource, tags: Object.fromEntries(removes ? others : [...others, [tag, String(value)]]) };
  }
  const [name, ...deeper] = pathOf(resource, field);
  if (name === undefined || name === "\0" || deeper.length > 0) return resource;
  const { [name]: _, ...properties } = resource.properties;
  return { ...resource, properties: removes ? properties : { ...properties, [name]: value } };
}
