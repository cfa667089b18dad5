/** Tokens of service accounts, signed by the cluster's issuer: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens */
import { randomUUID } from "node:crypto";
import { TOKEN_LIFETIME, type ApiSubresource } from "../../facts/kubernetes/api.js";
import { serviceAccountUsername } from "../../trust/kubernetes/rbac.js";
import { isJsonObject } from "../../trust/jwt.js";
import type { Issuer, Issuers } from "../issuers.js";
import type { Clock } from "../types.js";
import { known } from "./clusters.js";
import { badRequest, conflict, invalid, invalidValue, notFound, type FieldError } from "./errors.js";
import { timestamp, type KubernetesObject, type KubernetesObjects } from "./objects.js";
import type { KubernetesCluster } from "./types.js";
import { object, readObject, text } from "./validation.js";

/** What else than its account a token may be bound to, by kind: it is worth nothing once that is gone. */
const BINDABLE: Readonly<Record<string, { claim: string; resource: string }>> = {
  Pod: { claim: "pod", resource: "pods" },
  Secret: { claim: "secret", resource: "secrets" },
};

export class ServiceAccountTokens {
  readonly #underWay = new Map<string, Promise<Issuer>>();

  constructor(
    private readonly issuers: Issuers,
    private readonly objects: KubernetesObjects,
    private readonly clock: Clock,
  ) {}

  /** A cluster's issuer gets its key when the first needs it: making one takes longer than the rest of a start. */
  async issuer({ issuer: url, gke }: KubernetesCluster): Promise<Issuer> {
    const found = this.issuers.find(url);
    if (found) return found;
    // GKE publishes the keys of its clusters at a place of its own.
    const made = this.#underWay.get(url) ?? this.issuers.create(url, "RS256", gke && `${url}/jwks`).finally(() => this.#underWay.delete(url));
    this.#underWay.set(url, made);
    return made;
  }

  async request(cluster: KubernetesCluster, account: KubernetesObject, subresource: ApiSubresource, body: unknown, dryRun: boolean): Promise<object> {
    const asked = readObject(body, subresource);
    const spec = object(asked.spec);
    const { name, namespace = "", uid } = account.metadata;
    const { expirationSeconds = TOKEN_LIFETIME.default } = spec;
    const errors = lifetimeErrors(expirationSeconds);
    if (errors.length > 0) throw invalid(subresource, "", errors);
    if (asked.metadata.name !== "" && asked.metadata.name !== name) throw badRequest("must match service account name");
    const given = Array.isArray(spec.audiences) ? spec.audiences.map(String) : [];
    const audiences = given.length > 0 ? given : [cluster.issuer];
    const bound = this.#bound(cluster, namespace, spec.boundObjectRef);
    const now = Math.floor(this.clock.now().getTime() / 1000);
    const expires = now + Number(expirationSeconds);
    await this.issuer(cluster);
    const token = dryRun
      ? ""
      : await this.issuers.mint({
          issuer: cluster.issuer,
          subject: serviceAccountUsername(namespace, name),
          claims: { aud: audiences, iat: now, nbf: now, exp: expires, jti: randomUUID(), "kubernetes.io": { namespace, ...bound, serviceaccount: { name, uid } } },
          header: { typ: null },
        });
    return {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, creationTimestamp: timestamp(this.clock.now()) },
      spec: { audiences, expirationSeconds, boundObjectRef: spec.boundObjectRef ?? null },
      status: { token, expirationTimestamp: timestamp(new Date(expires * 1000)) },
    };
  }

  #bound(cluster: KubernetesCluster, namespace: string, reference: unknown): Record<string, unknown> {
    if (!isJsonObject(reference)) return {};
    const kind = text(reference.kind);
    const bindable = Object.hasOwn(BINDABLE, kind) ? BINDABLE[kind] : undefined;
    if (!bindable || reference.apiVersion !== "v1") throw badRequest(`cannot bind token to object of type ${text(reference.apiVersion)}, Kind=${kind}`);
    const resource = known("", bindable.resource);
    const name = text(reference.name);
    const found = this.objects.get(cluster.name, resource, namespace, name);
    if (!found) throw notFound(resource, name);
    const { uid } = found.metadata;
    if (text(reference.uid) !== "" && reference.uid !== uid) {
      throw conflict(resource, name, `the UID in the bound object reference (${text(reference.uid)}) does not match the UID in record. The object might have been deleted and then recreated`);
    }
    return { [bindable.claim]: { name, uid } };
  }
}

function lifetimeErrors(seconds: unknown): FieldError[] {
  const field = "spec.expirationSeconds";
  if (typeof seconds !== "number" || seconds < TOKEN_LIFETIME.min) return [invalidValue(field, seconds, "may not specify a duration less than 10 minutes")];
  return seconds > TOKEN_LIFETIME.max ? [invalidValue(field, seconds, "may not specify a duration larger than 2^32 seconds")] : [];
}
