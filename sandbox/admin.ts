import { randomUUID } from "node:crypto";
import { z } from "zod";
import { InputError } from "./errors.js";
import type { Sandbox, SandboxSnapshot } from "./index.js";
import { signingAlgorithms } from "./issuer-keys.js";
import { AWS_STORE_TYPES } from "./aws/store-types.js";
import { AZURE_STORE_TYPES } from "./azure/store-types.js";
import { GCP_STORE_TYPES } from "./gcp/store-types.js";
import { secretPrefix } from "./persistence.js";
import { adminPrefix } from "./server.js";
import type { WireRequest, WireResponse } from "./types.js";
import { WireError } from "./wire.js";

/** Path of the admin API's first version. */
export const adminPath = `${adminPrefix}v1`;

interface Call {
  sandbox: Sandbox;
  query: URLSearchParams;
  /** Parsed JSON; undefined without a body. */
  body: unknown;
}

type Route = (call: Call) => unknown;

const text = z.string().min(1);
const amount = z.number().nonnegative();
const behaviour = z.strictObject({
  discovery: z.record(z.string(), z.unknown()).optional(),
  jwks: z.unknown().optional(),
  delaySeconds: amount.optional(),
  status: z.int().min(200).max(599).optional(),
  certificate: z.enum(["trusted", "untrusted"]).optional(),
});
const bodies = {
  latency: z.strictObject({ milliseconds: amount, operation: text.optional() }),
  fault: z.strictObject({
    operation: text,
    status: z.int().min(400).max(599),
    code: text,
    message: text,
    count: z.int().positive().optional(),
  }),
  advance: z.strictObject({ advanceSeconds: z.number() }),
  delay: z.strictObject({ seconds: amount }),
  newIssuer: z.strictObject({ url: text, algorithm: z.enum(signingAlgorithms).optional() }),
  issuer: z.strictObject({ url: text }),
  key: z.strictObject({ url: text, kid: text.optional() }),
  behaviour: z.strictObject({ url: text, behaviour }),
  token: z.strictObject({
    issuer: text.optional(),
    subject: z.string(),
    audience: z.union([z.string(), z.array(z.string())]).optional(),
    expiresInSeconds: z.number().optional(),
    claims: z.record(z.string(), z.unknown()).optional(),
    omit: z.array(text).optional(),
    header: z.record(z.string(), z.unknown()).optional(),
    kid: text.optional(),
    foreignKey: z.boolean().optional(),
    createIssuer: z.boolean().optional(),
  }),
  snapshot: z.strictObject({ id: text }),
};

/** Answers the admin API (docs/sandbox.md has the table). `sandbox` is asked at each request: it is complete only after the start. */
export function createAdmin(sandbox: () => Sandbox): (request: WireRequest) => Promise<WireResponse> {
  const routes = createRoutes();
  return async (request) => {
    const path = request.url.pathname.slice(adminPath.length);
    const methods = request.url.pathname.startsWith(`${adminPath}/`) ? routes[path] : undefined;
    if (!methods) return failure(404, `The admin API has no ${request.url.pathname}.`);
    const route = methods[request.method];
    if (!route) return failure(405, `${request.url.pathname} takes ${Object.keys(methods).join(", ")}, not ${request.method}.`);
    try {
      const result = await route({ sandbox: sandbox(), query: request.url.searchParams, body: parseBody(request.body) });
      return json(200, result);
    } catch (error) {
      if (error instanceof InputError) return failure(400, error.message);
      if (error instanceof WireError) return failure(error.status, error.message);
      throw error;
    }
  };
}

