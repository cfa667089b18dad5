import * as fc from "fast-check";
import {
  AzureAppServiceTarget,
  AzureArtifactContainer,
  AzureFederatedApplication,
  AzureFederatedIdentity,
  AzureRefusalContainer,
  AzureResourceGroup,
  AzureRoleAssignment,
  roleAssignmentName,
  tagConflicts,
  type AzureAppServiceTargetArgs,
  type AzureArtifactContainerArgs,
  type AzureFederatedApplicationArgs,
  type AzureFederatedIdentityArgs,
  type AzureResourceGroupArgs,
  type AzureRoleAssignmentArgs,
} from "../../components/azure/index.js";
import { failureReason, passesByItself } from "../../components/azure/failures.js";
import { credentialName } from "../../components/azure/federated-credential.js";
import { workloadDoubt, workloadViolation, type WorkloadClaim } from "../../components/azure/workload.js";
import { ARM_ERRORS, type ServiceErrorFact } from "../../facts/azure/arm-errors.js";
import { ruleViolation } from "../../facts/azure/limits.js";
import { visible } from "../../trust/azure/difference.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { armId, fakeAzure, foundAccount, foundContainer, foundIdentity, groupId, guidOf, runAzure, SUBSCRIPTION, TENANT, type FakeAzure } from "./fake-azure.js";

forwardRejections();

const ISSUER = "https://oidc.dcf.example";
const SUBJECT = "system:serviceaccount:dcf:project-4711";
const AUDIENCE = "api://AzureADTokenExchange";
const workload = { issuer: ISSUER, subject: SUBJECT, audience: AUDIENCE };
const GROUP = "rg-acme-dcf";
const IDENTITIES = "rg-acme-identity";
const location = "westeurope";
const PRINCIPAL = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb";
const CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d";

type Running = ReturnType<typeof runAzure>;

