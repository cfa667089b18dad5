/** Service accounts. https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts */
import { randomInt } from "node:crypto";

import * as z from "zod";

import { SERVICE_ACCOUNT_ID, SERVICE_ACCOUNT_RETENTION_DAYS, SERVICE_ACCOUNT_TEXTS } from "../../facts/gcp/iam.js";
import { parseServiceAccountEmail, serviceAccountEmail } from "../../facts/gcp/identifiers.js";
import { invalidArgument } from "./errors.js";
import { type IamContext, iamRoute, param, preconditionFailed, projectResource } from "./iam-context.js";
import { maskPaths, message, page, patched, read } from "./iam-input.js";
import { newEtag } from "./etag.js";
import type { ServiceAccountRecord } from "./iam-store.js";
import type { GcpRequest, GcpRoute } from "./service.js";
import { GcpError, type GcpProject, type GcpResource } from "./types.js";

const ACCOUNT = message({ displayName: z.string().optional(), description: z.string().optional(), etag: z.string().optional() }, [
  "name",
  "projectId",
  "uniqueId",
  "email",
  "oauth2ClientId",
  "disabled",
]);
const CREATE = message({ accountId: z.string().default(""), serviceAccount: ACCOUNT.optional() });
const PATCH = message({ serviceAccount: ACCOUNT.optional(), updateMask: z.string().optional() });
const PAGES = { usual: 20, most: 100 };

export const ACCOUNTS_PATH = "/v1/projects/{project}/serviceAccounts";
export const ACCOUNT_PATH = `${ACCOUNTS_PATH}/{account}`;

export function serviceAccountRoutes(iam: IamContext): GcpRoute[] {
  const open = (request: GcpRequest, verb: string): ServiceAccountRecord => openAccount(iam, request, verb);

  function create(request: GcpRequest): object {
    const project = iam.project(request);
    iam.require(request, "iam.serviceAccounts.create", projectResource(project));
    const { accountId, serviceAccount = {} } = read(CREATE, request.body);
    assertAccountId(accountId);
    assertTexts(serviceAccount);
    const email = serviceAccountEmail(accountId, project.projectId);
    if (iam.store.serviceAccount(email, project.projectId)) throw existsAlready(project, email);
    const { displayName, description } = serviceAccount;
    const account = newServiceAccount(project, email, { displayName, description });
    iam.store.putServiceAccount(account);
    return account;
  }

  function list(request: GcpRequest): object {
    const project = iam.project(request);
    iam.require(request, "iam.serviceAccounts.list", projectResource(project));
    return page("accounts", iam.store.serviceAccounts(project.projectId), request, PAGES);
  }

  function patch(request: GcpRequest): object {
    const account = open(request, "update");
    const { serviceAccount = {}, updateMask } = read(PATCH, request.body);
    if (serviceAccount.etag !== undefined && serviceAccount.etag !== account.etag) throw new GcpError("ABORTED", "The service account has been changed in the meantime: its etag differs.");
    const changed = patched(account, serviceAccount, maskPaths(updateMask), ["displayName", "description"]);
    assertTexts(changed);
    const next = { ...changed, etag: newEtag() };
    iam.store.putServiceAccount(next);
    return next;
  }

  function setDisabled(request: GcpRequest, disabled: boolean): object {
    const { disabled: _before, ...account } = open(request, disabled ? "disable" : "enable");
    iam.store.putServiceAccount({ ...account, etag: newEtag(), ...(disabled && { disabled }) });
    return {};
  }

  function remove(request: GcpRequest): object {
    const account = open(request, "delete");
    const { name } = accountResource(account);
    const policy = iam.context.policies.get(name);
    iam.store.deleteServiceAccount({ account, policy: { bindings: policy.bindings }, expireTime: iam.inDays(SERVICE_ACCOUNT_RETENTION_DAYS) });
    iam.context.policies.delete(name);
    return {};
  }

  /** By unique id: the address may be somebody else's by now. */
  function undelete(request: GcpRequest): object {
    const deleted = iam.store.deletedServiceAccount(param(request, "account"));
    if (!deleted) throw unknownAccount();
    const { account, policy } = deleted;
    iam.require(request, "iam.serviceAccounts.undelete", projectResource(iam.context.projectOf(account.projectId)));
    if (iam.store.serviceAccount(account.email)) throw preconditionFailed(`A service account with the email address ${account.email} exists: it was created after this one was deleted.`);
    iam.store.putServiceAccount(account);
    iam.store.forgetDeletedServiceAccount(account.uniqueId);
    if (policy.bindings.length > 0) iam.context.policies.set(accountResource(account).name, { ...policy, version: 3 }, account.projectId);
    return { restoredAccount: account };
  }

  return [
    iamRoute("POST", ACCOUNTS_PATH, "CreateServiceAccount", create),
    iamRoute("GET", ACCOUNTS_PATH, "ListServiceAccounts", list),
    iamRoute("GET", ACCOUNT_PATH, "GetServiceAccount", (request) => open(request, "get")),
    iamRoute("PATCH", ACCOUNT_PATH, "PatchServiceAccount", patch),
    iamRoute("DELETE", ACCOUNT_PATH, "DeleteServiceAccount", remove),
    iamRoute("POST", `${ACCOUNT_PATH}:undelete`, "UndeleteServiceAccount", undelete),
    iamRoute("POST", `${ACCOUNT_PATH}:enable`, "EnableServiceAccount", (request) => setDisabled(request, false)),
    iamRoute("POST", `${ACCOUNT_PATH}:disable`, "DisableServiceAccount", (request) => setDisabled(request, true)),
  ];
}

