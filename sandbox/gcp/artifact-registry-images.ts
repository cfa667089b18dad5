/** Images as the API shows them: packages with versions and tags. https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { artifactTexts } from "../../facts/gcp/artifact-registry.js";
import type { ArtifactAccess } from "./artifact-registry-access.js";
import { pageOf } from "./artifact-registry-pages.js";
import { registryUri } from "./artifact-registry-repositories.js";
import { type ArtifactStore, type Image, type Repository, locationPath } from "./artifact-registry-store.js";
import type { GcpRequest, GcpRoute, GcpServiceContext } from "./service.js";
import { GcpError } from "./types.js";

const tagForm = z.object({ version: z.string() });

export function imageRoutes(context: GcpServiceContext, store: ArtifactStore, access: ArtifactAccess): GcpRoute[] {
  const missing = (): GcpError => new GcpError("NOT_FOUND", artifactTexts.notFound);
  const packagePath = ({ name }: Repository, image: string): string => `${name}/packages/${encodeURIComponent(image)}`;
  const tagShown = (repository: Repository, { package: image, digest }: Image, tag: string): object => {
    const name = packagePath(repository, image);
    return { name: `${name}/tags/${tag}`, version: `${name}/versions/${digest}` };
  };

  function dockerImage(repository: Repository, image: Image): object {
    const id = `${image.package}@${image.digest}`;
    return {
      name: `${repository.name}/dockerImages/${encodeURIComponent(image.package)}@${image.digest}`,
      uri: `${registryUri(repository)}/${id}`,
      ...(image.tags.length > 0 && { tags: image.tags }),
      imageSizeBytes: String(image.size),
      uploadTime: image.uploadTime,
      updateTime: image.updateTime,
      mediaType: image.mediaType,
    };
  }

  function packageShown(repository: Repository, images: readonly Image[]): object {
    const [createTime] = images.map(({ uploadTime }) => uploadTime).sort();
    const updateTime = images.map((each) => each.updateTime).sort().at(-1);
    return { name: packagePath(repository, images[0]?.package ?? ""), createTime, updateTime };
  }

  function versionShown(repository: Repository, image: Image): object {
    const metadata = { ...dockerImage(repository, image), "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.DockerImage" };
    return {
      name: `${packagePath(repository, image.package)}/versions/${image.digest}`,
      createTime: image.uploadTime,
      updateTime: image.updateTime,
      ...(image.tags.length > 0 && { relatedTags: image.tags.map((tag) => tagShown(repository, image, tag)) }),
      metadata,
    };
  }

  function imagesOf(repository: Repository, { params }: GcpRequest): Image[] {
    const images = store.images(repository).filter((image) => image.package === params["package"]);
    if (images.length === 0) throw missing();
    return images;
  }

  function image(repository: Repository, request: GcpRequest, reference: string): Image {
    const found = store.image(repository, request.params["package"] ?? "", reference);
    if (!found) throw missing();
    return found;
  }

  const isImmutable = ({ dockerConfig }: Repository): boolean => dockerConfig?.immutableTags === true;
  const done = (repository: Repository): object =>
    context.operation("artifactregistry", `${locationPath(repository.projectId, repository.location)}/operations/${randomUUID()}`, { "@type": "type.googleapis.com/google.protobuf.Empty" });

  function listed<T>(request: GcpRequest, items: readonly T[], member: string): object {
    const { items: shown, nextPageToken } = pageOf(items, request.query);
    return { ...(shown.length > 0 && { [member]: shown }), ...nextPageToken };
  }

  async function deletePackage(request: GcpRequest): Promise<object> {
    const repository = access.open(request, "artifactregistry.packages.delete");
    for (const each of imagesOf(repository, request)) store.deleteImage(repository, each);
    return done(repository);
  }

  async function deleteVersion(request: GcpRequest): Promise<object> {
    const repository = access.open(request, "artifactregistry.versions.delete");
    const found = image(repository, request, request.params["version"] ?? "");
    if (found.tags.length > 0 && (request.query.get("force") !== "true" || isImmutable(repository))) {
      throw new GcpError("FAILED_PRECONDITION", artifactTexts.versionTagged(found.digest));
    }
    store.deleteImage(repository, found);
    return done(repository);
  }

  async function putTag(request: GcpRequest, tag: string): Promise<object> {
    const repository = access.open(request, request.method === "POST" ? "artifactregistry.tags.create" : "artifactregistry.tags.update");
    const parsed = tagForm.safeParse(request.body);
    if (!parsed.success || tag === "") throw new GcpError("INVALID_ARGUMENT", artifactTexts.invalid);
    const wanted = image(repository, request, parsed.data.version.split("/").at(-1) ?? "");
    const holder = store.image(repository, wanted.package, tag);
    if (holder && request.method === "POST") throw new GcpError("ALREADY_EXISTS", "Requested entity already exists");
    if (holder && holder.digest !== wanted.digest && isImmutable(repository)) throw new GcpError("FAILED_PRECONDITION", artifactTexts.tagImmutable(tag));
    store.tag(repository, wanted, tag);
    return tagShown(repository, wanted, tag);
  }

  async function deleteTag(request: GcpRequest): Promise<object> {
    const repository = access.open(request, "artifactregistry.tags.delete");
    const tag = request.params["tag"] ?? "";
    const found = image(repository, request, tag);
    if (isImmutable(repository)) throw new GcpError("FAILED_PRECONDITION", artifactTexts.tagImmutable(tag));
    store.untag(repository, found, tag);
    return {};
  }

  const of = "/v1/projects/{project}/locations/{location}/repositories/{repository}";
  const consumer = ({ params }: GcpRequest): string | undefined => params["project"];
  const route = (method: GcpRoute["method"], path: string, operation: string, run: GcpRoute["run"]): GcpRoute => ({ method, path: `${of}/${path}`, operation: `artifactregistry:${operation}`, consumer, run });
  return [
    route("GET", "dockerImages", "ListDockerImages", async (request) => {
      const repository = access.open(request, "artifactregistry.dockerimages.list");
      return listed(request, store.images(repository).map((each) => dockerImage(repository, each)), "dockerImages");
    }),
    route("GET", "dockerImages/{image}", "GetDockerImage", async (request) => {
      const repository = access.open(request, "artifactregistry.dockerimages.get");
      const [name = "", digest = ""] = (request.params["image"] ?? "").split("@");
      const found = store.image(repository, name, digest);
      if (!found) throw missing();
      return dockerImage(repository, found);
    }),
    route("GET", "packages", "ListPackages", async (request) => {
      const repository = access.open(request, "artifactregistry.packages.list");
      const images = store.images(repository);
      const names = [...new Set(images.map((each) => each.package))];
      return listed(request, names.map((name) => packageShown(repository, images.filter((each) => each.package === name))), "packages");
    }),
    route("GET", "packages/{package}", "GetPackage", async (request) => {
      const repository = access.open(request, "artifactregistry.packages.get");
      return packageShown(repository, imagesOf(repository, request));
    }),
    route("DELETE", "packages/{package}", "DeletePackage", deletePackage),
    route("GET", "packages/{package}/versions", "ListVersions", async (request) => {
      const repository = access.open(request, "artifactregistry.versions.list");
      return listed(request, imagesOf(repository, request).map((each) => versionShown(repository, each)), "versions");
    }),
    route("GET", "packages/{package}/versions/{version}", "GetVersion", async (request) => {
      const repository = access.open(request, "artifactregistry.versions.get");
      return versionShown(repository, image(repository, request, request.params["version"] ?? ""));
    }),
    route("DELETE", "packages/{package}/versions/{version}", "DeleteVersion", deleteVersion),
    route("GET", "packages/{package}/tags", "ListTags", async (request) => {
      const repository = access.open(request, "artifactregistry.tags.list");
      return listed(request, imagesOf(repository, request).flatMap((each) => each.tags.map((tag) => tagShown(repository, each, tag))), "tags");
    }),
    route("GET", "packages/{package}/tags/{tag}", "GetTag", async (request) => {
      const repository = access.open(request, "artifactregistry.tags.get");
      const tag = request.params["tag"] ?? "";
      return tagShown(repository, image(repository, request, tag), tag);
    }),
    route("POST", "packages/{package}/tags", "CreateTag", async (request) => putTag(request, request.query.get("tagId") ?? "")),
    route("PATCH", "packages/{package}/tags/{tag}", "UpdateTag", async (request) => putTag(request, request.params["tag"] ?? "")),
    route("DELETE", "packages/{package}/tags/{tag}", "DeleteTag", deleteTag),
  ];
}
