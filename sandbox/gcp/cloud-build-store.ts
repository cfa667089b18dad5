/** What Cloud Build keeps: builds in the shape of its API. https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
import type { BuildStatus, LoggingMode } from "../../facts/gcp/cloud-build.js";
import type { ResourceStore } from "../types.js";

export interface TimeSpan {
  startTime?: string;
  endTime?: string;
}

export interface BuildStep {
  name: string;
  args?: string[] | undefined;
  env?: string[] | undefined;
  dir?: string | undefined;
  id?: string | undefined;
  entrypoint?: string | undefined;
  script?: string | undefined;
  /** Kept and shown: steps run in their order here. */
  waitFor?: string[] | undefined;
  allowFailure?: boolean | undefined;
  /** Output only. */
  status?: BuildStatus;
  timing?: TimeSpan;
  exitCode?: number;
}

export interface StorageSource {
  bucket: string;
  object: string;
  generation?: string | undefined;
}

export interface BuildOptions {
  logging?: LoggingMode | undefined;
  substitutionOption?: "MUST_MATCH" | "ALLOW_LOOSE" | undefined;
  defaultLogsBucketBehavior?: string | undefined;
  env?: string[] | undefined;
}

/** https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#FailureType */
export type FailureType = "PUSH_FAILED" | "PUSH_IMAGE_NOT_FOUND" | "LOGGING_FAILURE" | "USER_BUILD_STEP" | "FETCH_SOURCE_FAILED";

export interface Build {
  /** `projects/NUMBER/locations/LOCATION/builds/ID` */
  name: string;
  id: string;
  projectId: string;
  status: BuildStatus;
  statusDetail?: string;
  source?: { storageSource: StorageSource } | undefined;
  steps: BuildStep[];
  results?: { images: { name: string; digest: string; pushTiming: TimeSpan }[]; buildStepImages: string[] };
  createTime: string;
  startTime?: string;
  finishTime?: string;
  timeout: string;
  images?: string[] | undefined;
  artifacts?: { images: string[] } | undefined;
  queueTtl: string;
  /** `gs://BUCKET` or a folder in it. */
  logsBucket?: string | undefined;
  sourceProvenance?: { resolvedStorageSource?: StorageSource };
  options: BuildOptions;
  logUrl: string;
  substitutions?: Record<string, string> | undefined;
  tags?: string[] | undefined;
  timing?: Partial<Record<"FETCHSOURCE" | "BUILD" | "PUSH", TimeSpan>>;
  /** `projects/P/serviceAccounts/EMAIL` */
  serviceAccount: string;
  warnings?: { text: string; priority: "INFO" | "WARNING" | "ALERT" }[];
  failureInfo?: { type: FailureType; detail: string };
}

/** A build, and what its API does not show. */
export interface BuildRecord {
  build: Build;
  location: string;
  /** As the caller gave it, for another try. */
  order: unknown;
}

const BUILD = "gcp:cloudbuild/build";

const idOf = (projectId: string, location: string, id: string): string => `projects/${projectId}/locations/${location}/builds/${id}`;

export class CloudBuildStore {
  constructor(private readonly store: ResourceStore) {}

  find(projectId: string, location: string, id: string): BuildRecord | undefined {
    return this.store.get<BuildRecord>(BUILD, idOf(projectId, location, id));
  }

  /** Newest first. */
  list(projectId: string, location: string): Build[] {
    const prefix = idOf(projectId, location, "");
    const found = this.store.list<BuildRecord>(BUILD).flatMap(({ id, value }) => (id.startsWith(prefix) ? [value.build] : []));
    return found.sort((a, b) => (a.createTime < b.createTime ? 1 : -1));
  }

  put(record: BuildRecord): void {
    const { build, location } = record;
    this.store.put(BUILD, idOf(build.projectId, location, build.id), record);
  }
}
