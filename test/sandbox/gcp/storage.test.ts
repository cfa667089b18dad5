import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Sandbox, type SandboxSnapshot, defaultIssuerUrl, startSandbox } from "../../../sandbox/index.js";
import { Clients, onPath } from "./clients.js";
import { type Received, type Send, proxied, serviceAccount } from "./proxied.js";

const PROJECT = "customer-app-prod";
const HOST_PROJECT = "platform-host";
const API = "https://storage.googleapis.com/storage/v1";
const UPLOAD = "https://storage.googleapis.com/upload/storage/v1";
const bucket = "customer-app-artifacts";
const plain = "customer-app-plain";
const KiB = 1024;

const hasGcloud = onPath("gcloud");
const python = process.env["PYTHON"] ?? "python3";
const hasPython = spawnSync(python, ["-c", "import google.cloud.storage"]).status === 0;
if (!hasPython) process.stderr.write("skipped: google-cloud-storage is not importable in python3\n");

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let send: Send;
let admin: string;
/** Whoever may only add objects, and whoever may do everything with them. */
let creator: Awaited<ReturnType<typeof serviceAccount>>;
let manager: Awaited<ReturnType<typeof serviceAccount>>;

const make = (name: string, body: object = {}, project = PROJECT) => send("POST", `${API}/b?project=${project}`, { token: admin, body: { name, ...body } });
const one = (object: string, of = bucket) => `${API}/b/${of}/o/${encodeURIComponent(object)}`;
const put = (object: string, data: string | Buffer, token: string | undefined = admin, query = "", of = bucket) =>
  send("POST", `${UPLOAD}/b/${of}/o?uploadType=media&name=${encodeURIComponent(object)}${query}`, { token, body: data, headers: { "content-type": "text/plain" } });
const get = (object: string, token: string | undefined = admin, query = "") => send("GET", `${one(object)}?alt=media${query}`, { token });
const remove = (object: string, token: string | undefined = admin, query = "", of = bucket) => send("DELETE", `${one(object, of)}${query}`, { token });
const names = async (query = "", token: string | undefined = admin, of = bucket) => {
  const { status, body } = await send("GET", `${API}/b/${of}/o${query}`, { token });
  expect(status).toBe(200);
  return (body.items ?? []).map(({ name }) => name);
};

/** Adds a binding to the bucket's policy. */
async function grant(role: string, member: string, condition?: object, of = bucket): Promise<Received> {
  const { body: policy } = await send("GET", `${API}/b/${of}/iam?optionsRequestedPolicyVersion=3`, { token: admin });
  const binding = { role, members: [member], ...(condition && { condition }) };
  return send("PUT", `${API}/b/${of}/iam`, { token: admin, body: { ...policy, version: 3, bindings: [...(policy.bindings ?? []), binding] } });
}

const refusal = (code: number, reason: string, message: string, location?: string) => ({
  status: code,
  body: { error: { code, message, errors: [{ message, domain: "global", reason, ...(location !== undefined && { locationType: "header", location }) }] } },
});
const denied = (who: string, permission: string, on = "object") =>
  refusal(403, "forbidden", `${who} does not have ${permission} access to the Google Cloud Storage ${on}. Permission '${permission}' denied on resource (or it may not exist).`);
const anonymousDenied = (permission: string, on = "object") =>
  refusal(401, "required", `Anonymous caller does not have ${permission} access to the Google Cloud Storage ${on}. Permission '${permission}' denied on resource (or it may not exist).`, "Authorization");
