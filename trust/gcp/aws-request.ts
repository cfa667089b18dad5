/**
 * The subject token of an AWS provider: a signed GetCallerIdentity that Google replays.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds#aws
 */
import { isJsonObject, type JsonObject } from "../jwt.js";
import { namesProvider } from "./audience.js";
import { refuse, type ExchangeRefusal } from "./refusal.js";
import type { SignedAwsRequest } from "./types.js";

export const TARGET_HEADER = "x-goog-cloud-target-resource";

/** What has to be among the headers; `x-amz-security-token` only where the credentials are temporary. */
const REQUIRED_HEADERS = ["authorization", "host", "x-amz-date", TARGET_HEADER];

/** The global endpoint and those of regions, in each of AWS's partitions. */
const STS_HOST = /^sts(?:\.[a-z]{2}(?:-[a-z]+)+-\d+)?\.amazonaws\.com(?:\.cn)?$/;

/** The request that the subject token is; its signature is AWS's to check. */
export function readAwsRequest(subjectToken: string): SignedAwsRequest | ExchangeRefusal {
  const parsed = parse(subjectToken);
  if (parsed === undefined) return malformed("the subject token is no percent-encoded JSON object");
  const { url: address, method, headers: list } = parsed;
  const url = typeof address === "string" && URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) return malformed("url is missing or is no URL");
  if (url.protocol !== "https:" || url.username !== "" || url.port !== "" || !STS_HOST.test(url.hostname)) return malformed(`url is not of AWS STS: ${url.origin}`);
  if (url.pathname !== "/" || !isGetCallerIdentity(url.searchParams)) return malformed("url must ask for Action=GetCallerIdentity&Version=2011-06-15 and nothing else");
  if (method !== "POST") return malformed(`method must be POST; it is ${JSON.stringify(method)}`);
  const headers = readHeaders(list);
  if (headers === undefined) return malformed('headers must be a list of {"key", "value"}, each key once');
  const missing = REQUIRED_HEADERS.find((name) => (headers[name] ?? "") === "");
  if (missing !== undefined) return malformed(`the header ${missing} is missing`);
  if (headers["host"] !== url.host) return malformed(`the header host is ${JSON.stringify(headers["host"])}, the URL's host is ${JSON.stringify(url.host)}`);
  return { url, method, headers };
}

function parse(subjectToken: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(decodeURIComponent(subjectToken));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isGetCallerIdentity(query: URLSearchParams): boolean {
  return [...query.keys()].sort().join() === "Action,Version" && query.get("Action") === "GetCallerIdentity" && query.get("Version") === "2011-06-15";
}

function readHeaders(list: unknown): Record<string, string> | undefined {
  if (!Array.isArray(list)) return undefined;
  const headers: Record<string, string> = {};
  for (const item of list as unknown[]) {
    if (!isJsonObject(item) || typeof item["key"] !== "string" || typeof item["value"] !== "string") return undefined;
    const name = item["key"].toLowerCase();
    if (Object.hasOwn(headers, name)) return undefined;
    headers[name] = item["value"];
  }
  return headers;
}

function malformed(problem: string): ExchangeRefusal {
  return refuse("aws-request-malformed", "awsFormat", [problem], problem);
}

/** The signature was made for this provider: the header says so, in the plain form or with `https:`. */
export function checkTarget({ headers }: SignedAwsRequest, provider: string): ExchangeRefusal | undefined {
  const target = headers[TARGET_HEADER] ?? "";
  if (namesProvider(target, provider)) return undefined;
  return refuse("aws-target-differs", "awsTarget", [], `the request is signed for ${JSON.stringify(target)}, it was sent to //iam.googleapis.com/${provider}`);
}

/** Whether the signature covers the target: if not, whoever holds the request can send it to another provider. */
export function signsTarget({ headers }: SignedAwsRequest): boolean {
  const signed = /SignedHeaders=([^,\s]+)/.exec(headers["authorization"] ?? "")?.[1] ?? "";
  return signed.toLowerCase().split(";").includes(TARGET_HEADER);
}
