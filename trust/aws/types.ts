/** The vocabulary of the AWS rules: what is known about a token, a trust, a request, and how it was decided. */
import type { Supposition } from "./conditions.js";

export interface OidcProvider {
  arn: string;
  /** As IAM stores it: host and path, without `https://`. */
  url: string;
  clientIds: string[];
}

export interface Role {
  arn: string;
  /** `AROA…`; a role made again under the same name has another one. */
  roleId: string;
  /** JSON text of the trust policy. */
  trustPolicy: string;
  maxSessionDurationSeconds: number;
}

/** What fetching discovery and keys from the issuer gave. */
export type IssuerEvidence =
  | { status: "ok"; discovery: unknown; jwks: unknown }
  | { status: "unavailable"; detail: string };

export interface WebIdentityQuestion {
  /** The raw JWT as presented. */
  token: string;
  roleArn: string;
  sessionName: string;
  /** Default 3600. */
  durationSeconds?: number;
  now: Date;
  /** The OIDC providers of the account that the role ARN names. */
  providers: OidcProvider[];
  /** Absent when that account has no such role. */
  role: Role | undefined;
  /** Asked only when the token has passed the checks that need no keys. */
  issuer: IssuerEvidence;
  /** Resource control policies of that account, as JSON texts. */
  resourceControlPolicies?: NamedPolicy[] | undefined;
  /** Condition keys that the transport gives, such as `aws:SourceIp`. */
  context?: Record<string, string | string[]>;
  /** For keys that the transport gives and nobody knows yet. Default: a key that is not in `context` is absent. */
  supposition?: Supposition | undefined;
}

/** A question whose issuer is still to be asked. */
export type UnfetchedWebIdentityQuestion = Omit<WebIdentityQuestion, "issuer">;

/** The same, where fetching is costly: called at most once, with the token's issuer. */
export type FetchIssuer = (issuer: string) => Promise<IssuerEvidence>;

/** Stable names of why STS refuses; the code and text that STS shows are coarser. */
export type WebIdentityReason =
  | "token-malformed"
  | "token-claim-missing"
  | "token-claim-invalid"
  | "token-expired"
  | "token-not-yet-valid"
  | "provider-missing"
  | "audience-not-registered"
  | "issuer-unavailable"
  | "key-unknown"
  | "key-unusable"
  | "signature-invalid"
  | "roles-claim-refused"
  | "role-missing"
  | "trust-refused"
  | "tag-session-refused"
  | "source-identity-refused"
  | "duration-too-long"
  | "duration-invalid"
  | "session-name-invalid"
  | "role-arn-invalid"
  | "resource-control-policy";

export type WebIdentityAnswer =
  | {
      allowed: true;
      provider: OidcProvider;
      /** `azp` where the token has it. */
      audience: string;
      subject: string;
      tags: Record<string, string>;
      transitiveTagKeys: string[];
      sourceIdentity?: string;
    }
  | {
      allowed: false;
      /** STS's code, such as `InvalidIdentityToken`. */
      code: string;
      httpStatus: number;
      message: string;
      reason: WebIdentityReason;
      /** One sentence with the values at fault, never the token. */
      detail: string;
    };

export interface NamedPolicy {
  name: string;
  /** JSON text. */
  document: string;
}

export interface Principal {
  kind: "role-session" | "user" | "root" | "anonymous" | "service";
  /** Session ARN, user ARN or `arn:…:root`; empty for anonymous; host name for a service. */
  arn: string;
  accountId: string;
  /** The role behind a session. */
  roleArn?: string;
  /** `AROA…` or `AIDA…`. */
  uniqueId?: string;
  sessionName?: string;
  /** Set for sessions from a web identity: the provider's ARN. */
  federatedProvider?: string;
  tags?: Record<string, string>;
  /** When a session's credentials were issued, ISO 8601. */
  issuedAt?: string;
}

export interface AuthorizationRequest {
  principal: Principal;
  /** `s3:GetObject`. */
  action: string;
  resource: string;
  resourceAccountId: string;
  /** Condition keys of this request beyond those derived from the principal; names compared without case. */
  context: Record<string, string | string[]>;
  /** For keys that the request has and nobody knows yet. Default: a key that is not in `context` is absent. */
  supposition?: Supposition | undefined;
  /** For the date keys; default: the system's clock. */
  now?: Date;
}

export interface PolicySet {
  /** Inline and managed policies of the user or role. */
  identity: NamedPolicy[];
  boundary?: NamedPolicy | undefined;
  /** Session policies given at AssumeRole*. */
  session?: NamedPolicy[] | undefined;
  /** Bucket or key policy. */
  resource?: NamedPolicy | undefined;
  /**
   * Service control policies of the principal's account, a policy a level: each must allow, except that one with nothing
   * but Deny stands beside the `FullAWSAccess` of its level. Empty or absent: no organisation.
   */
  serviceControl?: NamedPolicy[] | undefined;
  /** Resource control policies of the resource's account: they only deny, beside the `RCPFullAWSAccess` that is always there. */
  resourceControl?: NamedPolicy[] | undefined;
  /** KMS: the key policy must itself allow, or delegate to IAM by naming the account; there is no access without it. */
  resourcePolicyDecides?: boolean;
}

export type PolicyLayer = "identity" | "resource" | "boundary" | "session" | "service-control" | "resource-control";

export interface Authorization {
  allowed: boolean;
  /** Explicit: a Deny matched. Implicit: a layer that must allow did not. */
  decision: "allowed" | "explicit-deny" | "implicit-deny";
  /** The layer that refused (or, when allowed, that allowed). */
  layer: PolicyLayer;
  /** Of the matching statement, where one matched. */
  statement?: { policy: string; sid?: string; index: number };
  /**
   * The end of AWS's own sentence, to be put after `… on resource: <arn> `: "because no identity-based policy allows the
   * s3:PutObject action", "with an explicit deny in a service control policy".
   */
  because: string;
}