const preconditionFailed = refusal(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.", "If-Match");

beforeAll(async () => {
  sandbox = await startSandbox();
  send = proxied(sandbox);
  admin = sandbox.gcp.administrator().accessToken;
  const uniform = { uniformBucketLevelAccess: { enabled: true } };
  await make(bucket, { location: "us-central1", iamConfiguration: { ...uniform, publicAccessPrevention: "enforced" } });
  await make(plain, { location: "eu", iamConfiguration: uniform, softDeletePolicy: { retentionDurationSeconds: 0 } });
  creator = await serviceAccount(sandbox, "klavi-data-ingestor");
  manager = await serviceAccount(sandbox, "dcf-deployer");
  await grant("roles/storage.objectCreator", creator.member);
  await grant("roles/storage.objectAdmin", manager.member);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("buckets", () => {
  it("are made with what the service adds, and read back", async () => {
    const { status, body } = await make("customer-app-new", { location: "europe-west1", labels: { owner: "team-a" } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      kind: "storage#bucket",
      id: "customer-app-new",
      projectNumber: "123456789012",
      location: "EUROPE-WEST1",
      locationType: "region",
      storageClass: "STANDARD",
      metageneration: "1",
      etag: "CAE=",
      labels: { owner: "team-a" },
      iamConfiguration: { uniformBucketLevelAccess: { enabled: false }, bucketPolicyOnly: { enabled: false }, publicAccessPrevention: "inherited" },
      softDeletePolicy: { retentionDurationSeconds: "604800", effectiveTime: expect.any(String) },
    });
    expect((await send("GET", `${API}/b/customer-app-new`, { token: admin })).body).toEqual(body);
    expect((await send("GET", `https://www.googleapis.com/storage/v1/b/customer-app-new`, { token: admin })).body).toEqual(body);
    expect((await make("customer-app-multi")).body).toMatchObject({ location: "US", locationType: "multi-region", rpo: "DEFAULT" });
    const { body: listed } = await send("GET", `${API}/b?project=${PROJECT}&prefix=customer-app-n`, { token: admin });
    expect(listed).toMatchObject({ kind: "storage#buckets", items: [{ id: "customer-app-new" }] });
  });

  it("have names that all projects share", async () => {
    expect(await make(plain)).toMatchObject(refusal(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it."));
    expect(await make(plain, {}, HOST_PROJECT)).toMatchObject(
      refusal(409, "conflict", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."),
    );
    expect((await make("platform-host-bucket", {}, HOST_PROJECT)).body).toMatchObject({ projectNumber: "210987654321" });
  });

  it.each(["ab", "Upper", "-begin", "end-", "goog-bucket", "my-g00gle", "192.168.5.4", "a..b", "a".repeat(64)])("refuse the name %p", async (name) => {
    expect(await make(name)).toMatchObject(refusal(400, "invalid", `Invalid bucket name: '${name}'`));
  });

  it("refuse domains nobody proved, places that are none and projects that are not there", async () => {
    expect(await make("www.example.com")).toMatchObject(refusal(403, "forbidden", "The bucket you tried to create requires domain ownership verification."));
    expect(await make("customer-app-x", { location: "us-central" })).toMatchObject(refusal(400, "invalid", "The specified location constraint is not valid."));
    expect(await make("customer-app-x", {}, "no-such-project")).toMatchObject(refusal(400, "invalid", "Unknown project id: no-such-project"));
    expect(await send("POST", `${API}/b?project=${PROJECT}`, { token: manager.token, body: { name: "customer-app-x" } })).toMatchObject(
      refusal(403, "forbidden", `${manager.email} does not have storage.buckets.create access to the Google Cloud project. Permission 'storage.buckets.create' denied on resource (or it may not exist).`),
    );
  });

  it("are patched by merging, written anew by update, under the metageneration that was read", async () => {
    const patch = (body: object, query = "") => send("PATCH", `${API}/b/${plain}${query}`, { token: admin, body });
    const lifecycle = { rule: [{ action: { type: "Delete" }, condition: { age: 30 } }] };
    expect((await patch({ labels: { a: "1", b: "2" }, lifecycle, encryption: { defaultKmsKeyName: "projects/p/locations/eu/keyRings/r/cryptoKeys/k" } })).body).toMatchObject({ metageneration: "2", labels: { a: "1", b: "2" }, lifecycle });
    const { body } = await patch({ labels: { a: null }, versioning: { enabled: true } }, "?ifMetagenerationMatch=2");
    expect(body).toMatchObject({ metageneration: "3", labels: { b: "2" }, versioning: { enabled: true }, lifecycle, iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } });
    expect((await put("cmek", "x", admin, "", plain)).body).toMatchObject({ kmsKeyName: "projects/p/locations/eu/keyRings/r/cryptoKeys/k" });
    expect(await patch({ versioning: { enabled: false } }, "?ifMetagenerationMatch=2")).toMatchObject(preconditionFailed);
    expect((await patch({ lifecycle: null })).body).not.toHaveProperty("lifecycle");
    const { body: anew } = await send("PUT", `${API}/b/${plain}`, { token: admin, body: { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } } });
    expect(anew).not.toHaveProperty("labels");
    expect(await patch({ softDeletePolicy: { retentionDurationSeconds: 60 } })).toMatchObject({ status: 400, body: { error: { errors: [{ reason: "invalid" }] } } });
    expect(await send("PATCH", `${API}/b/${bucket}`, { token: manager.token, body: {} })).toMatchObject(denied(manager.email, "storage.buckets.update", "bucket"));
  });

  it("are deleted when nothing is in them that is not soft-deleted", async () => {
    const drop = (name: string) => send("DELETE", `${API}/b/${name}`, { token: admin });
    await put("a", "1");
    expect(await drop(bucket)).toMatchObject(refusal(409, "conflict", "The bucket you tried to delete is not empty."));
    expect((await remove("a")).status).toBe(204);
    expect((await drop(bucket)).status).toBe(204);
    expect(await send("GET", `${API}/b/${bucket}`, { token: admin })).toMatchObject(refusal(404, "notFound", "The specified bucket does not exist."));
    expect((await make(bucket)).status).toBe(200);
    expect(await names("?softDeleted=true")).toEqual([]);
  });

  it("that let the requester pay want to know who that is", async () => {
    await send("PATCH", `${API}/b/${bucket}`, { token: admin, body: { billing: { requesterPays: true } } });
    expect(await put("a", "1", manager.token)).toMatchObject({ status: 400, body: { error: { message: "Bucket is a requester pays bucket but no user project provided.", errors: [{ reason: "required" }] } } });
    expect((await put("a", "1", admin, `&userProject=${PROJECT}`)).status).toBe(200);
  });

  it("answer what clients ask before they delete recursively", async () => {
    const layout = await send("GET", `${API}/b/${bucket}/storageLayout`, { token: manager.token });
    expect(layout.body).toEqual({ kind: "storage#storageLayout", bucket, location: "US-CENTRAL1", locationType: "region", hierarchicalNamespace: { enabled: false } });
    expect((await send("GET", `${API}/b/${bucket}/managedFolders`, { token: manager.token })).body).toEqual({ kind: "storage#managedFolders" });
    expect(await send("GET", `${API}/b/${bucket}/storageLayout`, { token: creator.token })).toMatchObject(denied(creator.email, "storage.objects.list", "bucket"));
    expect((await send("GET", `${API}/projects/${PROJECT}/serviceAccount`, { token: admin })).body.email_address).toBe("service-123456789012@gs-project-accounts.iam.gserviceaccount.com");
  });
});

describe("policies of buckets", () => {
  it("give the project's basic roles what a new bucket gives, and change under their etag", async () => {
    const { body: policy } = await send("GET", `${API}/b/${plain}/iam`, { token: admin });
    expect(policy).toMatchObject({ kind: "storage#policy", resourceId: `projects/_/buckets/${plain}`, version: 1, etag: expect.any(String) });
    expect(policy.bindings).toContainEqual({ role: "roles/storage.legacyBucketOwner", members: [`projectEditor:${PROJECT}`, `projectOwner:${PROJECT}`] });
    expect((await grant("roles/storage.objectViewer", creator.member, undefined, plain)).status).toBe(200);
    expect(await send("PUT", `${API}/b/${plain}/iam`, { token: admin, body: policy })).toMatchObject(preconditionFailed);
    expect(await send("GET", `${API}/b/${plain}/iam`, { token: creator.token })).toMatchObject(denied(creator.email, "storage.buckets.getIamPolicy", "bucket"));
  });

  it("tell everybody which permissions they have, and refuse those of projects", async () => {
    const test = (query: string, token: string | undefined) => send("GET", `${API}/b/${bucket}/iam/testPermissions?${query}`, { token });
    const asked = "permissions=storage.objects.create&permissions=storage.objects.delete&permissions=storage.buckets.get";
    expect((await test(asked, creator.token)).body).toEqual({ kind: "storage#testIamPermissionsResponse", permissions: ["storage.objects.create"] });
    expect((await test(asked, manager.token)).body.permissions).toEqual(["storage.objects.create", "storage.objects.delete"]);
    expect((await test(asked, undefined)).body).toEqual({ kind: "storage#testIamPermissionsResponse" });
    for (const permission of ["storage.buckets.list", "storage.buckets.create", "iam.roles.get"]) {
      expect(await test(`permissions=${permission}`, admin)).toMatchObject({ status: 400, body: { error: { errors: [{ reason: "invalid" }] } } });
    }
  });

  it("give nothing to the public where that is prevented", async () => {
    expect(await grant("roles/storage.objectViewer", "allUsers")).toMatchObject(
      refusal(412, "conditionNotMet", "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced.", "If-Match"),
    );
    await put("a", "1", admin, "", plain);
    const read = () => send("GET", `${one("a", plain)}?alt=media`);
    expect(await read()).toMatchObject(anonymousDenied("storage.objects.get"));
    expect((await grant("roles/storage.objectViewer", "allUsers", undefined, plain)).status).toBe(200);
    expect(await read()).toMatchObject({ status: 200, body: "1" });
    await send("PATCH", `${API}/b/${plain}`, { token: admin, body: { iamConfiguration: { publicAccessPrevention: "enforced" } } });
    expect(await read()).toMatchObject(anonymousDenied("storage.objects.get"));
  });

  it("have conditions on names of objects where access is uniform", async () => {
    const condition = { title: "incoming", expression: `resource.name.startsWith("projects/_/buckets/${plain}/objects/incoming/")` };
    expect((await grant("roles/storage.objectAdmin", creator.member, condition, plain)).status).toBe(200);
    expect((await put("incoming/a", "1", creator.token, "", plain)).status).toBe(200);
    expect(await put("other/a", "1", creator.token, "", plain)).toMatchObject(denied(creator.email, "storage.objects.create"));
    expect(await send("GET", `${API}/b/${plain}/o`, { token: creator.token })).toMatchObject(denied(creator.email, "storage.objects.list", "bucket"));
    await make("customer-app-legacy");
    expect(await grant("roles/storage.objectAdmin", creator.member, condition, "customer-app-legacy")).toMatchObject({ status: 412 });
    expect(await put("a", "1", admin, "&predefinedAcl=private")).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining("Cannot insert legacy ACL for an object when uniform bucket-level access is enabled.") } } });
  });
});

