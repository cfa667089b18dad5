/** Which function is meant, and may this caller do this to it? Every operation of Lambda goes through here. */
import * as z from "zod";
import { LAMBDA_LIMITS, type LambdaRefusal, lambdaRefusals } from "../../facts/aws/lambda.js";
import { type LambdaFunction, type LambdaStore, policyDocument } from "./lambda-store.js";
import { operation as checked } from "./members.js";
import { partitionOf } from "./s3-state.js";
import { requireAllowed } from "./service-role.js";
import type { AwsServiceContext, OperationRequest } from "./service.js";
import { AwsError } from "./types.js";

/** A name, the ARN that has it, or that without its beginning. */
const REFERENCE = /^(?:(?:arn:[\w-]+:lambda:)?(?:(?<region>[a-z]{2,}(?:-[a-z]+)+-\d):)?(?:(?<account>\d{12}):)?function:|(?<shortAccount>\d{12}):)?(?<name>[a-zA-Z0-9-_]+)(?::(?<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?$/;

export const functionName = z
  .string()
  .min(1)
  .max(140)
  .regex(REFERENCE)
  .refine((reference) => (REFERENCE.exec(reference)?.groups?.["name"] ?? "").length <= LAMBDA_LIMITS.functionName.max, { error: `have length less than or equal to ${LAMBDA_LIMITS.functionName.max}` });
/** The members by which most operations name a function. */
export const named = { FunctionName: functionName, Qualifier: z.string().optional() };

export const operation: typeof checked = (schema, run) => checked(schema, run, "ValidationException");

export function refuse({ code, status, message }: LambdaRefusal): AwsError {
  return new AwsError(code, status, message, { Type: "User" });
}

/** Account and name of a function, whether or not there is one. */
export interface Reference {
  accountId: string;
  name: string;
  arn: string;
  qualifier: string;
}

export function referenceOf(request: OperationRequest, given: string, qualifier?: string): Reference {
  const groups = REFERENCE.exec(given)?.groups ?? {};
  const accountId = groups["account"] ?? groups["shortAccount"] ?? request.caller.principal.accountId;
  const name = groups["name"] ?? given;
  const arn = `arn:${partitionOf(request.region)}:lambda:${request.region}:${accountId}:function:${name}`;
  return { accountId, name, arn, qualifier: qualifier ?? groups["qualifier"] ?? "$LATEST" };
}

export function tagConditions(tags: Readonly<Record<string, string>>): Record<string, string | string[]> {
  const keys = Object.keys(tags);
  if (keys.length === 0) return {};
  return { "aws:TagKeys": keys, ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])) };
}

type Conditions = Record<string, string | string[]>;

export class LambdaAccess {
  constructor(
    readonly context: AwsServiceContext,
    readonly store: LambdaStore,
  ) {}

  /** Throws AccessDeniedException, whether or not there is such a function, then ResourceNotFoundException. */
  open(request: OperationRequest, input: { FunctionName: string; Qualifier?: string | undefined }, action: string, conditions: (fn: LambdaFunction | undefined) => Conditions = () => ({})): LambdaFunction {
    const reference = referenceOf(request, input.FunctionName, input.Qualifier);
    const found = this.store.find(reference.accountId, request.region, reference.name);
    this.require(request, action, reference, found, conditions(found));
    if (!found) throw refuse(lambdaRefusals.functionMissing(reference.arn));
    if (reference.qualifier !== "$LATEST") throw refuse(lambdaRefusals.functionMissing(`${reference.arn}:${reference.qualifier}`));
    return found;
  }

  require(request: OperationRequest, action: string, reference: Pick<Reference, "accountId" | "arn">, found?: LambdaFunction, conditions: Conditions = {}): void {
    requireAllowed(this.context, this.#question(request, action, reference, found, conditions), 403);
  }

  allows(request: OperationRequest, action: string, found: LambdaFunction, conditions: Conditions = {}): boolean {
    return this.context.authoriser.decide(this.#question(request, action, found, found, conditions)).allowed;
  }

  /** Operations on no function in particular. */
  requireAnywhere(request: OperationRequest, action: string): void {
    requireAllowed(this.context, { request, action: `lambda:${action}`, resource: "*", resourceAccountId: request.caller.principal.accountId }, 403);
  }

  #question(request: OperationRequest, action: string, { accountId, arn }: Pick<Reference, "accountId" | "arn">, found: LambdaFunction | undefined, conditions: Conditions) {
    const statements = found ? this.store.statements(found, "effective") : [];
    const tags = Object.fromEntries(Object.entries(found?.tags ?? {}).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
    return {
      request,
      action: `lambda:${action}`,
      resource: arn,
      resourceAccountId: accountId,
      context: { ...tags, ...conditions },
      resourcePolicy: statements.length === 0 ? undefined : { name: "function policy", document: policyDocument(statements) },
    };
  }
}
