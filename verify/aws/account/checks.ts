/** The account against the contract. Everything here is read and concluded, nothing tried: results are predictions. */
import { CALLER_CONDITION_KEYS } from "../../../facts/aws/conditions.js";
import { authorize } from "../../../trust/aws/authorize.js";
import { lintTrustPolicy } from "../../../trust/aws/lint.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../../check.js";
import { bucketArn, probeKey } from "../bucket.js";
import { cause, SESSION_PREFIX, type AwsRun } from "../run.js";
import type { BucketGrant, S3Call } from "../s3-causes.js";
import { decide, namedIn, readCaller } from "./permissions.js";
import { missingProvider, otherTrusted, predictImagined, predictionCause, readTrust } from "./prediction.js";
import type { AccountReader, Reading } from "./reader.js";

const DEADLINE_MS = 60_000;

export function accountChecks(run: AwsRun, account: AccountReader): Check[] {
  const check = (id: string, title: string, needs: string[], body: (scope: CheckScope) => Promise<Verdict>): Check => ({
    id: `aws.account.${id}`,
    title: `Account: ${title}`,
    grade: "predicted",
    required: true,
    needs: ["contract", ...needs.map((need) => `aws.account.${need}`)],
    deadlineMs: DEADLINE_MS,
    run: body,
  });
  const buckets = run.contract.grants.filter((grant) => grant.kind === "s3-objects");
  return [
    check("provider", "OIDC provider", [], () => provider(run, account)),
    check("role", "role", [], () => role(run, account)),
    check("exchange", "the exchange, predicted for the contract's workload", ["provider", "role"], (scope) => exchange(run, account, scope)),
    check("trust", "the trust admits nobody else", ["exchange"], (scope) => trust(run, account, scope)),
    ...buckets.flatMap((grant) => [
      check(`bucket.${grant.id}`, `bucket ${grant.bucket}`, [], () => bucket(run, account, grant)),
      ...(grant.kmsKeyArn === undefined ? [] : [check(`key.${grant.id}`, `KMS key of bucket ${grant.bucket}`, [`bucket.${grant.id}`], () => key(run, account, grant))]),
      check(`grant.${grant.id}`, `rights on bucket ${grant.bucket}`, ["role", `bucket.${grant.id}`, ...(grant.kmsKeyArn === undefined ? [] : [`key.${grant.id}`])], (scope) =>
        grantRights(run, account, grant, scope),
      ),
    ]),
    check("limits", "no rights beyond the contract", ["role"], () => limits(run, account)),
  ];
}

function unread(reading: Extract<Reading<unknown>, { status: "absent" | "unreadable" }>): Verdict {
  return unknown(reading.status === "absent" ? reading.detail : reading.reason);
}

async function provider(run: AwsRun, account: AccountReader): Promise<Verdict> {
  const reading = await account.provider();
  if (reading.status === "unreadable") return unread(reading);
  if (reading.status === "absent") {
    const arns = await account.providerArns();
    return fail(`${run.exchange.providerArn} does not exist`, missingProvider(run, { providerArns: arns.status === "read" ? arns.value : [] }, []));
  }
  const { url, clientIds } = reading.value;
  const { issuer, audience } = run.contract.workload;
  const seen = `${url}, client ids: ${clientIds.join(", ") || "none"}`;
  if (`https://${url}` !== issuer) return fail(seen, cause(run, "aws.oidc-provider.url-differs", `the provider's URL is ${url}, the issuer ${issuer}`));
  return clientIds.includes(audience) ? pass(seen) : fail(seen, cause(run, "aws.oidc-provider.audience-not-registered", `the audience ${JSON.stringify(audience)} is not among the client ids ${clientIds.join(", ") || "(none)"}`));
}

async function role(run: AwsRun, account: AccountReader): Promise<Verdict> {
  const reading = await account.role();
  if (reading.status === "unreadable") return unread(reading);
  if (reading.status === "absent") return fail(reading.detail, cause(run, "aws.role.missing", `account ${run.exchange.accountId} has no role ${run.exchange.roleArn}: ${reading.detail}`));
  const { maxSessionDurationSeconds: longest, boundaryArn, roleId } = reading.value;
  const seen = `${roleId}, sessions up to ${longest} s${boundaryArn === undefined ? "" : `, boundary ${boundaryArn}`}`;
  const wanted = run.exchange.maxSessionDurationSeconds;
  return longest < wanted ? fail(seen, cause(run, "aws.role.session-too-long", `MaxSessionDuration is ${longest} s, the contract promises ${wanted} s`)) : pass(seen);
}

