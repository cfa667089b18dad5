/**
 * Deployments in a GKE cluster: found as the platform finds them, asked as `kubectl auth can-i` asks, changed only in thought.
 * https://cloud.google.com/kubernetes-engine/docs/how-to/api-server-authentication
 */
import type { GrantOf } from "../../contract/schema.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { askCluster, describeKubernetes, type ClusterAccess, type KubernetesAnswer } from "../kubernetes/api.js";
import { describeRight, mayI, type Right } from "../kubernetes/access.js";
import { containersOf, dryRunAnnotation, readDeployment } from "../kubernetes/deployments.js";
import { Network } from "../network.js";
import { describeAnswer, isOverload } from "./answers.js";
import type { GcpCauseValues } from "./causes.js";
import { diagnoseRefusal, rightMayBePropagation, type RightCall } from "./rights-causes.js";
import { askAsSession, cause, diagnosis, open, PROBE_PREFIX, type GcpRun } from "./run.js";

export type GkeGrant = GrantOf<"gke-deployments">;

const DEADLINE_MS = 60_000;
const APPS = "apps";
const RBAC = "rbac.authorization.k8s.io";
/** Every cluster has it, and no platform deploys there. */
const OTHER_NAMESPACE = "kube-system";

export function clusterName({ projectId, location, cluster }: GkeGrant): string {
  return `projects/${projectId}/locations/${location}/clusters/${cluster}`;
}

export function clusterUrl(grant: GkeGrant): string {
  return `https://container.googleapis.com/v1/${clusterName(grant)}`;
}

/** `patch deployments.apps` of a grant, for each of its Deployments. */
export function grantedRights({ permissions, namespace, deployments }: GkeGrant): Right[] {
  const inCluster = permissions.flatMap((permission) => {
    const [, verb, resource, group = ""] = /^(\w+) (\w+)(?:\.(.+))?$/.exec(permission) ?? [];
    return verb === undefined || resource === undefined ? [] : [{ verb, resource, group }];
  });
  return inCluster.flatMap((right) => deployments.map((name) => ({ ...right, namespace, name })));
}

/** What nobody needs to deploy, and what would give the rest. */
export function refusedRights({ namespace, deployments: [name = ""] }: GkeGrant): Right[] {
  return [
    { verb: "create", group: APPS, resource: "deployments", namespace },
    { verb: "delete", group: APPS, resource: "deployments", namespace, name },
    { verb: "patch", group: APPS, resource: "deployments", namespace: OTHER_NAMESPACE },
    { verb: "get", group: "", resource: "secrets", namespace },
    { verb: "create", group: "", resource: "pods", namespace },
    { verb: "create", group: RBAC, resource: "rolebindings", namespace },
  ];
}

export function gkeChecks(run: GcpRun, grant: GkeGrant, refusals: boolean): Check[] {
  return new GkeProbe(run, grant).checks(refusals);
}

class GkeProbe {
  #cluster: ClusterAccess | undefined;
  #closed = false;

  constructor(
    private readonly run: GcpRun,
    private readonly grant: GkeGrant,
  ) {}

