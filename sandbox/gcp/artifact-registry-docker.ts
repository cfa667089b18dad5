/**
 * Artifact Registry's images by the protocol of container clients, at `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE`.
 * https://cloud.google.com/artifact-registry/docs/docker/authentication
 */
import { randomBytes, randomUUID } from "node:crypto";
import * as z from "zod";
import { type ArtifactPermission, REGISTRY_TOKEN_SECONDS, artifactPermissions, registryRefusals, registryUsers } from "../../facts/gcp/artifact-registry.js";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";
import { RegistryError, type RegistryRepository, createRegistry, digestOf } from "../registry.js";
import type { WireRequest, WireResponse } from "../types.js";
import { ApiStates } from "./api-states.js";
import { repositoryResource } from "./artifact-registry-access.js";
import { type ArtifactStore, type Image, type Repository, repositoryPath } from "./artifact-registry-store.js";
import { serviceDisabled } from "./errors.js";
import type { GcpServiceContext } from "./service.js";
import { ANONYMOUS } from "./tokens.js";
import type { GcpCaller } from "./types.js";

const HOST = /^(?<location>[a-z0-9-]+)-docker\.pkg\.dev$/;
/** The store keeps secrets under types that begin so. */
const TOKEN = "secret:gcp/registry-token";

/** A registry's token stands for the access token that it was given for: it proves nobody once that one does not. */
interface RegistryToken {
  accessToken: string | undefined;
  /** ISO 8601. */
  expiresAt: string;
}

/** A refusal of Artifact Registry in the protocol's terms. */
function refuse({ httpStatus, code, message }: { httpStatus: number; code: string; message: string }, headers: Record<string, string> = {}): RegistryError {
  return new RegistryError(httpStatus, code, message, headers);
}

const content = z.object({ digest: z.string(), size: z.number().optional() });
const manifestForm = z.object({ mediaType: z.string().optional(), config: content.optional(), layers: z.array(content).optional(), manifests: z.array(content).optional() });

export function isRegistryHost(host: string): boolean {
  return HOST.test(host);
}

/** Images for callers who are known already: those of the registry's own protocol, and services that work for somebody. */
export interface ImageRepositories {
  /** Repository and image that a name leads to. Throws {@link RegistryError} unless the caller has the permission. */
  readonly open: (caller: GcpCaller, location: string, name: string, permission: ArtifactPermission) => { repository: Repository; image: string };
  /** What the caller may do with the images under a name is decided at each use. */
  readonly repositoryOf: (caller: GcpCaller, location: string, name: string) => RegistryRepository;
}

