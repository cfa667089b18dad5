import { z } from "zod";
import { CONTRACT_VERSION, contractSchema } from "./schema.js";

/** Name of the contract's JSON Schema; a later version of the contract has another one. */
export const CONTRACT_SCHEMA_ID = `https://cloud-federation.dev/schemas/contract-v${CONTRACT_VERSION}.json`;

/** The contract as a JSON Schema (draft 2020-12). Fields that it does not name are allowed, as in `readContract`. */
export function contractJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(contractSchema, { target: "draft-2020-12", io: "input" });
  return { $schema, $id: CONTRACT_SCHEMA_ID, title: "Cloud Federation contract", ...schema };
}
