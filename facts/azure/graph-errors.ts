/** How Microsoft Graph refuses. https://learn.microsoft.com/graph/errors */
import type { ServiceErrorFact } from "./arm-errors.js";

const GRAPH = "https://learn.microsoft.com/graph/resolve-auth-errors";
const ERRORS = "https://learn.microsoft.com/graph/errors";
const CREDENTIALS = "https://learn.microsoft.com/graph/api/application-post-federatedidentitycredentials";

export const GRAPH_ERRORS = {
  tokenMissing: { httpStatus: 401, code: "InvalidAuthenticationToken", retry: "never", grade: "documented", source: GRAPH, text: () => "Access token is empty." },
  tokenAudience: { httpStatus: 401, code: "InvalidAuthenticationToken", retry: "never", grade: "documented", source: GRAPH, text: () => "Access token validation failure. Invalid audience." },
  denied: {
    httpStatus: 403,
    code: "Authorization_RequestDenied",
    retry: "never",
    grade: "documented",
    source: GRAPH,
    text: () => "Insufficient privileges to complete the operation.",
  },
  notFound: {
    httpStatus: 404,
    code: "Request_ResourceNotFound",
    retry: "propagation",
    grade: "documented",
    source: ERRORS,
    text: (id) => `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  },
  duplicate: {
    httpStatus: 409,
    code: "Request_MultipleObjectsWithSameKeyValue",
    retry: "never",
    grade: "documented",
    source: CREDENTIALS,
    text: (property) => `Another object with the same value for property ${property} already exists.`,
  },
  credentialDuplicate: {
    httpStatus: 409,
    code: "Request_MultipleObjectsWithSameKeyValue",
    retry: "never",
    grade: "documented",
    source: CREDENTIALS,
    text: (name) => `FederatedIdentityCredential with name ${name} already exists.`,
  },
  credentialSubjectDuplicate: {
    httpStatus: 400,
    code: "Request_BadRequest",
    retry: "never",
    grade: "inferred",
    source: CREDENTIALS,
    text: () => "The combination of issuer and subject must be unique on the application.",
  },
  credentialLimit: {
    httpStatus: 400,
    code: "Directory_QuotaExceeded",
    retry: "never",
    grade: "inferred",
    source: "https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations",
    text: () => "The limit of federated identity credentials of the application has been reached.",
  },
  badRequest: {
    httpStatus: 400,
    code: "Request_BadRequest",
    retry: "never",
    grade: "documented",
    source: ERRORS,
    text: (property) => `Invalid value specified for property '${property}' of resource 'Application'.`,
  },
  throttled: { httpStatus: 429, code: "TooManyRequests", retry: "transient", grade: "documented", source: ERRORS, text: () => "Too many requests." },
} as const satisfies Record<string, ServiceErrorFact>;

export type GraphErrorName = keyof typeof GRAPH_ERRORS;
