/** Which repository is meant, and may this caller do this to it? */
import { artifactTexts, repositoryLocations } from "../../facts/gcp/artifact-registry.js";
import { type ArtifactStore, type Repository, locationPath, repositoryPath } from "./artifact-registry-store.js";
import type { GcpRequest, GcpServiceContext } from "./service.js";
import { GcpError, type GcpCaller, type GcpResource } from "./types.js";

export const repositoryName = (path: string): string => `//artifactregistry.googleapis.com/${path}`;

export function repositoryResource(path: string, projectId: string): GcpResource {
  return { name: repositoryName(path), type: "artifactregistry.googleapis.com/Repository", projectId };
}

/** Where a request's path leads. */
export interface Place {
  projectId: string;
  location: string;
}

export class ArtifactAccess {
  constructor(
    private readonly context: GcpServiceContext,
    private readonly store: ArtifactStore,
  ) {}

  place({ params }: GcpRequest): Place {
    const { projectId } = this.context.projectOf(params["project"] ?? "");
    const location = params["location"] ?? "";
    if (!repositoryLocations.includes(location)) throw new GcpError("PERMISSION_DENIED", artifactTexts.locationDenied(location));
    return { projectId, location };
  }

  requireInLocation(caller: GcpCaller, { projectId, location }: Place, permission: string): void {
    const name = `//artifactregistry.googleapis.com/${locationPath(projectId, location)}`;
    this.context.require(caller, permission, { name, type: "artifactregistry.googleapis.com/Location", projectId });
  }

  /** Refuses before it tells whether there is such a repository. */
  open(request: GcpRequest, permission: string): Repository {
    const { projectId, location } = this.place(request);
    const path = repositoryPath(projectId, location, request.params["repository"] ?? "");
    this.context.require(request.caller, permission, repositoryResource(path, projectId));
    const repository = this.store.repository(path);
    if (!repository) throw new GcpError("NOT_FOUND", artifactTexts.notFound);
    return repository;
  }
}
