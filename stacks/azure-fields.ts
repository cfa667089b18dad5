/** What the configurations of the integrations on Azure have in common. */
import { z } from "zod";
import { publicNameViolation, tagMistakes } from "../components/azure/common.js";
import { softDeleteViolation } from "../components/azure/artifact-container.js";
import { workloadViolation, type WorkloadClaim } from "../components/azure/workload.js";
import { AZURE_CLOUD_NAMES } from "../facts/azure/clouds.js";
import { blobAgeDays } from "../facts/azure/lifecycle.js";
import { numberRules, ruleViolation, textRules } from "../facts/azure/limits.js";
import { choice, refuser, text, wholeNumber } from "./fields.js";

/** Text that follows one of Azure's rules. */
export function azureText(rule: keyof typeof textRules, description: string, violation = (value: string) => ruleViolation(rule, value), example: string = textRules[rule].example) {
  return text({ ...textRules[rule], example }, description, violation);
}

const claim = (name: WorkloadClaim, description: string, example?: string) => azureText(name, description, (value) => workloadViolation(name, value), example);

/** @param examples of the platform's own: what a message shows is copied */
export function workloadField(examples: Readonly<Record<"issuer" | "subject", string>>) {
  return z
    .strictObject({
      issuer: claim("issuer", "The `iss` of the platform's tokens, letter for letter, a slash at its end included", examples.issuer),
      subject: claim("subject", "The `sub` of the platform's tokens, letter for letter; it names your project", examples.subject),
      audience: claim("audience", "The `aud` of the platform's tokens. Default: the cloud's own, such as api://AzureADTokenExchange").optional(),
    })
    .meta({ description: "Who is trusted" });
}

/** Where everything is. */
export const placeFields = {
  cloud: choice(AZURE_CLOUD_NAMES, "Which of Azure's clouds; decides every endpoint and the default audience").default("public"),
  tenantId: azureText("tenantId", "The tenant that this stack is for"),
  subscriptionId: azureText("subscriptionId", "The subscription that this stack is for"),
  region: azureText("location", "Region of what is created, by its short name"),
};

const createOrExisting = (what: string) => choice(["create", "existing"], `Whether the stack creates ${what}, or uses one that is there, unchanged`).default("create");

export const resourceGroup = z
  .strictObject({ name: azureText("resourceGroup", "Name of the resource group"), mode: createOrExisting("the resource group") })
  .meta({ description: "The resource group that the platform is connected to" });

/** Either of the two that can carry a federated credential. */
export function identityFields(defaultKind: "managed-identity" | "application") {
  const kinds = defaultKind === "application" ? (["application", "managed-identity"] as const) : (["managed-identity", "application"] as const);
  const existingCredentials = wholeNumber(
    { ...numberRules.federatedCredentials, max: numberRules.federatedCredentials.max - 1 },
    "With mode existing: how many federated credentials it has without this stack's, since 20 is the most",
    1,
  ).optional();
  return {
    identityKind: choice(kinds, "What the platform's tokens are exchanged for: a user-assigned managed identity, or an app registration, which needs rights in the directory").default(defaultKind),
    identity: z
      .strictObject({
        mode: createOrExisting("the managed identity"),
        name: azureText("managedIdentity", "Name of a created identity. Default: made of integration and stack").optional(),
        id: z.string().min(1).optional().meta({ description: "ARM id of the existing identity", examples: ["/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/rg-acme-identity/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-dcf"] }),
        existingCredentials,
      })
      .superRefine((value, context) => {
        goWithMode(value, context, { create: ["name"], existing: ["id", "existingCredentials"] }, { key: "id", what: "the ARM id of the identity" });
      })
      .meta({ description: "The managed identity; with identityKind managed-identity" })
      .optional(),
    application: z
      .strictObject({
        mode: createOrExisting("the app registration"),
        name: azureText("applicationName", "Name of a created app registration. Default: made of integration and stack").optional(),
        clientId: azureText("clientId", "Client id of the existing app registration").optional(),
        existingCredentials,
      })
      .superRefine((value, context) => {
        goWithMode(value, context, { create: ["name"], existing: ["clientId", "existingCredentials"] }, { key: "clientId", what: "the application (client) id" });
      })
      .meta({ description: "The app registration; with identityKind application" })
      .optional(),
  };
}

/** What `identityKind`, `identity` and `application` say together; for the whole configuration's refinement. */
export function identityMistakes(value: { identityKind: string; identity?: unknown; application?: unknown }): { path: string[]; message: string }[] {
  const [wanted, other] = value.identityKind === "application" ? (["application", "identity"] as const) : (["identity", "application"] as const);
  return value[other] === undefined ? [] : [{ path: [other], message: `goes with identityKind ${other === "identity" ? "managed-identity" : "application"} only: leave it out, say ${wanted} instead, or change identityKind` }];
}

