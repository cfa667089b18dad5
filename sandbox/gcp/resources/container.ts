/** `gcp:container/*`: what programs look up of clusters, which are the customer's. https://www.pulumi.com/registry/packages/gcp/api-docs/container/getcluster/ */
import type { Properties } from "../../types.js";
import { during, unlessMissing } from "./api.js";
import type { Lookup } from "./invokes.js";
import { compact, list, object, text } from "./values.js";

const CONTAINER = "https://container.googleapis.com/v1";

/** Settings that a cluster of the sandbox does not have, by the form of their value. */
const UNSET: Properties = {
  ...of("", ["datapathProvider", "dataplaneOptimizationMode", "deletionPolicy", "description", "desiredEmulatedVersion", "emulatedVersion", "inTransitEncryptionConfig", "minMasterVersion", "operation", "privateIpv6GoogleAccess", "tpuIpv4CidrBlock"]),
  ...of(false, [
    "allowNetAdmin",
    "deletionProtection",
    "disableL4LbFirewallReconciliation",
    "enableAutopilot",
    "enableCiliumClusterwideNetworkPolicy",
    "enableFqdnNetworkPolicy",
    "enableIntranodeVisibility",
    "enableKubernetesAlpha",
    "enableL4IlbSubsetting",
    "enableLegacyAbac",
    "enableMultiNetworking",
    "enableTpu",
    "ignoreNodeCountChanges",
    "removeDefaultNodePool",
    "skipNodePoolRefresh",
  ]),
  ...of({}, ["effectiveLabels", "pulumiLabels", "resourceLabels"]),
  ...of([], [
    "addonsConfigs",
    "anonymousAuthenticationConfigs",
    "authenticatorGroupsConfigs",
    "autopilotClusterPolicyConfigs",
    "autopilotPrivilegedAdmissions",
    "binaryAuthorizations",
    "clusterAutoscalings",
    "clusterTelemetries",
    "confidentialNodes",
    "costManagementConfigs",
    "databaseEncryptions",
    "defaultSnatStatuses",
    "dnsConfigs",
    "enableK8sBetaApis",
    "enterpriseConfigs",
    "fleets",
    "gatewayApiConfigs",
    "gkeAutoUpgradeConfigs",
    "identityServiceConfigs",
    "ipAllocationPolicies",
    "loggingConfigs",
    "maintenancePolicies",
    "managedMachineLearningDiagnosticsConfigs",
    "managedOpentelemetryConfigs",
    "masterAuthorizedNetworksConfigs",
    "meshCertificates",
    "monitoringConfigs",
    "networkPerformanceConfigs",
    "networkPolicies",
    "nodeCreationConfigs",
    "nodePoolAutoConfigs",
    "nodePoolDefaults",
    "notificationConfigs",
    "podAutoscalings",
    "podSecurityPolicyConfigs",
    "privateClusterConfigs",
    "protectConfigs",
    "rbacBindingConfigs",
    "resourceUsageExportConfigs",
    "rollbackSafeUpgrades",
    "secretManagerConfigs",
    "secretSyncConfigs",
    "securityPostureConfigs",
    "serviceExternalIpsConfigs",
    "tpuConfigs",
    "userManagedKeysConfigs",
    "verticalPodAutoscalings",
    "workloadAltsConfigs",
  ]),
  defaultMaxPodsPerNode: 110,
  enableShieldedNodes: true,
  networkingMode: "VPC_NATIVE",
};

function of(value: unknown, names: readonly string[]): Properties {
  return Object.fromEntries(names.map((name) => [name, value]));
}

export const lookups: Readonly<Record<string, Lookup>> = {
  "gcp:container/getCluster:getCluster": async (args, { api, project, region }) => {
    const location = text(args.location) ?? api.scope.zone ?? region;
    const name = text(args.name) ?? "";
    const path = `projects/${project}/locations/${location}/clusters/${name}`;
    if (location === "") throw new Error("Cannot determine location: set location in this data source, or set provider-level zone or region.");
    const found = await unlessMissing(during(`Error reading Container Cluster "${name}"`, api.call("GET", `${CONTAINER}/${path}`)));
    if (!found) throw new Error(`${path} not found`);
    return compact({ ...UNSET, ...described(found), id: path, location, name, project });
  },

  "gcp:container/getClusters:getClusters": async (args, { api, project, region }) => {
    const location = text(args.location) ?? region;
    const found = await api.listed(`${CONTAINER}/projects/${project}/locations/${location === "" ? "-" : location}/clusters`, "clusters");
    const clusters = found.map((each) => ({ ...UNSET, ...described(each), name: each.name, location: each.location, project }));
    return { clusters, id: `projects/${project}/locations/${location}/clusters`, location, project };
  },
};

function described(cluster: Properties): Properties {
  const masterAuth = object(cluster.masterAuth);
  const { dnsEndpointConfig, ipEndpointsConfig } = object(cluster.controlPlaneEndpointsConfig);
  const nodeConfig = (config: unknown): Properties => {
    const { machineType, diskSizeGb, oauthScopes, serviceAccount, imageType } = object(config);
    return { machineType, diskSizeGb, oauthScopes, serviceAccount, imageType };
  };
  const { clusterIpv4Cidr, endpoint, initialNodeCount, labelFingerprint, loggingService, monitoringService, network, selfLink, servicesIpv4Cidr, subnetwork } = cluster;
  return {
    clusterIpv4Cidr,
    endpoint,
    initialNodeCount,
    labelFingerprint,
    loggingService,
    monitoringService,
    network,
    selfLink,
    servicesIpv4Cidr,
    subnetwork,
    controlPlaneEndpointsConfigs: [
      { dnsEndpointConfigs: [{ enableK8sCertsViaDns: false, ...object(dnsEndpointConfig) }], ipEndpointsConfigs: [{ enabled: object(ipEndpointsConfig).enabled }] },
    ],
    masterAuths: [
      { clientCertificate: "", clientCertificateConfigs: [{ issueClientCertificate: false }], clientKey: "", clusterCaCertificate: masterAuth.clusterCaCertificate },
    ],
    masterVersion: cluster.currentMasterVersion,
    nodeConfigs: [nodeConfig(cluster.nodeConfig)],
    nodeLocations: cluster.locations,
    nodePools: list(cluster.nodePools).map((each) => {
      const { name, config, initialNodeCount: count, version, locations } = object(each);
      return { name, nodeConfigs: [nodeConfig(config)], initialNodeCount: count, version, nodeLocations: locations };
    }),
    nodeVersion: cluster.currentNodeVersion,
    releaseChannels: [object(cluster.releaseChannel)],
    workloadIdentityConfigs: [object(cluster.workloadIdentityConfig)],
  };
}
