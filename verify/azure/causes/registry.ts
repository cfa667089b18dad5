/** The container registry. */
import type { AzureCauseValues, AzureEntry } from "../causes.js";
import { assignRole, inSubscription, up } from "../fixes.js";

const registry = (values: AzureCauseValues) => `--name ${values.subject ?? ""}${inSubscription(values)}`;

export const registryCauses = {
  "azure.registry.missing": {
    title: "The container registry does not exist",
    explanation: "Images for App Service are pushed to it and pulled from it.",
    fix: () => `${up}; it makes the registry, or, where it is your own, name the right one in its configuration.`,
  },
  "azure.registry.login-server-differs": {
    title: "The registry's login server is another one than the contract's",
    explanation: "Login servers are read back, not made of names: they may have a hash in them.",
    fix: (values) => `${up}; the registry's login server is ${values.found ?? "another one"}.`,
  },
  "azure.registry.arm-tokens-refused": {
    title: "The registry takes no tokens that are for Azure Resource Manager",
    explanation: "With this policy clients must ask for a token of the registry's own audience (https://containerregistry.azure.net); many ask for Azure Resource Manager's.",
    fix: (values) => `az acr config authentication-as-arm update ${registry(values).replace("--name", "--registry")} --status enabled`,
  },
  "azure.registry.token-refused": {
    title: "The registry does not take the identity's token",
    explanation: "It is of another tenant than the registry's, or the identity has no right on the registry at all.",
    fix: (values) => assignRole(values, values.role ?? "Contributor"),
  },
  "azure.registry.firewall": {
    title: "The registry's network rules keep the platform out",
    explanation: "Public network access is off, or the registry's firewall denies this address.",
    fix: (values) => `az acr network-rule add ${registry(values)} --ip-address PLATFORM_ADDRESS, or: az acr update ${registry(values)} --public-network-enabled true --default-action Allow`,
  },
  "azure.registry.push-denied": {
    title: "The identity may not push images",
    explanation: "Pushing needs Microsoft.ContainerRegistry/registries/push/write, which Contributor on the group has.",
    fix: (values) => assignRole(values, "AcrPush"),
  },
  "azure.registry.pull-denied": {
    title: "The identity may not pull images",
    explanation: "Pulling needs Microsoft.ContainerRegistry/registries/pull/read.",
    fix: (values) => assignRole(values, "AcrPull"),
  },
  "azure.registry.repository-roles": {
    title: "The registry goes by roles on repositories only",
    explanation: "In the mode AbacRepositoryPermissions Contributor, AcrPull and AcrPush give no right to images; Container Registry Repository Reader and Writer do.",
    fix: (values) => `${assignRole(values, "Container Registry Repository Writer")}, or: az acr update ${registry(values)} --role-assignment-mode rbac`,
  },
} as const satisfies Record<string, AzureEntry>;