describe("who may do what with objects", () => {
  it("lets a creator add, and nothing else", async () => {
    expect((await put("new", "1", creator.token)).status).toBe(200);
    expect(await put("new", "2", creator.token)).toMatchObject(denied(creator.email, "storage.objects.delete"));
    expect(await get("new", creator.token)).toMatchObject(denied(creator.email, "storage.objects.get"));
    expect(await send("GET", one("new"), { token: creator.token })).toMatchObject(denied(creator.email, "storage.objects.get"));
    expect(await send("GET", `${API}/b/${bucket}/o`, { token: creator.token })).toMatchObject(denied(creator.email, "storage.objects.list", "bucket"));
    expect(await remove("new", creator.token)).toMatchObject(denied(creator.email, "storage.objects.delete"));
    expect(await send("PATCH", one("new"), { token: creator.token, body: {} })).toMatchObject(denied(creator.email, "storage.objects.update"));
    expect((await get("new")).body).toBe("1");
  });

  it("lets an object administrator do all of it, but not change the bucket", async () => {
    expect((await put("new", "1", manager.token)).status).toBe(200);
    expect((await put("new", "2", manager.token)).status).toBe(200);
    expect(await get("new", manager.token)).toMatchObject({ status: 200, body: "2" });
    expect(await names("", manager.token)).toEqual(["new"]);
    expect((await remove("new", manager.token)).status).toBe(204);
    expect(await get("new", manager.token)).toMatchObject(refusal(404, "notFound", `No such object: ${bucket}/new`));
    expect(await send("GET", `${API}/b/${bucket}`, { token: manager.token })).toMatchObject(denied(manager.email, "storage.buckets.get", "bucket"));
  });

  it("does not tell who may not list that an object is missing", async () => {
    await grant("roles/storage.legacyObjectReader", creator.member);
    await put("here", "1");
    expect((await get("here", creator.token)).status).toBe(200);
    expect(await get("absent", creator.token)).toMatchObject(denied(creator.email, "storage.objects.list", "bucket"));
  });

  it("asks for credentials, and for good ones", async () => {
    expect(await get("a", "")).toMatchObject(refusal(401, "authError", "Invalid Credentials", "Authorization"));
    expect(await send("GET", `${one("a")}?alt=media`)).toMatchObject(anonymousDenied("storage.objects.get"));
    expect(await send("GET", `${API}/b/no-such-bucket-here/o`, { token: creator.token })).toMatchObject(refusal(404, "notFound", "The specified bucket does not exist."));
  });

  it("sees grants only once they have propagated", async () => {
    sandbox.core.settings.propagationDelaySeconds = 60;
    await grant("roles/storage.objectViewer", creator.member);
    await put("a", "1");
    expect(await get("a", creator.token)).toMatchObject({ status: 403 });
    sandbox.core.clock.advance(61);
    expect(await get("a", creator.token)).toMatchObject({ status: 200 });
    await make("customer-app-fresh");
    expect((await put("a", "1", admin, "", "customer-app-fresh")).status).toBe(200);
  });
});

