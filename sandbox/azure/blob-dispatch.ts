/** Which operation a request means, by its level, method and parameters. https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api */
import type { BlobAnswer, BlobRequest } from "./blob-call.js";
import { storageRefusal } from "./storage-errors.js";

export interface BlobOperation {
  /** As the reference calls it, without blanks: what faults and latency are ordered for. */
  name: string;
  level: "service" | "container" | "blob";
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Value of the parameter `comp`; empty where there must be none. */
  comp: string;
  /** Value of `restype` at the level of the account. */
  restype?: string;
  run(request: BlobRequest): BlobAnswer;
}

/** Parts of the service that the sandbox knows of and does not play. */
const UNPLAYED = ["lease", "snapshot", "tags", "blobs", "batch", "copy", "page", "pagelist", "appendblock", "seal", "expiry", "query", "immutabilityPolicies", "legalhold", "incrementalcopy", "stats", "rename"];

export function findOperation(operations: readonly BlobOperation[], { container, blob, method, query }: Pick<BlobRequest, "container" | "blob" | "method" | "query">): BlobOperation {
  const level = container === "" ? "service" : blob === "" ? "container" : "blob";
  const comp = (query.get("comp") ?? "").toLowerCase();
  const restype = query.get("restype") ?? undefined;
  const here = operations.filter((each) => each.level === level && each.comp === comp && (level !== "service" || each.restype === restype));
  const found = here.find((each) => each.method === method);
  if (found) return found;
  if (UNPLAYED.some((part) => part.toLowerCase() === comp)) throw storageRefusal("NotImplemented");
  if (here.length > 0) throw storageRefusal("UnsupportedHttpVerb");
  throw comp === "" ? storageRefusal("InvalidUri") : storageRefusal("InvalidQueryParameterValue", { QueryParameterName: "comp", QueryParameterValue: comp, Reason: "" });
}
