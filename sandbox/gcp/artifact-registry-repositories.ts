/** Repositories and who may do what with them. https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { ARTIFACT_REGISTRY_LIMITS, artifactTexts, repositoryFormats, repositoryLocations, repositoryModes } from "../../facts/gcp/artifact-registry.js";
import { type ArtifactAccess, type Place, repositoryName, repositoryResource } from "./artifact-registry-access.js";
import { type ArtifactStore, type Repository, locationPath, repositoryPath } from "./artifact-registry-store.js";
import { pageOf } from "./artifact-registry-pages.js";
import type { GcpRequest, GcpRoute, GcpServiceContext } from "./service.js";
import { GcpError } from "./types.js";

const API = "type.googleapis.com/google.devtools.artifactregistry.v1";
const config = z.record(z.string(), z.unknown());

/** Members that an owner writes; `name` and whatever else is shown only is passed over. */
const written = z.object({
  format: z.enum(repositoryFormats).optional(),
  mode: z.enum([...repositoryModes, "MODE_UNSPECIFIED"]).optional(),
  description: z.string().max(1024).optional(),
  labels: z.record(z.string().regex(/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u), z.string().max(63)).optional(),
  kmsKeyName: z.string().optional(),
  dockerConfig: z.object({ immutableTags: z.boolean().optional() }).optional(),
  cleanupPolicies: z.record(z.string(), config).optional(),
  cleanupPolicyDryRun: z.boolean().optional(),
  mavenConfig: config.optional(),
  remoteRepositoryConfig: config.optional(),
  virtualRepositoryConfig: config.optional(),
  vulnerabilityScanningConfig: z.object({ enablementConfig: z.string().optional() }).optional(),
});
type Written = z.output<typeof written>;

/** What is decided when the repository is made. */
const FIXED: readonly string[] = ["format", "mode", "kmsKeyName"];

function read(body: unknown): Written {
  const parsed = written.safeParse(body ?? {});
  if (!parsed.success) throw new GcpError("INVALID_ARGUMENT", artifactTexts.invalid);
  return parsed.data;
}

/** Where container clients find the repository. */
export function registryUri({ projectId, location, repositoryId }: Repository): string {
  return `${location}-docker.pkg.dev/${projectId}/${repositoryId}`;
}

function shown(repository: Repository, size: number): object {
  const { projectId: _project, location: _location, repositoryId: _id, vulnerabilityScanningConfig, ...members } = repository;
  const scanning = { enablementConfig: "INHERITED", ...vulnerabilityScanningConfig };
  const state = { enablementState: "SCANNING_DISABLED", enablementStateReason: "API containerscanning.googleapis.com is not enabled." };
  return {
    ...members,
    sizeBytes: String(size),
    registryUri: repository.format === "DOCKER" ? registryUri(repository) : registryUri(repository).replace("-docker.", `-${repository.format.toLowerCase()}.`),
    vulnerabilityScanningConfig: { ...scanning, ...state },
  };
}