export function createImageRepositories(context: GcpServiceContext, store: ArtifactStore): ImageRepositories {
  const { core, cloud } = context;
  const apis = new ApiStates(core);

  function open(caller: GcpCaller, location: string, name: string, permission: ArtifactPermission): { repository: Repository; image: string } {
    const [project = "", repositoryId = "", ...rest] = name.split("/");
    if (rest.length === 0) throw refuse(registryRefusals.nameInvalid());
    const path = repositoryPath(project, location, repositoryId);
    const known = cloud.project(project);
    if (known && !apis.enabled(known.projectNumber, "artifactregistry.googleapis.com", "effective")) {
      throw refuse(registryRefusals.apiDisabled(serviceDisabled("artifactregistry.googleapis.com", known).message));
    }
    if (!known || !context.allows(caller, permission, repositoryResource(path, known.projectId))) {
      throw refuse((caller.kind === "anonymous" ? registryRefusals.anonymous : registryRefusals.denied)(permission, path));
    }
    const repository = store.repository(path);
    if (!repository) throw refuse(registryRefusals.repositoryMissing(repositoryId));
    if (repository.format !== "DOCKER") throw refuse(registryRefusals.formatDiffers(repositoryId));
    if (repository.mode !== "STANDARD_REPOSITORY") throw refuse(registryRefusals.notPlayed(repository.mode));
    return { repository, image: rest.join("/") };
  }

  function repositoryOf(caller: GcpCaller, location: string, name: string): RegistryRepository {
    const may = async (operation: string, permission: ArtifactPermission): Promise<{ repository: Repository; image: string }> => {
      await core.enter(`artifactregistry:${operation}`);
      return open(caller, location, name, permission);
    };
    const { push, pull, delete: remove } = artifactPermissions;
    let uploadingTo: Repository | undefined;
    const stored = (): Repository | undefined => {
      const [project = "", repositoryId = ""] = name.split("/");
      return (uploadingTo ??= store.repository(repositoryPath(project, location, repositoryId)));
    };
    return {
      name,
      blob: async (digest) => store.blob((await may("GetBlob", pull)).repository, digest),
      beginUpload: async () => {
        const { repository } = await may("StartUpload", push);
        const uploadId = randomUUID();
        store.beginUpload(repository, uploadId);
        return uploadId;
      },
      received: (uploadId) => {
        const repository = stored();
        return (repository && store.received(repository, uploadId)) ?? 0;
      },
      addPart: async (uploadId, firstByte, data) => {
        const { repository } = await may("UploadBlob", push);
        if (store.received(repository, uploadId) === undefined) throw refuse(registryRefusals.uploadUnknown());
        store.addPart(repository, uploadId, firstByte, data);
      },
      completeUpload: async (uploadId, digest) => {
        const { repository } = await may("CompleteUpload", push);
        if (store.received(repository, uploadId) === undefined) throw refuse(registryRefusals.uploadUnknown());
        const data = store.takeUpload(repository, uploadId);
        if (digestOf(data) !== digest) throw refuse(registryRefusals.digestDiffers());
        store.putBlob(repository, data);
      },
      putManifest: async (reference, document, mediaType) => {
        const { repository, image } = await may("PutManifest", push);
        putManifest({ repository, image, reference, document, mediaType });
      },
      manifest: async (reference) => {
        const { repository, image } = await may("GetManifest", pull);
        const found = store.image(repository, image, reference);
        return found && { document: found.manifest, mediaType: found.mediaType };
      },
      deleteManifest: async (reference) => {
        const { repository, image } = await may("DeleteManifest", remove);
        const found = store.image(repository, image, reference);
        if (!found) throw refuse({ httpStatus: 404, code: "MANIFEST_UNKNOWN", message: manifestUnknown(reference) });
        if (found.digest === reference) store.deleteImage(repository, found);
        else store.untag(repository, found, reference);
      },
      tags: async () => {
        const { repository, image } = await may("ListTags", pull);
        return store.images(repository).flatMap((each) => (each.package === image ? each.tags : []));
      },
    };
  }

  function putManifest({ repository, image, reference, document, mediaType }: { repository: Repository; image: string; reference: string; document: Buffer; mediaType: string | undefined }): void {
    const manifest = readManifest(document);
    const digest = digestOf(document);
    const byDigest = reference.startsWith("sha256:");
    if (byDigest && reference !== digest) throw refuse(registryRefusals.digestDiffers());
    const described = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])];
    const missing = described.find((each) => store.blob(repository, each.digest) === undefined) ?? manifest.manifests?.find((each) => !store.image(repository, image, each.digest));
    if (missing) throw refuse(registryRefusals.manifestBlobUnknown(missing.digest));
    const holder = byDigest ? undefined : store.image(repository, image, reference);
    if (holder && holder.digest !== digest && repository.dockerConfig?.immutableTags === true) throw refuse(registryRefusals.tagImmutable(reference));
    const now = store.now();
    const pushed: Image = store.image(repository, image, digest) ?? {
      package: image,
      digest,
      manifest: document.toString("utf8"),
      mediaType: mediaType ?? manifest.mediaType ?? "application/vnd.docker.distribution.manifest.v2+json",
      tags: [],
      uploadTime: now,
      updateTime: now,
      size: described.reduce((sum, { size = 0 }) => sum + size, 0),
    };
    store.putImage(repository, pushed);
    if (!byDigest) store.tag(repository, pushed, reference);
  }

  return { open, repositoryOf };
}

