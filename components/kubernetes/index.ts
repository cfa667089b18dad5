/** Components for Kubernetes. Needs `@pulumi/kubernetes` 4 beside it. */
export { deploymentVerbs, KubernetesDeploymentAccess, type KubernetesDeploymentAccessArgs } from "./deployment-access.js";
