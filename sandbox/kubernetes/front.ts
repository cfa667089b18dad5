/** The wire of all clusters: each answers under its own host, behind the proxy and in TLS. */
import { clusterResource, CONNECT_PERMISSION } from "../../facts/gcp/gke.js";
import { FaultError, type WireRequest, type WireResponse, type WireService } from "../types.js";
import type { ApiServer } from "./api-server.js";
import type { Authenticator } from "./authenticator.js";
import type { Clusters } from "./clusters.js";
import { KubernetesError } from "./errors.js";
import type { GoogleIdentities, KubernetesCluster } from "./types.js";

export class KubernetesFront implements WireService {
  constructor(
    private readonly parts: { clusters: Clusters; api: ApiServer; authenticator: Authenticator; google: GoogleIdentities },
  ) {}

  serves(host: string, direct: boolean, request: WireRequest): boolean {
    return !direct && request.secure && this.parts.clusters.at(host) !== undefined;
  }

  async handle(request: WireRequest): Promise<WireResponse> {
    const cluster = this.parts.clusters.at(request.host);
    if (!cluster) return { status: 404 };
    const { method, url, headers, body } = request;
    try {
      const refusal = request.host === cluster.dnsEndpoint ? this.#endpointRefusal(cluster, headers["authorization"]) : undefined;
      if (refusal) return refusal;
      const user = this.parts.authenticator.fromHeader(cluster, headers["authorization"]);
      const answer = await this.parts.api.answer(cluster, user, { method, path: url.pathname, query: url.searchParams, headers, body });
      const text = typeof answer.body === "string" ? answer.body : `${JSON.stringify(answer.body)}\n`;
      return { status: answer.status, headers: { "content-type": answer.contentType, "cache-control": "no-cache, private" }, body: text };
    } catch (error) {
      const refusal = error instanceof FaultError ? new KubernetesError(error.fault.status, error.fault.code, error.fault.message) : error;
      if (!(refusal instanceof KubernetesError)) throw error;
      return json(refusal.code, refusal.status);
    }
  }

  /** GKE's DNS endpoint lets through who holds a right on the cluster, by a token of Google. */
  #endpointRefusal({ gke }: KubernetesCluster, authorization: string | undefined): WireResponse | undefined {
    const { google } = this.parts;
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    const caller = token === undefined ? undefined : google.authenticate(token);
    if (!caller) return googleError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.");
    if (gke && google.allows(caller, CONNECT_PERMISSION, clusterResource(gke.projectId, gke.location, gke.cluster))) return undefined;
    const resource = gke ? `projects/${gke.projectId}/locations/${gke.location}/clusters/${gke.cluster}` : "";
    return googleError(403, "PERMISSION_DENIED", `Permission '${CONNECT_PERMISSION}' denied on resource '${resource}' (or it may not exist).`);
  }
}

function googleError(code: number, status: string, message: string): WireResponse {
  return json(code, { error: { code, message, status } });
}

function json(status: number, body: object): WireResponse {
  return { status, headers: { "content-type": "application/json", "cache-control": "no-cache, private" }, body: `${JSON.stringify(body)}\n` };
}
