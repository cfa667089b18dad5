import { AzureArtifactContainer, AzureFederatedIdentity, AzureResourceGroup, AzureRoleAssignment } from "cloud-federation/azure";

// GitHub Actions may store build artifacts from one environment of one repository, and nothing else: a managed identity of
// its own trusts it, and may read and write the blobs of one container.
const group = new AzureResourceGroup("builds", { resourceGroupName: "rg-acme-builds", location: "westeurope" });
const place = { resourceGroupName: group.resourceGroupName, location: group.location };

const github = new AzureFederatedIdentity("github", {
  ...place,
  identityName: "id-acme-github",
  credentials: [
    {
      issuer: "https://token.actions.githubusercontent.com",
      subject: "repo:acme/app:environment:production",
      audience: "api://AzureADTokenExchange",
    },
  ],
});

const artifacts = new AzureArtifactContainer("artifacts", { ...place, accountName: "acmebuilds", containerName: "artifacts" });

new AzureRoleAssignment("github-artifacts", { scope: artifacts.containerId, principalId: github.principalId, role: "Storage Blob Data Contributor" });

export const { clientId, tenantId } = github;
export const { blobEndpoint, containerName } = artifacts;
