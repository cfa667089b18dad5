/**
 * The whole way, as the platform goes it: an archive staged, a build, a function that answers by its URL, a second build
 * that updates it, everything removed that the granted rights can remove. All under names of its own.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { dcfPermissionStatements } from "../../facts/aws/dcf-buildspec.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { fetchDocument, type Fetched } from "../network.js";
import { ask, describeAnswer, isOverload, type AwsAnswer } from "./answers.js";
import { buildDiagnosis, describeBuild, type Deployment } from "./build-diagnosis.js";
import { canaryArchive } from "./canary-archive.js";
import { runBuild } from "./canary-build.js";
import { lastingResidue, type StartedBuild } from "./canary-residue.js";
import { canaryKey, stagingGrant } from "./canary-staging.js";
import type { BuildGrant } from "./codebuild.js";
import { canaryName, functionArn, lambdaOf, type FunctionsGrant } from "./lambda.js";
import { refusedVerdict, type RoleCall } from "./role-calls.js";
import { cause, type AwsRun } from "./run.js";
import { bucketArn } from "./bucket.js";
import { diagnoseS3, type BucketGrant } from "./s3-causes.js";

const CALL_DEADLINE_MS = 60_000;
/** A build waits for a machine, builds an image and deploys it. */
const BUILD_DEADLINE_MS = 20 * 60_000;
const URL_DEADLINE_MS = 30_000;
/** A new URL and its permissions take a moment; a first call starts the function. */
const URL_ATTEMPTS = 4;
const URL_PAUSE_MS = 300;
const MISSING = "ResourceNotFoundException";

/** The undeploy rights, in the order in which they are used. */
const REMOVAL = ["lambda:DeleteFunctionUrlConfig", "lambda:RemovePermission", "lambda:DeleteFunction"] as const;

/** What stays whatever happens: the granted rights reach neither images nor logs. */
export const LASTING_RESIDUE = "two images, two build logs and the function's log";

export function mayUndeploy({ permissions }: FunctionsGrant): boolean {
  return REMOVAL.every((action) => permissions.includes(action));
}

export function canaryChecks(run: AwsRun, grant: BuildGrant): Check[] {
  const functions = run.contract.grants.find((candidate) => candidate.kind === "lambda-functions" && candidate.region === grant.region);
  const staging = stagingGrant(run.contract.grants, grant);
  const left = leftOut(run, grant, functions?.kind === "lambda-functions" ? functions : undefined, staging);
  if (typeof left === "string") return [skipped(grant, left)];
  return new Canary(run, grant, left.functions, left.staging).checks();
}

function leftOut(run: AwsRun, { permissions }: BuildGrant, functions: FunctionsGrant | undefined, staging: BucketGrant | undefined): string | { functions: FunctionsGrant; staging: BucketGrant } {
  if (!permissions.includes("codebuild:StartBuild")) return "the contract does not grant codebuild:StartBuild";
  if (!functions) return "the contract grants no functions in the project's region";
  if (!staging?.permissions.includes("s3:PutObject")) return "the contract grants no upload to where builds read archives";
  if (run.acceptResidue) return { functions, staging };
  const function_ = mayUndeploy(functions) ? "" : ", and the function (the contract has no right to remove it)";
  return `it would leave ${LASTING_RESIDUE}, which the granted rights cannot remove${function_}: allow that with --accept-residue`;
}

function skipped({ id, project }: BuildGrant, reason: string): Check {
  return { id: `aws.canary.${id}`, title: `Canary: build and function by project ${project}`, grade: "live", required: true, needs: [], deadlineMs: 1_000, run: async () => notTested(reason) };
}

interface Unremoved {
  operation: string;
  answer: Extract<AwsAnswer<unknown>, { ok: false }>;
}

class Canary {
  readonly #name: string;
  /** Versions of what was staged, by key; empty where the bucket keeps none. */
  readonly #staged = new Map<string, string>();
  /** Of the builds that were started. */
  readonly #builds: StartedBuild[] = [];
  #function: "none" | "perhaps" | "there" = "none";
  #called = false;
  #url = "";
  #image = "";

