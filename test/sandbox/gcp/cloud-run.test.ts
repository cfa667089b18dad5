import { getService } from "@pulumi/gcp/cloudrunv2/getService.js";
import { Service } from "@pulumi/gcp/cloudrunv2/service.js";
import { ServiceIamBinding } from "@pulumi/gcp/cloudrunv2/serviceIamBinding.js";
import { ServiceIamMember } from "@pulumi/gcp/cloudrunv2/serviceIamMember.js";
import { destroyEmbedded } from "../../../engine/destroy.js";
import { type EmbeddedOptions, type EmbeddedResult, runEmbedded } from "../../../engine/embedded.js";
import { compareInputs, readInputs, resourceBehaviour } from "../../../engine/operations.js";
import { dcfBuild } from "../../../facts/gcp/dcf-build.js";
import { RESPONSE_LABEL } from "../../../sandbox/containers.js";
import { ORG_POLICY } from "../../../sandbox/gcp/org-policies.js";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { BUILD, NUMBER, PROJECT, REGION, RUN, SOURCE_BUCKET, administrator, createBucket, createRepository, enableApis, finished, imageOf, onAccount, onProject, onRepository, onService, stage } from "./builds.js";
import { Clients, onPath } from "./clients.js";
import { type Received, type Send, proxied, serviceAccount } from "./proxied.js";

const hasGcloud = onPath("gcloud");

const SERVICES = `${RUN}/projects/${PROJECT}/locations/${REGION}/services`;
const APP = `projects/${PROJECT}/locations/${REGION}/services/app`;
const ADDRESS = `https://app-${NUMBER}.${REGION}.run.app`;
const HELLO = "us-docker.pkg.dev/cloudrun/container/hello";

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: Send;
let admin: string;
/** Whoever deploys, what services run as, and an account without any right. */
let deployer: Awaited<ReturnType<typeof serviceAccount>>;
let runtime: Awaited<ReturnType<typeof serviceAccount>>;
let bare: Awaited<ReturnType<typeof serviceAccount>>;

interface ServiceView {
  name: string;
  etag: string;
  generation: string;
  uri: string;
  urls: string[];
  latestCreatedRevision: string;
  latestReadyRevision?: string;
  terminalCondition: { state: string; message?: string };
  [member: string]: unknown;
}
interface Operation {
  name: string;
  done: boolean;
  response?: ServiceView;
  error?: { code: number; message: string };
}

const service = (image = imageOf("app"), more: object = {}) => ({ template: { serviceAccount: runtime.email, containers: [{ image }] }, ...more });
type Answer<T> = Omit<Received, "body"> & { body: T };
const call = async <T>(method: string, url: string, token: string, body?: object): Promise<Answer<T>> => (await send(method, url, { token, body })) as unknown as Answer<T>;
const create = (body: object = service(), token = deployer.token, name = "app") => call<Operation>("POST", `${SERVICES}?serviceId=${name}`, token, body);
const patch = (body: object, token = deployer.token, query = "") => call<Operation>("PATCH", `${SERVICES}/app${query}`, token, body);
const get = (token = admin, name = "app") => call<ServiceView>("GET", `${SERVICES}/${name}`, token);
const visit = (token?: string, address = ADDRESS): Promise<Received> => send("GET", `${address}/`, { token });
const refused = (code: number, status: string, message: string) => ({ status: code, body: { error: { code, status, message } } });

