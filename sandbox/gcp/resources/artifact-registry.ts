/** `gcp:artifactregistry/*`. https://www.pulumi.com/registry/packages/gcp/api-docs/artifactregistry/ */
import type { Properties } from "../../types.js";
import { type Members, during, reading, unlessMissing } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { iamBinding, iamMember, iamPolicy, POLICY_VERSION, type PolicyTarget } from "./iam-policies.js";
import type { Lookup } from "./invokes.js";
import { changed, compact, labelsOf, lastSegment, list, object, parseId, pick, text } from "./values.js";

const API = "https://artifactregistry.googleapis.com/v1";

const repositoryForms = ["projects/{project}/locations/{location}/repositories/{repository}", "{project}/{location}/{repository}", "{location}/{repository}", "{repository}"];
const path = (project: string, location: unknown, repository: unknown): string => `projects/${project}/locations/${String(location)}/repositories/${String(repository)}`;

const settings = ["cleanupPolicyDryRun", "description", "dockerConfig", "format", "kmsKeyName", "mavenConfig", "mode", "remoteRepositoryConfig", "virtualRepositoryConfig", "vulnerabilityScanningConfig"];

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The API takes seconds; programs may write `30d`. */
function duration(value: unknown): unknown {
  const [, amount, unit = ""] = /^(\d+)([smhd])$/.exec(text(value) ?? "") ?? [];
  return amount === undefined ? value : `${Number(amount) * (secondsOf[unit] ?? 1)}s`;
}

/** A map by id in the API. */
function toPolicies(policies: unknown): Members {
  return Object.fromEntries(
    list(policies).map((each) => {
      const { condition, ...policy } = object(each);
      const { newerThan, olderThan, ...rest } = object(condition);
      const times = compact({ newerThan: duration(newerThan), olderThan: duration(olderThan) });
      return [String(policy.id), { ...policy, ...(condition !== undefined && { condition: { ...rest, ...times } }) }];
    }),
  );
}

const sorted = (value: unknown): string => JSON.stringify(Object.entries(object(value)).sort(([a], [b]) => (a < b ? -1 : 1)));

function fromPolicies(found: unknown, olds: unknown): Properties[] {
  if (olds !== undefined && sorted(toPolicies(olds)) === sorted(found)) return list<Properties>(olds);
  return Object.entries(object(found)).map(([id, policy]) => ({ ...object(policy), id }));
}

function toRepository(inputs: Properties): Members {
  const { cleanupPolicies, effectiveLabels } = inputs;
  return compact({ ...pick(inputs, settings), labels: effectiveLabels, cleanupPolicies: cleanupPolicies === undefined ? undefined : toPolicies(cleanupPolicies) });
}

export const repository: Definition = {
  type: "gcp:artifactregistry/repository:Repository",
  noun: "ArtifactRegistryRepository",
  inputs: [...settings, "cleanupPolicies", "deletionPolicy", "labels", "location", "project", "repositoryId"],
  required: ["format", "location", "repositoryId"],
  defaults: { mode: "STANDARD_REPOSITORY" },
  places: ["project", "location"],
  replaceOn: ["format", "kmsKeyName", "mode", "repositoryId"],
  computed: ["vulnerabilityScanningConfig"],
  labels: true,
  normalise: (inputs) => ({ ...inputs, format: String(inputs.format).toUpperCase() }),
  known: ({ format, location, repositoryId }, { project }) => ({ name: repositoryId, registryUri: `${String(location)}-${String(format).toLowerCase()}.pkg.dev/${project}/${String(repositoryId)}` }),

  async create(inputs, { api, project }) {
    const url = `${API}/projects/${project}/locations/${String(inputs.location)}/repositories?repositoryId=${String(inputs.repositoryId)}`;
    await during("Error creating Repository", api.operate("POST", url, toRepository(inputs)));
    return path(project, inputs.location, inputs.repositoryId);
  },

  async read(id, context, olds) {
    const parsed = parseId(id, repositoryForms) ?? {};
    const name = path(parsed["project"] ?? context.project, parsed["location"] ?? context.region, parsed["repository"]);
    const found = await reading(`ArtifactRegistryRepository "${name}"`, context.api.find("GET", `${API}/${name}`));
    if (!found) return undefined;
    const { cleanupPolicies, createTime, labels, registryUri, updateTime } = found;
    const { project, location, repository: repositoryId } = parseId(name, repositoryForms) ?? {};
    return {
      id: name,
      outputs: compact({
        ...pick(found, settings),
        cleanupPolicies: cleanupPolicies === undefined ? undefined : fromPolicies(cleanupPolicies, olds.cleanupPolicies),
        createTime,
        effectiveLabels: object(labels),
        location,
        name: repositoryId,
        project,
        registryUri,
        repositoryId,
        updateTime,
      }),
    };
  },

  async update(id, olds, news, { api }) {
    const names = ["cleanupPolicies", "cleanupPolicyDryRun", "description", "dockerConfig", "mavenConfig", "remoteRepositoryConfig", "virtualRepositoryConfig", "vulnerabilityScanningConfig"];
    const relabelled = changed(olds, news, ["effectiveLabels"]).length > 0 ? ["labels"] : [];
    const mask = [...changed(olds, news, names), ...relabelled];
    if (mask.length === 0) return;
    await during(`Error updating Repository "${id}"`, api.call("PATCH", `${API}/${id}?updateMask=${mask.join(",")}`, toRepository(news)));
  },

  async delete(id, _outputs, { api }) {
    await reading("Repository", unlessMissing(api.operate("DELETE", `${API}/${id}`)));
  },
};

