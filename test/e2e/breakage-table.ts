/**
 * Everything that can be wrong between the platform's token and the bucket: how it comes about, what AWS then answers the
 * platform, and what verify must make of it with each kind of evidence.
 *
 * An expectation is one cause, or the whole "one of" that honest evidence leaves open; empty means that nothing may be
 * blamed, because nobody with this evidence can see the fault.
 */
import type { Contract } from "../../contract/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import type { FailureMode } from "../../verify/causes.js";
import type { AwsCauseCode } from "../../verify/aws/causes.js";
import { Administrator, STRANGER, type Statement } from "../support/administrator.js";
import { exchangeOf, type Encryption } from "../support/dcf-aws.js";
import type { PlatformOperation, Refused } from "../support/platform.js";

/** With the platform's token, with the customer's read access, with both. */
export type Evidence = "token" | "account" | "both";

export interface Breakage {
  name: string;
  /** DCF's name for what the customer then sees, where it has one. */
  failureMode?: FailureMode;
  /** Default: the bucket encrypts with S3's own keys. */
  encryption?: Encryption;
  /** Makes it so, in a healthy account. */
  break?(administrator: Administrator): Promise<unknown>;
  /** What the platform presents. Default: the contract's workload's token, made before anything broke. */
  token?(sandbox: Sandbox, contract: Contract): Promise<string>;
  /** The contract that verify is given, where it is not the stack's. */
  contract?(contract: Contract): Contract;
  /** What AWS refuses the platform; `message` is a part of its text. */
  refused: Partial<Record<PlatformOperation, Refused>>;
  /** The platform gets into the bucket that it has no grant on. */
  entersRefusalBucket?: boolean;
  expect: Record<Evidence, readonly AwsCauseCode[]>;
}

// ---- what AWS answers ----

const exchange = (code: string, status: number, message: string): Breakage["refused"] => ({ "sts:AssumeRoleWithWebIdentity": { code, status, message } });

/** One text for provider, audience and signature. */
const notValidated = exchange("InvalidIdentityToken", 400, "The web identity token provided could not be validated.");
const noKey = exchange("InvalidIdentityToken", 400, "Couldn't retrieve verification key from your identity provider,");
/** One text for role, trust and organisation. */
const notAuthorized = exchange("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity");

const s3 = (operations: readonly PlatformOperation[], code: string, status: number, message: string): Breakage["refused"] =>
  Object.fromEntries(operations.map((operation) => [operation, { code, status, message }]));
const denied = (because: string, ...operations: PlatformOperation[]): Breakage["refused"] => s3(operations, "AccessDenied", 403, because);

const objectOperations: readonly PlatformOperation[] = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
const bucketOperations: readonly PlatformOperation[] = ["s3:GetBucketLocation", "s3:ListObjectsV2", ...objectOperations];

// ---- what verify can know ----

/** To be seen with any evidence. */
const always = (...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: causes, account: causes, both: causes });
/** Only the live answer shows it: the account's configuration is in order, or cannot be read there. */
const live = (...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: causes, account: [], both: causes });
/** With the token alone one of several, which the account's configuration tells apart. */
const narrowed = (oneOf: readonly AwsCauseCode[], ...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: oneOf, account: causes, both: causes });
/** The platform does not notice: more is allowed than should be. */
const unnoticed = (...causes: AwsCauseCode[]): Breakage["expect"] => ({ token: [], account: causes, both: causes });

const providerOrAudience: readonly AwsCauseCode[] = [
  "aws.exchange.not-propagated",
  "aws.oidc-provider.audience-not-registered",
  "aws.oidc-provider.missing",
  "aws.oidc-provider.url-differs",
];
const roleOrTrust: readonly AwsCauseCode[] = [
  "aws.exchange.not-propagated",
  "aws.exchange.resource-control-policy",
  "aws.role.missing",
  "aws.trust.refuses",
];

// ---- how it comes about ----

