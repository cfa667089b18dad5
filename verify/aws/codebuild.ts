/** What the grant on a CodeBuild project shows without starting a build. */
import { randomUUID } from "node:crypto";
import type { GrantOf } from "../../contract/schema.js";
import { fail, notTested, pass, unknown, type Check } from "../check.js";
import { ask, describeAnswer } from "./answers.js";
import { askAsRole, isDenied, refusedVerdict, type RoleCall } from "./role-calls.js";
import { cause, type AwsRun } from "./run.js";

export type BuildGrant = GrantOf<"codebuild-project">;

const DEADLINE_MS = 60_000;

export function projectArn(run: AwsRun, { region, accountId, project }: BuildGrant): string {
  return `arn:${run.exchange.partition}:codebuild:${region}:${accountId}:project/${project}`;
}

export async function codebuildOf(run: AwsRun, grant: BuildGrant) {
  if (!run.session) throw new Error("there is no session");
  return Promise.all([import("@aws-sdk/client-codebuild"), run.clients.codebuild(grant.region, run.session.credentials)]);
}

/** @param started whether a canary build will be started in this run */
export function codebuildChecks(run: AwsRun, grant: BuildGrant, options: { refusals: boolean; started: boolean }): Check[] {
  const read = `aws.codebuild.${grant.id}.read`;
  const common = { grade: "live", needs: ["aws.exchange"], deadlineMs: DEADLINE_MS } as const;
  return [
    {
      ...common,
      id: read,
      title: `Project ${grant.project}: read builds`,
      required: true,
      needs: [...common.needs],
      run: async (scope) => {
        if (!grant.permissions.includes("codebuild:BatchGetBuilds")) return notTested("the contract does not grant codebuild:BatchGetBuilds");
        const [{ BatchGetBuildsCommand }, client] = await codebuildOf(run, grant);
        const call: RoleCall = { check: read, operation: "BatchGetBuilds", action: "codebuild:BatchGetBuilds", resource: projectArn(run, grant) };
        const absent = `${grant.project}:${randomUUID()}`;
        const { answer, waited } = await askAsRole(run, scope, call, (abortSignal) => client.send(new BatchGetBuildsCommand({ ids: [absent] }), { abortSignal }));
        if (!answer.ok) return refusedVerdict(run, call, answer, waited);
        return pass("a build that does not exist is not found, and not forbidden; whether the project exists shows at depth deploy, or with --account");
      },
    },
    ...(options.started ? [] : [startCheck(grant)]),
    {
      ...common,
      id: `aws.refusal.project.${grant.id}`,
      title: `Refusal: read project ${grant.project} itself, which is not granted`,
      required: options.refusals,
      needs: [...common.needs],
      run: async (scope) => {
        if (!options.refusals) return notTested("switched off by --refusals off");
        const [{ BatchGetProjectsCommand }, client] = await codebuildOf(run, grant);
        const answer = await ask((abortSignal) => client.send(new BatchGetProjectsCommand({ names: [grant.project] }), { abortSignal }), { signal: scope.signal });
        if (answer.ok) return fail("the project was read", cause(run, "aws.grants.too-wide", "BatchGetProjects was allowed, AccessDenied was due", { action: "codebuild:BatchGetProjects", subject: projectArn(run, grant) }));
        if (answer.kind === "no-answer" || !isDenied(answer)) return unknown(`AccessDenied was due, and nothing is proven by ${describeAnswer(answer)}`);
        const witness = await scope.outcome(read);
        if (witness && witness.status !== "pass") return notTested("refused, which proves nothing while builds of the project cannot be read either");
        return pass(`refused with ${answer.code} (${answer.httpStatus})`);
      },
    },
  ];
}

/** There is no way to try it that starts nothing. */
function startCheck({ id, project }: BuildGrant): Check {
  return {
    id: `aws.codebuild.${id}.start`,
    title: `Project ${project}: start a build`,
    grade: "live",
    required: false,
    needs: [],
    deadlineMs: 1_000,
    run: async () => notTested("codebuild:StartBuild cannot be tried without starting a build: proven at depth deploy"),
  };
}
