/** What both engines do with a resource of the table: look it up, check its inputs, compare them, foretell its outputs. */
import type { Properties, ProviderScope, ProviderTable, InvokeBehaviour, ResourceBehaviour } from "../sandbox/types.js";
import { hasUnknown, isObject, maskUnknown, sameValue } from "./properties.js";

/** `aws:iam/role:Role` and `pulumi:providers:aws` are both of the package `aws`. */
export function packageOf(type: string): string {
  const parts = type.split(":");
  return (type.startsWith("pulumi:providers:") ? parts[2] : parts[0]) ?? "";
}

export function tableFor(tables: readonly ProviderTable[], packageName: string): ProviderTable {
  const table = tables.find((candidate) => candidate.package === packageName);
  if (table) return table;
  const played = tables.map((candidate) => candidate.package).join(", ");
  throw new Error(`the sandbox does not play the package ${packageName}; it plays: ${played}`);
}

function lookUp<T>(token: string, played: ReadonlyMap<string, T>): T {
  const behaviour = played.get(token);
  if (behaviour) return behaviour;
  throw new Error(`the sandbox does not play ${token}; it plays: ${[...played.keys()].sort().join(", ")}`);
}

export function resourceBehaviour(tables: readonly ProviderTable[], type: string): ResourceBehaviour {
  return lookUp(type, tableFor(tables, packageOf(type)).resources);
}

export function invokeBehaviour(tables: readonly ProviderTable[], token: string): InvokeBehaviour {
  return lookUp(token, tableFor(tables, packageOf(token)).invokes);
}

/**
 * Runs the behaviour's check. A behaviour need not know of values that a preview does not know yet: what it says about
 * them is dropped, and they stay unknown.
 */
export function checkInputs(
  behaviour: ResourceBehaviour,
  inputs: Properties,
  scope: ProviderScope,
  logicalName: string,
  olds: Properties | undefined,
): { inputs: Properties; failures: string[] } {
  const checked = behaviour.check(inputs, scope, logicalName, olds);
  const unknown = Object.entries(inputs).filter(([, value]) => hasUnknown(value));
  const isUnknown = (property: string) => unknown.some(([key]) => key === property.split(/[.[]/)[0]);
  return {
    inputs: maskUnknown({ ...checked.inputs, ...Object.fromEntries(unknown) }),
    failures: checked.failures
      .filter(({ property }) => !isUnknown(property))
      .map(({ property, reason }) => oneLine(property === "" ? reason : `${property}: ${reason}`)),
  };
}

export interface InputChange {
  kind: "add" | "delete" | "update";
  replaces: boolean;
}

export interface InputChanges {
  changes: ReadonlyMap<string, InputChange>;
  replaces: boolean;
  deleteBeforeReplace: boolean;
}

/** Names that the sandbox made itself end in a hyphen and seven or eight hexadecimal digits, as the Pulumi providers' do. */
const generatedName = /-[0-9a-f]{7,8}$/;

export function compareInputs(
  behaviour: ResourceBehaviour,
  olds: Properties,
  news: Properties,
  ignored: readonly string[] = [],
): InputChanges {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter((key) => !ignored.includes(key)).sort();
  const changes = new Map<string, InputChange>();
  for (const key of keys) {
    if (sameValue(olds[key], news[key]) || (news[key] === undefined && isComputed(behaviour, key))) continue;
    const kind = olds[key] === undefined ? "add" : news[key] === undefined ? "delete" : "update";
    const replaces = behaviour.replaceOn.some((path) => path === key || (path.startsWith(`${key}.`) && !sameValue(valueAt(olds, path), valueAt(news, path))));
    changes.set(key, { kind, replaces });
  }
  const replaces = [...changes.values()].some((change) => change.replaces);
  const name = behaviour.physicalName === undefined ? undefined : valueAt(news, behaviour.physicalName);
  const nameTaken =
    behaviour.physicalName !== undefined &&
    typeof name === "string" &&
    name === valueAt(olds, behaviour.physicalName) &&
    !generatedName.test(name);
  return { changes, replaces, deleteBeforeReplace: replaces && (deletesFirst(behaviour, olds) || nameTaken) };
}

function deletesFirst({ deleteBeforeReplace = false }: ResourceBehaviour, olds: Properties): boolean {
  return typeof deleteBeforeReplace === "boolean" ? deleteBeforeReplace : deleteBeforeReplace(olds);
}

/** `metadata.name` is the member `name` of the property `metadata`. */
function valueAt(properties: Properties, path: string): unknown {
  return path.split(".").reduce<unknown>((value, part) => (isObject(value) ? value[part] : undefined), properties);
}

const isComputed = (behaviour: ResourceBehaviour, key: string): boolean => behaviour.computed?.includes(key) ?? false;

/** The inputs that were read back, without those that the cloud decided because the program did not. */
export function readInputs(behaviour: ResourceBehaviour, found: Properties, before: Properties): Properties {
  return Object.fromEntries(Object.entries(found).filter(([key]) => key in before || !isComputed(behaviour, key)));
}

/** Outputs that a preview knows: the inputs, what follows from them, and on an update what was there before. */
export function previewOutputs(
  behaviour: ResourceBehaviour,
  inputs: Properties,
  scope: ProviderScope,
  before: { outputs: Properties; inputs: Properties } = { outputs: {}, inputs: {} },
): Properties {
  const removed = Object.keys(before.inputs).filter((key) => !(key in inputs));
  const kept = Object.fromEntries(Object.entries(before.outputs).filter(([key]) => !removed.includes(key)));
  return maskUnknown({ ...kept, ...inputs, ...behaviour.preview?.(inputs, scope) });
}

export function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").trim();
}
