/**
 * DCF in a Google Cloud project: the trust in its workload, the account that it acts as, the bucket for its artifacts, and
 * what builds images and runs them, on Cloud Run or in a GKE cluster.
 */
import * as pulumi from "@pulumi/pulumi";
import { IAMMember as ProjectIamMember } from "@pulumi/gcp/projects/iammember.js";
import { oidcAdmission } from "../components/gcp/attribute-mapping.js";
import {
  GcpArtifactBucket,
  GcpArtifactRepository,
  GcpAuditLogs,
  GcpBucketGrant,
  GcpBuilds,
  GcpFederatedServiceAccount,
  GcpProjectServices,
  GcpRefusalBucket,
  GcpWorkloadIdentityPool,
} from "../components/gcp/index.js";
import { serviceAccountName } from "../components/gcp/common.js";
import { canonicalJwks } from "../components/gcp/jwks.js";
import { textRules } from "../facts/gcp/limits.js";
import { CONTRACT_KIND, CONTRACT_VERSION, writeContract, type Contract } from "../contract/index.js";
import { grantedRoles, permissionsOf } from "../facts/gcp/grants.js";
import { loadConfig } from "./config.js";
import { dcfGcpConfigSchema, type DcfGcpConfig } from "./dcf-gcp-config.js";
import { deploymentTarget, logsRole, makeRuntime, runtimeConfig, runtimeGrants, runtimeTargets, type RuntimeMade } from "./dcf-gcp-runtime.js";
import { findPlace, lookUpAccount, lookUpBucket, lookUpCluster, lookUpRepository, lookUpService, lookUpTrust, type Place } from "./gcp-place.js";
import type { Integration } from "./integration.js";
import { refuseEarly, type Lookup } from "./lookups.js";
import { boundedName, plainName } from "./names.js";

const NAME = "dcf-gcp";

export const dcfGcp: Integration = { name: NAME, configSchema: dcfGcpConfigSchema, program };

/** Where each API is needed; the exchange asks the project that hosts the pool. */
const TRUST_SERVICES = ["iam.googleapis.com", "iamcredentials.googleapis.com", "sts.googleapis.com"];
const ACCOUNT_SERVICES = ["iam.googleapis.com", "iamcredentials.googleapis.com"];
const TARGET_SERVICES = { cloud_run: ["run.googleapis.com"], gke: ["container.googleapis.com"] };
const BUILD_SERVICES = ["artifactregistry.googleapis.com", "cloudbuild.googleapis.com"];

async function program(): Promise<Record<string, unknown>> {
  const config = loadConfig(NAME, dcfGcpConfigSchema);
  const place = await findPlace(config.projectId, config.pool.projectId);
  await refuseEarly(NAME, lookups(config, place));
  const { projectId, region, workload, pool, provider } = config;
  const base = `${NAME}-${pulumi.getStack()}`;
  const roleId = (purpose: string) => boundedName(plainName(base, "letters").replaceAll("-", "_"), `_${purpose}`, textRules.customRoleId.max).replaceAll("-", "_");

  const options: pulumi.ComponentResourceOptions = { dependsOn: enableServices(config, place) };
  const trust = new GcpWorkloadIdentityPool(
    "dcf",
    {
      projectId: place.host.id,
      poolId: pool.id,
      providerId: provider.id,
      oidc: { issuerUri: workload.issuer, subject: workload.subject, tokenAudience: workload.tokenAudience, jwksJson: workload.jwksJson },
      existingPool: pool.mode === "existing",
      existingProvider: provider.mode === "existing",
      ...(provider.mode === "existing" ? { attributeMapping: provider.attributeMapping, attributeCondition: provider.attributeCondition } : {}),
      ...(provider.mode === "create" ? { displayName: "DCF", retainOnDestroy: pool.retainOnDestroy } : {}),
    },
    options,
  );
  const account =
    config.serviceAccount.mode === "none"
      ? undefined
      : new GcpFederatedServiceAccount(
          "dcf-deployer",
          {
            projectId,
            accountId: config.serviceAccount.id,
            principal: trust.principal,
            ...(config.serviceAccount.mode === "existing" ? { existing: true } : { displayName: "DCF deployer", description: "Deploys for DCF, which acts as it without any key" }),
          },
          options,
        );
  const member = account?.member ?? trust.principal;

  const bucket = new GcpArtifactBucket("dcf-artifacts", bucketArgs(config), options);
  const access = new GcpBucketGrant(
    "dcf-artifacts",
    { projectId, bucketName: bucket.bucketName, member, access: config.bucket.access, ...(config.bucket.access === "artifact-objects" ? { customRoleId: roleId("artifacts") } : {}) },
    options,
  );
  const repository = new GcpArtifactRepository("dcf-images", repositoryArgs(config), options);
  const images = { projectId, location: region, repositoryId: repository.repositoryId };
  const builds = new GcpBuilds("dcf-builds", { projectId, member, sourceBucket: bucket.bucketName, repository: images, ...buildAccount(config) }, options);
  const runtime = await makeRuntime({ config, member, serviceAccountUniqueId: account?.uniqueId, repository: images, roleId, base, options });
  const logs = logsRole(config);
  if (logs !== undefined) new ProjectIamMember("dcf-logs", { project: projectId, role: logs, member }, { dependsOn: options.dependsOn ?? [] });
  if (config.auditLogs.length > 0) new GcpAuditLogs("dcf-audit", { projectId, services: config.auditLogs }, options);
  const refusal = config.refusalBucket.enabled ? new GcpRefusalBucket("dcf-refusal", { projectId, location: region, bucketName: refusalName(config), labels: config.labels }, options) : undefined;

  const made = pulumi.output({
    providerName: trust.providerName,
    principal: trust.principal,
    tokenAudience: trust.tokenAudience,
    attributeMapping: trust.attributeMapping,
    attributeCondition: trust.attributeCondition,
    serviceAccountEmail: account?.email,
    bucketName: bucket.bucketName,
    bucketRole: access.role,
    repositoryId: repository.repositoryId,
    buildAccountEmail: builds.serviceAccountEmail,
    refusalName: refusal?.bucketName,
    runtime: { serviceName: runtime.serviceName, runtimeServiceAccountEmail: runtime.runtimeServiceAccountEmail, namespace: runtime.namespace, role: runtime.role },
  });
  return {
    contract: made.apply((known) => writeContract(contractOf(config, place, known))),
    /** What DCF's register endpoint takes. */
    registerPayload: {
      gcpProjectId: projectId,
      ...(account ? { serviceAccountEmail: account.email } : {}),
      workloadIdentityProjectNumber: place.host.number,
      workloadIdentityPool: trust.poolId,
      workloadIdentityProvider: trust.providerId,
    },
    /** What DCF's bucket configuration endpoint takes. */
    bucketConfig: { bucketName: bucket.bucketName, region, artifactRepository: repository.repositoryId, runtimeTarget: config.runtimeTarget, ...runtimeConfig(config) },
    /** What DCF's frontend sends with a deployment. */
    deploymentTarget: deploymentTarget(config),
    issuer: workload.issuer,
    subject: workload.subject,
    tokenAudience: trust.tokenAudience,
    principal: trust.principal,
    ...(builds.serviceAccountEmail && { buildServiceAccountEmail: builds.serviceAccountEmail }),
    ...(config.cloudRun && { runtimeServiceAccountEmail: runtime.runtimeServiceAccountEmail, serviceUri: runtime.uri }),
  };
}

