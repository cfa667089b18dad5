/** App registrations and their passwords. https://learn.microsoft.com/graph/api/resources/application */
import { randomUUID } from "node:crypto";
import type { GraphMethod, GraphParts } from "./graph.js";
import { GraphAccess } from "./graph-access.js";
import { badRequest, graphError } from "./graph-errors.js";
import { bodyOf, textOf, without } from "./graph-input.js";
import { collection, entity } from "./graph-query.js";
import { type ApplicationRecord, type ClientSecretRecord, newSecretText } from "./graph-store.js";
import { type AzureAnswer, type AzureRequest, RawAnswer } from "./service.js";

const AUDIENCES: readonly unknown[] = ["AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"];
const DECIDED = ["id", "appId", "createdDateTime", "deletedDateTime", "publisherDomain", "passwordCredentials"];
/** What Graph answers where a client has set nothing. */
const DEFAULTS = {
  signInAudience: "AzureADandPersonalMicrosoftAccount",
  identifierUris: [],
  api: { acceptMappedClaims: null, knownClientApplications: [], oauth2PermissionScopes: [], preAuthorizedApplications: [], requestedAccessTokenVersion: null },
  appRoles: [],
  description: null,
  info: {},
  isFallbackPublicClient: null,
  keyCredentials: [],
  notes: null,
  publicClient: { redirectUris: [] },
  requiredResourceAccess: [],
  spa: { redirectUris: [] },
  tags: [],
  web: { homePageUrl: null, redirectUris: [], implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false } },
};

export function applicationRoutes(parts: GraphParts): GraphMethod[] {
  const access = new GraphAccess(parts.directory);
  const read = (request: AzureRequest): AzureAnswer => {
    const found = findApplication(parts, access, request, "applications:read");
    return entity(request, "applications", viewOf(parts, request, found));
  };
  const list = (request: AzureRequest): AzureAnswer => {
    const { caller } = request;
    access.require(caller, "applications:read");
    return collection(request, "applications", parts.graph.applications(caller.tenantId).map((application) => viewOf(parts, request, application)));
  };
  return [
    ["GET", "/applications", "ListApplications", list],
    ["POST", "/applications", "CreateApplication", (request) => create(parts, access, request)],
    ...(["/applications/{id}", "/applications(appId='{appId}')"] as const).flatMap((path): GraphMethod[] => [
      ["GET", path, "GetApplication", read],
      ["PATCH", path, "UpdateApplication", (request) => update(parts, access, request)],
      ["DELETE", path, "DeleteApplication", (request) => remove(parts, access, request)],
      ["GET", `${path}/owners`, "ListApplicationOwners", (request) => (findApplication(parts, access, request, "applications:read"), collection(request, "directoryObjects", []))],
      ["POST", `${path}/addPassword`, "AddApplicationPassword", (request) => addPassword(parts, access, request)],
      ["POST", `${path}/removePassword`, "RemoveApplicationPassword", (request) => removePassword(parts, access, request)],
    ]),
  ];
}

/** By object id, or by client id in the parenthesised form. Throws AzureError. */
export function findApplication({ graph }: GraphParts, access: GraphAccess, { caller, params }: AzureRequest, right: "applications:read" | "applications:write"): ApplicationRecord {
  const { id, appId } = params;
  const found = graph.applications(caller.tenantId).find((application) => (id === undefined ? application.appId === appId?.toLowerCase() : application.id === id.toLowerCase()));
  access.require(caller, right, found?.appId);
  if (!found) throw graphError("notFound", id ?? appId ?? "");
  return found;
}

function viewOf({ accounts, graph }: GraphParts, { caller }: AzureRequest, application: ApplicationRecord): Record<string, unknown> {
  const secrets = graph.secrets(caller.tenantId, application.appId);
  return { ...DEFAULTS, ...application, publisherDomain: accounts.tenant(caller.tenantId)?.domain ?? null, passwordCredentials: secrets.map((secret) => passwordView(secret, null)) };
}

