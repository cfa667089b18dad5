/** Deny policies of projects. https://cloud.google.com/iam/docs/reference/rest/v2/policies */
import { randomUUID } from "node:crypto";

import * as z from "zod";

import { DENY_POLICY } from "../../facts/gcp/iam.js";
import { compileCel } from "../../trust/gcp/cel.js";
import { invalidArgument } from "./errors.js";
import { type IamContext, alreadyExists, iamRoute, notFound, operationId, param, projectResource } from "./iam-context.js";
import { message, page, read } from "./iam-input.js";
import { newEtag } from "./etag.js";
import type { DenyPolicyRecord } from "./iam-store.js";
import type { GcpRequest, GcpRoute } from "./service.js";
import { GcpError, type GcpResource } from "./types.js";

const texts = z.array(z.string());
const RULE = message({
  description: z.string().optional(),
  denyRule: message({
    deniedPrincipals: texts.default([]),
    exceptionPrincipals: texts.optional(),
    deniedPermissions: texts.default([]),
    exceptionPermissions: texts.optional(),
    denialCondition: message({ title: z.string().default(""), description: z.string().optional(), expression: z.string(), location: z.string().optional() }).optional(),
  }),
});
const POLICY = message(
  { displayName: z.string().optional(), annotations: z.record(z.string(), z.string()).optional(), etag: z.string().optional(), rules: z.array(RULE).default([]) },
  ["name", "uid", "kind", "createTime", "updateTime", "deleteTime", "managingAuthority"],
);
const PAGES = { usual: 1000, most: 1000 };
const ALL = "/v2/policies/{attachment}/denypolicies";
const ONE = `${ALL}/{policy}`;

type Written = z.output<typeof POLICY>;

/** Where the policies hang: the project, and the place's name as policies' names have it. */
interface Attachment {
  resource: GcpResource;
  point: string;
}

export function denyPolicyRoutes(iam: IamContext): GcpRoute[] {
  function attachment(request: GcpRequest): Attachment {
    // Some clients encode the encoded name once more.
    const written = param(request, "attachment").replaceAll("%2F", "/");
    const [, idOrNumber] = /^cloudresourcemanager\.googleapis\.com\/projects\/([^/]+)$/.exec(written) ?? [];
    if (idOrNumber === undefined) {
      const kind = /^cloudresourcemanager\.googleapis\.com\/(organizations|folders)\//.test(written);
      throw kind ? new GcpError("UNIMPLEMENTED", `The sandbox plays deny policies of projects, not of ${written}.`) : invalidArgument(`Invalid attachment point: ${written}.`);
    }
    return { resource: projectResource(iam.context.projectOf(idOrNumber)), point: encodeURIComponent(written) };
  }

  function done(policy: DenyPolicyRecord, response: object = policy): object {
    const metadata = { "@type": "type.googleapis.com/google.iam.v2.PolicyOperationMetadata", createTime: iam.now().toISOString() };
    return iam.context.operation("iam", `${policy.name}/operations/${operationId()}`, { "@type": "type.googleapis.com/google.iam.v2.Policy", ...response }, metadata);
  }

  function put(policy: DenyPolicyRecord): object {
    iam.store.putDenyPolicy(policy);
    return done(policy);
  }

  function open(request: GcpRequest, verb: string): DenyPolicyRecord {
    const { resource, point } = attachment(request);
    iam.require(request, `iam.denypolicies.${verb}`, resource);
    const policy = iam.store.denyPolicy(nameOf(point, param(request, "policy")));
    if (!policy) throw notFound();
    return policy;
  }

  function create(request: GcpRequest): object {
    const { resource, point } = attachment(request);
    iam.require(request, "iam.denypolicies.create", resource);
    const id = request.query.get("policyId") ?? "";
    if (!DENY_POLICY.id.test(id)) throw invalidArgument(`Invalid policy ID "${id}": it must be 3 to 63 characters of [a-z0-9.-], beginning with a letter.`);
    const { etag: _etag, ...written } = read(POLICY, request.body);
    assertRules(written);
    const name = nameOf(point, id);
    if (iam.store.denyPolicy(name)) throw alreadyExists();
    const now = iam.now().toISOString();
    return put({ name, uid: randomUUID(), kind: "DenyPolicy", ...written, etag: newEtag(), createTime: now, updateTime: now });
  }

  function list(request: GcpRequest): object {
    const { resource, point } = attachment(request);
    iam.require(request, "iam.denypolicies.list", resource);
    // Rules are in the answers for one policy only.
    return page("policies", iam.store.denyPolicies(point).map(({ rules: _rules, ...policy }) => policy), request, PAGES);
  }

  function update(request: GcpRequest): object {
    const policy = open(request, "update");
    const { etag, ...written } = read(POLICY, request.body);
    if (etag !== undefined && etag !== policy.etag) throw concurrent();
    assertRules(written);
    const { name, uid, kind, createTime } = policy;
    return put({ name, uid, kind, ...written, etag: newEtag(), createTime, updateTime: iam.now().toISOString() });
  }

  function remove(request: GcpRequest): object {
    const policy = open(request, "delete");
    const etag = request.query.get("etag");
    if (etag !== null && etag !== "" && etag !== policy.etag) throw concurrent();
    iam.store.deleteDenyPolicy(policy.name);
    return done(policy, { ...policy, deleteTime: iam.now().toISOString() });
  }

  return [
    iamRoute("POST", ALL, "CreatePolicy", create),
    iamRoute("GET", ALL, "ListPolicies", list),
    iamRoute("GET", ONE, "GetPolicy", (request) => open(request, "get")),
    iamRoute("PUT", ONE, "UpdatePolicy", update),
    iamRoute("DELETE", ONE, "DeletePolicy", remove),
  ];
}

