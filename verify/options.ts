/** What a verification is given. */
import type { AwsCredentials } from "./aws/clients.js";
import type { Network } from "./network.js";
import type { RunEvent } from "./runner.js";
import type { TokenSource } from "./token-source.js";

/** An access token of somebody who may read the project: what `gcloud auth print-access-token` prints. */
export interface GcpCredentials {
  accessToken: string;
}

/** Gives tokens of somebody who may read subscription and directory; every credential of `@azure/identity` is one. */
export interface AzureCredentials {
  /** @param scope such as `https://management.azure.com/.default` */
  getToken(scope: string): Promise<{ token: string } | null>;
}

/** How deep to look: each includes the ones before it. */
export const DEPTHS = ["identity", "storage", "runtime", "deploy"] as const;
export type Depth = (typeof DEPTHS)[number];

/** How a report is printed. */
export const FORMATS = ["text", "json", "junit"] as const;
export type Format = (typeof FORMATS)[number];

export interface VerifyOptions {
  /** The contract, or all of `pulumi stack output --json`, parsed. */
  contract: unknown;
  /** The workload's token: verify does what the platform does. */
  token?: TokenSource | undefined;
  /** Read the account's configuration, with the ambient credentials or with these. @default false */
  account?: boolean | AwsCredentials | GcpCredentials | AzureCredentials | undefined;
  /** @default "storage" */
  depth?: Depth | undefined;
  /** Try what must be refused. @default true */
  refusals?: boolean | undefined;
  /** Report each hop of the exchange: what was sent and what came back, without any token. @default false */
  diagnostics?: boolean | undefined;
  /** Run probes that leave something behind which the granted rights cannot remove. @default false */
  acceptResidue?: boolean | undefined;
  /** What DDOE was given as `azure_credentials.json`, parsed: compared with the contract field by field. Default: nothing is compared. */
  credentialFile?: unknown;
  /** Make the canary of a Cloud Run service public for a moment, where the platform may make services public. @default false */
  allowPublicCanary?: boolean | undefined;
  /** Seconds for which refusals that may be propagation are repeated. Default: the cloud's, within that time of the contract's `provisionedAt`; otherwise one repetition. */
  waitSeconds?: number | undefined;
  /** Proxy, endpoint and sandbox variables are read here. Default: the process's. */
  env?: NodeJS.ProcessEnv | undefined;
  /** PEM of a certificate authority to trust besides the usual ones. */
  ca?: string | undefined;
  /** Connections to share among runs, made with the same `env` and `ca`; the caller closes it. Default: the run's own. */
  network?: Network | undefined;
  /** Ends the run: what was stored is removed, the report so far is given. */
  signal?: AbortSignal | undefined;
  onEvent?: ((event: RunEvent) => void) | undefined;
}
