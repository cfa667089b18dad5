/** What CodeBuild keeps: projects, builds, quotas. All in one region each. */
import type { BuildPhaseName, EnvironmentType } from "../../facts/aws/codebuild.js";
import { codeBuildDefaults } from "../../facts/aws/codebuild.js";
import type { ResourceStore } from "../types.js";

export interface EnvironmentVariable {
  name: string;
  value: string;
  type: "PLAINTEXT";
}

export interface ProjectEnvironment {
  type: EnvironmentType;
  image: string;
  computeType: string;
  environmentVariables: EnvironmentVariable[];
  privilegedMode: boolean;
  imagePullCredentialsType: "CODEBUILD" | "SERVICE_ROLE";
}

export interface ProjectSource {
  type: "NO_SOURCE" | "S3";
  /** `bucket/key` of a ZIP archive. */
  location?: string | undefined;
  buildspec?: string | undefined;
}

export interface LogsConfig {
  cloudWatchLogs: { status: "ENABLED" | "DISABLED"; groupName?: string | undefined; streamName?: string | undefined };
}

export interface VpcConfig {
  vpcId?: string | undefined;
  subnets?: string[] | undefined;
  securityGroupIds?: string[] | undefined;
}

/** What a project and each of its builds have. */
export interface BuildSettings {
  source: ProjectSource;
  environment: ProjectEnvironment;
  /** ARN. */
  serviceRole: string;
  timeoutInMinutes: number;
  queuedTimeoutInMinutes: number;
  /** ARN of a KMS key or alias. */
  encryptionKey: string;
  vpcConfig?: VpcConfig | undefined;
  logsConfig: LogsConfig;
}

export interface ProjectRecord extends BuildSettings {
  accountId: string;
  region: string;
  name: string;
  arn: string;
  description?: string | undefined;
  tags: { key: string; value: string }[];
  concurrentBuildLimit?: number | undefined;
  /** Milliseconds since 1970, as all times here. */
  created: number;
  lastModified: number;
  lastBuildNumber: number;
}

export type BuildStatus = "SUCCEEDED" | "FAILED" | "FAULT" | "TIMED_OUT" | "IN_PROGRESS" | "STOPPED";

export interface PhaseRecord {
  phaseType: BuildPhaseName;
  phaseStatus?: BuildStatus;
  startTime: number;
  endTime?: number;
  contexts?: { statusCode: string; message: string }[];
}

export interface BuildRecord extends BuildSettings {
  accountId: string;
  region: string;
  projectName: string;
  projectArn: string;
  /** `<project>:<uuid>`. */
  id: string;
  uuid: string;
  arn: string;
  buildNumber: number;
  startTime: number;
  endTime?: number;
  currentPhase: BuildPhaseName;
  buildStatus: BuildStatus;
  phases: PhaseRecord[];
  initiator: string;
  /** Absent where logs are switched off, and until the stream exists. */
  logs?: { groupName: string; streamName: string };
  idempotencyToken?: string | undefined;
}

const PROJECT = "aws:codebuild/project";
const BUILD = "aws:codebuild/build";
/** `{ concurrentBuilds }` by `<account>/<region>`; the administrator sets it. */
const QUOTA = "aws:codebuild/quota";
export const CODEBUILD_TYPES = [PROJECT, BUILD, QUOTA];

export class CodeBuildStore {
  constructor(private readonly store: ResourceStore) {}

  project(accountId: string, region: string, name: string): ProjectRecord | undefined {
    return this.store.get<ProjectRecord>(PROJECT, `${accountId}/${region}/${name}`);
  }

  projects(accountId: string, region: string): ProjectRecord[] {
    return this.#in<ProjectRecord>(PROJECT, accountId, region);
  }

  putProject(project: ProjectRecord): void {
    this.store.put(PROJECT, `${project.accountId}/${project.region}/${project.name}`, project);
  }

  deleteProject(project: ProjectRecord): void {
    this.store.delete(PROJECT, `${project.accountId}/${project.region}/${project.name}`);
  }

  build(accountId: string, region: string, id: string): BuildRecord | undefined {
    return this.store.get<BuildRecord>(BUILD, `${accountId}/${region}/${id}`);
  }

  builds(accountId: string, region: string): BuildRecord[] {
    return this.#in<BuildRecord>(BUILD, accountId, region);
  }

  putBuild(build: BuildRecord): void {
    this.store.put(BUILD, `${build.accountId}/${build.region}/${build.id}`, build);
  }

  /** How many builds may be under way at a time. */
  concurrentBuilds(accountId: string, region: string): number {
    return this.store.get<{ concurrentBuilds: number }>(QUOTA, `${accountId}/${region}`)?.concurrentBuilds ?? codeBuildDefaults.concurrentBuilds;
  }

  #in<T extends { accountId: string; region: string }>(type: string, accountId: string, region: string): T[] {
    return this.store
      .list<T>(type)
      .map(({ value }) => value)
      .filter((value) => value.accountId === accountId && value.region === region);
  }
}
