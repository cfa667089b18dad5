/** Why a build was not started, or did not succeed: by status, failure and log, and by the policies where they can be read. */
import { permissionsOf } from "../../facts/gcp/grants.js";
import { computeServiceAccountEmail } from "../../facts/gcp/identifiers.js";
import type { Contract } from "../../contract/schema.js";
import { isJsonObject } from "../../trust/jwt.js";
import type { Cause } from "../causes.js";
import type { Diagnosis } from "../check.js";
import { describeAnswer, type GcpRefusal } from "./answers.js";
import { bucketResource } from "./bucket.js";
import { describeBuild, type BuildGrant, type BuildView } from "./builds-view.js";
import type { GcpCauseCode, GcpCauseValues } from "./causes.js";
import { repositoryName, type RepositoryGrant } from "./registry.js";
import { askAsSession, cause, confirmed, diagnosis, open, type GcpRun } from "./run.js";

/** Needs of the build account that DCF's builds do not have by themselves. */
export interface AccountNeed {
  code: "gcp.builds.source-denied" | "gcp.builds.push-denied" | "gcp.builds.log-denied";
  resource: string;
  permissions: readonly string[];
  /** For people. */
  title: string;
  /** Check of the project's configuration that says whether the resource is there. */
  there: string | undefined;
  values: Partial<GcpCauseValues>;
}

/** Email of the account that a grant's builds run as. */
export function buildAccountOf(run: GcpRun, { serviceAccountEmail }: BuildGrant): string {
  return serviceAccountEmail ?? computeServiceAccountEmail(run.exchange.projectNumber);
}

export function repositoryOf({ grants }: Contract, { region }: BuildGrant): RepositoryGrant | undefined {
  return grants.find((grant): grant is RepositoryGrant => grant.kind === "artifact-registry-repository" && grant.location === region);
}

export function accountNeeds(run: GcpRun, grant: BuildGrant): AccountNeed[] {
  const { sourceBucket, projectId } = grant;
  const repository = repositoryOf(run.contract, grant);
  const sourceGrant = run.contract.grants.find((other) => other.kind === "gcs-bucket" && other.bucket === sourceBucket);
  return [
    ...(sourceBucket === undefined ? [] : [{ code: "gcp.builds.source-denied" as const, resource: bucketResource(sourceBucket), permissions: permissionsOf("build-source"), title: `bucket ${sourceBucket}`, there: sourceGrant === undefined ? undefined : `bucket.${sourceGrant.id}`, values: { found: sourceBucket } }]),
    ...(repository === undefined
      ? []
      : [{ code: "gcp.builds.push-denied" as const, resource: `//artifactregistry.googleapis.com/${repositoryName(repository)}`, permissions: permissionsOf("build-image"), title: `repository ${repository.repository}`, there: `repository.${repository.id}`, values: { found: repository.repository, expected: repository.location } }]),
    { code: "gcp.builds.log-denied", resource: `//cloudresourcemanager.googleapis.com/projects/${projectId}`, permissions: permissionsOf("build-log"), title: `project ${projectId}`, there: undefined, values: {} },
  ];
}

/** A cause about the build account: where builds run as the default one, that is the cause. */
export function accountCause(run: GcpRun, grant: BuildGrant, code: AccountNeed["code"] | "gcp.builds.act-as-missing", evidence: string | string[]): Cause {
  const values = { subject: buildAccountOf(run, grant), project: grant.projectId, ...accountNeeds(run, grant).find((need) => need.code === code)?.values };
  return cause(run, grant.serviceAccountEmail === undefined ? "gcp.builds.default-account" : code, evidence, values);
}

/** Of a refused start, where it is not the right to start builds that is missing. */
export async function startDiagnosis(run: GcpRun, grant: BuildGrant, refusal: GcpRefusal): Promise<Diagnosis | undefined> {
  const answered = `builds.create answered ${describeAnswer(refusal)}`;
  const { message } = refusal;
  const values = { subject: buildAccountOf(run, grant), project: grant.projectId, found: grant.sourceBucket };
  const one = (found: Cause) => diagnosis([confirmed(found)]);
  if (/logs_bucket|options\.logging|CLOUD_LOGGING_ONLY/.test(message)) return one(cause(run, "gcp.builds.logging-option-missing", answered, values));
  const source = /could not resolve source.*?Error (\d+)/.exec(message)?.[1];
  if (source !== undefined) return one(source === "404" ? cause(run, "gcp.builds.source-missing", answered, values) : accountCause(run, grant, "gcp.builds.source-denied", answered));
  if (/service account .* (?:does not exist|not found)/i.test(message)) return one(cause(run, "gcp.builds.account-missing", answered, values));
  if (refusal.httpStatus !== 403 || !/act as service account/.test(message)) return undefined;
  if (grant.serviceAccountEmail === undefined) return one(accountCause(run, grant, "gcp.builds.act-as-missing", answered));
  const right = await run.account?.rightOf("iam.serviceAccounts.actAs", `//iam.googleapis.com/projects/${grant.projectId}/serviceAccounts/${grant.serviceAccountEmail}`);
  if (right?.status === "refused" && right.cause.code !== "gcp.iam.permission-missing") return one({ ...right.cause, evidence: [answered, ...right.cause.evidence] });
  const missing = accountCause(run, grant, "gcp.builds.act-as-missing", answered);
  return right?.status === "refused" ? one(missing) : diagnosis([open(missing), open(cause(run, "gcp.builds.account-missing", answered, values))]);
}

