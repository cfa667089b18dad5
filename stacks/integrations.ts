import type { Integration } from "./integration.js";

/** Every integration, loaded only when it is asked for: a cloud's SDK costs start-up time. */
export const integrations: Readonly<Record<string, () => Promise<Integration>>> = {
  "dcf-aws": async () => (await import("./dcf-aws.js")).dcfAws,
  "dcf-azure": async () => (await import("./dcf-azure.js")).dcfAzure,
  "dcf-gcp": async () => (await import("./dcf-gcp.js")).dcfGcp,
  "ddoe-azure": async () => (await import("./ddoe-azure.js")).ddoeAzure,
  "klavi-gcp": async () => (await import("./klavi-gcp.js")).klaviGcp,
};
