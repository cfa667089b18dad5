/**
 * ECR's registries by the protocol of container clients: each of its requests is one of ECR's operations, with the
 * rights of the principal whose authorization token came along.
 * https://distribution.github.io/distribution/spec/api/ and https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
 */
import { randomUUID } from "node:crypto";
import { ecrRefusals, REGISTRY_USER, registryErrors } from "../../facts/aws/ecr.js";
import { FaultError, type SandboxCore, type WireRequest, type WireResponse } from "../types.js";
import { isImmutable } from "./ecr-images.js";
import { type EcrStore, digestOf } from "./ecr-store.js";
import type { EcrTokens } from "./ecr-tokens.js";
import type { Operation } from "./service.js";
import { AwsError, type AwsCaller } from "./types.js";

interface RegistryParts {
  core: SandboxCore;
  operations: Readonly<Record<string, Operation>>;
  store: EcrStore;
  tokens: EcrTokens;
}

/** One request to a repository. */
interface Call {
  request: WireRequest;
  registryId: string;
  region: string;
  repositoryName: string;
  /** Runs an operation of ECR on the repository. */
  run(operation: string, input: Record<string, unknown>): Promise<Record<string, unknown>>;
}

const HOST = /^(?<registryId>\d{12})\.dkr\.ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

/** A refusal that only the registry protocol knows. */
class RegistryError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export function createRegistry({ core, operations, store, tokens }: RegistryParts): (request: WireRequest) => Promise<WireResponse> {
  function authenticated(request: WireRequest): AwsCaller {
    const [scheme, value = ""] = (request.headers["authorization"] ?? "").split(" ");
    if (scheme?.toLowerCase() !== "basic") {
      const challenge = { "www-authenticate": `Basic realm="https://${request.host}/",service="ecr.amazonaws.com"` };
      throw new RegistryError(401, "UNAUTHORIZED", "Not Authorized", challenge);
    }
    const [user, password] = Buffer.from(value, "base64").toString("utf8").split(/:(.*)/s);
    const known = user === REGISTRY_USER ? tokens.caller(password ?? "") : undefined;
    if (!known) throw new RegistryError(400, "DENIED", "Your Authorization Token is invalid.");
    if (known.expired) throw new RegistryError(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
    return known.caller;
  }

  function call(request: WireRequest, caller: AwsCaller, repositoryName: string): Call {
    const { registryId = "", region = "" } = HOST.exec(request.host)?.groups ?? {};
    return {
      request,
      registryId,
      region,
      repositoryName,
      run: async (operation, input) => {
        const run = operations[operation];
        if (!run) throw new RegistryError(405, "UNSUPPORTED", `The registry has no ${operation}.`);
        await core.enter(`ecr:${operation}`);
        return run({ caller, region, context: { "aws:SecureTransport": "true", "aws:SourceIp": "127.0.0.1" }, input: { registryId, repositoryName, ...input } });
      },
    };
  }

  function storedLayer({ registryId, region, repositoryName }: Pick<Call, "registryId" | "region" | "repositoryName">, digest: string): WireResponse {
    const repository = store.repository(registryId, region, repositoryName);
    const layer = repository && store.layer(repository, digest);
    if (!layer) throw new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry");
    return { status: 200, headers: { "content-type": "application/octet-stream", "docker-content-digest": digest }, body: Buffer.from(layer.data, "base64") };
  }

  /** A layer by the address that `GetDownloadUrlForLayer` gave: the ticket in it is all that is needed. */
  function download(request: WireRequest, repositoryName: string, digest: string): WireResponse {
    const { registryId = "", region = "" } = HOST.exec(request.host)?.groups ?? {};
    const repository = store.repository(registryId, region, repositoryName);
    if (!repository || !tokens.opens(request.url.searchParams.get("ticket") ?? "", repository, digest)) throw new RegistryError(403, "DENIED", "The download URL is invalid or has expired.");
    return storedLayer({ registryId, region, repositoryName }, digest);
  }

  async function blob(at: Call, digest: string): Promise<WireResponse> {
    if (at.request.method === "GET") {
      await at.run("GetDownloadUrlForLayer", { layerDigest: digest });
      return storedLayer(at, digest);
    }
    requireMethod(at.request, "HEAD");
    const { layers } = (await at.run("BatchCheckLayerAvailability", { layerDigests: [digest] })) as { layers: { layerAvailability: string }[] };
    if (layers[0]?.layerAvailability !== "AVAILABLE") throw new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry");
    return storedLayer(at, digest);
  }

  async function addPart(at: Call, uploadId: string): Promise<number> {
    const repository = store.repository(at.registryId, at.region, at.repositoryName);
    const received = (repository && store.received(repository, uploadId)) ?? 0;
    const { body } = at.request;
    if (body.length === 0) return received;
    await at.run("UploadLayerPart", { uploadId, partFirstByte: received, partLastByte: received + body.length - 1, layerPartBlob: body });
    return received + body.length;
  }

  async function complete(at: Call, uploadId: string, digest: string): Promise<WireResponse> {
    try {
      await at.run("CompleteLayerUpload", { uploadId, layerDigests: [digest] });
    } catch (error) {
      // For a client that pushes, what is there already is as good as what it sent.
      if (!(error instanceof AwsError) || error.code !== "LayerAlreadyExistsException") throw error;
    }
    return { status: 201, headers: { location: `/v2/${at.repositoryName}/blobs/${digest}`, "docker-content-digest": digest } };
  }

  /** Where the client goes on with an upload. */
  function goOn(at: Call, uploadId: string, received: number): WireResponse {
    const location = `/v2/${at.repositoryName}/blobs/uploads/${uploadId}`;
    return { status: 202, headers: { location, "docker-upload-uuid": uploadId, range: `0-${Math.max(0, received - 1)}` } };
  }

  async function begin(at: Call): Promise<WireResponse> {
    requireMethod(at.request, "POST");
    const { uploadId } = (await at.run("InitiateLayerUpload", {})) as { uploadId: string };
    const digest = at.request.url.searchParams.get("digest");
    const received = await addPart(at, uploadId);
    return digest === null ? goOn(at, uploadId, received) : complete(at, uploadId, digest);
  }

  async function upload(at: Call, uploadId: string): Promise<WireResponse> {
    requireMethod(at.request, "PATCH", "PUT");
    const received = await addPart(at, uploadId);
    return at.request.method === "PATCH" ? goOn(at, uploadId, received) : complete(at, uploadId, at.request.url.searchParams.get("digest") ?? "");
  }

  async function putManifest(at: Call, reference: string): Promise<WireResponse> {
    const imageManifest = at.request.body.toString("utf8");
    const digest = digestOf(at.request.body);
    const mediaType = at.request.headers["content-type"];
    const named = reference.startsWith("sha256:") ? { imageDigest: reference } : { imageTag: reference };
    try {
      await at.run("PutImage", { imageManifest, ...(mediaType !== undefined && { imageManifestMediaType: mediaType }), ...named });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "ImageAlreadyExistsException") throw error;
      const repository = store.repository(at.registryId, at.region, at.repositoryName);
      // The same image again is fine, unless its tag is never to be written again.
      if (repository && named.imageTag !== undefined && isImmutable(repository, named.imageTag)) {
        const { code, message } = ecrRefusals.tagImmutable(reference, at.repositoryName);
        throw new AwsError(code, 400, message);
      }
    }
    return { status: 201, headers: { location: `/v2/${at.repositoryName}/manifests/${digest}`, "docker-content-digest": digest } };
  }

