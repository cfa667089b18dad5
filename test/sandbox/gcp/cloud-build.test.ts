import { dcfBuild, stagedObject } from "../../../facts/gcp/dcf-build.js";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import {
  BUILD,
  type BuildView,
  NUMBER,
  PROJECT,
  REPOSITORY,
  RUN,
  REGION,
  SOURCE_BUCKET,
  administrator,
  createBucket,
  createRepository,
  enableApis,
  finished,
  imageOf,
  logLines,
  onAccount,
  onBucket,
  onProject,
  onRepository,
  onService,
  stage,
} from "./builds.js";
import { Clients, onPath } from "./clients.js";
import { type Send, proxied, serviceAccount } from "./proxied.js";
import { zip } from "../zip.js";

const hasGcloud = onPath("gcloud");

const DOCKERFILE = 'FROM scratch\nCOPY . /app\nCMD ["/app/run"]\n';
const OBJECT = "builds/app.tar.gz";
const ACCOUNT_USER = "roles/iam.serviceAccountUser";
const LOGS = "customer-app-build-logs";
const COMPUTE = `${NUMBER}-compute@developer.gserviceaccount.com`;

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: Send;
let admin: string;
/** Whoever starts builds, what they run as, and an account without any right. */
let deployer: Awaited<ReturnType<typeof serviceAccount>>;
let builder: Awaited<ReturnType<typeof serviceAccount>>;
let bare: Awaited<ReturnType<typeof serviceAccount>>;
let generation: string;

interface Operation {
  name: string;
  done?: boolean;
  metadata: { build: BuildView };
  response?: object;
  error?: { code: number; message: string };
}

