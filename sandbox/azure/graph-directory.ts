/** The directory as a whole: objects by id, what was deleted, the organisation. https://learn.microsoft.com/graph/api/resources/directoryobject */
import type { GraphMethod, GraphParts } from "./graph.js";
import { GraphAccess } from "./graph-access.js";
import { graphError } from "./graph-errors.js";
import { bodyOf } from "./graph-input.js";
import { principalView } from "./graph-principals.js";
import { collection, entity } from "./graph-query.js";
import type { DeletedItem } from "./graph-store.js";
import { type AzureAnswer, type AzureRequest, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

const TYPE = { application: "#microsoft.graph.application", servicePrincipal: "#microsoft.graph.servicePrincipal" } as const;

export function directoryRoutes(parts: GraphParts): GraphMethod[] {
  const access = new GraphAccess(parts.directory);
  const objects = ({ caller }: AzureRequest): Record<string, unknown>[] => [
    ...parts.directory.list(caller.tenantId).map((principal) => ({ "@odata.type": TYPE.servicePrincipal, ...principalView(principal) })),
    ...parts.graph.applications(caller.tenantId).map((application) => ({ "@odata.type": TYPE.application, ...application })),
  ];
  const byIds = (request: AzureRequest): AzureAnswer => {
    access.require(request.caller, "directory:read");
    const { ids = [] } = bodyOf(request) as { ids?: readonly string[] };
    const wanted = ids.map((id) => id.toLowerCase());
    return { "@odata.context": `${request.url.origin}/v1.0/$metadata#directoryObjects`, value: objects(request).filter(({ id }) => wanted.includes(String(id))) };
  };
  const byId = (request: AzureRequest): AzureAnswer => {
    const id = (request.params["id"] ?? "").toLowerCase();
    const found = objects(request).find((object) => object["id"] === id);
    if (id !== request.caller.objectId) access.require(request.caller, "directory:read");
    if (!found) throw graphError("notFound", id);
    return entity(request, "directoryObjects", found);
  };
  const me = (): AzureAnswer => {
    throw new AzureError(400, "BadRequest", "/me request is only valid with delegated authentication flow.");
  };
  const organization = (request: AzureRequest): AzureAnswer => {
    access.require(request.caller, "directory:read");
    const { tenantId } = request.caller;
    const domain = parts.accounts.tenant(tenantId)?.domain ?? "";
    return collection(request, "organization", [
      { id: tenantId, displayName: domain.split(".")[0], tenantType: "AAD", verifiedDomains: [{ capabilities: "Email, OfficeCommunicationsOnline", isDefault: true, isInitial: true, name: domain, type: "Managed" }] },
    ]);
  };
  const domains = (request: AzureRequest): AzureAnswer => {
    access.require(request.caller, "directory:read");
    const { domain = "" } = parts.accounts.tenant(request.caller.tenantId) ?? {};
    return collection(request, "domains", [{ id: domain, authenticationType: "Managed", isAdminManaged: true, isDefault: true, isInitial: true, isRoot: true, isVerified: true, supportedServices: [] }]);
  };
  return [
    ["POST", "/directoryObjects/getByIds", "GetDirectoryObjectsByIds", byIds],
    ["GET", "/directoryObjects/{id}", "GetDirectoryObject", byId],
    ["GET", "/me", "GetUser", me],
    ["GET", "/organization", "ListOrganization", organization],
    ["GET", "/domains", "ListDomains", domains],
    ...deletedItemRoutes(parts, access),
  ];
}

/** For thirty days. https://learn.microsoft.com/graph/api/resources/directory */
function deletedItemRoutes({ graph }: GraphParts, access: GraphAccess): GraphMethod[] {
  const view = ({ kind, record, deletedDateTime }: DeletedItem): Record<string, unknown> => ({ "@odata.type": TYPE[kind], ...(kind === "servicePrincipal" ? principalView(record) : record), deletedDateTime });
  const find = (request: AzureRequest, right: "applications:read" | "applications:write"): DeletedItem => {
    access.require(request.caller, right);
    const id = (request.params["id"] ?? "").toLowerCase();
    const found = graph.deleted(request.caller.tenantId).find(({ record }) => record.id === id);
    if (!found) throw graphError("notFound", id);
    return found;
  };
  const list = (kind: DeletedItem["kind"]) => (request: AzureRequest): AzureAnswer => {
    access.require(request.caller, "applications:read");
    return collection(request, "directoryObjects", graph.deleted(request.caller.tenantId).filter((item) => item.kind === kind).map(view));
  };
  const restore = (request: AzureRequest): AzureAnswer => {
    const item = find(request, "applications:write");
    graph.restore(request.caller.tenantId, item);
    return entity(request, "directoryObjects", { ...view(item), deletedDateTime: null });
  };
  const purge = (request: AzureRequest): AzureAnswer => {
    graph.purge(request.caller.tenantId, find(request, "applications:write"));
    return RawAnswer.json(204);
  };
  const path = "/directory/deletedItems";
  return [
    ["GET", `${path}/microsoft.graph.application`, "ListDeletedItems", list("application")],
    ["GET", `${path}/microsoft.graph.servicePrincipal`, "ListDeletedItems", list("servicePrincipal")],
    ["GET", `${path}/{id}`, "GetDeletedItem", (request) => entity(request, "directoryObjects", view(find(request, "applications:read")))],
    ["POST", `${path}/{id}/restore`, "RestoreDeletedItem", restore],
    ["DELETE", `${path}/{id}`, "DeleteDeletedItem", purge],
  ];
}
