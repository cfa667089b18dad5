/** Calls of the sandbox's GCP services on behalf of a Pulumi provider, and errors in its words. */
import { FaultError } from "../../types.js";
import { GcpError, HTTP_STATUS, type GcpCaller, type GcpCloud, type GcpScope } from "../types.js";
import { list, object, text } from "./values.js";

export type Members = Record<string, unknown>;

/** A failed call, as the provider prints it. */
export class CallError extends Error {
  constructor(
    /** HTTP status. */
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = "CallError";
  }
}

/**
 * Services whose errors carry, beside the envelope of today, the reason of Google's first JSON APIs, which the provider's
 * client prints at the end. https://pkg.go.dev/google.golang.org/api/googleapi#Error
 */
const withReason =
  /^https:\/\/(storage\.googleapis\.com|cloudresourcemanager\.googleapis\.com\/v1|serviceusage\.googleapis\.com|iam\.googleapis\.com\/v1\/(roles|projects\/[^/]+\/(serviceAccounts|roles)))([/:?]|$)/;

const reasons: Readonly<Record<number, string>> = {
  400: "badRequest",
  401: "authError",
  403: "forbidden",
  404: "notFound",
  409: "alreadyExists",
  412: "conditionNotMet",
  429: "rateLimitExceeded",
  500: "backendError",
  503: "backendError",
};

/** Operations of the sandbox are done at once, builds and the like after seconds. */
const operationDeadlineMs = 300_000;
const operationPollMs = 100;
const enablingPollMs = 200;

/** Access tokens that configurations give, beside their scopes: scopes are kept with results, tokens are not. */
const configured = new WeakMap<GcpScope, string>();

export function rememberToken(scope: GcpScope, accessToken: string): void {
  configured.set(scope, accessToken);
}

/** The services as one provider instance sees them. */
export class Api {
  constructor(
    readonly cloud: GcpCloud,
    readonly scope: GcpScope,
  ) {}

  get caller(): GcpCaller {
    return this.scope.caller ?? this.cloud.administrator().caller;
  }

  /** What the provider itself authenticates with. A secret. */
  get accessToken(): string {
    return configured.get(this.scope) ?? this.cloud.administrator().accessToken;
  }

  /** Throws {@link CallError}. */
  async call<T = Members>(method: string, url: string, body?: unknown): Promise<T> {
    const deadline = Date.now() + this.cloud.propagationDelaySeconds * 1000 + enablingPollMs;
    for (;;) {
      try {
        return await this.cloud.call<T>(this.caller, method, url, body);
      } catch (error) {
        if (Date.now() > deadline || !(await this.#isBeingEnabled(error))) throw callError(url, error);
        await new Promise((resolve) => setTimeout(resolve, enablingPollMs));
      }
    }
  }

  /** As `call`, but undefined when there is no such thing. */
  async find<T = Members>(method: string, url: string, body?: unknown): Promise<T | undefined> {
    return unlessMissing(this.call<T>(method, url, body));
  }

  /** As `call` for a method that answers with a long-running operation: waits until it is done, and answers its response. */
  async operate<T = Members>(method: string, url: string, body?: unknown): Promise<T> {
    const { origin, pathname } = new URL(url);
    const version = pathname.split("/")[1] ?? "v1";
    const deadline = Date.now() + operationDeadlineMs;
    for (let operation = await this.call(method, url, body); ; ) {
      if (operation.done === true) {
        const failure = object(operation.error);
        if (operation.error === undefined) return object(operation.response) as T;
        throw new CallError(Number(failure.code ?? 13), `Error code ${String(failure.code)}, message: ${String(failure.message)}`);
      }
      if (Date.now() > deadline) throw new CallError(504, `timeout while waiting for the operation ${String(operation.name)} to be done`);
      await new Promise((resolve) => setTimeout(resolve, operationPollMs));
      operation = await this.call("GET", `${origin}/${version}/${String(operation.name)}`);
    }
  }

  /** Whether the call failed because an API that was just enabled is not seen as such yet: Google's own operation ends when it is. */
  async #isBeingEnabled(error: unknown): Promise<boolean> {
    if (!(error instanceof GcpError) || error.info?.reason !== "SERVICE_DISABLED" || this.cloud.propagationDelaySeconds === 0) return false;
    const { consumer = "", service = "" } = error.info.metadata;
    const found = await this.cloud.call(this.cloud.administrator().caller, "GET", `https://serviceusage.googleapis.com/v1/${consumer}/services/${service}`);
    return found.state === "ENABLED";
  }

  /** All pages of a listing: the items below `member`. */
  async listed<T = Members>(url: string, member: string): Promise<T[]> {
    const items: T[] = [];
    for (let token: string | undefined; ; ) {
      const page = await this.call("GET", token === undefined ? url : withQuery(url, "pageToken", token));
      items.push(...list<T>(page[member]));
      token = text(page.nextPageToken);
      if (token === undefined) return items;
    }
  }
}

function withQuery(url: string, name: string, value: string): string {
  const whole = new URL(url);
  whole.searchParams.set(name, value);
  return whole.href;
}

/** The answer, or undefined where the service said that there is no such thing. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CallError && error.code === 404) return undefined;
    throw error;
  }
}

/** Puts what was being done before the error: `Error creating WorkloadIdentityPool: googleapi: Error 409: …`. */
export async function during<T>(doing: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    throw new CallError(error.code, `${doing}: ${error.message}`);
  }
}

/** As the provider words a failed read or deletion: `Error when reading or editing WorkloadIdentityPool "id": …`. */
export const reading = <T>(what: string, work: Promise<T>): Promise<T> => during(`Error when reading or editing ${what}`, work);

const tails = new Map<string, Promise<unknown>>();

/**
 * Runs work on one thing after the other, as providers do with IAM policies, which are read and written as a whole.
 * What others do between is for the etag to find.
 */
export async function oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = tails.get(key);
  const mine = (async () => {
    await before?.catch(() => undefined);
    return work();
  })();
  tails.set(key, mine);
  try {
    return await mine;
  } finally {
    if (tails.get(key) === mine) tails.delete(key);
  }
}

function callError(url: string, error: unknown): unknown {
  if (error instanceof FaultError) return new CallError(error.fault.status, `googleapi: Error ${error.fault.status}: ${error.fault.message}`);
  if (!(error instanceof GcpError)) return error;
  const code = HTTP_STATUS[error.status];
  const { info } = error;
  const details = [...(info ? [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", ...info }] : []), ...error.details];
  const shown = details.length > 0 ? `\nDetails:\n${JSON.stringify(details, null, 2)}\n` : "";
  const reason = withReason.test(url) ? `, ${error.status === "ABORTED" ? "aborted" : (reasons[code] ?? "backendError")}` : "";
  return new CallError(code, `googleapi: Error ${code}: ${error.message}${shown}${reason}`.trimEnd());
}
