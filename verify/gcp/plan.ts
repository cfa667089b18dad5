/** What a verification would do, before it does anything: every call, every object, what it costs, what may stay. */
import type { ReadContract } from "../../contract/index.js";
import type { GcpExchange, Grant, GrantOf } from "../../contract/schema.js";
import { DEPTHS, type Depth, type VerifyOptions } from "../options.js";
import { requiredApis } from "./account/apis.js";
import { probeObject } from "./bucket.js";
import { runtimePlan, type RuntimePlan } from "./canary-plan.js";
import { repositoryName } from "./registry.js";
import { poolName, stsAudience } from "./run.js";
import { serviceName } from "./service.js";

/** Stands for what is chosen anew in each run. */
const RUN = "<run id>";

export function planText(contract: ReadContract, options: VerifyOptions): string {
  const { exchange } = contract;
  if (exchange.type !== "gcp-workload-identity") return "";
  const parts = [heading(contract, exchange), issuerPlan(contract, exchange)];
  if (options.account) parts.push(accountPlan(contract, exchange));
  if (options.token) parts.push(tokenPlan(exchange, options), storagePlan(contract, options));
  return `${parts.flat().join("\n")}\n`;
}

function heading({ integration, workload }: ReadContract, exchange: GcpExchange): string[] {
  return [`Plan for ${integration} in project ${exchange.projectId}; nothing is done.`, `Workload: ${workload.subject} of ${workload.issuer}, audience ${workload.audience}`, ""];
}

function issuerPlan({ workload }: ReadContract, { issuerKeys }: GcpExchange): string[] {
  return issuerKeys === "discovery" ? ["From here to the issuer:", `  GET ${workload.issuer.replace(/\/$/, "")}/.well-known/openid-configuration, and the jwks_uri in it`] : [];
}

function accountPlan(contract: ReadContract, exchange: GcpExchange): string[] {
  const email = exchange.serviceAccountEmail;
  const projects = [...requiredApis(contract, exchange).keys()];
  return [
    "With the account's own credentials (--account), reads only:",
    `  cloudresourcemanager.googleapis.com: projects.get and getIamPolicy of ${exchange.projectId}; its deny policies (iam.googleapis.com v2)`,
    `  serviceusage.googleapis.com: services.batchGet of ${projects.join(", ")}`,
    `  iam.googleapis.com: ${poolName(exchange)} and its providers; custom roles that bindings name`,
    ...(email === undefined ? [] : [`  iam.googleapis.com: serviceAccounts.get and getIamPolicy of ${email}`]),
    ...contract.grants.flatMap((grant) => readOf(grant).map((line) => `  ${line}`)),
    ...contract.refusalTargets.flatMap((target) => (target.kind === "gcs-bucket" ? [`  storage.googleapis.com: buckets.getIamPolicy of ${target.bucket}`] : [])),
  ];
}

/** What of a grant's own resource is read; builds and logs are the project's. */
function readOf(grant: Grant): string[] {
  switch (grant.kind) {
    case "gcs-bucket":
      return [`storage.googleapis.com: buckets.get and getIamPolicy of ${grant.bucket}`];
    case "artifact-registry-repository":
      return [`artifactregistry.googleapis.com: repositories.get and getIamPolicy of ${repositoryName(grant)}`];
    case "cloud-build":
      return grant.serviceAccountEmail === undefined ? [] : [`iam.googleapis.com: serviceAccounts.get and getIamPolicy of ${grant.serviceAccountEmail}`];
    case "cloud-run-service":
      return [
        `iam.googleapis.com: serviceAccounts.get and getIamPolicy of ${grant.runtimeServiceAccountEmail}`,
        ...(grant.service === undefined ? [] : [`run.googleapis.com: services.get and getIamPolicy of ${serviceName(grant, grant.service)}`]),
      ];
    default:
      return [];
  }
}

