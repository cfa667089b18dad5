/** Lambda's functions: made from container images, changed, found, deleted. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { LAMBDA_LIMITS, LAMBDA_PRINCIPAL, type Architecture, lambdaDefaults, lambdaRefusals } from "../../facts/aws/lambda.js";
import { type LambdaAccess, type Reference, functionName, named, operation, referenceOf, refuse, tagConditions } from "./lambda-access.js";
import type { LambdaImages } from "./lambda-image.js";
import type { LambdaFunction } from "./lambda-store.js";
import { integer, text } from "./members.js";
import { assumableRole, requirePassRole } from "./service-role.js";
import type { AwsServiceContext, Operation, OperationRequest } from "./service.js";

/** Real milliseconds until a function is ready, and until a change of one is through. */
const CREATE_MS = 300;
const UPDATE_MS = 150;

const roleArn = z.string().regex(/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@\-/]+$/);
const tags = z.record(z.string().min(1).max(128), z.string().max(256));
const architecture = z.array(z.enum(["x86_64", "arm64"])).length(1);
const imageConfig = z.looseObject({ EntryPoint: z.array(z.string()).optional(), Command: z.array(z.string()).optional(), WorkingDirectory: z.string().optional() });
/** What both CreateFunction and UpdateFunctionConfiguration set. */
const settings = {
  Description: text(LAMBDA_LIMITS.description).optional(),
  Timeout: integer({ min: LAMBDA_LIMITS.timeoutSeconds.min, max: LAMBDA_LIMITS.timeoutSeconds.max }).optional(),
  MemorySize: integer({ min: LAMBDA_LIMITS.memoryMegabytes.min, max: LAMBDA_LIMITS.memoryMegabytes.max }).optional(),
  Environment: z.object({ Variables: z.record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]+$/), z.string()).optional() }).optional(),
  ImageConfig: imageConfig.optional(),
};
type Settings = z.output<z.ZodObject<typeof settings>>;

/** Times as Lambda writes them. */
export function lambdaTime(iso: string): string {
  return iso.replace(/Z$/, "+0000");
}

