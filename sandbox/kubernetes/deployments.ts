/** Deployments: defaults and checks of the API server, and the status that a controller and healthy nodes would bring about at once. */
import { isDeepStrictEqual } from "node:util";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { matchesSelector } from "../../trust/kubernetes/selectors.js";
import { duplicate, invalidValue, required, unsupported, type FieldError } from "./errors.js";
import type { KubernetesObject } from "./objects.js";
import { list, nameErrors, object, text } from "./validation.js";

const REVISION = "deployment.kubernetes.io/revision";

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/ */
export function defaultDeployment(deployment: KubernetesObject): KubernetesObject {
  const spec = object(deployment.spec);
  const template = object(spec.template);
  const pod = object(template.spec);
  const strategy = object(spec.strategy);
  const rolling = strategy.type === undefined || strategy.type === "RollingUpdate";
  const containers = (value: unknown): JsonObject[] => list(value).map(defaultContainer);
  return {
    ...deployment,
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
      strategy: { type: "RollingUpdate", ...(rolling && { rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%", ...object(strategy.rollingUpdate) } }), ...(!rolling && strategy) },
      template: {
        ...template,
        metadata: { creationTimestamp: null, ...object(template.metadata) },
        spec: {
          restartPolicy: "Always",
          terminationGracePeriodSeconds: 30,
          dnsPolicy: "ClusterFirst",
          securityContext: {},
          schedulerName: "default-scheduler",
          ...pod,
          ...(typeof pod.serviceAccountName === "string" && { serviceAccount: pod.serviceAccountName }),
          containers: containers(pod.containers),
          ...(pod.initContainers !== undefined && { initContainers: containers(pod.initContainers) }),
        },
      },
    },
  };
}

function defaultContainer(container: JsonObject): JsonObject {
  const image = text(container.image);
  const latest = !image.includes("@") && (/:latest$/.test(image) || !/:[^/]+$/.test(image));
  const ports = container.ports === undefined ? {} : { ports: list(container.ports).map((port) => ({ ...port, protocol: port.protocol ?? "TCP" })) };
  return {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: latest ? "Always" : "IfNotPresent",
    ...container,
    ...ports,
  };
}

export function deploymentErrors(deployment: KubernetesObject, before?: KubernetesObject): FieldError[] {
  const spec = object(deployment.spec);
  const template = object(spec.template);
  const labels = object(object(template.metadata).labels) as Record<string, string>;
  const errors: FieldError[] = [];
  if (typeof spec.replicas !== "number" || spec.replicas < 0) errors.push(invalidValue("spec.replicas", spec.replicas, "must be greater than or equal to 0"));
  if (spec.selector === undefined) errors.push(required("spec.selector"));
  else if (!isJsonObject(spec.selector) || Object.keys(spec.selector).length === 0) errors.push(invalidValue("spec.selector", spec.selector, "empty selector is invalid for deployment"));
  else if (!matchesSelector(spec.selector, labels)) errors.push(invalidValue("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  errors.push(...containerErrors("spec.template.spec", object(template.spec)));
  const selector = object(before?.spec).selector;
  if (before && !isDeepStrictEqual(selector, spec.selector)) errors.push(invalidValue("spec.selector", spec.selector, "field is immutable"));
  return errors;
}

export function containerErrors(field: string, pod: JsonObject): FieldError[] {
  const containers = list(pod.containers);
  const errors: FieldError[] = containers.length === 0 ? [required(`${field}.containers`)] : [];
  const seen = new Set<string>();
  containers.forEach((container, index) => {
    const at = `${field}.containers[${index}]`;
    const name = text(container.name);
    if (name === "") errors.push(required(`${at}.name`));
    else if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    else errors.push(...nameErrors(`${at}.name`, name, "label"));
    seen.add(name);
    if (text(container.image) === "") errors.push(required(`${at}.image`));
    const policies = ["Always", "IfNotPresent", "Never"];
    if (!policies.includes(text(container.imagePullPolicy))) errors.push(unsupported(`${at}.imagePullPolicy`, container.imagePullPolicy, policies));
  });
  return errors;
}

/** Every pod runs and is ready as soon as it is asked for. */
export function settledDeployment(deployment: KubernetesObject, before: KubernetesObject | undefined, now: string): KubernetesObject {
  const spec = object(deployment.spec);
  const replicas = Number(spec.replicas);
  const changed = !before || !isDeepStrictEqual(object(before.spec).template, spec.template);
  const revision = Number(before?.metadata.annotations?.[REVISION] ?? 0) + (changed ? 1 : 0);
  const counts = replicas === 0 ? {} : { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
  const since = list(object(before?.status).conditions)[0]?.lastTransitionTime ?? now;
  const condition = (type: string, reason: string, message: string): JsonObject => ({ type, status: "True", lastUpdateTime: now, lastTransitionTime: since, reason, message });
  return {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: { ...deployment.metadata.annotations, [REVISION]: String(revision) } },
    status: {
      observedGeneration: deployment.metadata.generation,
      ...counts,
      conditions: [
        condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        condition("Progressing", "NewReplicaSetAvailable", `Deployment ${JSON.stringify(deployment.metadata.name)} has successfully progressed.`),
      ],
    },
  };
}
