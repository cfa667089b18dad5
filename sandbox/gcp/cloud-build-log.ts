/** A build's log: to Cloud Logging, to a bucket, or to both, as the account that the build runs as. https://cloud.google.com/build/docs/securing-builds/store-manage-build-logs */
import { BUCKETLESS_LOGGING, buildTexts } from "../../facts/gcp/cloud-build.js";
import { serviceAgentEmail } from "../../facts/gcp/identifiers.js";
import { DEFAULT_BUCKET_LOCATION, defaultBucketBindings } from "../../facts/gcp/storage.js";
import type { Build } from "./cloud-build-store.js";
import type { GcpServiceContext } from "./service.js";
import { bucketName } from "./storage-access.js";
import { StorageError } from "./storage-errors.js";
import { readSettings } from "./storage-settings.js";
import { StorageStore } from "./storage-store.js";
import { GcpError, type GcpCaller, type GcpProject, HTTP_STATUS } from "./types.js";

/** The log file could not be made, without which a build does not begin. */
export class LogFileRefused extends Error {}

interface LogFile {
  bucket: string;
  /** Name of the object. */
  object: string;
  writer: GcpCaller;
}

export class CloudBuildLog {
  #text = "";
  /** Characters that Cloud Logging has already. */
  #sent = 0;
  readonly #file: LogFile | undefined;
  #toLogging: boolean;

  constructor(
    private readonly context: GcpServiceContext,
    private readonly project: GcpProject,
    private readonly build: Build,
    private readonly account: GcpCaller,
  ) {
    const { logging = "LEGACY" } = build.options;
    this.#toLogging = logging !== "NONE" && logging !== "GCS_ONLY";
    this.#file = BUCKETLESS_LOGGING.includes(logging) ? undefined : this.#fileOf(build);
  }

  /** Makes the file, where there is to be one. Throws {@link LogFileRefused}. */
  async open(): Promise<void> {
    try {
      await this.#writeFile();
    } catch (error) {
      if (!(error instanceof GcpError)) throw error;
      const status = error instanceof StorageError ? error.httpStatus : HTTP_STATUS[error.status];
      const reason = error instanceof StorageError ? error.reason : "forbidden";
      throw new LogFileRefused(buildTexts.logFile(status, error.message, reason));
    }
  }

  write(text: string): void {
    this.#text += text;
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** A log that cannot be written is a warning, once. */
  async flush(): Promise<void> {
    const complete = this.#text.slice(this.#sent, this.#text.lastIndexOf("\n") + 1);
    this.#sent += complete.length;
    await Promise.all([this.#writeEntries(complete), this.#writeFile().catch(() => undefined)]);
  }

  async #writeEntries(text: string): Promise<void> {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (!this.#toLogging || lines.length === 0) return;
    const { projectId } = this.project;
    const { id } = this.build;
    try {
      await this.context.cloud.call(this.account, "POST", "https://logging.googleapis.com/v2/entries:write", {
        logName: `projects/${projectId}/logs/cloudbuild`,
        resource: { type: "build", labels: { build_id: id, build_trigger_id: "", project_id: projectId } },
        entries: lines.map((line) => ({ textPayload: line, severity: "INFO", labels: { build_step: /^(Step #\d+)/.exec(line)?.[1] ?? "MAIN" } })),
      });
    } catch {
      this.#toLogging = false;
      this.build.warnings = [...(this.build.warnings ?? []), { text: buildTexts.noLogWriting(this.build.serviceAccount), priority: "ALERT" }];
    }
  }

  async #writeFile(): Promise<void> {
    if (!this.#file) return;
    const { bucket, object, writer } = this.#file;
    await this.context.cloud.call(writer, "POST", `https://storage.googleapis.com/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(object)}`, Buffer.from(this.#text));
  }

  #fileOf({ id, logsBucket }: Build): LogFile {
    const [, bucket = "", folder = ""] = /^gs:\/\/([^/]+)\/?(.*?)\/?$/.exec(logsBucket ?? "") ?? [];
    const object = `${folder === "" ? "" : `${folder}/`}log-${id}.txt`;
    return bucket === defaultLogsBucket(this.project) ? { bucket, object, writer: serviceAgent(this.project) } : { bucket, object, writer: this.account };
  }
}

/** Of builds that have their logs kept by Cloud Build: it belongs to Google, and viewers of the project may read it. */
export function defaultLogsBucket({ projectNumber }: GcpProject): string {
  return `${projectNumber}.cloudbuild-logs.googleusercontent.com`;
}

/** Cloud Build itself, as policies know it. */
function serviceAgent({ projectNumber }: GcpProject): GcpCaller {
  const email = serviceAgentEmail("gcp-sa-cloudbuild", projectNumber);
  return { kind: "serviceAccount", name: email, members: [`serviceAccount:${email}`, "allUsers", "allAuthenticatedUsers"], scopes: [] };
}

export function createDefaultLogsBucket({ core, policies }: GcpServiceContext, project: GcpProject): void {
  const store = new StorageStore(core.store, core.clock);
  const name = defaultLogsBucket(project);
  if (store.bucket(name)) return;
  const now = store.now();
  const settings = readSettings({ body: { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } }, softDeletePolicy: { retentionDurationSeconds: "0" } }, over: undefined, before: undefined, locationType: "multi-region", now });
  store.putBucket({ name, ...project, location: DEFAULT_BUCKET_LOCATION, locationType: "multi-region", generation: "1", metageneration: 1, timeCreated: now, updated: now, settings });
  const bindings = defaultBucketBindings.map(({ role, of }) => ({ role, members: of.map((kind) => `${kind}:${project.projectId}`) }));
  policies.seed(bucketName(name), [...bindings, { role: "roles/storage.objectAdmin", members: [`serviceAccount:${serviceAgent(project).name}`] }]);
}
