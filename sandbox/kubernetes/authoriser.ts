/** Who may do what in a cluster: RBAC, and on GKE also IAM for Google's identities. https://cloud.google.com/kubernetes-engine/docs/best-practices/rbac */
import { clusterResource, containerPermission } from "../../facts/gcp/gke.js";
import { evaluateRbac, rulesFor, SUPERUSERS, type AccessAttributes, type PolicyRule, type RbacPolicy } from "../../trust/kubernetes/rbac.js";
import { escalationMessage, missingRights } from "../../trust/kubernetes/escalation.js";
import type { AuthenticatedUser } from "./authenticator.js";
import { known } from "./clusters.js";
import { notAllowed } from "./errors.js";
import type { KubernetesObjects } from "./objects.js";
import type { GoogleIdentities, KubernetesCluster } from "./types.js";

const RBAC = "rbac.authorization.k8s.io";

export interface Decision {
  allowed: boolean;
  /** What allowed it, or what would have. */
  reason: string;
}

export class Authoriser {
  constructor(
    private readonly objects: KubernetesObjects,
    private readonly google: Pick<GoogleIdentities, "allows">,
  ) {}

  decide(cluster: KubernetesCluster, user: AuthenticatedUser, attributes: AccessAttributes): Decision {
    if (user.groups.includes(SUPERUSERS)) return { allowed: true, reason: "" };
    const answer = evaluateRbac(this.policy(cluster.name), user, attributes);
    if (answer.allowed || !cluster.gke || !user.google || !("resource" in attributes)) return answer;
    const permission = containerPermission(attributes.group, attributes.resource, attributes.subresource ?? "", attributes.verb);
    if (permission === undefined) return answer;
    const { projectId, location, cluster: name } = cluster.gke;
    const allowed = this.google.allows(user.google, permission, clusterResource(projectId, location, name));
    return { allowed, reason: allowed ? "access granted by IAM permissions." : `requires one of [${JSON.stringify(permission)}] permission(s).` };
  }

  /** Throws the refusal as the API server words it. */
  require(cluster: KubernetesCluster, user: AuthenticatedUser, attributes: AccessAttributes): void {
    const { allowed, reason } = this.decide(cluster, user, attributes);
    if (!allowed) throw notAllowed(user.username, attributes, reason);
  }

  rules(cluster: KubernetesCluster, user: AuthenticatedUser, namespace: string): PolicyRule[] {
    return rulesFor(this.policy(cluster.name), user, namespace);
  }

  /** Why these rights may not be given away in the namespace; undefined where they may, or where nothing has to be held. */
  escalation(cluster: KubernetesCluster, user: AuthenticatedUser, namespace: string | undefined, rules: readonly PolicyRule[]): string | undefined {
    const missing = user.groups.includes(SUPERUSERS) ? [] : missingRights(this.policy(cluster.name), user, namespace, rules);
    return missing.length === 0 ? undefined : escalationMessage(user, missing);
  }

  policy(cluster: string): RbacPolicy {
    const all = <T>(resource: string): T[] => this.objects.list(cluster, known(RBAC, resource)) as unknown as T[];
    return { roles: all("roles"), clusterRoles: all("clusterroles"), roleBindings: all("rolebindings"), clusterRoleBindings: all("clusterrolebindings") };
  }
}
