/** Reads a project with the credentials of somebody who may. Every document once a run. */
import type { GcpExchange } from "../../../contract/schema.js";
import { isJsonObject, type JsonObject } from "../../../trust/jwt.js";
import type { DenyPolicy, Policy } from "../../../trust/gcp/types.js";
import { InputError } from "../../input-error.js";
import type { Network } from "../../network.js";
import type { GcpCredentials } from "../../options.js";
import type { Scrubber } from "../../scrub.js";
import { ask, describeAnswer, isOverload, type GcpAnswer } from "../answers.js";
import { poolName, providerName } from "../run.js";
import { ambientAccessToken } from "./credentials.js";

export type Reading<T> = { status: "read"; value: T } | { status: "absent"; detail: string } | { status: "unreadable"; reason: string };

export function mapReading<T, U>(reading: Reading<T>, map: (value: T) => U): Reading<U> {
  return reading.status === "read" ? { status: "read", value: map(reading.value) } : reading;
}

export interface ReaderOptions {
  network: Network;
  scrubber: Scrubber;
  exchange: GcpExchange;
  credentials: GcpCredentials | "ambient";
  signal: AbortSignal;
}

export class ProjectDocuments {
  readonly #documents = new Map<string, Promise<Reading<JsonObject>>>();
  #accessToken: Promise<string> | undefined;

  constructor(private readonly options: ReaderOptions) {}

  get exchange(): GcpExchange {
    return this.options.exchange;
  }

  /** @throws InputError when there are no credentials, or they may not see the project at all */
  async assertCaller(): Promise<void> {
    const { projectId, projectNumber } = this.exchange;
    const project = await this.project();
    if (project.status === "read") {
      const number = String(project.value["projectNumber"]);
      if (number !== projectNumber) throw new InputError(`Project ${projectId} has the number ${number}, and the contract is of project number ${projectNumber}: the project was made again, or the contract is of another one.`);
      return;
    }
    const reason = project.status === "absent" ? project.detail : project.reason;
    throw new InputError(`The credentials for --account cannot read project ${projectId} (${reason}): use those of somebody with roles/viewer and roles/iam.securityReviewer there; \`gcloud auth application-default login\` gives them.`);
  }

  project(id = this.exchange.projectId): Promise<Reading<JsonObject>> {
    return this.get(`https://cloudresourcemanager.googleapis.com/v1/projects/${id}`);
  }

  pool(): Promise<Reading<JsonObject>> {
    return this.get(`https://iam.googleapis.com/v1/${poolName(this.exchange)}`);
  }

  provider(): Promise<Reading<JsonObject>> {
    return this.get(`https://iam.googleapis.com/v1/${providerName(this.exchange)}`);
  }

  /** Every provider of the pool, deleted ones left out. */
  async providers(): Promise<Reading<JsonObject[]>> {
    const reading = await this.get(`https://iam.googleapis.com/v1/${poolName(this.exchange)}/providers?pageSize=100`);
    return mapReading(reading, (value) => objects(value["workloadIdentityPoolProviders"]));
  }

  serviceAccount(email: string): Promise<Reading<JsonObject>> {
    return this.get(`https://iam.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}`);
  }

  async serviceAccountPolicy(email: string): Promise<Reading<Policy>> {
    return this.policy(`https://iam.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:getIamPolicy?options.requestedPolicyVersion=3`, "POST");
  }

  projectPolicy(id = this.exchange.projectId): Promise<Reading<Policy>> {
    return this.policy(`https://cloudresourcemanager.googleapis.com/v1/projects/${id}:getIamPolicy`, "POST", { options: { requestedPolicyVersion: 3 } });
  }

  bucket(name: string): Promise<Reading<JsonObject>> {
    return this.get(`https://storage.googleapis.com/storage/v1/b/${name}`);
  }

  bucketPolicy(name: string): Promise<Reading<Policy>> {
    return this.policy(`https://storage.googleapis.com/storage/v1/b/${name}/iam?optionsRequestedPolicyVersion=3`, "GET");
  }

  /** Of Artifact Registry (`projects/p/locations/l/repositories/r`) and Cloud Run (`projects/p/locations/l/services/s`). */
  resource(service: "artifactregistry" | "run", name: string): Promise<Reading<JsonObject>> {
    return this.get(`https://${service}.googleapis.com/${VERSIONS[service]}/${name}`);
  }