const everybody = "*";
const issuerOf = ({ contract }: Administrator): string => contract.workload.issuer;
const issuerName = (contract: Contract): string => contract.workload.issuer.slice("https://".length);
const withExchange = (contract: Contract, change: Partial<ReturnType<typeof exchangeOf>>): Contract => ({ ...contract, exchange: { ...exchangeOf(contract), ...change } });
const atStranger = (arn: string): string => arn.replace(/\d{12}/, STRANGER);
const pathIssuer = "https://login.dcf.example/tenants/acme";

const mint = (order: Parameters<Sandbox["issuers"]["mint"]>[0]) => (sandbox: Sandbox) => sandbox.issuers.mint(order);
/** A token of the contract's workload, but for the changes. */
const workloadToken =
  (change: Partial<Parameters<Sandbox["issuers"]["mint"]>[0]>) =>
  (sandbox: Sandbox, { workload }: Contract): Promise<string> =>
    sandbox.issuers.mint({ ...workload, ...change });
const issuerBehaves =
  (behaviour: Parameters<Sandbox["issuers"]["behave"]>[1]) =>
  async (administrator: Administrator): Promise<unknown> =>
    administrator.sandbox.issuers.behave(issuerOf(administrator), behaviour);
/** The issuer publishes its one key with these members besides. */
const keyPublishedWith = (members: Record<string, unknown>) => async (administrator: Administrator) => {
  const { issuers } = administrator.sandbox;
  const { keys } = issuers.get(issuerOf(administrator));
  return issuers.behave(issuerOf(administrator), { jwks: { keys: keys.map(({ jwk }) => ({ ...jwk, ...members })) } });
};

const replaceProvider = (url: (issuer: string) => string) => async (administrator: Administrator) => {
  await administrator.deleteProvider();
  await administrator.createProvider(url(issuerOf(administrator)));
};
const bucketDenies = (statement: Partial<Statement>) => (administrator: Administrator) =>
  administrator.addToBucketPolicy({
    Effect: "Deny",
    Principal: everybody,
    Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketLocation"],
    Resource: [administrator.bucketArn, `${administrator.bucketArn}/*`],
    ...statement,
  });

const providerRows: Breakage[] = [
  {
    name: "the provider's URL differs from the issuer by a slash",
    failureMode: "Invalid OIDC token",
    break: replaceProvider((issuer) => `${issuer}/`),
    refused: notValidated,
    expect: narrowed(providerOrAudience, "aws.oidc-provider.url-differs"),
  },
  {
    name: "the provider's URL differs from the issuer by case",
    failureMode: "Invalid OIDC token",
    break: replaceProvider((issuer) => issuer.replace("dcf", "DCF")),
    refused: notValidated,
    expect: narrowed(providerOrAudience, "aws.oidc-provider.url-differs"),
  },
  {
    name: "the provider does not list the audience as a client id",
    failureMode: "Invalid OIDC token",
    break: async (administrator) => {
      const of = { OpenIDConnectProviderArn: administrator.providerArn };
      await administrator.call("iam", "AddClientIDToOpenIDConnectProvider", { ...of, ClientID: "another-platform" });
      await administrator.call("iam", "RemoveClientIDFromOpenIDConnectProvider", { ...of, ClientID: administrator.contract.workload.audience });
    },
    refused: notValidated,
    expect: narrowed(providerOrAudience, "aws.oidc-provider.audience-not-registered"),
  },
  {
    name: "the provider was removed by another stack",
    failureMode: "Invalid OIDC token",
    break: (administrator) => administrator.deleteProvider(),
    refused: notValidated,
    expect: narrowed(providerOrAudience, "aws.oidc-provider.missing"),
  },
  {
    name: "the provider is in another account",
    failureMode: "Invalid OIDC token",
    break: async (administrator) => {
      await administrator.deleteProvider();
      await administrator.createProvider(issuerOf(administrator), STRANGER);
    },
    refused: notValidated,
    expect: narrowed(providerOrAudience, "aws.oidc-provider.missing"),
  },
  {
    name: "the provider is in another account, and trust and contract name it there",
    failureMode: "Invalid OIDC token",
    break: async (administrator) => {
      await administrator.deleteProvider();
      await administrator.createProvider(issuerOf(administrator), STRANGER);
      await administrator.editTrust(() => ({ Principal: { Federated: atStranger(administrator.providerArn) } }));
    },
    contract: (contract) => withExchange(contract, { providerArn: atStranger(exchangeOf(contract).providerArn) }),
    refused: notValidated,
    expect: always("aws.oidc-provider.other-account"),
  },
];