async function identityToken(email: string, audience: string, includeEmail = true): Promise<string> {
  return (await administrator(sandbox)<{ token: string }>("POST", `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateIdToken`, { audience, includeEmail })).token;
}

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  await enableApis(sandbox);
  await createRepository(sandbox);
  await createBucket(sandbox);
  [deployer, runtime, bare] = [await serviceAccount(sandbox, "dcf-deployer"), await serviceAccount(sandbox, "dcf-runtime"), await serviceAccount(sandbox, "dcf-bare")];
  await onProject(sandbox, "roles/run.developer", deployer.member);
  await onAccount(sandbox, runtime.email, "roles/iam.serviceAccountUser", deployer.member);
  await onRepository(sandbox, "roles/artifactregistry.reader", deployer.member);
  const { email } = await serviceAccount(sandbox, "dcf-builder");
  await onProject(sandbox, "roles/cloudbuild.builds.builder", `serviceAccount:${email}`);
  const dockerfiles = { app: "FROM scratch\nCOPY . /app\n", tea: `FROM scratch\nLABEL ${RESPONSE_LABEL}='{"statusCode":418,"body":"short and stout"}'\n` };
  for (const [name, Dockerfile] of Object.entries(dockerfiles)) {
    const object = `builds/${name}.tar.gz`;
    await stage(send, admin, object, { Dockerfile });
    const order = dcfBuild({ bucket: SOURCE_BUCKET, object, image: imageOf(name), serviceAccountEmail: email, projectId: PROJECT });
    const { metadata } = await administrator(sandbox)<{ metadata: { build: { id: string } } }>("POST", `${BUILD}/projects/${PROJECT}/builds`, order);
    expect(await finished(sandbox, metadata.build.id)).toMatchObject({ status: "SUCCESS" });
  }
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("a service", () => {
  it("is made, read, listed, changed and deleted", async () => {
    const { status, body } = await create();
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: expect.stringMatching(new RegExp(`^projects/${PROJECT}/locations/${REGION}/operations/`)), done: true, response: { "@type": "type.googleapis.com/google.cloud.run.v2.Service", name: APP } });
    const { body: made } = await get(deployer.token);
    expect(made).toMatchObject({
      name: APP,
      generation: "1",
      ingress: "INGRESS_TRAFFIC_ALL",
      creator: deployer.email,
      template: { serviceAccount: runtime.email, timeout: "300s", maxInstanceRequestConcurrency: 80, containers: [{ image: imageOf("app"), ports: [{ name: "http1", containerPort: 8080 }], resources: { limits: { cpu: "1000m", memory: "512Mi" } } }] },
      traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }],
      latestReadyRevision: expect.stringMatching(new RegExp(`^${APP}/revisions/app-00001-[a-z]{3}$`)),
      terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED" },
      urls: [ADDRESS, made.uri],
      uri: expect.stringMatching(/^https:\/\/app-[0-9a-f]{10}-uc\.a\.run\.app$/),
      reconciling: false,
    });
    expect((await call<{ services: ServiceView[] }>("GET", SERVICES, deployer.token)).body.services).toEqual([made]);
    expect((await call<Operation>("GET", `${RUN}/${body.name}`, deployer.token)).body).toMatchObject({ done: true });

    expect(await create()).toMatchObject(refused(409, "ALREADY_EXISTS", "Resource 'app' already exists."));
    const changed = await patch(service(imageOf("tea"), { labels: { owner: "team-a" } }));
    expect(changed.body.response).toMatchObject({ generation: "2", labels: { owner: "team-a" }, latestReadyRevision: expect.stringMatching(/app-00002-/) });
    const relabelled = await patch({ labels: { owner: "team-b" } }, deployer.token, "?updateMask=labels");
    expect(relabelled.body.response).toMatchObject({ generation: "3", labels: { owner: "team-b" }, latestReadyRevision: changed.body.response?.latestReadyRevision });
    const { body: list } = await call<{ revisions: { name: string; containers: { image: string }[] }[] }>("GET", `${SERVICES}/app/revisions`, deployer.token);
    expect(list.revisions.map(({ name }) => name.slice(-13, -4))).toEqual(["app-00002", "app-00001"]);
    expect(list.revisions[0]?.containers[0]?.image).toMatch(/\/tea@sha256:/);

    expect(await patch(service(imageOf("app"), { etag: made.etag }))).toMatchObject({ status: 409, body: { error: { status: "ABORTED" } } });
    expect(await call("DELETE", `${SERVICES}/app`, deployer.token)).toMatchObject({ status: 200, body: { done: true } });
    expect(await get()).toMatchObject(refused(404, "NOT_FOUND", "Resource 'app' of kind 'SERVICE' does not exist."));
    expect((await visit()).status).toBe(404);
  });

  it.each(["App", "1app", "app-", "a".repeat(50), ""])("cannot be called %p", async (name) => {
    expect(await create(service(), deployer.token, name)).toMatchObject({ status: 400, body: { error: { status: "INVALID_ARGUMENT" } } });
  });

  it("has names of its own for revisions where it says so", async () => {
    const named = (revision: string, image = imageOf("app")) => ({ template: { ...service(image).template, revision } });
    expect((await create(named("app-first"))).body.response?.latestReadyRevision).toBe(`${APP}/revisions/app-first`);
    expect(await patch(named("app-first", imageOf("tea")))).toMatchObject(refused(409, "ALREADY_EXISTS", "Revision named 'app-first' with different configuration already exists."));
    expect(await patch(named("other"))).toMatchObject({ status: 400 });
    expect((await patch(named("app-second", imageOf("tea")))).body.response?.latestReadyRevision).toBe(`${APP}/revisions/app-second`);
    const pinned = await patch({ ...named("app-third"), traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "app-second", percent: 100 }, { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "app-first", tag: "before" }], invokerIamDisabled: true }, admin);
    expect(pinned.status).toBe(200);
    expect(await visit()).toMatchObject({ status: 418, body: "short and stout" });
    expect((await visit(undefined, `https://before---app-${NUMBER}.${REGION}.run.app`)).body).toMatchObject({ revision: "app-first" });
    expect((await visit(undefined, `https://never---app-${NUMBER}.${REGION}.run.app`)).status).toBe(404);
  });

  it("whose image is missing is not ready, and goes on with what it had", async () => {
    const missing = imageOf("app", "absent");
    const first = await create(service(missing));
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ done: true, error: { code: 5, message: expect.stringMatching(new RegExp(`^Revision 'app-00001-[a-z]{3}' is not ready and cannot serve traffic\\. Image '${missing}' not found\\.$`)) } });
    expect((await get()).body).toMatchObject({ terminalCondition: { state: "CONDITION_FAILED" }, trafficStatuses: [] });
    await onService(sandbox, "app", "roles/run.invoker", "allUsers");
    expect((await visit()).status).toBe(503);
    await patch(service());
    const { body: good } = await get();
    await patch(service(imageOf("absent")));
    const { body: bad } = await get();
    expect([bad.terminalCondition.state, bad.latestReadyRevision]).toEqual(["CONDITION_FAILED", good.latestReadyRevision]);
    expect((await visit()).status).toBe(200);
    expect((await patch(service("registry.example.com/app"))).body.error).toMatchObject({ code: 5 });
    // Of a repository that is not there, only who could read it is told so.
    const nowhere = service(imageOf("app", "1", "absent"));
    expect(await patch(nowhere)).toMatchObject({ status: 403 });
    expect((await patch(nowhere, admin)).body.error?.message).toContain(`Image '${imageOf("app", "1", "absent")}' not found.`);
  });

  it("stands in with Google's sample image, which everybody may read", async () => {
    expect((await create(service(HELLO))).body.response).toMatchObject({ terminalCondition: { state: "CONDITION_SUCCEEDED" } });
  });
});

