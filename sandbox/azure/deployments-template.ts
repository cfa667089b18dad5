/** Templates, read into resources in the order in which they can be made. https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax */
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import { evaluate, evaluateAll, type ExpressionFunctions, ExpressionError } from "./arm-expressions.js";
import { PURE_FUNCTIONS } from "./arm-functions.js";
import { groupId, subscriptionId } from "./arm-ids.js";
import type { ArmResource, ArmResources } from "./service.js";
import { AzureError, type AzureSubscription } from "./types.js";

export interface Template {
  parameters: Readonly<Record<string, { type: string; defaultValue?: unknown; allowedValues?: readonly unknown[] }>>;
  variables: Readonly<Record<string, unknown>>;
  resources: readonly TemplateResource[];
  outputs: Readonly<Record<string, { type: string; value: unknown; condition?: unknown }>>;
}

/** Values may still be expressions. */
export interface TemplateResource {
  type: string;
  apiVersion: string;
  name: string;
  /** Name by which others refer to it, of languages that have that. */
  symbol: string | undefined;
  scope: string | undefined;
  condition: unknown;
  dependsOn: readonly string[];
  /** Location, tags, properties and what else is put. */
  body: Readonly<Record<string, unknown>>;
}

/** Where a deployment is made. */
export interface DeploymentPlace {
  name: string;
  group: ArmResource;
  subscription: AzureSubscription;
  cloud: AzureCloudFacts;
}

export const invalidTemplate = (message: string): AzureError => new AzureError(400, "InvalidTemplate", `Deployment template validation failed: '${message}'.`);

export function readTemplate(value: unknown): Template {
  if (typeof value !== "object" || value === null) throw new AzureError(400, "InvalidRequestContent", "The deployment has no template: links to templates are not played by the sandbox.");
  const { parameters = {}, variables = {}, resources = [], outputs = {} } = value as { parameters?: object; variables?: object; resources?: unknown; outputs?: object };
  const named = Array.isArray(resources) ? resources.map((each: unknown) => [undefined, each] as const) : Object.entries(resources as Record<string, unknown>);
  return {
    parameters: parameters as Template["parameters"],
    variables: variables as Template["variables"],
    outputs: outputs as Template["outputs"],
    resources: named.flatMap(([symbol, resource]) => readResource(resource, symbol, undefined)),
  };
}

function readResource(value: unknown, symbol: string | undefined, parent: { type: string; name: string } | undefined): TemplateResource[] {
  const { type, apiVersion, name, scope, condition, dependsOn = [], resources = [], copy, existing, comments: _, ...body } = value as Record<string, unknown>;
  if (existing === true) return [];
  if (typeof type !== "string" || typeof name !== "string" || typeof apiVersion !== "string") throw invalidTemplate("The template resource must have 'type', 'apiVersion' and 'name'");
  if (copy !== undefined) throw invalidTemplate(`The template resource '${name}' has a copy loop, which the sandbox does not play`);
  const own = parent && !type.startsWith("Microsoft.") ? { type: `${parent.type}/${type}`, name: joined(parent.name, name) } : { type, name };
  const above = parent ? [`${parent.type}/${parent.name}`] : [];
  const children = Array.isArray(resources) ? resources.flatMap((child: unknown) => readResource(child, undefined, own)) : [];
  return [
    {
      ...own,
      apiVersion,
      symbol,
      scope: typeof scope === "string" ? scope : undefined,
      condition,
      dependsOn: [...above, ...(Array.isArray(dependsOn) ? dependsOn.map(String) : [])],
      body,
    },
    ...children,
  ];
}

/** Names of parent and child, either of which may be an expression. */
function joined(parent: string, child: string): string {
  const term = (name: string): string => (name.startsWith("[") && !name.startsWith("[[") ? name.slice(1, -1) : `'${name.replaceAll("'", "''")}'`);
  return `[concat(${term(parent)}, '/', ${term(child)})]`;
}

