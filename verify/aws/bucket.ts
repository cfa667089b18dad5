/**
 * The round trip of a bucket: location, put, read back, list, delete, nothing left. Under a fresh name that no one else
 * uses, with the expected owner in every call, and with no right that the contract does not grant.
 */
import { randomBytes } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { ask, describeAnswer, isOverload, type AwsAnswer, type AwsRefusal } from "./answers.js";
import { diagnoseS3, type BucketGrant, type S3Call } from "./s3-causes.js";
import { cause, SESSION_PREFIX, type AwsRun } from "./run.js";

const DEADLINE_MS = 60_000;
/** Enough to notice a change, little enough to cost nothing. */
const PROBE_BYTES = 64;

/** The probe's object key: below the grant's prefix, and below one folder that lifecycle rules and people recognise. */
export function probeKey(grant: BucketGrant, runId: string): string {
  return `${grant.prefix ?? ""}${SESSION_PREFIX}/${runId}`;
}

export function bucketArn(run: AwsRun, bucket: string): string {
  return `arn:${run.exchange.partition}:s3:::${bucket}`;
}

export function bucketChecks(run: AwsRun, grant: BucketGrant): Check[] {
  return new BucketProbe(run, grant).checks();
}

class BucketProbe {
  readonly #body = randomBytes(PROBE_BYTES);
  readonly #key: string;
  /** What is in the bucket because of us. */
  #stored: "nothing" | "object" | "deleted" = "nothing";
  #versionId: string | undefined;
  /** S3 has said that the object is there. */
  #confirmed = false;
  #client: Promise<S3Client> | undefined;

  constructor(
    private readonly run: AwsRun,
    private readonly grant: BucketGrant,
  ) {
    this.#key = probeKey(grant, run.runId);
  }

  checks(): Check[] {
    const id = (step: string) => `aws.s3.${this.grant.id}.${step}`;
    const step = (name: string, title: string, needs: string[], after: string[], run: (scope: CheckScope) => Promise<Verdict>): Check => ({
      id: id(name),
      title: `Bucket ${this.grant.bucket}: ${title}`,
      grade: "live",
      required: true,
      needs: ["aws.exchange", ...needs.map(id)],
      after: after.map(id),
      deadlineMs: DEADLINE_MS,
      run: (scope) => run(scope),
    });
    return [
      step("location", "location", [], [], (scope) => this.#location(scope)),
      step("put", "put an object", [], [], (scope) => this.#put(scope)),
      step("read", "read it back byte for byte", ["put"], [], (scope) => this.#read(scope)),
      step("list", "list it", [], ["put"], (scope) => this.#list(scope)),
      step("delete", "delete it", ["put"], ["read", "list"], (scope) => this.#delete(scope)),
      step("empty", "nothing is left", ["list", "delete"], [], (scope) => this.#empty(scope)),
    ];
  }

  get #where() {
    return { Bucket: this.grant.bucket, ExpectedBucketOwner: this.grant.accountId };
  }

  #s3(): Promise<S3Client> {
    const credentials = this.run.session?.credentials;
    if (!credentials) return Promise.reject(new Error("there is no session"));
    return (this.#client ??= this.run.clients.s3(this.grant.region, credentials));
  }

  /** Reason for leaving a step out when the contract does not grant what it needs. */
  #ungranted(action: string): Verdict | undefined {
    return this.grant.permissions.includes(action) ? undefined : notTested(`the contract does not grant ${action}`);
  }

  /** Asks until the answer is none that may be propagation. */
  async #ask<T>(scope: CheckScope, step: string, call: S3Call, send: (signal: AbortSignal) => Promise<T>, repeatable = true): Promise<{ answer: AwsAnswer<T>; waited: boolean }> {
    const { answer, exhausted } = await this.run.waiter.until(
      `aws.s3.${this.grant.id}.${step}`,
      scope,
      () => ask(send, { signal: scope.signal, repeatable }),
      async (given) => {
        if (given.ok || given.kind === "no-answer" || given.code !== "AccessDenied") return undefined;
        return (await this.run.account?.denialOf(this.run, this.grant, call))?.status === "denied" ? undefined : given.code;
      },
    );
    return { answer, waited: exhausted };
  }

  async #refused(call: S3Call, answer: AwsRefusal | Extract<AwsAnswer<never>, { kind: "no-answer" }>, waited: boolean): Promise<Verdict> {
    const seen = `${call.operation}: ${describeAnswer(answer)}`;
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
    const found = await diagnoseS3(this.run, this.grant, call, answer, waited);
    return found ? fail(seen, found) : unknown(seen);
  }

  #onBucket(operation: string, action: string): S3Call {
    return { operation, action, resource: bucketArn(this.run, this.grant.bucket) };
  }

  #onObject(operation: string, action: string): S3Call {
    return { operation, action, resource: `${bucketArn(this.run, this.grant.bucket)}/${this.#key}` };
  }

