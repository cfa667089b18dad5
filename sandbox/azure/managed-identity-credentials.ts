/** Federated identity credentials of managed identities. https://learn.microsoft.com/rest/api/managedidentity/federated-identity-credentials */
import { numberRules, textRules } from "../../facts/azure/limits.js";
import { armError, badRequest, parentNotFound, resourceNotFound } from "./arm-errors.js";
import { removeResource } from "./arm-removal.js";
import { identityId, IDENTITY_PATH, IDENTITY_TYPE } from "./managed-identity.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";

export const CREDENTIAL_TYPE = `${IDENTITY_TYPE}/federatedIdentityCredentials`;

/** For how long a write holds its identity, in milliseconds: one that arrives meanwhile is refused. */
const WRITE_MS = 25;

interface CredentialProperties {
  issuer: string;
  subject: string;
  audiences: string[];
}

/** Texts and statuses: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations#errors */
export function credentialRoutes(context: AzureServiceContext): AzureRoute[] {
  const path = `${IDENTITY_PATH}/federatedIdentityCredentials`;
  const writing = new Set<string>();
  const route = (method: AzureRoute["method"], at: string, operation: string, run: AzureRoute["run"]): AzureRoute => ({ method, path: at, operation: `arm:FederatedIdentityCredentials_${operation}`, run });

  /** One write at a time on one identity. */
  const alone = async (request: AzureRequest, write: () => AzureAnswer): Promise<AzureAnswer> => {
    const id = identityId(request);
    const key = id.toLowerCase();
    if (writing.has(key)) throw armError("credentialsConcurrent", id);
    writing.add(key);
    try {
      await new Promise((resolve) => setTimeout(resolve, WRITE_MS));
      return write();
    } finally {
      writing.delete(key);
    }
  };

  return [
    route("GET", path, "List", async (request) => {
      const identity = parentOf(context, request, "read");
      return { value: credentialsOf(context, identity).map(view) };
    }),
    route("GET", `${path}/{credential}`, "Get", async (request) => {
      parentOf(context, request, "read");
      const found = context.resources.get(credentialId(request));
      if (!found) throw resourceNotFound(credentialId(request));
      return view(found);
    }),
    route("PUT", `${path}/{credential}`, "CreateOrUpdate", async (request) => {
      const identity = parentOf(context, request, "write");
      const properties = readCredential(request);
      context.assertUnlocked(credentialId(request), "write");
      return alone(request, () => put(context, request, identity, properties));
    }),
    route("DELETE", `${path}/{credential}`, "Delete", async (request) => {
      parentOf(context, request, "delete");
      context.assertUnlocked(credentialId(request), "delete");
      return alone(request, () => RawAnswer.json(removeResource(context, credentialId(request)) ? 200 : 204));
    }),
  ];
}

const credentialId = (request: AzureRequest): string => `${identityId(request)}/federatedIdentityCredentials/${request.params["credential"] ?? ""}`;

function parentOf(context: AzureServiceContext, request: AzureRequest, right: "read" | "write" | "delete"): ArmResource {
  const { subscription = "", group = "", credential } = request.params;
  context.require(request.caller, `${CREDENTIAL_TYPE}/${right}`, credential === undefined ? identityId(request) : credentialId(request));
  context.groupOf(subscription, group);
  const identity = context.resources.get(identityId(request));
  if (!identity) throw right === "write" ? parentNotFound(right, "userAssignedIdentities/federatedIdentityCredentials", identityId(request)) : resourceNotFound(identityId(request));
  return identity;
}

const credentialsOf = ({ resources }: AzureServiceContext, identity: ArmResource): ArmResource[] => resources.list(CREDENTIAL_TYPE, identity.id);

/** What the service takes; that a value will never match a token it does not notice. */
function readCredential({ params, body }: AzureRequest): CredentialProperties {
  const { credential = "" } = params;
  const name = textRules.federatedCredential;
  if (!name.pattern.test(credential)) throw armError("credentialName", credential);
  const { properties } = (body ?? {}) as { properties?: { issuer?: unknown; subject?: unknown; audiences?: unknown } };
  const { issuer, subject, audiences } = properties ?? {};
  if (typeof issuer !== "string" || typeof subject !== "string" || !Array.isArray(audiences) || issuer === "" || subject === "") {
    throw badRequest("Federated Identity Credential from HTTP body has empty properties");
  }
  const [audience, ...others] = audiences.filter((each): each is string => typeof each === "string" && each !== "");
  if (audience === undefined || others.length > 0) throw badRequest("Federated identity credentials must have exactly one audience.");
  const long = Object.entries({ issuer, subject, audience }).find(([what, text]) => text.length > textRules[what as "issuer"].max);
  if (long) throw badRequest(`The Federated Identity Credential's ${long[0]} exceeds the maximum length of ${textRules.issuer.max} characters.`);
  if (!isHttpsUrl(issuer)) throw badRequest(`The Federated Identity Credential's issuer '${issuer}' must be a valid https URL.`);
  return { issuer, subject, audiences: [audience] };
}

function isHttpsUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === "https:";
}

function put(context: AzureServiceContext, request: AzureRequest, identity: ArmResource, properties: CredentialProperties): AzureAnswer {
  const id = credentialId(request);
  const before = context.resources.get(id);
  const others = credentialsOf(context, identity).filter((each) => each.id.toLowerCase() !== id.toLowerCase());
  if (others.some((each) => each.properties["issuer"] === properties.issuer && each.properties["subject"] === properties.subject)) {
    throw armError("credentialDuplicate");
  }
  if (others.length >= numberRules.federatedCredentials.max) throw armError("credentialLimit", identity.id);
  const wanted = context.applyPolicies({ id: `${identity.id}/federatedIdentityCredentials/${request.params["credential"] ?? ""}`, name: request.params["credential"] ?? "", type: CREDENTIAL_TYPE, properties: { ...properties } });
  return RawAnswer.json(before ? 200 : 201, view(context.resources.put(wanted, { propagates: true })));
}

const view = ({ id, name, type, properties }: ArmResource): object => ({ id, name, type, properties });
