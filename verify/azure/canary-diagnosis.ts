/** Why a site does not answer: what App Service says of its container. https://learn.microsoft.com/azure/app-service/configure-custom-container */
import { startErrors, type StartErrorKind } from "../../facts/azure/app-service.js";
import type { CheckScope, Diagnosis } from "../check.js";
import { confirmed, diagnosis, narrow, open } from "./account-reader.js";
import { IMAGE_ACTIONS } from "./registry-checks.js";
import type { AzureCauseCode } from "./causes.js";
import { armUrl, registryId } from "./endpoints.js";
import { cause, type AzureRun } from "./run.js";
import type { ServiceGrant } from "./service.js";
import { askAs } from "./session.js";

const CAUSES: Readonly<Record<StartErrorKind, AzureCauseCode>> = {
  pullUnauthorized: "azure.site.pull-denied",
  pullNotFound: "azure.site.image-unavailable",
  pullFailed: "azure.site.image-unavailable",
  identityMissing: "azure.site.identity-missing",
  timeout: "azure.site.port-differs",
  exited: "azure.site.no-start",
};

/** Of a site that does not answer, without a word of App Service. */
const UNEXPLAINED: readonly AzureCauseCode[] = ["azure.site.pull-denied", "azure.site.image-unavailable", "azure.site.no-start"];

export interface StartFailure {
  /** Undefined where App Service does not say. */
  kind: StartErrorKind | undefined;
  seen: string;
  /** In App Service's words. */
  said: string;
}

/** Undefined while the container may still be starting. https://learn.microsoft.com/rest/api/appservice/web-apps/get-web-site-container-logs */
export async function startFailure(run: AzureRun, site: string, seen: string, signal: AbortSignal): Promise<StartFailure | undefined> {
  const answer = await askAs(run, "arm", { method: "GET", url: armUrl(run.cloud, `${site}/siteStatus`, "web") }, signal);
  if (!answer.ok) return undefined;
  const text = answer.body.toString("utf8");
  const kind = (Object.keys(startErrors) as StartErrorKind[]).find((name) => text.includes(startErrors[name].code));
  if (kind === undefined) return undefined;
  const details = /"lastErrorDetails"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return { kind, seen, said: `App Service says ${startErrors[kind].code}${details === undefined ? "" : `: ${details}`}` };
}

/** @param waited the whole time for propagation */
export async function startDiagnosis(run: AzureRun, grant: ServiceGrant, { kind, seen, said }: StartFailure, waited: boolean, scope: CheckScope): Promise<Diagnosis> {
  const evidence = [seen, said];
  const values = { subject: grant.site, resourceGroup: grant.resourceGroup, scope: registryId(grant), expected: kind === "timeout" ? String(grant.containerPort) : grant.pullIdentityId };
  if (kind === undefined) return { causes: UNEXPLAINED.map((code) => cause(run, code, evidence, values)), layersNotRead: ["App Service's container log"] };
  const found = cause(run, CAUSES[kind], evidence, values);
  if (kind !== "pullUnauthorized") return { causes: [found], layersNotRead: [] };
  // App Service pulls with a token for ARM; whether the registry takes such was asked before.
  const arm = await scope.outcome(`azure.runtime.${grant.id}.registry-arm`);
  const refused = arm?.status === "fail" ? arm.diagnosis.causes.find(({ code }) => code === "azure.registry.arm-tokens-refused") : undefined;
  if (refused) return { causes: [{ ...refused, evidence: [...evidence, ...refused.evidence] }], layersNotRead: [] };
  const suspects = [open(found), ...(waited ? [] : [open(cause(run, "azure.rbac.not-propagated", said, values))])];
  const narrowed = await narrow(run, { about: "right", action: IMAGE_ACTIONS.pull, dataAction: false, scope: registryId(grant), principal: grant.pullIdentityId }, suspects, said);
  return diagnosis(narrowed) ?? diagnosis([confirmed(found)]) ?? { causes: [found], layersNotRead: [] };
}
