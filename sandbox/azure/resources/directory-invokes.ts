/** Functions of Pulumi's azuread package: what programs look up in the directory. https://www.pulumi.com/registry/packages/azuread/api-docs/ */
import type { InvokeBehaviour, Properties } from "../../types.js";
import type { AzureCloud, AzureScope } from "../types.js";
import { callerOf } from "./credentials.js";
import { application, servicePrincipal } from "./directory.js";
import { during, GraphApi, quoted } from "./graph-api.js";
import { graphOutputs, type GraphDefinition } from "./graph-behaviour.js";
import { text, without } from "./values.js";

export function createDirectoryInvokes(cloud: AzureCloud): ReadonlyMap<string, InvokeBehaviour<AzureScope>> {
  return new Map<string, InvokeBehaviour<AzureScope>>([
    [
      "azuread:index/getClientConfig:getClientConfig",
      async (_args, scope) => {
        const { clientId, objectId, tenantId } = await callerOf(cloud, scope);
        return { clientId, id: `${tenantId}-${clientId}-${objectId}`, objectId, tenantId };
      },
    ],
    [
      "azuread:index/getApplication:getApplication",
      async (args, scope) => {
        const found = await lookUp(new GraphApi(cloud, scope), application, { name: "Application", plural: "applications" }, args);
        const outputs = graphOutputs(application, `/applications/${String(found.id)}`, found);
        return { ...APPLICATION_BLOCKS, ...TEXTS, ...without(outputs, ["preventDuplicateNames"]), identifierUri: text(args.identifierUri) ?? "" };
      },
    ],
    [
      "azuread:index/getServicePrincipal:getServicePrincipal",
      async (args, scope) => {
        const found = await lookUp(new GraphApi(cloud, scope), servicePrincipal, { name: "Service principal", plural: "service principals" }, args);
        const outputs = graphOutputs(servicePrincipal, `/servicePrincipals/${String(found.id)}`, found);
        return { ...PRINCIPAL_BLOCKS, ...without(outputs, ["owners", "useExisting"]) };
      },
    ],
  ]);
}

/** What results declare to be there, and the sandbox's directory has nothing for. */
const TEXTS = { description: "", marketingUrl: "", notes: "", privacyStatementUrl: "", serviceManagementReference: "", supportUrl: "", termsOfServiceUrl: "" };
const APPLICATION_BLOCKS = {
  apis: [],
  appRoles: [],
  deviceOnlyAuthEnabled: false,
  fallbackPublicClientEnabled: false,
  groupMembershipClaims: [],
  identifierUris: [],
  oauth2PostResponseRequired: false,
  optionalClaims: [],
  publicClients: [],
  requiredResourceAccesses: [],
  singlePageApplications: [],
  tags: [],
  webs: [],
};
const PRINCIPAL_BLOCKS = { alternativeNames: [], appRoleAssignmentRequired: false, description: "", loginUrl: "", notes: "", notificationEmailAddresses: [], preferredSingleSignOnMode: "", samlSingleSignOns: [], tags: [] };

/** By object id, client id, display name or identifier URI: the first that is given. */
async function lookUp(api: GraphApi, { collection }: GraphDefinition, { name, plural }: { name: string; plural: string }, by: Properties): Promise<Properties> {
  const objectId = text(by.objectId);
  const where = collection({});
  if (objectId !== undefined) {
    const answer = await during(`Retrieving ${name} with object ID "${objectId}"`, api.find(`${where}/${objectId}`));
    if (answer) return answer;
    throw new Error(`${name} with object ID "${objectId}" was not found`);
  }
  const filter = filterOf(by);
  if (filter === undefined) throw new Error("one of `client_id,display_name,object_id` must be specified");
  const [answer, another] = await during(`Listing ${plural} for filter "${filter}"`, api.matching(where.slice(1), filter));
  if (!answer) throw new Error(`${name} not found: No ${plural} found matching filter: "${filter}"`);
  if (another) throw new Error(`Multiple ${plural} found: Found multiple ${plural} matching filter: "${filter}"`);
  return answer;
}

function filterOf({ clientId, displayName, identifierUri }: Properties): string | undefined {
  if (text(clientId) !== undefined) return `appId eq ${quoted(String(clientId))}`;
  if (text(displayName) !== undefined) return `displayName eq ${quoted(String(displayName))}`;
  return text(identifierUri) === undefined ? undefined : `identifierUris/any(uri:uri eq ${quoted(String(identifierUri))})`;
}