function createRoutes(): Record<string, Record<string, Route>> {
  const snapshots = new Map<string, SandboxSnapshot>();
  return {
    "/info": { GET: ({ sandbox }) => info(sandbox) },
    "/env": {
      GET: ({ sandbox, query }) => {
        const region = query.get("region");
        return { variables: sandbox.env(region === null ? {} : { region }) };
      },
    },
    "/kubeconfig": {
      GET: ({ sandbox, query }) => ({ kubeconfig: sandbox.kubernetes.kubeconfig(query.get("cluster") ?? sandbox.kubernetes.platformCluster.name, sandbox.url) }),
    },
    "/types": { GET: ({ sandbox }) => ({ types: sandbox.store.types().filter((type) => !type.startsWith(secretPrefix)) }) },
    "/resources": {
      GET: ({ sandbox, query }) => {
        const type = resourceType(query);
        const resources = sandbox.store.list(type);
        if (resources.length === 0) assertKnown(sandbox, type);
        return { type, resources };
      },
    },
    "/resource": {
      GET: ({ sandbox, query }) => {
        const [type, id] = resourceName(query);
        const value = sandbox.store.get(type, id);
        if (value === undefined) throw missing(type, id);
        return { type, id, value };
      },
      PUT: ({ sandbox, query, body }) => {
        const [type, id] = resourceName(query);
        if (body === undefined) throw new InputError("The body has to be the resource's new value in JSON.");
        sandbox.store.put(type, id, body, { propagates: query.get("propagates") === "true" });
        return { type, id, value: body };
      },
      DELETE: ({ sandbox, query }) => {
        const [type, id] = resourceName(query);
        if (!sandbox.store.delete(type, id, { propagates: query.get("propagates") === "true" })) throw missing(type, id);
        return { type, id };
      },
    },
    "/latency": {
      GET: ({ sandbox }) => latency(sandbox),
      PUT: ({ sandbox, body }) => {
        const { milliseconds, operation } = parse(bodies.latency, body);
        if (operation === undefined) sandbox.core.settings.latencyMs = milliseconds;
        else sandbox.faults.setLatency(operation, milliseconds);
        return latency(sandbox);
      },
    },
    "/faults": {
      GET: ({ sandbox }) => ({ faults: sandbox.faults.plan.faults }),
      POST: ({ sandbox, body }) => {
        const { count, ...order } = parse(bodies.fault, body);
        return { id: sandbox.faults.add({ ...order, ...(count !== undefined && { count }) }) };
      },
      DELETE: ({ sandbox, query }) => {
        const id = query.get("id");
        if (id === null) for (const fault of sandbox.faults.plan.faults) sandbox.faults.remove(fault.id);
        else if (!sandbox.faults.remove(id)) throw new WireError(404, `No fault ${id}.`);
        return { faults: sandbox.faults.plan.faults };
      },
    },
    "/clock": {
      GET: ({ sandbox }) => clock(sandbox),
      POST: ({ sandbox, body }) => {
        sandbox.core.clock.advance(parse(bodies.advance, body).advanceSeconds);
        return clock(sandbox);
      },
    },
    "/propagation-delay": {
      GET: ({ sandbox }) => ({ seconds: sandbox.core.settings.propagationDelaySeconds }),
      PUT: ({ sandbox, body }) => {
        const { seconds } = parse(bodies.delay, body);
        sandbox.core.settings.propagationDelaySeconds = seconds;
        return { seconds };
      },
    },
    "/issuers": {
      GET: ({ sandbox }) => ({ issuers: sandbox.issuers.list() }),
      POST: ({ sandbox, body }) => {
        const { url, algorithm } = parse(bodies.newIssuer, body);
        return sandbox.issuers.create(url, algorithm);
      },
      DELETE: ({ sandbox, query }) => {
        const { url } = parse(bodies.issuer, Object.fromEntries(query));
        sandbox.issuers.delete(url);
        return { url };
      },
    },
    "/issuers/rotate": { POST: ({ sandbox, body }) => sandbox.issuers.rotate(parse(bodies.issuer, body).url) },
    "/issuers/remove-key": {
      POST: ({ sandbox, body }) => {
        const { url, kid } = parse(bodies.key, body);
        return sandbox.issuers.removeKey(url, kid);
      },
    },
    "/issuers/foreign-key": {
      POST: ({ sandbox, body }) => {
        const { url, kid } = parse(bodies.key, body);
        return sandbox.issuers.publishForeignKey(url, kid);
      },
    },
    "/issuers/behaviour": {
      PUT: ({ sandbox, body }) => {
        const order = parse(bodies.behaviour, body);
        return sandbox.issuers.behave(order.url, defined(order.behaviour));
      },
    },
    "/tokens": { POST: ({ sandbox, body }) => mint(sandbox, body) },
    "/snapshots": {
      POST: ({ sandbox }) => {
        const id = randomUUID();
        snapshots.set(id, sandbox.snapshot());
        return { id };
      },
    },
    "/snapshots/restore": {
      POST: ({ sandbox, body }) => {
        const { id } = parse(bodies.snapshot, body);
        const snapshot = snapshots.get(id);
        if (!snapshot) throw new WireError(404, `No snapshot ${id}: snapshots last as long as the sandbox runs.`);
        sandbox.restore(snapshot);
        return { id };
      },
    },
  };
}

