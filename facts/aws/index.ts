export * from "./limits.js";
export * from "./partitions.js";
export * from "./permissions.js";
