/** One request to a cluster's API: who asks, whether he may, and the answer. The wire is the front's. */
import { parse as parseYaml } from "yaml";
import type { ApiResource } from "../../facts/kubernetes/api.js";
import type { SandboxCore } from "../types.js";
import type { Authenticator, AuthenticatedUser } from "./authenticator.js";
import type { Authoriser } from "./authoriser.js";
import { discover, openApi } from "./discovery.js";
import { badRequest, invalid, methodNotAllowed, noSuchPath, required, unsupported, unsupportedMediaType } from "./errors.js";
import type { KubernetesObject, KubernetesObjects } from "./objects.js";
import { applyJsonPatch, applyMergePatch } from "./patch-json.js";
import { applyStrategicMergePatch } from "./patch-strategic.js";
import { decodeProtobuf, PROTOBUF } from "./protobuf.js";
import { deletionStatus, listOf, type Registry, type WriteContext } from "./registry.js";
import { attributesOf, requestInfo, type PathRequest, type ResourceRequest } from "./request-info.js";
import { answerReview } from "./reviews.js";
import type { ServiceAccountTokens } from "./service-account-tokens.js";
import type { KubernetesCluster } from "./types.js";
import { object } from "./validation.js";
import { selected, watchEvents } from "./watch.js";

export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  /** Bytes as sent, or a value from past the wire. */
  body: unknown;
}

export interface ApiAnswer {
  status: number;
  contentType: string;
  body: object | string;
}

export interface ApiServerParts {
  core: SandboxCore;
  objects: KubernetesObjects;
  registry: Registry;
  authenticator: Authenticator;
  authoriser: Authoriser;
  tokens: ServiceAccountTokens;
}

const JSON_BODY = "application/json";
const YAML_BODY = "application/yaml";
const APPLY_BODY = "application/apply-patch+yaml";
const PATCHES: Readonly<Record<string, (target: unknown, patch: unknown) => unknown>> = {
  "application/json-patch+json": applyJsonPatch,
  "application/merge-patch+json": applyMergePatch,
  "application/strategic-merge-patch+json": applyStrategicMergePatch,
};
const ISSUER_PATHS = ["/.well-known/openid-configuration", "/openid/v1/jwks"];

export class ApiServer {
  constructor(private readonly parts: ApiServerParts) {}

  /** Throws KubernetesError. */
  async answer(cluster: KubernetesCluster, caller: AuthenticatedUser, request: ApiRequest): Promise<ApiAnswer> {
    const info = requestInfo(request.method, request.path, request.query);
    const user = this.#impersonated(cluster, caller, request.headers);
    await this.parts.core.enter(operationOf(info));
    this.parts.authoriser.require(cluster, user, attributesOf(info));
    if (info.kind === "path") return this.#path(cluster, info, request);
    const { resource } = info;
    if (!resource || (resource.namespaced && info.namespace === undefined && !["list", "watch"].includes(info.verb))) throw noSuchPath();
    if (info.subresource !== "") return this.#subresource(cluster, user, info, resource, request);
    if (!resource.verbs.includes(info.verb)) throw methodNotAllowed();
    if (!resource.verbs.includes("get")) {
      return created(answerReview(this.parts, { cluster, user, resource, namespace: info.namespace, body: readBody(request) }));
    }
    return info.name === "" ? this.#collection(cluster, user, info, resource, request) : this.#one(cluster, user, info, resource, request);
  }

  async #path(cluster: KubernetesCluster, { verb, path }: PathRequest, { headers }: ApiRequest): Promise<ApiAnswer> {
    if (verb !== "get" && verb !== "head") throw noSuchPath();
    if (/^\/(healthz|livez|readyz)$/.test(path)) return { status: 200, contentType: "text/plain; charset=utf-8", body: "ok" };
    if (ISSUER_PATHS.includes(path)) return ok(await this.#issuerDocument(cluster, path));
    const found = discover(cluster, path, headers["accept"] ?? "") ?? openApi(path);
    if (!found) throw noSuchPath();
    return { status: 200, ...found };
  }

