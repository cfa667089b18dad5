/** Whom a request's bearer token proves: the administrator, a service account, or, on GKE, an identity of Google's. */
import { timingSafeEqual } from "node:crypto";
import { decodeJwt, isJsonObject, publicKeyOf, verifyJwtSignature, type JsonObject } from "../../trust/jwt.js";
import { serviceAccountUsername, SUPERUSERS } from "../../trust/kubernetes/rbac.js";
import type { GcpCaller } from "../gcp/types.js";
import type { Issuers } from "../issuers.js";
import type { Clock } from "../types.js";
import { known, type Clusters } from "./clusters.js";
import { unauthorized } from "./errors.js";
import type { KubernetesObjects } from "./objects.js";
import type { GoogleIdentities, KubernetesCluster, KubernetesUser } from "./types.js";

const AUTHENTICATED = "system:authenticated";

export interface AuthenticatedUser extends KubernetesUser {
  uid?: string;
  extra?: Readonly<Record<string, readonly string[]>>;
  /** On GKE, for IAM. */
  google?: GcpCaller;
}

export const ADMINISTRATOR: KubernetesUser = { username: "kubernetes-admin", groups: [SUPERUSERS, AUTHENTICATED] };
const ANONYMOUS: KubernetesUser = { username: "system:anonymous", groups: ["system:unauthenticated"] };

export class Authenticator {
  constructor(
    private readonly parts: { clusters: Clusters; objects: KubernetesObjects; issuers: Issuers; clock: Clock; google: GoogleIdentities },
  ) {}

  /** Without a token everybody is anonymous; a token that proves nobody is refused. */
  fromHeader(cluster: KubernetesCluster, authorization: string | undefined): AuthenticatedUser {
    if (authorization === undefined) return ANONYMOUS;
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    const user = token === undefined ? undefined : this.fromToken(cluster, token);
    if (!user) throw unauthorized();
    return user;
  }

  fromToken(cluster: KubernetesCluster, token: string): AuthenticatedUser | undefined {
    if (sameText(token, this.parts.clusters.token(cluster.name))) return ADMINISTRATOR;
    return this.serviceAccount(cluster, token, [cluster.issuer]) ?? (cluster.gke && this.#google(token));
  }

  /** The service account that a token of the cluster's own issuer is for, where it is meant for one of the audiences. */
  serviceAccount(cluster: KubernetesCluster, token: string, audiences: readonly string[]): AuthenticatedUser | undefined {
    const decoded = decodeJwt(token);
    if (decoded?.claims.iss !== cluster.issuer) return undefined;
    const { claims, header } = decoded;
    const keys = this.parts.issuers.find(cluster.issuer)?.keys ?? [];
    const jwk = keys.find(({ kid }) => kid === header.kid)?.jwk;
    const key = jwk && publicKeyOf(jwk);
    const now = this.parts.clock.now().getTime() / 1000;
    const meant = [claims.aud].flat().some((audience) => typeof audience === "string" && audiences.includes(audience));
    const valid = typeof claims.exp === "number" && claims.exp > now && (typeof claims.nbf !== "number" || claims.nbf <= now + 1);
    if (!key || !verifyJwtSignature(decoded, key) || !meant || !valid) return undefined;
    return this.#bound(cluster.name, claims);
  }

  /** The account, and what the token is bound to besides, have to be there still, as the same objects. */
  #bound(cluster: string, claims: JsonObject): AuthenticatedUser | undefined {
    const bound = claims["kubernetes.io"];
    const namespace = isJsonObject(bound) ? bound.namespace : undefined;
    if (!isJsonObject(bound) || typeof namespace !== "string") return undefined;
    const present = ([member, resource]: readonly [string, string]): boolean => {
      const reference = bound[member];
      if (!isJsonObject(reference)) return member !== "serviceaccount";
      return this.parts.objects.get(cluster, known("", resource), namespace, String(reference.name))?.metadata.uid === reference.uid;
    };
    const references = [["serviceaccount", "serviceaccounts"], ["pod", "pods"], ["secret", "secrets"]] as const;
    const account = bound.serviceaccount;
    if (!references.every(present) || !isJsonObject(account)) return undefined;
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, AUTHENTICATED];
    const extra = typeof claims.jti === "string" ? { extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] } } : {};
    return { username: serviceAccountUsername(namespace, String(account.name)), uid: String(account.uid), groups, ...extra };
  }

  /** Federated identities are users under the name of their principal, and in a group for every principal set that they are in. */
  #google(token: string): AuthenticatedUser | undefined {
    const google = this.parts.google.authenticate(token);
    if (!google || google.kind === "anonymous") return undefined;
    const sets = google.members.filter((member) => member.startsWith("principalSet://"));
    return { username: google.name, groups: [...sets, AUTHENTICATED], google };
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length > 0 && left.length === right.length && timingSafeEqual(left, right);
}
