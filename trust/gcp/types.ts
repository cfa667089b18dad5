/** The vocabulary of the GCP rules: pools and providers, tokens and signed AWS identities, policies, and how it was decided. */
import type { JsonObject } from "../jwt.js";

export interface WorkloadIdentityPool {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL` */
  name: string;
  state: "ACTIVE" | "DELETED";
  disabled: boolean;
}

export interface WorkloadIdentityPoolProvider {
  /** `…/workloadIdentityPools/POOL/providers/PROVIDER` */
  name: string;
  state: "ACTIVE" | "DELETED";
  disabled: boolean;
  /** Left out or empty for an AWS provider means Google's default for AWS. */
  attributeMapping?: Readonly<Record<string, string>> | undefined;
  attributeCondition?: string | undefined;
  oidc?: { issuerUri: string; allowedAudiences?: readonly string[] | undefined; /** JSON text of a JWK set. */ jwksJson?: string | undefined } | undefined;
  aws?: { accountId: string } | undefined;
}

/** What fetching discovery and keys from the issuer gave. */
export type IssuerEvidence = { status: "ok"; discovery: unknown; jwks: unknown } | { status: "unavailable"; detail: string };

/** What AWS STS answered to the replayed `GetCallerIdentity`. */
export type AwsIdentity =
  | { status: "ok"; account: string; arn: string; userId: string }
  | { status: "refused"; code: string; message: string };

/** https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
export interface TokenExchangeQuestion {
  /** The request's `audience`, as sent. */
  audience: string;
  grantType: string;
  requestedTokenType: string;
  subjectTokenType: string;
  /** The raw token: a JWT, or the percent-encoded JSON of a signed request. */
  subjectToken: string;
  scope: string | undefined;
  now: Date;
  /** Those that the request's audience names; undefined where there is none. */
  pool: WorkloadIdentityPool | undefined;
  provider: WorkloadIdentityPoolProvider | undefined;
  /** Asked at most once, for a token whose claims have passed. */
  issuer(issuerUri: string): Promise<IssuerEvidence>;
  /** Replays the signed request, after its form has passed. */
  awsIdentity(request: SignedAwsRequest): Promise<AwsIdentity>;
}

/** The subject token of an AWS provider, decoded. Its signature is a secret. */
export interface SignedAwsRequest {
  url: URL;
  method: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
}

/** What a federated token stands for. */
export interface FederatedIdentity {
  /** The mapped `google.subject`. */
  subject: string;
  groups: readonly string[];
  /** Mapped `attribute.NAME`, without the prefix. */
  attributes: Readonly<Record<string, string | readonly string[]>>;
  /** `principal://iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/subject/S` */
  principal: string;
  /** Every member of an IAM policy that means it, itself included; without `allUsers` and the like. */
  members: readonly string[];
}

/** Stable names of why STS refuses; code and text that STS shows are coarser. */
export type ExchangeReason =
  | "request-malformed"
  | "audience-malformed"
  | "pool-missing"
  | "pool-deleted"
  | "pool-disabled"
  | "provider-missing"
  | "provider-deleted"
  | "provider-disabled"
  | "token-type-mismatch"
  | "token-malformed"
  | "token-claim-missing"
  | "token-expired"
  | "token-nearly-expired"
  | "token-not-yet-valid"
  | "token-too-old"
  | "issuer-differs"
  | "audience-differs"
  | "issuer-unavailable"
  | "discovery-issuer-differs"
  | "key-unknown"
  | "key-unusable"
  | "signature-invalid"
  | "aws-request-malformed"
  | "aws-target-differs"
  | "aws-refused"
  | "aws-account-differs"
  | "mapping-failed"
  | "subject-missing"
  | "subject-too-long"
  | "attributes-too-large"
  | "condition-false"
  | "condition-failed";

export type TokenExchangeAnswer =
  | { allowed: true; identity: FederatedIdentity; expiresInSeconds: number }
  | {
      allowed: false;
      reason: ExchangeReason;
      httpStatus: number;
      /** OAuth's `error`, such as `invalid_grant`. */
      error: string;
      /** `error_description`, in Google's words. */
      description: string;
      /** For people: which values differ. No token in it. */
      detail: string;
    };

// ---- authorisation ----

export interface Condition {
  title: string;
  description?: string | undefined;
  expression: string;
}

export interface Binding {
  role: string;
  members: readonly string[];
  condition?: Condition | undefined;
}

export interface Policy {
  version?: number | undefined;
  etag?: string | undefined;
  bindings: readonly Binding[];
  auditConfigs?: readonly JsonObject[] | undefined;
}

/** https://cloud.google.com/iam/docs/deny-overview */
export interface DenyPolicy {
  name: string;
  rules: readonly {
    denyRule: {
      deniedPrincipals: readonly string[];
      exceptionPrincipals?: readonly string[] | undefined;
      /** `service.googleapis.com/resource.verb` */
      deniedPermissions: readonly string[];
      exceptionPermissions?: readonly string[] | undefined;
      denialCondition?: Condition | undefined;
    };
  }[];
}

export interface AccessQuestion {
  /** Every member that means the caller. */
  members: readonly string[];
  /** As roles name it: `storage.objects.get`. */
  permission: string;
  /** As conditions see it. */
  resource: { name: string; type: string; service: string };
  time: Date;
  /** What `api.getAttribute` finds, such as `storage.googleapis.com/objectListPrefix`; nothing where left out. */
  apiAttributes?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Of the resource and all above it, nearest first. */
  policies: readonly { resource: string; policy: Policy }[];
  denyPolicies?: readonly DenyPolicy[] | undefined;
  /** Permissions of a role by its full name; undefined where the role is not known, deleted or disabled. */
  role(name: string): readonly string[] | undefined;
}

export type AccessReason = "granted" | "no-binding" | "condition-false" | "denied";

export interface AccessAnswer {
  allowed: boolean;
  reason: AccessReason;
  /** What granted it, or what would have but for its condition. */
  binding?: { resource: string; binding: Binding } | undefined;
  denyPolicy?: string | undefined;
}
