/** Service principals: applications and managed identities as they are in a tenant. https://learn.microsoft.com/graph/api/resources/serviceprincipal */
import type { ServicePrincipalRecord } from "./directory.js";
import type { GraphMethod, GraphParts } from "./graph.js";
import { GraphAccess } from "./graph-access.js";
import { badRequest, graphError } from "./graph-errors.js";
import { bodyOf, textOf, without } from "./graph-input.js";
import { collection, entity } from "./graph-query.js";
import { type AzureAnswer, type AzureRequest, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

const DECIDED = ["id", "appId", "createdDateTime", "servicePrincipalType", "appOwnerOrganizationId", "graphPermissions"];

export function servicePrincipalRoutes(parts: GraphParts): GraphMethod[] {
  const access = new GraphAccess(parts.directory);
  const read = (request: AzureRequest): AzureAnswer => entity(request, "servicePrincipals", principalView(find(parts, access, request, "applications:read")));
  const list = (request: AzureRequest): AzureAnswer => {
    const { caller } = request;
    const all = parts.directory.list(caller.tenantId);
    // Whoever asks for nobody but themselves gets an answer.
    const own = /^(?:(?:appId|id) eq|servicePrincipalNames\/any\((\w+): ?\1 eq) '([^']+)'\)?$/i.exec(request.query.get("$filter") ?? "")?.[2]?.toLowerCase();
    access.require(caller, "applications:read", own === caller.objectId ? caller.clientId : own);
    return collection(request, "servicePrincipals", all.map(principalView));
  };
  const update = (request: AzureRequest): AzureAnswer => {
    const principal = find(parts, access, request, "applications:write");
    const changes = without(bodyOf(request), ...DECIDED);
    if (changes["accountEnabled"] !== undefined && typeof changes["accountEnabled"] !== "boolean") throw badRequest("Invalid value specified for property 'accountEnabled' of resource 'ServicePrincipal'.");
    parts.directory.put(request.caller.tenantId, { ...principal, ...changes });
    return RawAnswer.json(204);
  };
  const remove = (request: AzureRequest): AzureAnswer => {
    const principal = find(parts, access, request, "applications:write");
    // It lives and dies with its resource.
    if (principal.servicePrincipalType === "ManagedIdentity") throw graphError("denied");
    parts.graph.softDelete(request.caller.tenantId, { kind: "servicePrincipal", record: principal });
    return RawAnswer.json(204);
  };
  return [
    ["GET", "/servicePrincipals", "ListServicePrincipals", list],
    ["POST", "/servicePrincipals", "CreateServicePrincipal", (request) => create(parts, access, request)],
    ...(["/servicePrincipals/{id}", "/servicePrincipals(appId='{appId}')"] as const).flatMap((path): GraphMethod[] => [
      ["GET", path, "GetServicePrincipal", read],
      ["PATCH", path, "UpdateServicePrincipal", update],
      ["DELETE", path, "DeleteServicePrincipal", remove],
      ["GET", `${path}/owners`, "ListServicePrincipalOwners", (request) => (find(parts, access, request, "applications:read"), collection(request, "directoryObjects", []))],
    ]),
  ];
}

/** Without what is the sandbox's own. */
export function principalView({ graphPermissions: _own, ...principal }: ServicePrincipalRecord): Record<string, unknown> {
  return {
    deletedDateTime: null,
    appDisplayName: principal.servicePrincipalType === "Application" ? principal.displayName : null,
    appRoles: [],
    keyCredentials: [],
    oauth2PermissionScopes: [],
    passwordCredentials: [],
    replyUrls: [],
    signInAudience: principal.servicePrincipalType === "Application" ? "AzureADMyOrg" : null,
    ...principal,
  };
}

function find({ directory }: GraphParts, access: GraphAccess, { caller, params }: AzureRequest, right: "applications:read" | "applications:write"): ServicePrincipalRecord {
  const { id, appId } = params;
  const found = directory.list(caller.tenantId).find((principal) => (id === undefined ? principal.appId === appId?.toLowerCase() : principal.id === id.toLowerCase()));
  access.require(caller, right, found?.appId);
  if (!found) throw graphError("notFound", id ?? appId ?? "");
  return found;
}

/** For an application of the tenant, or of another one that lets others in. */
function create(parts: GraphParts, access: GraphAccess, request: AzureRequest): AzureAnswer {
  const { tenantId } = request.caller;
  access.require(request.caller, "applications:write");
  const body = bodyOf(request);
  const appId = textOf(body, "appId", "ServicePrincipal").toLowerCase();
  const home = parts.accounts.tenants().find((tenant) => parts.graph.registration(tenant.tenantId, appId) !== undefined);
  const application = home && parts.graph.registration(home.tenantId, appId);
  if (!home || !application || (home.tenantId !== tenantId && application.signInAudience === "AzureADMyOrg")) {
    throw badRequest(`The appId '${appId}' of the service principal does not reference a valid application object.`);
  }
  if (parts.directory.record(tenantId, appId)) {
    throw new AzureError(409, "Request_MultipleObjectsWithSameKeyValue", `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`);
  }
  const { objectId } = parts.directory.create({ tenantId, displayName: application.displayName, kind: "Application", clientId: appId });
  const made = parts.directory.record(tenantId, objectId);
  if (!made) throw graphError("notFound", objectId);
  const full: ServicePrincipalRecord = { ...made, appOwnerOrganizationId: home.tenantId, ...without(body, ...DECIDED) };
  parts.directory.put(tenantId, full);
  return RawAnswer.json(201, entity(request, "servicePrincipals", principalView(full)));
}
