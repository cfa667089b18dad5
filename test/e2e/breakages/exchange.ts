/** Provider, trust and role: what the exchange is refused for on the customer's side. */
import type { Contract } from "../../../contract/index.js";
import type { AwsCauseCode } from "../../../verify/aws/causes.js";
import { STRANGER, type Administrator } from "../../support/administrator.js";
import { exchangeOf } from "../../support/dcf-aws.js";
import { always, issuerName, issuerOf, narrowed, notAuthorized, notValidated, unnoticed, type Breakage } from "./breakage.js";

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

const withExchange = (contract: Contract, change: Partial<ReturnType<typeof exchangeOf>>): Contract => ({ ...contract, exchange: { ...exchangeOf(contract), ...change } });
const atStranger = (arn: string): string => arn.replace(/\d{12}/, STRANGER);
const pathIssuer = "https://login.dcf.example/tenants/acme";

function providerOfPath(providerArn: string): string {
  return `${providerArn.slice(0, providerArn.indexOf("/"))}/${pathIssuer.slice("https://".length)}`;
}

const replaceProvider = (url: (issuer: string) => string) => async (administrator: Administrator) => {
  await administrator.deleteProvider();
  await administrator.createProvider(url(issuerOf(administrator)));
};

export const providerRows: Breakage[] = [
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

export const trustRows: Breakage[] = [
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
    name: "the trust tests a claim that IAM does not expose",
    failureMode: "Access denied assuming role",
    break: (administrator) =>
      administrator.editTrust(({ Condition }) => ({ Condition: { ...Condition, StringLike: { [`${issuerName(administrator.contract)}:tenant`]: "*" } } })),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.condition-fails"),
  },
  {
    name: "of the trust's statements, one has another subject and one another provider",
    failureMode: "Access denied assuming role",
    break: async (administrator) => {
      await administrator.editTrustedClaims({ sub: "former" });
      const { Statement: statements } = await administrator.trust();
      await administrator.setTrust(...statements, ...statements.map((each) => ({ ...each, Principal: { Federated: providerOfPath(administrator.providerArn) } })));
    },
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.subject-differs"),
  },
  {
    name: "the trust names the account, and no provider",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.editTrust(() => ({ Principal: { AWS: `arn:aws:iam::${administrator.accountId}:root` } })),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.trust.provider-differs"),
  },
  {
    name: "the trust demands TLS and the contract's audience, and has a variable for the subject",
    break: (administrator) => {
      const key = `${issuerName(administrator.contract)}:sub`;
      return administrator.editTrust(({ Condition }) => ({
        Condition: { Bool: { "aws:SecureTransport": "true" }, StringEquals: { ...Condition?.["StringEquals"], [key]: `\${${key}}` } },
      }));
    },
    refused: {},
    expect: always("aws.trust.too-wide"),
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

export const roleRows: Breakage[] = [
  {
    name: "the role does not exist",
    failureMode: "Access denied assuming role",
    break: (administrator) => administrator.deleteRole(),
    refused: notAuthorized,
    expect: narrowed(roleOrTrust, "aws.role.missing"),
  },
  {
    name: "the role was made again under a path",
    failureMode: "Access denied assuming role",
    break: async (administrator) => {
      const trust = await administrator.trust();
      await administrator.deleteRole();
      await administrator.call("iam", "CreateRole", { RoleName: administrator.roleName, Path: "/dcf/", AssumeRolePolicyDocument: JSON.stringify(trust) });
    },
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
        Principal: "*",
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