describe("who deploys", () => {
  const denied = (permission: string, resource = APP) => refused(403, "PERMISSION_DENIED", `Permission '${permission}' denied on resource '${resource}' (or resource may not exist).`);

  it("needs each right of the method, on the service or the project", async () => {
    expect(await create(service(), bare.token)).toMatchObject(denied("run.services.create"));
    await create();
    expect(await get(bare.token)).toMatchObject(denied("run.services.get"));
    expect(await patch(service(imageOf("tea")), bare.token)).toMatchObject(denied("run.services.update"));
    expect(await call("DELETE", `${SERVICES}/app`, bare.token)).toMatchObject(denied("run.services.delete"));
    expect(await call("GET", SERVICES, bare.token)).toMatchObject({ status: 403 });
    // A role on the one service is enough to deploy to it, and for nothing else.
    await onService(sandbox, "app", "roles/run.developer", bare.member);
    await onAccount(sandbox, runtime.email, "roles/iam.serviceAccountUser", bare.member);
    await onRepository(sandbox, "roles/artifactregistry.reader", bare.member);
    const changed = await patch(service(imageOf("tea")), bare.token);
    expect(changed.status).toBe(200);
    expect(await call("GET", `${RUN}/${changed.body.name}`, bare.token)).toMatchObject({ status: 403 });
    expect(await create(service(), bare.token, "other")).toMatchObject(denied("run.services.create", `projects/${PROJECT}/locations/${REGION}/services/other`));
  });

  it("has to be allowed to act as the runtime account, which has to be there", async () => {
    const as = (serviceAccount: string | undefined) => ({ template: { serviceAccount, containers: [{ image: imageOf("app") }] } });
    const actAs = (email: string) => refused(403, "PERMISSION_DENIED", `Permission 'iam.serviceaccounts.actAs' denied on service account ${email} (or it may not exist).`);
    expect(await create(as(bare.email))).toMatchObject(actAs(bare.email));
    const absent = `absent@${PROJECT}.iam.gserviceaccount.com`;
    expect(await create(as(absent), admin)).toMatchObject(actAs(absent));
    const standard = `${NUMBER}-compute@developer.gserviceaccount.com`;
    expect(await create(as(undefined))).toMatchObject(actAs(standard));
    expect(await create(as(undefined), admin)).toMatchObject({ status: 200, body: { response: { template: { serviceAccount: standard } } } });
  });

  it("has to be allowed to read the image, and so has Cloud Run where it is another project's", async () => {
    await onProject(sandbox, "roles/run.developer", bare.member);
    await onAccount(sandbox, runtime.email, "roles/iam.serviceAccountUser", bare.member);
    const unread =
      `User must have permission to read the image, ${imageOf("app")}. Ensure that the provided container image URL is correct and that the above account has permission to access the image. ` +
      "If you just enabled the Cloud Run API, the permissions might take a few minutes to propagate.";
    expect(await create(service(), bare.token)).toMatchObject(refused(403, "PERMISSION_DENIED", unread));
    await onRepository(sandbox, "roles/artifactregistry.reader", bare.member);
    expect(await create(service(), bare.token)).toMatchObject({ status: 200 });

    await enableApis(sandbox, "platform-host");
    await createRepository(sandbox, "images", "platform-host");
    const elsewhere = imageOf("app", "1", "images", "platform-host");
    expect(await patch(service(elsewhere))).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining("Note that the image is from project [platform-host], which is not the same as this project [customer-app-prod]. Permission must be granted to the User from this project.") } } });
    await onRepository(sandbox, "roles/artifactregistry.reader", deployer.member, "images", "platform-host");
    const agent = `service-${NUMBER}@serverless-robot-prod.iam.gserviceaccount.com`;
    expect((await patch(service(elsewhere))).body.error?.message).toContain(`Google Cloud Run Service Agent ${agent} must have permission to read the image, ${elsewhere}.`);
  });

  it("meets an API that is not enabled, and regions that are none", async () => {
    expect(await call("GET", `${RUN}/projects/${PROJECT}/locations/nowhere1/services`, deployer.token)).toMatchObject({ status: 403 });
    await administrator(sandbox)("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/run.googleapis.com:disable`, {});
    expect(await create()).toMatchObject({ status: 403, body: { error: { details: expect.arrayContaining([expect.objectContaining({ reason: "SERVICE_DISABLED" })]) } } });
  });
});

