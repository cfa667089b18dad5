/** The federated identity credential: what Entra compares the token with. */
import type { AzureEntry } from "../causes.js";
import { credentialCommand, credentialUpdate, up } from "../fixes.js";

export const credentialCauses = {
  "azure.credential.issuer-differs": {
    title: "No federated identity credential of the identity is for the token's issuer",
    explanation: "Issuers are compared byte for byte; a slash at the end, a capital or a blank makes another one, and Entra takes wrong values without a word.",
    fix: credentialUpdate,
  },
  "azure.credential.audience-differs": {
    title: "The federated identity credential is for another audience",
    explanation: "A credential has exactly one audience, and the token's `aud` must be it.",
    fix: credentialUpdate,
  },
  "azure.credential.subject-differs": {
    title: "No federated identity credential of the identity is for the token's subject",
    explanation: "Subjects are compared byte for byte, without wildcards.",
    fix: credentialUpdate,
  },
  "azure.credential.subject-case-differs": {
    title: "The federated identity credential's subject differs from the token's by case only",
    explanation: "Subjects are compared with regard to case; old credentials, and what people copy, often are not.",
    fix: credentialUpdate,
  },
  "azure.credential.differs": {
    title: "No federated identity credential of the identity matches the token",
    explanation: "Issuer, subject and audience must each be equal to the token's, byte for byte. Entra does not say which differs.",
    fix: credentialUpdate,
  },
  "azure.credential.missing": {
    title: "The identity has no federated identity credential",
    explanation: "Nobody's token is accepted for it.",
    fix: () => `${up}; it makes the credential.`,
  },
  "azure.credential.invalid": {
    title: "The contract's workload cannot be trusted as it is",
    explanation: "Entra takes such values without a word and then matches no token with them, or more than the one that is meant.",
    fix: () => `Correct issuer, subject and audience in the stack's configuration and run \`pulumi up\`.`,
  },
  "azure.credential.not-propagated": {
    title: "The federated identity credential is too new for Entra",
    explanation: "A new or changed credential is seen after some minutes; until then Entra answers as if it were not there.",
    fix: () => "Wait some minutes and verify again, or verify with --wait 15m.",
  },
  "azure.credential.stale": {
    title: "Entra does not go by the federated identity credential that is there",
    explanation: "It equals the token in every character and has been there long enough; deleting it and making it anew has helped others.",
    fix: (values) => `${credentialCommand(values, "delete")}, then ${up.charAt(0).toLowerCase()}${up.slice(1)}.`,
  },
  "azure.credential.on-other-identity": {
    title: "The federated identity credential is on another identity",
    explanation: "A credential counts only for the identity that it is on: the client id in the contract must be that one's.",
    fix: (values) => `${up}; the credential is on ${values.found ?? "another identity"}. To see those of the contract's identity: ${credentialCommand(values, "list")}`,
  },
  "azure.credential.limit": {
    title: "The identity has as many federated identity credentials as it may have",
    explanation: "An identity holds 20 at most; the next one is refused.",
    fix: (values) => `Delete those that nobody needs (${credentialCommand(values, "list")}), or give the workload an identity of its own.`,
  },
  "azure.credential.flexible": {
    title: "A federated identity credential matches more than one subject",
    explanation: "It has an expression instead of a subject, and lets in whoever matches.",
    fix: (values) => `${up}; it makes a credential with one exact subject. Remove the other one: ${credentialCommand(values, "list")}`,
  },
  "azure.credential.too-wide": {
    title: "The identity accepts what it must refuse",
    explanation: "It has a federated identity credential for somebody else than the contract's workload, who gets the same access.",
    fix: (values) => `Look for a credential that is not of ${values.contract.workload.subject}, and remove it: ${credentialCommand(values, "list")}`,
  },
  "azure.credential-file.differs": {
    title: "The credential file that was given to the platform differs from the contract",
    explanation: "The platform goes by the file, Entra by the federated identity credential: every field must be the same, byte for byte.",
    fix: () => "Give the platform the file as the stack puts it out: pulumi stack output azureCredentials --json > azure_credentials.json",
  },
} as const satisfies Record<string, AzureEntry>;
