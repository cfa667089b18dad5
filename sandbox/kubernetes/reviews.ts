/** Questions about rights and identities: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
import type { ApiResource } from "../../facts/kubernetes/api.js";
import type { JsonObject } from "../../trust/jwt.js";
import type { AccessAttributes } from "../../trust/kubernetes/rbac.js";
import type { AuthenticatedUser, Authenticator } from "./authenticator.js";
import type { Authoriser } from "./authoriser.js";
import { badRequest, invalid, invalidValue, required } from "./errors.js";
import type { KubernetesCluster } from "./types.js";
import { object, readObject, text } from "./validation.js";

export interface ReviewParts {
  authenticator: Authenticator;
  authoriser: Authoriser;
}

export interface ReviewRequest {
  cluster: KubernetesCluster;
  user: AuthenticatedUser;
  resource: ApiResource;
  namespace: string | undefined;
  body: unknown;
}

/** The review with its answer in `status`. */
export function answerReview(parts: ReviewParts, request: ReviewRequest): object {
  const { cluster, user, resource, namespace, body } = request;
  const review = readObject(body, resource);
  const spec = object(review.spec);
  const answered = (status: object): object => ({ ...review, metadata: { creationTimestamp: null }, ...(review.spec !== undefined && { spec }), status });
  switch (resource.resource) {
    case "selfsubjectaccessreviews":
      return answered(access(parts, cluster, user, attributes(resource, spec)));
    case "localsubjectaccessreviews":
      if (object(spec.resourceAttributes).namespace !== namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${String(namespace)}`);
      return answered(access(parts, cluster, subject(resource, spec), attributes(resource, spec)));
    case "subjectaccessreviews":
      return answered(access(parts, cluster, subject(resource, spec), attributes(resource, spec)));
    case "selfsubjectrulesreviews":
      return answered(rules(parts, cluster, user, resource, spec));
    case "selfsubjectreviews":
      return answered({ userInfo: userInfo(user) });
    default:
      return answered(token(parts, cluster, spec));
  }
}

function attributes(resource: ApiResource, spec: JsonObject): AccessAttributes {
  const [onResource, onPath] = [spec.resourceAttributes, spec.nonResourceAttributes];
  if ((onResource === undefined) === (onPath === undefined)) {
    const problem = invalidValue("spec.resourceAttributes", onPath ?? null, "cannot be specified in combination with nonResourceAttributes");
    throw invalid(resource, "", [onResource === undefined ? required("spec.resourceAttributes", "exactly one of nonResourceAttributes or resourceAttributes must be specified") : problem]);
  }
  const { verb, path, group, resource: name, subresource, namespace, name: of } = object(onResource ?? onPath);
  if (onPath !== undefined) return { verb: text(verb), path: text(path) };
  const place = text(namespace) === "" ? {} : { namespace: text(namespace) };
  return { verb: text(verb), group: text(group), resource: text(name), subresource: text(subresource), name: text(of), ...place };
}

/** For a caller's own IAM rights, too, which somebody else's review cannot ask about. */
function access({ authoriser }: ReviewParts, cluster: KubernetesCluster, user: AuthenticatedUser, asked: AccessAttributes): object {
  const { allowed, reason } = authoriser.decide(cluster, user, asked);
  return { allowed, ...(reason !== "" && { reason }) };
}

function subject(resource: ApiResource, spec: JsonObject): AuthenticatedUser {
  const groups = Array.isArray(spec.groups) ? spec.groups.map(String) : [];
  if (text(spec.user) === "" && groups.length === 0) throw invalid(resource, "", [required("spec.user", "at least one of user or group must be specified")]);
  return { username: text(spec.user), groups };
}

/** Rules by IAM are not listed, and said to be missing, as GKE says of its own authoriser. */
function rules({ authoriser }: ReviewParts, cluster: KubernetesCluster, user: AuthenticatedUser, resource: ApiResource, spec: JsonObject): object {
  const namespace = text(spec.namespace);
  if (namespace === "") throw badRequest(`no namespace on request: ${resource.kind} needs spec.namespace`);
  const all = authoriser.rules(cluster, user, namespace);
  const incomplete = cluster.gke !== undefined;
  return {
    resourceRules: all.filter(({ resources = [] }) => resources.length > 0).map(({ nonResourceURLs: _urls, ...rule }) => rule),
    nonResourceRules: all.filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete,
    ...(incomplete && { evaluationError: "webhook authorizer does not support user rule resolution" }),
  };
}

function token({ authenticator }: ReviewParts, cluster: KubernetesCluster, spec: JsonObject): object {
  const asked = Array.isArray(spec.audiences) ? spec.audiences.map(String) : [];
  const audiences = asked.length > 0 ? asked : [cluster.issuer];
  const user = authenticator.serviceAccount(cluster, text(spec.token), audiences);
  if (!user) return { authenticated: false, error: "[invalid bearer token]" };
  return { authenticated: true, user: userInfo(user), audiences };
}

function userInfo({ username, uid, groups, extra }: AuthenticatedUser): object {
  return { username, ...(uid !== undefined && { uid }), groups, ...(extra && { extra }) };
}
