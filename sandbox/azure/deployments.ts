/** Template deployments of resource groups, incremental. https://learn.microsoft.com/rest/api/resources/deployments */
import { createHash, randomUUID } from "node:crypto";
import { invalidContent } from "./arm-errors.js";
import { groupId, parseArmId } from "./arm-ids.js";
import { ArmOperations } from "./arm-operations.js";
import { type DeploymentStep, planned, preflight, prepare, type PreparedDeployment, run } from "./deployments-run.js";
import { readTemplate, type Template } from "./deployments-template.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

const DEPLOYMENT_TYPE = "Microsoft.Resources/deployments";
const NAME = /^[-\w._()]{1,64}$/;

export function deploymentRoutes(context: AzureServiceContext): AzureRoute[] {
  const list = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${DEPLOYMENT_TYPE}`;
  const path = `${list}/{deployment}`;
  const route = (method: AzureRoute["method"], at: string, operation: string, handle: (request: AzureRequest) => AzureAnswer | Promise<AzureAnswer>): AzureRoute => ({
    method,
    path: at,
    operation: `arm:Deployments_${operation}`,
    run: async (request) => handle(request),
  });
  const opened = (request: AzureRequest, right: string): string => {
    const { subscription = "", group = "" } = request.params;
    const id = idOf(request);
    context.require(request.caller, `${DEPLOYMENT_TYPE}/${right}`, id);
    context.groupOf(subscription, group);
    return id;
  };
  const find = (request: AzureRequest, right: string): ArmResource => {
    const found = context.resources.get(opened(request, right));
    if (!found) throw new AzureError(404, "DeploymentNotFound", `Deployment '${request.params["deployment"] ?? ""}' could not be found.`);
    return found;
  };
  return [
    route("GET", list, "ListByResourceGroup", (request) => {
      const { subscription = "", group = "" } = request.params;
      context.require(request.caller, `${DEPLOYMENT_TYPE}/read`, groupId(subscription, group));
      context.groupOf(subscription, group);
      return { value: context.resources.list(DEPLOYMENT_TYPE, groupId(subscription, group)).map(view) };
    }),
    route("GET", path, "Get", (request) => view(find(request, "read"))),
    route("HEAD", path, "CheckExistence", (request) => RawAnswer.json(context.resources.get(opened(request, "read")) ? 204 : 404)),
    ...[path, "/subscriptions/{subscription}/resourceGroups/{group}/deployments/{deployment}"].map((at) =>
      route("GET", `${at}/operations`, "ListOperations", (request) => ({ value: (find(request, "operations/read").properties["operations"] as object[] | undefined) ?? [] })),
    ),
    route("POST", `${path}/validate`, "Validate", (request) => {
      opened(request, "validate/action");
      const prepared = prepareRequest(context, request);
      preflight(context, request.caller, prepared);
      return { id: idOf(request), name: request.params["deployment"], type: DEPLOYMENT_TYPE, properties: { ...describe(prepared, context, request), provisioningState: "Succeeded", validatedResources: planned(prepared).map(({ id }) => ({ id })) } };
    }),
    route("POST", `${path}/whatIf`, "WhatIf", (request) => {
      opened(request, "whatIf/action");
      return whatIf(context, request);
    }),
    route("PUT", path, "CreateOrUpdate", (request) => {
      opened(request, "write");
      return deploy(context, request);
    }),
    route("DELETE", path, "Delete", (request) => {
      const id = opened(request, "delete");
      if (!context.resources.delete(id)) return RawAnswer.json(204);
      return context.accepted(request, undefined);
    }),
  ];
}

const idOf = ({ params }: AzureRequest): string => `${groupId(params["subscription"] ?? "", params["group"] ?? "")}/providers/${DEPLOYMENT_TYPE}/${params["deployment"] ?? ""}`;

function prepareRequest(context: AzureServiceContext, request: AzureRequest): PreparedDeployment {
  const { subscription = "", group = "", deployment = "" } = request.params;
  if (!NAME.test(deployment)) throw new AzureError(400, "InvalidDeploymentName", `The deployment name '${deployment}' is invalid: it must be 1 to 64 letters, digits or any of -._().`);
  const { properties } = (request.body ?? {}) as { properties?: { template?: unknown; parameters?: unknown; mode?: unknown } };
  if (!properties) throw invalidContent("Required property 'properties' not found in JSON");
  if (typeof properties.mode === "string" && properties.mode.toLowerCase() === "complete") {
    throw new AzureError(400, "InvalidRequestContent", "The sandbox plays deployments of mode 'Incremental' only.");
  }
  return prepare(context, readTemplate(properties.template), properties.parameters, {
    name: deployment,
    group: context.groupOf(subscription, group),
    subscription: context.subscriptionOf(request.caller, subscription),
    cloud: request.cloud,
  });
}

async function deploy(context: AzureServiceContext, request: AzureRequest): Promise<AzureAnswer> {
  const prepared = prepareRequest(context, request);
  const id = idOf(request);
  preflight(context, request.caller, prepared);
  const { steps, outputs } = await run(context, request.caller, prepared);
  const failed = steps.flatMap(({ id: target, error }) => (error ? [{ code: error.code, target, message: error.message }] : []));
  const error = failed.length > 0 ? deploymentFailed(failed) : undefined;
  const stored = context.resources.put({
    id,
    name: request.params["deployment"] ?? "",
    type: DEPLOYMENT_TYPE,
    properties: {
      ...describe(prepared, context, request),
      provisioningState: error ? "Failed" : "Succeeded",
      outputs,
      outputResources: steps.filter((step) => step.error === undefined).map((step) => ({ id: step.id })),
      ...(error && { error: { code: error.code, target: id, message: error.message, details: failed } }),
      operations: steps.map((step) => operationView(id, step, context)),
    },
  });
  return new ArmOperations(context.core).accepted(request, view(stored), 201, error);
}

const deploymentFailed = (details: readonly object[]): AzureError =>
  new AzureError(
    409,
    "DeploymentFailed",
    "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.",
    { details },
  );

function operationView(deployment: string, { id, type, name, error }: DeploymentStep, { core }: AzureServiceContext): object {
  const operation = createHash("sha256").update(id).digest("hex").slice(0, 16).toUpperCase();
  return {
    id: `${deployment}/operations/${operation}`,
    operationId: operation,
    properties: {
      provisioningOperation: "Create",
      provisioningState: error ? "Failed" : "Succeeded",
      timestamp: core.clock.now().toISOString(),
      statusCode: error ? httpWord(error.status) : "OK",
      ...(error && { statusMessage: { status: "Failed", error: { code: error.code, message: error.message } } }),
      targetResource: { id, resourceType: type, resourceName: name },
    },
  };
}

const httpWord = (status: number): string => ({ 400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict" })[status] ?? String(status);

/** What a deployment tells of itself. Values of secure parameters are left out. */
function describe({ template, values }: PreparedDeployment, { core }: AzureServiceContext, request: AzureRequest): object {
  return {
    templateHash: String(createHash("sha256").update(JSON.stringify((request.body as { properties?: { template?: unknown } }).properties?.template)).digest().readBigUInt64BE()),
    parameters: Object.fromEntries(Object.entries(template.parameters).map(([name, { type }]) => [name, isSecure(type) ? { type } : { type, value: values[name] }])),
    mode: "Incremental",
    timestamp: core.clock.now().toISOString(),
    duration: "PT0S",
    correlationId: randomUUID(),
    providers: providersOf(template),
    dependencies: [],
  };
}

const isSecure = (type: string): boolean => /^secure/i.test(type);

function providersOf({ resources }: Template): object[] {
  const namespaces = new Map<string, Set<string>>();
  for (const { type } of resources) {
    const [namespace = "", ...types] = type.split("/");
    namespaces.set(namespace, (namespaces.get(namespace) ?? new Set()).add(types.join("/")));
  }
  return [...namespaces].map(([namespace, types]) => ({ namespace, resourceTypes: [...types].map((resourceType) => ({ resourceType, locations: [null] })) }));
}

/** Whether each resource would be made anew; which of its properties would change is not played. */
function whatIf(context: AzureServiceContext, request: AzureRequest): AzureAnswer {
  const prepared = prepareRequest(context, request);
  preflight(context, request.caller, prepared);
  const changes = planned(prepared).map(({ id, resource }) => {
    const before = context.resources.get(id);
    return { resourceId: id, changeType: before ? "Deploy" : "Create", ...(before && { before: { id: before.id } }), after: { id, type: resource.type, name: parseArmId(id)?.name, apiVersion: resource.apiVersion } };
  });
  return { status: "Succeeded", properties: { correlationId: randomUUID(), changes } };
}

function view({ id, name, type, properties }: ArmResource): object {
  const { operations: _, ...rest } = properties;
  return { id, name, type, properties: rest };
}
