/** One build from its queue to its end, done as the account that it runs as. */
import { setImmediate, setTimeout as pause } from "node:timers/promises";
import { posix } from "node:path";
import { type BuildStatus, builders, buildTexts } from "../../facts/gcp/cloud-build.js";
import { type DockerHost, PushError, dockerProgram, named } from "../build/docker.js";
import { BuildFiles } from "../build/files.js";
import { basicPrograms } from "../build/programs.js";
import { Interrupted, type Program, Shell } from "../build/shell.js";
import { gcloudProgram } from "./cloud-build-gcloud.js";
import { seconds } from "./cloud-build-input.js";
import { CloudBuildLog, LogFileRefused } from "./cloud-build-log.js";
import { BuildRegistry } from "./cloud-build-registry.js";
import { FetchError, fetchSource } from "./cloud-build-source.js";
import type { BuildRecord, BuildStep, CloudBuildStore, FailureType, TimeSpan } from "./cloud-build-store.js";
import type { GcpServiceContext } from "./service.js";
import type { GcpCaller, GcpProject } from "./types.js";

export interface BuildRunParts {
  context: GcpServiceContext;
  store: CloudBuildStore;
  project: GcpProject;
}

const WORKSPACE = "/workspace";
/** Real milliseconds between two looks at the sandbox's clock. */
const TICK_MS = 20;

class BuildFailed extends Error {
  constructor(
    readonly type: FailureType,
    readonly detail: string,
  ) {
    super(detail);
  }
}

export class CloudBuildRun {
  #cancelled = false;
  readonly #files = new BuildFiles();
  readonly #deadline: number;

  constructor(
    private readonly parts: BuildRunParts,
    private readonly record: BuildRecord,
  ) {
    this.#deadline = Date.parse(record.build.createTime) + seconds(record.build) * 1000;
  }

  /** Ends the build before its next program. */
  cancel(): void {
    this.#cancelled = true;
  }

  async run(): Promise<void> {
    await setImmediate();
    const { build } = this.record;
    build.status = "WORKING";
    build.startTime = this.#now();
    this.#save();
    let log: CloudBuildLog | undefined;
    try {
      const account = this.parts.context.actAs(build.serviceAccount.slice(build.serviceAccount.lastIndexOf("/") + 1));
      log = new CloudBuildLog(this.parts.context, this.parts.project, build, account);
      await this.#phases(log, account);
      this.#end("SUCCESS");
    } catch (error) {
      this.#failed(error, log);
    }
    await log?.flush();
    this.#save();
  }