  resourcePolicy(service: "artifactregistry" | "run", name: string): Promise<Reading<Policy>> {
    return this.policy(`https://${service}.googleapis.com/${VERSIONS[service]}/${name}:getIamPolicy?options.requestedPolicyVersion=3`, "GET");
  }

  /** Permissions of a custom role (`projects/p/roles/r`); undefined for one that is deleted or disabled. */
  async customRole(name: string): Promise<Reading<readonly string[] | undefined>> {
    return mapReading(await this.get(`https://iam.googleapis.com/v1/${name}`), (role) =>
      role["deleted"] === true || role["stage"] === "DISABLED" ? undefined : Array.isArray(role["includedPermissions"]) ? role["includedPermissions"].map(String) : [],
    );
  }

  /** Deny policies attached to the project itself. */
  async denyPolicies(): Promise<Reading<DenyPolicy[]>> {
    const point = encodeURIComponent(`cloudresourcemanager.googleapis.com/projects/${this.exchange.projectId}`);
    const listed = await this.get(`https://iam.googleapis.com/v2/policies/${point}/denypolicies`);
    if (listed.status !== "read") return listed;
    const policies: DenyPolicy[] = [];
    for (const { name } of objects(listed.value["policies"])) {
      const policy = await this.get(`https://iam.googleapis.com/v2/${String(name)}`);
      if (policy.status !== "read") return policy;
      policies.push(policy.value as unknown as DenyPolicy);
    }
    return { status: "read", value: policies };
  }

  /** Names of the enabled ones among these APIs. */
  async enabledApis(project: string, apis: readonly string[]): Promise<Reading<ReadonlySet<string>>> {
    const names = apis.map((api) => `names=projects/${project}/services/${api}`).join("&");
    const reading = await this.get(`https://serviceusage.googleapis.com/v1/projects/${project}/services:batchGet?${names}`);
    return mapReading(reading, (value) => {
      const enabled = objects(value["services"]).filter(({ state }) => state === "ENABLED");
      return new Set(enabled.map(({ name }) => String(name).split("/").at(-1) ?? ""));
    });
  }

  /** Of a project's logs, oldest first. */
  async logEntries(projectId: string, filter: string): Promise<Reading<unknown>> {
    const url = "https://logging.googleapis.com/v2/entries:list";
    const reading = await this.#once(`${url} ${filter}`, { method: "POST", url, body: { resourceNames: [`projects/${projectId}`], filter, orderBy: "timestamp asc", pageSize: 1000 } });
    return mapReading(reading, (value) => value["entries"]);
  }

  get(url: string): Promise<Reading<JsonObject>> {
    return this.#once(url, { method: "GET", url });
  }

  async policy(url: string, method: "GET" | "POST", body?: object): Promise<Reading<Policy>> {
    const reading = await this.#once(url, { method, url, ...(body && { body }) });
    return mapReading(reading, (value) => ({ ...value, bindings: objects(value["bindings"]) as unknown as Policy["bindings"] }));
  }

  #once(key: string, call: { method: "GET" | "POST"; url: string; body?: object }): Promise<Reading<JsonObject>> {
    const known = this.#documents.get(key);
    if (known) return known;
    const reading = this.#read(call);
    this.#documents.set(key, reading);
    return reading;
  }

  async #read(call: { method: "GET" | "POST"; url: string; body?: object }): Promise<Reading<JsonObject>> {
    const { network, signal } = this.options;
    const accessToken = await (this.#accessToken ??= this.#authenticate());
    return reading(await ask(network, { ...call, accessToken }, signal), call.url);
  }

  async #authenticate(): Promise<string> {
    const { credentials, network, scrubber } = this.options;
    const token = credentials === "ambient" ? await ambientAccessToken(network) : credentials.accessToken;
    scrubber.register(token);
    return token;
  }
}

const VERSIONS = { artifactregistry: "v1", run: "v2" } as const;

function reading(answer: GcpAnswer, url: string): Reading<JsonObject> {
  if (answer.ok) return { status: "read", value: answer.json };
  const seen = `${new URL(url).pathname.replace(/^\/(?:storage\/)?v\d\//, "")}: ${describeAnswer(answer)}`;
  if (answer.kind === "refused" && answer.httpStatus === 404) return { status: "absent", detail: seen };
  if (answer.kind === "refused" && !isOverload(answer)) {
    const permission = answer.metadata["permission"];
    return { status: "unreadable", reason: permission === undefined ? seen : `${seen}; reading it needs ${permission}` };
  }
  return { status: "unreadable", reason: seen };
}

export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
