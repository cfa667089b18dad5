/** The addresses of sites: what their containers answer, or App Service in their place. */
import { sitePages } from "../../facts/azure/app-service.js";
import { RESPONSE_LABEL } from "../containers.js";
import { FaultError, type SandboxCore, type WireRequest, type WireResponse } from "../types.js";
import type { SiteStarter } from "./web-start.js";
import { type Run, type Site, type WebStore, imageOf } from "./web-store.js";
import { fullName, scmHostOf } from "./web-views.js";

interface ContainerAnswer {
  statusCode?: number;
  headers?: Record<string, string>;
  body?: string;
}

export class SiteAddresses {
  constructor(
    private readonly core: SandboxCore,
    private readonly store: WebStore,
    private readonly starter: SiteStarter,
  ) {}

  serves(host: string): boolean {
    return this.store.byHost(host) !== undefined;
  }

  async handle(request: WireRequest): Promise<WireResponse> {
    try {
      await this.core.enter("web:Request");
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return { status: error.fault.status, headers: { "content-type": "text/plain" }, body: error.fault.message };
    }
    const site = this.store.byHost(request.host);
    if (!site) return { status: 404, headers: { "content-type": "text/plain" }, body: "404 Web Site not found." };
    const { state, httpsOnly, publicNetworkAccess } = site.properties;
    if (publicNetworkAccess === "Disabled") return page("blocked", site);
    if (state === "Stopped") return page("stopped", site);
    if (httpsOnly && !request.secure) return { status: 301, headers: { location: `https://${request.host}${request.url.pathname}${request.url.search}` } };
    if (imageOf(site) === undefined) return { status: 200, headers: { "content-type": "text/html" }, body: "<html><body><h1>Your web app is running and waiting for your content</h1></body></html>\n" };
    const run = this.starter.running(site);
    return run?.started ? answer(site, run, run.started) : page("failed", site);
  }
}

/** Without a label: which site answers, and from which image. */
function answer(site: Site, { image }: Run, { image: pulled }: NonNullable<Run["started"]>): WireResponse {
  const label = pulled?.labels[RESPONSE_LABEL];
  const { statusCode = 200, headers = {}, body = "" } =
    label === undefined
      ? { headers: { "content-type": "application/json" }, body: JSON.stringify({ site: fullName(site), image, imageDigest: pulled?.digest }) }
      : (JSON.parse(label) as ContainerAnswer);
  return { status: statusCode, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body };
}

function page(kind: keyof typeof sitePages, site: Site): WireResponse {
  const { status, title, heading, text } = sitePages[kind];
  const body = `<!DOCTYPE html>
<html>
<head><title>${title}</title></head>
<body>
<h1>${heading}</h1>
<p>${text(scmHostOf(site))}</p>
</body>
</html>
`;
  return { status, headers: { "content-type": "text/html" }, body };
}
