/** Makes a kind of the API a resource type of Pulumi's Kubernetes package: the object itself, or a patch of somebody else's. */
import { randomBytes } from "node:crypto";
import { apiVersionOf, type ApiResource } from "../../../facts/kubernetes/api.js";
import { MAP_LISTS } from "../../../facts/kubernetes/list-types.js";
import { isJsonObject } from "../../../trust/jwt.js";
import type { CheckFailure, Properties, ResourceBehaviour } from "../../types.js";
import type { KubernetesObject } from "../objects.js";
import { object, text } from "../validation.js";
import { type KubernetesScope } from "../types.js";
import { idOf, nameOf, reported, type ObjectApi, type ObjectName } from "./object-api.js";

/** `kubernetes:core/v1:Namespace`: the package names the core group. */
export function typeToken({ group, version, kind }: ApiResource): string {
  return `kubernetes:${group === "" ? "core" : group}/${version}:${kind}`;
}

const AUTONAMED = "pulumi.com/autonamed";

/** What cannot be changed in place: https://github.com/pulumi/pulumi-kubernetes/blob/master/provider/pkg/provider/diff.go */
const REPLACED: Readonly<Record<string, readonly string[]>> = {
  clusterrolebindings: ["roleRef"],
  configmaps: ["binaryData", "data"],
  deployments: ["spec.selector"],
  rolebindings: ["roleRef"],
  secrets: ["data", "stringData", "type"],
};

/** Where outputs keep the inputs that made them: the provider keeps them there, too, to tell drift from defaults. */
const INPUTS = "__inputs";

export function objectBehaviour(api: ObjectApi, resource: ApiResource): ResourceBehaviour<KubernetesScope> {
  return {
    ...common(api, resource),
    physicalName: "metadata.name",

    check(given, scope, logicalName, olds) {
      const inputs = placed(resource, given, scope);
      const metadata = object(inputs.metadata);
      if (text(metadata.name) !== "" || text(metadata.generateName) !== "") return { inputs, failures: [] };
      const named = { ...metadata, name: generatedName(logicalName, olds), annotations: { ...object(metadata.annotations), [AUTONAMED]: "true" } };
      return { inputs: { ...inputs, metadata: named }, failures: [] };
    },

    async create(inputs, scope) {
      const { namespace, name } = target(inputs);
      const made =
        scope.upsert === true
          ? api.apply(scope, resource, { namespace, name }, inputs)
          : api.create(scope, resource, namespace, inputs);
      const created = await reported(idOf({ namespace, name }), "created", made);
      return { id: idOf(target(created)), outputs: outputsOf(created, inputs) };
    },

    async update(id, _olds, news, scope) {
      const name = nameOf(id, resource, scope.namespace);
      const apply = async (): Promise<KubernetesObject> => {
        await api.adoptFields(scope, resource, name);
        return api.apply(scope, resource, name, news);
      };
      return outputsOf(await reported(id, "updated", apply()), news);
    },

    delete: (id, _outputs, scope) => reported(id, "deleted", api.delete(scope, resource, nameOf(id, resource, scope.namespace))),
  };
}

/** A patch owns the fields that it names, of an object that is somebody else's: deleting it gives them up. */
export function patchBehaviour(api: ObjectApi, resource: ApiResource): ResourceBehaviour<KubernetesScope> {
  const applied = async (inputs: Properties, scope: KubernetesScope, done: "created" | "updated"): Promise<KubernetesObject> =>
    reported(idOf(target(inputs)), done, api.apply(scope, resource, target(inputs), inputs, "patch"));
  return {
    ...common(api, resource),
    type: `${typeToken(resource)}Patch`,

    check(given, scope) {
      const inputs = placed(resource, given, scope);
      const failures: CheckFailure[] = text(object(inputs.metadata).name) === "" ? [{ property: "metadata", reason: "patch resources require the `metadata.name` field to be set" }] : [];
      return { inputs, failures };
    },

    async create(inputs, scope) {
      const patched = await applied(inputs, scope, "created");
      return { id: idOf(target(patched)), outputs: outputsOf(patched, inputs) };
    },

    update: async (_id, _olds, news, scope) => outputsOf(await applied(news, scope, "updated"), news),

    async delete(id, _outputs, scope) {
      const name = nameOf(id, resource, scope.namespace);
      if (!(await reported(id, "read", api.find(scope, resource, name)))) return;
      const nothing = { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name: name.name, ...(name.namespace !== undefined && { namespace: name.namespace }) } };
      await reported(id, "deleted", api.apply(scope, resource, name, nothing, "patch"));
    },
  };
}

