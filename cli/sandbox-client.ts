import { request } from "node:http";
import { SANDBOX_VARIABLE } from "../facts/sandbox.js";
import { CliError, oneLine } from "./output.js";
import { defaultSandboxUrl } from "./sandbox-arguments.js";

/** Milliseconds for one call of the admin API, beyond what an RSA key takes on a busy machine. */
const deadlineMs = 20_000;

/** Talks to the admin API of a running sandbox. Every mistake is a {@link CliError}. */
export class SandboxClient {
  readonly url: string;

  /** Default: as `CLOUD_FEDERATION_SANDBOX` says, else {@link defaultSandboxUrl}. */
  constructor(url: string | undefined) {
    const chosen = url ?? (process.env[SANDBOX_VARIABLE] || defaultSandboxUrl);
    const parsed = URL.canParse(chosen) ? new URL(chosen) : undefined;
    const local = parsed !== undefined && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(parsed.hostname);
    if (parsed?.protocol !== "http:" || !local) {
      throw new CliError(`${JSON.stringify(chosen)} is no sandbox: it is on this machine, as in ${defaultSandboxUrl}.`);
    }
    this.url = parsed.origin;
  }

  get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    return this.#call("GET", path, query);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#call("POST", path, {}, body);
  }

  put<T>(path: string, body: unknown, query: Record<string, string> = {}): Promise<T> {
    return this.#call("PUT", path, query, body);
  }

  delete<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    return this.#call("DELETE", path, query);
  }

  async #call<T>(method: string, path: string, query: Record<string, string>, body?: unknown): Promise<T> {
    const target = new URL(`${this.url}/_sandbox/v1${path}`);
    target.search = new URLSearchParams(query).toString();
    const { status, text } = await send(method, target, body).catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    const answer = parse(text);
    if (status === 200 && answer !== undefined) return answer as T;
    const message = answer?.["error"];
    throw new CliError(typeof message === "string" ? message : `What answers at ${this.url} is not a sandbox (HTTP ${status}).`);
  }

  #unreachable(error: unknown): CliError {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") {
      return new CliError(
        `No sandbox is running at ${this.url}: start one with \`cloud-federation sandbox start\`, or name it with --sandbox URL.`,
      );
    }
    if (code === "ABORT_ERR" || (error instanceof Error && error.name === "TimeoutError")) {
      return new CliError(`The sandbox at ${this.url} did not answer within ${deadlineMs / 1000} s.`);
    }
    return new CliError(`The sandbox at ${this.url} cannot be reached: ${oneLine(error)}.`);
  }
}

/** Plain `node:http`: `fetch` refuses some ports, and may itself obey the proxy variables that point at the sandbox. */
function send(method: string, target: URL, body: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const outgoing = request(target, { method, headers, signal: AbortSignal.timeout(deadlineMs) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
    });
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
