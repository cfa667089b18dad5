/**
 * Makes a resource type of Pulumi's azure-native package of its description: a path, an API version, the inputs of its
 * body. Every type is created and changed by a `PUT` of the whole body and read by a `GET`.
 * https://www.pulumi.com/registry/packages/azure-native/
 */
import { randomBytes, randomUUID } from "node:crypto";

import { PartialFailureError, UNKNOWN_VALUE, type CheckFailure, type Properties, type ResourceBehaviour } from "../../types.js";
import type { AzureCloud, AzureScope } from "../types.js";
import { Api, CallError } from "./api.js";
import { toBody, toInputs, toOutputs, type Shape } from "./arm-body.js";
import { parametersOf, pathOf, readPath } from "./arm-paths.js";
import { changedInputs } from "./drift.js";
import { oneAtATime } from "./serial.js";
import { normalisedLocation, object, text, withoutEmpty } from "./values.js";

/** Constraint of a path's parameter in the API's specification, which the provider checks. */
export interface ParameterRule {
  minLength?: number;
  maxLength?: number;
  pattern?: RegExp;
}

export interface ArmDefinition extends Shape {
  /** Such as `azure-native:storage:StorageAccount`. */
  type: string;
  path: string;
  /** The default one of the package's version. */
  apiVersion: string;
  required?: readonly string[];
  /** Where the last parameter of the path has no value: the logical name with eight random hexadecimal digits, the logical name, a random UUID. */
  autoName?: "random" | "copy" | "uuid";
  rules?: Readonly<Record<string, ParameterRule>>;
  /** Inputs whose change replaces the resource, besides the parameters of its path. */
  replaceOn?: readonly string[];
  /** What an update writes for inputs that the program no longer gives, where the service takes a missing one for no change. */
  restored?: Properties;
  /** The location is the provider's, then the resource group's, where the program gives none. Default: for every type with a location. */
  ownLocation?: boolean;
  /** Exists with its parent: is never made, only written. Deleted by writing this body. */
  singleton?: Properties;
  /** Whether it may exist already: it always does, or where it is as the service makes it by itself. */
  adopts?: true | ((outputs: Properties) => boolean);
  /** Default: a `GET` of the id. Answers the body; undefined when it is gone. */
  read?: (api: Api, id: string) => Promise<Properties | undefined>;
  /** Default: a `PUT` of the body. */
  write?(api: Api, id: string, inputs: Properties): Promise<Properties>;
  /** Default: a `DELETE` of the id. */
  remove?(api: Api, id: string, inputs: Properties): Promise<unknown>;
  /** What is written and deleted one at a time: resources with the same key. */
  lock?(inputs: Properties): string | undefined;
}

/** Marks a name that was made up: a replacement may exist beside it. The provider's own mark. */
const CREATE_BEFORE_DELETE = "__createBeforeDelete";
/** Inputs beside the outputs, which later reads compare with. Engines hide what begins so. */
const INPUTS = "__inputs";
const GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}";
const GROUP_API = "2024-03-01";

