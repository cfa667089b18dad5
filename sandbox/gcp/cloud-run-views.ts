/** Services and revisions as the v2 API shows them. https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services */
import { runTexts } from "../../facts/gcp/cloud-run.js";
import { type Revision, type RunService, type RunStore, addresses, revisionName, serviceName } from "./cloud-run-store.js";

export interface Readiness {
  ready: boolean;
  /** Why not. */
  message?: string;
}

export function readiness(store: RunStore, service: RunService): Readiness {
  const latest = store.revision(service, service.latestCreatedRevision);
  return latest?.failure === undefined ? { ready: true } : { ready: false, message: runTexts.revisionNotReady(latest.name, latest.failure) };
}

const ALL_TO_LATEST = [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }];

export function shownService(store: RunStore, service: RunService): object {
  const { settings, uid, generation, etag, createTime, updateTime, creator, lastModifier, latestCreatedRevision, latestReadyRevision } = service;
  const { ready, message } = readiness(store, service);
  const [deterministic, hashed] = addresses(service);
  const uris = settings.defaultUriDisabled === true ? {} : { uri: hashed, urls: [deterministic, hashed] };
  const state = ready ? { state: "CONDITION_SUCCEEDED" } : { state: "CONDITION_FAILED", reason: "CONTAINER_MISSING", message };
  const traffic = settings.traffic.length === 0 ? ALL_TO_LATEST : settings.traffic;
  const full = (name: string): string => revisionName(service, name);
  return {
    name: serviceName(service),
    uid,
    generation: String(generation),
    ...settings,
    launchStage: settings.launchStage ?? "GA",
    createTime,
    updateTime,
    creator,
    lastModifier,
    traffic,
    observedGeneration: String(generation),
    terminalCondition: { type: "Ready", lastTransitionTime: updateTime, ...state },
    conditions: [
      { type: "RoutesReady", lastTransitionTime: updateTime, ...state },
      { type: "ConfigurationsReady", lastTransitionTime: updateTime, ...state },
    ],
    latestCreatedRevision: full(latestCreatedRevision),
    ...(latestReadyRevision !== undefined && { latestReadyRevision: full(latestReadyRevision) }),
    trafficStatuses: latestReadyRevision === undefined ? [] : traffic,
    ...uris,
    satisfiesPzs: false,
    reconciling: false,
    etag,
  };
}

export function shownRevision(service: RunService, { name, uid, generation, createTime, template, image, failure }: Revision): object {
  const { revision: _, ...rest } = template;
  const condition = { type: "Ready", lastTransitionTime: createTime, ...(failure === undefined ? { state: "CONDITION_SUCCEEDED" } : { state: "CONDITION_FAILED", message: failure, reason: "CONTAINER_MISSING" }) };
  return {
    name: revisionName(service, name),
    uid,
    generation: String(generation),
    createTime,
    updateTime: createTime,
    service: service.serviceId,
    ...rest,
    containers: template.containers.map((container) => ({ ...container, ...(image && { image: `${container.image.replace(/(?::[\w][\w.-]*|@sha256:\w+)$/, "")}@${image.digest}` }) })),
    conditions: [condition],
    observedGeneration: String(generation),
    reconciling: false,
    etag: service.etag,
  };
}
