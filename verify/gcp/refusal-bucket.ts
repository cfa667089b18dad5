/** A bucket of the same project that nothing was granted on: the session must not see into it. */
import { fail, notTested, pass, unknown, type Check, type Verdict } from "../check.js";
import { describeAnswer } from "./answers.js";
import { bucketResource } from "./bucket.js";
import { askAsSession, cause, type GcpRun } from "./run.js";

const PERMISSION = "storage.objects.list";

export function refusalBucketCheck(run: GcpRun, bucket: string, switchedOn: boolean): Check {
  return {
    id: `gcp.refusal.bucket.${bucket}`,
    title: `Refusal: bucket ${bucket}, which is not granted`,
    grade: "live",
    required: switchedOn,
    needs: [run.exchange.serviceAccountEmail === undefined ? "gcp.exchange" : "gcp.impersonation"],
    deadlineMs: 60_000,
    run: async ({ signal }) => {
      if (!switchedOn) return notTested("switched off by --refusals off");
      const answer = await askAsSession(run, { method: "GET", url: `https://storage.googleapis.com/storage/v1/b/${bucket}/o?maxResults=1` }, signal);
      if (answer.ok) return fail("it may be listed", cause(run, "gcp.iam.too-wide", `objects.list of ${bucket} was allowed, 403 was due`, { permission: PERMISSION, subject: bucketResource(bucket) }));
      if (answer.kind === "refused" && answer.httpStatus === 403 && answer.message.includes(PERMISSION)) return granted(run, bucket, signal);
      return unknown(`403 was due, and nothing is proven by ${describeAnswer(answer)}`);
    },
  };
}

/**
 * What is granted on the contract's own buckets must not be held here: who may only upload could never list. Asked, and not
 * tried, since an object could not be removed again. https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions
 */
async function granted(run: GcpRun, bucket: string, signal: AbortSignal): Promise<Verdict> {
  const permissions = [...new Set(run.contract.grants.flatMap((grant) => (grant.kind === "gcs-bucket" ? grant.permissions : [])))];
  const query = permissions.map((permission) => `permissions=${encodeURIComponent(permission)}`).join("&");
  const answer = await askAsSession(run, { method: "GET", url: `https://storage.googleapis.com/storage/v1/b/${bucket}/iam/testPermissions?${query}` }, signal);
  if (!answer.ok) return unknown(`refused with 403: ${PERMISSION}; what else is held cannot be told: ${describeAnswer(answer)}`);
  const { permissions: held } = answer.json;
  const surplus = permissions.filter((permission) => Array.isArray(held) && held.includes(permission));
  if (surplus.length === 0) return pass(`refused with 403: ${PERMISSION}; not held: ${permissions.join(", ")}`);
  return fail(`held: ${surplus.join(", ")}`, cause(run, "gcp.iam.too-wide", `testIamPermissions on ${bucket} answers ${surplus.join(", ")}`, { permission: surplus.join(", "), subject: bucketResource(bucket) }));
}
