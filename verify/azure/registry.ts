/** A container registry as clients of images talk to it: Entra's token in, the registry's own tokens out, layers and manifests. https://azure.github.io/acr/AAD-OAuth.html */
import { ask, type AzureAnswer, type AzureCall, type AzureFailure } from "./answers.js";
import type { CanaryImage } from "./canary-image.js";
import type { AzureRun } from "./run.js";

/** Everything that runs push is in a repository of its own. */
export const CANARY_REPOSITORY = "cf-verify";

/** Failed, and at what. */
export interface RegistryFailure {
  step: string;
  answer: AzureFailure;
}

/**
 * A token of the registry's own for one repository.
 *
 * @param rights such as `pull,push`; the token is good for those of them that the session holds
 * @param resource whose token of Entra is presented
 */
export async function registryToken(run: AzureRun, loginServer: string, rights: string, signal: AbortSignal, resource: "registry" | "arm" = "registry"): Promise<{ token: string } | RegistryFailure> {
  const exchanged = await ask(
    run.network,
    {
      method: "POST",
      url: `https://${loginServer}/oauth2/exchange`,
      body: new URLSearchParams({ grant_type: "access_token", service: loginServer, tenant: run.exchange.tenantId, access_token: run.sessions.get(resource) ?? "" }),
    },
    signal,
  );
  const refresh = tokenIn(run, exchanged, "refresh_token");
  if (typeof refresh !== "string") return { step: "POST /oauth2/exchange", answer: refresh };
  const given = await ask(
    run.network,
    {
      method: "POST",
      url: `https://${loginServer}/oauth2/token`,
      body: new URLSearchParams({ grant_type: "refresh_token", service: loginServer, scope: `repository:${CANARY_REPOSITORY}:${rights}`, refresh_token: refresh }),
    },
    signal,
  );
  const token = tokenIn(run, given, "access_token");
  return typeof token === "string" ? { token } : { step: "POST /oauth2/token", answer: token };
}

function tokenIn(run: AzureRun, answer: AzureAnswer, member: string): string | AzureFailure {
  if (!answer.ok) return answer;
  const token = answer.json[member];
  if (typeof token !== "string" || token === "") return { ok: false, kind: "no-answer", detail: `the answer has no ${member} in it` };
  run.scrubber.register(token);
  return token;
}

/** Tags of the repository of runs, which need not be there. */
export function tagsCall(loginServer: string, token: string): AzureCall {
  return { method: "GET", url: `https://${loginServer}/v2/${CANARY_REPOSITORY}/tags/list`, accessToken: token };
}

/** Pushes config, layer and manifest. https://distribution.github.io/distribution/spec/api/#pushing-an-image */
export async function pushImage(run: AzureRun, loginServer: string, image: CanaryImage, tag: string, signal: AbortSignal): Promise<{ digest: string } | RegistryFailure> {
  const signedIn = await registryToken(run, loginServer, "pull,push", signal);
  if (!("token" in signedIn)) return signedIn;
  const accessToken = signedIn.token;
  for (const { digest, content } of image.blobs) {
    const begun = await ask(run.network, { method: "POST", url: `https://${loginServer}/v2/${CANARY_REPOSITORY}/blobs/uploads/`, accessToken }, signal);
    if (!begun.ok) return { step: "POST blob upload", answer: begun };
    const upload = uploadUrl(loginServer, begun.headers["location"], digest);
    if (upload === undefined) return { step: "POST blob upload", answer: { ok: false, kind: "no-answer", detail: "the answer names no place of the registry to upload to" } };
    const put = await ask(run.network, { method: "PUT", url: upload, accessToken, raw: { contentType: "application/octet-stream", content }, repeatable: false }, signal);
    if (!put.ok) return { step: "PUT blob", answer: put };
  }
  const { mediaType, document, digest } = image.manifest;
  const put = await ask(run.network, { method: "PUT", url: manifestUrl(loginServer, tag), accessToken, raw: { contentType: mediaType, content: document } }, signal);
  return put.ok ? { digest } : { step: "PUT manifest", answer: put };
}

/** On the registry's own host: the token goes nowhere else. */
function uploadUrl(loginServer: string, location: string | undefined, digest: string): string | undefined {
  const base = `https://${loginServer}/`;
  if (location === undefined || !URL.canParse(location, base)) return undefined;
  const url = new URL(location, base);
  url.searchParams.set("digest", digest);
  return url.protocol === "https:" && url.host === loginServer ? url.href : undefined;
}

function manifestUrl(loginServer: string, reference: string): string {
  return `https://${loginServer}/v2/${CANARY_REPOSITORY}/manifests/${reference}`;
}

/** Undefined when it is gone. */
export async function deleteImage(run: AzureRun, loginServer: string, digest: string, signal: AbortSignal): Promise<RegistryFailure | undefined> {
  const signedIn = await registryToken(run, loginServer, "delete", signal);
  if (!("token" in signedIn)) return signedIn;
  const answer = await ask(run.network, { method: "DELETE", url: manifestUrl(loginServer, digest), accessToken: signedIn.token }, signal);
  return answer.ok || (answer.kind === "refused" && answer.httpStatus === 404) ? undefined : { step: "DELETE manifest", answer };
}
