/** Where Google's requests arrive: which service and method is meant, who calls, and the answer in the service's shape. */
import type { WireRequest, WireResponse, WireService } from "../types.js";
import { invalidArgument, json, renderError, unauthenticated } from "./errors.js";
import { apiOf, type Gate } from "./gate.js";
import { askedOperation, type Operations } from "./operations.js";
import type { RouteMatch, Router } from "./router.js";
import { type GcpAnswer, type GcpRequest, type GcpService, RawAnswer } from "./service.js";
import { ANONYMOUS, type Tokens } from "./tokens.js";
import { GcpError, type GcpCaller } from "./types.js";

export interface FrontParts {
  router: Router;
  gate: Gate;
  tokens: Tokens;
  operations: Operations;
}

export class GcpFront implements WireService {
  constructor(private readonly parts: FrontParts) {}

  serves(host: string, direct: boolean, request: WireRequest): boolean {
    return direct ? this.#meant(request) !== undefined : this.parts.router.servicesAt(host).length > 0;
  }

  async handle(request: WireRequest): Promise<WireResponse> {
    const services = this.parts.router.servicesAt(request.host);
    for (const service of services) {
      const answer = service.handle?.(request);
      if (answer) return answer;
    }
    const direct = services.length === 0;
    const match = direct ? this.#meant(request) : this.#match(request, services);
    const service = match?.service ?? services[0];
    try {
      if (!match) throw new GcpError("UNIMPLEMENTED", `The sandbox has no ${request.method} ${request.url.pathname} at ${request.host}.`);
      const url = direct ? new URL(request.rawTarget, `https://${apiOf(match.service)}`) : request.url;
      const answer = await this.parts.gate.pass(match, () => this.#read(match, request, url));
      return direct ? atOwnAddress(respond(answer), url, request) : respond(answer);
    } catch (error) {
      return (service?.renderError ?? renderError)(error, request);
    }
  }

  /**
   * The method that a request to the loopback listener means, from a client with an endpoint of its own. Requests that are signed
   * for AWS are AWS's, and so are those without a token whose path could be anything.
   */
  #meant(request: WireRequest): RouteMatch | undefined {
    if (isForAws(request)) return undefined;
    const match = this.#match(request, this.parts.router.services);
    return match && (!match.route.path.startsWith("/{") || bearerOf(request) !== undefined) ? match : undefined;
  }

  #match({ method, url }: WireRequest, services: readonly GcpService[]): RouteMatch | undefined {
    const { router, operations } = this.parts;
    return router.find(method, url.pathname, services) ?? operationMatch(operations, askedOperation(method, url.pathname, services[0]));
  }

  #read({ service, route }: RouteMatch, request: WireRequest, url: URL): Omit<GcpRequest, "params"> {
    const called = { service: apiOf(service), method: route.operation };
    return {
      caller: this.#caller(request, route.anonymous === true, called),
      method: request.method,
      url,
      query: url.searchParams,
      headers: request.headers,
      body: readJson(request),
      raw: request.body,
    };
  }

  #caller(request: WireRequest, anonymous: boolean, called: { service: string; method: string }): GcpCaller {
    const token = bearerOf(request);
    const inspected = token === undefined ? ({ fault: "CREDENTIALS_MISSING" } as const) : this.parts.tokens.inspect(token);
    if ("caller" in inspected) return inspected.caller;
    if (anonymous) return ANONYMOUS;
    throw unauthenticated(inspected.fault, called);
  }
}

/** Asking for an operation needs no more than having been told its name. */
function operationMatch(operations: Operations, asked: { service: GcpService; name: string } | undefined): RouteMatch | undefined {
  if (!asked) return undefined;
  const { service, name } = asked;
  return { service, params: {}, route: { method: "GET", path: `/${name}`, operation: `${service.name}:GetOperation`, run: async () => operations.get(service.name, name) } };
}

function bearerOf({ headers, url }: WireRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? url.searchParams.get("access_token") ?? undefined;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html */
function isForAws({ headers, url }: WireRequest): boolean {
  return headers["authorization"]?.startsWith("AWS4-") === true || headers["x-amz-target"] !== undefined || url.searchParams.has("X-Amz-Algorithm") || url.searchParams.has("Action");
}

/** Content that is put somewhere may be any JSON, or claim to be; what describes it is read where it can be. */
function readJson({ method, url, headers, body }: WireRequest): unknown {
  const type = headers["content-type"] ?? "application/json";
  if (body.length === 0 || !/^application\/(?:[\w.+-]*\+)?json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    if (method === "PUT" || /^\/(?:upload|resumable)\//.test(url.pathname)) return undefined;
    throw invalidArgument(`Invalid JSON payload received. ${error instanceof Error ? error.message : ""}`);
  }
}

function respond(answer: GcpAnswer): WireResponse {
  return answer instanceof RawAnswer ? answer.response : json(200, answer);
}

/** A client that came to an address of its own goes on there. */
function atOwnAddress(response: WireResponse, real: URL, request: WireRequest): WireResponse {
  const location = response.headers?.["location"];
  if (location?.startsWith(`${real.origin}/`) !== true) return response;
  return { ...response, headers: { ...response.headers, location: `${request.url.origin}${location.slice(real.origin.length)}` } };
}
