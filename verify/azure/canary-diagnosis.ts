/** Why a site does not answer: what App Service says of its container. https://learn.microsoft.com/azure/app-service/configure-custom-container */
import { startErrors, type StartErrorKind } from "../../facts/azure/app-service.js";
import type { CheckScope, Diagnosis } from "../check.js";
import { confirmed, diagnosis, open } from "./account-reader.js";
import type { AzureCauseCode } from "./causes.js";
import { armUrl, registryId } from "./endpoints.js";
import { cause, type AzureRun } from "./run.js";
import type { ServiceGrant } from "./service.js";
import { askAs } from "./session.js";

const CAUSES: Readonly<Record<StartErrorKind, AzureCauseCode>> = {
  pullUnauthorized: "azure.site.pull-denied",
  pullNotFound: "azure.site.pull-denied",
  pullFailed: "azure.site.pull-denied",
  identityMissing: "azure.site.identity-missing",
  timeout: "azure.site.port-differs",
  exited: "azure.site.no-start",
};

/** Undefined while the container may still be starting. */
export async function startDiagnosis(run: AzureRun, grant: ServiceGrant, site: string, seen: string, { signal }: CheckScope): Promise<Diagnosis | undefined> {
  const answer = await askAs(run, "arm", { method: "GET", url: armUrl(run.cloud, `${site}/siteStatus`, "web") }, signal);
  if (!answer.ok) return undefined;
  const text = answer.body.toString("utf8");
  const kind = (Object.keys(startErrors) as StartErrorKind[]).find((name) => text.includes(startErrors[name].code));
  if (kind === undefined) return undefined;
  const { code } = startErrors[kind];
  const details = /"lastErrorDetails"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const evidence = [seen, `App Service says ${code}${details === undefined ? "" : `: ${details}`}`];
  const values = { subject: grant.site, resourceGroup: grant.resourceGroup, scope: registryId(grant), expected: kind === "timeout" ? String(grant.containerPort) : grant.pullIdentityId };
  const found = (cause_: AzureCauseCode) => cause(run, cause_, evidence, values);
  if (kind !== "pullUnauthorized") return diagnosis([confirmed(found(CAUSES[kind]))]);
  // The registry's refusal is the same for a missing role and for one that is too new.
  return diagnosis([open(found("azure.site.pull-denied")), open(found("azure.registry.arm-tokens-refused"))]);
}