  async #issuerDocument(cluster: KubernetesCluster, path: string): Promise<object> {
    const { keys } = await this.parts.tokens.issuer(cluster);
    if (path === "/openid/v1/jwks") return { keys: keys.map(({ jwk }) => jwk) };
    return {
      issuer: cluster.issuer,
      jwks_uri: `${cluster.server}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    };
  }

  async #collection(cluster: KubernetesCluster, user: AuthenticatedUser, info: ResourceRequest, resource: ApiResource, request: ApiRequest): Promise<ApiAnswer> {
    const { objects, registry, core } = this.parts;
    const { query } = request;
    const list = (): KubernetesObject[] => selected(objects.list(cluster.name, resource, info.namespace), query);
    switch (info.verb) {
      case "list":
        return ok(listOf(resource, list(), objects.revision(cluster.name)));
      case "watch": {
        const timeout = query.get("timeoutSeconds");
        const events = await watchEvents(core.store, { since: query.get("resourceVersion") ?? undefined, timeoutSeconds: timeout === null ? undefined : Number(timeout), list });
        return { status: 200, contentType: JSON_BODY, body: events };
      }
      case "create":
        return created(registry.create(writeContext(cluster, user, info, resource, request), readBody(request)));
      default: {
        const context = writeContext(cluster, user, info, resource, request);
        const deleted = list().map((each) => registry.delete({ ...context, namespace: each.metadata.namespace }, each.metadata.name));
        return ok(listOf(resource, deleted, objects.revision(cluster.name)));
      }
    }
  }

  #one(cluster: KubernetesCluster, user: AuthenticatedUser, info: ResourceRequest, resource: ApiResource, request: ApiRequest): ApiAnswer {
    const { registry } = this.parts;
    const { name } = info;
    if (info.verb === "get") return ok(registry.get({ cluster, resource, namespace: info.namespace }, name));
    const context = writeContext(cluster, user, info, resource, request);
    if (info.verb === "update") return ok(registry.replace(context, name, readBody(request)));
    if (info.verb === "patch") return this.#patch(context, name, request);
    const options = object(readBody(request));
    const dryRun = context.dryRun || Array.isArray(options.dryRun);
    return ok(deletionStatus(resource, registry.delete({ ...context, dryRun }, name, object(options.preconditions))));
  }

  #patch(context: WriteContext, name: string, request: ApiRequest): ApiAnswer {
    const { registry } = this.parts;
    const type = mediaType(request);
    if (type === APPLY_BODY) {
      if (!request.query.has("fieldManager")) throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [required("fieldManager", "is required for apply patch")]);
      const { object: applied, created: isNew } = registry.apply(context, name, readBody(request), request.query.get("force") === "true");
      return isNew ? created(applied) : ok(applied);
    }
    const change = PATCHES[type];
    if (!change) throw unsupportedMediaType([...Object.keys(PATCHES), APPLY_BODY]);
    const patch = readBody(request);
    return ok(registry.patch(context, name, (before) => change(before, patch)));
  }

  async #subresource(cluster: KubernetesCluster, user: AuthenticatedUser, info: ResourceRequest, resource: ApiResource, request: ApiRequest): Promise<ApiAnswer> {
    const subresource = resource.subresources?.find(({ name }) => name === info.subresource);
    if (!subresource) throw noSuchPath();
    const found = this.parts.registry.get({ cluster, resource, namespace: info.namespace }, info.name);
    if (!subresource.verbs.includes(info.verb)) throw methodNotAllowed();
    if (subresource.name === "token") {
      const { dryRun } = writeContext(cluster, user, info, resource, request);
      return created(await this.parts.tokens.request(cluster, found, subresource, readBody(request), dryRun));
    }
    // What controllers report is theirs: in the sandbox they have reported already.
    return ok(found);
  }

  /** `Impersonate-User` and `Impersonate-Group`: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
  #impersonated(cluster: KubernetesCluster, caller: AuthenticatedUser, headers: ApiRequest["headers"]): AuthenticatedUser {
    const username = headers["impersonate-user"];
    const groups = headers["impersonate-group"]?.split(",").map((group) => group.trim()) ?? [];
    if (username === undefined) {
      if (groups.length > 0) throw badRequest("requested [impersonating groups] without impersonating a user");
      return caller;
    }
    const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
    const [, namespace = "", accountName = ""] = account ?? [];
    const asked = account ? { resource: "serviceaccounts", name: accountName, namespace } : { resource: "users", name: username };
    for (const each of [asked, ...groups.map((name) => ({ resource: "groups", name }))]) {
      this.parts.authoriser.require(cluster, caller, { verb: "impersonate", group: "", ...each });
    }
    const own = account ? ["system:serviceaccounts", `system:serviceaccounts:${namespace}`] : [];
    return { username, groups: [...new Set([...(groups.length > 0 ? groups : own), "system:authenticated"])] };
  }
}

/** For latency and faults: `kubernetes:PatchDeployment`, `kubernetes:CreateTokenRequest`, `kubernetes:Get`. */
function operationOf(info: ResourceRequest | PathRequest): string {
  const verb = `${info.verb.charAt(0).toUpperCase()}${info.verb.slice(1)}`;
  if (info.kind === "path") return `kubernetes:${verb}`;
  const { resource, subresource } = info;
  return `kubernetes:${verb}${resource?.subresources?.find(({ name }) => name === subresource)?.kind ?? resource?.kind ?? ""}`;
}

function writeContext(cluster: KubernetesCluster, user: AuthenticatedUser, info: ResourceRequest, resource: ApiResource, { query, headers }: ApiRequest): WriteContext {
  const dryRun = query.getAll("dryRun").filter((each) => each !== "");
  if (dryRun.some((each) => each !== "All")) throw invalid({ group: "meta.k8s.io", kind: info.verb === "create" ? "CreateOptions" : "PatchOptions" }, "", [unsupported("dryRun", dryRun[0], ["All"])]);
  const agent = (headers["user-agent"] ?? "").split("/")[0] ?? "";
  const fieldManager = query.get("fieldManager") ?? (agent === "" ? "unknown" : agent);
  return { cluster, user, resource, namespace: resource.namespaced ? info.namespace : undefined, fieldManager, dryRun: dryRun.length > 0 };
}

function mediaType({ headers }: ApiRequest): string {
  return (headers["content-type"] ?? JSON_BODY).split(";")[0]?.trim().toLowerCase() ?? "";
}

function readBody(request: ApiRequest): unknown {
  const { body } = request;
  if (!Buffer.isBuffer(body)) return body;
  if (body.length === 0) return undefined;
  const type = mediaType(request);
  if (type === PROTOBUF) return decodeProtobuf(body);
  const isYaml = type === YAML_BODY || type === APPLY_BODY;
  if (!isYaml && type !== JSON_BODY && !Object.hasOwn(PATCHES, type)) throw unsupportedMediaType([JSON_BODY, YAML_BODY, PROTOBUF]);
  try {
    const text = body.toString("utf8");
    return isYaml ? parseYaml(text) : JSON.parse(text);
  } catch {
    throw badRequest(isYaml ? "error decoding YAML" : "couldn't get version/kind; json parse error: invalid character");
  }
}

const ok = (body: object): ApiAnswer => ({ status: 200, contentType: JSON_BODY, body });
const created = (body: object): ApiAnswer => ({ status: 201, contentType: JSON_BODY, body });
