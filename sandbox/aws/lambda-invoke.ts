/** Calls of functions, by the API and by URL. What a function answers is in its image's labels; the log is its role's. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { FUNCTION_URL_FORBIDDEN, LAMBDA_PRINCIPAL, WRONG_ARCHITECTURE, architectures, lambdaRefusals } from "../../facts/aws/lambda.js";
import { RESPONSE_LABEL } from "../containers.js";
import type { WireRequest, WireResponse } from "../types.js";
import { type LambdaAccess, named, operation, refuse } from "./lambda-access.js";
import { isBusy, servedCode } from "./lambda-functions.js";
import type { LambdaFunction } from "./lambda-store.js";
import { type CallAs, assumableRole, serviceSession } from "./service-role.js";
import type { AwsServiceContext, Operation, OperationRequest } from "./service.js";
import { AwsError, type AwsCaller } from "./types.js";

const httpAnswer = z.object({
  statusCode: z.number().int().min(100).max(599),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().default(""),
});

interface Outcome {
  payload: unknown;
  /** Set when the function failed rather than answered. */
  failed: boolean;
}

const ANONYMOUS: AwsCaller = { principal: { kind: "anonymous", arn: "", accountId: "" } };
const URL_HOST = /^(?<id>[a-z0-9]+)\.lambda-url\.(?<region>[a-z0-9-]+)\.on\.(?:aws|amazonwebservices\.com\.cn)$/;

export function isFunctionUrlHost(host: string): boolean {
  return URL_HOST.test(host);
}

/** Without a label: who answers, and from which image. */
function answerOf(fn: LambdaFunction, image: LambdaFunction["image"]): Outcome {
  const label = image.labels[RESPONSE_LABEL];
  if (label === undefined) {
    const body = JSON.stringify({ functionName: fn.name, imageDigest: image.digest });
    return { failed: false, payload: { statusCode: 200, headers: { "content-type": "application/json" }, body } };
  }
  try {
    return { failed: false, payload: JSON.parse(label) };
  } catch {
    return { failed: true, payload: { errorType: "Sandbox.ResponseLabel", errorMessage: `The image's label ${RESPONSE_LABEL} is not JSON` } };
  }
}

export class LambdaInvoker {
  constructor(
    private readonly context: AwsServiceContext,
    private readonly access: LambdaAccess,
    private readonly callAs: CallAs,
  ) {}

  operations(): Record<string, Operation> {
    const invocation = z.object({
      ...named,
      InvocationType: z.enum(["Event", "RequestResponse", "DryRun"]).optional(),
      LogType: z.enum(["None", "Tail"]).optional(),
      ClientContext: z.string().optional(),
      Payload: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
    });
    return {
      Invoke: operation(invocation, async (input, request) => {
        const fn = this.access.open(request, input, "InvokeFunction");
        if (input.InvocationType === "DryRun") return { StatusCode: 204 };
        const { payload, failed } = await this.#run(fn);
        if (input.InvocationType === "Event") return { StatusCode: 202 };
        const FunctionError = failed ? { FunctionError: "Unhandled" } : {};
        return { StatusCode: 200, ...FunctionError, ExecutedVersion: "$LATEST", Payload: JSON.stringify(payload) };
      }),
    };
  }

