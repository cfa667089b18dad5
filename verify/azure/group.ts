/** The resource group as the platform looks for it: there, and with its tag. */
import type { GrantOf } from "../../contract/schema.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { fail, pass, type Check, type Verdict } from "../check.js";
import { askArm, propertiesOf } from "./arm-causes.js";
import { armUrl, groupId } from "./endpoints.js";
import { cause, type AzureRun } from "./run.js";

export type GroupGrant = GrantOf<"azure-resource-group">;

/** Names of tags compare without regard to case, values with. https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources */
export const CORRELATION_TAG = "dcfCorrelationId";

export function groupCheckId(grant: GroupGrant): string {
  return `azure.management.${grant.id}.group`;
}

export function groupChecks(run: AzureRun, grant: GroupGrant): Check[] {
  const { resourceGroup, subscriptionId, correlationId } = grant;
  let tags: JsonObject = {};
  const there: Check = {
    id: groupCheckId(grant),
    title: `Management: resource group ${resourceGroup} exists and can be read`,
    grade: "live",
    required: true,
    needs: ["azure.exchange"],
    deadlineMs: 60_000,
    run: async (scope) => {
      const id = groupId(subscriptionId, resourceGroup);
      const asked = await askArm(run, scope, {
        check: groupCheckId(grant),
        operation: "GET resource group",
        action: "Microsoft.Resources/subscriptions/resourceGroups/read",
        scope: id,
        missing: "azure.group.missing",
        forbidden: ["azure.group.missing"],
        values: { resourceGroup, role: grant.role },
        call: { method: "GET", url: armUrl(run.cloud, id, "resources") },
      });
      if ("verdict" in asked) return asked.verdict;
      const { provisioningState: state } = propertiesOf(asked.answer);
      const { location } = asked.answer.json;
      const seen = `in ${String(location)}, ${String(state)}`;
      if (state === "Deleting") return fail(seen, cause(run, "azure.group.deleting", `provisioningState is ${state}`, { resourceGroup }));
      tags = isJsonObject(asked.answer.json["tags"]) ? asked.answer.json["tags"] : {};
      return pass(seen);
    },
  };
  if (correlationId === undefined) return [there];
  const tagged: Check = {
    id: `azure.management.${grant.id}.tag`,
    title: `Management: resource group ${resourceGroup} has the contract's ${CORRELATION_TAG}`,
    grade: "live",
    required: true,
    needs: [there.id],
    deadlineMs: 60_000,
    run: async () => {
      const verdict = tagVerdict(run, grant, tags, correlationId);
      const found = verdict.status === "fail" ? (await run.account?.explain({ about: "tag", grant }))?.cause : undefined;
      return verdict.status === "fail" && found ? fail(verdict.seen, { ...found, evidence: [...new Set([verdict.seen, ...found.evidence])] }) : verdict;
    },
  };
  return [there, tagged];
}

export function tagVerdict(run: AzureRun, { resourceGroup }: GroupGrant, tags: JsonObject, expected: string): Verdict {
  const found = Object.entries(tags).find(([name]) => name.toLowerCase() === CORRELATION_TAG.toLowerCase())?.[1];
  if (found === expected) return pass(`${CORRELATION_TAG} is ${expected}`);
  if (typeof found !== "string") {
    const seen = `the group has no tag ${CORRELATION_TAG}; the contract has ${expected}`;
    return fail(seen, cause(run, "azure.group.correlation-missing", seen, { resourceGroup, expected }));
  }
  const seen = `${CORRELATION_TAG} is ${JSON.stringify(found)}, the contract has ${JSON.stringify(expected)}`;
  return fail(seen, cause(run, "azure.group.correlation-differs", seen, { resourceGroup, expected, found }));
}