export function isBusy(fn: LambdaFunction, now: Date): boolean {
  return now < new Date(fn.work.until);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html */
function stateOf(fn: LambdaFunction, now: Date): object {
  const reason = "The function is being created.";
  if (!isBusy(fn, now)) return { State: "Active", LastUpdateStatus: "Successful" };
  if (fn.work.kind === "create") return { State: "Pending", StateReason: reason, StateReasonCode: "Creating" };
  return { State: "Active", LastUpdateStatus: "InProgress", LastUpdateStatusReason: reason, LastUpdateStatusReasonCode: "Creating" };
}

function configuration(fn: LambdaFunction, now: Date): object {
  return {
    FunctionName: fn.name,
    FunctionArn: fn.arn,
    Role: fn.role,
    CodeSize: 0,
    Description: fn.description,
    Timeout: fn.timeoutSeconds,
    MemorySize: fn.memoryMegabytes,
    LastModified: lambdaTime(fn.modifiedAt),
    CodeSha256: fn.image.digest.replace(/^sha256:/, ""),
    Version: "$LATEST",
    ...(Object.keys(fn.environment).length > 0 && { Environment: { Variables: fn.environment } }),
    TracingConfig: { Mode: "PassThrough" },
    RevisionId: fn.revisionId,
    ...stateOf(fn, now),
    PackageType: "Image",
    ...(fn.imageConfig && { ImageConfigResponse: { ImageConfig: fn.imageConfig } }),
    Architectures: [fn.architecture],
    EphemeralStorage: { Size: lambdaDefaults.ephemeralStorageMegabytes },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${fn.name}` },
  };
}

export function functionOperations(context: AwsServiceContext, access: LambdaAccess, images: LambdaImages): Record<string, Operation> {
  const { store } = access;
  const { clock } = context.core;
  const shown = (fn: LambdaFunction): object => configuration(fn, clock.now());

  /** The caller hands the role over, and Lambda can take it on. */
  function requireRole(request: OperationRequest, role: string, { arn, accountId }: Pick<Reference, "arn" | "accountId">): void {
    requirePassRole(context, request, role, { service: LAMBDA_PRINCIPAL, sourceArn: arn, sourceAccount: accountId }, 403);
    if (role.split(":")[4] !== accountId) throw refuse(lambdaRefusals.roleOfAnotherAccount());
    // Lambda tells a trust policy the account, not the function: it takes the role on for all of its environments.
    if (!assumableRole(context, role, { service: LAMBDA_PRINCIPAL, sourceAccount: accountId }, request.region)) throw refuse(lambdaRefusals.roleNotAssumable());
  }

  function requireIdle(fn: LambdaFunction): void {
    if (!isBusy(fn, clock.now())) return;
    throw refuse(fn.work.kind === "create" ? lambdaRefusals.pending() : lambdaRefusals.updating(fn.arn));
  }

  function changed(kind: LambdaFunction["work"]["kind"]): Pick<LambdaFunction, "modifiedAt" | "revisionId" | "work"> {
    const now = clock.now();
    const until = new Date(now.getTime() + (kind === "create" ? CREATE_MS : UPDATE_MS));
    return { modifiedAt: now.toISOString(), revisionId: randomUUID(), work: { kind, until: until.toISOString() } };
  }

  function environmentOf(given: Settings["Environment"]): Record<string, string> {
    const variables = given?.Variables ?? {};
    const bytes = Buffer.byteLength(JSON.stringify(variables));
    if (bytes > LAMBDA_LIMITS.environment.max) throw refuse(lambdaRefusals.environmentTooLarge(bytes));
    return variables;
  }

  return {
    CreateFunction: operation(
      z.object({
        FunctionName: functionName,
        ...settings,
        Role: roleArn,
        Code: z.looseObject({ ImageUri: z.string().optional() }),
        PackageType: z.enum(["Zip", "Image"]).optional(),
        Architectures: architecture.optional(),
        Publish: z.boolean().optional(),
        Tags: tags.optional(),
      }),
      (input, request) => {
        const reference = referenceOf(request, input.FunctionName);
        const { Tags: given = {}, Code: code } = input;
        access.require(request, "CreateFunction", reference, undefined, tagConditions(given));
        if (Object.keys(given).length > 0) access.require(request, "TagResource", reference, undefined, tagConditions(given));
        if (input.PackageType !== "Image" || code.ImageUri === undefined) throw refuse(lambdaRefusals.packageUnsupported());
        const environment = environmentOf(input.Environment);
        requireRole(request, input.Role, reference);
        if (store.find(reference.accountId, request.region, reference.name)) throw refuse(lambdaRefusals.functionExists(reference.name));
        const fn: LambdaFunction = {
          accountId: reference.accountId,
          region: request.region,
          name: reference.name,
          arn: reference.arn,
          role: input.Role,
          description: input.Description ?? "",
          timeoutSeconds: input.Timeout ?? lambdaDefaults.timeoutSeconds,
          memoryMegabytes: input.MemorySize ?? lambdaDefaults.memoryMegabytes,
          environment,
          architecture: input.Architectures?.[0] ?? lambdaDefaults.architecture,
          ...(input.ImageConfig && { imageConfig: input.ImageConfig }),
          image: images.pull({ request, uri: code.ImageUri, functionArn: reference.arn }),
          tags: given,
          ...changed("create"),
        };
        store.put(fn);
        return shown(fn);
      },
    ),
    GetFunction: operation(z.object(named), (input, request) => {
      const fn = access.open(request, input, "GetFunction");
      const mayList = access.allows(request, "ListTags", fn);
      return {
        Configuration: shown(fn),
        Code: { RepositoryType: "ECR", ImageUri: fn.image.uri, ResolvedImageUri: fn.image.resolvedUri },
        ...(mayList && Object.keys(fn.tags).length > 0 && { Tags: fn.tags }),
      };
    }),
    GetFunctionConfiguration: operation(z.object(named), (input, request) => shown(access.open(request, input, "GetFunctionConfiguration"))),
    ListFunctions: operation(z.object({ Marker: z.string().optional(), MaxItems: integer({ min: 1, max: 10_000 }).optional() }), (input, request) => {
      access.requireAnywhere(request, "ListFunctions");
      const all = store.list(request.caller.principal.accountId, request.region);
      const rest = all.filter(({ name }) => name > (input.Marker ?? ""));
      const page = rest.slice(0, Math.min(input.MaxItems ?? 50, 50));
      const next = page.length < rest.length ? page.at(-1)?.name : undefined;
      return { Functions: page.map(shown), ...(next !== undefined && { NextMarker: next }) };
    }),
    UpdateFunctionCode: operation(z.object({ FunctionName: functionName, ImageUri: z.string().optional(), Architectures: architecture.optional(), DryRun: z.boolean().optional(), Publish: z.boolean().optional() }), (input, request) => {
      const fn = access.open(request, input, "UpdateFunctionCode");
      requireIdle(fn);
      if (input.ImageUri === undefined) throw refuse(lambdaRefusals.packageUnsupported());
      const image = images.pull({ request, uri: input.ImageUri, functionArn: fn.arn });
      const previous = { image: fn.image, architecture: fn.architecture };
      const next: LambdaFunction = { ...fn, image, architecture: input.Architectures?.[0] ?? fn.architecture, previous, ...changed("update") };
      if (input.DryRun !== true) store.put(next);
      return shown(next);
    }),
    UpdateFunctionConfiguration: operation(z.object({ FunctionName: functionName, ...settings, Role: roleArn.optional() }), (input, request) => {
      const fn = access.open(request, input, "UpdateFunctionConfiguration");
      if (input.Role !== undefined) requireRole(request, input.Role, fn);
      requireIdle(fn);
      const { previous: _previous, ...kept } = fn;
      const next: LambdaFunction = {
        ...kept,
        role: input.Role ?? fn.role,
        description: input.Description ?? fn.description,
        timeoutSeconds: input.Timeout ?? fn.timeoutSeconds,
        memoryMegabytes: input.MemorySize ?? fn.memoryMegabytes,
        environment: input.Environment ? environmentOf(input.Environment) : fn.environment,
        ...(input.ImageConfig && { imageConfig: input.ImageConfig }),
        ...changed("update"),
      };
      store.put(next);
      return shown(next);
    }),
    DeleteFunction: operation(z.object(named), (input, request) => {
      store.delete(access.open(request, input, "DeleteFunction"));
      return {};
    }),
    ...tagOperations(access),
  };
}

function tagOperations(access: LambdaAccess): Record<string, Operation> {
  const { store } = access;
  const resource = { Resource: functionName };
  return {
    ListTags: operation(z.object(resource), (input, request) => ({ Tags: access.open(request, { FunctionName: input.Resource }, "ListTags").tags })),
    TagResource: operation(z.object({ ...resource, Tags: tags }), (input, request) => {
      const fn = access.open(request, { FunctionName: input.Resource }, "TagResource", () => tagConditions(input.Tags));
      const all = { ...fn.tags, ...input.Tags };
      if (Object.keys(all).length > LAMBDA_LIMITS.tags.max) throw refuse(lambdaRefusals.tagsInvalid(`A function has at most ${LAMBDA_LIMITS.tags.max} tags.`));
      store.put({ ...fn, tags: all });
      return {};
    }),
    UntagResource: operation(z.object({ ...resource, TagKeys: z.array(z.string()).min(1) }), (input, request) => {
      const fn = access.open(request, { FunctionName: input.Resource }, "UntagResource", () => ({ "aws:TagKeys": input.TagKeys }));
      store.put({ ...fn, tags: Object.fromEntries(Object.entries(fn.tags).filter(([key]) => !input.TagKeys.includes(key))) });
      return {};
    }),
  };
}

/** What answers a call now: during an update still what was there before. */
export function servedCode(fn: LambdaFunction, now: Date): { image: LambdaFunction["image"]; architecture: Architecture } {
  return isBusy(fn, now) && fn.previous ? fn.previous : fn;
}
