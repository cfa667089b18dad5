/** Google's Security Token Service: federated access tokens for tokens of others. https://cloud.google.com/iam/docs/reference/sts/rest */
import { ACCESS_TOKEN_TYPE } from "../../facts/gcp/sts.js";
import { parseStsAudience } from "../../trust/gcp/audience.js";
import { evaluateTokenExchange } from "../../trust/gcp/exchange.js";
import { FaultError, type SandboxCore, type WireRequest, type WireResponse } from "../types.js";
import type { Audit } from "./audit.js";
import { json, renderError } from "./errors.js";
import type { IamStore } from "./iam-store.js";
import { formOf, oauthError } from "./oauth.js";
import { type GcpRequest, type GcpService, RawAnswer } from "./service.js";
import { replayIdentity } from "./sts-aws.js";
import { fetchIssuer } from "./sts-issuer.js";
import type { Tokens } from "./tokens.js";
import { GcpError, type GcpProject } from "./types.js";

export interface StsParts {
  core: SandboxCore;
  iam: IamStore;
  tokens: Tokens;
  audit: Audit;
  project(idOrNumber: string): GcpProject | undefined;
  /** AWS's front. */
  aws(request: WireRequest): Promise<WireResponse>;
}

/** Parameters by their OAuth names, from a form or from JSON with Google's names. */
type Parameters = ReadonlyMap<string, string>;

export function createSts(parts: StsParts): GcpService {
  return {
    name: "sts",
    api: "sts.googleapis.com",
    serves: (host) => /^sts(?:\.[a-z0-9-]+\.rep)?\.googleapis\.com$/.test(host),
    routes: [
      {
        method: "POST",
        path: "/v1/token",
        operation: "sts:Token",
        anonymous: true,
        consumer: (request) => projectNumberOf(parametersOf(request)),
        run: (request) => exchange(parts, parametersOf(request)),
      },
      { method: "POST", path: "/v1/introspect", operation: "sts:Introspect", anonymous: true, run: async (request) => introspect(parts, parametersOf(request)) },
    ],
    renderError: renderStsError,
  };
}

function parametersOf(request: GcpRequest): Parameters {
  if (typeof request.body !== "object" || request.body === null) return new Map(formOf(request));
  const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return new Map(Object.entries(request.body).flatMap(([name, value]): [string, string][] => (typeof value === "string" ? [[snake(name), value]] : [])));
}

/** The project that hosts the pool; a name with an id instead of the number names none. */
function projectNumberOf(parameters: Parameters): string | undefined {
  const project = parseStsAudience(parameters.get("audience") ?? "")?.project;
  return project !== undefined && /^\d+$/.test(project) ? project : undefined;
}

async function exchange(parts: StsParts, parameters: Parameters): Promise<RawAnswer> {
  const { core, iam, tokens, audit } = parts;
  const asked = (name: string): string => parameters.get(name) ?? "";
  const audience = asked("audience");
  const name = parseStsAudience(audience);
  const pool = name && `projects/${name.project}/locations/global/workloadIdentityPools/${name.pool}`;
  const scope = parameters.get("scope");
  const answer = await evaluateTokenExchange({
    audience,
    grantType: asked("grant_type"),
    requestedTokenType: asked("requested_token_type"),
    subjectTokenType: asked("subject_token_type"),
    subjectToken: asked("subject_token"),
    scope,
    now: core.clock.now(),
    pool: pool === undefined ? undefined : iam.pool(pool, "effective"),
    provider: pool === undefined || name === undefined ? undefined : iam.provider(`${pool}/providers/${name.provider}`, "effective"),
    issuer: (issuerUri) => fetchIssuer(core, issuerUri),
    awsIdentity: (request) => replayIdentity(request, (signed) => parts.aws(signed)),
  });
  if (!answer.allowed) return new RawAnswer(oauthError(answer.httpStatus, answer.error, answer.description));
  const host = name === undefined ? undefined : parts.project(name.project);
  if (host && pool !== undefined) audit.note({ permission: "sts.identityProviders.exchange", resource: audience, projectId: host.projectId, granted: true, principal: answer.identity.principal });
  const token = tokens.issueFederated(pool ?? "", answer.identity, (scope ?? "").split(" ").filter(Boolean), answer.expiresInSeconds);
  return new RawAnswer(json(200, { access_token: token, issued_token_type: ACCESS_TOKEN_TYPE, token_type: "Bearer", expires_in: answer.expiresInSeconds }));
}

/** RFC 7662, for federated tokens only. */
function introspect({ tokens, core }: StsParts, parameters: Parameters): RawAnswer {
  const inspected = tokens.inspect(parameters.get("token") ?? "");
  if (!("caller" in inspected) || inspected.record.proves.kind !== "federated") return new RawAnswer(json(200, { active: false }));
  const { record, caller } = inspected;
  const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);
  return new RawAnswer(
    json(200, {
      active: true,
      scope: record.scopes.join(" "),
      username: caller.name,
      token_type: "Bearer",
      iss: "https://sts.googleapis.com/",
      iat: seconds(record.issuedAt),
      exp: seconds(record.expiresAt ?? core.clock.now().toISOString()),
    }),
  );
}

/** STS speaks OAuth; only what stands before it, as an API that is not enabled, speaks as everywhere. */
function renderStsError(error: unknown): WireResponse {
  if (error instanceof FaultError) return oauthError(error.fault.status, error.fault.code, error.fault.message);
  if (error instanceof GcpError && error.status === "INVALID_ARGUMENT") return oauthError(400, "invalid_request", error.message);
  return renderError(error);
}
