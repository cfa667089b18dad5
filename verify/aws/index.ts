/** The checks of a contract with an AWS exchange. */
import type { ReadContract } from "../../contract/index.js";
import { unknown, notTested, type Check } from "../check.js";
import type { Prepared, Setting, VerifyCloud } from "../cloud.js";
import { InputError } from "../input-error.js";
import { readIssuer, type IssuerReading } from "../issuer.js";
import { DEPTHS, type Depth, type VerifyOptions } from "../options.js";
import { Waiter, waitPolicy } from "../waiting.js";
import { buildAccountChecks } from "./account/builds.js";
import { accountChecks } from "./account/checks.js";
import { predictExchange } from "./account/prediction.js";
import { AccountReader } from "./account/reader.js";
import { bucketChecks } from "./bucket.js";
import { canaryChecks } from "./canary.js";
import { AwsClients, type AwsCredentials } from "./clients.js";
import { codebuildChecks } from "./codebuild.js";
import { contractCheck } from "./contract.js";
import { exchangeCheck } from "./exchange.js";
import { identityCheck } from "./identity.js";
import { lambdaChecks } from "./lambda.js";
import { planText } from "./plan.js";
import { issuerCheck, STS_ISSUER_RULES } from "./issuer.js";
import { refusalBucketCheck } from "./refusal-bucket.js";
import { refusalChecks } from "./refusals.js";
import { readToken, type AwsRun } from "./run.js";
import { tokenCheck } from "./token.js";

/** New roles, providers and policies take up to this long: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html */
export const DEFAULT_WAIT_SECONDS = 120;

export const verifyAws: VerifyCloud = { prepare, plan: planText };

async function prepare(setting: Setting): Promise<Prepared> {
  const { contract, network, scrubber, token: source, refusals = true } = setting;
  const { exchange } = contract;
  if (exchange.type !== "aws-web-identity") throw new InputError(`an exchange of type ${exchange.type} is not AWS's`);
  const clients = new AwsClients({ network, partition: exchange.partition });
  const account = setting.account ? new AccountReader(clients, exchange, awsCredentials(setting.account)) : undefined;
  const signal = setting.signal ?? new AbortController().signal;
  const [raw] = await Promise.all([source?.token(signal), account?.assertCaller(signal)]);
  scrubber.register(raw);
  const token = raw === undefined ? undefined : readToken(raw);
  const waiter = new Waiter(waitPolicy(setting.waitSeconds, DEFAULT_WAIT_SECONDS, contract.provisionedAt, setting.now));

  let issuer: Promise<IssuerReading> | undefined;
  let prediction: ReturnType<AwsRun["prediction"]> | undefined;
  const run: AwsRun = {
    contract,
    exchange,
    clients,
    network,
    waiter,
    scrubber,
    runId: setting.runId,
    acceptResidue: setting.acceptResidue ?? false,
    source,
    token,
    account,
    issuer: () => (issuer ??= readIssuer(network, contract.workload.issuer, STS_ISSUER_RULES, signal)),
    prediction: () => (prediction ??= predictExchange(run)),
    session: undefined,
  };
  return {
    checks: [
      contractCheck(contract, exchange, contract.unrecognised),
      issuerCheck(run),
      ...(token ? [tokenCheck(run, token)] : []),
      ...(token ? [exchangeCheck(run), identityCheck(run), ...refusalChecks(run, refusals)] : []),
      ...(account ? [...accountChecks(run, account), ...buildAccountChecks(run, account)] : []),
      ...targetChecks(run, setting.depth ?? "storage", token !== undefined, refusals),
      ...contract.unrecognised.filter(({ path }) => path.startsWith("grants")).map(unrecognisedCheck),
    ],
    evidence: [...(token ? (["token"] as const) : []), ...(account ? (["account"] as const) : [])],
    notRead: ["service control policies", "resource control policies", ...(account ? [] : ["the account's configuration"])],
    tokenFingerprint: token?.fingerprint,
    waits: waiter.waits,
  };
}

/** @throws InputError for credentials of another cloud */
function awsCredentials(account: NonNullable<VerifyOptions["account"]>): AwsCredentials | "ambient" {
  if (typeof account === "boolean") return "ambient";
  if ("accessKeyId" in account) return account;
  throw new InputError("The contract is of an AWS account, and the credentials given for reading it are not AWS's: give accessKeyId and secretAccessKey.");
}

/** What the session may do with the contract's targets, as deep as was asked for. */
function targetChecks(run: AwsRun, depth: Depth, hasToken: boolean, refusals: boolean): Check[] {
  const { grants, refusalTargets } = run.contract;
  const buckets = grants.filter((grant) => grant.kind === "s3-objects");
  const checks: Check[] = [];
  if (hasToken && reaches(depth, "storage")) {
    checks.push(...buckets.flatMap((grant) => bucketChecks(run, grant)));
    checks.push(...refusalTargets.filter((target) => target.kind === "s3-bucket").map((target) => refusalBucketCheck(run, target, refusals)));
  }
  if (reaches(depth, "runtime") && grants.length === buckets.length) checks.push(nothingDeeper(depth));
  const deploys = reaches(depth, "deploy");
  for (const grant of grants) {
    if (grant.kind === "codebuild-project" || grant.kind === "lambda-functions") {
      if (!hasToken) continue;
      if (!reaches(depth, "runtime")) checks.push(laterDepth(grant.id, grant.kind, depth));
      else if (grant.kind === "lambda-functions") checks.push(...lambdaChecks(run, grant, refusals));
      else checks.push(...codebuildChecks(run, grant, { refusals, started: deploys }));
    } else if (grant.kind !== "s3-objects") checks.push(uncheckedGrant(grant.id, grant.kind));
  }
  if (hasToken && deploys) checks.push(...grants.flatMap((grant) => (grant.kind === "codebuild-project" ? canaryChecks(run, grant) : [])));
  return checks;
}

function reaches(depth: Depth, wanted: Depth): boolean {
  return DEPTHS.indexOf(depth) >= DEPTHS.indexOf(wanted);
}

function nothingDeeper(depth: Depth): Check {
  return plainCheck("depth", `Depth ${depth}`, false, async () => notTested("nothing deeper in this contract: it has storage grants only"));
}

function laterDepth(id: string, kind: string, depth: Depth): Check {
  return plainCheck(`grant.${id}`, `Grant ${id} (${kind})`, false, async () => notTested(`depth ${depth} does not go so far: --depth runtime or deploy does`));
}

function uncheckedGrant(id: string, kind: string): Check {
  return plainCheck(`grant.${id}`, `Grant ${id} (${kind})`, false, async () => notTested(`this release has no check for grants of kind ${kind}`));
}

/** A grant of a later release's kind: a verdict is wanted, and there is none. */
function unrecognisedCheck({ path, kind, id }: ReadContract["unrecognised"][number]): Check {
  return plainCheck(`grant.${id ?? path}`, `Grant ${id ?? path} (${kind})`, true, async () => unknown(`this release does not know grants of kind ${kind}: upgrade cloud-federation`));
}

function plainCheck(id: string, title: string, required: boolean, run: Check["run"]): Check {
  return { id, title, grade: "live", required, needs: [], deadlineMs: 1_000, run };
}
