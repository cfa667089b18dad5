/** Runs a template: its resources one after another, each put as the caller who deploys, incrementally. */
import { evaluateAll, type ExpressionFunctions, ExpressionError } from "./arm-expressions.js";
import { normalised } from "./arm-ids.js";
import { type DeploymentPlace, idOfResource, invalidTemplate, MissingReference, parameterValues, placeFunctions, type Template, type TemplateResource } from "./deployments-template.js";
import { Registrations } from "./providers.js";
import type { AzureServiceContext } from "./service.js";
import { AzureError, type AzureCaller } from "./types.js";

export interface DeploymentStep {
  id: string;
  type: string;
  name: string;
  /** Undefined: it succeeded. */
  error?: AzureError;
}

export interface PreparedDeployment {
  template: Template;
  place: DeploymentPlace;
  /** By name; those of secure types never leave here. */
  values: Readonly<Record<string, unknown>>;
  functions: ExpressionFunctions;
}

/** Throws InvalidTemplate. */
export function prepare({ resources }: AzureServiceContext, template: Template, given: unknown, place: DeploymentPlace): PreparedDeployment {
  const outside = placeFunctions(place, resources);
  return asTemplateErrors(() => {
    const values = parameterValues(template, given, outside);
    const functions: ExpressionFunctions = {
      ...outside,
      parameters: (name) => found(values, name, "parameter"),
      variables: (name) => evaluateAll(found(template.variables, name, "variable"), functions),
      reference: (of, ...rest) => outside["reference"]?.(idOfSymbol(String(of)), ...rest),
    };
    const idOfSymbol = (of: string): string => {
      const resource = template.resources.find(({ symbol, name }) => symbol === of || (!of.startsWith("/") && evaluateAll(name, functions) === of));
      return resource ? idOfResource(resource, place, functions) : of;
    };
    return { template, place, values, functions };
  });
}

function found(values: Readonly<Record<string, unknown>>, name: unknown, what: string): unknown {
  const key = Object.keys(values).find((each) => each.toLowerCase() === String(name).toLowerCase());
  if (key === undefined) throw new ExpressionError(`The template ${what} '${String(name)}' is not found. Please see https://aka.ms/arm-syntax-${what}s for usage details.`);
  return values[key];
}

/** A mistake in an expression is one of the template. */
export function asTemplateErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ExpressionError) throw invalidTemplate(error.message);
    throw error;
  }
}

/** Resources of the template that are to be made, with their ids; without those that depend on what is not there yet. */
export function planned({ template, place, functions }: PreparedDeployment): { resource: TemplateResource; id: string }[] {
  return template.resources.flatMap((resource) => {
    try {
      return evaluateAll(resource.condition ?? true, functions) === true ? [{ resource, id: idOfResource(resource, place, functions) }] : [];
    } catch (error) {
      if (error instanceof MissingReference) return [];
      throw error;
    }
  });
}

/** Before anything is made, ARM asks whether the caller may make it all. */
export function preflight(context: AzureServiceContext, caller: AzureCaller, prepared: PreparedDeployment): void {
  const refusals = asTemplateErrors(() => planned(prepared)).filter(({ resource, id }) => !context.allows(caller, `${resource.type}/write`, id));
  if (refusals.length === 0) return;
  const texts = refusals.map(
    ({ resource, id }) =>
      `Authorization failed for template resource '${id.split("/").at(-1) ?? ""}' of type '${resource.type}'. The client '${caller.name}' with object id '${caller.objectId}' does not have permission to perform action '${resource.type}/write' at scope '${id}'.`,
  );
  throw new AzureError(403, "InvalidTemplateDeployment", texts.length === 1 ? (texts[0] ?? "") : `Deployment failed with multiple errors: '${texts.join(":")}'`);
}