/** The mistakes that a run ended with, given that it made nothing. */
async function mistakes(running: Running): Promise<string> {
  const { result, children } = await running;
  expect([...children.keys()]).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

async function accepted(running: Running) {
  const finished = await running;
  expect(finished.result.errors).toEqual([]);
  return finished;
}

const outputsOf = ({ result }: Awaited<Running>) => Object.fromEntries(Object.entries(result.outputs).map(([name, { value }]) => [name, value]));
const urnOf = (done: Awaited<Running>, name: string) => done.child(name).urn;

const identityWith = (args: Partial<AzureFederatedIdentityArgs> = {}, cloud?: FakeAzure) =>
  runAzure(() => {
    const { clientId, principalId, tenantId, identityId, identity, federatedCredentials } = new AzureFederatedIdentity("dcf", {
      resourceGroupName: IDENTITIES,
      location,
      identityName: "id-acme-dcf",
      credentials: [workload],
      ...args,
    });
    return { clientId, principalId, tenantId, identityId, identity, federatedCredentials };
  }, cloud);

describe("AzureFederatedIdentity", () => {
  const id = armId(IDENTITIES, "Microsoft.ManagedIdentity/userAssignedIdentities", "id-acme-dcf");
  const name = credentialName("dcf", ISSUER, SUBJECT);

  it("makes an identity that trusts exactly one workload", async () => {
    const done = await accepted(identityWith({ tags: { team: "platform" } }));
    expect([...done.children.keys()]).toEqual(["dcf-identity", "dcf-credential"]);
    expect(done.child("dcf-identity").inputs).toEqual({ resourceGroupName: IDENTITIES, resourceName: "id-acme-dcf", location, tags: { team: "platform" } });
    expect(done.child("dcf-credential").inputs).toEqual({
      resourceGroupName: IDENTITIES,
      resourceName: "id-acme-dcf",
      federatedIdentityCredentialResourceName: name,
      issuer: ISSUER,
      subject: SUBJECT,
      audiences: [AUDIENCE],
    });
    expect(outputsOf(done)).toEqual({
      clientId: guidOf("client of id-acme-dcf"),
      principalId: guidOf("principal of id-acme-dcf"),
      tenantId: TENANT,
      identityId: id,
      identity: { kind: "managed-identity", resourceId: id },
      federatedCredentials: [name],
    });
  });

  it("writes the credentials of one identity one after another", async () => {
    const done = await accepted(identityWith({ credentials: [1, 2, 3].map((index) => ({ ...workload, subject: `${SUBJECT}-${index}` })) }));
    const urns = ["dcf-credential", "dcf-credential-2", "dcf-credential-3"].map((child) => urnOf(done, child));
    expect(done.child("dcf-credential-2").dependencies).toContain(urns[0]);
    expect(done.child("dcf-credential-3").dependencies).toContain(urns[1]);
    expect(done.child("dcf-credential").dependencies).not.toContain(urns[1]);
  });

  it("names a credential by issuer and subject, and by nothing else", () => {
    expect(credentialName("dcf", ISSUER, SUBJECT)).toBe("dcf-ab3f68c8");
    expect(credentialName("dcf", ISSUER, `${SUBJECT}x`)).not.toBe(credentialName("dcf", ISSUER, SUBJECT));
    expect(credentialName("dcf", `${ISSUER}/`, SUBJECT)).not.toBe(credentialName("dcf", ISSUER, SUBJECT));
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), fc.string(), (component, issuer, subject) => {
        expect(ruleViolation("federatedCredential", credentialName(component, issuer, subject))).toBeUndefined();
      }),
    );
  });

  it("takes a credential's name as given", async () => {
    const done = await accepted(identityWith({ credentials: [{ ...workload, credentialName: "dcf-project-4711" }] }));
    expect(done.child("dcf-credential").inputs.federatedIdentityCredentialResourceName).toBe("dcf-project-4711");
  });

  it("adopts an identity by id: it gets the credential, and nothing else of it is changed", async () => {
    const cloud = fakeAzure({ found: { getUserAssignedIdentity: { "id-theirs": foundIdentity(IDENTITIES, "id-theirs") } } });
    const existingIdentityId = armId(IDENTITIES, "Microsoft.ManagedIdentity/userAssignedIdentities", "id-theirs");
    const done = await accepted(identityWith({ resourceGroupName: undefined, location: undefined, identityName: undefined, existingIdentityId }, cloud));
    expect([...done.children.keys()]).toEqual(["dcf-credential"]);
    expect(done.child("dcf-credential").inputs).toMatchObject({ resourceGroupName: IDENTITIES, resourceName: "id-theirs" });
    expect(outputsOf(done)).toMatchObject({ identityId: existingIdentityId, clientId: guidOf("client of id-theirs") });
  });

  it("does not take an identity of the same name in another subscription for the one that is meant", async () => {
    const cloud = fakeAzure({ found: { getUserAssignedIdentity: { "id-theirs": foundIdentity(IDENTITIES, "id-theirs") } } });
    const existingIdentityId = armId(IDENTITIES, "Microsoft.ManagedIdentity/userAssignedIdentities", "id-theirs").replace(SUBSCRIPTION, "bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f");
    const text = await mistakes(identityWith({ resourceGroupName: undefined, location: undefined, identityName: undefined, existingIdentityId }, cloud));
    expect(text).toContain("existingIdentityId: must be in the subscription that the provider is configured for (azure-native:subscriptionId)");
  });

  const twenty = Array.from({ length: 20 }, (_, index) => ({ ...workload, subject: `${SUBJECT}-${index}` }));
  const existing = { resourceGroupName: undefined, location: undefined, identityName: undefined, existingIdentityId: armId(IDENTITIES, "Microsoft.ManagedIdentity/userAssignedIdentities", "id-theirs") };

  it("takes 20 credentials, those that are there counted, and refuses the 21st", async () => {
    const cloud = fakeAzure({ found: { getUserAssignedIdentity: { "id-theirs": foundIdentity(IDENTITIES, "id-theirs") } } });
    await accepted(identityWith({ credentials: twenty }));
    expect(await mistakes(identityWith({ credentials: [...twenty, workload] }))).toContain("credentials: must be at most 20 on one identity; got 21. Use a second identity");
    await accepted(identityWith({ ...existing, existingCredentials: 19 }, cloud));
    expect(await mistakes(identityWith({ ...existing, existingCredentials: 20 }, cloud))).toContain(
      "credentials: must be at most 20 on one identity; got 1 beside the 20 that are there (existingCredentials). Use a second identity",
    );
  });

  const head = 'AzureFederatedIdentity "dcf" has a mistake in its inputs: ';
  it.each<[string, Partial<AzureFederatedIdentityArgs>, string]>([
    ["no credential", { credentials: [] }, "credentials: must have at least one: without a credential nobody is trusted"],
    ["a pair of issuer and subject twice", { credentials: [workload, { ...workload, audience: "other" }] }, "credentials[1]: has issuer and subject of credentials[0]: Entra takes a pair once on one identity, with one audience"],
    ["a short name", { identityName: "id" }, 'identityName: must be 3 to 128 letters, digits, hyphens or underscores that begin with a letter or digit; got "id"'],
    ["no group", { resourceGroupName: undefined }, "resourceGroupName: is required: a resource group's name, such as rg-acme-dcf"],
    ["a region's display name", { location: "West Europe" }, `location: must be a region's short name, in lower case and without blanks; got "West Europe"`],
    ["a credential's name with a dot", { credentials: [{ ...workload, credentialName: "dcf.4711" }] }, 'credentials[0].credentialName: must be 3 to 120 letters, digits, hyphens or underscores that begin with a letter or digit; got "dcf.4711"'],
    ["an id that is a name", { ...existing, existingIdentityId: "id-theirs" }, 'existingIdentityId: must be an ARM id of the form /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>; got "id-theirs"'],
    ["a region for an existing identity", { ...existing, location }, "location: has no effect on an existing identity, which is never changed: leave it out"],
    ["a count for a new identity", { existingCredentials: 3 }, "existingCredentials: goes with existingIdentityId only: a new identity has none"],
    ["tags that differ in case alone", { tags: { Team: "a", team: "b" } }, 'tags["team"]: differs from the tag "Team" only in case, which Azure takes for the same name'],
  ])("refuses %s before anything is made", async (_name, args, line) => {
    expect(await mistakes(identityWith(args))).toBe(`${head}${line}`);
  });

  it("reports all mistakes at once", async () => {
    const text = await mistakes(identityWith({ identityName: "x", location: undefined, credentials: [{ issuer: "http://x", subject: " s", audience: "" }] }));
    expect(text).toMatch(/^AzureFederatedIdentity "dcf" has 5 mistakes in its inputs: /);
  });
});

