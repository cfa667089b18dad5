/** AWS Lambda in the sandbox: functions from container images, their policies and URLs, and calls of them. */
import { randomUUID } from "node:crypto";
import { FaultError, type WireRequest, type WireResponse } from "../types.js";
import { authErrors } from "./auth-errors.js";
import { renderRestError } from "./json-protocol.js";
import { LambdaAccess } from "./lambda-access.js";
import { functionOperations } from "./lambda-functions.js";
import { LambdaImages } from "./lambda-image.js";
import { LambdaInvoker } from "./lambda-invoke.js";
import { permissionOperations, urlOperations } from "./lambda-permissions.js";
import { LambdaStore } from "./lambda-store.js";
import { readRest, renderRest } from "./lambda-wire.js";
import type { CallAs } from "./service-role.js";
import type { AwsService, AwsServiceContext, OperationRequest } from "./service.js";
import { AwsError, type AwsCaller } from "./types.js";

export interface Lambda {
  service: AwsService;
  /** The REST API. */
  handleWire(request: WireRequest, authenticated: Omit<OperationRequest, "input">): Promise<WireResponse>;
  /** A call of a function by its URL. `signedBy` throws where a signature proves nothing; it is asked where the URL wants one. */
  handleFunctionUrl(request: WireRequest, context: OperationRequest["context"], signedBy: () => AwsCaller): Promise<WireResponse>;
}

/** `callAs` is how functions reach the other services, with their role's session. */
export function createLambda(context: AwsServiceContext, callAs: CallAs): Lambda {
  const { core } = context;
  const access = new LambdaAccess(context, new LambdaStore(core.store));
  const invoker = new LambdaInvoker(context, access, callAs);
  const operations: AwsService["operations"] = {
    ...functionOperations(context, access, new LambdaImages(context)),
    ...permissionOperations(context, access),
    ...urlOperations(context, access),
    ...invoker.operations(),
  };

  async function answer(request: WireRequest, authenticated: Omit<OperationRequest, "input">): Promise<WireResponse> {
    if (authenticated.caller.principal.kind === "anonymous") throw authErrors.lambda.missing();
    const call = readRest(request);
    await core.enter(`lambda:${call.operation}`);
    const output = await operations[call.operation]?.({ ...authenticated, input: call.input });
    return renderRest(call, output ?? {});
  }

  async function answerOfFunction(...call: Parameters<Lambda["handleFunctionUrl"]>): Promise<WireResponse> {
    await core.enter("lambda:InvokeFunctionUrl");
    return invoker.handleUrl(...call);
  }

  const rendered = (answering: Promise<WireResponse>): Promise<WireResponse> => answering.catch((error: unknown) => renderRestError(asAwsError(error), randomUUID()));

  return {
    service: { name: "lambda", operations },
    handleWire: (...call) => rendered(answer(...call)),
    handleFunctionUrl: (...call) => rendered(answerOfFunction(...call)),
  };
}

function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof FaultError) return new AwsError(error.fault.code, error.fault.status, error.fault.message);
  return new AwsError("ServiceException", 500, `The sandbox failed at this request: ${error instanceof Error ? error.message : String(error)}`);
}