describe("the address of a service", () => {
  const page = (kind: string): unknown => expect.stringContaining(`<h2>${kind.replace("PATH", "<code>/</code>")}</h2>`);
  const forbidden = page("Your client does not have permission to get URL PATH from this server.");
  const unauthorized = page("Your client does not have permission to the requested URL PATH.");

  it("serves those who may invoke it, by either name, and nobody else", async () => {
    const uri = (await create()).body.response?.uri ?? "";
    expect(await visit()).toMatchObject({ status: 403, body: forbidden });
    expect(await visit(await identityToken(bare.email, ADDRESS))).toMatchObject({ status: 403, body: forbidden });
    await onService(sandbox, "app", "roles/run.invoker", bare.member);
    for (const [address, audience] of [[ADDRESS, ADDRESS], [ADDRESS, `${ADDRESS}/`], [uri, ADDRESS], [ADDRESS, uri]] as const) {
      expect(await visit(await identityToken(bare.email, audience), address)).toMatchObject({ status: 200, body: { service: "app", revision: expect.stringMatching(/^app-00001-/), imageDigest: expect.stringMatching(/^sha256:/) } });
    }
    // `run.developer` may invoke too.
    expect((await visit(await identityToken(deployer.email, ADDRESS))).status).toBe(200);
    expect((await send("GET", `${ADDRESS}/a<b`, {})).body).toEqual(expect.stringContaining("<code>/a"));
    expect((await visit(undefined, `https://other-${NUMBER}.${REGION}.run.app`)).status).toBe(404);
  });

  it("answers 401 to tokens that prove nobody", async () => {
    await create();
    await onService(sandbox, "app", "roles/run.invoker", bare.member);
    const good = await identityToken(bare.email, ADDRESS);
    const [header = "", claims = ""] = good.split(".");
    const cases = {
      audience: await identityToken(bare.email, "https://elsewhere.example.com"),
      email: await identityToken(bare.email, ADDRESS, false),
      signature: `${header}.${claims}.${Buffer.from("no signature").toString("base64url")}`,
      issuer: await sandbox.issuers.mint({ subject: "1", audience: ADDRESS, claims: { email: bare.email, email_verified: true } }),
      foreign: await sandbox.issuers.mint({ issuer: "https://accounts.google.com", subject: "1", audience: ADDRESS, foreignKey: true, claims: { email: bare.email, email_verified: true } }),
      access: bare.token,
      garbage: "nonsense",
    };
    for (const [name, token] of Object.entries(cases)) expect([name, (await visit(token)).status]).toEqual([name, 401]);
    expect(await visit(cases.audience)).toMatchObject({ body: unauthorized, headers: { "www-authenticate": 'Bearer error="invalid_token" error_description="The access token could not be verified"' } });
    expect((await visit(good)).status).toBe(200);
    sandbox.core.clock.advance(3700);
    expect((await visit(good)).status).toBe(401);
    const token = await identityToken(bare.email, ADDRESS);
    await administrator(sandbox)("POST", `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${bare.email}:disable`, {});
    expect((await visit(token)).status).toBe(401);
  });

  it("answers 404 from outside with internal ingress, whoever asks", async () => {
    await create(service(imageOf("app"), { ingress: "INGRESS_TRAFFIC_INTERNAL_ONLY" }));
    expect((await visit(await identityToken(deployer.email, ADDRESS))).status).toBe(404);
    await patch(service(imageOf("app"), { ingress: "INGRESS_TRAFFIC_ALL" }));
    expect((await visit(await identityToken(deployer.email, ADDRESS))).status).toBe(200);
    await patch(service(imageOf("app"), { defaultUriDisabled: true }));
    expect((await visit(await identityToken(deployer.email, ADDRESS))).status).toBe(404);
    expect((await get()).body.uri).toBeUndefined();
  });

  it("serves everybody where all users may, or where nobody is asked", async () => {
    await create(service(imageOf("tea")));
    await onService(sandbox, "app", "roles/run.invoker", "allUsers");
    expect(await visit()).toMatchObject({ status: 418, body: "short and stout" });
    expect((await visit("nonsense")).status).toBe(418);
    sandbox.restore(fresh);
    expect(await create(service(imageOf("tea"), { invokerIamDisabled: true }))).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining("run.services.setIamPolicy") } } });
    expect(await create(service(imageOf("tea"), { invokerIamDisabled: true }), admin)).toMatchObject({ status: 200 });
    expect((await visit()).status).toBe(418);
  });

  it("takes audiences of the service's own", async () => {
    await create(service(imageOf("app"), { customAudiences: ["https://app.example.com"] }));
    expect((await visit(await identityToken(deployer.email, "https://app.example.com"))).status).toBe(200);
  });

  it("answers what the administrator ordered", async () => {
    await create();
    sandbox.faults.add({ operation: "run:Invoke", count: 1, status: 500, code: "INTERNAL", message: "down" });
    expect((await visit()).status).toBe(500);
    expect((await visit()).status).toBe(403);
  });
});