  async #location(scope: CheckScope): Promise<Verdict> {
    const ungranted = this.#ungranted("s3:GetBucketLocation");
    if (ungranted) return ungranted;
    const call = this.#onBucket("GetBucketLocation", "s3:GetBucketLocation");
    const [{ GetBucketLocationCommand }, client] = await Promise.all([import("@aws-sdk/client-s3"), this.#s3()]);
    const { answer, waited } = await this.#ask(scope, "location", call, (abortSignal) => client.send(new GetBucketLocationCommand(this.#where), { abortSignal }));
    if (!answer.ok) return this.#refused(call, answer, waited);
    const region = regionOf(answer.output.LocationConstraint);
    if (region === this.grant.region) return pass(`in ${region}, owned by ${this.grant.accountId}`);
    return fail(`in ${region}`, cause(this.run, "aws.s3.other-region", `GetBucketLocation says ${region}, the contract ${this.grant.region}`, { subject: this.grant.bucket, expected: this.grant.region, found: region }));
  }

  async #put(scope: CheckScope): Promise<Verdict> {
    const left = this.#ungranted("s3:PutObject") ?? (await this.#leavesSomething());
    if (left) return left;
    const call = this.#onObject("PutObject", "s3:PutObject");
    const [{ PutObjectCommand }, client] = await Promise.all([import("@aws-sdk/client-s3"), this.#s3()]);
    scope.cleanUp((signal) => this.#cleanUp(scope, signal));
    // As the platform puts: the name is fresh, and a condition such as If-None-Match could satisfy a policy that refuses the platform.
    const command = new PutObjectCommand({ ...this.#where, Key: this.#key, Body: this.#body, ContentType: "application/octet-stream" });
    const { answer, waited } = await this.#ask(
      scope,
      "put",
      call,
      (abortSignal) => {
        // From here on the object may be there, even if no answer comes.
        this.#stored = "object";
        return client.send(command, { abortSignal });
      },
      false,
    );
    if (!answer.ok) {
      if (answer.kind === "refused" && !isOverload(answer)) this.#stored = "nothing";
      return this.#refused(call, answer, waited);
    }
    this.#confirmed = true;
    const version = answer.output.VersionId;
    if (version !== undefined && version !== "null") this.#versionId = version;
    const encryption = answer.output.SSEKMSKeyId === undefined ? (answer.output.ServerSideEncryption ?? "none") : `KMS key ${answer.output.SSEKMSKeyId}`;
    return pass(`${PROBE_BYTES} bytes as ${this.#key}, encryption: ${encryption}${this.#versionId === undefined ? "" : ", the bucket keeps versions"}`);
  }

  /** Where the granted rights cannot remove what the probe would leave, it is left out unless residue is accepted. */
  async #leavesSomething(): Promise<Verdict | undefined> {
    if (this.run.acceptResidue) return undefined;
    if (!this.grant.permissions.includes("s3:DeleteObject")) return notTested("the contract does not grant s3:DeleteObject, so the object would stay: allow that with --accept-residue");
    const versioned = await this.run.account?.isVersioned(this.grant.bucket, this.grant.region, this.grant.accountId);
    return versioned ? notTested("the bucket keeps versions, which the granted rights cannot remove: allow one version and its delete marker to stay with --accept-residue") : undefined;
  }

  async #read(scope: CheckScope): Promise<Verdict> {
    const ungranted = this.#ungranted("s3:GetObject");
    if (ungranted) return ungranted;
    const call = this.#onObject("GetObject", "s3:GetObject");
    const [{ GetObjectCommand }, client] = await Promise.all([import("@aws-sdk/client-s3"), this.#s3()]);
    const { answer, waited } = await this.#ask(scope, "read", call, async (abortSignal) => {
      const { Body: body } = await client.send(new GetObjectCommand({ ...this.#where, Key: this.#key }), { abortSignal });
      return Buffer.from((await body?.transformToByteArray()) ?? []);
    });
    if (!answer.ok) return this.#refused(call, answer, waited);
    if (answer.output.equals(this.#body)) return pass(`${PROBE_BYTES} bytes, the same`);
    return fail(`${answer.output.length} bytes, other ones`, cause(this.run, "aws.s3.content-differs", `${PROBE_BYTES} bytes were stored as ${this.#key}, ${answer.output.length} other bytes came back`, { subject: this.grant.bucket }));
  }

  async #keys(scope: CheckScope, step: string) {
    const call = this.#onBucket("ListObjectsV2", "s3:ListBucket");
    const [{ ListObjectsV2Command }, client] = await Promise.all([import("@aws-sdk/client-s3"), this.#s3()]);
    const { answer, waited } = await this.#ask(scope, step, call, (abortSignal) => client.send(new ListObjectsV2Command({ ...this.#where, Prefix: this.#key, MaxKeys: 10 }), { abortSignal }));
    return answer.ok ? { keys: (answer.output.Contents ?? []).map(({ Key }) => Key ?? "") } : { verdict: await this.#refused(call, answer, waited) };
  }

  async #list(scope: CheckScope): Promise<Verdict> {
    const ungranted = this.#ungranted("s3:ListBucket");
    if (ungranted) return ungranted;
    const { keys, verdict } = await this.#keys(scope, "list");
    if (verdict) return verdict;
    if (!this.#confirmed) return pass(`allowed; ${keys.length} objects below ${this.#key}`);
    return keys.includes(this.#key) ? pass(`found by its prefix`) : unknown(`the object that was put is not listed below ${this.#key}`);
  }

  async #delete(scope: CheckScope): Promise<Verdict> {
    const ungranted = this.#ungranted("s3:DeleteObject");
    if (ungranted) return ungranted;
    const call = this.#onObject("DeleteObject", "s3:DeleteObject");
    const [{ DeleteObjectCommand }, client] = await Promise.all([import("@aws-sdk/client-s3"), this.#s3()]);
    const { answer, waited } = await this.#ask(scope, "delete", call, (abortSignal) => client.send(new DeleteObjectCommand({ ...this.#where, Key: this.#key }), { abortSignal }));
    if (!answer.ok) return this.#refused(call, answer, waited);
    this.#stored = "deleted";
    const marker = answer.output.DeleteMarker ? answer.output.VersionId : undefined;
    if (this.#versionId !== undefined) {
      this.#leave(scope, `version ${this.#versionId} of ${this.#key} (${PROBE_BYTES} random bytes) in bucket ${this.grant.bucket}`, this.#versionId);
      this.#versionId = undefined;
    }
    if (marker !== undefined) this.#leave(scope, `the delete marker ${marker} of ${this.#key} in bucket ${this.grant.bucket}`, marker);
    return pass(marker === undefined ? "deleted" : "deleted; the bucket keeps versions, so a version and a delete marker stay (see residue)");
  }

  async #empty(scope: CheckScope): Promise<Verdict> {
    const { keys, verdict } = await this.#keys(scope, "empty");
    if (verdict) return verdict;
    if (keys.length === 0) return pass("0 objects below the probe's prefix");
    return fail(`${keys.length} objects below ${this.#key}`, cause(this.run, "aws.s3.not-deleted", `ListObjectsV2 still lists ${keys.join(", ")}`, { subject: this.grant.bucket }));
  }

  #leave(scope: CheckScope, what: string, version?: string): void {
    const { bucket, region } = this.grant;
    scope.leaves({ what, remove: `aws s3api delete-object --bucket ${bucket} --key ${this.#key}${version === undefined ? "" : ` --version-id ${version}`} --region ${region}` });
  }

  /** After a step in between failed, or Ctrl-C. What cannot be removed is said. */
  async #cleanUp(scope: CheckScope, signal: AbortSignal): Promise<void> {
    if (this.#stored !== "object") return;
    const what = `the object ${this.#key} (${PROBE_BYTES} random bytes) in bucket ${this.grant.bucket}`;
    if (!this.grant.permissions.includes("s3:DeleteObject")) {
      this.#leave(scope, what);
      return;
    }
    const [{ DeleteObjectCommand }, client] = await Promise.all([import("@aws-sdk/client-s3"), this.#s3()]);
    const answer = await ask((abortSignal) => client.send(new DeleteObjectCommand({ ...this.#where, Key: this.#key }), { abortSignal }), { signal });
    if (!answer.ok) {
      this.#leave(scope, `${this.#confirmed ? what : `perhaps ${what}`}, since deleting it was answered with ${describeAnswer(answer)}`);
      return;
    }
    if (this.#versionId !== undefined) this.#leave(scope, `version ${this.#versionId} of ${this.#key} in bucket ${this.grant.bucket}`, this.#versionId);
    if (answer.output.DeleteMarker) this.#leave(scope, `a delete marker of ${this.#key} in bucket ${this.grant.bucket}`, answer.output.VersionId);
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html: no constraint is us-east-1, `EU` is the old name of eu-west-1. */
export function regionOf(constraint: string | undefined): string {
  if (constraint === undefined || constraint === "") return "us-east-1";
  return constraint === "EU" ? "eu-west-1" : constraint;
}
