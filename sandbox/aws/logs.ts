/** Amazon CloudWatch Logs in the sandbox: groups, streams and their events, as far as builds and functions write them. */
import * as z from "zod";
import { LogStore, type LogGroup, type LogStream } from "./logs-store.js";
import { list, operation as checked, text } from "./members.js";
import { partitionOf } from "./s3-state.js";
import { requireAllowed } from "./service-role.js";
import type { AwsService, AwsServiceContext, Operation, OperationRequest } from "./service.js";
import { AwsError } from "./types.js";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
const groupName = text({ min: 1, max: 512, pattern: /^[.\-_/#A-Za-z0-9]+$/ });
/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html */
const streamName = text({ min: 1, max: 512, pattern: /^[^:*]*$/ });
/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const MAX_EVENTS = 10_000;
const MAX_EVENT_AGE_MS = 14 * 86_400_000;
const MAX_EVENT_LEAD_MS = 2 * 3_600_000;

const limit = (max: number) => z.number().int().min(1).max(max).optional();
const group = { logGroupName: groupName };
const event = z.object({ timestamp: z.number().int().min(0), message: z.string().min(1) });
const window = { startTime: z.number().int().optional(), endTime: z.number().int().optional(), nextToken: z.string().optional() };
const tags = z.record(z.string().min(1).max(128), z.string().max(256));

const notFound = (what: "group" | "stream"): AwsError => new AwsError("ResourceNotFoundException", 400, `The specified log ${what} does not exist.`);
const exists = (what: "group" | "stream"): AwsError => new AwsError("ResourceAlreadyExistsException", 400, `The specified log ${what} already exists`);
const invalid = (message: string): AwsError => new AwsError("InvalidParameterException", 400, message);

/** CloudWatch Logs calls every broken member an invalid parameter. */
const operation: typeof checked = (schema, run) => checked(schema, run, "InvalidParameterException");

export function createLogs(context: AwsServiceContext): AwsService {
  const store = new LogStore(context.core.store);
  const { clock } = context.core;

  /**
   * Rights on groups are asked for as on their streams: a policy must end the group's ARN in `:*`.
   * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/iam-access-control-overview-cwl.html
   */
  function authorise(request: OperationRequest, action: string, name: string, stream = "", asked: Record<string, string | string[]> = {}): void {
    require(request, action, `${arnOf(request, name)}:log-stream:${stream}`, asked);
  }

  function require(request: OperationRequest, action: string, resource: string, asked: Record<string, string | string[]> = {}): void {
    const { accountId } = request.caller.principal;
    requireAllowed(context, { request, action: `logs:${action}`, resource, resourceAccountId: accountId, context: asked });
  }

  function opened(request: OperationRequest, name: string): LogGroup {
    const found = store.group(request.caller.principal.accountId, request.region, name);
    if (!found) throw notFound("group");
    return found;
  }

  function openedStream(request: OperationRequest, name: string, stream: string): { group: LogGroup; stream: LogStream } {
    const found = opened(request, name);
    const known = store.stream(found, stream);
    if (!known) throw notFound("stream");
    return { group: found, stream: known };
  }

  const groups: Record<string, Operation> = {
    CreateLogGroup: operation(z.object({ ...group, kmsKeyId: z.string().optional(), tags: tags.optional() }), (input, request) => {
      const asked = input.tags ?? {};
      authorise(request, "CreateLogGroup", input.logGroupName, "", requestTags(asked));
      if (Object.keys(asked).length > 0) require(request, "TagResource", arnOf(request, input.logGroupName), requestTags(asked));
      const { accountId } = request.caller.principal;
      if (store.group(accountId, request.region, input.logGroupName)) throw exists("group");
      if (input.kmsKeyId !== undefined) throw invalid("The sandbox has no encrypted log groups.");
      const arn = arnOf(request, input.logGroupName);
      store.putGroup({ accountId, region: request.region, name: input.logGroupName, arn, createdAt: clock.now().getTime(), tags: asked });
      return {};
    }),
    DeleteLogGroup: operation(z.object(group), (input, request) => {
      authorise(request, "DeleteLogGroup", input.logGroupName);
      store.deleteGroup(opened(request, input.logGroupName));
      return {};
    }),
    DescribeLogGroups: operation(z.object({ logGroupNamePrefix: groupName.optional(), logGroupNamePattern: z.string().optional(), limit: limit(50), nextToken: z.string().optional() }), (input, request) => {
      authorise(request, "DescribeLogGroups", input.logGroupNamePrefix ?? "");
      const { logGroupNamePrefix: prefix = "", logGroupNamePattern: pattern = "" } = input;
      const found = store.groups(request.caller.principal.accountId, request.region).filter(({ name }) => name.startsWith(prefix) && name.includes(pattern));
      const { items, nextToken } = page(found, input.nextToken, input.limit ?? 50);
      return { logGroups: items.map((each) => describedGroup(each, store)), ...nextToken };
    }),
    PutRetentionPolicy: operation(z.object({ ...group, retentionInDays: z.number() }), (input, request) => {
      authorise(request, "PutRetentionPolicy", input.logGroupName);
      if (!RETENTION_DAYS.includes(input.retentionInDays)) throw invalid(`retentionInDays must be one of ${RETENTION_DAYS.join(", ")}; got ${input.retentionInDays}`);
      store.putGroup({ ...opened(request, input.logGroupName), retentionInDays: input.retentionInDays });
      return {};
    }),
    DeleteRetentionPolicy: operation(z.object(group), (input, request) => {
      authorise(request, "DeleteRetentionPolicy", input.logGroupName);
      const { retentionInDays: _days, ...kept } = opened(request, input.logGroupName);
      store.putGroup(kept);
      return {};
    }),
  };

  /** The tag operations name the group by its ARN, without the `:*` that others end in. */
  function tagged(request: OperationRequest, action: string, resourceArn: string, asked: Record<string, string | string[]> = {}): LogGroup {
    const arn = resourceArn.replace(/:\*$/, "");
    require(request, action, arn, asked);
    return opened(request, arn.split(":log-group:")[1] ?? "");
  }

  const tagging: Record<string, Operation> = {
    ListTagsForResource: operation(z.object({ resourceArn: z.string() }), (input, request) => ({ tags: tagged(request, "ListTagsForResource", input.resourceArn).tags })),
    TagResource: operation(z.object({ resourceArn: z.string(), tags }), (input, request) => {
      const found = tagged(request, "TagResource", input.resourceArn, requestTags(input.tags));
      store.putGroup({ ...found, tags: { ...found.tags, ...input.tags } });
      return {};
    }),
    UntagResource: operation(z.object({ resourceArn: z.string(), tagKeys: list(z.string()) }), (input, request) => {
      const found = tagged(request, "UntagResource", input.resourceArn, { "aws:TagKeys": input.tagKeys });
      store.putGroup({ ...found, tags: Object.fromEntries(Object.entries(found.tags).filter(([key]) => !input.tagKeys.includes(key))) });
      return {};
    }),
  };

  const streams: Record<string, Operation> = {
    CreateLogStream: operation(z.object({ ...group, logStreamName: streamName }), (input, request) => {
      authorise(request, "CreateLogStream", input.logGroupName, input.logStreamName);
      const found = opened(request, input.logGroupName);
      if (store.stream(found, input.logStreamName)) throw exists("stream");
      store.putStream(found, { name: input.logStreamName, arn: `${found.arn}:log-stream:${input.logStreamName}`, createdAt: clock.now().getTime(), events: [] });
      return {};
    }),
    DeleteLogStream: operation(z.object({ ...group, logStreamName: streamName }), (input, request) => {
      authorise(request, "DeleteLogStream", input.logGroupName, input.logStreamName);
      const { group: found, stream } = openedStream(request, input.logGroupName, input.logStreamName);
      store.deleteStream(found, stream.name);
      return {};
    }),
    DescribeLogStreams: operation(
      z.object({ ...group, logStreamNamePrefix: streamName.optional(), orderBy: z.enum(["LogStreamName", "LastEventTime"]).optional(), descending: z.boolean().optional(), limit: limit(50), nextToken: z.string().optional() }),
      (input, request) => {
        authorise(request, "DescribeLogStreams", input.logGroupName);
        const { logStreamNamePrefix: prefix = "" } = input;
        const found = store.streams(opened(request, input.logGroupName)).filter(({ name }) => name.startsWith(prefix));
        if (input.orderBy === "LastEventTime") found.sort((a, b) => lastEvent(a) - lastEvent(b));
        if (input.descending === true) found.reverse();
        const { items, nextToken } = page(found, input.nextToken, input.limit ?? 50);
        return { logStreams: items.map(describedStream), ...nextToken };
      },
    ),
  };

  const events: Record<string, Operation> = {
    PutLogEvents: operation(z.object({ ...group, logStreamName: streamName, logEvents: z.array(event).min(1).max(MAX_EVENTS), sequenceToken: z.string().optional() }), (input, request) => {
      authorise(request, "PutLogEvents", input.logGroupName, input.logStreamName);
      const { group: found, stream } = openedStream(request, input.logGroupName, input.logStreamName);
      const sorted = input.logEvents.every(({ timestamp }, index) => index === 0 || timestamp >= (input.logEvents[index - 1]?.timestamp ?? 0));
      if (!sorted) throw invalid("Log events in a single PutLogEvents request must be in chronological order.");
      const now = clock.now().getTime();
      const accepted = input.logEvents.filter(({ timestamp }) => timestamp > now - MAX_EVENT_AGE_MS && timestamp < now + MAX_EVENT_LEAD_MS);
      const next = accepted.map((each) => ({ ...each, ingestionTime: now }));
      store.putStream(found, { ...stream, events: [...stream.events, ...next] });
      return { nextSequenceToken: String(stream.events.length + next.length) };
    }),
    GetLogEvents: operation(z.object({ ...group, logStreamName: streamName, ...window, limit: limit(MAX_EVENTS), startFromHead: z.boolean().optional() }), (input, request) => {
      authorise(request, "GetLogEvents", input.logGroupName, input.logStreamName);
      const { stream } = openedStream(request, input.logGroupName, input.logStreamName);
      const within = stream.events.filter(inWindow(input));
      const count = input.limit ?? MAX_EVENTS;
      const first = input.nextToken === undefined ? (input.startFromHead === true ? 0 : Math.max(0, within.length - count)) : position(input.nextToken);
      const shown = within.slice(first, first + count);
      return { events: shown, nextForwardToken: `f/${first + shown.length}`, nextBackwardToken: `b/${Math.max(0, first - count)}` };
    }),
    FilterLogEvents: operation(
      z.object({ ...group, ...window, logStreamNames: z.array(streamName).optional(), logStreamNamePrefix: streamName.optional(), filterPattern: z.string().optional(), limit: limit(MAX_EVENTS) }),
      (input, request) => {
        authorise(request, "FilterLogEvents", input.logGroupName);
        const { logStreamNames: names, logStreamNamePrefix: prefix = "" } = input;
        const searched = store.streams(opened(request, input.logGroupName)).filter(({ name }) => name.startsWith(prefix) && (names?.includes(name) ?? true));
        const matches = searched
          .flatMap(({ name, events: each }) => each.filter(inWindow(input)).map((one, index) => ({ logStreamName: name, ...one, eventId: `${name}/${index}` })))
          .filter(({ message }) => matchesTerms(input.filterPattern ?? "", message))
          .sort((a, b) => a.timestamp - b.timestamp);
        const { items, nextToken } = page(matches, input.nextToken, input.limit ?? MAX_EVENTS);
        return { events: items, searchedLogStreams: [], ...nextToken };
      },
    ),
  };

  return { name: "logs", operations: { ...groups, ...tagging, ...streams, ...events } };
}

function arnOf(request: OperationRequest, name: string): string {
  return `arn:${partitionOf(request.region)}:logs:${request.region}:${request.caller.principal.accountId}:log-group:${name}`;
}

function requestTags(tagsAsked: Record<string, string>): Record<string, string | string[]> {
  const keys = Object.keys(tagsAsked);
  if (keys.length === 0) return {};
  return { "aws:TagKeys": keys, ...Object.fromEntries(Object.entries(tagsAsked).map(([key, value]) => [`aws:RequestTag/${key}`, value])) };
}

function describedGroup(found: LogGroup, store: LogStore): object {
  const storedBytes = store.streams(found).reduce((sum, stream) => sum + bytesOf(stream), 0);
  return {
    logGroupName: found.name,
    creationTime: found.createdAt,
    ...(found.retentionInDays !== undefined && { retentionInDays: found.retentionInDays }),
    metricFilterCount: 0,
    arn: `${found.arn}:*`,
    storedBytes,
    logGroupClass: "STANDARD",
    logGroupArn: found.arn,
  };
}

function describedStream(stream: LogStream): object {
  const [first] = stream.events;
  const last = stream.events.at(-1);
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAt,
    ...(first && { firstEventTimestamp: first.timestamp }),
    ...(last && { lastEventTimestamp: last.timestamp, lastIngestionTime: last.ingestionTime }),
    uploadSequenceToken: String(stream.events.length),
    arn: stream.arn,
    storedBytes: 0,
  };
}

const bytesOf = (stream: LogStream): number => stream.events.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);
const lastEvent = (stream: LogStream): number => stream.events.at(-1)?.timestamp ?? 0;

function inWindow({ startTime, endTime }: { startTime?: number | undefined; endTime?: number | undefined }): (each: { timestamp: number }) => boolean {
  return ({ timestamp }) => timestamp >= (startTime ?? 0) && timestamp < (endTime ?? Number.MAX_SAFE_INTEGER);
}

/** All terms must be there; one in quotes may hold blanks, one with a minus must not be there. */
function matchesTerms(pattern: string, message: string): boolean {
  const terms = pattern.match(/-?"[^"]*"|\S+/g) ?? [];
  return terms.every((term) => {
    const absent = term.startsWith("-");
    return message.includes(term.slice(absent ? 1 : 0).replaceAll('"', "")) !== absent;
  });
}

function position(token: string): number {
  const at = Number(token.slice(2));
  if (!Number.isInteger(at)) throw invalid("The specified nextToken is invalid.");
  return at;
}

function page<T>(items: readonly T[], token: string | undefined, size: number): { items: T[]; nextToken: { nextToken?: string } } {
  const first = token === undefined ? 0 : position(token);
  const end = first + size;
  return { items: items.slice(first, end), nextToken: end < items.length ? { nextToken: `f/${end}` } : {} };
}