describe("policies", () => {
  it("are read and set by those who may", async () => {
    await create();
    const policy = { bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }] };
    const set = (token: string, version = "v2") => call("POST", `https://run.googleapis.com/${version}/${APP}:setIamPolicy`, token, { policy });
    expect(await set(deployer.token)).toMatchObject(refused(403, "PERMISSION_DENIED", `Permission 'run.services.setIamPolicy' denied on resource '${APP}' (or resource may not exist).`));
    expect(await call("POST", `${SERVICES}/app:testIamPermissions`, deployer.token, { permissions: ["run.services.update", "run.services.setIamPolicy"] })).toMatchObject({ body: { permissions: ["run.services.update"] } });
    expect(await set(admin, "v1")).toMatchObject({ status: 200, body: policy });
    expect(await call("GET", `${SERVICES}/app:getIamPolicy`, deployer.token)).toMatchObject({ status: 200, body: policy });
    expect(await call("GET", `${SERVICES}/app:getIamPolicy`, bare.token)).toMatchObject({ status: 403 });
    expect(await call("GET", `${SERVICES}/absent:getIamPolicy`, admin)).toMatchObject({ status: 404 });
    expect(await call("POST", `${SERVICES}/app:testIamPermissions`, admin, { permissions: ["storage.buckets.get"] })).toMatchObject({ status: 400 });
  });

  it("cannot let in everybody where the organisation keeps to its own", async () => {
    await create();
    sandbox.store.put(ORG_POLICY, `projects/${PROJECT}/policies/iam.allowedPolicyMemberDomains`, { rules: [{ values: { allowedValues: ["C0abcdefg"] } }] });
    await expect(onService(sandbox, "app", "roles/run.invoker", "allUsers")).rejects.toMatchObject({ status: "FAILED_PRECONDITION", message: expect.stringContaining("One or more users named in the policy do not belong to a permitted customer") });
  });
});