function tokenPlan(exchange: GcpExchange, { token, refusals = true }: VerifyOptions): string[] {
  const made = token ? [...token.variations] : [];
  const signed = exchange.subjectTokenType === "aws4_request";
  const broken = [
    "a corrupted signature",
    ...(made.includes("audience") ? [signed ? "a request that is signed for another provider" : "another audience"] : []),
    ...(made.includes("subject") && !signed ? ["another subject"] : []),
    ...(made.includes("expiresInSeconds") ? [signed ? "an expired signature" : "an expired token"] : []),
  ];
  const email = exchange.serviceAccountEmail;
  return [
    `With the token (${token?.description ?? ""}):`,
    `  sts.googleapis.com: token exchange at ${stsAudience(exchange)}`,
    ...(signed ? ["  AWS STS: the signed GetCallerIdentity itself, as Google sends it, for who signed"] : []),
    ...(email === undefined ? [] : [`  iamcredentials.googleapis.com: generateAccessToken of ${email}, 15 minutes`]),
    ...(refusals ? broken.map((what) => `  token exchange with ${what}, to be refused`) : []),
    ...(refusals && email !== undefined ? ["  generateAccessToken of an account that does not exist, to be refused"] : []),
  ];
}

function storagePlan(contract: ReadContract, options: VerifyOptions): string[] {
  if (DEPTHS.indexOf(options.depth ?? "storage") < DEPTHS.indexOf("storage")) return ["  no storage: --depth identity", "Residue: none"];
  const buckets = contract.grants.filter((grant) => grant.kind === "gcs-bucket");
  const refused = options.refusals === false ? [] : contract.refusalTargets.flatMap((target) => (target.kind === "gcs-bucket" ? [target.bucket] : []));
  const runtime = runtimePart(contract, options);
  return [
    ...buckets.flatMap((grant) => bucketCalls(grant, options)),
    ...(refused.length > 0 ? [`To be refused, as the session: storage.objects.list on ${refused.join(", ")}; testIamPermissions there`] : []),
    ...runtime.calls,
    `Cost: ${["a few operations of Cloud Storage, far below 0.01 USD", ...runtime.cost].join("; ")}`,
    "Residue:",
    ...buckets.map(({ bucket, permissions }) => `  ${bucket}: ${residueOf(permissions.includes("storage.objects.delete"), options.acceptResidue ?? false)}`),
    ...runtime.residue.map((line) => `  ${line}`),
  ];
}

/** Without a right to delete, and without leave to let it stay, no object is created: then only what needs none is called. */
function bucketCalls({ bucket, permissions }: GrantOf<"gcs-bucket">, { refusals = true, acceptResidue = false }: VerifyOptions): string[] {
  const has = (verb: string) => permissions.includes(`storage.objects.${verb}`);
  const creates = has("create") && (has("delete") || acceptResidue);
  const asked = (verb: string) => (has(verb) ? [`  storage.objects.${verb}`] : refusals ? [`  storage.objects.${verb}, to be refused`] : []);
  return [
    `In bucket ${bucket}, as the session:`,
    ...(creates ? [`  storage.objects.insert ${probeObject(RUN)} (64 random bytes)`, ...asked("get")] : []),
    ...asked("list"),
    ...(creates && refusals && !has("delete") ? ["  storage.objects.insert of the same name, to be refused"] : []),
    ...(creates ? asked("delete") : []),
  ];
}

function runtimePart(contract: ReadContract, { depth = "storage", refusals = true, acceptResidue = false, allowPublicCanary = false }: VerifyOptions): RuntimePlan {
  const reaches = (wanted: Depth) => DEPTHS.indexOf(depth) >= DEPTHS.indexOf(wanted);
  return reaches("runtime") ? runtimePlan(contract, { runId: RUN, deploys: reaches("deploy"), refusals, acceptResidue, allowPublicCanary }) : { calls: [], cost: [], residue: [] };
}

function residueOf(deletable: boolean, accepted: boolean): string {
  if (deletable) return "none; where the bucket has a soft delete policy, the deleted object is kept for its time";
  return accepted ? "the object stays, since nothing may delete it" : "none: the object could not be deleted, so none is created (--accept-residue allows it)";
}
