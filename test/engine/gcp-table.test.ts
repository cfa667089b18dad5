import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import * as iam from "@pulumi/gcp/iam/index.js";
import * as organizations from "@pulumi/gcp/organizations/index.js";
import * as projects from "@pulumi/gcp/projects/index.js";
import { Provider } from "@pulumi/gcp/provider.js";
import * as serviceaccount from "@pulumi/gcp/serviceaccount/index.js";

import { openCliStack, type CliStack, type CliStackOptions, type PulumiCli } from "../../engine/cli-runner.js";
import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded, type EmbeddedOptions, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import { compareInputs, readInputs, resourceBehaviour } from "../../engine/operations.js";
import { startProviderServer, type ProviderServer } from "../../engine/provider-server.js";
import { GcpError, type GcpScope } from "../../sandbox/gcp/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import type { ProviderTable } from "../../sandbox/types.js";
import { describeWithPulumi, pulumi, temporaryProject, type TemporaryProject } from "./project.js";

jest.setTimeout(300_000);

const project = "customer-app-prod";
const config = { "gcp:project": project, "gcp:region": "us-central1" };
const IAM = "https://iam.googleapis.com/v1";
const PROJECT = `https://cloudresourcemanager.googleapis.com/v1/projects/${project}`;
const POOLS = `${IAM}/projects/${project}/locations/global/workloadIdentityPools`;
const parent = encodeURIComponent(`cloudresourcemanager.googleapis.com/projects/${project}`);

type Json = Record<string, unknown>;

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let table: ProviderTable<GcpScope>;
beforeAll(async () => {
  sandbox = await startSandbox();
  table = sandbox.tables.find((each) => each.package === "gcp") as ProviderTable<GcpScope>;
  // Deny policies are nobody's by ownership of the project.
  await bind({ role: "roles/iam.denyAdmin", members: [administrator()] });
  fresh = sandbox.snapshot();
});
beforeEach(() => {
  sandbox.restore(fresh);
  sandbox.core.settings.propagationDelaySeconds = 0;
});
afterAll(() => sandbox.close());

const administrator = (): string => `user:${sandbox.gcp.administrator().caller.name}`;
const call = (method: string, url: string, body?: unknown): Promise<Json> => sandbox.gcp.call(sandbox.gcp.administrator().caller, method, url, body);
const policy = async (): Promise<{ etag: string; bindings: Json[]; auditConfigs?: Json[] }> =>
  (await call("POST", `${PROJECT}:getIamPolicy`, { options: { requestedPolicyVersion: 3 } })) as never;
async function bind(binding: Json): Promise<void> {
  const { etag, bindings } = await policy();
  await call("POST", `${PROJECT}:setIamPolicy`, { policy: { version: 3, etag, bindings: [...bindings, binding] } });
}

const run = (program: EmbeddedOptions["program"], more: Partial<EmbeddedOptions> = {}) =>
  runEmbedded({ program, project: "proj", stack: "dev", config, tables: sandbox.tables, ...more });
const single = (register: () => unknown, more: Partial<EmbeddedOptions> = {}) =>
  run(async () => {
    register();
    return {};
  }, more);
const named = (result: EmbeddedResult, name: string): EmbeddedResource => result.resources.find((resource) => resource.name === name)!;