async function exchange(run: AwsRun, account: AccountReader, scope: CheckScope): Promise<Verdict> {
  const reading = await readTrust(account);
  if (reading.status !== "read") return unread(reading);
  const prediction = predictImagined(run, reading.value, run.contract.workload);
  const live = await scope.outcome("aws.exchange");
  const { answer } = prediction;
  if (prediction.otherwise && live?.status !== "pass") return unknown(`whether AssumeRoleWithWebIdentity is allowed depends on what only the call itself has (${namedIn(reading.value.role?.trustPolicy, CALLER_CONDITION_KEYS)}): ${prediction.otherwise.detail}`);
  if (answer.allowed) {
    if (live?.status === "fail") scope.remark(`The account's configuration admits the contract's workload, and STS has refused: ${live.seen}. What differs is the token, the issuer, something that cannot be read here (${NOT_READ}), or not there yet.`);
    return pass(`AssumeRoleWithWebIdentity would be allowed for ${answer.subject}`);
  }
  const seen = `AssumeRoleWithWebIdentity would be refused with ${answer.code}: ${answer.detail}`;
  if (live?.status === "pass") {
    scope.remark(`Prediction and answer disagree: ${seen}; STS has accepted the token. The answer counts; a change may be on its way.`);
    return notTested(`the live exchange passed, and counts more than the prediction (${answer.detail})`);
  }
  const found = predictionCause(run, prediction);
  return found ? fail(seen, found) : unknown(seen);
}

const NOT_READ = "service control policies, resource control policies";

/** Tokens that must be refused, and what the lint says about a trust that works. */
async function trust(run: AwsRun, account: AccountReader, scope: CheckScope): Promise<Verdict> {
  const reading = await readTrust(account);
  if (reading.status !== "read" || !reading.value.role) return reading.status === "read" ? unknown("there is no role") : unread(reading);
  const { workload } = run.contract;
  const strangers = [
    ["another subject", { ...workload, subject: `${workload.subject}.${SESSION_PREFIX}` }],
    ["a subject of its own", { ...workload, subject: SESSION_PREFIX }],
    ["another audience", { ...workload, audience: `${workload.audience}.${SESSION_PREFIX}` }],
  ] as const;
  const admitted = strangers.filter(([, token]) => predictImagined(run, reading.value, token).answer.allowed).map(([name]) => name);
  const findings = lintTrustPolicy(reading.value.role.trustPolicy).filter(({ severity }) => severity === "error");
  const others = otherTrusted(run, reading.value);
  if (others.length > 0) scope.remark(`The trust policy of role ${run.exchange.roleArn} admits others besides the contract's workload: ${others.join("; ")}.`);
  if (admitted.length === 0 && findings.length === 0) return pass("other subjects and audiences would be refused");
  const evidence = [...admitted.map((name) => `a token of ${name} would be admitted`), ...findings.map(({ path, message }) => `${path}: ${message}`)];
  return fail(evidence[0] ?? "", cause(run, "aws.trust.too-wide", evidence));
}

async function bucket(run: AwsRun, account: AccountReader, grant: BucketGrant): Promise<Verdict> {
  const facts = await account.bucket(grant.bucket, grant.region, grant.accountId);
  const { place } = facts;
  const values = { subject: grant.bucket, expected: grant.region };
  if (place.status === "absent") return fail(place.detail, cause(run, "aws.s3.bucket-missing", place.detail, values));
  if (place.status === "stranger") return fail(place.detail, cause(run, "aws.s3.other-owner", place.detail, values));
  if (place.status === "unreadable") return unread(place);
  const region = place.status === "elsewhere" ? place.region : place.value;
  if (region !== grant.region) return fail(`in ${region ?? "another region"}`, cause(run, "aws.s3.other-region", `the bucket is in ${region ?? "another region"}, the contract has ${grant.region}`, { ...values, ...(region === undefined ? {} : { found: region }) }));
  return settings(run, account, grant, facts);
}

