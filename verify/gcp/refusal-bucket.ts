/** A bucket of the same project that nothing was granted on: the session must not see into it. */
import { fail, notTested, pass, unknown, type Check } from "../check.js";
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
      if (answer.kind === "refused" && answer.httpStatus === 403 && answer.message.includes(PERMISSION)) return pass(`refused with 403: ${PERMISSION}`);
      return unknown(`403 was due, and nothing is proven by ${describeAnswer(answer)}`);
    },
  };
}
