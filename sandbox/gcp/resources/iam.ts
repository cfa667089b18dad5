/** `gcp:iam/*` and `gcp:serviceaccount/*`. https://www.pulumi.com/registry/packages/gcp/api-docs/iam/ */
import { AWS_ACCOUNT_ID, POOL_ID, SERVICE_ACCOUNT_ID } from "../../../facts/gcp/iam.js";
import type { CheckFailure, Properties } from "../../types.js";
import { during, reading, unlessMissing, type Members } from "./api.js";
import type { Context, Definition, State } from "./behaviour.js";
import { iamBinding, iamMember, iamPolicy, type PolicyTarget } from "./iam-policies.js";
import { changed, compact, lastSegment, list, object, parseId, pick, text } from "./values.js";

const IAM = "https://iam.googleapis.com/v1";
const IAM2 = "https://iam.googleapis.com/v2";

/** As the provider refuses an id before it asks anybody. */
function idFailures(property: string, argument: string, value: unknown): CheckFailure[] {
  const id = text(value) ?? "";
  const failure = (reason: string): CheckFailure => ({ property, reason: `"${argument}" ${reason}` });
  return [
    ...(id.startsWith(POOL_ID.reservedPrefix) ? [failure(`("${id}") can not start with "${POOL_ID.reservedPrefix}"`)] : []),
    ...(/^[0-9a-z-]+$/.test(id) ? [] : [failure("must contain only lowercase letters (a-z), numbers (0-9), or dashes (-)")]),
    ...(id.length < 4 ? [failure("cannot be smaller than 4 characters")] : []),
    ...(id.length > 32 ? [failure("cannot be greater than 32 characters")] : []),
  ];
}

// ---- pools ----

const poolForms = ["projects/{project}/locations/global/workloadIdentityPools/{pool}", "{project}/{pool}", "{pool}"];
const poolPath = (project: string, pool: unknown): string => `projects/${project}/locations/global/workloadIdentityPools/${String(pool)}`;
const poolSettings = ["description", "disabled", "displayName"];

/** The pool, or the provider, unless there is none or it was deleted: that the provider takes for gone. */
async function findLiving(name: string, what: string, { api }: Context): Promise<Members | undefined> {
  const found = await reading(what, api.find("GET", `${IAM}/${name}`));
  return found?.state === "DELETED" ? undefined : found;
}

export const workloadIdentityPool: Definition = {
  type: "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
  noun: "WorkloadIdentityPool",
  inputs: [
    "attestationRules",
    "deletionPolicy",
    "description",
    "disabled",
    "displayName",
    "inlineCertificateIssuanceConfig",
    "inlineTrustConfig",
    "mode",
    "project",
    "workloadIdentityPoolId",
  ],
  required: ["workloadIdentityPoolId"],
  flags: ["disabled"],
  replaceOn: ["workloadIdentityPoolId"],
  computed: ["mode"],
  notPlayed: Object.fromEntries(["attestationRules", "inlineCertificateIssuanceConfig", "inlineTrustConfig"].map((name) => [name, "pools here only federate external identities"])),
  validate: (inputs) => idFailures("workloadIdentityPoolId", "workload_identity_pool_id", inputs.workloadIdentityPoolId),
  known: () => ({ state: "ACTIVE" }),

  async create(inputs, { api, project }) {
    const id = poolPath(project, inputs.workloadIdentityPoolId);
    const url = `${IAM}/projects/${project}/locations/global/workloadIdentityPools?workloadIdentityPoolId=${String(inputs.workloadIdentityPoolId)}`;
    await during("Error creating WorkloadIdentityPool", api.operate("POST", url, pick(inputs, [...poolSettings, "mode"])));
    return id;
  },

  async read(id, context) {
    const { project = context.project, pool = "" } = parseId(id, poolForms) ?? {};
    const name = poolPath(project, pool);
    const found = await findLiving(name, `IAMBetaWorkloadIdentityPool "${name}"`, context);
    if (!found) return undefined;
    const settings = compact({ description: text(found.description), disabled: found.disabled ?? false, displayName: text(found.displayName) });
    return { id: name, outputs: { ...settings, mode: text(found.mode) ?? "", name: found.name, project, state: found.state, workloadIdentityPoolId: pool } };
  },

  async update(id, olds, news, { api }) {
    const mask = changed(olds, news, poolSettings);
    if (changed(olds, news, ["mode"]).length > 0 && news.mode !== undefined) mask.push("mode");
    if (mask.length === 0) return;
    const work = api.operate("PATCH", `${IAM}/${id}?updateMask=${mask.join(",")}`, pick(news, [...poolSettings, "mode"]));
    await during(`Error updating WorkloadIdentityPool "${id}"`, work);
  },

  async delete(id, _outputs, { api }) {
    await reading("WorkloadIdentityPool", unlessMissing(api.operate("DELETE", `${IAM}/${id}`)));
  },
};

