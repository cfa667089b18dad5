/**
 * Who signed an AWS workload's request. The request is a GetCallerIdentity that anybody who holds it can send: Google sends
 * it to AWS STS, and so does verify, which then knows what Google knows.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
import { checkTarget, readAwsRequest } from "../../trust/gcp/aws-request.js";
import { isRefusal } from "../../trust/gcp/refusal.js";
import type { AwsIdentity } from "../../trust/gcp/types.js";
import type { Cause } from "../causes.js";
import { send, type Network } from "../network.js";
import { cause, providerName, type GcpRun } from "./run.js";

export type AwsCaller = AwsIdentity | { status: "no-answer"; detail: string };

const DEADLINE_MS = 15_000;

/** Sends the request as it is. Only AWS STS is ever asked, whatever address stands in it. */
export async function askAwsWhoSigned(network: Network, raw: string, signal: AbortSignal): Promise<AwsCaller> {
  const request = readAwsRequest(raw);
  if (isRefusal(request)) return { status: "no-answer", detail: request.detail };
  const answer = await send(network, { method: request.method, url: request.url, headers: request.headers, body: "", deadlineMs: DEADLINE_MS, signal });
  if (answer.status === "failed") return { status: "no-answer", detail: `${request.url.host}: ${answer.detail}` };
  const text = answer.body.toString("utf8");
  const read = (element: string): string => new RegExp(`<${element}>([^<]*)</${element}>`).exec(text)?.[1] ?? "";
  if (answer.httpStatus >= 500) return { status: "no-answer", detail: `${request.url.host} answered ${answer.httpStatus}` };
  // What AWS calculated stands in the lines behind the first, the session token among it.
  if (answer.httpStatus !== 200) return { status: "refused", code: read("Code"), message: read("Message").split("\n")[0] ?? "" };
  return { status: "ok", account: read("Account"), arn: read("Arn"), userId: read("UserId") };
}

/** What keeps the request from being one of the contract's role for the contract's provider; undefined where nothing does, or AWS is out of reach. */
export async function awsRequestCause(run: GcpRun, raw: string): Promise<Cause | undefined> {
  const request = readAwsRequest(raw);
  if (isRefusal(request)) return cause(run, "gcp.aws.request-refused", request.detail);
  const elsewhere = checkTarget(request, providerName(run.exchange));
  if (elsewhere) return cause(run, "gcp.aws.other-target", elsewhere.detail);
  const caller = await run.awsCaller(raw);
  if (caller.status === "no-answer") return undefined;
  if (caller.status === "refused") return cause(run, "gcp.aws.request-refused", `asked who signed, AWS STS answers ${caller.code}: ${caller.message}`);
  const { subject } = run.contract.workload;
  const seen = `AWS STS says that ${caller.arn} signed, the contract has ${subject}`;
  const [, , , , expected = ""] = subject.split(":");
  if (caller.account !== expected) return cause(run, "gcp.aws.account-differs", seen, { expected, found: caller.account });
  return isSessionOf(caller.arn, subject) ? undefined : cause(run, "gcp.aws.other-role", seen, { found: caller.arn });
}

/** @param subject an assumed role's ARN, with or without one session's name */
function isSessionOf(arn: string, subject: string): boolean {
  return subject.split("/").length > 2 ? arn === subject : arn.startsWith(`${subject}/`);
}
