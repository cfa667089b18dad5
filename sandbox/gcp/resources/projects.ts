/** `gcp:projects/*`. https://www.pulumi.com/registry/packages/gcp/api-docs/projects/ */
import { CUSTOM_ROLE, ROLE_STAGES } from "../../../facts/gcp/iam.js";
import type { CheckFailure, Properties } from "../../types.js";
import { during, reading, unlessMissing, type Api, type Members } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { iamAuditConfig, iamBinding, iamMember, iamPolicy, POLICY_VERSION, type PolicyTarget } from "./iam-policies.js";
import { changed, compact, inOrderOf, lastSegment, list, parseId, pick, text } from "./values.js";

const IAM = "https://iam.googleapis.com/v1";
const RESOURCE_MANAGER = "https://cloudresourcemanager.googleapis.com/v1";
const SERVICE_USAGE = "https://serviceusage.googleapis.com/v1";

/** Policies of projects, which are always named: a policy is not what one wants to write to the wrong project. */
const projectTarget: PolicyTarget = {
  inputs: ["project"],
  id: ({ project }) => String(project),
  parse: (project) => ({ project }),
  describe: ({ project }) => `project "${String(project)}"`,
  getPolicy: ({ project }, { api }) =>
    api.call("POST", `${RESOURCE_MANAGER}/projects/${lastSegment(project)}:getIamPolicy`, { options: { requestedPolicyVersion: POLICY_VERSION } }),
  setPolicy: ({ project }, policy, { api }) =>
    api.call("POST", `${RESOURCE_MANAGER}/projects/${lastSegment(project)}:setIamPolicy`, { policy, updateMask: "bindings,etag,auditConfigs" }),
};

export const projectIamMember = iamMember("gcp:projects/iAMMember:IAMMember", projectTarget);
export const projectIamBinding = iamBinding("gcp:projects/iAMBinding:IAMBinding", projectTarget);
export const projectIamPolicy = iamPolicy("gcp:projects/iAMPolicy:IAMPolicy", projectTarget);
export const projectIamAuditConfig = iamAuditConfig("gcp:projects/iAMAuditConfig:IAMAuditConfig", projectTarget);

/** The policy of a project, for lookups. */
export const projectPolicy = (project: unknown, context: Context): ReturnType<PolicyTarget["getPolicy"]> => projectTarget.getPolicy({ project }, context);

// ---- APIs ----

/** Whether the API is enabled in the project: the provider looks at the list of those that are. */
export async function isEnabled(api: Api, project: string, name: string): Promise<boolean> {
  const listing = api.listed(`${SERVICE_USAGE}/projects/${project}/services?filter=state:ENABLED&pageSize=200`, "services");
  const enabled = await during(`Request \`List Project Services ${project}\` returned error: Failed to list enabled services for project ${project}`, listing);
  return enabled.some((each) => lastSegment(each.name) === name);
}

export const service: Definition = {
  type: "gcp:projects/service:Service",
  noun: "ProjectService",
  inputs: ["checkIfServiceHasUsageOnDestroy", "deletionPolicy", "disableDependentServices", "disableOnDestroy", "project", "service"],
  required: ["service"],
  replaceOn: ["service"],
  local: ["checkIfServiceHasUsageOnDestroy", "disableDependentServices", "disableOnDestroy"],

  validate: ({ service }) => ((text(service) ?? "").includes(".") ? [] : [{ property: "service", reason: `expected ${text(service) ?? ""} to be a domain like serviceusage.googleapis.com` }]),

  async create(inputs, { api, project }) {
    const name = String(inputs.service);
    if (await reading("Project Service ", isEnabled(api, project, name))) return `${project}/${name}`;
    const enabling = api.operate("POST", `${SERVICE_USAGE}/projects/${project}/services/${name}:enable`, {});
    await during(`Request \`Enable Project Service "${name}" for project "${project}"\` returned error: failed to send enable services request`, enabling);
    return `${project}/${name}`;
  },

  async read(id, { api, project: providers }) {
    const { project = providers, service: name = "" } = parseId(id, ["{project}/{service}"]) ?? {};
    if (name === "") throw new Error(`Invalid google_project_service id format for import, expecting \`{project}/{service}\`, found ${id}`);
    const enabled = await reading(`Project Service ${id}`, unlessMissing(isEnabled(api, project, name)));
    return enabled === true ? { outputs: { project, service: name } } : undefined;
  },

  // What can be changed is what the provider does at the end, which it only has to remember.

  async delete(id, outputs, { api }) {
    if (outputs.disableOnDestroy !== true) return;
    const [project = "", name = ""] = id.split("/");
    const body = { disableDependentServices: outputs.disableDependentServices === true };
    const work = api.operate("POST", `${SERVICE_USAGE}/projects/${project}/services/${name}:disable`, body);
    await during(`Error disabling service "${name}" for project "${project}"`, unlessMissing(work));
  },
};

