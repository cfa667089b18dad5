/** Artifact Registry in the sandbox: repositories by the REST API, images by the protocol of container clients. */
import { ArtifactAccess } from "./artifact-registry-access.js";
import { createDockerRegistry, isRegistryHost } from "./artifact-registry-docker.js";
import { imageRoutes } from "./artifact-registry-images.js";
import { repositoryRoutes } from "./artifact-registry-repositories.js";
import { ArtifactStore } from "./artifact-registry-store.js";
import type { GcpService, GcpServiceContext } from "./service.js";

export function createArtifactRegistry(context: GcpServiceContext): GcpService {
  const store = new ArtifactStore(context.core.store, context.core.clock);
  const access = new ArtifactAccess(context, store);
  const docker = createDockerRegistry(context, store);
  return {
    name: "artifactregistry",
    api: "artifactregistry.googleapis.com",
    serves: (host) => host === "artifactregistry.googleapis.com" || isRegistryHost(host),
    routes: [...repositoryRoutes(context, store, access), ...imageRoutes(context, store, access)],
    handle: (request) => (isRegistryHost(request.host) ? docker(request) : undefined),
  };
}
