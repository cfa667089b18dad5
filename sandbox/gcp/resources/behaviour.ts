/** Makes a resource type's behaviour from what is particular to it. */
import { randomBytes } from "node:crypto";

import { PartialFailureError, type CheckFailure, type Properties, type ResourceBehaviour } from "../../types.js";
import type { GcpCloud, GcpScope } from "../types.js";
import { Api } from "./api.js";
import { compact, labelsOf, pick, text, type Labels } from "./values.js";

/** What a provider reads back. */
export interface State {
  /** The id that the resource has, where an import may have named it in another way. */
  id?: string;
  /** Every output but `id` and those that the provider keeps itself. */
  outputs: Properties;
  /** Inputs whose form is not that of the output of the same name. */
  inputs?: Properties;
}

/** A resource as it is being worked on: its provider's services, and where it is. */
export interface Context {
  api: Api;
  /** Project id: the resource's own, the provider's otherwise. */
  project: string;
  /** The resource's own, the provider's otherwise; empty where neither says. */
  region: string;
}

/** Inputs that a provider's configuration gives where the program does not. */
export type Place = "project" | "region" | "location" | "zone";

export interface Definition {
  type: string;
  /** Names of all inputs, those of `places` and `labels` included. */
  inputs: readonly string[];
  required?: readonly string[];
  /** Constant values of inputs that the program leaves out. */
  defaults?: Properties;
  /** Which inputs the provider's configuration gives; default: `project` if it is an input. A change replaces the resource. */
  places?: readonly Place[];
  replaceOn: readonly string[];
  deleteBeforeReplace?: boolean;
  /** The input for the physical name; made of the logical one where the program gives none. */
  name?: { property: string; maxLength: number; lowerCase?: boolean };
  computed?: readonly string[];
  /** Boolean inputs that are false where they are left out: to say so is the same as to say nothing. */
  flags?: readonly string[];
  /** Inputs that only the provider knows, no service: read back as they were. `deletionPolicy` is one without being named here. */
  local?: readonly string[];
  /** Inputs that exist in the package but are not played, with the way out. */
  notPlayed?: Readonly<Record<string, string>>;
  /** The resource has labels: `labels` is an input, and `read` answers them all in `effectiveLabels`. */
  labels?: boolean;
  /** The provider's name of the resource in messages, such as `WorkloadIdentityPool`. */
  noun?: string;
  /** What the provider refuses before it calls the service. */
  validate?(inputs: Properties): CheckFailure[];
  /** Brings inputs into the form in which they are read back. */
  normalise?(inputs: Properties): Properties;
  known?(inputs: Properties, context: Context): Properties;
  /** Answers the id. */
  create(inputs: Properties, context: Context): Promise<string>;
  /** What follows once the resource exists; a failure here leaves it in the state. */
  complete?(id: string, inputs: Properties, context: Context): Promise<void>;
  /** `olds` are what the program last wrote or was read; empty for an import. */
  read(id: string, context: Context, olds: Properties): Promise<State | undefined>;
  update?(id: string, olds: Properties, news: Properties, context: Context): Promise<void>;
  delete(id: string, outputs: Properties, context: Context): Promise<void>;
}

