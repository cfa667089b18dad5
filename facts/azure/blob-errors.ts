/** How Blob storage refuses: XML with a code, which `x-ms-error-code` has too. https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
import type { ServiceErrorFact } from "./arm-errors.js";

const BLOB = "https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes";
const COMMON = "https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes";

export const BLOB_ERRORS = {
  authenticationMissing: {
    httpStatus: 401,
    code: "NoAuthenticationInformation",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  },
  authenticationInvalid: {
    httpStatus: 401,
    code: "InvalidAuthenticationInfo",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  },
  /** A shared key or SAS whose signature is wrong. */
  authenticationFailed: {
    httpStatus: 403,
    code: "AuthenticationFailed",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
  },
  /** The data role is missing, or not yet effective. */
  permissionMismatch: {
    httpStatus: 403,
    code: "AuthorizationPermissionMismatch",
    retry: "propagation",
    grade: "documented",
    source: COMMON,
    text: () => "This request is not authorized to perform this operation using this permission.",
  },
  /** The account's firewall, or public network access that is switched off. */
  network: {
    httpStatus: 403,
    code: "AuthorizationFailure",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "This request is not authorized to perform this operation.",
  },
  sharedKeyOff: {
    httpStatus: 403,
    code: "KeyBasedAuthenticationNotPermitted",
    retry: "never",
    grade: "documented",
    source: BLOB,
    text: () => "Key based authentication is not permitted on this storage account.",
  },
  publicAccessOff: {
    httpStatus: 409,
    code: "PublicAccessNotPermitted",
    retry: "never",
    grade: "documented",
    source: BLOB,
    text: () => "Public access is not permitted on this storage account.",
  },
  accountDisabled: {
    httpStatus: 403,
    code: "AccountIsDisabled",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "The specified account is disabled.",
  },
  containerMissing: { httpStatus: 404, code: "ContainerNotFound", retry: "never", grade: "documented", source: BLOB, text: () => "The specified container does not exist." },
  containerExists: { httpStatus: 409, code: "ContainerAlreadyExists", retry: "never", grade: "documented", source: BLOB, text: () => "The specified container already exists." },
  containerDeleting: {
    httpStatus: 409,
    code: "ContainerBeingDeleted",
    retry: "transient",
    grade: "documented",
    source: BLOB,
    text: () => "The specified container is being deleted. Try operation later.",
  },
  blobMissing: { httpStatus: 404, code: "BlobNotFound", retry: "never", grade: "documented", source: BLOB, text: () => "The specified blob does not exist." },
  blobExists: { httpStatus: 409, code: "BlobAlreadyExists", retry: "never", grade: "documented", source: BLOB, text: () => "The specified blob already exists." },
  conditionNotMet: {
    httpStatus: 412,
    code: "ConditionNotMet",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "The condition specified using HTTP conditional header(s) is not met.",
  },
  immutable: {
    httpStatus: 409,
    code: "BlobImmutableDueToPolicy",
    retry: "never",
    grade: "documented",
    source: "https://learn.microsoft.com/azure/storage/blobs/immutable-storage-overview",
    text: () => "This operation is not permitted as the blob is immutable due to a policy.",
  },
  leaseMissing: {
    httpStatus: 412,
    code: "LeaseIdMissing",
    retry: "never",
    grade: "documented",
    source: BLOB,
    text: () => "There is currently a lease on the blob and no lease ID was specified in the request.",
  },
  range: {
    httpStatus: 416,
    code: "InvalidRange",
    retry: "never",
    grade: "documented",
    source: BLOB,
    text: () => "The range specified is invalid for the current size of the resource.",
  },
  nameInvalid: {
    httpStatus: 400,
    code: "InvalidResourceName",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "The specified resource name contains invalid characters.",
  },
  /** Bearer tokens need https and a version from 2017-11-09 on. */
  header: {
    httpStatus: 400,
    code: "InvalidHeaderValue",
    retry: "never",
    grade: "documented",
    source: COMMON,
    text: () => "The value for one of the HTTP headers is not in the correct format.",
  },
  busy: { httpStatus: 503, code: "ServerBusy", retry: "transient", grade: "documented", source: COMMON, text: () => "The server is busy." },
} as const satisfies Record<string, ServiceErrorFact>;

export type BlobErrorName = keyof typeof BLOB_ERRORS;