// ---- custom roles ----

const roleSettings = ["description", "permissions", "stage", "title"];

function roleBody({ description, permissions, stage, title }: Properties): Members {
  return { title, description: text(description) ?? "", stage, includedPermissions: list(permissions) };
}

async function bringBack(api: Api, name: string, inputs: Properties): Promise<void> {
  await during(`Error undeleting the custom project role ${String(inputs.title)}`, api.call("POST", `${IAM}/${name}:undelete`, {}));
}

async function writeRole(api: Api, name: string, inputs: Properties): Promise<void> {
  await during(`Error updating the custom project role ${String(inputs.title)}`, api.call("PATCH", `${IAM}/${name}`, roleBody(inputs)));
}

export const iamCustomRole: Definition = {
  type: "gcp:projects/iAMCustomRole:IAMCustomRole",
  noun: "ProjectIAMCustomRole",
  inputs: ["deletionPolicy", "description", "permissions", "project", "roleId", "stage", "title"],
  required: ["permissions", "title"],
  replaceOn: ["roleId"],
  name: { property: "roleId", maxLength: 255 },
  defaults: { stage: "GA" },

  validate({ roleId, permissions, stage }) {
    const failures: CheckFailure[] = [];
    const id = text(roleId) ?? "";
    if (!CUSTOM_ROLE.id.test(id)) failures.push({ property: "roleId", reason: `"role_id" ("${id}") doesn't match regexp "^[a-zA-Z0-9_\\\\.]{3,64}$"` });
    if (permissions !== undefined && list(permissions).length === 0) failures.push({ property: "permissions", reason: "Not enough list items. Attribute permissions requires 1 item minimum, but config has only 0 declared." });
    if (stage !== undefined && !ROLE_STAGES.some((each) => each === stage)) failures.push({ property: "stage", reason: `expected stage to be one of [${ROLE_STAGES.join(" ")}], got ${text(stage) ?? ""}` });
    return failures;
  },

  known: (inputs, { project }) => ({ deleted: false, name: `projects/${project}/roles/${String(inputs.roleId)}` }),

  /** A role of that id which was deleted is brought back and made what the program says. */
  async create(inputs, { api, project }) {
    const name = `projects/${project}/roles/${String(inputs.roleId)}`;
    const verifying = `Unable to verify whether custom project role ${name} already exists and must be undeleted`;
    const present = await during(verifying, api.find("GET", `${IAM}/${name}`));
    if (present && present.deleted !== true) throw new Error(`Custom project role ${name} already exists and must be imported`);
    if (present) {
      await bringBack(api, name, inputs);
      await writeRole(api, name, inputs);
      return name;
    }
    const body = { roleId: inputs.roleId, role: roleBody(inputs) };
    await during(`Error creating the custom project role ${name}`, api.call("POST", `${IAM}/projects/${project}/roles`, body));
    return name;
  },

  async read(id, { api, project: providers }, olds) {
    const { project = providers, roleId = "" } = parseId(id, ["projects/{project}/roles/{roleId}", "{project}/{roleId}", "{roleId}"]) ?? {};
    const name = `projects/${project}/roles/${roleId}`;
    const found = await reading(name, api.find("GET", `${IAM}/${name}`));
    // Deleted ones stay readable: the provider keeps them, with what they are, and the next update brings them back.
    return found && { id: name, outputs: { ...roleOutputs(found, olds.permissions), project, roleId } };
  },

  async update(id, olds, news, { api }) {
    const found = await during(`unable to find custom project role ${id} to update`, api.call("GET", `${IAM}/${id}`));
    if (found.deleted === true) await bringBack(api, id, news);
    if (changed(olds, news, roleSettings).length > 0) await writeRole(api, id, news);
  },

  async delete(id, outputs, { api }) {
    await during(`Error deleting the custom project role ${String(outputs.title)}`, unlessMissing(api.call("DELETE", `${IAM}/${id}`)));
  },
};

function roleOutputs(found: Members, before: unknown): Properties {
  return compact({
    ...pick(found, ["name", "stage", "title"]),
    deleted: found.deleted ?? false,
    description: text(found.description),
    permissions: inOrderOf(list(found.includedPermissions), before),
  });
}
