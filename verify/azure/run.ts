/** What the Azure checks of one run share. */
import type { Contract, AzureExchange } from "../../contract/schema.js";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import { decodeJwt, tokenFingerprint, visibleClaims, type DecodedJwt, type VisibleClaims } from "../../trust/jwt.js";
import type { Cause } from "../causes.js";
import type { IssuerReading } from "../issuer.js";
import type { Network } from "../network.js";
import type { ReportHop } from "../report.js";
import type { Scrubber } from "../scrub.js";
import type { TokenSource } from "../token-source.js";
import type { Waiter } from "../waiting.js";
import type { AccountReader } from "./account-reader.js";
import { azureCause, type AzureCauseCode, type AzureCauseValues } from "./causes.js";
import type { Resource } from "./endpoints.js";

/** What is exchanged, which is never shown. */
export interface OwnToken {
  raw: string;
  jwt: DecodedJwt;
  visible: VisibleClaims;
  fingerprint: string;
}

export interface AzureRun {
  contract: Contract;
  exchange: AzureExchange;
  cloud: AzureCloudFacts;
  network: Network;
  waiter: Waiter;
  scrubber: Scrubber;
  /** Names this run in blobs, images and sites. */
  runId: string;
  acceptResidue: boolean;
  /** Absent without token evidence. */
  source: TokenSource | undefined;
  token: OwnToken | undefined;
  /** Absent without account evidence. */
  account: AccountReader | undefined;
  /** Read once, from here, when first asked for. */
  issuer(): Promise<IssuerReading>;
  /** What was sent and answered in the exchange, for `diagnostics`. */
  hops: ReportHop[];
  /** Access tokens by what they are for; set by the exchanges. */
  sessions: Map<Resource, string>;
}

/** @throws Error for what is no token; every source has looked at its token already */
export function readToken(raw: string): OwnToken {
  const jwt = decodeJwt(raw);
  const visible = visibleClaims(raw);
  if (!jwt || !visible) throw new Error("the token is no JWT");
  return { raw, jwt, visible, fingerprint: tokenFingerprint(raw) };
}

/** A token's time must not run out while propagation is waited for. */
export async function renewToken(run: AzureRun, signal: AbortSignal): Promise<void> {
  const fresh = await run.source?.token(signal);
  if (fresh === undefined) return;
  run.scrubber.register(fresh);
  run.token = readToken(fresh);
}

export function cause(run: Pick<AzureRun, "contract" | "exchange" | "cloud">, code: AzureCauseCode, evidence: string | string[], values: Partial<AzureCauseValues> = {}): Cause {
  return azureCause(code, { contract: run.contract, exchange: run.exchange, cloud: run.cloud, ...values }, ...(typeof evidence === "string" ? [evidence] : evidence));
}

/** Fixed, so that filters in the customer's SIEM can tell verification from work; also how everything begins that a run makes in a container. */
export const PROBE_PREFIX = "cloud-federation-verify";
