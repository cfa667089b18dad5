/**
 * The whole way, as the platform goes it: an archive staged, a build, a service of the canary's own that answers whom it
 * should, everything removed that the granted rights can remove. All under names of its own.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { GrantOf } from "../../contract/schema.js";
import { grantedRoles } from "../../facts/gcp/grants.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload, type GcpAnswer } from "./answers.js";
import { bucketResource } from "./bucket.js";
import { buildsUrl, runBuild } from "./builds.js";
import { accountCause, buildDiagnosis, repositoryOf } from "./builds-diagnosis.js";
import { describeBuild, type BuildGrant } from "./builds-view.js";
import { canaryArchive } from "./canary-archive.js";
import { serviceDiagnosis } from "./canary-diagnosis.js";
import { servicePlace } from "./held.js";
import type { RepositoryGrant } from "./registry.js";
import { diagnoseRefusal, rightMayBePropagation, type RightCall } from "./rights-causes.js";
import { askAsSession, cause, PROBE_PREFIX, type GcpRun } from "./run.js";
import { OPEN_INGRESS, readiness, serviceName, serviceRight, serviceUrl, serviceValues, type ServiceGrant } from "./service.js";
import { identityToken, visit } from "./service-address.js";

type BucketGrant = GrantOf<"gcs-bucket">;

const CALL_DEADLINE_MS = 60_000;
/** A build waits for a worker, builds an image and pushes it. */
const BUILD_DEADLINE_MS = 25 * 60_000;
const DEPLOY_DEADLINE_MS = 5 * 60_000;
const DEPLOY_PAUSE_MS = 1_000;

/** What stays whatever happens: nobody who deploys may delete images, and nobody at all build records. */
export const LASTING_RESIDUE = "an image and the record of a build with its log";

/** What a canary is made with. */
export interface CanaryParts {
  builds: BuildGrant;
  staging: BucketGrant;
  repository: RepositoryGrant;
}

/** Name of image tag and service. */
export function canaryName(runId: string): string {
  return `cf-verify-${runId}`;
}

export function canaryObject(runId: string): string {
  return `${PROBE_PREFIX}/build-${runId}.zip`;
}

export function canaryImage({ location, projectId, repository }: RepositoryGrant, runId: string): string {
  return `${location}-docker.pkg.dev/${projectId}/${repository}/${PROBE_PREFIX}:${canaryName(runId)}`;
}

/** The parts of a canary, or the sentence why the contract allows none. */
export function canaryParts(run: Pick<GcpRun, "contract">, builds: BuildGrant): CanaryParts | string {
  const { grants } = run.contract;
  if (!builds.permissions.includes("cloudbuild.builds.create")) return "the contract does not grant cloudbuild.builds.create";
  const staging = grants.find((grant): grant is BucketGrant => grant.kind === "gcs-bucket" && grant.bucket === builds.sourceBucket);
  if (!staging?.permissions.includes("storage.objects.create")) return "the contract grants no upload to where builds read their source";
  const repository = repositoryOf(run.contract, builds);
  return repository ? { builds, staging, repository } : "the contract has no repository in the builds' region";
}

export function canaryChecks(run: GcpRun, builds: BuildGrant): Check[] {
  const parts = canaryParts(run, builds);
  if (typeof parts === "string") return [skipped(builds, parts)];
  if (!run.acceptResidue) return [skipped(builds, `it would leave ${LASTING_RESIDUE}, which the granted rights cannot remove: allow that with --accept-residue`)];
  const service = run.contract.grants.find((grant): grant is ServiceGrant => grant.kind === "cloud-run-service");
  return new Canary(run, parts, service).checks();
}

function skipped({ id, region }: BuildGrant, reason: string): Check {
  return { id: `gcp.canary.${id}`, title: `Canary: build and service in ${region}`, grade: "live", required: true, needs: [], deadlineMs: 1_000, run: async () => notTested(reason) };
}