describe("the provider's resources", () => {
  const config = { "gcp:project": PROJECT, "gcp:region": REGION };
  const run = (program: EmbeddedOptions["program"], previous?: EmbeddedResult["resources"]) => runEmbedded({ program, project: "proj", stack: "dev", config, tables: sandbox.tables, ...(previous && { previous }) });
  const base = { location: REGION, deletionProtection: false, template: { serviceAccount: "", containers: [{ image: HELLO, envs: [{ name: "MODE", value: "test" }] }] } };
  const program = (more: object = {}) => async (): Promise<undefined> => {
    const app = new Service("app", { ...base, name: "app", template: { ...base.template, serviceAccount: runtime.email }, labels: { owner: "team-a" }, ...more });
    new ServiceIamMember("deployer", { name: app.name, location: app.location, role: "roles/run.developer", member: deployer.member });
    new ServiceIamBinding("invokers", { name: app.name, location: REGION, role: "roles/run.invoker", members: [bare.member] });
    return undefined;
  };
  const outputsOf = (result: EmbeddedResult, name: string) => result.resources.find((each) => each.name === name)?.outputs ?? {};

  it("make services and bindings, have nothing to do again, and read back what was given", async () => {
    const first = await run(program());
    expect(first.errors).toEqual([]);
    expect(outputsOf(first, "app")).toMatchObject({ id: APP, name: "app", uri: expect.stringMatching(/\.a\.run\.app$/), urls: [ADDRESS, expect.any(String)], deletionProtection: false, template: { serviceAccount: runtime.email, timeout: "300s", containers: [{ image: HELLO, envs: [{ name: "MODE", value: "test" }], ports: { containerPort: 8080 } }] } });
    expect(outputsOf(first, "deployer")["id"]).toBe(`${APP}/roles/run.developer/${deployer.member}`);
    const again = await run(program(), first.resources);
    expect([again.errors, again.resources.map(({ status }) => status)]).toEqual([[], ["same", "same", "same"]]);
    for (const { type, id, inputs, outputs, scope } of first.resources) {
      const behaviour = resourceBehaviour(sandbox.tables, type);
      const found = await behaviour.read(id, scope ?? {}, outputs);
      expect([...compareInputs(behaviour, readInputs(behaviour, found?.inputs ?? {}, inputs), inputs).changes.keys()]).toEqual([]);
    }
    const app = first.resources.find(({ name }) => name === "app");
    const behaviour = resourceBehaviour(sandbox.tables, app?.type ?? "");
    // A change of nothing but labels is no deployment.
    await behaviour.update(APP, app?.outputs ?? {}, { ...app?.inputs, labels: { owner: "team-b" }, description: "The app" }, app?.scope ?? {});
    expect((await get()).body).toMatchObject({ labels: { owner: "team-b" }, description: "The app", latestReadyRevision: outputsOf(first, "app")["latestReadyRevision"] });
    await expect(behaviour.delete(APP, { deletionProtection: true }, app?.scope ?? {})).rejects.toThrow("cannot destroy service without setting deletion_protection=false");
    expect((await destroyEmbedded(first.resources, sandbox.tables)).errors).toEqual([]);
    expect((await get()).status).toBe(404);
  });

  it("word errors as the provider does, and leave a deployment by others alone", async () => {
    const denied = await run(program({ template: { ...base.template, serviceAccount: `absent@${PROJECT}.iam.gserviceaccount.com` } }));
    expect(denied.errors.join()).toContain(`Error creating Service: googleapi: Error 403: Permission 'iam.serviceaccounts.actAs' denied on service account absent@${PROJECT}.iam.gserviceaccount.com (or it may not exist).`);
    const missing = await run(program({ template: { ...base.template, serviceAccount: runtime.email, containers: [{ image: imageOf("absent") }] } }));
    expect(missing.errors.join()).toContain(`Image '${imageOf("absent")}' not found.`);
    sandbox.restore(fresh);
    const made = await run(program());
    await patch(service(imageOf("tea")), deployer.token, "?updateMask=template");
    const app = made.resources.find(({ name }) => name === "app");
    await resourceBehaviour(sandbox.tables, app?.type ?? "").update(APP, app?.outputs ?? {}, { ...app?.inputs, labels: { owner: "team-b" } }, app?.scope ?? {});
    expect((await get()).body).toMatchObject({ labels: { owner: "team-b" }, template: { containers: [{ image: imageOf("tea") }] } });
  });

  it("looks services up", async () => {
    await create();
    const found: Record<string, unknown> = {};
    const lookup = async (): Promise<undefined> => {
      Object.assign(found, await getService({ name: "app", location: REGION }));
      return undefined;
    };
    expect((await run(lookup)).errors).toEqual([]);
    expect(found).toMatchObject({ id: APP, name: "app", uri: expect.any(String), templates: [{ serviceAccount: runtime.email, containers: [{ image: imageOf("app"), ports: [{ containerPort: 8080 }] }] }] });
  });
});

