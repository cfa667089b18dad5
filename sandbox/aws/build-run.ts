/** One build from provisioning to its end. */
import { setImmediate, setTimeout as pause } from "node:timers/promises";
import { CODEBUILD_PRINCIPAL, type BuildPhaseName, environmentTypes, phaseFailures } from "../../facts/aws/codebuild.js";
import { ArchiveError, readZip } from "../build/archive.js";
import { dockerProgram } from "../build/docker.js";
import { awsProgram } from "./build-cli.js";
import { BuildCloud } from "./build-cloud.js";
import { EcrRegistry } from "./build-registry.js";
import { BuildFiles } from "../build/files.js";
import { BuildLog } from "./build-log.js";
import { basicPrograms } from "../build/programs.js";
import { Interrupted, Shell } from "../build/shell.js";
import { type Buildspec, BuildspecError, type BuildspecPhase, readBuildspec } from "./build-spec.js";
import type { BuildRecord, BuildStatus, CodeBuildStore } from "./codebuild-store.js";
import { isImmutable } from "./ecr-images.js";
import { EcrStore } from "./ecr-store.js";
import { type CallAs, assumableRole, serviceSession } from "./service-role.js";
import type { AwsServiceContext } from "./service.js";
import { AwsError, type AwsCaller } from "./types.js";

export interface BuildRunParts {
  context: AwsServiceContext;
  callAs: CallAs;
  store: CodeBuildStore;
}

/** Why a phase failed. */
interface Failure {
  statusCode: string;
  message: string;
}

class PhaseFailed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** A subnet that has a way out is in the store as `{ egress: true }`; one that is not has none. */
export const SUBNET = "aws:ec2/subnet";
const SOURCE_FOLDER = "/codebuild/output/src";
/** Real milliseconds between two looks at the sandbox's clock. */
const TICK_MS = 20;

export class BuildRun {
  #stopped = false;
  #succeeding = true;

  constructor(
    private readonly parts: BuildRunParts,
    private readonly build: BuildRecord,
  ) {}

  /** Ends the build at its next command. */
  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    await setImmediate();
    try {
      this.#end("QUEUED", "SUCCEEDED");
      await this.#phases();
      this.#complete(this.#succeeding ? "SUCCEEDED" : "FAILED");
    } catch (error) {
      if (error instanceof PhaseFailed) this.#fail("FAILED", error.failure);
      else if (!(error instanceof Interrupted)) this.#fail("FAULT", { ...phaseFailures.fault(), message: `The sandbox failed at this build: ${error instanceof Error ? error.message : String(error)}` });
      else if (this.#stopped) this.#fail("STOPPED");
      else if (this.#exists()) this.#fail("TIMED_OUT", phaseFailures.timeout(this.build.timeoutInMinutes));
    }
  }

  async #phases(): Promise<void> {
    this.#begin("PROVISIONING");
    const session = this.#session();
    const log = await this.#openLog(session);
    this.#end("PROVISIONING", "SUCCEEDED");
    const cloud = new BuildCloud(this.parts.callAs, session, this.#hasEgress());
    const files = new BuildFiles();

    this.#begin("DOWNLOAD_SOURCE");
    log.say("Waiting for agent ping");
    const buildspec = await this.#source(files, cloud);
    const shell = this.#shell(files, cloud, buildspec);
    this.#end("DOWNLOAD_SOURCE", "SUCCEEDED");

    for (const phase of buildspec.phases) {
      // Only a failed BUILD lets POST_BUILD run.
      if (!this.#succeeding && !(phase.phase === "POST_BUILD" && this.#statusOf("BUILD") === "FAILED")) continue;
      await this.#commands(phase, shell, log);
    }
    const built = this.#statusOf("POST_BUILD") !== undefined;
    for (const phase of [...(built ? (["UPLOAD_ARTIFACTS"] as const) : []), "FINALIZING" as const]) {
      this.#begin(phase);
      this.#end(phase, "SUCCEEDED");
    }
  }

  /** The role may have changed since the project was made. */
  #session(): AwsCaller {
    const { serviceRole, projectArn, accountId, region, uuid } = this.build;
    const role = assumableRole(this.parts.context, serviceRole, { service: CODEBUILD_PRINCIPAL, sourceArn: projectArn, sourceAccount: accountId }, region);
    if (!role) throw new PhaseFailed(phaseFailures.role(serviceRole));
    const session = serviceSession(role, `AWSCodeBuild-${uuid}`);
    if (this.build.vpcConfig && !this.#mayUseNetwork(session)) throw new PhaseFailed(phaseFailures.network());
    return session;
  }

  /** https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html#customer-managed-policies-example-create-vpc-network-interface */
  #mayUseNetwork(caller: AwsCaller): boolean {
    const { accountId, region, arn } = this.build;
    const resource = `arn:${arn.split(":")[1] ?? "aws"}:ec2:${region}:${accountId}:network-interface/*`;
    const request = { caller, region, input: {}, context: { "aws:SecureTransport": "true" } };
    return this.parts.context.authoriser.decide({ request, action: "ec2:CreateNetworkInterface", resource, resourceAccountId: accountId }).allowed;
  }

  #isImmutable({ account, region, repository, tag }: { account: string; region: string; repository: string; tag: string }): boolean {
    const found = new EcrStore(this.parts.context.core.store).repository(account, region, repository);
    return found !== undefined && isImmutable(found, tag);
  }

