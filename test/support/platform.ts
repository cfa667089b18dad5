/**
 * The platform, with nothing but AWS's own clients: exchanges its token, then uses the bucket. What AWS answers it is what
 * the sandbox has to get right, whoever explains it afterwards.
 */
import { Agent } from "node:https";
import {
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Contract } from "../../contract/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import { bucketGrantOf, exchangeOf } from "./dcf-aws.js";

/** A refusal as the client was told it. */
export interface Refused {
  /** On the wire, such as `ExpiredTokenException`. */
  code: string;
  status: number;
  message: string;
}

export type PlatformOperation =
  | "sts:AssumeRoleWithWebIdentity"
  | "s3:GetBucketLocation"
  | "s3:ListObjectsV2"
  | "s3:GetObject"
  | "s3:PutObject"
  | "s3:DeleteObject";

/** What the platform met: the operations that were refused it, and whether a bucket that it has no grant on let it in. */
export interface Walk {
  refused: Partial<Record<PlatformOperation, Refused>>;
  entersRefusalBucket: boolean;
}

/** An artifact that is there before anything breaks. */
const storedArtifact = "releases/app.zip";

export class Platform {
  readonly #http: NodeHttpHandler;

  constructor(private readonly sandbox: Sandbox) {
    this.#http = new NodeHttpHandler({ httpsAgent: new Agent({ ca: sandbox.caPem, keepAlive: true }) });
  }

  close(): void {
    this.#http.destroy();
  }

  /** Uploads the artifact that every later walk reads. */
  async store(contract: Contract, token: string): Promise<void> {
    const { bucket } = bucketGrantOf(contract);
    const s3 = await this.#session(contract, token);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: storedArtifact, Body: "artifact" }));
  }

  /** Exchanges the token and tries everything that DCF does with the bucket, each on its own. */
  async walk(contract: Contract, token: string): Promise<Walk> {
    const { bucket: Bucket } = bucketGrantOf(contract);
    const refused: Walk["refused"] = {};
    const attempt = async <T>(operation: PlatformOperation, call: () => Promise<T>): Promise<T | undefined> => {
      try {
        return await call();
      } catch (error) {
        refused[operation] = refusalOf(error);
        return undefined;
      }
    };
    const s3 = await attempt("sts:AssumeRoleWithWebIdentity", () => this.#session(contract, token));
    if (!s3) return { refused, entersRefusalBucket: false };
    await attempt("s3:GetBucketLocation", () => s3.send(new GetBucketLocationCommand({ Bucket })));
    await attempt("s3:ListObjectsV2", () => s3.send(new ListObjectsV2Command({ Bucket })));
    await attempt("s3:GetObject", () => s3.send(new GetObjectCommand({ Bucket, Key: storedArtifact })));
    await attempt("s3:PutObject", () => s3.send(new PutObjectCommand({ Bucket, Key: "builds/source.zip", Body: "source" })));
    await attempt("s3:DeleteObject", () => s3.send(new DeleteObjectCommand({ Bucket, Key: "builds/source.zip" })));
    return { refused, entersRefusalBucket: await this.#enters(contract, s3) };
  }

  async #enters({ refusalTargets }: Contract, s3: S3Client): Promise<boolean> {
    const [target] = refusalTargets;
    if (target?.kind !== "s3-bucket") throw new Error("The contract has no refusal bucket.");
    return s3.send(new ListObjectsV2Command({ Bucket: target.bucket })).then(
      () => true,
      () => false,
    );
  }

  async #session(contract: Contract, WebIdentityToken: string): Promise<S3Client> {
    const { roleArn: RoleArn, region } = exchangeOf(contract);
    const client = { region, endpoint: this.sandbox.endpointUrl, requestHandler: this.#http, maxAttempts: 1 };
    const { Credentials: keys } = await new STSClient(client).send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn, WebIdentityToken, RoleSessionName: "dcf-project-4711" }),
    );
    const credentials = { accessKeyId: keys!.AccessKeyId!, secretAccessKey: keys!.SecretAccessKey!, sessionToken: keys!.SessionToken! };
    return new S3Client({ ...client, region: bucketGrantOf(contract).region, forcePathStyle: true, credentials });
  }
}

function refusalOf(error: unknown): Refused {
  const { name, message, Code, $metadata } = error as Error & { Code?: string; $metadata?: { httpStatusCode?: number } };
  // Without a status there was no answer: nothing was refused, the test itself failed.
  if ($metadata?.httpStatusCode === undefined) throw error;
  return { code: Code ?? name, status: $metadata.httpStatusCode, message };
}
