/**
 * The round trip of a container: put a blob, read it back, list, delete, nothing left. Under a fresh name that no one else
 * uses, and with no right that the contract does not grant: an upload-only container is asked for just that, and for refusing the rest.
 */
import { randomBytes } from "node:crypto";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload, type AzureAnswer, type AzureCall, type AzureFailure, type AzureSuccess } from "./answers.js";
import { BLOB_ACTIONS, blobErrorName, blobMayBePropagation, blobVerdict, type BlobCall, type BlobRight } from "./blob-causes.js";
import { containerId } from "./endpoints.js";
import { cause, PROBE_PREFIX, type AzureRun } from "./run.js";
import { askAs, askPatiently } from "./session.js";
import { StorageView, type ContainerGrant } from "./storage-account.js";

const DEADLINE_MS = 60_000;
/** Enough to notice a change, little enough to cost nothing. */
const PROBE_BYTES = 64;
/** Of the API, which all clouds have. https://learn.microsoft.com/rest/api/storageservices/versioning-for-the-azure-storage-services */
const STORAGE_VERSION = "2021-12-02";
const HEADERS = { "x-ms-version": STORAGE_VERSION, accept: "application/xml" } as const;

/** The probe's blob: below one folder that lifecycle rules and people recognise. */
export function probeBlob(runId: string): string {
  return `${PROBE_PREFIX}/${runId}`;
}

interface Container {
  blobEndpoint: string;
  container: string;
}

function containerUrl({ blobEndpoint, container }: Container): string {
  return `${blobEndpoint.replace(/\/$/, "")}/${container}`;
}

export function listCall(container: Container, prefix: string): AzureCall {
  return { method: "GET", url: `${containerUrl(container)}?restype=container&comp=list&maxresults=10&prefix=${encodeURIComponent(prefix)}`, headers: HEADERS };
}

export function containerChecks(run: AzureRun, view: StorageView, { exchangeCheck, refusals }: { exchangeCheck: string; refusals: boolean }): Check[] {
  return new ContainerProbe(run, view, exchangeCheck, refusals).checks();
}

class ContainerProbe {
  readonly #content = randomBytes(PROBE_BYTES);
  readonly #blob: string;
  /** What is in the container because of us. */
  #stored: "nothing" | "blob" | "deleted" = "nothing";
  #confirmed = false;
  #etag: string | undefined;
  #version: string | undefined;

  constructor(
    private readonly run: AzureRun,
    private readonly view: StorageView,
    private readonly exchangeCheck: string,
    private readonly refusals: boolean,
  ) {
    this.#blob = probeBlob(run.runId);
  }

