/** Tokens and issuers, tenants and clouds: what Entra says of them, and what is named. */
import type { Contract } from "../../../contract/index.js";
import type { AzureCauseCode } from "../../../verify/azure/causes.js";
import { entra, live, type AzureBreakage } from "./azure-breakage.js";

const exchangeWith =
  (change: Record<string, unknown>) =>
  (contract: Contract): Contract => ({ ...contract, exchange: { ...contract.exchange, ...change } as Contract["exchange"] });

const token = (name: string, order: NonNullable<AzureBreakage["token"]>, code: number, cause: AzureCauseCode, httpStatus?: number): AzureBreakage => ({
  name,
  token: order,
  answers: entra(code, httpStatus),
  expect: live(cause),
});

export const azureTokenRows: readonly AzureBreakage[] = [
  token("the token is of another workload", async (_, { workload }) => ({ subject: `${workload.subject}-other` }), 700213, "token.other-subject"),
  token("the token is for another audience", async () => ({ audience: "sts.amazonaws.com" }), 700212, "token.other-audience"),
  token("the token has expired", async () => ({ expiresInSeconds: -3600 }), 700024, "token.expired"),
  token(
    "the token is of another issuer",
    async (sandbox) => {
      await sandbox.issuers.create("https://oidc.other.example");
      return { issuer: "https://oidc.other.example" };
    },
    700211,
    "token.other-issuer",
  ),
];
