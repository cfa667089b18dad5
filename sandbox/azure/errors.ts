/** Refusals of Azure Resource Manager that every resource provider words alike, and the envelope that they come in. */
import { type AzureCloudFacts } from "../../facts/azure/clouds.js";
import { FaultError, type WireResponse } from "../types.js";
import type { TokenFault } from "./tokens.js";
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

export const subscriptionNotFound = (id: string): AzureError => new AzureError(404, "SubscriptionNotFound", `The subscription '${id}' could not be found.`);

/** An access token's issuer. US Government shares the public one's. */
export const tokenIssuer = (tenantId: string, { name }: AzureCloudFacts): string => `https://${name === "china" ? "sts.chinacloudapi.cn" : "sts.windows.net"}/${tenantId}/`;

export function wrongTenant(cloud: AzureCloudFacts, callers: string, subscriptions: string): AzureError {
  const [theirs, ours] = [tokenIssuer(callers, cloud), tokenIssuer(subscriptions, cloud)];
  const authority = `https://${cloud.loginHost}/${subscriptions}`;
  return new AzureError(
    401,
    "InvalidAuthenticationTokenTenant",
    `The access token is from the wrong issuer '${theirs}'. It must match the tenant '${ours}' associated with this subscription. Please use the authority (URL) '${authority}' ` +
      "to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate " +
      "(up to an hour). If you just transferred your subscription and see this error message, please try back later.",
    { headers: { "www-authenticate": challenge(cloud, subscriptions, "invalid_token", "The access token is from the wrong issuer.") } },
  );
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/manage-resources-rest: what a missing or bad token gets; the challenge names the subscription's tenant. */
export function unauthenticated(fault: TokenFault, cloud: AzureCloudFacts, tenantId: string): AzureError {
  const { code, message, description } = UNAUTHENTICATED[fault];
  return new AzureError(401, code, message, { headers: { "www-authenticate": challenge(cloud, tenantId, "invalid_token", description) } });
}

const UNAUTHENTICATED: Readonly<Record<TokenFault, { code: string; message: string; description: string }>> = {
  missing: {
    code: "AuthenticationFailed",
    message: "Authentication failed. The 'Authorization' header is missing.",
    description: "The authentication failed because of missing 'Authorization' header.",
  },
  invalid: { code: "InvalidAuthenticationToken", message: "The access token is invalid.", description: "Could not find identity for access token." },
  expired: { code: "ExpiredAuthenticationToken", message: "The access token expiry UTC time is earlier than current UTC time.", description: "The access token has expired." },
  audience: {
    code: "InvalidAuthenticationTokenAudience",
    message: "The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed audiences of this service.",
    description: "The access token has been obtained for wrong audience or resource.",
  },
};

function challenge({ loginHost }: AzureCloudFacts, tenantId: string, error: string, description: string): string {
  return `Bearer authorization_uri="https://${loginHost}/${tenantId}", error="${error}", error_description="${description}"`;
}
