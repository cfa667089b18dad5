/** Functions of Pulumi's GCP package: what programs look up. https://www.pulumi.com/registry/packages/gcp/api-docs/ */
import type { Binding, Policy } from "../../../trust/gcp/types.js";
import type { InvokeBehaviour, Properties } from "../../types.js";
import type { GcpCloud, GcpScope } from "../types.js";
import { Api, during, unlessMissing } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { accountOutputs, accountPolicy, workloadIdentityPool, workloadIdentityPoolProvider } from "./iam.js";
import { policyText } from "./iam-policies.js";
import { iamCustomRole, isEnabled, projectPolicy } from "./projects.js";
import { labelsOf, lastSegment, list, object, secret, text } from "./values.js";

export type Lookup = (args: Properties, context: Context) => Promise<Properties>;

const IAM = "https://iam.googleapis.com/v1";
const RESOURCE_MANAGER = "https://cloudresourcemanager.googleapis.com/v1";
const USER_INFO = "https://openidconnect.googleapis.com/v1/userinfo";

/** A resource that another program made, as the function of its type answers it. */
async function existing(definition: Definition, id: string, context: Context): Promise<Properties> {
  const state = await definition.read(id, context, {});
  if (!state) throw new Error(`${id} not found`);
  return { ...state.outputs, id: state.id ?? id };
}

const common: Readonly<Record<string, Lookup>> = {
  "gcp:organizations/getClientConfig:getClientConfig": async (_args, { api }) => {
    const { project, region = "", zone = "", defaultLabels = {} } = api.scope;
    const id = `projects/"${project}"/regions/"${region}"/zones/"${zone}"`;
    return { accessToken: secret(api.accessToken), defaultLabels, id, project, region, zone };
  },

  "gcp:organizations/getClientOpenIdUserInfo:getClientOpenIdUserInfo": async (_args, { api }) => {
    const email = api.caller.kind === "federated" ? undefined : text(api.caller.name);
    if (email === undefined) throw new Error(`error retrieving userinfo for your provider credentials: ${USER_INFO} knows no address of ${api.caller.name}`);
    return { email, id: email };
  },

  "gcp:organizations/getProject:getProject": async (args, { api, project }) => {
    const projectId = text(args.projectId) ?? project;
    const found = await during(`Error reading project ${projectId}`, api.call("GET", `${RESOURCE_MANAGER}/projects/${projectId}`));
    const parent = object(found.parent);
    const labels = labelsOf(found.labels);
    return {
      autoCreateNetwork: false,
      billingAccount: "",
      deletionPolicy: "",
      effectiveLabels: labels,
      folderId: parent.type === "folder" ? String(parent.id) : "",
      id: `projects/${String(found.projectId)}`,
      labels,
      name: found.name,
      number: String(found.projectNumber),
      orgId: parent.type === "organization" ? String(parent.id) : "",
      projectId: found.projectId,
      pulumiLabels: labels,
      tags: {},
    };
  },

  "gcp:organizations/getIAMPolicy:getIAMPolicy": async (args) => {
    const { auditConfigs, bindings } = args;
    const policy: Policy = { auditConfigs: list(auditConfigs), bindings: mergedBindings(list<Binding>(bindings)) };
    return { ...args, id: String(hash(policyText(policy))), policyData: policyText(policy) };
  },

  "gcp:projects/getProject:getProject": async ({ filter }, { api }) => {
    const url = `${RESOURCE_MANAGER}/projects?filter=${encodeURIComponent(String(filter))}`;
    const found = await during("Error retrieving projects", api.listed(url, "projects"));
    const projects = found.map(({ createTime, labels, lifecycleState, name, parent, projectId, projectNumber }) => ({
      createTime,
      labels: labelsOf(labels),
      lifecycleState,
      name,
      number: String(projectNumber),
      parent: labelsOf(parent),
      projectId,
    }));
    return { filter, id: String(filter), projects };
  },

  "gcp:projects/getIamPolicy:getIamPolicy": async ({ project }, context) => {
    const policy = await during(`Error retrieving IAM policy for project "${String(project)}"`, projectPolicy(project, context));
    return { etag: policy.etag, id: project, policyData: policyText(policy), project };
  },

  "gcp:projects/getProjectService:getProjectService": async (args, { api, project }) => {
    const service = String(args.service);
    if (!(await isEnabled(api, project, service))) throw new Error(`${project}/${service} not found`);
    const unset = { checkIfServiceHasUsageOnDestroy: false, deletionPolicy: "", disableDependentServices: false, disableOnDestroy: false };
    return { ...unset, id: `${project}/${service}`, project, service };
  },

  "gcp:projects/getIamCustomRole:getIamCustomRole": async (args, context) => {
    const found = await existing(iamCustomRole, `projects/${context.project}/roles/${String(args.roleId)}`, context);
    return { description: "", deletionPolicy: "", ...found };
  },

  "gcp:iam/getRule:getRule": async ({ name }, { api }) => {
    const found = await during(`Error reading IAM Role ${String(name)}`, api.call("GET", `${IAM}/${String(name)}`));
    const { includedPermissions, stage, title } = found;
    return { id: name, includedPermissions: list(includedPermissions), name, stage, title };
  },

  "gcp:iam/getWorkloadIdentityPool:getWorkloadIdentityPool": async (args, context) => {
    const id = `projects/${context.project}/locations/global/workloadIdentityPools/${String(args.workloadIdentityPoolId)}`;
    const found = await existing(workloadIdentityPool, id, context);
    const unset = { attestationRules: [], deletionPolicy: "", description: "", displayName: "", inlineCertificateIssuanceConfigs: [], inlineTrustConfigs: [] };
    return { ...unset, ...found };
  },

  "gcp:iam/getWorkloadIdentityPoolProvider:getWorkloadIdentityPoolProvider": async (args, context) => {
    const pool = `projects/${context.project}/locations/global/workloadIdentityPools/${String(args.workloadIdentityPoolId)}`;
    const { aws, oidc, ...found } = await existing(workloadIdentityPoolProvider, `${pool}/providers/${String(args.workloadIdentityPoolProviderId)}`, context);
    const unset = { attributeCondition: "", attributeMapping: {}, deletionPolicy: "", description: "", displayName: "", samls: [], x509s: [] };
    const oidcs = oidc === undefined ? [] : [{ allowedAudiences: [], jwksJson: "", ...object(oidc) }];
    return { ...unset, ...found, aws: aws === undefined ? [] : [aws], oidcs };
  },

  "gcp:serviceaccount/getAccount:getAccount": async (args, context) => {
    const name = accountNameOf(text(args.accountId) ?? "", context.project);
    const found = await unlessMissing(context.api.call("GET", `${IAM}/${name}`));
    if (!found) throw new Error(`Service Account "${name}" not found`);
    const { description: _description, ...outputs } = accountOutputs(found);
    return { displayName: "", ...outputs, id: found.name };
  },

  "gcp:serviceaccount/getIamPolicy:getIamPolicy": async ({ serviceAccountId }, context) => {
    const policy = await during(`Error retrieving IAM policy for service account '${String(serviceAccountId)}'`, accountPolicy(serviceAccountId, context));
    return { etag: policy.etag, id: serviceAccountId, policyData: policyText(policy), serviceAccountId };
  },
};

