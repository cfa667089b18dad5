/** Why a deployment to Cloud Run was refused, where it is not the right on the service that is missing. https://cloud.google.com/run/docs/troubleshooting */
import type { Diagnosis } from "../check.js";
import { describeAnswer, type GcpRefusal } from "./answers.js";
import { cause, confirmed, diagnosis, open, type GcpRun } from "./run.js";
import type { ServiceGrant } from "./service.js";

/** Undefined where the answer speaks of another thing. */
export async function serviceDiagnosis(run: GcpRun, grant: ServiceGrant, image: string, refusal: GcpRefusal): Promise<Diagnosis | undefined> {
  const answered = `services.create answered ${describeAnswer(refusal)}`;
  if (refusal.httpStatus !== 403) return undefined;
  if (/permission to read the image/.test(refusal.message)) return diagnosis([confirmed(cause(run, "gcp.service.image-denied", answered, { found: image, project: grant.projectId }))]);
  if (/serviceaccounts\.actAs/i.test(refusal.message)) {
    const values = { subject: grant.runtimeServiceAccountEmail, project: grant.projectId };
    return diagnosis([open(cause(run, "gcp.service.act-as-missing", answered, values)), open(cause(run, "gcp.service.runtime-account-missing", answered, values))]);
  }
  if (!refusal.message.includes("run.services.create")) return undefined;
  const resource = `//cloudresourcemanager.googleapis.com/projects/${grant.projectId}`;
  const right = await run.account?.rightOf("run.services.create", resource);
  if (right?.status === "refused" && right.cause.code !== "gcp.iam.permission-missing") return diagnosis([confirmed({ ...right.cause, evidence: [answered, ...right.cause.evidence] })]);
  const values = { permission: "run.services.create", subject: `project ${grant.projectId}`, role: grant.role, project: grant.projectId };
  const missing = cause(run, "gcp.service.deployer-role-missing", answered, values);
  return diagnosis(right?.status === "refused" ? [confirmed(missing)] : [open(missing), open(cause(run, "gcp.iam.constrained", answered, values))]);
}