/** Values by name; those of parameters, then defaults. Throws InvalidTemplate for what is missing, unknown or not allowed. */
export function parameterValues(template: Template, given: unknown, functions: ExpressionFunctions): Record<string, unknown> {
  const asked = (given ?? {}) as Record<string, { value?: unknown }>;
  const unknown = Object.keys(asked).filter((name) => !Object.hasOwn(template.parameters, name));
  if (unknown.length > 0) {
    throw invalidTemplate(
      `The template parameters '${unknown.join(", ")}' in the parameters file are not valid; they are not present in the original template and can therefore not be provided at deployment time. The only supported parameters for this template are '${Object.keys(template.parameters).join(", ")}'. Please see https://aka.ms/arm-pass-parameter-values for usage details.`,
    );
  }
  const values: Record<string, unknown> = {};
  for (const [name, { defaultValue, allowedValues }] of Object.entries(template.parameters)) {
    const value = asked[name]?.value ?? evaluateAll(defaultValue, { ...functions, parameters: (other) => values[String(other)] });
    if (value === undefined) {
      throw invalidTemplate(`The value for the template parameter '${name}' is not provided. Please see https://aka.ms/arm-create-parameter-file for usage details.`);
    }
    if (allowedValues && !allowedValues.includes(value)) {
      throw invalidTemplate(`The provided value for the template parameter '${name}' is not valid. The value is not part of the allowed value(s): '${allowedValues.map(String).join(",")}'.`);
    }
    values[name] = value;
  }
  return values;
}

/** What the functions of a template know of where it is deployed; `reference` of what is there already. */
export function placeFunctions({ name, group, subscription, cloud }: DeploymentPlace, resources: ArmResources): ExpressionFunctions {
  const { subscriptionId: id, tenantId, displayName } = subscription;
  const scopeOfGroup = groupId(id, group.name);
  return {
    ...PURE_FUNCTIONS,
    deployment: () => ({ name }),
    environment: () => ({ name: cloud.cliName, resourceManager: `https://${cloud.armHost}/`, suffixes: { storage: cloud.blobSuffix.replace(/^blob\./, ""), acrLoginServer: `.${cloud.registrySuffix}` } }),
    resourcegroup: () => ({ id: scopeOfGroup, name: group.name, type: "Microsoft.Resources/resourceGroups", location: group.location, tags: group.tags ?? {}, properties: group.properties }),
    subscription: () => ({ id: subscriptionId(id), subscriptionId: id, tenantId, displayName }),
    tenant: () => ({ tenantId }),
    resourceid: (...parts) => resourceIdOf(scopeOfGroup, parts.map(String)),
    subscriptionresourceid: (...parts) => interleave(subscriptionId(id), parts.map(String)),
    tenantresourceid: (...parts) => interleave("", parts.map(String)),
    extensionresourceid: (scope, ...parts) => interleave(String(scope), parts.map(String)),
    reference: (of, _version, full) => {
      const found = resources.get(String(of));
      if (!found) throw new MissingReference(String(of));
      return full === "Full" ? found : found.properties;
    },
  };
}

/** A resource that is not there yet: made by the same template, it comes later. */
export class MissingReference extends ExpressionError {
  constructor(readonly of: string) {
    super(`The resource '${of}' is not defined in the template.`);
  }
}

/** `resourceId([subscription], [group], type, name, …)`. */
function resourceIdOf(scope: string, parts: readonly string[]): string {
  const type = parts.findIndex((part) => part.includes("/"));
  const [own, names] = [parts.slice(Math.max(type, 0)), parts.slice(0, Math.max(type, 0))];
  const subscription = names.length > 1 ? subscriptionId(names[0] ?? "") : (/^\/subscriptions\/[^/]+/.exec(scope)?.[0] ?? "");
  return interleave(names.length === 0 ? scope : `${subscription}/resourceGroups/${names.at(-1) ?? ""}`, own);
}

/** Types and names take turns. */
function interleave(scope: string, [type = "", ...names]: readonly string[]): string {
  const [namespace = "", ...types] = type.split("/");
  const flat = names.flatMap((name) => name.split("/"));
  return `${scope}/providers/${namespace}${types.map((each, index) => `/${each}/${flat[index] ?? ""}`).join("")}`;
}

/** Id that the resource will have. */
export function idOfResource(resource: TemplateResource, place: DeploymentPlace, functions: ExpressionFunctions): string {
  const name = String(evaluate(resource.name, functions));
  const scope = resource.scope === undefined ? groupId(place.subscription.subscriptionId, place.group.name) : scopeIn(String(evaluate(resource.scope, functions)), place);
  return interleave(scope, [resource.type, name]);
}

/** Scopes are ids, or `type/name` in the group. */
function scopeIn(scope: string, { subscription, group }: DeploymentPlace): string {
  if (scope.startsWith("/")) return scope;
  const [namespace = "", ...rest] = scope.split("/");
  const half = rest.length / 2;
  return interleave(groupId(subscription.subscriptionId, group.name), [[namespace, ...rest.slice(0, half)].join("/"), ...rest.slice(half)]);
}