export function behaviour(cloud: GcpCloud, definition: Definition): ResourceBehaviour<GcpScope> {
  const { type, name, defaults = {}, computed = [], flags = [], places = definition.inputs.includes("project") ? ["project"] : [] } = definition;
  const local = [...(definition.local ?? []), ...(definition.inputs.includes("deletionPolicy") ? ["deletionPolicy"] : [])];
  const context = (scope: GcpScope, properties: Properties): Context => ({
    api: new Api(cloud, scope),
    project: projectId(text(properties.project) ?? scope.project),
    region: text(properties.region) ?? text(properties.location) ?? scope.region ?? "",
  });
  const placed = (scope: GcpScope, properties: Properties): Properties => {
    const given: Readonly<Record<Place, string | undefined>> = { project: scope.project, region: scope.region, location: scope.region, zone: scope.zone };
    return compact(Object.fromEntries(places.map((place) => [place, properties[place] ?? given[place]])));
  };
  const withoutFalse = (inputs: Properties): Properties => Object.fromEntries(Object.entries(inputs).filter(([key, value]) => value !== false || !flags.includes(key)));
  /** What the resource is labelled with: the program's labels over the provider's. */
  const labelled = (scope: GcpScope, properties: Properties): Properties =>
    definition.labels === true ? { effectiveLabels: { ...scope.defaultLabels, ...labelsOf(properties.labels) } } : {};

  async function found(id: string, scope: GcpScope, olds: Properties): Promise<{ id: string; inputs: Properties; outputs: Properties } | undefined> {
    const state = await definition.read(id, context(scope, olds), olds);
    if (!state) return undefined;
    const own = compact(Object.fromEntries(local.map((key) => [key, olds[key] ?? defaults[key] ?? fallback[key]])));
    const labels = definition.labels === true ? labelOutputs(labelsOf(state.outputs.effectiveLabels), olds, scope) : {};
    const outputs = compact({ ...placed(scope, olds), ...state.outputs, ...labels, ...own, id: state.id ?? id });
    return { id: state.id ?? id, outputs, inputs: withoutFalse(pick(compact({ ...outputs, ...state.inputs }), definition.inputs)) };
  }

  async function outputsOf(id: string, scope: GcpScope, inputs: Properties): Promise<Properties> {
    const state = await found(id, scope, inputs);
    if (!state) throw new Error(`reading ${type} (${id}): it is gone`);
    return state.outputs;
  }

  return {
    type,
    replaceOn: [...new Set([...definition.replaceOn, ...places])],
    computed,
    ...(definition.deleteBeforeReplace === true && { deleteBeforeReplace: true }),
    ...(name && { physicalName: name.property }),

    check(given, scope, logicalName, olds) {
      const failures: CheckFailure[] = [];
      let inputs = withoutFalse(compact({ ...defaults, ...(local.includes("deletionPolicy") && { deletionPolicy: "DELETE" }), ...given }));
      for (const [key, instead] of Object.entries(definition.notPlayed ?? {})) {
        if (key in inputs) failures.push({ property: key, reason: `the sandbox does not play this input of ${type}; ${instead}` });
      }
      if (name && inputs[name.property] === undefined) inputs = { ...inputs, [name.property]: physicalName(name, logicalName, olds) };
      inputs = { ...inputs, ...placed(scope, inputs) };
      for (const key of definition.required ?? []) {
        if (inputs[key] !== undefined) continue;
        const place = places.find((each) => each === key);
        const reason = place
          ? `Cannot determine ${place}: set in this resource, or set provider-level '${place === "location" ? "region" : place}'.`
          : `Missing required argument. The argument "${key}" is required, but no definition was found.`;
        failures.push({ property: key, reason });
      }
      failures.push(...(definition.validate?.(inputs) ?? []));
      return failures.length > 0 ? { inputs, failures } : { inputs: definition.normalise?.(inputs) ?? inputs, failures };
    },

    preview: (inputs, scope) => ({ ...Object.fromEntries(flags.map((flag) => [flag, inputs[flag] ?? false])), ...labelled(scope, inputs), ...definition.known?.(inputs, context(scope, inputs)) }),

    async create(inputs, scope) {
      const at = context(scope, inputs);
      const given = { ...inputs, ...labelled(scope, inputs) };
      const id = await definition.create(given, at);
      try {
        await definition.complete?.(id, given, at);
        return { id, outputs: await outputsOf(id, scope, inputs) };
      } catch (error) {
        throw new PartialFailureError(error instanceof Error ? error.message : String(error), id, { ...inputs, id });
      }
    },

    read: (id, scope, olds = {}) => found(id, scope, olds),

    async update(id, olds, news, scope) {
      await definition.update?.(id, olds, { ...news, ...labelled(scope, news) }, context(scope, news));
      return outputsOf(id, scope, news);
    },

    async delete(id, outputs, scope) {
      if (outputs.deletionPolicy === "ABANDON") return;
      if (outputs.deletionPolicy === "PREVENT") {
        throw new Error(`cannot destroy ${definition.noun ?? type} without setting deletion_policy="DELETE" and running \`terraform apply\``);
      }
      await definition.delete(id, outputs, context(scope, outputs));
    },
  };
}

const fallback: Properties = { deletionPolicy: "DELETE" };

/** `projects/id` is taken for `id` wherever a project is named. */
function projectId(project: string): string {
  return project.replace(/^projects\//, "");
}

/**
 * The package's three views of labels: `labels` as the program writes them, `pulumiLabels` with the provider's default labels,
 * `effectiveLabels` with everybody's. https://www.pulumi.com/registry/packages/gcp/how-to-guides/gcp-labels/
 */
function labelOutputs(effectiveLabels: Labels, olds: Properties, scope: GcpScope): Properties {
  const imported = olds.labels === undefined && olds.effectiveLabels === undefined && Object.keys(olds).length === 0;
  const ours = Object.keys(scope.defaultLabels ?? {});
  const own = Object.keys(labelsOf(olds.labels));
  const kept = (names: readonly string[]): Labels => Object.fromEntries(Object.entries(effectiveLabels).filter(([key]) => names.includes(key)));
  const labels = imported ? kept(Object.keys(effectiveLabels).filter((key) => !ours.includes(key))) : kept(own);
  return {
    effectiveLabels,
    pulumiLabels: kept([...ours, ...Object.keys(labels)]),
    ...((imported || olds.labels !== undefined) && { labels }),
  };
}

/** As Pulumi's providers name things: the logical name, a hyphen and seven hexadecimal digits. */
function physicalName(rule: NonNullable<Definition["name"]>, logicalName: string, olds: Properties | undefined): string {
  const before = text(olds?.[rule.property]);
  if (before !== undefined && /-[0-9a-f]{7}$/.test(before)) return before;
  const suffix = `-${randomBytes(4).toString("hex").slice(0, 7)}`;
  const begin = rule.lowerCase === true ? logicalName.toLowerCase() : logicalName;
  return begin.slice(0, rule.maxLength - suffix.length) + suffix;
}