  checks(refusals: boolean): Check[] {
    const { cluster, deployments, namespace } = this.grant;
    const id = (name: string) => `gcp.gke.${this.grant.id}.${name}`;
    const step = (name: string, title: string, needs: string[], run: (scope: CheckScope) => Promise<Verdict>): Check => ({
      id: id(name),
      title: `Cluster ${cluster}: ${title}`,
      grade: "live",
      required: true,
      needs: [this.run.exchange.serviceAccountEmail === undefined ? "gcp.exchange" : "gcp.impersonation", ...needs.map(id)],
      deadlineMs: DEADLINE_MS,
      run,
    });
    return [
      step("cluster", "its address and certificate", [], (scope) => this.#find(scope)),
      step("reach", "its control plane answers", ["cluster"], (scope) => this.#reach(scope)),
      step("rights", `rights on ${deployments.join(", ")} in ${namespace}`, ["reach"], (scope) => this.#rights(scope)),
      step("refused", "refuses what is not granted", ["reach"], async (scope) => (refusals ? this.#refused(scope) : notTested("switched off by --refusals off"))),
      step("deployments", `${deployments.join(", ")} can be read`, ["rights"], (scope) => this.#read(scope)),
      step("change", "a change, by the cluster's dry run", ["deployments"], (scope) => this.#change(scope)),
    ];
  }

  get #values(): Partial<GcpCauseValues> {
    const { cluster, location, projectId, namespace } = this.grant;
    return { subject: cluster, found: location, project: projectId, expected: namespace };
  }

  async #find(scope: CheckScope): Promise<Verdict> {
    const url = clusterUrl(this.grant);
    const right: RightCall = { operation: "clusters.get", permission: "container.clusters.get", resource: `//container.googleapis.com/${clusterName(this.grant)}`, role: "roles/container.clusterViewer" };
    const { answer, exhausted } = await this.run.waiter.until(
      `gcp.gke.${this.grant.id}`,
      scope,
      () => askAsSession(this.run, { method: "GET", url }, scope.signal),
      (given) => (given.ok || given.kind === "no-answer" ? undefined : rightMayBePropagation(this.run, right, given)),
    );
    if (!answer.ok) {
      const seen = `clusters.get answered ${describeAnswer(answer)}`;
      if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
      if (answer.httpStatus === 404) return fail(seen, cause(this.run, "gcp.gke.cluster-missing", seen, this.#values));
      const found = await diagnoseRefusal(this.run, right, answer, exhausted);
      return found ? fail(seen, found) : unknown(seen);
    }
    const { endpoint, status } = answer.json;
    const certificate = certificateOf(answer.json);
    if (typeof endpoint !== "string" || endpoint === "" || certificate === undefined) return unknown(`the cluster has no endpoint yet: it is ${String(status)}`);
    this.#closed = isClosed(answer.json);
    const network = new Network({ env: this.run.network.env, ca: certificate });
    scope.cleanUp(async () => network.close());
    this.#cluster = { server: `https://${endpoint}`, network, accessToken: this.run.session?.accessToken ?? "" };
    scope.remark("Whether what runs in the cluster is public is up to its own Services and Ingresses: DCF makes nothing on GKE public, and keeps nothing private.");
    return pass(`${endpoint}, ${String(status)}${this.#closed ? ", without a public endpoint or for known networks only" : ""}`);
  }

  /** The cluster that the first check found; the others run only after it. */
  get #found(): ClusterAccess {
    if (!this.#cluster) throw new Error("the cluster was not found");
    return this.#cluster;
  }

  async #reach(scope: CheckScope): Promise<Verdict> {
    const answer = await askCluster(this.#found, { method: "GET", path: "/version" }, scope.signal);
    return answer.ok ? pass(`Kubernetes ${String(answer.json["gitVersion"])}`) : this.#unanswered("version", answer);
  }

  #unanswered(what: string, answer: Extract<KubernetesAnswer, { ok: false }>): Verdict {
    const seen = `${what}: ${describeKubernetes(answer)}`;
    if (answer.kind === "no-answer") return this.#closed ? fail(seen, cause(this.run, "gcp.gke.unreachable", [seen, "the cluster has no public endpoint, or takes only known networks"], this.#values)) : unknown(seen);
    return answer.httpStatus === 401 || answer.httpStatus === 403 ? fail(seen, cause(this.run, "gcp.gke.access-denied", seen, this.#values)) : unknown(seen);
  }

  async #ask(rights: readonly Right[], scope: CheckScope): Promise<{ verdict: Verdict } | { allowed: Right[]; refused: Right[] }> {
    const answers = await Promise.all(rights.map(async (right) => ({ right, answer: await mayI(this.#found, right, scope.signal) })));
    const open = answers.find(({ answer }) => !answer.asked);
    if (open && !open.answer.asked) return { verdict: this.#unanswered("SelfSubjectAccessReview", open.answer.answer) };
    const held = ({ answer }: (typeof answers)[number]) => answer.asked && answer.allowed;
    return { allowed: answers.filter(held).map(({ right }) => right), refused: answers.filter((each) => !held(each)).map(({ right }) => right) };
  }

  async #rights(scope: CheckScope): Promise<Verdict> {
    const wanted = grantedRights(this.grant);
    const { answer: asked } = await this.run.waiter.until(
      `gcp.gke.${this.grant.id}.rights`,
      scope,
      () => this.#ask(wanted, scope),
      (given) => ("refused" in given && given.refused[0] ? `cannot ${describeRight(given.refused[0])}` : undefined),
    );
    if ("verdict" in asked) return asked.verdict;
    const missing = asked.refused.map(describeRight).join(", ");
    if (missing === "") return pass(wanted.map(describeRight).join(", "));
    const seen = `SelfSubjectAccessReview refuses ${missing}`;
    return fail(`not held: ${missing}`, cause(this.run, "gcp.gke.rbac-missing", seen, { ...this.#values, permission: missing }));
  }

  async #refused(scope: CheckScope): Promise<Verdict> {
    const asked = await this.#ask(refusedRights(this.grant), scope);
    if ("verdict" in asked) return asked.verdict;
    const surplus = asked.allowed.map(describeRight).join(", ");
    if (surplus === "") return pass(`not ${asked.refused.map(describeRight).join(", ")}`);
    return fail(`held: ${surplus}`, cause(this.run, "gcp.gke.rbac-too-wide", `SelfSubjectAccessReview allows ${surplus}`, { ...this.#values, permission: surplus }));
  }

  async #read(scope: CheckScope): Promise<Verdict> {
    const { namespace, deployments, containerName } = this.grant;
    for (const [index, name] of deployments.entries()) {
      const answer = await readDeployment(this.#found, namespace, name, scope.signal);
      const seen = `deployment ${name}: ${answer.ok ? "read" : describeKubernetes(answer)}`;
      if (!answer.ok && answer.kind === "refused" && answer.httpStatus === 404) return fail(seen, cause(this.run, "gcp.gke.deployment-missing", seen, { ...this.#values, subject: name, found: index === 0 ? containerName : undefined }));
      if (!answer.ok) return this.#refusedInCluster(seen, answer);
      // The name is of the container in the Deployment that is deployed to, the first.
      const containers = containersOf(answer.json);
      if (index > 0 || containerName === undefined || containers.includes(containerName)) continue;
      const found = containers.join(", ");
      return fail(`deployment ${name} has the containers ${found}`, cause(this.run, "gcp.gke.container-missing", `deployment ${name} has the containers ${found}, and none called ${containerName}`, { ...this.#values, subject: containerName, found }));
    }
    return pass(`${deployments.join(", ")}${containerName === undefined ? "" : `, with container ${containerName}`}`);
  }

  /** Although the review allowed it. */
  #refusedInCluster(seen: string, answer: Extract<KubernetesAnswer, { ok: false }>): Verdict {
    if (answer.kind === "no-answer" || answer.httpStatus !== 403) return unknown(seen);
    const found = diagnosis([open(cause(this.run, "gcp.gke.rbac-missing", seen, { ...this.#values, permission: seen }))], ["admission policies of the cluster"]);
    return found ? fail(seen, found) : unknown(seen);
  }

  /** Rights, admission and form are checked as in earnest; nothing is stored. */
  async #change(scope: CheckScope): Promise<Verdict> {
    const { namespace, deployments } = this.grant;
    for (const name of deployments) {
      const answer = await dryRunAnnotation(this.#found, namespace, name, { [PROBE_PREFIX]: this.run.runId }, scope.signal);
      if (!answer.ok) return this.#refusedInCluster(`dry run of a patch of ${name}: ${describeKubernetes(answer)}`, answer);
    }
    return pass(`an annotation of ${deployments.join(", ")}, not stored`);
  }
}

/** PEM of the authority that signs for the cluster. */
function certificateOf({ masterAuth }: JsonObject): string | undefined {
  const encoded = isJsonObject(masterAuth) ? masterAuth["clusterCaCertificate"] : undefined;
  return typeof encoded === "string" && encoded !== "" ? Buffer.from(encoded, "base64").toString("utf8") : undefined;
}

/** https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation */
export function isClosed({ controlPlaneEndpointsConfig, privateClusterConfig, masterAuthorizedNetworksConfig }: JsonObject): boolean {
  const endpoints = isJsonObject(controlPlaneEndpointsConfig) ? controlPlaneEndpointsConfig["ipEndpointsConfig"] : undefined;
  const addresses = isJsonObject(endpoints) ? endpoints : {};
  const networks = [masterAuthorizedNetworksConfig, addresses["authorizedNetworksConfig"]];
  return (
    addresses["enabled"] === false ||
    addresses["enablePublicEndpoint"] === false ||
    (isJsonObject(privateClusterConfig) && privateClusterConfig["enablePrivateEndpoint"] === true) ||
    networks.some((config) => isJsonObject(config) && config["enabled"] === true)
  );
}