async function settings(run: AwsRun, account: AccountReader, grant: BucketGrant, facts: Awaited<ReturnType<AccountReader["bucket"]>>): Promise<Verdict> {
  const { kmsKey, publicAccessBlocked, ownership, versioning, policy } = facts;
  if (grant.kmsKeyArn !== undefined && kmsKey.status === "read" && (await account.keyArn(kmsKey.value, grant.region)) !== grant.kmsKeyArn) {
    const found = kmsKey.value === "" ? "S3's own keys" : kmsKey.value;
    return fail(`encrypts with ${found}`, cause(run, "aws.kms.key-differs", `the bucket encrypts with ${found}, the contract has ${grant.kmsKeyArn}`, { expected: grant.kmsKeyArn, found }));
  }
  const isOurs = run.contract.targets.some(({ id, ownership: made }) => made === "created" && id === bucketArn(run, grant.bucket));
  const open = [
    ...(publicAccessBlocked.status === "absent" || (publicAccessBlocked.status === "read" && !publicAccessBlocked.value) ? ["public access is not blocked"] : []),
    ...(ownership.status === "read" && ownership.value !== "BucketOwnerEnforced" ? [`object ownership is ${ownership.value}`] : []),
    ...(policy.status !== "unreadable" && !demandsTls(run, grant, policy.status === "read" ? policy.value : undefined) ? ["requests without TLS are not denied"] : []),
  ];
  if (isOurs && open.length > 0) return fail(open.join(", "), cause(run, "aws.s3.settings-differ", open, { subject: grant.bucket }));
  const unreadable = Object.entries(facts).flatMap(([name, reading]: [string, { status: string }]) => (reading.status === "unreadable" ? [name] : []));
  const seen = [
    `in ${grant.region}`,
    kmsKey.status === "read" ? `encrypted with ${kmsKey.value === "" ? "S3's own keys" : kmsKey.value}` : undefined,
    versioning.status === "read" ? (versioning.value === "Enabled" ? "keeps versions" : "keeps no versions") : undefined,
    ...open,
    unreadable.length > 0 ? `not read: ${unreadable.join(", ")}` : undefined,
  ];
  return pass(seen.filter((part) => part !== undefined).join(", "));
}

/** Whether the bucket's policy refuses its own account's administrators a plain HTTP request for an object. */
function demandsTls(run: AwsRun, grant: BucketGrant, document: string | undefined): boolean {
  const administrator = { kind: "user", arn: `arn:${run.exchange.partition}:iam::${grant.accountId}:user/${SESSION_PREFIX}`, accountId: grant.accountId } as const;
  const everything = { name: "everything", document: JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }) };
  const request = { principal: administrator, action: "s3:GetObject", resource: `${bucketArn(run, grant.bucket)}/${probeKey(grant, run.runId)}`, resourceAccountId: grant.accountId };
  const resource = document === undefined ? undefined : { name: `policy of bucket ${grant.bucket}`, document };
  return !authorize({ ...request, context: { "aws:SecureTransport": "false" } }, { identity: [everything], resource }).allowed;
}

async function key(run: AwsRun, account: AccountReader, grant: BucketGrant): Promise<Verdict> {
  const arn = grant.kmsKeyArn ?? "";
  const { state } = await account.key(arn, grant.region);
  if (state.status === "unreadable") return unread(state);
  if (state.status === "absent") return fail(state.detail, cause(run, "aws.kms.key-missing", state.detail, { subject: arn }));
  return state.value === "Enabled" ? pass("enabled") : fail(`the key is ${state.value}`, cause(run, "aws.kms.key-disabled", `the key's state is ${state.value}`, { subject: arn }));
}

