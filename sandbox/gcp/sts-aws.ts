/**
 * Who signed a request for AWS: Google sends it to AWS's STS as it is, and believes the answer.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds#aws
 */
import type { AwsIdentity, SignedAwsRequest } from "../../trust/gcp/types.js";
import type { WireRequest, WireResponse } from "../types.js";

/** Sends the signed request. Its answer's text may have neither signature nor token in it. */
export async function replayIdentity({ url, method, headers }: SignedAwsRequest, aws: (request: WireRequest) => Promise<WireResponse>): Promise<AwsIdentity> {
  const response = await aws({ method, url, rawTarget: `${url.pathname}${url.search}`, host: url.hostname, headers: { ...headers }, body: Buffer.alloc(0), secure: true });
  const text = (response.body ?? "").toString();
  const read = (element: string): string => unescapeXml(new RegExp(`<${element}>([^<]*)</${element}>`).exec(text)?.[1] ?? "");
  if (response.status !== 200) return { status: "refused", code: read("Code"), message: read("Message") };
  return { status: "ok", account: read("Account"), arn: read("Arn"), userId: read("UserId") };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return decimal === undefined ? (ENTITIES[name ?? ""] ?? whole) : String.fromCodePoint(Number(decimal));
  });
}
