/** The project against the contract. Everything here is read and concluded, nothing tried: results are predictions. */
import type { GrantOf } from "../../../contract/schema.js";
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../../check.js";
import { bucketResource } from "../bucket.js";
import type { GcpCauseCode } from "../causes.js";
import { repositoryName } from "../registry.js";
import { cause, poolName, providerName, type GcpRun } from "../run.js";
import { requiredApis } from "./apis.js";
import type { ProjectDocuments, Reading } from "./reader.js";
import type { Rights } from "./rights.js";
import { nothingBeyond } from "./surplus.js";
import { accountMembers, otherProviders, providerTrust } from "./trust.js";

const DEADLINE_MS = 60_000;

export interface AccountParts {
  documents: ProjectDocuments;
  rights: Rights;
}

export function accountChecks(run: GcpRun, parts: AccountParts): Check[] {
  const { grants } = run.contract;
  const email = run.exchange.serviceAccountEmail;
  return [
    accountCheck("apis", "APIs enabled", [], () => apis(run, parts)),
    accountCheck("pool", "workload identity pool", [], () => pool(run, parts)),
    accountCheck("provider", "provider", ["pool"], () => provider(run, parts)),
    accountCheck("trust", "the trust admits nobody else", ["provider"], (scope) => providerTrust(run, parts.documents, scope)),
    accountCheck("pool-members", "no other provider of the pool reaches the principal", ["provider"], (scope) => otherProviders(run, parts.documents, scope)),
    accountCheck("exchange", "the exchange, predicted for the contract's workload", ["provider"], (scope) => exchange(run, scope)),
    ...(email === undefined
      ? []
      : [
          accountCheck("service-account", `service account ${email}`, [], () => serviceAccount(run, parts, email)),
          accountCheck("account-members", "nobody else may impersonate the service account", ["service-account"], (scope) => accountMembers(run, parts.documents, parts.rights, email, scope)),
          accountCheck("impersonation", "the impersonation, predicted", ["exchange", "service-account"], (scope) => impersonation(run, scope)),
        ]),
    ...grants.flatMap((grant) => {
      if (grant.kind === "gcs-bucket") return [accountCheck(`bucket.${grant.id}`, `bucket ${grant.bucket}`, [], () => bucket(run, parts, grant)), rightsCheck(run, parts, grant.id, `bucket ${grant.bucket}`, bucketResource(grant.bucket), grant.permissions, [`bucket.${grant.id}`], grant.role)];
      if (grant.kind === "artifact-registry-repository") {
        return [accountCheck(`repository.${grant.id}`, `repository ${grant.repository}`, [], () => repository(run, parts, grant)), rightsCheck(run, parts, grant.id, `repository ${grant.repository}`, `//artifactregistry.googleapis.com/${repositoryName(grant)}`, grant.permissions, [`repository.${grant.id}`], grant.role)];
      }
      return [];
    }),
    accountCheck("surplus", "nothing beyond the contract", [email === undefined ? "exchange" : "impersonation", ...grants.flatMap(({ kind, id }) => (kind === "gcs-bucket" ? [`bucket.${id}`] : []))], () => nothingBeyond(run, parts.rights)),
  ];
}

export function accountCheck(id: string, title: string, needs: string[], run: (scope: CheckScope) => Promise<Verdict>): Check {
  return { id: `gcp.account.${id}`, title: `Project: ${title}`, grade: "predicted", required: true, needs: ["contract", ...needs.map((need) => `gcp.account.${need}`)], deadlineMs: DEADLINE_MS, run };
}

/** Rights that the contract grants, each as the policies have it. */
export function rightsCheck(run: GcpRun, { rights }: AccountParts, id: string, title: string, resource: string, permissions: readonly string[], needs: string[], role?: string): Check {
  return accountCheck(`grant.${id}`, `rights on ${title}`, [...(run.exchange.serviceAccountEmail === undefined ? [] : ["service-account"]), ...needs], async () => {
    const predictions = await Promise.all(permissions.map(async (permission) => ({ permission, prediction: await rights.predict(permission, resource, role) })));
    const refused = predictions.flatMap(({ permission, prediction }) => (prediction.status === "refused" ? [{ permission, cause: prediction.cause }] : []));
    const [first] = refused;
    if (first) return fail(`${refused.map(({ permission }) => permission).join(", ")} would be refused`, first.cause);
    const open = predictions.find(({ prediction }) => prediction.status === "unknown")?.prediction;
    return open?.status === "unknown" ? unknown(open.reason) : pass(permissions.join(", "));
  });
}

