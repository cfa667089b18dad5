/**
 * The protocol of container clients, for the registries of every cloud: each request becomes an operation on a
 * repository, which authorises it and keeps the content.
 * https://distribution.github.io/distribution/spec/api/
 */
import { createHash } from "node:crypto";
import { FaultError, type WireRequest, type WireResponse } from "./types.js";

/** A refusal as the protocol words it. */
export class RegistryError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
    /** What the refusal is about, where the registry says so. */
    readonly detail?: unknown,
  ) {
    super(message);
    this.name = "RegistryError";
  }
}

export interface Manifest {
  document: string;
  mediaType: string;
}

/** One repository as one caller may use it; every method throws where the caller may not. */
export interface RegistryRepository {
  /** In paths, after `/v2/`. */
  readonly name: string;
  /** Undefined where there is none. `look` is for who only asks whether it is there, which some clouds take for another right. */
  blob(digest: string, purpose: "look" | "read"): Promise<Buffer | undefined>;
  /** Answers the id. */
  beginUpload(): Promise<string>;
  /** Bytes that have come so far; 0 for an upload that was not begun. */
  received(uploadId: string): number;
  addPart(uploadId: string, firstByte: number, data: Buffer): Promise<void>;
  completeUpload(uploadId: string, digest: string): Promise<void>;
  /** `reference` is a tag or a digest. */
  putManifest(reference: string, document: Buffer, mediaType: string | undefined): Promise<void>;
  manifest(reference: string): Promise<Manifest | undefined>;
  /** Where the registry takes deletions by this protocol. */
  deleteManifest?(reference: string): Promise<void>;
  tags(): Promise<string[]>;
}

/** What a cloud brings to the protocol. */
export interface RegistryParts {
  /** Whom the request's credentials prove, as the way to open repositories. Throws {@link RegistryError} with the challenge. */
  authenticate(request: WireRequest): Promise<(name: string) => Promise<RegistryRepository>>;
  /** Answers what needs no credentials or is not of the protocol; undefined for everything else. */
  aside?(request: WireRequest): Promise<WireResponse | undefined>;
  /** Undefined for errors that are none of the cloud's. */
  errorOf(error: unknown): RegistryError | undefined;
  /** Of every answer. */
  headers?(): Record<string, string>;
  /** Message of `MANIFEST_UNKNOWN`. */
  manifestUnknown(reference: string): string;
}

/** As registries name content: by its hash. */
export function digestOf(data: Buffer | string): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** An upload under way. */
interface Upload {
  repository: RegistryRepository;
  request: WireRequest;
  id: string;
}

export function createRegistry(parts: RegistryParts): (request: WireRequest) => Promise<WireResponse> {
  async function manifest(repository: RegistryRepository, request: WireRequest, reference: string): Promise<WireResponse> {
    if (request.method === "PUT") {
      await repository.putManifest(reference, request.body, request.headers["content-type"]);
      const digest = digestOf(request.body);
      return { status: 201, headers: { location: `/v2/${repository.name}/manifests/${digest}`, "docker-content-digest": digest } };
    }
    if (request.method === "DELETE" && repository.deleteManifest) {
      await repository.deleteManifest(reference);
      return { status: 202 };
    }
    requireMethod(request, "GET", "HEAD");
    const found = await repository.manifest(reference);
    if (!found) throw new RegistryError(404, "MANIFEST_UNKNOWN", parts.manifestUnknown(reference));
    return { status: 200, headers: { "content-type": found.mediaType, "docker-content-digest": digestOf(found.document) }, body: found.document };
  }

  async function answer(request: WireRequest): Promise<WireResponse> {
    const aside = await parts.aside?.(request);
    if (aside) return aside;
    const open = await parts.authenticate(request);
    const path = decodeURIComponent(request.url.pathname);
    if (path === "/v2/" || path === "/v2") return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" } };
    const [, name = "", rest = ""] = /^\/v2\/(.+?)\/((?:blobs|manifests|tags)\/.+)$/.exec(path) ?? [];
    const digest = /^blobs\/(sha256:[0-9a-f]{64})$/.exec(rest)?.[1];
    const uploadId = /^blobs\/uploads\/([0-9a-f-]{36})$/.exec(rest)?.[1];
    const reference = /^manifests\/([^/]+)$/.exec(rest)?.[1];
    if (digest !== undefined) return blob(await open(name), request, digest);
    if (rest === "blobs/uploads/") return begin(await open(name), request);
    if (uploadId !== undefined) return upload({ repository: await open(name), request, id: uploadId });
    if (reference !== undefined) return manifest(await open(name), request, reference);
    if (rest === "tags/list") return tagList(await open(name), request);
    throw new RegistryError(404, "NOT_FOUND", "The registry has no such path.");
  }

  return async (request) => {
    const common = { "docker-distribution-api-version": "registry/2.0", ...parts.headers?.() };
    try {
      const { headers, ...response } = await answer(request);
      return { ...response, headers: { ...common, ...headers } };
    } catch (error) {
      const { status, code, message, headers, detail } = asRegistryError(error, parts);
      return { status, headers: { ...common, "content-type": "application/json; charset=utf-8", ...headers }, body: JSON.stringify({ errors: [{ code, message, detail }] }) };
    }
  };
}

