/** Requests to a sandbox as bytes: signed by AWS's own signer, sent as they are, answers taken apart. */
import { createHash, createHmac } from "node:crypto";
import * as http from "node:http";
import { SignatureV4 } from "@smithy/signature-v4";
import { XMLParser } from "fast-xml-parser";
import type { Sandbox } from "../../../sandbox/index.js";
import type { AwsAccessKey } from "../../../sandbox/aws/types.js";

export interface Wire {
  method: string;
  /** As it stands in the request line. */
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface Xml {
  [element: string]: Xml | undefined;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  /** The XML as an object. */
  xml: Xml;
}

/** The hash that the SDK's signer wants, on Node's crypto. */
class Sha256 {
  private readonly hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as Buffer);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.hash.update(data as Buffer);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.hash.digest());
  }
  reset(): void {
    throw new Error("not needed");
  }
}

export interface Signing {
  key: AwsAccessKey;
  service: string;
  region?: string;
  date?: Date;
}

export function signer({ key, service, region = "us-east-1" }: Signing): SignatureV4 {
  return new SignatureV4({ service, region, credentials: key, sha256: Sha256, uriEscapePath: service !== "s3", applyChecksum: service === "s3" });
}

function parsed(sandbox: Sandbox, wire: Wire): Parameters<SignatureV4["sign"]>[0] {
  const url = new URL(`${sandbox.url}${wire.path}`);
  return {
    method: wire.method,
    protocol: "http:",
    hostname: url.hostname,
    port: Number(url.port),
    path: wire.path.split("?")[0] ?? "/",
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, ...wire.headers },
    body: wire.body,
  };
}

export function form(action: string, members: Record<string, string> = {}): Wire {
  const body = new URLSearchParams({ Action: action, ...members }).toString();
  return { method: "POST", path: "/", headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }, body };
}

export function json(target: string, body: unknown = {}): Wire {
  return { method: "POST", path: "/", headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": target }, body: JSON.stringify(body) };
}

export async function signed(sandbox: Sandbox, wire: Wire, signing: Signing): Promise<Wire> {
  const request = await signer(signing).sign(parsed(sandbox, wire), { ...(signing.date && { signingDate: signing.date }) });
  return { ...wire, headers: request.headers };
}

export async function presigned(sandbox: Sandbox, wire: Wire, signing: Signing & { expiresIn?: number }): Promise<Wire> {
  const { date, expiresIn = 900 } = signing;
  const unsigned = signing.service === "s3" ? { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } : undefined;
  const request = await signer(signing).presign(parsed(sandbox, { ...wire, headers: { ...wire.headers, ...unsigned } }), { expiresIn, ...(date && { signingDate: date }) });
  const query = Object.entries(request.query ?? {}).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return { ...wire, path: `${wire.path.split("?")[0] ?? ""}?${query.join("&")}` };
}

export function send(sandbox: Sandbox, wire: Wire): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: sandbox.port, method: wire.method, path: wire.path, headers: { ...wire.headers, "content-length": Buffer.byteLength(wire.body) } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, xml: new XMLParser({ parseTagValue: false }).parse(text) as Xml });
      });
    });
    request.on("error", reject);
    request.end(wire.body);
  });
}

/** Code, status and text of a refusal of STS or IAM. */
export function refusal(answer: Answer): { status: number; code: string | undefined; message: string | undefined } {
  const error = answer.xml["ErrorResponse"]?.["Error"] ?? answer.xml["Error"];
  const text = (name: string): string | undefined => error?.[name] as unknown as string | undefined;
  return { status: answer.status, code: text("Code"), message: text("Message") };
}
