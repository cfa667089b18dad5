/** As much of the XML API as Google's clients use: an object by its address. https://cloud.google.com/storage/docs/xml-api/get-object-download */
import { storageRefusals } from "../../facts/gcp/storage.js";
import type { WireRequest, WireResponse } from "../types.js";
import type { GcpServiceContext } from "./service.js";
import type { StorageAccess } from "./storage-access.js";
import { download } from "./storage-downloads.js";
import { StorageError, refuse, renderXmlError } from "./storage-errors.js";
import type { Generations } from "./storage-generations.js";
import type { GcpCaller } from "./types.js";

const HOST = "storage.googleapis.com";
const JSON_PATHS = /^\/(?:storage\/v1|upload\/storage\/v1|resumable\/upload\/storage\/v1|download\/storage\/v1|batch)(?:\/|$)/;
const ANONYMOUS: GcpCaller = { kind: "anonymous", name: "", members: ["allUsers"], scopes: [] };

/** Bucket and object of an address by path or by host; undefined for a request of the JSON API. */
function addressOf({ host, url }: WireRequest): { bucket: string; object: string } | undefined {
  const path = url.pathname.slice(1);
  if (host.endsWith(`.${HOST}`)) return { bucket: host.slice(0, -HOST.length - 1), object: decodeURIComponent(path) };
  if (host !== HOST || JSON_PATHS.test(url.pathname)) return undefined;
  const [bucket = "", ...rest] = path.split("/");
  return { bucket, object: decodeURIComponent(rest.join("/")) };
}

export function xmlApi(context: GcpServiceContext, access: StorageAccess, generations: Generations): (request: WireRequest) => Promise<WireResponse> | undefined {
  function callerOf({ headers }: WireRequest): GcpCaller {
    const token = /^Bearer\s+(.+)$/i.exec(headers["authorization"] ?? "")?.[1];
    if (token === undefined) return ANONYMOUS;
    const caller = context.cloud.authenticate(token);
    if (!caller) throw refuse(storageRefusals.tokenInvalid());
    return caller;
  }

  async function answer(request: WireRequest, { bucket: bucketName, object }: { bucket: string; object: string }): Promise<WireResponse> {
    try {
      await context.core.enter("storage:objects.get");
      if (object === "" || !["GET", "HEAD"].includes(request.method)) {
        throw new StorageError(501, "notImplemented", "The sandbox plays GET and HEAD of objects in the XML API; use the JSON API at /storage/v1.");
      }
      const caller = callerOf(request);
      const requester = { caller, query: request.url.searchParams, headers: request.headers };
      const bucket = access.bucket(requester, bucketName);
      return download(access, generations, requester, { bucket, name: object });
    } catch (error) {
      return renderXmlError(error, object !== "");
    }
  }

  return (request) => {
    const address = addressOf(request);
    return address && answer(request, address);
  };
}