const providerForms = [`${poolForms[0] ?? ""}/providers/{provider}`, "{project}/{pool}/{provider}", "{pool}/{provider}"];
const providerSettings = ["attributeCondition", "attributeMapping", "aws", "description", "disabled", "displayName", "oidc"];

export const workloadIdentityPoolProvider: Definition = {
  type: "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
  noun: "WorkloadIdentityPoolProvider",
  inputs: [...providerSettings, "deletionPolicy", "project", "saml", "workloadIdentityPoolId", "workloadIdentityPoolProviderId", "x509"],
  required: ["workloadIdentityPoolId", "workloadIdentityPoolProviderId"],
  flags: ["disabled"],
  replaceOn: ["workloadIdentityPoolId", "workloadIdentityPoolProviderId"],
  notPlayed: { saml: "use oidc or aws", x509: "use oidc or aws" },

  validate(inputs) {
    const kinds = ["aws", "oidc"].filter((kind) => inputs[kind] !== undefined);
    const one = kinds.length === 1 ? [] : [{ property: "oidc", reason: `only one of \`aws,oidc,saml,x509\` must be specified, and one must be; ${kinds.length === 0 ? "none is" : `\`${kinds.join(",")}\` are`}` }];
    const account = text(object(inputs.aws).accountId);
    const aws = account === undefined || AWS_ACCOUNT_ID.test(account) ? [] : [{ property: "aws", reason: `"account_id" (${account}) must be 12 digits` }];
    return [...idFailures("workloadIdentityPoolProviderId", "workload_identity_pool_provider_id", inputs.workloadIdentityPoolProviderId), ...one, ...aws];
  },

  known: () => ({ state: "ACTIVE" }),

  async create(inputs, { api, project }) {
    const providerId = String(inputs.workloadIdentityPoolProviderId);
    const url = `${IAM}/${poolPath(project, inputs.workloadIdentityPoolId)}/providers`;
    const work = api.operate("POST", `${url}?workloadIdentityPoolProviderId=${providerId}`, pick(inputs, providerSettings));
    await during("Error creating WorkloadIdentityPoolProvider", work);
    return `${poolPath(project, inputs.workloadIdentityPoolId)}/providers/${providerId}`;
  },

  async read(id, context, olds) {
    const { project = context.project, pool = "", provider = "" } = parseId(id, providerForms) ?? {};
    const name = `${poolPath(project, pool)}/providers/${provider}`;
    const found = await findLiving(name, `IAMBetaWorkloadIdentityPoolProvider "${name}"`, context);
    if (!found) return undefined;
    const outputs = compact({
      attributeCondition: text(found.attributeCondition),
      attributeMapping: found.attributeMapping,
      aws: found.aws && pick(object(found.aws), ["accountId"]),
      description: text(found.description),
      disabled: found.disabled ?? false,
      displayName: text(found.displayName),
      name: found.name,
      oidc: found.oidc && oidcOf(object(found.oidc), object(olds.oidc)),
      project,
      state: found.state,
      workloadIdentityPoolId: pool,
      workloadIdentityPoolProviderId: provider,
    });
    return { id: name, outputs };
  },

  async update(id, olds, news, { api }) {
    const mask = changed(olds, news, providerSettings);
    if (mask.length === 0) return;
    const work = api.operate("PATCH", `${IAM}/${id}?updateMask=${mask.join(",")}`, pick(news, providerSettings));
    await during(`Error updating WorkloadIdentityPoolProvider "${id}"`, work);
  },

  async delete(id, _outputs, { api }) {
    await reading("WorkloadIdentityPoolProvider", unlessMissing(api.operate("DELETE", `${IAM}/${id}`)));
  },
};

/** Uploaded keys that say the same stay in the text in which the program wrote them. */
function oidcOf(found: Properties, before: Properties): Properties {
  const audiences = list(found.allowedAudiences);
  const keys = text(found.jwksJson);
  return compact({
    issuerUri: found.issuerUri,
    allowedAudiences: audiences.length > 0 ? audiences : before.allowedAudiences === undefined ? undefined : [],
    jwksJson: keys !== undefined && sameJson(keys, before.jwksJson) ? before.jwksJson : keys,
  });
}

function sameJson(a: string, b: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(String(b)));
  } catch {
    return false;
  }
}

// ---- service accounts ----

const emailOf = (accountId: unknown, project: string): string => `${String(accountId)}@${project}.iam.gserviceaccount.com`;
const accountName = (project: string, email: string): string => `projects/${project}/serviceAccounts/${email}`;
const accountForms = ["projects/{project}/serviceAccounts/{email}", "{project}/{email}", "{email}"];

export const account: Definition = {
  type: "gcp:serviceaccount/account:Account",
  noun: "ServiceAccount",
  inputs: ["accountId", "createIgnoreAlreadyExists", "deletionPolicy", "description", "disabled", "displayName", "project"],
  replaceOn: ["accountId"],
  name: { property: "accountId", maxLength: SERVICE_ACCOUNT_ID.maxLength, lowerCase: true },
  local: ["createIgnoreAlreadyExists"],
  defaults: { disabled: false },

  validate(inputs) {
    const accountId = text(inputs.accountId) ?? "";
    const { minLength, maxLength, pattern } = SERVICE_ACCOUNT_ID;
    if (pattern.test(accountId) && accountId.length >= minLength && accountId.length <= maxLength) return [];
    return [{ property: "accountId", reason: `"account_id" ("${accountId}") doesn't match regexp "^(?:[a-z](?:[-a-z0-9]{${minLength - 2},${maxLength - 2}}[a-z0-9]))$"` }];
  },

  known: (inputs, { project }) => {
    const email = emailOf(inputs.accountId, project);
    return { email, member: `serviceAccount:${email}`, name: accountName(project, email) };
  },

  async create(inputs, { api, project }) {
    const body = { accountId: inputs.accountId, serviceAccount: pick(inputs, ["description", "displayName"]) };
    const name = accountName(project, emailOf(inputs.accountId, project));
    const present = inputs.createIgnoreAlreadyExists === true ? await api.find("GET", `${IAM}/${name}`) : undefined;
    if (!present) await during("Error creating service account", api.call("POST", `${IAM}/projects/${project}/serviceAccounts`, body));
    return name;
  },

  /** The API creates no account that is disabled. */
  async complete(id, inputs, { api }) {
    if (inputs.disabled === true) await api.call("POST", `${IAM}/${id}:disable`, {});
  },

  async read(id, context) {
    const { project = context.project, email = "" } = parseId(id, accountForms) ?? {};
    const name = accountName(project, email);
    const found = await reading(`Service Account "${name}"`, context.api.find("GET", `${IAM}/${name}`));
    return found && { id: name, outputs: accountOutputs(found) };
  },

  async update(id, olds, news, { api }) {
    if (olds.disabled !== news.disabled) await api.call("POST", `${IAM}/${id}:${news.disabled === true ? "disable" : "enable"}`, {});
    const mask = changed(olds, news, ["description", "displayName"]);
    if (mask.length > 0) await api.call("PATCH", `${IAM}/${id}`, { serviceAccount: pick(news, mask), updateMask: mask.join(",") });
  },

  async delete(id, _outputs, { api }) {
    await unlessMissing(api.call("DELETE", `${IAM}/${id}`));
  },
};

export function accountOutputs(found: Members): Properties {
  const email = String(found.email);
  return compact({
    accountId: email.slice(0, email.indexOf("@")),
    description: text(found.description),
    disabled: found.disabled ?? false,
    displayName: text(found.displayName),
    email,
    member: `serviceAccount:${email}`,
    name: found.name,
    project: found.projectId,
    uniqueId: found.uniqueId,
  });
}

/** Policies of service accounts. */
const accountTarget: PolicyTarget = {
  inputs: ["serviceAccountId"],
  validate({ serviceAccountId }) {
    if (/^projects\/(?:[^/]+|-)\/serviceAccounts\/[^/]+$/.test(text(serviceAccountId) ?? "")) return [];
    const reason = `"service_account_id" ("${text(serviceAccountId) ?? ""}") doesn't match regexp "projects/PROJECT/serviceAccounts/EMAIL": give the account's name, not its address`;
    return [{ property: "serviceAccountId", reason }];
  },
  id: ({ serviceAccountId }) => String(serviceAccountId),
  parse: (serviceAccountId) => ({ serviceAccountId }),
  describe: ({ serviceAccountId }) => `service account '${String(serviceAccountId)}'`,
  getPolicy: ({ serviceAccountId }, { api }) => api.call("POST", `${IAM}/${String(serviceAccountId)}:getIamPolicy?options.requestedPolicyVersion=3`),
  setPolicy: ({ serviceAccountId }, policy, { api }) => api.call("POST", `${IAM}/${String(serviceAccountId)}:setIamPolicy`, { policy }),
};

export const accountIamMember = iamMember("gcp:serviceaccount/iAMMember:IAMMember", accountTarget);
export const accountIamBinding = iamBinding("gcp:serviceaccount/iAMBinding:IAMBinding", accountTarget);
export const accountIamPolicy = iamPolicy("gcp:serviceaccount/iAMPolicy:IAMPolicy", accountTarget);

/** The policy of an account, for lookups. */
export const accountPolicy = (serviceAccountId: unknown, context: Context): ReturnType<PolicyTarget["getPolicy"]> => accountTarget.getPolicy({ serviceAccountId }, context);

// ---- deny policies ----

export const denyPolicy: Definition = {
  type: "gcp:iam/denyPolicy:DenyPolicy",
  noun: "DenyPolicy",
  inputs: ["deletionPolicy", "displayName", "name", "parent", "rules"],
  required: ["parent", "rules"],
  replaceOn: ["name", "parent"],
  name: { property: "name", maxLength: 63, lowerCase: true },

  async create(inputs, { api }) {
    const [parent, name] = [String(inputs.parent), String(inputs.name)];
    const work = api.operate("POST", `${IAM2}/policies/${parent}/denypolicies?policyId=${name}`, pick(inputs, ["displayName", "rules"]));
    await during("Error creating DenyPolicy", work);
    return `${parent}/${name}`;
  },

  async read(id, { api }): Promise<State | undefined> {
    const { parent = "", name = "" } = parseId(id, ["{parent}/{name}"]) ?? {};
    const found = await reading(`IAM2DenyPolicy "${id}"`, api.find("GET", denyUrl(id)));
    if (!found) return undefined;
    return { outputs: compact({ displayName: text(found.displayName), etag: found.etag, name, parent, rules: list(found.rules) }) };
  },

  async update(id, olds, news, { api }) {
    const body = { ...pick(news, ["displayName", "rules"]), etag: olds.etag };
    await during(`Error updating DenyPolicy "${id}"`, api.operate("PUT", denyUrl(id), body));
  },

  async delete(id, _outputs, { api }) {
    await reading("DenyPolicy", unlessMissing(api.operate("DELETE", denyUrl(id))));
  },
};

function denyUrl(id: string): string {
  return `${IAM2}/policies/${id.slice(0, id.lastIndexOf("/"))}/denypolicies/${lastSegment(id)}`;
}
