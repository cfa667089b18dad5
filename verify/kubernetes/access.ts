/** What one may do in a cluster, asked without doing it. https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
import { isJsonObject } from "../../trust/jwt.js";
import { askCluster, type ClusterAccess, type KubernetesAnswer } from "./api.js";

/** One question, as `kubectl auth can-i` puts it. */
export interface Right {
  verb: string;
  group: string;
  /** Plural: `deployments`. */
  resource: string;
  namespace: string;
  /** Of one object; any where it is left out. */
  name?: string;
}

/** `patch deployments.apps/app in dcf` */
export function describeRight({ verb, group, resource, namespace, name }: Right): string {
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${name === undefined ? "" : `/${name}`} in ${namespace}`;
}

export type RightAnswer = { asked: true; allowed: boolean; reason: string } | { asked: false; answer: Extract<KubernetesAnswer, { ok: false }> };

export async function mayI(cluster: ClusterAccess, right: Right, signal: AbortSignal): Promise<RightAnswer> {
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes: right } };
  const answer = await askCluster(cluster, { method: "POST", path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body: review }, signal);
  if (!answer.ok) return { asked: false, answer };
  const { status } = answer.json;
  const { allowed, reason } = isJsonObject(status) ? status : {};
  return { asked: true, allowed: allowed === true, reason: typeof reason === "string" ? reason : "" };
}
