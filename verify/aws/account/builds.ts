/** Builds and functions in the account's own configuration: nothing is tried, results are predictions. */
import { fail, pass, unknown, type Check, type Verdict } from "../../check.js";
import { stagingGrant } from "../canary-staging.js";
import { projectArn, type BuildGrant } from "../codebuild.js";
import { functionArn, canaryName, type FunctionsGrant } from "../lambda.js";
import { layerCode } from "../role-calls.js";
import { cause, type AwsRun } from "../run.js";
import { executionRolePart, projectPart, repositoryPart, rightsPart, rolePart, type PartFindings } from "./build-prediction.js";
import { decide, readCaller } from "./permissions.js";
import type { AccountReader } from "./reader.js";

const DEADLINE_MS = 60_000;

export function buildAccountChecks(run: AwsRun, account: AccountReader): Check[] {
  const { grants } = run.contract;
  const id = (grant: { id: string }, part: string) => `aws.account.${part}.${grant.id}`;
  const check = (checkId: string, title: string, needs: string[], body: () => Promise<Verdict>): Check => ({
    id: checkId,
    title: `Account: ${title}`,
    grade: "predicted",
    required: true,
    needs: ["contract", ...needs],
    deadlineMs: DEADLINE_MS,
    run: body,
  });
  const build = (grant: BuildGrant): Check[] => {
    const part = (name: string, title: string, needs: string[], find: typeof projectPart) => check(id(grant, name), title, needs, async () => verdict(await find(run, account, grant)));
    return [
      part("project", `CodeBuild project ${grant.project}`, [], projectPart),
      part("build-role", "role that builds run as", [], rolePart),
      part("build-rights", "rights of builds", [id(grant, "build-role"), ...stagingParts(run, grant)], rightsPart),
      part("repository", "ECR repository", [], repositoryPart),
      part("execution-role", "role that functions run as", [], executionRolePart),
      check(id(grant, "grant"), `rights on project ${grant.project}`, ["aws.account.role"], () => grantRights(run, account, grant.permissions, projectArn(run, grant))),
    ].filter(({ id: each }) => !isLeftOut(grant, each));
  };
  const functions = (grant: FunctionsGrant): Check[] => [
    check(id(grant, "grant"), `rights on functions ${grant.functionNamePrefix}*`, ["aws.account.role"], () => grantRights(run, account, grant.permissions, functionArn(run, grant, canaryName(grant, run.runId)))),
  ];
  return grants.flatMap((grant) => (grant.kind === "codebuild-project" ? build(grant) : grant.kind === "lambda-functions" ? functions(grant) : []));
}

/** What builds read stands on the bucket and its key, which have checks of their own. */
function stagingParts(run: AwsRun, grant: BuildGrant): string[] {
  const staging = stagingGrant(run.contract.grants, grant);
  if (!staging) return [];
  return [`aws.account.bucket.${staging.id}`, ...(staging.kmsKeyArn === undefined ? [] : [`aws.account.key.${staging.id}`])];
}

/** An existing project may have been given without the role or the repository that belong to it. */
function isLeftOut({ repositoryUri, executionRoleArn }: BuildGrant, id: string): boolean {
  return (repositoryUri === undefined && id.startsWith("aws.account.repository.")) || (executionRoleArn === undefined && id.startsWith("aws.account.execution-role."));
}

function verdict(part: PartFindings): Verdict {
  if (part.status === "unknown") return unknown(part.reason);
  const [first] = part.causes;
  return first ? fail(part.seen, { causes: [first], layersNotRead: [] }) : pass(part.seen);
}

async function grantRights(run: AwsRun, account: AccountReader, permissions: readonly string[], resource: string): Promise<Verdict> {
  const caller = await readCaller(account);
  if (caller.status !== "read") return unknown(caller.status === "absent" ? caller.detail : caller.reason);
  const decisions = permissions.map((action) => ({ action, decision: decide(run, caller.value, { action, resource, resourceAccountId: run.exchange.accountId }) }));
  const refused = decisions.filter(({ decision }) => !decision.allowed);
  const [first] = refused;
  if (!first) return pass(`${permissions.join(", ")} would be allowed`);
  const actions = refused.map(({ action }) => action).join(", ");
  const evidence = refused.map(({ action, decision }) => `by the account's policies, ${action} on ${resource}: ${decision.because}`);
  return fail(`${actions} would be refused`, cause(run, layerCode(first.decision.layer, first.action), evidence, { action: actions, subject: resource }));
}

/** Rights to read that these checks need, for the plan. */
export const BUILD_READS = ["codebuild:BatchGetProjects", "ecr:DescribeRepositories", "ecr:GetRepositoryPolicy", "logs:DescribeLogGroups", "logs:GetLogEvents"] as const;
