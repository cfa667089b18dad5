/** Writes the JSON Schemas that the package publishes: of the contract, and of every integration's configuration. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { contractJsonSchema } from "../contract/index.js";
import { configJsonSchema } from "./config.js";
import { integrations } from "./integrations.js";

export async function publishSchemas(folder: string): Promise<void> {
  const write = (name: string, schema: unknown) => writeFileSync(join(folder, name), `${JSON.stringify(schema, null, 2)}\n`);
  mkdirSync(join(folder, "stacks"), { recursive: true });
  write("contract.schema.json", contractJsonSchema());
  for (const load of Object.values(integrations)) {
    const { name, configSchema } = await load();
    write(join("stacks", `${name}.schema.json`), configJsonSchema(name, configSchema));
  }
}

if (require.main === module) void publishSchemas(resolve(__dirname, ".."));
