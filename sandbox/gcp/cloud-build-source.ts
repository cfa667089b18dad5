/** Where a build's files come from: an archive in Cloud Storage. */
import { buildTexts } from "../../facts/gcp/cloud-build.js";
import { type ArchiveEntry, ArchiveError, readTar, readZip } from "../build/archive.js";
import type { StorageSource } from "./cloud-build-store.js";
import { invalidArgument } from "./errors.js";
import type { GcpServiceContext } from "./service.js";
import { StorageError } from "./storage-errors.js";
import { GcpError, type GcpCaller, HTTP_STATUS } from "./types.js";

const objectUrl = ({ bucket, object, generation }: StorageSource): string =>
  `https://storage.googleapis.com/storage/v1/b/${bucket}/o/${encodeURIComponent(object)}${generation === undefined ? "" : `?generation=${generation}`}`;

/** The source cannot be fetched. The message is what the log says. */
export class FetchError extends Error {}

/**
 * Finds out which generation of the object is meant, as the build's account: a build that names one is not looked after until
 * it runs. Throws INVALID_ARGUMENT.
 */
export async function resolveSource({ cloud }: GcpServiceContext, account: GcpCaller, source: StorageSource): Promise<StorageSource> {
  if (!/\.(?:zip|tgz|tar\.gz)$/.test(source.object)) throw invalidArgument(buildTexts.sourceNoArchive(source.object));
  if (source.generation !== undefined && source.generation !== "0") return source;
  const { bucket, object } = source;
  try {
    const { generation } = await cloud.call<{ generation: string }>(account, "GET", objectUrl({ bucket, object }));
    return { bucket, object, generation };
  } catch (error) {
    if (!(error instanceof GcpError)) throw error;
    const [status, reason] = error instanceof StorageError ? [error.httpStatus, error.reason] : [HTTP_STATUS[error.status], "forbidden"];
    throw invalidArgument(buildTexts.sourceUnresolved(status, error.message, reason));
  }
}

/** Throws {@link FetchError}. */
export async function fetchSource({ cloud }: GcpServiceContext, account: GcpCaller, source: StorageSource): Promise<ArchiveEntry[]> {
  try {
    const url = new URL(objectUrl(source));
    url.searchParams.set("alt", "media");
    const data = await cloud.call<Buffer>(account, "GET", url.href);
    return source.object.endsWith(".zip") ? readZip(data) : readTar(data);
  } catch (error) {
    if (error instanceof ArchiveError) throw new FetchError(`error unpacking gs://${source.bucket}/${source.object}: ${error.message}`);
    if (!(error instanceof GcpError)) throw error;
    const status = error instanceof StorageError ? error.httpStatus : HTTP_STATUS[error.status];
    throw new FetchError(`${status === 403 ? "AccessDeniedException: 403" : `NotFoundException: ${status}`} ${error.message}`);
  }
}