const until = { title: "until 2030", description: "d", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" };
const jwksJson = JSON.stringify({ keys: [] });

/** One of everything that IAM and projects have in the table, with most inputs given. */
async function everything(): Promise<Record<string, unknown>> {
  const api = new projects.Service("api", { service: "run.googleapis.com", disableOnDestroy: true });
  const pool = new iam.WorkloadIdentityPool("pool", { workloadIdentityPoolId: "dcf-pool", displayName: "DCF", description: "d" });
  const provider = new iam.WorkloadIdentityPoolProvider("provider", {
    workloadIdentityPoolId: pool.workloadIdentityPoolId,
    workloadIdentityPoolProviderId: "dcf-oidc",
    displayName: "DCF",
    description: "d",
    attributeMapping: { "google.subject": "assertion.sub", "attribute.aud": "assertion.aud" },
    attributeCondition: "assertion.sub == 'system:serviceaccount:dcf:project-4711'",
    oidc: { issuerUri: "https://oidc.dcf.example", allowedAudiences: ["z", "a"], jwksJson },
  });
  const aws = new iam.WorkloadIdentityPoolProvider("aws", {
    workloadIdentityPoolId: pool.workloadIdentityPoolId,
    workloadIdentityPoolProviderId: "klavi-aws",
    disabled: true,
    aws: { accountId: "111122223333" },
  });
  const account = new serviceaccount.Account("account", { accountId: "dcf-deployer", displayName: "DCF", description: "d" });
  const generated = new serviceaccount.Account("Runtime", { disabled: true });
  const subject = pool.name.apply((name) => `principal://iam.googleapis.com/${name}/subject/System:ServiceAccount`);
  const user = new serviceaccount.IAMMember("user", { serviceAccountId: account.name, role: "roles/iam.workloadIdentityUser", member: subject });
  const conditional = new serviceaccount.IAMMember("conditional", { serviceAccountId: account.name, role: "roles/iam.serviceAccountUser", member: generated.member, condition: until });
  const creators = new serviceaccount.IAMBinding("creators", {
    serviceAccountId: account.name,
    role: "roles/iam.serviceAccountTokenCreator",
    members: ["user:z@example.com", "user:a@example.com"],
  });
  const whole = new serviceaccount.IAMPolicy("whole", {
    serviceAccountId: generated.name,
    policyData: organizations.getIAMPolicyOutput({ bindings: [{ role: "roles/iam.serviceAccountUser", members: [account.member] }] }).policyData,
  });
  const role = new projects.IAMCustomRole("role", { roleId: "dcfArtifacts", title: "DCF", description: "d", permissions: ["storage.objects.get", "storage.objects.create"] });
  const viewer = new projects.IAMMember("viewer", { project, role: role.name, member: "user:Viewer@Example.com" });
  const logs = new projects.IAMBinding("logs", { project, role: "roles/logging.viewer", members: [account.member], condition: until });
  const audit = new projects.IAMAuditConfig("audit", {
    project,
    service: "sts.googleapis.com",
    auditLogConfigs: [{ logType: "DATA_WRITE" }, { logType: "DATA_READ", exemptedMembers: ["user:a@example.com"] }],
  });
  const deny = new iam.DenyPolicy("deny", {
    parent,
    name: "no-keys",
    displayName: "No keys",
    rules: [
      {
        description: "d",
        denyRule: {
          deniedPrincipals: ["principalSet://goog/public:all"],
          exceptionPrincipals: ["principal://goog/subject/break-glass@example.com"],
          deniedPermissions: ["iam.googleapis.com/serviceAccountKeys.create"],
        },
      },
    ],
  });
  return { api, provider, aws, user, conditional, creators, whole, viewer, logs, audit, deny };
}

/** Whole policies of projects end everybody else's rights: they are tried alone. */
const triedAlone = ["gcp:projects/iAMPolicy:IAMPolicy"];
const ours = /^gcp:(iam|serviceaccount|projects)\//;

/** Properties of a class or result that the declarations do not allow to be undefined. */
function promised(file: string, kind: "class" | "Result"): string[] {
  const declarations = readFileSync(file, "utf8").replace(/\/\*\*[\s\S]*?\*\//g, "");
  const body = (kind === "class" ? /export declare class \w+ [^{]*\{([\s\S]*?)\n\}/ : /export interface \w+Result \{([\s\S]*?)\n\}/).exec(declarations)?.[1] ?? "";
  const members = [...body.matchAll(/^ {4}readonly (\w+)(\??): ((?:[^{};]|\{[^}]*\})*);/gm)];
  expect(members.length).toBeGreaterThan(0);
  return members.filter(([, , optional, type]) => optional === "" && !type!.includes("| undefined")).map(([, name]) => name!);
}

const gcpPackage = resolve(__dirname, "../../node_modules/@pulumi/gcp");
const declarationOf = (token: string): string => {
  const [folder, file] = token.split(":")[1]!.split("/");
  const found = readdirSync(join(gcpPackage, folder!)).find((name) => name.toLowerCase() === `${file!.toLowerCase()}.d.ts`);
  const path = found && join(gcpPackage, folder!, found);
  expect([token, path]).toEqual([token, expect.any(String)]);
  return path!;
};

describe("the GCP resource table", () => {
  it("creates one of everything with all outputs that the declarations promise", async () => {
    const result = await run(everything);
    expect(result.errors).toEqual([]);
    const played = [...table.resources.keys()].filter((type) => ours.test(type) && !triedAlone.includes(type));
    expect(new Set(result.resources.map(({ type }) => type))).toEqual(new Set(played));
    for (const { type, outputs } of result.resources) {
      const missing = promised(declarationOf(type), "class").filter((name) => outputs[name] === undefined);
      expect([type, missing]).toEqual([type, []]);
    }

    const email = `dcf-deployer@${project}.iam.gserviceaccount.com`;
    const name = `projects/${project}/serviceAccounts/${email}`;
    expect(named(result, "pool")).toMatchObject({
      id: `projects/${project}/locations/global/workloadIdentityPools/dcf-pool`,
      outputs: { name: "projects/123456789012/locations/global/workloadIdentityPools/dcf-pool", state: "ACTIVE", disabled: false, deletionPolicy: "DELETE", project },
    });
    expect(named(result, "provider")).toMatchObject({
      id: `projects/${project}/locations/global/workloadIdentityPools/dcf-pool/providers/dcf-oidc`,
      outputs: { name: "projects/123456789012/locations/global/workloadIdentityPools/dcf-pool/providers/dcf-oidc", oidc: { allowedAudiences: ["z", "a"], jwksJson } },
    });
    expect(named(result, "account")).toMatchObject({ id: name, outputs: { email, name, member: `serviceAccount:${email}`, uniqueId: expect.stringMatching(/^\d{21}$/) } });
    expect(named(result, "Runtime").outputs).toMatchObject({ accountId: expect.stringMatching(/^runtime-[0-9a-f]{7}$/), disabled: true });
    const principal = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/dcf-pool/subject/System:ServiceAccount";
    expect(named(result, "user").id).toBe(`${name}/roles/iam.workloadIdentityUser/${principal}`);
    expect(named(result, "conditional").id).toBe(
      `${name}/roles/iam.serviceAccountUser/${String(named(result, "Runtime").outputs.member)}/${until.title}/${until.description}/${until.expression}`,
    );
    expect(named(result, "viewer")).toMatchObject({ id: `${project}/projects/${project}/roles/dcfArtifacts/user:viewer@example.com`, outputs: { member: "user:Viewer@Example.com" } });
    expect(named(result, "audit").id).toBe(`${project}/audit_config/sts.googleapis.com`);
    expect(named(result, "api").id).toBe(`${project}/run.googleapis.com`);
    expect(named(result, "role").id).toBe(`projects/${project}/roles/dcfArtifacts`);
    expect(named(result, "deny").id).toBe(`${parent}/no-keys`);
  });

  it("changes nothing in a second run, and reads every input back as it was given", async () => {
    const first = await run(everything);
    const again = await run(everything, { previous: first.resources });
    expect(again.errors).toEqual([]);
    expect(new Set(again.resources.map(({ status }) => status))).toEqual(new Set(["same"]));
    for (const { type, name, id, inputs, outputs, scope } of first.resources) {
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const found = await behaviour.read(id, scope!, outputs);
      expect([name, found!.id]).toEqual([name, id]);
      expect([name, [...compareInputs(behaviour, readInputs(behaviour, found!.inputs, inputs), inputs).changes.keys()]]).toEqual([name, []]);
    }
  });

  it("imports by the ids that the provider documents", async () => {
    const made = await run(everything);
    const [account, pool] = [String(named(made, "account").outputs.name), named(made, "pool").id];
    const member = String(named(made, "user").outputs.member);
    /** By name: ids that mean it, and the inputs that an import cannot know. */
    const ids: Record<string, [ids: string[], unknown?: string[]]> = {
      pool: [[pool, `${project}/dcf-pool`, "dcf-pool"]],
      provider: [[`${pool}/providers/dcf-oidc`, `${project}/dcf-pool/dcf-oidc`, "dcf-pool/dcf-oidc"]],
      account: [[account, `${project}/${account.split("/")[3]!}`, account.split("/")[3]!]],
      user: [[`${account} roles/iam.workloadIdentityUser ${member}`]],
      conditional: [[`${account} roles/iam.serviceAccountUser ${String(named(made, "Runtime").outputs.member)} ${until.title}`]],
      creators: [[`${account} roles/iam.serviceAccountTokenCreator`]],
      whole: [[String(named(made, "Runtime").outputs.name)]],
      role: [[`projects/${project}/roles/dcfArtifacts`, `${project}/dcfArtifacts`, "dcfArtifacts"], ["permissions"]],
      viewer: [[`${project} projects/${project}/roles/dcfArtifacts user:viewer@example.com`], ["member"]],
      logs: [[`${project} roles/logging.viewer ${until.title}`]],
      audit: [[`${project} sts.googleapis.com`]],
      api: [[`${project}/run.googleapis.com`], ["disableOnDestroy"]],
      deny: [[`${parent}/no-keys`]],
    };
    for (const [name, [forms, unknown = []]] of Object.entries(ids)) {
      const { type, id, inputs, scope } = named(made, name);
      const behaviour = resourceBehaviour(sandbox.tables, type);
      for (const form of forms) {
        const found = await behaviour.read(form, scope!);
        expect([form, found?.id]).toEqual([form, id]);
        const { changes } = compareInputs(behaviour, readInputs(behaviour, found!.inputs, inputs), inputs);
        expect([form, [...changes.keys()].filter((key) => !unknown.includes(key))]).toEqual([form, []]);
      }
    }
    const read = (name: string, id: string) => resourceBehaviour(sandbox.tables, named(made, name).type).read(id, named(made, name).scope!);
    await expect(read("user", account)).rejects.toThrow(`Wrong number of parts to Member id [${account}]; expected 'resource_name role member [condition_title]'.`);
    await expect(read("user", `${account} roles/iam.workloadIdentityUser user:nobody@example.com`)).rejects.toThrow(
      `Cannot find binding for "service account '${account}'" with role "roles/iam.workloadIdentityUser", member "user:nobody@example.com", and condition title ""`,
    );
  });

  it("previews with the names that creation then gives", async () => {
    const names = async () => {
      const account = new serviceaccount.Account("a", { accountId: "foreseen" });
      const role = new projects.IAMCustomRole("r", { roleId: "foreseen", title: "t", permissions: ["storage.objects.get"] });
      const pool = new iam.WorkloadIdentityPool("p", { workloadIdentityPoolId: "foreseen" });
      return { email: account.email, member: account.member, account: account.name, role: role.name, project: pool.project, pool: pool.name, uniqueId: account.uniqueId };
    };
    const preview = await run(names, { preview: true });
    expect(preview.errors).toEqual([]);
    const created = await run(names);
    const { pool, uniqueId, ...known } = preview.outputs;
    expect([pool!.known, uniqueId!.known]).toEqual([false, false]);
    expect(created.outputs).toMatchObject(known);
  });

  it("destroys what it made, and only that", async () => {
    await call("POST", "https://serviceusage.googleapis.com/v1/projects/customer-app-prod/services/sts.googleapis.com:enable", {});
    await bind({ role: "roles/browser", members: ["user:somebody@example.com"] });
    const result = await run(async () => {
      const kept = new projects.Service("kept", { service: "sts.googleapis.com" });
      return { ...(await everything()), kept };
    });
    const destroyed = await destroyEmbedded(result.resources, sandbox.tables);
    expect(destroyed.errors).toEqual([]);
    const left = await policy();
    expect(left).not.toHaveProperty("auditConfigs");
    expect(left.bindings.sort((a, b) => (String(a.role) < String(b.role) ? -1 : 1))).toEqual([
      { role: "roles/browser", members: ["user:somebody@example.com"] },
      { role: "roles/iam.denyAdmin", members: [administrator()] },
      { role: "roles/owner", members: [administrator()] },
    ]);
    expect(await call("GET", `${POOLS}/dcf-pool`)).toMatchObject({ state: "DELETED" });
    expect(await call("GET", `${IAM}/projects/${project}/roles/dcfArtifacts`)).toMatchObject({ deleted: true });
    const state = async (service: string) => (await call("GET", `https://serviceusage.googleapis.com/v1/projects/${project}/services/${service}`)).state;
    expect([await state("run.googleapis.com"), await state("sts.googleapis.com")]).toEqual(["DISABLED", "ENABLED"]);
    // What is gone already is no mistake.
    expect((await destroyEmbedded(result.resources, sandbox.tables)).errors).toEqual([]);
  });

  it("meets what was deleted as the provider does: pools are in the way, roles are brought back", async () => {
    const program = async () => {
      const pool = new iam.WorkloadIdentityPool("pool", { workloadIdentityPoolId: "dcf-pool" });
      const role = new projects.IAMCustomRole("role", { roleId: "dcfArtifacts", title: "again", permissions: ["storage.objects.get"] });
      return { pool: pool.state, role: role.deleted };
    };
    const first = await run(program);
    await destroyEmbedded(first.resources, sandbox.tables);
    const second = await run(program);
    expect(named(second, "pool").error).toBe("Error creating WorkloadIdentityPool: googleapi: Error 409: Requested entity already exists");
    expect(named(second, "role").outputs).toMatchObject({ deleted: false, title: "again" });
    const pool = named(first, "pool");
    expect(await resourceBehaviour(sandbox.tables, pool.type).read(pool.id, pool.scope!, pool.outputs)).toBeUndefined();
    await call("POST", `${POOLS}/dcf-pool:undelete`, {});
    expect(await resourceBehaviour(sandbox.tables, pool.type).read(pool.id, pool.scope!, pool.outputs)).toMatchObject({ id: pool.id });
    const third = await run(program);
    expect(named(third, "role").error).toBe(`Custom project role projects/${project}/roles/dcfArtifacts already exists and must be imported`);
  });

  it("words errors as the provider does", async () => {
    await call("POST", `${IAM}/projects/${project}/serviceAccounts`, { accountId: "taken-name" });
    const account = `projects/${project}/serviceAccounts/taken-name@${project}.iam.gserviceaccount.com`;
    const oidc = { workloadIdentityPoolId: "dcf-pool", workloadIdentityPoolProviderId: "dcf-oidc", attributeMapping: { "google.subject": "assertion.sub" } };
    const cases: [() => unknown, string | RegExp][] = [
      [
        () => new serviceaccount.Account("a", { accountId: "taken-name" }),
        /^Error creating service account: googleapi: Error 409: Service account taken-name already exists within project projects\/customer-app-prod\. Details: \[ \{ "@type": "type\.googleapis\.com\/google\.rpc\.ResourceInfo", "resourceName": "[^"]+" \} \] , alreadyExists$/,
      ],
      [() => new serviceaccount.Account("a", { accountId: "short" }), `accountId: "account_id" ("short") doesn't match regexp "^(?:[a-z](?:[-a-z0-9]{4,28}[a-z0-9]))$"`],
      [() => new iam.WorkloadIdentityPool("p", { workloadIdentityPoolId: "gcp-pool" }), 'workloadIdentityPoolId: "workload_identity_pool_id" ("gcp-pool") can not start with "gcp-"'],
      [() => new iam.WorkloadIdentityPool("p", { workloadIdentityPoolId: "abc" }), 'workloadIdentityPoolId: "workload_identity_pool_id" cannot be smaller than 4 characters'],
      [() => new iam.WorkloadIdentityPoolProvider("p", oidc), "oidc: only one of `aws,oidc,saml,x509` must be specified, and one must be; none is"],
      [
        () => new iam.WorkloadIdentityPoolProvider("p", { ...oidc, oidc: { issuerUri: "https://oidc.dcf.example" } }),
        "Error creating WorkloadIdentityPoolProvider: googleapi: Error 404: Requested entity was not found.",
      ],
      [
        () => new serviceaccount.IAMMember("m", { serviceAccountId: account, role: "roles/nothing", member: "user:a@example.com" }),
        `Error applying IAM policy for service account '${account}': Error setting IAM policy for service account '${account}': googleapi: Error 400: Role roles/nothing is not supported for this resource., badRequest`,
      ],
      [() => new serviceaccount.IAMMember("m", { serviceAccountId: "taken-name", role: "r", member: "user:a@example.com" }), /^serviceAccountId: "service_account_id" \("taken-name"\) doesn't match regexp /],
      [
        () => new projects.IAMMember("m", { project, role: "roles/viewer", member: "nobody" }),
        'member: invalid value "nobody" for member (IAM members must have one of the values outlined here: https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding)',
      ],
      [
        () => new projects.IAMMember("m", { project, role: "roles/viewer", member: "deleted:serviceAccount:a@b.iam.gserviceaccount.com?uid=1" }),
        "member: invalid value for member (Terraform does not support IAM members for deleted principals)",
      ],
      [
        () => new projects.IAMMember("m", { project: "no-such-project", role: "roles/viewer", member: "user:a@example.com" }),
        /^Error retrieving IAM policy for project "no-such-project": googleapi: Error 403: .*, forbidden$/,
      ],
      [
        () => new projects.Service("s", { service: "nothing.googleapis.com" }),
        /^Request `Enable Project Service "nothing\.googleapis\.com" for project "customer-app-prod"` returned error: failed to send enable services request: googleapi: Error 403: Not found or permission denied for service\(s\): nothing\.googleapis\.com\..*, forbidden$/,
      ],
      [() => new projects.Service("s", { service: "run" }), "service: expected run to be a domain like serviceusage.googleapis.com"],
      [() => new projects.IAMCustomRole("role", { title: "t", permissions: ["storage.objects.get"] }), /^roleId: "role_id" \("role-[0-9a-f]{7}"\) doesn't match regexp/],
      [
        () => new projects.IAMCustomRole("r", { roleId: "wrong", title: "t", permissions: ["storage.objects.put"] }),
        `Error creating the custom project role projects/${project}/roles/wrong: googleapi: Error 400: Permission storage.objects.put is not valid., badRequest`,
      ],
      [() => new iam.WorkloadIdentityPool("p", { workloadIdentityPoolId: "pool", inlineTrustConfig: {} }), /^inlineTrustConfig: the sandbox does not play this input of gcp:iam\/workloadIdentityPool:WorkloadIdentityPool; /],
    ];
    for (const [register, message] of cases) {
      const { error } = (await single(register)).resources[0]!;
      if (typeof message === "string") expect(error).toBe(message);
      else expect(error).toMatch(message);
    }
  });

  it("says which permission is missing where it acts for somebody without rights", async () => {
    await call("POST", `${IAM}/projects/${project}/serviceAccounts`, { accountId: "operator" });
    const stranger: GcpScope = { project, region: undefined, caller: { kind: "user", name: "s@example.com", members: ["user:s@example.com"], scopes: [] } };
    const behaviour = table.resources.get("gcp:iam/workloadIdentityPool:WorkloadIdentityPool")!;
    const error = await behaviour.create({ workloadIdentityPoolId: "dcf-pool", project }, stranger).catch((refused: unknown) => refused as Error);
    expect((error as Error).message).toMatch(
      /^Error creating WorkloadIdentityPool: googleapi: Error 403: Permission 'iam\.workloadIdentityPools\.create' denied on resource '\/\/iam\.googleapis\.com\/projects\/customer-app-prod\/locations\/global' \(or it may not exist\)\.\nDetails:/,
    );
  });

  it("keeps from deletion what the program says, and leaves behind what it says", async () => {
    const made = await run(async () => {
      new iam.WorkloadIdentityPool("kept", { workloadIdentityPoolId: "kept", deletionPolicy: "PREVENT" });
      new iam.WorkloadIdentityPool("left", { workloadIdentityPoolId: "left", deletionPolicy: "ABANDON" });
      return {};
    });
    const { errors } = await destroyEmbedded(made.resources, sandbox.tables);
    expect(errors).toEqual([
      'gcp:iam/workloadIdentityPool:WorkloadIdentityPool (kept): cannot destroy WorkloadIdentityPool without setting deletion_policy="DELETE" and running `terraform apply`',
    ]);
    expect(await call("GET", `${POOLS}/left`)).toMatchObject({ state: "ACTIVE" });
  });

  it("updates in place what can be, through the services", async () => {
    const made = await run(everything);
    const states = new Map(made.resources.map((resource) => [resource.name, resource]));
    const change = async (name: string, changes: Json) => {
      const { type, id, inputs, outputs, scope } = states.get(name)!;
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const { inputs: news, failures } = behaviour.check({ ...inputs, ...changes }, scope!, name, inputs);
      expect(failures).toEqual([]);
      expect(compareInputs(behaviour, inputs, news).replaces).toBe(false);
      const updated = await behaviour.update(id, outputs, news, scope!);
      const found = await behaviour.read(id, scope!, updated);
      expect([name, [...compareInputs(behaviour, readInputs(behaviour, found!.inputs, news), news).changes.keys()]]).toEqual([name, []]);
      states.set(name, { ...states.get(name)!, inputs: news, outputs: updated });
    };
    await change("pool", { disabled: true, displayName: "Other", description: undefined });
    await change("provider", { attributeCondition: "assertion.sub == 'x'", attributeMapping: { "google.subject": "assertion.sub" }, oidc: { issuerUri: "https://oidc.dcf.example" } });
    await change("aws", { disabled: false, displayName: "Klavi" });
    await change("account", { displayName: "Other", description: undefined, disabled: true });
    await change("account", { disabled: false });
    await change("creators", { members: ["user:b@example.com"] });
    await change("logs", { members: ["user:b@example.com"] });
    await change("role", { title: "Other", permissions: ["storage.objects.list"], description: undefined, stage: "BETA" });
    await change("audit", { auditLogConfigs: [{ logType: "ADMIN_READ" }] });
    await change("audit", { service: "iam.googleapis.com" });
    expect((await policy()).auditConfigs).toEqual([{ service: "iam.googleapis.com", auditLogConfigs: [{ logType: "ADMIN_READ" }] }]);
    await change("api", { disableOnDestroy: false });
    await change("deny", { displayName: "Other", rules: [{ denyRule: { deniedPrincipals: ["principalSet://goog/public:all"], deniedPermissions: ["iam.googleapis.com/roles.delete"] } }] });
    await change("whole", { policyData: JSON.stringify({ bindings: [{ role: "roles/iam.serviceAccountUser", members: ["user:b@example.com"] }] }) });
  });

  it("replaces what cannot be changed, members and bindings first of all away", () => {
    const scope = table.scope({ project });
    const replaces = (type: string, olds: Json, news: Json) => {
      const behaviour = table.resources.get(type)!;
      const { replaces: replaced, deleteBeforeReplace } = compareInputs(behaviour, behaviour.check(olds, scope, "x").inputs, behaviour.check(news, scope, "x").inputs);
      return [replaced, deleteBeforeReplace];
    };
    const pool = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool";
    expect(replaces(pool, { workloadIdentityPoolId: "aaaa" }, { workloadIdentityPoolId: "bbbb" })).toEqual([true, false]);
    expect(replaces(pool, { workloadIdentityPoolId: "aaaa" }, { workloadIdentityPoolId: "aaaa", project: "platform-host" })).toEqual([true, false]);
    expect(replaces(pool, { workloadIdentityPoolId: "aaaa" }, { workloadIdentityPoolId: "aaaa", disabled: true })).toEqual([false, false]);
    expect(replaces("gcp:serviceaccount/account:Account", { accountId: "aaaaaa" }, { accountId: "bbbbbb" })).toEqual([true, false]);
    const member = { project, role: "roles/viewer", member: "user:a@example.com" };
    for (const change of [{ role: "roles/browser" }, { member: "user:b@example.com" }, { condition: until }]) {
      expect(replaces("gcp:projects/iAMMember:IAMMember", member, { ...member, ...change })).toEqual([true, true]);
    }
    const binding = { project, role: "roles/viewer", members: ["user:a@example.com"] };
    expect(replaces("gcp:projects/iAMBinding:IAMBinding", binding, { ...binding, members: [] })).toEqual([false, false]);
    expect(replaces("gcp:projects/service:Service", { service: "run.googleapis.com" }, { service: "sts.googleapis.com" })).toEqual([true, false]);
  });

  it("sees drift of every kind", async () => {
    const made = await run(everything);
    const drifted = async (name: string): Promise<string[] | "gone"> => {
      const { type, id, inputs, outputs, scope } = named(made, name);
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const found = await behaviour.read(id, scope!, outputs);
      return found ? [...compareInputs(behaviour, readInputs(behaviour, found.inputs, inputs), inputs).changes.keys()] : "gone";
    };
    const account = String(named(made, "account").outputs.name);
    await call("PATCH", `${POOLS}/dcf-pool?updateMask=disabled`, { disabled: true });
    await call("PATCH", `${POOLS}/dcf-pool/providers/dcf-oidc?updateMask=oidc,attributeCondition`, { attributeCondition: "true", oidc: { issuerUri: "https://oidc.dcf.example" } });
    await call("DELETE", `${POOLS}/dcf-pool/providers/klavi-aws`);
    await call("POST", `${IAM}/${account}:disable`, {});
    await call("PATCH", `${IAM}/projects/${project}/roles/dcfArtifacts?updateMask=includedPermissions`, { includedPermissions: ["storage.objects.delete"] });
    const { etag } = await call("POST", `${IAM}/${account}:getIamPolicy?options.requestedPolicyVersion=3`);
    await call("POST", `${IAM}/${account}:setIamPolicy`, { policy: { etag, version: 3, bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: ["user:c@example.com"] }] } });
    await call("POST", "https://serviceusage.googleapis.com/v1/projects/customer-app-prod/services/run.googleapis.com:disable", {});
    expect(await drifted("pool")).toEqual(["disabled"]);
    expect(await drifted("provider")).toEqual(["attributeCondition", "oidc"]);
    expect(await drifted("aws")).toBe("gone");
    expect(await drifted("account")).toEqual(["disabled"]);
    expect(await drifted("role")).toEqual(["permissions"]);
    expect(await drifted("user")).toBe("gone");
    expect(await drifted("conditional")).toBe("gone");
    expect(await drifted("creators")).toEqual(["members"]);
    expect(await drifted("api")).toBe("gone");
    expect(await drifted("viewer")).toEqual([]);
  });

  it("adds members to the same policy at the same time without losing any, whoever else writes it", async () => {
    const people = Array.from({ length: 8 }, (_each, index) => `user:p${index}@example.com`);
    let interfered = 0;
    const stop = sandbox.core.store.onChange(() => {
      if (interfered > 2) return;
      interfered += 1;
      void policy().then(({ etag, bindings }) =>
        call("POST", `${PROJECT}:setIamPolicy`, { policy: { etag, version: 3, bindings: [...bindings, { role: "roles/browser", members: [`user:other${interfered}@example.com`] }] } }).catch(
          (error: unknown) => expect(error).toBeInstanceOf(GcpError),
        ),
      );
    });
    const made = await run(async () => {
      for (const member of people) new projects.IAMMember(member, { project, role: "roles/viewer", member });
      return {};
    });
    stop();
    expect(made.errors).toEqual([]);
    const viewers = (await policy()).bindings.filter(({ role }) => role === "roles/viewer").flatMap(({ members }) => members as string[]);
    expect(viewers.sort()).toEqual(people);
  });

  it("writes a project's whole policy, and reads it back without order", async () => {
    const owner = { role: "roles/owner", members: [administrator()] };
    const made = await single(
      () => new projects.IAMPolicy("p", { project, policyData: JSON.stringify({ bindings: [owner, { role: "roles/browser", members: ["user:z@example.com", "user:a@example.com"] }] }) }),
    );
    expect(made.errors).toEqual([]);
    const { id, inputs, outputs, scope, type } = made.resources[0]!;
    const behaviour = resourceBehaviour(sandbox.tables, type);
    const { etag } = await policy();
    await call("POST", `${PROJECT}:setIamPolicy`, { policy: { etag, bindings: [{ role: "roles/browser", members: ["user:a@example.com", "user:z@example.com"] }, owner] } });
    expect((await behaviour.read(id, scope!, outputs))!.inputs).toEqual(inputs);
    expect((await behaviour.read(id, scope!))!.outputs).toMatchObject({ project, policyData: expect.stringContaining("roles/browser") });
  });

  it("enables APIs that are not there at once, and waits for those", async () => {
    sandbox.core.settings.propagationDelaySeconds = 1;
    const made = await single(() => new projects.Service("s", { service: "artifactregistry.googleapis.com" }));
    expect(made.errors).toEqual([]);
    const scope = table.scope({ project });
    const repositories = "https://artifactregistry.googleapis.com/v1/projects/customer-app-prod/locations/us-central1/repositories";
    await expect(call("GET", repositories)).rejects.toMatchObject({ info: { reason: "SERVICE_DISABLED" } });
    const { Api } = await import("../../sandbox/gcp/resources/api.js");
    await expect(new Api(sandbox.gcp, scope).call("GET", repositories)).resolves.toEqual(expect.any(Object));
    const elsewhere = repositories.replace(project, "platform-host");
    await expect(new Api(sandbox.gcp, scope).call("GET", elsewhere)).rejects.toThrow(/^googleapi: Error 403: Artifact Registry API has not been used in project 210987654321 before or it is disabled\./);
  });

  it("answers what programs look up, in the shapes that the declarations promise", async () => {
    const made = await run(everything);
    const account = String(named(made, "account").outputs.name);
    const found = await run(async () => ({
      client: await organizations.getClientConfig(),
      me: await organizations.getClientOpenIdUserInfo(),
      project: await organizations.getProject(),
      host: await organizations.getProject({ projectId: "platform-host" }),
      search: await projects.getProject({ filter: "labels.cloud-federation-sandbox=true" }),
      document: await organizations.getIAMPolicy({ bindings: [{ role: "roles/viewer", members: ["user:b@example.com", "user:a@example.com"] }] }),
      policy: await projects.getIamPolicy({ project }),
      service: await projects.getProjectService({ service: "run.googleapis.com" }),
      custom: await projects.getIamCustomRole({ roleId: "dcfArtifacts" }),
      role: await iam.getRule({ name: "roles/iam.workloadIdentityUser" }),
      pool: await iam.getWorkloadIdentityPool({ workloadIdentityPoolId: "dcf-pool" }),
      provider: await iam.getWorkloadIdentityPoolProvider({ workloadIdentityPoolId: "dcf-pool", workloadIdentityPoolProviderId: "dcf-oidc" }),
      account: await serviceaccount.getAccount({ accountId: "dcf-deployer" }),
      byEmail: await serviceaccount.getAccount({ accountId: account.split("/")[3]! }),
      accountPolicy: await serviceaccount.getIamPolicy({ serviceAccountId: account }),
    }));
    expect(found.errors).toEqual([]);
    const values = Object.fromEntries(Object.entries(found.outputs).map(([key, { value }]) => [key, value as Json]));
    expect(values.client).toMatchObject({ project, region: "us-central1", zone: "", accessToken: sandbox.gcp.administrator().accessToken });
    expect(values.me).toEqual({ email: sandbox.gcp.administrator().caller.name, id: sandbox.gcp.administrator().caller.name });
    expect(values.project).toMatchObject({ projectId: project, number: "123456789012", labels: { "cloud-federation-sandbox": "true" }, orgId: "100000000001" });
    expect(values.host).toMatchObject({ number: "210987654321" });
    expect((values.search!.projects as Json[]).map(({ projectId }) => projectId).sort()).toEqual([project, "platform-host"]);
    expect(values.document!.policyData).toBe('{"bindings":[{"role":"roles/viewer","members":["user:a@example.com","user:b@example.com"]}]}');
    expect(values.role!.includedPermissions).toContain("iam.serviceAccounts.getAccessToken");
    expect(values.provider).toMatchObject({ aws: [], oidcs: [{ issuerUri: "https://oidc.dcf.example" }], state: "ACTIVE" });
    expect(values.byEmail).toMatchObject({ email: values.account!.email, uniqueId: values.account!.uniqueId });
    expect(String(values.accountPolicy!.policyData)).toContain("roles/iam.workloadIdentityUser");
    const files = {
      client: "organizations/getClientConfig",
      me: "organizations/getClientOpenIdUserInfo",
      project: "organizations/getProject",
      search: "projects/getProject",
      document: "organizations/getIAMPolicy",
      policy: "projects/getIamPolicy",
      service: "projects/getProjectService",
      custom: "projects/getIamCustomRole",
      role: "iam/getRule",
      pool: "iam/getWorkloadIdentityPool",
      provider: "iam/getWorkloadIdentityPoolProvider",
      account: "serviceaccount/getAccount",
      accountPolicy: "serviceaccount/getIamPolicy",
    };
    for (const [name, file] of Object.entries(files)) {
      const missing = promised(join(gcpPackage, `${file}.d.ts`), "Result").filter((property) => values[name]![property] === undefined);
      expect([name, missing]).toEqual([name, []]);
    }

    const token = await run(async () => ({ token: organizations.getClientConfigOutput().accessToken }));
    expect(token.outputs.token).toMatchObject({ secret: true });
    const lost = await run(async () => ({ pool: await iam.getWorkloadIdentityPool({ workloadIdentityPoolId: "no-such" }) }));
    expect(lost.errors).toEqual([
      `invocation of gcp:iam/getWorkloadIdentityPool:getWorkloadIdentityPool returned an error: projects/${project}/locations/global/workloadIdentityPools/no-such not found`,
    ]);
  });

  it("places a provider by its configuration, and acts as whom its credentials prove", async () => {
    const { accessToken, refreshToken } = sandbox.gcp.administrator();
    const result = await run(async () => {
      const elsewhere = new Provider("elsewhere", { project: "platform-host", zone: "europe-west1-b", accessToken });
      const a = new iam.WorkloadIdentityPool("a", { workloadIdentityPoolId: "by-provider" }, { provider: elsewhere });
      const b = new iam.WorkloadIdentityPool("b", { workloadIdentityPoolId: "by-itself", project: "platform-host" });
      const client = await organizations.getClientConfig({ provider: elsewhere });
      return { a: a.name, b: b.name, region: client.region };
    });
    expect(result.errors).toEqual([]);
    expect(Object.values(result.outputs).map(({ value }) => value)).toEqual([
      "projects/210987654321/locations/global/workloadIdentityPools/by-provider",
      "projects/210987654321/locations/global/workloadIdentityPools/by-itself",
      "europe-west1",
    ]);
    expect(JSON.stringify(result.resources.map(({ scope }) => scope))).not.toContain("SANDBOXSECRET");

    expect(table.scope({})).toMatchObject({ project, region: undefined, defaultLabels: { "goog-pulumi-provisioned": "true" } });
    expect(table.scope({ addPulumiAttributionLabel: "false", defaultLabels: '{"team":"x"}' }).defaultLabels).toEqual({ team: "x" });
    expect(table.scope({ credentials: JSON.stringify({ type: "authorized_user", refresh_token: refreshToken }) }).caller).toMatchObject({ kind: "user" });
    expect(() => table.scope({ project: "123456789012" })).toThrow("gcp:project is the number 123456789012; set it to the project's id with `pulumi config set gcp:project customer-app-prod`");
    expect(() => table.scope({ accessToken: "ya29.stranger" })).toThrow(/^gcp:accessToken is no access token that this sandbox issued/);
    expect(() => table.scope({ credentials: '{"type":"external_account"}' })).toThrow(/^gcp:credentials of the type external_account cannot be exchanged/);
    expect(() => table.scope({ credentials: "/path/key.json" })).toThrow(/^gcp:credentials is no JSON/);
    expect(() => table.scope({ impersonateServiceAccount: "a@b" })).toThrow(/^gcp:impersonateServiceAccount is not played/);
  });
});

describeWithPulumi("the GCP resource table by the real engine", () => {
  let server: ProviderServer;
  let folder: TemporaryProject;
  let stack: CliStack | undefined;
  beforeAll(async () => {
    server = await startProviderServer(sandbox.tables);
  });
  afterEach(async () => {
    folder.remove();
    await stack?.remove();
  });
  afterAll(() => server.close());

  const program = (displayName: string, member: string, poolId = "dcf-pool") => `
    const iam = require("@pulumi/gcp/iam"), serviceaccount = require("@pulumi/gcp/serviceaccount"), projects = require("@pulumi/gcp/projects"), organizations = require("@pulumi/gcp/organizations");
    module.exports = async () => {
      const found = await organizations.getProject();
      const api = new projects.Service("api", { service: "sts.googleapis.com", disableOnDestroy: false });
      const pool = new iam.WorkloadIdentityPool("pool", { workloadIdentityPoolId: "${poolId}" }, { dependsOn: [api] });
      const provider = new iam.WorkloadIdentityPoolProvider("provider", {
        workloadIdentityPoolId: pool.workloadIdentityPoolId, workloadIdentityPoolProviderId: "dcf-oidc", attributeMapping: { "google.subject": "assertion.sub" },
        attributeCondition: "assertion.sub == 'x'", oidc: { issuerUri: "https://oidc.dcf.example", allowedAudiences: ["a"] } });
      const account = new serviceaccount.Account("account", { accountId: "dcf-deployer", displayName: "${displayName}" });
      const member = new serviceaccount.IAMMember("member", { serviceAccountId: account.name, role: "roles/iam.workloadIdentityUser",
        member: pool.name.apply((name) => "principal://iam.googleapis.com/" + name + "/subject/${member}") });
      const role = new projects.IAMCustomRole("role", { roleId: "dcfRole", title: "t", permissions: ["storage.objects.get"] });
      const grant = new projects.IAMMember("grant", { project: found.projectId, role: role.name, member: account.member });
      return { provider: provider.name, email: account.email, number: found.number };
    };`;

  it("creates, has nothing to do, updates, replaces, repairs drift, imports, destroys", async () => {
    folder = temporaryProject(program("DCF", "x"));
    const options: CliStackOptions = { cli: pulumi as PulumiCli, projectDirectory: folder.directory, stack: "gcp", port: server.port, packages: ["gcp"], config };
    stack = await openCliStack(options);
    const preview = await stack.preview();
    expect([preview.errors, preview.changes]).toEqual([[], { create: 8 }]);
    const up = await stack.up();
    expect([up.errors, up.changes]).toEqual([[], { create: 8 }]);
    const email = `dcf-deployer@${project}.iam.gserviceaccount.com`;
    expect(await stack.outputs()).toEqual({ provider: "projects/123456789012/locations/global/workloadIdentityPools/dcf-pool/providers/dcf-oidc", email, number: "123456789012" });
    expect(await stack.preview("--expect-no-changes")).toMatchObject({ exitCode: 0, errors: [], changes: { same: 8 } });

    folder.write(program("Other", "y"));
    const updated = await stack.up();
    expect(updated.errors).toEqual([]);
    expect(updated.steps.filter(({ op }) => op === "update").map(({ type, differences }) => [type, differences])).toEqual([["gcp:serviceaccount/account:Account", { displayName: "update" }]]);
    expect(updated.steps.find(({ op, type }) => op === "replace" && type.includes("iAMMember"))!.differences).toEqual({ member: "update-replace" });

    await call("PATCH", `${POOLS}/dcf-pool/providers/dcf-oidc?updateMask=attributeCondition`, { attributeCondition: "true" });
    expect((await stack.refresh()).changes).toMatchObject({ update: 1 });
    const repair = await stack.preview();
    expect(repair.steps.filter(({ op }) => op === "update").map(({ differences }) => differences)).toEqual([{ attributeCondition: "update" }]);
    expect((await stack.up()).errors).toEqual([]);
    expect(await call("GET", `${POOLS}/dcf-pool/providers/dcf-oidc`)).toMatchObject({ attributeCondition: "assertion.sub == 'x'" });

    folder.write(program("Other", "y", "other-pool"));
    const replaced = await stack.up();
    expect(replaced.errors).toEqual([]);
    expect(await call("GET", `${POOLS}/dcf-pool`)).toMatchObject({ state: "DELETED" });
    folder.write(program("Other", "y"));
    expect((await stack.up()).errors).toContain("Error creating WorkloadIdentityPool: googleapi: Error 409: Requested entity already exists");
    await call("POST", `${POOLS}/dcf-pool:undelete`, {});
    folder.write(program("Other", "y").replace('workloadIdentityPoolId: "dcf-pool" }, { dependsOn: [api] }', `workloadIdentityPoolId: "dcf-pool" }, { import: "${project}/dcf-pool" }`));
    const imported = await stack.up();
    expect(imported.steps.filter(({ op }) => op.startsWith("import")).map(({ type }) => type)).toEqual(["gcp:iam/workloadIdentityPool:WorkloadIdentityPool"]);

    expect((await stack.destroy()).errors).toEqual([]);
    await expect(call("GET", `${IAM}/projects/${project}/serviceAccounts/${email}`)).rejects.toMatchObject({ status: "NOT_FOUND" });
    expect((await policy()).bindings.map(({ role }) => role).sort()).toEqual(["roles/iam.denyAdmin", "roles/owner"]);
    expect(await call("GET", "https://serviceusage.googleapis.com/v1/projects/customer-app-prod/services/sts.googleapis.com")).toMatchObject({ state: "ENABLED" });
  });
});
