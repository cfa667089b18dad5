/** Makes services and changes them, for every version of the API: who may, what is deployed, and what comes of it. */
import { randomInt, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { CLOUD_RUN_LIMITS, runTexts } from "../../facts/gcp/cloud-run.js";
import { completedTemplate } from "./cloud-run-defaults.js";
import { RunImages } from "./cloud-run-images.js";
import { type Revision, type RunService, type RunStore, type ServicePlace, type ServiceSettings, type Template, serviceName } from "./cloud-run-store.js";
import { defaultServiceAccount } from "./default-service-account.js";
import { invalidArgument } from "./errors.js";
import { newEtag } from "./etag.js";
import { IamStore } from "./iam-store.js";
import type { GcpServiceContext } from "./service.js";
import { GcpError, type GcpCaller, type GcpProject, type GcpResource } from "./types.js";

/** Names the resource of a refused call, as the version of the API at hand does. */
export type NameOf = (place: ServicePlace) => string;

export function serviceResource(place: ServicePlace): GcpResource {
  return { name: `//run.googleapis.com/${serviceName(place)}`, type: "run.googleapis.com/Service", projectId: place.projectId };
}

export class Deployer {
  readonly #images: RunImages;
  readonly #iam: IamStore;

  constructor(
    private readonly context: GcpServiceContext,
    private readonly store: RunStore,
  ) {
    this.#images = new RunImages(context);
    this.#iam = new IamStore(context.core.store, context.core.clock);
  }

  /** Throws PERMISSION_DENIED in Cloud Run's words. */
  require(caller: GcpCaller, permission: string, place: ServicePlace, nameOf: NameOf = serviceName): void {
    try {
      this.context.require(caller, permission, serviceResource(place));
    } catch (error) {
      if (!(error instanceof GcpError) || error.status !== "PERMISSION_DENIED") throw error;
      throw new GcpError("PERMISSION_DENIED", runTexts.denied(permission, nameOf(place)), error.info);
    }
  }

  /** Refuses before it tells whether there is such a service. */
  open(caller: GcpCaller, permission: string, place: ServicePlace, nameOf?: NameOf): RunService {
    this.require(caller, permission, place, nameOf);
    const service = this.store.service(place);
    if (!service) throw new GcpError("NOT_FOUND", runTexts.notFound(place.serviceId));
    return service;
  }

  create(caller: GcpCaller, project: GcpProject, place: ServicePlace, settings: ServiceSettings, nameOf?: NameOf): RunService {
    this.require(caller, "run.services.create", place, nameOf);
    const { max, pattern } = CLOUD_RUN_LIMITS.serviceName;
    if (place.serviceId.length > max || !pattern.test(place.serviceId)) throw invalidArgument(runTexts.nameInvalid(place.serviceId));
    if (this.store.service(place)) throw new GcpError("ALREADY_EXISTS", runTexts.exists(place.serviceId));
    if (settings.invokerIamDisabled === true) this.require(caller, "run.services.setIamPolicy", place, nameOf);
    const now = this.#now();
    const fresh = { ...place, projectNumber: project.projectNumber, uid: randomUUID(), generation: 1, etag: newEtag(), createTime: now, updateTime: now, creator: caller.name, lastModifier: caller.name, latestCreatedRevision: "" };
    return this.#deploy(caller, project, { ...fresh, settings: { ...settings, template: this.#completed(settings.template, project) } });
  }

  /** `etag` as the caller read it; undefined where it does not matter. */
  update(caller: GcpCaller, project: GcpProject, place: ServicePlace, { settings, etag, nameOf }: { settings: (before: ServiceSettings) => ServiceSettings; etag: string | undefined; nameOf?: NameOf }): RunService {
    const before = this.open(caller, "run.services.update", place, nameOf);
    if (etag !== undefined && etag !== "" && etag !== before.etag) throw new GcpError("ABORTED", runTexts.conflict(place.serviceId, etag, before.etag));
    const wanted = settings(before.settings);
    if ((wanted.invokerIamDisabled ?? false) !== (before.settings.invokerIamDisabled ?? false)) this.require(caller, "run.services.setIamPolicy", place, nameOf);
    const changed = { ...before, generation: before.generation + 1, etag: newEtag(), updateTime: this.#now(), lastModifier: caller.name };
    return this.#deploy(caller, project, { ...changed, settings: { ...wanted, template: this.#completed(wanted.template, project) } });
  }

  delete(service: RunService): void {
    this.store.deleteService(service);
    this.context.policies.delete(serviceResource(service).name);
  }

  #deploy(caller: GcpCaller, project: GcpProject, service: RunService): RunService {
    const { template } = service.settings;
    this.#requireActAs(caller, template.serviceAccount ?? "");
    const revision = this.#revision(caller, project, service);
    const deployed: RunService = { ...service, latestCreatedRevision: revision.name, latestReadyRevision: revision.failure === undefined ? revision.name : service.latestReadyRevision };
    this.store.putRevision(deployed, revision);
    this.store.putService(deployed);
    return deployed;
  }

  /** The one that the template is of already, or another. */
  #revision(caller: GcpCaller, project: GcpProject, service: RunService): Revision {
    const { template } = service.settings;
    const latest = this.store.revision(service, service.latestCreatedRevision);
    if (latest && latest.failure === undefined && same(latest.template, template)) return latest;
    const name = this.#revisionName(service);
    const found = this.#images.find(caller, project, template.containers[0]?.image ?? "");
    return { name, uid: randomUUID(), generation: service.generation, createTime: this.#now(), template, ...found };
  }

  #revisionName(service: RunService): string {
    const { serviceId, settings, generation } = service;
    const given = settings.template.revision;
    if (given === undefined || given === "") {
      const letters = Array.from({ length: 3 }, () => "bcdfghjklmnpqrstvwxz"[randomInt(20)]).join("");
      return `${serviceId}-${String(generation).padStart(5, "0")}-${letters}`;
    }
    if (!given.startsWith(`${serviceId}-`) || !/^[a-z0-9-]*[a-z0-9]$/.test(given)) throw invalidArgument(runTexts.revisionNameInvalid(given, serviceId));
    if (this.store.revision(service, given)) throw new GcpError("ALREADY_EXISTS", runTexts.revisionExists(given));
    return given;
  }

  /** An account that is not there is told from a forbidden one by nobody. */
  #requireActAs(caller: GcpCaller, email: string): void {
    const account = this.#iam.serviceAccount(email, "-", "effective");
    const resource = account && { name: `//iam.googleapis.com/${account.name}`, type: "iam.googleapis.com/ServiceAccount", projectId: account.projectId };
    if (!resource || !this.context.allows(caller, "iam.serviceAccounts.actAs", resource)) throw new GcpError("PERMISSION_DENIED", runTexts.actAsDenied(email));
  }

  #completed(template: Template, project: GcpProject): Template {
    if (!template.containers[0]?.image) throw invalidArgument(runTexts.noContainer);
    return { ...completedTemplate(template), serviceAccount: template.serviceAccount ?? defaultServiceAccount(this.context, project).email };
  }

  #now(): string {
    return this.context.core.clock.now().toISOString();
  }
}

/** Whether two templates make the same revision. */
function same(a: Template, b: Template): boolean {
  const renamed = b.revision !== undefined && b.revision !== "" && a.revision !== b.revision;
  return !renamed && isDeepStrictEqual(plain(a), plain(b));
}

function plain({ revision: _, ...template }: Template): unknown {
  return JSON.parse(JSON.stringify(template));
}