describe("objects", () => {
  it("have right hashes, generations and etags", async () => {
    const data = randomBytes(70_000);
    const { body } = await put("builds/app.zip", data);
    expect(body).toMatchObject({
      kind: "storage#object",
      id: `${bucket}/builds/app.zip/${body.generation}`,
      name: "builds/app.zip",
      bucket,
      size: "70000",
      contentType: "text/plain",
      storageClass: "STANDARD",
      metageneration: "1",
      md5Hash: createHash("md5").update(data).digest("base64"),
      mediaLink: `https://storage.googleapis.com/download/storage/v1/b/${bucket}/o/builds%2Fapp.zip?generation=${body.generation}&alt=media`,
    });
    // RFC 3720 B.4: the checksum of "123456789" is e3069283.
    expect((await put("check", "123456789")).body.crc32c).toBe("4waSgw==");
    const read = await send("GET", body.mediaLink, { token: admin });
    expect(read.raw.equals(data)).toBe(true);
    expect(read.headers).toMatchObject({ "x-goog-hash": `crc32c=${body.crc32c},md5=${body.md5Hash}`, "x-goog-generation": body.generation, "x-goog-stored-content-length": "70000", etag: body.etag });
    expect(Buffer.from(body.etag, "base64").subarray(0, 1).toString("hex")).toBe("08");
  });

  it("are refused with a hash that is not theirs", async () => {
    const insert = (headers: Record<string, string>) => send("POST", `${UPLOAD}/b/${bucket}/o?uploadType=media&name=x`, { token: admin, body: "123456789", headers });
    expect(await insert({ "x-goog-hash": "crc32c=4waSgw==" })).toMatchObject({ status: 200 });
    expect(await insert({ "x-goog-hash": "crc32c=AAAAAA==" })).toMatchObject(refusal(400, "invalid", `Provided CRC32C "AAAAAA==" doesn't match calculated CRC32C "4waSgw==".`));
    expect(await insert({ "content-md5": "XUFAKrxLKna5cZ2REBfFkg==" })).toMatchObject(
      refusal(400, "invalid", `Provided MD5 hash "XUFAKrxLKna5cZ2REBfFkg==" doesn't match calculated MD5 hash "JfnnlDI7RTiF9RgfG2JNCw==".`),
    );
  });

  it.each([
    ["quoted doubly, with CRLF", '"b-1"', "\r\n"],
    ["quoted singly, with LF alone", "'b-1'", "\n"],
    ["not quoted", "b-1", "\r\n"],
  ])("come in two parts, the boundary %s", async (_what, boundary, eol) => {
    const data = Buffer.concat([Buffer.from("\r\n--b\r\n"), randomBytes(100), Buffer.from("\n")]);
    const head = ["--b-1", "Content-Type: application/json", "", JSON.stringify({ name: "two/parts", contentType: "application/zip", metadata: { build: "4711" } }), "--b-1", "Content-Type: text/plain", "", ""].join(eol);
    const body = Buffer.concat([Buffer.from(head), data, Buffer.from(`${eol}--b-1--${eol}`)]);
    const answer = await send("POST", `${UPLOAD}/b/${bucket}/o?uploadType=multipart`, { token: admin, body, headers: { "content-type": `multipart/related; boundary=${boundary}` } });
    expect(answer).toMatchObject({ status: 200, body: { name: "two/parts", contentType: "application/zip", metadata: { build: "4711" }, size: String(data.length) } });
    expect((await get("two/parts")).raw.equals(data)).toBe(true);
  });

  it("are read in part", async () => {
    await put("log", "0123456789");
    const range = (value: string) => send("GET", `https://storage.googleapis.com/download/storage/v1/b/${bucket}/o/log?alt=media`, { token: admin, headers: { range: value } });
    expect(await range("bytes=2-4")).toMatchObject({ status: 206, body: "234", headers: { "content-range": "bytes 2-4/10" } });
    expect(await range("bytes=-3")).toMatchObject({ status: 206, body: "789" });
    expect(await range("bytes=7-")).toMatchObject({ status: 206, body: "789" });
    expect((await range("bytes=10-")).status).toBe(416);
  });

  it("are listed by prefix and delimiter, in pages", async () => {
    for (const name of ["a.txt", "b/1", "b/2", "b/c/3", "d"]) await put(name, name);
    expect(await names()).toEqual(["a.txt", "b/1", "b/2", "b/c/3", "d"]);
    expect(await names("?prefix=b/")).toEqual(["b/1", "b/2", "b/c/3"]);
    const { body } = await send("GET", `${API}/b/${bucket}/o?delimiter=/`, { token: admin });
    expect(body).toMatchObject({ kind: "storage#objects", prefixes: ["b/"], items: [{ name: "a.txt" }, { name: "d" }] });
    const { body: below } = await send("GET", `${API}/b/${bucket}/o?delimiter=/&prefix=b/`, { token: admin });
    expect(below).toMatchObject({ prefixes: ["b/c/"], items: [{ name: "b/1" }, { name: "b/2" }] });
    const { body: first } = await send("GET", `${API}/b/${bucket}/o?maxResults=2`, { token: admin });
    expect(first.items?.map(({ name }) => name)).toEqual(["a.txt", "b/1"]);
    expect(await names(`?maxResults=3&pageToken=${first.nextPageToken}`)).toEqual(["b/2", "b/c/3", "d"]);
    expect((await send("GET", `${API}/b/${bucket}/o?prefix=zzz`, { token: admin })).body).toEqual({ kind: "storage#objects" });
  });

  it("keep to preconditions", async () => {
    const { body } = await put("a", "1", admin, "&ifGenerationMatch=0");
    expect(await put("a", "2", admin, "&ifGenerationMatch=0")).toMatchObject(preconditionFailed);
    const { body: next } = await put("a", "2", admin, `&ifGenerationMatch=${body.generation}`);
    expect(BigInt(next.generation) > BigInt(body.generation)).toBe(true);
    expect(await remove("a", admin, `?ifGenerationMatch=${body.generation}`)).toMatchObject(preconditionFailed);
    expect((await send("GET", `${one("a")}?ifGenerationNotMatch=${next.generation}`, { token: admin })).status).toBe(304);
    expect((await send("PATCH", `${one("a")}?ifMetagenerationMatch=1`, { token: admin, body: { metadata: { x: "1" }, cacheControl: "no-store" } })).body).toMatchObject({ metageneration: "2", metadata: { x: "1" }, cacheControl: "no-store" });
    expect(await send("PATCH", `${one("a")}?ifMetagenerationMatch=1`, { token: admin, body: {} })).toMatchObject(preconditionFailed);
    expect((await send("PATCH", one("a"), { token: admin, body: { metadata: { x: null, y: "2" } } })).body.metadata).toEqual({ y: "2" });
    expect((await remove("a", admin, `?generation=${next.generation}`)).status).toBe(204);
  });

  it("are composed and copied", async () => {
    for (const part of ["1", "2", "3"]) await put(`parts/${part}`, part.repeat(3));
    const sourceObjects = ["1", "2", "3"].map((part) => ({ name: `parts/${part}` }));
    const composed = await send("POST", `${one("whole")}/compose`, { token: manager.token, body: { sourceObjects, destination: { contentType: "text/plain" } } });
    expect(composed).toMatchObject({ status: 200, body: { size: "9", componentCount: 3, crc32c: expect.any(String) } });
    expect(composed.body).not.toHaveProperty("md5Hash");
    expect((await get("whole")).body).toBe("111222333");
    expect(await send("POST", `${one("whole")}/compose`, { token: creator.token, body: { sourceObjects } })).toMatchObject(denied(creator.email, "storage.objects.get"));
    const rewritten = await send("POST", `${one("parts/1")}/rewriteTo/b/${plain}/o/copy%2F1`, { token: admin, body: {} });
    expect(rewritten.body).toMatchObject({ kind: "storage#rewriteResponse", done: true, objectSize: "3", resource: { bucket: plain, name: "copy/1", md5Hash: createHash("md5").update("111").digest("base64") } });
    expect(await send("POST", `${one("parts/1")}/rewriteTo/b/${plain}/o/copy%2F2`, { token: manager.token, body: {} })).toMatchObject(denied(manager.email, "storage.objects.create"));
    expect((await send("POST", `${one("parts/1")}/copyTo/b/${bucket}/o/again`, { token: manager.token })).body.name).toBe("again");
  });

  it("are kept a week after their deletion, listed and restored", async () => {
    const { body } = await put("a", "1");
    await put("a", "2");
    await remove("a");
    expect(await names()).toEqual([]);
    const { body: gone } = await send("GET", `${API}/b/${bucket}/o?softDeleted=true`, { token: manager.token });
    expect(gone.items).toHaveLength(2);
    expect(gone.items?.[0]).toMatchObject({ generation: body.generation, softDeleteTime: expect.any(String), hardDeleteTime: expect.any(String) });
    expect((await send("POST", `${one("a")}/restore?generation=${body.generation}`, { token: manager.token })).body).toMatchObject({ name: "a", size: "1" });
    expect((await get("a")).body).toBe("1");
    expect(await send("POST", `${one("a")}/restore?generation=1`, { token: manager.token })).toMatchObject({ status: 404 });
    expect(await send("POST", `${one("a")}/restore?generation=${body.generation}`, { token: creator.token })).toMatchObject(denied(creator.email, "storage.objects.restore"));
    sandbox.core.clock.advance(604_801);
    expect(await names("?softDeleted=true")).toEqual([]);
    await put("b", "1", admin, "", plain);
    await remove("b", admin, "", plain);
    expect(await names("?softDeleted=true", admin, plain)).toEqual([]);
  });

  it("have versions where the bucket keeps them", async () => {
    await send("PATCH", `${API}/b/${plain}`, { token: admin, body: { versioning: { enabled: true } } });
    const { body: first } = await put("a", "1", admin, "", plain);
    await put("a", "2", admin, "", plain);
    await remove("a", admin, "", plain);
    expect(await names("", admin, plain)).toEqual([]);
    expect(await names("?versions=true", admin, plain)).toEqual(["a", "a"]);
    expect((await send("GET", `${one("a", plain)}?generation=${first.generation}&alt=media`, { token: admin })).body).toBe("1");
    expect(await send("DELETE", `${API}/b/${plain}`, { token: admin })).toMatchObject({ status: 409 });
    expect((await remove("a", admin, `?generation=${first.generation}`, plain)).status).toBe(204);
    expect(await names("?versions=true", admin, plain)).toEqual(["a"]);
  });

  it("are protected by holds and by retention", async () => {
    await send("PATCH", `${API}/b/${bucket}`, { token: admin, body: { retentionPolicy: { retentionPeriod: 3600 } } });
    const { body } = await put("a", "1");
    expect(body.retentionExpirationTime).toEqual(expect.any(String));
    const message = `Object '${bucket}/a' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until ${body.retentionExpirationTime}`;
    expect(await remove("a")).toMatchObject(refusal(403, "retentionPolicyNotMet", message));
    expect(await put("a", "2")).toMatchObject({ status: 403 });
    sandbox.core.clock.advance(3601);
    await send("PATCH", one("a"), { token: admin, body: { temporaryHold: true } });
    expect(await remove("a")).toMatchObject({ status: 403, body: { error: { message: expect.stringContaining("is under active Temporary hold") } } });
    await send("PATCH", one("a"), { token: admin, body: { temporaryHold: false } });
    expect((await remove("a")).status).toBe(204);
  });

  it.each(["", ".", "..", "a\nb", "é".repeat(513)])("refuse the name %p", async (name) => {
    expect((await put(name, "x")).status).toBe(400);
  });
});

