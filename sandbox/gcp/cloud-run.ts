/** Cloud Run in the sandbox: services by both versions of its API, and their addresses. */
import type { Issuers } from "../issuers.js";
import { Deployer } from "./cloud-run-deploy.js";
import { runIamRoutes } from "./cloud-run-iam.js";
import { knativeRoutes } from "./cloud-run-knative.js";
import { ServiceAddresses, isServiceHost } from "./cloud-run-serve.js";
import { RunStore } from "./cloud-run-store.js";
import { v2Routes } from "./cloud-run-v2.js";
import type { GcpService, GcpServiceContext } from "./service.js";

export interface CloudRunParts {
  context: GcpServiceContext;
  /** Google's own is among them: callers of services prove themselves by its identity tokens. */
  issuers: Issuers;
}

export function createCloudRun({ context, issuers }: CloudRunParts): GcpService {
  const store = new RunStore(context.core.store);
  const deployer = new Deployer(context, store);
  const services = new ServiceAddresses(context, store, issuers);
  return {
    name: "run",
    api: "run.googleapis.com",
    serves: (host) => /^(?:[a-z0-9-]+-)?run\.googleapis\.com$/.test(host) || isServiceHost(host),
    routes: [...v2Routes(context, store, deployer), ...knativeRoutes(context, store, deployer), ...runIamRoutes(context, store, deployer)],
    handle: (request) => (isServiceHost(request.host) ? services.handle(request) : undefined),
  };
}
