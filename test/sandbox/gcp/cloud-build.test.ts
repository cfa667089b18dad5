import { dcfBuild } from "../../../facts/gcp/dcf-build.js";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { BUILD, NUMBER, PROJECT, REPOSITORY, SOURCE_BUCKET, createBucket, createRepository, enableApis, finished, imageOf, logLines, onAccount, onBucket, onProject, onRepository, stage } from "./builds.js";
import { type Send, proxied, serviceAccount } from "./proxied.js";

const DOCKERFILE = "FROM scratch\nCOPY . /app\nCMD [\"/app/run\"]\n";
const OBJECT = "builds/app.tar.gz";
const ACCOUNT_USER = "roles/iam.serviceAccountUser";

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: Send;
let admin: string;
let deployer: Awaited<ReturnType<typeof serviceAccount>>;
let builder: Awaited<ReturnType<typeof serviceAccount>>;
let generation: string;

const create = (body: object, token: string | undefined = deployer.token, location = "global") => send("POST", `${BUILD}/projects/${PROJECT}/locations/${location}/builds`, { token, body });
const order = (more: object = {}) => ({ ...dcfBuild({ bucket: SOURCE_BUCKET, object: OBJECT, image: imageOf("app"), serviceAccountEmail: builder.email, projectId: PROJECT, generation }), ...more });
const echo = (more: object = {}) => ({ steps: [{ name: "ubuntu", args: ["echo", "hello"] }], serviceAccount: `projects/${PROJECT}/serviceAccounts/${builder.email}`, options: { logging: "CLOUD_LOGGING_ONLY" }, ...more });
async function built(body: object, token?: string, location?: string): Promise<any> {
  const answer = await create(body, token, location);
  expect(answer).toMatchObject({ status: 200 });
  return finished(sandbox, answer.body.metadata.build.id, location);
}
const refused = (code: number, status: string, message: string) => ({ status: code, body: { error: { code, status, message } } });

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  await enableApis(sandbox);
  await createRepository(sandbox);
  await createBucket(sandbox);
  deployer = await serviceAccount(sandbox, "dcf-deployer");
  builder = await serviceAccount(sandbox, "dcf-builder");
  await onProject(sandbox, "roles/cloudbuild.builds.editor", deployer.member);
  await onProject(sandbox, "roles/logging.logWriter", builder.member);
  await onAccount(sandbox, builder.email, ACCOUNT_USER, deployer.member);
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
    expect(status).toBe(200);
    const { id } = body.metadata.build;
    expect(body).toMatchObject({
      name: `operations/build/${PROJECT}/${Buffer.from(id as string).toString("base64url")}`,
      metadata: { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata", build: { id, projectId: PROJECT, status: "QUEUED", name: `projects/${NUMBER}/locations/global/builds/${id}` } },
    });
    const build = await finished(sandbox, id);
    expect(build).toMatchObject({ status: "SUCCESS", serviceAccount: `projects/${PROJECT}/serviceAccounts/${builder.email}`, results: { images: [{ name: imageOf("app"), digest: expect.stringMatching(/^sha256:/) }] } });
    expect(build.steps.map(({ status: each }: { status: string }) => each)).toEqual(["SUCCESS", "SUCCESS"]);
    const { body: images } = await send("GET", `https://artifactregistry.googleapis.com/v1/projects/${PROJECT}/locations/us-central1/repositories/${REPOSITORY}/dockerImages`, { token: admin });
    expect(images.dockerImages).toEqual([expect.objectContaining({ tags: ["1"], uri: expect.stringContaining(build.results.images[0].digest) })]);
    expect(await logLines(sandbox, id)).toEqual(expect.arrayContaining([`starting build "${id}"`, "FETCHSOURCE", "BUILD", 'Starting Step #0 - "build"', 'Step #0 - "build": Already have image (with digest): gcr.io/cloud-builders/docker', "PUSH", `Pushing ${imageOf("app")}`, "DONE"]));
    const operation = await send("GET", `${BUILD}/${body.name}`, { token: deployer.token });
    expect(operation.body).toMatchObject({ done: true, response: { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build", id, status: "SUCCESS" } });
  });
});