  get #grant(): ContainerGrant {
    return this.view.grant;
  }

  checks(): Check[] {
    const id = (step: string) => `azure.data.${this.#grant.id}.${step}`;
    const step = (name: string, title: string, needs: string[], after: string[], run: (scope: CheckScope) => Promise<Verdict>): Check => ({
      id: id(name),
      title: `Data: container ${this.#grant.container}: ${title}`,
      grade: "live",
      required: true,
      needs: [this.exchangeCheck, ...needs.map(id)],
      after: after.map(id),
      deadlineMs: DEADLINE_MS,
      run,
    });
    const granted = (right: BlobRight) => this.#isGranted(right);
    const must = (right: BlobRight) => (granted(right) ? "" : "refuses to ");
    return [
      step("put", "put a blob", [], [], (scope) => this.#put(scope)),
      step("read", `${must("read")}read it back`, ["put"], [], (scope) => (granted("read") ? this.#read(scope) : this.#mustRefuse(scope, "read", this.#readCall()))),
      step("list", `${must("read")}list it`, [], ["put"], (scope) => (granted("read") ? this.#list(scope) : this.#mustRefuse(scope, "read", this.#listCall()))),
      step("delete", `${must("delete")}delete it`, ["put"], ["read", "list"], (scope) => (granted("delete") ? this.#delete(scope) : this.#mustRefuse(scope, "delete", this.#deleteCall()))),
      ...(granted("delete") && granted("read") ? [step("empty", "nothing is left", ["list", "delete"], [], (scope) => this.#empty(scope))] : []),
    ];
  }

  #isGranted(right: BlobRight): boolean {
    return this.#grant.permissions.includes(BLOB_ACTIONS[right]);
  }

  get #url(): string {
    return `${containerUrl(this.#grant)}/${this.#blob}`;
  }

  /** Never over something that is there. */
  #putCall(): AzureCall {
    return { method: "PUT", url: this.#url, raw: { contentType: "application/octet-stream", content: this.#content }, headers: { ...HEADERS, "x-ms-blob-type": "BlockBlob", "if-none-match": "*" }, repeatable: false };
  }

  #readCall(): AzureCall {
    return { method: "GET", url: this.#url, headers: HEADERS };
  }

  #listCall(): AzureCall {
    return listCall(this.#grant, this.#blob);
  }

  /** Only what was put. */
  #deleteCall(): AzureCall {
    return { method: "DELETE", url: this.#url, headers: { ...HEADERS, ...(this.#etag === undefined ? {} : { "if-match": this.#etag }) } };
  }

  #named(operation: string, right: BlobRight): BlobCall {
    return { grant: this.#grant, operation, right, blob: this.#blob };
  }

  /** Asks until the answer is none that may be propagation. */
  async #ask(scope: CheckScope, step: string, named: BlobCall, call: AzureCall): Promise<{ answer: AzureAnswer; exhausted: boolean }> {
    const mayPass = (refusal: Extract<AzureFailure, { kind: "refused" }>) => blobMayBePropagation(this.run, named, refusal);
    return askPatiently(this.run, scope, { check: `azure.data.${this.#grant.id}.${step}`, resource: "storage", mayPass }, call);
  }

  #refused(scope: CheckScope, named: BlobCall, answer: AzureFailure, waited: boolean): Promise<Verdict> {
    const mayRead = async (signal: AbortSignal) => (await askAs(this.run, "storage", this.#listCall(), signal)).ok;
    return blobVerdict(this.run, named, answer, waited, scope, { mayRead });
  }

  async #put(scope: CheckScope): Promise<Verdict> {
    if (!this.#isGranted("write")) return notTested(`the contract does not grant ${BLOB_ACTIONS.write}`);
    const left = await this.#leavesSomething(scope);
    if (left) return left;
    scope.cleanUp((signal) => this.#cleanUp(scope, signal));
    const named = this.#named("Put Blob", "write");
    // From here on the blob may be there, even if no answer comes.
    this.#stored = "blob";
    const { answer, exhausted } = await this.#ask(scope, "put", named, this.#putCall());
    if (!answer.ok) {
      if (answer.kind === "refused" && !isOverload(answer)) this.#stored = "nothing";
      return this.#refused(scope, named, answer, exhausted);
    }
    this.#confirmed = true;
    this.#etag = answer.headers["etag"];
    this.#version = answer.headers["x-ms-version-id"];
    return pass(`${PROBE_BYTES} bytes as ${this.#blob}${this.#version === undefined ? "" : ", the account keeps versions"}`);
  }

  /** Where the granted rights cannot remove what the probe would leave, it is left out unless residue is accepted. */
  async #leavesSomething(scope: CheckScope): Promise<Verdict | undefined> {
    if (this.run.acceptResidue) return undefined;
    if (!this.#isGranted("delete")) return notTested(`the contract does not grant ${BLOB_ACTIONS.delete}, so the blob would stay: allow that with --accept-residue`);
    const [keeping, settings] = await Promise.all([this.view.keeping(scope), this.view.settings(scope)]);
    if (keeping !== undefined) return notTested(`the container has ${keeping}, so the blob would stay for a time: allow that with --accept-residue`);
    return settings?.versions === true ? notTested("the account keeps versions, which the granted rights cannot remove: allow one version to stay with --accept-residue") : undefined;
  }

  async #read(scope: CheckScope): Promise<Verdict> {
    const named = this.#named("Get Blob", "read");
    const { answer, exhausted } = await this.#ask(scope, "read", named, this.#readCall());
    if (!answer.ok) return this.#refused(scope, named, answer, exhausted);
    if (answer.body.equals(this.#content)) return pass(`${PROBE_BYTES} bytes, the same`);
    return fail(
      `${answer.body.length} bytes, other ones`,
      cause(this.run, "azure.storage.content-differs", `${PROBE_BYTES} bytes were stored as ${this.#blob}, ${answer.body.length} other bytes came back`, { subject: this.#grant.container, scope: containerId(this.#grant) }),
    );
  }

  async #names(scope: CheckScope, step: string): Promise<{ names: string[] } | { verdict: Verdict }> {
    const named = this.#named("List Blobs", "read");
    const { answer, exhausted } = await this.#ask(scope, step, named, this.#listCall());
    return answer.ok ? { names: namesIn(answer) } : { verdict: await this.#refused(scope, named, answer, exhausted) };
  }

  async #list(scope: CheckScope): Promise<Verdict> {
    const listed = await this.#names(scope, "list");
    if ("verdict" in listed) return listed.verdict;
    if (!this.#confirmed) return pass(`allowed; ${listed.names.length} blobs below ${this.#blob}`);
    return listed.names.includes(this.#blob) ? pass("found by its prefix") : unknown(`the blob that was put is not listed below ${this.#blob}`);
  }

  async #delete(scope: CheckScope): Promise<Verdict> {
    const named = this.#named("Delete Blob", "delete");
    const { answer, exhausted } = await this.#ask(scope, "delete", named, this.#deleteCall());
    if (!answer.ok) return this.#refused(scope, named, answer, exhausted);
    return pass(await this.#deleted(scope));
  }

  /** What stays of a deleted blob, as a sentence. */
  async #deleted(scope: CheckScope): Promise<string> {
    this.#stored = "deleted";
    if (this.#version !== undefined) {
      this.#leave(scope, `version ${this.#version} of ${this.#blob} (${PROBE_BYTES} random bytes)`, ` --version-id ${this.#version}`);
      return "deleted; the account keeps versions, so one stays (see residue)";
    }
    const days = (await this.view.settings(scope))?.softDeleteDays ?? 0;
    return days === 0 ? "deleted" : `deleted; soft delete keeps it for ${days} days, then Azure removes it`;
  }

  async #empty(scope: CheckScope): Promise<Verdict> {
    const listed = await this.#names(scope, "empty");
    if ("verdict" in listed) return listed.verdict;
    if (listed.names.length === 0) return pass("0 blobs below the probe's prefix");
    return fail(`${listed.names.length} blobs below ${this.#blob}`, cause(this.run, "azure.storage.not-deleted", `List Blobs still lists ${listed.names.join(", ")}`, { subject: this.#grant.container, scope: containerId(this.#grant) }));
  }

  /** What the contract does not grant must be refused, with the exact code. */
  async #mustRefuse(scope: CheckScope, right: BlobRight, call: AzureCall): Promise<Verdict> {
    if (!this.refusals) return notTested("switched off by --refusals off");
    const answer = await askAs(this.run, "storage", call, scope.signal);
    const action = BLOB_ACTIONS[right];
    if (answer.ok) {
      if (right === "delete") await this.#deleted(scope);
      return fail("allowed", cause(this.run, "azure.rbac.too-wide", `${action} was allowed, 403 was due`, { action, scope: containerId(this.#grant) }));
    }
    if (answer.kind === "refused" && blobErrorName(answer) === "permissionMismatch") return pass(`refused with ${answer.code} (${answer.httpStatus})`);
    return unknown(`AuthorizationPermissionMismatch was due, and nothing is proven by ${describeAnswer(answer)}`);
  }

  #leave(scope: CheckScope, what: string, flags = ""): void {
    const { account, container } = this.#grant;
    scope.leaves({ what: `${what} in container ${container} of ${account}`, remove: `az storage blob delete --account-name ${account} --container-name ${container} --name ${this.#blob}${flags} --auth-mode login` });
  }

  /** After a step in between failed, or Ctrl-C. What cannot be removed is said. */
  async #cleanUp(scope: CheckScope, signal: AbortSignal): Promise<void> {
    if (this.#stored !== "blob") return;
    const what = `${this.#confirmed ? "" : "perhaps "}the blob ${this.#blob} (${PROBE_BYTES} random bytes)`;
    if (!this.#isGranted("delete")) {
      this.#leave(scope, what);
      return;
    }
    const answer = await askAs(this.run, "storage", this.#deleteCall(), signal);
    const gone = answer.ok || (answer.kind === "refused" && answer.httpStatus === 404);
    if (!gone) this.#leave(scope, `${what}, since deleting it was answered with ${describeAnswer(answer)}`);
    else if (answer.ok) await this.#deleted(scope);
  }
}

function namesIn({ body }: AzureSuccess): string[] {
  return [...body.toString("utf8").matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name]) => name ?? "");
}
