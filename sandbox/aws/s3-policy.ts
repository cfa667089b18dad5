/** What S3 accepts as a bucket policy, and when it calls one public. */
import { MAX_BUCKET_POLICY_BYTES, NON_PUBLIC_CONDITION_KEYS } from "../../facts/aws/s3.js";
import { compilePattern, matchesPattern } from "../../trust/aws/pattern.js";
import { type PolicyDocument, type Statement, parsePolicy, readPolicy } from "../../trust/aws/policy.js";
import { s3Error } from "./s3-errors.js";
import type { AwsError } from "./types.js";

function malformed(message: string, detail?: string): AwsError {
  return s3Error("MalformedPolicy", detail === undefined ? {} : { Detail: detail }, message);
}

/** S3's own rules: only its actions, only this bucket and its objects. */
function checkStatement(statement: Statement, bucket: string): void {
  const foreignAction = (statement.actions ?? statement.notActions ?? []).find((each) => each !== "*" && !/^s3:/i.test(each));
  if (foreignAction !== undefined) throw malformed("Policy has invalid action", foreignAction);
  const foreign = (statement.resources ?? statement.notResources ?? []).find((each) => !concerns(each, bucket));
  if (foreign !== undefined) throw malformed("Policy has invalid resource", foreign);
}

/** A resource may name the bucket by a pattern, such as `arn:aws:s3:::my-*`. */
function concerns(resource: string, bucket: string): boolean {
  if (resource === "*") return true;
  const name = /^arn:[\w*-]+:s3:::([^/]*)/.exec(resource)?.[1];
  return matchesPattern(compilePattern(name ?? "", { wildcards: true }) ?? [], bucket);
}

/** Throws MalformedPolicy with S3's text. */
export function checkBucketPolicy(document: string, bucket: string): void {
  if (Buffer.byteLength(document) > MAX_BUCKET_POLICY_BYTES) throw malformed("Policy exceeds the maximum allowed document size.");
  if (!document.startsWith("{") || !isJson(document)) throw malformed("Policies must be valid JSON and the first byte must be '{'");
  const { document: policy, mistakes } = parsePolicy(document, "resource");
  const [first] = mistakes;
  if (first !== undefined) throw malformed(first.message, first.path);
  for (const statement of policy?.statements ?? []) checkStatement(statement, bucket);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A policy that names a role or user that does not exist. */
export function invalidPrincipal(principal: string): AwsError {
  return malformed("Invalid principal in policy", `"AWS" : "${principal}"`);
}

/** Operators that hold a key to given values; the others leave it open. */
const RESTRICTING = /^(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike|IpAddress)$/;

function restricts({ operator, key, values }: Statement["conditions"][number]): boolean {
  const name = key.toLowerCase();
  if (!RESTRICTING.test(operator) || !NON_PUBLIC_CONDITION_KEYS.includes(name)) return false;
  if (name === "aws:sourceip") return values.every((each) => !each.endsWith("/0"));
  // Access points may be meant by a pattern as long as the account is fixed.
  if (name === "s3:dataaccesspointarn") return values.every((each) => /:\d{12}:accesspoint\//.test(each));
  return values.every((each) => !/[*?]|\$\{/.test(each));
}

function isPublicStatement({ conditions, effect, notPrincipal, principal }: Statement): boolean {
  if (effect !== "Allow") return false;
  const everybody = notPrincipal !== undefined || principal?.anyone === true || principal?.values.some((each) => each.value === "*") === true;
  return everybody && !conditions.some(restricts);
}

/**
 * Whether S3 counts the policy as public: it allows everybody without holding a known key to fixed values.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
export function isPublicPolicy(document: string): boolean {
  const policy: PolicyDocument = readPolicy({ name: "of the bucket", document });
  return policy.statements.some(isPublicStatement);
}
