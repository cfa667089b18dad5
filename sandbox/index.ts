import { resolve } from "node:path";
import { createAdmin } from "./admin.js";
import { createAws } from "./aws/index.js";
import type { AwsCloud } from "./aws/types.js";
import { createAzure } from "./azure/index.js";
import type { AzureFiles } from "./azure/client-files.js";
import type { AzureCloud } from "./azure/types.js";
import { CertificateAuthority, type CaMaterial } from "./certificates.js";
import { createClientFiles, type ClientFiles, type GoogleFiles } from "./client-files.js";
import { SandboxClock } from "./clock.js";
import { clientEnvironment, type EnvironmentOptions } from "./environment.js";
import { Faults, type FaultPlan } from "./faults.js";
import { createGcp } from "./gcp/index.js";
import type { GcpCloud } from "./gcp/types.js";
import { IssuerService } from "./issuer-service.js";
import { Issuers, defaultIssuerUrl } from "./issuers.js";
import { createKubernetes } from "./kubernetes/index.js";
import type { KubernetesCloud } from "./kubernetes/types.js";
import { Persistence, lockState, readState, type SavedState } from "./persistence.js";
import { publicFetcher } from "./public-fetch.js";
import { SandboxServer } from "./server.js";
import { Settings } from "./settings.js";
import { MemoryStore } from "./store.js";
import type { ProviderTable, ResourceStore, SandboxCore, StoreSnapshot } from "./types.js";

export type { EnvironmentOptions } from "./environment.js";
export type { FaultPlan, OrderedFault } from "./faults.js";
export { defaultAudience, defaultIssuerUrl, type Issuer, type IssuerBehaviour, type IssuerKey, type TokenOrder } from "./issuers.js";

export interface SandboxOptions {
  /** Port on 127.0.0.1; 0, the default, takes any that is free. */
  port?: number;
  /** File that keeps everything between starts; key material goes beside it, into `<file>.keys`. */
  stateFile?: string;
  /** Seconds until trust and grants are seen. Default 0, or as the state file has it. */
  propagationDelaySeconds?: number;
  /** Milliseconds added to every served operation. Default 0, or as the state file has it. */
  latencyMs?: number;
  /** One line of what went wrong inside. Default: standard error. */
  log?: (line: string) => void;
}

/** Everything that can be changed in a running sandbox. Holds secrets: keep it in memory. */
export interface SandboxSnapshot {
  readonly resources: StoreSnapshot;
  readonly clockOffsetSeconds: number;
  readonly latencyMs: number;
  readonly propagationDelaySeconds: number;
  readonly faults: FaultPlan;
}

export interface Sandbox {
  readonly core: SandboxCore;
  readonly store: ResourceStore;
  /** `http://127.0.0.1:PORT`: the proxy, the admin API, and an endpoint without TLS. */
  readonly url: string;
  /** `https://127.0.0.1:PORT`: the same endpoint in TLS, for clients that take an endpoint URL. */
  readonly endpointUrl: string;
  readonly port: number;
  readonly caPem: string;
  /** The CA certificate on disk; removed by `close` unless there is a state file beside it. */
  readonly caFile: string;
  /** Credentials of GCP's administrator for Google's clients; beside the CA's certificate, and removed with it. */
  readonly googleFiles: GoogleFiles;
  /** The `az` CLI's configuration, as the administrator of Azure's default tenant; in the same place. */
  readonly azureFiles: AzureFiles;
  readonly aws: AwsCloud;
  readonly azure: AzureCloud;
  readonly gcp: GcpCloud;
  readonly kubernetes: KubernetesCloud;
  /** What both engines provision with. */
  readonly tables: readonly ProviderTable[];
  readonly issuers: Issuers;
  readonly faults: Faults;
  /** Port of the provider server, once somebody has started one; shown by `info` and `env`. */
  providersPort: number | undefined;
  snapshot(): SandboxSnapshot;
  restore(snapshot: SandboxSnapshot): void;
  /** Environment variables that point clients here. Holds the secret key of AWS's administrator and the client secret of Azure's. */
  env(options?: EnvironmentOptions): Record<string, string>;
  /** Ends every connection, writes the state file, removes what was temporary. */
  close(): Promise<void>;
}

/**
 * Starts a sandbox in this process, on loopback.
 *
 * Rejects when the port is taken (`EADDRINUSE`), or the state file is in use or not one of ours, which is then left as it is.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const log = options.log ?? ((line) => void process.stderr.write(`sandbox: ${line}\n`));
  if (options.stateFile === undefined) return openSandbox(options, log);
  const file = resolve(options.stateFile);
  const release = await lockState(file);
  try {
    return await openSandbox(options, log, { file, saved: await readState(file), release });
  } catch (error) {
    release();
    throw error;
  }
}

/** A state file that is this sandbox's alone until it is released. */
interface ClaimedState {
  file: string;
  saved: SavedState | undefined;
  release(): void;
}