const trustRows: Breakage[] = [
  {
    name: "the trust's subject differs by one character",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.editTrustedClaims({ sub: `${administrator.contract.workload.subject}2` }),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.subject-differs"),
  },
  {
    name: "the trust's subject differs by case",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.editTrustedClaims({ sub: administrator.contract.workload.subject.toUpperCase() }),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.subject-differs"),
  },
  {
    name: "the trust has a wildcard where the comparison is exact",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.editTrustedClaims({ sub: "system:serviceaccount:dcf:*" }),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.subject-differs"),
  },
  {
    name: "the trust's audience differs",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.editTrustedClaims({ aud: "sts.amazonaws.com.cn" }),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.audience-differs"),
  },
  {
    name: "the trust's keys name the issuer's host without its path",
    failureMode: "Access denied assuming role",
    break: async (administrator) => {
      await administrator.sandbox.issuers.create(pathIssuer);
      await administrator.createProvider(pathIssuer);
      const { audience, subject } = administrator.contract.workload;
      await administrator.editTrust(() => ({
        Principal: { Federated: providerOfPath(administrator.providerArn) },
        Condition: { StringEquals: { "login.dcf.example:aud": audience, "login.dcf.example:sub": subject } },
      }));
    },
    contract: (contract) => ({
      ...withExchange(contract, { providerArn: providerOfPath(exchangeOf(contract).providerArn) }),
      workload: { ...contract.workload, issuer: pathIssuer },
    }),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.condition-fails"),
  },
  {
    name: "the trust allows sts:AssumeRole only",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.editTrust(() => ({ Action: "sts:AssumeRole" })),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.action-missing"),
  },
  {
    name: "the trust names another provider",
    failureMode: "Access denied assuming role",
    break: async (administrator) => {
      await administrator.createProvider(pathIssuer);
      await administrator.editTrust(() => ({ Principal: { Federated: providerOfPath(administrator.providerArn) } }));
    },
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.provider-differs"),
  },
  {
    name: "the trust has a Deny over the Allow",
    failureMode: "Access denied assuming role",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.trust();
      await administrator.setTrust(...statements, { Effect: "Deny", Principal: { Federated: administrator.providerArn }, Action: "sts:*" });
    },
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.denies"),
  },
  {
    name: "the trust demands a session name that the contract does not know",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.editTrust(({ Condition }) => ({ Condition: { ...Condition, StringLike: { "sts:RoleSessionName": "release-*" } } })),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.condition-fails"),
  },
  {
    name: "the token carries session tags, which the trust does not allow",
    failureMode: "Access denied assuming role",
    token: workloadToken({ claims: { "https://aws.amazon.com/tags": { principal_tags: { project: ["4711"] } } } }),
    refused: exchange("AccessDenied", 403, "Not authorized to perform sts:TagSession"),
    expect: live("aws.trust.tag-session-missing"),
  },
  {
    name: "the trust's conditions hold when their keys are absent (ForAllValues)",
    break: (administrator) =>
      administrator.editTrust(({ Condition }) => ({ Condition: { "ForAllValues:StringEquals": Condition?.["StringEquals"] ?? {} } })),
    refused: {},
    expect: unnoticed("aws.trust.too-wide"),
  },
  {
    name: "the trust admits every subject of the issuer",
    break: (administrator) =>
      administrator.editTrust(() => ({ Condition: { StringEquals: { [`${issuerName(administrator.contract)}:aud`]: administrator.contract.workload.audience } } })),
    refused: {},
    expect: always("aws.trust.too-wide"),
  },
];

