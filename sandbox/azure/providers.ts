/** Resource providers and which subscription has registered them. https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types */
import { apiVersionsOf } from "../../facts/azure/api-versions.js";
import type { SandboxCore } from "../types.js";
import { armError } from "./arm-errors.js";
import { subscriptionId } from "./arm-ids.js";
import type { AzureRequest, AzureRoute, AzureServiceContext } from "./service.js";
import { AzureError } from "./types.js";

type RegistrationState = "Registered" | "NotRegistered" | "Registering";

/** Resource types of the sandbox by namespace. Those that every subscription has from its first day are `preregistered`. */
const PROVIDERS: readonly { namespace: string; preregistered?: true; types: readonly string[] }[] = [
  { namespace: "Microsoft.Authorization", preregistered: true, types: ["roleAssignments", "roleDefinitions", "denyAssignments", "permissions", "locks", "policyAssignments", "policyDefinitions"] },
  { namespace: "Microsoft.ContainerRegistry", types: ["registries"] },
  { namespace: "Microsoft.Features", preregistered: true, types: [] },
  { namespace: "Microsoft.ManagedIdentity", types: ["userAssignedIdentities", "userAssignedIdentities/federatedIdentityCredentials"] },
  { namespace: "Microsoft.Resources", preregistered: true, types: ["subscriptions", "resourceGroups", "deployments", "tags", "providers", "operations"] },
  { namespace: "Microsoft.Storage", preregistered: true, types: ["storageAccounts", "storageAccounts/blobServices", "storageAccounts/blobServices/containers"] },
  { namespace: "Microsoft.Web", types: ["serverfarms", "sites", "sites/slots", "sites/config"] },
];

const STORE_TYPE = "azure:arm-registration";

export class Registrations {
  constructor(private readonly core: SandboxCore) {}

  state(subscription: string, namespace: string): RegistrationState {
    const key = keyOf(subscription, namespace);
    const written = this.core.store.get<RegistrationState>(STORE_TYPE, key);
    if (written === "Registered" && this.core.store.effective(STORE_TYPE, key) !== "Registered") return "Registering";
    return written ?? (find(namespace)?.preregistered === true ? "Registered" : "NotRegistered");
  }

  set(subscription: string, namespace: string, state: "Registered" | "NotRegistered"): void {
    this.core.store.put(STORE_TYPE, keyOf(subscription, namespace), state, { propagates: true });
  }

  /** Throws where the scope is of a namespace that its subscription has not registered; namespaces outside the sandbox are never asked for. */
  assertRegistered(scope: string): void {
    const subscription = /^\/subscriptions\/([^/]+)/i.exec(scope)?.[1];
    const namespace = /^.*\/providers\/([^/]+)/i.exec(scope)?.[1];
    const provider = namespace === undefined ? undefined : find(namespace);
    if (subscription === undefined || !provider || this.state(subscription, provider.namespace) === "Registered") return;
    throw armError("namespaceUnregistered", provider.namespace);
  }
}

const find = (namespace: string): (typeof PROVIDERS)[number] | undefined => PROVIDERS.find((provider) => provider.namespace.toLowerCase() === namespace.toLowerCase());
const keyOf = (subscription: string, namespace: string): string => `${subscription}/${namespace}`.toLowerCase();

export function providerRoutes(context: AzureServiceContext): AzureRoute[] {
  const registrations = new Registrations(context.core);
  const base = "/subscriptions/{subscription}/providers";
  const scopeOf = ({ params }: AzureRequest): string => subscriptionId(params["subscription"] ?? "");
  const provider = ({ params }: AzureRequest): (typeof PROVIDERS)[number] => {
    const namespace = params["namespace"] ?? "";
    const found = find(namespace);
    if (!found) throw new AzureError(404, "InvalidResourceNamespace", `The resource namespace '${namespace}' is invalid.`);
    return found;
  };
  const view = (request: AzureRequest, { namespace, types }: (typeof PROVIDERS)[number]): object => {
    const state = registrations.state(request.params["subscription"] ?? "", namespace);
    return {
      id: `${scopeOf(request)}/providers/${namespace}`,
      namespace,
      resourceTypes: types.map((type) => ({ resourceType: type, locations: [], apiVersions: apiVersionsOf(`${namespace}/${type}`) ?? [], capabilities: "None" })),
      registrationState: state,
      registrationPolicy: "RegistrationRequired",
    };
  };
  const change = (state: "Registered" | "NotRegistered") => async (request: AzureRequest): Promise<object> => {
    const { subscription = "" } = request.params;
    const found = provider(request);
    context.require(request.caller, `${found.namespace}/${state === "Registered" ? "register" : "unregister"}/action`, scopeOf(request));
    registrations.set(subscription, found.namespace, state);
    return view(request, found);
  };
  return [
    {
      method: "GET",
      path: base,
      operation: "arm:Providers_List",
      run: async (request) => {
        context.require(request.caller, "Microsoft.Resources/subscriptions/providers/read", scopeOf(request));
        return { value: PROVIDERS.map((each) => view(request, each)) };
      },
    },
    {
      method: "GET",
      path: `${base}/{namespace}`,
      operation: "arm:Providers_Get",
      run: async (request) => {
        context.require(request.caller, "Microsoft.Resources/subscriptions/providers/read", scopeOf(request));
        return view(request, provider(request));
      },
    },
    { method: "POST", path: `${base}/{namespace}/register`, operation: "arm:Providers_Register", run: change("Registered") },
    { method: "POST", path: `${base}/{namespace}/unregister`, operation: "arm:Providers_Unregister", run: change("NotRegistered") },
  ];
}
