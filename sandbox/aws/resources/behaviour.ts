/** Makes a resource type's behaviour from what is particular to it. */
import { randomBytes } from "node:crypto";

import { PartialFailureError, type CheckFailure, type Properties, type ResourceBehaviour } from "../../types.js";
import type { AwsCloud, AwsScope } from "../types.js";
import { Api } from "./api.js";
import { compact, object, text } from "./values.js";

/** What a provider reads back. */
export interface State {
  /** Every output but `id` and `region`. */
  outputs: Properties;
  /** Inputs whose form is not that of the output of the same name. */
  inputs?: Properties;
}

/** A resource as it is being worked on: its provider's services, and the region that it is in. */
export interface Context {
  api: Api;
  region: string;
}

export interface Definition {
  type: string;
  /** Names of all inputs, without `region`. */
  inputs: readonly string[];
  required?: readonly string[];
  /** Constant values of inputs that the program leaves out. */
  defaults?: Properties;
  /** IAM is global; the types of all other services have an input `region`. */
  global?: boolean;
  replaceOn: readonly string[];
  /** The input for the physical name; made of the logical one where the program gives none. */
  name?: { property: string; prefixProperty: string; maxLength: number; lowerCase?: boolean; begin?: string };
  computed?: readonly string[];
  /** Inputs that only the provider knows, no service: read back as they were. */
  local?: readonly string[];
  /** Inputs that hold a JSON document: objects become texts, anything else that is no JSON is refused. */
  documents?: readonly string[];
  /** Inputs that exist in the package but are not played, with the type to use instead. */
  notPlayed?: Readonly<Record<string, string>>;
  /** Brings inputs into the form in which they are read back. */
  normalise?(inputs: Properties): Properties;
  known?(inputs: Properties, context: Context): Properties;
  /** Answers the id. */
  create(inputs: Properties, context: Context): Promise<string>;
  /** What follows once the resource exists; a failure here leaves it in the state. */
  complete?(id: string, inputs: Properties, context: Context): Promise<void>;
  read(id: string, context: Context, olds: Properties): Promise<State | undefined>;
  update?(id: string, olds: Properties, news: Properties, context: Context): Promise<void>;
  delete(id: string, outputs: Properties, context: Context): Promise<void>;
}

export function behaviour(cloud: AwsCloud, definition: Definition): ResourceBehaviour<AwsScope> {
  const { type, name, local = [], defaults = {}, computed = [] } = definition;
  const inputNames = [...definition.inputs, ...(definition.global === true ? [] : ["region"])];
  const context = (scope: AwsScope, properties: Properties): Context => ({
    api: new Api(cloud, scope),
    region: definition.global === true ? scope.region : (text(properties.region) ?? scope.region),
  });
  const place = ({ region }: Context): Properties => (definition.global === true ? {} : { region });

  async function found(id: string, at: Context, olds: Properties): Promise<{ inputs: Properties; outputs: Properties } | undefined> {
    const state = await definition.read(id, at, olds);
    if (!state) return undefined;
    const own = Object.fromEntries(local.map((key) => [key, olds[key] ?? defaults[key]]));
    const outputs = compact({ ...state.outputs, ...compact(own), ...place(at), id });
    const inputs = compact({ ...outputs, ...state.inputs });
    return { outputs, inputs: Object.fromEntries(inputNames.filter((key) => key in inputs).map((key) => [key, inputs[key]])) };
  }

  async function outputsOf(id: string, at: Context, inputs: Properties): Promise<Properties> {
    const state = await found(id, at, inputs);
    if (!state) throw new Error(`reading ${type} (${id}): couldn't find resource`);
    return state.outputs;
  }

  return {
    type,
    replaceOn: [...definition.replaceOn, ...(definition.global === true ? [] : ["region"])],
    computed,
    ...(name && { physicalName: name.property }),

    check(given, scope, logicalName, olds) {
      const failures: CheckFailure[] = [];
      let inputs = compact({ ...defaults, ...given });
      for (const key of definition.required ?? []) {
        if (inputs[key] === undefined) failures.push({ property: key, reason: `Missing required argument. The argument "${key}" is required, but no definition was found.` });
      }
      for (const [key, instead] of Object.entries(definition.notPlayed ?? {})) {
        if (key in inputs) failures.push({ property: key, reason: `the sandbox does not play this input of ${type}; use ${instead}` });
      }
      for (const key of definition.documents ?? []) {
        const document = documentText(inputs[key]);
        if (document instanceof Error) failures.push({ property: key, reason: document.message });
        else if (document !== undefined) inputs = { ...inputs, [key]: document };
      }
      if (name && inputs[name.property] === undefined) inputs = { ...inputs, [name.property]: physicalName(name, inputs, logicalName, olds) };
      if (failures.length > 0) return { inputs, failures };
      return { inputs: { ...(definition.normalise?.(inputs) ?? inputs), ...place(context(scope, inputs)) }, failures };
    },

    preview: (inputs, scope) => ({ ...definition.known?.(inputs, context(scope, inputs)) }),

    async create(inputs, scope) {
      const at = context(scope, inputs);
      const id = await definition.create(inputs, at);
      try {
        await definition.complete?.(id, inputs, at);
        return { id, outputs: await outputsOf(id, at, inputs) };
      } catch (error) {
        throw new PartialFailureError(error instanceof Error ? error.message : String(error), id, { ...inputs, id });
      }
    },

    async read(id, scope, olds = {}) {
      const state = await found(id, context(scope, olds), olds);
      return state && { id, ...state };
    },

    async update(id, olds, news, scope) {
      const at = context(scope, news);
      await definition.update?.(id, olds, news, at);
      return outputsOf(id, at, news);
    },

    async delete(id, outputs, scope) {
      await definition.delete(id, outputs, context(scope, outputs));
    },
  };
}

/** Pulumi's policy document type may be given where the API takes a text. */
function documentText(value: unknown): string | undefined | Error {
  if (value === undefined) return undefined;
  if (typeof value !== "string") return JSON.stringify(object(value));
  try {
    JSON.parse(value);
    return value;
  } catch {
    return new Error("contains an invalid JSON policy");
  }
}

/** As Pulumi's providers name things: the logical name, a hyphen and seven hexadecimal digits. */
function physicalName(rule: NonNullable<Definition["name"]>, inputs: Properties, logicalName: string, olds: Properties | undefined): string {
  const before = text(olds?.[rule.property]);
  if (before !== undefined && /-[0-9a-f]{7}$/.test(before)) return before;
  const suffix = randomBytes(4).toString("hex").slice(0, 7);
  const prefix = text(inputs[rule.prefixProperty]) ?? `${rule.begin ?? ""}${rule.lowerCase === true ? logicalName.toLowerCase() : logicalName}-`;
  return prefix.slice(0, rule.maxLength - suffix.length) + suffix;
}
