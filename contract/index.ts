/** The contract: what a stack provisioned, for whom, and what must and must not be possible with it. */
export * from "./schema.js";
export { CONTRACT_SCHEMA_ID, contractJsonSchema } from "./json-schema.js";
export { ContractError, readContract, type ReadContract, type Unrecognised } from "./read.js";
export { writeContract } from "./write.js";