export function unread(reading: Extract<Reading<unknown>, { status: "absent" | "unreadable" }>): Verdict {
  return unknown(reading.status === "absent" ? reading.detail : reading.reason);
}

async function apis(run: GcpRun, { documents }: AccountParts): Promise<Verdict> {
  const wanted = requiredApis(run.contract, run.exchange);
  for (const [project, names] of wanted) {
    const enabled = await documents.enabledApis(project, names);
    if (enabled.status !== "read") return unread(enabled);
    const missing = names.filter((name) => !enabled.value.has(name));
    const [first] = missing;
    if (first !== undefined) {
      const seen = `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not enabled in project ${project}`;
      return fail(seen, cause(run, "gcp.api-disabled", seen, { subject: missing.join(" "), project }));
    }
  }
  return pass([...wanted].map(([project, names]) => `${names.length} in ${project}`).join(", "));
}

/** A pool or provider as it stands: there, not deleted, not disabled. */
function standing(run: GcpRun, reading: Reading<Record<string, unknown>>, kind: "pool" | "provider", name: string): Verdict | undefined {
  if (reading.status === "unreadable") return unread(reading);
  const code = (state: "missing" | "deleted" | "disabled"): GcpCauseCode => `gcp.${kind}.${state}`;
  if (reading.status === "absent") return fail(`${name} does not exist`, cause(run, code("missing"), reading.detail));
  if (reading.value["state"] === "DELETED") return fail(`${name} is deleted`, cause(run, code("deleted"), `${name} has the state DELETED`));
  return reading.value["disabled"] === true ? fail(`${name} is disabled`, cause(run, code("disabled"), `${name} has disabled: true`)) : undefined;
}

async function pool(run: GcpRun, { documents }: AccountParts): Promise<Verdict> {
  const name = poolName(run.exchange);
  return standing(run, await documents.pool(), "pool", name) ?? pass(name);
}

async function provider(run: GcpRun, { documents }: AccountParts): Promise<Verdict> {
  const name = providerName(run.exchange);
  const reading = await documents.provider();
  return standing(run, reading, "provider", name) ?? pass(name);
}

async function exchange(run: GcpRun, scope: CheckScope): Promise<Verdict> {
  const prediction = await run.prediction();
  if (!prediction?.exchange) return unknown("pool or provider cannot be read");
  const live = await scope.outcome("gcp.exchange");
  if (prediction.exchangeCause && prediction.exchange.allowed) return fail(`STS would give ${prediction.exchange.identity.principal}`, prediction.exchangeCause);
  if (prediction.exchange.allowed) {
    if (live?.status === "fail") scope.remark(`The project's configuration admits the contract's workload, and STS has refused: ${live.seen}. What differs is the token, the issuer, something that cannot be read here, or not there yet.`);
    return pass(`STS would give ${prediction.exchange.identity.principal}`);
  }
  const seen = `STS would answer ${prediction.exchange.error}: ${prediction.exchange.detail}`;
  if (live?.status === "pass") return disagreement(scope, seen, "STS has accepted the token");
  return prediction.exchangeCause ? fail(seen, prediction.exchangeCause) : unknown(seen);
}

async function impersonation(run: GcpRun, scope: CheckScope): Promise<Verdict> {
  const prediction = await run.prediction();
  const live = await scope.outcome("gcp.impersonation");
  if (prediction?.impersonationCause) {
    const [evidence = ""] = prediction.impersonationCause.evidence;
    return live?.status === "pass" ? disagreement(scope, evidence, "IAM Credentials has given a token") : fail(evidence, prediction.impersonationCause);
  }
  if (prediction?.impersonation?.allowed !== true) return unknown("the service account's policy cannot be read");
  if (live?.status === "fail") scope.remark(`The policies allow the impersonation, and IAM Credentials has refused: ${live.seen}. Something above the project refuses, or a change is on its way.`);
  return pass(`${run.exchange.principal} may impersonate, by ${prediction.impersonation.binding?.binding.role ?? ""} on ${prediction.impersonation.binding?.resource ?? ""}`);
}

