/** ECR as the docker daemon of a build reaches it: logged in with a password that the build was given. */
import { ecrRefusals } from "../../facts/aws/ecr.js";
import { type Blob, type Image, MANIFEST_TYPE } from "../build/image.js";
import { type ImageRegistry, PushError, noSuchRegistry } from "../build/docker.js";
import { type BuildCloud, NoRoute } from "./build-cloud.js";
import { AwsError } from "./types.js";

/** A registry of ECR and a repository in it. https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html */
const ECR_REFERENCE = /^(?<host>(?<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?)\/(?<repository>[^:@]+)(?::(?<tag>[\w.-]+))?$/;
const ECR_HOST = /^(?:https:\/\/)?(?<host>\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)(?:\/.*)?$/;

/** How registries name ECR's refusals. https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html */
const REGISTRY_ERRORS: Readonly<Record<string, string>> = {
  AccessDenied: "denied",
  AccessDeniedException: "denied",
  ImageTagAlreadyExistsException: "tag invalid",
  InvalidLayerException: "blob upload invalid",
  LayersNotFoundException: "blob unknown",
  RepositoryNotFoundException: "name unknown",
};

export class EcrRegistry implements ImageRegistry {
  readonly #loggedIn = new Set<string>();

  constructor(
    private readonly cloud: BuildCloud,
    /** Whether the tag is written once: the registry's own knowledge, for which no right is needed. */
    private readonly isImmutable: (tag: { account: string; region: string; repository: string; tag: string }) => boolean,
  ) {}

  /** Passwords are those that ECR gave this build; nothing else opens a registry. */
  login(server: string, password: string): boolean {
    const host = ECR_HOST.exec(server)?.groups?.["host"];
    if (host === undefined || !this.cloud.registryPasswords.has(password)) return false;
    this.#loggedIn.add(host);
    return true;
  }

  logout(server: string): void {
    this.#loggedIn.delete(server);
  }

  async push(name: string, image: Image, progress: (line: string) => void): Promise<void> {
    const target = ECR_REFERENCE.exec(name)?.groups;
    if (!target) throw noSuchRegistry(name, "ECR's registries");
    const { host = "", account = "", region = "", repository = "", tag = "latest" } = target;
    if (!this.#loggedIn.has(host)) throw new PushError("no basic auth credentials");
    const url = `https://${host}/v2/`;
    const call = (operation: string, input: Record<string, unknown>) => this.cloud.call("ecr", operation, { registryId: account, repositoryName: repository, ...input }, region, url);
    try {
      for (const each of [...image.layers, image.config]) progress(`${each.digest.slice(7, 19)}: ${await pushBlob(call, each)}`);
      try {
        await call("PutImage", { imageManifest: image.manifest, imageManifestMediaType: MANIFEST_TYPE, imageTag: tag });
      } catch (error) {
        if (!(error instanceof AwsError) || error.code !== "ImageAlreadyExistsException") throw error;
        // The same image again is fine, unless its tag is never to be written again.
        if (this.isImmutable({ account, region, repository, tag })) throw new PushError(`tag invalid: ${ecrRefusals.tagImmutable(tag, repository).message}`);
      }
      progress(`${tag}: digest: ${image.digest} size: ${image.manifest.length}`);
    } catch (error) {
      if (error instanceof NoRoute) throw new PushError(`Get "${error.url}": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`);
      throw error instanceof AwsError ? new PushError(`${REGISTRY_ERRORS[error.code] ?? "unknown"}: ${error.message}`) : error;
    }
  }
}

async function pushBlob(call: (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>, { data, digest }: Blob): Promise<string> {
  const checked = await call("BatchCheckLayerAvailability", { layerDigests: [digest] });
  const [known] = (checked["layers"] ?? []) as { layerAvailability?: string }[];
  if (known?.layerAvailability === "AVAILABLE") return "Layer already exists";
  const { uploadId } = await call("InitiateLayerUpload", {});
  await call("UploadLayerPart", { uploadId, partFirstByte: 0, partLastByte: data.length - 1, layerPartBlob: data });
  try {
    await call("CompleteLayerUpload", { uploadId, layerDigests: [digest] });
  } catch (error) {
    // Another push was faster.
    if (!(error instanceof AwsError) || error.code !== "LayerAlreadyExistsException") throw error;
  }
  return "Pushed";
}
