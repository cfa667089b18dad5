/** How Cloud Run comes by a service's image: by leave of whoever deploys, and of its own service agent. https://cloud.google.com/run/docs/deploying */
import { createHash } from "node:crypto";
import { artifactPermissions } from "../../facts/gcp/artifact-registry.js";
import { runTexts, sampleImages } from "../../facts/gcp/cloud-run.js";
import { serviceAgentEmail } from "../../facts/gcp/identifiers.js";
import { RegistryError } from "../registry.js";
import { type ImageRepositories, createImageRepositories } from "./artifact-registry-docker.js";
import { ArtifactStore, type Image, type Repository } from "./artifact-registry-store.js";
import type { Revision } from "./cloud-run-store.js";
import type { GcpServiceContext } from "./service.js";
import { GcpError, type GcpCaller, type GcpProject } from "./types.js";

const REFERENCE = /^(?<location>[a-z0-9-]+)-docker\.pkg\.dev\/(?<name>[^:@]+)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

type Found = Pick<Revision, "image" | "failure">;

interface Config {
  architecture?: string;
  config?: { Labels?: Record<string, string> | null };
}

export class RunImages {
  readonly #store: ArtifactStore;
  readonly #repositories: ImageRepositories;

  constructor(private readonly context: GcpServiceContext) {
    this.#store = new ArtifactStore(context.core.store, context.core.clock);
    this.#repositories = createImageRepositories(context, this.#store);
  }

  /** Throws PERMISSION_DENIED where the caller may not read it; whatever else is wrong with it is wrong with the revision. */
  find(caller: GcpCaller, project: GcpProject, image: string): Found {
    const plain = image.replace(/:latest$/, "");
    if (sampleImages.includes(plain)) return { image: { digest: `sha256:${createHash("sha256").update(plain).digest("hex")}`, labels: {} } };
    const { location, name = "", tag = "latest", digest } = REFERENCE.exec(image)?.groups ?? {};
    if (location === undefined) return { failure: runTexts.imageMissing(image) };
    const imageProject = name.split("/")[0] ?? "";
    const projects = { image, imageProject, project: project.projectId };
    const mine = this.#open(caller, location, name);
    if (mine === "denied") throw new GcpError("PERMISSION_DENIED", runTexts.deployerImageDenied(projects));
    // Of its own project's images the agent may read all, by its role on the project.
    if (imageProject !== project.projectId) {
      const agent = serviceAgentEmail("serverless-robot-prod", project.projectNumber);
      const read = this.#open({ kind: "serviceAccount", name: agent, members: [`serviceAccount:${agent}`, "allUsers", "allAuthenticatedUsers"], scopes: [] }, location, name);
      if (read === "denied") return { failure: runTexts.agentImageDenied(agent, projects) };
    }
    const found = mine === "missing" ? undefined : this.#store.image(mine.repository, mine.image, digest ?? tag);
    return mine === "missing" || !found ? { failure: runTexts.imageMissing(image) } : this.#described(mine.repository, found, image);
  }

  #open(caller: GcpCaller, location: string, name: string): { repository: Repository; image: string } | "denied" | "missing" {
    try {
      return this.#repositories.open(caller, location, name, artifactPermissions.pull);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return error.status === 403 ? "denied" : "missing";
    }
  }

  #described(repository: Repository, image: Image, reference: string): Found {
    const { config } = JSON.parse(image.manifest) as { config?: { digest: string } };
    const blob = config && this.#store.blob(repository, config.digest);
    const { architecture, config: settings } = blob ? configOf(blob) : {};
    if (architecture !== "amd64") return { failure: runTexts.architecture(reference, image.mediaType) };
    return { image: { digest: image.digest, labels: settings?.Labels ?? {} } };
  }
}

/** Empty for what is no image's config. */
function configOf(blob: Buffer): Config {
  try {
    return JSON.parse(blob.toString("utf8")) as Config;
  } catch {
    return {};
  }
}