/** What of the things that exist already can be known to be wrong. */
function lookups(config: DcfGcpConfig, place: Place): Lookup[] {
  const { projectId, workload, pool, provider, serviceAccount, bucket, repository, build, cloudRun, gke } = config;
  const region = { target: place.target, region: config.region };
  const found: Lookup[] = [];
  if (pool.mode === "existing") {
    const admission = oidcAdmission(workload.subject);
    const expected = {
      projectId: place.host.id,
      poolId: pool.id,
      providerId: provider.id,
      mapping: provider.attributeMapping ?? admission.mapping,
      condition: provider.attributeCondition ?? admission.condition,
      oidc: {
        issuerUri: workload.issuer,
        allowedAudiences: workload.tokenAudience === undefined ? [] : [workload.tokenAudience],
        jwksJson: workload.jwksJson === undefined ? undefined : canonicalJwks(workload.jwksJson),
      },
    };
    found.push(lookUpTrust(expected, provider.mode === "existing", { oidc: { issuerUri: workload.issuer, subject: workload.subject } }));
  }
  if (serviceAccount.mode === "existing") found.push(lookUpAccount("serviceAccount.id", `${serviceAccount.id}@${projectId}.iam.gserviceaccount.com`, projectId));
  if (bucket.mode === "existing") found.push(lookUpBucket(bucket.name, region));
  if (repository.mode === "existing") found.push(lookUpRepository(repository.name, region));
  if (build.email !== undefined) found.push(lookUpAccount("build.email", build.email, projectId));
  if (cloudRun?.mode === "existing") found.push(lookUpService(cloudRun.serviceName, region));
  if (cloudRun?.runtimeAccount.email !== undefined) found.push(lookUpAccount("cloudRun.runtimeAccount.email", cloudRun.runtimeAccount.email, projectId));
  if (gke && gke.kubeconfig === undefined) found.push(lookUpCluster(gke.cluster, gke.location ?? config.region, projectId));
  return found;
}

function enableServices({ runtimeTarget }: DcfGcpConfig, { target, host }: Place): pulumi.Resource[] {
  const shared = host.id === target.id;
  const services = [...(shared ? TRUST_SERVICES : ACCOUNT_SERVICES), ...BUILD_SERVICES, ...TARGET_SERVICES[runtimeTarget]];
  return [
    new GcpProjectServices("dcf-apis", { projectId: target.id, services }),
    ...(shared ? [] : [new GcpProjectServices("dcf-pool-apis", { projectId: host.id, services: TRUST_SERVICES })]),
  ];
}

