/** The part of `dcf-gcp` that builds and runs: from the configuration to the components, and from them to the contract. */
import type * as pulumi from "@pulumi/pulumi";
import { GcpCloudRunTarget, type GcpImageRepositoryArgs } from "../components/gcp/index.js";
import { serviceAccountName } from "../components/gcp/common.js";
import type { Grant, Target } from "../contract/index.js";
import { permissionsOf, grantedRoles } from "../facts/gcp/grants.js";
import type { DcfGcpConfig } from "./dcf-gcp-config.js";
import type { Project } from "./gcp-place.js";

type Config<K extends "cloudRun" | "gke"> = NonNullable<DcfGcpConfig[K]>;

/** What the runtime's components are made with. */
export interface RuntimeSettings {
  config: DcfGcpConfig;
  member: pulumi.Output<string>;
  serviceAccountUniqueId: pulumi.Output<string> | undefined;
  repository: GcpImageRepositoryArgs;
  /** Makes the id of a custom role of this stack. */
  roleId: (purpose: string) => string;
  /** Begins the names that the stack has to choose in a cluster. */
  base: string;
  options: pulumi.ComponentResourceOptions;
}

/** What the contract and the outputs tell of it. */
export interface Runtime {
  serviceName: pulumi.Input<string | undefined>;
  runtimeServiceAccountEmail: pulumi.Input<string | undefined>;
  namespace: pulumi.Input<string | undefined>;
  /** Custom roles, by what they are for. */
  role: pulumi.Input<string | undefined>;
  uri: pulumi.Input<string | undefined>;
}

export interface RuntimeMade {
  serviceName?: string | undefined;
  runtimeServiceAccountEmail?: string | undefined;
  namespace?: string | undefined;
  role?: string | undefined;
}

export async function makeRuntime(settings: RuntimeSettings): Promise<Runtime> {
  const { cloudRun, gke } = settings.config;
  if (cloudRun) return makeCloudRun(cloudRun, settings);
  if (gke) return makeGke(gke, settings);
  throw new Error("the configuration's schema lets no stack without cloudRun and gke pass");
}

function makeCloudRun(cloudRun: Config<"cloudRun">, { config, member, roleId, options }: RuntimeSettings): Runtime {
  const { runtimeAccount } = cloudRun;
  const target = new GcpCloudRunTarget(
    "dcf-run",
    {
      projectId: config.projectId,
      region: config.region,
      serviceName: cloudRun.serviceName,
      existing: cloudRun.mode === "existing",
      member,
      grantOnProject: cloudRun.grantOn === "project",
      runtimeAccount: runtimeAccount.mode === "existing" ? { existingEmail: runtimeAccount.email } : { accountId: runtimeAccount.id ?? "dcf-runtime" },
      publicAccess: cloudRun.publicAccess,
      ...(cloudRun.publicAccess === "platform" ? { publicAccessRoleId: roleId("public_access") } : {}),
      ...(cloudRun.mode === "create" ? { labels: config.labels } : {}),
    },
    options,
  );
  return {
    serviceName: target.serviceName,
    runtimeServiceAccountEmail: target.runtimeServiceAccountEmail,
    role: target.publicAccessRole,
    uri: target.uri,
    namespace: undefined,
  };
}

async function makeGke(gke: Config<"gke">, { config, member, serviceAccountUniqueId, repository, roleId, base, options }: RuntimeSettings): Promise<Runtime> {
  // Loaded only here: Pulumi's package for Kubernetes costs start-up time, and is needed for this alone.
  const { GcpGkeTarget } = await import("../components/gcp/gke-target.js");
  const target = new GcpGkeTarget(
    "dcf-gke",
    {
      projectId: config.projectId,
      clusterName: gke.cluster,
      clusterLocation: gke.location ?? config.region,
      member,
      serviceAccountUniqueId,
      clusterRoleId: roleId("cluster_access"),
      namespace: gke.namespace,
      createNamespace: gke.createNamespace,
      roleName: base.toLowerCase(),
      deployments: gke.deployments,
      ...(gke.nodeServiceAccountEmail === undefined ? {} : { nodeServiceAccountEmail: gke.nodeServiceAccountEmail, repository }),
      kubeconfig: gke.kubeconfig,
    },
    options,
  );
  return { namespace: target.namespace, role: target.clusterRole, serviceName: undefined, runtimeServiceAccountEmail: undefined, uri: undefined };
}

