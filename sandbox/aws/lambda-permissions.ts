/** Who else may call a function: the statements of its policy, and its URL. */
import { createHash, randomBytes } from "node:crypto";
import * as z from "zod";
import { LAMBDA_LIMITS, functionUrlActions, lambdaRefusals } from "../../facts/aws/lambda.js";
import { type LambdaAccess, functionName, named, operation, refuse } from "./lambda-access.js";
import { lambdaTime } from "./lambda-functions.js";
import { type FunctionUrl, type LambdaFunction, type PolicyStatement, policyDocument } from "./lambda-store.js";
import { flag, text } from "./members.js";
import { showPrincipals, storePrincipals } from "./resource-policy.js";
import { dnsSuffix, partitionOf } from "./s3-state.js";
import type { AwsServiceContext, Operation } from "./service.js";

const statementId = text(LAMBDA_LIMITS.statementId);
const authType = z.enum(["NONE", "AWS_IAM"]);
const permission = z.object({
  FunctionName: functionName,
  Qualifier: z.string().optional(),
  StatementId: statementId,
  Action: z.string().regex(/^(?:lambda:[*]|lambda:[a-zA-Z]+|[*])$/),
  Principal: z.string().regex(/^\S+$/),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().regex(/^\d{12}$/).optional(),
  PrincipalOrgID: z.string().regex(/^o-[a-z0-9]{10,32}$/).optional(),
  EventSourceToken: z.string().optional(),
  FunctionUrlAuthType: authType.optional(),
  InvokedViaFunctionUrl: flag.optional(),
  RevisionId: z.string().optional(),
});
type Permission = z.output<typeof permission>;

