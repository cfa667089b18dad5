/**
 * The whole way, as the platform goes it: an image pushed, a site of the canary's own on the contract's plan that pulls it with the
 * contract's identity and answers, everything removed again. All under names of its own.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CONTAINER_PREFIX, containerSettings, startErrors } from "../../facts/azure/app-service.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { send } from "../network.js";
import { describeAnswer, isOverload, type AzureAnswer } from "./answers.js";
import { armVerdict, askArm, propertiesOf, type ArmCall } from "./arm-causes.js";
import { startDiagnosis, startFailure, type StartFailure } from "./canary-diagnosis.js";
import { canaryImage, type CanaryImage } from "./canary-image.js";
import { armUrl, planId, siteId } from "./endpoints.js";
import { CANARY_REPOSITORY, deleteImage, pushImage } from "./registry.js";
import { IMAGE_ACTIONS, registryVerdict } from "./registry-checks.js";
import type { AzureRun } from "./run.js";
import { serviceCheckId, type ServiceGrant, type SiteView } from "./service.js";
import { askAs } from "./session.js";

const CALL_DEADLINE_MS = 120_000;
/** A container has 230 seconds to start, and a new plan instance takes its time before. https://learn.microsoft.com/azure/app-service/reference-app-settings#custom-containers */
const ANSWER_MS = 7 * 60_000;
const ANSWER_DEADLINE_MS = ANSWER_MS + 60_000;
const VISIT_DEADLINE_MS = 60_000;
const VISIT_PAUSE_MS = 2_000;
/** After which App Service is asked what became of the container, where it does not answer. */
const VISITS_BEFORE_DIAGNOSIS = 3;
/** Host names are at most this long. https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftweb */
const SITE_NAME_LENGTH = 60;

/** What a canary does that the contract has to grant. */
export const CANARY_ACTIONS = ["Microsoft.Web/sites/write", "Microsoft.Web/sites/delete", IMAGE_ACTIONS.push, IMAGE_ACTIONS.delete] as const;

export function canarySite(site: string, runId: string): string {
  const suffix = `-cf-verify-${runId}`;
  return `${site.slice(0, SITE_NAME_LENGTH - suffix.length).replace(/-+$/, "")}${suffix}`;
}

export function canaryReference(grant: ServiceGrant, runId: string): string {
  return `${grant.loginServer}/${CANARY_REPOSITORY}:${runId}`;
}

/** Why the contract allows no canary; undefined where it does. */
export function canaryObstacle({ permissions, pullIdentityId }: ServiceGrant): string | undefined {
  const missing = CANARY_ACTIONS.filter((action) => !permissions.includes(action));
  if (missing.length > 0) return `the contract does not grant ${missing.join(", ")}`;
  return pullIdentityId === undefined ? "the site pulls with an identity that is its own alone, which a site of the canary's cannot have, and yours is not touched" : undefined;
}

export function canaryChecks(run: AzureRun, grant: ServiceGrant, view: SiteView): Check[] {
  const obstacle = canaryObstacle(grant);
  if (obstacle === undefined) return new Canary(run, grant, view).checks();
  return [{ id: `azure.canary.${grant.id}`, title: `Canary: image and site on plan ${grant.plan}`, grade: "live", required: true, needs: [], deadlineMs: 1_000, run: async () => notTested(obstacle) }];
}

class Canary {
  readonly #site: string;
  readonly #image: CanaryImage;
  #pushed: "nothing" | "perhaps" | "there" = "nothing";
  #deployed: "nothing" | "perhaps" | "there" = "nothing";
  #host = "";

  constructor(
    private readonly run: AzureRun,
    private readonly grant: ServiceGrant,
    /** Filled by the check of the site's configuration, which stands before. */
    private readonly view: SiteView,
  ) {
    this.#site = canarySite(grant.site, run.runId);
    this.#image = canaryImage(run.runId, grant.containerPort);
  }

