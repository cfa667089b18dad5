/** Finds the method that a request means: by host the services, by method and path the route. Paths are compared without regard to case. */
import { type AzureCloudFacts, azureClouds } from "../../facts/azure/clouds.js";
import { compileRoutePath, decodePathPart } from "../route-path.js";
import type { AzureRoute, AzureService } from "./service.js";

export interface RouteMatch {
  service: AzureService;
  route: AzureRoute;
  params: Readonly<Record<string, string>>;
}

interface CompiledRoute {
  service: AzureService;
  route: AzureRoute;
  pattern: RegExp;
  names: readonly string[];
  literalSegments: number;
  literals: number;
}

export class Router {
  readonly #routes: readonly CompiledRoute[];

  constructor(readonly services: readonly AzureService[]) {
    const compiled = services.flatMap((service) => service.routes.map((route) => compile(service, route)));
    this.#routes = compiled.sort((a, b) => b.literalSegments - a.literalSegments || b.literals - a.literals);
  }

  servicesAt(host: string): AzureService[] {
    const isArm = Object.values(azureClouds).some(({ armHost }) => armHost === host);
    return this.services.filter((service) => (service.arm === true ? isArm : service.serves?.(host) === true));
  }

  /** Path percent-encoded, without query. */
  find(method: string, path: string, services: readonly AzureService[] = this.services): RouteMatch | undefined {
    for (const { service, route, pattern, names } of this.#routes) {
      if (route.method !== method || !services.includes(service)) continue;
      const values = pattern.exec(path)?.slice(1).map(decodePathPart);
      if (values) return { service, route, params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""])) };
    }
    return undefined;
  }

  /** Whether any method has this path, as for a 405 in place of a 404. */
  hasPath(path: string, services: readonly AzureService[]): boolean {
    return this.#routes.some(({ service, pattern }) => services.includes(service) && pattern.test(path));
  }
}

/** The cloud that a host belongs to; the public one for an address of nobody's. */
export function cloudOf(host: string): AzureCloudFacts {
  const owns = ({ loginHost, loginAliases, armHost, graphHost, blobSuffix, registrySuffix, siteSuffix }: AzureCloudFacts): boolean =>
    [loginHost, ...loginAliases, armHost, graphHost].includes(host) || [blobSuffix, registrySuffix, siteSuffix].some((suffix) => host.endsWith(`.${suffix}`));
  return Object.values(azureClouds).find(owns) ?? azureClouds.public;
}

function compile(service: AzureService, route: AzureRoute): CompiledRoute {
  const { source, names, literals } = compileRoutePath(route.path);
  const literalSegments = route.path.split("/").filter((segment) => segment !== "" && !segment.includes("{")).length;
  return { service, route, pattern: new RegExp(`^${source}/?$`, "i"), names, literalSegments, literals };
}