function providerOfPath(providerArn: string): string {
  return `${providerArn.slice(0, providerArn.indexOf("/"))}/${pathIssuer.slice("https://".length)}`;
}

const roleRows: Breakage[] = [
  {
    name: "the role does not exist",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.deleteRole(),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.role.missing"),
  },
  {
    name: "the role is in another account",
    failureMode: "Access denied assuming role",
    break: async (administrator) => {
      const [trust, permissions] = [await administrator.trust(), await administrator.permissions()];
      await administrator.deleteRole();
      await administrator.createRole(trust, permissions, STRANGER);
    },
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.role.missing"),
  },
  {
    name: "the contract's role ARN has a typing error",
    failureMode: "Access denied assuming role",
    contract: (contract) => withExchange(contract, { roleArn: `${exchangeOf(contract).roleArn}s` }),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.role.missing"),
  },
  {
    name: "the contract's role ARN is of another account than the contract",
    contract: (contract) => withExchange(contract, { roleArn: atStranger(exchangeOf(contract).roleArn), providerArn: atStranger(exchangeOf(contract).providerArn) }),
    refused: notValidated,
    expect: always("contract.inconsistent"),
  },
  {
    name: "the role's sessions are shorter than the contract promises",
    failureMode: "Access denied assuming role",
    contract: (contract) => withExchange(contract, { maxSessionDurationSeconds: 7200 }),
    refused: {},
    expect: unnoticed("aws.role.session-too-long"),
  },
  {
    name: "a resource control policy denies the exchange",
    failureMode: "Access denied assuming role",
    break: async (administrator) =>
      administrator.control("rcp", {
        Effect: "Deny",
        Principal: everybody,
        Action: "sts:AssumeRoleWithWebIdentity",
        Resource: "*",
        Condition: { StringNotEquals: { [`${issuerName(administrator.contract)}:aud`]: "corporate" } },
      }),
    refused: notAuthorized,
    expect: {
      token: roleOrTrust,
      // Nobody in the account can read it.
      account: [],
      both: ["aws.exchange.not-propagated", "aws.exchange.resource-control-policy"],
    },
  },
];

const tokenRows: Breakage[] = [
  {
    name: "the token expired 301 seconds ago",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ expiresInSeconds: -301 }),
    refused: exchange("ExpiredTokenException", 400, "Token expired: current date/time "),
    expect: live("token.expired"),
  },
  {
    name: "the clock here is ten minutes behind AWS's",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ expiresInSeconds: 240 }),
    break: async ({ sandbox }) => sandbox.core.clock.advance(600),
    refused: exchange("ExpiredTokenException", 400, "Token expired: current date/time "),
    expect: live("token.clock-skew"),
  },
  {
    name: "the token is valid only in ten minutes",
    failureMode: "Invalid OIDC token",
    token: async (sandbox, { workload }) => {
      const from = Math.floor(sandbox.core.clock.now().getTime() / 1000) + 600;
      return sandbox.issuers.mint({ ...workload, claims: { nbf: from } });
    },
    refused: exchange("InvalidIdentityToken", 400, "Token not yet valid: current date/time "),
    expect: live("token.not-yet-valid"),
  },
  {
    name: "the token is of another workload",
    failureMode: "Access denied assuming role",
    token: mint({ subject: "system:serviceaccount:dcf:project-4712" }),
    refused: notAuthorized,
    expect: live("token.other-subject"),
  },
  {
    name: "the token is for another audience",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ audience: "vault.dcf.example" }),
    refused: notValidated,
    expect: live("token.other-audience"),
  },
  {
    name: "the token's azp is another audience",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ claims: { azp: "dcf-console" } }),
    refused: notValidated,
    expect: live("token.other-audience"),
  },
  {
    name: "the token's issuer has a slash at its end",
    failureMode: "Invalid OIDC token",
    token: async (sandbox, { workload }) => sandbox.issuers.mint({ ...workload, claims: { iss: `${workload.issuer}/` } }),
    refused: notValidated,
    expect: live("token.other-issuer"),
  },
  {
    name: "the token has two audiences and no azp",
    failureMode: "Invalid OIDC token",
    token: async (sandbox, { workload }) => sandbox.issuers.mint({ ...workload, audience: [workload.audience, "vault.dcf.example"] }),
    refused: exchange("InvalidIdentityToken", 400, "Token audience contains more than one audience"),
    expect: live("token.unusable"),
  },
  {
    name: "the token has no iat",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ omit: ["iat"] }),
    refused: exchange("InvalidIdentityToken", 400, "Missing a required claim: iat"),
    expect: live("token.unusable"),
  },
];

