/** Why a call with the session's credentials was refused: which permission on which resource is missing, and which role gives it. */
import { rolesGranting } from "../../facts/gcp/roles.js";
import type { Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import { describeAnswer, type GcpRefusal } from "./answers.js";
import { disabledApi } from "./api-disabled.js";
import { cause, confirmed, diagnosis, open, type GcpRun } from "./run.js";

const NOT_READ = ["deny policies above the project", "principal access boundaries", "VPC Service Controls"];

export interface RightCall {
  /** For people: `storage.objects.insert`. */
  operation: string;
  permission: string;
  /** Full resource name that the right is on. */
  resource: string;
  /** The role that the contract grants it by, where it says. */
  role?: string | undefined;
}

/** Of a PERMISSION_DENIED, or of a Cloud Storage 403; undefined for answers that say nothing about rights. */
export async function diagnoseRefusal(run: GcpRun, call: RightCall, refusal: GcpRefusal, waited: boolean): Promise<Diagnosis | undefined> {
  const answered = `${call.operation} answered ${describeAnswer(refusal)}`;
  const api = disabledApi(run, refusal, answered);
  if (api) return diagnosis([confirmed(api)]);
  if (refusal.httpStatus !== 403) return undefined;
  const permission = refusal.metadata["permission"] ?? permissionIn(refusal.message) ?? call.permission;
  const values = { permission, subject: call.resource, role: permission === call.permission ? (call.role ?? rolesGranting(permission)[0]) : rolesGranting(permission)[0] };
  return diagnosis(await suspects(run, call.resource, values, answered, waited), NOT_READ);
}

async function suspects(run: GcpRun, resource: string, values: { permission: string; subject: string; role: string | undefined }, answered: string, waited: boolean): Promise<Suspect[]> {
  const predicted = await run.account?.rightOf(values.permission, resource);
  if (predicted?.status === "refused") return [confirmed({ ...predicted.cause, evidence: [answered, ...predicted.cause.evidence] })];
  const fresh = waited ? [] : [open(cause(run, "gcp.iam.not-propagated", "no change of the binding is known to be older than the time that Google takes", values))];
  const above = open(cause(run, "gcp.iam.constrained", "what stands above the project cannot be read with the evidence at hand", values));
  if (predicted?.status === "allowed") return [...fresh, above];
  return [open(cause(run, "gcp.iam.permission-missing", answered, values)), ...fresh, above];
}

/** `Permission 'storage.objects.get' denied on resource …`, as most services word it. */
function permissionIn(message: string): string | undefined {
  return /[Pp]ermission ['"]?([a-z]\w+(?:\.\w+){2,})['"]?/.exec(message)?.[1];
}

/** The code, when the refusal may end by itself: a binding that Google has not seen yet. */
export async function rightMayBePropagation(run: GcpRun, call: RightCall, refusal: GcpRefusal): Promise<string | undefined> {
  if (refusal.httpStatus !== 403) return undefined;
  if (refusal.reason === "SERVICE_DISABLED") return refusal.reason;
  return (await run.account?.rightOf(call.permission, call.resource))?.status === "refused" ? undefined : refusal.code;
}
