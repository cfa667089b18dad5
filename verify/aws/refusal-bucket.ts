/** A bucket of the same account that nothing is granted on: the workload must be refused there. Listing is all that is tried. */
import type { Contract, RefusalTarget } from "../../contract/schema.js";
import { fail, notTested, pass, unknown, type Check } from "../check.js";
import { ask, describeAnswer } from "./answers.js";
import { cause, type AwsRun } from "./run.js";

type RefusalBucket = Extract<RefusalTarget, { kind: "s3-bucket" }>;

/** The check of a granted bucket that has to pass: somebody who is refused everywhere proves nothing by being refused here. */
function witness(contract: Contract): string | undefined {
  const grant = contract.grants.find((candidate) => candidate.kind === "s3-objects" && candidate.permissions.includes("s3:ListBucket"));
  return grant && `aws.s3.${grant.id}.list`;
}

export function refusalBucketCheck(run: AwsRun, target: RefusalBucket, switchedOn: boolean): Check {
  return {
    id: `aws.refusal.bucket.${target.bucket}`,
    title: `Refusal: list bucket ${target.bucket}, on which nothing is granted`,
    grade: "live",
    required: switchedOn,
    needs: ["aws.exchange"],
    deadlineMs: 60_000,
    run: async (scope) => {
      if (!switchedOn) return notTested("switched off by --refusals off");
      const credentials = run.session?.credentials;
      if (!credentials) return unknown("there is no session");
      const [{ ListObjectsV2Command }, client] = await Promise.all([import("@aws-sdk/client-s3"), run.clients.s3(target.region, credentials)]);
      const command = new ListObjectsV2Command({ Bucket: target.bucket, ExpectedBucketOwner: target.accountId, MaxKeys: 1 });
      const answer = await ask((abortSignal) => client.send(command, { abortSignal }), { signal: scope.signal });
      if (answer.ok) {
        return fail("the bucket was listed", cause(run, "aws.grants.too-wide", `ListObjectsV2 on ${target.bucket} was allowed, AccessDenied was due`, { action: "s3:ListBucket", subject: target.bucket }));
      }
      if (answer.kind === "no-answer" || answer.code !== "AccessDenied" || answer.httpStatus !== 403) return unknown(`AccessDenied was due, and nothing is proven by ${describeAnswer(answer)}`);
      const granted = witness(run.contract);
      const outcome = granted === undefined ? undefined : await scope.outcome(granted);
      if (outcome && outcome.status !== "pass") return notTested("refused, which proves nothing while the granted bucket cannot be listed either");
      return pass(`refused with ${answer.code} (${answer.httpStatus})`);
    },
  };
}