const issuerRows: Breakage[] = [
  {
    name: "the key that signed was rotated away",
    failureMode: "Invalid OIDC token",
    break: async (administrator) => {
      const { issuers } = administrator.sandbox;
      const { signingKid } = issuers.get(issuerOf(administrator));
      await issuers.rotate(issuerOf(administrator));
      issuers.removeKey(issuerOf(administrator), signingKid);
    },
    refused: noKey,
    expect: live("issuer.key-unknown"),
  },
  {
    name: "another key is published under the same kid",
    failureMode: "Invalid OIDC token",
    break: (administrator) => administrator.sandbox.issuers.publishForeignKey(issuerOf(administrator)),
    refused: notValidated,
    expect: live("issuer.signature-mismatch"),
  },
  {
    name: "somebody else signed under the issuer's kid",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ foreignKey: true }),
    refused: notValidated,
    expect: live("issuer.signature-mismatch"),
  },
  {
    name: "the issuer's only key has key_ops",
    failureMode: "Invalid OIDC token",
    break: keyPublishedWith({ key_ops: ["verify"] }),
    refused: notValidated,
    expect: always("issuer.keys-invalid"),
  },
  {
    name: "the issuer's only key is for encryption",
    failureMode: "Invalid OIDC token",
    break: keyPublishedWith({ use: "enc" }),
    refused: noKey,
    expect: always("issuer.keys-invalid"),
  },
  {
    name: "of the issuer's keys, the one that signed has key_ops",
    failureMode: "Invalid OIDC token",
    break: async (administrator) => {
      const { issuers } = administrator.sandbox;
      const { signingKid } = issuers.get(issuerOf(administrator));
      const { keys } = await issuers.rotate(issuerOf(administrator));
      const jwks = { keys: keys.map(({ jwk, kid }) => (kid === signingKid ? { ...jwk, key_ops: ["verify"] } : jwk)) };
      return issuers.behave(issuerOf(administrator), { jwks });
    },
    refused: notValidated,
    expect: live("issuer.key-unusable"),
  },
  {
    name: "the issuer is gone",
    failureMode: "Invalid OIDC token",
    break: async (administrator) => administrator.sandbox.issuers.delete(issuerOf(administrator)),
    refused: noKey,
    expect: always("issuer.unreachable"),
  },
  {
    name: "the issuer's key document has no list of keys",
    failureMode: "Invalid OIDC token",
    break: issuerBehaves({ jwks: { key: [] } }),
    refused: noKey,
    expect: always("issuer.keys-invalid"),
  },
  {
    name: "the issuer takes longer than 5 seconds",
    failureMode: "Invalid OIDC token",
    break: issuerBehaves({ delaySeconds: 5.5 }),
    refused: noKey,
    expect: always("issuer.slow"),
  },
  {
    name: "the issuer answers 500",
    failureMode: "Invalid OIDC token",
    break: issuerBehaves({ status: 500 }),
    refused: noKey,
    expect: always("issuer.error-answer"),
  },
  {
    name: "the issuer's certificate is of an unknown authority",
    failureMode: "Invalid OIDC token",
    break: issuerBehaves({ certificate: "untrusted" }),
    refused: noKey,
    expect: always("issuer.certificate-untrusted"),
  },
  {
    name: "the discovery document names another issuer",
    failureMode: "Invalid OIDC token",
    break: issuerBehaves({ discovery: { issuer: "https://oidc.dcf.example/" } }),
    refused: noKey,
    expect: always("issuer.issuer-differs"),
  },
  {
    name: "the discovery document lacks a member that AWS needs",
    failureMode: "Invalid OIDC token",
    break: issuerBehaves({ discovery: { subject_types_supported: null } }),
    refused: noKey,
    expect: always("issuer.discovery-invalid"),
  },
  {
    name: "the discovery document has no jwks_uri",
    failureMode: "Invalid OIDC token",
    break: issuerBehaves({ discovery: { jwks_uri: null } }),
    refused: noKey,
    expect: always("issuer.discovery-invalid"),
  },
];

