/** `gcp:cloudrunv2/*`. https://www.pulumi.com/registry/packages/gcp/api-docs/cloudrunv2/service/ */
import { isDeepStrictEqual } from "node:util";
import type { Properties } from "../../types.js";
import { completedTemplate } from "../cloud-run-defaults.js";
import type { Template } from "../cloud-run-store.js";
import { CallError, type Members, during, reading, unlessMissing } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { iamBinding, iamMember, iamPolicy, POLICY_VERSION, type PolicyTarget } from "./iam-policies.js";
import type { Lookup } from "./invokes.js";
import { changed, compact, inOrderOf, labelsOf, lastSegment, list, object, parseId, pick, text } from "./values.js";

const API = "https://run.googleapis.com/v2";

const serviceForms = ["projects/{project}/locations/{location}/services/{name}", "{project}/{location}/{name}", "{location}/{name}", "{name}"];
const path = (project: string, location: unknown, name: unknown): string => `projects/${project}/locations/${String(location)}/services/${String(name)}`;

/** Of the same name in the package and in the API. */
const settings = ["annotations", "client", "clientVersion", "customAudiences", "defaultUriDisabled", "description", "ingress", "invokerIamDisabled", "launchStage", "scaling"];
const readOnly = ["conditions", "createTime", "creator", "etag", "generation", "lastModifier", "latestCreatedRevision", "latestReadyRevision", "observedGeneration", "reconciling", "uid", "updateTime", "uri", "urls"];

/** Members of a container whose names differ. */
const CONTAINER_NAMES: Readonly<Record<string, string>> = { commands: "command", dependsOns: "dependsOn", envs: "env" };
const ORIGINAL_NAMES = Object.fromEntries(Object.entries(CONTAINER_NAMES).map(([ours, theirs]) => [theirs, ours]));

const renamed = (value: Properties, names: Readonly<Record<string, string>>): Properties => Object.fromEntries(Object.entries(value).map(([key, each]) => [names[key] ?? key, each]));

function toTemplate(value: unknown): Template {
  const { containers, ...template } = object(value);
  return {
    ...template,
    containers: list(containers).map((each) => {
      const { ports, buildInfos: _, ...container } = renamed(object(each), CONTAINER_NAMES);
      return { ...container, image: text(container["image"]) ?? "", ...(ports !== undefined && { ports: [ports].flat() }) };
    }),
  };
}

/** A container has one port in the package, a list of them in the API. */
function fromTemplate({ containers, ...template }: Template): Properties {
  const own = containers.map(({ ports, ...container }) => compact({ ...renamed(container, ORIGINAL_NAMES), ports: list(ports)[0] }));
  return { ...template, containers: own };
}

function toService(inputs: Properties): Members {
  const { effectiveLabels, template, traffics } = inputs;
  return compact({ ...pick(inputs, settings), labels: effectiveLabels, template: template === undefined ? undefined : toTemplate(template), traffic: traffics });
}

export const service: Definition = {
  type: "gcp:cloudrunv2/service:Service",
  noun: "CloudRunV2Service",
  inputs: [...settings, "deletionPolicy", "deletionProtection", "labels", "location", "name", "project", "template", "traffics"],
  required: ["location", "template"],
  defaults: { deletionProtection: true },
  places: ["project", "location"],
  replaceOn: ["name"],
  name: { property: "name", maxLength: 49, lowerCase: true },
  computed: ["ingress", "launchStage", "scaling", "traffics"],
  local: ["deletionProtection"],
  notPlayed: {
    binaryAuthorization: "leave it out",
    buildConfig: "give a container image",
    iapEnabled: "leave it out",
    multiRegionSettings: "make one service for each region",
    tags: "leave it out",
  },
  labels: true,
  normalise: (inputs) => ({ ...inputs, template: fromTemplate(completedTemplate(toTemplate(inputs.template))) }),
  known: ({ location, name }, { project }) => ({ effectiveAnnotations: {}, id: path(project, location, name) }),

  async create(inputs, { api, project }) {
    const url = `${API}/projects/${project}/locations/${String(inputs.location)}/services?serviceId=${String(inputs.name)}`;
    await during("Error creating Service", api.operate("POST", url, toService(inputs)));
    return path(project, inputs.location, inputs.name);
  },

  async read(id, context, olds) {
    const parsed = parseId(id, serviceForms) ?? {};
    const name = path(parsed["project"] ?? context.project, parsed["location"] ?? context.region, parsed["name"]);
    const found = await reading(`CloudRunV2Service "${name}"`, context.api.find("GET", `${API}/${name}`));
    if (!found) return undefined;
    const { annotations, labels, template, terminalCondition, traffic, trafficStatuses } = found;
    const shown = fromTemplate(template as Template);
    const { project, location, name: serviceId } = parseId(name, serviceForms) ?? {};
    return {
      id: name,
      outputs: compact({
        deleteTime: "",
        expireTime: "",
        ...pick(found, [...settings, ...readOnly]),
        annotations: annotations === undefined && olds.annotations === undefined ? undefined : pick(object(annotations), Object.keys(object(olds.annotations ?? annotations))),
        customAudiences: found.customAudiences === undefined ? undefined : inOrderOf(list(found.customAudiences), olds.customAudiences),
        effectiveAnnotations: object(annotations),
        effectiveLabels: object(labels),
        location,
        name: serviceId,
        project,
        template: shown,
        terminalConditions: [terminalCondition],
        trafficStatuses,
        traffics: traffic,
      }),
      inputs: { template: withoutDefaultAccount(shown) },
    };
  },

  async update(id, olds, news, { api }) {
    const same = changed(olds, news, settings);
    const others = [...(sameTemplate(olds.template, news.template) ? [] : ["template"]), ...(changed(olds, news, ["traffics"]).length > 0 && news.traffics !== undefined ? ["traffic"] : [])];
    const relabelled = changed(olds, news, ["effectiveLabels"]).length > 0 ? ["labels"] : [];
    // What the program does not give stays as it is where the service decides it.
    const mask = [...same.filter((key) => news[key] !== undefined || !["ingress", "launchStage", "scaling"].includes(key)), ...others, ...relabelled];
    if (mask.length === 0) return;
    await during(`Error updating Service "${id}"`, api.operate("PATCH", `${API}/${id}?updateMask=${mask.join(",")}`, toService(news)));
  },

  async delete(id, { deletionProtection }, { api }) {
    if (deletionProtection === true) throw new Error("cannot destroy service without setting deletion_protection=false and running `terraform apply`");
    await reading("Service", unlessMissing(api.operate("DELETE", `${API}/${id}`)));
  },
};