export async function run(context: AzureServiceContext, caller: AzureCaller, prepared: PreparedDeployment): Promise<{ steps: DeploymentStep[]; outputs: Record<string, { type: string; value: unknown }> }> {
  const { template, place, functions } = prepared;
  registerProviders(context, caller, prepared);
  const steps: DeploymentStep[] = [];
  let waiting = template.resources.filter(({ condition }) => asTemplateErrors(() => evaluateAll(condition ?? true, functions)) === true);
  while (waiting.length > 0 && steps.every(({ error }) => error === undefined)) {
    const left: TemplateResource[] = [];
    for (const resource of waiting) {
      const step = isReady(resource, waiting, prepared) ? await make(context, caller, resource, prepared) : undefined;
      if (step) steps.push(step);
      else left.push(resource);
      if (step?.error) break;
    }
    if (left.length === waiting.length) throw invalidTemplate(`The template resources '${left.map(({ type }) => type).join(", ")}' depend on each other or on what is not there`);
    waiting = waiting.filter((resource) => left.includes(resource));
  }
  const outputs = steps.some(({ error }) => error !== undefined) ? {} : outputsOf(template, functions);
  return { steps, outputs };

  function isReady(resource: TemplateResource, all: readonly TemplateResource[], { functions: known }: PreparedDeployment): boolean {
    const needs = resource.dependsOn.map((each) => normalised(String(evaluateAll(each, known))));
    return !all.some((other) => other !== resource && needs.some((need) => need === other.symbol?.toLowerCase() || isNamed(other, need)));
  }

  function isNamed(other: TemplateResource, need: string): boolean {
    const name = String(evaluateAll(other.name, functions)).toLowerCase();
    return need === name || need === `${other.type}/${name}`.toLowerCase() || need === `${other.type}/${other.name}`.toLowerCase() || need === normalised(idOfResource(other, place, functions));
  }
}

/** Undefined where it refers to what is not there yet. */
async function make(context: AzureServiceContext, caller: AzureCaller, resource: TemplateResource, { place, functions }: PreparedDeployment): Promise<DeploymentStep | undefined> {
  let id: string;
  let body: unknown;
  try {
    id = idOfResource(resource, place, functions);
    body = evaluateAll(resource.type.toLowerCase() === "microsoft.resources/deployments" ? keepTemplate(resource.body, functions) : resource.body, functions);
  } catch (error) {
    if (error instanceof MissingReference) return undefined;
    if (error instanceof ExpressionError) throw invalidTemplate(error.message);
    throw error;
  }
  const step = { id, type: resource.type, name: id.split("/").at(-1) ?? "" };
  try {
    await context.cloud.call(caller, "PUT", `https://${place.cloud.armHost}${encodeURI(id)}?api-version=${resource.apiVersion}`, body);
    return step;
  } catch (error) {
    if (error instanceof AzureError) return { ...step, error };
    throw error;
  }
}

/** A template in a template has its own parameters: its expressions are not this one's. */
function keepTemplate(body: Readonly<Record<string, unknown>>, functions: ExpressionFunctions): object {
  const { template, ...properties } = (body["properties"] ?? {}) as Record<string, unknown>;
  return { ...(evaluateAll({ ...body, properties }, functions) as object), properties: { ...(evaluateAll(properties, functions) as object), template: escaped(template) } };
}

/** So that it comes out of the evaluation as it went in. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.startsWith("[") && value.endsWith("]") ? `[${value}` : value;
  if (Array.isArray(value)) return value.map(escaped);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, escaped(member)])) : value;
}

/** Deployments register the namespaces of their template where the caller may. */
function registerProviders(context: AzureServiceContext, caller: AzureCaller, { template, place }: PreparedDeployment): void {
  const registrations = new Registrations(context.core);
  const { subscriptionId } = place.subscription;
  for (const namespace of new Set(template.resources.map(({ type }) => type.split("/")[0] ?? ""))) {
    const missing = registrations.state(subscriptionId, namespace) === "NotRegistered";
    if (missing && context.allows(caller, `${namespace}/register/action`, `/subscriptions/${subscriptionId}`)) registrations.set(subscriptionId, namespace, "Registered");
  }
}

/** Those of secure types are not answered. */
function outputsOf({ outputs }: Template, functions: ExpressionFunctions): Record<string, { type: string; value: unknown }> {
  return asTemplateErrors(() =>
    Object.fromEntries(
      Object.entries(outputs)
        .filter(([, { condition, type }]) => !/^secure/i.test(type) && evaluateAll(condition ?? true, functions) === true)
        .map(([name, { type, value }]) => [name, { type: type.replace(/^./, (first) => first.toUpperCase()), value: evaluateAll(value, functions) }]),
    ),
  );
}
