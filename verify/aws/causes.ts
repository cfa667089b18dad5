/** What can be wrong between a workload and an AWS account: codes, meaning, and the change that helps. */
import { partitionNamed } from "../../facts/aws/partitions.js";
import type { AwsExchange, Contract } from "../../contract/schema.js";
import type { Cause, CauseEntry, FailureMode } from "../causes.js";
import { buildCauses } from "./codebuild-entries.js";
import { boundaryFix, roleName, up } from "./fixes.js";

/** The values of a run that fixes are written with. */
export interface AwsCauseValues {
  contract: Contract;
  exchange: AwsExchange;
  /** What the failing thing is called: a bucket, a key's ARN, a condition key. */
  subject?: string | undefined;
  /** IAM action that was refused. */
  action?: string | undefined;
  expected?: string | undefined;
  found?: string | undefined;
  /** A statement denies it; otherwise none allows it. */
  explicit?: boolean | undefined;
}

type Entry = CauseEntry<AwsCauseValues>;

const TOKEN: FailureMode = "Invalid OIDC token";
const ASSUME: FailureMode = "Access denied assuming role";
const BUCKET: FailureMode = "Bucket exists but access is denied";

const issuerName = (values: AwsCauseValues) => values.contract.workload.issuer.replace(/^https:\/\//, "");
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const iam = (command: string, options: string) => `aws iam ${command} ${options}`;
const bucketOf = (values: AwsCauseValues) => values.subject ?? "";

const trustLine = (key: string, value: (values: AwsCauseValues) => string) => (values: AwsCauseValues) =>
  `${up}, or set in the trust policy of role ${roleName(values)}: "StringEquals": { "${issuerName(values)}:${key}": ${JSON.stringify(value(values))} }.`;
const mint = (values: AwsCauseValues) => {
  const { issuer, subject, audience } = values.contract.workload;
  return `Present a token of ${issuer} for subject ${subject} and audience ${audience}; if the workload was renamed on purpose, change \`workload\` in the stack's configuration and run \`pulumi up\`.`;
};

const entries = {
  // ---- the token ----
  "token.expired": {
    title: "The token has expired",
    failureMode: TOKEN,
    explanation: "AWS accepts a token until 5 minutes after its `exp`.",
    fix: (values) => `Get a fresh token from ${values.contract.workload.issuer} right before the run; a projected token's file is renewed by the platform, so read it anew each time.`,
  },
  "token.not-yet-valid": {
    title: "The token is not valid yet",
    failureMode: TOKEN,
    explanation: "Its `nbf` or `iat` is more than 5 minutes ahead of AWS's clock: the issuer's clock is fast.",
    fix: (values) => `Set the clock of the machine that issues tokens for ${values.contract.workload.issuer} (NTP).`,
  },
  "token.clock-skew": {
    title: "The issuer's clock and AWS's differ",
    failureMode: TOKEN,
    explanation: "By this machine's clock the token is valid, by AWS's it has expired more than 5 minutes ago.",
    fix: (values) => `Compare this machine's clock and that of the issuer ${values.contract.workload.issuer} with a time server, and set the one that is slow (NTP).`,
  },
  "token.other-issuer": {
    title: "The token is of another issuer than the contract's",
    failureMode: TOKEN,
    explanation: "The issuer is compared byte for byte, slash and case included.",
    fix: mint,
  },
  "token.other-subject": {
    title: "The token is of another workload: its subject is not the contract's",
    failureMode: ASSUME,
    explanation: "The trust admits one exact subject; it is compared byte for byte.",
    fix: mint,
  },
  "token.other-audience": {
    title: "The token is for another audience than the contract's",
    failureMode: TOKEN,
    explanation: "The audience (`azp` where the token has one, `aud` otherwise) must be a client id of the provider and the one that the trust names.",
    fix: mint,
  },
  "token.unusable": {
    title: "AWS cannot use tokens of this form",
    failureMode: TOKEN,
    explanation: "STS needs iss, sub, aud, iat and exp, whole seconds, one of RS256/384/512 or ES256/384/512, no `crit`, and 4 to 20,000 characters.",
    fix: (values) => `Change what ${values.contract.workload.issuer} puts into its tokens: ${values.found ?? "see the evidence"}.`,
  },
  // ---- the issuer ----
  "issuer.unreachable": {
    title: "The issuer cannot be reached",
    failureMode: TOKEN,
    explanation: "AWS fetches the discovery document and the keys over the public internet, each within 5 seconds.",
    fix: (values) => `Make https://${issuerName(values)}/.well-known/openid-configuration answer from the internet: DNS, firewall, TLS listener.`,
  },
  "issuer.slow": {
    title: "The issuer answers too slowly",
    failureMode: TOKEN,
    explanation: "AWS waits 5 seconds for each document of the issuer.",
    fix: (values) => `Serve the discovery document and the keys of ${values.contract.workload.issuer} as static files or from a cache, in well under 5 seconds.`,
  },
  "issuer.error-answer": {
    title: "The issuer answers with an error",
    failureMode: TOKEN,
    explanation: "AWS needs 200 for the discovery document and for the keys, and follows no redirect.",
    fix: (values) => `Check \`curl -i ${quote(values.subject ?? values.contract.workload.issuer)}\`: it must answer 200 with JSON.`,
  },
  "issuer.certificate-untrusted": {
    title: "The issuer's certificate is not trusted",
    failureMode: TOKEN,
    explanation: "AWS verifies the certificate of the issuer's host against public authorities.",
    fix: (values) => `Give ${issuerName(values)} a certificate of a public authority, with the whole chain, valid for that host name.`,
  },
  "issuer.discovery-invalid": {
    title: "The issuer's discovery document is not as AWS needs it",
    failureMode: TOKEN,
    explanation: "It must be a JSON object with issuer, jwks_uri, response_types_supported, subject_types_supported and id_token_signing_alg_values_supported.",
    fix: (values) => `Correct https://${issuerName(values)}/.well-known/openid-configuration: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.issuer-differs": {
    title: "The issuer's discovery document names another issuer",
    failureMode: TOKEN,
    explanation: "Its `issuer` must equal the token's `iss` byte for byte, slash and case included.",
    fix: (values) => `Set "issuer": ${JSON.stringify(values.contract.workload.issuer)} in https://${issuerName(values)}/.well-known/openid-configuration.`,
  },
  "issuer.keys-invalid": {
    title: "The issuer's key document is not as AWS needs it",
    failureMode: TOKEN,
    explanation: "It must be a JSON object with a list `keys`: at most 100 keys of a type, each with a `kid`, for signatures and without `key_ops`.",
    fix: (values) => `Correct the document at the issuer's jwks_uri: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.key-unknown": {
    title: "The issuer does not publish the key that the token names",
    failureMode: TOKEN,
    explanation: "The token's `kid` must be among the issuer's keys: after a rotation the old key has to stay published until its tokens have expired, and the new one before it signs.",
    fix: (values) => `Publish the key ${values.subject ?? ""} at the issuer's jwks_uri again, or present a token that is signed with a published one.`,
  },
  "issuer.key-unusable": {
    title: "The issuer's key is published in a form that AWS does not use",
    failureMode: TOKEN,
    explanation: "AWS refuses keys with `key_ops`, keys for encryption, and keys whose certificate (`x5c`) holds another key.",
    fix: (values) => `Publish the key ${values.subject ?? ""} with kty, kid, alg, "use": "sig" and its public numbers only.`,
  },
  "issuer.signature-mismatch": {
    title: "The token was not signed with the key that the issuer publishes under its key id",
    failureMode: TOKEN,
    explanation: "The token comes from somebody else, or the issuer signs with a key that it replaced under the same `kid`.",
    fix: (values) => `Give every key of ${values.contract.workload.issuer} its own kid, and publish the one that signs.`,
  },
  "issuer.unreachable-for-aws": {
    title: "AWS cannot fetch the issuer's documents, although they can be had from here",
    failureMode: TOKEN,
    explanation: "AWS comes from the public internet: an issuer behind a firewall, a VPN or a private DNS zone is out of its reach. AWS also remembers keys for a while after a rotation.",
    fix: (values) => `Open https://${issuerName(values)}/.well-known/openid-configuration and its jwks_uri to the internet.`,
  },
  // ---- the provider ----
  "aws.oidc-provider.missing": {
    title: "The account has no OIDC provider for the issuer",
    failureMode: TOKEN,
    explanation: "STS looks for the provider in the role's own account. Another stack may have removed one that both used.",
    fix: (values) => `${up}, or: ${iam("create-open-id-connect-provider", `--url ${values.contract.workload.issuer} --client-id-list ${values.contract.workload.audience}`)}`,
  },
  "aws.oidc-provider.url-differs": {
    title: "The account's OIDC provider is for a URL that differs from the issuer",
    failureMode: TOKEN,
    explanation: "A provider's URL and the token's issuer are compared byte for byte, slash and case included; a provider's URL cannot be changed.",
    fix: (values) => `Add a provider for the exact issuer: ${iam("create-open-id-connect-provider", `--url ${values.contract.workload.issuer} --client-id-list ${values.contract.workload.audience}`)}`,
  },
  "aws.oidc-provider.audience-not-registered": {
    title: "The audience is no client id of the OIDC provider",
    failureMode: TOKEN,
    explanation: "The token's audience must be among the provider's client ids, before any trust policy is looked at.",
    fix: (values) => iam("add-client-id-to-open-id-connect-provider", `--open-id-connect-provider-arn ${values.exchange.providerArn} --client-id ${values.contract.workload.audience}`),
  },
  "aws.oidc-provider.other-account": {
    title: "The contract's OIDC provider is in another account than the role",
    failureMode: TOKEN,
    explanation: "Provider and role must be in one account.",
    fix: () => `${up} with the credentials of the role's account.`,
  },
  "aws.oidc-provider.thumbprint-differs": {
    title: "The issuer's certificate does not match the provider's thumbprints",
    failureMode: TOKEN,
    explanation: "The provider has thumbprints, and AWS uses them for this issuer.",
    fix: (values) => iam("update-open-id-connect-provider-thumbprint", `--open-id-connect-provider-arn ${values.exchange.providerArn} --thumbprint-list <SHA-1 of the issuer's certificate authority>`),
  },
  // ---- the role and its trust ----
  "aws.role.missing": {
    title: "The role does not exist",
    failureMode: ASSUME,
    explanation: "STS answers for a missing role as for one that refuses.",
    fix: (values) => `${up}; the contract names ${values.exchange.roleArn}.`,
  },
  "aws.role.differs": {
    title: "The role is not as the contract has it",
    explanation: "It was changed after the contract was written.",
    fix: () => `${up}.`,
  },
  "aws.role.session-too-long": {
    title: "The session is longer than the role allows",
    failureMode: ASSUME,
    explanation: "A session may last as long as the role's MaxSessionDuration.",
    fix: (values) => iam("update-role", `--role-name ${roleName(values)} --max-session-duration ${values.exchange.maxSessionDurationSeconds}`),
  },
  "aws.trust.refuses": {
    title: "The role's trust policy does not admit this token",
    failureMode: ASSUME,
    explanation: "Provider, action, audience, subject and every other condition must hold; comparison is exact, case included.",
    fix: (values) => {
      const { subject, audience } = values.contract.workload;
      const name = issuerName(values);
      return `${up}, or compare \`${iam("get-role", `--role-name ${roleName(values)}`)}\` with: Principal.Federated ${values.exchange.providerArn}, "${name}:aud" ${JSON.stringify(audience)}, "${name}:sub" ${JSON.stringify(subject)}. Run verify with --account to see which part differs.`;
    },
  },
  "aws.trust.subject-differs": {
    title: "The role's trust policy expects another subject",
    failureMode: ASSUME,
    explanation: "`sub` is compared byte for byte; * and ? are ordinary characters unless the operator is StringLike.",
    fix: trustLine("sub", ({ contract }) => contract.workload.subject),
  },
  "aws.trust.audience-differs": {
    title: "The role's trust policy expects another audience",
    failureMode: ASSUME,
    explanation: "`aud` is compared byte for byte, with the token's `azp` where it has one.",
    fix: trustLine("aud", ({ contract }) => contract.workload.audience),
  },
  "aws.trust.provider-differs": {
    title: "The role's trust policy names another provider",
    failureMode: ASSUME,
    explanation: "Only a provider's exact ARN under Principal.Federated admits its tokens.",
    fix: (values) => `${up}, or set in the trust policy of role ${roleName(values)}: "Principal": { "Federated": "${values.exchange.providerArn}" }.`,
  },
  "aws.trust.action-missing": {
    title: "The role's trust policy does not allow sts:AssumeRoleWithWebIdentity",
    failureMode: ASSUME,
    explanation: "sts:AssumeRole is for AWS's own identities, not for web identity tokens.",
    fix: (values) => `${up}, or set in the trust policy of role ${roleName(values)}: "Action": "sts:AssumeRoleWithWebIdentity".`,
  },
  "aws.trust.condition-fails": {
    title: "A condition of the role's trust policy does not hold",
    failureMode: ASSUME,
    explanation: "Every condition of a statement must hold. A key that the request does not have fails; custom issuers give aud, sub, amr, email and oaud only, under the issuer's own name.",
    fix: (values) => `${up}, or correct the condition on ${values.subject ?? ""} in the trust policy of role ${roleName(values)}.`,
  },
  "aws.trust.denies": {
    title: "The role's trust policy denies this token",
    failureMode: ASSUME,
    explanation: "A Deny that matches outweighs every Allow.",
    fix: (values) => `Remove the Deny from the trust policy of role ${roleName(values)}, or narrow it.`,
  },
  "aws.trust.tag-session-missing": {
    title: "The token carries session tags, and the trust policy does not allow sts:TagSession",
    failureMode: ASSUME,
    explanation: "Tags come from the token's claim https://aws.amazon.com/tags.",
    fix: (values) => `Add "sts:TagSession" to the actions of the trust policy of role ${roleName(values)}, or take the claim out of the token.`,
  },
  "aws.trust.source-identity-missing": {
    title: "The token carries a source identity, and the trust policy does not allow sts:SetSourceIdentity",
    failureMode: ASSUME,
    explanation: "It comes from the token's claim https://aws.amazon.com/source_identity.",
    fix: (values) => `Add "sts:SetSourceIdentity" to the actions of the trust policy of role ${roleName(values)}, or take the claim out of the token.`,
  },
  "aws.trust.too-wide": {
    title: "The role's trust policy admits more than the contract's workload",
    explanation: "Another subject, audience or session could take the role.",
    fix: (values) => `${up}, or make the trust policy of role ${roleName(values)} exact: StringEquals on "${issuerName(values)}:aud" and "${issuerName(values)}:sub".`,
  },
  "aws.exchange.resource-control-policy": {
    title: "A resource control policy of the organisation denies the exchange",
    failureMode: ASSUME,
    explanation: "Resource control policies apply to roles too, and STS does not name them in its answer.",
    fix: (values) => `Ask the organisation's administrators whether an RCP denies sts:AssumeRoleWithWebIdentity in account ${values.exchange.accountId}, and to except ${values.contract.workload.issuer}.`,
  },
  "aws.exchange.not-propagated": {
    title: "The change has not reached STS yet",
    failureMode: ASSUME,
    explanation: "New providers, roles and trust policies take up to a few minutes.",
    fix: () => "Run verify again with --wait 2m.",
  },
  "aws.exchange.region-disabled": {
    title: "STS is not active in this region for the account",
    failureMode: ASSUME,
    explanation: "An account's administrator activates STS region by region.",
    fix: (values) => `Activate STS for ${values.exchange.region} in the account settings of IAM, or use another region.`,
  },
  "aws.exchange.not-sts": {
    title: "What answers as STS accepted a token that AWS refuses",
    explanation: "The real STS verifies signature, role and expiry. An emulator or a proxy answered.",
    fix: () => "Check AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_STS and HTTPS_PROXY of this shell.",
  },
  "aws.session.differs": {
    title: "The session is not the one that the contract promises",
    explanation: "Account, role, provider, audience and subject of the session come from AWS's own answer.",
    fix: () => `${up}, and check that the contract is of this account.`,
  },
  // ---- S3 ----
  "aws.s3.bucket-missing": {
    title: "The bucket does not exist",
    explanation: "It was deleted, or never created under this name.",
    fix: (values) => `${up}; the contract names ${bucketOf(values)}.`,
  },
  "aws.s3.other-region": {
    title: "The bucket is in another region",
    explanation: "S3 sends callers of the wrong region away.",
    fix: (values) => `Set the region to ${values.found ?? "the bucket's own"} in the stack's configuration (\`pulumi config set aws:region ${values.found ?? "…"}\`) and run \`pulumi up\`, or name a bucket in ${values.expected ?? ""}.`,
  },
  "aws.s3.other-owner": {
    title: "The bucket belongs to another account",
    failureMode: BUCKET,
    explanation: "Bucket names are shared by all of AWS: after a deletion anybody can take one. Every call of verify names the expected owner, so nothing was stored there.",
    fix: (values) => `Choose another bucket name (accountRegionalName makes one that nobody else can take) and run \`pulumi up\`; do not use ${bucketOf(values)}.`,
  },
  "aws.s3.action-not-allowed": {
    title: "No policy allows the action",
    failureMode: BUCKET,
    explanation: "Neither the role's policies nor the bucket's allow it.",
    fix: (values) => `${up}, or add ${values.action ?? "the action"} on ${values.subject ?? "the bucket"} to the policy of role ${roleName(values)}.`,
  },
  "aws.s3.identity-policy-denies": {
    title: "A policy of the role denies the action",
    failureMode: BUCKET,
    explanation: "A Deny that matches outweighs every Allow.",
    fix: (values) => `Remove the Deny for ${values.action ?? "the action"} from the policies of role ${roleName(values)}${values.found === undefined ? "" : ` (${values.found})`}, or narrow it.`,
  },
  "aws.s3.boundary": {
    title: "The role's permissions boundary does not allow the action",
    failureMode: BUCKET,
    explanation: "A boundary caps what the role's policies grant.",
    fix: (values) => boundaryFix(values, values.subject ?? "the bucket", roleName(values)),
  },
  "aws.s3.service-control-policy": {
    title: "A service control policy of the organisation denies the action",
    failureMode: BUCKET,
    explanation: "It caps every identity of the account.",
    fix: (values) => `Ask the organisation's administrators to allow ${values.action ?? "the action"} for role ${roleName(values)} in account ${values.exchange.accountId}.`,
  },
  "aws.s3.resource-control-policy": {
    title: "A resource control policy of the organisation denies the action",
    failureMode: BUCKET,
    explanation: "It caps what anybody may do with the account's resources.",
    fix: (values) => `Ask the organisation's administrators to except role ${roleName(values)} from the RCP that denies ${values.action ?? "the action"} on ${values.subject ?? "the bucket"}.`,
  },
  "aws.s3.session-policy": {
    title: "A session policy does not allow the action",
    failureMode: BUCKET,
    explanation: "Verify asks for a session without policies: something between here and STS adds one.",
    fix: () => "Check AWS_ENDPOINT_URL_STS and HTTPS_PROXY of this shell.",
  },
  "aws.s3.bucket-policy-denies": {
    title: "The bucket's policy denies the action",
    failureMode: BUCKET,
    explanation: "A Deny that matches outweighs every Allow: often a condition on a VPC endpoint, a network or an organisation that the platform is not in, or on a role that was made again since.",
    fix: (values) => `Except ${values.exchange.roleArn} from the Deny${values.found === undefined ? "" : ` (${values.found})`} in the policy of bucket ${bucketOf(values)}; if the policy names the role already, save it again so that it holds the role's present id.`,
  },
  "aws.s3.bucket-policy-former-role": {
    title: "The bucket's policy still means the former role of this name",
    failureMode: BUCKET,
    explanation: "AWS stores a role's unique id in place of its ARN. A role that is deleted and made again has another id, and the policy does not mean it.",
    fix: (values) => `Save the policy of bucket ${bucketOf(values)} again with ${values.exchange.roleArn} in place of ${values.found ?? "the id"}.`,
  },
  "aws.s3.vpc-endpoint-policy": {
    title: "The policy of a VPC endpoint denies the action",
    failureMode: BUCKET,
    explanation: "The call goes through a VPC endpoint whose policy does not allow it.",
    fix: (values) => `Allow ${values.action ?? "the action"} on ${values.subject ?? "the bucket"} in the endpoint's policy.`,
  },
  "aws.s3.not-propagated": {
    title: "The change of a policy has not taken effect yet",
    failureMode: BUCKET,
    explanation: "New policies take up to a few minutes.",
    fix: () => "Run verify again with --wait 2m.",
  },
  "aws.s3.content-differs": {
    title: "What was read is not what was stored",
    explanation: "Something between here and the bucket changes objects.",
    fix: (values) => `Check event functions, Object Lambda access points and proxies in front of bucket ${bucketOf(values)}.`,
  },
  "aws.s3.not-deleted": {
    title: "The probe's object is still listed after it was deleted",
    explanation: "S3 is consistent: something has put it back, or deleting does not delete.",
    fix: (values) => `Look into replication and event functions of bucket ${bucketOf(values)}.`,
  },
  "aws.s3.settings-differ": {
    title: "The bucket is not as the stack made it",
    explanation: "Its protection was changed out of band.",
    fix: () => "Run `pulumi refresh` and `pulumi up` to put the bucket's settings back.",
  },
  "aws.grants.too-wide": {
    title: "The role may do more than the contract grants",
    explanation: "What the contract does not grant must be refused.",
    fix: (values) => `Take ${values.action ?? "it"} on ${values.subject ?? "other resources"} away from role ${roleName(values)}: keep to the actions and resources of the contract.`,
  },
  // ---- KMS ----
  "aws.kms.key-policy": {
    title: "The KMS key's policy does not let the role use the key",
    failureMode: BUCKET,
    explanation: "Both sides must allow: the role's policy and the key's own.",
    fix: (values) => `Allow kms:GenerateDataKey and kms:Decrypt through S3 (kms:ViaService s3.${values.exchange.region}.${partitionNamed(values.exchange.partition)?.dnsSuffix ?? "amazonaws.com"}) for ${values.exchange.roleArn} in the policy of key ${values.subject ?? ""}.`,
  },
  "aws.kms.action-not-allowed": {
    title: "The role's policies do not let it use the KMS key",
    failureMode: BUCKET,
    explanation: "Both sides must allow: the role's policy and the key's own.",
    fix: (values) => `${up}, or add kms:GenerateDataKey and kms:Decrypt on ${values.subject ?? "the key"} to the policy of role ${roleName(values)}.`,
  },
  "aws.kms.key-denied": {
    title: "The use of the bucket's KMS key is denied",
    failureMode: BUCKET,
    explanation: "S3 encrypts with the key on behalf of the caller, who needs the right to use it.",
    fix: (values) => `Look for the Deny of ${values.action ?? "kms actions"} on ${values.subject ?? "the key"}: ${values.found ?? "role, key policy, organisation"}.`,
  },
  "aws.kms.key-disabled": {
    title: "The bucket's KMS key is disabled or being deleted",
    failureMode: BUCKET,
    explanation: "Without the key nothing can be stored or read.",
    fix: (values) => `aws kms enable-key --key-id ${values.subject ?? "<key>"} --region ${values.exchange.region} (or first aws kms cancel-key-deletion).`,
  },
  "aws.kms.key-missing": {
    title: "The bucket's KMS key does not exist",
    failureMode: BUCKET,
    explanation: "The bucket encrypts with a key that was deleted or is named wrongly.",
    fix: (values) => `Set an existing key as the default encryption of the bucket; ${values.subject ?? "the key"} cannot be found.`,
  },
  "aws.kms.key-differs": {
    title: "The bucket encrypts with another key than the contract says",
    failureMode: BUCKET,
    explanation: "The role's rights are on the contract's key.",
    fix: (values) => `Set ${values.expected ?? "the contract's key"} as the bucket's default encryption, or put ${values.found ?? "the bucket's key"} into the stack's configuration and run \`pulumi up\`.`,
  },
  ...buildCauses,
  // ---- the contract ----
  "contract.inconsistent": {
    title: "The contract contradicts itself",
    explanation: "It was edited, or put together from two stacks.",
    fix: () => "Take the contract from `pulumi stack output --json` of one stack.",
  },
} as const satisfies Record<string, Entry>;

export type AwsCauseCode = keyof typeof entries;

export const awsCauses: Readonly<Record<AwsCauseCode, Entry>> = entries;

/** The cause with this run's values. */
export function awsCause(code: AwsCauseCode, values: AwsCauseValues, ...evidence: string[]): Cause {
  const { title, failureMode, explanation, fix } = awsCauses[code];
  return { code, title, ...(failureMode === undefined ? {} : { failureMode }), explanation, evidence, fix: fix(values) };
}