/** In whatever order members are. */
function sameTemplate(a: unknown, b: unknown): boolean {
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(withoutDefaultAccount(object(value))));
  return isDeepStrictEqual(plain(a), plain(b));
}

/** The account that services run as where the program names none: the cloud decides it. */
function withoutDefaultAccount(template: Properties): Properties {
  const { serviceAccount, ...rest } = template;
  return /^\d+-compute@developer\.gserviceaccount\.com$/.test(text(serviceAccount) ?? "") ? rest : template;
}

const pathOf = ({ location, name }: Properties, { project, region }: Context): string => path(project, text(location) ?? region, lastSegment(name));

const serviceTarget: PolicyTarget = {
  inputs: ["location", "name", "project"],
  places: ["project", "location"],
  id: pathOf,
  parse: (resource, { project, region }) => ({ location: region, project, ...parseId(resource, serviceForms) }),
  describe: (inputs, context) => `cloudrunv2 service "${pathOf(inputs, context)}"`,
  getPolicy: (inputs, context) => context.api.call("GET", `${API}/${pathOf(inputs, context)}:getIamPolicy?options.requestedPolicyVersion=${POLICY_VERSION}`),
  setPolicy: (inputs, policy, context) => context.api.call("POST", `${API}/${pathOf(inputs, context)}:setIamPolicy`, { policy }),
};

export const serviceIamMember = iamMember("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", serviceTarget);
export const serviceIamBinding = iamBinding("gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding", serviceTarget);
export const serviceIamPolicy = iamPolicy("gcp:cloudrunv2/serviceIamPolicy:ServiceIamPolicy", serviceTarget);

/** Blocks that occur once are lists in what the function answers. */
const once = (value: unknown): unknown[] => (value === undefined ? [] : [value]);

export const lookups: Readonly<Record<string, Lookup>> = {
  "gcp:cloudrunv2/getService:getService": async ({ location, name }, context) => {
    const id = path(context.project, text(location) ?? context.region, name);
    const state = await service.read(id, context, {});
    if (!state) throw new CallError(404, `${id} not found`);
    const { effectiveLabels, scaling, template, ...outputs } = state.outputs;
    const { containers, scaling: ofRevisions, vpcAccess, ...rest } = object(template);
    const shown = list(containers).map((each) => {
      const { ports, resources, ...container } = object(each);
      return { ...container, ports: once(ports), resources: once(resources) };
    });
    const labels = labelsOf(effectiveLabels);
    const unset = { client: "", clientVersion: "", customAudiences: [], defaultUriDisabled: false, deleteTime: "", deletionPolicy: "", deletionProtection: false, description: "", expireTime: "", invokerIamDisabled: false };
    const blocks = { annotations: outputs.effectiveAnnotations, binaryAuthorizations: [], buildConfigs: [], iapEnabled: false, multiRegionSettings: [], scalings: once(scaling), tags: {} };
    const templates = [{ ...rest, containers: shown, scalings: once(ofRevisions), vpcAccesses: once(vpcAccess) }];
    return { ...unset, ...blocks, ...outputs, effectiveLabels: labels, id, labels, pulumiLabels: labels, templates };
  },
};
