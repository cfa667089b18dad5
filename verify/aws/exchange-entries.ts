/** What can be wrong between a good token and a session of the role. */
import type { CauseEntry, FailureMode } from "../causes.js";
import type { AwsCauseValues } from "./causes.js";
import { issuerName, roleName, up } from "./fixes.js";

const TOKEN: FailureMode = "Invalid OIDC token";
const ASSUME: FailureMode = "Access denied assuming role";

const iam = (command: string, options: string) => `aws iam ${command} ${options}`;
const trustLine = (key: string, value: (values: AwsCauseValues) => string) => (values: AwsCauseValues) =>
  `${up}, or set in the trust policy of role ${roleName(values)}: "StringEquals": { "${issuerName(values)}:${key}": ${JSON.stringify(value(values))} }.`;

export const exchangeCauses = {
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
} as const satisfies Record<string, CauseEntry<AwsCauseValues>>;
