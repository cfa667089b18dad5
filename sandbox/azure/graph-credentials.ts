/** Federated credentials of app registrations. https://learn.microsoft.com/graph/api/resources/federatedidentitycredential */
import { randomUUID } from "node:crypto";
import { numberRules, ruleViolation, textRules } from "../../facts/azure/limits.js";
import type { GraphMethod, GraphParts } from "./graph.js";
import { GraphAccess } from "./graph-access.js";
import { findApplication } from "./graph-applications.js";
import { badRequest, graphError } from "./graph-errors.js";
import { bodyOf, textOf } from "./graph-input.js";
import { collection, entity } from "./graph-query.js";
import type { ApplicationRecord, FederatedCredentialRecord } from "./graph-store.js";
import { type AzureAnswer, type AzureRequest, RawAnswer } from "./service.js";

const RESOURCE = "FederatedIdentityCredential";

export function credentialRoutes(parts: GraphParts): GraphMethod[] {
  const access = new GraphAccess(parts.directory);
  const owner = (request: AzureRequest, right: "applications:read" | "applications:write"): ApplicationRecord => {
    // Reading oneself does not go as far as the credentials.
    access.require(request.caller, right);
    return findApplication(parts, access, request, right);
  };
  const all = (request: AzureRequest, { id }: ApplicationRecord): FederatedCredentialRecord[] => parts.graph.credentials(request.caller.tenantId, id);
  const one = (request: AzureRequest, application: ApplicationRecord): FederatedCredentialRecord => {
    const { credential, name } = request.params;
    const found = all(request, application).find((each) => (name === undefined ? each.id === credential || each.name === credential : each.name === name));
    if (!found) throw graphError("notFound", credential ?? name ?? "");
    return found;
  };
  const pathOf = ({ id }: ApplicationRecord): string => `applications('${id}')/federatedIdentityCredentials`;

  const list = (request: AzureRequest): AzureAnswer => {
    const application = owner(request, "applications:read");
    return collection(request, pathOf(application), all(request, application).map((each) => ({ ...each })));
  };
  const read = (request: AzureRequest): AzureAnswer => {
    const application = owner(request, "applications:read");
    return entity(request, pathOf(application), { ...one(request, application) });
  };
  const create = (request: AzureRequest): AzureAnswer => {
    const application = owner(request, "applications:write");
    const body = bodyOf(request);
    const credential: FederatedCredentialRecord = { id: randomUUID(), name: nameOf(body), ...valuesOf(body) };
    const others = all(request, application);
    if (others.some(({ name }) => name === credential.name)) throw graphError("credentialDuplicate", credential.name);
    if (others.length >= numberRules.federatedCredentials.max) throw graphError("credentialLimit");
    assertUnique(credential, others);
    parts.graph.putCredential(request.caller.tenantId, application.id, credential);
    return RawAnswer.json(201, entity(request, pathOf(application), { ...credential }));
  };
  const update = (request: AzureRequest): AzureAnswer => {
    const application = owner(request, "applications:write");
    const before = one(request, application);
    const body = bodyOf(request);
    if (body["name"] !== undefined && body["name"] !== before.name) throw badRequest(`Property 'name' of resource '${RESOURCE}' is read-only and cannot be changed.`);
    const after: FederatedCredentialRecord = { id: before.id, name: before.name, ...valuesOf({ ...before, ...body }) };
    assertUnique(after, all(request, application).filter(({ id }) => id !== before.id));
    parts.graph.putCredential(request.caller.tenantId, application.id, after);
    return RawAnswer.json(204);
  };
  const remove = (request: AzureRequest): AzureAnswer => {
    const application = owner(request, "applications:write");
    parts.graph.deleteCredential(request.caller.tenantId, application.id, one(request, application).id);
    return RawAnswer.json(204);
  };
  return ["/applications/{id}", "/applications(appId='{appId}')"].flatMap((application): GraphMethod[] => {
    const path = `${application}/federatedIdentityCredentials`;
    return [
      ["GET", path, "ListFederatedIdentityCredentials", list],
      ["POST", path, "CreateFederatedIdentityCredential", create],
      ...[`${path}/{credential}`, `${path}(name='{name}')`].flatMap((single): GraphMethod[] => [
        ["GET", single, "GetFederatedIdentityCredential", read],
        ["PATCH", single, "UpdateFederatedIdentityCredential", update],
        ["DELETE", single, "DeleteFederatedIdentityCredential", remove],
      ]),
    ];
  });
}

function nameOf(body: Readonly<Record<string, unknown>>): string {
  const name = textOf(body, "name", RESOURCE);
  if (ruleViolation("federatedCredential", name) !== undefined) throw badRequest(`Invalid value specified for property 'name' of resource '${RESOURCE}'.`);
  return name;
}

/** Values are taken as they come but for their length: what is wrong with them shows at the exchange. */
function valuesOf(body: Readonly<Record<string, unknown>>): Omit<FederatedCredentialRecord, "id" | "name"> {
  if (body["claimsMatchingExpression"] !== undefined && body["claimsMatchingExpression"] !== null) {
    throw badRequest("Flexible federated identity credentials are not supported for this issuer.");
  }
  const issuer = textOf(body, "issuer", RESOURCE);
  const subject = textOf(body, "subject", RESOURCE);
  const audiences: unknown = body["audiences"];
  if (!Array.isArray(audiences) || audiences.length !== 1 || typeof audiences[0] !== "string" || audiences[0] === "") {
    throw badRequest(`Invalid value specified for property 'audiences' of resource '${RESOURCE}'. Exactly one audience is expected.`);
  }
  const description = typeof body["description"] === "string" ? body["description"] : null;
  for (const [name, value, { max }] of [
    ["issuer", issuer, textRules.issuer],
    ["subject", subject, textRules.subject],
    ["audiences", audiences[0], textRules.audience],
    ["description", description ?? "", textRules.federatedDescription],
  ] as const) {
    if (value.length > max) throw badRequest(`Invalid value specified for property '${name}' of resource '${RESOURCE}'. The length limit is ${max} characters.`);
  }
  if (!/^https:\/\//i.test(issuer.trim())) throw badRequest(`Invalid value specified for property 'issuer' of resource '${RESOURCE}'. The issuer has to be an https URL.`);
  return { issuer, subject, audiences: [audiences[0]], description };
}

function assertUnique({ issuer, subject }: FederatedCredentialRecord, others: readonly FederatedCredentialRecord[]): void {
  if (others.some((other) => other.issuer === issuer && other.subject === subject)) throw graphError("credentialSubjectDuplicate");
}
