/** What the policies give the session beyond the contract: rights that nobody needs for it, where they would do the most harm. */
import type { Contract, Grant } from "../../../contract/schema.js";
import { fail, pass, unknown, type Verdict } from "../../check.js";
import { bucketResource } from "../bucket.js";
import { projectPlace } from "../held.js";
import { cause, type GcpRun } from "../run.js";
import { sessionMembers, type Rights } from "./rights.js";

/** What nobody needs to deploy or to deliver, and with what the rest could be had. */
export const TAKE_OVER = ["resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.getAccessToken", "iam.serviceAccountKeys.create", "run.services.setIamPolicy"];

const OBJECTS = ["storage.objects.create", "storage.objects.get", "storage.objects.list", "storage.objects.delete"];

/** Whether the contract itself gives a permission on all of the project. */
export function grantedOnProject(grants: readonly Grant[], permission: string): boolean {
  return grants.some((grant) => grant.kind === "cloud-run-service" && grant.service === undefined && grant.permissions.includes(permission));
}

/** On the project, on the contract's buckets, and on those that it must have no right on. */
export function unwantedRights({ grants, refusalTargets }: Contract, projectId: string): { permission: string; resource: string }[] {
  const on = (resource: string, permissions: readonly string[]) => permissions.map((permission) => ({ permission, resource }));
  return [
    ...on(projectPlace(projectId).resource, TAKE_OVER.filter((permission) => !grantedOnProject(grants, permission))),
    ...grants.flatMap((grant) => (grant.kind === "gcs-bucket" ? on(bucketResource(grant.bucket), OBJECTS.filter((permission) => !grant.permissions.includes(permission))) : [])),
    ...refusalTargets.flatMap((target) => (target.kind === "gcs-bucket" ? on(bucketResource(target.bucket), OBJECTS) : [])),
  ];
}

export async function nothingBeyond(run: GcpRun, rights: Rights): Promise<Verdict> {
  const asked = unwantedRights(run.contract, run.exchange.projectId);
  const answers = await Promise.all(asked.map(async ({ permission, resource }) => ({ permission, resource, answer: await rights.decide(sessionMembers(run), permission, resource) })));
  const surplus = answers.flatMap(({ permission, resource, answer }) =>
    typeof answer === "string" || !answer.allowed ? [] : [{ permission, resource, by: answer.binding ? `${answer.binding.binding.role} on ${answer.binding.resource}` : "a binding" }],
  );
  const [first] = surplus;
  if (first) {
    const evidence = surplus.map(({ permission, resource, by }) => `${permission} on ${resource}, by ${by}`);
    return fail(`${[...new Set(surplus.map(({ by }) => by))].join(", ")} gives more than the contract`, cause(run, "gcp.iam.too-wide", evidence, { permission: first.permission, subject: first.resource }));
  }
  const open = answers.find(({ answer }) => typeof answer === "string")?.answer;
  return typeof open === "string" ? unknown(open) : pass(`none of ${asked.length} rights that would go beyond`);
}
