/** App Service: plan, site, and how the site gets and runs its image. */
import type { AzureCauseValues, AzureEntry } from "../causes.js";
import { inSubscription, quote, up } from "../fixes.js";

const site = (values: AzureCauseValues) => `--name ${values.subject ?? ""}${values.resourceGroup === undefined ? "" : ` --resource-group ${quote(values.resourceGroup)}`}${inSubscription(values)}`;

export const siteCauses = {
  "azure.plan.missing": {
    title: "The App Service plan does not exist",
    explanation: "Sites run on a plan.",
    fix: () => `${up}; it makes the plan, or, where it is your own, name the right one in its configuration.`,
  },
  "azure.plan.not-linux": {
    title: "The App Service plan is not for Linux",
    explanation: "Linux containers run on Linux plans only.",
    fix: () => `${up}; a plan's operating system cannot be changed: name a Linux plan, or have the stack make one.`,
  },
  "azure.plan.quota": {
    title: "The subscription's quota allows no more instances of the plan's size",
    explanation: "New subscriptions have a quota of zero for some sizes and regions.",
    fix: () => "Ask for quota in the portal (Quotas, App Service), or use another region or plan size: az vm list-usage --location REGION says nothing about App Service, the portal does.",
  },
  "azure.site.missing": {
    title: "The App Service site does not exist",
    explanation: "The platform deploys to it.",
    fix: () => `${up}; it makes the site, or, where it is your own, name the right one in its configuration.`,
  },
  "azure.site.other-plan": {
    title: "The site runs on another plan than the contract's",
    explanation: "Somebody moved it.",
    fix: (values) => `az webapp update ${site(values)} --set serverFarmId=${quote(values.expected ?? "")}`,
  },
  "azure.site.host-name-differs": {
    title: "The site's host name is another one than the contract's",
    explanation: "Host names are read back, not made of names: they may have a hash and a region in them.",
    fix: (values) => `${up}; the site's host name is ${values.found ?? "another one"}.`,
  },
  "azure.site.stopped": {
    title: "The site is stopped",
    explanation: "A stopped site answers 403 and runs nothing.",
    fix: (values) => `az webapp start ${site(values)}`,
  },
  "azure.site.not-container": {
    title: "The site does not run a container",
    explanation: "Its configuration names no image (linuxFxVersion DOCKER|…).",
    fix: () => `${up}; it sets the site's image.`,
  },
  "azure.site.pull-without-identity": {
    title: "The site does not pull its image with its identity",
    explanation: "Without acrUseManagedIdentityCreds App Service looks for a user name and a password of the registry, which has none; with it, acrUserManagedIdentityID says which identity it pulls as.",
    fix: (values) => `az webapp config set ${site(values)} --generic-configurations ${quote(JSON.stringify({ acrUseManagedIdentityCreds: true, ...(values.expected === undefined ? {} : { acrUserManagedIdentityID: values.expected }) }))}`,
  },
  "azure.site.identity-missing": {
    title: "The site does not have the identity that pulls its image",
    explanation: "A site pulls with an identity that is assigned to it.",
    fix: (values) => `az webapp identity assign ${site(values)} --identities ${quote(values.expected ?? "[system]")}`,
  },
  "azure.site.identity-assign-denied": {
    title: "The platform may not give a site the identity that pulls images",
    explanation: "It needs Microsoft.ManagedIdentity/userAssignedIdentities/assign/action on the identity, which Contributor has on the group that the identity is in.",
    fix: (values) => `az role assignment create --role "Managed Identity Operator" --assignee-object-id ${values.exchange.principalId} --assignee-principal-type ServicePrincipal --scope ${quote(values.scope ?? "")}`,
  },
  "azure.site.pull-denied": {
    title: "The site's identity may not pull the image",
    explanation: "App Service pulls as the site's identity, which needs AcrPull on the registry.",
    fix: (values) => `az role assignment create --role AcrPull --assignee-object-id $(az identity show --ids ${quote(values.expected ?? "")} --query principalId --output tsv) --assignee-principal-type ServicePrincipal --scope ${quote(values.scope ?? "")}`,
  },
  "azure.site.image-unavailable": {
    title: "App Service cannot get the image",
    explanation: "The registry has no such image, or cannot be reached from App Service: its network rules count for App Service too.",
    fix: (values) => `az webapp log tail ${site(values)}; az acr show --ids ${quote(values.scope ?? "")} --query "{public: publicNetworkAccess, rules: networkRuleSet}"`,
  },
  "azure.site.port-differs": {
    title: "The site expects its container on another port",
    explanation: "App Service sends requests to WEBSITES_PORT (80 or 8080 without it); a container that listens elsewhere is stopped after a while and the site answers 503.",
    fix: (values) => `az webapp config appsettings set ${site(values)} --settings WEBSITES_PORT=${values.expected ?? ""}`,
  },
  "azure.site.no-start": {
    title: "The container does not start",
    explanation: "The image was pulled and its program ended or never listened.",
    fix: (values) => `az webapp log tail ${site(values)}`,
  },
} as const satisfies Record<string, AzureEntry>;
