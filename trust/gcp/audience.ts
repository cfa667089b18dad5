/**
 * The one provider and its many spellings: what people paste, and what each place wants.
 * https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
import { POOL_ID } from "../../facts/gcp/iam.js";
import { providerName, type ProviderName } from "../../facts/gcp/identifiers.js";

const HOST = "//iam.googleapis.com/";

export interface ProviderAudiences extends ProviderName {
  /** `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  name: string;
  /** The `audience` that STS is asked with: `//iam.googleapis.com/projects/…`. */
  stsAudience: string;
  /** What a token's `aud` may be where the provider names no audiences of its own. */
  defaultTokenAudiences: readonly [https: string, plain: string];
  /** Value of `x-goog-cloud-target-resource` in an AWS workload's signed request. */
  targetResource: string;
}

export function audiencesOf(provider: ProviderName): ProviderAudiences {
  const name = providerName(provider);
  return { ...provider, name, stsAudience: `${HOST}${name}`, defaultTokenAudiences: [`https:${HOST}${name}`, `${HOST}${name}`], targetResource: `${HOST}${name}` };
}

const NAME = /^projects\/([^/]+)\/locations\/([^/]+)\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/;

/** Any spelling of a provider: bare, with `//iam.googleapis.com/`, `https://` or `http://` before it; otherwise why it is none. */
export function normaliseAudience(text: string): ProviderAudiences | string {
  const pasted = text.trim();
  const bare = pasted.replace(/^(https?:)?\/\/iam\.googleapis\.com\//, "").replace(/^v1\//, "").replace(/\/+$/, "");
  const [, project, location, pool, provider] = NAME.exec(bare) ?? [];
  if (project === undefined || location === undefined || pool === undefined || provider === undefined) return formProblem(bare, pasted);
  if (!/^[1-9]\d*$/.test(project)) {
    return `names the project by its id ${JSON.stringify(project)}; a provider's name has the project's number (gcloud projects describe ${/^[a-z0-9-]+$/.test(project) ? project : "PROJECT"} --format="value(projectNumber)")`;
  }
  if (location !== "global") return `names the location ${JSON.stringify(location)}; workload identity pools are in "global" only`;
  const malformed = [pool, provider].find((id) => !POOL_ID.pattern.test(id));
  if (malformed !== undefined) return `has ${JSON.stringify(malformed)} where an id of 4 to 32 lower-case letters, digits and hyphens belongs`;
  return audiencesOf({ projectNumber: project, pool, provider });
}

function formProblem(bare: string, pasted: string): string {
  const form = "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";
  if (/\/workloadIdentityPools\/[^/]+$/.test(bare)) return `is the name of a pool; add /providers/PROVIDER: ${JSON.stringify(pasted)}`;
  if (/^locations\/[^/]+\/workforcePools\//.test(bare)) return `is the name of a workforce pool; a workload identity provider is ${form}`;
  return `must be the full name of a provider, ${form}; got ${JSON.stringify(pasted)}`;
}

/** The provider that a request to STS names: only the plain form counts, with whatever stands for the project. */
export function parseStsAudience(audience: string): { project: string; pool: string; provider: string } | undefined {
  if (!audience.startsWith(HOST)) return undefined;
  const [, project, location, pool, provider] = NAME.exec(audience.slice(HOST.length)) ?? [];
  if (project === undefined || location !== "global" || pool === undefined || provider === undefined) return undefined;
  return { project, pool, provider };
}

/** Whether a text names the provider as `x-goog-cloud-target-resource` and default audiences may: with `https:` or without. */
export function namesProvider(text: string, provider: string): boolean {
  return text === `${HOST}${provider}` || text === `https:${HOST}${provider}`;
}
