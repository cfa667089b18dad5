/** The platform's side of an exchange with Google: its tokens, and the issuer that vouches for them. */
import type { IssuerBehaviour } from "../../../sandbox/index.js";
import type { GcpAdministrator } from "../../support/gcp-administrator.js";
import { gcpExchangeOf } from "../../support/gcp.js";
import { always, live, type GcpBreakage } from "./gcp-breakage.js";

const now = (): number => Math.floor(Date.now() / 1000);
const stale = { hop: "sts", code: "invalid_grant", message: "stale to sign-in" } as const;
const unreadable = { hop: "sts", code: "invalid_grant", message: "Unable to parse the ID Token" } as const;
const unreachable = { hop: "sts", code: "invalid_grant", message: "Error connecting to the given credential's issuer." } as const;
const badSignature = { hop: "sts", code: "invalid_grant", message: "Unable to verify the ID Token signature." } as const;

export const gcpTokenRows: readonly GcpBreakage[] = [
  { name: "the token is of another subject", token: async (_sandbox, contract) => ({ subject: `${contract.workload.subject}-2` }), answers: { hop: "sts", code: "unauthorized_client", message: "rejected by the attribute condition" }, expect: live("token.other-subject") },
  { name: "the token is for another audience", token: async () => ({ audience: "sts.amazonaws.com" }), answers: { hop: "sts", code: "invalid_grant", message: "The audience in ID Token" }, expect: live("token.other-audience") },
  { name: "the token's issuer has a slash at its end", token: async (_sandbox, { workload }) => ({ claims: { iss: `${workload.issuer}/` } }), answers: { hop: "sts", code: "invalid_grant", message: "The issuer in ID Token" }, expect: live("token.other-issuer") },
  { name: "the token has expired", token: async () => ({ expiresInSeconds: -600 }), answers: stale, expect: live("token.expired") },
  { name: "the token expired 61 seconds ago", token: async () => ({ expiresInSeconds: -61 }), answers: stale, expect: live("token.expired") },
  { name: "the token is valid only in ten minutes", token: async () => ({ claims: { iat: now() + 600, nbf: now() + 600 } }), answers: stale, expect: live("token.not-yet-valid") },
  { name: "the token was issued more than a day ago", token: async () => ({ claims: { iat: now() - 90_000, nbf: now() - 90_000 } }), answers: stale, expect: live("token.too-old") },
  {
    name: "the clock here is ten minutes behind Google's",
    break: async ({ sandbox }) => {
      sandbox.core.clock.advance(600);
    },
    token: async () => ({ claims: { iat: now(), nbf: now(), exp: now() + 240 } }),
    answers: stale,
    expect: live("token.clock-skew"),
  },
  { name: "the token has no sub", token: async () => ({ omit: ["sub"] }), answers: unreadable, expect: live("token.unusable") },
  { name: "the token has no iat", token: async () => ({ omit: ["iat"] }), answers: stale, expect: live("token.unusable") },
  { name: "the token's header has no kid", token: async () => ({ header: { kid: null } }), answers: unreachable, expect: live("token.unusable") },
  { name: "the token is signed in a way that Google does not take", token: async () => ({ header: { alg: "RS512" } }), answers: unreachable, expect: live("token.unusable") },
  { name: "somebody else signed under the issuer's key id", token: async () => ({ foreignKey: true }), answers: badSignature, expect: live("issuer.signature-mismatch") },
];

const issuerOf = ({ contract }: GcpAdministrator): string => contract.workload.issuer;
const behaves =
  (behaviour: IssuerBehaviour) =>
  async (admin: GcpAdministrator): Promise<void> => {
    admin.sandbox.issuers.behave(issuerOf(admin), behaviour);
  };

async function rotateAway(admin: GcpAdministrator): Promise<void> {
  const { issuers } = admin.sandbox;
  const { signingKid } = issuers.get(issuerOf(admin));
  await issuers.rotate(issuerOf(admin));
  issuers.removeKey(issuerOf(admin), signingKid);
}

/** The issuer's keys as they are now, given to the provider. */
async function uploadKeys(admin: GcpAdministrator): Promise<void> {
  const { oidc } = await admin.describeProvider();
  const keys = admin.sandbox.issuers.get(issuerOf(admin)).keys.map(({ jwk }) => jwk);
  await admin.updateProvider({ oidc: { ...(oidc as object), jwksJson: JSON.stringify({ keys }) } });
}

const uploaded: GcpBreakage["contract"] = (contract) => ({ ...contract, exchange: { ...gcpExchangeOf(contract), issuerKeys: "uploaded" } });

export const gcpIssuerRows: readonly GcpBreakage[] = [
  {
    name: "the token names a key that was rotated away",
    token: async (sandbox, { workload }) => {
      const { signingKid } = sandbox.issuers.get(workload.issuer);
      await sandbox.issuers.rotate(workload.issuer);
      sandbox.issuers.removeKey(workload.issuer, signingKid);
      return { kid: signingKid };
    },
    answers: unreachable,
    expect: live("issuer.key-unknown"),
  },
  { name: "another key is published under the same key id", break: async (admin) => {
      await admin.sandbox.issuers.publishForeignKey(issuerOf(admin));
    }, answers: badSignature, expect: live("issuer.signature-mismatch") },
  { name: "the issuer answers 500", break: behaves({ status: 500 }), answers: unreachable, expect: always("issuer.error-answer") },
  { name: "the issuer takes longer than 5 seconds", break: behaves({ delaySeconds: 5.5 }), answers: unreachable, expect: always("issuer.slow") },
  { name: "the issuer's certificate is of an unknown authority", break: behaves({ certificate: "untrusted" }), answers: unreachable, expect: always("issuer.certificate-untrusted") },
  { name: "the discovery document names another issuer", break: behaves({ discovery: { issuer: "https://oidc.dcf.example/" } }), answers: { hop: "sts", code: "invalid_grant", message: "OIDC discovery document does not match" }, expect: always("issuer.issuer-differs") },
  { name: "the discovery document has no jwks_uri", break: behaves({ discovery: { jwks_uri: null } }), answers: unreachable, expect: always("issuer.discovery-invalid") },
  { name: "the issuer's key document has no list of keys", break: behaves({ jwks: { key: [] } }), answers: unreachable, expect: always("issuer.keys-invalid") },
  {
    name: "the keys were uploaded, and the issuer cannot be reached",
    break: async (admin) => {
      await uploadKeys(admin);
      await behaves({ status: 500 })(admin);
    },
    contract: uploaded,
    answers: { hop: "none" },
    expect: always(),
  },
  {
    name: "the keys were uploaded, and the issuer has rotated its own since",
    break: async (admin) => {
      await uploadKeys(admin);
      await rotateAway(admin);
    },
    contract: uploaded,
    answers: unreachable,
    expect: { token: ["issuer.key-unknown"], account: [], both: ["issuer.key-unknown"] },
  },
  {
    name: "what was uploaded under the key id is another key",
    break: async (admin) => {
      await admin.sandbox.issuers.publishForeignKey(issuerOf(admin));
      await uploadKeys(admin);
    },
    contract: uploaded,
    answers: badSignature,
    expect: live("issuer.signature-mismatch"),
  },
];
