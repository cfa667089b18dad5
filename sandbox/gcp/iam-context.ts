/** What the parts of IAM share. */
import { randomBytes } from "node:crypto";

import type { GcpRequest, GcpRoute, GcpServiceContext } from "./service.js";
import { IamStore } from "./iam-store.js";
import { GcpError, type GcpProject, type GcpResource } from "./types.js";

const DAY_MS = 86_400_000;

export interface IamContext {
  readonly context: GcpServiceContext;
  readonly store: IamStore;
  now(): Date;
  /** RFC 3339. */
  inDays(days: number): string;
  project(request: GcpRequest): GcpProject;
  require(request: GcpRequest, permission: string, resource: GcpResource): void;
}

export function iamContext(context: GcpServiceContext): IamContext {
  const now = (): Date => context.core.clock.now();
  return {
    context,
    store: new IamStore(context.core.store, context.core.clock),
    now,
    inDays: (days) => new Date(now().getTime() + days * DAY_MS).toISOString(),
    project: (request) => context.projectOf(param(request, "project")),
    require: (request, permission, resource) => context.require(request.caller, permission, resource),
  };
}

export const param = ({ params }: GcpRequest, name: string): string => params[name] ?? "";

/** A method of IAM. Its API has to be enabled in the project that the path names, wherever it does. */
export function iamRoute(method: GcpRoute["method"], path: string, name: string, run: (request: GcpRequest) => object): GcpRoute {
  const consumer = (request: GcpRequest): string | undefined => (["", "-"].includes(param(request, "project")) ? undefined : param(request, "project"));
  return { method, path, operation: `iam:${name}`, consumer, run: async (request) => run(request) };
}

/** The project whose roles, accounts and deny policies are asked about. */
export function projectResource({ projectId }: GcpProject): GcpResource {
  return { name: `//cloudresourcemanager.googleapis.com/projects/${projectId}`, type: "cloudresourcemanager.googleapis.com/Project", projectId };
}

export const notFound = (): GcpError => new GcpError("NOT_FOUND", "Requested entity was not found.");
export const alreadyExists = (): GcpError => new GcpError("ALREADY_EXISTS", "Requested entity already exists");
export const preconditionFailed = (message: string): GcpError => new GcpError("FAILED_PRECONDITION", message);

/** Last segment of an operation's name. */
export const operationId = (): string => randomBytes(16).toString("hex");
