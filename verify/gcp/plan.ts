/** What a verification would do, before it does anything: every call, every object, what it costs, what may stay. */
import type { ReadContract } from "../../contract/index.js";
import type { GcpExchange } from "../../contract/schema.js";
import { DEPTHS, type Depth, type VerifyOptions } from "../options.js";
import { probeObject } from "./bucket.js";
import { runtimePlan, type RuntimePlan } from "./canary-plan.js";
import { stsAudience } from "./run.js";

/** Stands for what is chosen anew in each run. */
const RUN = "<run id>";

export function planText(contract: ReadContract, options: VerifyOptions): string {
  const { exchange } = contract;
  if (exchange.type !== "gcp-workload-identity") return "";
  const parts = [heading(contract, exchange), issuerPlan(contract, exchange)];
  if (options.token) parts.push(tokenPlan(exchange, options), storagePlan(contract, options));
  return `${parts.flat().join("\n")}\n`;
}

function heading({ integration, workload }: ReadContract, exchange: GcpExchange): string[] {
  return [`Plan for ${integration} in project ${exchange.projectId}; nothing is done.`, `Workload: ${workload.subject} of ${workload.issuer}, audience ${workload.audience}`, ""];
}

function issuerPlan({ workload }: ReadContract, { issuerKeys }: GcpExchange): string[] {
  return issuerKeys === "discovery" ? ["From here to the issuer:", `  GET ${workload.issuer.replace(/\/$/, "")}/.well-known/openid-configuration, and the jwks_uri in it`] : [];
}

function tokenPlan(exchange: GcpExchange, { token, refusals = true }: VerifyOptions): string[] {
  const made = token ? [...token.variations] : [];
  const broken = [
    ...(exchange.subjectTokenType === "jwt" ? ["a corrupted signature"] : []),
    ...(made.includes("audience") ? ["another audience"] : []),
    ...(made.includes("subject") ? ["another subject"] : []),
    ...(made.includes("expiresInSeconds") ? ["an expired token"] : []),
  ];
  const email = exchange.serviceAccountEmail;
  return [
    `With the token (${token?.description ?? ""}):`,
    `  sts.googleapis.com: token exchange at ${stsAudience(exchange)}`,
    ...(exchange.subjectTokenType === "aws4_request" ? ["  AWS STS: the signed GetCallerIdentity itself, as Google sends it, for who signed"] : []),
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
    ...buckets.flatMap(({ bucket, permissions }) => {
      const granted = (permission: string) => permissions.includes(permission) || options.refusals !== false;
      const suffix = (permission: string) => (permissions.includes(permission) ? "" : ", to be refused");
      return [
        `In bucket ${bucket}, as the session:`,
        `  storage.objects.insert ${probeObject(RUN)} (64 random bytes)`,
        ...(["get", "list", "delete"] as const).filter((verb) => granted(`storage.objects.${verb}`)).map((verb) => `  storage.objects.${verb}${suffix(`storage.objects.${verb}`)}`),
      ];
    }),
    ...(refused.length > 0 ? [`To be refused, as the session: storage.objects.list on ${refused.join(", ")}`] : []),
    ...runtime.calls,
    `Cost: ${["a few operations of Cloud Storage, far below 0.01 USD", ...runtime.cost].join("; ")}`,
    "Residue:",
    ...buckets.map(({ bucket, permissions }) => `  ${bucket}: ${residueOf(permissions.includes("storage.objects.delete"), options.acceptResidue ?? false)}`),
    ...runtime.residue.map((line) => `  ${line}`),
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
