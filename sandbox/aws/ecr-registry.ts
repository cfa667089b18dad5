/**
 * ECR's registries by the protocol of container clients: each of its requests is one of ECR's operations, with the
 * rights of the principal whose authorization token came along.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
 */
import { randomUUID } from "node:crypto";
import { ecrRefusals, REGISTRY_USER, registryErrors } from "../../facts/aws/ecr.js";
import { RegistryError, type RegistryRepository, blobAnswer, createRegistry } from "../registry.js";
import type { SandboxCore, WireRequest, WireResponse } from "../types.js";
import { isImmutable } from "./ecr-images.js";
import type { EcrStore } from "./ecr-store.js";
import type { EcrTokens } from "./ecr-tokens.js";
import type { Operation } from "./service.js";
import { AwsError, type AwsCaller } from "./types.js";

interface EcrParts {
  core: SandboxCore;
  operations: Readonly<Record<string, Operation>>;
  store: EcrStore;
  tokens: EcrTokens;
}

/** Which registry a request is for. */
interface RegistryOf {
  registryId: string;
  region: string;
}

const HOST = /^(?<registryId>\d{12})\.dkr\.ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;

function registryOf({ host }: WireRequest): RegistryOf {
  const { registryId = "", region = "" } = HOST.exec(host)?.groups ?? {};
  return { registryId, region };
}

export function createEcrRegistry({ core, operations, store, tokens }: EcrParts): (request: WireRequest) => Promise<WireResponse> {
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

  function repository(caller: AwsCaller, { registryId, region }: RegistryOf, repositoryName: string): RegistryRepository {
    async function run<T>(operation: string, input: Record<string, unknown>): Promise<T> {
      const known = operations[operation];
      if (!known) throw new RegistryError(405, "UNSUPPORTED", `The registry has no ${operation}.`);
      await core.enter(`ecr:${operation}`);
      const context = { "aws:SecureTransport": "true", "aws:SourceIp": "127.0.0.1" };
      return (await known({ caller, region, context, input: { registryId, repositoryName, ...input } })) as T;
    }
    const stored = () => store.repository(registryId, region, repositoryName);

    function content(digest: string): Buffer | undefined {
      const at = stored();
      const layer = at && store.layer(at, digest);
      return layer && Buffer.from(layer.data, "base64");
    }

    async function isAvailable(digest: string): Promise<boolean> {
      const { layers } = await run<{ layers: { layerAvailability: string }[] }>("BatchCheckLayerAvailability", { layerDigests: [digest] });
      return layers[0]?.layerAvailability === "AVAILABLE";
    }

    return {
      name: repositoryName,
      blob: async (digest, purpose) => {
        if (purpose === "look") return (await isAvailable(digest)) ? content(digest) : undefined;
        await run("GetDownloadUrlForLayer", { layerDigest: digest });
        return content(digest);
      },
      beginUpload: async () => (await run<{ uploadId: string }>("InitiateLayerUpload", {})).uploadId,
      received: (uploadId) => {
        const at = stored();
        return (at && store.received(at, uploadId)) ?? 0;
      },
      addPart: async (uploadId, partFirstByte, layerPartBlob) => {
        await run("UploadLayerPart", { uploadId, partFirstByte, partLastByte: partFirstByte + layerPartBlob.length - 1, layerPartBlob });
      },
      completeUpload: async (uploadId, digest) => {
        try {
          await run("CompleteLayerUpload", { uploadId, layerDigests: [digest] });
        } catch (error) {
          // For a client that pushes, what is there already is as good as what it sent.
          if (!(error instanceof AwsError) || error.code !== "LayerAlreadyExistsException") throw error;
        }
      },
      putManifest: async (reference, document, mediaType) => {
        const imageManifest = document.toString("utf8");
        try {
          await run("PutImage", { imageManifest, ...(mediaType !== undefined && { imageManifestMediaType: mediaType }), ...imageId(reference) });
        } catch (error) {
          if (!(error instanceof AwsError) || error.code !== "ImageAlreadyExistsException") throw error;
          // The same image again is fine, unless its tag is never to be written again.
          const at = stored();
          if (at && !isDigest(reference) && isImmutable(at, reference)) {
            const { code, message } = ecrRefusals.tagImmutable(reference, repositoryName);
            throw new AwsError(code, 400, message);
          }
        }
      },
      manifest: async (reference) => {
        const { images } = await run<{ images: { imageManifest: string; imageManifestMediaType: string }[] }>("BatchGetImage", { imageIds: [imageId(reference)] });
        const [image] = images;
        return image && { document: image.imageManifest, mediaType: image.imageManifestMediaType };
      },
      tags: async () => {
        const { imageIds } = await run<{ imageIds: { imageTag: string }[] }>("ListImages", { filter: { tagStatus: "TAGGED" }, maxResults: 1000 });
        return imageIds.map(({ imageTag }) => imageTag);
      },
    };
  }

  /** A layer by the address that `GetDownloadUrlForLayer` gave: the ticket in it is all that is needed. */
  async function download(request: WireRequest): Promise<WireResponse | undefined> {
    const ticket = request.url.searchParams.get("ticket");
    const [, name = "", digest = ""] = /^\/v2\/(.+?)\/blobs\/(sha256:[0-9a-f]{64})$/.exec(decodeURIComponent(request.url.pathname)) ?? [];
    if (ticket === null || digest === "" || request.method !== "GET") return undefined;
    const { registryId, region } = registryOf(request);
    const at = store.repository(registryId, region, name);
    if (!at || !tokens.opens(ticket, at, digest)) throw new RegistryError(403, "DENIED", "The download URL is invalid or has expired.");
    const layer = store.layer(at, digest);
    if (!layer) throw new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry");
    return blobAnswer(digest, Buffer.from(layer.data, "base64"));
  }

  return createRegistry({
    aside: download,
    authenticate: async (request) => {
      const caller = authenticated(request);
      return async (name) => repository(caller, registryOf(request), name);
    },
    errorOf: (error) => {
      if (!(error instanceof AwsError)) return undefined;
      const known = registryErrors[error.code];
      return new RegistryError(known?.status ?? error.status, known?.code ?? "UNKNOWN", error.message);
    },
    headers: () => ({ "x-amzn-requestid": randomUUID() }),
    manifestUnknown: () => "Requested image not found",
  });
}

function isDigest(reference: string): boolean {
  return reference.startsWith("sha256:");
}

function imageId(reference: string): { imageDigest: string } | { imageTag: string } {
  return isDigest(reference) ? { imageDigest: reference } : { imageTag: reference };
}