function create(parts: GraphParts, access: GraphAccess, request: AzureRequest): AzureAnswer {
  access.require(request.caller, "applications:write");
  const body = checked(parts, request, bodyOf(request));
  const displayName = textOf(body, "displayName", "Application");
  const made = parts.graph.newApplication(request.caller.tenantId, { signInAudience: DEFAULTS.signInAudience, ...without(body, ...DECIDED), displayName });
  return RawAnswer.json(201, entity(request, "applications", viewOf(parts, request, made)));
}

function update(parts: GraphParts, access: GraphAccess, request: AzureRequest): AzureAnswer {
  const application = findApplication(parts, access, request, "applications:write");
  const changes = without(checked(parts, request, bodyOf(request), application), ...DECIDED);
  parts.graph.putApplication(request.caller.tenantId, { ...application, ...changes });
  return RawAnswer.json(204);
}

/** Goes where it can be restored from, with its service principal. */
function remove(parts: GraphParts, access: GraphAccess, request: AzureRequest): AzureAnswer {
  const application = findApplication(parts, access, request, "applications:write");
  const { tenantId } = request.caller;
  parts.graph.softDelete(tenantId, { kind: "application", record: application });
  const principal = parts.directory.record(tenantId, application.appId);
  if (principal) parts.graph.softDelete(tenantId, { kind: "servicePrincipal", record: principal });
  return RawAnswer.json(204);
}

function checked({ graph }: GraphParts, { caller }: AzureRequest, body: Readonly<Record<string, unknown>>, own?: ApplicationRecord): Readonly<Record<string, unknown>> {
  const { signInAudience, identifierUris } = body;
  if (signInAudience !== undefined && !AUDIENCES.includes(signInAudience)) throw graphError("badRequest", "signInAudience");
  if (identifierUris === undefined) return body;
  if (!Array.isArray(identifierUris)) throw graphError("badRequest", "identifierUris");
  const taken = graph.applications(caller.tenantId).some(({ id, identifierUris: theirs }) => id !== own?.id && theirs.some((uri) => identifierUris.includes(uri)));
  if (taken) throw graphError("duplicate", "identifierUris");
  return body;
}

/** The only answer that shows the password. https://learn.microsoft.com/graph/api/application-addpassword */
function addPassword(parts: GraphParts, access: GraphAccess, request: AzureRequest): AzureAnswer {
  const { appId } = findApplication(parts, access, request, "applications:write");
  const { passwordCredential = {} } = (request.body ?? {}) as { passwordCredential?: Partial<Record<"displayName" | "startDateTime" | "endDateTime", string | null>> };
  const now = parts.core.clock.now();
  const inTwoYears = new Date(now);
  inTwoYears.setUTCFullYear(now.getUTCFullYear() + 2);
  const secret: ClientSecretRecord = {
    tenantId: request.caller.tenantId,
    appId,
    keyId: randomUUID(),
    displayName: passwordCredential.displayName ?? null,
    secretText: newSecretText(),
    startDateTime: passwordCredential.startDateTime ?? now.toISOString(),
    endDateTime: passwordCredential.endDateTime ?? inTwoYears.toISOString(),
  };
  parts.graph.putSecret(secret);
  return { "@odata.context": `${request.url.origin}/v1.0/$metadata#microsoft.graph.passwordCredential`, ...passwordView(secret, secret.secretText) };
}

function removePassword(parts: GraphParts, access: GraphAccess, request: AzureRequest): AzureAnswer {
  const { appId } = findApplication(parts, access, request, "applications:write");
  const keyId = textOf(bodyOf(request), "keyId", "PasswordCredential");
  const secret = parts.graph.secrets(request.caller.tenantId, appId).find((each) => each.keyId === keyId);
  if (!secret) throw badRequest(`No password credential found with keyId: ${keyId}`);
  parts.graph.deleteSecret(secret);
  return RawAnswer.json(204);
}

function passwordView({ keyId, displayName, startDateTime, endDateTime, secretText }: ClientSecretRecord, shown: string | null): object {
  return { customKeyIdentifier: null, displayName, endDateTime, hint: secretText.slice(0, 3), keyId, secretText: shown, startDateTime };
}