describe("resumable uploads", () => {
  const begin = async (token: string, metadata: object = {}, query = "", path = UPLOAD) => {
    const { status, headers, body } = await send("POST", `${path}/b/${bucket}/o?uploadType=resumable&name=big${query}`, { token, body: metadata, headers: { "x-upload-content-type": "application/zip" } });
    return { status, body, location: headers["location"] ?? "" };
  };
  const data = randomBytes(600 * KiB);
  const chunk = (location: string, first: number, end: number, total: number | "*" = data.length) =>
    send("PUT", location, { body: data.subarray(first, end), headers: { "content-range": `bytes ${first}-${end - 1}/${total}` } });
  const state = (location: string) => send("PUT", location, { headers: { "content-range": "bytes */*" } });

  it("go on chunk by chunk, with the address alone", async () => {
    const { location } = await begin(manager.token, { metadata: { a: "1" } });
    expect(new URL(location).searchParams.get("upload_id")).toContain("SANDBOXSECRET");
    expect(await state(location)).toMatchObject({ status: 308, headers: expect.not.objectContaining({ range: expect.anything() }) });
    expect(await chunk(location, 0, 256 * KiB, "*")).toMatchObject({ status: 308, headers: { range: `bytes=0-${256 * KiB - 1}` } });
    // What is over the last whole chunk is to be sent again.
    expect(await chunk(location, 256 * KiB, 550 * KiB, "*")).toMatchObject({ status: 308, headers: { range: `bytes=0-${512 * KiB - 1}` } });
    expect((await chunk(location, 550 * KiB, 600 * KiB)).status).toBe(503);
    const done = await chunk(location, 500 * KiB, 600 * KiB);
    expect(done).toMatchObject({ status: 200, body: { name: "big", size: String(data.length), contentType: "application/zip", metadata: { a: "1" }, md5Hash: createHash("md5").update(data).digest("base64") } });
    expect(await state(location)).toMatchObject({ status: 200, body: { generation: done.body.generation } });
    expect((await get("big")).raw.equals(data)).toBe(true);
  });

  it("take everything at once too, and both addresses that clients use", async () => {
    const { location } = await begin(manager.token, {}, "", "https://storage.googleapis.com/resumable/upload/storage/v1");
    expect((await send("PUT", location, { body: data })).status).toBe(200);
  });

  it("are authorised as whoever began, at the beginning and at the end", async () => {
    const { location } = await begin(creator.token);
    await put("big", "meanwhile");
    expect(await send("PUT", location, { body: data })).toMatchObject(denied(creator.email, "storage.objects.delete"));
    expect(await state(location)).toMatchObject({ status: 410 });
    expect((await begin(creator.token)).status).toBe(403);
    expect(await begin("")).toMatchObject({ status: 401 });
  });

  it("are refused with another's hash, once cancelled and when nobody knows them", async () => {
    const { location } = await begin(manager.token, { crc32c: "AAAAAA==" });
    expect(await send("PUT", location, { body: data })).toMatchObject({ status: 400 });
    expect(await state(location)).toMatchObject({ status: 410 });
    const cancelled = (await begin(manager.token)).location;
    expect((await send("DELETE", cancelled)).status).toBe(499);
    expect((await state(cancelled)).status).toBe(410);
    expect((await state(`${UPLOAD}/b/${bucket}/o?uploadType=resumable&upload_id=forgotten`)).status).toBe(404);
    const old = (await begin(manager.token)).location;
    sandbox.core.clock.advance(7 * 86_400 + 1);
    expect((await state(old)).status).toBe(404);
  });
});

