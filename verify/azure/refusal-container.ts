/** A container of the same subscription that nothing was granted on: the session must not see into it. */
import type { RefusalTarget } from "../../contract/schema.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope } from "../check.js";
import { describeAnswer } from "./answers.js";
import { BLOB_ACTIONS, blobErrorName } from "./blob-causes.js";
import { listCall } from "./container.js";
import { cause, PROBE_PREFIX, type AzureRun } from "./run.js";
import { askAs } from "./session.js";

type Target = Extract<RefusalTarget, { kind: "blob-container" }>;

export function refusalContainerCheck(run: AzureRun, target: Target, exchangeCheck: string, switchedOn: boolean): Check {
  const name = `${target.account}/${target.container}`;
  return {
    id: `azure.refusal.container.${name}`,
    title: `Refusal: container ${name}, which is not granted`,
    grade: "live",
    required: switchedOn,
    needs: [exchangeCheck],
    deadlineMs: 60_000,
    run: async (scope) => {
      if (!switchedOn) return notTested("switched off by --refusals off");
      const answer = await askAs(run, "storage", listCall(target, PROBE_PREFIX), scope.signal);
      if (answer.ok) return fail("it may be listed", cause(run, "azure.rbac.too-wide", `List Blobs of ${name} was allowed, 403 was due`, { action: BLOB_ACTIONS.read, scope: scopeOf(run, target) }));
      if (answer.kind === "refused" && blobErrorName(answer) === "permissionMismatch") return pass(`refused with ${answer.code} (${answer.httpStatus})`);
      // A refusal counts beside what is let in: where the granted containers refuse as well, their checks say why.
      if (answer.kind === "refused" && !(await isLetIn(run, scope))) return notTested(`the granted containers let nobody in either: ${answer.code} (${answer.httpStatus})`);
      return unknown(`AuthorizationPermissionMismatch was due, and nothing is proven by ${describeAnswer(answer)}`);
    },
  };
}

async function isLetIn({ contract }: AzureRun, scope: CheckScope): Promise<boolean> {
  const containers = contract.grants.filter(({ kind }) => kind === "blob-container");
  const outcomes = await Promise.all(containers.map(({ id }) => scope.outcome(`azure.data.${id}.list`)));
  return outcomes.some((outcome) => outcome?.status === "pass");
}

/** As the contract names the account, where a grant is on it too; a command takes its name as well. */
function scopeOf({ contract }: AzureRun, { account, container }: Target): string {
  const group = contract.grants.find((grant) => grant.kind === "blob-container" && grant.account === account);
  return group?.kind === "blob-container" ? `/subscriptions/${group.subscriptionId}/resourceGroups/${group.resourceGroup}/providers/Microsoft.Storage/storageAccounts/${account}/blobServices/default/containers/${container}` : `${account}/${container}`;
}
