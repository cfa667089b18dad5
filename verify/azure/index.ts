/** The checks of a contract with an Azure exchange. */
import type { ReadContract } from "../../contract/index.js";
import { azureClouds } from "../../facts/azure/clouds.js";
import { AZURE_ISSUER_RULES } from "../../trust/azure/issuer-keys.js";
import { notTested, unknown, type Check } from "../check.js";
import type { Prepared, Setting, VerifyCloud } from "../cloud.js";
import { InputError } from "../input-error.js";
import { readIssuer, type IssuerReading } from "../issuer.js";
import type { Depth } from "../options.js";
import { Waiter, waitPolicy } from "../waiting.js";
import { openAccount } from "./account-evidence.js";
import { containerChecks } from "./container.js";
import { contractCheck } from "./contract.js";
import { credentialFileCheck } from "./credential-file.js";
import type { Resource } from "./endpoints.js";
import { exchangeChecks, exchangeId } from "./exchange.js";
import { graphCheck } from "./graph.js";
import { groupChecks } from "./group.js";
import { issuerCheck } from "./issuer.js";
import { lintCheck } from "./lint.js";
import { planText } from "./plan.js";
import { refusalContainerCheck } from "./refusal-container.js";
import { refusalChecks } from "./refusals.js";
import { rightsCheck } from "./rights.js";
import { readToken, type AzureRun } from "./run.js";
import { serviceChecks } from "./service.js";
import { StorageView } from "./storage-account.js";
import { groupOf, reaches, resourcesOf, servicesOf } from "./targets.js";
import { subscriptionCheck, tenantCheck } from "./tenant.js";
import { tokenCheck } from "./token.js";

/** Role assignments and new issuers take up to about this long: https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected */
export const DEFAULT_WAIT_SECONDS = 900;

export const verifyAzure: VerifyCloud = { prepare, plan: planText };

async function prepare(setting: Setting): Promise<Prepared> {
  const { contract, network, scrubber, token: source, refusals = true, depth = "storage" } = setting;
  const { exchange } = contract;
  if (exchange.type !== "azure-client-assertion") throw new InputError(`an exchange of type ${exchange.type} is not Azure's`);
  const signal = setting.signal ?? new AbortController().signal;
  const [raw, account] = await Promise.all([source?.token(signal), openAccount(setting, exchange, signal)]);
  scrubber.register(raw);
  const token = raw === undefined ? undefined : readToken(raw);
  const waiter = new Waiter(waitPolicy(setting.waitSeconds, DEFAULT_WAIT_SECONDS, contract.provisionedAt, setting.now));

  let issuer: Promise<IssuerReading> | undefined;
  const run: AzureRun = {
    contract,
    exchange,
    cloud: azureClouds[exchange.cloud],
    network,
    waiter,
    scrubber,
    runId: setting.runId,
    acceptResidue: setting.acceptResidue ?? false,
    source,
    token,
    account: undefined,
    issuer: () => (issuer ??= readIssuer(network, contract.workload.issuer, AZURE_ISSUER_RULES, signal)),
    hops: [],
    sessions: new Map(),
  };
  run.account = account?.reader(run);
  const resources = resourcesOf(contract, depth);
  const [first = "arm"] = resources;
  return {
    checks: [
      contractCheck(run, contract.unrecognised),
      ...(setting.credentialFile === undefined ? [] : [credentialFileCheck(run, setting.credentialFile)]),
      issuerCheck(run),
      tenantCheck(run),
      ...(exchange.subscriptionId === undefined ? [] : [subscriptionCheck(run, exchange.subscriptionId)]),
      ...(token ? [tokenCheck(run, token), ...exchangeChecks(run, resources)] : []),
      lintCheck(run),
      ...(token ? [...refusalChecks(run, first, refusals), graphCheck(run, exchangeId("graph", resources))] : []),
      ...(account?.checks(run, token ? resources.map((resource) => exchangeId(resource, resources)) : []) ?? []),
      ...(token ? grantChecks(run, { depth, refusals, resources }) : []),
      ...contract.unrecognised.filter(({ path }) => path.startsWith("grants")).map(unrecognisedCheck),
    ],
    evidence: [...(token ? (["token"] as const) : []), ...(account ? (["account"] as const) : [])],
    notRead: ["Conditional Access policies", "Azure Policy above the subscription", ...(account ? [] : ["the subscription's configuration"])],
    tokenFingerprint: token?.fingerprint,
    waits: waiter.waits,
    hops: run.hops,
  };
}

interface Intent {
  depth: Depth;
  refusals: boolean;
  resources: readonly Resource[];
}

/** What the session may do with the contract's targets, as deep as was asked for. The group itself belongs to the identity. */
function grantChecks(run: AzureRun, { depth, refusals, resources }: Intent): Check[] {
  const { contract } = run;
  const { grants, refusalTargets } = contract;
  const groups = grants.flatMap((grant) => (grant.kind === "azure-resource-group" ? groupChecks(run, grant) : []));
  if (!reaches(depth, "storage")) return groups;
  const exchangeCheck = exchangeId("storage", resources);
  const views = grants.flatMap((grant) => (grant.kind === "blob-container" ? [new StorageView(run, grant, groupOf(contract, grant))] : []));
  return [
    ...groups,
    ...grants.flatMap((grant) => (grant.kind === "azure-resource-group" ? [rightsCheck(run, grant, servicesOf(contract, grant))] : [])),
    ...views.flatMap((view) => view.checks()),
    ...views.flatMap((view) => containerChecks(run, view, { exchangeCheck, refusals })),
    ...refusalTargets.flatMap((target) => (target.kind === "blob-container" ? [refusalContainerCheck(run, target, exchangeCheck, refusals)] : [])),
    ...grants.flatMap((grant) => (grant.kind === "app-service" ? serviceChecks(run, grant, groupOf(contract, grant), { runtime: reaches(depth, "runtime"), deploys: reaches(depth, "deploy") }) : [])),
    ...grants.filter(({ kind }) => !KNOWN.has(kind)).map(({ id, kind }) => plainCheck(`grant.${id}`, `Grant ${id} (${kind})`, false, async () => notTested(`grants of kind ${kind} are not Azure's`))),
  ];
}

const KNOWN: ReadonlySet<string> = new Set(["azure-resource-group", "blob-container", "app-service"]);

/** A grant of a later release's kind: a verdict is wanted, and there is none. */
function unrecognisedCheck({ path, kind, id }: ReadContract["unrecognised"][number]): Check {
  return plainCheck(`grant.${id ?? path}`, `Grant ${id ?? path} (${kind})`, true, async () => unknown(`this release does not know grants of kind ${kind}: upgrade cloud-federation`));
}

function plainCheck(id: string, title: string, required: boolean, run: Check["run"]): Check {
  return { id, title, grade: "live", required, needs: [], deadlineMs: 1_000, run };
}
