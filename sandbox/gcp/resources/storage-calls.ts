/** Calls of Cloud Storage as the provider makes them: its errors have statuses and reasons of their own. */
import { FaultError } from "../../types.js";
import { asStorageError } from "../storage-errors.js";
import { GcpError } from "../types.js";
import { type Api, CallError, type Members, unlessMissing } from "./api.js";
import { list, text } from "./values.js";

export const STORAGE = "https://storage.googleapis.com/storage/v1";

/** Throws {@link CallError}. */
export async function storageCall<T = Members>(api: Api, method: string, url: string, body?: unknown): Promise<T> {
  try {
    return await api.cloud.call<T>(api.caller, method, url, body);
  } catch (error) {
    if (!(error instanceof GcpError) && !(error instanceof FaultError)) throw error;
    const { httpStatus, message, reason } = asStorageError(error);
    // A policy that somebody else changed meanwhile is 412 here; the provider starts again as it does on 409 elsewhere.
    const code = error instanceof GcpError && error.status === "ABORTED" ? 409 : httpStatus;
    throw new CallError(code, `googleapi: Error ${httpStatus}: ${message}, ${reason}`);
  }
}

/** Undefined when there is no such thing. */
export function storageFind<T = Members>(api: Api, url: string): Promise<T | undefined> {
  return unlessMissing(storageCall<T>(api, "GET", url));
}

/** All objects with all their versions, as names and generations. */
export async function objectsOf(api: Api, bucket: string): Promise<Members[]> {
  const objects: Members[] = [];
  for (let token = ""; ; ) {
    const answer = await storageCall(api, "GET", `${STORAGE}/b/${bucket}/o?versions=true${token === "" ? "" : `&pageToken=${token}`}`);
    objects.push(...list<Members>(answer.items));
    token = text(answer.nextPageToken) ?? "";
    if (token === "") return objects;
  }
}