interface Moded {
  mode: "create" | "existing";
}

function goWithMode<T extends Moded>(value: T, context: z.RefinementCtx, keys: Record<Moded["mode"], readonly (keyof T & string)[]>, needed: { key: keyof T & string; what: string }): void {
  const refuse = refuser(context);
  const other = value.mode === "create" ? "existing" : "create";
  for (const key of keys[other]) {
    if (value[key] !== undefined) refuse(key, `goes with mode ${other} only`);
  }
  if (value.mode === "existing" && value[needed.key] === undefined) refuse(needed.key, `is required with mode existing: ${needed.what}`);
}

export const storageAccount = z
  .strictObject({
    name: azureText("storageAccount", "Name of the storage account, unique in all of Azure"),
    mode: createOrExisting("the storage account"),
    redundancy: choice(["Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_RAGRS", "Standard_GZRS", "Standard_RAGZRS"], "How often a created account keeps everything. Default: Standard_LRS").optional(),
    versioning: z.boolean().default(false).meta({ description: "Keep former versions of blobs" }),
    softDeleteDays: wholeNumber({ ...numberRules.softDeleteDays, min: 0 }, "How long deleted blobs and containers can be brought back, or 0. Default: 7", 7, softDeleteViolation).optional(),
  })
  .superRefine((value, context) => {
    const refuse = refuser(context);
    if (value.mode === "existing") {
      for (const key of ["redundancy", "versioning", "softDeleteDays"] as const) {
        if (value[key] !== undefined && value[key] !== false) refuse(key, "has no effect on an existing account, which is never changed: leave it out");
      }
      return;
    }
    const message = publicNameViolation("storageAccount", value.name);
    if (message !== undefined && ruleViolation("storageAccount", value.name) === undefined) refuse("name", message);
  })
  .meta({ description: "The storage account, in the connected resource group" });

export const container = z
  .strictObject({
    name: azureText("blobContainer", "Name of the blob container"),
    mode: createOrExisting("the container"),
    grantOn: choice(["container", "account"], "Whether the platform may read and write this container's blobs only, or every container's of the account").default("container"),
    blobsExpireAfterDays: wholeNumber(blobAgeDays, "Age after the last change at which blobs are removed, in an account that the stack creates. Default: never", 90).optional(),
  })
  .meta({ description: "The blob container" });

export const refusalContainer = z
  .strictObject({
    enabled: z.boolean().optional().meta({ description: "Whether there is an empty container with no grant, on which verification proves that more than the grants is refused. Default: true, unless the grant is on the account" }),
    name: azureText("blobContainer", "Name of the container. Default: the container's, with -refusal").optional(),
  })
  .meta({ description: "The container that nobody is granted anything on" })
  .prefault({});

export const retainOnDestroy = z.boolean().default(true).meta({
  description: "Whether created resource groups, storage account, container and registry stay on `pulumi destroy`: Azure deletes them with everything in them, whoever put it there",
});

export const tags = z
  .record(z.string(), z.string())
  .superRefine((value, context) => {
    for (const { name, reason } of tagMistakes(value)) context.addIssue({ code: "custom", path: name === undefined ? [] : [name], message: reason });
  })
  .optional()
  .meta({ description: "Tags of everything that is created; tags of what exists are never changed", examples: [{ team: "platform" }] });

interface StorageSettings {
  storageAccount: { mode: string };
  container: { name: string; mode: string; grantOn: string; blobsExpireAfterDays?: number | undefined };
  refusalContainer: { enabled?: boolean | undefined; name?: string | undefined };
}

/** What account, container and refusal container say together; for the whole configuration's refinement. */
export function storageMistakes({ storageAccount: account, container: blobs, refusalContainer: refusal }: StorageSettings): { path: string[]; message: string }[] {
  const mistakes: { path: string[]; message: string }[] = [];
  const mistake = (path: string[], message: string) => mistakes.push({ path, message });
  if (account.mode === "create" && blobs.mode === "existing") mistake(["container", "mode"], "must be create in an account that the stack creates, which has no container yet");
  if (account.mode === "existing" && blobs.blobsExpireAfterDays !== undefined) mistake(["container", "blobsExpireAfterDays"], "has no effect in an existing account, which is never changed: leave it out");
  if (blobs.grantOn === "account" && refusal.enabled) {
    mistake(["refusalContainer", "enabled"], "must be false with container.grantOn account: a role on the account reaches every container in it, so that nothing would be refused");
  }
  if (refusal.name !== undefined && refusal.name === blobs.name) mistake(["refusalContainer", "name"], `must be another than container.name; got ${JSON.stringify(refusal.name)}`);
  return mistakes;
}
