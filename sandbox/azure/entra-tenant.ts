/** What Entra says of tenants that are none. */
import { EntraError } from "./entra-errors.js";

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/i;

/** Undefined for what could be a tenant. */
export function tenantMalformed(tenant: string): EntraError | undefined {
  if (GUID.test(tenant) || DOMAIN.test(tenant)) return undefined;
  return new EntraError(400, "invalid_request", 900023, `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`);
}

/** At discovery; the token endpoint's `error` differs. */
export const tenantMissing = (tenant: string): EntraError =>
  new EntraError(
    400,
    "invalid_tenant",
    90002,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  );