function disagreement(scope: CheckScope, predicted: string, answered: string): Verdict {
  scope.remark(`Prediction and answer disagree: ${predicted}; ${answered}. The answer counts; a change may be on its way.`);
  return { status: "not-tested", reason: `the live answer counts more than the prediction (${predicted})` };
}

async function serviceAccount(run: GcpRun, { documents }: AccountParts, email: string): Promise<Verdict> {
  const reading = await documents.serviceAccount(email);
  if (reading.status === "unreadable") return unread(reading);
  if (reading.status === "absent") return fail(`${email} does not exist`, cause(run, "gcp.service-account.missing", reading.detail));
  const { uniqueId, disabled } = reading.value;
  if (disabled === true) return fail(`${email} is disabled`, cause(run, "gcp.service-account.disabled", `${email} has disabled: true`));
  return pass(`${email}, unique id ${String(uniqueId)}`);
}

async function bucket(run: GcpRun, { documents }: AccountParts, grant: GrantOf<"gcs-bucket">): Promise<Verdict> {
  const reading = await documents.bucket(grant.bucket);
  if (reading.status === "unreadable") return unread(reading);
  if (reading.status === "absent") return fail(reading.detail, cause(run, "gcp.bucket.missing", reading.detail, { subject: grant.bucket }));
  const { projectNumber, location, iamConfiguration, retentionPolicy } = reading.value as { projectNumber?: string; location?: string; iamConfiguration?: BucketAccess; retentionPolicy?: object };
  if (projectNumber !== undefined && projectNumber !== run.exchange.projectNumber) {
    const seen = `${grant.bucket} is in project ${projectNumber}`;
    return fail(seen, cause(run, "gcp.bucket.other-project", `${seen}, the contract is of ${run.exchange.projectNumber}`, { subject: grant.bucket, expected: grant.projectId, found: projectNumber }));
  }
  if (retentionPolicy && grant.permissions.includes("storage.objects.delete")) return fail("it has a retention policy", cause(run, "gcp.bucket.retained", "retentionPolicy is set", { subject: grant.bucket }));
  const open = [
    ...(iamConfiguration?.uniformBucketLevelAccess?.enabled === true ? [] : ["uniform bucket-level access is off"]),
    ...(iamConfiguration?.publicAccessPrevention === "enforced" ? [] : ["public access prevention is not enforced"]),
  ];
  const created = run.contract.targets.some(({ kind, id, ownership }) => kind === "gcs-bucket" && id.endsWith(grant.bucket) && ownership === "created");
  if (open.length > 0 && created) return fail(open.join(", "), cause(run, "gcp.bucket.settings-differ", open, { subject: grant.bucket }));
  return pass(`in ${location ?? "?"}${open.length > 0 ? `; note: ${open.join(", ")}` : ""}`);
}

interface BucketAccess {
  uniformBucketLevelAccess?: { enabled?: boolean };
  publicAccessPrevention?: string;
}

async function repository(run: GcpRun, { documents }: AccountParts, grant: GrantOf<"artifact-registry-repository">): Promise<Verdict> {
  const name = repositoryName(grant);
  const reading = await documents.resource("artifactregistry", name);
  if (reading.status === "unreadable") return unread(reading);
  if (reading.status === "absent") return fail(reading.detail, cause(run, "gcp.registry.repository-missing", reading.detail, { subject: grant.repository, expected: grant.location, project: grant.projectId }));
  const { format, mode = "STANDARD_REPOSITORY" } = reading.value;
  if (format === "DOCKER" && mode === "STANDARD_REPOSITORY") return pass(name);
  const seen = `${name} has format ${String(format)} and mode ${String(mode)}`;
  return fail(seen, cause(run, "gcp.registry.not-docker", seen, { subject: grant.repository }));
}