class Canary {
  readonly #name: string;
  readonly #object: string;
  readonly #image: string;
  #staged: "nothing" | "perhaps" | "there" = "nothing";
  #generation: string | undefined;
  readonly #builds: { id: string; ended: boolean }[] = [];
  #warnings: readonly string[] = [];
  #service: "none" | "perhaps" | "there" = "none";
  #uri = "";

  constructor(
    private readonly run: GcpRun,
    private readonly parts: CanaryParts,
    private readonly service: ServiceGrant | undefined,
  ) {
    this.#name = canaryName(run.runId);
    this.#object = canaryObject(run.runId);
    this.#image = canaryImage(parts.repository, run.runId);
  }

  checks(): Check[] {
    const { builds, repository } = this.parts;
    const signedIn = this.run.exchange.serviceAccountEmail === undefined ? "gcp.exchange" : "gcp.impersonation";
    const held = [`gcp.held.${builds.id}`, ...(builds.serviceAccountEmail === undefined ? [] : [`gcp.held.${builds.id}.account`]), `gcp.registry.${repository.id}.repository`];
    const step = (name: string, title: string, needs: string[], body: (scope: CheckScope) => Promise<Verdict>, more: { after?: string[]; deadlineMs?: number } = {}): Check => ({
      id: this.#id(name),
      title: `Canary: ${title}`,
      grade: "live",
      required: true,
      needs: [signedIn, ...needs],
      ...(more.after ? { after: more.after.map((each) => this.#id(each)) } : {}),
      deadlineMs: more.deadlineMs ?? CALL_DEADLINE_MS,
      run: body,
    });
    return [
      step("stage", "stage an archive", held, (scope) => this.#stage(scope)),
      step("build", "a build makes an image of it and pushes it", [this.#id("stage")], (scope) => this.#build(scope), { deadlineMs: BUILD_DEADLINE_MS }),
      step("log", "the build's log is written", [this.#id("build")], async () => this.#log()),
      ...(this.service ? this.#serviceSteps(this.service, step) : []),
    ];
  }

  #serviceSteps(service: ServiceGrant, step: (name: string, title: string, needs: string[], body: (scope: CheckScope) => Promise<Verdict>, more?: { after?: string[]; deadlineMs?: number }) => Check): Check[] {
    const create = "run.services.create";
    if (service.service !== undefined || !service.permissions.includes(create)) {
      const reason = `${create} is not granted: a canary of its own needs the role on the project (cloudRun.grantOn: project), and your service is not touched`;
      return [step("deploy", "a service of its own", [], async () => notTested(reason))];
    }
    const needs = [this.#id("build"), `gcp.held.${service.id}`, `gcp.held.${service.id}.account`];
    const deployed = [this.#id("deploy")];
    return [
      step("deploy", `service ${this.#name} is deployed and gets ready`, needs, (scope) => this.#deploy(scope, service), { deadlineMs: DEPLOY_DEADLINE_MS }),
      step("private", "without a token it answers 403", deployed, (scope) => this.#callAnonymously(scope, service)),
      step("call", "with an identity token it answers 200", deployed, (scope) => this.#callAsAccount(scope, service), { after: ["private"] }),
      step("public", "public, it answers everybody", deployed, (scope) => this.#callPublicly(scope, service), { after: ["private", "call"] }),
      step("remove", "remove the service", deployed, (scope) => this.#remove(scope, service), { after: ["private", "call", "public"] }),
    ];
  }

  #id(step: string): string {
    return `gcp.canary.${this.parts.builds.id}.${step}`;
  }

  /** What a refusal comes to. */
  async #refused(right: RightCall, answer: Exclude<GcpAnswer, { ok: true }>, waited: boolean): Promise<Verdict> {
    const seen = `${right.operation}: ${describeAnswer(answer)}`;
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
    const found = await diagnoseRefusal(this.run, right, answer, waited);
    return found ? fail(seen, found) : unknown(seen);
  }

  async #stage(scope: CheckScope): Promise<Verdict> {
    scope.cleanUp((signal) => this.#cleanUp(scope, signal));
    const { bucket, role } = this.parts.staging;
    const url = `https://storage.googleapis.com/upload/storage/v1/b/${bucket}/o?uploadType=media&ifGenerationMatch=0&name=${encodeURIComponent(this.#object)}`;
    const raw = { contentType: "application/zip", content: canaryArchive(this.run.runId) };
    const right: RightCall = { operation: "objects.insert", permission: "storage.objects.create", resource: bucketResource(bucket), role };
    this.#staged = "perhaps";
    const { answer, exhausted } = await this.run.waiter.until(
      this.#id("stage"),
      scope,
      () => askAsSession(this.run, { method: "POST", url, raw, repeatable: false }, scope.signal),
      (given) => (given.ok || given.kind === "no-answer" ? undefined : rightMayBePropagation(this.run, right, given)),
    );
    if (answer.ok) {
      this.#staged = "there";
      const { generation } = answer.json;
      this.#generation = typeof generation === "string" ? generation : undefined;
      return pass(`${this.#object} in bucket ${bucket}`);
    }
    if (answer.kind === "refused" && !isOverload(answer)) this.#staged = "nothing";
    if (answer.kind === "refused" && answer.httpStatus === 404) return fail(describeAnswer(answer), cause(this.run, "gcp.bucket.missing", `objects.insert: ${describeAnswer(answer)}`, { subject: bucket }));
    return this.#refused(right, answer, exhausted);
  }

  async #build(scope: CheckScope): Promise<Verdict> {
    const { builds, staging } = this.parts;
    const order = { bucket: staging.bucket, object: this.#object, generation: this.#generation, image: this.#image, serviceAccountEmail: builds.serviceAccountEmail, projectId: builds.projectId };
    const record = { id: "", ended: false };
    const result = await runBuild(this.run, scope, builds, order, (id) => {
      record.id = id;
      this.#builds.push(record);
    });
    if ("verdict" in result) return result.verdict;
    record.ended = true;
    const { build } = result;
    this.#warnings = build.warnings;
    const seen = describeBuild(build);
    if (build.status === "SUCCESS") return pass(seen);
    const found = await buildDiagnosis(this.run, builds, build);
    return found ? fail(seen, found) : unknown(seen);
  }

  /** A build whose log is refused succeeds all the same, with a warning. */
  #log(): Verdict {
    const [warning] = this.#warnings.filter((text) => /write logs|logging\.logWriter/.test(text));
    if (warning !== undefined) return fail(warning, accountCause(this.run, this.parts.builds, "gcp.builds.log-denied", warning));
    return pass("no warning that it could not be written");
  }

  async #deploy(scope: CheckScope, grant: ServiceGrant): Promise<Verdict> {
    const { projectId, region, runtimeServiceAccountEmail: serviceAccount } = grant;
    const url = `https://run.googleapis.com/v2/projects/${projectId}/locations/${region}/services?serviceId=${this.#name}`;
    const body = { ingress: OPEN_INGRESS, template: { serviceAccount, containers: [{ image: this.#image }], scaling: { maxInstanceCount: 1 } } };
    const right = serviceRight(grant, this.#name, "create");
    this.#service = "perhaps";
    const { answer, exhausted } = await this.run.waiter.until(
      this.#id("deploy"),
      scope,
      () => askAsSession(this.run, { method: "POST", url, body, repeatable: false }, scope.signal),
      (given) => (given.ok || given.kind === "no-answer" ? undefined : rightMayBePropagation(this.run, right, given)),
    );
    if (!answer.ok) {
      if (answer.kind === "refused" && !isOverload(answer)) this.#service = "none";
      const found = answer.kind === "refused" ? await serviceDiagnosis(this.run, grant, this.#image, answer) : undefined;
      return found ? fail(`services.create: ${describeAnswer(answer)}`, found) : this.#refused(right, answer, exhausted);
    }
    this.#service = "there";
    return this.#ready(scope, grant);
  }

  async #ready(scope: CheckScope, grant: ServiceGrant): Promise<Verdict> {
    for (;;) {
      const answer = await askAsSession(this.run, { method: "GET", url: serviceUrl(grant, this.#name) }, scope.signal);
      if (!answer.ok) return this.#refused(serviceRight(grant, this.#name, "get"), answer, false);
      const { state, message } = readiness(answer.json);
      if (state === "failed") return fail(message, cause(this.run, "gcp.service.not-ready", [`service ${this.#name}: ${message}`], serviceValues(grant, this.#name)));
      if (state === "ready") {
        const { uri } = answer.json;
        this.#uri = typeof uri === "string" ? uri : "";
        return this.#uri === "" ? unknown(`service ${this.#name} is ready and has no address`) : pass(this.#uri);
      }
      scope.progress(`service ${this.#name}: not ready yet`);
      await sleep(DEPLOY_PAUSE_MS, undefined, { signal: scope.signal });
    }
  }

  async #callAnonymously(scope: CheckScope, grant: ServiceGrant): Promise<Verdict> {
    const answer = await visit(this.run, this.#uri, 403, scope.signal);
    if (answer.status === "failed") return unknown(`GET ${this.#uri}: ${answer.detail}`);
    const seen = `GET ${this.#uri} without a token: ${answer.httpStatus}`;
    if (answer.httpStatus === 403) return pass(seen);
    return answer.httpStatus === 200 ? fail(seen, cause(this.run, "gcp.service.public", seen, serviceValues(grant, this.#name))) : unknown(seen);
  }

  async #callAsAccount(scope: CheckScope, grant: ServiceGrant): Promise<Verdict> {
    const email = this.run.exchange.serviceAccountEmail;
    if (email === undefined) return notTested("identity tokens are of service accounts, and grants are given to the principal itself here");
    const asked = await askAsSession(this.run, servicePlace(grant.projectId, grant.region, this.#name).call(["run.routes.invoke"]), scope.signal);
    const held = asked.ok && Array.isArray(asked.json["permissions"]) && asked.json["permissions"].includes("run.routes.invoke");
    if (!held) return notTested(`${email} does not have run.routes.invoke, which deploying does not need`);
    const token = await identityToken(this.run, email, this.#uri, scope.signal);
    if ("answer" in token) {
      const resource = `//iam.googleapis.com/projects/${this.run.exchange.projectId}/serviceAccounts/${email}`;
      return this.#refused({ operation: "generateIdToken", permission: "iam.serviceAccounts.getOpenIdToken", resource, role: grantedRoles.workloadIdentityUser }, token.answer, false);
    }
    const answer = await visit(this.run, this.#uri, 200, scope.signal, token.token);
    if (answer.status === "failed") return unknown(`GET ${this.#uri}: ${answer.detail}`);
    const seen = `GET ${this.#uri} with an identity token of ${email}: ${answer.httpStatus}`;
    if (answer.httpStatus === 200) return pass(seen);
    const code = answer.httpStatus === 403 || answer.httpStatus === 401 ? "gcp.service.private-call-refused" : "gcp.service.not-ready";
    return fail(seen, cause(this.run, code, seen, serviceValues(grant, this.#name)));
  }

  async #callPublicly(scope: CheckScope, grant: ServiceGrant): Promise<Verdict> {
    if (!this.run.allowPublicCanary) return notTested("the canary stays private: allow making it public for a moment with --allow-public-canary");
    if (!grant.permissions.includes("run.services.setIamPolicy")) return notTested("the contract does not let the platform make services public (cloudRun.publicAccess: platform does)");
    const policy = { bindings: [{ role: grantedRoles.runInvoker, members: ["allUsers"] }] };
    const answer = await askAsSession(this.run, { method: "POST", url: `${serviceUrl(grant, this.#name)}:setIamPolicy`, body: { policy } }, scope.signal);
    const right = { ...serviceRight(grant, this.#name, "update"), operation: "services.setIamPolicy", permission: "run.services.setIamPolicy", role: undefined };
    if (!answer.ok) {
      const seen = `services.setIamPolicy: ${describeAnswer(answer)}`;
      if (answer.kind === "refused" && answer.httpStatus === 400) return fail(seen, cause(this.run, "gcp.service.public-forbidden", seen, serviceValues(grant, this.#name)));
      return this.#refused(right, answer, false);
    }
    const visited = await visit(this.run, this.#uri, 200, scope.signal);
    if (visited.status === "failed") return unknown(`GET ${this.#uri}: ${visited.detail}`);
    const seen = `GET ${this.#uri} without a token, made public: ${visited.httpStatus}`;
    return visited.httpStatus === 200 ? pass(seen) : fail(seen, cause(this.run, "gcp.service.not-public", seen, serviceValues(grant, this.#name)));
  }

  async #remove(scope: CheckScope, grant: ServiceGrant): Promise<Verdict> {
    const answer = await this.#deleteService(grant, scope.signal);
    return answer.ok ? pass(serviceName(grant, this.#name)) : this.#refused(serviceRight(grant, this.#name, "delete"), answer, false);
  }

  async #deleteService(grant: ServiceGrant, signal: AbortSignal): Promise<GcpAnswer> {
    const answer = await askAsSession(this.run, { method: "DELETE", url: serviceUrl(grant, this.#name) }, signal);
    if (answer.ok || (answer.kind === "refused" && answer.httpStatus === 404)) this.#service = "none";
    return answer;
  }

  /** Also after a failure and Ctrl-C; what cannot be removed is said. */
  async #cleanUp(scope: CheckScope, signal: AbortSignal): Promise<void> {
    const { projectId, region } = this.parts.builds;
    await this.#cleanService(scope, signal);
    await this.#cleanStaged(scope, signal);
    for (const { id, ended } of this.#builds) {
      if (!ended && !(await this.#cancel(id, signal))) scope.leaves({ what: `build ${id}, which may still be under way`, remove: `gcloud builds cancel ${id} --region=${region} --project=${projectId}` });
    }
    if (this.#builds.length > 0) {
      scope.leaves({ what: `the image ${this.#image}, if the build got so far`, remove: `gcloud artifacts docker images delete ${this.#image} --delete-tags --project=${projectId}` });
    }
  }

  /** The role for starting builds has the right to cancel them. False where the build may go on. */
  async #cancel(id: string, signal: AbortSignal): Promise<boolean> {
    const answer = await askAsSession(this.run, { method: "POST", url: `${buildsUrl(this.parts.builds)}/${id}:cancel`, body: {} }, signal);
    // It was over by then.
    return answer.ok || (answer.kind === "refused" && answer.code === "FAILED_PRECONDITION");
  }

  async #cleanService(scope: CheckScope, signal: AbortSignal): Promise<void> {
    const { service } = this;
    if (!service) return;
    if (this.#service !== "none") await this.#deleteService(service, signal);
    if (this.#service === "none") return;
    scope.leaves({ what: `service ${this.#name}${this.#service === "there" ? "" : ", if it got so far"}`, remove: `gcloud run services delete ${this.#name} --region=${service.region} --project=${service.projectId}` });
  }

  async #cleanStaged(scope: CheckScope, signal: AbortSignal): Promise<void> {
    if (this.#staged === "nothing") return;
    const { bucket, permissions } = this.parts.staging;
    const leave = (why: string) => scope.leaves({ what: `${this.#staged === "there" ? "" : "perhaps "}the archive ${this.#object} in bucket ${bucket}${why}`, remove: `gcloud storage rm gs://${bucket}/${this.#object}` });
    if (!permissions.includes("storage.objects.delete")) {
      leave("");
      return;
    }
    const answer = await askAsSession(this.run, { method: "DELETE", url: `https://storage.googleapis.com/storage/v1/b/${bucket}/o/${encodeURIComponent(this.#object)}` }, signal);
    if (!answer.ok && !(answer.kind === "refused" && answer.httpStatus === 404)) leave(`, since deleting it was answered with ${describeAnswer(answer)}`);
  }
}
