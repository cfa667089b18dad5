/** Registry, plan and site: what can be wrong between an image and what answers at the site's address. */
import type { Contract, GrantOf } from "../../../contract/index.js";
import { always, narrowed, read, unnoticed, type AzureBreakage } from "./azure-breakage.js";

/** Trust and container are in order in all of these rows. */
const runtime = { depth: "runtime", answers: unnoticed } as const;
const deploy = { depth: "deploy", answers: unnoticed } as const;

const withService =
  (change: Partial<GrantOf<"app-service">>) =>
  (contract: Contract): Contract => ({ ...contract, grants: contract.grants.map((grant) => (grant.kind === "app-service" ? { ...grant, ...change } : grant)) });

export const azureServiceRows: readonly AzureBreakage[] = [
  { name: "the registry was deleted", ...runtime, break: (admin) => admin.delete(admin.registry, "containerRegistry"), expect: always("azure.registry.missing") },
  { name: "the plan is not the contract's", ...runtime, contract: withService({ plan: "plan-acme-other" }), expect: always("azure.plan.missing") },
  { name: "the site was deleted", ...runtime, break: (admin) => admin.delete(admin.site, "web", "&deleteEmptyServerFarm=false"), expect: always("azure.site.missing") },
  { name: "the site is stopped", ...runtime, break: async (admin) => {
      await admin.arm("POST", `${admin.site}/stop`, "web");
    }, expect: always("azure.site.stopped") },
  {
    name: "the registry takes no tokens for Resource Manager",
    ...runtime,
    break: (admin) => admin.patch(admin.registry, "containerRegistry", { properties: { policies: { azureADAuthenticationAsArmPolicy: { status: "disabled" } } } }),
    expect: always("azure.registry.arm-tokens-refused"),
  },
  {
    name: "the site does not pull with its identity",
    ...runtime,
    break: (admin) => admin.patch(`${admin.site}/config/web`, "web", { properties: { acrUseManagedIdentityCreds: false } }),
    expect: always("azure.site.pull-without-identity"),
  },
  {
    name: "the pull identity may not pull",
    ...deploy,
    break: async (admin) => {
      const pull = await admin.arm("GET", admin.grant("app-service").pullIdentityId ?? "", "managedIdentity");
      await admin.unassign(admin.registry, String(pull.properties["principalId"]));
    },
    expect: narrowed(["azure.site.pull-denied"], "azure.site.pull-denied"),
  },
  {
    name: "the site pulls as another identity of its own",
    ...runtime,
    break: async (admin) => {
      const other = `${admin.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/other-pull`;
      const made = await admin.arm("PUT", other, "managedIdentity", { location: "westeurope" });
      await admin.patch(`${admin.site}/config/web`, "web", { properties: { acrUserManagedIdentityID: String(made.properties["clientId"]) } });
    },
    expect: always("azure.site.pull-without-identity"),
  },
  { name: "a lock is on the site alone", answers: unnoticed, break: (admin) => admin.lock(admin.site, "ReadOnly"), expect: read("azure.group.locked") },
  { name: "the site has no port, where the contract has another than App Service's own", ...runtime, contract: withService({ containerPort: 8080 }), break: (admin) => admin.put(`${admin.site}/config/appsettings`, "web", { properties: {} }), expect: always("azure.site.port-differs") },
  {
    name: "the site expects the container on another port",
    ...runtime,
    break: (admin) => admin.put(`${admin.site}/config/appsettings`, "web", { properties: { WEBSITES_PORT: "9090" } }),
    expect: always("azure.site.port-differs"),
  },
  { name: "App Service is not registered in the subscription", ...deploy, break: (admin) => admin.unregister("Microsoft.Web"), expect: always("azure.provider.not-registered") },
  { name: "the registry goes by repositories", ...runtime, break: (admin) => admin.patch(admin.registry, "containerRegistry", { properties: { roleAssignmentMode: "AbacRepositoryPermissions" } }), expect: always("azure.registry.repository-roles") },
];
