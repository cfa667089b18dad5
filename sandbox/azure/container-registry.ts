/** Azure Container Registry: registries in Resource Manager, and each at its login server. https://learn.microsoft.com/azure/container-registry/ */
import { REGISTRY_AUDIENCE, registryRefusals } from "../../facts/azure/container-registry.js";
import { RegistryError, createRegistry } from "../registry.js";
import type { WireRequest, WireResponse } from "../types.js";
import { CLIENT_ADDRESS, Registries, refuse } from "./container-registry-access.js";
import { registryRoutes } from "./container-registry-arm.js";
import { type CatalogParts, catalogAnswer } from "./container-registry-catalog.js";
import { repositoryOf } from "./container-registry-images.js";
import { RegistryTokens, type Session } from "./container-registry-tokens.js";
import type { ArmResource, AzureService, AzureServiceContext } from "./service.js";

/** Each throws where the request's credentials do not go so far. */
type Guard = Pick<CatalogParts, "require" | "requireCatalog">;

/** Resource Manager's part, and the login servers. */
export function createContainerRegistry(context: AzureServiceContext): AzureService[] {
  const registries = new Registries(context);
  return [
    { name: "containerregistry", arm: true, routes: registryRoutes(context, registries) },
    { name: "acr", serves: (host) => registries.byHost(host) !== undefined, audiences: () => [REGISTRY_AUDIENCE], routes: [], handle: loginServer(context, registries) },
  ];
}

function loginServer(context: AzureServiceContext, registries: Registries): (request: WireRequest) => Promise<WireResponse> {
  const { core } = context;
  const tokens = new RegistryTokens(context, registries);

  function registryAt({ host }: WireRequest): ArmResource {
    const registry = registries.byHost(host);
    if (!registry) throw refuse(registryRefusals.repositoryMissing(host));
    if (!registries.admits(registry)) throw refuse(registryRefusals.firewall(CLIENT_ADDRESS));
    return registry;
  }

  function sessionOf(registry: ArmResource, request: WireRequest): Session {
    const session = tokens.session(registry, request);
    if (!session) throw refuse(registryRefusals.unauthorized(), challenge(request, request.headers["authorization"] === undefined ? undefined : "invalid_token"));
    return session;
  }

  /** With the rights of the request's credentials, asked one by one. */
  function guard(session: Session, request: WireRequest): Guard {
    const missing = (Type: string, Name: string, Action: string): RegistryError => refuse(registryRefusals.unauthorized(), challenge(request, "insufficient_scope"), [{ Type, Name, Action }]);
    return {
      require: (right, repository) => {
        if (!session.can(right, repository)) throw missing("repository", repository, right);
      },
      requireCatalog: () => {
        if (!session.catalog()) throw missing("registry", "catalog", "*");
      },
    };
  }

  return createRegistry({
    aside: async (request) => {
      const registry = registryAt(request);
      const { pathname } = request.url;
      if (pathname.startsWith("/oauth2/")) {
        await core.enter(pathname === "/oauth2/exchange" ? "acr:Exchange" : "acr:Token");
        return tokens.answer(registry, request);
      }
      if (!pathname.startsWith("/acr/") && pathname !== "/v2/_catalog") return undefined;
      await core.enter("acr:Catalog");
      return catalogAnswer({ registry: request.host, content: registries.content(registry), ...guard(sessionOf(registry, request), request) }, request);
    },
    authenticate: async (request) => {
      const registry = registryAt(request);
      const { require } = guard(sessionOf(registry, request), request);
      return async (name) => repositoryOf({ core, content: registries.content(registry), name, require: (right) => require(right, name) });
    },
    errorOf: () => undefined,
    manifestUnknown: (reference) => registryRefusals.manifestMissing(reference).message,
  });
}

/** Where tokens are to be had, and for what. No blank after the commas: there are clients that split there. */
function challenge({ host, method, url }: WireRequest, error: string | undefined): Record<string, string> {
  const scope = scopeOf(method, decodeURIComponent(url.pathname));
  const parts = [`realm="https://${host}/oauth2/token"`, `service="${host}"`, ...(scope === undefined ? [] : [`scope="${scope}"`]), ...(error === undefined ? [] : [`error="${error}"`])];
  return { "www-authenticate": `Bearer ${parts.join(",")}` };
}

function scopeOf(method: string, path: string): string | undefined {
  if (/\/_catalog$/.test(path)) return "registry:catalog:*";
  const content = /^\/v2\/(.+?)\/(?:blobs|manifests|tags)\//.exec(path)?.[1];
  const described = /^\/acr\/v1\/(.+?)(?:\/_(?:tags|manifests)(?:\/[^/]+)?)?$/.exec(path)?.[1];
  if (method === "DELETE") return content === undefined && described === undefined ? undefined : `repository:${content ?? described ?? ""}:delete`;
  if (content !== undefined) return `repository:${content}:${/\/tags\//.test(path) ? "metadata_read" : method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
  return described === undefined ? undefined : `repository:${described}:metadata_read`;
}