/** A grant that is there but new is refused like one that is missing. */
const missingGrant: readonly AwsCauseCode[] = ["aws.s3.action-not-allowed", "aws.s3.not-propagated"];

const withheld = (action: string, operation: PlatformOperation): Breakage => ({
  name: `the role lacks ${action}`,
  failureMode: "Bucket exists but access is denied",
  break: (administrator) => administrator.withholdAction(action),
  refused: denied(`because no identity-based policy allows the ${action} action`, operation),
  expect: narrowed(missingGrant, "aws.s3.action-not-allowed"),
});

const permissionRows: Breakage[] = [
  withheld("s3:GetBucketLocation", "s3:GetBucketLocation"),
  withheld("s3:ListBucket", "s3:ListObjectsV2"),
  withheld("s3:GetObject", "s3:GetObject"),
  withheld("s3:PutObject", "s3:PutObject"),
  withheld("s3:DeleteObject", "s3:DeleteObject"),
  {
    name: "the role's object rights are on another bucket",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.permissions();
      await administrator.setPermissions(statements.map((statement) => ({ ...statement, Resource: String(statement.Resource).replace(/^(.*)\/\*$/, "$1-old/*") })));
    },
    refused: { ...missing("s3:GetObject", "s3:GetObject"), ...missing("s3:PutObject", "s3:PutObject"), ...missing("s3:DeleteObject", "s3:DeleteObject") },
    expect: narrowed(missingGrant, "aws.s3.action-not-allowed"),
  },
  {
    name: "a policy of the role denies the upload",
    failureMode: "Bucket exists but access is denied",
    break: (administrator) => administrator.setPermissions([{ Effect: "Deny", Action: "s3:Put*", Resource: "*" }], "guardrail"),
    refused: denied("with an explicit deny in an identity-based policy", "s3:PutObject"),
    expect: always("aws.s3.identity-policy-denies"),
  },
  {
    name: "the role's permissions boundary does not allow the upload",
    failureMode: "Bucket exists but access is denied",
    break: (administrator) => administrator.bound({ Effect: "Allow", Action: ["s3:Get*", "s3:List*", "s3:DeleteObject"], Resource: "*" }),
    refused: denied("because no permissions boundary allows the s3:PutObject action", "s3:PutObject"),
    expect: always("aws.s3.boundary"),
  },
  {
    name: "a service control policy denies the upload",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => administrator.control("scp", { Effect: "Deny", Action: "s3:PutObject", Resource: "*" }),
    refused: denied("with an explicit deny in a service control policy", "s3:PutObject"),
    expect: live("aws.s3.service-control-policy"),
  },
  {
    name: "a resource control policy denies the bucket to everybody outside of the organisation's network",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) =>
      administrator.control("rcp", {
        Effect: "Deny",
        Principal: everybody,
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: "*",
        Condition: { NotIpAddressIfExists: { "aws:SourceIp": "198.51.100.0/24" } },
      }),
    refused: denied("with an explicit deny in a resource control policy", "s3:GetObject", "s3:PutObject"),
    expect: live("aws.s3.resource-control-policy"),
  },
  {
    name: "the role may do everything in S3",
    break: (administrator) => administrator.setPermissions([{ Effect: "Allow", Action: "s3:*", Resource: "*" }], "everything"),
    refused: {},
    entersRefusalBucket: true,
    expect: always("aws.grants.too-wide"),
  },
];

