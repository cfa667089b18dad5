/** How services that run containers come by an image of a registry: as a managed identity, or with a password. https://learn.microsoft.com/azure/container-registry/container-registry-authentication */
import { registryRefusals } from "../../facts/azure/container-registry.js";
import { RegistryError } from "../registry.js";
import { CLIENT_ADDRESS, cloudOfRegistry, Registries, refuse } from "./container-registry-access.js";
import { imageConfig } from "./container-registry-images.js";
import { adminPasswords } from "./container-registry-passwords.js";
import type { RegistryContent, StoredManifest } from "./container-registry-store.js";
import type { ArmResource, AzureServiceContext } from "./service.js";
import type { AzureCaller } from "./types.js";

export type PullCredentials = { kind: "identity"; caller: AzureCaller } | { kind: "password"; user: string; password: string } | { kind: "none" };

export interface PulledImage {
  digest: string;
  architecture: string;
  labels: Readonly<Record<string, string>>;
  /** TCP ports that the image declares; it listens on the first. */
  exposedPorts: readonly number[];
}

export interface ImageReference {
  host: string;
  repository: string;
  /** Tag or digest. */
  reference: string;
}

const REFERENCE = /^(?<host>[^/]+)\/(?<repository>[^:@]+)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/** Undefined for what is no image with a registry's host in front. */
export function parseImage(image: string): ImageReference | undefined {
  const { host, repository, tag = "latest", digest } = REFERENCE.exec(image)?.groups ?? {};
  return host === undefined || repository === undefined || !host.includes(".") ? undefined : { host: host.toLowerCase(), repository, reference: digest ?? tag };
}

export const isRegistryHost = (host: string): boolean => cloudOfRegistry(host) !== undefined;

export class ImagePuller {
  readonly #registries: Registries;

  constructor(private readonly context: AzureServiceContext) {
    this.#registries = new Registries(context);
  }

  /** Undefined where no registry has that name. Throws {@link RegistryError} where the image is not to be had. */
  pull({ host, repository, reference }: ImageReference, credentials: PullCredentials): PulledImage | undefined {
    const registry = this.#registries.byHost(host);
    if (!registry) return undefined;
    if (!this.#registries.admits(registry)) throw refuse(registryRefusals.firewall(CLIENT_ADDRESS));
    this.#requirePull(registry, repository, credentials);
    const content = this.#registries.content(registry);
    const found = content.manifest(repository, reference);
    if (!found) throw refuse(registryRefusals.manifestMissing(reference));
    return described(content, chosen(content, found));
  }

  /** A managed identity comes with a token for Resource Manager, which some registries do not take. */
  #requirePull(registry: ArmResource, repository: string, credentials: PullCredentials): void {
    if (credentials.kind === "identity") {
      if (!this.#registries.takesArmTokens(registry) || credentials.caller.tenantId !== this.#registries.tenantOf(registry)) throw refuse(registryRefusals.tokenInvalid());
      if (!this.#registries.allows(credentials.caller, registry, "pull", repository)) throw refuse(registryRefusals.unauthorized());
      return;
    }
    if (registry.properties["anonymousPullEnabled"] === true) return;
    if (credentials.kind === "none" || !this.#isAdmin(registry, credentials)) throw refuse(registryRefusals.unauthorized());
  }

  #isAdmin(registry: ArmResource, { user, password }: { user: string; password: string }): boolean {
    const known = registry.properties["adminUserEnabled"] === true && user.toLowerCase() === registry.name.toLowerCase();
    return known && adminPasswords(this.context.core.store, registry).some(({ value }) => value === password);
  }
}

/** Of an image for several platforms, the one for Linux on amd64. */
function chosen(content: RegistryContent, manifest: StoredManifest): StoredManifest {
  const { manifests } = JSON.parse(manifest.document) as { manifests?: { digest: string; platform?: { os?: string; architecture?: string } }[] };
  if (!manifests) return manifest;
  const own = manifests.find(({ platform }) => platform?.os === "linux" && platform.architecture === "amd64");
  const found = own && content.manifest(manifest.repository, own.digest);
  if (!found) throw new RegistryError(404, "MANIFEST_UNKNOWN", "no matching manifest for linux/amd64 in the manifest list entries");
  return found;
}

function described(content: RegistryContent, { repository, digest, document }: StoredManifest): PulledImage {
  const { config } = JSON.parse(document) as { config?: { digest: string } };
  const { architecture = "", config: settings } = imageConfig(content, repository, config?.digest);
  const exposedPorts = Object.keys(settings?.ExposedPorts ?? {}).flatMap((port) => (/^(\d+)(?:\/tcp)?$/.test(port) ? [Number.parseInt(port, 10)] : []));
  return { digest, architecture, labels: settings?.Labels ?? {}, exposedPorts };
}
