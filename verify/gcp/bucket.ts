/**
 * The round trip of a bucket: create an object, read it back, list, delete, nothing left. Under a fresh name that no one else
 * uses, and with no right that the contract does not grant: an upload-only bucket is asked for just that, and for refusing the rest.
 */
import { randomBytes } from "node:crypto";
import type { GrantOf } from "../../contract/schema.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload, type GcpAnswer, type GcpCall } from "./answers.js";
import { diagnoseRefusal, rightMayBePropagation, type RightCall } from "./rights-causes.js";
import { askAsSession, cause, PROBE_PREFIX, type GcpRun } from "./run.js";

type BucketGrant = GrantOf<"gcs-bucket">;

const DEADLINE_MS = 60_000;
/** Enough to notice a change, little enough to cost nothing. */
const PROBE_BYTES = 64;
const ORIGIN = "https://storage.googleapis.com";

/** The probe's object: below one folder that lifecycle rules and people recognise. */
export function probeObject(runId: string): string {
  return `${PROBE_PREFIX}/${runId}`;
}

export function bucketResource(bucket: string): string {
  return `//storage.googleapis.com/projects/_/buckets/${bucket}`;
}

export function bucketChecks(run: GcpRun, grant: BucketGrant, refusals: boolean): Check[] {
  return new BucketProbe(run, grant, refusals).checks();
}

class BucketProbe {
  readonly #content = randomBytes(PROBE_BYTES);
  readonly #object: string;
  /** What is in the bucket because of us. */
  #stored: "nothing" | "object" | "deleted" = "nothing";
  #confirmed = false;

  constructor(
    private readonly run: GcpRun,
    private readonly grant: BucketGrant,
    private readonly refusals: boolean,
  ) {
    this.#object = probeObject(run.runId);
  }

