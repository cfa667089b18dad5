/** Lists in pages. https://cloud.google.com/storage/docs/paginate-results */
import { STORAGE_LIMITS, storageRefusals } from "../../facts/gcp/storage.js";
import { refuse } from "./storage-errors.js";

/** The page after the one that ended with the token's item; items are in the order of `key`. */
export function page<T>(items: readonly T[], query: URLSearchParams, key: (item: T) => string): { items: T[]; nextPageToken: { nextPageToken?: string } } {
  const token = query.get("pageToken") ?? "";
  const after = Buffer.from(token, "base64url").toString("utf8");
  if (token !== "" && after === "") throw refuse(storageRefusals.invalid("Invalid page token."));
  const asked = Number(query.get("maxResults") ?? STORAGE_LIMITS.page.max);
  if (!Number.isInteger(asked) || asked < 0) throw refuse(storageRefusals.invalid("Invalid maxResults."));
  const size = asked === 0 ? STORAGE_LIMITS.page.max : Math.min(asked, STORAGE_LIMITS.page.max);
  const begin = token === "" ? 0 : items.findIndex((item) => key(item) === after) + 1;
  const shown = items.slice(begin, begin + size);
  const last = shown.at(-1);
  const more = last !== undefined && begin + size < items.length;
  return { items: shown, nextPageToken: more ? { nextPageToken: Buffer.from(key(last)).toString("base64url") } : {} };
}
