/** A GKE cluster and what may be done in it. */
import type { GcpCauseValues, GcpEntry } from "../causes.js";
import { up } from "../fixes.js";

const cluster = ({ subject, found, project, exchange }: GcpCauseValues) => `${subject ?? "CLUSTER"} --location=${found ?? "LOCATION"} --project=${project ?? exchange.projectId}`;

/** `kubectl create` calls the container after its image, and the platform knows it by the name in `found`. */
function createDeployment({ subject = "DEPLOYMENT", expected = "NAMESPACE", found: containerName }: GcpCauseValues): string {
  const create = `kubectl create deployment ${subject} --image=us-docker.pkg.dev/cloudrun/container/hello --namespace=${expected}`;
  if (containerName === undefined) return create;
  const patch = JSON.stringify([{ op: "replace", path: "/spec/template/spec/containers/0/name", value: containerName }]);
  return `${create} && kubectl patch deployment ${subject} --namespace=${expected} --type=json --patch='${patch}'`;
}

export const gkeCauses = {
  "gcp.gke.cluster-missing": {
    title: "The GKE cluster does not exist",
    explanation: "The cluster is looked for by project, location and name; a zonal cluster is in its zone, not in the region.",
    fix: (values) => `gcloud container clusters list --project=${values.project ?? values.exchange.projectId}; name cluster and location as it shows them in the stack's configuration, in place of ${values.subject ?? "this one"} in ${values.found ?? "this location"}.`,
  },
  "gcp.gke.unreachable": {
    title: "The cluster's control plane does not answer from here",
    explanation: "It has no public endpoint, or takes only networks that it knows. The platform comes from its own network, and needs the same way in.",
    fix: (values) => `gcloud container clusters update ${cluster(values)} --enable-master-authorized-networks --master-authorized-networks=PLATFORM_CIDR, or run verify from a network that the control plane takes.`,
  },
  "gcp.gke.access-denied": {
    title: "The cluster does not take the session's credentials",
    explanation: "A Google identity is let in once it has container.clusters.get on the cluster; the cluster's own answer says no more.",
    fix: (values) => `${up}; then look whether the cluster of the contract is the one that answers: gcloud container clusters describe ${cluster(values)} --format='value(endpoint)'`,
  },
  "gcp.gke.rbac-missing": {
    title: "The cluster's RBAC does not give the session what the contract grants",
    failureMode: "permission denied",
    explanation: "Role and RoleBinding in the deployment's namespace must name the deployments, and as user the service account's email and its unique id.",
    fix: (values) => `${up}, or look: kubectl get role,rolebinding --namespace=${values.expected ?? "NAMESPACE"} -o wide; missing: ${values.permission ?? "the right"}.`,
  },
  "gcp.gke.rbac-too-wide": {
    title: "The session can do more in the cluster than the contract grants",
    explanation: "Another Role or ClusterRole is bound to it, or an IAM role such as roles/container.developer, which counts in every cluster of the project.",
    fix: (values) => `Remove the binding that gives ${values.permission ?? "the right"}: kubectl get rolebinding,clusterrolebinding --all-namespaces -o wide, and roles/container.* of the account on project ${values.project ?? values.exchange.projectId}.`,
  },
  "gcp.gke.deployment-missing": {
    title: "The Deployment does not exist",
    explanation: "The platform updates Deployments and may not create any: each must be there before the first deployment.",
    fix: (values) => `${createDeployment(values)}, or name the right one in the stack's configuration.`,
  },
  "gcp.gke.container-missing": {
    title: "The Deployment has no container of that name",
    explanation: "The platform sets the image of one container, by its name.",
    fix: (values) => `Set containerName in the stack's configuration to one of ${values.found ?? "the Deployment's containers"}, in place of ${values.subject ?? "this one"}.`,
  },
} as const satisfies Record<string, GcpEntry>;
