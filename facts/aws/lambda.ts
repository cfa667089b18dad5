/** AWS Lambda's limits, formats and refusals, as data. Texts are hints: AWS changes them; codes are the contract. */
import type { Grade } from "../rules.js";

const api = "https://docs.aws.amazon.com/lambda/latest/api";
const guide = "https://docs.aws.amazon.com/lambda/latest/dg";

export const LAMBDA_LIMITS = {
  functionName: { min: 1, max: 64, pattern: /^[a-zA-Z0-9-_]+$/, source: `${api}/API_CreateFunction.html`, grade: "documented" },
  description: { min: 0, max: 256, source: `${api}/API_CreateFunction.html`, grade: "documented" },
  memoryMegabytes: { min: 128, max: 10_240, source: `${guide}/gettingstarted-limits.html`, grade: "documented" },
  timeoutSeconds: { min: 1, max: 900, source: `${guide}/gettingstarted-limits.html`, grade: "documented" },
  statementId: { min: 1, max: 100, pattern: /^[a-zA-Z0-9-_]+$/, source: `${api}/API_AddPermission.html`, grade: "documented" },
  /** Characters of a function's resource-based policy. */
  policy: { min: 0, max: 20_480, source: `${guide}/gettingstarted-limits.html`, grade: "documented" },
  tags: { min: 0, max: 50, source: `${guide}/configuration-tags.html`, grade: "documented" },
  /** Bytes of all environment variables. */
  environment: { min: 0, max: 4_096, source: `${guide}/gettingstarted-limits.html`, grade: "documented" },
} as const satisfies Record<string, { min: number; max: number; pattern?: RegExp; source: string; grade: Grade }>;

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html */
export const lambdaDefaults = { timeoutSeconds: 3, memoryMegabytes: 128, architecture: "x86_64", ephemeralStorageMegabytes: 512 } as const;

/** Lambda's names of architectures, and those that image configs have. https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html */
export const architectures = { x86_64: "amd64", arm64: "arm64" } as const;
export type Architecture = keyof typeof architectures;

/** Lambda as a principal of trust and repository policies, and in `iam:PassedToService`. */
export const LAMBDA_PRINCIPAL = "lambda.amazonaws.com";

/** The statement that Lambda adds to a repository's policy where the caller may change that. https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions */
export const IMAGE_RETRIEVAL_SID = "LambdaECRImageRetrievalPolicy";

/**
 * What a caller of a function URL needs: both, of which the second only in calls by URL. Function URLs that were made
 * before October 2025 went on with the first alone. https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
export const functionUrlActions = { url: "lambda:InvokeFunctionUrl", function: "lambda:InvokeFunction", grade: "documented" } as const;

export interface LambdaRefusal {
  code: string;
  status: number;
  message: string;
  source: string;
  grade: Grade;
}

const invalid = (message: string, source: string, grade: Grade): LambdaRefusal => ({ code: "InvalidParameterValueException", status: 400, message, source, grade });
const conflict = (message: string, source: string, grade: Grade): LambdaRefusal => ({ code: "ResourceConflictException", status: 409, message, source, grade });
const missing = (message: string, source: string, grade: Grade): LambdaRefusal => ({ code: "ResourceNotFoundException", status: 404, message, source, grade });

export const lambdaRefusals = {
  functionMissing: (arn: string) => missing(`Function not found: ${arn}`, `${api}/API_GetFunction.html`, "documented"),
  functionExists: (name: string) => conflict(`Function already exist: ${name}`, `${api}/API_CreateFunction.html`, "documented"),
  pending: () => conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending", `${guide}/functions-states.html`, "documented"),
  updating: (arn: string) => conflict(`The operation cannot be performed at this time. An update is in progress for resource: ${arn}`, `${guide}/functions-states.html`, "documented"),
  roleNotAssumable: () => invalid("The role defined for the function cannot be assumed by Lambda.", `${guide}/lambda-intro-execution-role.html`, "documented"),
  roleOfAnotherAccount: () => ({
    code: "AccessDeniedException",
    status: 403,
    message: "Cross-account pass role is not allowed.",
    source: `${guide}/lambda-intro-execution-role.html`,
    grade: "documented",
  }),
  imageMissing: (uri: string) => invalid(`Source image ${uri} does not exist. Provide a valid source image.`, `${guide}/images-create.html`, "documented"),
  imageUriInvalid: (uri: string) => invalid(`Source image ${uri} is not valid. Provide a valid source image.`, `${guide}/images-create.html`, "documented"),
  imageTypeUnsupported: (uri: string) =>
    invalid(`The image manifest, config or layer media type for the source image ${uri} is not supported.`, `${guide}/images-create.html#images-reqs`, "documented"),
  imageDenied: () => ({
    code: "AccessDeniedException",
    status: 403,
    message: "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
    source: `${guide}/images-create.html#configuration-images-permissions`,
    grade: "documented",
  }),
  packageUnsupported: () => invalid("The sandbox has functions from container images only (PackageType Image).", `${guide}/images-create.html`, "inferred"),
  environmentTooLarge: (bytes: number) =>
    invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${bytes} bytes`,
      `${guide}/configuration-envvars.html`,
      "documented",
    ),
  statementExists: (id: string) =>
    conflict(`The statement id (${id}) provided already exists. Please provide a new statement id, or remove the existing statement.`, `${api}/API_AddPermission.html`, "documented"),
  statementMissing: (id: string) => missing(`Statement ${id} is not found in resource policy.`, `${api}/API_RemovePermission.html`, "documented"),
  principalInvalid: () => invalid("The provided principal was invalid. Please check the principal and try again.", `${api}/API_AddPermission.html`, "documented"),
  urlAuthTypeMisplaced: () => invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action", `${api}/API_AddPermission.html`, "documented"),
  viaUrlMisplaced: () => invalid("InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action", `${api}/API_AddPermission.html`, "inferred"),
  policyTooLong: () => ({
    code: "PolicyLengthExceededException",
    status: 400,
    message: "The final policy size is bigger than the limit (20480).",
    source: `${guide}/gettingstarted-limits.html`,
    grade: "documented",
  }),
  absent: () => missing("The resource you requested does not exist.", `${api}/API_GetPolicy.html`, "documented"),
  urlExists: (arn: string) =>
    conflict(`Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`, `${api}/API_CreateFunctionUrlConfig.html`, "documented"),
  tagsInvalid: (problem: string) => invalid(problem, `${guide}/configuration-tags.html`, "inferred"),
} as const satisfies Record<string, (...values: never[]) => LambdaRefusal>;

/** What a function URL answers who may not call it. https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html */
export const FUNCTION_URL_FORBIDDEN = "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/**
 * An image for another processor starts and fails at once; a function URL answers 502.
 * https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html
 */
export const WRONG_ARCHITECTURE = { errorType: "Runtime.InvalidEntrypoint", error: "fork/exec /lambda-entrypoint.sh: exec format error" } as const;
