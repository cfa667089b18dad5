/** What a request is about, from its method and path alone. https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb */
import { apiResource, type ApiResource } from "../../facts/kubernetes/api.js";
import type { AccessAttributes } from "../../trust/kubernetes/rbac.js";

export interface ResourceRequest {
  kind: "resource";
  verb: string;
  group: string;
  version: string;
  /** The plural as in the path, whether the API has it or not. */
  resourceName: string;
  /** Undefined for one that the API does not have. */
  resource: ApiResource | undefined;
  subresource: string;
  namespace: string | undefined;
  /** Empty for a whole collection. */
  name: string;
}

export interface PathRequest {
  kind: "path";
  verb: string;
  path: string;
}

export type RequestInfo = ResourceRequest | PathRequest;

const oneVerbs: Readonly<Record<string, string>> = { GET: "get", HEAD: "get", PUT: "update", PATCH: "patch", DELETE: "delete", POST: "create" };
const allVerbs: Readonly<Record<string, string>> = { GET: "list", HEAD: "list", POST: "create", DELETE: "deletecollection" };

export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path.split("/").filter((part) => part !== "").map(decode);
  const [root, ...rest] = parts;
  const [group, version, ...target] = root === "api" ? ["", ...rest] : root === "apis" ? rest : [];
  if (group === undefined || version === undefined || target.length === 0) return { kind: "path", verb: method.toLowerCase(), path };

  const inNamespace = target[0] === "namespaces" && target.length > 2 && !["finalize", "status"].includes(target[2] ?? "");
  const namespace = inNamespace ? target[1] : undefined;
  const [resourceName = "", name = "", subresource = ""] = inNamespace ? target.slice(2) : target;
  const watched = ["true", "1"].includes(query.get("watch") ?? "");
  const verb = (name === "" ? (watched && method === "GET" ? "watch" : allVerbs[method]) : oneVerbs[method]) ?? method.toLowerCase();
  const found = apiResource(group, resourceName);
  return {
    kind: "resource",
    verb,
    group,
    version,
    resourceName,
    resource: found?.version === version ? found : undefined,
    subresource,
    // A namespace is in itself.
    namespace: resourceName === "namespaces" && group === "" && name !== "" ? name : namespace,
    name,
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function attributesOf(info: RequestInfo): AccessAttributes {
  if (info.kind === "path") return { verb: info.verb, path: info.path };
  const { verb, group, resourceName, subresource, namespace, name } = info;
  return { verb, group, resource: resourceName, subresource, name, ...(namespace !== undefined && { namespace }) };
}
