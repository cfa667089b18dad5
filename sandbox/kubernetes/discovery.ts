/** What the API has, in its three ways of saying so. https://kubernetes.io/docs/concepts/overview/kubernetes-api/ */
import { API_RESOURCES, apiVersionOf, GKE_VERSION, KUBERNETES_VERSION, type ApiResource } from "../../facts/kubernetes/api.js";
import type { KubernetesCluster } from "./types.js";

export interface DiscoveryAnswer {
  contentType: string;
  body: object | string;
}

const GROUPS = [...new Set(API_RESOURCES.map(({ group }) => group))].filter((group) => group !== "");
const resourcesOf = (group: string): ApiResource[] => API_RESOURCES.filter((each) => each.group === group);

/** Undefined for a path that is not of discovery. */
export function discover(cluster: KubernetesCluster, path: string, accept: string): DiscoveryAnswer | undefined {
  const json = (body: object): DiscoveryAnswer => ({ contentType: "application/json", body });
  const aggregated = /as=APIGroupDiscoveryList/.test(accept) ? (/;v=(v2(?:beta1)?)[;,]/.exec(accept)?.[1] ?? "v2") : undefined;
  const [root, group, version, ...rest] = path.split("/").filter((part) => part !== "");
  if (rest.length > 0) return undefined;
  if (path === "/version" || path === "/version/") return json(versionOf(cluster));
  if (root === "api" && group === undefined) return aggregated === undefined ? json({ kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] }) : aggregatedList(aggregated, [""]);
  if (root === "api" && group === "v1" && version === undefined) return json(resourceList(""));
  if (root === "apis" && group === undefined) return aggregated === undefined ? json({ kind: "APIGroupList", apiVersion: "v1", groups: GROUPS.map(apiGroup) }) : aggregatedList(aggregated, GROUPS);
  if (root === "apis" && group !== undefined && GROUPS.includes(group)) {
    if (version === undefined) return json({ kind: "APIGroup", apiVersion: "v1", ...apiGroup(group) });
    if (version === "v1") return json(resourceList(group));
  }
  return undefined;
}

function versionOf({ gke }: KubernetesCluster): object {
  const gitVersion = gke ? `v${GKE_VERSION}` : KUBERNETES_VERSION.gitVersion;
  return { ...KUBERNETES_VERSION, gitVersion, gitCommit: "", gitTreeState: "clean", buildDate: "", goVersion: "", compiler: "gc", platform: "linux/amd64" };
}

function apiGroup(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: "v1" };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(group: string): object {
  const resources = resourcesOf(group).flatMap(({ resource: name, singular: singularName, namespaced, kind, verbs, shortNames, categories, subresources = [] }) => [
    { name, singularName, namespaced, kind, verbs, ...(shortNames && { shortNames }), ...(categories && { categories }) },
    ...subresources.map((sub) => ({ name: `${name}/${sub.name}`, singularName: "", namespaced, ...(sub.group !== group && { group: sub.group, version: sub.version }), kind: sub.kind, verbs: sub.verbs })),
  ]);
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersionOf({ group, version: "v1" }), resources };
}

function aggregatedList(version: string, groups: readonly string[]): DiscoveryAnswer {
  const items = groups.map((group) => ({
    metadata: { ...(group !== "" && { name: group }), creationTimestamp: null },
    versions: [{ version: "v1", freshness: "Current", resources: resourcesOf(group).map(aggregatedResource) }],
  }));
  return {
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    body: { kind: "APIGroupDiscoveryList", apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items },
  };
}

function aggregatedResource({ group, version, kind, resource, singular, namespaced, verbs, shortNames, categories, subresources }: ApiResource): object {
  return {
    resource,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames && { shortNames }),
    ...(categories && { categories }),
    ...(subresources && { subresources: subresources.map((sub) => ({ subresource: sub.name, responseKind: { group: sub.group, version: sub.version, kind: sub.kind }, verbs: sub.verbs })) }),
  };
}

/**
 * As much of the OpenAPI documents as clients ask them for: that the server itself checks fields (`fieldValidation`). Schemas
 * are left out, so that clients merge by what they know of the kinds. Undefined for any other path.
 */
export function openApi(path: string): DiscoveryAnswer | undefined {
  // An empty document, in the only encoding that clients of this version ask for.
  if (path === "/openapi/v2") return { contentType: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", body: "" };
  const documents = Object.fromEntries(["", ...GROUPS].map((group) => [group === "" ? "api/v1" : `apis/${group}/v1`, group]));
  if (path === "/openapi/v3") {
    const paths = Object.fromEntries(Object.keys(documents).map((each) => [each, { serverRelativeURL: `/openapi/v3/${each}` }]));
    return { contentType: "application/json", body: { paths } };
  }
  const name = path.replace(/^\/openapi\/v3\//, "");
  const group = Object.hasOwn(documents, name) ? documents[name] : undefined;
  return group === undefined ? undefined : { contentType: "application/json", body: openApiDocument(name, group) };
}

function openApiDocument(prefix: string, group: string): object {
  const written = resourcesOf(group).filter(({ verbs }) => verbs.includes("patch"));
  const paths = written.map(({ kind, version, resource, namespaced }) => {
    const parameters = [{ name: "dryRun", in: "query" }, { name: "fieldManager", in: "query" }, { name: "fieldValidation", in: "query" }, { name: "force", in: "query" }];
    const patch = { parameters, "x-kubernetes-action": "patch", "x-kubernetes-group-version-kind": { group, version, kind } };
    return [`/${prefix}/${namespaced ? "namespaces/{namespace}/" : ""}${resource}/{name}`, { patch }] as const;
  });
  return { openapi: "3.0.0", info: { title: "Kubernetes", version: KUBERNETES_VERSION.gitVersion }, paths: Object.fromEntries(paths), components: {} };
}
