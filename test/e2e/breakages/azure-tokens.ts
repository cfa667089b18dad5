/** Tokens and issuers, tenants and clouds: what Entra says of them, and what is named. */
import type { Contract } from "../../../contract/index.js";
import { azureClouds } from "../../../facts/azure/clouds.js";
import type { IssuerBehaviour } from "../../../sandbox/index.js";
import { SUBSCRIPTION } from "../../../sandbox/azure/store-types.js";
import type { AzureAdministrator } from "../../support/azure-administrator.js";
import { always, arm, entra, live, narrowed, type AzureBreakage } from "./azure-breakage.js";

const now = (): number => Math.floor(Date.now() / 1000);

const exchangeWith =
  (change: Record<string, unknown>) =>
  (contract: Contract): Contract => ({ ...contract, exchange: { ...contract.exchange, ...change } });

/** As if the stack had been told of another cloud: its hosts follow. */
function inUsGovernment(contract: Contract): Contract {
  const moved = JSON.stringify(exchangeWith({ cloud: "usgovernment" })(contract)).replaceAll(azureClouds.public.blobSuffix, azureClouds.usgovernment.blobSuffix);
  return JSON.parse(moved.replaceAll(azureClouds.public.registrySuffix, azureClouds.usgovernment.registrySuffix).replaceAll(azureClouds.public.siteSuffix, azureClouds.usgovernment.siteSuffix)) as Contract;
}

const tokenRows: readonly AzureBreakage[] = [
  { name: "the token is of another workload", token: async (_, { workload }) => ({ subject: `${workload.subject}-other` }), answers: entra(700213), expect: live("token.other-subject") },
  { name: "the token is for another audience", token: async () => ({ audience: "sts.amazonaws.com" }), answers: entra(700212), expect: live("token.other-audience") },
  { name: "the token has expired", token: async () => ({ expiresInSeconds: -3600 }), answers: entra(700024), expect: live("token.expired") },
  { name: "the token is valid only in ten minutes", token: async () => ({ claims: { iat: now() + 600, nbf: now() + 600 } }), answers: entra(700024), expect: live("token.not-yet-valid") },
  {
    name: "the token is of another issuer",
    token: async (sandbox) => {
      await sandbox.issuers.create("https://oidc.other.example");
      return { issuer: "https://oidc.other.example" };
    },
    answers: entra(700211),
    expect: live("token.other-issuer"),
  },
  { name: "the token's header says that it is no JWT", token: async () => ({ header: { typ: "at+jwt" } }), answers: entra(5002727, 400), expect: live("token.unusable") },
  {
    name: "the issuer signs with ES256",
    token: async (sandbox, { workload }) => {
      const issuer = sandbox.issuers.get(workload.issuer);
      sandbox.store.put("sandbox:oidc/issuer", issuer.url, { ...issuer, algorithm: "ES256" });
      await sandbox.issuers.rotate(issuer.url);
      return {};
    },
    answers: entra(5002738, 400),
    expect: live("token.unusable"),
  },
  { name: "somebody else signed under the issuer's key id", token: async () => ({ foreignKey: true }), answers: entra(7000274), expect: live("issuer.signature-mismatch") },
];

const issuerOf = ({ contract }: AzureAdministrator): string => contract.workload.issuer;
const behaves =
  (behaviour: IssuerBehaviour) =>
  async (admin: AzureAdministrator): Promise<void> => {
    admin.sandbox.issuers.behave(issuerOf(admin), behaviour);
  };

const issuerRows: readonly AzureBreakage[] = [
  {
    name: "the issuer signs with a key that Entra has not read yet",
    break: async (admin) => {
      // The sign-in before is what Entra keeps the issuer's keys of.
      await admin.signIn();
      const { signingKid } = admin.sandbox.issuers.get(issuerOf(admin));
      await admin.sandbox.issuers.rotate(issuerOf(admin));
      admin.sandbox.issuers.removeKey(issuerOf(admin), signingKid);
    },
    answers: entra(7000272),
    expect: live("issuer.key-cached"),
  },
  { name: "the issuer answers 500", break: behaves({ status: 500 }), answers: entra(501661, 400), expect: always("issuer.error-answer") },
  { name: "the issuer's certificate is of an unknown authority", break: behaves({ certificate: "untrusted" }), answers: entra(501661, 400), expect: always("issuer.certificate-untrusted") },
  { name: "the discovery document does not say which subjects it has", break: behaves({ discovery: { subject_types_supported: null } }), answers: entra(501661, 400), expect: always("issuer.discovery-invalid") },
  { name: "the discovery document has an empty authorization_endpoint", break: behaves({ discovery: { authorization_endpoint: "" } }), answers: entra(501661, 400), expect: always("issuer.discovery-invalid") },
];

const placeRows: readonly AzureBreakage[] = [
  { name: "the contract names a tenant that there is not", contract: exchangeWith({ tenantId: "12121212-3434-4545-8656-787878787878" }), answers: entra(90002, 400), expect: always("azure.tenant.missing") },
  { name: "the contract names another tenant", contract: exchangeWith({ tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff" }), answers: entra(700016, 400), expect: always("azure.subscription.other-tenant") },
  { name: "the contract is of another of Azure's clouds", contract: inUsGovernment, answers: entra(900382, 400), refusesReader: "found no credentials that Entra takes", expect: live("azure.tenant.other-cloud") },
  { name: "the contract has a client id that nobody has", contract: exchangeWith({ clientId: "12121212-3434-4545-8656-787878787878" }), answers: entra(700016, 400), expect: narrowed(["azure.client.missing", "azure.client.recreated"], "azure.client.recreated") },
  {
    name: "the subscription moved to another tenant",
    break: async ({ sandbox }) => {
      const { subscriptionId } = sandbox.azure.defaultSubscription;
      const subscription = sandbox.store.get<object>(SUBSCRIPTION, subscriptionId);
      sandbox.store.put(SUBSCRIPTION, subscriptionId, { ...subscription, tenantId: "bbbbcccc-1111-dddd-2222-eeee3333ffff" });
    },
    answers: arm("InvalidAuthenticationTokenTenant", 401),
    refusesReader: "cannot read subscription",
    expect: live("azure.subscription.other-tenant"),
  },
];

export const azureTokenRows: readonly AzureBreakage[] = [...tokenRows, ...issuerRows, ...placeRows];