function common(api: ObjectApi, resource: ApiResource): Pick<ResourceBehaviour<KubernetesScope>, "type" | "replaceOn" | "preview" | "read"> {
  return {
    type: typeToken(resource),
    replaceOn: ["metadata.name", "metadata.namespace", ...(REPLACED[resource.resource] ?? [])],
    preview: (inputs) => inputs,
    async read(id, scope, olds) {
      const live = await reported(id, "read", api.find(scope, resource, nameOf(id, resource, scope.namespace)));
      if (!live) return undefined;
      const given = isJsonObject(olds?.[INPUTS]) ? olds[INPUTS] : undefined;
      const inputs = given === undefined ? own(live) : (narrowed(withTexts(live), given) as Properties);
      return { id: idOf(target(live)), inputs, outputs: outputsOf(live, inputs) };
    },
  };
}

function target(given: Properties): ObjectName {
  const { namespace, name } = object(given.metadata);
  return { namespace: text(namespace) === "" ? undefined : text(namespace), name: text(name) };
}

/** What is in a namespace is in the provider's where the program names none; what is not is in none. */
function placed(resource: ApiResource, inputs: Properties, scope: KubernetesScope): Properties {
  const { namespace, ...metadata } = object(inputs.metadata);
  const place = resource.namespaced ? { namespace: namespace ?? scope.namespace } : {};
  return { ...inputs, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { ...metadata, ...place } };
}

/** As Pulumi's Kubernetes provider names things: the logical name, a hyphen and eight hexadecimal digits. */
function generatedName(logicalName: string, olds: Properties | undefined): string {
  const before = object(olds?.metadata);
  if (object(before.annotations)[AUTONAMED] === "true") return text(before.name);
  return `${logicalName}-${randomBytes(4).toString("hex")}`;
}

function outputsOf(live: KubernetesObject, inputs: Properties): Properties {
  return { ...live, [INPUTS]: inputs };
}

/** The object without what the server says of it: the inputs of an import. */
function own({ status: _status, ...live }: KubernetesObject): Properties {
  const { name, namespace, labels, annotations } = live.metadata;
  const theirs = Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith("deployment.kubernetes.io/")));
  const metadata = { name, ...(namespace !== undefined && { namespace }), ...(labels && { labels }), ...(Object.keys(theirs).length > 0 && { annotations: theirs }) };
  return { ...live, metadata };
}

/** A secret's values in the form in which a program may also give them. */
function withTexts(live: KubernetesObject): Properties {
  if (live.kind !== "Secret") return live;
  const texts = Object.entries(object(live.data)).map(([key, value]) => [key, Buffer.from(text(value), "base64").toString("utf8")]);
  return { ...live, stringData: Object.fromEntries(texts) };
}

/** The live values of what was given: defaults and others' fields are no drift. */
function narrowed(live: unknown, given: unknown, name = ""): unknown {
  if (isJsonObject(live) && isJsonObject(given)) {
    return Object.fromEntries(Object.entries(given).filter(([key]) => live[key] !== undefined).map(([key, value]) => [key, narrowed(live[key], value, key)]));
  }
  if (Array.isArray(live) && Array.isArray(given)) {
    const [key] = Object.hasOwn(MAP_LISTS, name) ? (MAP_LISTS[name] ?? []) : [];
    const twin = (item: unknown, index: number): unknown => (key === undefined ? given[index] : given.find((each) => isJsonObject(each) && isJsonObject(item) && each[key] === item[key]));
    return live.map((item: unknown, index) => narrowed(item, twin(item, index)));
  }
  return live;
}
