/**
 * The contract: the one document that a stack outputs and every tool reads. It says what was provisioned, for whom, and
 * what must and must not be possible with it. It holds no secret.
 *
 * Version rule: a change that an older reader may ignore (a new optional field, a new grant kind) keeps the version;
 * anything else raises it, and `readContract` upgrades older versions one step at a time.
 */
import { z } from "zod";
import { AZURE_CLOUD_NAMES } from "../facts/azure/clouds.js";

export const CONTRACT_KIND = "cloud-federation/contract";
export const CONTRACT_VERSION = 1;

const text = z.string().min(1);
const permissions = z
  .array(text)
  .describe("The rights granted, in the cloud's own names (IAM actions, role names or permissions)");

/**
 * The identity on the platform's side that the customer's cloud trusts. Where that is an AWS role instead of the subject of
 * a token, AWS STS is who says so: the issuer is `https://sts.amazonaws.com`, the subject the role's part of the assumed-role
 * ARN (`arn:aws:sts::111122223333:assumed-role/NAME`), the audience the provider that the signature is made for.
 */
export const workloadSchema = z.object({
  issuer: z.url({ protocol: /^https$/ }).describe("The token's `iss`, byte for byte"),
  subject: text.describe("The token's `sub`, byte for byte"),
  audience: text.describe("The token's `aud`"),
});

const awsExchange = z.object({
  type: z.literal("aws-web-identity"),
  partition: z.enum(["aws", "aws-us-gov", "aws-cn"]),
  region: text.describe("Region whose STS endpoint is asked"),
  accountId: z.string().regex(/^\d{12}$/),
  providerArn: text,
  roleArn: text,
  maxSessionDurationSeconds: z.number().int().min(3600).max(43200),
  sessionName: text.optional().describe("Only set when the trust pins the session name: the pattern it must match"),
});

/** Entra's and ARM's ids are GUIDs that need not be of an RFC 4122 version. */
const guid = z.guid();

const azureExchange = z.object({
  type: z.literal("azure-client-assertion"),
  cloud: z.enum(AZURE_CLOUD_NAMES).describe("Which of Azure's clouds; decides every endpoint"),
  tenantId: guid,
  subscriptionId: guid.optional().describe("Absent where no grant is on a resource of a subscription"),
  clientId: guid.describe("Application (client) id that the platform names at the token endpoint"),
  principalId: guid.describe("Object id of the service principal: whom roles are assigned to"),
  identity: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("managed-identity"), resourceId: text.describe("ARM id of the user-assigned managed identity") }),
      z.object({ kind: z.literal("application"), objectId: guid.describe("Object id of the app registration; no role is ever assigned to it") }),
    ])
    .describe("What carries the federated identity credential"),
  federatedCredential: text.describe("Name of the federated identity credential"),
});

const projectNumber = z.string().regex(/^[1-9]\d*$/, "must be the number of a project, as `gcloud projects describe` shows it, not its id");

const gcpExchange = z.object({
  type: z.literal("gcp-workload-identity"),
  projectId: text.describe("The project that the grants are in"),
  projectNumber,
  poolProjectNumber: projectNumber.describe("Project that hosts pool and provider"),
  pool: text,
  provider: text,
  subjectTokenType: z.enum(["jwt", "aws4_request"]).describe("What is exchanged: a token of the workload's issuer, or a signed request to AWS STS"),
  issuerKeys: z.enum(["discovery", "uploaded"]).optional().describe("Where Google takes the issuer's keys from; absent for an AWS provider"),
  attributeMapping: z.record(text, text).optional().describe("The provider's mapping, in CEL: what google.subject and the attributes are made of"),
  attributeCondition: text.optional().describe("The provider's condition, in CEL"),
  principal: text.describe("The IAM principal that the workload becomes: principal:// or principalSet://"),
  serviceAccountEmail: z.string().optional().describe("Absent when grants are given to the principal itself"),
});

export const exchangeSchema = z.discriminatedUnion("type", [awsExchange, azureExchange, gcpExchange]);

const grantBase = { id: text.describe("Unique within the contract; names the grant in reports"), permissions };

const role = text.optional().describe("The role that the rights are granted by");