describe("the Knative API", () => {
  const NAMESPACE = `https://${REGION}-run.googleapis.com/apis/serving.knative.dev/v1/namespaces/${PROJECT}/services`;
  const knative = (image = imageOf("app"), metadata: object = {}) => ({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "app", namespace: PROJECT, ...metadata },
    spec: { template: { spec: { serviceAccountName: runtime.email, containerConcurrency: 10, timeoutSeconds: 60, containers: [{ image }] } } },
  });

  it("is another view of the same services", async () => {
    const made = await call<{ metadata: { resourceVersion: string } }>("POST", NAMESPACE, deployer.token, knative(imageOf("app"), { annotations: { "run.googleapis.com/ingress": "internal" }, labels: { owner: "team-a" } }));
    expect(made).toMatchObject({
      status: 200,
      body: {
        kind: "Service",
        metadata: { name: "app", namespace: NUMBER, generation: 1, labels: { owner: "team-a", "cloud.googleapis.com/location": REGION }, annotations: { "run.googleapis.com/ingress": "internal", "serving.knative.dev/creator": deployer.email } },
        spec: { template: { spec: { containerConcurrency: 10, timeoutSeconds: 60, serviceAccountName: runtime.email, containers: [{ image: imageOf("app"), resources: { limits: { cpu: "1000m", memory: "512Mi" } } }] } }, traffic: [{ latestRevision: true, percent: 100 }] },
        status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }, { type: "ConfigurationsReady", status: "True" }, { type: "RoutesReady", status: "True" }], latestReadyRevisionName: expect.stringMatching(/^app-00001-/), url: expect.stringMatching(/\.a\.run\.app$/) },
      },
    });
    expect((await get()).body).toMatchObject({ ingress: "INGRESS_TRAFFIC_INTERNAL_ONLY", template: { maxInstanceRequestConcurrency: 10, timeout: "60s" }, labels: { owner: "team-a" } });
    const { resourceVersion } = made.body.metadata;
    expect(await call("PUT", `${NAMESPACE}/app`, deployer.token, knative(imageOf("tea"), { resourceVersion }))).toMatchObject({ status: 200, body: { metadata: { generation: 2 }, status: { latestReadyRevisionName: expect.stringMatching(/^app-00002-/) } } });
    expect(await call("PUT", `${NAMESPACE}/app`, deployer.token, knative(imageOf("app"), { resourceVersion }))).toMatchObject({ status: 409 });
    expect(await call("PUT", `${NAMESPACE}/app`, deployer.token, knative(imageOf("absent")))).toMatchObject({ body: { status: { conditions: [{ type: "Ready", status: "False", message: expect.stringContaining(`Image '${imageOf("absent")}' not found.`) }, {}, {}] } } });
    expect((await call<{ items: object[] }>("GET", NAMESPACE, deployer.token)).body.items).toHaveLength(1);
    expect(await call("GET", `${NAMESPACE}/app`, bare.token)).toMatchObject(refused(403, "PERMISSION_DENIED", `Permission 'run.services.get' denied on resource 'namespaces/${PROJECT}/services/app' (or resource may not exist).`));
    expect(await call("DELETE", `${NAMESPACE}/app`, deployer.token)).toMatchObject({ status: 200 });
    expect(await call("GET", `${NAMESPACE}/app`, deployer.token)).toMatchObject({ status: 404 });
    expect(await call("POST", NAMESPACE, deployer.token, knative(imageOf("app"), { annotations: { "run.googleapis.com/ingress": "nowhere" } }))).toMatchObject({ status: 400 });
  });
});

