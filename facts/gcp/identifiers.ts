/** Names that Google builds from others. https://cloud.google.com/iam/docs/principal-identifiers */

export interface ProviderName {
  projectNumber: string;
  pool: string;
  provider: string;
}

/** `projects/NUMBER/locations/global/workloadIdentityPools/POOL` */
export function poolName(projectNumber: string, pool: string): string {
  return `projects/${projectNumber}/locations/global/workloadIdentityPools/${pool}`;
}

/** `…/workloadIdentityPools/POOL/providers/PROVIDER` */
export function providerName({ projectNumber, pool, provider }: ProviderName): string {
  return `${poolName(projectNumber, pool)}/providers/${provider}`;
}

/** The pool's part of a provider's name. */
export function poolOf(provider: string): string {
  return provider.replace(/\/providers\/[^/]*$/, "");
}

export function serviceAccountEmail(accountId: string, projectId: string): string {
  return `${accountId}@${projectId}.iam.gserviceaccount.com`;
}

export interface ServiceAccountName {
  accountId: string;
  projectId: string;
}

/** Of accounts that users make; undefined for Google's own and for anything else. */
export function parseServiceAccountEmail(email: string): ServiceAccountName | undefined {
  const [, accountId, projectId] = /^([a-z0-9-]+)@([a-z0-9-]+(?:\.[a-z0-9.-]+)?)\.iam\.gserviceaccount\.com$/.exec(email) ?? [];
  return accountId === undefined || projectId === undefined ? undefined : { accountId, projectId };
}

/** The account that builds of a project run as unless they name one. https://cloud.google.com/build/docs/cloud-build-service-account-updates */
export function computeServiceAccountEmail(projectNumber: string): string {
  return `${projectNumber}-compute@developer.gserviceaccount.com`;
}

/** Builds' account of projects that used Cloud Build before June 2024. https://cloud.google.com/build/docs/cloud-build-service-account */
export function legacyBuildServiceAccountEmail(projectNumber: string): string {
  return `${projectNumber}@cloudbuild.gserviceaccount.com`;
}

/** https://cloud.google.com/iam/docs/service-agents */
export function serviceAgentEmail(service: "gcp-sa-cloudbuild" | "serverless-robot-prod" | "container-engine-robot", projectNumber: string): string {
  return `service-${projectNumber}@${service}.iam.gserviceaccount.com`;
}