function bucketArgs({ projectId, region, bucket, labels }: DcfGcpConfig) {
  return {
    projectId,
    location: region,
    bucketName: bucket.name,
    existing: bucket.mode === "existing",
    softDeleteDays: bucket.softDeleteDays,
    versioning: bucket.versioning,
    stagedBuildsExpireAfterDays: bucket.stagedBuildsExpireAfterDays,
    incompleteUploadsExpireAfterDays: bucket.incompleteUploadsExpireAfterDays,
    forceDestroy: bucket.forceDestroy,
    ...(bucket.mode === "create" ? { labels } : {}),
  };
}

function repositoryArgs({ projectId, region, repository, labels }: DcfGcpConfig) {
  const place = { projectId, location: region, repositoryId: repository.name };
  if (repository.mode === "existing") return { ...place, existing: true };
  return { ...place, immutableTags: repository.immutableTags, retainOnDestroy: repository.retainOnDestroy, labels };
}

function buildAccount({ build }: DcfGcpConfig) {
  if (build.mode === "default") return {};
  return { account: build.mode === "existing" ? { existingEmail: build.email } : { accountId: build.id ?? "dcf-build" } };
}

function refusalName({ bucket, refusalBucket }: DcfGcpConfig): string {
  return refusalBucket.name ?? boundedName(bucket.name, "-refusal", textRules.bucketName.max);
}

interface Made {
  providerName: string;
  principal: string;
  tokenAudience: string;
  attributeMapping: Record<string, string>;
  attributeCondition: string;
  serviceAccountEmail?: string | undefined;
  bucketName: string;
  bucketRole: string;
  repositoryId: string;
  buildAccountEmail?: string | undefined;
  refusalName?: string | undefined;
  runtime: RuntimeMade;
}

function contractOf(config: DcfGcpConfig, { target, host }: Place, made: Made): Contract {
  const { region, workload, pool, provider, serviceAccount, bucket, repository, build } = config;
  const projectId = target.id;
  const logs = logsRole(config);
  const ownership = ({ mode }: { mode: string }) => (mode === "create" ? "created" : "existing");
  const poolName = made.providerName.slice(0, made.providerName.indexOf("/providers/"));
  return {
    kind: CONTRACT_KIND,
    version: CONTRACT_VERSION,
    integration: NAME,
    environment: target.environment,
    workload: { issuer: workload.issuer, subject: workload.subject, audience: made.tokenAudience },
    exchange: {
      type: "gcp-workload-identity",
      projectId,
      projectNumber: target.number,
      poolProjectNumber: host.number,
      pool: pool.id,
      provider: provider.id,
      subjectTokenType: "jwt",
      issuerKeys: workload.jwksJson === undefined ? "discovery" : "uploaded",
      attributeMapping: made.attributeMapping,
      attributeCondition: made.attributeCondition,
      principal: made.principal,
      ...(made.serviceAccountEmail === undefined ? {} : { serviceAccountEmail: made.serviceAccountEmail }),
    },
    grants: [
      { id: "artifacts", kind: "gcs-bucket", role: made.bucketRole, permissions: permissionsOf("artifact-objects"), bucket: made.bucketName, projectId },
      {
        id: "images",
        kind: "artifact-registry-repository",
        role: grantedRoles.registryReader,
        permissions: permissionsOf("image-reading"),
        repository: made.repositoryId,
        location: region,
        projectId,
      },
      {
        id: "builds",
        kind: "cloud-build",
        role: grantedRoles.buildsEditor,
        permissions: permissionsOf("builds"),
        projectId,
        region,
        ...(made.buildAccountEmail === undefined ? {} : { serviceAccountEmail: made.buildAccountEmail }),
        sourceBucket: made.bucketName,
      },
      ...runtimeGrants(config, made.runtime, target),
      ...(logs === undefined ? [] : [{ id: "logs", kind: "project-logs" as const, role: logs, permissions: permissionsOf("logs"), projectId }]),
    ],
    targets: [
      { kind: "workload-identity-pool", id: poolName, ownership: ownership(pool) },
      { kind: "workload-identity-pool-provider", id: made.providerName, ownership: ownership(provider) },
      ...(made.serviceAccountEmail === undefined ? [] : [{ kind: "service-account", id: serviceAccountName(made.serviceAccountEmail, projectId), ownership: ownership(serviceAccount) } as const]),
      { kind: "gcs-bucket", id: `projects/_/buckets/${made.bucketName}`, region, ownership: ownership(bucket) },
      ...(bucket.access === "artifact-objects" ? [{ kind: "iam-custom-role", id: made.bucketRole, ownership: "created" } as const] : []),
      { kind: "artifact-registry-repository", id: `projects/${projectId}/locations/${region}/repositories/${made.repositoryId}`, region, ownership: ownership(repository) },
      ...(made.buildAccountEmail === undefined ? [] : [{ kind: "service-account", id: serviceAccountName(made.buildAccountEmail, projectId), ownership: ownership(build) } as const]),
      ...runtimeTargets(config, made.runtime, target),
      ...(made.refusalName === undefined ? [] : [{ kind: "gcs-bucket", id: `projects/_/buckets/${made.refusalName}`, region, ownership: "created" } as const]),
    ],
    refusalTargets: made.refusalName === undefined ? [] : [{ kind: "gcs-bucket", bucket: made.refusalName, projectId }],
  };
}
