/** Finds the method that a request means: by host the service, by method and path its route. */
import { compileRoutePath, decodePathPart } from "../route-path.js";
import type { GcpRoute, GcpService } from "./service.js";

export interface RouteMatch {
  service: GcpService;
  route: GcpRoute;
  params: Readonly<Record<string, string>>;
}

interface CompiledRoute {
  service: GcpService;
  route: GcpRoute;
  pattern: RegExp;
  names: readonly string[];
  /** Characters outside variables: where several routes match, the one that says most is meant. */
  literals: number;
}

export class Router {
  readonly #routes: readonly CompiledRoute[];

  constructor(readonly services: readonly GcpService[]) {
    this.#routes = services.flatMap((service) => service.routes.map((route) => compile(service, route))).sort((a, b) => b.literals - a.literals);
  }

  servicesAt(host: string): GcpService[] {
    return this.services.filter((service) => service.serves(host));
  }

  /** Path percent-encoded, without query. */
  find(method: string, path: string, services: readonly GcpService[] = this.services): RouteMatch | undefined {
    const asked = method === "HEAD" ? ["HEAD", "GET"] : [method];
    for (const { service, route, pattern, names } of this.#routes) {
      if (!asked.includes(route.method) || !services.includes(service)) continue;
      const values = pattern.exec(path)?.slice(1).map(decodePathPart);
      if (values) return { service, route, params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""])) };
    }
    return undefined;
  }
}

function compile(service: GcpService, route: GcpRoute): CompiledRoute {
  const { source, names, literals } = compileRoutePath(route.path);
  return { service, route, pattern: new RegExp(`^${source}$`), names, literals };
}
