/**
 * Starts a site's container: the image is pulled with the site's credentials, and must then answer where App Service asks.
 * The time that this takes is not played: how it ends is known at once. A site that did not start tries again when it is next asked.
 * https://learn.microsoft.com/azure/app-service/configure-custom-container
 */
import { DEFAULT_CONTAINER_PORT, START_SECONDS, type StartErrorKind, containerSettings, publicImages, startErrors } from "../../facts/azure/app-service.js";
import { RegistryError } from "../registry.js";
import { type ImagePuller, isRegistryHost, parseImage, type PullCredentials, type PulledImage } from "./container-registry-pull.js";
import type { AzureServiceContext } from "./service.js";
import { type Run, type Site, type WebStore, imageOf } from "./web-store.js";

class StartFailure extends Error {
  constructor(
    readonly kind: StartErrorKind,
    reason: string,
  ) {
    super(reason);
  }
}

export class SiteStarter {
  constructor(
    private readonly context: AzureServiceContext,
    private readonly store: WebStore,
    private readonly puller: ImagePuller,
  ) {}

  /** What became of the site's container, trying again where it did not start. */
  running(site: Site): Run | undefined {
    const run = this.store.run(site);
    return site.properties.state === "Running" && imageOf(site) !== undefined && run?.started === undefined ? this.restart(site) : run;
  }

  /** Undefined where there is no container to start. */
  restart(site: Site): Run | undefined {
    const image = imageOf(site);
    if (image === undefined || site.properties.state !== "Running") return undefined;
    const before = this.store.run(site)?.error;
    const at = this.context.core.clock.now().toISOString();
    const run = this.#start(site, image, at);
    this.store.putRun(site, { ...(before && { error: before }), ...run });
    return run;
  }

  #start(site: Site, image: string, at: string): Run {
    const settings = this.store.settings(site);
    const port = portIn(settings);
    const container = `${site.name.replaceAll("/", "-")}_0_${site.properties.incarnation.slice(0, 8)}`;
    const name = site.name.replaceAll("/", "-");
    try {
      this.store.addLog(site, [`INFO  - Starting container for site`, `INFO  - Pulling image: ${image}`]);
      const pulled = this.#pull(site, image, settings);
      this.store.addLog(site, [`INFO  - docker run -d -p 8081:${port} --name ${container} -e PORT=${port} -e WEBSITE_SITE_NAME=${name} ${image}`]);
      if (pulled && pulled.architecture !== "amd64") throw new StartFailure("exited", `exec format error: the image is for ${pulled.architecture || "an unknown architecture"}, not for amd64.`);
      this.store.addLog(site, [`INFO  - Initiating warmup request to container ${container} for site ${name}`]);
      const listening = pulled?.exposedPorts ?? [];
      if (listening.length > 0 && !listening.includes(port)) throw new StartFailure("timeout", "");
      this.store.addLog(site, [`INFO  - Container ${container} for site ${name} initialized successfully and is ready to serve requests.`]);
      return { image, started: { ...(pulled && { image: pulled }), port, at } };
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error;
      const { code, details: text } = startErrors[error.kind];
      const details = text({ image, port, seconds: secondsIn(settings), reason: error.message }).trim();
      const ping = error.kind === "timeout" ? [`ERROR - Container ${container} didn't respond to HTTP pings on port: ${port}, failing site start. See container logs for debugging.`] : [];
      this.store.addLog(site, [
        ...ping,
        `ERROR - State: Stopping, Action: StoppingSite, LastError: ${code}, LastErrorDetails: ${details}`,
        `INFO  - Stopping site ${name} because it failed during startup.`,
      ]);
      return { image, error: { kind: error.kind, details, at } };
    }
  }

  /** Undefined for an image of the public registry, of which nothing is known here. */
  #pull(site: Site, image: string, settings: Readonly<Record<string, string>>): PulledImage | undefined {
    const reference = parseImage(image);
    if (publicImages.includes(image.replace(/:[^:/]*$/, ""))) return undefined;
    if (!reference || !isRegistryHost(reference.host)) throw new StartFailure("pullFailed", `The sandbox has no registry ${reference?.host ?? "docker.io"}.`);
    try {
      const pulled = this.puller.pull(reference, this.#credentials(site, settings));
      if (pulled) return pulled;
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      const kind = error.status === 401 || error.status === 403 ? "pullUnauthorized" : error.status === 404 ? "pullNotFound" : "pullFailed";
      throw new StartFailure(kind, `${error.code}: ${error.message}`);
    }
    throw new StartFailure("pullFailed", `dial tcp: lookup ${reference.host}: no such host`);
  }

  #credentials(site: Site, settings: Readonly<Record<string, string>>): PullCredentials {
    const { acrUseManagedIdentityCreds, acrUserManagedIdentityID } = site.properties.siteConfig;
    if (acrUseManagedIdentityCreds !== true) {
      const [user, password] = [settings[containerSettings.registryUser], settings[containerSettings.registryPassword]];
      return user === undefined || password === undefined ? { kind: "none" } : { kind: "password", user, password };
    }
    const own = (acrUserManagedIdentityID ?? "") === "";
    const identityId = own ? site.id : this.#assignedIdentity(site, acrUserManagedIdentityID ?? "");
    const caller = identityId === undefined ? undefined : this.context.actAs(identityId);
    if (!caller) throw new StartFailure("identityMissing", own ? "The site has no system-assigned identity." : `The site has no user-assigned identity with the client id ${acrUserManagedIdentityID ?? ""}.`);
    return { kind: "identity", caller };
  }

  #assignedIdentity({ identity }: Site, clientId: string): string | undefined {
    const assigned = Object.keys(identity?.["userAssignedIdentities"] ?? {});
    return assigned.find((id) => this.context.directory.ofResource(id)?.clientId.toLowerCase() === clientId.toLowerCase());
  }
}

function portIn(settings: Readonly<Record<string, string>>): number {
  const given = Number(settings[containerSettings.port]);
  return Number.isInteger(given) && given > 0 ? given : DEFAULT_CONTAINER_PORT;
}

function secondsIn(settings: Readonly<Record<string, string>>): number {
  const given = Number(settings[containerSettings.startSeconds]);
  return Number.isInteger(given) && given > 0 ? Math.min(given, START_SECONDS.most) : START_SECONDS.usual;
}
