/** Deletes what the embedded engine created, dependents first. */
import type { ProviderTable } from "../sandbox/types.js";
import type { EmbeddedResource } from "./embedded.js";
import { messageOf, resourceBehaviour } from "./operations.js";
import { unwrap } from "./properties.js";

export interface DestroyedResource {
  urn: string;
  type: string;
  name: string;
  id: string;
  /** `kept`: by `retainOnDelete`. `skipped`: something that depends on it could not be deleted. */
  status: "deleted" | "kept" | "failed" | "skipped";
  error?: string;
}

export interface DestroyResult {
  resources: DestroyedResource[];
  /** What is still there, for another attempt. */
  remaining: EmbeddedResource[];
  errors: string[];
  ok: boolean;
}

export async function destroyEmbedded(
  resources: readonly EmbeddedResource[],
  tables: readonly ProviderTable[],
): Promise<DestroyResult> {
  const existing = resources.filter(({ custom, id, type }) => custom && id !== "" && !type.startsWith("pulumi:providers:"));
  const guarded = existing.filter(({ protect }) => protect);
  if (guarded.length > 0) {
    const errors = guarded.map(({ type, name }) => `${type} (${name}) is protected: unset \`protect\` in the program and run it again before destroying`);
    return { resources: [], remaining: [...resources], errors, ok: false };
  }

  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const dependents = new Map<string, EmbeddedResource[]>(existing.map(({ urn }) => [urn, []]));
  for (const resource of existing) {
    for (const needed of needs(resource, byUrn)) dependents.get(needed)?.push(resource);
  }

  const outcomes = new Map<string, Promise<DestroyedResource>>();
  const destroy = (resource: EmbeddedResource): Promise<DestroyedResource> => {
    const known = outcomes.get(resource.urn);
    if (known) return known;
    const outcome = Promise.all((dependents.get(resource.urn) ?? []).map(destroy)).then((before) => destroyOne(resource, before, tables));
    outcomes.set(resource.urn, outcome);
    return outcome;
  };
  const destroyed = await Promise.all([...existing].reverse().map(destroy));
  const errors = destroyed.flatMap(({ type, name, error }) => (error === undefined ? [] : [`${type} (${name}): ${error}`]));
  const left = new Set(destroyed.filter(({ status }) => status === "failed" || status === "skipped").map(({ urn }) => urn));
  return { resources: destroyed, remaining: existing.filter(({ urn }) => left.has(urn)), errors, ok: left.size === 0 };
}

/** Direct dependencies, and those by way of components: a resource's parent that is itself a resource must outlive it. */
function needs(resource: EmbeddedResource, byUrn: ReadonlyMap<string, EmbeddedResource>): string[] {
  const ancestors: string[] = [];
  for (let parent = resource.parent; parent !== undefined; parent = byUrn.get(parent)?.parent) ancestors.push(parent);
  return [...new Set([...resource.dependencies, ...ancestors])].filter((urn) => urn !== resource.urn);
}

async function destroyOne(
  resource: EmbeddedResource,
  dependents: readonly DestroyedResource[],
  tables: readonly ProviderTable[],
): Promise<DestroyedResource> {
  const { urn, type, name, id } = resource;
  const base = { urn, type, name, id };
  if (dependents.some(({ status }) => status === "failed" || status === "skipped")) return { ...base, status: "skipped" };
  if (resource.retainOnDelete) return { ...base, status: "kept" };
  try {
    if (resource.scope === undefined) throw new Error("it is not known where it was created");
    await resourceBehaviour(tables, type).delete(id, unwrap(resource.outputs).plain, resource.scope);
    return { ...base, status: "deleted" };
  } catch (error) {
    return { ...base, status: "failed", error: messageOf(error) };
  }
}