export function armBehaviour(cloud: AzureCloud, definition: ArmDefinition): ResourceBehaviour<AzureScope> {
  const { type, path, apiVersion, autoName, required = [], singleton } = definition;
  const parameters = parametersOf(path);
  const nameParameter = parameters.at(-1) ?? "";
  const located = definition.inputs.includes("location") && definition.ownLocation !== true;
  const readBody = definition.read ?? ((api: Api, id: string) => api.find("GET", id, apiVersion));
  const outputsOf = (body: Properties): Properties => ({ ...toOutputs(definition, body), azureApiVersion: apiVersion });
  const stateOf = (outputs: Properties, inputs: Properties): Properties => ({ ...outputs, [INPUTS]: inputs });

  const serially = <T>(inputs: Properties, work: () => Promise<T>): Promise<T> => {
    const key = definition.lock?.(inputs);
    return key === undefined ? work() : oneAtATime(key, work);
  };

  /** Throws where there is something already that the program did not make. */
  async function assertAbsent(api: Api, id: string): Promise<void> {
    if (singleton || definition.adopts === true) return;
    let found: Properties | undefined;
    try {
      found = await readBody(api, id);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const { status, code, reason } = error;
      throw new Error(`cannot check existence of resource '${id}': status code ${status}, ${JSON.stringify({ error: { code, message: reason } })}`);
    }
    if (!found) return;
    if (!definition.adopts) throw new Error(`cannot create already existing resource '${id}'`);
    if (!definition.adopts(outputsOf(found))) throw new Error(`cannot create already existing subresource '${id}'`);
  }

  async function write(api: Api, id: string, inputs: Properties, location: unknown): Promise<Properties | undefined> {
    const given = located && inputs.location === undefined && location !== undefined ? { ...inputs, location } : inputs;
    const put = () => (definition.write ? definition.write(api, id, given) : api.call<Properties | undefined>("PUT", id, apiVersion, toBody(definition, given)));
    return serially(given, put);
  }

  /** As it is read, because that is what refreshes compare with; as it was written where the caller may not read. */
  async function settled(api: Api, id: string, written: Properties | undefined): Promise<Properties> {
    const found = await readBody(api, id).catch(() => undefined);
    return outputsOf(found ?? object(written));
  }

  const defaultLocation = async (api: Api, inputs: Properties): Promise<unknown> => {
    if (!located || inputs.location !== undefined || !path.startsWith(`${GROUP}/`)) return undefined;
    return (await api.find("GET", pathOf(GROUP, inputs, api.scope.subscriptionId), GROUP_API).catch(() => undefined))?.location;
  };

  return {
    type,
    replaceOn: [...new Set([...parameters, ...(definition.replaceOn ?? [])])],
    deleteBeforeReplace: (olds) => olds[CREATE_BEFORE_DELETE] !== true,

    check(given, scope, logicalName, olds = {}) {
      const inputs: Properties = { ...given };
      if (inputs[nameParameter] === undefined && autoName) {
        inputs[nameParameter] = olds[nameParameter] ?? madeName(autoName, logicalName);
        if (olds[nameParameter] === undefined ? autoName !== "copy" : olds[CREATE_BEFORE_DELETE] === true) inputs[CREATE_BEFORE_DELETE] = true;
      }
      if (located) inputs.location ??= olds.location ?? scope.location;
      if (text(inputs.location) !== undefined && text(olds.location) !== undefined && sameLocation(inputs.location, olds.location)) inputs.location = olds.location;
      inputs.azureApiVersion ??= apiVersion;
      const known = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));
      const failures = [...missing([...parameters, ...required], known), ...Object.entries(definition.rules ?? {}).flatMap(([name, rule]) => broken(name, rule, known[name]))];
      return { inputs: known, failures };
    },

    async create(inputs, scope) {
      const api = new Api(cloud, scope);
      const target = pathOf(path, inputs, scope.subscriptionId);
      await assertAbsent(api, target);
      const location = await defaultLocation(api, inputs);
      let written: Properties | undefined;
      try {
        written = await write(api, target, inputs, location);
      } catch (error) {
        // A long-running operation that failed may have left something behind.
        const left = singleton || definition.adopts ? undefined : await readBody(api, target).catch(() => undefined);
        if (!left || !(error instanceof CallError)) throw error;
        throw new PartialFailureError(error.message, text(left.id) ?? target, stateOf(outputsOf(left), inputs));
      }
      const id = text(written?.id) ?? target;
      return { id, outputs: stateOf(await settled(api, id, written), inputs) };
    },

    async read(id, scope, olds = {}) {
      const parts = readPath(path, id);
      if (!parts) throw new Error(`'${id}' is no id of ${type}: it is not of the form '${path}'`);
      const body = await readBody(new Api(cloud, scope), id);
      if (!body) return undefined;
      const outputs = outputsOf(body);
      const before = olds[INPUTS];
      const now = toInputs(definition, outputs);
      const inputs = before === undefined ? { ...object(withoutEmpty(now)), ...parts, azureApiVersion: apiVersion } : changedInputs(object(before), toInputs(definition, olds), now);
      return { id, inputs, outputs: stateOf(outputs, inputs) };
    },

    async update(id, olds, news, scope) {
      const api = new Api(cloud, scope);
      const written = await write(api, id, { ...definition.restored, ...news }, olds.location);
      return stateOf(await settled(api, id, written), news);
    },

    async delete(id, outputs, scope) {
      const api = new Api(cloud, scope);
      const inputs = object(outputs[INPUTS]);
      if (singleton) await api.call("PUT", id, apiVersion, singleton);
      else await unlessGone(serially(inputs, () => definition.remove?.(api, id, inputs) ?? api.call("DELETE", id, apiVersion)));
    },
  };
}

function madeName(how: NonNullable<ArmDefinition["autoName"]>, logicalName: string): string {
  if (how === "uuid") return randomUUID();
  return how === "copy" ? logicalName : logicalName + randomBytes(4).toString("hex");
}

const sameLocation = (a: unknown, b: unknown): boolean => normalisedLocation(String(a)) === normalisedLocation(String(b));

function missing(required: readonly string[], inputs: Properties): CheckFailure[] {
  return required
    .filter((name) => inputs[name] === undefined)
    .map((name) => ({
      property: "",
      reason: `missing required property '${name}'${name === "location" ? ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'." : ""}`,
    }));
}

function broken(name: string, { minLength = 0, maxLength = Infinity, pattern }: ParameterRule, value: unknown): CheckFailure[] {
  if (typeof value !== "string" || value.includes(UNKNOWN_VALUE)) return [];
  const reasons = [
    ...(value.length < minLength ? [`'${name}' is too short (${value.length}): at least ${minLength} characters required`] : []),
    ...(value.length > maxLength ? [`'${name}' is too long (${value.length}): at most ${maxLength} characters allowed`] : []),
    ...(pattern?.test(value) === false ? [`'${name}' does not match expression '${pattern.source}'`] : []),
  ];
  return reasons.map((reason) => ({ property: "", reason }));
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof CallError) || error.status !== 404) throw error;
  }
}
