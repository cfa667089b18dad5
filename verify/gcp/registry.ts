/** The repository that builds push to. https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories/get */
import type { GrantOf } from "../../contract/schema.js";
import { fail, pass, unknown, type Check } from "../check.js";
import { describeAnswer, isOverload } from "./answers.js";
import { diagnoseRefusal, rightMayBePropagation, type RightCall } from "./rights-causes.js";
import { askAsSession, cause, type GcpRun } from "./run.js";

export type RepositoryGrant = GrantOf<"artifact-registry-repository">;

export function repositoryName({ projectId, location, repository }: RepositoryGrant): string {
  return `projects/${projectId}/locations/${location}/repositories/${repository}`;
}

export function repositoryCheck(run: GcpRun, grant: RepositoryGrant): Check {
  const name = repositoryName(grant);
  const right: RightCall = { operation: "repositories.get", permission: "artifactregistry.repositories.get", resource: `//artifactregistry.googleapis.com/${name}`, role: grant.role };
  return {
    id: `gcp.registry.${grant.id}.repository`,
    title: `Repository ${grant.repository}: exists, for Docker images`,
    grade: "live",
    required: true,
    needs: [run.exchange.serviceAccountEmail === undefined ? "gcp.exchange" : "gcp.impersonation"],
    deadlineMs: 60_000,
    run: async (scope) => {
      const { answer, exhausted } = await run.waiter.until(
        `gcp.registry.${grant.id}`,
        scope,
        () => askAsSession(run, { method: "GET", url: `https://artifactregistry.googleapis.com/v1/${name}` }, scope.signal),
        (given) => (given.ok || given.kind === "no-answer" ? undefined : rightMayBePropagation(run, right, given)),
      );
      if (answer.ok) {
        const { format, mode = "STANDARD_REPOSITORY" } = answer.json;
        if (format === "DOCKER" && mode === "STANDARD_REPOSITORY") return pass(name);
        const seen = `${name} has format ${String(format)} and mode ${String(mode)}`;
        return fail(seen, cause(run, "gcp.registry.not-docker", seen, { subject: grant.repository }));
      }
      const seen = `repositories.get answered ${describeAnswer(answer)}`;
      if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
      if (answer.httpStatus === 404) return fail(seen, cause(run, "gcp.registry.repository-missing", seen, { subject: grant.repository, expected: grant.location, project: grant.projectId }));
      const found = await diagnoseRefusal(run, right, answer, exhausted);
      return found ? fail(seen, found) : unknown(seen);
    },
  };
}
