/** Makes a resource type of Pulumi's azuread package of its description: where Graph has the object, and which of its members are which properties. */
import { PartialFailureError, type CheckFailure, type Properties, type ResourceBehaviour } from "../../types.js";
import type { AzureCloud, AzureScope } from "../types.js";
import { during, GraphApi } from "./graph-api.js";
import { compact, inOrderOf, memberAt, withMember } from "./values.js";
import { oneAtATime } from "./serial.js";

export interface GraphDefinition {
  /** Such as `azuread:index/application:Application`. */
  type: string;
  /** Paths of Graph's members by input: `marketingUrl` is `info.marketingUrl`. */
  inputs: Readonly<Record<string, string>>;
  /** The same of what is only answered. */
  answered: Readonly<Record<string, string>>;
  /** Outputs where Graph answers nothing. */
  fallbacks?: Properties;
  required: readonly string[];
  /** Inputs that are sets: their order means nothing. */
  sets?: readonly string[];
  /** Values of inputs that the program leaves out. Any other boolean that is false is as good as none. */
  defaults?: Properties;
  /** Inputs that Graph takes at creation only, or that identify the object. */
  replaceOn: readonly string[];
  /** Inputs that only the provider knows, read back as they were. */
  local?: readonly string[];
  /** Inputs of the package that are not played. */
  notPlayed?: readonly string[];
  /** As messages name it: `application`. */
  noun: string;
  validate?(inputs: Properties): CheckFailure[];
  /** Where it is made: `/applications`. */
  collection: (inputs: Properties) => string;
  /** Before it is made: refuses, or answers the path of what is to be taken over. */
  before?(inputs: Properties, api: GraphApi): Promise<string | undefined>;
  /** Such as `/applications/OBJECT_ID`. */
  idForm: string;
  /** The id by which the provider names it, from Graph's path, and back; undefined for the id of something else. */
  id(path: string): string;
  path(id: string): string | undefined;
  /** Inputs and outputs that the path has. */
  located?(path: string): Properties;
  /** What is written one at a time: objects with the same key. */
  lock?(path: string): string;
}

export function graphBehaviour(cloud: AzureCloud, definition: GraphDefinition): ResourceBehaviour<AzureScope> {
  const { type, noun, defaults = {}, local = [] } = definition;
  const withoutFalse = (inputs: Properties): Properties => Object.fromEntries(Object.entries(inputs).filter(([name, value]) => value !== false || name in defaults));
  const pathOf = (id: string): string => {
    const path = definition.path(id);
    if (path === undefined) throw new Error(`"${id}" is no id of ${type}: it has the form ${definition.idForm}`);
    return path;
  };
  const serially = <T>(path: string, work: () => Promise<T>): Promise<T> => (definition.lock ? oneAtATime(definition.lock(path), work) : work());

  async function settled(api: GraphApi, path: string, olds: Properties): Promise<Properties> {
    const answer = await during(`Retrieving ${noun} ${path}`, api.find(path));
    if (!answer) throw new Error(`Retrieving ${noun} ${path}: it is gone`);
    return graphOutputs(definition, path, answer, olds);
  }

  /** What of the inputs Graph is told; on an update everything, so that what the program no longer says is cleared. */
  function bodyOf(inputs: Properties, olds?: Properties): Properties {
    let body: Properties = {};
    for (const [name, at] of Object.entries(definition.inputs)) {
      if (olds && definition.replaceOn.includes(name)) continue;
      const value = inputs[name];
      if (value === undefined && (!olds || olds[name] === undefined)) continue;
      body = withMember(body, at, value ?? empty(olds?.[name]));
    }
    return body;
  }

  return {
    type,
    replaceOn: definition.replaceOn,

    check(given) {
      const inputs = withoutFalse({ ...defaults, ...compact(given) });
      const failures: CheckFailure[] = [
        ...definition.required.filter((name) => inputs[name] === undefined).map((name) => ({ property: name, reason: `Missing required argument. The argument "${name}" is required, but no definition was found.` })),
        ...(definition.notPlayed ?? []).filter((name) => name in inputs).map((name) => ({ property: name, reason: `the sandbox does not play this input of ${type}; leave it out of what is tried there` })),
        ...(definition.validate?.(inputs) ?? []),
      ];
      return { inputs, failures };
    },

    async create(inputs, scope) {
      const api = new GraphApi(cloud, scope);
      const existing = await definition.before?.(inputs, api);
      const collection = definition.collection(inputs);
      const path = await serially(collection, async () => {
        if (existing === undefined) return `${collection}/${String((await during(`Could not create ${noun}`, api.call("POST", collection, bodyOf(inputs)))).id)}`;
        await during(`Could not update ${noun} ${existing}`, api.call("PATCH", existing, bodyOf(inputs, {})));
        return existing;
      });
      const id = definition.id(path);
      try {
        return { id, outputs: await settled(api, path, inputs) };
      } catch (error) {
        throw new PartialFailureError(error instanceof Error ? error.message : String(error), id, { ...inputs, id });
      }
    },

    async read(id, scope, olds = {}) {
      const path = pathOf(id);
      const answer = await during(`Retrieving ${noun} ${path}`, new GraphApi(cloud, scope).find(path));
      if (!answer) return undefined;
      const outputs = graphOutputs(definition, path, answer, olds);
      const names = [...Object.keys(definition.inputs), ...Object.keys(definition.located?.(path) ?? {}), ...local].filter((name) => !(name in definition.answered));
      const inputs = withoutFalse(Object.fromEntries(names.filter((name) => !isEmpty(outputs[name])).map((name) => [name, outputs[name]])));
      return { id: definition.id(path), inputs, outputs };
    },

    async update(id, olds, news, scope) {
      const api = new GraphApi(cloud, scope);
      const path = pathOf(id);
      await serially(path, () => during(`Could not update ${noun} ${path}`, api.call("PATCH", path, bodyOf(news, olds))));
      return settled(api, path, news);
    },

    async delete(id, _outputs, scope) {
      const api = new GraphApi(cloud, scope);
      const path = pathOf(id);
      await serially(path, async () => {
        if (await during(`Retrieving ${noun} ${path}`, api.find(path))) await during(`Deleting ${noun} ${path}`, api.call("DELETE", path));
      });
    },
  };
}

/** The provider's view of what Graph answers; `olds` give sets their order, and what only the provider knows. */
export function graphOutputs(definition: GraphDefinition, path: string, answer: Properties, olds: Properties = {}): Properties {
  const { inputs, answered, fallbacks, sets = [], local = [] } = definition;
  const members = Object.entries({ ...inputs, ...answered }).map(([name, at]): [string, unknown] => {
    const value = memberAt(answer, at);
    return [name, sets.includes(name) && Array.isArray(value) ? inOrderOf(value, olds[name]) : value];
  });
  const kept = Object.fromEntries(local.map((name) => [name, olds[name] ?? false]));
  return { ...fallbacks, ...compact(Object.fromEntries(members)), ...definition.located?.(path), ...kept, id: definition.id(path) };
}

/** What clears a member of this kind. */
function empty(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return typeof value === "boolean" ? false : null;
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
