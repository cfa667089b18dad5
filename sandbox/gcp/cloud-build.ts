/** Cloud Build in the sandbox: builds, which really build and push. https://cloud.google.com/build/docs/api/reference/rest */
import { randomUUID } from "node:crypto";
import { repositoryLocations, artifactTexts } from "../../facts/gcp/artifact-registry.js";
import { BUCKETLESS_LOGGING, CLOUD_BUILD_LIMITS, QUEUE_TTL_SECONDS, REGIONAL_USER_OWNED_BUCKET, type BuildStatus, buildStatuses, buildTexts } from "../../facts/gcp/cloud-build.js";
import { projectResource } from "./accounts.js";
import { BuildAccounts } from "./cloud-build-account.js";
import { readOrder, seconds, substitute } from "./cloud-build-input.js";
import { createDefaultLogsBucket, defaultLogsBucket } from "./cloud-build-log.js";
import { CloudBuildRun } from "./cloud-build-run.js";
import { resolveSource } from "./cloud-build-source.js";
import { type Build, type BuildRecord, CloudBuildStore } from "./cloud-build-store.js";
import { invalidArgument } from "./errors.js";
import { page } from "./iam-input.js";
import type { GcpRequest, GcpRoute, GcpService, GcpServiceContext } from "./service.js";
import { GcpError, type GcpCaller, type GcpProject } from "./types.js";

const API = "type.googleapis.com/google.devtools.cloudbuild.v1";
const GLOBAL = "global";
const PAGES = { usual: 50, most: CLOUD_BUILD_LIMITS.page.max };
/** Canonical codes of what builds that are over end with. https://grpc.io/docs/guides/status-codes/ */
const CODES: Readonly<Partial<Record<BuildStatus, number>>> = { FAILURE: 2, INTERNAL_ERROR: 13, TIMEOUT: 4, CANCELLED: 1, EXPIRED: 4 };

interface Place {
  project: GcpProject;
  location: string;
}

export function createCloudBuild(context: GcpServiceContext): GcpService {
  const store = new CloudBuildStore(context.core.store);
  const accounts = new BuildAccounts(context);
  const running = new Map<string, CloudBuildRun>();

  function require(caller: GcpCaller, { projectId }: GcpProject, permission: string): void {
    try {
      context.require(caller, permission, { name: projectResource(projectId), type: "cloudresourcemanager.googleapis.com/Project", projectId });
    } catch (error) {
      throw error instanceof GcpError && error.status === "PERMISSION_DENIED" ? new GcpError("PERMISSION_DENIED", buildTexts.denied) : error;
    }
  }

  function placeOf({ params }: GcpRequest): Place {
    const project = context.projectOf(params["project"] ?? "");
    const location = params["location"] ?? GLOBAL;
    if (location !== GLOBAL && !repositoryLocations.includes(location)) throw new GcpError("PERMISSION_DENIED", artifactTexts.locationDenied(location));
    return { project, location };
  }

  /** Refuses before it tells whether there is such a build. */
  function open(request: GcpRequest, permission: string): BuildRecord & Place {
    const place = placeOf(request);
    require(request.caller, place.project, permission);
    const record = store.find(place.project.projectId, place.location, request.params["build"] ?? "");
    if (!record) throw new GcpError("NOT_FOUND", buildTexts.notFound);
    return { ...record, ...place };
  }

  async function create(request: GcpRequest): Promise<object> {
    const place = placeOf(request);
    require(request.caller, place.project, "cloudbuild.builds.create");
    return start(request.caller, place, request.body);
  }

  async function start(caller: GcpCaller, { project, location }: Place, body: unknown): Promise<object> {
    const id = randomUUID();
    const given = readOrder(body);
    checkLogging(given, project);
    const account = accounts.startAs(caller, project, given.serviceAccount);
    const builtIn = { BUILD_ID: id, LOCATION: location, PROJECT_ID: project.projectId, PROJECT_NUMBER: project.projectNumber, SERVICE_ACCOUNT_EMAIL: account.email, SERVICE_ACCOUNT: account.name };
    const order = substitute(given, builtIn);
    const source = order.source && (await resolveSource(context, context.actAs(account.email), order.source.storageSource));
    const { logging } = order.options;
    const needsBucket = logging === undefined || !BUCKETLESS_LOGGING.includes(logging);
    if (needsBucket && order.logsBucket === undefined) createDefaultLogsBucket(context, project);
    const images = [...new Set([...(order.images ?? []), ...(order.artifacts?.images ?? [])])];
    const { artifacts: _, ...rest } = order;
    const build: Build = {
      ...rest,
      name: `projects/${project.projectNumber}/locations/${location}/builds/${id}`,
      id,
      projectId: project.projectId,
      status: "QUEUED",
      createTime: context.core.clock.now().toISOString(),
      timeout: order.timeout ?? `${seconds(order)}s`,
      queueTtl: order.queueTtl ?? `${QUEUE_TTL_SECONDS}s`,
      ...(images.length > 0 && { images, artifacts: { images } }),
      ...(needsBucket && { logsBucket: order.logsBucket ?? `gs://${defaultLogsBucket(project)}` }),
      sourceProvenance: source ? { resolvedStorageSource: source } : {},
      logUrl: `https://console.cloud.google.com/cloud-build/builds${location === GLOBAL ? "" : `;region=${location}`}/${id}?project=${project.projectNumber}`,
      serviceAccount: account.name,
    };
    const record: BuildRecord = { build, location, order: body };
    store.put(record);
    const run = new CloudBuildRun({ context, store, project }, record);
    running.set(id, run);
    const answer = operation(record);
    void run.run().finally(() => running.delete(id));
    return answer;
  }

  function list(request: GcpRequest): object {
    const { project, location } = placeOf(request);
    require(request.caller, project, "cloudbuild.builds.list");
    const wanted = statusesOf(request.query.get("filter") ?? "");
    return page("builds", store.list(project.projectId, location).filter(({ status }) => wanted.includes(status)), request, PAGES);
  }

  function cancel(request: GcpRequest): object {
    const record = open(request, "cloudbuild.builds.update");
    const { build } = record;
    if (build.finishTime !== undefined) throw new GcpError("FAILED_PRECONDITION", buildTexts.finished);
    running.get(build.id)?.cancel();
    build.status = "CANCELLED";
    if (!running.has(build.id)) store.put({ build: { ...build, finishTime: context.core.clock.now().toISOString() }, location: record.location, order: record.order });
    return build;
  }

  async function retry(request: GcpRequest): Promise<object> {
    const record = open(request, "cloudbuild.builds.create");
    return start(request.caller, record, record.order);
  }

  function getOperation(request: GcpRequest): object {
    const { params } = request;
    const id = Buffer.from(params["operation"] ?? "", "base64url").toString("utf8");
    return operation(open({ ...request, params: { ...params, build: id } }, "cloudbuild.builds.get"));
  }

  function defaultServiceAccount(request: GcpRequest): object {
    const { project, location } = placeOf(request);
    require(request.caller, project, "cloudbuild.builds.get");
    const serviceAccountEmail = `projects/${project.projectId}/serviceAccounts/${accounts.defaultEmail(project)}`;
    return { name: `projects/${project.projectNumber}/locations/${location}/defaultServiceAccount`, serviceAccountEmail };
  }

  const consumer = ({ params }: GcpRequest): string | undefined => params["project"];
  const route = (method: GcpRoute["method"], path: string, name: string, run: GcpRoute["run"]): GcpRoute => ({ method, path, operation: `cloudbuild:${name}`, consumer, run });
  const below = (prefix: string): GcpRoute[] => [
    route("POST", `${prefix}/builds`, "CreateBuild", create),
    route("GET", `${prefix}/builds`, "ListBuilds", async (request) => list(request)),
    route("GET", `${prefix}/builds/{build}`, "GetBuild", async (request) => open(request, "cloudbuild.builds.get").build),
    route("POST", `${prefix}/builds/{build}:cancel`, "CancelBuild", async (request) => cancel(request)),
    route("POST", `${prefix}/builds/{build}:retry`, "RetryBuild", retry),
  ];
  return {
    name: "cloudbuild",
    api: "cloudbuild.googleapis.com",
    serves: (host) => host === "cloudbuild.googleapis.com",
    routes: [
      ...below("/v1/projects/{project}"),
      ...below("/v1/projects/{project}/locations/{location}"),
      route("GET", "/v1/operations/build/{project}/{operation}", "GetOperation", async (request) => getOperation(request)),
      route("GET", "/v1/projects/{project}/locations/{location}/operations/{operation}", "GetOperation", async (request) => getOperation(request)),
      route("GET", "/v1/projects/{project}/locations/{location}/defaultServiceAccount", "GetDefaultServiceAccount", async (request) => defaultServiceAccount(request)),
    ],
  };
}

