import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import * as azuread from "@pulumi/azuread";

import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded, type EmbeddedOptions, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import { checkInputs, compareInputs, readInputs, resourceBehaviour } from "../../engine/operations.js";
import { createAzureAdTable } from "../../sandbox/azure/resources.js";
import type { AzureCaller, AzureCloud, AzureScope } from "../../sandbox/azure/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import type { ProviderTable } from "../../sandbox/types.js";

jest.setTimeout(300_000);

const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
type Json = Record<string, unknown>;

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let table: ProviderTable<AzureScope>;
beforeAll(async () => {
  sandbox = await startSandbox();
  table = sandbox.tables.find((each) => each.package === "azuread") as ProviderTable<AzureScope>;
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

const graph = (method: string, path: string, body?: unknown): Promise<Json> => sandbox.azure.call(sandbox.azure.administrator().caller, method, `https://graph.microsoft.com/v1.0${path}`, body);
const run = (program: EmbeddedOptions["program"], more: Partial<EmbeddedOptions> = {}) =>
  runEmbedded({ program, project: "proj", stack: "dev", config: { "azuread:tenantId": TENANT }, tables: sandbox.tables, ...more });
const single = (register: () => unknown, more: Partial<EmbeddedOptions> = {}) =>
  run(async () => {
    register();
    return {};
  }, more);
const named = (result: EmbeddedResult, name: string): EmbeddedResource => result.resources.find((resource) => resource.name === name)!;
const behaviourOf = (name: string) => table.resources.get(`azuread:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`)!;
async function drifted({ type, id, inputs, outputs, scope }: EmbeddedResource): Promise<string[] | "gone"> {
  const behaviour = resourceBehaviour(sandbox.tables, type);
  const found = await behaviour.read(id, scope!, outputs);
  return found ? [...compareInputs(behaviour, readInputs(behaviour, found.inputs, inputs), inputs).changes.keys()] : "gone";
}

const trust = { displayName: "dcf", issuer: "https://oidc.dcf.example", subject: "system:serviceaccount:dcf:project-4711", audiences: ["api://AzureADTokenExchange"] };

/** One of everything in the table, with most inputs given. */
async function everything(): Promise<Record<string, unknown>> {
  const application = new azuread.Application("application", {
    displayName: "DDOE",
    description: "d",
    notes: "n",
    signInAudience: "AzureADMyOrg",
    preventDuplicateNames: true,
    identifierUris: ["api://z.example", "api://a.example"],
    marketingUrl: "https://ddoe.example",
    tags: ["z", "a"],
  });
  const principal = new azuread.ServicePrincipal("principal", { clientId: application.clientId, appRoleAssignmentRequired: true, notes: "n", tags: ["z", "a"] });
  const credential = new azuread.ApplicationFederatedIdentityCredential("credential", { ...trust, applicationId: application.id, description: "d" });
  const registration = new azuread.ApplicationRegistration("registration", { displayName: "Registration", description: "d" });
  return { principal, credential, registration };
}

/** Properties of a class or result that the declarations do not allow to be undefined. */
function promised(file: string, kind: "class" | "Result"): string[] {
  const declarations = readFileSync(resolve(__dirname, "../../node_modules/@pulumi/azuread", `${file}.d.ts`), "utf8").replace(/\/\*\*[\s\S]*?\*\//g, "");
  const body = (kind === "class" ? /export declare class \w+ [^{]*\{([\s\S]*?)\n\}/ : /export interface \w+Result \{([\s\S]*?)\n\}/).exec(declarations)?.[1] ?? "";
  const members = [...body.matchAll(/^ {4}readonly (\w+)(\??): ((?:[^{};]|\{[^}]*\})*);/gm)];
  expect(members.length).toBeGreaterThan(0);
  return members.filter(([, , optional, type]) => optional === "" && !type!.includes("| undefined")).map(([, name]) => name!);
}

describe("the azuread resource table", () => {
  it("creates one of everything with all outputs that the declarations promise, and ids in the provider's forms", async () => {
    const made = await run(everything);
    expect(made.errors).toEqual([]);
    expect(new Set(made.resources.map(({ type }) => type))).toEqual(new Set(table.resources.keys()));
    for (const { type, outputs } of made.resources) {
      const missing = promised(type.split(":")[1]!.replace("index/", ""), "class").filter((name) => outputs[name] === undefined);
      expect([type, missing]).toEqual([type, []]);
    }
    const application = named(made, "application");
    const { objectId, clientId } = application.outputs;
    expect(application.id).toBe(`/applications/${String(objectId)}`);
    expect(application.outputs).toMatchObject({ displayName: "DDOE", signInAudience: "AzureADMyOrg", tags: ["z", "a"], identifierUris: ["api://z.example", "api://a.example"], marketingUrl: "https://ddoe.example" });
    const principal = named(made, "principal");
    expect(principal.id).toBe(`/servicePrincipals/${String(principal.outputs.objectId)}`);
    expect(principal.outputs).toMatchObject({ clientId, applicationTenantId: TENANT, displayName: "DDOE", accountEnabled: true, type: "Application", appRoleAssignmentRequired: true });
    const credential = named(made, "credential");
    expect(credential.id).toBe(`${String(objectId)}/federatedIdentityCredential/${String(credential.outputs.credentialId)}`);
    expect(credential.outputs).toMatchObject({ ...trust, applicationId: application.id, description: "d" });
    expect(await graph("GET", `/applications/${String(objectId)}/federatedIdentityCredentials/${String(credential.outputs.credentialId)}`)).toMatchObject({ name: "dcf", issuer: trust.issuer });
  });

  it("changes nothing in a second run, reads every input back, and imports by the documented ids", async () => {
    const first = await run(everything);
    const again = await run(everything, { previous: first.resources });
    expect(again.errors).toEqual([]);
    expect(new Set(again.resources.map(({ status }) => status))).toEqual(new Set(["same"]));
    for (const resource of first.resources) {
      const { type, name, id, inputs, scope } = resource;
      expect([name, await drifted(resource)]).toEqual([name, []]);
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const found = await behaviour.read(id, scope!);
      const unknown = name === "application" ? ["preventDuplicateNames", "identifierUris", "tags"] : name === "principal" ? ["tags"] : [];
      const differing = [...compareInputs(behaviour, readInputs(behaviour, found!.inputs, inputs), inputs).changes.keys()].filter((key) => !unknown.includes(key));
      expect([name, found!.id, differing]).toEqual([name, id, []]);
    }
    const { scope } = first.resources[0]! as { scope: AzureScope };
    await expect(behaviourOf("Application").read("00000000-0000-0000-0000-00000000000a", scope)).rejects.toThrow(
      '"00000000-0000-0000-0000-00000000000a" is no id of azuread:index/application:Application: it has the form /applications/OBJECT_ID',
    );
    await expect(behaviourOf("ApplicationFederatedIdentityCredential").read("/applications/x", scope)).rejects.toThrow(/it has the form OBJECT_ID\/federatedIdentityCredential\/CREDENTIAL_ID$/);
  });

  it("updates in place what can be, and clears what the program no longer says", async () => {
    const made = await run(everything);
    const states = new Map(made.resources.map((resource) => [resource.name, resource]));
    const change = async (name: string, changes: Json): Promise<Json> => {
      const { type, id, inputs, outputs, scope } = states.get(name)!;
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const { inputs: news, failures } = behaviour.check({ ...inputs, ...changes }, scope!, name, inputs);
      expect([failures, compareInputs(behaviour, inputs, news).replaces]).toEqual([[], false]);
      const updated = await behaviour.update(id, outputs, news, scope!);
      states.set(name, { ...states.get(name)!, inputs: news, outputs: updated });
      expect([name, await drifted(states.get(name)!)]).toEqual([name, []]);
      return updated;
    };
    const application = await change("application", { displayName: "Other", description: undefined, tags: ["b"], marketingUrl: undefined, preventDuplicateNames: undefined });
    expect(application).toMatchObject({ displayName: "Other", tags: ["b"], notes: "n" });
    expect([application.description, application.marketingUrl]).toEqual([undefined, undefined]);
    expect(await change("principal", { accountEnabled: false, appRoleAssignmentRequired: undefined })).toMatchObject({ accountEnabled: false, appRoleAssignmentRequired: false });
    expect(await change("principal", { accountEnabled: undefined })).toMatchObject({ accountEnabled: true });
    expect(await change("credential", { subject: "other", audiences: ["other"], issuer: "https://other.example", description: undefined })).toMatchObject({ subject: "other", audiences: ["other"], issuer: "https://other.example" });
    expect(await change("registration", { displayName: "Other" })).toMatchObject({ displayName: "Other" });
  });

  it("replaces what cannot be changed", () => {
    const scope = table.scope({});
    const replaces = (name: string, olds: Json, changes: Json) => {
      const behaviour = behaviourOf(name);
      return compareInputs(behaviour, behaviour.check(olds, scope, "x").inputs, behaviour.check({ ...olds, ...changes }, scope, "x").inputs).replaces;
    };
    const credential = { ...trust, applicationId: "/applications/00000000-0000-0000-0000-00000000000a" };
    expect(replaces("ApplicationFederatedIdentityCredential", credential, { displayName: "other" })).toBe(true);
    expect(replaces("ApplicationFederatedIdentityCredential", credential, { applicationId: "/applications/00000000-0000-0000-0000-00000000000b" })).toBe(true);
    expect(replaces("ApplicationFederatedIdentityCredential", credential, { subject: "other" })).toBe(false);
    expect(replaces("ServicePrincipal", { clientId: "a" }, { clientId: "b" })).toBe(true);
    expect(replaces("ServicePrincipal", { clientId: "a" }, { accountEnabled: false })).toBe(false);
    expect(replaces("Application", { displayName: "a" }, { displayName: "b" })).toBe(false);
  });

  it("sees drift of every kind", async () => {
    const made = await run(everything);
    const path = (name: string) => named(made, name).id;
    await graph("PATCH", path("application"), { displayName: "Else", tags: ["a", "z"] });
    await graph("PATCH", path("principal"), { accountEnabled: false });
    const [objectId = "", , credentialId = ""] = path("credential").split("/");
    await graph("PATCH", `/applications/${objectId}/federatedIdentityCredentials/${credentialId}`, { subject: "System:ServiceAccount:dcf:project-4711" });
    expect(await drifted(named(made, "application"))).toEqual(["displayName"]);
    expect(await drifted(named(made, "principal"))).toEqual(["accountEnabled"]);
    expect(await drifted(named(made, "credential"))).toEqual(["subject"]);
    await graph("DELETE", path("application"));
    expect(await drifted(named(made, "application"))).toBe("gone");
    expect(await drifted(named(made, "credential"))).toBe("gone");
    expect((await destroyEmbedded(made.resources, sandbox.tables)).errors).toEqual([]);
    expect(await graph("GET", `/servicePrincipals?$filter=displayName eq 'DDOE'`)).toMatchObject({ value: [] });
  });

  it("words errors as the provider does", async () => {
    const { id, appId } = await graph("POST", "/applications", { displayName: "taken" });
    const principal = await graph("POST", "/servicePrincipals", { appId });
    const applicationId = `/applications/${String(id)}`;
    await graph("POST", `${applicationId}/federatedIdentityCredentials`, { name: "dcf", issuer: trust.issuer, subject: trust.subject, audiences: trust.audiences });
    const needsImport = (type: string) => `To be managed via Terraform, this resource needs to be imported into the State. Please see the resource documentation for "${type}" for more information.`;
    const cases: [() => unknown, string | RegExp][] = [
      [
        () => new azuread.Application("a", { displayName: "taken", preventDuplicateNames: true }),
        `An existing "azuread_application" with name "taken" (ID: "${String(id)}") was found and \`prevent_duplicate_names\` was specified: ${needsImport("azuread_application")}`,
      ],
      [() => new azuread.ServicePrincipal("p", { clientId: String(appId) }), `A resource with the ID "/servicePrincipals/${String(principal.id)}" already exists: ${needsImport("azuread_service_principal")}`],
      [() => new azuread.ServicePrincipal("p", { clientId: "00000000-0000-0000-0000-00000000000a" }), /^Could not create service principal: unexpected status 400 \(400 Bad Request\) with error: \w+: /],
      [
        () => new azuread.ApplicationFederatedIdentityCredential("c", { ...trust, applicationId }),
        /^Could not create federated identity credential: unexpected status 409 \(409 Conflict\) with error: Request_MultipleObjectsWithSameKeyValue: /,
      ],
      [
        () => new azuread.ApplicationFederatedIdentityCredential("c", { ...trust, applicationId: "/applications/00000000-0000-0000-0000-00000000000a" }),
        /^Could not create federated identity credential: unexpected status 404 \(404 Not Found\) with error: Request_ResourceNotFound: /,
      ],
      [
        () => new azuread.ApplicationFederatedIdentityCredential("c", { ...trust, applicationId: String(id) }),
        `applicationId: expected application_id to be the resource ID of an application, such as /applications/OBJECT_ID, got ${String(id)}`,
      ],
      [() => new azuread.ApplicationFederatedIdentityCredential("c", { ...trust, applicationId, audiences: ["a", "b"] }), "audiences: Too many list items: attribute supports 1 item maximum, but config has 2 declared."],
      [() => new azuread.Application("a", { displayName: "a", web: { homepageUrl: "https://a.example" } }), "web: the sandbox does not play this input of azuread:index/application:Application; leave it out of what is tried there"],
    ];
    for (const [register, message] of cases) {
      const { error } = (await single(register)).resources[0]!;
      if (typeof message === "string") expect(error).toBe(message);
      else expect(error).toMatch(message);
    }
    expect(checkInputs(behaviourOf("ApplicationFederatedIdentityCredential"), { applicationId }, table.scope({}), "x", undefined).failures).toEqual(
      ["audiences", "displayName", "issuer", "subject"].map((name) => `${name}: Missing required argument. The argument "${name}" is required, but no definition was found.`),
    );
    const stranger: AzureCaller = { kind: "servicePrincipal", tenantId: TENANT, objectId: "00000000-0000-0000-0000-00000000beef", clientId: "00000000-0000-0000-0000-00000000cafe", name: "s", audience: "" };
    await expect(behaviourOf("Application").create({ displayName: "a" }, { ...table.scope({}), caller: stranger })).rejects.toThrow(
      "Could not create application: unexpected status 403 (403 Forbidden) with error: Authorization_RequestDenied: Insufficient privileges to complete the operation.",
    );
  });

  it("takes over a service principal that exists, where it is told to", async () => {
    const { appId } = await graph("POST", "/applications", { displayName: "taken" });
    const principal = await graph("POST", "/servicePrincipals", { appId });
    const made = await single(() => new azuread.ServicePrincipal("p", { clientId: String(appId), useExisting: true, notes: "ours" }));
    expect(made.resources[0]).toMatchObject({ status: "created", id: `/servicePrincipals/${String(principal.id)}`, outputs: { notes: "ours", useExisting: true } });
  });

  it("writes credentials of one application one after the other", async () => {
    let [now, most] = [0, 0];
    const call: AzureCloud["call"] = async (caller, method, url, body) => {
      const counted = method === "POST" && url.endsWith("/federatedIdentityCredentials");
      if (counted) most = Math.max(most, ++now);
      await new Promise((done) => setImmediate(done));
      return sandbox.azure.call<never>(caller, method, url, body).finally(() => (now -= counted ? 1 : 0));
    };
    const counting = createAzureAdTable(Object.create(sandbox.azure, { call: { value: call } }) as AzureCloud);
    const made = await run(
      async () => {
        const application = new azuread.Application("a", { displayName: "a" });
        for (const subject of ["first", "second", "third"]) new azuread.ApplicationFederatedIdentityCredential(subject, { ...trust, applicationId: application.id, displayName: subject, subject });
        return {};
      },
      { tables: [counting] },
    );
    expect([made.errors, most]).toEqual([[], 1]);
  });

  it("answers what programs look up, in the shapes that the declarations promise", async () => {
    const made = await run(everything);
    const { clientId, objectId } = named(made, "application").outputs as Record<string, string>;
    const principalId = String(named(made, "principal").outputs.objectId);
    const found = await run(async () => ({
      client: await azuread.getClientConfig(),
      application: await azuread.getApplication({ clientId: clientId! }),
      byObjectId: await azuread.getApplication({ objectId: objectId! }),
      byName: await azuread.getApplication({ displayName: "DDOE" }),
      principal: await azuread.getServicePrincipal({ clientId: clientId! }),
      principalById: await azuread.getServicePrincipal({ objectId: principalId }),
    }));
    expect(found.errors).toEqual([]);
    const values = Object.fromEntries(Object.entries(found.outputs).map(([key, { value }]) => [key, value as Json]));
    const { caller } = sandbox.azure.administrator();
    expect(values.client).toMatchObject({ clientId: caller.clientId, objectId: caller.objectId, tenantId: TENANT });
    for (const name of ["application", "byObjectId", "byName"]) expect(values[name]).toMatchObject({ id: `/applications/${objectId!}`, clientId, displayName: "DDOE", signInAudience: "AzureADMyOrg" });
    for (const name of ["principal", "principalById"]) expect(values[name]).toMatchObject({ id: `/servicePrincipals/${principalId}`, clientId, applicationTenantId: TENANT, type: "Application" });
    for (const [name, file] of Object.entries({ client: "getClientConfig", application: "getApplication", principal: "getServicePrincipal" })) {
      expect([name, promised(file, "Result").filter((property) => values[name]![property] === undefined)]).toEqual([name, []]);
    }
    const lost = await run(async () => ({ application: await azuread.getApplication({ clientId: "00000000-0000-0000-0000-00000000000a" }) }));
    expect(lost.errors).toEqual([
      `invocation of azuread:index/getApplication:getApplication returned an error: Application not found: No applications found matching filter: "appId eq '00000000-0000-0000-0000-00000000000a'"`,
    ]);
  });

  it("acts in the tenant of its configuration, as whom its credentials prove", () => {
    expect(table.scope({})).toEqual({ tenantId: TENANT, subscriptionId: "", location: undefined, cloud: "public" });
    expect(table.scope({ tenantId: "ccccdddd-2222-eeee-3333-ffff4444aaaa", environment: "usgovernmentl4" })).toMatchObject({ cloud: "usgovernment" });
    expect(() => table.scope({ tenantId: "no.example" })).toThrow(`azuread:tenantId is no.example, which is no tenant of this sandbox; set it to ${TENANT}, or leave it out`);
    expect(() => table.scope({ clientId: "x" })).toThrow(/^azuread:clientId is set, but azuread:clientSecret is not: the sandbox's provider does not see ARM_CLIENT_SECRET or AZURE_CLIENT_SECRET of your environment; /);
  });
});
