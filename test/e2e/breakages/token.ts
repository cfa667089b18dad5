/** Token and issuer: what the exchange is refused for on the platform's side. */
import type { Contract } from "../../../contract/index.js";
import type { IssuerBehaviour, Sandbox, TokenOrder } from "../../../sandbox/index.js";
import type { Administrator } from "../../support/administrator.js";
import { always, exchange, issuerOf, live, noKey, notAuthorized, notValidated, type Breakage } from "./breakage.js";

/** A token of the contract's workload, but for the changes. */
const workloadToken =
  (change: Partial<TokenOrder>) =>
  (sandbox: Sandbox, { workload }: Contract): Promise<string> =>
    sandbox.issuers.mint({ ...workload, ...change });
const issuerBehaves =
  (behaviour: IssuerBehaviour) =>
  async (administrator: Administrator): Promise<unknown> =>
    administrator.sandbox.issuers.behave(issuerOf(administrator), behaviour);
/** The issuer publishes its one key with these members besides. */
const keyPublishedWith = (members: Record<string, unknown>) => async (administrator: Administrator) => {
  const { issuers } = administrator.sandbox;
  const { keys } = issuers.get(issuerOf(administrator));
  return issuers.behave(issuerOf(administrator), { jwks: { keys: keys.map(({ jwk }) => ({ ...jwk, ...members })) } });
};

export const tokenRows: Breakage[] = [
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
    token: workloadToken({ subject: "system:serviceaccount:dcf:project-4712" }),
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
    name: "the token is of another issuer, which the account trusts for something else",
    failureMode: "Invalid OIDC token",
    break: (administrator) => administrator.createProvider("https://staging.dcf.example"),
    token: async (sandbox, { workload }) => {
      await sandbox.issuers.create("https://staging.dcf.example");
      return sandbox.issuers.mint({ ...workload, issuer: "https://staging.dcf.example" });
    },
    refused: notAuthorized,
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
    name: "the token carries session tags, which the trust does not allow",
    failureMode: "Access denied assuming role",
    token: workloadToken({ claims: { "https://aws.amazon.com/tags": { principal_tags: { project: ["4711"] } } } }),
    refused: exchange("AccessDenied", 403, "Not authorized to perform sts:TagSession"),
    expect: live("aws.trust.tag-session-missing"),
  },
  {
    name: "the token carries a source identity, which the trust does not allow",
    failureMode: "Access denied assuming role",
    token: workloadToken({ claims: { "https://aws.amazon.com/source_identity": "dcf" } }),
    refused: exchange("AccessDenied", 403, "Not authorized to perform sts:SetSourceIdentity"),
    expect: live("aws.trust.source-identity-missing"),
  },
  {
    name: "the token's roles claim names another role",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ claims: { "https://aws.amazon.com/roles": ["arn:aws:iam::111122223333:role/another"] } }),
    refused: exchange("InvalidIdentityToken", 400, "The target role ARN is not present in the roles claim of the identity token"),
    expect: live("token.unusable"),
  },
  {
    name: "the token's subject is a number",
    failureMode: "Access denied assuming role",
    token: workloadToken({ claims: { sub: 4712 } }),
    refused: notAuthorized,
    expect: live("token.other-subject"),
  },
  {
    name: "the token has no sub",
    failureMode: "Invalid OIDC token",
    token: workloadToken({ omit: ["sub"] }),
    refused: exchange("InvalidIdentityToken", 400, "Missing a required claim: sub"),
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

export const issuerRows: Breakage[] = [
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
    expect: always("issuer.key-unusable"),
  },
  {
    name: "the issuer's only key is for encryption",
    failureMode: "Invalid OIDC token",
    break: keyPublishedWith({ use: "enc" }),
    refused: noKey,
    expect: always("issuer.key-unusable"),
  },
  {
    name: "the certificate of the issuer's only key holds another key",
    failureMode: "Invalid OIDC token",
    break: keyPublishedWith({ x5c: ["MIIB"] }),
    refused: notValidated,
    expect: always("issuer.key-unusable"),
  },
  {
    name: "the issuer's only key has no type",
    failureMode: "Invalid OIDC token",
    break: keyPublishedWith({ kty: undefined }),
    refused: noKey,
    expect: always("issuer.key-unusable"),
  },
  {
    name: "the issuer has too many keys",
    failureMode: "Invalid OIDC token",
    break: async ({ sandbox: { issuers }, contract }) => {
      const { keys } = issuers.get(contract.workload.issuer);
      const more = Array.from({ length: 100 }, (_, index) => ({ ...keys[0]?.jwk, kid: `former-${index}` }));
      return issuers.behave(contract.workload.issuer, { jwks: { keys: [...keys.map(({ jwk }) => jwk), ...more] } });
    },
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