const pathOf = ({ location, repository: named }: Properties, { project, region }: Context): string => path(project, text(location) ?? region, lastSegment(named));

const repositoryTarget: PolicyTarget = {
  inputs: ["location", "project", "repository"],
  places: ["project", "location"],
  id: pathOf,
  parse: (resource, { project, region }) => ({ location: region, project, ...parseId(resource, repositoryForms) }),
  describe: (inputs, context) => `artifactregistry repository "${pathOf(inputs, context)}"`,
  getPolicy: (inputs, context) => context.api.call("GET", `${API}/${pathOf(inputs, context)}:getIamPolicy?options.requestedPolicyVersion=${POLICY_VERSION}`),
  setPolicy: (inputs, policy, context) => context.api.call("POST", `${API}/${pathOf(inputs, context)}:setIamPolicy`, { policy }),
};

export const repositoryIamMember = iamMember("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember", repositoryTarget);
export const repositoryIamBinding = iamBinding("gcp:artifactregistry/repositoryIamBinding:RepositoryIamBinding", repositoryTarget);
export const repositoryIamPolicy = iamPolicy("gcp:artifactregistry/repositoryIamPolicy:RepositoryIamPolicy", repositoryTarget);

/** Blocks that occur once are lists in what the function answers. */
const BLOCKS: Readonly<Record<string, string>> = {
  dockerConfig: "dockerConfigs",
  mavenConfig: "mavenConfigs",
  remoteRepositoryConfig: "remoteRepositoryConfigs",
  virtualRepositoryConfig: "virtualRepositoryConfigs",
  vulnerabilityScanningConfig: "vulnerabilityScanningConfigs",
};

export const lookups: Readonly<Record<string, Lookup>> = {
  "gcp:artifactregistry/getRepository:getRepository": async ({ location, repositoryId }, context) => {
    const id = path(context.project, location, repositoryId);
    const state = await repository.read(id, context, {});
    if (!state) throw new Error(`${id} not found`);
    const { cleanupPolicies, effectiveLabels, ...outputs } = state.outputs;
    const blocks = Object.entries(BLOCKS).map(([one, many]) => [many, outputs[one] === undefined ? [] : [outputs[one]]] as const);
    const rest = Object.fromEntries(Object.entries(outputs).filter(([key]) => !(key in BLOCKS)));
    const policies = list(cleanupPolicies).map((each) => {
      const { condition, mostRecentVersions, ...policy } = object(each);
      return { ...policy, conditions: condition === undefined ? [] : [condition], mostRecentVersions: mostRecentVersions === undefined ? [] : [mostRecentVersions] };
    });
    const labels = labelsOf(effectiveLabels);
    const unset = { cleanupPolicyDryRun: false, deletionPolicy: "", description: "", kmsKeyName: "" };
    return { ...unset, ...rest, ...Object.fromEntries(blocks), cleanupPolicies: policies, effectiveLabels: labels, id, labels, pulumiLabels: labels };
  },
};
