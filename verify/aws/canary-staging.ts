/** Where the canary's archives go: below the builds' prefix, within the grant on objects, under a name of their own. */
import type { Grant } from "../../contract/schema.js";
import type { BuildGrant } from "./codebuild.js";
import { SESSION_PREFIX } from "./run.js";
import type { BucketGrant } from "./s3-causes.js";

/** The grant by which archives are staged; undefined when none reaches the builds' prefix. */
export function stagingGrant(grants: readonly Grant[], { stagedPrefix = "", region }: BuildGrant): BucketGrant | undefined {
  const buckets = grants.filter((grant) => grant.kind === "s3-objects");
  return buckets.find((grant) => grant.region === region && below(grant.prefix ?? "", stagedPrefix) !== undefined);
}

/** @param revision of the archive: each build reads another one */
export function canaryKey({ prefix = "" }: BucketGrant, { stagedPrefix = "" }: BuildGrant, runId: string, revision: number): string {
  return `${below(prefix, stagedPrefix) ?? ""}${SESSION_PREFIX}/${runId}-${revision}.zip`;
}

/** The longer of two prefixes when it lies below the other. */
function below(one: string, other: string): string | undefined {
  if (one.startsWith(other)) return one;
  return other.startsWith(one) ? other : undefined;
}
