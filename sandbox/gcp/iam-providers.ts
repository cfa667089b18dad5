/** Providers of workload identity pools. https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
import * as z from "zod";

import { POOL_RETENTION_DAYS } from "../../facts/gcp/iam.js";
import { poolName } from "../../facts/gcp/identifiers.js";
import { invalidArgument } from "./errors.js";
import { type IamContext, alreadyExists, iamRoute, notFound, operationId, param, preconditionFailed } from "./iam-context.js";
import { maskPaths, message, page, patched, read } from "./iam-input.js";
import { POOLS_PATH, assertPoolId, assertTexts, poolProject, poolsResource, shownIn } from "./iam-pools.js";
import { assertProvider } from "./iam-provider-rules.js";
import type { PoolRecord, ProviderRecord } from "./iam-store.js";
import { OrgPolicies } from "./org-policies.js";
import type { GcpRequest, GcpRoute } from "./service.js";
import { GcpError, type GcpProject } from "./types.js";

const PROVIDER = message(
  {
    displayName: z.string().optional(),
    description: z.string().optional(),
    disabled: z.boolean().optional(),
    attributeMapping: z.record(z.string(), z.string()).optional(),
    attributeCondition: z.string().optional(),
    oidc: message({ issuerUri: z.string().default(""), allowedAudiences: z.array(z.string()).optional(), jwksJson: z.string().optional() }).optional(),
    aws: message({ accountId: z.string().default(""), stsUri: z.array(z.string()).optional() }).optional(),
    saml: z.unknown().optional(),
    x509: z.unknown().optional(),
  },
  ["name", "state", "expireTime"],
);
const CHANGEABLE = ["displayName", "description", "disabled", "attributeMapping", "attributeCondition", "oidc", "aws"];
const PAGES = { usual: 50, most: 100 };
const METADATA = { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPoolProviderOperationMetadata" };

interface Opened {
  project: GcpProject;
  provider: ProviderRecord;
}

export function providerRoutes(iam: IamContext): GcpRoute[] {
  const all = `${POOLS_PATH}/{pool}/providers`;
  const one = `${all}/{provider}`;
  const orgPolicies = new OrgPolicies(iam.context.core, (idOrNumber) => iam.context.cloud.project(idOrNumber));

  function put(provider: ProviderRecord): object {
    iam.store.putProvider(provider);
    const response = { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPoolProvider", ...provider };
    return iam.context.operation("iam", `${provider.name}/operations/${operationId()}`, response, METADATA);
  }

  /** The pool that the path names, which may be deleted. */
  function pool(project: GcpProject, request: GcpRequest): PoolRecord {
    const found = iam.store.pool(poolName(project.projectNumber, param(request, "pool")));
    if (!found) throw notFound();
    return found;
  }

  function open(request: GcpRequest, verb: string): Opened {
    const project = poolProject(iam, request);
    const below = `/workloadIdentityPools/${param(request, "pool")}/providers/${param(request, "provider")}`;
    iam.require(request, `iam.workloadIdentityPoolProviders.${verb}`, poolsResource(project, below));
    const provider = iam.store.provider(`${pool(project, request).name}/providers/${param(request, "provider")}`);
    if (!provider) throw notFound();
    return { project, provider };
  }

  function create(request: GcpRequest): object {
    const project = poolProject(iam, request);
    iam.require(request, "iam.workloadIdentityPoolProviders.create", poolsResource(project, `/workloadIdentityPools/${param(request, "pool")}`));
    const id = request.query.get("workloadIdentityPoolProviderId") ?? "";
    assertPoolId("workload_identity_pool_provider_id", id);
    const { name: poolName, state } = pool(project, request);
    if (state === "DELETED") throw preconditionFailed(`The workload identity pool ${poolName} is deleted.`);
    const { disabled = false, ...given } = read(PROVIDER, request.body);
    const provider = providerOf({ ...given, name: `${poolName}/providers/${id}`, state: "ACTIVE", disabled });
    check(provider, project);
    if (iam.store.provider(provider.name)) throw alreadyExists();
    return put(provider);
  }

  function list(request: GcpRequest): object {
    const project = poolProject(iam, request);
    iam.require(request, "iam.workloadIdentityPoolProviders.list", poolsResource(project, `/workloadIdentityPools/${param(request, "pool")}`));
    const providers = iam.store.providers(pool(project, request).name).filter(shownIn(request));
    return page("workloadIdentityPoolProviders", providers, request, PAGES);
  }

  function patch(request: GcpRequest): object {
    const { project, provider } = open(request, "update");
    if (provider.state === "DELETED") throw notFound();
    const { disabled, ...changed } = patched<Partial<ProviderRecord>>(provider, read(PROVIDER, request.body), maskPaths(request.query.get("updateMask")), CHANGEABLE);
    const next = providerOf({ ...changed, name: provider.name, state: provider.state, disabled: disabled ?? false });
    if (next.aws?.accountId !== provider.aws?.accountId) throw invalidArgument("Attempted to update an immutable field.");
    check(next, project);
    return put(next);
  }

  function check(provider: ProviderRecord, project: GcpProject): void {
    assertTexts(provider);
    assertProvider(provider, orgPolicies, project.projectId);
  }

  function remove(request: GcpRequest): object {
    const { provider } = open(request, "delete");
    if (provider.state === "DELETED") throw notFound();
    return put({ ...provider, state: "DELETED", expireTime: iam.inDays(POOL_RETENTION_DAYS) });
  }

  function undelete(request: GcpRequest): object {
    const { expireTime: _expireTime, ...provider } = open(request, "undelete").provider;
    if (provider.state !== "DELETED") throw preconditionFailed(`The workload identity pool provider ${provider.name} is not deleted.`);
    return put({ ...provider, state: "ACTIVE" });
  }

  return [
    iamRoute("POST", all, "CreateWorkloadIdentityPoolProvider", create),
    iamRoute("GET", all, "ListWorkloadIdentityPoolProviders", list),
    iamRoute("GET", one, "GetWorkloadIdentityPoolProvider", (request) => open(request, "get").provider),
    iamRoute("PATCH", one, "UpdateWorkloadIdentityPoolProvider", patch),
    iamRoute("DELETE", one, "DeleteWorkloadIdentityPoolProvider", remove),
    iamRoute("POST", `${one}:undelete`, "UndeleteWorkloadIdentityPoolProvider", undelete),
  ];
}

/** Exactly one source of identities, of a kind that is played. */
function providerOf(given: ProviderRecord & { saml?: unknown; x509?: unknown }): ProviderRecord {
  const { saml, x509, ...provider } = given;
  if (saml !== undefined || x509 !== undefined) {
    throw new GcpError("UNIMPLEMENTED", `The sandbox does not play ${saml === undefined ? "X.509" : "SAML"} providers; use oidc or aws.`);
  }
  const kinds = [provider.oidc, provider.aws].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) throw invalidArgument("Exactly one of aws, oidc, saml or x509 must be set as the provider's configuration.");
  return provider;
}