/** The account that the path names by address or unique id, in its project or `-`, once the caller may do this to it. */
export function openAccount(iam: IamContext, request: GcpRequest, verb: string, on = "iam.serviceAccounts"): ServiceAccountRecord {
  const [named, project] = [param(request, "account"), param(request, "project")];
  const account = iam.store.serviceAccount(named, project === "-" ? "-" : iam.context.projectOf(project).projectId);
  const resource = account ? accountResource(account) : missingResource(iam, named, project);
  if (resource) iam.require(request, `${on}.${verb}`, resource);
  if (!account) throw unknownAccount();
  return account;
}

export function accountResource({ projectId, email }: Pick<ServiceAccountRecord, "projectId" | "email">): GcpResource {
  return { name: `//iam.googleapis.com/projects/${projectId}/serviceAccounts/${email}`, type: "iam.googleapis.com/ServiceAccount", projectId };
}

/** Where the account would be: those who may not see accounts there do not learn that it is not. */
function missingResource(iam: IamContext, named: string, project: string): GcpResource | undefined {
  const projectId = project === "-" ? parseServiceAccountEmail(named)?.projectId : iam.context.projectOf(project).projectId;
  if (projectId === undefined || !iam.context.cloud.project(projectId)) return undefined;
  return accountResource({ projectId, email: named });
}

/** An account of a project: one that somebody creates, or one that Google makes for a service. */
export function newServiceAccount(
  { projectId }: GcpProject,
  email: string,
  texts: Pick<ServiceAccountRecord, "displayName" | "description"> = {},
): ServiceAccountRecord {
  const uniqueId = `1${Array.from({ length: 20 }, () => randomInt(10)).join("")}`;
  return { name: `projects/${projectId}/serviceAccounts/${email}`, projectId, uniqueId, email, ...texts, etag: newEtag(), oauth2ClientId: uniqueId };
}

function assertAccountId(accountId: string): void {
  const { minLength, maxLength, pattern } = SERVICE_ACCOUNT_ID;
  if (accountId.length < minLength || accountId.length > maxLength) {
    throw invalidArgument(`The account ID "${accountId}" does not have a length between ${minLength} and ${maxLength}.`);
  }
  if (!pattern.test(accountId)) throw invalidArgument(`The account ID "${accountId}" does not match the regular expression ${pattern.source}.`);
}

function assertTexts(texts: { displayName?: string | undefined; description?: string | undefined }): void {
  for (const [field, most] of Object.entries(SERVICE_ACCOUNT_TEXTS)) {
    const bytes = Buffer.byteLength(texts[field as keyof typeof texts] ?? "");
    if (bytes > most) throw invalidArgument(`The ${field === "displayName" ? "display name" : field} is ${bytes} bytes long; the maximum is ${most}.`);
  }
}

function existsAlready({ projectId }: GcpProject, email: string): GcpError {
  const accountId = email.slice(0, email.indexOf("@"));
  const resourceName = `projects/${projectId}/serviceAccounts/${email}`;
  return new GcpError("ALREADY_EXISTS", `Service account ${accountId} already exists within project projects/${projectId}.`, undefined, [
    { "@type": "type.googleapis.com/google.rpc.ResourceInfo", resourceName },
  ]);
}

const unknownAccount = (): GcpError => new GcpError("NOT_FOUND", "Unknown service account");
