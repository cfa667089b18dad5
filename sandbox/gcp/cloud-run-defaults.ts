/** What Cloud Run adds to a revision's template. */
import { revisionDefaults } from "../../facts/gcp/cloud-run.js";
import type { Template } from "./cloud-run-store.js";

/** With everything that does not depend on the project. */
export function completedTemplate(template: Template): Template {
  const { timeout, maxInstanceRequestConcurrency, scaling, limits, port } = revisionDefaults;
  const [container, ...sidecars] = template.containers;
  const { limits: given, ...resources } = (container?.["resources"] ?? {}) as { limits?: object };
  return {
    ...template,
    timeout: template.timeout ?? timeout,
    maxInstanceRequestConcurrency: template.maxInstanceRequestConcurrency ?? maxInstanceRequestConcurrency,
    scaling: template.scaling ?? scaling,
    containers: container ? [{ ...container, resources: { cpuIdle: true, startupCpuBoost: true, ...resources, limits: { ...limits, ...given } }, ports: container["ports"] ?? [port] }, ...sidecars] : [],
  };
}
