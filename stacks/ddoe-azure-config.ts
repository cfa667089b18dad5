/** What a customer says about their tenant and subscription for the integration `ddoe-azure`. */
import { z } from "zod";
import { container, identityFields, identityMistakes, placeFields, refusalContainer, resourceGroup, retainOnDestroy, storageAccount, storageMistakes, tags, workloadField } from "./azure-fields.js";

export const ddoeAzureConfigSchema = z
  .strictObject({
    ...placeFields,
    // DDOE's guide contradicts itself on both: there is no default, and its support says which.
    workload: workloadField({ issuer: "https://oidc.ddoe.example", subject: "system:serviceaccount:ddoe:labelling" }),
    resourceGroup,
    ...identityFields("application"),
    storageAccount,
    container,
    refusalContainer,
    retainOnDestroy,
    tags,
  })
  .superRefine((value, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    for (const { path, message } of [...identityMistakes(value), ...storageMistakes(value)]) refuse(path, message);
    if (value.resourceGroup.mode === "create" && value.storageAccount.mode === "existing") {
      refuse(["storageAccount", "mode"], "must be create in a resource group that the stack creates, which is empty");
    }
  });

export type DdoeAzureConfig = z.output<typeof ddoeAzureConfigSchema>;
