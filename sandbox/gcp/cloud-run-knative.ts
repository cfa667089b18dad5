/** Cloud Run's first API, which `gcloud run` speaks: services in Knative's form. https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services */
import * as z from "zod";
import { type Ingress, ingressSettings, runTexts } from "../../facts/gcp/cloud-run.js";
import { projectResource } from "./accounts.js";
import type { Deployer } from "./cloud-run-deploy.js";
import { type Container, type RunService, type RunStore, type ServicePlace, type ServiceSettings, type Template, type Traffic, addresses } from "./cloud-run-store.js";
import { checkLocation } from "./cloud-run-v2.js";
import { readiness } from "./cloud-run-views.js";
import { invalidArgument } from "./errors.js";
import type { GcpRequest, GcpRoute, GcpServiceContext } from "./service.js";
import { GcpError, type GcpProject } from "./types.js";

const API_VERSION = "serving.knative.dev/v1";
const INGRESS = "run.googleapis.com/ingress";
const INVOKER_CHECK = "run.googleapis.com/invoker-iam-disabled";
const LOCATION = "cloud.googleapis.com/location";
/** Annotations that only the service writes. */
const OWN_ANNOTATIONS = ["run.googleapis.com/urls", "run.googleapis.com/ingress-status", "run.googleapis.com/operation-id", "serving.knative.dev/creator", "serving.knative.dev/lastModifier"];

const texts = z.record(z.string(), z.string());
const form = z.object({
  metadata: z.object({ name: z.string().default(""), labels: texts.default({}), annotations: texts.default({}), resourceVersion: z.string().optional() }),
  spec: z.object({
    template: z.object({
      metadata: z.object({ name: z.string().optional(), labels: texts.optional(), annotations: texts.optional() }).default({}),
      spec: z.looseObject({
        containers: z.array(z.looseObject({ image: z.string() })).default([]),
        containerConcurrency: z.number().optional(),
        timeoutSeconds: z.number().optional(),
        serviceAccountName: z.string().optional(),
      }),
    }),
    traffic: z.array(z.object({ percent: z.number().optional(), latestRevision: z.boolean().optional(), revisionName: z.string().optional(), tag: z.string().optional() })).default([]),
  }),
});
type Form = z.output<typeof form>;

const namespaceName = ({ projectId, serviceId }: ServicePlace): string => `namespaces/${projectId}/services/${serviceId}`;

export function knativeRoutes(context: GcpServiceContext, store: RunStore, deployer: Deployer): GcpRoute[] {
  /** The region is in the host's name; a client with an endpoint of its own has none there, and means the service by its name. */
  function placeOf({ url, params }: GcpRequest, named: string, body?: Form): { place: ServicePlace; project: GcpProject } {
    const project = context.projectOf(params["namespace"] ?? "");
    const [, region] = /^([a-z0-9-]+)-run\.googleapis\.com$/.exec(url.hostname) ?? [];
    const known = store.services(project.projectId, "-").find(({ serviceId }) => serviceId === named)?.location;
    const location = region ?? known ?? body?.metadata.labels[LOCATION] ?? "us-central1";
    checkLocation(location);
    return { project, place: { projectId: project.projectId, location, serviceId: named } };
  }

  const view = (service: RunService): object => shown(store, service);

  function create(request: GcpRequest): object {
    const body = read(request.body);
    const { project, place } = placeOf(request, body.metadata.name, body);
    return view(deployer.create(request.caller, project, place, settingsOf(body), namespaceName));
  }

  function replace(request: GcpRequest): object {
    const body = read(request.body);
    const { project, place } = placeOf(request, request.params["service"] ?? "");
    return view(deployer.update(request.caller, project, place, { settings: (before) => ({ ...kept(before), ...settingsOf(body) }), etag: body.metadata.resourceVersion, nameOf: namespaceName }));
  }

  function get(request: GcpRequest): object {
    return view(deployer.open(request.caller, "run.services.get", placeOf(request, request.params["service"] ?? "").place, namespaceName));
  }

  function remove(request: GcpRequest): object {
    deployer.delete(deployer.open(request.caller, "run.services.delete", placeOf(request, request.params["service"] ?? "").place, namespaceName));
    return { apiVersion: "v1", kind: "Status", status: "Success" };
  }

  function list({ caller, url, params }: GcpRequest): object {
    const { projectId } = context.projectOf(params["namespace"] ?? params["project"] ?? "");
    const [, region = params["location"] ?? "-"] = /^([a-z0-9-]+)-run\.googleapis\.com$/.exec(url.hostname) ?? [];
    if (!context.allows(caller, "run.services.list", { name: projectResource(projectId), type: "cloudresourcemanager.googleapis.com/Project", projectId })) {
      throw new GcpError("PERMISSION_DENIED", runTexts.denied("run.services.list", `namespaces/${projectId}/services`));
    }
    return { apiVersion: API_VERSION, kind: "ServiceList", metadata: {}, items: store.services(projectId, region).map(view) };
  }

  const route = (method: GcpRoute["method"], path: string, name: string, run: (request: GcpRequest) => object): GcpRoute => ({
    method,
    path,
    operation: `run:${name}`,
    consumer: ({ params }) => params["namespace"] ?? params["project"],
    run: async (request) => run(request),
  });
  const all = "/apis/serving.knative.dev/v1/namespaces/{namespace}/services";
  return [
    route("GET", all, "ListServices", list),
    route("POST", all, "CreateService", create),
    route("GET", `${all}/{service}`, "GetService", get),
    route("PUT", `${all}/{service}`, "ReplaceService", replace),
    route("DELETE", `${all}/{service}`, "DeleteService", remove),
    route("GET", "/v1/projects/{project}/locations/{location}/services", "ListServices", list),
  ];
}

