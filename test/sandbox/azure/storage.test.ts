import { type Sandbox, startSandbox } from "../../../sandbox/index.js";
import { ARM, administratorToken, azureSend } from "../../support/azure.js";

describe("a blob, by a token", () => {
  let sandbox: Sandbox;
  beforeAll(async () => (sandbox = await startSandbox()));
  afterAll(() => sandbox.close());

  it("whole", async () => {
    const send = azureSend(sandbox);
    const token = await administratorToken(sandbox);
    const group = `${ARM}/subscriptions/${sandbox.azure.defaultSubscription.subscriptionId}/resourceGroups/rg-acme-dcf`;
    await send("PUT", `${group}?api-version=2021-04-01`, { token, body: { location: "westeurope" } });
    const account = await send("PUT", `${group}/providers/Microsoft.Storage/storageAccounts/acmedcf?api-version=2024-01-01`, { token, body: { location: "westeurope", kind: "StorageV2", sku: { name: "Standard_LRS" } } });
    console.log(account.text);
    const container = await send("PUT", `${group}/providers/Microsoft.Storage/storageAccounts/acmedcf/blobServices/default/containers/artifacts?api-version=2024-01-01`, { token, body: { properties: {} } });
    console.log(container.text);
    const data = await administratorToken(sandbox, { scope: "https://storage.azure.com/.default" });
    const headers = { "x-ms-version": "2026-04-06" };
    const put = await send("PUT", "https://acmedcf.blob.core.windows.net/artifacts/a/b.txt", { token: data, headers: { ...headers, "x-ms-blob-type": "BlockBlob" }, body: "hello" });
    console.log(put);
    const list = await send("GET", "https://acmedcf.blob.core.windows.net/artifacts?restype=container&comp=list", { token: data, headers });
    console.log(list.status, list.text);
    const gone = await send("DELETE", "https://acmedcf.blob.core.windows.net/artifacts/a/b.txt", { token: data, headers });
    console.log(gone.status, gone.text);
    const get = await send("GET", "https://acmedcf.blob.core.windows.net/artifacts/a/b.txt", { token: data, headers });
    console.log(get.status, get.text, get.headers);
  });
});