  async function manifest(at: Call, reference: string): Promise<WireResponse> {
    if (at.request.method === "PUT") return putManifest(at, reference);
    requireMethod(at.request, "GET", "HEAD");
    const imageId = reference.startsWith("sha256:") ? { imageDigest: reference } : { imageTag: reference };
    const { images } = (await at.run("BatchGetImage", { imageIds: [imageId] })) as { images: { imageManifest: string; imageManifestMediaType: string }[] };
    const [image] = images;
    if (!image) throw new RegistryError(404, "MANIFEST_UNKNOWN", "Requested image not found");
    return { status: 200, headers: { "content-type": image.imageManifestMediaType, "docker-content-digest": digestOf(image.imageManifest) }, body: image.imageManifest };
  }

  async function tagList(at: Call): Promise<WireResponse> {
    requireMethod(at.request, "GET");
    const { imageIds } = (await at.run("ListImages", { filter: { tagStatus: "TAGGED" }, maxResults: 1000 })) as { imageIds: { imageTag: string }[] };
    return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ name: at.repositoryName, tags: imageIds.map(({ imageTag }) => imageTag) }) };
  }

  async function answer(request: WireRequest): Promise<WireResponse> {
    const path = decodeURIComponent(request.url.pathname);
    const [, name = "", rest = ""] = /^\/v2\/(.+?)\/((?:blobs|manifests|tags)\/.+)$/.exec(path) ?? [];
    const digest = /^blobs\/(sha256:[0-9a-f]{64})$/.exec(rest)?.[1];
    if (digest !== undefined && request.method === "GET" && request.url.searchParams.has("ticket")) return download(request, name, digest);
    const caller = authenticated(request);
    if (path === "/v2/" || path === "/v2") return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" } };
    const at = call(request, caller, name);
    const uploadId = /^blobs\/uploads\/([0-9a-f-]{36})$/.exec(rest)?.[1];
    const reference = /^manifests\/([^/]+)$/.exec(rest)?.[1];
    if (digest !== undefined) return blob(at, digest);
    if (rest === "blobs/uploads/") return begin(at);
    if (uploadId !== undefined) return upload(at, uploadId);
    if (reference !== undefined) return manifest(at, reference);
    if (rest === "tags/list") return tagList(at);
    throw new RegistryError(404, "NOT_FOUND", "The registry has no such path.");
  }

  return async (request) => {
    const version = { "docker-distribution-api-version": "registry/2.0", "x-amzn-requestid": randomUUID() };
    try {
      const { headers, ...response } = await answer(request);
      return { ...response, headers: { ...version, ...headers } };
    } catch (error) {
      const { status, code, message, headers } = asRegistryError(error);
      return { status, headers: { ...version, "content-type": "application/json; charset=utf-8", ...headers }, body: JSON.stringify({ errors: [{ code, message }] }) };
    }
  };
}

function requireMethod(request: WireRequest, ...methods: string[]): void {
  if (!methods.includes(request.method)) throw new RegistryError(405, "UNSUPPORTED", "The operation is unsupported.");
}

function asRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof FaultError) return new RegistryError(error.fault.status, error.fault.code, error.fault.message);
  if (!(error instanceof AwsError)) return new RegistryError(500, "UNKNOWN", `The sandbox failed at this request: ${error instanceof Error ? error.message : String(error)}`);
  const known = registryErrors[error.code];
  return new RegistryError(known?.status ?? error.status, known?.code ?? "UNKNOWN", error.message);
}
