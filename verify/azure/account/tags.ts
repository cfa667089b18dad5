/** The group's correlation id, and a policy that writes another one whenever the group is written. */
import type { GrantOf } from "../../../contract/schema.js";
import { isJsonObject, type JsonObject } from "../../../trust/jwt.js";
import { fail, unknown, type Verdict } from "../../check.js";
import type { Explanation } from "../account-reader.js";
import { groupId } from "../endpoints.js";
import { CORRELATION_TAG, tagVerdict } from "../group.js";
import { cause, type AzureRun } from "../run.js";
import { objects, properties, type AzureDocuments } from "./reader.js";

type GroupGrant = GrantOf<"azure-resource-group">;

export async function tagVerdictOf(run: AzureRun, documents: AzureDocuments, grant: GroupGrant): Promise<Verdict> {
  const reading = await documents.group(groupId(grant.subscriptionId, grant.resourceGroup));
  if (reading.status !== "read") return unknown(reading.status === "absent" ? reading.detail : reading.reason);
  const tags = isJsonObject(reading.value["tags"]) ? reading.value["tags"] : {};
  const verdict = tagVerdict(run, grant, tags, grant.correlationId ?? "");
  if (verdict.status !== "fail") return verdict;
  const { cause: found } = await explainTag(run, documents, grant);
  return found ? fail(verdict.seen, { ...found, evidence: [verdict.seen, ...found.evidence] }) : verdict;
}

/** Of a tag that is not the contract's. */
export async function explainTag(run: AzureRun, documents: AzureDocuments, grant: GroupGrant): Promise<Explanation> {
  const policy = await rewritingPolicy(documents, grant);
  if (policy === undefined) return {};
  return { cause: cause(run, "azure.group.tag-policy", `policy assignment ${policy} writes the tag`, { resourceGroup: grant.resourceGroup, expected: grant.correlationId, found: policy }) };
}

/** Name of the assignment whose definition modifies or appends the tag; undefined where none does, or none can be read. */
async function rewritingPolicy(documents: AzureDocuments, grant: Pick<GroupGrant, "subscriptionId" | "resourceGroup">): Promise<string | undefined> {
  const assignments = await documents.policyAssignments(groupId(grant.subscriptionId, grant.resourceGroup));
  if (assignments.status !== "read") return undefined;
  for (const assignment of assignments.value) {
    const { policyDefinitionId, enforcementMode, parameters } = properties(assignment);
    if (enforcementMode === "DoNotEnforce" || typeof policyDefinitionId !== "string") continue;
    const definition = await documents.policyDefinition(policyDefinitionId);
    if (definition.status === "read" && writesTag(definition.value, parameters)) return String(assignment["name"]);
  }
  return undefined;
}

/** https://learn.microsoft.com/azure/governance/policy/concepts/effect-modify */
function writesTag(definition: JsonObject, given: unknown): boolean {
  const { policyRule } = properties(definition);
  const then = isJsonObject(policyRule) && isJsonObject(policyRule["then"]) ? policyRule["then"] : {};
  if (!/^(?:modify|append)$/i.test(String(then["effect"]))) return false;
  const { details } = then;
  const operations = isJsonObject(details) ? objects(details["operations"]) : objects(details);
  const parameters = isJsonObject(given) ? given : {};
  return operations.some(({ field }) => resolve(String(field), parameters).toLowerCase().includes(CORRELATION_TAG.toLowerCase()));
}

/** A field may be made of a parameter: `[concat('tags[', parameters('tagName'), ']')]`. */
function resolve(field: string, parameters: JsonObject): string {
  return field.replace(/parameters\('([^']+)'\)/g, (whole, name: string) => {
    const parameter = parameters[name];
    return isJsonObject(parameter) ? String(parameter["value"]) : whole;
  });
}
