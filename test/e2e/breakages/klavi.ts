/** Klavi's delivery: who signs in AWS, what of it Google takes, and how the trust in a role can be wrong. */
import { KLAVI_GUIDE_MAPPING } from "../../../facts/gcp/attributes.js";
import { gcpExchangeOf } from "../../support/gcp.js";
import { instead } from "../../support/gcp-administrator.js";
import { OTHER_ACCOUNT, type Klavi } from "../../support/klavi.js";
import { always, live, narrowed, read, type GcpBreakage } from "./gcp-breakage.js";

const nobody: GcpBreakage["expect"] = { token: [], account: [], both: [] };
const accepted = { hop: "none" } as const;
const conditionRefuses = { hop: "sts", code: "unauthorized_client", message: "rejected by the attribute condition" } as const;
const otherAccount = { hop: "sts", code: "invalid_grant", message: `The AWS account ${OTHER_ACCOUNT} does not match` } as const;
const refusedByAws = { hop: "sts", code: "invalid_grant", message: "Received invalid AWS response of type" } as const;

const LONGEST = "s".repeat(64);

type KlaviRow = Omit<GcpBreakage, "stack">;

const sessions: readonly KlaviRow[] = [
  { name: "the session's name is as short as can be", signer: async (klavi) => klavi.source(await klavi.session("ab")), answers: accepted, expect: nobody },
  { name: "the session's name is as long as can be", signer: async (klavi) => klavi.source(await klavi.session(LONGEST)), answers: accepted, expect: nobody },
  { name: "the session's name has every sign that AWS allows", signer: async (klavi) => klavi.source(await klavi.session("a_b+c=d,e.f@g-h")), answers: accepted, expect: nobody },
  {
    name: "the session's name does not fit into what the mapping makes",
    break: (admin) => admin.updateProvider({ attributeMapping: { ...gcpExchangeOf(admin.contract).attributeMapping, "google.subject": "'aws:' + assertion.account + ':' + assertion.arn" } }),
    signer: async (klavi) => klavi.source(await klavi.session(LONGEST)),
    answers: { hop: "sts", code: "invalid_request", message: "exceeds the 127 bytes limit" },
    expect: live("gcp.provider.subject-too-long"),
  },
  {
    name: "the role is under a path, which its sessions do not show",
    signer: async (klavi) => {
      await klavi.call("iam", "DeleteRole", { RoleName: klavi.roleName });
      await klavi.createRole(klavi.roleName, { path: "/pipelines/" });
      return klavi.source(await klavi.session("delivery", { path: "/pipelines/" }));
    },
    answers: accepted,
    expect: nobody,
  },
];

const asRole = (role: (klavi: Klavi) => string, accountId?: string) => async (klavi: Klavi) => {
  const name = role(klavi);
  const where = accountId === undefined ? {} : { accountId };
  await klavi.createRole(name, where);
  return klavi.source(await klavi.session("delivery", { role: name, ...where }));
};

const callers: readonly KlaviRow[] = [
  { name: "another role of Klavi's account signs", signer: asRole(() => "another-role"), answers: conditionRefuses, expect: live("gcp.aws.other-role") },
  { name: "a role whose name begins with the right one signs", signer: asRole(({ roleName }) => `${roleName}-2`), answers: conditionRefuses, expect: live("gcp.aws.other-role") },
  { name: "a role whose name ends with the right one signs", signer: asRole(({ roleName }) => `x-${roleName}`), answers: conditionRefuses, expect: live("gcp.aws.other-role") },
  { name: "a role of another name in another account signs", signer: asRole(() => "another-role", OTHER_ACCOUNT), answers: otherAccount, expect: live("gcp.aws.account-differs") },
  { name: "a role of the same name in another account signs", signer: asRole(({ roleName }) => roleName, OTHER_ACCOUNT), answers: otherAccount, expect: live("gcp.aws.account-differs") },
  { name: "another role's session that is named like the role signs", signer: async (klavi) => {
      await klavi.createRole("another-role");
      return klavi.source(await klavi.session(klavi.roleName, { role: "another-role" }));
    }, answers: conditionRefuses, expect: live("gcp.aws.other-role") },
  { name: "an IAM user of Klavi's account signs", signer: async (klavi) => klavi.source(await klavi.user("operator")), answers: conditionRefuses, expect: live("gcp.aws.other-role") },
  { name: "an IAM user whose path spells the assumed role signs", signer: async (klavi) => klavi.source(await klavi.user("delivery", `/assumed-role/${klavi.roleName}/`)), answers: conditionRefuses, expect: live("gcp.aws.other-role") },
  { name: "an IAM user whose path spells the role signs", signer: async (klavi) => klavi.source(await klavi.user("delivery", `/role/${klavi.roleName}/`)), answers: conditionRefuses, expect: live("gcp.aws.other-role") },
];

