/** Blobs that come in blocks. https://learn.microsoft.com/rest/api/storageservices/put-block and …/put-block-list */
import { storageLimits } from "../../facts/azure/storage.js";
import { type BlobParts, openForWrite, readSettings, readTier } from "./blob-operations.js";
import { type BlobAnswer, type BlobRequest, httpDate, readMetadata, xml } from "./blob-call.js";
import { checkContent } from "./blob-checksums.js";
import type { BlobOperation } from "./blob-dispatch.js";
import type { BlobVersion, UncommittedBlock } from "./blob-store.js";
import { stateHeaders } from "./blob-views.js";
import { storageRefusal } from "./storage-errors.js";
import { element, readList } from "./storage-xml.js";

export function blockOperations(parts: BlobParts): BlobOperation[] {
  return [
    { name: "PutBlock", level: "blob", method: "PUT", comp: "block", run: (request) => putBlock(parts, request) },
    { name: "PutBlockList", level: "blob", method: "PUT", comp: "blocklist", run: (request) => putBlockList(parts, request) },
    { name: "GetBlockList", level: "blob", method: "GET", comp: "blocklist", run: (request) => getBlockList(parts, request) },
  ];
}

/** Of one blob all ids have the same length. */
function readBlockId(id: string | null, others: readonly UncommittedBlock[]): string {
  const bytes = Buffer.from(id ?? "", "base64");
  const { min, max } = storageLimits.blockId;
  if (id === null || bytes.toString("base64") !== id || bytes.length < min || bytes.length > max) {
    throw storageRefusal("InvalidQueryParameterValue", { QueryParameterName: "blockid", QueryParameterValue: id ?? "", Reason: "Not a valid base64 string." });
  }
  if (others.some((other) => other.id.length !== id.length)) throw storageRefusal("InvalidBlobOrBlock");
  return id;
}

function putBlock({ access, state, store }: BlobParts, request: BlobRequest): BlobAnswer {
  const container = access.open(request, "PutBlock");
  const before = store.uncommitted(container, request.blob);
  const id = readBlockId(request.query.get("blockid"), before);
  const checked = checkContent(request.headers, request.body);
  const block: UncommittedBlock = { id, size: request.body.length, content: store.addContent(request.body), created: state.now().toISOString() };
  store.putUncommitted(container, request.blob, [...before.filter((each) => each.id !== id), block]);
  return { status: 201, headers: { ...checked, "x-ms-request-server-encrypted": "true" } };
}

function putBlockList(parts: BlobParts, request: BlobRequest): BlobAnswer {
  const { store, versions } = parts;
  const { headers, body } = request;
  const tier = readTier(headers);
  const listed = readList(body.toString("utf8"), "BlockList");
  if (!listed) throw storageRefusal("InvalidXmlDocument");
  if (listed.length > storageLimits.committedBlocks.max) throw storageRefusal("BlockListTooLong");
  const { container, blob } = openForWrite(parts, request, "PutBlockList");
  const checked = checkContent(headers, body);
  const uncommitted = store.uncommitted(container, request.blob);
  const committed = committedBlocks(blob.current, () => store.content(blob.current?.content ?? ""));
  const chosen = listed.map(({ name, text }) => {
    const fresh = (): Buffer | undefined => contentOf(uncommitted.find(({ id }) => id === text));
    const standing = (): Buffer | undefined => committed.get(text);
    const contentOf = (found: UncommittedBlock | undefined): Buffer | undefined => found && store.content(found.content);
    const data = name === "Committed" ? standing() : name === "Uncommitted" ? fresh() : name === "Latest" ? (fresh() ?? standing()) : undefined;
    if (!data) throw storageRefusal("InvalidBlockList");
    return { id: text, data };
  });
  const whole = Buffer.concat(chosen.map(({ data }) => data));
  const written = versions.replace(request.account, container, blob, {
    content: store.addContent(whole),
    size: whole.length,
    settings: listSettings(headers),
    metadata: readMetadata(headers),
    blocks: chosen.map(({ id, data }) => ({ id, size: data.length })),
    ...(tier !== undefined && { tier }),
  });
  store.putUncommitted(container, request.blob, []);
  return { status: 201, headers: { ...stateHeaders(written), ...checked, "x-ms-request-server-encrypted": "true" } };
}

/** The request's own type and encoding are those of the list. */
function listSettings(headers: Readonly<Record<string, string>>): ReturnType<typeof readSettings> {
  return readSettings(Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("x-ms-blob-"))));
}

function committedBlocks(current: BlobVersion | undefined, content: () => Buffer): Map<string, Buffer> {
  const blocks = new Map<string, Buffer>();
  if (!current || current.blocks.length === 0) return blocks;
  const whole = content();
  let start = 0;
  for (const { id, size } of current.blocks) {
    blocks.set(id, whole.subarray(start, start + size));
    start += size;
  }
  return blocks;
}

function getBlockList({ access, store }: BlobParts, request: BlobRequest): BlobAnswer {
  const container = access.open(request, "GetBlockList");
  const { current } = store.blob(container, request.blob);
  const uncommitted = store.uncommitted(container, request.blob);
  if (!current && uncommitted.length === 0) throw storageRefusal("BlobNotFound");
  const kind = request.query.get("blocklisttype") ?? "committed";
  const list = (name: string, wanted: boolean, blocks: readonly { id: string; size: number }[]) =>
    wanted ? element(name, blocks.map(({ id, size }) => element("Block", [element("Name", id), element("Size", size)]))) : undefined;
  const content = [list("CommittedBlocks", kind !== "uncommitted", current?.blocks ?? []), list("UncommittedBlocks", kind !== "committed", uncommitted)];
  const headers = current ? { etag: current.etag, "last-modified": httpDate(current.lastModified), "x-ms-blob-content-length": String(current.size) } : { "x-ms-blob-content-length": "0" };
  return xml("BlockList", content, {}, headers);
}