describe("a workload's values", () => {
  const refused: [WorkloadClaim, string, string][] = [
    ["issuer", "http://oidc.dcf.example", "must begin with https:// in lower case, as the tokens' iss does"],
    ["issuer", "HTTPS://oidc.dcf.example", "must begin with https:// in lower case, as the tokens' iss does"],
    ["issuer", "oidc.dcf.example", "must begin with https://"],
    ["issuer", "https://DDOE.ai/oauth2", "must have its host in lower case, as the tokens' iss does: Entra compares letter for letter"],
    ["issuer", "https://oidc.dcf.example/.well-known/openid-configuration", "must be the issuer, not the address of its metadata"],
    ["issuer", "https://oidc.dcf.example ", "must not begin or end with a blank"],
    ["issuer", "https://oidc.dcf.example\u200b", "has a character that nobody sees: type it anew instead of pasting it; got \"https://oidc.dcf.example\\u{200B}\""],
    ["issuer", "https://oidc.dcf.example?x=1", "must be an https URL without user, query, fragment and blanks"],
    ["subject", `${SUBJECT}\n`, "must not begin or end with a blank"],
    ["subject", "system:serviceaccount:dcf:\u00a0project", "has a character that nobody sees"],
    ["subject", "system:serviceaccount:DDOE:<service-name>", "has a placeholder, <service-name>: put in the platform's own value"],
    ["subject", "serviceAccount:dcf:project-4711", "looks like a Kubernetes service account, whose subject is system:serviceaccount:NAMESPACE:NAME, in lower case"],
    ["subject", "system:serviceAccount:dcf:project-4711", "looks like a Kubernetes service account"],
    ["subject", "system:serviceaccount:dcf/project-4711", "looks like a Kubernetes service account"],
    ["subject", "ddoe@customer-app-prod.iam.gserviceaccount.com", "is the address of a Google service account, whose tokens have its numeric unique id as sub"],
    ["subject", "system:serviceaccounts:dcf", "looks like a Kubernetes service account"],
    ["subject", "system:serviceaccount:Dcf:project-4711", "looks like a Kubernetes service account"],
    ["subject", "system:serviceaccount:dcf:*", "looks like a Kubernetes service account"],
    ["subject", "repo:acme/*", "must be one exact subject"],
    ["audience", "api://azureadtokenexchange", "must be api://AzureADTokenExchange, letter for letter"],
    ["audience", "api://AzureADTokenExchange/", "must be api://AzureADTokenExchange, letter for letter"],
    ["audience", "", "must be one exact audience"],
  ];
  it.each(refused)("are refused as %s: %j", (claim, value, reason) => {
    expect(workloadViolation(claim, value)).toContain(reason);
    expect(workloadViolation(claim, value)).toContain(`got ${visible(value)}`);
  });

  it.each<[WorkloadClaim, string]>([
    ["issuer", ISSUER],
    ["issuer", `${ISSUER}/`],
    ["issuer", "https://token.actions.githubusercontent.com/acme"],
    ["issuer", "https://oidc.dcf.example:8443/Tenant_A"],
    ["subject", SUBJECT],
    ["subject", "system:serviceaccount:dcf:project.4711"],
    ["subject", "repo:acme/app:environment:production"],
    ["subject", "Case And Blanks Inside"],
    ["audience", "api://AzureADTokenExchange"],
    ["audience", "api://AzureADTokenExchangeUSGov"],
    ["audience", "https://dcf.example/azure"],
  ])("are taken as %s: %j", (claim, value) => expect(workloadViolation(claim, value)).toBeUndefined());

  it("are doubted where an issuer ends in a slash", () => {
    expect(workloadDoubt("issuer", `${ISSUER}/`)).toContain("ends in a slash: Entra compares letter for letter");
    expect(workloadDoubt("issuer", ISSUER)).toBeUndefined();
    expect(workloadDoubt("subject", "a/")).toBeUndefined();
  });
});

const applicationWith = (args: Partial<AzureFederatedApplicationArgs> = {}, cloud?: FakeAzure) =>
  runAzure(() => {
    const { clientId, principalId, tenantId, applicationObjectId, identity, federatedCredentials } = new AzureFederatedApplication("ddoe", { displayName: "Acme DDOE", credentials: [workload], ...args });
    return { clientId, principalId, tenantId, applicationObjectId, identity, federatedCredentials };
  }, cloud);

describe("AzureFederatedApplication", () => {
  const objectId = guidOf("object of Acme DDOE");
  const clientId = guidOf("client of Acme DDOE");
  const name = credentialName("ddoe", ISSUER, SUBJECT);

  it("makes a single-tenant application without owners, roles and permissions, its service principal, and the credential", async () => {
    const done = await accepted(applicationWith());
    expect([...done.children.keys()]).toEqual(["ddoe-application", "ddoe-principal", "ddoe-credential"]);
    expect(done.child("ddoe-application").inputs).toEqual({ displayName: "Acme DDOE", signInAudience: "AzureADMyOrg", preventDuplicateNames: true });
    expect(done.child("ddoe-principal").inputs).toEqual({ clientId });
    expect(done.child("ddoe-credential").inputs).toEqual({ applicationId: `/applications/${objectId}`, displayName: name, issuer: ISSUER, subject: SUBJECT, audiences: [AUDIENCE] });
    expect(outputsOf(done)).toEqual({
      clientId,
      principalId: guidOf(`principal of ${clientId}`),
      tenantId: TENANT,
      applicationObjectId: objectId,
      identity: { kind: "application", objectId },
      federatedCredentials: [name],
    });
  });

  it("writes the credentials of one application one after another", async () => {
    const done = await accepted(applicationWith({ credentials: [workload, { ...workload, subject: `${SUBJECT}-2` }] }));
    expect(done.child("ddoe-credential-2").dependencies).toContain(urnOf(done, "ddoe-credential"));
  });

  const existingClientId = "00001111-aaaa-2222-bbbb-3333cccc4444";
  const there = (signInAudience: string) =>
    fakeAzure({
      found: {
        getApplication: { [existingClientId]: { objectId, displayName: "Theirs", signInAudience } },
        getServicePrincipal: { [existingClientId]: { objectId: PRINCIPAL, applicationTenantId: TENANT } },
      },
    });

  it("adopts an application of this tenant alone, and refuses one of many", async () => {
    const done = await accepted(applicationWith({ displayName: undefined, existingClientId }, there("AzureADMyOrg")));
    expect([...done.children.keys()]).toEqual(["ddoe-credential"]);
    expect(outputsOf(done)).toMatchObject({ clientId: existingClientId, principalId: PRINCIPAL, applicationObjectId: objectId });
    expect(await mistakes(applicationWith({ displayName: undefined, existingClientId }, there("AzureADMultipleOrgs")))).toContain(
      "existingClientId: must name an application of this tenant alone (signInAudience AzureADMyOrg); Theirs has AzureADMultipleOrgs",
    );
  });

  it.each<[string, Partial<AzureFederatedApplicationArgs>, string]>([
    ["a client id that is none", { displayName: undefined, existingClientId: "app" }, "existingClientId: must be an application (client) id: a GUID"],
    ["a name for an existing application", { existingClientId }, "displayName: has no effect on an existing application, which is never changed: leave it out"],
    ["a count for a new application", { existingCredentials: 1 }, "existingCredentials: goes with existingClientId only: a new application has none"],
    ["a name with angle brackets", { displayName: "Acme <DDOE>" }, 'displayName: must be 1 to 120 characters without any of <>;&%; got "Acme <DDOE>"'],
  ])("refuses %s before anything is made", async (_name, args, line) => {
    expect(await mistakes(applicationWith(args))).toContain(`AzureFederatedApplication "ddoe" has a mistake in its inputs: ${line}`);
  });
});

