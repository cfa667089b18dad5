/** The issuer's documents, as Google needs them. */
import type { GcpCauseValues, GcpEntry } from "../causes.js";
import { providerCommand, quote } from "../fixes.js";

const base = ({ contract }: GcpCauseValues) => contract.workload.issuer.replace(/\/$/, "");
const discovery = (values: GcpCauseValues) => `${base(values)}/.well-known/openid-configuration`;
const orUpload = (values: GcpCauseValues) => `, or upload the keys, which needs no reachable issuer: ${providerCommand(values, "update", "--jwk-json-path=jwks.json")}`;

export const issuerCauses = {
  "issuer.unreachable": {
    title: "The issuer cannot be reached",
    explanation: "Google fetches the discovery document and the keys over the public internet.",
    fix: (values) => `Make ${discovery(values)} answer from the internet: DNS, firewall, TLS listener${orUpload(values)}`,
  },
  "issuer.slow": {
    title: "The issuer answers too slowly",
    explanation: "Google waits a few seconds for each document of the issuer.",
    fix: (values) => `Serve the discovery document and the keys of ${base(values)} as static files or from a cache.`,
  },
  "issuer.error-answer": {
    title: "The issuer answers with an error",
    explanation: "Google needs 200 for the discovery document and for the keys.",
    fix: (values) => `Check \`curl -i ${quote(values.subject ?? discovery(values))}\`: it must answer 200 with JSON.`,
  },
  "issuer.certificate-untrusted": {
    title: "The issuer's certificate is not trusted",
    explanation: "Google verifies the certificate of the issuer's host against public authorities.",
    fix: (values) => `Give the host of ${base(values)} a certificate of a public authority, with the whole chain, valid for that host name${orUpload(values)}`,
  },
  "issuer.discovery-invalid": {
    title: "The issuer's discovery document is not as Google needs it",
    explanation: "It must be a JSON object with `issuer` and an https `jwks_uri`.",
    fix: (values) => `Correct ${discovery(values)}: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.issuer-differs": {
    title: "The issuer's discovery document names another issuer",
    explanation: "Its `issuer` must equal the token's `iss` and the provider's issuer byte for byte, slash and case included.",
    fix: (values) => `Set "issuer": ${JSON.stringify(values.contract.workload.issuer)} in ${discovery(values)}.`,
  },
  "issuer.keys-invalid": {
    title: "The issuer's key document is not as Google needs it",
    explanation: "It must be a JSON object with a list `keys`, each with a `kid`.",
    fix: (values) => `Correct the document at the issuer's jwks_uri: ${values.found ?? "see the evidence"}.`,
  },
  "issuer.key-unknown": {
    title: "The key that the token names is not among those that Google has",
    explanation: "The token's `kid` must be among the issuer's published keys, or among the uploaded ones where the provider has its own: after a rotation the old key stays until its tokens have expired, and the new one must be there before it signs.",
    fix: (values) =>
      values.exchange.issuerKeys === "uploaded"
        ? `Upload the issuer's present keys: ${providerCommand(values, "update", "--jwk-json-path=jwks.json")}; the stack takes them from its configuration (\`jwks\`).`
        : `Publish the key ${values.subject ?? ""} at the issuer's jwks_uri, or present a token that is signed with a published one.`,
  },
  "issuer.key-unusable": {
    title: "The issuer's key is published in a form that Google does not use",
    explanation: "Google takes RSA and P-256 keys for signatures.",
    fix: (values) => `Publish the key ${values.subject ?? ""} with kty, kid, alg, "use": "sig" and its public numbers only.`,
  },
  "issuer.signature-mismatch": {
    title: "The token was not signed with the key that stands under its key id",
    explanation: "The token comes from somebody else, or the issuer signs with a key that it replaced under the same `kid`.",
    fix: (values) => `Give every key of ${values.contract.workload.issuer} its own kid, and publish the one that signs.`,
  },
  "issuer.unreachable-for-google": {
    title: "Google cannot fetch the issuer's documents, although they can be had from here",
    explanation: "Google comes from the public internet: an issuer behind a firewall, a VPN or a private DNS zone is out of its reach.",
    fix: (values) => `Open ${discovery(values)} and its jwks_uri to the internet${orUpload(values)}`,
  },
} as const satisfies Record<string, GcpEntry>;
