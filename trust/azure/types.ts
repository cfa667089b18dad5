/** The vocabulary of the Azure rules: federated identity credentials, client assertions, roles and locks, and how it was decided. */
import type { AzureCloudName } from "../../facts/azure/clouds.js";

/** What trusts the workload: on a user-assigned managed identity or an app registration. */
export interface FederatedIdentityCredential {
  name: string;
  issuer: string;
  /** Empty where the credential has an expression instead. */
  subject: string;
  /** Exactly one. */
  audiences: readonly string[];
  /** A flexible credential's (a preview, for a few issuers); no rule here takes it for a match. https://learn.microsoft.com/entra/workload-id/workload-identities-flexible-federated-identity-credentials */
  claimsMatchingExpression?: string | undefined;
}

/** What the tenant has under the client id. */
export interface FederatedClient {
  kind: "managed-identity" | "application";
  clientId: string;
  /** Shown in Entra's messages. */
  displayName: string;
  /** Undefined: the application has no service principal in the tenant. */
  servicePrincipal: { objectId: string; enabled: boolean } | undefined;
  credentials: readonly FederatedIdentityCredential[];
}

/** What fetching metadata and keys from the assertion's issuer gave. */
export type AssertionIssuerEvidence = { status: "ok"; discovery: unknown; jwks: unknown } | { status: "unavailable"; detail: string };

/**
 * A client-credentials request with an assertion.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
 */
export interface ClientAssertionQuestion {
  /** Cloud whose authority was asked. */
  cloud: AzureCloudName;
  /** As in the request's path. */
  tenant: string;
  /** Undefined: nobody has it; a cloud other than the asked one is an error of its own. */
  knownTenant: { tenantId: string; cloud: AzureCloudName } | undefined;
  clientId: string;
  client: FederatedClient | undefined;
  grantType: string;
  assertionType: string;
  assertion: string;
  scope: string;
  /** Whether the tenant knows the resource that the scope names. */
  knownResource(resource: string): boolean;
  /** Name of the Conditional Access policy that blocks this workload identity, if one does. */
  blockedBy?: string | undefined;
  now: Date;
  /** Asked at most once, for an assertion whose claims match a credential. */
  issuer(issuer: string): Promise<AssertionIssuerEvidence>;
}

/** Stable names of why Entra refuses; its codes are coarser in places and finer in others. */
export type AssertionReason =
  | "tenant-malformed"
  | "tenant-missing"
  | "cloud-differs"
  | "client-missing"
  | "service-principal-missing"
  | "service-principal-disabled"
  | "request-malformed"
  | "resource-unknown"
  | "assertion-malformed"
  | "assertion-type-invalid"
  | "assertion-expired"
  | "assertion-not-yet-valid"
  | "algorithm-unsupported"
  | "no-credentials"
  | "issuer-differs"
  | "audience-differs"
  | "subject-differs"
  | "subject-case-differs"
  | "issuer-unavailable"
  | "metadata-invalid"
  | "key-unknown"
  | "key-unusable"
  | "signature-invalid"
  | "conditional-access";

export type ClientAssertionAnswer =
  | { allowed: true; credential: FederatedIdentityCredential; resource: string }
  | {
      allowed: false;
      reason: AssertionReason;
      httpStatus: number;
      /** OAuth's `error`, such as `invalid_client`. */
      error: string;
      /** Number of the AADSTS code. */
      code: number;
      /** Entra's text without `AADSTS…: `, ids and time. */
      message: string;
      /** For people: which values differ. No assertion in it. */
      detail: string;
    };

// ---- authorisation ----

export interface RoleDefinition {
  /** Its GUID. */
  name: string;
  roleName: string;
  permissions: readonly {
    actions: readonly string[];
    notActions: readonly string[];
    dataActions: readonly string[];
    notDataActions: readonly string[];
  }[];
}

export interface RoleAssignment {
  /** ARM id. */
  id: string;
  scope: string;
  /** ARM id of the role definition, or one that ends in its GUID. */
  roleDefinitionId: string;
  principalId: string;
  /** https://learn.microsoft.com/azure/role-based-access-control/conditions-format */
  condition?: string | undefined;
  conditionVersion?: string | undefined;
}

/** https://learn.microsoft.com/azure/role-based-access-control/deny-assignments */
export interface DenyAssignment {
  id: string;
  name: string;
  scope: string;
  permissions: RoleDefinition["permissions"];
  /** Object ids, or the zero GUID for everybody. */
  principalIds: readonly string[];
  excludePrincipalIds: readonly string[];
  doNotApplyToChildScopes: boolean;
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources */
export interface ManagementLock {
  id: string;
  scope: string;
  level: "CanNotDelete" | "ReadOnly";
}

export interface AzureAccessQuestion {
  /** Object ids of the caller and of every group that it is in. */
  principalIds: readonly string[];
  /** As roles name it: `Microsoft.Resources/subscriptions/resourceGroups/read`. */
  action: string;
  /** Whether it is an action on data. Default false. */
  dataAction?: boolean;
  /** ARM id of what it is on; compared without regard to case. */
  scope: string;
  /**
   * What conditions can ask, by name as they write it: `Microsoft.Storage/storageAccounts/blobServices/containers:name`, `…/blobs:path`,
   * `subOperation` (such as `Blob.List`). A bare name stands for `@Resource` and `@Request`; others are written whole: `@Environment[isPrivateLink]`.
   */
  attributes?: Readonly<Record<string, string | readonly string[]>> | undefined;
  assignments: readonly RoleAssignment[];
  denyAssignments?: readonly DenyAssignment[] | undefined;
  /** ARM ids of the management groups that the scope's subscription is in, however far above. Default: none. */
  managementGroups?: readonly string[] | undefined;
  /** For conditions that ask the time. Default: none is known, and such a condition does not hold. */
  now?: Date | undefined;
  /** By the GUID of the role definition. */
  role(id: string): RoleDefinition | undefined;
}

export type AzureAccessReason = "granted" | "no-assignment" | "condition-false" | "denied";

export interface AzureAccessAnswer {
  allowed: boolean;
  reason: AzureAccessReason;
  /** What granted it, or what would have but for its condition. */
  assignment?: RoleAssignment | undefined;
  denyAssignment?: DenyAssignment | undefined;
  /** With `condition-false`: why its condition does not hold. */
  conditionProblem?: string | undefined;
}