const assignmentWith = (args: Partial<AzureRoleAssignmentArgs> = {}) =>
  runAzure(() => {
    const { assignmentId, role, scope } = new AzureRoleAssignment("dcf-contributor", { scope: groupId(GROUP), principalId: PRINCIPAL, role: "Contributor", ...args });
    return { assignmentId, role, scope };
  });

describe("AzureRoleAssignment", () => {
  it("assigns one role to a service principal on one scope, under a name made of the three", async () => {
    const done = await accepted(assignmentWith());
    expect(done.child("dcf-contributor").inputs).toEqual({
      roleAssignmentName: roleAssignmentName(groupId(GROUP), PRINCIPAL, CONTRIBUTOR),
      scope: groupId(GROUP),
      roleDefinitionId: `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${CONTRIBUTOR}`,
      principalId: PRINCIPAL,
      principalType: "ServicePrincipal",
    });
    expect(outputsOf(done)).toMatchObject({ role: "Contributor", scope: groupId(GROUP) });
  });

  it("makes version 5 GUIDs that depend on scope, principal and role alone, and not on their case", () => {
    const name = roleAssignmentName(groupId(GROUP), PRINCIPAL, CONTRIBUTOR);
    expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(roleAssignmentName(groupId(GROUP).toUpperCase(), PRINCIPAL.toUpperCase(), CONTRIBUTOR)).toBe(name);
    const others = [roleAssignmentName(`${groupId(GROUP)}2`, PRINCIPAL, CONTRIBUTOR), roleAssignmentName(groupId(GROUP), TENANT, CONTRIBUTOR), roleAssignmentName(groupId(GROUP), PRINCIPAL, BLOB_CONTRIBUTOR)];
    expect(new Set([name, ...others]).size).toBe(4);
  });

  it("makes the name-based GUIDs that others make", () => {
    // Python: uuid.uuid5(uuid.NAMESPACE_URL, "a|b|c")
    expect(roleAssignmentName("a", "b", "c")).toBe("9d8a4c30-e985-57b6-9e24-40213e123949");
  });

  it.each<[string, Partial<AzureRoleAssignmentArgs>, string]>([
    ["a whole subscription", { scope: `/subscriptions/${SUBSCRIPTION}` }, `scope: must be the ARM id of a resource group or of something in one, not something above it: a role there reaches every group; got "/subscriptions/${SUBSCRIPTION}"`],
    ["a management group", { scope: "/providers/Microsoft.Management/managementGroups/acme" }, "scope: must be the ARM id of a resource group or of something in one, not something above it: a role there reaches every group"],
    ["a name as scope", { scope: GROUP }, `scope: must be the ARM id of a resource group or of something in one; got "${GROUP}"`],
    ["a principal that is no GUID", { principalId: "id-acme-dcf" }, "principalId: must be an object id: a GUID"],
    ["Owner", { role: "Owner" }, "role: must not be Owner, with which the workload could assign itself every other role"],
    ["User Access Administrator", { role: "User Access Administrator" }, "role: must not be User Access Administrator"],
    ["Role Based Access Control Administrator", { role: "Role Based Access Control Administrator" }, "role: must not be Role Based Access Control Administrator"],
    ["an unknown role", { role: "Contributer" }, "role: must be a built-in role that is known here (Contributor, "],
  ])("refuses %s before anything is made", async (_name, args, line) => {
    expect(await mistakes(assignmentWith(args))).toContain(`AzureRoleAssignment "dcf-contributor" has a mistake in its inputs: ${line}`);
  });
});

const groupWith = (args: Partial<AzureResourceGroupArgs> = {}, cloud?: FakeAzure) =>
  runAzure(() => {
    const { resourceGroupName, resourceGroupId, location: place } = new AzureResourceGroup("dcf-group", { resourceGroupName: GROUP, location, tags: { dcfCorrelationId: "dcf-4711" }, ...args });
    return { resourceGroupName, resourceGroupId, location: place };
  }, cloud);

