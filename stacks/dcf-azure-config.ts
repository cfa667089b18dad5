/** What a customer says about their subscription for the integration `dcf-azure`. */
import { z } from "zod";
import { publicNameViolation } from "../components/azure/common.js";
import { DEFAULT_CONTAINER_PORT, planSizes } from "../facts/azure/app-service.js";
import { containerPort } from "../facts/azure/container-port.js";
import { registryTiers } from "../facts/azure/container-registry.js";
import { ruleViolation, textRules } from "../facts/azure/limits.js";
import {
  azureText,
  container,
  identityFields,
  identityMistakes,
  placeFields,
  refusalContainer,
  resourceGroup,
  retainOnDestroy,
  storageAccount,
  storageMistakes,
  tags,
  workloadField,
} from "./azure-fields.js";
import { choice, refuser, text, wholeNumber } from "./fields.js";

const correlationRule = { ...textRules.tagValue, min: 1, pattern: /^\S(?:[^\p{C}]*\S)?$/u, form: "what DCF showed at registration: 1 to 256 characters without blanks at the ends", what: "DCF's correlation id" };

const identityResourceGroup = z
  .strictObject({
    mode: choice(
      ["create", "existing", "inside"],
      "Whether the stack creates a group for the identity, uses one that is there, or puts the identity into the resource group that it is Contributor of, where it can rewrite its own trust",
    ).default("create"),
    name: azureText("resourceGroup", "Name of the group. Default for a created one: the resource group's, with -identity").optional(),
  })
  .superRefine((value, context) => {
    const refuse = refuser(context);
    if (value.mode === "existing" && value.name === undefined) refuse("name", "is required with mode existing: the name of the group");
    if (value.mode === "inside" && value.name !== undefined) refuse("name", "goes with mode create and existing only");
  })
  .meta({ description: "The resource group that a created managed identity is in; with identityKind managed-identity" });

const registry = z
  .strictObject({
    name: azureText("containerRegistry", "Name of the container registry, unique in all of Azure"),
    mode: choice(["create", "existing"], "Whether the stack creates the registry, or uses one of the resource group, unchanged").default("create"),
    tier: choice(registryTiers, "Tier of a created registry. Default: Basic").optional(),
  })
  .superRefine(existingTakesNo("tier", "registry"))
  .superRefine((value, context) => {
    const message = value.mode === "create" && ruleViolation("containerRegistry", value.name) === undefined ? publicNameViolation("containerRegistry", value.name) : undefined;
    if (message !== undefined) refuser(context)("name", message);
  })
  .meta({ description: "The container registry" });

const plan = z
  .strictObject({
    name: azureText("appServicePlan", "Name of the App Service plan"),
    mode: choice(["create", "existing"], "Whether the stack creates the plan, for Linux, or uses one of the resource group, unchanged").default("create"),
    size: choice(["B1", ...Object.keys(planSizes).filter((size) => size !== "B1")], "Pricing tier of a created plan, for which the subscription needs quota in the region. Default: B1").optional(),
  })
  .superRefine(existingTakesNo("size", "plan"))
  .meta({ description: "The App Service plan" });

const site = z
  .strictObject({
    name: azureText("site", "Name of the App Service, unique in all of Azure"),
    mode: choice(["create", "existing"], "Whether the stack creates the App Service, with a placeholder until DCF deploys, or uses one of the resource group, unchanged").default("create"),
    containerPort: wholeNumber(containerPort, "Port that DCF's containers listen on, which a created App Service is told once. Default: 80", 8080).default(DEFAULT_CONTAINER_PORT),
  })
  .superRefine((value, context) => {
    const message = value.mode === "create" && ruleViolation("site", value.name) === undefined ? publicNameViolation("site", value.name) : undefined;
    if (message !== undefined) refuser(context)("name", message);
  })
  .meta({ description: "The App Service. Without one, DCF creates its own on the plan" });

const pullIdentity = z
  .strictObject({
    mode: choice(["create", "existing"], "Whether the stack creates the managed identity that sites pull images with, or uses one that is there").default("create"),
    name: azureText("managedIdentity", "Name of a created identity. Default: the registry's, with -pull").optional(),
    id: z.string().min(1).optional().meta({ description: "ARM id of the existing identity", examples: ["/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/rg-acme-dcf/providers/Microsoft.ManagedIdentity/userAssignedIdentities/acmedcf-pull"] }),
  })
  .superRefine((value, context) => {
    const refuse = refuser(context);
    if (value.mode === "existing" && value.id === undefined) refuse("id", "is required with mode existing: the ARM id of the identity");
    if (value.mode === "existing" && value.name !== undefined) refuse("name", "goes with mode create only");
    if (value.mode === "create" && value.id !== undefined) refuse("id", "goes with mode existing only");
  })
  .meta({ description: "The managed identity that sites pull images with; it has AcrPull on the registry" })
  .prefault({});

const appService = z
  .strictObject({ registry, plan, site: site.optional(), pullIdentity })
  .superRefine((value, context) => {
    if (value.site?.mode === "existing" && value.plan.mode === "create") {
      context.addIssue({ code: "custom", path: ["site", "mode"], message: "must be create on a plan that the stack creates: an existing App Service is on a plan that exists, so set appService.plan.mode to existing too" });
    }
  })
  .meta({ description: "Where DCF deploys to: registry, plan and App Service. Left out, DCF's own template makes them later" });

export const dcfAzureConfigSchema = z
  .strictObject({
    ...placeFields,
    workload: workloadField({ issuer: textRules.issuer.example, subject: textRules.subject.example }),
    dcfCorrelationId: text(correlationRule, "What DCF showed at registration; becomes the resource group's tag dcfCorrelationId"),
    resourceGroup,
    ...identityFields("managed-identity"),
    identityResourceGroup: identityResourceGroup.optional(),
    storageAccount,
    container,
    refusalContainer,
    appService: appService.optional(),
    retainOnDestroy,
    tags,
  })
  .superRefine((value, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    for (const { path, message } of [...identityMistakes(value), ...storageMistakes(value)]) refuse(path, message);
    const own = value.identityResourceGroup;
    if (own !== undefined && value.identityKind === "application") refuse(["identityResourceGroup"], "goes with identityKind managed-identity only: an app registration is in no group");
    else if (own !== undefined && value.identity?.mode === "existing") refuse(["identityResourceGroup"], "goes with a created identity only: an existing one is where it is");
    if (own?.name !== undefined && own.name.toLowerCase() === value.resourceGroup.name.toLowerCase()) {
      refuse(["identityResourceGroup", "name"], "must be another than resourceGroup.name, in which the identity could rewrite its own trust; where it has to be there, set identityResourceGroup.mode to inside");
    }
    if (value.resourceGroup.mode === "create") {
      const there = [
        ["storageAccount", value.storageAccount],
        ["appService.registry", value.appService?.registry],
        ["appService.plan", value.appService?.plan],
        ["appService.site", value.appService?.site],
      ] as const;
      for (const [path, settings] of there) {
        if (settings?.mode === "existing") refuse([...path.split("."), "mode"], "must be create in a resource group that the stack creates, which is empty");
      }
    }
  });

export type DcfAzureConfig = z.output<typeof dcfAzureConfigSchema>;

function existingTakesNo<K extends string>(key: K, what: string) {
  return (value: { mode: "create" | "existing" } & { [P in K]?: unknown }, context: z.RefinementCtx): void => {
    if (value.mode === "existing" && value[key] !== undefined) refuser(context)(key, `has no effect on an existing ${what}, which is never changed: leave it out`);
  };
}
