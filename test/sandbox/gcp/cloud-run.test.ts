import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { NUMBER, PROJECT, REGION, RUN, SOURCE_BUCKET, administrator, createBucket, createRepository, enableApis, finished, imageOf, onAccount, onProject, onRepository, onService, stage } from "./builds.js";
import { type Received, type Send, proxied, serviceAccount } from "./proxied.js";

const SERVICES = `${RUN}/projects/${PROJECT}/locations/${REGION}/services`;
const URL_OF_APP = `https://app-${NUMBER}.${REGION}.run.app`;

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: Send;
let admin: string;
let deployer: Awaited<ReturnType<typeof serviceAccount>>;
let runtime: Awaited<ReturnType<typeof serviceAccount>>;

const service = (image = imageOf("app"), more: object = {}) => ({ template: { serviceAccount: runtime.email, containers: [{ image }] }, ...more });
const create = (body: object = service(), token: string | undefined = deployer.token, name = "app") => send("POST", `${SERVICES}?serviceId=${name}`, { token, body });
const refused = (code: number, status: string, message: string) => ({ status: code, body: { error: { code, status, message } } });

async function identityToken(email: string, audience: string): Promise<string> {
  const { token } = await administrator(sandbox)("POST", `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateIdToken`, { audience, includeEmail: true });
  return token as string;
}

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  await enableApis(sandbox);
  await createRepository(sandbox);
  await createBucket(sandbox);
  deployer = await serviceAccount(sandbox, "dcf-deployer");
  runtime = await serviceAccount(sandbox, "dcf-runtime");
  await onProject(sandbox, "roles/run.developer", deployer.member);
  await onAccount(sandbox, runtime.email, "roles/iam.serviceAccountUser", deployer.member);
  await onRepository(sandbox, "roles/artifactregistry.reader", deployer.member);
  await stage(send, admin, "builds/app.tar.gz", { Dockerfile: "FROM scratch\nCOPY . /app\n" });
  await stage(send, admin, "builds/tea.tar.gz", { Dockerfile: `FROM scratch\nLABEL cloud-federation.sandbox.response='{"statusCode":418,"body":"short and stout"}'\n` });
  const { email } = await serviceAccount(sandbox, "dcf-builder");
  await onProject(sandbox, "roles/cloudbuild.builds.builder", `serviceAccount:${email}`);
  for (const name of ["app", "tea"]) {
    const { metadata } = await administrator(sandbox)("POST", `https://cloudbuild.googleapis.com/v1/projects/${PROJECT}/builds`, {
      source: { storageSource: { bucket: SOURCE_BUCKET, object: `builds/${name}.tar.gz` } },
      steps: [{ name: "gcr.io/cloud-builders/docker", args: ["build", "-t", imageOf(name), "."] }],
      images: [imageOf(name)],
      serviceAccount: `projects/${PROJECT}/serviceAccounts/${email}`,
      options: { logging: "NONE" },
    });
    expect(await finished(sandbox, metadata.build.id)).toMatchObject({ status: "SUCCESS" });
  }
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("a service", () => {
  it("is made, serves who may invoke it, and refuses everybody else", async () => {
    const { status, body } = await create();
    expect(status).toBe(200);
    expect(body).toMatchObject({ done: true, response: { "@type": "type.googleapis.com/google.cloud.run.v2.Service", name: `projects/${PROJECT}/locations/${REGION}/services/app`, urls: [URL_OF_APP, expect.stringMatching(/^https:\/\/app-[0-9a-f]{10}-uc\.a\.run\.app$/)] } });
    const without = await send("GET", `${URL_OF_APP}/`);
    expect(without.status).toBe(403);
    expect(without.body).toContain("Your client does not have permission to get URL <code>/</code> from this server.");
    // run.developer has the right to invoke.
    const token = await identityToken(deployer.email, URL_OF_APP);
    const served = await send("GET", `${URL_OF_APP}/`, { token });
    expect([served.status, served.body]).toEqual([200, { service: "app", revision: expect.stringMatching(/^app-00001-[a-z]{3}$/), imageDigest: expect.stringMatching(/^sha256:/) }]);
    const nobody = await identityToken(runtime.email, URL_OF_APP);
    expect((await send("GET", `${URL_OF_APP}/`, { token: nobody })).status).toBe(403);
  });
});