describe("AzureResourceGroup", () => {
  const there = (tags: Record<string, string>) => fakeAzure({ found: { getResourceGroup: { [GROUP]: { id: groupId(GROUP), location: "northeurope", tags } } } });
  const existing = { existing: true, location: undefined };

  it("makes a group with its tags, which stays on destroy unless told otherwise", async () => {
    const done = await accepted(groupWith());
    expect(done.child("dcf-group").inputs).toEqual({ resourceGroupName: GROUP, location, tags: { dcfCorrelationId: "dcf-4711" } });
    expect(done.child("dcf-group").retainOnDelete).toBe(true);
    expect((await accepted(groupWith({ retainOnDestroy: false }))).child("dcf-group").retainOnDelete).toBe(false);
    expect(outputsOf(done)).toEqual({ resourceGroupName: GROUP, resourceGroupId: groupId(GROUP), location });
  });

  it("merges its tag into those of an existing group at its scope, and leaves it there on destroy", async () => {
    const done = await accepted(groupWith(existing, there({ "cost-centre": "42" })));
    expect([...done.children.keys()]).toEqual(["dcf-group-tags"]);
    expect(done.child("dcf-group-tags").inputs).toEqual({ scope: groupId(GROUP), properties: { tags: { dcfCorrelationId: "dcf-4711" } } });
    expect(done.child("dcf-group-tags").retainOnDelete).toBe(true);
    expect(outputsOf(done)).toEqual({ resourceGroupName: GROUP, resourceGroupId: groupId(GROUP), location: "northeurope" });
    expect([...(await accepted(groupWith({ ...existing, tags: undefined }, there({})))).children.keys()]).toEqual([]);
  });

  it("takes a tag that is there with its value, and never writes over another", async () => {
    await accepted(groupWith(existing, there({ DCFCORRELATIONID: "dcf-4711" })));
    expect(await mistakes(groupWith(existing, there({ dcfcorrelationid: "dcf-1" })))).toBe(
      'AzureResourceGroup "dcf-group" has a mistake in its inputs: tags["dcfCorrelationId"]: is to be "dcf-4711", but the resource group rg-acme-dcf has the tag dcfcorrelationid with the value "dcf-1", which is not written over. ' +
        `Use the group that is meant, or, where the former value is given up, change it with \`az tag update --resource-id ${groupId(GROUP)} --operation Merge --tags dcfcorrelationid=dcf-4711\``,
    );
  });

  it("compares values with their case", () => {
    expect(tagConflicts({ id: "x", name: "x", tags: { a: "V" } }, { a: "v" })).toHaveLength(1);
    expect(tagConflicts({ id: "x", name: "x" }, { a: "v" })).toEqual([]);
  });

  it.each<[string, Partial<AzureResourceGroupArgs>, string]>([
    ["a name that ends in a period", { resourceGroupName: "rg." }, 'resourceGroupName: must be 1 to 90 letters, digits or any of -._() that do not end with a period; got "rg."'],
    ["a new group without a region", { location: undefined }, "location: is required: a region, such as westeurope"],
    ["a region for an existing group", { existing: true }, "location: has no effect on an existing group, which is never changed: leave it out"],
    ["a reserved tag", { tags: { "microsoft-x": "1" } }, 'tags["microsoft-x"]: the name must be 1 to 512 characters without any of <>%&\\?/ that do not begin with azure, microsoft or windows; got "microsoft-x"'],
    ["a long value", { tags: { a: "x".repeat(257) } }, 'tags["a"]: must be at most 256 characters'],
    ["51 tags", { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, "x"])) }, "tags: must be at most 50; got 51"],
  ])("refuses %s before anything is made", async (_name, args, line) => {
    expect(await mistakes(groupWith(args))).toContain(`AzureResourceGroup "dcf-group" has a mistake in its inputs: ${line}`);
  });
});

const containerWith = (args: Partial<AzureArtifactContainerArgs> = {}, cloud?: FakeAzure) =>
  runAzure(() => {
    const { accountName, accountId, containerName, containerId, blobEndpoint } = new AzureArtifactContainer("dcf-artifacts", {
      resourceGroupName: GROUP,
      location,
      accountName: "acmedcfartifacts",
      containerName: "artifacts",
      ...args,
    });
    return { accountName, accountId, containerName, containerId, blobEndpoint };
  }, cloud);

