/** The issuer's documents, as Entra needs them. */
import type { AzureCauseValues, AzureEntry } from "../causes.js";
import { quote } from "../fixes.js";

const base = ({ contract }: AzureCauseValues) => contract.workload.issuer.replace(/\/$/, "");
const discovery = (values: AzureCauseValues) => `${base(values)}/.well-known/openid-configuration`;

export const issuerCauses = {
  "issuer.unreachable": {
    title: "The issuer cannot be reached",
    explanation: "Entra fetches the discovery document and the keys over the public internet.",
    fix: (values) => `Make ${discovery(values)} answer from the internet: DNS, firewall, TLS listener; for documents on a storage account, its firewall and public access.`,
  },
  "issuer.slow": {
    title: "The issuer answers too slowly",
    explanation: "Entra waits a few seconds for each document of the issuer.",
    fix: (values) => `Serve the discovery document and the keys of ${base(values)} as static files or from a cache.`,
  },
  "issuer.error-answer": {
    title: "The issuer answers with an error",
    explanation: "Entra needs 200 for the discovery document and for the keys.",
    fix: (values) => `Check \`curl -i ${quote(values.subject ?? discovery(values))}\`: it must answer 200 with JSON.`,
  },
  "issuer.certificate-untrusted": {
    title: "The issuer's certificate is not trusted",
    explanation: "Entra verifies the certificate of the issuer's host against public authorities.",
    fix: (values) => `Give the host of ${base(values)} a certificate of a public authority, with the whole chain, valid for that host name.`,
  },
  "issuer.discovery-invalid": {
    title: "The issuer's discovery document is not as Entra needs it",
    explanation: "Entra reads it strictly: issuer, jwks_uri and subject_types_supported must be there, and no endpoint in it may be empty.",
    fix: (values) => `Correct ${discovery(values)}: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.issuer-differs": {
    title: "The issuer's discovery document names another issuer",
    explanation: "Its `issuer` must equal the token's `iss` and the federated identity credential's issuer byte for byte, slash and case included.",
    fix: (values) => `Set "issuer": ${JSON.stringify(values.contract.workload.issuer)} in ${discovery(values)}.`,
  },
  "issuer.keys-invalid": {
    title: "The issuer's key document is not as Entra needs it",
    explanation: "It must be a JSON object with a list `keys`, each with a `kid`.",
    fix: (values) => `Correct the document at the issuer's jwks_uri: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.key-unknown": {
    title: "The key that the token names is not among the issuer's",
    explanation: "The token's `kid` must be among the published keys: after a rotation the old key stays until its tokens have expired, and the new one must be there before it signs.",
    fix: (values) => `Publish the key ${values.subject ?? ""} at the jwks_uri of ${discovery(values)}, or present a token that is signed with a published one.`,
  },
  "issuer.key-cached": {
    title: "Entra still goes by the issuer's keys of before",
    explanation: "Entra keeps an issuer's keys: a new one that signs at once may be unknown to it for half an hour.",
    fix: () => "Wait up to 30 minutes and verify again, or verify with --wait 30m; have the issuer publish a new key well before it signs with it.",
  },
  "issuer.key-unusable": {
    title: "The issuer's key cannot be used",
    explanation: "Entra takes RSA keys for signatures (RS256); for others, ES256 among them, federated identity credentials are not made.",
    fix: (values) => `Sign with RS256, and publish the key ${values.subject ?? ""} as an RSA key with kid, "use": "sig" and its public numbers.`,
  },
  "issuer.signature-mismatch": {
    title: "The token was not signed with the key that stands under its key id",
    explanation: "The token comes from somebody else, or the issuer signs with a key that it replaced under the same `kid`.",
    fix: (values) => `Give every key of ${values.contract.workload.issuer} its own kid, and publish the one that signs.`,
  },
  "issuer.unreachable-for-entra": {
    title: "Entra cannot fetch the issuer's documents, although they can be had from here",
    explanation: "Entra comes from the public internet: an issuer behind a firewall, a VPN or a private DNS zone is out of its reach.",
    fix: (values) => `Open ${discovery(values)} and its jwks_uri to the internet.`,
  },
} as const satisfies Record<string, AzureEntry>;
