import { createHash, createHmac, randomUUID } from "node:crypto";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { ARM, type AzureReceived, administratorToken, azureSend } from "../../support/azure.js";
import { ACCOUNT, BLOB_HOST, CONTAINER, type Identity, ROLES, STORAGE_SCOPE, StorageScene, VERSION, refused, xmlError } from "./storage-support.js";

const DAY = 86_400;

let sandbox: Sandbox;
let scene: StorageScene;
let fresh: SandboxSnapshot;
let admin: string;
/** With the data role on the container, with the one that reads, and with Contributor on the group. */
let writer: Identity;
let reader: Identity;
let manager: Identity;
let stranger: Identity;

/** In place of a token. */
const NOBODY = "";
const get = (name: string, token = admin, headers: Record<string, string> = {}) => scene.blob("GET", `/${CONTAINER}/${name}`, token, headers);
const head = (name: string, token = admin, headers: Record<string, string> = {}) => scene.blob("HEAD", `/${CONTAINER}/${name}`, token, headers);
const remove = (name: string, token = admin, headers: Record<string, string> = {}) => scene.blob("DELETE", `/${CONTAINER}/${name}`, token, headers);
const list = (query = "", token = admin) => scene.blob("GET", `/${CONTAINER}?restype=container&comp=list${query}`, token);
const container = (method: string, token = admin, name = CONTAINER, headers: Record<string, string> = {}) => scene.blob(method, `/${name}?restype=container`, token, headers);
const names = ({ text }: AzureReceived) => [...text.matchAll(/<Name>(.*?)<\/Name>/g)].map(([, name]) => name);
const account = (properties: object) => scene.arm("PATCH", scene.account, { properties });
const service = (properties: object) => scene.arm("PUT", `${scene.account}/blobServices/default`, { properties });
const mismatch = refused(403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.");
const notMet = refused(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");

beforeAll(async () => {
  sandbox = await startSandbox();
  scene = new StorageScene(sandbox);
  await scene.build();
  admin = await scene.administrator();
  [writer, reader, manager, stranger] = [await scene.identity("id-writer"), await scene.identity("id-reader"), await scene.identity("id-manager"), await scene.identity("id-stranger")];
  // Owner has no right to data.
  await scene.assign(sandbox.azure.administrator().caller.objectId, ROLES.blobOwner, scene.account);
  await scene.assign(writer.principalId, ROLES.blobContributor, scene.container);
  await scene.assign(reader.principalId, ROLES.blobReader, scene.container);
  await scene.assign(manager.principalId, ROLES.contributor, scene.group);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(() => sandbox.close());

describe("a blob", () => {
  it("is put, read, described, listed and deleted", async () => {
    const md5 = createHash("md5").update("content").digest("base64");
    const put = await scene.put("builds/app.zip", writer.token, "content", { "content-type": "application/zip", "x-ms-meta-run": "4711" });
    expect(put).toMatchObject({ status: 201, headers: { etag: expect.stringMatching(/^"0x8D[0-9A-F]{13}"$/) as string, "content-md5": md5, "x-ms-request-server-encrypted": "true", "x-ms-version": VERSION } });
    const expected = {
      etag: put.headers["etag"],
      "content-type": "application/zip",
      "content-length": "7",
      "content-md5": md5,
      "accept-ranges": "bytes",
      "x-ms-blob-type": "BlockBlob",
      "x-ms-meta-run": "4711",
      "x-ms-access-tier": "Hot",
      "x-ms-access-tier-inferred": "true",
      "x-ms-server-encrypted": "true",
      "x-ms-lease-state": "available",
    };
    expect(await get("builds/app.zip", writer.token)).toMatchObject({ status: 200, text: "content", headers: expected });
    expect(await head("builds/app.zip", writer.token)).toMatchObject({ status: 200, text: "", headers: expected });
    expect(names(await list("", writer.token))).toEqual(["builds/app.zip"]);
    expect(await remove("builds/app.zip", writer.token)).toMatchObject({ status: 202, headers: { "x-ms-delete-type-permanent": "true" } });
    expect(xmlError(await get("builds/app.zip", writer.token))).toEqual(refused(404, "BlobNotFound", "The specified blob does not exist."));
    expect(await head("builds/app.zip", writer.token)).toMatchObject({ status: 404, headers: { "x-ms-error-code": "BlobNotFound" } });
    expect(names(await list("", writer.token))).toEqual([]);
  });

  it("has every answer marked with an id, the version and what the client called it", async () => {
    const { headers } = await get("missing", admin, { "x-ms-client-request-id": "mine" });
    expect(headers).toMatchObject({ "x-ms-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/) as string, "x-ms-version": VERSION, "x-ms-client-request-id": "mine" });
  });

  it("has a name with any characters", async () => {
    for (const name of ["with blank.txt", "ümläut/%.txt", "a&b<c>.txt", "plus+plus", "trailing/"]) {
      const path = name.split("/").map(encodeURIComponent).join("/");
      expect((await scene.put(path, admin, name)).status).toBe(201);
      expect((await get(path)).text).toBe(name);
    }
    expect(names(await list())).toEqual(["a&amp;b&lt;c&gt;.txt", "plus+plus", "trailing/", "with blank.txt", "ümläut/%.txt"]);
    expect(xmlError(await scene.put("n".repeat(1025), admin))).toEqual(refused(400, "InvalidResourceName"));
  });

  it("is read in part", async () => {
    await scene.put("letters", admin, "abcdefgh");
    const part = async (range: string, header = "x-ms-range") => get("letters", admin, { [header]: range });
    expect(await part("bytes=2-4")).toMatchObject({ status: 206, text: "cde", headers: { "content-range": "bytes 2-4/8", "content-length": "3", "x-ms-blob-content-md5": expect.any(String) as string } });
    expect(await part("bytes=6-", "range")).toMatchObject({ status: 206, text: "gh" });
    expect(await part("bytes=0-33554431")).toMatchObject({ status: 206, text: "abcdefgh", headers: { "content-range": "bytes 0-7/8" } });
    expect(await part("letters 2-4")).toMatchObject({ status: 200, text: "abcdefgh" });
    expect(xmlError(await part("bytes=8-"))).toEqual(refused(416, "InvalidRange", "The range specified is invalid for the current size of the resource."));
    await scene.put("empty", admin, "");
    expect(xmlError(await get("empty", admin, { "x-ms-range": "bytes=0-1" }))).toEqual(refused(416, "InvalidRange"));
    const checked = await get("letters", admin, { "x-ms-range": "bytes=0-1", "x-ms-range-get-content-md5": "true" });
    expect(checked.headers["content-md5"]).toBe(createHash("md5").update("ab").digest("base64"));
  });

  it("arrives as it was sent, or not at all", async () => {
    const md5 = createHash("md5").update("content").digest("base64");
    expect((await scene.put("checked", admin, "content", { "content-md5": md5 })).status).toBe(201);
    expect(xmlError(await scene.put("checked", admin, "contents", { "content-md5": md5 }))).toEqual(refused(400, "Md5Mismatch"));
    expect(xmlError(await scene.put("checked", admin, "content", { "content-md5": "bm90" }))).toEqual(refused(400, "InvalidMd5"));
    // The check value of this polynomial for the digits 1 to 9.
    const crc = Buffer.from("ae8b14860a799888", "hex").reverse().toString("base64");
    expect(await scene.put("checked", admin, "123456789", { "x-ms-content-crc64": crc })).toMatchObject({ status: 201, headers: { "x-ms-content-crc64": crc } });
    expect(xmlError(await scene.put("checked", admin, "12345678", { "x-ms-content-crc64": crc }))).toEqual(refused(400, "Crc64Mismatch"));
  });

  it("is put only as a kind that is known", async () => {
    const kind = (type: Record<string, string>) => scene.blob("PUT", `/${CONTAINER}/kind`, admin, type, "x");
    expect(xmlError(await kind({}))).toEqual(refused(400, "MissingRequiredHeader"));
    expect(xmlError(await kind({ "x-ms-blob-type": "Blob" }))).toEqual(refused(400, "InvalidHeaderValue"));
    expect(xmlError(await kind({ "x-ms-blob-type": "AppendBlob" }))).toEqual(refused(501, "NotImplemented"));
    expect(xmlError(await scene.put("kind", admin, "", { "x-ms-copy-source": `${BLOB_HOST}/${CONTAINER}/other` }))).toEqual(refused(501, "NotImplemented"));
  });

  it("has metadata, properties and a tier that are changed by themselves", async () => {
    await scene.put("kept", admin, "content", { "x-ms-meta-a": "1", "x-ms-access-tier": "Cool" });
    const change = (comp: string, headers: Record<string, string>) => scene.blob("PUT", `/${CONTAINER}/kept?comp=${comp}`, admin, headers);
    expect((await change("metadata", { "x-ms-meta-b": "2" })).status).toBe(200);
    const { headers } = await scene.blob("GET", `/${CONTAINER}/kept?comp=metadata`, admin);
    expect(headers["x-ms-meta-b"]).toBe("2");
    expect(headers).not.toHaveProperty("x-ms-meta-a");
    expect((await change("properties", { "x-ms-blob-content-type": "text/plain", "x-ms-blob-cache-control": "no-store" })).status).toBe(200);
    expect((await change("tier", { "x-ms-access-tier": "Cold" })).status).toBe(200);
    expect(await get("kept")).toMatchObject({ text: "content", headers: { "content-type": "text/plain", "cache-control": "no-store", "x-ms-meta-b": "2", "x-ms-access-tier": "Cold" } });
    expect(xmlError(await change("metadata", { "x-ms-meta-not-allowed": "1" }))).toEqual(refused(400, "InvalidMetadata"));
    expect(xmlError(await change("tier", { "x-ms-access-tier": "Lukewarm" }))).toEqual(refused(400, "InvalidHeaderValue"));
    await change("tier", { "x-ms-access-tier": "Archive" });
    expect(xmlError(await get("kept"))).toEqual(refused(409, "BlobArchived"));
  });
});

describe("conditions", () => {
  it("let a blob be made once", async () => {
    expect((await scene.put("once", admin, "1", { "if-none-match": "*" })).status).toBe(201);
    expect(xmlError(await scene.put("once", admin, "2", { "if-none-match": "*" }))).toEqual(refused(409, "BlobAlreadyExists", "The specified blob already exists."));
    expect((await get("once")).text).toBe("1");
  });

  it("let only the state that is meant be written and deleted", async () => {
    const first = (await scene.put("state", admin, "1")).headers["etag"] ?? "";
    const second = (await scene.put("state", admin, "2", { "if-match": first })).headers["etag"] ?? "";
    expect(xmlError(await scene.put("state", admin, "3", { "if-match": first }))).toEqual(notMet);
    expect(xmlError(await scene.put("other", admin, "3", { "if-match": first }))).toEqual(notMet);
    expect(xmlError(await scene.put("state", admin, "3", { "if-none-match": second }))).toEqual(notMet);
    expect(xmlError(await remove("state", admin, { "if-match": first }))).toEqual(notMet);
    expect((await remove("state", admin, { "if-match": second })).status).toBe(202);
  });

  it("let only what has changed be read", async () => {
    const etag = (await scene.put("state", admin, "1")).headers["etag"] ?? "";
    expect(await get("state", admin, { "if-none-match": etag })).toMatchObject({ status: 304, text: "", headers: { "x-ms-error-code": "ConditionNotMet" } });
    expect((await get("state", admin, { "if-none-match": '"0x8D0"' })).status).toBe(200);
    expect(xmlError(await get("state", admin, { "if-match": '"0x8D0"' }))).toEqual(notMet);
    const [before, after] = [new Date(Date.now() - 60_000).toUTCString(), new Date(Date.now() + 60_000).toUTCString()];
    expect((await get("state", admin, { "if-modified-since": before })).status).toBe(200);
    expect((await get("state", admin, { "if-modified-since": after })).status).toBe(304);
    expect(xmlError(await get("state", admin, { "if-unmodified-since": before }))).toEqual(notMet);
    expect((await get("state", admin, { "if-unmodified-since": after })).status).toBe(200);
  });
});

describe("blocks", () => {
  const id = (name: string) => Buffer.from(name).toString("base64");
  const block = (name: string, data: string, token = admin) => scene.blob("PUT", `/${CONTAINER}/large?comp=block&blockid=${encodeURIComponent(id(name))}`, token, {}, data);
  const commit = (entries: [kind: string, name: string][], headers: Record<string, string> = {}) => {
    const body = `<?xml version="1.0" encoding="utf-8"?><BlockList>${entries.map(([kind, name]) => `<${kind}>${id(name)}</${kind}>`).join("")}</BlockList>`;
    return scene.blob("PUT", `/${CONTAINER}/large?comp=blocklist`, admin, headers, body);
  };

  it("make a blob in the order of the list", async () => {
    await block("b-1", "one,");
    await block("b-2", "two,");
    expect(xmlError(await get("large"))).toEqual(refused(404, "BlobNotFound"));
    expect((await commit([["Latest", "b-2"], ["Latest", "b-1"]], { "x-ms-blob-content-type": "text/plain" })).status).toBe(201);
    expect(await get("large")).toMatchObject({ text: "two,one,", headers: { "content-type": "text/plain" } });
    await block("b-3", "three,");
    await block("b-1", "ONE,");
    expect((await commit([["Committed", "b-1"], ["Uncommitted", "b-3"], ["Latest", "b-1"]])).status).toBe(201);
    expect((await get("large")).text).toBe("one,three,ONE,");
  });

  it("are listed, committed and not", async () => {
    await block("b-1", "one");
    await commit([["Latest", "b-1"]]);
    await block("b-2", "three");
    const blocks = await scene.blob("GET", `/${CONTAINER}/large?comp=blocklist&blocklisttype=all`, admin);
    expect(blocks.text).toContain(`<CommittedBlocks><Block><Name>${id("b-1")}</Name><Size>3</Size></Block></CommittedBlocks><UncommittedBlocks><Block><Name>${id("b-2")}</Name><Size>5</Size></Block></UncommittedBlocks>`);
    sandbox.core.clock.advance(7 * DAY + 1);
    const later = await scene.blob("GET", `/${CONTAINER}/large?comp=blocklist&blocklisttype=all`, await scene.administrator());
    expect(later.text).toContain("<UncommittedBlocks />");
  });

  it("that nobody sent make no blob", async () => {
    expect(xmlError(await commit([["Latest", "b-9"]]))).toEqual(refused(400, "InvalidBlockList", "The specified block list is invalid."));
    expect(xmlError(await scene.blob("PUT", `/${CONTAINER}/large?comp=blocklist`, admin, {}, "no list"))).toEqual(refused(400, "InvalidXmlDocument"));
    await block("b-1", "one");
    expect(xmlError(await block("b-10", "of another length"))).toEqual(refused(400, "InvalidBlobOrBlock"));
    expect(xmlError(await scene.blob("PUT", `/${CONTAINER}/large?comp=block&blockid=%C3%A4`, admin, {}, "x"))).toEqual(refused(400, "InvalidQueryParameterValue"));
  });
});

describe("lists", () => {
  beforeEach(async () => {
    for (const name of ["a.txt", "builds/1.zip", "builds/2.zip", "logs/2026/x", "z.txt"]) await scene.put(name, admin, name, { "x-ms-meta-of": "test" });
  });

  it("have the blobs of a prefix", async () => {
    expect(names(await list())).toEqual(["a.txt", "builds/1.zip", "builds/2.zip", "logs/2026/x", "z.txt"]);
    expect(names(await list("&prefix=builds/"))).toEqual(["builds/1.zip", "builds/2.zip"]);
    expect((await list()).text).not.toContain("<Metadata>");
    expect((await list("&include=metadata")).text).toContain("<Metadata><of>test</of></Metadata>");
  });

  it("fold what lies deeper", async () => {
    const { text } = await list("&delimiter=/");
    expect(text).toContain("<BlobPrefix><Name>builds/</Name></BlobPrefix><BlobPrefix><Name>logs/</Name></BlobPrefix>");
    expect(text).toContain("<Delimiter>/</Delimiter>");
    expect(names(await list("&delimiter=/&prefix=logs/"))).toEqual(["logs/2026/"]);
  });

  it("go on where a marker says", async () => {
    const first = await list("&maxresults=2");
    expect(names(first)).toEqual(["a.txt", "builds/1.zip"]);
    const marker = /<NextMarker>(.*?)<\/NextMarker>/.exec(first.text)?.[1] ?? "";
    const second = await list(`&maxresults=2&marker=${encodeURIComponent(marker)}`);
    expect(names(second)).toEqual(["builds/2.zip", "logs/2026/x"]);
    const last = /<NextMarker>(.*?)<\/NextMarker>/.exec(second.text)?.[1] ?? "";
    expect((await list(`&marker=${encodeURIComponent(last)}`)).text).toContain("<NextMarker />");
    expect(xmlError(await list("&maxresults=0"))).toEqual(refused(400, "OutOfRangeQueryParameterValue"));
    expect(xmlError(await list("&marker=nonsense"))).toEqual(refused(400, "OutOfRangeInput"));
    expect(xmlError(await list("&include=nonsense"))).toEqual(refused(400, "InvalidQueryParameterValue"));
  });
});

describe("containers", () => {
  it("are made, described and deleted by the Blob service", async () => {
    const made = await container("PUT", admin, "by-data", { "x-ms-meta-owner": "team" });
    expect(made).toMatchObject({ status: 201, headers: { etag: expect.any(String) as string } });
    expect(xmlError(await container("PUT", admin, "by-data"))).toEqual(refused(409, "ContainerAlreadyExists", "The specified container already exists."));
    const properties = await container("GET", admin, "by-data");
    expect(properties).toMatchObject({ status: 200, headers: { etag: made.headers["etag"], "x-ms-meta-owner": "team", "x-ms-has-immutability-policy": "false", "x-ms-has-legal-hold": "false", "x-ms-lease-state": "available" } });
    expect(await scene.arm("GET", scene.container.replace(CONTAINER, "by-data"))).toMatchObject({ etag: made.headers["etag"], properties: { metadata: { owner: "team" } } });
    expect((await container("DELETE", admin, "by-data")).status).toBe(202);
    expect(xmlError(await container("PUT", admin, "by-data"))).toEqual(refused(409, "ContainerBeingDeleted", "The specified container is being deleted. Try operation later."));
    expect(xmlError(await container("GET", admin, "by-data"))).toEqual(refused(404, "ContainerNotFound"));
    sandbox.core.clock.advance(31);
    expect((await container("PUT", admin, "by-data")).status).toBe(201);
  });

  it("take their blobs along, and never give them back to the next of the name", async () => {
    await scene.put("old", admin);
    await container("DELETE");
    sandbox.core.clock.advance(31);
    await container("PUT");
    expect(names(await list())).toEqual([]);
    for (const type of ["azure:blob/blob", "azure:blob/content"]) expect(sandbox.store.list(type)).toEqual([]);
  });

  it("are listed", async () => {
    await container("PUT", admin, "second");
    const all = await scene.blob("GET", "/?comp=list", admin);
    expect(names(all)).toEqual([CONTAINER, "second"]);
    expect(all.text).toContain(`<EnumerationResults ServiceEndpoint="${BLOB_HOST}/">`);
    expect(names(await scene.blob("GET", "/?comp=list&prefix=sec", admin))).toEqual(["second"]);
  });

  it("have names by the rules", async () => {
    for (const name of ["ab", "Upper", "two--hyphens"]) expect(xmlError(await container("PUT", admin, name))).toEqual(refused(400, "InvalidResourceName"));
  });

  it("come back with their blobs while they are kept", async () => {
    await service({ containerDeleteRetentionPolicy: { enabled: true, days: 2 } });
    await scene.put("kept", admin);
    await container("DELETE");
    const version = /<Version>(.*?)<\/Version>/.exec((await scene.blob("GET", "/?comp=list&include=deleted", admin)).text)?.[1] ?? "";
    const restore = (of: string) => scene.blob("PUT", `/${CONTAINER}?restype=container&comp=undelete`, admin, { "x-ms-deleted-container-name": CONTAINER, "x-ms-deleted-container-version": of });
    expect(xmlError(await restore("other"))).toEqual(refused(404, "ContainerNotFound"));
    expect((await restore(version)).status).toBe(201);
    expect((await get("kept")).text).toBe("content");
  });

  it("that were never made, and operations that are not played, say so", async () => {
    expect(xmlError(await scene.blob("GET", "/missing/blob", admin))).toEqual(refused(404, "ContainerNotFound", "The specified container does not exist."));
    expect(xmlError(await scene.blob("GET", "/blob-of-root", admin))).toEqual(refused(404, "ContainerNotFound"));
    expect(xmlError(await scene.blob("PUT", `/${CONTAINER}?restype=container&comp=lease`, admin))).toEqual(refused(501, "NotImplemented"));
    expect(xmlError(await scene.blob("POST", `/${CONTAINER}/blob`, admin))).toEqual(refused(405, "UnsupportedHttpVerb"));
    expect(xmlError(await scene.blob("GET", `/${CONTAINER}/blob?comp=nonsense`, admin))).toEqual(refused(400, "InvalidQueryParameterValue"));
  });
});

describe("versions and soft delete", () => {
  const versionsOf = async (query = "versions", token = admin) =>
    [...(await list(`&include=${query}`, token)).text.matchAll(/<Blob>.*?<\/Blob>/gs)].map(([text]) => ({
      id: /<VersionId>(.*?)</.exec(text)?.[1],
      current: text.includes("<IsCurrentVersion>true"),
      deleted: text.includes("<Deleted>true"),
    }));

  it("keep what is overwritten and deleted as versions", async () => {
    await service({ isVersioningEnabled: true });
    const first = (await scene.put("report", admin, "1")).headers["x-ms-version-id"] ?? "";
    const second = (await scene.put("report", admin, "2")).headers["x-ms-version-id"] ?? "";
    expect(first < second).toBe(true);
    expect(await versionsOf()).toEqual([{ id: first, current: false, deleted: false }, { id: second, current: true, deleted: false }]);
    expect((await get(`report?versionid=${first}`)).text).toBe("1");
    expect((await get("report")).headers["x-ms-is-current-version"]).toBe("true");
    await remove("report");
    expect(xmlError(await get("report"))).toEqual(refused(404, "BlobNotFound"));
    expect((await get(`report?versionid=${second}`)).text).toBe("2");
    expect((await remove(`report?versionid=${first}`)).status).toBe(202);
    expect(await versionsOf()).toEqual([{ id: second, current: false, deleted: false }]);
    expect(xmlError(await get(`report?versionid=${first}`))).toEqual(refused(404, "BlobNotFound"));
  });

  it("are deleted one by one only with a right of their own", async () => {
    await service({ isVersioningEnabled: true });
    const first = (await scene.put("report", writer.token, "1")).headers["x-ms-version-id"] ?? "";
    await scene.put("report", writer.token, "2");
    expect(xmlError(await remove(`report?versionid=${first}`, writer.token))).toEqual(mismatch);
    expect((await remove(`report?versionid=${first}`)).status).toBe(202);
  });

  it("give a deleted blob back while it is kept", async () => {
    await service({ deleteRetentionPolicy: { enabled: true, days: 2 } });
    await scene.put("report", admin, "1");
    expect((await remove("report")).headers["x-ms-delete-type-permanent"]).toBe("false");
    expect(names(await list())).toEqual([]);
    expect(await versionsOf("deleted")).toEqual([{ id: undefined, current: false, deleted: true }]);
    expect((await scene.blob("PUT", `/${CONTAINER}/report?comp=undelete`, admin)).status).toBe(200);
    expect((await get("report")).text).toBe("1");
    await remove("report");
    sandbox.core.clock.advance(2 * DAY + 1);
    const later = await scene.administrator();
    expect(xmlError(await scene.blob("PUT", `/${CONTAINER}/report?comp=undelete`, later))).toEqual(refused(404, "BlobNotFound"));
    expect(await versionsOf("deleted", later)).toEqual([]);
  });
});

describe("immutability", () => {
  it("of a period keeps blobs as they are until it ends", async () => {
    await scene.arm("PUT", `${scene.container}/immutabilityPolicies/default`, { properties: { immutabilityPeriodSinceCreationInDays: 2 } });
    const immutable = refused(409, "BlobImmutableDueToPolicy", "This operation is not permitted as the blob is immutable due to a policy.");
    expect((await scene.put("worm", admin)).status).toBe(201);
    expect(xmlError(await scene.put("worm", admin))).toEqual(immutable);
    expect(xmlError(await remove("worm"))).toEqual(immutable);
    expect(xmlError(await scene.blob("PUT", `/${CONTAINER}/worm?comp=metadata`, admin))).toEqual(immutable);
    expect(xmlError(await container("DELETE"))).toEqual(refused(409, "ContainerImmutabilityPolicyLocked"));
    await expect(scene.arm("DELETE", scene.container)).rejects.toMatchObject({ status: 409, code: "ContainerImmutabilityPolicyLocked" });
    sandbox.core.clock.advance(2 * DAY + 1);
    expect((await remove("worm", await scene.administrator())).status).toBe(202);
    await scene.arm("DELETE", scene.container);
  });

  it("by a legal hold ends with it", async () => {
    await scene.put("held", admin);
    await scene.arm("POST", `${scene.container}/setLegalHold`, { tags: ["case17"] });
    expect((await container("HEAD")).headers["x-ms-has-legal-hold"]).toBe("true");
    expect(xmlError(await remove("held"))).toEqual(refused(409, "BlobImmutableDueToLegalHold"));
    expect(xmlError(await container("DELETE"))).toEqual(refused(409, "ContainerHasLegalHold"));
    await scene.arm("POST", `${scene.container}/clearLegalHold`, { tags: ["case17"] });
    expect((await remove("held")).status).toBe(202);
  });
});

describe("roles", () => {
  it("that read do not write", async () => {
    await scene.put("shared", writer.token);
    expect((await get("shared", reader.token)).status).toBe(200);
    expect((await list("", reader.token)).status).toBe(200);
    expect((await container("HEAD", reader.token)).status).toBe(200);
    expect(xmlError(await scene.put("other", reader.token))).toEqual(mismatch);
    expect(xmlError(await remove("shared", reader.token))).toEqual(mismatch);
  });

  it("on the management plane say nothing of data", async () => {
    expect((await container("HEAD", manager.token)).status).toBe(200);
    expect((await container("PUT", manager.token, "by-manager")).status).toBe(201);
    expect(names(await scene.blob("GET", "/?comp=list", manager.token))).toEqual(["by-manager", CONTAINER]);
    for (const refusal of [await list("", manager.token), await get("any", manager.token), await scene.put("any", manager.token)]) expect(xmlError(refusal)).toEqual(mismatch);
  });

  it("on one container are none elsewhere, be it there or not", async () => {
    expect(xmlError(await scene.blob("GET", "/missing/blob", writer.token))).toEqual(mismatch);
    await container("PUT", admin, "second");
    expect(xmlError(await scene.blob("GET", "/second/blob", writer.token))).toEqual(mismatch);
    expect(xmlError(await scene.blob("GET", "/?comp=list", writer.token))).toEqual(mismatch);
    expect(xmlError(await scene.blob("GET", "/missing/blob", admin))).toEqual(refused(404, "ContainerNotFound"));
  });

  it("nobody has let nobody in", async () => {
    for (const refusal of [await container("HEAD", stranger.token), await get("any", stranger.token)]) expect(refusal.headers["x-ms-error-code"]).toBe("AuthorizationPermissionMismatch");
  });

  it("hold for names that their condition allows", async () => {
    const path = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringLike 'builds/*'";
    await scene.assign(stranger.principalId, ROLES.blobContributor, scene.container, path);
    expect((await scene.put("builds/app.zip", stranger.token)).status).toBe(201);
    expect(xmlError(await scene.put("other/app.zip", stranger.token))).toEqual(mismatch);
    expect(xmlError(await list("", stranger.token))).toEqual(mismatch);
  });

  it("hold for lists of the prefix that their condition allows", async () => {
    const [path, prefix] = ["path", "prefix"].map((name) => `Microsoft.Storage/storageAccounts/blobServices/containers/blobs:${name}`);
    const read = "ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'}";
    const condition = `((!(${read} AND SubOperationMatches{'Blob.List'}) OR @Request[${prefix}] StringStartsWith 'builds/') AND (!(${read} AND NOT SubOperationMatches{'Blob.List'}) OR @Resource[${path}] StringLike 'builds/*'))`;
    await scene.assign(stranger.principalId, ROLES.blobReader, scene.container, condition);
    await scene.put("builds/app.zip", admin);
    expect(names(await list("&prefix=builds/", stranger.token))).toEqual(["builds/app.zip"]);
    expect((await get("builds/app.zip", stranger.token)).status).toBe(200);
    expect(xmlError(await list("", stranger.token))).toEqual(mismatch);
    expect(xmlError(await get("other", stranger.token))).toEqual(mismatch);
  });

  it("are outdone by a deny assignment", async () => {
    const permissions = [{ actions: [], notActions: [], dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete"], notDataActions: [] }];
    const properties = { denyAssignmentName: "keep", permissions, scope: scene.container, principals: [{ id: writer.principalId, type: "ServicePrincipal" }], excludePrincipals: [], doNotApplyToChildScopes: false };
    await scene.put("kept", writer.token);
    sandbox.store.put("azure:arm/microsoft.authorization/denyassignments", `${scene.container}/providers/microsoft.authorization/denyassignments/keep`.toLowerCase(), {
      id: `${scene.container}/providers/Microsoft.Authorization/denyAssignments/keep`,
      name: "keep",
      type: "Microsoft.Authorization/denyAssignments",
      properties,
    });
    expect(xmlError(await remove("kept", writer.token))).toEqual(mismatch);
    expect((await get("kept", writer.token)).status).toBe(200);
  });

  it("are seen once they have spread", async () => {
    sandbox.core.settings.propagationDelaySeconds = 60;
    await scene.assign(stranger.principalId, ROLES.blobContributor, scene.container);
    expect(xmlError(await scene.put("early", stranger.token))).toEqual(mismatch);
    sandbox.core.clock.advance(61);
    expect((await scene.put("early", stranger.token)).status).toBe(201);
  });
});

describe("the firewall", () => {
  const shut = refused(403, "AuthorizationFailure", "This request is not authorized to perform this operation.");

  it("decides before any role", async () => {
    await account({ networkAcls: { defaultAction: "Deny", ipRules: [] } });
    for (const token of [admin, stranger.token]) expect(xmlError(await get("any", token))).toEqual(shut);
    await account({ networkAcls: { ipRules: [{ value: "203.0.113.0/24" }] } });
    expect(xmlError(await get("any", stranger.token))).toEqual(mismatch);
    expect(xmlError(await get("any"))).toEqual(refused(404, "BlobNotFound"));
    await account({ networkAcls: { ipRules: [{ value: "198.51.100.7" }] } });
    expect(xmlError(await get("any"))).toEqual(shut);
    await account({ networkAcls: { defaultAction: "Allow" } });
    expect(xmlError(await get("any"))).toEqual(refused(404, "BlobNotFound"));
  });

  it("shuts all out where public network access is off, but for ARM", async () => {
    await account({ publicNetworkAccess: "Disabled" });
    expect(xmlError(await get("any"))).toEqual(shut);
    await scene.arm("GET", scene.container);
    await account({ publicNetworkAccess: "Enabled" });
    expect(xmlError(await get("any"))).toEqual(refused(404, "BlobNotFound"));
  });
});

describe("tokens", () => {
  const challenge = "Bearer authorization_uri=https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/authorize resource_id=https://storage.azure.com";
  const unauthenticated = "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";

  it("that are missing are asked for", async () => {
    const answer = await get("any", NOBODY);
    expect(xmlError(answer)).toEqual(refused(401, "NoAuthenticationInformation", unauthenticated));
    expect(answer.headers["www-authenticate"]).toBe(challenge);
  });

  it("for another audience prove nothing", async () => {
    const answer = await get("any", await scene.administrator(`${ARM}/.default`));
    expect(xmlError(answer)).toEqual(refused(401, "InvalidAuthenticationInfo", unauthenticated));
    expect(answer.headers["www-authenticate"]).toBe(challenge);
    expect(answer.text).toContain("<AuthenticationErrorDetail>Audience validation failed. Audience did not match.</AuthenticationErrorDetail>");
    expect((await list("", await scene.administrator(`${BLOB_HOST}/.default`))).status).toBe(200);
  });

  it("that have expired, are of another tenant or are no tokens prove nothing", async () => {
    const detail = async (token: string) => {
      const answer = await get("any", token);
      expect(xmlError(answer)).toEqual(refused(401, "InvalidAuthenticationInfo", unauthenticated));
      return /<AuthenticationErrorDetail>(.*?)</.exec(answer.text)?.[1];
    };
    expect(await detail("nonsense")).toBe("IDX12741: JWT must have three segments (JWS) or five segments (JWE).");
    expect(await detail(await administratorToken(sandbox, { scope: STORAGE_SCOPE, tenant: "bbbbcccc-1111-dddd-2222-eeee3333ffff" }))).toBe("Issuer validation failed. Issuer did not match.");
    expect(await detail(`${admin.split(".").slice(0, 2).join(".")}.${"A".repeat(342)}`)).toBe("Signature validation failed. Signature key not found.");
    sandbox.core.clock.advance(7200);
    expect(await detail(admin)).toBe("Lifetime validation failed. The token is expired.");
  });

  it("need a version that knows them", async () => {
    const old = await get("any", admin, { "x-ms-version": "2017-07-29" });
    expect(xmlError(old)).toEqual(refused(403, "AuthenticationFailed"));
    expect(old.text).toContain("Authentication scheme Bearer is not supported in this version.");
    expect(xmlError(await get("any", admin, { "x-ms-version": "2017-11-09" }))).toEqual(refused(404, "BlobNotFound"));
    expect(xmlError(await get("any", admin, { "x-ms-version": "2099-01-01" }))).toEqual(refused(400, "InvalidHeaderValue"));
  });

  it("are named nowhere in answers", async () => {
    for (const answer of [await get("any", "nonsense-of-a-token"), await get("any", admin)]) expect(answer.text + JSON.stringify(answer.headers)).not.toMatch(/nonsense-of-a-token|eyJ/);
  });
});

describe("keys", () => {
  /** As https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key has it, for a request without body. */
  async function signed(method: string, path: string, { key, date = sandbox.core.clock.now(), query = {} }: { key: string; date?: Date; query?: Record<string, string> }): Promise<AzureReceived> {
    const headers = { "x-ms-date": date.toUTCString(), "x-ms-version": VERSION };
    const canonical = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join("");
    const parameters = Object.entries(query).sort().map(([name, value]) => `\n${name}:${value}`).join("");
    const text = `${method}${"\n".repeat(12)}${canonical}/${ACCOUNT}${path}${parameters}`;
    const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
    const search = new URLSearchParams(query).toString();
    return azureSend(sandbox)(method, `${BLOB_HOST}${path}${search === "" ? "" : `?${search}`}`, { headers: { ...headers, authorization: `SharedKey ${ACCOUNT}:${signature}`, "content-length": "0" } });
  }
  const key = async () => (await scene.arm<{ keys: { value: string }[] }>("POST", `${scene.account}/listKeys`)).keys[0]?.value ?? "";
  const failed = refused(403, "AuthenticationFailed", "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.");

  it("open everything, where they sign", async () => {
    await scene.put("by-key", admin);
    expect((await signed("GET", `/${CONTAINER}/by-key`, { key: await key() })).text).toBe("content");
    expect(names(await signed("GET", `/${CONTAINER}`, { key: await key(), query: { comp: "list", restype: "container" } }))).toEqual(["by-key"]);
    expect(xmlError(await signed("GET", `/${CONTAINER}/by-key`, { key: Buffer.from(randomUUID()).toString("base64") }))).toEqual(failed);
    expect(xmlError(await signed("GET", `/${CONTAINER}/by-key`, { key: await key(), date: new Date(sandbox.core.clock.now().getTime() - 16 * 60_000) }))).toEqual(failed);
    expect((await signed("GET", `/${CONTAINER}/by-key`, { key: await key(), date: new Date(sandbox.core.clock.now().getTime() - 14 * 60_000) })).status).toBe(200);
  });

  it("open nothing, where the account has switched them off", async () => {
    const off = refused(403, "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted on this storage account.");
    await account({ allowSharedKeyAccess: false });
    expect(xmlError(await signed("GET", `/${CONTAINER}/by-key`, { key: await key() }))).toEqual(off);
    expect(xmlError(await get("by-key?sv=2026-04-06&sig=c2lnbmF0dXJl", NOBODY))).toEqual(off);
    expect((await list()).status).toBe(200);
  });

  it("are not in signed addresses", async () => {
    expect(xmlError(await get("by-key?sv=2026-04-06&sig=c2lnbmF0dXJl", NOBODY))).toEqual(failed);
    expect(xmlError(await get("by-key?sv=2026-04-06&skoid=x&sig=c2lnbmF0dXJl", NOBODY))).toEqual(failed);
    expect(xmlError(await scene.blob("POST", "/?restype=service&comp=userdelegationkey", admin))).toEqual(refused(501, "NotImplemented"));
  });
});

describe("public access", () => {
  const anonymous = (path: string, headers: Record<string, string> = {}) => azureSend(sandbox)("GET", `${BLOB_HOST}${path}`, { headers });

  it("is of blobs, or of the container as a whole", async () => {
    await scene.put("page.html", admin);
    await account({ allowBlobPublicAccess: true });
    expect(xmlError(await anonymous(`/${CONTAINER}/page.html`))).toEqual(refused(404, "ResourceNotFound", "The specified resource does not exist."));
    await scene.arm("PUT", scene.container, { properties: { publicAccess: "Blob" } });
    expect((await anonymous(`/${CONTAINER}/page.html`)).text).toBe("content");
    expect(xmlError(await anonymous(`/${CONTAINER}?restype=container&comp=list`, { "x-ms-version": VERSION }))).toEqual(refused(401, "NoAuthenticationInformation"));
    await scene.arm("PUT", scene.container, { properties: { publicAccess: "Container" } });
    expect(names(await anonymous(`/${CONTAINER}?restype=container&comp=list`))).toEqual(["page.html"]);
    expect(xmlError(await scene.put("other", NOBODY))).toEqual(refused(401, "NoAuthenticationInformation"));
  });

  it("is none where the account does not allow it", async () => {
    await scene.put("page.html", admin);
    await account({ allowBlobPublicAccess: true });
    await scene.arm("PUT", scene.container, { properties: { publicAccess: "Container" } });
    await account({ allowBlobPublicAccess: false });
    expect(xmlError(await anonymous(`/${CONTAINER}/page.html`))).toEqual(refused(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account."));
    expect(xmlError(await anonymous(`/${CONTAINER}/page.html`, { "x-ms-version": VERSION }))).toEqual(refused(401, "NoAuthenticationInformation"));
  });
});

describe("the sandbox's own address", () => {
  const path = `/${ACCOUNT}/${CONTAINER}/own`;
  const ask = (url: string, headers: Record<string, string>) => fetch(`${url}${path}`, { headers: { "x-ms-version": VERSION, ...headers } });

  it("has every account below its name, for clients with an endpoint of their own", async () => {
    const answer = await ask(sandbox.url, {});
    expect([answer.status, answer.headers.get("x-ms-error-code")]).toEqual([400, "AccountRequiresHttps"]);
    expect((await fetch(`${sandbox.url}/acmeother/${CONTAINER}/own`, { headers: { "x-ms-version": VERSION } })).headers.get("x-ms-error-code")).toBeNull();
  });

  it("takes no token without TLS, even where the account does not insist", async () => {
    await account({ supportsHttpsTrafficOnly: false });
    const answer = await ask(sandbox.url, { authorization: `Bearer ${admin}` });
    expect([answer.status, answer.headers.get("x-ms-error-code")]).toEqual([403, "AuthenticationFailed"]);
    expect((await ask(sandbox.url, {})).status).toBe(401);
  });
});

describe("the subscription of an account", () => {
  const subscription = () => sandbox.store.get<Record<string, unknown>>("azure:account/subscription", sandbox.azure.defaultSubscription.subscriptionId);
  const change = (members: object) => sandbox.store.put("azure:account/subscription", sandbox.azure.defaultSubscription.subscriptionId, { ...subscription(), ...members });

  it("takes its data along when it is disabled", async () => {
    change({ state: "Disabled" });
    expect(xmlError(await get("any"))).toEqual(refused(403, "AccountIsDisabled", "The specified account is disabled."));
  });

  it("decides whose tokens count, wherever it moves", async () => {
    const elsewhere = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
    change({ tenantId: elsewhere });
    const answer = await get("any");
    expect(xmlError(answer)).toEqual(refused(401, "InvalidAuthenticationInfo"));
    expect(answer.headers["www-authenticate"]).toContain(`/${elsewhere}/`);
    expect(xmlError(await get("any", await administratorToken(sandbox, { scope: STORAGE_SCOPE, tenant: elsewhere })))).toEqual(mismatch);
  });
});

describe("the host of an account", () => {
  it("is there as long as the account", async () => {
    await expect(scene.blob("GET", "https://acmeother.blob.core.windows.net/files/b", admin)).resolves.toMatchObject({ status: 403, text: expect.stringContaining('serves no "acmeother.blob.core.windows.net"') as string });
    await expect(scene.blob("GET", `https://${ACCOUNT}.blob.core.usgovcloudapi.net/files/b`, admin)).resolves.toMatchObject({ status: 403 });
    await scene.arm("DELETE", scene.account);
    await expect(get("any")).resolves.toMatchObject({ status: 403, text: expect.stringContaining("serves no") as string });
  });

  it("is of its cloud", async () => {
    await scene.agency("agencyartifacts", { kind: "StorageV2", sku: { name: "Standard_LRS" } });
    const answer = await scene.blob("GET", "https://agencyartifacts.blob.core.usgovcloudapi.net/files/b", NOBODY);
    expect(answer.headers["www-authenticate"]).toContain("https://login.microsoftonline.us/ccccdddd-2222-eeee-3333-ffff4444aaaa/");
  });

  it("tells what kind of account it is", async () => {
    expect(await scene.blob("GET", "/?restype=account&comp=properties", admin)).toMatchObject({ status: 200, headers: { "x-ms-sku-name": "Standard_LRS", "x-ms-account-kind": "StorageV2" } });
    expect((await scene.blob("GET", "/?restype=service&comp=properties", admin)).text).toContain("<DeleteRetentionPolicy><Enabled>false</Enabled></DeleteRetentionPolicy>");
  });
});

describe("calls past the wire", () => {
  it("come as their caller", async () => {
    const { caller } = sandbox.azure.administrator();
    await sandbox.azure.call(caller, "PUT", `${BLOB_HOST}/${CONTAINER}/direct`, Buffer.from("straight"));
    expect((await sandbox.azure.call<Buffer>(caller, "GET", `${BLOB_HOST}/${CONTAINER}/direct`)).toString()).toBe("straight");
    const nobody = { ...caller, objectId: randomUUID() };
    await expect(sandbox.azure.call(nobody, "GET", `${BLOB_HOST}/${CONTAINER}/direct`)).rejects.toMatchObject({ status: 403, code: "AuthorizationPermissionMismatch" });
  });

  it("can be made to fail, like any", async () => {
    sandbox.faults.add({ operation: "blob:GetBlob", status: 503, code: "ServerBusy", message: "The server is busy.", count: 1 });
    expect(xmlError(await get("any"))).toEqual(refused(503, "ServerBusy", "The server is busy."));
    expect(xmlError(await get("any"))).toEqual(refused(404, "BlobNotFound"));
  });
});