  checks(): Check[] {
    const id = (step: string) => `gcp.storage.${this.grant.id}.${step}`;
    const step = (name: string, title: string, needs: string[], after: string[], run: (scope: CheckScope) => Promise<Verdict>, required = true): Check => ({
      id: id(name),
      title: `Bucket ${this.grant.bucket}: ${title}`,
      grade: "live",
      required,
      needs: [this.run.exchange.serviceAccountEmail === undefined ? "gcp.exchange" : "gcp.impersonation", ...needs.map(id)],
      after: after.map(id),
      deadlineMs: DEADLINE_MS,
      run,
    });
    const asked = (permission: string) => this.grant.permissions.includes(permission);
    const must = (permission: string) => (asked(permission) ? "" : "refuses to ");
    const read = "storage.objects.get";
    const list = "storage.objects.list";
    const remove = "storage.objects.delete";
    return [
      step("create", "create an object", [], [], (scope) => this.#create(scope)),
      step("read", `${must(read)}read it back`, ["create"], [], (scope) => (asked(read) ? this.#read(scope) : this.#mustRefuse(scope, read, this.#readCall()))),
      step("list", `${must(list)}list it`, [], ["create"], (scope) => (asked(list) ? this.#list(scope) : this.#mustRefuse(scope, list, this.#listCall()))),
      ...(asked(remove) ? [] : [step("overwrite", "refuses to overwrite it", ["create"], [], (scope) => this.#mustRefuse(scope, remove, this.#createCall()))]),
      step("delete", `${must(remove)}delete it`, ["create"], ["read", "list", ...(asked(remove) ? [] : ["overwrite"])], (scope) => (asked(remove) ? this.#delete(scope) : this.#mustRefuse(scope, remove, this.#deleteCall()))),
      ...(asked(remove) && asked(list) ? [step("empty", "nothing is left", ["list", "delete"], [], (scope) => this.#empty(scope))] : []),
    ];
  }

  get #objectUrl(): string {
    return `${ORIGIN}/storage/v1/b/${this.grant.bucket}/o/${encodeURIComponent(this.#object)}`;
  }

  #createCall(): GcpCall {
    const url = `${ORIGIN}/upload/storage/v1/b/${this.grant.bucket}/o?uploadType=media&name=${encodeURIComponent(this.#object)}`;
    return { method: "POST", url, raw: { contentType: "application/octet-stream", content: this.#content }, repeatable: false };
  }

  #readCall(): GcpCall {
    return { method: "GET", url: `${this.#objectUrl}?alt=media` };
  }

  #listCall(): GcpCall {
    return { method: "GET", url: `${ORIGIN}/storage/v1/b/${this.grant.bucket}/o?prefix=${encodeURIComponent(this.#object)}&maxResults=10` };
  }

  #deleteCall(): GcpCall {
    return { method: "DELETE", url: this.#objectUrl };
  }

  /** Asks until the answer is none that may be propagation. */
  async #ask(scope: CheckScope, step: string, right: RightCall, call: GcpCall): Promise<{ answer: GcpAnswer; waited: boolean }> {
    const { answer, exhausted } = await this.run.waiter.until(
      `gcp.storage.${this.grant.id}.${step}`,
      scope,
      () => askAsSession(this.run, call, scope.signal),
      (given) => (given.ok || given.kind === "no-answer" ? undefined : rightMayBePropagation(this.run, right, given)),
    );
    return { answer, waited: exhausted };
  }

  #right(operation: string, permission: string): RightCall {
    return { operation, permission, resource: bucketResource(this.grant.bucket), role: this.grant.role };
  }

  async #refused(right: RightCall, answer: Exclude<GcpAnswer, { ok: true }>, waited: boolean): Promise<Verdict> {
    const seen = `${right.operation}: ${describeAnswer(answer)}`;
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
    if (answer.httpStatus === 404 && /bucket/i.test(answer.message)) return fail(seen, cause(this.run, "gcp.bucket.missing", seen, { subject: this.grant.bucket }));
    if (/retention|hold/i.test(answer.reason ?? answer.message)) return fail(seen, cause(this.run, "gcp.bucket.retained", seen, { subject: this.grant.bucket }));
    const found = await diagnoseRefusal(this.run, right, answer, waited);
    return found ? fail(seen, found) : unknown(seen);
  }

  async #create(scope: CheckScope): Promise<Verdict> {
    if (!this.grant.permissions.includes("storage.objects.create")) return notTested("the contract does not grant storage.objects.create");
    if (!this.grant.permissions.includes("storage.objects.delete") && !this.run.acceptResidue) {
      return notTested("the contract does not grant storage.objects.delete, so the object would stay: allow that with --accept-residue");
    }
    scope.cleanUp((signal) => this.#cleanUp(scope, signal));
    const right = this.#right("objects.insert", "storage.objects.create");
    // From here on the object may be there, even if no answer comes.
    this.#stored = "object";
    const { answer, waited } = await this.#ask(scope, "create", right, this.#createCall());
    if (!answer.ok) {
      if (answer.kind === "refused" && !isOverload(answer)) this.#stored = "nothing";
      return this.#refused(right, answer, waited);
    }
    this.#confirmed = true;
    const { kmsKeyName, generation } = answer.json;
    return pass(`${PROBE_BYTES} bytes as ${this.#object}, generation ${String(generation)}${typeof kmsKeyName === "string" ? `, encrypted with ${kmsKeyName}` : ""}`);
  }

  async #read(scope: CheckScope): Promise<Verdict> {
    const right = this.#right("objects.get", "storage.objects.get");
    const { answer, waited } = await this.#ask(scope, "read", right, this.#readCall());
    if (!answer.ok) return this.#refused(right, answer, waited);
    if (answer.body.equals(this.#content)) return pass(`${PROBE_BYTES} bytes, the same`);
    return fail(`${answer.body.length} bytes, other ones`, cause(this.run, "gcp.bucket.content-differs", `${PROBE_BYTES} bytes were stored as ${this.#object}, ${answer.body.length} other bytes came back`, { subject: this.grant.bucket }));
  }

  async #names(scope: CheckScope, step: string): Promise<{ names: string[] } | { verdict: Verdict }> {
    const right = this.#right("objects.list", "storage.objects.list");
    const { answer, waited } = await this.#ask(scope, step, right, this.#listCall());
    if (!answer.ok) return { verdict: await this.#refused(right, answer, waited) };
    const items = Array.isArray(answer.json["items"]) ? (answer.json["items"] as { name?: unknown }[]) : [];
    return { names: items.map(({ name }) => String(name)) };
  }

  async #list(scope: CheckScope): Promise<Verdict> {
    const listed = await this.#names(scope, "list");
    if ("verdict" in listed) return listed.verdict;
    if (!this.#confirmed) return pass(`allowed; ${listed.names.length} objects below ${this.#object}`);
    return listed.names.includes(this.#object) ? pass("found by its prefix") : unknown(`the object that was created is not listed below ${this.#object}`);
  }

  async #delete(scope: CheckScope): Promise<Verdict> {
    const right = this.#right("objects.delete", "storage.objects.delete");
    const { answer, waited } = await this.#ask(scope, "delete", right, this.#deleteCall());
    if (!answer.ok) return this.#refused(right, answer, waited);
    this.#stored = "deleted";
    return pass("deleted");
  }

  async #empty(scope: CheckScope): Promise<Verdict> {
    const listed = await this.#names(scope, "empty");
    if ("verdict" in listed) return listed.verdict;
    if (listed.names.length === 0) return pass("0 objects below the probe's prefix");
    return fail(`${listed.names.length} objects below ${this.#object}`, cause(this.run, "gcp.bucket.not-deleted", `objects.list still lists ${listed.names.join(", ")}`, { subject: this.grant.bucket }));
  }

  /** What the contract does not grant must be refused, with the exact status and the permission in the answer. */
  async #mustRefuse(scope: CheckScope, permission: string, call: GcpCall): Promise<Verdict> {
    if (!this.refusals) return notTested("switched off by --refusals off");
    const answer = await askAsSession(this.run, call, scope.signal);
    if (answer.ok) {
      if (call.method === "DELETE") this.#stored = "deleted";
      return fail("allowed", cause(this.run, "gcp.iam.too-wide", `${permission} was allowed, 403 was due`, { permission, subject: bucketResource(this.grant.bucket) }));
    }
    if (answer.kind === "refused" && answer.httpStatus === 403 && answer.message.includes(permission)) return pass(`refused with 403: ${permission}`);
    return unknown(`403 for ${permission} was due, and nothing is proven by ${describeAnswer(answer)}`);
  }

  #leave(scope: CheckScope, what: string): void {
    scope.leaves({ what, remove: `gcloud storage rm gs://${this.grant.bucket}/${this.#object}` });
  }

  /** After a step in between failed, or Ctrl-C. What cannot be removed is said. */
  async #cleanUp(scope: CheckScope, signal: AbortSignal): Promise<void> {
    if (this.#stored !== "object") return;
    const what = `the object ${this.#object} (${PROBE_BYTES} random bytes) in bucket ${this.grant.bucket}`;
    if (!this.grant.permissions.includes("storage.objects.delete")) {
      if (this.#confirmed) this.#leave(scope, what);
      else this.#leave(scope, `perhaps ${what}`);
      return;
    }
    const answer = await askAsSession(this.run, this.#deleteCall(), signal);
    const gone = answer.ok || (answer.kind === "refused" && answer.httpStatus === 404);
    if (!gone) this.#leave(scope, `${this.#confirmed ? what : `perhaps ${what}`}, since deleting it was answered with ${describeAnswer(answer)}`);
  }
}
