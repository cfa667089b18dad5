/** Artifact Registry as the docker daemon of a build reaches it: with the credentials of the account that the build runs as. */
import { artifactPermissions } from "../../facts/gcp/artifact-registry.js";
import { type ImageRegistry, PushError, noSuchRegistry } from "../build/docker.js";
import { type Blob, type Image, MANIFEST_TYPE } from "../build/image.js";
import { RegistryError, type RegistryRepository } from "../registry.js";
import { FaultError } from "../types.js";
import { type ImageRepositories, createImageRepositories } from "./artifact-registry-docker.js";
import { ArtifactStore } from "./artifact-registry-store.js";
import type { GcpServiceContext } from "./service.js";
import type { GcpCaller } from "./types.js";

/** https://cloud.google.com/artifact-registry/docs/docker/names */
const REFERENCE = /^(?<location>[a-z0-9-]+)-docker\.pkg\.dev\/(?<name>[^:@]+):(?<tag>[\w][\w.-]{0,127})$/;

export class BuildRegistry implements ImageRegistry {
  readonly #repositories: ImageRepositories;

  constructor(
    context: GcpServiceContext,
    private readonly account: GcpCaller,
  ) {
    this.#repositories = createImageRepositories(context, new ArtifactStore(context.core.store, context.core.clock));
  }

  /** Builds are logged in from the start. */
  login(): boolean {
    return true;
  }

  logout(): void {
    // The credentials of a build stay.
  }

  async push(tagged: string, image: Image, progress: (line: string) => void): Promise<void> {
    const { location, name, tag } = REFERENCE.exec(tagged)?.groups ?? {};
    if (location === undefined || name === undefined || tag === undefined) throw noSuchRegistry(tagged, "Artifact Registry's registries");
    try {
      // The daemon asks for a token for pushing before it sends anything.
      this.#repositories.open(this.account, location, name, artifactPermissions.push);
      const repository = this.#repositories.repositoryOf(this.account, location, name);
      for (const each of [...image.layers, image.config]) progress(`${each.digest.slice(7, 19)}: ${await pushBlob(repository, each)}`);
      await repository.putManifest(tag, Buffer.from(image.manifest), MANIFEST_TYPE);
      progress(`${tag}: digest: ${image.digest} size: ${image.manifest.length}`);
    } catch (error) {
      if (error instanceof RegistryError) throw new PushError(`${error.code.toLowerCase().replaceAll("_", " ")}: ${error.message}`);
      throw error instanceof FaultError ? new PushError(`received unexpected HTTP status: ${error.fault.status}`) : error;
    }
  }
}

async function pushBlob(repository: RegistryRepository, { data, digest }: Blob): Promise<string> {
  if (await repository.blob(digest, "look")) return "Layer already exists";
  const uploadId = await repository.beginUpload();
  await repository.addPart(uploadId, 0, data);
  await repository.completeUpload(uploadId, digest);
  return "Pushed";
}
