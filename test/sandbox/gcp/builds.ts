/** Projects that builds and services are tried in: APIs enabled, buckets, repositories and sources as the stack and DCF make them. */
import { gzipSync } from "node:zlib";
import { writeTar } from "../../../sandbox/build/archive.js";
import type { Sandbox } from "../../../sandbox/index.js";
import type { Send } from "./proxied.js";

export const PROJECT = "customer-app-prod";
export const NUMBER = "123456789012";
export const REGION = "us-central1";
export const REPOSITORY = "dcf-images";
export const SOURCE_BUCKET = "customer-app-staging";
export const BUILD = "https://cloudbuild.googleapis.com/v1";
export const RUN = "https://run.googleapis.com/v2";

export const imageOf = (name: string, tag = "1", repository = REPOSITORY, project = PROJECT): string => `${REGION}-docker.pkg.dev/${project}/${repository}/${name}:${tag}`;

export interface Policy {
  bindings?: { role: string; members: string[] }[];
}

/** A build as the API shows it. */
export interface BuildView {
  id: string;
  status: string;
  statusDetail?: string;
  finishTime?: string;
  steps: { status: string; exitCode?: number }[];
  results?: { images: { name: string; digest: string }[] };
  failureInfo?: { type: string; detail: string };
  warnings?: { text: string; priority: string }[];
}

/** Lets the administrator do something that has to go well. */
export function administrator(sandbox: Sandbox): <T = unknown>(method: string, url: string, body?: unknown) => Promise<T> {
  return (method, url, body) => sandbox.gcp.call(sandbox.gcp.administrator().caller, method, url, body);
}

export async function enableApis(sandbox: Sandbox, project = PROJECT): Promise<void> {
  const serviceIds = ["artifactregistry.googleapis.com", "cloudbuild.googleapis.com", "iamcredentials.googleapis.com", "run.googleapis.com"];
  await administrator(sandbox)("POST", `https://serviceusage.googleapis.com/v1/projects/${project}/services:batchEnable`, { serviceIds });
}

export async function createRepository(sandbox: Sandbox, repository = REPOSITORY, project = PROJECT): Promise<void> {
  await administrator(sandbox)("POST", `https://artifactregistry.googleapis.com/v1/projects/${project}/locations/${REGION}/repositories?repositoryId=${repository}`, { format: "DOCKER" });
}

export async function createBucket(sandbox: Sandbox, name = SOURCE_BUCKET): Promise<void> {
  await administrator(sandbox)("POST", `https://storage.googleapis.com/storage/v1/b?project=${PROJECT}`, { name, location: REGION, iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } });
}

/** A tar archive of files, staged; answers its generation. */
export async function stage(send: Send, token: string, object: string, files: Readonly<Record<string, string>>, bucket = SOURCE_BUCKET): Promise<string> {
  const archive = gzipSync(writeTar(Object.entries(files).map(([path, text]) => ({ path, data: Buffer.from(text) }))));
  const { body } = await send("POST", `https://storage.googleapis.com/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(object)}`, { token, body: archive, headers: { "content-type": "application/gzip" } });
  return body.generation;
}

/** Adds a binding to a policy that is read and set by `:getIamPolicy` and `:setIamPolicy`, by GET or by POST. */
export async function grant(sandbox: Sandbox, resource: string, role: string, member: string, reading: "GET" | "POST" = "GET"): Promise<void> {
  const call = administrator(sandbox);
  const policy = await call<Policy>(reading, `${resource}:getIamPolicy`);
  await call("POST", `${resource}:setIamPolicy`, { policy: { ...policy, bindings: [...(policy.bindings ?? []), { role, members: [member] }] } });
}

export const onProject = (sandbox: Sandbox, role: string, member: string, project = PROJECT): Promise<void> =>
  grant(sandbox, `https://cloudresourcemanager.googleapis.com/v1/projects/${project}`, role, member, "POST");
export const onRepository = (sandbox: Sandbox, role: string, member: string, repository = REPOSITORY, project = PROJECT): Promise<void> =>
  grant(sandbox, `https://artifactregistry.googleapis.com/v1/projects/${project}/locations/${REGION}/repositories/${repository}`, role, member);
export const onAccount = (sandbox: Sandbox, email: string, role: string, member: string): Promise<void> =>
  grant(sandbox, `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${email}`, role, member, "POST");
export const onService = (sandbox: Sandbox, service: string, role: string, member: string): Promise<void> => grant(sandbox, `${RUN}/projects/${PROJECT}/locations/${REGION}/services/${service}`, role, member);

export async function onBucket(sandbox: Sandbox, role: string, member: string, bucket = SOURCE_BUCKET): Promise<void> {
  const call = administrator(sandbox);
  const url = `https://storage.googleapis.com/storage/v1/b/${bucket}/iam`;
  const policy = await call<Policy>("GET", url);
  await call("PUT", url, { ...policy, bindings: [...(policy.bindings ?? []), { role, members: [member] }] });
}

/** Waits until a build is over. */
export async function finished(sandbox: Sandbox, id: string, location = "global"): Promise<BuildView> {
  for (let tries = 0; tries < 1000; tries++) {
    const build = await administrator(sandbox)<BuildView>("GET", `${BUILD}/projects/${PROJECT}/locations/${location}/builds/${id}`);
    if (build.finishTime !== undefined) return build;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the build ${id} does not end`);
}

/** Lines of a build's log in Cloud Logging. */
export async function logLines(sandbox: Sandbox, id: string): Promise<string[]> {
  const { entries = [] } = await administrator(sandbox)<{ entries?: { textPayload: string }[] }>("POST", "https://logging.googleapis.com/v2/entries:list", {
    resourceNames: [`projects/${PROJECT}`],
    filter: `resource.type="build" AND resource.labels.build_id="${id}"`,
    pageSize: 1000,
  });
  return entries.map(({ textPayload }) => textPayload);
}
