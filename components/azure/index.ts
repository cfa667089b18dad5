/** Components for Azure. Needs `@pulumi/azure-native` 3 beside it, and `AzureFederatedApplication` `@pulumi/azuread` 6. */
export { AzureAppServiceTarget, type AzureAppServiceTargetArgs } from "./app-service-target.js";
export { AzureArtifactContainer, type AzureArtifactContainerArgs } from "./artifact-container.js";
export { AzureFederatedApplication, type AzureFederatedApplicationArgs } from "./federated-application.js";
export type { AzureFederatedCredentialArgs, AzureFederatedPrincipal } from "./federated-credential.js";
export { AzureFederatedIdentity, type AzureFederatedIdentityArgs } from "./federated-identity.js";
export { AzureRefusalContainer, type AzureRefusalContainerArgs } from "./refusal-container.js";
export { AzureResourceGroup, tagConflicts, type AzureResourceGroupArgs } from "./resource-group.js";
export { AzureRoleAssignment, roleAssignmentName, type AzureRoleAssignmentArgs } from "./role-assignment.js";
