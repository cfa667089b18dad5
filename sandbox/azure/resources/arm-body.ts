/**
 * Between the bodies of Resource Manager and the properties of Pulumi's azure-native package: what a body has below
 * `properties` is flattened, some members have other names, and the identities of a resource are a list instead of a map.
 */
import type { Properties } from "../../types.js";
import { compact, isObject, object, pick, withoutPath } from "./values.js";

export interface Shape {
  /** Names of the inputs that the body carries. */
  inputs: readonly string[];
  /** The body's `properties` are one property of the same name, not flattened. */
  nested?: boolean;
  /** Names that differ, by the path of the property: `networkRuleSet.ipRules.iPAddressOrRange` is `value` there. Lists have no segment. */
  renamed?: Readonly<Record<string, string>>;
  /** Members below the body's `properties` that have `properties` of their own, flattened too. */
  flattened?: readonly string[];
  /** Paths within inputs that only answers have. */
  readOnly?: readonly string[];
}

/** Members of a body that stand beside its `properties`. https://learn.microsoft.com/azure/azure-resource-manager/templates/resource-declaration */
const ENVELOPE = ["etag", "extendedLocation", "identity", "kind", "location", "managedBy", "name", "properties", "sku", "systemData", "tags", "type"];

/** Within every identity. */
const READ_ONLY = ["identity.clientId", "identity.principalId", "identity.tenantId"];

export function toBody(shape: Shape, inputs: Properties): Properties {
  const given = compact(pick(inputs, shape.inputs));
  const beside = pick(given, ENVELOPE);
  const identity = object(beside.identity);
  if (Array.isArray(identity.userAssignedIdentities)) {
    beside.identity = { ...identity, userAssignedIdentities: Object.fromEntries(identity.userAssignedIdentities.map((id) => [String(id), {}])) };
  }
  if (shape.nested === true) return beside;
  const below = Object.fromEntries(Object.entries(given).filter(([key]) => !ENVELOPE.includes(key)));
  return { ...beside, properties: rename(below, new Map(Object.entries(shape.renamed ?? {}))) };
}

export function toOutputs(shape: Shape, body: Properties): Properties {
  const { properties, ...beside } = pick(body, ENVELOPE);
  if (shape.nested === true) return compact({ ...beside, properties });
  const below = object(rename(object(properties), namesOfAnswers(shape)));
  return { ...below, ...Object.fromEntries((shape.flattened ?? []).filter((name) => isObject(below[name])).map((name) => [name, flat(object(below[name]))])), ...compact(beside) };
}

const flat = ({ properties, ...beside }: Properties): Properties => ({ ...object(properties), ...beside });

/** What of the outputs could have been an input, in an input's form. */
export function toInputs(shape: Shape, outputs: Properties): Properties {
  const writable = [...READ_ONLY, ...(shape.readOnly ?? [])].reduce<unknown>((value, path) => withoutPath(value, path.split(".")), pick(outputs, shape.inputs));
  const inputs = object(writable);
  const identity = object(inputs.identity);
  if (!isObject(identity.userAssignedIdentities)) return inputs;
  return { ...inputs, identity: { ...identity, userAssignedIdentities: Object.keys(identity.userAssignedIdentities) } };
}

/** New name by the path of the old one. */
type Names = ReadonlyMap<string, string>;

function namesOfAnswers({ renamed = {} }: Shape): Names {
  const armPath = (path: string): string =>
    path
      .split(".")
      .map((key, index, keys) => renamed[keys.slice(0, index + 1).join(".")] ?? key)
      .join(".");
  return new Map(Object.keys(renamed).map((path) => [armPath(path), path.slice(path.lastIndexOf(".") + 1)]));
}

function rename(value: unknown, names: Names, path = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, names, path));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(compact(value)).map(([key, item]) => {
      const at = path === "" ? key : `${path}.${key}`;
      return [names.get(at) ?? key, rename(item, names, at)];
    }),
  );
}
