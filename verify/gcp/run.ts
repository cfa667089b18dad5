/** What the GCP checks of one run share. */
import type { Contract, GcpExchange } from "../../contract/schema.js";
import { decodeJwt, tokenFingerprint, visibleClaims, type DecodedJwt, type VisibleClaims } from "../../trust/jwt.js";
import { judge, type Cause, type Suspect } from "../causes.js";
import type { Diagnosis } from "../check.js";
import type { IssuerReading } from "../issuer.js";
import type { Network } from "../network.js";
import type { ReportHop } from "../report.js";
import type { Scrubber } from "../scrub.js";
import type { TokenSource } from "../token-source.js";
import type { Waiter } from "../waiting.js";
import { ask, type GcpAnswer, type GcpCall } from "./answers.js";
import { gcpCause, type GcpCauseCode, type GcpCauseValues } from "./causes.js";
import type { Prediction, ProjectReader } from "./account/types.js";
import type { AwsCaller } from "./aws-caller.js";

/** What is exchanged, which is never shown: a token of the workload's issuer, or a signed request to AWS STS. */
export type OwnToken =
  | { kind: "jwt"; raw: string; jwt: DecodedJwt; visible: VisibleClaims; fingerprint: string }
  | { kind: "aws"; raw: string; fingerprint: string };

export interface GcpRun {
  contract: Contract;
  exchange: GcpExchange;
  network: Network;
  waiter: Waiter;
  scrubber: Scrubber;
  /** Names this run in object names and builds. */
  runId: string;
  acceptResidue: boolean;
  /** The canary may be public for a moment. */
  allowPublicCanary: boolean;
  /** Absent without token evidence. */
  source: TokenSource | undefined;
  token: OwnToken | undefined;
  /** Absent without account evidence. */
  account: ProjectReader | undefined;
  /** Read once, from here, when first asked for. */
  issuer(): Promise<IssuerReading>;
  /** Who signed an AWS workload's request, by AWS itself; asked once for each request. */
  awsCaller(raw: string): Promise<AwsCaller>;
  /** What the project's configuration says about the exchange; undefined without account evidence or when it cannot be read. */
  prediction(): Promise<Prediction | undefined>;
  /** What was sent and answered in the exchange, for `diagnostics`. */
  hops: ReportHop[];
  /** Set by the exchange: Google's federated token. */
  federatedToken: string | undefined;
  /** Set by the impersonation, or by the exchange where grants are given to the principal itself. */
  session: GcpSession | undefined;
}

export interface GcpSession {
  accessToken: string;
  /** Who acts: the service account's address, or the principal. */
  as: string;
}

/** @throws Error for what is no token; every source has looked at its token already */
export function readToken(raw: string, type: GcpExchange["subjectTokenType"]): OwnToken {
  if (type === "aws4_request") return { kind: "aws", raw, fingerprint: tokenFingerprint(raw) };
  const jwt = decodeJwt(raw);
  const visible = visibleClaims(raw);
  if (!jwt || !visible) throw new Error("the token is no JWT");
  return { kind: "jwt", raw, jwt, visible, fingerprint: tokenFingerprint(raw) };
}

/** What must not be shown of a token: of a signed request also the parts that it is made of, which AWS and Google may quote. */
export function registerToken(scrubber: Scrubber, raw: string): void {
  scrubber.register(raw);
  if (!raw.startsWith("%7B")) return;
  const request = decodeURIComponent(raw);
  const { headers = [] } = JSON.parse(request) as { headers?: { key: string; value: string }[] };
  const secret = headers.filter(({ key }) => /^(authorization|x-amz-security-token)$/i.test(key)).map(({ value }) => value);
  scrubber.register(request, ...secret, ...secret.map((value) => /Signature=(\w+)/.exec(value)?.[1]));
}

/** A token's time must not run out while propagation is waited for, and a signed request counts once. */
export async function renewToken(run: GcpRun, signal: AbortSignal): Promise<void> {
  const fresh = await run.source?.token(signal);
  if (fresh === undefined) return;
  registerToken(run.scrubber, fresh);
  run.token = readToken(fresh, run.exchange.subjectTokenType);
}

/** Full name of the provider without the service: `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`. */
export function providerName({ poolProjectNumber, pool, provider }: GcpExchange): string {
  return `${poolName({ poolProjectNumber, pool })}/providers/${provider}`;
}

export function poolName({ poolProjectNumber, pool }: Pick<GcpExchange, "poolProjectNumber" | "pool">): string {
  return `projects/${poolProjectNumber}/locations/global/workloadIdentityPools/${pool}`;
}

/** The `audience` of the exchange: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token */
export function stsAudience(exchange: GcpExchange): string {
  return `//iam.googleapis.com/${providerName(exchange)}`;
}

/** A call with the session's credentials. */
export function askAsSession(run: GcpRun, call: Omit<GcpCall, "accessToken">, signal: AbortSignal): Promise<GcpAnswer> {
  if (!run.session) return Promise.resolve({ ok: false, kind: "no-answer", detail: "there is no session" });
  return ask(run.network, { ...call, accessToken: run.session.accessToken }, signal);
}

export function cause(run: Pick<GcpRun, "contract" | "exchange">, code: GcpCauseCode, evidence: string | string[], values: Partial<GcpCauseValues> = {}): Cause {
  return gcpCause(code, { contract: run.contract, exchange: run.exchange, ...values }, ...(typeof evidence === "string" ? [evidence] : evidence));
}

export function confirmed(found: Cause): Suspect {
  return { cause: found, confirmed: true };
}

export function open(found: Cause): Suspect {
  return { cause: found, confirmed: false };
}

/** Suspects as a diagnosis; undefined when nothing is suspected. */
export function diagnosis(suspects: readonly Suspect[], layersNotRead: string[] = []): Diagnosis | undefined {
  const causes = judge(suspects);
  return causes.length === 0 ? undefined : { causes, layersNotRead: causes.length === 1 ? [] : layersNotRead };
}

/** Fixed, so that filters in the customer's SIEM can tell verification from work; also how everything begins that a run makes. */
export const PROBE_PREFIX = "cloud-federation-verify";