/** Every right of the grant, on what the platform will use it on. */
async function grantRights(run: AwsRun, account: AccountReader, grant: BucketGrant, scope: CheckScope): Promise<Verdict> {
  const calls = grant.permissions.filter((action) => action.startsWith("s3:")).map((action): S3Call => {
    const onObject = /^s3:\w+Object$/.test(action);
    const resource = onObject ? `${bucketArn(run, grant.bucket)}/${probeKey(grant, run.runId)}` : bucketArn(run, grant.bucket);
    return { operation: action, action, resource };
  });
  const denials = await Promise.all(calls.map((call) => account.denialOf(run, grant, call)));
  const denied = denials.filter((denial) => denial.status === "denied");
  const [first] = denied;
  if (first) {
    const same = denied.filter((denial) => denial.cause.code === first.cause.code);
    return fail(`${denied.length} of ${calls.length} rights would be refused`, { ...first.cause, evidence: same.flatMap((denial) => denial.cause.evidence) });
  }
  const unsure = denials.find((denial) => denial.status === "unknown");
  if (unsure) return (await allPassed(run, grant, scope)) ? notTested(`the live calls passed, and say more than a prediction: ${unsure.reason}`) : unknown(unsure.reason);
  const refused = await liveRefusal(run, grant, scope);
  if (refused !== undefined) scope.remark(`The account's policies allow every right on bucket ${grant.bucket}, and S3 has refused: ${refused}. What differs cannot be read here (${NOT_READ}), or is not there yet.`);
  return pass(`${calls.map(({ action }) => action).join(", ")} would be allowed`);
}

const LIVE_STEPS = ["location", "put", "read", "list", "delete"];

async function allPassed(run: AwsRun, grant: BucketGrant, scope: CheckScope): Promise<boolean> {
  if (!run.token) return false;
  const outcomes = await Promise.all(LIVE_STEPS.map((step) => scope.outcome(`aws.s3.${grant.id}.${step}`)));
  return outcomes.every((outcome) => outcome?.status === "pass");
}

async function liveRefusal(run: AwsRun, grant: BucketGrant, scope: CheckScope): Promise<string | undefined> {
  if (!run.token) return undefined;
  for (const step of LIVE_STEPS) {
    const outcome = await scope.outcome(`aws.s3.${grant.id}.${step}`);
    if (outcome?.status === "fail" && outcome.seen.includes("AccessDenied")) return outcome.seen;
  }
  return undefined;
}

/** What nobody granted: the refusal targets, buckets that the contract does not name, and ways to more rights. */
async function limits(run: AwsRun, account: AccountReader): Promise<Verdict> {
  const caller = await readCaller(account);
  if (caller.status !== "read") return unread(caller);
  const { partition, accountId, roleArn } = run.exchange;
  const other = `arn:${partition}:s3:::${SESSION_PREFIX}-${accountId}`;
  const refusals = run.contract.refusalTargets.flatMap((target) => (target.kind === "s3-bucket" ? [target] : []));
  const policies = await Promise.all(refusals.map(({ bucket: name, region }) => account.bucket(name, region)));
  const questions = [
    ...refusals.flatMap(({ bucket: name }, index) => {
      const policy = policies[index]?.policy;
      const resourcePolicy = policy?.status === "read" ? { name: `policy of bucket ${name}`, document: policy.value } : undefined;
      return [
        { action: "s3:ListBucket", resource: bucketArn(run, name), resourcePolicy },
        { action: "s3:PutObject", resource: `${bucketArn(run, name)}/${SESSION_PREFIX}`, resourcePolicy },
      ];
    }),
    { action: "s3:ListBucket", resource: other },
    { action: "s3:GetObject", resource: `${other}/object` },
    { action: "iam:PutRolePolicy", resource: roleArn },
    { action: "iam:UpdateAssumeRolePolicy", resource: roleArn },
    { action: "iam:CreateUser", resource: `arn:${partition}:iam::${accountId}:user/${SESSION_PREFIX}` },
    { action: "sts:AssumeRole", resource: `arn:${partition}:iam::${accountId}:role/${SESSION_PREFIX}` },
  ];
  const allowed = questions.filter((question) => decide(run, caller.value, { ...question, resourceAccountId: accountId }).allowed);
  const [first] = allowed;
  if (!first) return pass(`${questions.length} actions that the contract does not grant would be refused`);
  const evidence = allowed.map(({ action, resource }) => `${action} on ${resource} would be allowed`);
  return fail(evidence[0] ?? "", cause(run, "aws.grants.too-wide", evidence, { action: first.action, subject: first.resource }));
}