function info(sandbox: Sandbox): Record<string, unknown> {
  return {
    ready: true,
    url: sandbox.url,
    endpointUrl: sandbox.endpointUrl,
    pid: process.pid,
    providersPort: sandbox.providersPort ?? null,
    caFile: sandbox.caFile,
    accountId: sandbox.aws.defaultAccountId,
    projectId: sandbox.gcp.defaultProject.projectId,
    projectNumber: sandbox.gcp.defaultProject.projectNumber,
    tenantId: sandbox.azure.defaultTenant.tenantId,
    subscriptionId: sandbox.azure.defaultSubscription.subscriptionId,
    packages: sandbox.tables.map((table) => table.package),
    issuers: sandbox.issuers.list().map((issuer) => issuer.url),
    clock: clock(sandbox),
    latencyMs: sandbox.core.settings.latencyMs,
    propagationDelaySeconds: sandbox.core.settings.propagationDelaySeconds,
  };
}

function clock(sandbox: Sandbox): { now: string; offsetSeconds: number } {
  const now = sandbox.core.clock.now();
  return { now: now.toISOString(), offsetSeconds: Math.round((now.getTime() - Date.now()) / 1000) };
}

function latency(sandbox: Sandbox): { milliseconds: number; operations: Record<string, number> } {
  return { milliseconds: sandbox.core.settings.latencyMs, operations: sandbox.faults.plan.latency };
}

async function mint(sandbox: Sandbox, body: unknown): Promise<{ token: string }> {
  const { createIssuer, ...order } = parse(bodies.token, body);
  if (createIssuer && order.issuer !== undefined && !sandbox.issuers.find(order.issuer)) await sandbox.issuers.create(order.issuer);
  return { token: await sandbox.issuers.mint({ ...defined(order), subject: order.subject }) };
}

function resourceType(query: URLSearchParams): string {
  const type = query.get("type") ?? "";
  if (type === "") throw new InputError("The query has to name a type, as in ?type=aws:iam/role.");
  if (type.startsWith(secretPrefix)) throw new WireError(403, `Resources of type ${type} are secrets: they are neither shown nor changed.`);
  return type;
}

/** A list without members is an answer for a type that there may be, and not for a slip of the pen. */
function assertKnown(sandbox: Sandbox, type: string): void {
  const known = [...new Set([...AWS_STORE_TYPES, ...AZURE_STORE_TYPES, ...GCP_STORE_TYPES, ...sandbox.store.types()])].filter((each) => !each.startsWith(secretPrefix)).sort();
  if (known.includes(type)) return;
  const [family = ""] = type.split("/");
  const near = known.filter((each) => each.startsWith(`${family}/`));
  throw new WireError(404, `There is no type of resources ${JSON.stringify(type)}. Known are ${(near.length > 0 ? near : known).join(", ")}.`);
}

function resourceName(query: URLSearchParams): [type: string, id: string] {
  const type = resourceType(query);
  const id = query.get("id") ?? "";
  if (id === "") throw new InputError(`The query has to name the id of one ${type}.`);
  return [type, id];
}

function missing(type: string, id: string): WireError {
  return new WireError(404, `No ${type} ${id} in this sandbox.`);
}

function parseBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new InputError("The body has to be JSON.");
  }
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const mistakes = result.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`);
  throw new InputError(mistakes.join("; "));
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the members that are undefined, which zod's types allow and ours do not. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}

function json(status: number, body: unknown): WireResponse {
  return { status, headers: { "content-type": "application/json", "cache-control": "no-store" }, body: JSON.stringify(body) };
}

function failure(status: number, error: string): WireResponse {
  return json(status, { error });
}
