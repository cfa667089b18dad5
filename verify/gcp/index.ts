/** The checks of a contract with a GCP exchange. */
import type { ReadContract } from "../../contract/index.js";
import { notTested, unknown, type Check } from "../check.js";
import type { Prepared, Setting, VerifyCloud } from "../cloud.js";
import { InputError } from "../input-error.js";
import { readIssuer, type IssuerReading } from "../issuer.js";
import { DEPTHS, type Depth, type GcpCredentials, type VerifyOptions } from "../options.js";
import { Waiter, waitPolicy } from "../waiting.js";
import { GCP_ISSUER_RULES } from "../../trust/gcp/issuer-keys.js";
import { accountChecks, type AccountParts } from "./account/checks.js";
import { predict } from "./account/prediction.js";
import { ProjectDocuments } from "./account/reader.js";
import { Rights } from "./account/rights.js";
import type { Prediction, ProjectReader } from "./account/types.js";
import { askAwsWhoSigned, type AwsCaller } from "./aws-caller.js";
import { bucketChecks } from "./bucket.js";
import { buildLogFilter, textsOf } from "./builds-diagnosis.js";
import { contractCheck } from "./contract.js";
import { exchangeCheck } from "./exchange.js";
import { impersonationCheck } from "./impersonation.js";
import { issuerCheck } from "./issuer.js";
import { planText } from "./plan.js";
import { refusalBucketCheck } from "./refusal-bucket.js";
import { refusalChecks, wrongAccountCheck } from "./refusals.js";
import { readToken, registerToken, type GcpRun } from "./run.js";
import { runtimeAccountChecks, runtimeChecks } from "./runtime.js";
import { tokenCheck } from "./token.js";

/** A binding takes up to this long, mostly one: https://cloud.google.com/iam/docs/access-change-propagation */
export const DEFAULT_WAIT_SECONDS = 600;

export const verifyGcp: VerifyCloud = { prepare, plan: planText };

async function prepare(setting: Setting): Promise<Prepared> {
  const { contract, network, scrubber, token: source, refusals = true } = setting;
  const { exchange } = contract;
  if (exchange.type !== "gcp-workload-identity") throw new InputError(`an exchange of type ${exchange.type} is not Google's`);
  const signal = setting.signal ?? new AbortController().signal;
  const documents = setting.account ? new ProjectDocuments({ network, scrubber, exchange, credentials: gcpCredentials(setting.account), signal }) : undefined;
  const [raw] = await Promise.all([source?.token(signal), documents?.assertCaller()]);
  if (raw !== undefined) registerToken(scrubber, raw);
  const token = raw === undefined ? undefined : readToken(raw, exchange.subjectTokenType);
  const waiter = new Waiter(waitPolicy(setting.waitSeconds, DEFAULT_WAIT_SECONDS, contract.provisionedAt, setting.now));

  const callers = new Map<string, Promise<AwsCaller>>();
  let issuer: Promise<IssuerReading> | undefined;
  let prediction: Promise<Prediction | undefined> | undefined;
  const run: GcpRun = {
    contract,
    exchange,
    network,
    waiter,
    scrubber,
    runId: setting.runId,
    acceptResidue: setting.acceptResidue ?? false,
    allowPublicCanary: setting.allowPublicCanary ?? false,
    source,
    token,
    account: undefined,
    issuer: () => (issuer ??= readIssuer(network, contract.workload.issuer, GCP_ISSUER_RULES, signal)),
    awsCaller: (request) => {
      const caller = callers.get(request) ?? askAwsWhoSigned(network, request, signal);
      callers.set(request, caller);
      return caller;
    },
    prediction: async () => parts && (prediction ??= predict(run, parts.documents, parts.rights)),
    hops: [],
    federatedToken: undefined,
    session: undefined,
  };
  const parts = documents && { documents, rights: new Rights(run, documents) };
  run.account = parts && projectReader(parts);
  const { serviceAccountEmail: email } = exchange;
  return {
    checks: [
      contractCheck(contract, exchange, contract.unrecognised),
      ...(exchange.issuerKeys === "discovery" ? [issuerCheck(run)] : []),
      ...(token ? [tokenCheck(run, token), exchangeCheck(run)] : []),
      ...(token && email !== undefined ? [impersonationCheck(run, email), wrongAccountCheck(run, email, refusals)] : []),
      ...(token ? refusalChecks(run, refusals) : []),
      ...(parts ? [...accountChecks(run, parts), ...runtimeAccountChecks(run, parts)] : []),
      ...(token ? grantChecks(run, setting.depth ?? "storage", refusals) : []),
      ...contract.unrecognised.filter(({ path }) => path.startsWith("grants")).map(unrecognisedCheck),
    ],
    evidence: [...(token ? (["token"] as const) : []), ...(parts ? (["account"] as const) : [])],
    notRead: ["deny policies above the project", "principal access boundaries", "VPC Service Controls", ...(parts ? [] : ["the project's configuration"])],
    tokenFingerprint: token?.fingerprint,
    waits: waiter.waits,
    hops: run.hops,
  };
}

