/** Lists in pages. https://google.aip.dev/158 */
import { ARTIFACT_REGISTRY_LIMITS, artifactTexts } from "../../facts/gcp/artifact-registry.js";
import { GcpError } from "./types.js";

export function pageOf<T>(items: readonly T[], query: URLSearchParams): { items: T[]; nextPageToken: { nextPageToken?: string } } {
  const begin = Number(Buffer.from(query.get("pageToken") ?? "", "base64url").toString("utf8"));
  const asked = Number(query.get("pageSize") ?? 0);
  if (!Number.isInteger(begin) || !Number.isInteger(asked) || asked < 0) throw new GcpError("INVALID_ARGUMENT", artifactTexts.invalid);
  const { max } = ARTIFACT_REGISTRY_LIMITS.page;
  const end = begin + (asked === 0 ? max : Math.min(asked, max));
  return { items: items.slice(begin, end), nextPageToken: end < items.length ? { nextPageToken: Buffer.from(String(end)).toString("base64url") } : {} };
}
