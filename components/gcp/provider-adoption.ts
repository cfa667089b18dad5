/** What stands in the way of adopting a workload identity pool or provider: everything that differs, at once. Changes nothing. */
import type * as pulumi from "@pulumi/pulumi";
import { getWorkloadIdentityPool } from "@pulumi/gcp/iam/getWorkloadIdentityPool.js";
import { getWorkloadIdentityPoolProvider, type GetWorkloadIdentityPoolProviderResult } from "@pulumi/gcp/iam/getWorkloadIdentityPoolProvider.js";
import type { AttributeMapping } from "../../facts/gcp/attributes.js";
import type { Mistake } from "../inputs.js";
import { canonicalJwks } from "./jwks.js";

export interface ExpectedPool {
  projectId: string;
  poolId: string;
}

/** What a provider has to be like to be adopted. */
export interface ExpectedProvider extends ExpectedPool {
  providerId: string;
  mapping: AttributeMapping;
  condition: string;
  oidc?: { issuerUri: string; /** Empty: Google's default. */ allowedAudiences: string[]; /** Canonical. */ jwksJson: string | undefined } | undefined;
  awsAccountId?: string | undefined;
}

const LOCATION = "--location=global";

/** For programs that want to know before they register anything. */
export async function poolAdoptionMistakes({ projectId, poolId }: ExpectedPool, opts?: pulumi.InvokeOptions): Promise<Mistake[]> {
  const where = `--project=${projectId} ${LOCATION}`;
  const title = `the pool ${poolId} of ${projectId}`;
  const mistake = (reason: string) => [{ path: "poolId", reason }];
  try {
    const { state, disabled } = await getWorkloadIdentityPool({ project: projectId, workloadIdentityPoolId: poolId }, opts);
    if (state === "DELETED") return mistake(deletedReason(title, `pools undelete ${poolId} ${where}`));
    if (disabled) return mistake(`${title} is disabled, and what this stack did not create it does not change. Enable it with \`gcloud iam workload-identity-pools update ${poolId} ${where} --no-disabled\``);
    return [];
  } catch (error) {
    return mistake(missingReason(title, error, `undelete ${poolId} ${where}`, `list --show-deleted ${where}`));
  }
}

/** As {@link poolAdoptionMistakes}, for a provider: mapping, condition, audiences, issuer, keys, account, disabled and state. */
export async function providerAdoptionMistakes(expected: ExpectedProvider, opts?: pulumi.InvokeOptions): Promise<Mistake[]> {
  const { projectId, poolId, providerId } = expected;
  const title = `the provider ${providerId} in the pool ${poolId} of ${projectId}`;
  const where = `--workload-identity-pool=${poolId} --project=${projectId} ${LOCATION}`;
  let found: GetWorkloadIdentityPoolProviderResult;
  try {
    found = await getWorkloadIdentityPoolProvider({ project: projectId, workloadIdentityPoolId: poolId, workloadIdentityPoolProviderId: providerId }, opts);
  } catch (error) {
    return [{ path: "providerId", reason: missingReason(title, error, `providers undelete ${providerId} ${where}`, `providers list --show-deleted ${where}`) }];
  }
  if (found.state === "DELETED") return [{ path: "providerId", reason: deletedReason(title, `providers undelete ${providerId} ${where}`) }];
  const differences = compare(expected, found);
  const kind = expected.oidc ? "oidc" : "aws";
  return differences.map(({ path, what, want, got, flag }) => ({
    path,
    reason:
      `${title} has ${what} ${got}, where ${want} is needed, and what this stack did not create it does not change. ` +
      (flag === undefined
        ? "That cannot be changed on a provider: use another providerId, or let the stack create one"
        : `Where nobody else depends on it, change it with \`gcloud iam workload-identity-pools providers update-${kind} ${providerId} ${where} ${flag}\``),
  }));
}

interface Difference {
  path: string;
  what: string;
  want: string;
  got: string;
  /** Of gcloud; absent where it can never be changed. */
  flag?: string;
}