  async #phases(log: CloudBuildLog, account: GcpCaller): Promise<void> {
    const { build } = this.record;
    log.line(`starting build "${build.id}"\n`);
    await log.open();
    log.line("FETCHSOURCE");
    await this.#timed("FETCHSOURCE", () => this.#fetch(log, account));
    const { clock } = this.parts.context.core;
    const docker: DockerHost = { hasDaemon: true, architecture: "amd64", clock, registry: new BuildRegistry(this.parts.context, account), images: new Map() };
    log.line("BUILD");
    await this.#timed("BUILD", async () => {
      for (const [index, step] of build.steps.entries()) await this.#step(index, step, { log, account, docker });
    });
    if ((build.images ?? []).length > 0) {
      log.line("PUSH");
      await this.#timed("PUSH", async () => {
        for (const image of build.images ?? []) await this.#push(image, docker, log);
      });
    }
    log.line("DONE");
  }

  async #fetch(log: CloudBuildLog, account: GcpCaller): Promise<void> {
    this.#files.addFolder(WORKSPACE);
    const source = this.record.build.sourceProvenance?.resolvedStorageSource;
    if (!source) return;
    log.line(`Fetching storage object: gs://${source.bucket}/${source.object}#${source.generation ?? ""}`);
    try {
      for (const { path, data } of await fetchSource(this.parts.context, account, source)) this.#files.write(`${WORKSPACE}/${path}`, data);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      log.line(error.message);
      throw new BuildFailed("FETCH_SOURCE_FAILED", error.message);
    }
  }

  async #step(index: number, step: BuildStep, { log, account, docker }: { log: CloudBuildLog; account: GcpCaller; docker: DockerHost }): Promise<void> {
    const { build } = this.record;
    const label = `Step #${index}${step.id === undefined ? "" : ` - "${step.id}"`}`;
    const prefix = build.steps.length > 1 ? `${label}: ` : "";
    const image = step.name.replace(/@sha256:.*$|:[^/]*$/g, "");
    const builder = builders.find((each) => each.image.test(image));
    if (prefix !== "") log.line(`Starting ${label}`);
    step.status = "WORKING";
    step.timing = { startTime: this.#now() };
    this.#save();
    const code = builder ? await this.#execute(step, builder.program, linesTo(log, prefix), { account, docker }) : 125;
    step.timing.endTime = this.#now();
    step.status = code === 0 ? "SUCCESS" : "FAILURE";
    if (code === 0 || step.allowFailure === true) {
      if (prefix !== "") log.line(`Finished ${label}`);
      await log.flush();
      this.#save();
      return;
    }
    step.exitCode = code;
    const detail = builder ? buildTexts.stepFailed(index, step.name, code) : buildTexts.builderMissing(index, step.name);
    throw new BuildFailed("USER_BUILD_STEP", detail);
  }

  /** Answers the exit status. */
  async #execute(step: BuildStep, program: string | undefined, out: (text: string) => void, { account, docker }: { account: GcpCaller; docker: DockerHost }): Promise<number> {
    const { context, project } = this.parts;
    const { build, location } = this.record;
    out(`Already have image (with digest): ${step.name}\n`);
    const variables = [...(build.options.env ?? []), ...(step.env ?? [])].map((each): [string, string] => [each.split("=")[0] ?? "", each.slice(each.indexOf("=") + 1)]);
    const programs: Record<string, Program> = {
      ...basicPrograms((duration) => this.#sleep(duration), () => context.core.clock.now()),
      sh: shellProgram,
      bash: shellProgram,
      docker: dockerProgram(docker),
      gcloud: gcloudProgram({ cloud: context.cloud, caller: account, projectId: project.projectId }),
    };
    const shell = new Shell({
      files: this.#files,
      folder: posix.resolve(WORKSPACE, step.dir ?? ""),
      programs,
      variables: { BUILDER_OUTPUT: "/builder/outputs", HOME: "/builder/home", LOCATION: location, PROJECT_ID: project.projectId, ...Object.fromEntries(variables) },
      checkpoint: () => this.#checkpoint(),
    });
    if (step.script !== undefined) return shell.run(step.script.replace(/^#!.*\n/, ""), out);
    const [name = "", ...args] = [step.entrypoint ?? program, ...(step.args ?? [])].filter((each) => each !== undefined);
    return shell.exec(name.slice(name.lastIndexOf("/") + 1), args, out);
  }

  async #push(name: string, { images, registry }: DockerHost, log: CloudBuildLog): Promise<void> {
    this.#checkpoint();
    const tagged = named(name);
    const image = images.get(tagged);
    if (!image) throw new BuildFailed("PUSH_IMAGE_NOT_FOUND", buildTexts.imageMissing(name));
    const startTime = this.#now();
    log.line(`Pushing ${name}`);
    log.line(`The push refers to repository [${tagged.replace(/:[\w.-]+$/, "")}]`);
    try {
      await registry.push(tagged, image, (line) => log.line(line));
    } catch (error) {
      if (!(error instanceof PushError)) throw error;
      log.line(error.message);
      throw new BuildFailed("PUSH_FAILED", buildTexts.pushFailed(name));
    }
    const results = (this.record.build.results ??= { images: [], buildStepImages: [] });
    results.images.push({ name, digest: image.digest, pushTiming: { startTime, endTime: this.#now() } });
    await log.flush();
  }

  #failed(error: unknown, log: CloudBuildLog | undefined): void {
    if (error instanceof Interrupted) {
      const late = !this.#cancelled;
      log?.line(late ? "TIMEOUT\nERROR: context deadline exceeded" : "CANCELLED\nERROR: context canceled");
      this.#end(late ? "TIMEOUT" : "CANCELLED", late ? `timed out after ${this.record.build.timeout}` : undefined);
      return;
    }
    if (error instanceof BuildFailed || error instanceof LogFileRefused) {
      const type = error instanceof BuildFailed ? error.type : "LOGGING_FAILURE";
      log?.line(`ERROR\nERROR: ${error.message}`);
      this.record.build.failureInfo = { type, detail: type === "USER_BUILD_STEP" ? `Build step failure: ${error.message}` : error.message };
      this.#end("FAILURE", this.record.build.failureInfo.detail);
      return;
    }
    this.#end("INTERNAL_ERROR", error instanceof Error ? error.message : String(error));
  }

  #end(status: BuildStatus, detail?: string): void {
    const { build } = this.record;
    for (const step of build.steps) {
      if (step.status === "WORKING") step.status = status;
      else step.status ??= "QUEUED";
    }
    build.status = status;
    build.finishTime = this.#now();
    if (detail !== undefined) build.statusDetail = detail;
  }

  async #timed(phase: "FETCHSOURCE" | "BUILD" | "PUSH", work: () => Promise<void>): Promise<void> {
    const span: TimeSpan = { startTime: this.#now() };
    (this.record.build.timing ??= {})[phase] = span;
    try {
      await work();
    } finally {
      span.endTime = this.#now();
    }
  }

  /** Throws {@link Interrupted} when the build was cancelled, has had its time, or is no longer there. */
  #checkpoint(): void {
    if (this.#cancelled || this.parts.context.core.clock.now().getTime() > this.#deadline || !this.#exists()) throw new Interrupted();
  }

  async #sleep(duration: number): Promise<void> {
    const { clock } = this.parts.context.core;
    const until = clock.now().getTime() + duration * 1000;
    while (clock.now().getTime() < until) {
      this.#checkpoint();
      await pause(TICK_MS, undefined, { ref: false });
    }
  }

  #exists(): boolean {
    const { build, location } = this.record;
    return this.parts.store.find(build.projectId, location, build.id) !== undefined;
  }

  /** A build that is no longer in the store was taken away by the administrator: it stays away. */
  #save(): void {
    if (this.#exists()) this.parts.store.put(this.record);
  }

  #now(): string {
    return this.parts.context.core.clock.now().toISOString();
  }
}

/** `sh -c SCRIPT`. */
const shellProgram: Program = ({ name, args, shell, out, err }) => {
  const [options = "", script] = args;
  if (/^-[a-z]*c$/.test(options) && script !== undefined) return shell.run(`${/e/.test(options) ? "set -e\n" : ""}${script}`, out);
  const file = shell.files.read(shell.path(args.find((arg) => !arg.startsWith("-")) ?? ""));
  if (file) return shell.run(file.toString("utf8").replace(/^#!.*\n/, ""), out);
  err(`${name}: ${args.join(" ")}: No such file or directory\n`);
  return 127;
};

/** Puts the step's name before every line, however the output is cut. */
function linesTo(log: CloudBuildLog, prefix: string): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) log.line(`${prefix}${line}`);
  };
}
