/** What the role may do, by the account's policies and the rules of `trust/`. */
import { CALLER_CONDITION_KEYS, ORGANISATION_CONDITION_KEYS } from "../../../facts/aws/conditions.js";
import { partitionNamed } from "../../../facts/aws/partitions.js";
import { authorize } from "../../../trust/aws/authorize.js";
import type { Supposition } from "../../../trust/aws/conditions.js";
import { readSession } from "../../../trust/aws/token-claims.js";
import type { Authorization, AuthorizationRequest, NamedPolicy, PolicySet, Principal } from "../../../trust/aws/types.js";
import type { Cause } from "../../causes.js";
import { bucketArn, probeKey } from "../bucket.js";
import { layerCode, otherKeyCause, subjectOf, type BucketGrant, type S3Call } from "../s3-causes.js";
import { cause, sessionName, type AwsRun } from "../run.js";
import type { AccountReader, Reading, RoleFacts, RolePolicies } from "./reader.js";

export type PredictedDenial = { status: "allowed" } | { status: "denied"; cause: Cause } | { status: "unknown"; reason: string };

interface Caller {
  role: RoleFacts;
  policies: RolePolicies;
}

export async function readCaller(account: AccountReader): Promise<Reading<Caller>> {
  const [role, policies] = await Promise.all([account.role(), account.policies()]);
  if (role.status !== "read") return role;
  return policies.status === "read" ? { status: "read", value: { role: role.value, policies: policies.value } } : policies;
}

export interface Question {
  action: string;
  resource: string;
  resourceAccountId: string;
  context?: Record<string, string>;
  resourcePolicy?: NamedPolicy | undefined;
  resourcePolicyDecides?: boolean;
}

/** What only a call itself, or the organisation, could tell. */
const UNKNOWN_KEYS = [...CALLER_CONDITION_KEYS, ...ORGANISATION_CONDITION_KEYS];

/** The decision for a session of the role, as far as the account's own policies go; unknown keys are held against it unless told otherwise. */
export function decide(run: AwsRun, { role, policies }: Caller, question: Question, unknown: Supposition["in"] = "disfavour"): Authorization {
  const request: AuthorizationRequest = {
    principal: principalOf(run, role),
    action: question.action,
    resource: question.resource,
    resourceAccountId: question.resourceAccountId,
    // Everything here goes over TLS; what a network would add, such as a VPC endpoint, is not there.
    context: { "aws:SecureTransport": "true", "aws:RequestedRegion": run.exchange.region, ...question.context },
    supposition: { unknownKeys: UNKNOWN_KEYS, in: unknown },
  };
  const set: PolicySet = {
    identity: policies.identity,
    boundary: policies.boundary,
    resource: question.resourcePolicy,
    ...(question.resourcePolicyDecides === undefined ? {} : { resourcePolicyDecides: question.resourcePolicyDecides }),
  };
  return authorize(request, set);
}

function principalOf(run: AwsRun, role: RoleFacts): Principal {
  const { partition, accountId, providerArn } = run.exchange;
  const name = sessionName(run.exchange, run.runId);
  return {
    kind: "role-session",
    arn: `arn:${partition}:sts::${accountId}:assumed-role/${role.arn.split("/").at(-1) ?? ""}/${name}`,
    accountId,
    roleArn: role.arn,
    uniqueId: role.roleId,
    sessionName: name,
    federatedProvider: providerArn,
    issuedAt: new Date().toISOString(),
    // A session's own tags go before those of its role.
    tags: { ...role.tags, ...sessionTags(run) },
  };
}

/** Of the run's own token; a token that is not there has none. */
function sessionTags({ token }: AwsRun): Record<string, string> {
  const session = token && readSession(token.jwt.claims);
  return session === undefined || "allowed" in session ? {} : session.tags;
}

/** The decision whatever the unknown keys are, or that it depends on them. */
function decideFirmly(run: AwsRun, caller: Caller, question: Question): Authorization | "depends" {
  const decision = decide(run, caller, question);
  return decision.allowed === decide(run, caller, question, "favour").allowed ? decision : "depends";
}

function depends({ policies }: Caller, { action, resource, resourcePolicy }: Question): PredictedDenial {
  const texts = [...policies.identity, policies.boundary, resourcePolicy].map((policy) => policy?.document);
  return { status: "unknown", reason: `whether ${action} on ${resource} is allowed depends on what only the call itself or the organisation can tell (${namedIn(texts.join("\n"), UNKNOWN_KEYS)})` };
}

/** Those of the condition keys that the policies name. */
export function namedIn(policies: string | undefined, keys: readonly string[]): string {
  return keys.filter((key) => policies?.toLowerCase().includes(`"${key.toLowerCase()}"`)).join(", ");
}