describe("the XML API", () => {
  it("gives objects by their address", async () => {
    await put("logs/log-1.txt", "0123456789");
    const read = (token: string | undefined, headers = {}, url = `https://storage.googleapis.com/${bucket}/logs/log-1.txt`) => send("GET", url, { token, headers });
    expect(await read(manager.token)).toMatchObject({ status: 200, body: "0123456789" });
    expect(await read(manager.token, { range: "bytes=8-" })).toMatchObject({ status: 206, body: "89" });
    expect((await read(manager.token, { range: "bytes=10-" })).status).toBe(416);
    expect(await read(manager.token, {}, `https://${bucket}.storage.googleapis.com/logs/log-1.txt`)).toMatchObject({ status: 200 });
    const missing = await read(manager.token, {}, `https://storage.googleapis.com/${bucket}/absent`);
    expect([missing.status, missing.text]).toEqual([404, expect.stringContaining("<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>")]);
    expect((await read(manager.token, {}, "https://storage.googleapis.com/no-such-bucket-x/a")).text).toContain("<Code>NoSuchBucket</Code>");
    const refused = await read(creator.token);
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining(`<Code>AccessDenied</Code><Message>Access denied.</Message><Details>${creator.email} does not have storage.objects.get access`)]);
    expect((await read(undefined)).text).toContain("Anonymous caller does not have storage.objects.get access");
    expect(await read("nonsense")).toMatchObject({ status: 401, text: expect.stringContaining("<Code>AuthenticationRequired</Code>") });
  });
});

