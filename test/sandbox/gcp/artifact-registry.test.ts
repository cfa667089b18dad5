import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { type TestImage, ociLayout, testImage } from "../aws/images.js";
import { Clients, onPath } from "./clients.js";
import { type Received, type Send, proxied, serviceAccount } from "./proxied.js";

const PROJECT = "customer-app-prod";
const LOCATION = "us-central1";
const repositories = `https://artifactregistry.googleapis.com/v1/projects/${PROJECT}/locations/${LOCATION}/repositories`;
const name = `projects/${PROJECT}/locations/${LOCATION}/repositories/dcf`;
const host = `${LOCATION}-docker.pkg.dev`;
const image = `${PROJECT}/dcf/app`;
const sha256 = (data: Buffer | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

const [hasGcloud, hasSkopeo] = [onPath("gcloud"), onPath("skopeo")];

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: Send;
let admin: string;
let writer: Awaited<ReturnType<typeof serviceAccount>>;
let reader: Awaited<ReturnType<typeof serviceAccount>>;

const service = (verb: "enable" | "disable") =>
  send("POST", `https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/artifactregistry.googleapis.com:${verb}`, { token: admin, body: {} });
const create = (id: string, body: object = { format: "DOCKER" }, token = admin) => send("POST", `${repositories}?repositoryId=${id}`, { token, body });
const read = (path: string, token = admin) => send("GET", `${repositories}/${path}`, { token });

async function grant(role: string, member: string): Promise<Received> {
  const { body: policy } = await read("dcf:getIamPolicy");
  return send("POST", `${repositories}/dcf:setIamPolicy`, { token: admin, body: { policy: { ...policy, bindings: [...(policy.bindings ?? []), { role, members: [member] }] } } });
}

const refusal = (code: number, status: string, message: string) => ({ status: code, body: { error: { code, status, message } } });
const denied = (permission: string, resource = `//artifactregistry.googleapis.com/${name}`) =>
  refusal(403, "PERMISSION_DENIED", `Permission '${permission}' denied on resource '${resource}' (or it may not exist).`);
const registryRefusal = (status: number, code: string, message: string) => ({ status, body: { errors: [{ code, message }] } });

const basic = (token: string, user = "oauth2accesstoken") => ({ authorization: `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}` });
const registryToken = (token: string, scope = `repository:${image}:pull,push`, user = "oauth2accesstoken") =>
  send("GET", `https://${host}/v2/token?service=${host}&scope=${encodeURIComponent(scope)}`, { headers: basic(token, user) });
const registry = (method: string, path: string, token: string | undefined, body?: Buffer | string, type?: string) =>
  send(method, `https://${host}/v2/${path}`, { token, body, headers: type === undefined ? {} : { "content-type": type } });

async function push(token: string, { config, layer, manifest }: TestImage, tag: string, to = image): Promise<Received> {
  for (const data of [config, layer]) {
    const begun = await registry("POST", `${to}/blobs/uploads/`, token);
    if (begun.status !== 202) return begun;
    const sent = await send("PATCH", `https://${host}${begun.headers["location"]}`, { token, body: data });
    const done = await send("PUT", `https://${host}${sent.headers["location"]}?digest=${sha256(data)}`, { token });
    if (done.status !== 201) return done;
  }
  return registry("PUT", `${to}/manifests/${tag}`, token, manifest, "application/vnd.docker.distribution.manifest.v2+json");
}

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  await service("enable");
  await create("dcf");
  writer = await serviceAccount(sandbox, "dcf-deployer");
  reader = await serviceAccount(sandbox, "gke-nodes");
  await grant("roles/artifactregistry.writer", writer.member);
  await grant("roles/artifactregistry.reader", reader.member);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("repositories", () => {
  it("are made by an operation, read, changed and deleted", async () => {
    const made = await create("apps", { format: "DOCKER", description: "apps", labels: { owner: "team-a" }, dockerConfig: { immutableTags: true }, cleanupPolicies: { old: { id: "old", action: "DELETE", condition: { olderThan: "2592000s" } } } });
    expect(made).toMatchObject({ status: 200, body: { done: true, name: expect.stringMatching(`^projects/${PROJECT}/locations/${LOCATION}/operations/`), metadata: { "@type": expect.stringContaining("OperationMetadata") } } });
    expect((await send("GET", `https://artifactregistry.googleapis.com/v1/${made.body.name}`, { token: admin })).body).toEqual(made.body);
    const { body } = await read("apps");
    expect(made.body.response).toEqual({ "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.Repository", ...body });
    expect(body).toMatchObject({
      name: `projects/${PROJECT}/locations/${LOCATION}/repositories/apps`,
      format: "DOCKER",
      mode: "STANDARD_REPOSITORY",
      description: "apps",
      labels: { owner: "team-a" },
      dockerConfig: { immutableTags: true },
      cleanupPolicies: { old: { action: "DELETE" } },
      sizeBytes: "0",
      registryUri: `${host}/${PROJECT}/apps`,
    });
    const patched = await send("PATCH", `${repositories}/apps?updateMask=description`, { token: admin, body: { description: "all", labels: {} } });
    expect(patched.body).toMatchObject({ description: "all", labels: { owner: "team-a" } });
    expect((await send("GET", repositories, { token: admin })).body).toMatchObject({ repositories: [{ registryUri: `${host}/${PROJECT}/apps` }, { name }] });
    expect((await send("DELETE", `${repositories}/apps`, { token: admin })).body).toMatchObject({ done: true });
    expect(await read("apps")).toMatchObject(refusal(404, "NOT_FOUND", "Requested entity was not found."));
  });

  it("are refused where the name, the format, the place or the API is wrong", async () => {
    expect(await create("dcf")).toMatchObject(refusal(409, "ALREADY_EXISTS", "the repository already exists"));
    for (const id of ["", "Upper", "1begin", "end-", "a".repeat(64)]) expect(await create(id)).toMatchObject(refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument."));
    expect(await create("apps", {})).toMatchObject({ status: 400 });
    expect(await create("apps", { format: "DOCKERS" })).toMatchObject({ status: 400 });
    expect(await send("POST", `${repositories.replace(LOCATION, "us-central")}?repositoryId=apps`, { token: admin, body: { format: "DOCKER" } })).toMatchObject(
      refusal(403, "PERMISSION_DENIED", "Location us-central is not found or access is unauthorized."),
    );
    expect(await send("PATCH", `${repositories}/dcf?updateMask=format`, { token: admin, body: { format: "MAVEN" } })).toMatchObject({ status: 400 });
    await service("disable");
    expect(await read("dcf")).toMatchObject({ status: 403, body: { error: { details: expect.arrayContaining([expect.objectContaining({ reason: "SERVICE_DISABLED" })]) } } });
    expect(await registryToken(admin)).toMatchObject({ status: 403, body: { errors: [{ code: "DENIED", message: expect.stringContaining("Artifact Registry API has not been used in project 123456789012 before or it is disabled.") }] } });
  });

  it("are for those whom a policy lets", async () => {
    expect(await read("dcf", writer.token)).toMatchObject({ status: 200 });
    expect(await create("apps", { format: "DOCKER" }, writer.token)).toMatchObject(denied("artifactregistry.repositories.create", `//artifactregistry.googleapis.com/projects/${PROJECT}/locations/${LOCATION}`));
    expect(await send("DELETE", `${repositories}/dcf`, { token: writer.token })).toMatchObject(denied("artifactregistry.repositories.delete"));
    expect(await read("absent", writer.token)).toMatchObject(denied("artifactregistry.repositories.get", `//artifactregistry.googleapis.com/${name.replace(/dcf$/, "absent")}`));
    const test = (token: string, id = "dcf") =>
      send("POST", `${repositories}/${id}:testIamPermissions`, { token, body: { permissions: ["artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.downloadArtifacts"] } });
    expect((await test(writer.token)).body).toEqual({ permissions: ["artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.downloadArtifacts"] });
    expect((await test(reader.token)).body).toEqual({ permissions: ["artifactregistry.repositories.downloadArtifacts"] });
    expect((await test(admin, "absent")).body).toEqual({});
  });
});

describe("the registry", () => {
  it("asks for credentials and gives a token of its own for them", async () => {
    const asked = await registry("GET", "", undefined);
    expect(asked).toMatchObject({ status: 401, headers: { "www-authenticate": `Bearer realm="https://${host}/v2/token",service="${host}"` } });
    for (const user of ["oauth2accesstoken", "_dcgcloud_token"]) {
      const { status, body } = await registryToken(writer.token, undefined, user);
      expect([status, body]).toEqual([200, { token: expect.stringContaining("SANDBOXSECRET"), expires_in: 3600, issued_at: expect.any(String) }]);
      expect((await registry("GET", "", body.token)).status).toBe(200);
    }
    expect(await registryToken(writer.token, undefined, "AWS")).toMatchObject({ status: 401 });
    expect(await registryToken("nonsense")).toMatchObject(registryRefusal(401, "UNAUTHORIZED", "authentication failed"));
    // An access token does as it is, and so do Basic credentials.
    expect((await registry("GET", "", writer.token)).status).toBe(200);
    expect((await send("GET", `https://${host}/v2/`, { headers: basic(writer.token) })).status).toBe(200);
  });

  it("gives tokens that last no longer than what they were given for", async () => {
    const { token } = (await registryToken(writer.token)).body;
    expect((await registry("GET", "", token)).status).toBe(200);
    sandbox.core.clock.advance(3601);
    expect((await registry("GET", "", token)).status).toBe(401);
  });

  it("takes images from those who may upload, and gives them to those who may download", async () => {
    const pushed = testImage();
    const upload = 'Permission "artifactregistry.repositories.uploadArtifacts" denied on resource';
    expect((await push((await registryToken(writer.token)).body.token, pushed, "v1")).status).toBe(201);
    expect(await registryToken(reader.token)).toMatchObject(registryRefusal(403, "DENIED", `${upload} "${name}" (or it may not exist)`));
    expect(await push(reader.token, pushed, "v2")).toMatchObject(registryRefusal(403, "DENIED", `${upload} "${name}" (or it may not exist)`));
    const pull = (await registryToken(reader.token, `repository:${image}:pull`)).body.token;
    expect(await registry("GET", `${image}/manifests/v1`, pull)).toMatchObject({ status: 200, text: pushed.manifest, headers: { "docker-content-digest": pushed.digest } });
    expect((await registry("GET", `${image}/blobs/${sha256(pushed.layer)}`, pull)).raw.equals(pushed.layer)).toBe(true);
    expect((await registry("GET", `${image}/tags/list`, pull)).body).toEqual({ name: image, tags: ["v1"] });
    expect(await registry("GET", `${image}/manifests/v9`, pull)).toMatchObject(registryRefusal(404, "MANIFEST_UNKNOWN", 'Failed to fetch "v9"'));
    expect(await registry("GET", `${image}/blobs/${sha256("absent")}`, pull)).toMatchObject({ status: 404, body: { errors: [{ code: "BLOB_UNKNOWN" }] } });
    expect(await registry("GET", `${image}/manifests/v1`, undefined)).toMatchObject({ status: 401 });
    expect(await registry("DELETE", `${image}/manifests/v1`, writer.token)).toMatchObject({ status: 403 });
    expect((await registry("DELETE", `${image}/manifests/${pushed.digest}`, admin)).status).toBe(202);
  });

  it("knows names that are there, of the form that images have", async () => {
    const absent = `${PROJECT}/absent/app`;
    expect(await registryToken(admin, `repository:${absent}:pull,push`)).toMatchObject(registryRefusal(404, "NAME_UNKNOWN", 'Repository "absent" not found'));
    expect(await push(admin, testImage(), "v1", absent)).toMatchObject(registryRefusal(404, "NAME_UNKNOWN", 'Repository "absent" not found'));
    expect(await push(writer.token, testImage(), "v1", absent)).toMatchObject({ status: 403, body: { errors: [{ code: "DENIED" }] } });
    expect(await registryToken(admin, `repository:${PROJECT}/dcf:pull,push`)).toMatchObject({ status: 400, body: { errors: [{ code: "NAME_INVALID" }] } });
    expect(await push(admin, testImage(), "v1", "no-such-project/dcf/app")).toMatchObject({ status: 403, body: { errors: [{ code: "DENIED" }] } });
  });

  it("takes only content whose digest is right", async () => {
    const { config, layer, manifest } = testImage();
    const begun = await registry("POST", `${image}/blobs/uploads/`, writer.token);
    expect(await send("PUT", `https://${host}${begun.headers["location"]}?digest=${sha256(config)}`, { token: writer.token, body: layer })).toMatchObject({ status: 400, body: { errors: [{ code: "DIGEST_INVALID" }] } });
    expect(await registry("PUT", `${image}/manifests/v1`, writer.token, manifest)).toMatchObject({ status: 400, body: { errors: [{ code: "MANIFEST_BLOB_UNKNOWN" }] } });
    expect(await registry("PUT", `${image}/manifests/v1`, writer.token, "{")).toMatchObject({ status: 400, body: { errors: [{ code: "MANIFEST_INVALID" }] } });
  });

  it("moves tags in a repository whose tags may change, and in another does not", async () => {
    const [first, second] = [testImage(), testImage({ content: "second" })];
    await push(writer.token, first, "v1");
    expect((await push(writer.token, second, "v1")).status).toBe(201);
    expect((await registry("GET", `${image}/manifests/v1`, reader.token)).headers["docker-content-digest"]).toBe(second.digest);
    await send("PATCH", `${repositories}/dcf?updateMask=dockerConfig.immutableTags`, { token: admin, body: { dockerConfig: { immutableTags: true } } });
    expect(await push(writer.token, first, "v1")).toMatchObject({ status: 400, body: { errors: [{ message: "cannot update tag v1. The repository has enabled tag immutability" }] } });
    expect((await push(writer.token, second, "v1")).status).toBe(201);
    expect((await push(writer.token, first, "v2")).status).toBe(201);
  });
});

describe("images", () => {
  const packages = `${repositories}/dcf/packages`;

  it("are shown as docker images, packages, versions and tags", async () => {
    const pushed = testImage();
    await push(writer.token, pushed, "v1", `${image}/web`);
    const encoded = "app%2Fweb";
    const { body } = await read("dcf/dockerImages", reader.token);
    expect(body).toMatchObject({
      dockerImages: [
        {
          name: `${name}/dockerImages/${encoded}@${pushed.digest}`,
          uri: `${host}/${image}/web@${pushed.digest}`,
          tags: ["v1"],
          imageSizeBytes: String(pushed.config.length + pushed.layer.length),
          mediaType: "application/vnd.docker.distribution.manifest.v2+json",
        },
      ],
    });
    expect((await read(`dcf/dockerImages/${encoded}@${pushed.digest}`, reader.token)).body).toMatchObject({ tags: ["v1"] });
    expect((await read("dcf/packages", reader.token)).body).toMatchObject({ packages: [{ name: `${name}/packages/${encoded}` }] });
    expect((await read(`dcf/packages/${encoded}/versions`, reader.token)).body).toMatchObject({ versions: [{ name: `${name}/packages/${encoded}/versions/${pushed.digest}`, relatedTags: [{ version: expect.stringContaining(pushed.digest) }] }] });
    expect((await read(`dcf/packages/${encoded}/tags/v1`, reader.token)).body).toEqual({ name: `${name}/packages/${encoded}/tags/v1`, version: `${name}/packages/${encoded}/versions/${pushed.digest}` });
    expect(await read("dcf/packages/absent", reader.token)).toMatchObject({ status: 404 });
    expect((await read("dcf")).body).toMatchObject({ sizeBytes: String(pushed.config.length + pushed.layer.length) });
  });

  it("are tagged and deleted by who may", async () => {
    const pushed = testImage();
    await push(writer.token, pushed, "v1");
    const version = `${name}/packages/app/versions/${pushed.digest}`;
    expect((await send("POST", `${packages}/app/tags?tagId=live`, { token: writer.token, body: { version } })).body).toEqual({ name: `${name}/packages/app/tags/live`, version });
    expect(await send("POST", `${packages}/app/tags?tagId=live`, { token: writer.token, body: { version } })).toMatchObject({ status: 409 });
    expect(await send("DELETE", `${packages}/app/tags/live`, { token: reader.token })).toMatchObject(denied("artifactregistry.tags.delete"));
    expect((await send("DELETE", `${packages}/app/tags/live`, { token: admin })).body).toEqual({});
    expect(await send("DELETE", `${packages}/app/versions/${pushed.digest}`, { token: admin })).toMatchObject({ status: 400, body: { error: { status: "FAILED_PRECONDITION" } } });
    expect((await send("DELETE", `${packages}/app/versions/${pushed.digest}?force=true`, { token: admin })).body).toMatchObject({ done: true });
    expect((await read("dcf/dockerImages")).body).toEqual({});
  });
});

describe("real clients", () => {
  const clients = new Clients(() => sandbox);
  afterAll(() => rmSync(clients.folder, { recursive: true, force: true }));

  (hasSkopeo ? it : it.skip)(
    "skopeo pushes and inspects with an access token",
    async () => {
      const layout = ociLayout(join(clients.folder, "layout"), testImage());
      const target = `docker://${host}/${image}:v1`;
      const copy = (token: string, to = target) => clients.skopeo(`oauth2accesstoken:${token}`, "dest", "copy", `oci:${layout}:v1`, to);
      expect(await copy(writer.token)).toMatchObject({ status: 0 });
      expect((await read("dcf/dockerImages")).body).toMatchObject({ dockerImages: [{ tags: ["v1"], mediaType: "application/vnd.oci.image.manifest.v1+json" }] });
      const inspected = await clients.skopeo(`oauth2accesstoken:${reader.token}`, "", "inspect", target);
      expect(JSON.parse(inspected.out)).toMatchObject({ Name: `${host}/${image}`, Architecture: "amd64" });
      const refused = await copy(reader.token);
      expect([refused.status === 0, refused.err]).toEqual([false, expect.stringContaining("403 (Forbidden)")]);
      const absent = await copy(admin, target.replace("/dcf/", "/absent/"));
      expect([absent.status === 0, absent.err]).toEqual([false, expect.stringContaining("404 (Not Found)")]);
    },
    60_000,
  );

  (hasGcloud ? it : it.skip)(
    "gcloud makes, describes and lists",
    async () => {
      await push(writer.token, testImage(), "v1");
      const artifacts = (...args: string[]) => clients.gcloud(admin, "artifacts", ...args);
      expect(await artifacts("repositories", "create", "apps", "--repository-format=docker", `--location=${LOCATION}`)).toMatchObject({ status: 0 });
      expect((await artifacts("repositories", "describe", "apps", `--location=${LOCATION}`, "--format=value(name)")).out.trim()).toBe(name.replace(/dcf$/, "apps"));
      const listed = await artifacts("docker", "images", "list", `${host}/${PROJECT}/dcf`, "--include-tags", "--format=csv[no-heading](package,tags)");
      expect([listed.status, listed.out.trim()]).toEqual([0, `${host}/${image},v1`]);
      const refused = await clients.gcloud(reader.token, "artifacts", "repositories", "delete", "dcf", `--location=${LOCATION}`);
      expect([refused.status, refused.err]).toEqual([1, expect.stringContaining("Permission 'artifactregistry.repositories.delete' denied on resource")]);
      expect(await artifacts("repositories", "delete", "apps", `--location=${LOCATION}`)).toMatchObject({ status: 0 });
    },
    240_000,
  );
});

describe("Pulumi's resource types", () => {
  const scope = { project: PROJECT, region: LOCATION };
  const table = () => sandbox.tables.find((each) => each.package === "gcp");
  const behaviour = (type: string) => {
    const found = table()?.resources.get(type);
    if (!found) throw new Error(`${type} is not in the table`);
    return found;
  };

  it("make, change, read back and delete a repository without drift", async () => {
    const repository = behaviour("gcp:artifactregistry/repository:Repository");
    const cleanupPolicies = [{ id: "old", action: "DELETE", condition: { olderThan: "30d", tagState: "UNTAGGED" } }];
    const { inputs, failures } = repository.check({ repositoryId: "apps", format: "docker", description: "apps", cleanupPolicies, labels: { owner: "team-a" } }, scope, "apps");
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ format: "DOCKER", location: LOCATION, project: PROJECT, mode: "STANDARD_REPOSITORY" });
    const { id, outputs } = await repository.create(inputs, scope);
    expect(id).toBe(name.replace(/dcf$/, "apps"));
    expect(outputs).toMatchObject({ ...inputs, name: "apps", registryUri: `${host}/${PROJECT}/apps`, createTime: expect.any(String), effectiveLabels: { owner: "team-a" } });
    expect((await read("apps")).body).toMatchObject({ cleanupPolicies: { old: { condition: { olderThan: "2592000s" } } } });
    expect((await repository.read(id, scope, outputs))?.inputs).toMatchObject(inputs);
    expect((await repository.read("apps", scope))?.inputs).toMatchObject({ repositoryId: "apps", format: "DOCKER", location: LOCATION });
    expect(await repository.update(id, outputs, { ...inputs, description: "all", dockerConfig: { immutableTags: true } }, scope)).toMatchObject({ description: "all", dockerConfig: { immutableTags: true } });
    await expect(repository.create(inputs, scope)).rejects.toThrow("Error creating Repository: googleapi: Error 409: the repository already exists");
    expect(repository.check({ repositoryId: "apps", format: "DOCKER" }, { project: PROJECT, region: undefined }, "apps").failures).toEqual([
      { property: "location", reason: "Cannot determine location: set in this resource, or set provider-level 'region'." },
    ]);
    await repository.delete(id, outputs, scope);
    expect(await repository.read(id, scope, outputs)).toBeUndefined();
  });

  it("give rights on a repository, and look one up", async () => {
    const members = behaviour("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember");
    const { inputs } = members.check({ repository: "dcf", role: "roles/artifactregistry.writer", member: reader.member }, scope, "writer");
    const { id, outputs } = await members.create(inputs, scope);
    expect(id).toBe(`${name}/roles/artifactregistry.writer/${reader.member}`);
    expect((await push(reader.token, testImage(), "v1")).status).toBe(201);
    await members.delete(id, outputs, scope);
    expect(await push(reader.token, testImage({ content: "second" }), "v2")).toMatchObject({ status: 403 });
    const found = await table()?.invokes.get("gcp:artifactregistry/getRepository:getRepository")?.({ location: LOCATION, repositoryId: "dcf" }, scope);
    expect(found).toMatchObject({ id: name, format: "DOCKER", registryUri: `${host}/${PROJECT}/dcf`, cleanupPolicies: [], dockerConfigs: [] });
  });
});
