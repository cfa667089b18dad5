/** What the AWS checks of one run share. */
import type { AwsExchange, Contract } from "../../contract/schema.js";
import { STS_LIMITS } from "../../facts/aws/sts.js";
import { decodeJwt, tokenFingerprint, visibleClaims, type DecodedJwt, type VisibleClaims } from "../../trust/jwt.js";
import { audienceOf, subjectOf } from "../../trust/aws/token-claims.js";
import type { Diagnosis } from "../check.js";
import { judge, type Cause, type Suspect } from "../causes.js";
import type { IssuerReading } from "../issuer.js";
import type { Network } from "../network.js";
import type { Scrubber } from "../scrub.js";
import type { TokenSource } from "../token-source.js";
import type { Waiter } from "../waiting.js";
import type { AccountReader } from "./account/reader.js";
import { awsCause, type AwsCauseCode, type AwsCauseValues } from "./causes.js";
import type { AwsClients, AwsCredentials } from "./clients.js";
import type { Prediction } from "./account/prediction.js";

/** The workload's token, which is never shown. */
export interface OwnToken {
  raw: string;
  jwt: DecodedJwt;
  visible: VisibleClaims;
  fingerprint: string;
  /** As STS reads it: `azp`, or else the one `aud`. */
  audience: string | undefined;
  /** As STS reads it: a number counts as its digits. */
  subject: string | undefined;
}

/** What the exchange gave. */
export interface Session {
  credentials: AwsCredentials;
  /** From STS's answer. */
  assumedRoleArn: string;
  providerArn: string;
  audience: string;
  subject: string;
}

export interface AwsRun {
  contract: Contract;
  exchange: AwsExchange;
  clients: AwsClients;
  network: Network;
  waiter: Waiter;
  scrubber: Scrubber;
  /** Names this run in object keys and session names. */
  runId: string;
  acceptResidue: boolean;
  /** Absent without token evidence. */
  source: TokenSource | undefined;
  token: OwnToken | undefined;
  /** Absent without account evidence. */
  account: AccountReader | undefined;
  /** Read once, from here, when first asked for. */
  issuer(): Promise<IssuerReading>;
  /** What the account's configuration says about the exchange; undefined without account evidence or when it cannot be read. */
  prediction(): Promise<Prediction | undefined>;
  /** Set by the exchange. */
  session: Session | undefined;
}

export function readToken(raw: string): OwnToken {
  const jwt = decodeJwt(raw);
  const visible = visibleClaims(raw);
  // Every source has looked at its token already.
  if (!jwt || !visible) throw new Error("the token is no JWT");
  return { raw, jwt, visible, fingerprint: tokenFingerprint(raw), audience: audienceOf(jwt.claims), subject: subjectOf(jwt.claims) };
}

export function cause(run: Pick<AwsRun, "contract" | "exchange">, code: AwsCauseCode, evidence: string | string[], values: Partial<AwsCauseValues> = {}): Cause {
  return awsCause(code, { contract: run.contract, exchange: run.exchange, ...values }, ...(typeof evidence === "string" ? [evidence] : evidence));
}

/** Suspects as a diagnosis; undefined when nothing is suspected. */
export function diagnosis(suspects: readonly Suspect[], layersNotRead: string[] = []): Diagnosis | undefined {
  const causes = judge(suspects);
  return causes.length === 0 ? undefined : { causes, layersNotRead: causes.length === 1 ? [] : layersNotRead };
}

/** Fixed, so that filters in the customer's SIEM can tell verification from work. */
export const SESSION_PREFIX = "cloud-federation-verify";

/**
 * The session name: with the fixed prefix, unless the trust pins it, where the pattern's `*` takes the prefix. At most 64
 * characters: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function sessionName(exchange: AwsExchange, runId: string): string {
  const own = `${SESSION_PREFIX}-${runId}`;
  const pattern = exchange.sessionName;
  if (pattern === undefined) return own;
  const fixed = pattern.replace("*", "").replaceAll(/[*]/g, "").length;
  return pattern.replaceAll("?", "x").replace("*", own.slice(0, Math.max(0, STS_LIMITS.sessionNameLength.max - fixed))).replaceAll("*", "");
}
