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
