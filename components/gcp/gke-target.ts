import * as pulumi from "@pulumi/pulumi";
import { RepositoryIamMember } from "@pulumi/gcp/artifactregistry/repositoryIamMember.js";
import { getClusterOutput } from "@pulumi/gcp/container/getCluster.js";
import { IAMCustomRole } from "@pulumi/gcp/projects/iamcustomRole.js";
import { IAMMember as ProjectIamMember } from "@pulumi/gcp/projects/iammember.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import { grantedRoles, permissionsOf } from "../../facts/gcp/grants.js";
import { KubernetesDeploymentAccess } from "../kubernetes/deployment-access.js";
import type { GcpImageRepositoryArgs } from "./builds.js";
import { childOptions, GcpChecks, lookupOptions } from "./common.js";
import { gkeKubeconfig } from "./kubeconfig.js";

export interface GcpGkeTargetArgs {
  /** Id of the project that the cluster is in. */
  projectId: pulumi.Input<string>;
  /** Name of the cluster, which is the customer's: none is made. */
  clusterName: pulumi.Input<string>;
  /** Region or zone of the cluster. */
  clusterLocation: pulumi.Input<string>;
  /** Who deploys: `serviceAccount:<email>`, or one identity of a pool. */
  member: pulumi.Input<string>;
  /**
   * Unique id of the service account. The cluster takes a token without the scope `userinfo.email` for it instead of for
   * the email, so both are bound.
   * https://cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control#forbidden_error_for_service_accounts_on_vm_instances
   */
  serviceAccountUniqueId?: pulumi.Input<string> | undefined;
  /** Id of the custom role with `container.clusters.get` alone. A deleted role's id is taken for weeks. */
  clusterRoleId: pulumi.Input<string>;
  namespace: pulumi.Input<string>;
  /** Makes the namespace. It stays on destroy. @default false */
  createNamespace?: boolean | undefined;
  /** Name of Role and RoleBinding in the namespace. @default `<the component's name>-deployments` */
  roleName?: pulumi.Input<string> | undefined;
  /** Names of the Deployments that may be changed; at least one. */
  deployments: pulumi.Input<string>[];
  /** Email of the account that the cluster's nodes run as, which then may read the repository. Default: it can already. */
  nodeServiceAccountEmail?: pulumi.Input<string> | undefined;
  /** Repository that images are pulled from; needed with `nodeServiceAccountEmail`. */
  repository?: GcpImageRepositoryArgs | undefined;
  /**
   * A kubeconfig for the cluster. Default: made of the cluster's address and certificate, with Google's plugin
   * (`gke-gcloud-auth-plugin`, which has to be on PATH) for the credentials, so that no token gets into the state. Give
   * one where the address is reached in another way, as for a private cluster; it is kept as a secret.
   */
  kubeconfig?: pulumi.Input<string> | undefined;
}

/**
 * Named Deployments in one namespace of a GKE cluster, for a platform to update: the right to find the cluster, and a Role
 * in it. Whether what runs there is public is up to the cluster's own ingress; nothing here makes it so, or keeps it from it.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpGkeTarget extends pulumi.ComponentResource {
  readonly namespace: pulumi.Output<string>;
  /** Full name of the custom role on the project. */
  readonly clusterRole: pulumi.Output<string>;

  constructor(name: string, args: GcpGkeTargetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpGkeTarget", name, {}, opts);
    const checks = new GcpChecks(this, "GcpGkeTarget", name);
    const project = checks.text("projectId", args.projectId, "projectId");
    const clusterName = checks.text("clusterName", args.clusterName, "clusterName");
    const location = checks.text("clusterLocation", args.clusterLocation, "clusterLocation");
    const member = checks.member("member", args.member);
    const roleId = checks.text("clusterRoleId", args.clusterRoleId, "customRoleId");
    const uniqueId =
      args.serviceAccountUniqueId === undefined
        ? undefined
        : checks.value("serviceAccountUniqueId", args.serviceAccountUniqueId, (value) => (/^\d{5,30}$/.test(value) ? undefined : `must be digits; got ${JSON.stringify(value)}`));
    checks.text("namespace", args.namespace, "namespace");
    for (const [index, deployment] of args.deployments.entries()) checks.text(`deployments[${index}]`, deployment, "deployment");
    if (args.deployments.length === 0) checks.add("deployments", "must name at least one Deployment: without names, the role would cover all of the namespace");
    const nodes = checks.optional("nodeServiceAccountEmail", args.nodeServiceAccountEmail, "serviceAccountEmail");
    if ((nodes === undefined) !== (args.repository === undefined)) checks.add("repository", "goes with nodeServiceAccountEmail: give both or neither");
    checks.finish();

    const children = childOptions(this, opts);
    const clusterRole = new IAMCustomRole(
      `${name}-cluster-role`,
      { project, roleId, title: "DCF cluster access", description: "Find a cluster; its own RBAC says what may be done there", permissions: permissionsOf("cluster-access") },
      children,
    );
    this.clusterRole = clusterRole.name;
    new ProjectIamMember(`${name}-cluster`, { project, role: this.clusterRole, member }, children);
    if (nodes && args.repository) {
      const { projectId, location: place, repositoryId } = args.repository;
      new RepositoryIamMember(
        `${name}-pull`,
        { project: projectId, location: place, repository: repositoryId, role: grantedRoles.registryReader, member: pulumi.interpolate`serviceAccount:${nodes}` },
        children,
      );
    }

    const found = args.kubeconfig === undefined ? getClusterOutput({ project, location, name: clusterName }, lookupOptions(this, opts)) : undefined;
    const kubeconfig =
      args.kubeconfig === undefined
        ? pulumi.all([clusterName, found?.endpoint, found?.masterAuths]).apply(([cluster, endpoint = "", auths = []]) => gkeKubeconfig(cluster, { endpoint, caCertificate: auths[0]?.clusterCaCertificate ?? "" }))
        : pulumi.secret(args.kubeconfig);
    const provider = new Provider(`${name}-cluster-provider`, { kubeconfig, enableServerSideApply: true }, { parent: this });
    const user = member.apply((known) => known.replace(/^serviceAccount:/, ""));
    const access = new KubernetesDeploymentAccess(
      `${name}-deployments`,
      {
        namespace: args.namespace,
        createNamespace: args.createNamespace,
        deployments: args.deployments,
        roleName: args.roleName,
        users: [user, ...(uniqueId ? [uniqueId] : [])],
      },
      { parent: this, provider, ...(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) },
    );
    this.namespace = access.namespace;
    this.registerOutputs({ namespace: this.namespace, clusterRole: this.clusterRole });
  }
}