function principalOf(given: string, region: string): unknown {
  if (given === "*") return "*";
  if (/^\d{12}$/.test(given)) return { AWS: `arn:${partitionOf(region)}:iam::${given}:root` };
  if (/^arn:[\w-]+:(?:iam|sts)::\d{12}:(?:root|(?:user|role|assumed-role)\/.+)$/.test(given)) return { AWS: given };
  if (/^[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?$|^[a-z0-9-]+\.alexa\.com$/.test(given)) return { Service: given };
  throw refuse(lambdaRefusals.principalInvalid());
}

function conditionsOf(input: Permission): Record<string, Record<string, string>> {
  const equals = {
    ...(input.SourceAccount !== undefined && { "aws:SourceAccount": input.SourceAccount }),
    ...(input.PrincipalOrgID !== undefined && { "aws:PrincipalOrgID": input.PrincipalOrgID }),
    ...(input.EventSourceToken !== undefined && { "lambda:EventSourceToken": input.EventSourceToken }),
    ...(input.FunctionUrlAuthType !== undefined && { "lambda:FunctionUrlAuthType": input.FunctionUrlAuthType }),
  };
  return {
    ...(Object.keys(equals).length > 0 && { StringEquals: equals }),
    ...(input.SourceArn !== undefined && { ArnLike: { "AWS:SourceArn": input.SourceArn } }),
    ...(input.InvokedViaFunctionUrl === true && { Bool: { "lambda:InvokedViaFunctionUrl": "true" } }),
  };
}

export function permissionOperations(context: AwsServiceContext, access: LambdaAccess): Record<string, Operation> {
  const { store } = access;

  const shown = (statements: readonly PolicyStatement[]): string => showPrincipals(policyDocument(statements), context);
  const revision = (statements: readonly PolicyStatement[]): string => createHash("sha256").update(JSON.stringify(statements)).digest("hex").slice(0, 32);

  return {
    AddPermission: operation(permission, (input, request) => {
      const { FunctionUrlAuthType: urlAuthType } = input;
      const asked = { "lambda:Principal": input.Principal, ...(urlAuthType !== undefined && { "lambda:FunctionUrlAuthType": urlAuthType }) };
      const fn = access.open(request, input, "AddPermission", () => asked);
      if (urlAuthType !== undefined && input.Action !== functionUrlActions.url) throw refuse(lambdaRefusals.urlAuthTypeMisplaced());
      if (input.InvokedViaFunctionUrl !== undefined && input.Action !== functionUrlActions.function) throw refuse(lambdaRefusals.viaUrlMisplaced());
      const before = store.statements(fn);
      if (before.some(({ Sid }) => Sid === input.StatementId)) throw refuse(lambdaRefusals.statementExists(input.StatementId));
      const Condition = conditionsOf(input);
      const added: PolicyStatement = {
        Sid: input.StatementId,
        Effect: "Allow",
        Principal: principalOf(input.Principal, request.region),
        Action: input.Action,
        Resource: fn.arn,
        ...(Object.keys(Condition).length > 0 && { Condition }),
      };
      const document = storePrincipals(policyDocument([...before, added]), context, () => refuse(lambdaRefusals.principalInvalid()));
      if (document.length > LAMBDA_LIMITS.policy.max) throw refuse(lambdaRefusals.policyTooLong());
      store.putStatements(fn, (JSON.parse(document) as { Statement: PolicyStatement[] }).Statement);
      return { Statement: JSON.stringify(added) };
    }),
    RemovePermission: operation(z.object({ ...named, StatementId: statementId, RevisionId: z.string().optional() }), (input, request) => {
      const fn = access.open(request, input, "RemovePermission");
      const before = store.statements(fn);
      if (!before.some(({ Sid }) => Sid === input.StatementId)) throw refuse(before.length === 0 ? lambdaRefusals.absent() : lambdaRefusals.statementMissing(input.StatementId));
      store.putStatements(
        fn,
        before.filter(({ Sid }) => Sid !== input.StatementId),
      );
      return {};
    }),
    GetPolicy: operation(z.object(named), (input, request) => {
      const statements = store.statements(access.open(request, input, "GetPolicy"));
      if (statements.length === 0) throw refuse(lambdaRefusals.absent());
      return { Policy: shown(statements), RevisionId: revision(statements) };
    }),
  };
}

/** Members of a URL's configuration that are passed on as they are. */
const cors = z.looseObject({}).optional();
const invokeMode = z.enum(["BUFFERED", "RESPONSE_STREAM"]).optional();

export function urlOperations(context: AwsServiceContext, access: LambdaAccess): Record<string, Operation> {
  const { store } = access;
  const { clock } = context.core;

  const shown = (fn: LambdaFunction, url: FunctionUrl): object => ({
    FunctionUrl: url.url,
    FunctionArn: fn.arn,
    AuthType: url.authType,
    ...(url.cors && { Cors: url.cors }),
    CreationTime: lambdaTime(url.createdAt),
    LastModifiedTime: lambdaTime(url.modifiedAt),
    InvokeMode: url.invokeMode,
  });
  const asked = (given: string | undefined) => (fn: LambdaFunction | undefined) => {
    const type = given ?? fn?.url?.authType;
    return type === undefined ? {} : { "lambda:FunctionUrlAuthType": type };
  };
  function urlOf(fn: LambdaFunction): FunctionUrl {
    if (!fn.url) throw refuse(lambdaRefusals.absent());
    return fn.url;
  }

  return {
    CreateFunctionUrlConfig: operation(z.object({ ...named, AuthType: authType, Cors: cors, InvokeMode: invokeMode }), (input, request) => {
      const fn = access.open(request, input, "CreateFunctionUrlConfig", asked(input.AuthType));
      if (fn.url) throw refuse(lambdaRefusals.urlExists(fn.arn));
      const id = BigInt(`0x${randomBytes(20).toString("hex")}`).toString(36).padStart(32, "0").slice(0, 32);
      const now = clock.now().toISOString();
      const url: FunctionUrl = {
        id,
        url: `https://${functionUrlHost(id, request.region)}/`,
        authType: input.AuthType,
        invokeMode: input.InvokeMode ?? "BUFFERED",
        ...(input.Cors && { cors: input.Cors }),
        createdAt: now,
        modifiedAt: now,
      };
      store.put({ ...fn, url });
      return shown(fn, url);
    }),
    GetFunctionUrlConfig: operation(z.object(named), (input, request) => {
      const fn = access.open(request, input, "GetFunctionUrlConfig", asked(undefined));
      return shown(fn, urlOf(fn));
    }),
    UpdateFunctionUrlConfig: operation(z.object({ ...named, AuthType: authType.optional(), Cors: cors, InvokeMode: invokeMode }), (input, request) => {
      const fn = access.open(request, input, "UpdateFunctionUrlConfig", asked(input.AuthType));
      const before = urlOf(fn);
      const url: FunctionUrl = {
        ...before,
        authType: input.AuthType ?? before.authType,
        invokeMode: input.InvokeMode ?? before.invokeMode,
        ...(input.Cors && { cors: input.Cors }),
        modifiedAt: clock.now().toISOString(),
      };
      store.put({ ...fn, url });
      return shown(fn, url);
    }),
    DeleteFunctionUrlConfig: operation(z.object(named), (input, request) => {
      const fn = access.open(request, input, "DeleteFunctionUrlConfig", asked(undefined));
      urlOf(fn);
      const { url: _url, ...kept } = fn;
      store.put(kept);
      return {};
    }),
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html */
function functionUrlHost(id: string, region: string): string {
  return `${id}.lambda-url.${region}.on.${dnsSuffix(region).endsWith(".cn") ? "amazonwebservices.com.cn" : "aws"}`;
}
