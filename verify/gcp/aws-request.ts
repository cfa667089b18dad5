/**
 * What an AWS workload presents to Google: a signed `GetCallerIdentity` that Google replays at AWS STS.
 * https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds#aws
 *
 * The header that names the provider is signed too: without that, whoever gets hold of the request could present it to
 * another provider.
 */
import { createHash, createHmac, type BinaryLike } from "node:crypto";
import type { HttpRequest } from "@smithy/types";
import { InputError } from "../input-error.js";
import type { TokenOrder, TokenSource, Variation } from "../token-source.js";

export interface AwsRequestCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

export interface AwsRequestOptions {
  /** The provider's full name: `//iam.googleapis.com/projects/…/providers/…`. */
  target: string;
  /** Region whose STS endpoint is signed for. */
  region: string;
  now?: Date;
}

/** The hash that the signer wants, on Node's own. */
class Sha256 {
  readonly #hash;

  constructor(secret?: BinaryLike) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret);
  }

  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a hash is made anew for each use");
  }
}

/** The subject token: percent-encoded JSON. It can be replayed for 15 minutes, so it is a secret. */
export async function signedAwsRequest(credentials: AwsRequestCredentials, { target, region, now = new Date() }: AwsRequestOptions): Promise<string> {
  const hostname = `sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const signer = new SignatureV4({
    service: "sts",
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    sha256: Sha256 as never,
    applyChecksum: false,
  });
  const request: HttpRequest = {
    method: "POST",
    protocol: "https:",
    hostname,
    path: "/",
    query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
    headers: { host: hostname, "x-goog-cloud-target-resource": target },
    body: "",
  };
  const signed = await signer.sign(request, { signingDate: now });
  const headers = Object.entries(signed.headers).map(([key, value]) => ({ key, value }));
  return encodeURIComponent(JSON.stringify({ url: `https://${hostname}?Action=GetCallerIdentity&Version=2011-06-15`, method: "POST", headers }));
}

/** Signs anew each time with the AWS credentials that the SDK's own chain finds: variables, profile, web identity, instance. */
export function awsRequestToken(target: string, env: NodeJS.ProcessEnv = process.env): TokenSource {
  return {
    description: "this shell's AWS credentials",
    variations: VARIATIONS,
    token: async (_signal, order) => {
      const region = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || "us-east-1";
      return ordered(await ambientCredentials(region), target, region, order);
    },
  };
}

async function ambientCredentials(region: string): Promise<AwsRequestCredentials> {
  const { STSClient } = await import("@aws-sdk/client-sts");
  const client = new STSClient({ region });
  try {
    return await client.config.credentials();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`There are no AWS credentials to sign with (${reason}): run this as the workload's AWS role, for example with AWS_PROFILE set.`);
  } finally {
    client.destroy();
  }
}

/** One made by the calling program, which has the credentials. */
export function awsCredentialsToken(credentials: () => Promise<AwsRequestCredentials>, target: string, region: string): TokenSource {
  return { description: "the calling program", variations: VARIATIONS, token: async (_signal, order) => ordered(await credentials(), target, region, order) };
}

/** Whoever can sign can also sign for another provider, or as of earlier. */
const VARIATIONS: ReadonlySet<Variation> = new Set(["audience", "expiresInSeconds"]);

/** How long AWS takes a signature: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const SIGNATURE_SECONDS = 900;

function ordered(credentials: AwsRequestCredentials, target: string, region: string, { audience = target, expiresInSeconds = SIGNATURE_SECONDS }: TokenOrder = {}): Promise<string> {
  return signedAwsRequest(credentials, { target: audience, region, now: new Date(Date.now() + (expiresInSeconds - SIGNATURE_SECONDS) * 1000) });
}

/** The request with one digit of its signature changed. */
export function corruptAwsSignature(subjectToken: string): string {
  return encodeURIComponent(decodeURIComponent(subjectToken).replace(/(Signature=[0-9a-f]{63})([0-9a-f])/, (_all, kept: string, last: string) => `${kept}${last === "0" ? "1" : "0"}`));
}