function missing(action: string, operation: PlatformOperation): Breakage["refused"] {
  return denied(`because no identity-based policy allows the ${action} action`, operation);
}

const bucketRows: Breakage[] = [
  {
    name: "the bucket's policy admits one VPC endpoint only",
    failureMode: "Bucket exists but access is denied",
    break: bucketDenies({ Condition: { StringNotEquals: { "aws:SourceVpce": "vpce-0123456789abcdef0" } } }),
    refused: denied("with an explicit deny in a resource-based policy", ...bucketOperations),
    expect: always("aws.s3.bucket-policy-denies"),
  },
  {
    name: "the bucket's policy denies deletions",
    failureMode: "Bucket exists but access is denied",
    break: bucketDenies({ Action: "s3:DeleteObject" }),
    refused: denied("with an explicit deny in a resource-based policy", "s3:DeleteObject"),
    expect: always("aws.s3.bucket-policy-denies"),
  },
  {
    name: "the role was made again, and the bucket's policy excepts its former id from a Deny",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      const condition = { StringNotLike: { "aws:userid": [`${await administrator.roleId()}:*`, administrator.accountId] } };
      await bucketDenies({ Condition: condition })(administrator);
      await administrator.recreateRole();
    },
    refused: denied("with an explicit deny in a resource-based policy", ...bucketOperations),
    expect: narrowed(["aws.s3.bucket-policy-denies"], "aws.s3.bucket-policy-former-role"),
  },
  {
    name: "the role was made again, and the bucket's policy grants to its former id",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      const [own, objects] = (await administrator.permissions()).Statement;
      await administrator.addToBucketPolicy({ Effect: "Allow", Principal: { AWS: administrator.roleArn }, Action: objects!.Action, Resource: objects!.Resource! });
      await administrator.setPermissions([own!]);
      await administrator.recreateRole();
    },
    refused: { ...missing("s3:GetObject", "s3:GetObject"), ...missing("s3:PutObject", "s3:PutObject"), ...missing("s3:DeleteObject", "s3:DeleteObject") },
    expect: narrowed(missingGrant, "aws.s3.bucket-policy-former-role"),
  },
  {
    name: "the bucket was deleted, and a stranger has its name now",
    failureMode: "Bucket exists but access is denied",
    break: async (administrator) => {
      await administrator.deleteBucket();
      await administrator.createBucket(administrator.region, STRANGER);
    },
    // Across accounts S3 gives no reason.
    refused: denied("Access Denied", ...bucketOperations),
    expect: narrowed(
      ["aws.s3.action-not-allowed", "aws.s3.bucket-policy-denies", "aws.s3.not-propagated", "aws.s3.other-owner", "aws.s3.resource-control-policy", "aws.s3.service-control-policy"],
      "aws.s3.other-owner",
    ),
  },
  {
    name: "the bucket is in another region",
    break: async (administrator) => {
      await administrator.deleteBucket();
      await administrator.createBucket("eu-central-1");
    },
    refused: s3(bucketOperations, "PermanentRedirect", 301, "must be addressed using the specified endpoint"),
    expect: always("aws.s3.other-region"),
  },
  {
    name: "the bucket's public access is no longer blocked",
    break: (administrator) => administrator.call("s3", "DeletePublicAccessBlock", { Bucket: administrator.bucket }),
    refused: {},
    expect: unnoticed("aws.s3.settings-differ"),
  },
  {
    name: "the bucket does not exist",
    break: (administrator) => administrator.deleteBucket(),
    refused: s3(bucketOperations, "NoSuchBucket", 404, "The specified bucket does not exist"),
    expect: always("aws.s3.bucket-missing"),
  },
];