  checks(): Check[] {
    const { grant } = this;
    const step = (name: string, title: string, needs: string[], body: (scope: CheckScope) => Promise<Verdict>, more: { after?: string[]; deadlineMs?: number } = {}): Check => ({
      id: this.#id(name),
      title: `Canary: ${title}`,
      grade: "live",
      required: true,
      needs,
      ...(more.after ? { after: more.after } : {}),
      deadlineMs: more.deadlineMs ?? CALL_DEADLINE_MS,
      run: body,
    });
    const deployed = [this.#id("deploy")];
    return [
      step("push", `push an image to ${grant.registry}`, [`azure.runtime.${grant.id}.registry`, serviceCheckId(grant, "plan"), serviceCheckId(grant, "site-config")], (scope) => this.#push(scope)),
      step("deploy", `site ${this.#site} is made on plan ${grant.plan}`, [this.#id("push")], (scope) => this.#deploy(scope)),
      step("answer", "it pulls the image with the contract's identity and answers", deployed, (scope) => this.#answer(scope), { deadlineMs: ANSWER_DEADLINE_MS }),
      step("remove-site", "remove the site", deployed, (scope) => this.#removeSite(scope), { after: [this.#id("answer")] }),
      step("remove-image", "remove the image", [this.#id("push")], (scope) => this.#removeImage(scope), { after: [this.#id("answer"), this.#id("remove-site")] }),
    ];
  }

  #id(step: string): string {
    return `azure.canary.${this.grant.id}.${step}`;
  }

  get #siteId(): string {
    return siteId(this.grant, this.#site);
  }

  async #push(scope: CheckScope): Promise<Verdict> {
    scope.cleanUp((signal) => this.#cleanUp(scope, signal));
    this.#pushed = "perhaps";
    const { answer, exhausted } = await this.run.waiter.until(
      this.#id("push"),
      scope,
      () => pushImage(this.run, this.grant.loginServer, this.#image, this.run.runId, scope.signal),
      (given) => ("answer" in given && given.answer.kind === "refused" && given.answer.httpStatus === 401 ? given.answer.code : undefined),
    );
    if ("digest" in answer) {
      this.#pushed = "there";
      return pass(`${canaryReference(this.grant, this.run.runId)}, ${answer.digest}`);
    }
    if (answer.answer.kind === "refused" && !isOverload(answer.answer)) this.#pushed = "nothing";
    return registryVerdict(this.run, this.grant, answer, "push", exhausted, scope);
  }

  /** https://learn.microsoft.com/rest/api/appservice/web-apps/create-or-update */
  async #deploy(scope: CheckScope): Promise<Verdict> {
    const { pullIdentityId = "", containerPort } = this.grant;
    const { location, pullClientId } = this.view;
    const body = {
      location,
      kind: "app,linux,container",
      tags: { "cloud-federation-verify": this.run.runId },
      identity: { type: "UserAssigned", userAssignedIdentities: { [pullIdentityId]: {} } },
      properties: {
        serverFarmId: planId(this.grant),
        reserved: true,
        httpsOnly: true,
        siteConfig: {
          linuxFxVersion: `${CONTAINER_PREFIX}${canaryReference(this.grant, this.run.runId)}`,
          acrUseManagedIdentityCreds: true,
          acrUserManagedIdentityID: pullClientId,
          appSettings: [
            { name: containerSettings.port, value: String(containerPort) },
            { name: "WEBSITES_ENABLE_APP_SERVICE_STORAGE", value: "false" },
          ],
        },
      },
    };
    const call = this.#siteCall("PUT site", "write", { method: "PUT", url: armUrl(this.run.cloud, this.#siteId, "web"), body });
    this.#deployed = "perhaps";
    const asked = await askArm(this.run, scope, call);
    if ("verdict" in asked) {
      if (asked.refusal && !isOverload(asked.refusal)) this.#deployed = "nothing";
      return asked.verdict;
    }
    this.#deployed = "there";
    return this.#named(scope, asked.answer);
  }

  /** The host name is read, never made of the name. */
  async #named(scope: CheckScope, made: Extract<AzureAnswer, { ok: true }>): Promise<Verdict> {
    let answer = made;
    for (;;) {
      const { defaultHostName } = propertiesOf(answer);
      if (typeof defaultHostName === "string" && defaultHostName !== "") {
        this.#host = defaultHostName;
        return pass(defaultHostName);
      }
      scope.progress(`site ${this.#site}: no host name yet`);
      await sleep(VISIT_PAUSE_MS, undefined, { signal: scope.signal });
      const asked = await askArm(this.run, scope, this.#siteCall("GET site", "read", { method: "GET", url: armUrl(this.run.cloud, this.#siteId, "web") }));
      if ("verdict" in asked) return asked.verdict;
      answer = asked.answer;
    }
  }

  #siteCall(operation: string, verb: "read" | "write" | "delete", call: ArmCall["call"]): ArmCall {
    return { check: this.#id("deploy"), operation, action: `Microsoft.Web/sites/${verb}`, scope: this.#siteId, missing: "azure.plan.missing", readable: serviceCheckId(this.grant, "site"), values: { subject: this.#site, resourceGroup: this.grant.resourceGroup, role: this.grant.role }, call };
  }

  async #answer(scope: CheckScope): Promise<Verdict> {
    const { answer, exhausted } = await this.run.waiter.until(
      this.#id("answer"),
      scope,
      () => this.#visit(scope),
      (visited) => ("kind" in visited && visited.kind === "pullUnauthorized" ? startErrors[visited.kind].code : undefined),
    );
    if (!("kind" in answer)) return pass(answer.seen);
    return fail(answer.seen, await startDiagnosis(this.run, this.grant, answer, exhausted, scope));
  }

  /** Until it answers with the run's id, or App Service has given it up: one that starts, or is not routed yet, answers with something else. */
  async #visit(scope: CheckScope): Promise<{ seen: string } | StartFailure> {
    const url = new URL(`https://${this.#host}/`);
    const end = performance.now() + ANSWER_MS;
    for (let visit = 1; ; visit += 1) {
      const answer = await send(this.run.network, { method: "GET", url, deadlineMs: VISIT_DEADLINE_MS, signal: scope.signal });
      const seen = answer.status === "failed" ? `GET ${url.href}: ${answer.detail}` : `GET ${url.href}: ${answer.httpStatus}`;
      if (answer.status === "ok" && answer.httpStatus === 200 && answer.body.includes(this.run.runId)) return { seen: `${seen}, with the run's id` };
      const failure = visit < VISITS_BEFORE_DIAGNOSIS ? undefined : await startFailure(this.run, this.#siteId, seen, scope.signal);
      if (failure) return failure;
      if (performance.now() > end) return { kind: undefined, seen, said: `it has not answered with the run's id for ${ANSWER_MS / 60_000} minutes` };
      scope.progress(`site ${this.#site}: ${answer.status === "failed" ? answer.detail : answer.httpStatus}`);
      await sleep(VISIT_PAUSE_MS, undefined, { signal: scope.signal });
    }
  }

  async #removeSite(scope: CheckScope): Promise<Verdict> {
    const answer = await this.#deleteSite(scope.signal);
    if (answer.ok) return pass(this.#site);
    return this.#deployed === "nothing" ? unknown(`it was gone already: ${describeAnswer(answer)}`) : armVerdict(this.run, this.#siteCall("DELETE site", "delete", { method: "DELETE", url: "" }), answer, true, scope);
  }

  /** Left to itself App Service deletes a plan with its last site. */
  async #deleteSite(signal: AbortSignal): Promise<AzureAnswer> {
    const answer = await askAs(this.run, "arm", { method: "DELETE", url: armUrl(this.run.cloud, this.#siteId, "web", "&deleteMetrics=true&deleteEmptyServerFarm=false") }, signal);
    if (answer.ok || (answer.kind === "refused" && answer.httpStatus === 404)) this.#deployed = "nothing";
    return answer;
  }

  async #removeImage(scope: CheckScope): Promise<Verdict> {
    const failure = await deleteImage(this.run, this.grant.loginServer, this.#image.manifest.digest, scope.signal);
    if (failure) return registryVerdict(this.run, this.grant, failure, "delete", true, scope);
    this.#pushed = "nothing";
    return pass(canaryReference(this.grant, this.run.runId));
  }

  /** Also after a failure and Ctrl-C; what cannot be removed is said. */
  async #cleanUp(scope: CheckScope, signal: AbortSignal): Promise<void> {
    const { registry, resourceGroup, subscriptionId } = this.grant;
    if (this.#deployed !== "nothing") await this.#deleteSite(signal);
    if (this.#deployed !== "nothing") {
      scope.leaves({ what: `site ${this.#site}${this.#deployed === "there" ? "" : ", if it got so far"}`, remove: `az webapp delete --name ${this.#site} --resource-group ${resourceGroup} --subscription ${subscriptionId} --keep-empty-plan` });
    }
    if (this.#pushed === "nothing") return;
    const failure = await deleteImage(this.run, this.grant.loginServer, this.#image.manifest.digest, signal);
    if (failure) {
      scope.leaves({ what: `the image ${canaryReference(this.grant, this.run.runId)}${this.#pushed === "there" ? "" : ", if it got so far"}`, remove: `az acr repository delete --name ${registry} --image ${CANARY_REPOSITORY}:${this.run.runId} --yes` });
    }
  }
}
