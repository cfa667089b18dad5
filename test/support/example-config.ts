/** An example's configuration, as the engines take it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

const examples = join(__dirname, "../../examples");

/**
 * Changes are made on the way: an object is merged into the key's own, anything else replaces it, null removes the key.
 *
 * @param folder below `examples`
 * @param name the file's name without `Pulumi.` and `.yaml`
 */
export async function exampleConfig(folder: string, name: string, changes: Record<string, unknown>): Promise<Record<string, string>> {
  const { config } = parse(await readFile(join(examples, folder, `Pulumi.${name}.yaml`), "utf8")) as { config: Record<string, unknown> };
  const merged = { ...config };
  for (const [key, value] of Object.entries(changes)) {
    const path = key.includes(":") ? key : `cloud-federation:${key}`;
    const before = merged[path];
    merged[path] = isObject(value) && isObject(before) ? { ...before, ...value } : value;
  }
  const kept = Object.entries(merged).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