  constructor(
    private readonly run: AwsRun,
    private readonly grant: BuildGrant,
    private readonly functions: FunctionsGrant,
    private readonly staging: BucketGrant,
  ) {
    this.#name = canaryName(functions, run.runId);
  }

  checks(): Check[] {
    const step = (name: string, title: string, needs: string[], body: (scope: CheckScope) => Promise<Verdict>, more: { after?: string[]; deadlineMs?: number } = {}): Check => ({
      id: this.#id(name),
      title: `Canary: ${title}`,
      grade: "live",
      required: true,
      needs: ["aws.exchange", ...needs.map((need) => this.#id(need))],
      ...(more.after ? { after: more.after.map((each) => this.#id(each)) } : {}),
      deadlineMs: more.deadlineMs ?? CALL_DEADLINE_MS,
      run: body,
    });
    const build = { deadlineMs: BUILD_DEADLINE_MS };
    return [
      step("stage", "stage an archive", [], (scope) => this.#stage(scope)),
      step("build", `a build of project ${this.grant.project} deploys it`, ["stage"], (scope) => this.#build(scope, "create"), build),
      step("function", `function ${this.#name} is there`, ["build"], (scope) => this.#deployed(scope)),
      step("call", "the function answers by its URL", ["function"], (scope) => this.#call(scope)),
      // Not at the same time as the call: the second build would mend what the call is to show.
      step("update", "a second build updates it", ["function"], (scope) => this.#update(scope), { ...build, after: ["call"] }),
      step("remove", "remove the function", ["function"], (scope) => this.#remove(scope), { after: ["call", "update"] }),
    ];
  }

  #id(step: string): string {
    return `aws.canary.${this.grant.id}.${step}`;
  }

  #key(deployment: Deployment): string {
    return canaryKey(this.staging, this.grant, this.run.runId, deployment === "create" ? 1 : 2);
  }

  get #where() {
    return { Bucket: this.staging.bucket, ExpectedBucketOwner: this.staging.accountId };
  }

  async #s3() {
    if (!this.run.session) throw new Error("there is no session");
    return Promise.all([import("@aws-sdk/client-s3"), this.run.clients.s3(this.staging.region, this.run.session.credentials)]);
  }

  async #stage(scope: CheckScope): Promise<Verdict> {
    scope.cleanUp((signal) => this.#cleanUp(scope, signal));
    const [{ PutObjectCommand }, client] = await this.#s3();
    const puts = await Promise.all(
      (["create", "update"] as const).map(async (deployment, index) => {
        const key = this.#key(deployment);
        const command = new PutObjectCommand({ ...this.#where, Key: key, Body: canaryArchive(this.run.runId, index + 1), ContentType: "application/zip" });
        this.#staged.set(key, "");
        const answer = await ask((abortSignal) => client.send(command, { abortSignal }), { signal: scope.signal, repeatable: false });
        if (answer.ok) this.#staged.set(key, answer.output.VersionId ?? "");
        else if (answer.kind === "refused" && !isOverload(answer)) this.#staged.delete(key);
        return { key, answer };
      }),
    );
    for (const { key, answer } of puts) {
      if (answer.ok) continue;
      const call = { operation: "PutObject", action: "s3:PutObject", resource: `${bucketArn(this.run, this.staging.bucket)}/${key}` };
      const seen = `${call.operation}: ${describeAnswer(answer)}`;
      if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
      const found = await diagnoseS3(this.run, this.staging, call, answer, false);
      return found ? fail(seen, found) : unknown(seen);
    }
    return pass(`${this.#key("create")} and a second one in bucket ${this.staging.bucket}`);
  }

  async #build(scope: CheckScope, deployment: Deployment): Promise<Verdict> {
    const order = { check: this.#id(deployment === "create" ? "build" : "update"), bucket: this.staging.bucket, key: this.#key(deployment), functionName: this.#name };
    const record: StartedBuild = { id: "", ended: false };
    const result = await runBuild(this.run, scope, this.grant, order, (id) => {
      record.id = id;
      this.#builds.push(record);
      if (this.#function === "none") this.#function = "perhaps";
    });
    if ("verdict" in result) return result.verdict;
    const { build } = result;
    record.ended = true;
    record.log = build.logs;
    const seen = describeBuild(build);
    if (build.buildStatus === "SUCCEEDED") return pass(seen);
    const found = await buildDiagnosis(this.run, this.grant, build, deployment);
    return found ? fail(seen, found) : unknown(seen);
  }

  #lambdaCall(check: string, operation: string): RoleCall {
    return { check: this.#id(check), operation, action: `lambda:${operation}`, resource: functionArn(this.run, this.functions, this.#name) };
  }

  async #deployed(scope: CheckScope): Promise<Verdict> {
    const [{ GetFunctionUrlConfigCommand }, client] = await lambdaOf(this.run, this.functions);
    const [read, url] = await Promise.all([
      this.#read(scope, "function"),
      ask((abortSignal) => client.send(new GetFunctionUrlConfigCommand({ FunctionName: this.#name }), { abortSignal }), scope),
    ]);
    if ("verdict" in read) return read.verdict;
    this.#function = "there";
    this.#image = read.image;
    if (url.ok) this.#url = url.output.FunctionUrl ?? "";
    else if (url.kind !== "refused" || url.code !== MISSING) return refusedVerdict(this.run, this.#lambdaCall("function", "GetFunctionUrlConfig"), url, false);
    return pass(`${read.state}, ${this.#url === "" ? "without a URL" : this.#url}`);
  }

  async #read(scope: CheckScope, check: string): Promise<{ state: string; image: string } | { verdict: Verdict }> {
    const [{ GetFunctionCommand }, client] = await lambdaOf(this.run, this.functions);
    const answer = await ask((abortSignal) => client.send(new GetFunctionCommand({ FunctionName: this.#name }), { abortSignal }), scope);
    if (answer.ok) return { state: answer.output.Configuration?.State ?? "", image: answer.output.Code?.ResolvedImageUri ?? "" };
    if (answer.kind === "refused" && answer.code === MISSING) return { verdict: fail(describeAnswer(answer), cause(this.run, "aws.lambda.not-deployed", `GetFunction: ${describeAnswer(answer)}`, { subject: this.#name })) };
    return { verdict: await refusedVerdict(this.run, this.#lambdaCall(check, "GetFunction"), answer, false) };
  }

  async #call(scope: CheckScope): Promise<Verdict> {
    if (this.#url === "") return notTested("the function has no URL: the project's PUBLIC_URL is false");
    this.#called = true;
    const answer = await this.#fetch(scope);
    if (answer.status === "failed") return unknown(`GET ${this.#url}: ${answer.detail}`);
    const seen = `GET ${this.#url}: ${answer.httpStatus}`;
    const values = { subject: this.#name };
    if (answer.httpStatus === 200) return pass(seen);
    if (answer.httpStatus === 403) return fail(seen, cause(this.run, "aws.lambda.url-not-public", seen, values));
    const predicted = await this.#architecture();
    return fail(seen, predicted ?? { causes: [cause(this.run, "aws.codebuild.architecture", seen), cause(this.run, "aws.lambda.function-fails", seen, values)], layersNotRead: [] });
  }

  /** What made an image that does not start, if the account or the build tell. */
  async #architecture() {
    if (!this.run.account) return undefined;
    const { projectPart } = await import("./account/build-prediction.js");
    const part = await projectPart(this.run, this.run.account, this.grant);
    return part.status === "read" ? part.causes.find(({ code }) => code === "aws.codebuild.architecture") : undefined;
  }

  async #fetch(scope: CheckScope): Promise<Fetched> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await fetchDocument(this.run.network, new URL(this.#url), URL_DEADLINE_MS, scope.signal);
      if ((answer.status === "ok" && answer.httpStatus === 200) || attempt === URL_ATTEMPTS) return answer;
      await sleep(URL_PAUSE_MS * attempt, undefined, { signal: scope.signal });
    }
  }

  async #update(scope: CheckScope): Promise<Verdict> {
    const verdict = await this.#build(scope, "update");
    if (verdict.status !== "pass") return verdict;
    const read = await this.#read(scope, "update");
    if ("verdict" in read) return read.verdict;
    return read.image !== this.#image ? pass(`${verdict.seen}, the function has the second image`) : fail(verdict.seen, cause(this.run, "aws.lambda.not-updated", `before and after the second build the function's image is ${read.image}`, { subject: this.#name }));
  }

  async #remove(scope: CheckScope): Promise<Verdict> {
    if (!mayUndeploy(this.functions)) return notTested("the contract does not grant what undeploying needs: the function stays (see residue)");
    const refused = await this.#removeFunction(scope.signal);
    if (!refused) return pass(`${this.#name}: URL, permissions, function`);
    return refusedVerdict(this.run, this.#lambdaCall("remove", refused.operation), refused.answer, false);
  }

  /** The first answer that leaves something there. */
  async #removeFunction(signal: AbortSignal): Promise<Unremoved | undefined> {
    const [lambda, client] = await lambdaOf(this.run, this.functions);
    const FunctionName = this.#name;
    const steps: [string, (abortSignal: AbortSignal) => Promise<unknown>][] = [
      ["DeleteFunctionUrlConfig", (abortSignal) => client.send(new lambda.DeleteFunctionUrlConfigCommand({ FunctionName }), { abortSignal })],
      ...dcfPermissionStatements.map((StatementId): [string, (abortSignal: AbortSignal) => Promise<unknown>] => [
        "RemovePermission",
        (abortSignal) => client.send(new lambda.RemovePermissionCommand({ FunctionName, StatementId }), { abortSignal }),
      ]),
      ["DeleteFunction", (abortSignal) => client.send(new lambda.DeleteFunctionCommand({ FunctionName }), { abortSignal })],
    ];
    let first: Unremoved | undefined;
    for (const [operation, send] of steps) {
      const answer = await ask<unknown>(send, { signal });
      if (answer.ok || (answer.kind === "refused" && answer.code === MISSING)) {
        if (operation === "DeleteFunction") this.#function = "none";
      } else first ??= { operation, answer };
    }
    return first;
  }

  /** Also after a failure and Ctrl-C; what cannot be removed is said. */
  async #cleanUp(scope: CheckScope, signal: AbortSignal): Promise<void> {
    await Promise.all([this.#cleanFunction(scope, signal), ...[...this.#staged].map(([key, version]) => this.#cleanStaged(scope, signal, key, version))]);
    for (const residue of lastingResidue(this.grant, { functionName: this.#name, called: this.#called, builds: this.#builds, firstImage: this.#image })) scope.leaves(residue);
  }

  async #cleanFunction(scope: CheckScope, signal: AbortSignal): Promise<void> {
    const { region } = this.functions;
    if (this.#function !== "none" && mayUndeploy(this.functions)) await this.#removeFunction(signal);
    if (this.#function === "none") return;
    scope.leaves({ what: `function ${this.#name}${this.#function === "there" ? "" : ", if the build got so far"}`, remove: `aws lambda delete-function --function-name ${this.#name} --region ${region}` });
  }

  async #cleanStaged(scope: CheckScope, signal: AbortSignal, key: string, version: string): Promise<void> {
    const { bucket, region, permissions } = this.staging;
    const leave = (what: string, versionId: string) =>
      scope.leaves({ what: `${what} ${key} in bucket ${bucket}`, remove: `aws s3api delete-object --bucket ${bucket} --key ${key}${versionId === "" ? "" : ` --version-id ${versionId}`} --region ${region}` });
    if (!permissions.includes("s3:DeleteObject")) {
      leave("the staged archive", version);
      return;
    }
    const [{ DeleteObjectCommand }, client] = await this.#s3();
    const answer = await ask((abortSignal) => client.send(new DeleteObjectCommand({ ...this.#where, Key: key }), { abortSignal }), { signal });
    if (!answer.ok) leave("the staged archive", version);
    else if (version !== "" && version !== "null") {
      leave(`version ${version} of`, version);
      if (answer.output.DeleteMarker) leave("the delete marker of", answer.output.VersionId ?? "");
    }
  }
}
