/** What registries answer besides the protocol of container clients: catalogues, and manifests and tags with their attributes. https://learn.microsoft.com/rest/api/containerregistry/ */
import { type RepositoryRight, registryRefusals } from "../../facts/azure/container-registry.js";
import type { WireRequest, WireResponse } from "../types.js";
import { refuse } from "./container-registry-access.js";
import type { RegistryContent, StoredManifest, StoredTag } from "./container-registry-store.js";

export interface CatalogParts {
  /** Login server. */
  registry: string;
  content: RegistryContent;
  readonly require: (right: RepositoryRight, repository: string) => void;
  readonly requireCatalog: () => void;
}

const changeableAttributes = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true };

/** Undefined for requests that are none of these. */
export function catalogAnswer(parts: CatalogParts, { method, url }: WireRequest): WireResponse | undefined {
  const path = decodeURIComponent(url.pathname);
  if (path === "/v2/_catalog" || path === "/acr/v1/_catalog") {
    parts.requireCatalog();
    return json(200, { repositories: page(parts.content.repositories(), url) });
  }
  const [, name = "", kind, reference] = /^\/acr\/v1\/(.+?)(?:\/(_tags|_manifests)(?:\/([^/]+))?)?$/.exec(path) ?? [];
  if (name === "") return undefined;
  const at: Repository = { ...parts, name };
  if (kind === undefined) return method === "DELETE" ? removeRepository(at) : show(at, "metadata_read", () => repositoryView(at));
  if (kind === "_tags") return reference === undefined ? show(at, "metadata_read", () => tagList(at, url)) : oneTag(at, method, reference);
  return reference === undefined ? show(at, "metadata_read", () => manifestList(at, url)) : show(at, "metadata_read", () => oneManifest(at, reference));
}

interface Repository extends CatalogParts {
  name: string;
}

function show(at: Repository, right: RepositoryRight, view: () => object): WireResponse {
  at.require(right, at.name);
  requirePresent(at);
  return json(200, view());
}

function requirePresent({ content, name }: Repository): void {
  if (content.manifests(name).length === 0) throw refuse(registryRefusals.repositoryMissing(name));
}

function repositoryView({ registry, content, name }: Repository): object {
  const manifests = content.manifests(name);
  const times = manifests.map(({ createdTime }) => createdTime).sort();
  const updates = manifests.map(({ lastUpdateTime }) => lastUpdateTime).sort();
  return { registry, imageName: name, createdTime: times[0], lastUpdateTime: updates.at(-1), manifestCount: manifests.length, tagCount: content.tags(name).length, changeableAttributes };
}

function removeRepository(at: Repository): WireResponse {
  at.require("delete", at.name);
  requirePresent(at);
  const manifestsDeleted = at.content.manifests(at.name).map(({ digest }) => digest);
  const tagsDeleted = at.content.tags(at.name).map(({ name }) => name);
  at.content.clear(at.name);
  return json(202, { manifestsDeleted, tagsDeleted });
}

const tagView = ({ name, digest, createdTime, lastUpdateTime }: StoredTag): object => ({ name, digest, createdTime, lastUpdateTime, signed: false, changeableAttributes });

function tagList({ registry, content, name }: Repository, url: URL): object {
  const digest = url.searchParams.get("digest") ?? undefined;
  return { registry, imageName: name, tags: page(content.tags(name, digest), url).map(tagView) };
}

function oneTag(at: Repository, method: string, reference: string): WireResponse {
  at.require(method === "DELETE" ? "delete" : "metadata_read", at.name);
  requirePresent(at);
  const tag = at.content.tag(at.name, reference);
  if (!tag) throw refuse(registryRefusals.tagMissing(reference));
  if (method !== "DELETE") return json(200, { registry: at.registry, imageName: at.name, tag: tagView(tag) });
  at.content.deleteTag(tag);
  return { status: 202 };
}

function manifestView(content: RegistryContent, { repository, digest, imageSize, createdTime, lastUpdateTime, architecture, os, mediaType, configMediaType }: StoredManifest): object {
  const tags = content.tags(repository, digest).map(({ name }) => name);
  return { digest, imageSize, createdTime, lastUpdateTime, architecture, os, mediaType, configMediaType, tags, changeableAttributes };
}

function manifestList({ registry, content, name }: Repository, url: URL): object {
  return { registry, imageName: name, manifests: page(content.manifests(name), url).map((each) => manifestView(content, each)) };
}

function oneManifest({ registry, content, name }: Repository, reference: string): object {
  const found = content.manifest(name, reference);
  if (!found) throw refuse(registryRefusals.manifestMissing(reference));
  return { registry, imageName: name, manifest: manifestView(content, found) };
}

/** The first of them; what goes beyond is asked for with `last`, the name or digest of the one before. */
function page<T extends string | StoredTag | StoredManifest>(all: readonly T[], { searchParams }: URL): T[] {
  const last = searchParams.get("last");
  const from = last === null ? 0 : all.findIndex((each) => keyOf(each) === last) + 1;
  const limit = Number(searchParams.get("n") ?? Number.NaN);
  return all.slice(from, Number.isInteger(limit) && limit > 0 ? from + limit : undefined);
}

function keyOf(item: string | StoredTag | StoredManifest): string {
  if (typeof item === "string") return item;
  return "name" in item ? item.name : item.digest;
}

const json = (status: number, body: object): WireResponse => ({ status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(body) });