const requests: readonly KlaviRow[] = [
  { name: "the signature has expired", signer: async (klavi) => klavi.source(await klavi.session(), { expiresInSeconds: -300 }), answers: refusedByAws, expect: live("gcp.aws.request-refused") },
  { name: "the signature is from the future", signer: async (klavi) => klavi.source(await klavi.session(), { expiresInSeconds: 2_400 }), answers: refusedByAws, expect: live("gcp.aws.request-refused") },
  { name: "the request is signed for another provider", signer: async (klavi) => klavi.source(await klavi.session(), { audience: `${klavi.contract.workload.audience}-2` }), answers: { hop: "sts", code: "invalid_grant", message: "x-goog-cloud-target-resource" }, expect: live("gcp.aws.other-target") },
  { name: "the signature is corrupted", signer: async (klavi) => klavi.corrupted(await klavi.session()), answers: refusedByAws, expect: live("gcp.aws.request-refused") },
  {
    name: "the access key was switched off",
    signer: async (klavi) => {
      const credentials = await klavi.user("operator");
      await klavi.call("iam", "UpdateAccessKey", { UserName: "operator", AccessKeyId: credentials.accessKeyId, Status: "Inactive" });
      return klavi.source(credentials);
    },
    answers: refusedByAws,
    expect: live("gcp.aws.request-refused"),
  },
  {
    name: "the session token is another one's",
    signer: async (klavi) => {
      const { sessionToken } = await klavi.session("another");
      return klavi.source({ ...(await klavi.session()), sessionToken });
    },
    answers: refusedByAws,
    expect: live("gcp.aws.request-refused"),
  },
];

const trust: readonly KlaviRow[] = [
  {
    name: "the condition names the role as IAM does, which no session is called",
    break: (admin) => admin.updateProvider({ attributeCondition: "assertion.arn == 'arn:aws:iam::222233334444:role/klavi-delivery'" }),
    answers: conditionRefuses,
    expect: narrowed(["gcp.provider.condition-refuses", "gcp.provider.condition-fails"], "gcp.provider.condition-refuses"),
  },
  {
    name: "the condition has no slash behind the role's name",
    break: (admin) => admin.updateProvider({ attributeCondition: "assertion.arn.startsWith('arn:aws:sts::222233334444:assumed-role/klavi-delivery')" }),
    answers: accepted,
    expect: read("gcp.provider.too-wide"),
  },
  {
    name: "the condition is for the account alone, and the binding for all of the pool",
    break: async (admin) => {
      await admin.updateProvider({ attributeCondition: "assertion.account == '222233334444'" });
    },
    answers: accepted,
    expect: read("gcp.provider.too-wide"),
  },
  {
    name: "the guide's mapping is compared with the role's bare name, by condition and binding alike",
    break: async (admin) => {
      await admin.updateProvider({ attributeMapping: KLAVI_GUIDE_MAPPING, attributeCondition: "attribute.aws_role == 'klavi-delivery'" });
      await admin.editAccountPolicy(instead(admin.principal, bareMember(admin.principal)));
    },
    contract: (contract) => {
      const exchange = gcpExchangeOf(contract);
      return { ...contract, exchange: { ...exchange, attributeMapping: KLAVI_GUIDE_MAPPING, attributeCondition: "attribute.aws_role == 'klavi-delivery'", principal: bareMember(exchange.principal) } };
    },
    answers: accepted,
    expect: read("gcp.provider.too-wide"),
  },
  {
    name: "the guide's mapping is there, and the binding still names the assumed role's ARN",
    failureMode: "WORKLOAD_IDENTITY_BINDING_MISSING",
    break: (admin) => admin.updateProvider({ attributeMapping: KLAVI_GUIDE_MAPPING }),
    answers: { hop: "iamcredentials", code: "PERMISSION_DENIED", message: "iam.serviceAccounts.getAccessToken" },
    expect: { token: ["gcp.impersonation.binding-missing", "gcp.impersonation.constrained", "gcp.service-account.disabled", "gcp.service-account.missing"], account: ["gcp.provider.mapping-differs"], both: ["gcp.provider.mapping-differs"] },
  },
  {
    name: "the binding names another role",
    failureMode: "WORKLOAD_IDENTITY_BINDING_MISSING",
    break: (admin) => admin.editAccountPolicy(instead(admin.principal, `${admin.principal}-2`)),
    answers: { hop: "iamcredentials", code: "PERMISSION_DENIED", message: "iam.serviceAccounts.getAccessToken" },
    expect: narrowed(["gcp.impersonation.binding-missing", "gcp.impersonation.constrained", "gcp.service-account.disabled", "gcp.service-account.missing"], "gcp.impersonation.member-differs"),
  },
  {
    name: "the provider is for another AWS account",
    break: async (admin) => {
      await admin.call("DELETE", admin.provider);
      await admin.createProvider("klavi-aws-2", { aws: { accountId: OTHER_ACCOUNT }, attributeCondition: `assertion.arn.startsWith('arn:aws:sts::${OTHER_ACCOUNT}:assumed-role/klavi-delivery/')` });
    },
    contract: (contract) => ({
      ...contract,
      workload: { ...contract.workload, audience: contract.workload.audience.replace(/[^/]+$/, "klavi-aws-2") },
      exchange: { ...gcpExchangeOf(contract), provider: "klavi-aws-2" },
    }),
    answers: { hop: "sts", code: "invalid_grant", message: "The AWS account 222233334444 does not match" },
    expect: always("gcp.aws.account-differs"),
  },
];

/** By the role's bare name, as Klavi's guide has it. */
function bareMember(principal: string): string {
  return principal.replace(/aws_role\/.*$/, "aws_role/klavi-delivery");
}

export const klaviBreakages: readonly GcpBreakage[] = [...sessions, ...callers, ...requests, ...trust].map((row) => ({ ...row, stack: "klavi-gcp" }));