describe("real clients", () => {
  const clients = new Clients(() => sandbox);
  const { folder } = clients;
  const gcloud = clients.gcloud.bind(clients);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("google-auth-library puts objects as the workload itself, and refuses what it may not", async () => {
    const pools = `https://iam.googleapis.com/v1/projects/${PROJECT}/locations/global/workloadIdentityPools`;
    const post = (url: string, body: object = {}) => send("POST", url, { token: admin, body });
    for (const api of ["sts", "iam"]) await post(`https://serviceusage.googleapis.com/v1/projects/${PROJECT}/services/${api}.googleapis.com:enable`);
    await post(`${pools}?workloadIdentityPoolId=dcf-pool`);
    const oidc = { issuerUri: defaultIssuerUrl };
    await post(`${pools}/dcf-pool/providers?workloadIdentityPoolProviderId=dcf-oidc`, { oidc, attributeMapping: { "google.subject": "assertion.sub" }, attributeCondition: "assertion.sub == 'project-4711'" });
    const pool = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/dcf-pool";
    await grant("roles/storage.objectCreator", `principal://${pool}/subject/project-4711`);
    const [credentials, subjectToken] = [join(folder, "credentials.json"), join(folder, "subject-token")];
    writeFileSync(subjectToken, await sandbox.issuers.mint({ subject: "project-4711", audience: `https://${pool}/providers/dcf-oidc` }));
    const configuration = {
      type: "external_account",
      audience: `//${pool}/providers/dcf-oidc`,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: "https://sts.googleapis.com/v1/token",
      credential_source: { file: subjectToken, format: { type: "text" } },
    };
    writeFileSync(credentials, JSON.stringify(configuration));
    const url = `${UPLOAD}/b/${bucket}/o?uploadType=media&name=from-workload`;
    const program = `
      const { GoogleAuth } = require("google-auth-library");
      new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] }).getClient()
        .then((client) => client.request({ url: ${JSON.stringify(url)}, method: "POST", body: "1", headers: { "content-type": "text/plain" }, retry: false }))
        .then(({ status, data }) => ({ status, data }), ({ status, message, response }) => ({ status, message, data: response?.data }))
        .then((answer) => console.log(JSON.stringify(answer)));`;
    const put = async () => {
      const variables = { GOOGLE_APPLICATION_CREDENTIALS: credentials, GOOGLE_CLOUD_PROJECT: PROJECT, NODE_EXTRA_CA_CERTS: sandbox.caFile };
      const { out, err } = await clients.run(process.execPath, ["-e", program], variables);
      return JSON.parse(out || JSON.stringify({ err })) as object;
    };
    expect(await put()).toMatchObject({ status: 200, data: { name: "from-workload", size: "1" } });
    expect(await put()).toMatchObject({ status: 403, data: denied("Caller", "storage.objects.delete").body });
  });

  (hasPython ? it : it.skip)(
    "google-cloud-storage in Python uploads, in chunks too, reads, lists, copies and is refused",
    async () => {
      const program = `
import json, os, sys
from google.api_core.exceptions import Forbidden, NotFound, PreconditionFailed
from google.cloud import storage
from google.oauth2.credentials import Credentials
bucket = storage.Client(project="${PROJECT}", credentials=Credentials(sys.argv[1])).bucket("${bucket}")
data = os.urandom(12 * 1024 * 1024)
bucket.blob("small").upload_from_string("small")
bucket.blob("large").upload_from_string(data)
chunked = bucket.blob("chunked", chunk_size=5 * 1024 * 1024)
chunked.upload_from_string(data)
result = {
    "small": bucket.blob("small").download_as_text(),
    "large": bucket.blob("large").download_as_bytes() == data,
    "chunked": bucket.blob("chunked").download_as_bytes() == data,
    "names": [blob.name for blob in bucket.list_blobs()],
    "copied": bucket.copy_blob(bucket.blob("small"), bucket, "copy").name,
    "permissions": bucket.test_iam_permissions(["storage.objects.create", "storage.buckets.get"]),
}
for name, refused in {
    "Forbidden": lambda: bucket.reload(),
    "NotFound": lambda: bucket.blob("absent").download_as_text(),
    "PreconditionFailed": lambda: bucket.blob("small").upload_from_string("again", if_generation_match=0),
}.items():
    try:
        refused()
    except (Forbidden, NotFound, PreconditionFailed) as error:
        result[name] = type(error).__name__
bucket.delete_blobs(list(bucket.list_blobs()))
print(json.dumps(result))`;
      const { out, err } = await clients.run(python, ["-c", program, manager.token], { REQUESTS_CA_BUNDLE: sandbox.caFile });
      expect(JSON.parse(out || JSON.stringify({ err }))).toEqual({
        small: "small",
        large: true,
        chunked: true,
        names: ["chunked", "large", "small"],
        copied: "copy",
        permissions: ["storage.objects.create"],
        Forbidden: "Forbidden",
        NotFound: "NotFound",
        PreconditionFailed: "PreconditionFailed",
      });
      expect(await names()).toEqual([]);
    },
    120_000,
  );

  (hasGcloud ? it : it.skip)(
    "gcloud storage makes buckets, uploads, reads, lists, grants and removes",
    async () => {
      const file = join(folder, "app.zip");
      const data = randomBytes(300 * KiB);
      writeFileSync(file, data);
      const url = "gs://customer-app-gcloud";
      expect(await gcloud(admin, "storage", "buckets", "create", url, "--location=us-central1", "--uniform-bucket-level-access")).toMatchObject({ status: 0 });
      expect(await gcloud(admin, "storage", "cp", file, `${url}/builds/app.zip`)).toMatchObject({ status: 0 });
      const back = join(folder, "back.zip");
      expect(await gcloud(admin, "storage", "cp", `${url}/builds/app.zip`, back)).toMatchObject({ status: 0 });
      expect(readFileSync(back).equals(data)).toBe(true);
      expect((await gcloud(admin, "storage", "ls", `${url}/builds/`)).out.trim()).toBe(`${url}/builds/app.zip`);
      const refused = await gcloud(creator.token, "storage", "ls", url);
      expect([refused.status, refused.err]).toEqual([1, expect.stringContaining("does not have storage.objects.list access to the Google Cloud Storage bucket.")]);
      expect(await gcloud(admin, "storage", "buckets", "add-iam-policy-binding", url, `--member=${creator.member}`, "--role=roles/storage.objectViewer")).toMatchObject({ status: 0 });
      expect((await gcloud(creator.token, "storage", "ls", url)).out.trim()).toBe(`${url}/builds/`);
      expect((await gcloud(creator.token, "storage", "cat", `${url}/builds/app.zip`)).status).toBe(0);
      expect(await gcloud(admin, "storage", "rm", "-r", url)).toMatchObject({ status: 0 });
      expect(await send("GET", `${API}/b/customer-app-gcloud`, { token: admin })).toMatchObject({ status: 404 });
    },
    240_000,
  );

  (hasGcloud ? it : it.skip)(
    "gcloud storage uploads large files resumably",
    async () => {
      const file = join(folder, "large.bin");
      writeFileSync(file, randomBytes(12 * KiB * KiB));
      expect(await gcloud(manager.token, "storage", "cp", file, `gs://${bucket}/large.bin`)).toMatchObject({ status: 0 });
      expect((await send("GET", one("large.bin"), { token: admin })).body.size).toBe(String(12 * KiB * KiB));
      expect(await gcloud(manager.token, "storage", "rm", `gs://${bucket}/large.bin`)).toMatchObject({ status: 0 });
    },
    120_000,
  );
});