describe("AzureArtifactContainer", () => {
  const accountId = armId(GROUP, "Microsoft.Storage/storageAccounts", "acmedcfartifacts");
  const there = (changes = {}) => fakeAzure({ found: { getStorageAccount: { acmedcfartifacts: foundAccount(GROUP, "acmedcfartifacts") }, getBlobContainer: { artifacts: foundContainer(GROUP, "acmedcfartifacts", "artifacts", changes) } } });
  const existing = { existingAccount: true, location: undefined };

  it("makes an account that takes Entra's tokens alone, over TLS alone, and lets nobody in without", async () => {
    const done = await accepted(containerWith({ tags: { team: "platform" } }));
    expect([...done.children.keys()]).toEqual(["dcf-artifacts-account", "dcf-artifacts-service", "dcf-artifacts-container"]);
    expect(done.child("dcf-artifacts-account").inputs).toEqual({
      resourceGroupName: GROUP,
      accountName: "acmedcfartifacts",
      location,
      kind: "StorageV2",
      sku: { name: "Standard_LRS" },
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      allowCrossTenantReplication: false,
      defaultToOAuthAuthentication: true,
      enableHttpsTrafficOnly: true,
      minimumTlsVersion: "TLS1_2",
      publicNetworkAccess: "Enabled",
      networkRuleSet: { defaultAction: "Allow", bypass: "AzureServices" },
      tags: { team: "platform" },
    });
    expect(done.child("dcf-artifacts-service").inputs).toEqual({
      resourceGroupName: GROUP,
      accountName: "acmedcfartifacts",
      blobServicesName: "default",
      isVersioningEnabled: false,
      deleteRetentionPolicy: { enabled: true, days: 7 },
      containerDeleteRetentionPolicy: { enabled: true, days: 7 },
    });
    expect(done.child("dcf-artifacts-container").inputs).toEqual({ resourceGroupName: GROUP, accountName: "acmedcfartifacts", containerName: "artifacts", publicAccess: "None" });
    expect([...done.children.values()].map(({ retainOnDelete }) => retainOnDelete)).toEqual([true, true, true]);
    expect(outputsOf(done)).toEqual({
      accountName: "acmedcfartifacts",
      accountId,
      containerName: "artifacts",
      containerId: `${accountId}/blobServices/default/containers/artifacts`,
      blobEndpoint: "https://acmedcfartifacts.blob.core.windows.net/",
    });
  });

  it("keeps versions, deletes soft or not, and expires blobs as asked", async () => {
    const done = await accepted(containerWith({ versioning: true, softDeleteDays: 0, blobsExpireAfterDays: 90, sku: "Standard_ZRS", retainOnDestroy: false }));
    expect(done.child("dcf-artifacts-service").inputs).toMatchObject({ isVersioningEnabled: true, deleteRetentionPolicy: { enabled: false }, containerDeleteRetentionPolicy: { enabled: false } });
    expect(done.child("dcf-artifacts-account").inputs.sku).toEqual({ name: "Standard_ZRS" });
    expect(done.child("dcf-artifacts-lifecycle").inputs).toEqual({
      resourceGroupName: GROUP,
      accountName: "acmedcfartifacts",
      managementPolicyName: "default",
      policy: {
        rules: [
          {
            name: "expire-artifacts",
            type: "Lifecycle",
            enabled: true,
            definition: {
              filters: { blobTypes: ["blockBlob"], prefixMatch: ["artifacts/"] },
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 90 } }, version: { delete: { daysAfterCreationGreaterThan: 90 } } },
            },
          },
        ],
      },
    });
    expect([...done.children.values()].map(({ retainOnDelete }) => retainOnDelete)).toEqual([false, false, false, false]);
  });

  it("makes a container in an existing account, or nothing in an existing container", async () => {
    const done = await accepted(containerWith(existing, there()));
    expect([...done.children.keys()]).toEqual(["dcf-artifacts-container"]);
    const both = await accepted(containerWith({ ...existing, existingContainer: true }, there()));
    expect([...both.children.keys()]).toEqual([]);
    expect(outputsOf(both)).toEqual(outputsOf(done));
  });

  it.each<[string, Partial<AzureArtifactContainerArgs>, string]>([
    ["an account in capitals", { accountName: "AcmeArtifacts" }, 'accountName: must be 3 to 24 lower-case letters or digits; got "AcmeArtifacts"'],
    ["a reserved word", { accountName: "loginfiles" }, 'accountName: must not have the word login, which Azure reserves; got "loginfiles"'],
    ["two hyphens in a row", { containerName: "a--b" }, 'containerName: must be 3 to 63 lower-case letters, digits or single hyphens that begin and end with a letter or digit; got "a--b"'],
    ["366 days", { softDeleteDays: 366 }, "softDeleteDays: must be a whole number from 1 to 365 (days), or 0 to switch it off; got 366"],
    ["an expiry of no days", { blobsExpireAfterDays: 0 }, "blobsExpireAfterDays: must be a whole number from 1 to 3650 (days); got 0"],
    ["settings of an existing account", { ...existing, versioning: true }, "versioning: has no effect on an existing account, which is never changed: leave it out"],
    ["an existing container in a new account", { existingContainer: true }, "existingContainer: is of no use in an account that is created: it has none yet"],
    ["keeping what exists anyway", { ...existing, existingContainer: true, retainOnDestroy: true }, "retainOnDestroy: has no effect on an existing container, which is never changed: leave it out"],
    ["a new account without a region", { location: undefined }, "location: is required: a region, such as westeurope"],
  ])("refuses %s before anything is made", async (_name, args, line) => {
    expect(await mistakes(containerWith(args, there()))).toBe(`AzureArtifactContainer "dcf-artifacts" has a mistake in its inputs: ${line}`);
  });

  it("takes the edges of what it refuses", async () => {
    await accepted(containerWith({ accountName: "abc", containerName: "a-b", softDeleteDays: 365, blobsExpireAfterDays: 1 }));
    await accepted(containerWith({ ...existing, versioning: false }, there()));
  });
});

describe("AzureRefusalContainer", () => {
  it("is empty, closed, and nobody's", async () => {
    const done = await accepted(
      runAzure(() => {
        const { containerName } = new AzureRefusalContainer("dcf-refusal", { resourceGroupName: GROUP, accountName: "acmedcfartifacts", containerName: "artifacts-refusal" });
        return { containerName };
      }),
    );
    expect([...done.children.keys()]).toEqual(["dcf-refusal"]);
    expect(done.child("dcf-refusal").inputs).toEqual({ resourceGroupName: GROUP, accountName: "acmedcfartifacts", containerName: "artifacts-refusal", publicAccess: "None" });
    expect(done.assignments()).toEqual([]);
  });

  it("refuses a name that Azure would", async () => {
    const running = runAzure(() => {
      new AzureRefusalContainer("dcf-refusal", { resourceGroupName: GROUP, accountName: "acmedcfartifacts", containerName: "-x" });
    });
    expect(await mistakes(running)).toContain('AzureRefusalContainer "dcf-refusal" has a mistake in its inputs: containerName: must be 3 to 63');
  });
});