  /**
   * A request to a function's own host name. Who signed it counts where the URL asks for IAM; elsewhere `Authorization` is
   * the function's own matter. https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
   */
  async handleUrl(request: WireRequest, context: OperationRequest["context"], signedBy: () => AwsCaller): Promise<WireResponse> {
    const { id = "", region = "" } = URL_HOST.exec(request.host)?.groups ?? {};
    const fn = this.access.store.byUrl(region, id);
    if (!fn?.url) return json(404, { Message: null }, "ResourceNotFoundException");
    const asked: OperationRequest = { caller: fn.url.authType === "NONE" ? ANONYMOUS : signedBy(), region, input: {}, context };
    if (!this.#mayCall(asked, fn, fn.url.authType)) return json(403, { Message: FUNCTION_URL_FORBIDDEN }, "AccessDeniedException");
    try {
      const { payload, failed } = await this.#run(fn);
      return failed ? unavailable() : rendered(payload);
    } catch (error) {
      if (error instanceof AwsError) return unavailable();
      throw error;
    }
  }

  /** Both rights, of which the second knows that the call came by URL. */
  #mayCall(request: OperationRequest, fn: LambdaFunction, authType: string): boolean {
    const keys = { "lambda:FunctionUrlAuthType": authType };
    return (
      this.access.allows(request, "InvokeFunctionUrl", fn, keys) &&
      this.access.allows(request, "InvokeFunction", fn, { "lambda:InvokedViaFunctionUrl": "true" })
    );
  }

  async #run(fn: LambdaFunction): Promise<Outcome> {
    const now = this.context.core.clock.now();
    if (isBusy(fn, now) && fn.work.kind === "create") throw refuse(lambdaRefusals.pending());
    const role = assumableRole(this.context, fn.role, { service: LAMBDA_PRINCIPAL, sourceAccount: fn.accountId }, fn.region);
    if (!role) throw refuse({ ...lambdaRefusals.roleNotAssumable(), code: "AccessDeniedException", status: 403 });
    const { image, architecture } = servedCode(fn, now);
    const requestId = randomUUID();
    const wrong = image.architecture !== architectures[architecture];
    const failure = `RequestId: ${requestId} Error: ${WRONG_ARCHITECTURE.error}`;
    const lines = [`START RequestId: ${requestId} Version: $LATEST`, ...(wrong ? [failure, WRONG_ARCHITECTURE.errorType] : []), `END RequestId: ${requestId}`];
    await this.#log(fn, serviceSession(role, fn.name), lines);
    return wrong ? { failed: true, payload: { errorType: WRONG_ARCHITECTURE.errorType, errorMessage: failure } } : answerOf(fn, image);
  }

  /** A role without the rights has no log; the function does not notice. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html */
  async #log(fn: LambdaFunction, session: AwsCaller, lines: readonly string[]): Promise<void> {
    const now = this.context.core.clock.now();
    const day = now.toISOString().slice(0, 10).replaceAll("-", "/");
    const logGroupName = `/aws/lambda/${fn.name}`;
    const logStreamName = `${day}/[$LATEST]${fn.revisionId.replaceAll("-", "")}`;
    const logEvents = lines.map((message) => ({ timestamp: now.getTime(), message: `${message}\n` }));
    const write = async (name: string, input: Record<string, unknown>): Promise<boolean> => {
      try {
        await this.callAs(session, "logs", name, input, fn.region);
        return true;
      } catch {
        return false;
      }
    };
    const put = () => write("PutLogEvents", { logGroupName, logStreamName, logEvents });
    if (await put()) return;
    await write("CreateLogGroup", { logGroupName });
    await write("CreateLogStream", { logGroupName, logStreamName });
    await put();
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload */
function rendered(payload: unknown): WireResponse {
  if (typeof payload !== "object" || payload === null || !("statusCode" in payload)) return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(payload) };
  const answer = httpAnswer.safeParse(payload);
  if (!answer.success) return unavailable();
  const { statusCode, headers, body } = answer.data;
  return { status: statusCode, headers: { "content-type": "application/json", ...headers, "x-amzn-requestid": randomUUID() }, body };
}

function unavailable(): WireResponse {
  return { status: 502, headers: { "content-type": "application/json", "x-amzn-requestid": randomUUID(), "x-amzn-errortype": "InternalServerErrorException" }, body: "Internal Server Error" };
}

function json(status: number, body: object, errorType: string): WireResponse {
  return { status, headers: { "content-type": "application/json", "x-amzn-requestid": randomUUID(), "x-amzn-errortype": errorType }, body: JSON.stringify(body) };
}
