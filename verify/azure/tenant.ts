/** Tenant and subscription, asked without any credentials: both tell everybody which they belong to. */
import { azureClouds, type AzureCloudFacts } from "../../facts/azure/clouds.js";
import { API_VERSIONS } from "../../facts/azure/api-versions.js";
import { ENTRA_ERRORS } from "../../facts/azure/entra-errors.js";
import { fail, pass, unknown, type Check, type Verdict } from "../check.js";
import { ask, describeAnswer, isOverload, type AzureAnswer } from "./answers.js";
import { tenantMetadataUrl } from "./endpoints.js";
import { cause, type AzureRun } from "./run.js";

const DEADLINE_MS = 60_000;
const { tenantMissing, tenantMalformed, cloudDiffers, cloudRedirect } = ENTRA_ERRORS;

/** https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#fetch-the-openid-configuration-document */
export function tenantCheck(run: AzureRun): Check {
  const { tenantId } = run.exchange;
  return {
    id: "azure.tenant",
    title: `Tenant ${tenantId}: exists in the contract's cloud`,
    grade: "live",
    required: true,
    needs: ["contract"],
    deadlineMs: DEADLINE_MS,
    run: async ({ signal }) => {
      const url = tenantMetadataUrl(run.cloud, tenantId);
      const answer = await ask(run.network, { method: "GET", url }, signal);
      return answer.ok ? homeVerdict(run, answer.json) : missing(run, answer, signal);
    },
  };
}

/** An authority answers for tenants of other clouds too, with that cloud's endpoints. */
function homeVerdict(run: AzureRun, { token_endpoint: endpoint, cloud_instance_name: instance }: Record<string, unknown>): Verdict {
  const { loginHost, loginAliases, title } = run.cloud;
  const host = typeof endpoint === "string" && URL.canParse(endpoint) ? new URL(endpoint).hostname : "";
  if ([loginHost, ...loginAliases].includes(host)) return pass(`${title}, tokens from ${host}`);
  const home = cloudOfAuthority(host);
  const seen = `its tokens come from ${host === "" ? "?" : host}${typeof instance === "string" ? ` (${instance})` : ""}`;
  return fail(seen, cause(run, "azure.tenant.other-cloud", `${seen}, the contract's cloud has ${loginHost}`, { found: home?.name }));
}

function cloudOfAuthority(host: string): AzureCloudFacts | undefined {
  return Object.values(azureClouds).find(({ loginHost, loginAliases }) => [loginHost, ...loginAliases].includes(host));
}

async function missing(run: AzureRun, answer: Exclude<AzureAnswer, { ok: true }>, signal: AbortSignal): Promise<Verdict> {
  const seen = describeAnswer(answer);
  if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
  const code = Number(answer.code.replace("AADSTS", ""));
  if (code === tenantMalformed.code) return fail(seen, cause(run, "azure.tenant.malformed", seen));
  if (code === cloudDiffers.code || code === cloudRedirect.code) return fail(seen, cause(run, "azure.tenant.other-cloud", seen));
  if (code !== tenantMissing.code) return unknown(seen);
  const home = await homeOf(run, signal);
  if (home) return fail(seen, cause(run, "azure.tenant.other-cloud", [seen, `${home.loginHost} knows it`], { found: home.name }));
  const { subscriptionId } = run.exchange;
  const trusted = subscriptionId === undefined ? undefined : tenantOf(await askSubscription(run, subscriptionId, signal));
  return fail(seen, cause(run, "azure.tenant.missing", [seen, ...(trusted === undefined ? [] : [`the contract's subscription trusts tenant ${trusted}`])], { found: trusted }));
}

/** The other cloud whose authority knows the tenant. */
async function homeOf(run: AzureRun, signal: AbortSignal): Promise<AzureCloudFacts | undefined> {
  const others = Object.values(azureClouds).filter(({ name }) => name !== run.cloud.name);
  const known = await Promise.all(others.map(async (cloud) => ({ cloud, answer: await ask(run.network, { method: "GET", url: tenantMetadataUrl(cloud, run.exchange.tenantId), repeatable: false }, signal) })));
  return known.find(({ answer }) => answer.ok)?.cloud;
}

function askSubscription({ network, cloud }: AzureRun, subscriptionId: string, signal: AbortSignal): Promise<AzureAnswer> {
  return ask(network, { method: "GET", url: `https://${cloud.armHost}/subscriptions/${subscriptionId}?api-version=${API_VERSIONS.subscriptions}` }, signal);
}

/** As the refusal of a call without a token names it. */
function tenantOf(answer: AzureAnswer): string | undefined {
  if (answer.ok || answer.kind === "no-answer" || answer.httpStatus !== 401) return undefined;
  return /authorization_uri="?https:\/\/[^/"]+\/([^/",\s]+)/i.exec(answer.headers["www-authenticate"] ?? "")?.[1];
}

/** ARM's refusal of a call without a token names the tenant that the subscription trusts. https://learn.microsoft.com/azure/azure-resource-manager/management/authenticate-multi-tenant */
export function subscriptionCheck(run: AzureRun, subscriptionId: string): Check {
  return {
    id: "azure.subscription",
    title: `Subscription ${subscriptionId}: exists and is in the tenant`,
    grade: "live",
    required: true,
    needs: ["azure.tenant"],
    deadlineMs: DEADLINE_MS,
    run: async ({ signal }) => {
      const answer = await askSubscription(run, subscriptionId, signal);
      if (answer.ok) return unknown("ARM answers without a token, which it never does: look at the proxy of this machine");
      const seen = describeAnswer(answer);
      if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
      if (answer.httpStatus === 404) return fail(seen, cause(run, "azure.subscription.missing", seen));
      const tenant = tenantOf(answer);
      if (tenant === undefined) return unknown(`ARM does not say which tenant the subscription is in: ${seen}`);
      if (tenant.toLowerCase() === run.exchange.tenantId.toLowerCase()) return pass(`it trusts tenant ${tenant}`);
      return fail(`it trusts tenant ${tenant}`, cause(run, "azure.subscription.other-tenant", `ARM names tenant ${tenant} for it, the contract has ${run.exchange.tenantId}`, { found: tenant }));
    },
  };
}