/** Whether the account's own policies refuse this call, and why. */
export async function denialOf(run: AwsRun, account: AccountReader, grant: BucketGrant, call: S3Call): Promise<PredictedDenial> {
  const [caller, bucket] = await Promise.all([readCaller(account), account.bucket(grant.bucket, grant.region, grant.accountId)]);
  if (bucket.place.status === "stranger") return { status: "denied", cause: cause(run, "aws.s3.other-owner", bucket.place.detail, { subject: grant.bucket }) };
  if (caller.status !== "read") return { status: "unknown", reason: caller.status === "absent" ? caller.detail : caller.reason };
  if (bucket.policy.status === "unreadable") return { status: "unknown", reason: bucket.policy.reason };
  const resourcePolicy = bucket.policy.status === "read" ? { name: `policy of bucket ${grant.bucket}`, document: bucket.policy.value } : undefined;
  const question: Question = { action: call.action, resource: call.resource, resourceAccountId: grant.accountId, context: s3Context(run, grant, call), resourcePolicy };
  const decision = decideFirmly(run, caller.value, question);
  if (decision === "depends") return depends(caller.value, question);
  if (!decision.allowed) return { status: "denied", cause: refusalCause(run, caller.value.role, grant, question, decision, (policy) => decide(run, caller.value, { ...question, resourcePolicy: policy })) };
  // The key that the bucket has counts, whatever the contract says.
  const keyArn = bucket.kmsKey.status === "read" ? await account.keyArn(bucket.kmsKey.value, grant.region) : grant.kmsKeyArn;
  return keyDenial(run, account, caller.value, grant, call, keyArn);
}

/** As every client of today signs. https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html */
const SIGNED_REQUEST = { "s3:signatureversion": "AWS4-HMAC-SHA256", "s3:authType": "REST-HEADER" };

function s3Context(run: AwsRun, grant: BucketGrant, { action }: S3Call): Record<string, string> {
  return { "aws:RequestedRegion": grant.region, "s3:ResourceAccount": grant.accountId, ...SIGNED_REQUEST, ...(action === "s3:ListBucket" ? { "s3:prefix": probeKey(grant, run.runId) } : {}) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html */
const KEY_ACTIONS: Readonly<Record<string, string>> = { "s3:PutObject": "kms:GenerateDataKey", "s3:GetObject": "kms:Decrypt" };

/** S3's own keys need no right. */
const CUSTOMER_KEY = /^arn:[^:]+:kms:[^:]+:\d{12}:key\//;

/** S3 uses the key in the caller's name. */
async function keyDenial(run: AwsRun, account: AccountReader, caller: Caller, grant: BucketGrant, call: S3Call, keyArn: string | undefined): Promise<PredictedDenial> {
  const action = KEY_ACTIONS[call.action];
  if (keyArn === undefined || !CUSTOMER_KEY.test(keyArn) || action === undefined) return { status: "allowed" };
  const { policy } = await account.key(keyArn, grant.region);
  if (policy.status !== "read") return { status: "unknown", reason: policy.status === "absent" ? policy.detail : policy.reason };
  const question: Question = {
    action,
    resource: keyArn,
    resourceAccountId: keyArn.split(":")[4] ?? "",
    context: {
      "aws:RequestedRegion": grant.region,
      "kms:ViaService": `s3.${grant.region}.${partitionNamed(run.exchange.partition)?.dnsSuffix ?? ""}`,
      "kms:CallerAccount": run.exchange.accountId,
      "kms:EncryptionContext:aws:s3:arn": bucketArn(run, grant.bucket),
    },
    resourcePolicy: { name: `policy of key ${keyArn}`, document: policy.value },
    resourcePolicyDecides: true,
  };
  const decision = decideFirmly(run, caller, question);
  if (decision === "depends") return depends(caller, question);
  if (decision.allowed) return { status: "allowed" };
  return { status: "denied", cause: keyArn === grant.kmsKeyArn ? refusalCause(run, caller.role, grant, question, decision, () => decision) : otherKeyCause(run, grant, keyArn) };
}

function refusalCause(run: AwsRun, role: RoleFacts, grant: BucketGrant, question: Question, decision: Authorization, again: (policy: NamedPolicy) => Authorization): Cause {
  const former = formerId(role, question, again);
  if (former !== undefined) {
    return cause(run, "aws.s3.bucket-policy-former-role", `the policy of bucket ${grant.bucket} names ${former}; the role's id is ${role.roleId}, and with that the call would be allowed`, { subject: grant.bucket, found: former });
  }
  const code = layerCode(decision.layer, decision.decision === "explicit-deny", question.action);
  const { statement } = decision;
  const where = statement && `${statement.policy}, statement ${statement.sid ?? statement.index}`;
  const detail = `${question.action} on ${question.resource}: ${decision.because}${where === undefined ? "" : ` (${where})`}`;
  return cause(run, code, `by the account's policies, ${detail}`, { action: question.action, subject: subjectOf(code, grant, question.resource), explicit: decision.decision === "explicit-deny", ...(where === undefined ? {} : { found: where }) });
}

/** Unique ids of roles, as policies keep them in place of ARNs. */
const ROLE_ID = /\bAROA[A-Z0-9]{12,}\b/g;

/** The id of a role that is no more, if the policy would allow the call with the present role's id in its place. */
function formerId(role: RoleFacts, { resourcePolicy }: Question, again: (policy: NamedPolicy) => Authorization): string | undefined {
  if (!resourcePolicy) return undefined;
  const ids = new Set(resourcePolicy.document.match(ROLE_ID) ?? []);
  ids.delete(role.roleId);
  return [...ids].find((id) => again({ ...resourcePolicy, document: resourcePolicy.document.replaceAll(id, role.roleId) }).allowed);
}
