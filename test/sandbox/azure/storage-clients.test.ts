import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobServiceClient, type ContainerClient, RestError, StorageSharedKeyCredential } from "@azure/storage-blob";
import { type Sandbox, type SandboxSnapshot, startSandbox } from "../../../sandbox/index.js";
import { onPath } from "../gcp/clients.js";
import { ACCOUNT, BLOB_HOST, CONTAINER, type Identity, ROLES, StorageScene } from "./storage-support.js";

const hasAz = onPath("az");
const python = process.env["PYTHON"] ?? "python3";
const hasPython = spawnSync(python, ["-c", "import azure.identity, azure.storage.blob"]).status === 0;
if (!hasPython) process.stderr.write(`skipped: azure-identity and azure-storage-blob are not importable in ${python}\n`);

/** Milliseconds: every command starts a Python. */
const AZ_TIMEOUT = 180_000;

let sandbox: Sandbox;
let scene: StorageScene;
let fresh: SandboxSnapshot;
let writer: Identity;
let reader: Identity;
const folder = mkdtempSync(join(tmpdir(), "cloud-federation-storage-"));

beforeAll(async () => {
  sandbox = await startSandbox();
  scene = new StorageScene(sandbox);
  await scene.build();
  await scene.assign(sandbox.azure.administrator().caller.objectId, ROLES.blobOwner, scene.account);
  [writer, reader] = [await scene.identity("id-writer"), await scene.identity("id-reader")];
  await scene.assign(writer.principalId, ROLES.blobContributor, scene.container);
  await scene.assign(reader.principalId, ROLES.blobReader, scene.container);
  fresh = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(fresh));
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  status: number;
  out: string;
  err: string;
}

/** A child process in the sandbox's own environment. */
function run(program: string, args: string[], variables: Record<string, string> = {}): Promise<Ran> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, ...sandbox.env(), ...variables };
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: 120_000, cwd: process.cwd() }, (error, out, err) => resolve({ status: error ? Number(error.code ?? 1) : 0, out, err }));
  });
}

