/** The addresses of services: who may call, and what answers. https://cloud.google.com/run/docs/authenticating/overview */
import { errorPages } from "../../facts/gcp/cloud-run.js";
import { checkSignature } from "../../trust/gcp/issuer-keys.js";
import { audiencesIn, checkTimes } from "../../trust/gcp/token-claims.js";
import { decodeJwt } from "../../trust/jwt.js";
import { RESPONSE_LABEL } from "../containers.js";
import type { Issuers } from "../issuers.js";
import { FaultError, type WireRequest, type WireResponse } from "../types.js";
import { serviceResource } from "./cloud-run-deploy.js";
import { type Revision, type RunService, type RunStore, addresses } from "./cloud-run-store.js";
import { GOOGLE_ISSUER } from "./oauth.js";
import type { GcpServiceContext } from "./service.js";
import { ANONYMOUS } from "./tokens.js";
import type { GcpCaller } from "./types.js";

export const isServiceHost = (host: string): boolean => host.endsWith(".run.app");

interface ContainerAnswer {
  statusCode?: number;
  headers?: Record<string, string>;
  body?: string;
}

export class ServiceAddresses {
  constructor(
    private readonly context: GcpServiceContext,
    private readonly store: RunStore,
    private readonly issuers: Issuers,
  ) {}

  async handle(request: WireRequest): Promise<WireResponse> {
    try {
      await this.context.core.enter("run:Invoke");
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return { status: error.fault.status, headers: { "content-type": "text/plain" }, body: error.fault.message };
    }
    const found = this.store.byHost(request.host);
    // Whoever calls from outside is told nothing of a service for inside.
    if (found?.service.settings.ingress !== "INGRESS_TRAFFIC_ALL" || found.service.settings.defaultUriDisabled === true) return errorPage("notFound", request);
    const { service, tag } = found;
    const refused = this.#refusal(service, request);
    if (refused) return refused;
    const revision = this.#revision(service, tag);
    if (!revision) return errorPage(tag === undefined ? "unavailable" : "notFound", request);
    return answer(service, revision);
  }

  #refusal(service: RunService, request: WireRequest): WireResponse | undefined {
    if (service.settings.invokerIamDisabled === true) return undefined;
    const token = /^Bearer +(\S+)$/i.exec(request.headers["x-serverless-authorization"] ?? request.headers["authorization"] ?? "")?.[1];
    if (this.#mayInvoke(ANONYMOUS, service)) return undefined;
    if (token === undefined) return errorPage("forbidden", request);
    const caller = this.#caller(token, service);
    if (!caller) return errorPage("unauthorized", request, { "www-authenticate": 'Bearer error="invalid_token" error_description="The access token could not be verified"' });
    return this.#mayInvoke(caller, service) ? undefined : errorPage("forbidden", request, { "www-authenticate": 'Bearer error="insufficient_scope" error_description="The request is not authorized to access this resource"' });
  }

  #mayInvoke(caller: GcpCaller, service: RunService): boolean {
    return this.context.allows(caller, "run.routes.invoke", serviceResource(service));
  }

  /** Whom an identity token of Google for this service proves; one without an email address proves nobody. */
  #caller(token: string, service: RunService): GcpCaller | undefined {
    const decoded = decodeJwt(token);
    const issuer = this.issuers.find(GOOGLE_ISSUER);
    if (!decoded || !issuer) return undefined;
    const { claims } = decoded;
    const { email } = claims;
    const valid =
      claims["iss"] === GOOGLE_ISSUER &&
      checkSignature(decoded, { keys: issuer.keys.map(({ jwk }) => jwk) }) === undefined &&
      checkTimes(claims, this.context.core.clock.now()) === undefined &&
      audiencesIn(claims).some((audience) => this.#audiences(service).includes(audience.replace(/\/$/, "")));
    if (!valid || typeof email !== "string" || claims["email_verified"] !== true) return undefined;
    if (!email.endsWith(".gserviceaccount.com")) {
      return { kind: "user", name: email, members: [`user:${email}`, `domain:${email.slice(email.indexOf("@") + 1)}`, "allUsers", "allAuthenticatedUsers"], scopes: [] };
    }
    try {
      return this.context.actAs(email);
    } catch {
      // Deleted or disabled since.
      return undefined;
    }
  }

  #audiences(service: RunService): string[] {
    return [...addresses(service), ...(service.settings.customAudiences ?? []).map((audience) => audience.replace(/\/$/, ""))];
  }

  /** The one that most of the traffic goes to, or the one that a tag names. */
  #revision(service: RunService, tag: string | undefined): Revision | undefined {
    const { traffic } = service.settings;
    const [most] = [...traffic].sort((a, b) => (b.percent ?? 0) - (a.percent ?? 0));
    const target = tag === undefined ? most : traffic.find((each) => each.tag === tag);
    if (tag !== undefined && !target) return undefined;
    const name = target?.revision === undefined ? service.latestReadyRevision : target.revision.slice(target.revision.lastIndexOf("/") + 1);
    const revision = name === undefined ? undefined : this.store.revision(service, name);
    return revision?.failure === undefined ? revision : undefined;
  }
}

/** Without a label: what answers, and from which image. */
function answer(service: RunService, { name, image }: Revision): WireResponse {
  const label = image?.labels[RESPONSE_LABEL];
  const { statusCode = 200, headers = {}, body = "" } =
    label === undefined
      ? { headers: { "content-type": "application/json" }, body: JSON.stringify({ service: service.serviceId, revision: name, imageDigest: image?.digest }) }
      : (JSON.parse(label) as ContainerAnswer);
  return { status: statusCode, headers: { "content-type": "text/plain; charset=utf-8", ...headers, server: "Google Frontend" }, body };
}

function errorPage(kind: keyof typeof errorPages, { url }: WireRequest, headers: Record<string, string> = {}): WireResponse {
  const { status, title, heading, text } = errorPages[kind];
  const shown = url.pathname.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const body = `
<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>${title}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>${heading}</h1>
<h2>${text(shown)}</h2>
<h2></h2>
</body></html>
`;
  return { status, headers: { "content-type": "text/html; charset=UTF-8", server: "Google Frontend", ...headers }, body };
}