async function blob(repository: RegistryRepository, request: WireRequest, digest: string): Promise<WireResponse> {
  requireMethod(request, "GET", "HEAD");
  const data = await repository.blob(digest, request.method === "HEAD" ? "look" : "read");
  if (!data) throw new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry");
  return blobAnswer(digest, data);
}

export function blobAnswer(digest: string, data: Buffer): WireResponse {
  return { status: 200, headers: { "content-type": "application/octet-stream", "docker-content-digest": digest }, body: data };
}

async function begin(repository: RegistryRepository, request: WireRequest): Promise<WireResponse> {
  requireMethod(request, "POST");
  const started: Upload = { repository, request, id: await repository.beginUpload() };
  const digest = request.url.searchParams.get("digest");
  const received = await addPart(started);
  return digest === null ? goOn(started, received) : complete(started, digest);
}

async function upload(under: Upload): Promise<WireResponse> {
  requireMethod(under.request, "PATCH", "PUT");
  const received = await addPart(under);
  return under.request.method === "PATCH" ? goOn(under, received) : complete(under, under.request.url.searchParams.get("digest") ?? "");
}

async function addPart({ repository, request, id }: Upload): Promise<number> {
  const received = repository.received(id);
  if (request.body.length > 0) await repository.addPart(id, received, request.body);
  return received + request.body.length;
}

/** Where the client goes on with an upload. */
function goOn({ repository, id }: Upload, received: number): WireResponse {
  const location = `/v2/${repository.name}/blobs/uploads/${id}`;
  return { status: 202, headers: { location, "docker-upload-uuid": id, range: `0-${Math.max(0, received - 1)}` } };
}

async function complete({ repository, id }: Upload, digest: string): Promise<WireResponse> {
  await repository.completeUpload(id, digest);
  return { status: 201, headers: { location: `/v2/${repository.name}/blobs/${digest}`, "docker-content-digest": digest } };
}

async function tagList(repository: RegistryRepository, request: WireRequest): Promise<WireResponse> {
  requireMethod(request, "GET");
  const body = JSON.stringify({ name: repository.name, tags: await repository.tags() });
  return { status: 200, headers: { "content-type": "application/json" }, body };
}

function requireMethod(request: WireRequest, ...methods: string[]): void {
  if (!methods.includes(request.method)) throw new RegistryError(405, "UNSUPPORTED", "The operation is unsupported.");
}

function asRegistryError(error: unknown, parts: RegistryParts): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof FaultError) return new RegistryError(error.fault.status, error.fault.code, error.fault.message);
  return parts.errorOf(error) ?? new RegistryError(500, "UNKNOWN", `The sandbox failed at this request: ${error instanceof Error ? error.message : String(error)}`);
}