const targetWith = (args: Partial<AzureAppServiceTargetArgs> = {}, cloud?: FakeAzure) =>
  runAzure(() => {
    const { registryName, loginServer, planId, siteName, hostName, pullIdentityId, containerPort } = new AzureAppServiceTarget("dcf-app", {
      resourceGroupName: GROUP,
      location,
      registryName: "acmedcf",
      planName: "plan-acme-dcf",
      siteName: "app-acme-dcf",
      ...args,
    });
    return { registryName, loginServer, planId, siteName, hostName, pullIdentityId, containerPort };
  }, cloud);

describe("AzureAppServiceTarget", () => {
  const registryId = armId(GROUP, "Microsoft.ContainerRegistry/registries", "acmedcf");
  const planId = armId(GROUP, "Microsoft.Web/serverfarms", "plan-acme-dcf");
  const pullId = armId(GROUP, "Microsoft.ManagedIdentity/userAssignedIdentities", "dcf-app-pull");
  const found = {
    getRegistry: { acmedcf: { id: registryId, loginServer: "acmedcf-x.azurecr.io" } },
    getAppServicePlan: { "plan-acme-dcf": { id: planId } },
    getWebApp: { "app-acme-dcf": { id: armId(GROUP, "Microsoft.Web/sites", "app-acme-dcf"), defaultHostName: "app-acme-dcf-x.azurewebsites.net" } },
    getUserAssignedIdentity: { "id-pull": foundIdentity(GROUP, "id-pull") },
  };
  const existingPullIdentityId = armId(GROUP, "Microsoft.ManagedIdentity/userAssignedIdentities", "id-pull");

  it("makes a registry without passwords, a plan for Linux, and a site that pulls with an identity of its own", async () => {
    const done = await accepted(targetWith({ tags: { team: "platform" } }));
    expect([...done.children.keys()].sort()).toEqual(["dcf-app-plan", "dcf-app-pull", "dcf-app-pull-access", "dcf-app-registry", "dcf-app-site"]);
    const place = { resourceGroupName: GROUP, location, tags: { team: "platform" } };
    expect(done.child("dcf-app-registry").inputs).toMatchObject({
      ...place,
      registryName: "acmedcf",
      sku: { name: "Basic" },
      adminUserEnabled: false,
      anonymousPullEnabled: false,
      policies: { azureADAuthenticationAsArmPolicy: { status: "enabled" } },
    });
    expect(done.child("dcf-app-registry").retainOnDelete).toBe(true);
    expect(done.child("dcf-app-plan").inputs).toEqual({ ...place, name: "plan-acme-dcf", kind: "linux", reserved: true, sku: { name: "B1" } });
    expect(done.child("dcf-app-site").inputs).toMatchObject({
      ...place,
      name: "app-acme-dcf",
      kind: "app,linux,container",
      reserved: true,
      serverFarmId: planId,
      httpsOnly: true,
      identity: { type: "UserAssigned", userAssignedIdentities: [pullId] },
      siteConfig: {
        linuxFxVersion: "DOCKER|mcr.microsoft.com/appsvc/staticsite:latest",
        acrUseManagedIdentityCreds: true,
        acrUserManagedIdentityID: guidOf("client of dcf-app-pull"),
        appSettings: [
          { name: "WEBSITES_PORT", value: "80" },
          { name: "WEBSITES_ENABLE_APP_SERVICE_STORAGE", value: "false" },
        ],
        ftpsState: "Disabled",
        minTlsVersion: "1.2",
        scmMinTlsVersion: "1.2",
        http20Enabled: true,
      },
    });
    expect(done.assignments()).toEqual([{ scope: registryId, role: ACR_PULL, principalId: guidOf("principal of dcf-app-pull") }]);
    expect(outputsOf(done)).toEqual({
      registryName: "acmedcf",
      loginServer: "acmedcf.azurecr.io",
      planId,
      siteName: "app-acme-dcf",
      hostName: "app-acme-dcf.azurewebsites.net",
      pullIdentityId: pullId,
      containerPort: 80,
    });
  });

  it("does without a site", async () => {
    const done = await accepted(targetWith({ siteName: undefined }));
    expect(done.children.has("dcf-app-site")).toBe(false);
    expect(Object.keys(outputsOf(done)).sort()).toEqual(["containerPort", "loginServer", "planId", "pullIdentityId", "registryName"]);
  });

  it("makes nothing of what exists, and reads host names back", async () => {
    const all = { existingRegistry: true, existingPlan: true, existingSite: true, existingPullIdentityId };
    const done = await accepted(targetWith(all, fakeAzure({ found })));
    expect([...done.children.keys()]).toEqual([]);
    expect(outputsOf(done)).toMatchObject({ loginServer: "acmedcf-x.azurecr.io", hostName: "app-acme-dcf-x.azurewebsites.net", pullIdentityId: existingPullIdentityId });
  });

  it("lets an existing identity pull from a new registry, and a new identity from an existing one", async () => {
    expect((await accepted(targetWith({ existingPullIdentityId }, fakeAzure({ found })))).assignments()).toEqual([{ scope: registryId, role: ACR_PULL, principalId: guidOf("principal of id-pull") }]);
    expect((await accepted(targetWith({ existingRegistry: true }, fakeAzure({ found })))).assignments()).toEqual([{ scope: registryId, role: ACR_PULL, principalId: guidOf("principal of dcf-app-pull") }]);
  });

  it.each<[string, Partial<AzureAppServiceTargetArgs>, string]>([
    ["a registry with a hyphen", { registryName: "acme-dcf" }, 'registryName: must be 5 to 50 letters or digits; got "acme-dcf"'],
    ["an unknown tier", { registryTier: "Classic" }, 'registryTier: must be one of Basic, Standard, Premium; got "Classic"'],
    ["an unknown size", { planSize: "B9" }, "planSize: must be one of F1, B1, "],
    ["a port that is none", { containerPort: 65536 }, "containerPort: must be a whole number from 1 to 65535 (port); got 65536"],
    ["a site that ends in a hyphen", { siteName: "app-" }, "siteName: must be 2 to 60 letters, digits or hyphens that neither begin nor end with a hyphen"],
    ["an existing site without its name", { siteName: undefined, existingSite: true, existingPlan: true }, "siteName: is required with existingSite: the name of the site"],
    ["an existing site on a new plan", { existingSite: true }, "existingPlan: must be true with an existing site: the plan that it is on"],
    ["a size of an existing plan", { existingPlan: true, planSize: "S1" }, "planSize: has no effect on an existing plan, which is never changed: leave it out"],
    ["a tier of an existing registry", { existingRegistry: true, registryTier: "Premium" }, "registryTier: has no effect on an existing registry, which is never changed: leave it out"],
    ["two pull identities", { existingPullIdentityId, pullIdentityName: "mine" }, "pullIdentityName: has no effect on an existing identity, which is never changed: leave it out"],
  ])("refuses %s before anything is made", async (_name, args, line) => {
    expect(await mistakes(targetWith(args, fakeAzure({ found })))).toContain(`AzureAppServiceTarget "dcf-app" has a mistake in its inputs: ${line}`);
  });
});

