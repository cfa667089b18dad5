/** Lists of blobs. https://learn.microsoft.com/rest/api/storageservices/list-blobs */
import { storageAttributes } from "../../facts/azure/storage.js";
import type { BlobAccess } from "./blob-access.js";
import { type BlobAnswer, type BlobRequest, words, xml } from "./blob-call.js";
import { pageOf } from "./blob-pages.js";
import type { BlobStore, BlobVersion, StoredBlob } from "./blob-store.js";
import { blobElement, nameElement } from "./blob-views.js";
import { storageRefusal } from "./storage-errors.js";
import type { StorageState } from "./storage-state.js";
import { type Markup, element, optional } from "./storage-xml.js";

const INCLUDES = ["snapshots", "metadata", "uncommittedblobs", "copy", "deleted", "tags", "versions", "deletedwithversions", "immutabilitypolicy", "legalhold", "permissions"];

interface Item {
  name: string;
  element: Markup;
}

export function listBlobs(access: BlobAccess, state: StorageState, store: BlobStore, request: BlobRequest): BlobAnswer {
  const { query, container: name, endpoint } = request;
  const prefix = query.get("prefix") ?? "";
  const include = words(query.get("include")).map((word) => word.toLowerCase());
  const unknown = include.find((word) => !INCLUDES.includes(word));
  const container = access.open(request, "ListBlobs", { [storageAttributes.prefix]: prefix, [storageAttributes.include]: include });
  if (unknown !== undefined) throw storageRefusal("InvalidQueryParameterValue", { QueryParameterName: "include", QueryParameterValue: unknown, Reason: "" });
  const blobs = store.blobs(container).filter((blob) => blob.name.startsWith(prefix));
  const view = { withMetadata: include.includes("metadata"), withVersions: include.includes("versions") || include.includes("deletedwithversions") };
  const items = blobs.flatMap((blob): Item[] =>
    shown(blob, include).map((version) => {
      const remainingDays = version.deleted === undefined ? 0 : state.remainingDays(version.deleted.retainedUntil);
      return { name: blob.name, element: blobElement(request, blob.name, version, version === blob.current, { ...view, remainingDays }) };
    }),
  );
  const delimiter = query.get("delimiter") ?? "";
  const page = pageOf(query, delimiter === "" ? items : folded(items, prefix, delimiter));
  const content = [...page.head, optional("Delimiter", delimiter === "" ? undefined : delimiter), element("Blobs", page.items.map((each) => each.element)), element("NextMarker", page.next)];
  return xml("EnumerationResults", content, { ServiceEndpoint: endpoint, ContainerName: name });
}

/** The oldest first, the current one last. */
function shown({ current, others }: StoredBlob, include: readonly string[]): BlobVersion[] {
  const withVersions = include.includes("versions");
  const withDeleted = include.includes("deleted");
  const wanted = others.filter(({ versionId, snapshot, deleted }) => {
    if (versionId !== undefined) return withVersions && (deleted === undefined || withDeleted);
    return deleted !== undefined && withDeleted && (snapshot === undefined || include.includes("snapshots"));
  });
  return [...wanted.reverse(), ...(current ? [current] : [])];
}

/** What has the delimiter after the prefix stands for all that has the same up to there. */
function folded(items: readonly Item[], prefix: string, delimiter: string): Item[] {
  const result: Item[] = [];
  for (const item of items) {
    const end = item.name.indexOf(delimiter, prefix.length);
    if (end < 0) {
      result.push(item);
      continue;
    }
    const name = item.name.slice(0, end + delimiter.length);
    if (result.at(-1)?.name !== name) result.push({ name, element: element("BlobPrefix", [nameElement(name)]) });
  }
  return result;
}