  #hasEgress(): boolean {
    const { vpcConfig } = this.build;
    const { store } = this.parts.context.core;
    return !vpcConfig || (vpcConfig.subnets ?? []).every((subnet) => store.get<{ egress?: boolean }>(SUBNET, subnet)?.egress === true);
  }

  async #openLog(session: AwsCaller): Promise<BuildLog> {
    const { logsConfig, projectName, uuid, region, serviceRole, arn } = this.build;
    const { status, groupName, streamName } = logsConfig.cloudWatchLogs;
    const place = status === "DISABLED" ? undefined : { groupName: groupName ?? `/aws/codebuild/${projectName}`, streamName: streamName === undefined ? uuid : `${streamName}/${uuid}` };
    const log = new BuildLog(this.parts.callAs, session, region, this.parts.context.core.clock, place);
    try {
      await log.open();
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new PhaseFailed(phaseFailures.logs(serviceRole, arn, error.message));
    }
    if (place) this.build.logs = place;
    this.#save();
    return log;
  }

  async #source(files: BuildFiles, cloud: BuildCloud): Promise<Buildspec> {
    const { type, location, buildspec = "buildspec.yml" } = this.build.source;
    files.addFolder(SOURCE_FOLDER);
    if (type === "S3") await this.#download(files, cloud, location ?? "");
    try {
      if (/^\s*(?:version\s*:|\{)|\n/.test(buildspec)) return readBuildspec(buildspec);
      const file = files.read(`${SOURCE_FOLDER}/${buildspec}`);
      if (!file) throw new BuildspecError(`stat ${SOURCE_FOLDER}/${buildspec}: no such file or directory`);
      return readBuildspec(file.toString("utf8"));
    } catch (error) {
      if (!(error instanceof BuildspecError)) throw error;
      throw new PhaseFailed(phaseFailures.buildspec(error.message));
    }
  }

  async #download(files: BuildFiles, cloud: BuildCloud, location: string): Promise<void> {
    const [, Bucket = "", Key = ""] = /^(?:arn:[^:]+:s3:::)?([^/]+)\/(.*)$/.exec(location) ?? [];
    try {
      const { Body } = await cloud.call("s3", "GetObject", { Bucket, Key }, this.build.region);
      for (const { path, data } of readZip(Buffer.from(Body as Uint8Array))) files.write(`${SOURCE_FOLDER}/${path}`, data);
    } catch (error) {
      if (error instanceof AwsError) throw new PhaseFailed(phaseFailures.sourceDenied(`${error.message} for primary source`));
      if (error instanceof ArchiveError) throw new PhaseFailed(phaseFailures.sourceDenied(`${error.message} for primary source`));
      throw error;
    }
  }

  #shell(files: BuildFiles, cloud: BuildCloud, buildspec: Buildspec): Shell {
    const { clock } = this.parts.context.core;
    const { environment, id, arn, buildNumber, projectArn, initiator, region, startTime } = this.build;
    const given = Object.fromEntries(environment.environmentVariables.map(({ name, value }) => [name, value]));
    const { architecture } = environmentTypes[environment.type];
    return new Shell({
      files,
      folder: SOURCE_FOLDER,
      programs: {
        ...basicPrograms((seconds) => this.#sleep(seconds), () => clock.now()),
        aws: awsProgram(cloud),
        docker: dockerProgram({ hasDaemon: environment.privilegedMode, architecture, clock, registry: new EcrRegistry(cloud, (place) => this.#isImmutable(place)), images: new Map() }),
      },
      // https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
      variables: {
        AWS_DEFAULT_REGION: region,
        AWS_REGION: region,
        CODEBUILD_BUILD_ARN: arn,
        CODEBUILD_BUILD_ID: id,
        CODEBUILD_BUILD_IMAGE: environment.image,
        CODEBUILD_BUILD_NUMBER: String(buildNumber),
        CODEBUILD_BUILD_SUCCEEDING: "1",
        CODEBUILD_CI: "true",
        CODEBUILD_INITIATOR: initiator,
        CODEBUILD_PROJECT_ARN: projectArn,
        CODEBUILD_SRC_DIR: SOURCE_FOLDER,
        CODEBUILD_START_TIME: String(startTime),
        HOME: "/root",
        ...buildspec.variables,
        ...given,
      },
      checkpoint: () => this.#checkpoint(),
    });
  }

  async #commands({ phase, commands, finally: always, continueOnFailure }: BuildspecPhase, shell: Shell, log: BuildLog): Promise<void> {
    this.#begin(phase);
    log.say(`Entering phase ${phase}`);
    try {
      const failed = await this.#sequence(commands, shell, log);
      const failure = (await this.#sequence(always, shell, log)) ?? failed;
      const status = failure ? "FAILED" : "SUCCEEDED";
      if (failure && !continueOnFailure) {
        this.#succeeding = false;
        shell.variables.set("CODEBUILD_BUILD_SUCCEEDING", "0");
      }
      log.say(`Phase complete: ${phase} State: ${status}`);
      log.say(`Phase context status code: ${failure?.statusCode ?? ""} Message: ${failure?.message ?? ""}`);
      this.#end(phase, status, failure);
    } finally {
      await log.flush();
    }
  }

  /** Runs commands up to the first that fails. */
  async #sequence(commands: readonly string[], shell: Shell, log: BuildLog): Promise<Failure | undefined> {
    for (const command of commands) {
      this.#checkpoint();
      log.say(`Running command ${command.trimEnd()}`);
      const status = await shell.run(command, (text) => log.write(text));
      if (status !== 0) {
        log.write("\n");
        log.say(`Command did not exit successfully ${command.trimEnd()} exit status ${status}`);
        return phaseFailures.command(command.trimEnd(), status);
      }
      await log.flush();
    }
    return undefined;
  }

  /** Throws {@link Interrupted} when the build was stopped, has had its time, or is no longer there. */
  #checkpoint(): void {
    const deadline = this.build.startTime + this.build.timeoutInMinutes * 60_000;
    if (this.#stopped || this.parts.context.core.clock.now().getTime() > deadline || !this.#exists()) throw new Interrupted();
  }

  async #sleep(seconds: number): Promise<void> {
    const { clock } = this.parts.context.core;
    const until = clock.now().getTime() + seconds * 1000;
    while (clock.now().getTime() < until) {
      this.#checkpoint();
      await pause(TICK_MS, undefined, { ref: false });
    }
  }

  #exists(): boolean {
    const { accountId, region, id } = this.build;
    return this.parts.store.build(accountId, region, id) !== undefined;
  }

  #statusOf(phase: BuildPhaseName): BuildStatus | undefined {
    return this.build.phases.find(({ phaseType }) => phaseType === phase)?.phaseStatus;
  }

  #begin(phase: BuildPhaseName): void {
    this.build.currentPhase = phase;
    this.build.phases.push({ phaseType: phase, phaseStatus: "IN_PROGRESS", startTime: this.#now() });
    this.#save();
  }

  #end(phase: BuildPhaseName, status: BuildStatus, failure?: Failure): void {
    const record = this.build.phases.find(({ phaseType }) => phaseType === phase);
    if (!record) return;
    record.phaseStatus = status;
    record.endTime = this.#now();
    record.contexts = [{ statusCode: failure?.statusCode ?? "", message: failure?.message ?? "" }];
    this.#save();
  }

  #fail(status: BuildStatus, failure?: Failure): void {
    this.#end(this.build.currentPhase, status, failure);
    this.#complete(status);
  }

  #complete(status: BuildStatus): void {
    const now = this.#now();
    this.build.currentPhase = "COMPLETED";
    this.build.phases.push({ phaseType: "COMPLETED", startTime: now });
    this.build.buildStatus = status;
    this.build.endTime = now;
    this.#save();
  }

  /** A build that is no longer in the store was taken away by the administrator: it stays away. */
  #save(): void {
    if (this.#exists()) this.parts.store.putBuild(this.build);
  }

  #now(): number {
    return this.parts.context.core.clock.now().getTime();
  }
}