function projectReader({ documents, rights }: AccountParts): ProjectReader {
  return {
    rightOf: (permission, resource) => rights.predict(permission, resource),
    holds: async (member, permission, resource) => {
      const answer = await rights.decide([member, "allUsers", "allAuthenticatedUsers"], permission, resource);
      return typeof answer === "string" ? undefined : answer.allowed;
    },
    buildLog: async (projectId, id) => {
      const reading = await documents.logEntries(projectId, buildLogFilter(id));
      return reading.status === "read" ? textsOf(reading.value) : [];
    },
  };
}

/** @throws InputError for credentials of another cloud */
function gcpCredentials(account: NonNullable<VerifyOptions["account"]>): GcpCredentials | "ambient" {
  if (typeof account === "boolean") return "ambient";
  if ("accessToken" in account) return account;
  throw new InputError("The contract is of a GCP project, and the credentials given for reading it are not Google's: give an accessToken.");
}

/** What the session may do with the contract's targets, as deep as was asked for. */
function grantChecks(run: GcpRun, depth: Depth, refusals: boolean): Check[] {
  const { grants, refusalTargets } = run.contract;
  if (!reaches(depth, "storage")) return [];
  return [
    ...grants.flatMap((grant) => (grant.kind === "gcs-bucket" ? bucketChecks(run, grant, refusals) : [])),
    ...refusalTargets.flatMap((target) => (target.kind === "gcs-bucket" ? [refusalBucketCheck(run, target.bucket, refusals)] : [])),
    ...(reaches(depth, "runtime") ? runtimeChecks(run, grants, { refusals, deploys: reaches(depth, "deploy") }) : grants.filter(({ kind }) => kind !== "gcs-bucket").map(({ id, kind }) => laterDepth(id, kind, depth))),
  ];
}

export function reaches(depth: Depth, wanted: Depth): boolean {
  return DEPTHS.indexOf(depth) >= DEPTHS.indexOf(wanted);
}

function laterDepth(id: string, kind: string, depth: Depth): Check {
  return plainCheck(`grant.${id}`, `Grant ${id} (${kind})`, false, async () => notTested(`depth ${depth} does not go so far: --depth runtime or deploy does`));
}

/** A grant of a later release's kind: a verdict is wanted, and there is none. */
function unrecognisedCheck({ path, kind, id }: ReadContract["unrecognised"][number]): Check {
  return plainCheck(`grant.${id ?? path}`, `Grant ${id ?? path} (${kind})`, true, async () => unknown(`this release does not know grants of kind ${kind}: upgrade cloud-federation`));
}

function plainCheck(id: string, title: string, required: boolean, run: Check["run"]): Check {
  return { id, title, grade: "live", required, needs: [], deadlineMs: 1_000, run };
}