const nameOf = (point: string, id: string): string => `policies/${point}/denypolicies/${id}`;

const PRINCIPAL = /^(principal|principalSet):\/\/(goog\/(subject|group|public|cloudIdentityCustomerId)|iam\.googleapis\.com|cloudresourcemanager\.googleapis\.com)[/:].+/;
const PERMISSION = /^[a-z0-9-]+\.googleapis\.com\/(\*|[a-zA-Z0-9]+)\.(\*|[a-zA-Z0-9]+)$/;

function assertRules({ displayName = "", rules }: Written): void {
  if (displayName.length > DENY_POLICY.displayName) throw invalidArgument(`The display name is ${displayName.length} characters long; the maximum is ${DENY_POLICY.displayName}.`);
  if (rules.length === 0) throw invalidArgument("A deny policy must have at least one rule.");
  if (rules.length > DENY_POLICY.rules) throw invalidArgument(`The deny policy has ${rules.length} rules; the maximum is ${DENY_POLICY.rules}.`);
  for (const { denyRule } of rules) {
    const { deniedPrincipals, exceptionPrincipals = [], deniedPermissions, exceptionPermissions = [], denialCondition } = denyRule;
    if (deniedPrincipals.length === 0 || deniedPermissions.length === 0) throw invalidArgument("A deny rule must have denied principals and denied permissions.");
    const principal = [...deniedPrincipals, ...exceptionPrincipals].find((each) => !PRINCIPAL.test(each));
    if (principal !== undefined) throw invalidArgument(`Invalid principal in the deny rule: ${principal}. Deny policies name principals as in principal://goog/subject/ADDRESS.`);
    const permission = [...deniedPermissions, ...exceptionPermissions].find((each) => !PERMISSION.test(each));
    if (permission !== undefined) throw invalidArgument(`Invalid permission in the deny rule: ${permission}. Deny policies name permissions as in storage.googleapis.com/objects.get.`);
    const program = denialCondition && compileCel(denialCondition.expression, "iam-condition");
    if (typeof program === "string") throw invalidArgument(`Invalid denial condition: the expression ${program}.`);
  }
}

const concurrent = (): GcpError => new GcpError("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.");
