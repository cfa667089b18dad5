/** What a verification does with repository, builds, services and clusters, for the plan. */
import type { Contract, Grant } from "../../contract/schema.js";
import { describeRight } from "../kubernetes/access.js";
import { canaryImage, canaryName, canaryObject, canaryParts, LASTING_RESIDUE } from "./canary.js";
import type { BuildGrant } from "./builds-view.js";
import { clusterName, grantedRights, refusedRights } from "./gke.js";
import { repositoryName } from "./registry.js";
import type { ServiceGrant } from "./service.js";

export interface RuntimePlan {
  calls: string[];
  cost: string[];
  residue: string[];
}

export interface PlanIntent {
  runId: string;
  deploys: boolean;
  refusals: boolean;
  acceptResidue: boolean;
  allowPublicCanary: boolean;
}

/** Depths runtime and deploy. */
export function runtimePlan(contract: Contract, intent: PlanIntent): RuntimePlan {
  const plan: RuntimePlan = { calls: [], cost: [], residue: [] };
  for (const grant of contract.grants) plan.calls.push(...questions(grant, intent));
  if (intent.deploys) for (const grant of contract.grants) if (grant.kind === "cloud-build") addCanary(plan, contract, grant, intent);
  return plan;
}

function questions(grant: Grant, { refusals }: PlanIntent): string[] {
  switch (grant.kind) {
    case "artifact-registry-repository":
      return ["Repository, as the session:", `  artifactregistry.repositories.get and testIamPermissions on ${repositoryName(grant)}`];
    case "cloud-build":
      return ["Builds, as the session:", `  testIamPermissions on project ${grant.projectId}${grant.serviceAccountEmail === undefined ? "" : ` and on ${grant.serviceAccountEmail}`}`];
    case "cloud-run-service":
      return [
        "Cloud Run, as the session:",
        `  testIamPermissions on ${grant.service === undefined ? `project ${grant.projectId}` : `service ${grant.service}`} and on ${grant.runtimeServiceAccountEmail}`,
        ...(grant.service === undefined ? [] : [`  run.services.get ${grant.service}, and GET of its address without a token`]),
      ];
    case "gke-deployments":
      return [
        `Cluster ${clusterName(grant)}, as the session:`,
        `  container.clusters.get, and in the cluster GET /version`,
        `  SelfSubjectAccessReview: ${grantedRights(grant).map(describeRight).join(", ")}`,
        ...(refusals ? [`  SelfSubjectAccessReview, to be refused: ${refusedRights(grant).map(describeRight).join(", ")}`] : []),
        `  get ${grant.deployments.join(", ")} in ${grant.namespace}, and patch an annotation with dryRun=All, which stores nothing`,
      ];
    case "project-logs":
      return ["Logs, as the session:", `  testIamPermissions on project ${grant.projectId}`];
    default:
      return [];
  }
}

function addCanary(plan: RuntimePlan, contract: Contract, builds: BuildGrant, intent: PlanIntent): void {
  const parts = canaryParts({ contract }, builds);
  if (typeof parts === "string") {
    plan.calls.push(`No canary: ${parts}`);
    return;
  }
  if (!intent.acceptResidue) {
    plan.calls.push(`  no canary without --accept-residue, since ${LASTING_RESIDUE} would stay`);
    return;
  }
  const { staging, repository } = parts;
  const image = canaryImage(repository, intent.runId);
  const service = contract.grants.find((grant): grant is ServiceGrant => grant.kind === "cloud-run-service");
  plan.calls.push(
    "Canary, as the session:",
    `  storage.objects.create ${canaryObject(intent.runId)} in bucket ${staging.bucket} (a Dockerfile, below 1 kB), storage.objects.delete`,
    `  cloudbuild.builds.create in ${builds.region}, as ${builds.serviceAccountEmail ?? "the project's default account"}, of image ${image}; cloudbuild.builds.get until it is done`,
    ...(service ? serviceCalls(service, intent) : []),
  );
  plan.cost.push("a build of a minute or two, about 0.01 USD, or nothing within the free build minutes; an image of some 20 MB, below 0.01 USD a month until it is removed; a request or three to a service");
  plan.residue.push(`repository ${repository.repository}: the image ${image.slice(image.lastIndexOf("/") + 1)}`, `project ${builds.projectId}: the record of a build, and its log`);
}

function serviceCalls({ service, permissions }: ServiceGrant, { runId, allowPublicCanary }: PlanIntent): string[] {
  if (service !== undefined || !permissions.includes("run.services.create")) return ["  no service: run.services.create is not granted, and yours is not touched"];
  const publicly = allowPublicCanary && permissions.includes("run.services.setIamPolicy");
  return [
    `  run.services.create ${canaryName(runId)}, private${publicly ? " at first" : ""}; run.services.get until it is ready`,
    "  GET of its address without a token, to be refused, and with an identity token (generateIdToken)",
    ...(publicly ? ["  run.services.setIamPolicy: allUsers may invoke it, and GET of its address without a token"] : []),
    "  run.services.delete",
  ];
}