const keyBreakages: Breakage[] = [
  {
    name: "the key's policy does not let the role use the key",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.keyPolicy();
      await administrator.setKeyPolicy(statements.filter(({ Sid }) => Sid !== "RolesUseKeyThroughS3"));
    },
    refused: {
      ...denied("because no resource-based policy allows the kms:GenerateDataKey action", "s3:PutObject"),
      ...denied("because no resource-based policy allows the kms:Decrypt action", "s3:GetObject"),
    },
    expect: narrowed(["aws.kms.key-policy", "aws.s3.not-propagated"], "aws.kms.key-policy"),
  },
  {
    name: "the role was made again, and the key's policy grants to its former id",
    break: async (administrator) => {
      const { Statement: statements } = await administrator.keyPolicy();
      const principal = { AWS: administrator.roleArn };
      await administrator.setKeyPolicy(statements.map((statement) => (statement.Sid === "RolesUseKeyThroughS3" ? { ...statement, Principal: principal } : statement)));
      await administrator.recreateRole();
    },
    refused: {
      ...denied("because no resource-based policy allows the kms:GenerateDataKey action", "s3:PutObject"),
      ...denied("because no resource-based policy allows the kms:Decrypt action", "s3:GetObject"),
    },
    expect: narrowed(["aws.kms.key-policy", "aws.s3.not-propagated"], "aws.kms.key-policy"),
  },
  {
    name: "the role lacks kms:Decrypt",
    break: (administrator) => administrator.withholdAction("kms:Decrypt"),
    refused: denied("because no identity-based policy allows the kms:Decrypt action", "s3:GetObject"),
    expect: narrowed(["aws.kms.action-not-allowed", "aws.s3.not-propagated"], "aws.kms.action-not-allowed"),
  },
  {
    name: "the bucket encrypts with another key than the contract's",
    break: async (administrator) => {
      const { KeyMetadata: key } = (await administrator.call("kms", "CreateKey", {})) as { KeyMetadata: { Arn: string } };
      const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: key.Arn } };
      await administrator.call("s3", "PutBucketEncryption", { Bucket: administrator.bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } });
    },
    refused: denied("because no identity-based policy allows the kms:GenerateDataKey action", "s3:PutObject"),
    expect: always("aws.kms.key-differs"),
  },
  {
    name: "the key is disabled",
    break: (administrator) => administrator.call("kms", "DisableKey", { KeyId: administrator.keyArn }),
    refused: s3(["s3:GetObject", "s3:PutObject"], "KMS.DisabledException", 400, "is disabled"),
    expect: always("aws.kms.key-disabled"),
  },
  {
    name: "the key is to be deleted",
    break: (administrator) => administrator.call("kms", "ScheduleKeyDeletion", { KeyId: administrator.keyArn, PendingWindowInDays: 7 }),
    refused: s3(["s3:GetObject", "s3:PutObject"], "KMS.KMSInvalidStateException", 400, "is pending deletion"),
    expect: always("aws.kms.key-disabled"),
  },
];
const keyRows = keyBreakages.map((row): Breakage => ({ ...row, encryption: "kms", failureMode: "Bucket exists but access is denied" }));

export const breakages: readonly Breakage[] = [
  ...providerRows,
  ...trustRows,
  ...roleRows,
  ...tokenRows,
  ...issuerRows,
  ...permissionRows,
  ...bucketRows,
  ...keyRows,
];
