/** Cloud Logging, as far as builds write and people read. https://cloud.google.com/logging/docs/reference/v2/rest */
import * as z from "zod";
import { projectResource } from "./accounts.js";
import { invalidArgument } from "./errors.js";
import { compileFilter } from "./logging-filter.js";
import type { LogEntries, LogEntry } from "./logging-store.js";
import type { GcpRequest, GcpService, GcpServiceContext } from "./service.js";
import type { GcpProject } from "./types.js";

const resource = z.object({ type: z.string(), labels: z.record(z.string(), z.string()).optional() });
const entry = z.object({
  logName: z.string().optional(),
  resource: resource.optional(),
  timestamp: z.string().optional(),
  insertId: z.string().optional(),
  severity: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  textPayload: z.string().optional(),
  jsonPayload: z.record(z.string(), z.unknown()).optional(),
});
const writeForm = z.object({ logName: z.string().optional(), resource: resource.optional(), labels: z.record(z.string(), z.string()).optional(), entries: z.array(entry).min(1) });
const listForm = z.object({
  resourceNames: z.array(z.string()).min(1),
  filter: z.string().default(""),
  orderBy: z.enum(["", "timestamp", "timestamp asc", "timestamp desc"]).default(""),
  pageSize: z.int().min(0).default(0),
  pageToken: z.string().default(""),
});

const DEFAULT_PAGE = 50;
const MAX_PAGE = 1000;
/** Logs of what was read and written are for few. https://cloud.google.com/logging/docs/access-control#private */
const PRIVATE = /\/logs\/cloudaudit\.googleapis\.com%2F(?:data_access|access_transparency)$/;
const LOG_NAME = /^projects\/([^/]+)\/logs\/([^/]+)$/;

export function createLogging(context: GcpServiceContext, log: LogEntries): GcpService {
  const onProject = ({ projectId }: GcpProject) => ({ name: projectResource(projectId), type: "cloudresourcemanager.googleapis.com/Project", projectId });

  function write(request: GcpRequest): object {
    const form = parse(writeForm, request.body);
    const entries = form.entries.map((each) => {
      const logName = each.logName ?? form.logName ?? "";
      const [, named = "", id = ""] = LOG_NAME.exec(logName) ?? [];
      if (id === "") throw invalidArgument(`Invalid log name: ${JSON.stringify(logName)}`);
      const project = context.projectOf(named);
      context.require(request.caller, "logging.logEntries.create", onProject(project));
      return { projectId: project.projectId, entry: { ...each, logName: `projects/${project.projectId}/logs/${encodeURIComponent(decodeURIComponent(id))}`, resource: each.resource ?? form.resource ?? { type: "global" }, labels: { ...form.labels, ...each.labels } } };
    });
    for (const { projectId, entry: written } of entries) log.write(projectId, JSON.parse(JSON.stringify(written)) as LogEntry);
    return {};
  }

  function list(request: GcpRequest): object {
    const { resourceNames, filter, orderBy, pageSize, pageToken } = parse(listForm, request.body);
    const test = compileFilter(filter);
    const found = resourceNames.flatMap((name) => readable(request, context.projectOf(/^projects\/([^/]+)/.exec(name)?.[1] ?? name))).filter(test);
    if (orderBy === "timestamp desc") found.reverse();
    const start = Number(pageToken) || 0;
    const size = Math.min(pageSize || DEFAULT_PAGE, MAX_PAGE);
    return { entries: found.slice(start, start + size), ...(start + size < found.length && { nextPageToken: String(start + size) }) };
  }

  function readable({ caller }: GcpRequest, project: GcpProject): LogEntry[] {
    context.require(caller, "logging.logEntries.list", onProject(project));
    const all = context.allows(caller, "logging.privateLogEntries.list", onProject(project));
    return log.list(project.projectId).filter(({ logName }) => all || !PRIVATE.test(logName));
  }

  return {
    name: "logging",
    api: "logging.googleapis.com",
    serves: (host) => host === "logging.googleapis.com",
    routes: [
      { method: "POST", path: "/v2/entries:write", operation: "logging:WriteLogEntries", consumer: (request) => projectIn(request.body), run: async (request) => write(request) },
      { method: "POST", path: "/v2/entries:list", operation: "logging:ListLogEntries", consumer: (request) => projectIn(request.body), run: async (request) => list(request) },
      {
        method: "GET",
        path: "/v2/projects/{project}/logs",
        operation: "logging:ListLogs",
        consumer: ({ params }) => params["project"],
        run: async (request) => {
          const project = context.projectOf(request.params["project"] ?? "");
          context.require(request.caller, "logging.logs.list", onProject(project));
          return { logNames: [...new Set(readable(request, project).map(({ logName }) => logName))].sort() };
        },
      },
    ],
  };
}

/** The first project that a call names. */
function projectIn(body: unknown): string | undefined {
  return /"(?:logName|resourceNames)":\s*\[?\s*"projects\/([^/"]+)/.exec(JSON.stringify(body ?? {}))?.[1];
}

function parse<T>(form: z.ZodType<T>, body: unknown): T {
  const result = form.safeParse(body ?? {});
  const issue = result.error?.issues[0];
  if (!result.success) throw invalidArgument(`Invalid value at '${issue?.path.map(String).join(".") ?? ""}': ${issue?.message ?? ""}`);
  return result.data;
}
