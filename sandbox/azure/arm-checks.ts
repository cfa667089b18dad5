/** What Resource Manager asks of every call before the method runs: its API version, and a subscription that the caller's tenant has. */
import { apiVersionsOf } from "../../facts/azure/api-versions.js";
import { armError } from "./arm-errors.js";
import type { AzureRequest, AzureServiceContext } from "./service.js";
import { AzureError } from "./types.js";

const RESOURCE_MANAGER = "Microsoft.Resources";

export function checkArmCall({ subscriptionOf }: Pick<AzureServiceContext, "subscriptionOf">, request: AzureRequest): void {
  checkApiVersion(request);
  const subscription = /^\/subscriptions\/([^/]+)/i.exec(request.url.pathname)?.[1];
  if (subscription === undefined) return;
  const { state, subscriptionId } = subscriptionOf(request.caller, decodeURIComponent(subscription));
  if (state === "Disabled" && !["GET", "HEAD"].includes(request.method)) throw armError("subscriptionReadOnly", subscriptionId);
}

function checkApiVersion({ url, method }: AzureRequest): void {
  const asked = versionIn(url.searchParams);
  if (asked === "") throw new AzureError(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.");
  const { namespace, types, isNamed } = typeIn(url.pathname);
  const supported = apiVersionsOf([namespace, ...types].join("/"));
  if (!supported) throw new AzureError(404, "InvalidResourceNamespace", `The resource namespace '${namespace}' is invalid.`);
  if (supported.includes(asked.toLowerCase())) return;
  if (namespace.toLowerCase() === RESOURCE_MANAGER.toLowerCase()) {
    throw new AzureError(400, "InvalidApiVersionParameter", `The api-version '${asked}' is invalid. The supported versions are '${supported.join(",")}'.`);
  }
  const type = types.join("/");
  if (!isNamed && method === "GET") {
    throw new AzureError(
      400,
      "InvalidResourceType",
      `The resource type '${type}' could not be found in the namespace '${namespace}' for api version '${asked}'. The supported api-versions are '${supported.join(",")}'.`,
    );
  }
  throw new AzureError(
    400,
    "NoRegisteredProviderFound",
    `No registered resource provider found for location '' and API version '${asked}' for type '${type}'. The supported api-versions are '${supported.join(", ")}'. The supported locations are ''.`,
  );
}

/** The parameter's name is compared without regard to case. */
function versionIn(query: URLSearchParams): string {
  return [...query].find(([name]) => name.toLowerCase() === "api-version")?.[1] ?? "";
}

const OF_PROVIDERS = /^\/subscriptions\/[^/]+\/providers\/[^/]+\/(?:un)?register\/?$/i;

/** What the call is on: of the last provider in the path; Resource Manager itself where there is none, or where the provider as such is meant. */
function typeIn(path: string): { namespace: string; types: string[]; isNamed: boolean } {
  const segments = path.split("/").filter((segment) => segment !== "");
  const provider = segments.findLastIndex((segment) => segment.toLowerCase() === "providers");
  const [namespace, ...rest] = provider < 0 ? [] : segments.slice(provider + 1);
  return namespace === undefined || rest.length === 0 || OF_PROVIDERS.test(path)
    ? { namespace: RESOURCE_MANAGER, types: [], isNamed: true }
    : { namespace, types: rest.filter((_, index) => index % 2 === 0), isNamed: rest.length % 2 === 0 };
}
