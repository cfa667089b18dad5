/** Where Azure's requests arrive: which service and method is meant, who calls, and the answer in the service's shape. */
import { randomUUID } from "node:crypto";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import type { WireRequest, WireResponse, WireService } from "../types.js";
import type { Accounts } from "./accounts.js";
import { json, renderError, subscriptionNotFound, unauthenticated } from "./errors.js";
import type { Gate } from "./gate.js";
import { cloudOf, type RouteMatch, type Router } from "./router.js";
import { type AzureAnswer, type AzureRequest, type AzureService, RawAnswer } from "./service.js";
import { ANONYMOUS, type Tokens } from "./tokens.js";
import { AzureError, type AzureCaller } from "./types.js";

export interface FrontParts {
  router: Router;
  gate: Gate;
  tokens: Tokens;
  accounts: Accounts;
}

export class AzureFront implements WireService {
  constructor(private readonly parts: FrontParts) {}

  serves(host: string, direct: boolean, request: WireRequest): boolean {
    return direct ? this.#atOwnEndpoint(request) !== undefined || this.#meant(request) !== undefined : this.parts.router.servicesAt(host).length > 0;
  }

  async handle(request: WireRequest): Promise<WireResponse> {
    const { router, gate } = this.parts;
    const services = router.servicesAt(request.host);
    for (const service of services.length > 0 ? services : [this.#atOwnEndpoint(request)]) {
      const answer = service?.handle?.(request);
      if (answer) return answer;
    }
    const match = services.length === 0 ? this.#meant(request) : router.find(request.method, request.url.pathname, services);
    const service = match?.service ?? services[0];
    const cloud = cloudOf(request.host);
    try {
      if (!match) throw noSuchMethod(request, router.hasPath(request.url.pathname, services));
      const answer = await gate.pass(match, () => this.#read(match, request, cloud));
      return withIds(respond(answer), request);
    } catch (error) {
      return withIds((service?.renderError ?? renderError)(error, request), request);
    }
  }

  #atOwnEndpoint(request: WireRequest): AzureService | undefined {
    return this.parts.router.services.find((service) => service.servesDirect?.(request) === true);
  }

  /** What a request to the loopback listener means, from a client with an endpoint of its own: of the public cloud's Entra, ARM and Graph, whose paths are like no other service's. */
  #meant({ method, url, headers }: WireRequest): RouteMatch | undefined {
    if (headers["authorization"]?.startsWith("AWS4-") === true || !OWN_PATHS.test(url.pathname)) return undefined;
    const { router } = this.parts;
    return router.find(method, url.pathname, router.services.filter((service) => !("servesDirect" in service)));
  }

  #read({ service, route }: RouteMatch, request: WireRequest, cloud: AzureCloudFacts): Omit<AzureRequest, "params"> {
    const { method, url, headers, body } = request;
    return {
      caller: this.#caller(request, { cloud, service, anonymous: route.anonymous === true }),
      cloud,
      method,
      url,
      query: url.searchParams,
      headers,
      body: readJson(request),
      raw: body,
    };
  }

  #caller(request: WireRequest, asked: { cloud: AzureCloudFacts; service: AzureService; anonymous: boolean }): AzureCaller {
    const { cloud, service } = asked;
    const { accounts, tokens } = this.parts;
    const audiences = service.arm === true ? [`https://${cloud.armHost}`, cloud.armLegacyAudience, request.url.origin] : (service.audiences?.(cloud) ?? []);
    const inspected = tokens.inspect(bearerOf(request), audiences);
    if ("caller" in inspected) return inspected.caller;
    if (asked.anonymous) return ANONYMOUS;
    const named = service.arm === true ? /^\/subscriptions\/([^/]+)/i.exec(request.url.pathname)?.[1] : undefined;
    const subscription = named === undefined ? undefined : accounts.subscription(named);
    if (named !== undefined && !subscription) throw subscriptionNotFound(named);
    throw unauthenticated(inspected, cloud, subscription?.tenantId ?? "common", audiences);
  }
}

/** Entra's, ARM's and Graph's. */
const OWN_PATHS = /^\/(?:[^/]+\/(?:oauth2|v2\.0|discovery|\.well-known)\/|subscriptions(?:\/|$)|tenants$|providers\/microsoft\.|metadata\/endpoints$|v1\.0\/(?:applications|servicePrincipals|directoryObjects|directory|identity|organization|me)\b)/i;

function bearerOf({ headers }: WireRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1];
}

function noSuchMethod({ method, url, host }: WireRequest, knownPath: boolean): AzureError {
  return knownPath
    ? new AzureError(405, "MethodNotAllowed", `The request method ${method} is not allowed at this address.`)
    : new AzureError(404, "NotFound", `The sandbox has no ${method} ${url.pathname} at ${host}.`);
}

/** What is put as content may claim to be JSON; ARM and Graph want it to be. */
function readJson({ headers, body }: WireRequest): unknown {
  if (body.length === 0 || !/^application\/(?:[\w.+-]*\+)?json\b/i.test(headers["content-type"] ?? "")) return undefined;
  const text = body.toString("utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    // The `az` CLI puts a template's text into the body under a name without quotes.
    const repaired = text.replace(/([{,]\s*)template\s*:/, '$1"template":');
    if (repaired !== text) return readJson({ headers, body: Buffer.from(repaired) } as WireRequest);
    throw new AzureError(400, "InvalidRequestContent", `The request content was invalid and could not be deserialized: '${error instanceof Error ? error.message : ""}'.`);
  }
}

function respond(answer: AzureAnswer): WireResponse {
  return answer instanceof RawAnswer ? answer.response : json(200, answer);
}

/** Every answer can be asked after by an id. */
function withIds({ headers, ...response }: WireResponse, request: WireRequest): WireResponse {
  const id = randomUUID();
  const asked = request.headers["x-ms-client-request-id"];
  return { ...response, headers: { "x-ms-request-id": id, "request-id": id, ...(asked !== undefined && { "x-ms-client-request-id": asked }), ...headers } };
}