/** https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts#setting_up_build_logs */
function checkLogging({ serviceAccount, logsBucket, options }: ReturnType<typeof readOrder>, project: GcpProject): void {
  if (options.defaultLogsBucketBehavior === REGIONAL_USER_OWNED_BUCKET) {
    throw new GcpError("UNIMPLEMENTED", `The sandbox does not play ${REGIONAL_USER_OWNED_BUCKET}: name a logsBucket, or log with CLOUD_LOGGING_ONLY.`);
  }
  if (logsBucket !== undefined && !/^gs:\/\/[^/]+/.test(logsBucket)) throw invalidArgument(`invalid bucket "${logsBucket}": must be of the form gs://BUCKET`);
  const bucketless = options.logging !== undefined && BUCKETLESS_LOGGING.includes(options.logging);
  const ownBucket = logsBucket !== undefined && logsBucket !== `gs://${defaultLogsBucket(project)}`;
  if (serviceAccount !== undefined && !ownBucket && !bucketless) throw invalidArgument(buildTexts.loggingRequired);
}

/** Statuses that a filter such as `status="WORKING" OR status="QUEUED"` asks for; all where it asks for none. */
function statusesOf(filter: string): readonly BuildStatus[] {
  const terms = filter.split(/\s+OR\s+/).filter((term) => term.trim() !== "");
  const named = terms.map((term) => /^\(?\s*status\s*=\s*"?(\w+)"?\s*\)?$/.exec(term.trim())?.[1]);
  const wanted = buildStatuses.filter((status) => named.includes(status));
  if (wanted.length !== new Set(named).size) throw invalidArgument(`Invalid filter: ${filter} (the sandbox knows status="…", joined by OR)`);
  return terms.length === 0 ? buildStatuses : wanted;
}

function operation({ build, location }: BuildRecord): object {
  const id = Buffer.from(build.id).toString("base64url");
  const over = build.finishTime !== undefined;
  const code = CODES[build.status];
  const outcome = code === undefined ? { response: { "@type": `${API}.Build`, ...build } } : { error: { code, message: build.status === "FAILURE" ? buildTexts.failed : (build.statusDetail ?? build.status) } };
  return {
    name: location === GLOBAL ? `operations/build/${build.projectId}/${id}` : `projects/${build.projectId}/locations/${location}/operations/${id}`,
    metadata: { "@type": `${API}.BuildOperationMetadata`, build: structuredClone(build) },
    ...(over && { done: true, ...outcome }),
  };
}
