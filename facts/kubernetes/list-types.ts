/**
 * Which lists of the API are maps or sets, and which maps are one value: what strategic merge and server-side apply merge by.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy and the `patchStrategy` and
 * `x-kubernetes-list-type` marks of the API's OpenAPI document, graded documented.
 */

/** Keys of the items of a list, by the name of its member: the first alone is what a strategic merge patch goes by. */
export const MAP_LISTS: Readonly<Record<string, readonly string[]>> = {
  conditions: ["type"],
  containers: ["name"],
  env: ["name"],
  ephemeralContainers: ["name"],
  hostAliases: ["ip"],
  imagePullSecrets: ["name"],
  initContainers: ["name"],
  ownerReferences: ["uid"],
  ports: ["containerPort", "protocol"],
  secrets: ["name"],
  topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
  volumeDevices: ["devicePath"],
  volumeMounts: ["mountPath"],
  volumes: ["name"],
};

/** Defaults of keys that an applied configuration may leave out. */
export const MAP_LIST_DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { ports: { protocol: "TCP" } };

/** Lists of texts without repetitions. */
export const SET_LISTS: readonly string[] = ["finalizers"];

/** Maps that somebody owns as a whole. */
export const ATOMIC_MAPS: readonly string[] = ["selector", "nodeSelector", "roleRef", "aggregationRule", "valueFrom", "configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef"];
