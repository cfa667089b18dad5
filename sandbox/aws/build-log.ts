/** A build's log: to CloudWatch Logs, with the build role's own rights. */
import type { Clock } from "../types.js";
import type { CallAs } from "./service-role.js";
import { AwsError, type AwsCaller } from "./types.js";

export interface LogPlace {
  groupName: string;
  streamName: string;
}

export class BuildLog {
  #buffer = "";
  #refused = false;

  constructor(
    private readonly callAs: CallAs,
    private readonly session: AwsCaller,
    private readonly region: string,
    private readonly clock: Clock,
    /** Undefined where logs are switched off. */
    private readonly place: LogPlace | undefined,
  ) {}

  /** Makes the stream, and the group where there is none. Throws `AwsError`. */
  async open(): Promise<void> {
    if (!this.place) return;
    try {
      await this.#call("CreateLogStream", { logGroupName: this.place.groupName, logStreamName: this.place.streamName });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "ResourceNotFoundException") throw error;
      await this.#call("CreateLogGroup", { logGroupName: this.place.groupName });
      await this.#call("CreateLogStream", { logGroupName: this.place.groupName, logStreamName: this.place.streamName });
    }
  }

  /** Output of a program, in whatever pieces. */
  write(text: string): void {
    if (this.place && !this.#refused) this.#buffer += text;
  }

  /** What CodeBuild itself says, with its time. */
  say(text: string): void {
    this.write(`[Container] ${this.clock.now().toISOString().replace("T", " ").replaceAll("-", "/").replace("Z", "")} ${text}\n`);
  }

  /** A log that may not be written goes without saying: the build is none the worse for it. */
  async flush(): Promise<void> {
    if (!this.place || this.#buffer === "" || this.#refused) return;
    const timestamp = this.clock.now().getTime();
    const logEvents = this.#buffer.split("\n").filter((line) => line !== "").map((line) => ({ timestamp, message: `${line}\n` }));
    this.#buffer = "";
    if (logEvents.length === 0) return;
    try {
      await this.#call("PutLogEvents", { logGroupName: this.place.groupName, logStreamName: this.place.streamName, logEvents });
    } catch {
      this.#refused = true;
    }
  }

  async #call(operation: string, input: Record<string, unknown>): Promise<void> {
    await this.callAs(this.session, "logs", operation, input, this.region);
  }
}
