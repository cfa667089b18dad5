/** What Cloud Run keeps: services and their revisions. */
import { createHash } from "node:crypto";
import { type Ingress, regionCodes } from "../../facts/gcp/cloud-run.js";
import type { ResourceStore } from "../types.js";

/** Of a revision, in the v2 API's form; what is not named here is kept and shown, without effect. */
export interface Template {
  revision?: string | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  serviceAccount?: string | undefined;
  timeout?: string | undefined;
  maxInstanceRequestConcurrency?: number | undefined;
  scaling?: object | undefined;
  containers: Container[];
  [member: string]: unknown;
}

export interface Container {
  image: string;
  [member: string]: unknown;
}

/** Target of traffic, in the v2 API's form. */
export interface Traffic {
  type?: string | undefined;
  revision?: string | undefined;
  percent?: number | undefined;
  tag?: string | undefined;
}

/** What the owner of a service writes. */
export interface ServiceSettings {
  description?: string | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  client?: string | undefined;
  clientVersion?: string | undefined;
  ingress: Ingress;
  launchStage?: string | undefined;
  invokerIamDisabled?: boolean | undefined;
  defaultUriDisabled?: boolean | undefined;
  customAudiences?: string[] | undefined;
  /** Of the service as a whole; kept and shown. */
  scaling?: object | undefined;
  template: Template;
  traffic: Traffic[];
}

export interface RunService {
  projectId: string;
  projectNumber: string;
  location: string;
  serviceId: string;
  uid: string;
  generation: number;
  etag: string;
  createTime: string;
  updateTime: string;
  creator: string;
  lastModifier: string;
  settings: ServiceSettings;
  /** Revisions by their own names. */
  latestCreatedRevision: string;
  latestReadyRevision?: string | undefined;
}

export interface Revision {
  name: string;
  uid: string;
  /** Of the service, when the revision was made. */
  generation: number;
  createTime: string;
  template: Template;
  /** Undefined where it was not to be had. */
  image?: { digest: string; labels: Record<string, string> } | undefined;
  /** Why it cannot serve. */
  failure?: string | undefined;
}

const SERVICE = "gcp:run/service";
const REVISION = "gcp:run/revision";

export type ServicePlace = Pick<RunService, "projectId" | "location" | "serviceId">;

export const locationName = ({ projectId, location }: Pick<RunService, "projectId" | "location">): string => `projects/${projectId}/locations/${location}`;
export const serviceName = (place: ServicePlace): string => `${locationName(place)}/services/${place.serviceId}`;
export const revisionName = (place: ServicePlace, revision: string): string => `${serviceName(place)}/revisions/${revision}`;

export class RunStore {
  constructor(private readonly store: ResourceStore) {}

  service(place: ServicePlace): RunService | undefined {
    return this.store.get<RunService>(SERVICE, serviceName(place));
  }

  /** `-` means everywhere. */
  services(projectId: string, location: string): RunService[] {
    const all = this.store.list<RunService>(SERVICE).map(({ value }) => value);
    return all.filter((each) => each.projectId === projectId && (location === "-" || each.location === location)).sort((a, b) => (serviceName(a) < serviceName(b) ? -1 : 1));
  }

  /** The service that an address is of. */
  byHost(host: string): { service: RunService; tag: string | undefined } | undefined {
    const [, tag, own = host] = /^([a-z0-9-]+?)---(.+)$/.exec(host) ?? [];
    const service = this.store
      .list<RunService>(SERVICE)
      .map(({ value }) => value)
      .find((each) => addresses(each).includes(`https://${own}`));
    return service && { service, tag };
  }

  putService(service: RunService): void {
    this.store.put(SERVICE, serviceName(service), service);
  }

  deleteService(service: RunService): void {
    for (const { name } of this.revisions(service)) this.store.delete(REVISION, revisionName(service, name));
    this.store.delete(SERVICE, serviceName(service));
  }

  revision(place: ServicePlace, name: string): Revision | undefined {
    return this.store.get<Revision>(REVISION, revisionName(place, name));
  }

  /** Newest first. */
  revisions(place: ServicePlace): Revision[] {
    const prefix = revisionName(place, "");
    const found = this.store.list<Revision>(REVISION).flatMap(({ id, value }) => (id.startsWith(prefix) ? [value] : []));
    return found.sort((a, b) => b.generation - a.generation);
  }

  putRevision(place: ServicePlace, revision: Revision): void {
    this.store.put(REVISION, revisionName(place, revision.name), revision);
  }
}

/** With the project's number, and with a hash, which is what the API calls the address. https://cloud.google.com/run/docs/triggering/https-request#url */
export function addresses({ serviceId, projectNumber, location }: RunService): [deterministic: string, hashed: string] {
  const hash = createHash("sha256").update(projectNumber).digest("hex").slice(0, 10);
  const code = regionCodes[location] ?? location.replace(/[^a-z]/g, "").slice(0, 2);
  return [`https://${serviceId}-${projectNumber}.${location}.run.app`, `https://${serviceId}-${hash}-${code}.a.run.app`];
}
