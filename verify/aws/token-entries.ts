/** What can be wrong with a token and with who issues it. */
import type { CauseEntry, FailureMode } from "../causes.js";
import type { AwsCauseValues } from "./causes.js";
import { issuerName } from "./fixes.js";

const TOKEN: FailureMode = "Invalid OIDC token";
const ASSUME: FailureMode = "Access denied assuming role";

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const mint = (values: AwsCauseValues) => {
  const { issuer, subject, audience } = values.contract.workload;
  return `Present a token of ${issuer} for subject ${subject} and audience ${audience}; if the workload was renamed on purpose, change \`workload\` in the stack's configuration and run \`pulumi up\`.`;
};

export const tokenCauses = {
  // ---- the token ----
  "token.expired": {
    title: "The token has expired",
    failureMode: TOKEN,
    explanation: "AWS accepts a token until 5 minutes after its `exp`.",
    fix: (values) => `Get a fresh token from ${values.contract.workload.issuer} right before the run; a projected token's file is renewed by the platform, so read it anew each time.`,
  },
  "token.not-yet-valid": {
    title: "The token is not valid yet",
    failureMode: TOKEN,
    explanation: "Its `nbf` or `iat` is more than 5 minutes ahead of AWS's clock: the issuer's clock is fast.",
    fix: (values) => `Set the clock of the machine that issues tokens for ${values.contract.workload.issuer} (NTP).`,
  },
  "token.clock-skew": {
    title: "The issuer's clock and AWS's differ",
    failureMode: TOKEN,
    explanation: "By this machine's clock the token is valid, by AWS's it has expired more than 5 minutes ago.",
    fix: (values) => `Compare this machine's clock and that of the issuer ${values.contract.workload.issuer} with a time server, and set the one that is slow (NTP).`,
  },
  "token.other-issuer": {
    title: "The token is of another issuer than the contract's",
    failureMode: TOKEN,
    explanation: "The issuer is compared byte for byte, slash and case included.",
    fix: mint,
  },
  "token.other-subject": {
    title: "The token is of another workload: its subject is not the contract's",
    failureMode: ASSUME,
    explanation: "The trust admits one exact subject; it is compared byte for byte.",
    fix: mint,
  },
  "token.other-audience": {
    title: "The token is for another audience than the contract's",
    failureMode: TOKEN,
    explanation: "The audience (`azp` where the token has one, `aud` otherwise) must be a client id of the provider and the one that the trust names.",
    fix: mint,
  },
  "token.unusable": {
    title: "AWS cannot use tokens of this form",
    failureMode: TOKEN,
    explanation: "STS needs iss, sub, aud, iat and exp, whole seconds, one of RS256/384/512 or ES256/384/512, no `crit`, and 4 to 20,000 characters.",
    fix: (values) => `Change what ${values.contract.workload.issuer} puts into its tokens: ${values.found ?? "see the evidence"}.`,
  },
  // ---- the issuer ----
  "issuer.unreachable": {
    title: "The issuer cannot be reached",
    failureMode: TOKEN,
    explanation: "AWS fetches the discovery document and the keys over the public internet, each within 5 seconds.",
    fix: (values) => `Make https://${issuerName(values)}/.well-known/openid-configuration answer from the internet: DNS, firewall, TLS listener.`,
  },
  "issuer.slow": {
    title: "The issuer answers too slowly",
    failureMode: TOKEN,
    explanation: "AWS waits 5 seconds for each document of the issuer.",
    fix: (values) => `Serve the discovery document and the keys of ${values.contract.workload.issuer} as static files or from a cache, in well under 5 seconds.`,
  },
  "issuer.error-answer": {
    title: "The issuer answers with an error",
    failureMode: TOKEN,
    explanation: "AWS needs 200 for the discovery document and for the keys, and follows no redirect.",
    fix: (values) => `Check \`curl -i ${quote(values.subject ?? values.contract.workload.issuer)}\`: it must answer 200 with JSON.`,
  },
  "issuer.certificate-untrusted": {
    title: "The issuer's certificate is not trusted",
    failureMode: TOKEN,
    explanation: "AWS verifies the certificate of the issuer's host against public authorities.",
    fix: (values) => `Give ${issuerName(values)} a certificate of a public authority, with the whole chain, valid for that host name.`,
  },
  "issuer.discovery-invalid": {
    title: "The issuer's discovery document is not as AWS needs it",
    failureMode: TOKEN,
    explanation: "It must be a JSON object with issuer, jwks_uri, response_types_supported, subject_types_supported and id_token_signing_alg_values_supported.",
    fix: (values) => `Correct https://${issuerName(values)}/.well-known/openid-configuration: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.issuer-differs": {
    title: "The issuer's discovery document names another issuer",
    failureMode: TOKEN,
    explanation: "Its `issuer` must equal the token's `iss` byte for byte, slash and case included.",
    fix: (values) => `Set "issuer": ${JSON.stringify(values.contract.workload.issuer)} in https://${issuerName(values)}/.well-known/openid-configuration.`,
  },
  "issuer.keys-invalid": {
    title: "The issuer's key document is not as AWS needs it",
    failureMode: TOKEN,
    explanation: "It must be a JSON object with a list `keys`: at most 100 keys of a type, each with a `kid`, for signatures and without `key_ops`.",
    fix: (values) => `Correct the document at the issuer's jwks_uri: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.key-unknown": {
    title: "The issuer does not publish the key that the token names",
    failureMode: TOKEN,
    explanation: "The token's `kid` must be among the issuer's keys: after a rotation the old key has to stay published until its tokens have expired, and the new one before it signs.",
    fix: (values) => `Publish the key ${values.subject ?? ""} at the issuer's jwks_uri again, or present a token that is signed with a published one.`,
  },
  "issuer.key-unusable": {
    title: "The issuer's key is published in a form that AWS does not use",
    failureMode: TOKEN,
    explanation: "AWS refuses keys with `key_ops`, keys for encryption, and keys whose certificate (`x5c`) holds another key.",
    fix: (values) => `Publish the key ${values.subject ?? ""} with kty, kid, alg, "use": "sig" and its public numbers only.`,
  },
  "issuer.signature-mismatch": {
    title: "The token was not signed with the key that the issuer publishes under its key id",
    failureMode: TOKEN,
    explanation: "The token comes from somebody else, or the issuer signs with a key that it replaced under the same `kid`.",
    fix: (values) => `Give every key of ${values.contract.workload.issuer} its own kid, and publish the one that signs.`,
  },
  "issuer.unreachable-for-aws": {
    title: "AWS cannot fetch the issuer's documents, although they can be had from here",
    failureMode: TOKEN,
    explanation: "AWS comes from the public internet: an issuer behind a firewall, a VPN or a private DNS zone is out of its reach. AWS also remembers keys for a while after a rotation.",
    fix: (values) => `Open https://${issuerName(values)}/.well-known/openid-configuration and its jwks_uri to the internet.`,
  },
} as const satisfies Record<string, CauseEntry<AwsCauseValues>>;
