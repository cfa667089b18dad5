/** Pages of lists, which go on where a marker says. https://learn.microsoft.com/rest/api/storageservices/list-blobs#uri-parameters */
import { storageLimits } from "../../facts/azure/storage.js";
import { storageRefusal } from "./storage-errors.js";
import { type Markup, optional } from "./storage-xml.js";

/** Where a page begins: at an item of this name, after so many of the same. */
interface Place {
  name: string;
  skipped: number;
}

/** `head` is what the answer repeats of the request. Several items may have one name; they stand together. */
export function pageOf<T extends { name: string }>(query: URLSearchParams, found: readonly T[]): { items: T[]; head: (Markup | undefined)[]; next: string } {
  const { min, max } = storageLimits.page;
  const asked = query.get("maxresults");
  const size = asked === null ? max : Number(asked);
  if (!Number.isInteger(size) || size < min) {
    const range = { MinimumAllowed: String(min), MaximumAllowed: "2147483647" };
    throw storageRefusal("OutOfRangeQueryParameterValue", { QueryParameterName: "maxresults", QueryParameterValue: asked ?? "", ...range });
  }
  const marker = query.get("marker") ?? "";
  const start = marker === "" ? 0 : indexOf(found, readMarker(marker));
  const end = start + Math.min(size, max);
  const next = found[end];
  const head = [optional("Prefix", query.get("prefix") ?? undefined), optional("Marker", marker === "" ? undefined : marker), optional("MaxResults", asked ?? undefined)];
  return { items: found.slice(start, end), head, next: next === undefined ? "" : writeMarker({ name: next.name, skipped: end - found.findIndex(({ name }) => name === next.name) }) };
}

/** By bytes. */
export const compareNames = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function indexOf(found: readonly { name: string }[], { name, skipped }: Place): number {
  const first = found.findIndex((each) => compareNames(each.name, name) >= 0);
  if (first < 0) return found.length;
  return found[first]?.name === name ? first + skipped : first;
}

const writeMarker = (place: Place): string => `2!${Buffer.from(JSON.stringify(place)).toString("base64")}`;

function readMarker(marker: string): Place {
  try {
    const place = JSON.parse(Buffer.from(marker.replace(/^2!/, ""), "base64").toString("utf8")) as Partial<Place>;
    if (typeof place.name === "string" && typeof place.skipped === "number") return { name: place.name, skipped: place.skipped };
  } catch {
    // As below: what the service did not write is refused alike.
  }
  throw storageRefusal("OutOfRangeInput");
}