/** Functions of all services: those here, and what the services' own files bring. */
export function createInvokes(cloud: GcpCloud, ...others: readonly Readonly<Record<string, Lookup>>[]): ReadonlyMap<string, InvokeBehaviour<GcpScope>> {
  const lookups = [common, ...others].flatMap((each) => Object.entries(each));
  return new Map(lookups.map(([token, lookup]): [string, InvokeBehaviour<GcpScope>] => [token, (args, scope) => lookup(args, contextOf(new Api(cloud, scope), args))]));
}

function contextOf(api: Api, args: Properties): Context {
  return { api, project: lastSegment(text(args.project) ?? api.scope.project), region: text(args.region) ?? text(args.location) ?? api.scope.region ?? "" };
}

/** An account may be given by its id, its address or its name. */
function accountNameOf(given: string, project: string): string {
  if (given.startsWith("projects/")) return given;
  if (given.includes("@")) return `projects/-/serviceAccounts/${given}`;
  return `projects/${project}/serviceAccounts/${given}@${project}.iam.gserviceaccount.com`;
}

/** One binding for a role and a condition, in the order of roles. */
function mergedBindings(bindings: readonly Binding[]): Binding[] {
  const merged = new Map<string, Binding>();
  for (const binding of bindings) {
    const key = JSON.stringify([binding.role, binding.condition ?? null]);
    const members = [...new Set([...(merged.get(key)?.members ?? []), ...binding.members])].sort();
    merged.set(key, { role: binding.role, members, ...(binding.condition && { condition: binding.condition }) });
  }
  return [...merged.values()].sort((a, b) => (a.role < b.role ? -1 : 1));
}

/** The package names a policy document by a number made of its text. */
function hash(written: string): number {
  let value = 0;
  for (const character of written) value = (Math.imul(31, value) + (character.codePointAt(0) ?? 0)) >>> 0;
  return value;
}

