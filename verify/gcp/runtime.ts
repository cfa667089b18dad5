/** Harmless questions on what builds and runs: which rights are held, and that what must be there is. */
import type { Grant, GrantOf } from "../../contract/schema.js";
import type { Check } from "../check.js";
import { accountPlace, heldCheck, projectPlace, repositoryPlace, servicePlace } from "./held.js";
import { repositoryCheck, repositoryName } from "./registry.js";
import type { GcpRun } from "./run.js";

/** What nobody needs to deploy, and with what the rest could be had. */
const TAKE_OVER = ["resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.getAccessToken", "iam.serviceAccountKeys.create", "run.services.setIamPolicy"];

export function runtimeChecks(run: GcpRun, grants: readonly Grant[]): Check[] {
  const builds = grants.find((grant) => grant.kind === "cloud-build");
  return [
    ...grants.flatMap((grant) => {
      switch (grant.kind) {
        case "artifact-registry-repository":
          return [repositoryCheck(run, grant), heldCheck(run, { id: grant.id, place: repositoryPlace(repositoryName(grant)), wanted: grant.permissions, unwanted: ["artifactregistry.repositories.deleteArtifacts"], role: grant.role })];
        case "cloud-build":
          return buildChecks(run, grant);
        case "cloud-run-service":
          return serviceChecks(run, grant);
        case "project-logs":
          return [heldCheck(run, { id: grant.id, place: projectPlace(grant.projectId), wanted: grant.permissions, role: grant.role })];
        default:
          return [];
      }
    }),
    ...(builds ? [heldCheck(run, { id: "limits", place: projectPlace(builds.projectId), wanted: [], unwanted: TAKE_OVER.filter((permission) => !grantedOnProject(grants, permission)) })] : []),
  ];
}

function grantedOnProject(grants: readonly Grant[], permission: string): boolean {
  return grants.some((grant) => grant.kind === "cloud-run-service" && grant.service === undefined && grant.permissions.includes(permission));
}

function buildChecks(run: GcpRun, grant: GrantOf<"cloud-build">): Check[] {
  const account = grant.serviceAccountEmail;
  return [
    heldCheck(run, { id: grant.id, place: projectPlace(grant.projectId), wanted: grant.permissions, role: grant.role }),
    ...(account === undefined ? [] : [actAsCheck(run, `${grant.id}.account`, grant.projectId, account)]),
  ];
}

function serviceChecks(run: GcpRun, grant: GrantOf<"cloud-run-service">): Check[] {
  const place = grant.service === undefined ? projectPlace(grant.projectId) : servicePlace(grant.projectId, grant.region, grant.service);
  // Operations are named by the project that they are in, not by the service.
  const wanted = grant.permissions.filter((permission) => grant.service === undefined || permission.startsWith("run.services."));
  const unwanted = grant.publicAccess === "platform" ? [] : ["run.services.setIamPolicy"];
  return [
    heldCheck(run, { id: grant.id, place, wanted, unwanted: grant.service === undefined ? [] : unwanted, role: grant.role }),
    actAsCheck(run, `${grant.id}.account`, grant.projectId, grant.runtimeServiceAccountEmail),
  ];
}

function actAsCheck(run: GcpRun, id: string, projectId: string, email: string): Check {
  return heldCheck(run, { id, place: accountPlace(projectId, email), wanted: ["iam.serviceAccounts.actAs"], unwanted: ["iam.serviceAccounts.getAccessToken", "iam.serviceAccountKeys.create"], role: "roles/iam.serviceAccountUser" });
}
