/** What a verification does with builds and functions, for the plan. */
import type { Contract } from "../../contract/schema.js";
import { BUILD_READS } from "./account/builds.js";
import { LASTING_RESIDUE, mayUndeploy } from "./canary.js";
import { canaryKey, stagingGrant } from "./canary-staging.js";
import type { BuildGrant } from "./codebuild.js";
import { canaryName, strangerName } from "./lambda.js";

export interface BuildPlan {
  calls: string[];
  cost: string[];
  residue: string[];
}

interface Intent {
  runId: string;
  deploys: boolean;
  refusals: boolean;
  acceptResidue: boolean;
}

/** Depths runtime and deploy. */
export function buildPlan({ grants }: Contract, intent: Intent): BuildPlan {
  const { runId, refusals, deploys } = intent;
  const plan: BuildPlan = { calls: [], cost: [], residue: [] };
  for (const grant of grants) {
    if (grant.kind === "lambda-functions") {
      plan.calls.push(`Functions ${grant.functionNamePrefix}*, as the session:`, `  lambda:GetFunction, lambda:GetFunctionUrlConfig on ${canaryName(grant, `absent-${runId}`)}, which does not exist`);
      if (refusals) plan.calls.push(`  lambda:GetFunction on ${strangerName(grant, runId)}, to be refused`);
    } else if (grant.kind === "codebuild-project") {
      plan.calls.push(`Project ${grant.project}, as the session:`, "  codebuild:BatchGetBuilds of a build that does not exist");
      if (refusals) plan.calls.push("  codebuild:BatchGetProjects, to be refused");
      if (deploys) addCanary(plan, grants, grant, intent);
    }
  }
  return plan;
}

function addCanary(plan: BuildPlan, grants: Contract["grants"], grant: BuildGrant, { runId, acceptResidue }: Intent): void {
  const functions = grants.find((candidate) => candidate.kind === "lambda-functions" && candidate.region === grant.region);
  const staging = stagingGrant(grants, grant);
  if (functions?.kind !== "lambda-functions" || !staging) {
    plan.calls.push("  no canary: the contract grants no functions, or no upload to where builds read");
    return;
  }
  const name = canaryName(functions, runId);
  const undeploy = mayUndeploy(functions);
  if (!acceptResidue) {
    plan.calls.push(`  no canary without --accept-residue: ${LASTING_RESIDUE}${undeploy ? "" : " and the function"} would stay`);
    return;
  }
  plan.calls.push(
    `Canary, as the session:`,
    `  s3:PutObject ${canaryKey(staging, grant, runId, 1)} and ${canaryKey(staging, grant, runId, 2)} in bucket ${staging.bucket} (a Dockerfile and a handler, below 2 kB), s3:DeleteObject`,
    `  codebuild:StartBuild of ${grant.project}, twice, with DCF's buildspec, for function ${name}; codebuild:BatchGetBuilds until each is done`,
    `  lambda:GetFunction, lambda:GetFunctionUrlConfig on ${name}, and GET of its URL`,
    ...(undeploy ? [`  lambda:DeleteFunctionUrlConfig, lambda:RemovePermission, lambda:DeleteFunction on ${name}`] : []),
  );
  plan.cost.push(`two builds of a few minutes each in project ${grant.project}, about 0.02 to 0.10 USD on its smallest machine; until it is removed, an image of about 200 MB, 0.02 USD a month`);
  plan.residue.push(`repository ${grant.repositoryUri ?? "of the project"}: two images`, `log group /aws/codebuild/${grant.project}: two log streams`, `log group /aws/lambda/${name}: the function's log`);
  if (!undeploy) plan.residue.push(`function ${name}: stays, since the contract has no right to remove it`);
}

/** What `--account` reads of builds. */
export function buildAccountPlan({ grants }: Contract): string[] {
  const builds = grants.filter((grant) => grant.kind === "codebuild-project");
  if (builds.length === 0) return [];
  return [
    `  ${BUILD_READS.join(", ")} on ${builds.map(({ project }) => project).join(", ")}, its repository and its log; the iam: reads also on its service role and on the execution role`,
    "  codebuild:BatchGetProjects in the other regions, only if the project is not in its own",
  ];
}
