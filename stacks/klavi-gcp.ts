/**
 * Klavi in a partner's Google Cloud project: one IAM role in Klavi's AWS account may put files into one bucket, and can
 * neither read, list, replace nor remove what is there.
 */
import * as pulumi from "@pulumi/pulumi";
import { assumedRoleArn, awsAdmission } from "../components/gcp/attribute-mapping.js";
import {
  GcpArtifactBucket,
  GcpAuditLogs,
  GcpBucketGrant,
  GcpFederatedServiceAccount,
  GcpProjectServices,
  GcpRefusalBucket,
  GcpWorkloadIdentityPool,
} from "../components/gcp/index.js";
import { textRules } from "../facts/gcp/limits.js";
import { CONTRACT_KIND, CONTRACT_VERSION, writeContract, type Contract } from "../contract/index.js";
import { grantedRoles, permissionsOf } from "../facts/gcp/grants.js";
import { loadConfig } from "./config.js";
import { findPlace, lookUpAccount, lookUpBucket, lookUpTrust, type Place } from "./gcp-place.js";
import type { Integration } from "./integration.js";
import { refuseEarly, type Lookup } from "./lookups.js";
import { klaviGcpConfigSchema, roleNameOf, type KlaviGcpConfig } from "./klavi-gcp-config.js";
import { boundedName } from "./names.js";

const NAME = "klavi-gcp";

export const klaviGcp: Integration = { name: NAME, configSchema: klaviGcpConfigSchema, program };

const TRUST_SERVICES = ["iam.googleapis.com", "iamcredentials.googleapis.com", "sts.googleapis.com"];
const ACCOUNT_SERVICES = ["iam.googleapis.com", "iamcredentials.googleapis.com"];

async function program(): Promise<Record<string, unknown>> {
  const config = loadConfig(NAME, klaviGcpConfigSchema);
  const place = await findPlace(config.projectId, config.pool.projectId);
  await refuseEarly(NAME, lookups(config, place));
  const { projectId, region, klavi, pool, provider, bucket } = config;

  const options: pulumi.ComponentResourceOptions = { dependsOn: enableServices(place) };
  const trust = new GcpWorkloadIdentityPool(
    "klavi",
    {
      projectId: place.host.id,
      poolId: pool.id,
      providerId: provider.id,
      aws: {
        accountId: klavi.awsAccountId,
        roleName: roleNameOf(klavi),
        sessionName: klavi.sessionName,
        roleUniqueId: klavi.roleUniqueId,
        longestSessionName: klavi.longestSessionName,
        subject: klavi.subject,
        bareRoleName: klavi.bareRoleName,
      },
      existingPool: pool.mode === "existing",
      existingProvider: provider.mode === "existing",
      ...(provider.mode === "existing" ? { attributeMapping: provider.attributeMapping, attributeCondition: provider.attributeCondition } : {}),
      ...(provider.mode === "create" ? { displayName: "Klavi", retainOnDestroy: pool.retainOnDestroy } : {}),
    },
    options,
  );
  const account =
    config.serviceAccount.mode === "none"
      ? undefined
      : new GcpFederatedServiceAccount(
          "klavi-ingestor",
          {
            projectId,
            accountId: config.serviceAccount.id,
            principal: trust.principal,
            ...(config.serviceAccount.mode === "existing" ? { existing: true } : { displayName: "Klavi data ingestor", description: "Delivers files for Klavi, which acts as it without any key" }),
          },
          options,
        );
  const delivery = new GcpArtifactBucket(
    "klavi-delivery",
    {
      projectId,
      location: region,
      bucketName: bucket.name,
      existing: bucket.mode === "existing",
      softDeleteDays: bucket.softDeleteDays,
      versioning: bucket.versioning,
      incompleteUploadsExpireAfterDays: bucket.incompleteUploadsExpireAfterDays,
      forceDestroy: bucket.forceDestroy,
      ...(bucket.mode === "create" ? { keepObjects: true, labels: config.labels } : {}),
    },
    options,
  );
  const access = new GcpBucketGrant("klavi-delivery", { projectId, bucketName: delivery.bucketName, member: account?.member ?? trust.principal, access: "object-creator" }, options);
  if (config.auditLogs.length > 0) new GcpAuditLogs("klavi-audit", { projectId, services: config.auditLogs }, options);
  const refusal = config.refusalBucket.enabled
    ? new GcpRefusalBucket("klavi-refusal", { projectId, location: region, bucketName: refusalName(config), labels: config.labels }, options)
    : undefined;

  const made = pulumi.output({
    providerName: trust.providerName,
    principal: trust.principal,
    tokenAudience: trust.tokenAudience,
    attributeMapping: trust.attributeMapping,
    attributeCondition: trust.attributeCondition,
    serviceAccountEmail: account?.email,
    bucketName: delivery.bucketName,
    bucketRole: access.role,
    refusalName: refusal?.bucketName,
  });
  return {
    contract: made.apply((known) => writeContract(contractOf(config, place, known))),
    /** What the partner gives Klavi. */
    partnerToKlavi: {
      gcpProjectNumber: place.host.number,
      workloadPoolId: trust.poolId,
      providerId: trust.providerId,
      ...(account ? { gcpServiceAccount: account.email } : {}),
      gcsBucketName: delivery.bucketName,
    },
    /** What Klavi gives the partner, as this stack holds Klavi to it. */
    klaviToPartner: made.apply(() => expectedFromKlavi(config)),
    /** For Google's client libraries on Klavi's side; it holds no secret. */
    credentialConfiguration: made.apply(({ tokenAudience, serviceAccountEmail }) => credentialConfiguration(tokenAudience, serviceAccountEmail)),
    principal: trust.principal,
  };
}

