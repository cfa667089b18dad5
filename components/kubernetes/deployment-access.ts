import * as pulumi from "@pulumi/pulumi";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import { textRules } from "../../facts/gcp/limits.js";
import { textViolation } from "../../facts/rules.js";
import { InputChecks } from "../inputs.js";

export interface KubernetesDeploymentAccessArgs {
  namespace: pulumi.Input<string>;
  /** Makes the namespace. It stays on destroy, since Kubernetes deletes a namespace with everything in it. @default false */
  createNamespace?: boolean | undefined;
  /** Names of the Deployments that may be changed; at least one. They need not exist yet. */
  deployments: pulumi.Input<string>[];
  /** Names of the users that the same caller can appear as; at least one. */
  users: pulumi.Input<string>[];
  /** Name of Role and RoleBinding. @default the component's name */
  roleName?: pulumi.Input<string> | undefined;
}

/** What an update of an image takes: read the Deployment, and change it. `kubectl set image` patches, other clients update. */
export const deploymentVerbs = ["get", "patch", "update"] as const;

/**
 * The right to change named Deployments in one namespace, and nothing else there: Role and RoleBinding.
 *
 * A changed Deployment can run any image with any service account of the namespace, and mount its secrets and volumes.
 *
 * Give the cluster's provider in the options; without, Pulumi takes whatever cluster the ambient kubeconfig points at.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class KubernetesDeploymentAccess extends pulumi.ComponentResource {
  readonly namespace: pulumi.Output<string>;
  readonly roleName: pulumi.Output<string>;

  constructor(name: string, args: KubernetesDeploymentAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:KubernetesDeploymentAccess", name, {}, opts);
    const checks = new InputChecks(this, `KubernetesDeploymentAccess ${JSON.stringify(name)}`);
    const text = (path: string, value: pulumi.Input<string>, rule: "namespace" | "deployment") => checks.value(path, value, (known) => textViolation(textRules[rule], known));
    const namespace = text("namespace", args.namespace, "namespace");
    const deployments = args.deployments.map((each, index) => text(`deployments[${index}]`, each, "deployment"));
    const users = args.users.map((each, index) => checks.value(`users[${index}]`, each, userViolation));
    const roleName = text("roleName", args.roleName ?? name, "deployment");
    if (deployments.length === 0) checks.add("deployments", "must name at least one Deployment: without names, the role would cover all of the namespace");
    if (users.length === 0) checks.add("users", "must name at least one user");
    checks.finish();

    const children: pulumi.CustomResourceOptions = { parent: this, ...(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) };
    this.namespace = args.createNamespace ? new Namespace(`${name}-namespace`, { metadata: { name: namespace } }, { ...children, retainOnDelete: true }).metadata.name : namespace;
    const metadata = { name: roleName, namespace: this.namespace };
    const role = new Role(
      `${name}-role`,
      { metadata, rules: [{ apiGroups: ["apps"], resources: ["deployments"], resourceNames: deployments, verbs: [...deploymentVerbs] }] },
      children,
    );
    new RoleBinding(
      `${name}-binding`,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
        subjects: users.map((user) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user })),
      },
      children,
    );
    this.roleName = role.metadata.name;
    this.registerOutputs({ namespace: this.namespace, roleName: this.roleName });
  }
}

/** Kubernetes' own users and groups are nobody's to be bound here. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects */
function userViolation(user: string): string | undefined {
  return user !== "" && !user.startsWith("system:") && !user.includes("*") ? undefined : `must be the name of one user, not of Kubernetes' own (system:) and no pattern; got ${JSON.stringify(user)}`;
}
