/** What is particular to a kind when it is written. */
import type { ApiResource } from "../../facts/kubernetes/api.js";
import { containerErrors, defaultDeployment, deploymentErrors, settledDeployment } from "./deployments.js";
import { forbidden, invalidValue, type FieldError, type KubernetesError } from "./errors.js";
import type { KubernetesObject } from "./objects.js";
import { defaultBinding, rbacErrors } from "./rbac-objects.js";
import { object, requireTexts } from "./validation.js";

export interface Strategy {
  /** Fills in what the API server does; also refuses what cannot be read as this kind. */
  defaults?(object: KubernetesObject): KubernetesObject;
  errors?(object: KubernetesObject, before?: KubernetesObject): FieldError[];
  /** What controllers make of it, at once. */
  settle?(object: KubernetesObject, before: KubernetesObject | undefined, now: string): KubernetesObject;
  /** Whether `metadata.generation` counts the changes of its spec. */
  generation?: boolean;
}

const bindings = (resource: ApiResource): Strategy => ({ defaults: defaultBinding, errors: (binding, before) => rbacErrors(resource, binding, before) });
const roles = (resource: ApiResource): Strategy => ({ defaults: (role) => ({ ...role, rules: role.rules ?? null }), errors: (role) => rbacErrors(resource, role) });

const strategies: Readonly<Record<string, (resource: ApiResource) => Strategy>> = {
  clusterrolebindings: bindings,
  clusterroles: roles,
  configmaps: (resource) => ({
    defaults: (map) => {
      requireTexts(map.data, "data", resource);
      return map;
    },
    errors: (map) => Object.keys(object(map.data)).filter((key) => !/^[-._a-zA-Z0-9]+$/.test(key)).map((key) => invalidValue(`data[${key}]`, key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")),
  }),
  deployments: () => ({ defaults: defaultDeployment, errors: deploymentErrors, settle: settledDeployment, generation: true }),
  namespaces: () => ({
    defaults: (namespace) => ({
      ...namespace,
      metadata: { ...namespace.metadata, labels: { ...namespace.metadata.labels, "kubernetes.io/metadata.name": namespace.metadata.name } },
      spec: { finalizers: ["kubernetes"] },
    }),
    settle: (namespace) => ({ ...namespace, status: { phase: "Active" } }),
  }),
  pods: () => ({
    errors: (pod) => containerErrors("spec", object(pod.spec)),
    settle: (pod) => ({ ...pod, status: { phase: "Running" } }),
  }),
  rolebindings: bindings,
  roles,
  secrets: () => ({ defaults: defaultSecret }),
};

export function strategyOf(resource: ApiResource): Strategy {
  return strategies[resource.resource]?.(resource) ?? {};
}

/** Texts that were given plainly are kept as everything else is, in Base64. */
function defaultSecret({ stringData, ...secret }: KubernetesObject): KubernetesObject {
  const given = Object.entries(object(stringData)).map(([key, value]) => [key, Buffer.from(String(value)).toString("base64")]);
  return { ...secret, apiVersion: secret.apiVersion, kind: secret.kind, metadata: secret.metadata, type: secret.type ?? "Opaque", ...((stringData ?? secret.data) !== undefined && { data: { ...object(secret.data), ...Object.fromEntries(given) } }) };
}

/** Namespaces that every cluster needs. */
const LASTING_NAMESPACES = ["default", "kube-public", "kube-system"];

export function deletionRefusal(resource: ApiResource, name: string): KubernetesError | undefined {
  return resource.resource === "namespaces" && LASTING_NAMESPACES.includes(name) ? forbidden(resource, name, "this namespace may not be deleted") : undefined;
}