describe("a failure", () => {
  const said = (status: number, code: string, message: string) => `Status=${status} Code="${code}" Message="${message}"`;
  const arm = ({ httpStatus, code, text }: ServiceErrorFact, ...values: string[]) => said(httpStatus, code, text(...values));

  it.each<[string, string, string]>([
    ["a namespace that is not registered", arm(ARM_ERRORS.namespaceUnregistered, "Microsoft.Web"), "The subscription has not registered Microsoft.Web. Do so with `az provider register --namespace Microsoft.Web --wait`"],
    ["no quota", arm(ARM_ERRORS.planQuota, "Basic VMs"), "The subscription has no quota left for App Service plans of Basic VMs in this region (its limit is 0). Ask for quota in Azure Portal (Quotas, App Service), choose another size or region"],
    ["no quota, found by a template", said(400, "SubscriptionIsOverQuotaForSku", "x"), "The subscription has no quota left for App Service plans of this size in this region. Ask for quota"],
    ["what is there already", `cannot create already existing resource '${groupId(GROUP)}'`, `${groupId(GROUP)} is there already, and what this program did not create it does not take over. Adopt it`],
    ["a role that is assigned", arm(ARM_ERRORS.assignmentExists), "The same role is assigned to the same identity on the same scope already, under another name."],
    ["no right to assign roles", arm(ARM_ERRORS.authorizationFailed, "c", "o", "Microsoft.Authorization/roleAssignments/write", groupId(GROUP)), "The credentials of this run may not assign roles there: that takes Owner, User Access Administrator"],
    ["a 21st credential", arm(ARM_ERRORS.credentialLimit, "id-acme-dcf"), "The identity has as many federated credentials as Azure allows, 20."],
    ["a pair that is trusted already", arm(ARM_ERRORS.credentialDuplicate), "The identity trusts this issuer and subject by another credential already."],
    ["no right in the directory", said(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."), "The credentials of this run may not make applications in the directory"],
  ])("is explained where it is %s", (_name, error, reason) => {
    expect(failureReason(error)).toContain(reason);
    expect(passesByItself(error)).toBe(false);
  });

  it("is tried again where it passes by itself", () => {
    for (const error of [arm(ARM_ERRORS.credentialsConcurrent, "id-acme-dcf"), arm(ARM_ERRORS.principalNotFound, PRINCIPAL, TENANT), said(409, "ContainerBeingDeleted", "x")]) {
      expect(passesByItself(error)).toBe(true);
      expect(failureReason(error)).toBeUndefined();
    }
  });

  it("is left alone where Azure says enough", () => {
    for (const error of [arm(ARM_ERRORS.authorizationFailed, "c", "o", "Microsoft.Storage/storageAccounts/write", "s"), arm(ARM_ERRORS.policy, "r", "p")]) {
      expect([failureReason(error), passesByItself(error)]).toEqual([undefined, false]);
    }
  });
});

describe("in a preview", () => {
  it("what is only known later stays open, and mistakes are found all the same", async () => {
    const program = (identityName: string) => () => {
      const identity = new AzureFederatedIdentity("dcf", { resourceGroupName: IDENTITIES, location, identityName, credentials: [workload] });
      new AzureRoleAssignment("dcf-contributor", { scope: groupId(GROUP), principalId: identity.principalId, role: "Contributor" });
      return { principalId: identity.principalId };
    };
    const done = await runAzure(program("id-acme-dcf"), undefined, {}, true);
    expect(done.result.errors).toEqual([]);
    expect(done.result.outputs.principalId?.known).toBe(false);
    expect((await runAzure(program("x"), undefined, {}, true)).result.errors[0]).toContain("identityName: must be 3 to 128");
  });
});
