/** Refusals of Azure Resource Manager that every resource provider words alike, and the envelope that they come in. */
import type { ArmErrorName } from "../../facts/azure/arm-errors.js";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import { FaultError, type WireResponse } from "../types.js";
import { armError } from "./arm-errors.js";
import type { Refused } from "./tokens.js";
import { AzureError } from "./types.js";

/** https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
export function renderError(error: unknown): WireResponse {
  const { status, code, message, extra } = asAzureError(error);
  return json(status, { error: { code, message, ...(extra.details && { details: extra.details }) } }, extra.headers);
}

/** What has no words of Azure's gets some: faults those of the administrator, a mistake of the sandbox its own. */
export function asAzureError(error: unknown): AzureError {
  if (error instanceof AzureError) return error;
  if (error instanceof FaultError) return new AzureError(error.fault.status, error.fault.code, error.fault.message);
  return new AzureError(500, "InternalServerError", `The sandbox failed at this request: ${error instanceof Error ? error.message : String(error)}`);
}

export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): WireResponse {
  return { status, headers: { "content-type": "application/json; charset=utf-8", ...headers }, body: JSON.stringify(body) };
}

export const subscriptionNotFound = (id: string): AzureError => armError("subscriptionNotFound", id);

/** An access token's issuer. US Government shares the public one's. */
export const tokenIssuer = (tenantId: string, { name }: AzureCloudFacts): string => `https://${name === "china" ? "sts.chinacloudapi.cn" : "sts.windows.net"}/${tenantId}/`;

export function wrongTenant(cloud: AzureCloudFacts, callers: string, subscriptions: string): AzureError {
  const { status, code, message } = armError("tokenTenant", callers, subscriptions);
  return new AzureError(status, code, message, { headers: { "www-authenticate": challenge(cloud, subscriptions, "The access token is from the wrong issuer.") } });
}

/** What a missing or bad token gets; the challenge names the tenant to ask. */
export function unauthenticated({ fault, audience = "" }: Refused, cloud: AzureCloudFacts, tenantId: string, audiences: readonly string[] = []): AzureError {
  const { status, code, message } = armError(FACT_OF[fault], audience, audiences.join("','"));
  const description = fault === "missing" ? "The authentication failed because of missing 'Authorization' header." : message;
  return new AzureError(status, code, message, { headers: { "www-authenticate": challenge(cloud, tenantId, description) } });
}

const FACT_OF: Readonly<Record<Refused["fault"], ArmErrorName>> = { missing: "authenticationMissing", invalid: "tokenInvalid", expired: "tokenExpired", audience: "tokenAudience" };

function challenge({ loginHost }: AzureCloudFacts, tenantId: string, description: string): string {
  return `Bearer authorization_uri="https://${loginHost}/${tenantId}", error="invalid_token", error_description="${description.replaceAll('"', "'")}"`;
}
