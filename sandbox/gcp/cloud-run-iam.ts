/** Who may do what with a service, in both versions of the API. https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services/setIamPolicy */
import * as z from "zod";
import { type Deployer, serviceResource } from "./cloud-run-deploy.js";
import type { RunStore, ServicePlace } from "./cloud-run-store.js";
import { checkLocation } from "./cloud-run-v2.js";
import { invalidArgument } from "./errors.js";
import type { GcpRequest, GcpRoute, GcpServiceContext } from "./service.js";

const permissionList = z.object({ permissions: z.array(z.string().regex(/^run\.[a-zA-Z]+\.[a-zA-Z]+$/)) });

export function runIamRoutes(context: GcpServiceContext, store: RunStore, deployer: Deployer): GcpRoute[] {
  function placeOf({ params }: GcpRequest): ServicePlace {
    const { projectId } = context.projectOf(params["project"] ?? "");
    const location = params["location"] ?? "";
    checkLocation(location);
    return { projectId, location, serviceId: params["service"] ?? "" };
  }

  function get(request: GcpRequest): object {
    const place = placeOf(request);
    deployer.open(request.caller, "run.services.getIamPolicy", place);
    return context.policies.get(serviceResource(place).name);
  }

  function set(request: GcpRequest): object {
    const place = placeOf(request);
    deployer.open(request.caller, "run.services.setIamPolicy", place);
    const { policy } = (request.body ?? {}) as { policy?: unknown };
    return context.policies.set(serviceResource(place).name, policy ?? {}, place.projectId);
  }

  /** Asked without any right, also of a service that is yet to be made. */
  function test(request: GcpRequest): object {
    const place = placeOf(request);
    const asked = permissionList.safeParse(request.body);
    if (!asked.success) throw invalidArgument();
    const permissions = asked.data.permissions.filter((permission) => context.allows(request.caller, permission, serviceResource(place)));
    return permissions.length > 0 ? { permissions } : {};
  }

  return ["v1", "v2"].flatMap((version) => {
    const one = `/${version}/projects/{project}/locations/{location}/services/{service}`;
    const route = (method: GcpRoute["method"], verb: string, name: string, run: (request: GcpRequest) => object): GcpRoute => ({
      method,
      path: `${one}:${verb}`,
      operation: `run:${name}`,
      consumer: ({ params }) => params["project"],
      run: async (request) => run(request),
    });
    return [route("GET", "getIamPolicy", "GetIamPolicy", get), route("POST", "setIamPolicy", "SetIamPolicy", set), route("POST", "testIamPermissions", "TestIamPermissions", test)];
  });
}
