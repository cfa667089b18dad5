/** Account evidence of a run: who reads the subscription, what its configuration says of a refusal, and the checks of what was read. */
import type { AzureExchange, GrantOf } from "../../contract/schema.js";
import { azureClouds } from "../../facts/azure/clouds.js";
import type { Check } from "../check.js";
import type { Setting } from "../cloud.js";
import { InputError } from "../input-error.js";
import type { AzureCredentials, VerifyOptions } from "../options.js";
import type { AccountReader, Explanation, Question } from "./account-reader.js";
import { accountChecks, containerAttributes, type AccountParts } from "./account/checks.js";
import { ambientCredentials } from "./account/credentials.js";
import { AzureDocuments } from "./account/reader.js";
import { Rights } from "./account/rights.js";
import { networkCause } from "./account/storage.js";
import { explainTag } from "./account/tags.js";
import { explainExchange } from "./account/trust.js";
import { accountId, containerId } from "./endpoints.js";
import type { AzureRun } from "./run.js";

export interface AccountEvidence {
  /** Made for the run whose checks it explains. */
  reader(run: AzureRun): AccountReader;
  /** @param live ids of the checks that exchange the token, where there is one */
  checks(run: AzureRun, live: readonly string[]): Check[];
}

/**
 * Undefined in runs without account evidence.
 *
 * @throws InputError when there are no credentials, or they are of another cloud or may not read the subscription
 */
export async function openAccount({ account, network, scrubber }: Setting, exchange: AzureExchange, signal: AbortSignal): Promise<AccountEvidence | undefined> {
  if (!account) return undefined;
  const cloud = azureClouds[exchange.cloud];
  const credentials = azureCredentials(account) ?? ambientCredentials(network, cloud, exchange.tenantId, signal);
  const documents = new AzureDocuments({ network, scrubber, exchange, cloud, credentials, signal });
  await documents.assertCaller();
  const parts = (run: AzureRun): AccountParts => ({ documents, rights: new Rights(run, documents) });
  return {
    reader: (run) => {
      const { rights } = parts(run);
      return { explain: (question) => explain(run, documents, rights, question) };
    },
    checks: (run, live) => accountChecks(run, parts(run), live),
  };
}

function explain(run: AzureRun, documents: AzureDocuments, rights: Rights, question: Question): Promise<Explanation> {
  switch (question.about) {
    case "exchange":
      return explainExchange(run, documents);
    case "right":
      return rights.explain(withAttributes(run, question));
    case "tag":
      return explainTag(run, documents, question.grant);
    case "network":
      return explainNetwork(run, documents, question.scope);
  }
}

/** What a condition may ask about the container that the question is on. */
function withAttributes(run: AzureRun, question: Extract<Question, { about: "right" }>): Extract<Question, { about: "right" }> {
  const grant = containers(run).find((one) => containerId(one).toLowerCase() === question.scope.toLowerCase());
  return grant && question.dataAction ? { ...question, attributes: { ...containerAttributes(grant), ...question.attributes } } : question;
}

async function explainNetwork(run: AzureRun, documents: AzureDocuments, scope: string): Promise<Explanation> {
  const grant = containers(run).find((one) => scope.toLowerCase().startsWith(accountId(one).toLowerCase()));
  if (!grant) return {};
  const account = await documents.arm(accountId(grant), "storage");
  if (account.status !== "read") return {};
  const found = networkCause(run, grant, account.value);
  return found ? { cause: found } : { excluded: ["azure.storage.firewall"] };
}

function containers({ contract }: AzureRun): GrantOf<"blob-container">[] {
  return contract.grants.flatMap((grant) => (grant.kind === "blob-container" ? [grant] : []));
}

/** @throws InputError for credentials of another cloud */
function azureCredentials(account: NonNullable<VerifyOptions["account"]>): AzureCredentials | undefined {
  if (typeof account === "boolean") return undefined;
  if ("getToken" in account) return account;
  throw new InputError("The contract is of an Azure subscription, and the credentials given for reading it are not Azure's: give a credential of @azure/identity.");
}
