/** AWS clients of a run, made when they are first needed, over the run's own network. */
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { CodeBuildClient } from "@aws-sdk/client-codebuild";
import type { ECRClient } from "@aws-sdk/client-ecr";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import type { STSClient } from "@aws-sdk/client-sts";
import { SANDBOX_VARIABLE } from "../../facts/sandbox.js";
import { partitionNamed, type PartitionName } from "../../facts/aws/partitions.js";
import { proxyFor, type Network } from "../network.js";

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

/** Credentials, or where the SDK's own chain finds them. */
export type Signer = AwsCredentials | "ambient";

export interface AwsClientsOptions {
  network: Network;
  partition: PartitionName;
  /** Milliseconds for one call. Default 15 000. */
  callDeadlineMs?: number;
}

const CALL_DEADLINE_MS = 15_000;
const CONNECT_DEADLINE_MS = 5_000;

export class AwsClients {
  readonly #clients = new Map<Signer | "nobody", Map<string, Promise<unknown>>>();

  constructor(private readonly options: AwsClientsOptions) {}

  /**
   * For the exchange, which is not signed: a client with nothing to sign with, so that credentials of this shell can never
   * make up for a trust that does not work.
   */
  anonymousSts(region: string): Promise<STSClient> {
    return this.#once("sts", region, "nobody", async () => {
      const { STSClient } = await import("@aws-sdk/client-sts");
      return new STSClient({ ...this.#shared("sts", region), credentials: () => Promise.reject(new Error("the exchange must not be signed")) });
    });
  }

  sts(region: string, signer: Signer): Promise<STSClient> {
    return this.#once("sts", region, signer, async () => {
      const { STSClient } = await import("@aws-sdk/client-sts");
      return new STSClient({ ...this.#shared("sts", region), ...signing(signer) });
    });
  }

  s3(region: string, signer: Signer): Promise<S3Client> {
    return this.#once("s3", region, signer, async () => {
      const { S3Client } = await import("@aws-sdk/client-s3");
      return new S3Client({ ...this.#shared("s3", region), ...signing(signer), forcePathStyle: this.#endpoint("s3") !== undefined });
    });
  }

  iam(signer: Signer): Promise<IAMClient> {
    const { region } = IAM_HOSTS[this.options.partition];
    return this.#once("iam", region, signer, async () => {
      const { IAMClient } = await import("@aws-sdk/client-iam");
      return new IAMClient({ ...this.#shared("iam", region), ...signing(signer) });
    });
  }

  kms(region: string, signer: Signer): Promise<KMSClient> {
    return this.#once("kms", region, signer, async () => {
      const { KMSClient } = await import("@aws-sdk/client-kms");
      return new KMSClient({ ...this.#shared("kms", region), ...signing(signer) });
    });
  }

  codebuild(region: string, signer: Signer): Promise<CodeBuildClient> {
    return this.#once("codebuild", region, signer, async () => {
      const { CodeBuildClient } = await import("@aws-sdk/client-codebuild");
      return new CodeBuildClient({ ...this.#shared("codebuild", region), ...signing(signer) });
    });
  }

  lambda(region: string, signer: Signer): Promise<LambdaClient> {
    return this.#once("lambda", region, signer, async () => {
      const { LambdaClient } = await import("@aws-sdk/client-lambda");
      return new LambdaClient({ ...this.#shared("lambda", region), ...signing(signer) });
    });
  }

  ecr(region: string, signer: Signer): Promise<ECRClient> {
    return this.#once("ecr", region, signer, async () => {
      const { ECRClient } = await import("@aws-sdk/client-ecr");
      return new ECRClient({ ...this.#shared("ecr", region), ...signing(signer) });
    });
  }

  logs(region: string, signer: Signer): Promise<CloudWatchLogsClient> {
    return this.#once("logs", region, signer, async () => {
      const { CloudWatchLogsClient } = await import("@aws-sdk/client-cloudwatch-logs");
      return new CloudWatchLogsClient({ ...this.#shared("logs", region), ...signing(signer) });
    });
  }

  /** Loads what comes after the exchange while its answer is on the way. */
  preload(): void {
    void import("@aws-sdk/client-s3");
  }

  /** One client for each service, region and signer. */
  #once<T>(service: string, region: string, signer: Signer | "nobody", make: () => Promise<T>): Promise<T> {
    const bySigner = this.#clients.get(signer) ?? new Map<string, Promise<unknown>>();
    this.#clients.set(signer, bySigner);
    const key = `${service} ${region}`;
    const known = bySigner.get(key);
    if (known) return known as Promise<T>;
    const made = make();
    bySigner.set(key, made);
    return made;
  }

  /**
   * Always named, so that a client goes where this run's variables say and not where its process's do. In a sandbox the
   * real host names are used, through its proxy: then the calls are the same to the letter as in a real account.
   * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
   */
  #endpoint(service: string): string | undefined {
    const { env } = this.options.network;
    if ((env[SANDBOX_VARIABLE] ?? "") !== "" && proxyFor(new URL(this.#host(service, "us-east-1")), env) !== undefined) return undefined;
    const url = env[`AWS_ENDPOINT_URL_${(SERVICE_IDS[service] ?? service).toUpperCase()}`] ?? env["AWS_ENDPOINT_URL"] ?? "";
    return url === "" ? undefined : url;
  }

  #host(service: string, region: string): string {
    if (service === "iam") return `https://${IAM_HOSTS[this.options.partition].host}`;
    return `https://${HOST_PREFIXES[service] ?? service}.${region}.${partitionNamed(this.options.partition)?.dnsSuffix ?? ""}`;
  }

  #shared(service: string, region: string) {
    const { network, callDeadlineMs = CALL_DEADLINE_MS } = this.options;
    const endpoint = this.#endpoint(service) ?? this.#host(service, region);
    return {
      region,
      // Repeating is for verify to decide: most refusals are answers, not accidents.
      maxAttempts: 1,
      endpoint,
      requestHandler: new NodeHttpHandler({
        httpsAgent: network.agentFor(new URL(endpoint)),
        connectionTimeout: CONNECT_DEADLINE_MS,
        requestTimeout: callDeadlineMs,
        throwOnRequestTimeout: true,
      }),
    };
  }
}

/** IAM is one service a partition. https://docs.aws.amazon.com/general/latest/gr/iam-service.html */
const IAM_HOSTS: Readonly<Record<PartitionName, { host: string; region: string }>> = {
  aws: { host: "iam.amazonaws.com", region: "us-east-1" },
  "aws-us-gov": { host: "iam.us-gov.amazonaws.com", region: "us-gov-west-1" },
  "aws-cn": { host: "iam.cn-north-1.amazonaws.com.cn", region: "cn-north-1" },
};

/** Where the variable is not named like the host. https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html */
const SERVICE_IDS: Readonly<Record<string, string>> = { logs: "cloudwatch_logs" };

/** https://docs.aws.amazon.com/general/latest/gr/ecr.html */
const HOST_PREFIXES: Readonly<Record<string, string>> = { ecr: "api.ecr" };

function signing(signer: Signer): { credentials?: AwsCredentials } {
  return signer === "ambient" ? {} : { credentials: signer };
}
