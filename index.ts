/**
 * Keyless trust for outside workloads in customers' own clouds.
 *
 * This entry has what is the same for every cloud and loads no provider SDK; the components are under
 * `cloud-federation/aws`.
 */
export * from "./contract/index.js";