const builds = (location?: string): string => `${BUILD}/projects/${PROJECT}${location === undefined ? "" : `/locations/${location}`}/builds`;
async function create(body: object, { token = deployer.token, location = "global" } = {}): Promise<{ status: number; body: Operation }> {
  const { status, body: answer } = await send("POST", builds(location), { token, body });
  return { status, body: answer as unknown as Operation };
}
const accountName = (email: string): string => `projects/${PROJECT}/serviceAccounts/${email}`;
const order = (more: object = {}) => ({ ...dcfBuild({ bucket: SOURCE_BUCKET, object: OBJECT, image: imageOf("app"), serviceAccountEmail: builder.email, projectId: PROJECT, generation }), ...more });
const script = (text: string, more: object = {}) => ({ steps: [{ name: "ubuntu", script: text }], serviceAccount: accountName(builder.email), options: { logging: "CLOUD_LOGGING_ONLY" }, ...more });
async function built(body: object, options: { token?: string; location?: string } = {}): Promise<BuildView> {
  const answer = await create(body, options);
  expect(answer).toMatchObject({ status: 200 });
  return finished(sandbox, answer.body.metadata.build.id, options.location);
}
const refused = (code: number, status: string, message: string, more: object = {}) => ({ status: code, body: { error: { code, status, message, ...more } } });
const logOf = async (build: BuildView): Promise<string> => (await logLines(sandbox, build.id)).join("\n");

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  await enableApis(sandbox);
  await createRepository(sandbox);
  await createBucket(sandbox);
  await createBucket(sandbox, LOGS);
  [deployer, builder, bare] = [await serviceAccount(sandbox, "dcf-deployer"), await serviceAccount(sandbox, "dcf-builder"), await serviceAccount(sandbox, "dcf-bare")];
  await onProject(sandbox, "roles/cloudbuild.builds.editor", deployer.member);
  await onProject(sandbox, "roles/logging.logWriter", builder.member);
  await onAccount(sandbox, builder.email, ACCOUNT_USER, deployer.member);
  await onAccount(sandbox, bare.email, ACCOUNT_USER, deployer.member);
  await onBucket(sandbox, "roles/storage.objectViewer", builder.member);
  await onRepository(sandbox, "roles/artifactregistry.writer", builder.member);
  generation = await stage(send, admin, OBJECT, { Dockerfile: DOCKERFILE, run: "echo" });
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("a build", () => {
  it("takes the staged source, builds the image, pushes it and says so", async () => {
    const { status, body } = await create(order());
    const { id } = body.metadata.build;
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: `operations/build/${PROJECT}/${Buffer.from(id).toString("base64url")}`,
      metadata: { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata", build: { id, projectId: PROJECT, status: "QUEUED", name: `projects/${NUMBER}/locations/global/builds/${id}` } },
    });
    const build = await finished(sandbox, id);
    expect(build).toMatchObject({
      status: "SUCCESS",
      serviceAccount: accountName(builder.email),
      sourceProvenance: { resolvedStorageSource: { bucket: SOURCE_BUCKET, object: OBJECT, generation } },
      results: { images: [{ name: imageOf("app"), digest: expect.stringMatching(/^sha256:/) }] },
      timing: { FETCHSOURCE: {}, BUILD: {}, PUSH: {} },
      timeout: "1200s",
    });
    expect(build.steps.map((step) => step.status)).toEqual(["SUCCESS", "SUCCESS"]);
    expect(build.warnings).toBeUndefined();
    const { dockerImages } = await administrator(sandbox)<{ dockerImages: object[] }>("GET", `https://artifactregistry.googleapis.com/v1/projects/${PROJECT}/locations/${REGION}/repositories/${REPOSITORY}/dockerImages`);
    expect(dockerImages).toEqual([expect.objectContaining({ tags: ["1"], uri: expect.stringContaining(build.results?.images[0]?.digest ?? "?") })]);
    expect(await logLines(sandbox, id)).toEqual(
      expect.arrayContaining([`starting build "${id}"`, "FETCHSOURCE", `Fetching storage object: gs://${SOURCE_BUCKET}/${OBJECT}#${generation}`, "BUILD", 'Starting Step #0 - "build"', 'Step #0 - "build": Already have image (with digest): gcr.io/cloud-builders/docker', "PUSH", `Pushing ${imageOf("app")}`, "DONE"]),
    );
    const operation = await send("GET", `${BUILD}/${body.name}`, { token: deployer.token });
    expect(operation.body).toMatchObject({ done: true, response: { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build", id, status: "SUCCESS" } });
  });

  it("takes zip archives too, and refuses what is no archive by name or content", async () => {
    const object = stagedObject("app");
    await send("POST", `https://storage.googleapis.com/upload/storage/v1/b/${SOURCE_BUCKET}/o?uploadType=media&name=${encodeURIComponent(object)}`, { token: admin, body: zip({ Dockerfile: DOCKERFILE }) });
    expect(await built(order({ source: { storageSource: { bucket: SOURCE_BUCKET, object } } }))).toMatchObject({ status: "SUCCESS" });
    await send("POST", `https://storage.googleapis.com/upload/storage/v1/b/${SOURCE_BUCKET}/o?uploadType=media&name=${encodeURIComponent(object)}`, { token: admin, body: "no archive" });
    expect(await built(order({ source: { storageSource: { bucket: SOURCE_BUCKET, object } } }))).toMatchObject({ status: "FAILURE", failureInfo: { type: "FETCH_SOURCE_FAILED" } });
    expect(await create(order({ source: { storageSource: { bucket: SOURCE_BUCKET, object: "app.txt" } } }))).toMatchObject({ status: 400 });
  });

  it("runs in a region, and is found there and nowhere else", async () => {
    const build = await built(script("echo $LOCATION"), { location: REGION });
    expect(build).toMatchObject({ status: "SUCCESS", name: `projects/${NUMBER}/locations/${REGION}/builds/${build.id}` });
    expect(await logOf(build)).toContain(REGION);
    expect(await send("GET", `${builds()}/${build.id}`, { token: deployer.token })).toMatchObject(refused(404, "NOT_FOUND", "Requested entity was not found."));
    const operation = `projects/${PROJECT}/locations/${REGION}/operations/${Buffer.from(build.id).toString("base64url")}`;
    expect((await send("GET", `${BUILD}/${operation}`, { token: deployer.token })).body).toMatchObject({ name: operation, done: true });
    expect(await create(script("echo"), { location: "nowhere1" })).toMatchObject({ status: 403 });
  });

  it("fills in substitutions, and insists on each being known and used", async () => {
    const used = await built(script("echo $PROJECT_ID ${_NAME} $$HOME", { substitutions: { _NAME: "canary" } }));
    expect(await logOf(used)).toContain(`${PROJECT} canary /builder/home`);
    expect(await create(script("echo ${_MISSING}"))).toMatchObject(refused(400, "INVALID_ARGUMENT", 'generic::invalid_argument: key in the template "_MISSING" is not a valid built-in substitution'));
    expect(await create(script("echo", { substitutions: { _SPARE: "x" } }))).toMatchObject(refused(400, "INVALID_ARGUMENT", 'generic::invalid_argument: key "_SPARE" in the substitution data is not matched in the template'));
    expect(await built(script("echo ${_MISSING}", { substitutions: { _SPARE: "x" }, options: { logging: "NONE", substitutionOption: "ALLOW_LOOSE" } }))).toMatchObject({ status: "SUCCESS" });
    expect(await create(script("echo", { substitutions: { name: "x" } }))).toMatchObject({ status: 400 });
  });

  it("fails at a step that fails, unless that may", async () => {
    const failing = await built(script("echo before\nexit 3"));
    expect(failing).toMatchObject({
      status: "FAILURE",
      statusDetail: 'Build step failure: build step 0 "ubuntu" failed: step exited with non-zero status: 3',
      failureInfo: { type: "USER_BUILD_STEP", detail: 'Build step failure: build step 0 "ubuntu" failed: step exited with non-zero status: 3' },
      steps: [{ status: "FAILURE", exitCode: 3 }],
    });
    expect(await logOf(failing)).toContain('ERROR: build step 0 "ubuntu" failed: step exited with non-zero status: 3');
    const operation = await send("GET", `${BUILD}/operations/build/${PROJECT}/${Buffer.from(failing.id).toString("base64url")}`, { token: deployer.token });
    expect(operation.body).toMatchObject({ done: true, error: { code: 2, message: "Build failed; check build logs for details" } });
    expect(await built({ ...script(""), steps: [{ name: "busybox", args: ["sh", "-c", "exit 3"], allowFailure: true }] })).toMatchObject({ status: "SUCCESS", steps: [{ status: "FAILURE" }] });
    expect(await built({ ...script(""), steps: [{ name: "gcr.io/somebody/builder" }] })).toMatchObject({ status: "FAILURE" });
    expect(await create({ ...script(""), steps: [] })).toMatchObject({ status: 400 });
  });

  it("is cancelled, times out, and is tried again", async () => {
    const { body } = await create(script("sleep 600"));
    const { id } = body.metadata.build;
    const cancelled = await send("POST", `${builds()}/${id}:cancel`, { token: deployer.token, body: {} });
    expect(cancelled).toMatchObject({ status: 200, body: { status: "CANCELLED" } });
    expect(await finished(sandbox, id)).toMatchObject({ status: "CANCELLED" });
    expect(await send("POST", `${builds()}/${id}:cancel`, { token: deployer.token, body: {} })).toMatchObject({ status: 400 });

    const slow = await create(script("sleep 600", { timeout: "60s" }));
    sandbox.core.clock.advance(61);
    expect(await finished(sandbox, slow.body.metadata.build.id)).toMatchObject({ status: "TIMEOUT", statusDetail: "timed out after 60s" });

    const first = await built(order());
    const again = await send("POST", `${builds()}/${first.id}:retry`, { token: deployer.token, body: {} });
    const second = (again.body as unknown as Operation).metadata.build;
    expect(second.id).not.toBe(first.id);
    expect(await finished(sandbox, second.id)).toMatchObject({ status: "SUCCESS" });
  });

  it("is listed, newest first, by status", async () => {
    const [good, bad] = [await built(script("echo")), await built(script("false"))];
    const list = async (query: string): Promise<string[]> => ((await send("GET", `${builds("global")}${query}`, { token: deployer.token })).body as unknown as { builds?: BuildView[] }).builds?.map(({ id }) => id) ?? [];
    expect((await list("")).sort()).toEqual([good.id, bad.id].sort());
    expect(await list(`?filter=${encodeURIComponent('status="FAILURE"')}`)).toEqual([bad.id]);
    expect(await list(`?filter=${encodeURIComponent('status="WORKING" OR status="QUEUED"')}`)).toEqual([]);
    expect(await send("GET", `${builds()}?filter=nonsense`, { token: deployer.token })).toMatchObject({ status: 400 });
  });
});

describe("who starts a build", () => {
  const denied = refused(403, "PERMISSION_DENIED", "The caller does not have permission");

  it("needs the right to, and to see it", async () => {
    const { id } = await built(script("echo"));
    expect(await create(script("echo"), { token: bare.token })).toMatchObject(denied);
    expect(await send("GET", `${builds()}/${id}`, { token: bare.token })).toMatchObject(denied);
    expect(await send("GET", builds(), { token: bare.token })).toMatchObject(denied);
    await onProject(sandbox, "roles/cloudbuild.builds.viewer", bare.member);
    expect(await send("GET", `${builds()}/${id}`, { token: bare.token })).toMatchObject({ status: 200 });
    expect(await create(script("echo"), { token: bare.token })).toMatchObject(denied);
  });

  it("has to be allowed to act as the build's account", async () => {
    const other = await serviceAccount(sandbox, "dcf-other");
    const { uniqueId } = await administrator(sandbox)<{ uniqueId: string }>("GET", `https://iam.googleapis.com/v1/${accountName(other.email)}`);
    const body = script("echo", { serviceAccount: accountName(other.email) });
    expect(await create(body)).toMatchObject(refused(403, "PERMISSION_DENIED", `caller does not have permission to act as service account ${uniqueId}`));
    await onAccount(sandbox, other.email, ACCOUNT_USER, deployer.member);
    expect(await create(body)).toMatchObject({ status: 200 });
    const absent = `absent@${PROJECT}.iam.gserviceaccount.com`;
    expect(await create(script("echo", { serviceAccount: accountName(absent) }))).toMatchObject(refused(403, "PERMISSION_DENIED", `caller does not have permission to act as service account ${absent}`));
    expect(await create(script("echo", { serviceAccount: accountName(absent) }), { token: admin })).toMatchObject(refused(404, "NOT_FOUND", `service account ${absent} does not exist`));
    expect(await create(script("echo", { serviceAccount: builder.email }))).toMatchObject({ status: 400 });
  });

  it("has to say where the log of an account's build goes", async () => {
    const message =
      "if 'build.service_account' is specified, the build must either (a) specify 'build.logs_bucket', (b) use the REGIONAL_USER_OWNED_BUCKET build.options.default_logs_bucket_behavior option, or (c) use either CLOUD_LOGGING_ONLY / NONE logging options: invalid argument";
    for (const options of [undefined, {}, { logging: "LEGACY" }, { logging: "GCS_ONLY" }]) expect(await create(script("echo", { options }))).toMatchObject(refused(400, "INVALID_ARGUMENT", message));
    expect(await create(script("echo", { options: { logging: "NONE" } }))).toMatchObject({ status: 200 });
    expect(await create(script("echo", { options: {}, logsBucket: `gs://${LOGS}` }))).toMatchObject({ status: 200 });
  });

  it("meets an API that is not enabled", async () => {
    await administrator(sandbox)("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/cloudbuild.googleapis.com:disable`, {});
    expect(await create(script("echo"))).toMatchObject({ status: 403, body: { error: { status: "PERMISSION_DENIED", details: expect.arrayContaining([expect.objectContaining({ reason: "SERVICE_DISABLED" })]) } } });
  });
});

describe("the build's account", () => {
  const as = (email: string, more: object = {}) => order({ serviceAccount: accountName(email), options: { logging: "CLOUD_LOGGING_ONLY" }, ...more });

  it("has to be allowed to read the source", async () => {
    const source = { storageSource: { bucket: SOURCE_BUCKET, object: OBJECT } };
    const reading = `${bare.email} does not have storage.objects.get access to the Google Cloud Storage object. Permission 'storage.objects.get' denied on resource (or it may not exist).`;
    // Without generation it is looked up at once.
    expect(await create(as(bare.email, { source }))).toMatchObject(refused(400, "INVALID_ARGUMENT", `could not resolve source: googleapi: Error 403: ${reading}, forbidden`));
    expect(await built(as(bare.email))).toMatchObject({ status: "FAILURE", failureInfo: { type: "FETCH_SOURCE_FAILED", detail: `AccessDeniedException: 403 ${reading}` } });
    expect(await create(as(builder.email, { source }))).toMatchObject({ status: 200 });
    const missing = { storageSource: { bucket: SOURCE_BUCKET, object: "builds/absent.zip" } };
    expect(await create(as(builder.email, { source: missing }))).toMatchObject(refused(400, "INVALID_ARGUMENT", `could not resolve source: googleapi: Error 404: No such object: ${SOURCE_BUCKET}/builds/absent.zip, notFound`));
    expect(await built(as(builder.email, { source: { storageSource: { ...missing.storageSource, generation: "1" } } }))).toMatchObject({ status: "FAILURE", failureInfo: { type: "FETCH_SOURCE_FAILED" } });
  });

  it("has to be allowed to push", async () => {
    await onBucket(sandbox, "roles/storage.objectViewer", bare.member);
    await onProject(sandbox, "roles/logging.logWriter", bare.member);
    const denial = `denied: Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "projects/${PROJECT}/locations/${REGION}/repositories/${REPOSITORY}" (or it may not exist)`;
    const pushing = await built(as(bare.email));
    expect(pushing).toMatchObject({ status: "FAILURE", failureInfo: { type: "USER_BUILD_STEP", detail: 'Build step failure: build step 1 "gcr.io/cloud-builders/docker" failed: step exited with non-zero status: 1' } });
    expect(await logOf(pushing)).toContain(`Step #1 - "push": ${denial}`);
    const [first] = order().steps;
    const atEnd = await built(as(bare.email, { steps: [first] }));
    expect(atEnd).toMatchObject({ status: "FAILURE", failureInfo: { type: "PUSH_FAILED", detail: `error pushing image "${imageOf("app")}": retry budget exhausted (10 attempts): step exited with non-zero status: 1` } });
    expect(await logOf(atEnd)).toContain(denial);
    await onRepository(sandbox, "roles/artifactregistry.writer", bare.member);
    expect(await built(as(bare.email))).toMatchObject({ status: "SUCCESS" });
  });

  it("meets repositories that are not there, in this project or another", async () => {
    await onProject(sandbox, "roles/artifactregistry.writer", builder.member);
    const push = (image: string) => ({ ...order({ images: [image] }), steps: [{ name: "gcr.io/cloud-builders/docker", args: ["build", "-t", image, "."] }] });
    const absent = await built(push(imageOf("app", "1", "absent")));
    expect(absent).toMatchObject({ status: "FAILURE", failureInfo: { type: "PUSH_FAILED" } });
    expect(await logOf(absent)).toContain('name unknown: Repository "absent" not found');
    await enableApis(sandbox, "platform-host");
    await createRepository(sandbox, "images", "platform-host");
    const elsewhere = push(imageOf("app", "1", "images", "platform-host"));
    const without = await built(elsewhere);
    expect(without).toMatchObject({ status: "FAILURE" });
    expect(await logOf(without)).toContain(`denied: Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "projects/platform-host/locations/${REGION}/repositories/images" (or it may not exist)`);
    await onRepository(sandbox, "roles/artifactregistry.writer", builder.member, "images", "platform-host");
    expect(await built(elsewhere)).toMatchObject({ status: "SUCCESS" });
    const unbuilt = await built(order({ images: [imageOf("other")] }));
    expect(unbuilt).toMatchObject({ status: "FAILURE", failureInfo: { type: "PUSH_IMAGE_NOT_FOUND" } });
    expect(await built(push("registry.example.com/app:1"))).toMatchObject({ status: "FAILURE", failureInfo: { type: "PUSH_FAILED" } });
  });

  it("is warned of where it may not write the log, and works on", async () => {
    const warned = await built(script("echo", { serviceAccount: accountName(bare.email) }));
    expect(warned).toMatchObject({
      status: "SUCCESS",
      warnings: [{ priority: "ALERT", text: `The service account running this build ${accountName(bare.email)} does not have permission to write logs to Cloud Logging. To fix this, grant the Logs Writer (roles/logging.logWriter) role to the service account.` }],
    });
    expect(await logLines(sandbox, warned.id)).toEqual([]);
  });

  it("writes the log into a bucket where it may, and does not begin where it may not", async () => {
    const logged = script("echo to the bucket", { options: { logging: "GCS_ONLY" }, logsBucket: `gs://${LOGS}` });
    const denied = await built(logged);
    expect(denied).toMatchObject({
      status: "FAILURE",
      failureInfo: {
        type: "LOGGING_FAILURE",
        detail: `Failure setting up GCS logging: failed to create GCS logging client: error creating logfile: googleapi: Error 403: ${builder.email} does not have storage.objects.create access to the Google Cloud Storage object. Permission 'storage.objects.create' denied on resource (or it may not exist)., forbidden`,
      },
    });
    await onBucket(sandbox, "roles/storage.admin", builder.member, LOGS);
    const build = await built(logged);
    const url = `https://storage.googleapis.com/${LOGS}/log-${build.id}.txt`;
    const whole = await send("GET", url, { token: admin });
    expect(whole.text).toContain("to the bucket\n");
    expect(whole.text).toMatch(/\nDONE\n$/);
    const size = whole.raw.length;
    expect(await send("GET", url, { token: admin, headers: { range: "bytes=10-" } })).toMatchObject({ status: 206, text: whole.text.slice(10) });
    expect(await send("GET", url, { token: admin, headers: { range: `bytes=${size}-` } })).toMatchObject({ status: 416 });
    expect(await logLines(sandbox, build.id)).toEqual([]);
  });

  it("that was deleted or disabled ends the build at once", async () => {
    await administrator(sandbox)("POST", `https://iam.googleapis.com/v1/${accountName(builder.email)}:disable`, {});
    expect(await create(order({ source: undefined }))).toMatchObject({ status: 200 });
    expect(await built(script("echo"))).toMatchObject({ status: "INTERNAL_ERROR", statusDetail: `Service account ${builder.email} is disabled.` });
  });
});

describe("the project's default account", () => {
  const unnamed = (more: object = {}) => ({ ...order(), serviceAccount: undefined, ...more });

  it("is the Compute Engine one, which the caller has to be allowed to act as and which has no rights of its own", async () => {
    const { serviceAccountEmail } = await administrator(sandbox)<{ serviceAccountEmail: string }>("GET", `${BUILD}/projects/${PROJECT}/locations/global/defaultServiceAccount`);
    expect(serviceAccountEmail).toBe(accountName(COMPUTE));
    expect(await create(unnamed())).toMatchObject({ status: 403, body: { error: { message: expect.stringMatching(/^caller does not have permission to act as service account \d{21}$/) } } });
    await onAccount(sandbox, COMPUTE, ACCOUNT_USER, deployer.member);
    const build = await built(unnamed());
    expect(build).toMatchObject({ status: "FAILURE", serviceAccount: accountName(COMPUTE), failureInfo: { type: "FETCH_SOURCE_FAILED" } });
    await onProject(sandbox, "roles/cloudbuild.builds.builder", `serviceAccount:${COMPUTE}`);
    expect(await built(unnamed())).toMatchObject({ status: "SUCCESS" });
  });

  it("logs into a bucket of Google's unless told otherwise, which viewers may read", async () => {
    await onAccount(sandbox, COMPUTE, ACCOUNT_USER, deployer.member);
    const build = await built({ steps: [{ name: "ubuntu", args: ["echo", "by default"] }] });
    const bucket = `${NUMBER}.cloudbuild-logs.googleusercontent.com`;
    expect(build).toMatchObject({ status: "SUCCESS", logsBucket: `gs://${bucket}` });
    const url = `https://storage.googleapis.com/${bucket}/log-${build.id}.txt`;
    expect((await send("GET", url, { token: admin })).text).toContain("by default");
    expect(await send("GET", url, { token: deployer.token })).toMatchObject({ status: 403 });
    await onProject(sandbox, "roles/viewer", deployer.member);
    expect(await send("GET", url, { token: deployer.token })).toMatchObject({ status: 200 });
  });
});

describe("gcloud in a build", () => {
  const deploy = (more: string[] = []) => ["run", "deploy", "app", "--image", imageOf("app"), "--region", REGION, "--platform", "managed", "--project", PROJECT, "--service-account", bare.email, ...more];
  const withDeploy = (args: string[]) => {
    const body = order();
    return { ...body, steps: [...body.steps, { name: "gcr.io/cloud-builders/gcloud", args }, { name: "gcr.io/google.com/cloudsdktool/cloud-sdk", entrypoint: "gcloud", args: ["run", "services", "update", "app", "--image", imageOf("app"), `--region=${REGION}`] }] };
  };

  it("deploys with the rights of the build's account, or fails after the push", async () => {
    const denied = await built(withDeploy(deploy(["--no-allow-unauthenticated"])));
    expect(denied).toMatchObject({ status: "FAILURE", failureInfo: { type: "USER_BUILD_STEP" } });
    expect(denied.steps.map(({ status }) => status)).toEqual(["SUCCESS", "SUCCESS", "FAILURE", "QUEUED"]);
    expect(await logOf(denied)).toContain(`ERROR: (gcloud.run.deploy) PERMISSION_DENIED: Permission 'run.services.get' denied on resource 'projects/${PROJECT}/locations/${REGION}/services/app' (or resource may not exist).`);
    await onProject(sandbox, "roles/run.developer", builder.member);
    expect(await logOf(await built(withDeploy(deploy())))).toContain(`Permission 'iam.serviceaccounts.actAs' denied on service account ${bare.email} (or it may not exist).`);
    await onAccount(sandbox, bare.email, ACCOUNT_USER, builder.member);
    const deployed = await built(withDeploy(deploy(["--allow-unauthenticated"])));
    expect(deployed).toMatchObject({ status: "SUCCESS" });
    // Its policy is not the builder's to set.
    expect(await logOf(deployed)).toContain("Setting IAM policy failed");
    expect((await send("GET", `https://app-${NUMBER}.${REGION}.run.app/`)).status).toBe(403);
    await onService(sandbox, "app", "roles/run.admin", builder.member);
    expect(await built(withDeploy(deploy(["--allow-unauthenticated"])))).toMatchObject({ status: "SUCCESS" });
    expect((await send("GET", `https://app-${NUMBER}.${REGION}.run.app/`)).status).toBe(200);
    const policy = await administrator(sandbox)<{ bindings: object[] }>("GET", `${RUN}/projects/${PROJECT}/locations/${REGION}/services/app:getIamPolicy`);
    expect(policy.bindings).toContainEqual({ role: "roles/run.invoker", members: ["allUsers"] });
  });

  it("says what it does not know", async () => {
    const build = await built({ ...script(""), steps: [{ name: "gcr.io/cloud-builders/gcloud", args: ["run", "deploy", "app", "--source=."] }] });
    expect(build).toMatchObject({ status: "FAILURE" });
    expect(await logOf(build)).toContain("unrecognized arguments: --source");
  });
});

describe("over gcloud", () => {
  const clients = new Clients(() => sandbox);

  (hasGcloud ? it : it.skip)(
    "builds submit waits for the end, follows the log in its bucket, and lists",
    async () => {
      const { writeFileSync } = await import("node:fs");
      const config = `${clients.folder}/cloudbuild.json`;
      writeFileSync(config, JSON.stringify({ steps: [{ name: "ubuntu", args: ["echo", "from the log"] }] }));
      const submitted = await clients.gcloud(admin, "builds", "submit", "--no-source", `--config=${config}`);
      expect(submitted).toMatchObject({ status: 0, out: expect.stringContaining("from the log") });
      const own = JSON.stringify({ steps: [{ name: "ubuntu", args: ["false"] }], options: { logging: "CLOUD_LOGGING_ONLY" } });
      writeFileSync(config, own);
      const failed = await clients.gcloud(admin, "builds", "submit", "--no-source", `--config=${config}`, `--service-account=${accountName(builder.email)}`, "--suppress-logs");
      expect(failed).toMatchObject({ status: 1, err: expect.stringContaining('completed with status "FAILURE"') });
      const refusal = await clients.gcloud(bare.token, "builds", "submit", "--no-source", `--config=${config}`);
      expect(refusal).toMatchObject({ status: 1, err: expect.stringContaining("PERMISSION_DENIED: The caller does not have permission") });
      expect((await clients.gcloud(deployer.token, "builds", "list", "--format=value(status)")).out.trim().split("\n").sort()).toEqual(["FAILURE", "SUCCESS"]);
    },
    120_000,
  );
});
