/** User-assigned managed identities. https://learn.microsoft.com/rest/api/managedidentity/user-assigned-identities */
import { textRules } from "../../facts/azure/limits.js";
import { invalidContent, resourceNotFound } from "./arm-errors.js";
import { groupId, subscriptionId } from "./arm-ids.js";
import { readable } from "./arm-lists.js";
import { locationName, readLocation } from "./arm-locations.js";
import { removeResource } from "./arm-removal.js";
import { readTags } from "./arm-tags.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

export const IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities";
export const IDENTITY_PATH = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${IDENTITY_TYPE}/{identity}`;

export function managedIdentityRoutes(context: AzureServiceContext): AzureRoute[] {
  const route = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute => ({
    method,
    path,
    operation: `arm:UserAssignedIdentities_${operation}`,
    run: async (request) => run(request),
  });
  const list = ({ caller }: AzureRequest, scope: string): object => ({
    value: readable(context, caller, { action: `${IDENTITY_TYPE}/read`, scope }, context.resources.list(IDENTITY_TYPE, scope)).map(view),
  });
  return [
    route("GET", `/subscriptions/{subscription}/providers/${IDENTITY_TYPE}`, "ListBySubscription", (request) => list(request, subscriptionId(request.params["subscription"] ?? ""))),
    route("GET", `/subscriptions/{subscription}/resourceGroups/{group}/providers/${IDENTITY_TYPE}`, "ListByResourceGroup", (request) => {
      const { subscription = "", group = "" } = request.params;
      const found = list(request, groupId(subscription, group));
      context.groupOf(subscription, group);
      return found;
    }),
    route("GET", IDENTITY_PATH, "Get", (request) => view(findIdentity(context, request, "read"))),
    route("PUT", IDENTITY_PATH, "CreateOrUpdate", (request) => put(context, request)),
    route("PATCH", IDENTITY_PATH, "Update", (request) => {
      const found = findIdentity(context, request, "write");
      context.assertUnlocked(found.id, "write");
      const { tags } = bodyOf(request);
      return view(context.resources.put(context.applyPolicies({ ...found, ...(tags !== undefined && { tags: readTags(tags) }) })));
    }),
    route("DELETE", IDENTITY_PATH, "Delete", (request) => {
      const { subscription = "", group = "" } = request.params;
      const id = identityId(request);
      context.require(request.caller, `${IDENTITY_TYPE}/delete`, id);
      context.groupOf(subscription, group);
      context.assertUnlocked(id, "delete");
      return RawAnswer.json(removeResource(context, id) ? 200 : 204);
    }),
  ];
}

export function identityId({ params }: AzureRequest): string {
  const { subscription = "", group = "", identity = "" } = params;
  return `${groupId(subscription, group)}/providers/${IDENTITY_TYPE}/${identity}`;
}

/** Throws where the caller may not, or group or identity are missing. */
function findIdentity(context: AzureServiceContext, request: AzureRequest, right: "read" | "write"): ArmResource {
  const { subscription = "", group = "" } = request.params;
  const id = identityId(request);
  context.require(request.caller, `${IDENTITY_TYPE}/${right}`, id);
  context.groupOf(subscription, group);
  const found = context.resources.get(id);
  if (!found) throw resourceNotFound(id);
  return found;
}

/** An identity that is made again under its name is another one: ids are new, and neither assignments nor credentials come back. */
function put(context: AzureServiceContext, request: AzureRequest): AzureAnswer {
  const { subscription = "", group = "", identity = "" } = request.params;
  const id = identityId(request);
  context.require(request.caller, `${IDENTITY_TYPE}/write`, id);
  const { id: parent } = context.groupOf(subscription, group);
  if (!textRules.managedIdentity.pattern.test(identity)) {
    throw new AzureError(400, "InvalidResourceName", `The resource name '${identity}' is invalid: it must be ${textRules.managedIdentity.form}.`);
  }
  const { location, tags } = bodyOf(request);
  if (typeof location !== "string" || location === "") throw new AzureError(400, "LocationRequired", "The location property is required for this definition.");
  const before = context.resources.get(id);
  if (before && before.location !== locationName(location)) throw movedResource(before, group, location);
  context.assertUnlocked(id, "write");
  const wanted = context.applyPolicies({
    id: before?.id ?? `${parent}/providers/${IDENTITY_TYPE}/${identity}`,
    name: identity,
    type: IDENTITY_TYPE,
    location: readLocation(request.cloud.name, location, { type: IDENTITY_TYPE }),
    tags: tags === undefined ? { ...before?.tags } : readTags(tags),
    properties: before?.properties ?? {},
  });
  if (before) return view(context.resources.put(wanted));
  const { tenantId } = context.subscriptionOf(request.caller, subscription);
  const principal = context.directory.create({ tenantId, displayName: identity, kind: "ManagedIdentity", alternativeNames: ["isExplicit=True", wanted.id] });
  return RawAnswer.json(201, view(context.resources.put({ ...wanted, properties: { tenantId, principalId: principal.objectId, clientId: principal.clientId } })));
}

const movedResource = ({ name, location = "" }: ArmResource, group: string, wanted: string): AzureError =>
  new AzureError(
    409,
    "InvalidResourceLocation",
    `The resource '${name}' already exists in location '${location}' in resource group '${group}'. A resource with the same name cannot be created in location '${wanted}'. Please select a new resource name.`,
  );

function bodyOf({ body }: AzureRequest): { location?: unknown; tags?: unknown } {
  if (typeof body !== "object" || body === null) throw invalidContent("The request body is empty or is no JSON object");
  return body;
}

const view = ({ id, name, type, location, tags = {}, properties }: ArmResource): object => ({ location, tags, id, name, type, properties });
