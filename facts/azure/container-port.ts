/** Ports that a site's container can listen on. */
import type { NumberRule } from "../rules.js";

export const containerPort: NumberRule = {
  what: "the port that a site's container listens on",
  min: 1,
  max: 65_535,
  unit: "port",
  source: "https://learn.microsoft.com/azure/app-service/configure-custom-container#configure-port-number",
  grade: "documented",
};