describe("over gcloud", () => {
  const clients = new Clients(() => sandbox);

  (hasGcloud ? it : it.skip)(
    "run deploys, describes, lists, changes and lets everybody in",
    async () => {
      const at = `--region=${REGION}`;
      const deploy = (token: string, image: string) => clients.gcloud(token, "run", "deploy", "app", `--image=${image}`, at, `--service-account=${runtime.email}`, "--no-allow-unauthenticated");
      await onProject(sandbox, "roles/serviceusage.serviceUsageViewer", deployer.member);
      const first = await deploy(deployer.token, imageOf("app"));
      expect(first).toMatchObject({ status: 0, err: expect.stringContaining("has been deployed and is serving") });
      expect(await deploy(deployer.token, imageOf("tea"))).toMatchObject({ status: 0 });
      expect(await deploy(deployer.token, imageOf("app", "absent"))).toMatchObject({ status: 1, err: expect.stringContaining(`Image '${imageOf("app", "absent")}' not found.`) });
      expect((await clients.gcloud(admin, "run", "services", "list", "--format=value(metadata.name)")).out.trim()).toBe("app");
      expect((await clients.gcloud(admin, "run", "services", "describe", "app", at, "--format=value(status.url)")).out.trim()).toMatch(/\.run\.app$/);
      expect(await clients.gcloud(admin, "run", "services", "add-iam-policy-binding", "app", at, "--member=allUsers", "--role=roles/run.invoker")).toMatchObject({ status: 0 });
      expect((await visit()).status).toBe(418);
      const refusal = await clients.gcloud(bare.token, "run", "services", "describe", "app", at);
      expect(refusal).toMatchObject({ status: 1, err: expect.stringContaining(`Permission 'run.services.get' denied on resource 'namespaces/${PROJECT}/services/app' (or resource may not exist).`) });
    },
    180_000,
  );
});