/** Of a build that is over without success. */
export async function buildDiagnosis(run: GcpRun, grant: BuildGrant, build: BuildView): Promise<Diagnosis | undefined> {
  const told = describeBuild(build);
  const lines = await logLines(run, grant, build.id);
  const values = { subject: buildAccountOf(run, grant), project: grant.projectId, found: build.id, expected: grant.region };
  const named = (code: GcpCauseCode, more: Partial<GcpCauseValues> = {}) => cause(run, code, [told, ...lines.filter((line) => TELLING.test(line)).slice(-2)], { ...values, ...more });
  const ofAccount = (code: AccountNeed["code"]) => ({ ...accountCause(run, grant, code, [told, ...lines.filter((line) => TELLING.test(line)).slice(-2)]) });
  const one = (found: Cause) => diagnosis([confirmed(found)]);
  const text = [build.failureDetail, build.statusDetail, ...lines].join("\n");
  if (build.status === "TIMEOUT" || build.status === "EXPIRED") return one(named("gcp.builds.timed-out"));
  switch (build.failureType) {
    case "FETCH_SOURCE_FAILED":
      return one(/\b403\b|does not have/.test(text) ? ofAccount("gcp.builds.source-denied") : named("gcp.builds.source-missing", { found: grant.sourceBucket }));
    case "LOGGING_FAILURE":
      return one(ofAccount("gcp.builds.log-denied"));
    case "USER_BUILD_STEP":
    case "PUSH_FAILED": {
      if (build.failureType === "USER_BUILD_STEP" && failedProgram(build) !== "push") return one(named("gcp.builds.image-not-built"));
      if (/\bdenied\b|403/i.test(lines.join("\n"))) return one(ofAccount("gcp.builds.push-denied"));
      return narrowPush(run, grant, told);
    }
    default:
      return build.status === "FAILURE" ? one(named("gcp.builds.failed")) : undefined;
  }
}

/** Lines of a log that say what went wrong. */
const TELLING = /denied|error|not found|403|404/i;

/** What docker was to do in the step that failed. */
function failedProgram({ steps }: BuildView): string {
  return steps.find(({ status }) => status === "FAILURE")?.args[0] ?? "";
}

/** Without the log, a push fails for a missing right, or for a missing repository, which the session has seen by now. */
async function narrowPush(run: GcpRun, grant: BuildGrant, told: string): Promise<Diagnosis | undefined> {
  const need = accountNeeds(run, grant).find(({ code }) => code === "gcp.builds.push-denied");
  const held = need && (await run.account?.holds(`serviceAccount:${buildAccountOf(run, grant)}`, need.permissions[0] ?? "", need.resource));
  const denied = accountCause(run, grant, "gcp.builds.push-denied", held === undefined ? told : [told, `${need?.permissions[0] ?? ""} on ${need?.title ?? ""}: ${held ? "held" : "not held"} by ${buildAccountOf(run, grant)}`]);
  return diagnosis(held === false ? [confirmed(denied)] : [open(denied), open(cause(run, "gcp.builds.failed", told, { found: undefined, expected: grant.region, project: grant.projectId }))], ["deny policies above the project", "VPC Service Controls"]);
}

/** By whoever may read it: the session where logs are granted, the reader of the project otherwise. */
async function logLines(run: GcpRun, { projectId }: BuildGrant, id: string): Promise<string[]> {
  if (!run.contract.grants.some(({ kind }) => kind === "project-logs")) return (await run.account?.buildLog(projectId, id)) ?? [];
  const body = { resourceNames: [`projects/${projectId}`], filter: buildLogFilter(id), orderBy: "timestamp asc", pageSize: 1000 };
  const answer = await askAsSession(run, { method: "POST", url: "https://logging.googleapis.com/v2/entries:list", body }, AbortSignal.timeout(LOG_DEADLINE_MS));
  return answer.ok ? textsOf(answer.json["entries"]) : [];
}

const LOG_DEADLINE_MS = 20_000;

export function buildLogFilter(id: string): string {
  return `resource.type="build" AND resource.labels.build_id="${id}"`;
}

export function textsOf(entries: unknown): string[] {
  return Array.isArray(entries) ? entries.filter(isJsonObject).flatMap(({ textPayload }) => (typeof textPayload === "string" ? [textPayload] : [])) : [];
}
