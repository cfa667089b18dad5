/** What CloudWatch Logs keeps. */
import type { ResourceStore } from "../types.js";

export interface LogGroup {
  accountId: string;
  region: string;
  name: string;
  /** Without `:*` behind it. */
  arn: string;
  /** Milliseconds since 1970, as all times here. */
  createdAt: number;
  retentionInDays?: number;
  tags: Record<string, string>;
}

export interface LogEvent {
  timestamp: number;
  message: string;
  ingestionTime: number;
}

export interface LogStream {
  name: string;
  arn: string;
  createdAt: number;
  events: LogEvent[];
}

const GROUP = "aws:logs/log-group";
const STREAM = "aws:logs/log-stream";
export const LOGS_TYPES = [GROUP, STREAM];

export class LogStore {
  constructor(private readonly store: ResourceStore) {}

  group(accountId: string, region: string, name: string): LogGroup | undefined {
    return this.store.get<LogGroup>(GROUP, `${accountId}/${region}/${name}`);
  }

  groups(accountId: string, region: string): LogGroup[] {
    return this.store
      .list<LogGroup>(GROUP)
      .map(({ value }) => value)
      .filter((group) => group.accountId === accountId && group.region === region)
      .sort(byName);
  }

  putGroup(group: LogGroup): void {
    this.store.put(GROUP, `${group.accountId}/${group.region}/${group.name}`, group);
  }

  deleteGroup(group: LogGroup): void {
    for (const { name } of this.streams(group)) this.deleteStream(group, name);
    this.store.delete(GROUP, `${group.accountId}/${group.region}/${group.name}`);
  }

  stream(group: LogGroup, name: string): LogStream | undefined {
    return this.store.get<LogStream>(STREAM, `${group.arn}:${name}`);
  }

  streams(group: LogGroup): LogStream[] {
    return this.store
      .list<LogStream>(STREAM)
      .filter(({ id }) => id.startsWith(`${group.arn}:`))
      .map(({ value }) => value)
      .sort(byName);
  }

  putStream(group: LogGroup, stream: LogStream): void {
    this.store.put(STREAM, `${group.arn}:${stream.name}`, stream);
  }

  deleteStream(group: LogGroup, name: string): void {
    this.store.delete(STREAM, `${group.arn}:${name}`);
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
