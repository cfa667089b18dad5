/** A few of Azure's built-in policy definitions, about tags, places and types. https://learn.microsoft.com/azure/governance/policy/samples/built-in-policies */
import { type PolicyDefinitionProperties, ROLE_CONTRIBUTOR_ID } from "./policies-model.js";

const GROUP = { field: "type", equals: "Microsoft.Resources/subscriptions/resourceGroups" };
const TAG = "[concat('tags[', parameters('tagName'), ']')]";
const NAMED = { tagName: { type: "String" } };
const VALUED = { ...NAMED, tagValue: { type: "String" } };

const modify = (operation: "add" | "addOrReplace", value: string): PolicyDefinitionProperties["policyRule"]["then"] => ({ effect: "modify", details: { roleDefinitionIds: [ROLE_CONTRIBUTOR_ID], operations: [{ operation, field: TAG, value }] } });
const given = "[parameters('tagValue')]";

export const BUILT_IN_POLICIES: Readonly<Record<string, Omit<PolicyDefinitionProperties, "policyType">>> = {
  "96670d01-0a4d-4649-9c89-2d3abc0a5025": {
    displayName: "Require a tag on resource groups",
    mode: "All",
    parameters: NAMED,
    policyRule: { if: { allOf: [GROUP, { field: TAG, exists: "false" }] }, then: { effect: "deny" } },
  },
  "8ce3da23-7156-49e4-b145-24f95f9dcb46": {
    displayName: "Require a tag and its value on resource groups",
    mode: "All",
    parameters: VALUED,
    policyRule: { if: { allOf: [GROUP, { not: { field: TAG, equals: given } }] }, then: { effect: "deny" } },
  },
  "871b6d14-10aa-478d-b590-94f262ecfa99": {
    displayName: "Require a tag on resources",
    mode: "Indexed",
    parameters: NAMED,
    policyRule: { if: { field: TAG, exists: "false" }, then: { effect: "deny" } },
  },
  "d157c373-a6c4-483d-aaad-570756956268": {
    displayName: "Add or replace a tag on resource groups",
    mode: "All",
    parameters: VALUED,
    policyRule: { if: { allOf: [GROUP, { field: TAG, notEquals: given }] }, then: modify("addOrReplace", given) },
  },
  "5ffd78d9-436d-4b41-a421-5baa819e3008": {
    displayName: "Add or replace a tag on resources",
    mode: "Indexed",
    parameters: VALUED,
    policyRule: { if: { field: TAG, notEquals: given }, then: modify("addOrReplace", given) },
  },
  "726aca4c-86e9-4b04-b0c5-073027359532": {
    displayName: "Add a tag to resource groups",
    mode: "All",
    parameters: VALUED,
    policyRule: { if: { allOf: [GROUP, { field: TAG, exists: "false" }] }, then: modify("add", given) },
  },
  "4f9dc7db-30c1-420c-b61a-e1d640128d26": {
    displayName: "Add a tag to resources",
    mode: "Indexed",
    parameters: VALUED,
    policyRule: { if: { field: TAG, exists: "false" }, then: modify("add", given) },
  },
  "cd3aa116-8754-49c9-a813-ad46512ece54": {
    displayName: "Inherit a tag from the resource group",
    mode: "Indexed",
    parameters: NAMED,
    policyRule: {
      if: {
        allOf: [
          { field: TAG, notEquals: "[resourceGroup().tags[parameters('tagName')]]" },
          { value: "[resourceGroup().tags[parameters('tagName')]]", notEquals: "" },
        ],
      },
      then: modify("addOrReplace", "[resourceGroup().tags[parameters('tagName')]]"),
    },
  },
  "e56962a6-4747-49cd-b67b-bf8b01975c4c": {
    displayName: "Allowed locations",
    mode: "Indexed",
    parameters: { listOfAllowedLocations: { type: "Array" } },
    policyRule: { if: { allOf: [{ field: "location", notIn: "[parameters('listOfAllowedLocations')]" }, { field: "location", notEquals: "global" }] }, then: { effect: "deny" } },
  },
  "e765b5de-1225-4ba3-bd56-1ac6695af988": {
    displayName: "Allowed locations for resource groups",
    mode: "All",
    parameters: { listOfAllowedLocations: { type: "Array" } },
    policyRule: { if: { allOf: [GROUP, { field: "location", notIn: "[parameters('listOfAllowedLocations')]" }] }, then: { effect: "deny" } },
  },
  "6c112d4e-5bc7-47ae-a041-ea2d9dccd749": {
    displayName: "Not allowed resource types",
    mode: "All",
    parameters: { listOfResourceTypesNotAllowed: { type: "Array" } },
    policyRule: { if: { field: "type", in: "[parameters('listOfResourceTypesNotAllowed')]" }, then: { effect: "deny" } },
  },
};