export function createDockerRegistry(context: GcpServiceContext, store: ArtifactStore): (request: WireRequest) => Promise<WireResponse> {
  const { core, cloud } = context;
  const { open, repositoryOf } = createImageRepositories(context, store);

  /** The access token in `Basic` credentials, or in `Bearer` ones itself. */
  function accessTokenOf({ headers }: WireRequest): string | undefined {
    const [scheme = "", value = ""] = (headers["authorization"] ?? "").split(/ +/);
    if (scheme === "") return undefined;
    if (scheme.toLowerCase() === "bearer") return value;
    const [user = "", password = ""] = Buffer.from(value, "base64").toString("utf8").split(/:(.*)/s);
    if (!registryUsers.includes(user)) throw refuse(registryRefusals.credentialsInvalid());
    return password;
  }

  function challenge({ host, url }: WireRequest): Record<string, string> {
    const name = /^\/v2\/(.+?)\/(?:blobs|manifests|tags)\//.exec(url.pathname)?.[1];
    const scope = name === undefined ? "" : `,scope="repository:${decodeURIComponent(name)}:pull"`;
    return { "www-authenticate": `Bearer realm="https://${host}/v2/token",service="${host}"${scope}` };
  }

  /** Whom a request's token proves: one of the registry, or an access token as it is. */
  function authenticated(request: WireRequest): GcpCaller {
    const given = accessTokenOf(request);
    if (given === undefined) throw refuse(registryRefusals.unauthenticated(), challenge(request));
    const own = core.store.get<RegistryToken>(TOKEN, given);
    if (own && own.expiresAt > core.clock.now().toISOString() && own.accessToken === undefined) return ANONYMOUS;
    const accessToken = own ? own.accessToken : given;
    const expired = own !== undefined && own.expiresAt <= core.clock.now().toISOString();
    const caller = expired || accessToken === undefined ? undefined : cloud.authenticate(accessToken);
    if (!caller) throw refuse(registryRefusals.credentialsInvalid(), challenge(request));
    return caller;
  }

  function issue(accessToken: string | undefined): string {
    const now = core.clock.now();
    for (const { id, value } of core.store.list<RegistryToken>(TOKEN)) if (value.expiresAt <= now.toISOString()) core.store.delete(TOKEN, id);
    const token = `${SANDBOX_SECRET_MARK}.${randomBytes(48).toString("base64url")}`;
    const expiresAt = new Date(now.getTime() + REGISTRY_TOKEN_SECONDS * 1000).toISOString();
    core.store.put(TOKEN, token, { ...(accessToken !== undefined && { accessToken }), expiresAt });
    return token;
  }

  /** A token for what is asked; refused here already where the caller may not do it. */
  async function tokenEndpoint(request: WireRequest): Promise<WireResponse | undefined> {
    if (request.url.pathname !== "/v2/token") return undefined;
    await core.enter("artifactregistry:Token");
    const accessToken = accessTokenOf(request);
    const caller = accessToken === undefined ? ANONYMOUS : cloud.authenticate(accessToken);
    if (!caller) throw refuse(registryRefusals.credentialsInvalid());
    const location = HOST.exec(request.host)?.groups?.["location"] ?? "";
    for (const scope of request.url.searchParams.getAll("scope").flatMap((each) => each.split(" "))) {
      const [kind, name = "", actions = ""] = scope.split(":");
      if (kind !== "repository") continue;
      open(caller, location, name, actions.split(",").includes("push") ? artifactPermissions.push : artifactPermissions.pull);
    }
    const token = issue(accessToken);
    return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ token, expires_in: REGISTRY_TOKEN_SECONDS, issued_at: core.clock.now().toISOString() }) };
  }

  return createRegistry({
    aside: tokenEndpoint,
    authenticate: async (request) => {
      const caller = authenticated(request);
      const location = HOST.exec(request.host)?.groups?.["location"] ?? "";
      return async (name) => repositoryOf(caller, location, name);
    },
    errorOf: () => undefined,
    manifestUnknown,
  });
}

function manifestUnknown(reference: string): string {
  return `Failed to fetch "${reference}"`;
}

function readManifest(document: Buffer): z.output<typeof manifestForm> {
  try {
    return manifestForm.parse(JSON.parse(document.toString("utf8")));
  } catch {
    throw refuse(registryRefusals.manifestInvalid());
  }
}