describe("Pulumi's resource types", () => {
  const scope = { project: PROJECT, region: "us-central1" };
  const behaviour = (type: string) => {
    const found = sandbox.tables.find((table) => table.package === "gcp")?.resources.get(type);
    if (!found) throw new Error(`${type} is not in the table`);
    return found;
  };
  const buckets = () => behaviour("gcp:storage/bucket:Bucket");

  it("make, change, read back and delete a bucket without drift", async () => {
    const rules = [{ action: { type: "Delete" }, condition: { age: 30 } }];
    const given = { location: "us-central1", uniformBucketLevelAccess: true, publicAccessPrevention: "enforced", lifecycleRules: rules, labels: { owner: "team-a" }, softDeletePolicy: { retentionDurationSeconds: 604_800 } };
    const { inputs, failures } = buckets().check(given, scope, "Artifacts");
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ name: expect.stringMatching(/^artifacts-[0-9a-f]{7}$/), location: "US-CENTRAL1", storageClass: "STANDARD", forceDestroy: false, project: PROJECT });
    const { id, outputs } = await buckets().create(inputs, scope);
    expect(id).toBe(inputs.name);
    expect(outputs).toMatchObject({
      ...inputs,
      url: `gs://${id}`,
      selfLink: `https://www.googleapis.com/storage/v1/b/${id}`,
      projectNumber: 123_456_789_012,
      softDeletePolicy: { retentionDurationSeconds: 604_800, effectiveTime: expect.any(String) },
      versioning: { enabled: false },
      effectiveLabels: { owner: "team-a" },
    });
    const { softDeletePolicy: _given, ...plainInputs } = inputs;
    expect((await buckets().read(id, scope, outputs))?.inputs).toMatchObject(plainInputs);
    expect((await buckets().read(`${PROJECT}/${id}`, scope))?.inputs).toMatchObject({ name: id, project: PROJECT, location: "US-CENTRAL1" });
    const { lifecycleRules: _rules, ...without } = inputs;
    const changed = await buckets().update(id, outputs, { ...without, versioning: { enabled: true }, labels: {} }, scope);
    expect(changed).toMatchObject({ versioning: { enabled: true }, effectiveLabels: {} });
    expect(changed).not.toHaveProperty("lifecycleRules");
    await buckets().delete(id, changed, scope);
    expect(await buckets().read(id, scope, changed)).toBeUndefined();
  });

  it("say what the provider says", async () => {
    const { inputs } = buckets().check({ location: "us-central1", name: bucket }, scope, "b");
    await expect(buckets().create(inputs, scope)).rejects.toThrow("googleapi: Error 409: Your previous request to create the named bucket succeeded and you already own it., conflict");
    expect(buckets().check({}, scope, "b").failures).toEqual([{ property: "location", reason: 'Missing required argument. The argument "location" is required, but no definition was found.' }]);
    await put("a", "1", admin, "", plain);
    await expect(buckets().delete(plain, { name: plain, forceDestroy: false }, scope)).rejects.toThrow(`Error trying to delete bucket ${plain} containing objects without \`force_destroy\` set to true`);
    await buckets().delete(plain, { name: plain, forceDestroy: true }, scope);
    expect((await send("GET", `${API}/b/${plain}`, { token: admin })).status).toBe(404);
  });

  it("give rights on a bucket and take them away", async () => {
    const members = behaviour("gcp:storage/bucketIAMMember:BucketIAMMember");
    const inputs = { bucket, role: "roles/storage.objectViewer", member: creator.member };
    await put("a", "1");
    const { id, outputs } = await members.create(inputs, scope);
    expect(id).toBe(`b/${bucket}/roles/storage.objectViewer/${creator.member}`);
    expect(outputs).toMatchObject({ ...inputs, etag: expect.any(String) });
    expect((await get("a", creator.token)).status).toBe(200);
    await members.delete(id, outputs, scope);
    expect(await members.read(id, scope, outputs)).toBeUndefined();
    expect((await get("a", creator.token)).status).toBe(403);
    await expect(members.create({ ...inputs, member: "allUsers" }, scope)).rejects.toThrow(
      "googleapi: Error 412: The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced., conditionNotMet",
    );
  });

  it("put objects, and look up what others made", async () => {
    const objects = behaviour("gcp:storage/bucketObject:BucketObject");
    const { inputs } = objects.check({ bucket, name: "config.json", content: "{}", contentType: "application/json" }, scope, "config");
    const { id, outputs } = await objects.create(inputs, scope);
    expect(id).toBe(`${bucket}-config.json`);
    expect(outputs).toMatchObject({ ...inputs, outputName: "config.json", md5hash: "mZFLkyvTelC5g8XnyQrpOw==", md5hexhash: "99914b932bd37a50b983c5e7c90ae93b" });
    expect((await objects.update(id, outputs, { ...inputs, content: "[]" }, scope)).generation).not.toBe(outputs.generation);
    expect((await get("config.json")).text).toBe("[]");
    await objects.delete(id, outputs, scope);
    expect(await objects.read(id, scope, outputs)).toBeUndefined();
    const invoke = (token: string, args: Record<string, unknown>) => sandbox.tables.find((table) => table.package === "gcp")?.invokes.get(token)?.(args, scope);
    expect(await invoke("gcp:storage/getBucket:getBucket", { name: bucket })).toMatchObject({ id: bucket, location: "US-CENTRAL1", uniformBucketLevelAccess: true, versionings: [{ enabled: false }], project: PROJECT });
    await expect(invoke("gcp:storage/getBucket:getBucket", { name: "no-such-bucket-x" })).rejects.toThrow('Storage Bucket "no-such-bucket-x" not found');
    expect(await invoke("gcp:storage/getProjectServiceAccount:getProjectServiceAccount", {})).toMatchObject({ emailAddress: "service-123456789012@gs-project-accounts.iam.gserviceaccount.com" });
  });
});