export function repositoryRoutes(context: GcpServiceContext, store: ArtifactStore, access: ArtifactAccess): GcpRoute[] {
  const view = (repository: Repository): object => shown(repository, store.images(repository).reduce((sum, { size }) => sum + size, 0));

  function operation({ projectId, location }: Place, response: object): object {
    return context.operation("artifactregistry", `${locationPath(projectId, location)}/operations/${randomUUID()}`, response, { "@type": `${API}.OperationMetadata` });
  }

  async function create(request: GcpRequest): Promise<object> {
    const place = access.place(request);
    access.requireInLocation(request.caller, place, "artifactregistry.repositories.create");
    const repositoryId = request.query.get("repositoryId") ?? "";
    const { format, mode, ...members } = read(request.body);
    if (!ARTIFACT_REGISTRY_LIMITS.repositoryId.pattern.test(repositoryId) || format === undefined) throw new GcpError("INVALID_ARGUMENT", artifactTexts.invalid);
    const name = repositoryPath(place.projectId, place.location, repositoryId);
    if (store.repository(name)) throw new GcpError("ALREADY_EXISTS", artifactTexts.repositoryExists);
    const now = store.now();
    const chosen = mode === undefined || mode === "MODE_UNSPECIFIED" ? "STANDARD_REPOSITORY" : mode;
    const repository: Repository = { name, ...place, repositoryId, format, mode: chosen, createTime: now, updateTime: now, ...members };
    store.putRepository(repository);
    return operation(place, { "@type": `${API}.Repository`, ...view(repository) });
  }

  async function list(request: GcpRequest): Promise<object> {
    const place = access.place(request);
    access.requireInLocation(request.caller, place, "artifactregistry.repositories.list");
    const { items, nextPageToken } = pageOf(store.repositories(place.projectId, place.location), request.query);
    return { ...(items.length > 0 && { repositories: items.map(view) }), ...nextPageToken };
  }

  async function patch(request: GcpRequest): Promise<object> {
    const repository = access.open(request, "artifactregistry.repositories.update");
    const members = read(request.body);
    // Masks name members or what is in them; here a member is written whole.
    const mask = request.query.get("updateMask")?.split(",").map((path) => path.trim().split(".")[0]?.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) ?? "");
    const named = mask === undefined || mask.includes("*") ? Object.keys(members) : mask;
    const fixed = named.find((key) => FIXED.includes(key) && (members as Record<string, unknown>)[key] !== undefined && (members as Record<string, unknown>)[key] !== (repository as unknown as Record<string, unknown>)[key]);
    if (fixed !== undefined) throw new GcpError("INVALID_ARGUMENT", artifactTexts.invalid);
    const changes = Object.fromEntries(named.filter((key) => !FIXED.includes(key) && key in written.shape).map((key) => [key, (members as Record<string, unknown>)[key]]));
    const changed: Repository = { ...repository, ...changes, updateTime: store.now() };
    store.putRepository(changed);
    return view(changed);
  }

  async function remove(request: GcpRequest): Promise<object> {
    const repository = access.open(request, "artifactregistry.repositories.delete");
    store.deleteRepository(repository);
    context.policies.delete(repositoryName(repository.name));
    return operation(repository, { "@type": "type.googleapis.com/google.protobuf.Empty" });
  }

  async function getIamPolicy(request: GcpRequest): Promise<object> {
    const { name } = access.open(request, "artifactregistry.repositories.getIamPolicy");
    return context.policies.get(repositoryName(name));
  }

  async function setIamPolicy(request: GcpRequest): Promise<object> {
    const { name, projectId } = access.open(request, "artifactregistry.repositories.setIamPolicy");
    const { policy } = (request.body ?? {}) as { policy?: unknown };
    return context.policies.set(repositoryName(name), policy ?? {}, projectId);
  }

  /** Asked without any right; for a repository that is not there nothing is allowed. */
  async function testIamPermissions(request: GcpRequest): Promise<object> {
    const { projectId, location } = access.place(request);
    const path = repositoryPath(projectId, location, request.params["repository"] ?? "");
    const asked = z.object({ permissions: z.array(z.string().regex(/^artifactregistry\.[a-zA-Z]+\.[a-zA-Z]+$/)) }).safeParse(request.body);
    if (!asked.success) throw new GcpError("INVALID_ARGUMENT", artifactTexts.invalid);
    if (!store.repository(path)) return {};
    const permissions = asked.data.permissions.filter((permission) => context.allows(request.caller, permission, repositoryResource(path, projectId)));
    return permissions.length > 0 ? { permissions } : {};
  }

  async function getLocation(request: GcpRequest): Promise<object> {
    const { projectId, location } = access.place(request);
    return { name: locationPath(projectId, location), locationId: location };
  }

  async function listLocations(request: GcpRequest): Promise<object> {
    const { projectId } = context.projectOf(request.params["project"] ?? "");
    return { locations: repositoryLocations.map((location) => ({ name: locationPath(projectId, location), locationId: location })) };
  }

  const locations = "/v1/projects/{project}/locations";
  const all = `${locations}/{location}/repositories`;
  const one = `${all}/{repository}`;
  const consumer = ({ params }: GcpRequest): string | undefined => params["project"];
  const route = (method: GcpRoute["method"], path: string, operationName: string, run: GcpRoute["run"]): GcpRoute => ({ method, path, operation: `artifactregistry:${operationName}`, consumer, run });
  return [
    route("GET", locations, "ListLocations", listLocations),
    route("GET", `${locations}/{location}`, "GetLocation", getLocation),
    route("POST", all, "CreateRepository", create),
    route("GET", all, "ListRepositories", list),
    route("GET", one, "GetRepository", async (request) => view(access.open(request, "artifactregistry.repositories.get"))),
    route("PATCH", one, "UpdateRepository", patch),
    route("DELETE", one, "DeleteRepository", remove),
    route("GET", `${one}:getIamPolicy`, "GetIamPolicy", getIamPolicy),
    route("POST", `${one}:setIamPolicy`, "SetIamPolicy", setIamPolicy),
    route("POST", `${one}:testIamPermissions`, "TestIamPermissions", testIamPermissions),
  ];
}