function read(body: unknown): Form {
  const result = form.safeParse(body ?? {});
  const issue = result.error?.issues[0];
  if (!result.success) throw invalidArgument(`${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? ""}`);
  return result.data;
}

/** What Knative's form has no word for. */
function kept({ customAudiences, defaultUriDisabled, description, scaling }: ServiceSettings): Partial<ServiceSettings> {
  return { customAudiences, defaultUriDisabled, description, scaling };
}

function settingsOf({ metadata: { labels, annotations }, spec }: Form): ServiceSettings {
  const { [INGRESS]: ingress = "all", [INVOKER_CHECK]: invoker, ...others } = annotations;
  const [setting] = Object.entries(ingressSettings).find(([, name]) => name === ingress) ?? [];
  if (setting === undefined) throw invalidArgument(`metadata.annotations[${INGRESS}]: must be one of ${Object.values(ingressSettings).join(", ")}, got ${ingress}`);
  const { containers, containerConcurrency, timeoutSeconds, serviceAccountName, ...spare } = spec.template.spec;
  const { name, ...described } = spec.template.metadata;
  const template: Template = {
    ...spare,
    ...described,
    ...(name !== undefined && { revision: name }),
    ...(serviceAccountName !== undefined && { serviceAccount: serviceAccountName }),
    ...(timeoutSeconds !== undefined && { timeout: `${timeoutSeconds}s` }),
    ...(containerConcurrency !== undefined && { maxInstanceRequestConcurrency: containerConcurrency }),
    containers,
  };
  const traffic = spec.traffic.map(({ latestRevision, revisionName, percent, tag }): Traffic => ({
    type: `TRAFFIC_TARGET_ALLOCATION_TYPE_${latestRevision === true || revisionName === undefined ? "LATEST" : "REVISION"}`,
    ...(revisionName !== undefined && { revision: revisionName }),
    ...(percent !== undefined && { percent }),
    ...(tag !== undefined && { tag }),
  }));
  return {
    labels: without(labels, [LOCATION]),
    annotations: without(others, OWN_ANNOTATIONS),
    ingress: setting as Ingress,
    ...(invoker !== undefined && { invokerIamDisabled: invoker === "true" }),
    template,
    traffic,
  };
}

function without(members: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(members).filter(([key]) => !names.includes(key)));
}

function shown(store: RunStore, service: RunService): object {
  const { settings, serviceId, projectNumber, location, uid, etag, generation, createTime, updateTime, creator, lastModifier, latestCreatedRevision, latestReadyRevision } = service;
  const { ready, message } = readiness(store, service);
  const { revision, labels, annotations, serviceAccount, timeout = "", maxInstanceRequestConcurrency, scaling: _, containers, ...spare } = settings.template;
  const urls = addresses(service);
  const traffic = (settings.traffic.length === 0 ? [{ percent: 100 } as Traffic] : settings.traffic).map(({ revision: target, percent, tag }) => ({
    ...(target === undefined ? { latestRevision: true } : { revisionName: target }),
    ...(percent !== undefined && { percent }),
    ...(tag !== undefined && { tag }),
  }));
  const status = { status: ready ? "True" : "False", lastTransitionTime: updateTime, ...(message !== undefined && { reason: "ContainerMissing", message }) };
  return {
    apiVersion: API_VERSION,
    kind: "Service",
    metadata: {
      name: serviceId,
      namespace: projectNumber,
      selfLink: `/apis/serving.knative.dev/v1/namespaces/${projectNumber}/services/${serviceId}`,
      uid,
      resourceVersion: etag,
      generation,
      creationTimestamp: createTime,
      labels: { ...settings.labels, [LOCATION]: location },
      annotations: {
        ...settings.annotations,
        [INGRESS]: ingressSettings[settings.ingress],
        "run.googleapis.com/ingress-status": ingressSettings[settings.ingress],
        ...(settings.invokerIamDisabled === true && { [INVOKER_CHECK]: "true" }),
        "run.googleapis.com/urls": JSON.stringify(urls),
        "serving.knative.dev/creator": creator,
        "serving.knative.dev/lastModifier": lastModifier,
      },
    },
    spec: {
      template: {
        metadata: { ...(revision !== undefined && { name: revision }), labels, annotations },
        spec: { ...spare, containerConcurrency: maxInstanceRequestConcurrency, timeoutSeconds: parseInt(timeout), serviceAccountName: serviceAccount, containers: containers.map(asKnative) },
      },
      traffic,
    },
    status: {
      observedGeneration: generation,
      conditions: ["Ready", "ConfigurationsReady", "RoutesReady"].map((type) => ({ type, ...status })),
      latestCreatedRevisionName: latestCreatedRevision,
      ...(latestReadyRevision !== undefined && { latestReadyRevisionName: latestReadyRevision }),
      traffic: latestReadyRevision === undefined ? [] : traffic.map((target) => ("revisionName" in target ? target : { ...target, revisionName: latestReadyRevision })),
      url: urls[1],
      address: { url: urls[1] },
    },
  };
}

/** Resources of v2 that Knative's form has in annotations. */
function asKnative({ resources, ...container }: Container): object {
  const { limits } = (resources ?? {}) as { limits?: object };
  return { ...container, ...(limits && { resources: { limits } }) };
}
