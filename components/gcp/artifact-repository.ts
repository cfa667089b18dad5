import * as pulumi from "@pulumi/pulumi";
import { getRepositoryOutput } from "@pulumi/gcp/artifactregistry/getRepository.js";
import { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { childOptions, GcpChecks, lookupOptions, type Labels } from "./common.js";

export interface GcpArtifactRepositoryArgs {
  /** Id of the project that the repository is in. */
  projectId: pulumi.Input<string>;
  /** Region of the repository. */
  location: pulumi.Input<string>;
  /** Name of the repository. */
  repositoryId: pulumi.Input<string>;
  /** The repository exists already, for Docker images: nothing of it but its IAM policy is changed. @default false */
  existing?: boolean | undefined;
  /** Refuse to move a tag to another image. Only for builds that never use a tag twice. @default false */
  immutableTags?: boolean | undefined;
  /** Whether `pulumi destroy` leaves a created repository. @default true: Google deletes a repository with every image in it */
  retainOnDestroy?: boolean | undefined;
  /** At most 64. */
  labels?: pulumi.Input<Labels> | undefined;
}

/**
 * An Artifact Registry repository for Docker images: created, or an existing one by reference.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpArtifactRepository extends pulumi.ComponentResource {
  /** Known once the repository exists. */
  readonly repositoryId: pulumi.Output<string>;
  readonly location: pulumi.Output<string>;
  readonly projectId: pulumi.Output<string>;
  /** `<region>-docker.pkg.dev/<project>/<repository>` */
  readonly registryUri: pulumi.Output<string>;

  constructor(name: string, args: GcpArtifactRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpArtifactRepository", name, {}, opts);
    const checks = new GcpChecks(this, "GcpArtifactRepository", name);
    this.projectId = checks.text("projectId", args.projectId, "projectId");
    this.location = checks.text("location", args.location, "region");
    const repositoryId = checks.text("repositoryId", args.repositoryId, "repositoryId");
    const labels = checks.labels(args.labels);
    if (args.existing) {
      for (const path of ["immutableTags", "retainOnDestroy", "labels"] as const) {
        if (args[path] !== undefined && args[path] !== false) checks.add(path, "has no effect on an existing repository, which is never changed: leave it out");
      }
    }
    checks.finish();

    const place = { project: this.projectId, location: this.location, repositoryId };
    this.repositoryId = args.existing
      ? getRepositoryOutput(place, lookupOptions(this, opts)).apply(({ format, repositoryId: found }) => {
          if (format !== "DOCKER") throw checks.error([{ path: "repositoryId", reason: `must name a repository for Docker images; ${found} is for ${format}, which can never be changed` }]);
          return found;
        })
      : new Repository(
          name,
          {
            ...place,
            format: "DOCKER",
            description: "Images of DCF's builds",
            ...(args.immutableTags ? { dockerConfig: { immutableTags: true } } : {}),
            ...labels,
          },
          { ...childOptions(this, opts), retainOnDelete: args.retainOnDestroy ?? true },
        ).repositoryId;
    this.registryUri = pulumi.interpolate`${this.location}-docker.pkg.dev/${this.projectId}/${this.repositoryId}`;
    this.registerOutputs({ repositoryId: this.repositoryId, location: this.location, projectId: this.projectId, registryUri: this.registryUri });
  }
}