describe("@azure/storage-blob at the sandbox's own address", () => {
  /** TLS settings are not in the type of the options; they are passed on. */
  const options = () => ({ tlsOptions: { ca: sandbox.caPem }, retryOptions: { maxTries: 1 } }) as object;
  const service = (credential: { token: string } | StorageSharedKeyCredential) => {
    const given = credential instanceof StorageSharedKeyCredential ? credential : { getToken: async () => ({ token: credential.token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
    return new BlobServiceClient(`${sandbox.endpointUrl}/${ACCOUNT}`, given, options());
  };
  const container = (identity: Identity): ContainerClient => service(identity).getContainerClient(CONTAINER);
  const codeOf = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof RestError)) throw new Error(`not refused: ${String(error)}`);
    return [error.statusCode, error.code];
  };

  it("puts, reads, lists and deletes a blob", async () => {
    const client = container(writer);
    expect(await client.exists()).toBe(true);
    const blob = client.getBlockBlobClient("builds/app 1.zip");
    const { etag } = await blob.upload("content", 7, { conditions: { ifNoneMatch: "*" }, blobHTTPHeaders: { blobContentType: "application/zip" }, metadata: { run: "4711" } });
    expect(await codeOf(blob.upload("content", 7, { conditions: { ifNoneMatch: "*" } }))).toEqual([409, "BlobAlreadyExists"]);
    expect((await blob.downloadToBuffer()).toString()).toBe("content");
    expect(await blob.getProperties()).toMatchObject({ contentLength: 7, contentType: "application/zip", metadata: { run: "4711" }, etag, blobType: "BlockBlob" });
    const names: string[] = [];
    for await (const each of client.listBlobsFlat({ prefix: "builds/" })) names.push(each.name);
    for await (const each of client.listBlobsByHierarchy("/")) names.push(`${each.kind} ${each.name}`);
    expect(names).toEqual(["builds/app 1.zip", "prefix builds/"]);
    expect(await codeOf(blob.delete({ conditions: { ifMatch: '"0x8D0"' } }))).toEqual([412, "ConditionNotMet"]);
    await blob.delete({ conditions: { ifMatch: etag ?? "" } });
    expect(await blob.exists()).toBe(false);
    expect(await codeOf(blob.download())).toEqual([404, "BlobNotFound"]);
  });

  it("sends large blobs in blocks", async () => {
    const data = Buffer.alloc(3 * 1024 * 1024 + 17, "abcdefg");
    const blob = container(writer).getBlockBlobClient("large.bin");
    await blob.uploadData(data, { maxSingleShotSize: 1024, blockSize: 1024 * 1024, concurrency: 3 });
    expect((await blob.getBlockList("committed")).committedBlocks).toHaveLength(4);
    expect((await blob.downloadToBuffer(0, undefined, { blockSize: 1024 * 1024 })).equals(data)).toBe(true);
  });

  it("pages through lists", async () => {
    const client = container(writer);
    for (const name of ["a", "b", "c", "d", "e"]) await client.getBlockBlobClient(name).upload(name, 1);
    const pages: string[][] = [];
    for await (const page of client.listBlobsFlat().byPage({ maxPageSize: 2 })) pages.push(page.segment.blobItems.map(({ name }) => name));
    expect(pages).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  it("is told what it may not", async () => {
    expect(await codeOf(container(reader).getBlockBlobClient("a").upload("a", 1))).toEqual([403, "AuthorizationPermissionMismatch"]);
    expect(await codeOf(service(writer).getContainerClient("missing").getProperties())).toEqual([403, "AuthorizationPermissionMismatch"]);
    await scene.arm("PATCH", scene.account, { properties: { networkAcls: { defaultAction: "Deny" } } });
    expect(await codeOf(container(writer).getProperties())).toEqual([403, "AuthorizationFailure"]);
  });

  it("signs with the account's key, where that is allowed", async () => {
    const { keys } = await scene.arm<{ keys: { value: string }[] }>("POST", `${scene.account}/listKeys`);
    const client = service(new StorageSharedKeyCredential(ACCOUNT, keys[1]?.value ?? "")).getContainerClient(CONTAINER);
    const blob = client.getBlockBlobClient("with key/ü.txt");
    await blob.upload("content", 7, { metadata: { b: "2", a: "1" } });
    expect((await blob.downloadToBuffer(2, 3)).toString()).toBe("nte");
    const names: string[] = [];
    for await (const each of client.listBlobsFlat({ prefix: "with key/", includeMetadata: true })) names.push(each.name);
    expect(names).toEqual(["with key/ü.txt"]);
    const wrong = service(new StorageSharedKeyCredential(ACCOUNT, Buffer.alloc(64).toString("base64")));
    expect(await codeOf(wrong.getProperties())).toEqual([403, "AuthenticationFailed"]);
    await scene.arm("PATCH", scene.account, { properties: { allowSharedKeyAccess: false } });
    expect(await codeOf(blob.download())).toEqual([403, "KeyBasedAuthenticationNotPermitted"]);
  });

  it("goes through versions and what was deleted", async () => {
    await scene.arm("PUT", `${scene.account}/blobServices/default`, { properties: { isVersioningEnabled: true, deleteRetentionPolicy: { enabled: true, days: 7 } } });
    const client = container(writer);
    const blob = client.getBlockBlobClient("report");
    const first = await blob.upload("1", 1);
    await blob.upload("2", 1);
    expect((await blob.withVersion(first.versionId ?? "").downloadToBuffer()).toString()).toBe("1");
    await blob.delete();
    const found: { versionId: string | undefined; isCurrent: boolean }[] = [];
    for await (const { versionId, isCurrentVersion } of client.listBlobsFlat({ includeVersions: true })) found.push({ versionId, isCurrent: isCurrentVersion ?? false });
    expect(found).toEqual([{ versionId: first.versionId, isCurrent: false }, { versionId: expect.any(String) as string, isCurrent: false }]);
  });
});

describe("@azure/storage-blob through the proxy", () => {
  const program = `
    const { BlobServiceClient } = require("@azure/storage-blob");
    const [host, container, token] = process.argv.slice(1);
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600000 }) };
    const client = new BlobServiceClient(host, credential, { retryOptions: { maxTries: 1 } }).getContainerClient(container);
    (async () => {
      await client.getBlockBlobClient("proxied").upload("content", 7);
      return (await client.getBlockBlobClient("proxied").downloadToBuffer()).toString();
    })().then(console.log, (error) => { console.log(error.statusCode, error.code); });
  `;

  it("uses the account's own host name", async () => {
    expect(await run(process.execPath, ["-e", program, BLOB_HOST, CONTAINER, writer.token])).toMatchObject({ status: 0, out: "content\n" });
  });

  it("finds no host where there is no account", async () => {
    expect((await run(process.execPath, ["-e", program, "https://acmeother.blob.core.windows.net", CONTAINER, writer.token])).out).toMatch(/^403 /);
  });
});

(hasPython ? describe : describe.skip)("azure-storage-blob for Python", () => {
  const program = `
import sys
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.storage.blob import BlobServiceClient
import os
credential = ClientSecretCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["AZURE_CLIENT_SECRET"])
service = BlobServiceClient(sys.argv[1], credential=credential, retry_total=0)
container = service.get_container_client(sys.argv[2])
print(container.exists())
blob = container.get_blob_client("folder/a b.txt")
blob.upload_blob(b"content" * 1000, metadata={"run": "4711"}, validate_content=True)
try:
    blob.upload_blob(b"content")
except HttpResponseError as error:
    print(error.status_code, getattr(error.error_code, "value", error.error_code))
print(len(blob.download_blob().readall()), blob.get_blob_properties().metadata)
print([each.name for each in container.list_blobs()])
container.get_blob_client("empty").upload_blob(b"")
print(container.get_blob_client("empty").download_blob().readall())
blob.delete_blob()
try:
    blob.download_blob()
except HttpResponseError as error:
    print(error.status_code, getattr(error.error_code, "value", error.error_code))
`;
  const expected = "True\n409 BlobAlreadyExists\n7000 {'run': '4711'}\n['folder/a b.txt']\nb''\n404 BlobNotFound\n";

  it.each([
    ["through the proxy", () => BLOB_HOST],
    ["at the sandbox's own address", () => `${sandbox.endpointUrl}/${ACCOUNT}`],
  ])("goes round %s", async (_, endpoint) => {
    const file = join(folder, "blobs.py");
    writeFileSync(file, program);
    const { status, out, err } = await run(python, [file, endpoint(), CONTAINER]);
    expect({ status, out, err }).toEqual({ status: 0, out: expected, err: "" });
  });
});

(hasAz ? describe : describe.skip)("az storage", () => {
  async function az(...args: string[]): Promise<{ status: number; json: unknown; err: string }> {
    const { status, out, err } = await run("az", [...args, "--output", "json"]);
    return { status, json: out.trim() === "" ? undefined : JSON.parse(out), err };
  }
  const blobs = ["--account-name", ACCOUNT, "--container-name", CONTAINER, "--auth-mode", "login"];

  it("makes and shows accounts", async () => {
    expect(await az("storage", "account", "create", "--name", "acmebyaz", "--resource-group", "rg-acme-dcf", "--location", "westeurope", "--sku", "Standard_LRS", "--min-tls-version", "TLS1_2", "--allow-shared-key-access", "false")).toMatchObject({
      status: 0,
      json: { name: "acmebyaz", minimumTlsVersion: "TLS1_2", allowSharedKeyAccess: false, provisioningState: "Succeeded" },
    });
    expect(await az("storage", "account", "show", "--name", "acmebyaz")).toMatchObject({ status: 0, json: { primaryEndpoints: { blob: "https://acmebyaz.blob.core.windows.net/" } } });
    expect(await az("storage", "account", "blob-service-properties", "update", "--account-name", "acmebyaz", "--resource-group", "rg-acme-dcf", "--enable-versioning", "true")).toMatchObject({ status: 0, json: { isVersioningEnabled: true } });
    expect(await az("storage", "account", "keys", "list", "--account-name", "acmebyaz")).toMatchObject({ status: 0, json: [{ keyName: "key1" }, { keyName: "key2" }] });
    expect(await az("storage", "account", "delete", "--name", "acmebyaz", "--yes")).toMatchObject({ status: 0 });
  }, AZ_TIMEOUT);

  it("puts, shows, reads, lists and deletes a blob", async () => {
    const [file, copy] = [join(folder, "app.zip"), join(folder, "copy.zip")];
    writeFileSync(file, "content");
    expect(await az("storage", "container", "exists", "--name", CONTAINER, "--account-name", ACCOUNT, "--auth-mode", "login")).toMatchObject({ json: { exists: true } });
    expect(await az("storage", "blob", "upload", ...blobs, "--name", "builds/app.zip", "--file", file)).toMatchObject({ status: 0 });
    const again = await az("storage", "blob", "upload", ...blobs, "--name", "builds/app.zip", "--file", file);
    expect(again.status).toBe(1);
    expect(again.err).toContain("BlobAlreadyExists");
    expect(await az("storage", "blob", "show", ...blobs, "--name", "builds/app.zip")).toMatchObject({ json: { name: "builds/app.zip", properties: { contentLength: 7 } } });
    expect(await az("storage", "blob", "download", ...blobs, "--name", "builds/app.zip", "--file", copy)).toMatchObject({ status: 0 });
    expect(readFileSync(copy, "utf8")).toBe("content");
    expect(await az("storage", "blob", "list", ...blobs)).toMatchObject({ json: [{ name: "builds/app.zip" }] });
    expect(await az("storage", "blob", "delete", ...blobs, "--name", "builds/app.zip")).toMatchObject({ status: 0 });
    expect(await az("storage", "blob", "exists", ...blobs, "--name", "builds/app.zip")).toMatchObject({ json: { exists: false } });
  }, AZ_TIMEOUT);
});
