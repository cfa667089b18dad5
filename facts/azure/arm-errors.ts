/** How Azure Resource Manager and its resource providers refuse. https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
import type { Grade } from "../rules.js";

/** When the same request may succeed without any change: a role assignment or identity spreads within minutes, what is busy within seconds. */
export type ServiceRetry = "never" | "propagation" | "transient";

export interface ServiceErrorFact {
  readonly httpStatus: number;
  readonly code: string;
  readonly retry: ServiceRetry;
  readonly grade: Grade;
  readonly source: string;
  text(...values: readonly string[]): string;
}

const COMMON = "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors";
const RBAC = "https://learn.microsoft.com/azure/role-based-access-control/troubleshooting";
const FEDERATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations";

export const ARM_ERRORS = {
  // ---- tokens ----
  authenticationMissing: {
    httpStatus: 401,
    code: "AuthenticationFailed",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "Authentication failed. The 'Authorization' header is missing.",
  },
  tokenInvalid: {
    httpStatus: 401,
    code: "InvalidAuthenticationToken",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "The access token is invalid.",
  },
  tokenExpired: {
    httpStatus: 401,
    code: "ExpiredAuthenticationToken",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "The access token has expired or is not yet valid.",
  },
  tokenAudience: {
    httpStatus: 401,
    code: "InvalidAuthenticationTokenAudience",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: (audience, expected) => `The access token has been obtained for wrong audience or resource '${audience}'. It should exactly match with one of the allowed audiences '${expected}'.`,
  },
  tokenTenant: {
    httpStatus: 401,
    code: "InvalidAuthenticationTokenTenant",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: (token, subscription) =>
      `The access token is from the wrong issuer 'https://sts.windows.net/${token}/'. It must match the tenant 'https://sts.windows.net/${subscription}/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/${subscription}' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later.`,
  },

  // ---- rights ----
  authorizationFailed: {
    httpStatus: 403,
    code: "AuthorizationFailed",
    retry: "propagation",
    grade: "documented",
    source: "https://github.com/Azure/azure-cli/issues/29802",
    text: (client, objectId, action, scope) =>
      `The client '${client}' with object id '${objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  },
  linkedAuthorizationFailed: {
    httpStatus: 403,
    code: "LinkedAuthorizationFailed",
    retry: "propagation",
    grade: "documented",
    source: RBAC,
    text: (client, objectId, action, scope, linked, linkedScope) =>
      `The client '${client}' with object id '${objectId}' has permission to perform action '${action}' on scope '${scope}'; however, it does not have permission to perform action(s) '${linked}' on the linked scope(s) '${linkedScope}' (respectively) or the linked scope(s) are invalid.`,
  },
  denyAssignment: {
    httpStatus: 403,
    code: "DenyAssignmentAuthorizationFailed",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/role-based-access-control/deny-assignments",
    text: (client, objectId, action, scope, name, id) =>
      `The client '${client}' with object id '${objectId}' has permission to perform action '${action}' on scope '${scope}'; however, the access is denied because of the deny assignment with name '${name}' and Id '${id}' at scope '${scope}'.`,
  },
  policy: {
    httpStatus: 403,
    code: "RequestDisallowedByPolicy",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy",
    text: (resource, policies) => `Resource '${resource}' was disallowed by policy. Policy identifiers: '${policies}'.`,
  },
  scopeLocked: {
    httpStatus: 409,
    code: "ScopeLocked",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources",
    text: (scope, operation, locks) =>
      `The scope '${scope}' cannot perform ${operation} operation because following scope(s) are locked: '${locks}'. Please remove the lock and try again.`,
  },

  // ---- scopes ----
  subscriptionNotFound: {
    httpStatus: 404,
    code: "SubscriptionNotFound",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: (subscription) => `The subscription '${subscription}' could not be found.`,
  },
  subscriptionInvalid: {
    httpStatus: 400,
    code: "InvalidSubscriptionId",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: (subscription) => `The provided subscription identifier '${subscription}' is malformed or invalid.`,
  },
  subscriptionReadOnly: {
    httpStatus: 409,
    code: "ReadOnlyDisabledSubscription",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-disabled",
    text: (subscription) => `The subscription '${subscription}' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.`,
  },
  groupNotFound: {
    httpStatus: 404,
    code: "ResourceGroupNotFound",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: (group) => `Resource group '${group}' could not be found.`,
  },
  groupDeleting: {
    httpStatus: 409,
    code: "ResourceGroupBeingDeleted",
    retry: "transient",
    grade: "documented",
    source: COMMON,
    text: (group) => `The resource group '${group}' is in deprovisioning state and cannot perform this operation.`,
  },
  resourceNotFound: {
    httpStatus: 404,
    code: "ResourceNotFound",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found",
    text: (resource, group) => `The Resource '${resource}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  },
  parentNotFound: {
    httpStatus: 404,
    code: "ParentResourceNotFound",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-parent-resource",
    text: (resource, parent) => `Failed to perform 'write' on resource(s) of type '${resource}', because the parent resource '${parent}' could not be found.`,
  },
  namespaceUnregistered: {
    httpStatus: 409,
    code: "MissingSubscriptionRegistration",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider",
    text: (namespace) => `The subscription is not registered to use namespace '${namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions.`,
  },

  // ---- role assignments ----
  principalNotFound: {
    httpStatus: 400,
    code: "PrincipalNotFound",
    retry: "propagation",
    grade: "documented",
    source: RBAC,
    text: (principal, tenant) =>
      `Principal ${principal} does not exist in the directory ${tenant}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype`,
  },
  principalType: {
    httpStatus: 400,
    code: "UnmatchedPrincipalType",
    retry: "never",
    grade: "documented",
    source: RBAC,
    text: (principal, type, given) => `The PrincipalId '${principal}' has type '${type}' , which is different from specified PrinciaplType '${given}'.`,
  },
  assignmentExists: {
    httpStatus: 409,
    code: "RoleAssignmentExists",
    retry: "never",
    grade: "documented",
    source: "https://github.com/Azure/azure-cli/issues/8599",
    text: () => "The role assignment already exists.",
  },
  assignmentFixed: {
    httpStatus: 400,
    code: "RoleAssignmentUpdateNotPermitted",
    retry: "never",
    grade: "documented",
    source: "https://github.com/MicrosoftDocs/azure-docs/issues/85388",
    text: () => "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
  },
  assignmentName: {
    httpStatus: 400,
    code: "InvalidRoleAssignmentId",
    retry: "never",
    grade: "documented",
    source: "https://github.com/pulumi/pulumi-azure/issues/121",
    text: (name) => `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
  },
  assignmentLimit: {
    httpStatus: 400,
    code: "RoleAssignmentLimitExceeded",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/role-based-access-control/troubleshoot-limits",
    text: () => "The role assignment limit has been exceeded. No more role assignments can be created.",
  },
  roleNotFound: {
    httpStatus: 404,
    code: "RoleDefinitionDoesNotExist",
    retry: "never",
    grade: "documented",
    source: RBAC,
    text: (role) => `The specified role definition with ID '${role}' does not exist.`,
  },

  // ---- federated identity credentials of managed identities ----
  credentialsConcurrent: {
    httpStatus: 409,
    code: "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
    retry: "transient",
    grade: "documented",
    source: FEDERATION,
    text: (identity) =>
      `Too many Federated Identity Credentials are written concurrently for the managed identity '${identity}'. Concurrent Federated Identity Credentials writes under the same managed identity are not supported.`,
  },
  credentialDuplicate: {
    httpStatus: 400,
    code: "BadRequest",
    retry: "never",
    grade: "documented",
    source: FEDERATION,
    text: () => "Issuer and subject combination already exists for this Managed Identity.",
  },
  credentialName: {
    httpStatus: 400,
    code: "BadRequest",
    retry: "never",
    grade: "documented",
    source: FEDERATION,
    text: (name) => `Federated Identity Credential name '${name}' is invalid.`,
  },
  credentialLimit: {
    httpStatus: 400,
    code: "BadRequest",
    retry: "never",
    grade: "inferred",
    source: FEDERATION,
    text: (identity) => `Too many Federated Identity Credentials for the managed identity '${identity}'. The limit is 20.`,
  },
  credentialsUnsupported: {
    httpStatus: 405,
    code: "MethodNotAllowed",
    retry: "never",
    grade: "documented",
    source: FEDERATION,
    text: () => "Support for federated identity credentials not enabled.",
  },
  identityMissing: {
    httpStatus: 404,
    code: "NotFound",
    retry: "never",
    grade: "documented",
    source: FEDERATION,
    text: () => "The parent user-assigned identity doesn't exist.",
  },

  // ---- App Service ----
  planQuota: {
    httpStatus: 401,
    code: "Unauthorized",
    retry: "never",
    grade: "documented",
    source: "https://github.com/Azure/azure-cli/issues/31665",
    text: (vms) =>
      `Operation cannot be completed without additional quota. \r\nAdditional details - Location:  \r\nCurrent Limit (${vms}): 0 \r\nCurrent Usage: 0\r\nAmount required for this deployment (${vms}): 1 \r\n(Minimum) New Limit that you should request to enable this deployment: 1. `,
  },
  planBusy: {
    httpStatus: 429,
    code: "TooManyRequests",
    retry: "transient",
    grade: "documented",
    source: "https://github.com/pulumi/pulumi-azure-native/issues/849",
    text: (site) => `Cannot acquire exclusive lock to create, update or delete site '${site}'. Retry the request later.`,
  },

  throttled: {
    httpStatus: 429,
    code: "SubscriptionRequestsThrottled",
    retry: "transient",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling",
    text: () => "Number of requests exceeded the limit for the subscription. Please try again after a few seconds.",
  },
} as const satisfies Record<string, ServiceErrorFact>;

export type ArmErrorName = keyof typeof ARM_ERRORS;