function lookups({ projectId, region, klavi, pool, provider, serviceAccount, bucket }: KlaviGcpConfig, place: Place): Lookup[] {
  const found: Lookup[] = [];
  if (pool.mode === "existing") {
    const role = { accountId: klavi.awsAccountId, roleName: roleNameOf(klavi), sessionName: klavi.sessionName, uniqueId: klavi.roleUniqueId, subject: klavi.subject, bareRoleName: klavi.bareRoleName };
    const admission = awsAdmission(role);
    const expected = {
      projectId: place.host.id,
      poolId: pool.id,
      providerId: provider.id,
      mapping: provider.attributeMapping ?? admission.mapping,
      condition: provider.attributeCondition ?? admission.condition,
      awsAccountId: klavi.awsAccountId,
    };
    found.push(lookUpTrust(expected, provider.mode === "existing", { aws: role }));
  }
  if (serviceAccount.mode === "existing") found.push(lookUpAccount("serviceAccount.id", `${serviceAccount.id}@${projectId}.iam.gserviceaccount.com`, projectId));
  if (bucket.mode === "existing") found.push(lookUpBucket(bucket.name, { target: place.target, region }));
  return found;
}

function enableServices({ target, host }: Place): pulumi.Resource[] {
  const shared = host.id === target.id;
  return [
    new GcpProjectServices("klavi-apis", { projectId: target.id, services: shared ? TRUST_SERVICES : ACCOUNT_SERVICES }),
    ...(shared ? [] : [new GcpProjectServices("klavi-pool-apis", { projectId: host.id, services: TRUST_SERVICES })]),
  ];
}

function refusalName({ bucket, refusalBucket }: KlaviGcpConfig): string {
  return refusalBucket.name ?? boundedName(bucket.name, "-refusal", textRules.bucketName.max);
}

function expectedFromKlavi({ klavi }: KlaviGcpConfig) {
  const sessions = klavi.sessionName ?? (klavi.subject === "arn" ? `at most ${klavi.longestSessionName ?? 64} characters` : "any");
  return { klaviAwsAccountId: klavi.awsAccountId, klaviIamRoleArn: klavi.roleArn, sessionName: sessions };
}

/**
 * As `gcloud iam workload-identity-pools create-cred-config --aws --enable-imdsv2` writes it.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds#create-credential-config
 */
function credentialConfiguration(audience: string, serviceAccountEmail: string | undefined) {
  const metadata = "http://169.254.169.254/latest";
  return {
    universe_domain: "googleapis.com",
    type: "external_account",
    audience,
    subject_token_type: "urn:ietf:params:aws:token-type:aws4_request",
    ...(serviceAccountEmail === undefined
      ? {}
      : { service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${serviceAccountEmail}:generateAccessToken` }),
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: {
      environment_id: "aws1",
      region_url: `${metadata}/meta-data/placement/availability-zone`,
      url: `${metadata}/meta-data/iam/security-credentials`,
      regional_cred_verification_url: "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
      imdsv2_session_token_url: `${metadata}/api/token`,
    },
  };
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
  refusalName?: string | undefined;
}

function contractOf(config: KlaviGcpConfig, { target, host }: Place, made: Made): Contract {
  const { region, klavi, pool, provider, serviceAccount, bucket } = config;
  const projectId = target.id;
  const ownership = ({ mode }: { mode: string }) => (mode === "create" ? "created" : "existing");
  const role = assumedRoleArn(klavi.awsAccountId, roleNameOf(klavi));
  return {
    kind: CONTRACT_KIND,
    version: CONTRACT_VERSION,
    integration: NAME,
    environment: target.environment,
    workload: { issuer: "https://sts.amazonaws.com", subject: klavi.sessionName === undefined ? role : `${role}/${klavi.sessionName}`, audience: made.tokenAudience },
    exchange: {
      type: "gcp-workload-identity",
      projectId,
      projectNumber: target.number,
      poolProjectNumber: host.number,
      pool: pool.id,
      provider: provider.id,
      subjectTokenType: "aws4_request",
      attributeMapping: made.attributeMapping,
      attributeCondition: made.attributeCondition,
      principal: made.principal,
      ...(made.serviceAccountEmail === undefined ? {} : { serviceAccountEmail: made.serviceAccountEmail }),
    },
    grants: [{ id: "delivery", kind: "gcs-bucket", role: grantedRoles.objectCreator, permissions: permissionsOf("object-delivery"), bucket: made.bucketName, projectId }],
    targets: [
      { kind: "workload-identity-pool", id: made.providerName.slice(0, made.providerName.indexOf("/providers/")), ownership: ownership(pool) },
      { kind: "workload-identity-pool-provider", id: made.providerName, ownership: ownership(provider) },
      ...(made.serviceAccountEmail === undefined
        ? []
        : [{ kind: "service-account", id: `projects/${projectId}/serviceAccounts/${made.serviceAccountEmail}`, ownership: ownership(serviceAccount) } as const]),
      { kind: "gcs-bucket", id: `projects/_/buckets/${made.bucketName}`, region, ownership: ownership(bucket) },
      ...(made.refusalName === undefined ? [] : [{ kind: "gcs-bucket", id: `projects/_/buckets/${made.refusalName}`, region, ownership: "created" } as const]),
    ],
    refusalTargets: made.refusalName === undefined ? [] : [{ kind: "gcs-bucket", bucket: made.refusalName, projectId }],
  };
}