function compare(expected: ExpectedProvider, found: GetWorkloadIdentityPoolProviderResult): Difference[] {
  const differences: Difference[] = [];
  const differ = (path: string, what: string, want: string, got: string, flag?: string): void => {
    if (want !== got) differences.push({ path, what, want, got, ...(flag === undefined ? {} : { flag }) });
  };
  differ("providerId", "the state", "enabled", found.disabled ? "disabled" : "enabled", "--no-disabled");
  const mapping = Object.entries(expected.mapping).sort().map((pair) => pair.join("="));
  differ("attributeMapping", "the mapping", sortedJson(expected.mapping), sortedJson(found.attributeMapping), `--attribute-mapping=${quoted(mapping.join(","))}`);
  differ("attributeCondition", "the condition", JSON.stringify(expected.condition), JSON.stringify(found.attributeCondition), `--attribute-condition=${quoted(expected.condition)}`);
  if (expected.oidc) {
    const [oidc] = found.oidcs;
    const { issuerUri, allowedAudiences, jwksJson } = expected.oidc;
    if (!oidc) return [...differences, { path: "oidc", what: "the kind", want: "OIDC", got: found.aws.length > 0 ? "AWS" : "another" }];
    differ("oidc.issuerUri", "the issuer", issuerUri, oidc.issuerUri, `--issuer-uri=${quoted(issuerUri)}`);
    const audiences = (list: readonly string[]) => (list.length === 0 ? "Google's default" : JSON.stringify([...list].sort()));
    differ("oidc.tokenAudience", "the audiences", audiences(allowedAudiences), audiences(oidc.allowedAudiences), `--allowed-audiences=${quoted(allowedAudiences.join(","))}`);
    const keys = (canonical: string | undefined) => (canonical === undefined ? "the issuer's own keys (discovery)" : `uploaded keys ${kidsOf(canonical)}`);
    const uploaded = oidc.jwksJson === "" ? undefined : canonicalJwks(oidc.jwksJson);
    if (uploaded !== jwksJson) {
      const same = keys(uploaded) === keys(jwksJson) ? " with other contents" : "";
      differences.push({ path: "oidc.jwksJson", what: "the keys:", want: keys(jwksJson), got: `${keys(uploaded)}${same}`, flag: "--jwk-json-path=FILE" });
    }
    return differences;
  }
  const [aws] = found.aws;
  differ("aws.accountId", "the AWS account", expected.awsAccountId ?? "", aws?.accountId ?? "none");
  return differences;
}

function kidsOf(canonical: string): string {
  const { keys } = JSON.parse(canonical) as { keys: { kid?: string }[] };
  return JSON.stringify(keys.map(({ kid }) => kid ?? ""));
}

function sortedJson(mapping: AttributeMapping): string {
  return JSON.stringify(Object.fromEntries(Object.entries(mapping).sort(([one], [other]) => (one < other ? -1 : 1))));
}

function deletedReason(title: string, undelete: string): string {
  return `${title} is deleted; for 30 days its id is taken, and it can be brought back: \`gcloud iam workload-identity-pools ${undelete.replace(/^pools /, "")}\`. Look at what it then trusts again, since bindings that name it are in force again too`;
}

/**
 * What a failed creation means: Google's error does not say that the id is taken by something deleted, and lookups cannot
 * see that either. Undefined for any other failure.
 */
export function takenReason(errors: readonly string[], { projectId, poolId, providerId }: ExpectedPool & { providerId?: string }): string | undefined {
  if (!errors.some((error) => /\b409\b|already ?exists/i.test(error))) return undefined;
  const pools = "gcloud iam workload-identity-pools";
  const inPool = `--workload-identity-pool=${poolId} --project=${projectId} ${LOCATION}`;
  const [title, undelete, key] =
    providerId === undefined
      ? [`The pool ${poolId} of ${projectId}`, `${pools} undelete ${poolId} --project=${projectId} ${LOCATION}`, "existingPool"]
      : [`The provider ${providerId} in the pool ${poolId} of ${projectId}`, `${pools} providers undelete ${providerId} ${inPool}`, "existingPool and existingProvider"];
  return (
    `${title} is there already, or was deleted in the last 30 days, for which its id is taken. If it was deleted, bring it back with \`${undelete}\`. ` +
    `Then adopt it (${key}; in the stacks' configuration \`mode: existing\`), or choose another id.`
  );
}

/**
 * What a failed change means: a provider keeps its AWS account for good, and Google's error does not name it. Undefined for
 * any other failure.
 */
export function immutableReason(errors: readonly string[], { projectId, poolId, providerId }: ExpectedPool & { providerId: string }): string | undefined {
  if (!errors.some((error) => /immutable field/i.test(error))) return undefined;
  return (
    `The provider ${providerId} in the pool ${poolId} of ${projectId} cannot be given another AWS account, nor another kind of workload. ` +
    "Choose another providerId (in the stacks' configuration `provider.id`): a deleted provider's id is taken for 30 days. Then end the trust in the former account: " +
    `\`gcloud iam workload-identity-pools providers delete ${providerId} --workload-identity-pool=${poolId} --project=${projectId} ${LOCATION}\`.`
  );
}

/** Pulumi's lookups tell a deleted pool from a missing one in no way. */
function missingReason(title: string, error: unknown, undelete: string, list: string): string {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ""] = message.split("\n");
  if (!/not found|404/i.test(line)) return `${title} cannot be read: ${line}`;
  return (
    `${title} is not there, or was deleted in the last 30 days (lookups do not tell one from the other; \`gcloud iam workload-identity-pools ${list}\` does). ` +
    `Bring a deleted one back with \`gcloud iam workload-identity-pools ${undelete}\`, and look at what it then trusts again; otherwise let the stack create it`
  );
}

function quoted(text: string): string {
  return /^[\w./:@=,-]+$/.test(text) ? text : `"${text.replace(/(["\\$`])/g, "\\$1")}"`;
}