async function openSandbox(options: SandboxOptions, log: (line: string) => void, state?: ClaimedState): Promise<Sandbox> {
  const saved = state?.saved;
  let changed = (): void => undefined;
  const notify = (): void => changed();

  const clock = new SandboxClock(notify);
  const settings = new Settings(notify);
  const store = new MemoryStore(clock, settings);
  const faults = new Faults(() => settings.latencyMs, notify);
  const issuers = new Issuers(store, clock);
  const issuerService = new IssuerService(issuers, (operation) => faults.enter(operation));

  const snapshot = (): SandboxSnapshot => ({
    resources: store.snapshot(),
    clockOffsetSeconds: clock.offsetSeconds,
    latencyMs: settings.latencyMs,
    propagationDelaySeconds: settings.propagationDelaySeconds,
    faults: faults.plan,
  });
  const restore = (from: SandboxSnapshot): void => {
    store.restore(from.resources);
    clock.offsetSeconds = from.clockOffsetSeconds;
    settings.latencyMs = from.latencyMs;
    settings.propagationDelaySeconds = from.propagationDelaySeconds;
    faults.plan = from.faults;
  };
  if (saved?.snapshot) restore(saved.snapshot);
  if (options.latencyMs !== undefined) settings.latencyMs = options.latencyMs;
  if (options.propagationDelaySeconds !== undefined) settings.propagationDelaySeconds = options.propagationDelaySeconds;
  const [authorities] = await Promise.all([
    createAuthorities(issuerService, saved?.ca),
    issuers.find(defaultIssuerUrl) ?? issuers.create(defaultIssuerUrl),
  ]);

  const core: SandboxCore = {
    clock,
    store,
    settings,
    enter: (operation, from) => faults.enter(operation, from),
    fetchPublic: publicFetcher({ issuers: issuerService, trusted: authorities.trusted, authority: authorities.of }),
  };
  const aws = createAws(core);
  const azure = createAzure(core);
  const gcp = createGcp(core, { aws: (request) => aws.service.handle(request), issuers, kubernetes: () => kubernetes.cloud });
  const kubernetes = createKubernetes(core, { issuers, google: gcp.cloud, caPem: authorities.trusted.certPem });
  const admin = createAdmin(() => sandbox);
  const server = new SandboxServer({ services: [issuerService.documents, kubernetes.service, azure.service, gcp.service, issuerService, aws.service], admin, authority: authorities.of, log });
  const port = await server.listen(options.port ?? 0);

  const persistence =
    state === undefined
      ? undefined
      : new Persistence(state.file, () => ({ snapshot: snapshot(), ca: authorities.trusted.material }), log);
  let files: ClientFiles;
  try {
    await persistence?.write();
    files = await createClientFiles(state?.file, authorities.trusted.certPem, { gcp: gcp.cloud, azure: azure.cloud });
  } catch (error) {
    await server.close();
    throw error;
  }
  changed = () => persistence?.schedule();
  const unsubscribe = store.onChange(notify);

  const sandbox: Sandbox = {
    core,
    store,
    url: `http://127.0.0.1:${port}`,
    endpointUrl: `https://127.0.0.1:${port}`,
    port,
    caPem: authorities.trusted.certPem,
    caFile: files.caFile,
    googleFiles: files.google,
    azureFiles: files.azure,
    aws: aws.cloud,
    azure: azure.cloud,
    gcp: gcp.cloud,
    kubernetes: kubernetes.cloud,
    tables: [aws.table, ...azure.tables, gcp.table, kubernetes.table],
    issuers,
    faults,
    providersPort: undefined,
    snapshot,
    restore,
    env: (environment) => clientEnvironment(sandbox, environment),
    close: async () => {
      unsubscribe();
      await server.close();
      changed = () => undefined;
      await files.remove();
      try {
        await persistence?.write();
      } finally {
        state?.release();
      }
    },
  };
  return sandbox;
}

/** The authority that clients trust, and one that nobody does for issuers told to show such a certificate. */
async function createAuthorities(
  issuers: IssuerService,
  ca: CaMaterial | undefined,
): Promise<{ trusted: CertificateAuthority; of: (host: string, port: string) => Promise<CertificateAuthority> }> {
  const trusted = ca ? new CertificateAuthority(ca) : await CertificateAuthority.create();
  let rogue: Promise<CertificateAuthority> | undefined;
  const of = async (host: string, port: string): Promise<CertificateAuthority> =>
    issuers.untrusted(host, port) ? (rogue ??= CertificateAuthority.create()) : trusted;
  return { trusted, of };
}
