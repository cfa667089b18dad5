/** Builds as the project's configuration has them: the right to start them, and the account that they run as with what it needs. */
import { fail, pass, unknown, type Check, type Verdict } from "../check.js";
import { accountCheck, rightsCheck, unread, type AccountParts } from "./account/checks.js";
import { accountCause, accountNeeds, buildAccountOf, type AccountNeed } from "./builds-diagnosis.js";
import type { BuildGrant } from "./builds-view.js";
import type { GcpCauseCode } from "./causes.js";
import { cause, type GcpRun } from "./run.js";
import { namingMissing } from "./service-causes.js";

export function buildAccountChecks(run: GcpRun, parts: AccountParts, grant: BuildGrant): Check[] {
  const { id, projectId, serviceAccountEmail: email } = grant;
  const account = buildAccountOf(run, grant);
  const own = email === undefined ? [] : [accountCheck(`account.${id}`, `build account ${email}`, [], () => accountVerdict(run, parts, email, "gcp.builds.account-missing"))];
  const needs = own.length === 0 ? [] : [`account.${id}`];
  return [
    rightsCheck(run, parts, id, `project ${projectId}`, `//cloudresourcemanager.googleapis.com/projects/${projectId}`, grant.permissions, [], grant.role),
    ...own,
    // Of the default account nobody promises anything: what it lacks is said of it below.
    ...(email === undefined ? [] : [actAsPrediction(run, parts, `${id}.account`, projectId, email, needs, "gcp.builds.act-as-missing")]),
    ...accountNeeds(run, grant).map((need) => accountCheck(`builds.${id}.${need.code.replace(/^.*\./, "").replace("-denied", "")}`, `build account ${account}: rights on ${need.title}`, [...needs, ...(need.there === undefined ? [] : [need.there])], () => needVerdict(run, parts, grant, need))),
  ];
}

/** Whether the session may name an account for a build or a service. */
export function actAsPrediction(run: GcpRun, parts: AccountParts, id: string, projectId: string, email: string, needs: string[], code: GcpCauseCode): Check {
  const check = rightsCheck(run, parts, id, `service account ${email}`, `//iam.googleapis.com/projects/${projectId}/serviceAccounts/${email}`, ["iam.serviceAccounts.actAs"], needs, "roles/iam.serviceAccountUser");
  return namingMissing(run, check, code, { subject: email, project: projectId });
}

/** There, and not disabled. */
export async function accountVerdict(run: GcpRun, { documents }: AccountParts, email: string, code: GcpCauseCode): Promise<Verdict> {
  const reading = await documents.serviceAccount(email);
  if (reading.status === "unreadable") return unread(reading);
  if (reading.status === "absent") return fail(`${email} does not exist`, cause(run, code, reading.detail, { subject: email }));
  if (reading.value["disabled"] === true) return fail(`${email} is disabled`, cause(run, code, `${email} has disabled: true`, { subject: email }));
  return pass(`${email}, unique id ${String(reading.value["uniqueId"])}`);
}

async function needVerdict(run: GcpRun, { rights }: AccountParts, grant: BuildGrant, { code, permissions, resource, title }: AccountNeed): Promise<Verdict> {
  const member = `serviceAccount:${buildAccountOf(run, grant)}`;
  const missing: string[] = [];
  for (const permission of permissions) {
    const answer = await rights.decide([member, "allUsers", "allAuthenticatedUsers"], permission, resource);
    if (typeof answer === "string") return unknown(answer);
    if (!answer.allowed) missing.push(permission);
  }
  if (missing.length === 0) return pass(permissions.join(", "));
  return fail(`${missing.join(", ")} would be refused`, accountCause(run, grant, code, `no policy that can be read gives ${missing.join(", ")} on ${title} to ${member}`));
}
