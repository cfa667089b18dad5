/** Long-running operations of ARM: those of the sandbox have ended when they are first asked for. https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations */
import { randomUUID } from "node:crypto";
import type { SandboxCore } from "../types.js";
import { parseArmId } from "./arm-ids.js";
import { type AzureAnswer, type AzureRequest, type AzureRoute, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

interface OperationRecord {
  startTime: string;
  endTime: string;
  /** What the operation made; absent where it deleted. */
  result?: object;
  error?: { code: string; message: string; details: readonly object[] };
}

const STORE_TYPE = "azure:arm-operation";
const DEFAULT_LOCATION = "westeurope";

export class ArmOperations {
  constructor(private readonly core: SandboxCore) {}

  /** The answer to the call that began the operation, and where it will fail the error. Past the wire there is no polling: the answer is the end. */
  accepted(request: AzureRequest, resource: object | undefined, status: 200 | 201 | 202 = 202, error?: AzureError): AzureAnswer {
    if (Object.keys(request.headers).length === 0) {
      if (error) throw error;
      return resource ?? {};
    }
    const operation = randomUUID();
    const now = this.core.clock.now().toISOString();
    const record: OperationRecord = {
      startTime: now,
      endTime: now,
      ...(resource && { result: resource }),
      ...(error && { error: { code: error.code, message: error.message, details: error.extra.details ?? [] } }),
    };
    this.core.store.put(STORE_TYPE, operation, record);
    return RawAnswer.json(status, status === 202 ? undefined : resource, {
      "azure-asyncoperation": addressOf(request, "operationStatuses", operation),
      location: addressOf(request, "operationResults", operation),
      "retry-after": "0",
    });
  }

  routes(): AzureRoute[] {
    const paths = (kind: string): string[] => [`/subscriptions/{subscription}/providers/{namespace}/locations/{location}/${kind}/{operation}`, `/subscriptions/{subscription}/${kind}/{operation}`];
    const route = (path: string, operation: string, run: AzureRoute["run"]): AzureRoute => ({ method: "GET", path, operation: `arm:${operation}`, run });
    return [
      ...paths("operationStatuses").map((path) => route(path, "OperationStatuses_Get", async (request) => this.#status(request))),
      ...paths("operationResults").map((path) => route(path, "OperationResults_Get", async (request) => this.#result(request))),
    ];
  }

  #status(request: AzureRequest): object {
    const { startTime, endTime, error } = this.#find(request);
    return { id: request.url.pathname, name: request.params["operation"], status: error ? "Failed" : "Succeeded", startTime, endTime, ...(error && { error }) };
  }

  #result(request: AzureRequest): AzureAnswer {
    const { result } = this.#find(request);
    return result ?? RawAnswer.json(200);
  }

  #find({ params }: AzureRequest): OperationRecord {
    const found = this.core.store.get<OperationRecord>(STORE_TYPE, params["operation"] ?? "");
    if (!found) throw new AzureError(404, "NotFound", `The operation '${params["operation"] ?? ""}' could not be found.`);
    return found;
  }
}

function addressOf({ url }: AzureRequest, kind: string, operation: string): string {
  const id = parseArmId(url.pathname);
  const namespace = id?.type.split("/")[0];
  const place = namespace === undefined || namespace === "Microsoft.Resources" ? "" : `/providers/${namespace}/locations/${DEFAULT_LOCATION}`;
  return `${url.origin}/subscriptions/${id?.subscription ?? ""}${place}/${kind}/${operation}?api-version=${url.searchParams.get("api-version") ?? ""}`;
}
