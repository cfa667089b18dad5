/** Names of what Azure in the sandbox keeps in the store besides ARM's resources, which are `azure:arm/<type in lower case>`. */
export const TENANT = "azure:account/tenant";
export const SUBSCRIPTION = "azure:account/subscription";
/** Client id of a tenant's administrator. */
export const ADMINISTRATOR = "azure:account/administrator";
export const APPLICATION = "azure:graph/application";
export const SERVICE_PRINCIPAL = "azure:graph/servicePrincipal";
export const FEDERATED_CREDENTIAL = "azure:graph/federatedIdentityCredential";
export const DELETED_ITEM = "azure:graph/deletedItem";
export const CONDITIONAL_ACCESS_POLICY = "azure:graph/conditionalAccessPolicy";
/** What Entra keeps of an issuer's keys. */
export const ISSUER_DOCUMENTS = "azure:entra/issuerDocuments";
export const CLIENT_SECRET = "secret:azure/client-secret";
export const SIGNING_KEY = "secret:azure/signing-key";

/** Every type of resource that Azure in the sandbox may have in the store, whether there is one yet or not; without secrets. */
export const AZURE_STORE_TYPES: readonly string[] = [
  TENANT,
  SUBSCRIPTION,
  ADMINISTRATOR,
  APPLICATION,
  SERVICE_PRINCIPAL,
  FEDERATED_CREDENTIAL,
  DELETED_ITEM,
  CONDITIONAL_ACCESS_POLICY,
  ISSUER_DOCUMENTS,
  ...[
    "authorization/denyassignments",
    "authorization/locks",
    "authorization/policyassignments",
    "authorization/policydefinitions",
    "authorization/roleassignments",
    "authorization/roledefinitions",
    "containerregistry/registries",
    "managedidentity/userassignedidentities",
    "managedidentity/userassignedidentities/federatedidentitycredentials",
    "resources/deployments",
    "resources/resourcegroups",
    "storage/storageaccounts",
    "storage/storageaccounts/blobservices",
    "storage/storageaccounts/blobservices/containers",
    "web/serverfarms",
    "web/sites",
    "web/sites/slots",
  ].map((type) => `azure:arm/microsoft.${type}`),
  "azure:arm-operation",
  "azure:arm-registration",
  "azure:blob/blob",
  "azure:blob/content",
  "azure:blob/uncommitted-blocks",
  "azure:registry/blob",
  "azure:registry/manifest",
  "azure:registry/tag",
  "azure:registry/upload",
  "azure:storage/deleted-account",
  "azure:storage/deleted-container",
  "azure:web/container-log",
  "azure:web/run",
  "azure:web/slot-config-names",
  "azure:web/worker-quota",
];
