/** The account that builds and services of a project run as unless they name one. It has no rights but those that it is granted. https://cloud.google.com/compute/docs/access/service-accounts#default_service_account */
import { computeServiceAccountEmail } from "../../facts/gcp/identifiers.js";
import { newServiceAccount } from "./iam-service-accounts.js";
import { IamStore, type ServiceAccountRecord } from "./iam-store.js";
import type { GcpServiceContext } from "./service.js";
import type { GcpProject } from "./types.js";

/** Made when it is first needed. */
export function defaultServiceAccount({ core }: Pick<GcpServiceContext, "core">, project: GcpProject): ServiceAccountRecord {
  const iam = new IamStore(core.store, core.clock);
  const email = computeServiceAccountEmail(project.projectNumber);
  const known = iam.serviceAccount(email);
  if (known) return known;
  const made = newServiceAccount(project, email, { displayName: "Compute Engine default service account" });
  iam.putServiceAccount(made, true);
  return made;
}