/** DCF's bucket configuration: what is configured of the runtime, in its names. */
export function runtimeConfig({ cloudRun, gke }: DcfGcpConfig): { serviceName: string } | { namespace: string } {
  return cloudRun ? { serviceName: cloudRun.serviceName } : { namespace: gke?.namespace ?? "" };
}

/** What DCF's frontend sends with a deployment. The name is stable: a deployment under another would be another workload. */
export function deploymentTarget({ runtimeTarget, region, repository, cloudRun, gke, deployment }: DcfGcpConfig) {
  const name = deployment.name ?? cloudRun?.serviceName ?? gke?.deployments[0] ?? "";
  return {
    runtimeTarget,
    region,
    artifactRepository: repository.name,
    // Cloud Run has none; DCF's frontend sends this name all the same.
    namespace: gke?.namespace ?? "default",
    deploymentName: name,
    containerName: deployment.containerName ?? gke?.containerName ?? name,
  };
}

/** The right to read logs; DCF's own list has it for GKE only. */
export function logsRole({ logs, runtimeTarget }: DcfGcpConfig): string | undefined {
  const chosen = logs ?? (runtimeTarget === "gke" ? "log-viewer" : "none");
  return { none: undefined, "log-viewer": grantedRoles.logViewer, viewer: grantedRoles.viewer }[chosen];
}

export function runtimeGrants({ cloudRun, gke, region, deployment }: DcfGcpConfig, made: RuntimeMade, { id: projectId }: Project): Grant[] {
  if (cloudRun) {
    const onProject = cloudRun.grantOn === "project";
    return [
      {
        id: "service",
        kind: "cloud-run-service",
        role: grantedRoles.runDeveloper,
        permissions: [
          ...permissionsOf("cloud-run-service"),
          ...(onProject ? permissionsOf("cloud-run-service-creation") : []),
          ...(cloudRun.publicAccess === "platform" ? permissionsOf("public-access") : []),
        ],
        ...(onProject ? {} : { service: made.serviceName ?? cloudRun.serviceName }),
        region,
        projectId,
        runtimeServiceAccountEmail: made.runtimeServiceAccountEmail ?? "",
        publicAccess: cloudRun.publicAccess,
      },
    ];
  }
  if (!gke) return [];
  return [
    {
      id: "deployments",
      kind: "gke-deployments",
      // The cluster's own rights as `kubectl auth can-i` takes them.
      permissions: [...permissionsOf("cluster-access"), ...["get", "patch", "update"].map((verb) => `${verb} deployments.apps`)],
      cluster: gke.cluster,
      location: gke.location ?? region,
      projectId,
      namespace: made.namespace ?? gke.namespace,
      deployments: gke.deployments,
      containerName: deployment.containerName ?? gke.containerName,
    },
  ];
}

export function runtimeTargets({ cloudRun, gke, region }: DcfGcpConfig, made: RuntimeMade, { id: projectId }: Project): Target[] {
  const ownership = (mode: string) => (mode === "create" ? "created" : "existing");
  const role = made.role === undefined ? [] : [{ kind: "iam-custom-role", id: made.role, ownership: "created" } as const];
  if (cloudRun) {
    return [
      ...role,
      { kind: "cloud-run-service", id: `projects/${projectId}/locations/${region}/services/${made.serviceName ?? cloudRun.serviceName}`, region, ownership: ownership(cloudRun.mode) },
      { kind: "service-account", id: serviceAccountName(made.runtimeServiceAccountEmail ?? "", projectId), ownership: ownership(cloudRun.runtimeAccount.mode) },
    ];
  }
  if (!gke) return [];
  const location = gke.location ?? region;
  return [
    ...role,
    { kind: "gke-cluster", id: `projects/${projectId}/locations/${location}/clusters/${gke.cluster}`, region: location, ownership: "existing" },
    { kind: "kubernetes-namespace", id: made.namespace ?? gke.namespace, ownership: gke.createNamespace ? "created" : "existing" },
  ];
}
