/** ARM's resources in the sandbox's store: type `azure:arm/<type in lower case>`, id the ARM id in lower case. */
import type { ResourceStore } from "../types.js";
import { covers, normalised, parseArmId } from "./arm-ids.js";
import type { ArmResource, ArmResources } from "./service.js";

const PREFIX = "azure:arm/";

export class ArmResourceStore implements ArmResources {
  constructor(private readonly store: ResourceStore) {}

  get(id: string): ArmResource | undefined {
    const key = keyOf(id);
    return key && this.store.get(key.type, key.id);
  }

  effective(id: string): ArmResource | undefined {
    const key = keyOf(id);
    return key && this.store.effective(key.type, key.id);
  }

  list(type: string, scope = ""): ArmResource[] {
    return within(this.store.list<ArmResource>(storeType(type)), scope);
  }

  listEffective(type: string, scope = ""): ArmResource[] {
    return within(this.store.listEffective<ArmResource>(storeType(type)), scope);
  }

  below(scope: string): ArmResource[] {
    return this.store
      .types()
      .filter((type) => type.startsWith(PREFIX))
      .flatMap((type) => within(this.store.list<ArmResource>(type), scope))
      .filter(({ id }) => normalised(id) !== normalised(scope));
  }

  /** Ids and names keep the case in which they were first written. */
  put(resource: ArmResource, options: { propagates?: boolean } = {}): ArmResource {
    const key = keyOf(resource.id);
    if (!key) throw new TypeError(`Not the id of an ARM resource: ${resource.id}`);
    const before = this.store.get<ArmResource>(key.type, key.id);
    const stored = before ? { ...resource, id: before.id, name: before.name } : resource;
    this.store.put(key.type, key.id, stored, options);
    return stored;
  }

  delete(id: string, options: { propagates?: boolean } = {}): boolean {
    for (const { id: child } of this.below(id)) this.#remove(child, options);
    return this.#remove(id, options);
  }

  #remove(id: string, options: { propagates?: boolean }): boolean {
    const key = keyOf(id);
    return key !== undefined && this.store.delete(key.type, key.id, options);
  }
}

const storeType = (type: string): string => `${PREFIX}${type.toLowerCase()}`;

function keyOf(id: string): { type: string; id: string } | undefined {
  const parsed = parseArmId(id);
  return parsed && { type: storeType(parsed.type), id: normalised(id) };
}

const within = (found: readonly { value: ArmResource }[], scope: string): ArmResource[] => found.map(({ value }) => value).filter(({ id }) => covers(scope, id));
