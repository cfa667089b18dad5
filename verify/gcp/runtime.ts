/** What builds and runs: rights that are asked about without doing anything, that what must be there is, and canaries of one's own. */
import type { Grant, GrantOf } from "../../contract/schema.js";
import type { Check } from "../check.js";
import { rightsCheck, type AccountParts } from "./account/checks.js";
import { grantedOnProject, TAKE_OVER } from "./account/surplus.js";
import { buildAccountChecks } from "./builds-prediction.js";
import { canaryChecks } from "./canary.js";
import { gkeChecks } from "./gke.js";
import { gkeAccountChecks } from "./gke-prediction.js";
import { accountPlace, heldCheck, projectPlace, repositoryPlace, servicePlace } from "./held.js";
import { repositoryCheck, repositoryName } from "./registry.js";
import type { GcpRun } from "./run.js";
import { serviceChecks } from "./service.js";
import { explainedBy, namingMissing } from "./service-causes.js";
import { deployerValues, serviceAccountChecks } from "./service-prediction.js";

export interface RuntimeIntent {
  refusals: boolean;
  /** Build and deploy a canary. */
  deploys: boolean;
}

export function runtimeChecks(run: GcpRun, grants: readonly Grant[], { refusals, deploys }: RuntimeIntent): Check[] {
  const builds = grants.find((grant) => grant.kind === "cloud-build");
  return [
    ...grants.flatMap((grant) => {
      switch (grant.kind) {
        case "artifact-registry-repository":
          return [repositoryCheck(run, grant), heldCheck(run, { id: grant.id, place: repositoryPlace(repositoryName(grant)), wanted: grant.permissions, unwanted: ["artifactregistry.repositories.deleteArtifacts"], role: grant.role })].map((check) => explainedBy(check, `gcp.account.repository.${grant.id}`));
        case "cloud-build":
          return buildChecks(run, grant);
        case "cloud-run-service":
          return [...deploymentRights(run, grant), ...serviceChecks(run, grant)];
        case "gke-deployments":
          return gkeChecks(run, grant, refusals);
        case "project-logs":
          return [heldCheck(run, { id: grant.id, place: projectPlace(grant.projectId), wanted: grant.permissions, role: grant.role })];
        default:
          return [];
      }
    }),
    ...(builds ? [heldCheck(run, { id: "limits", place: projectPlace(builds.projectId), wanted: [], unwanted: TAKE_OVER.filter((permission) => !grantedOnProject(grants, permission)) })] : []),
    // After all the rights: a canary needs them.
    ...(deploys ? grants.flatMap((grant) => (grant.kind === "cloud-build" ? canaryChecks(run, grant) : [])) : []),
  ];
}

/** The same by the project's configuration. */
export function runtimeAccountChecks(run: GcpRun, parts: AccountParts): Check[] {
  return run.contract.grants.flatMap((grant) => {
    switch (grant.kind) {
      case "cloud-build":
        return buildAccountChecks(run, parts, grant);
      case "cloud-run-service":
        return serviceAccountChecks(run, parts, grant);
      case "gke-deployments":
        return gkeAccountChecks(run, parts, grant);
      case "project-logs":
        return [rightsCheck(run, parts, grant.id, `logs of project ${grant.projectId}`, projectPlace(grant.projectId).resource, grant.permissions, [], grant.role)];
      default:
        return [];
    }
  });
}

function buildChecks(run: GcpRun, grant: GrantOf<"cloud-build">): Check[] {
  const account = grant.serviceAccountEmail;
  return [
    heldCheck(run, { id: grant.id, place: projectPlace(grant.projectId), wanted: grant.permissions, role: grant.role }),
    ...(account === undefined ? [] : [explainedBy(namingMissing(run, actAsCheck(run, `${grant.id}.account`, grant.projectId, account), "gcp.builds.act-as-missing", { subject: account, project: grant.projectId }), `gcp.account.account.${grant.id}`)]),
  ];
}

function deploymentRights(run: GcpRun, grant: GrantOf<"cloud-run-service">): Check[] {
  const { id, service, projectId, region, runtimeServiceAccountEmail: runtime } = grant;
  const place = service === undefined ? projectPlace(projectId) : servicePlace(projectId, region, service);
  // Operations are named by the project that they are in, not by the service.
  const wanted = grant.permissions.filter((permission) => service === undefined || permission.startsWith("run.services."));
  const unwanted = grant.publicAccess === "platform" ? [] : ["run.services.setIamPolicy"];
  return [
    explainedBy(namingMissing(run, heldCheck(run, { id, place, wanted, unwanted: service === undefined ? [] : unwanted, role: grant.role }), "gcp.service.deployer-role-missing", deployerValues(grant)), `gcp.account.service.${id}`),
    explainedBy(namingMissing(run, actAsCheck(run, `${id}.account`, projectId, runtime), "gcp.service.act-as-missing", { subject: runtime, project: projectId }), `gcp.account.account.${id}`),
  ];
}

function actAsCheck(run: GcpRun, id: string, projectId: string, email: string): Check {
  return heldCheck(run, { id, place: accountPlace(projectId, email), wanted: ["iam.serviceAccounts.actAs"], unwanted: ["iam.serviceAccounts.getAccessToken", "iam.serviceAccountKeys.create"], role: "roles/iam.serviceAccountUser" });
}