export const grantSchema = z.discriminatedUnion("kind", [
  z.object({
    ...grantBase,
    kind: z.literal("s3-objects"),
    bucket: text,
    region: text,
    accountId: z.string().regex(/^\d{12}$/).describe("Account that owns the bucket"),
    prefix: z.string().optional().describe("Objects are granted below this key prefix only; absent means the whole bucket"),
    kmsKeyArn: z.string().optional().describe("Key that the bucket encrypts with by default, if it is a KMS key"),
  }),
  z.object({ ...grantBase, kind: z.literal("kms-key"), keyArn: text, region: text }),
  z.object({
    ...grantBase,
    kind: z.literal("codebuild-project"),
    project: text,
    region: text,
    accountId: text,
    repositoryUri: text.optional().describe("ECR repository that builds push to"),
    executionRoleArn: text.optional().describe("Role that the functions which builds deploy run as"),
    serviceRoleArn: text.optional().describe("Role that builds run as; absent for an existing project that was given without it"),
    functionNamePrefix: text.optional().describe("How the names of the functions begin that builds may deploy"),
    stagedPrefix: z.string().optional().describe("Key prefix below which builds may read staged archives"),
  }),
  z.object({ ...grantBase, kind: z.literal("lambda-functions"), functionNamePrefix: text, region: text, accountId: text }),
  z.object({ ...grantBase, kind: z.literal("gcs-bucket"), role, bucket: text, projectId: text }),
  z.object({ ...grantBase, kind: z.literal("artifact-registry-repository"), role, repository: text, location: text, projectId: text }),
  z.object({
    ...grantBase,
    kind: z.literal("cloud-build"),
    role,
    projectId: text,
    region: text.describe("Region of the builds"),
    serviceAccountEmail: text.optional().describe("Account that builds run as; absent means the project's default"),
    sourceBucket: text.optional().describe("Bucket that builds read their source from"),
  }),
  z.object({
    ...grantBase,
    kind: z.literal("cloud-run-service"),
    role,
    service: text.optional().describe("Absent when the role is granted on the project"),
    region: text,
    projectId: text,
    runtimeServiceAccountEmail: text,
    publicAccess: z.enum(["private", "platform", "customer"]).describe("Who may make the service public: nobody, the platform by a role for just that, or the customer's own binding"),
  }),
  z.object({
    ...grantBase,
    kind: z.literal("gke-deployments"),
    cluster: text,
    location: text,
    projectId: text,
    namespace: text,
    deployments: z.array(text).min(1),
    containerName: text.optional(),
  }),
  z.object({ ...grantBase, kind: z.literal("project-logs"), role, projectId: text }),
  z.object({
    ...grantBase,
    kind: z.literal("azure-resource-group"),
    role,
    subscriptionId: guid,
    resourceGroup: text,
    correlationId: text.optional().describe("Value of the group's dcfCorrelationId tag, where the platform looks for one"),
  }),
  z.object({
    ...grantBase,
    kind: z.literal("blob-container"),
    role,
    subscriptionId: guid,
    resourceGroup: text,
    account: text,
    container: text,
    blobEndpoint: z.url({ protocol: /^https$/ }).describe("The account's primary blob endpoint, as read back: https://ACCOUNT.blob.core.windows.net/"),
    grantedOn: z.enum(["container", "account"]).describe("Scope of the role assignment"),
  }),
  z.object({
    ...grantBase,
    kind: z.literal("app-service"),
    role: text.optional().describe("The role that the rights are granted by: that on the resource group"),
    subscriptionId: guid,
    resourceGroup: text,
    plan: text,
    site: text,
    hostName: text.describe("Default host name, as read back"),
    registry: text,
    loginServer: text.describe("The registry's host name, as read back"),
    pullIdentityId: text.optional().describe("ARM id of the user-assigned managed identity that sites pull images with; absent: the site's system-assigned one"),
    containerPort: z.number().int().min(1).max(65535).describe("Port that the container listens on"),
  }),
]);

export const targetSchema = z.object({
  kind: text.describe("Such as s3-bucket"),
  id: text.describe("The cloud's own full name: ARN, resource id or resource name"),
  region: z.string().optional(),
  ownership: z.enum(["created", "existing"]).describe("Whether this stack made it; what it did not make it never deletes"),
});

/** A resource in the same account with nothing but the missing grant to refuse the workload. */
export const refusalTargetSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("s3-bucket"), bucket: text, region: text, accountId: text }),
  z.object({ kind: z.literal("gcs-bucket"), bucket: text, projectId: text }),
  z.object({ kind: z.literal("blob-container"), account: text, container: text, blobEndpoint: z.url({ protocol: /^https$/ }) }),
]);

export const contractSchema = z.object({
  kind: z.literal(CONTRACT_KIND),
  version: z.literal(CONTRACT_VERSION),
  integration: text.describe("Such as dcf-aws"),
  environment: z.enum(["cloud", "sandbox"]).describe("A sandbox contract is refused against a real cloud, and the other way round"),
  workload: workloadSchema,
  exchange: exchangeSchema,
  grants: z.array(grantSchema).min(1),
  targets: z.array(targetSchema),
  refusalTargets: z.array(refusalTargetSchema),
  provisionedAt: z.iso.datetime().optional().describe("When trust or grants last changed, if the stack knows: bounds how long propagation may be waited for"),
});

export type Workload = z.infer<typeof workloadSchema>;
export type Exchange = z.infer<typeof exchangeSchema>;
export type AwsExchange = z.infer<typeof awsExchange>;
export type AzureExchange = z.infer<typeof azureExchange>;
export type GcpExchange = z.infer<typeof gcpExchange>;
export type Grant = z.infer<typeof grantSchema>;
export type GrantKind = Grant["kind"];
export type GrantOf<K extends GrantKind> = Extract<Grant, { kind: K }>;
export type Target = z.infer<typeof targetSchema>;
export type RefusalTarget = z.infer<typeof refusalTargetSchema>;
export type Contract = z.infer<typeof contractSchema>;
