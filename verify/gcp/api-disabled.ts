/** An API that is not enabled says so itself: https://cloud.google.com/apis/design/errors#error_info */
import type { Cause } from "../causes.js";
import type { GcpRefusal } from "./answers.js";
import { cause, type GcpRun } from "./run.js";

/** The cause, where an answer says that an API is not enabled; with the API and the project that it names. */
export function disabledApi(run: GcpRun, refusal: GcpRefusal, answered: string): Cause | undefined {
  if (refusal.reason !== "SERVICE_DISABLED") return undefined;
  const { service, consumer } = refusal.metadata;
  return cause(run, "gcp.api-disabled", answered, { subject: service, project: consumer?.replace(/^projects\//, "") });
}
