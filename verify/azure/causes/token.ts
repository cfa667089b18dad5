/** The workload's own token. */
import type { AzureEntry } from "../causes.js";

const again = "Have the platform mint a token for this contract's workload";

export const tokenCauses = {
  "token.other-issuer": {
    title: "The token is of another issuer",
    explanation: "Entra compares the token's `iss` with the federated identity credential's issuer byte for byte, slash and case included.",
    fix: ({ contract }) => `${again} at ${contract.workload.issuer}, or give verify the contract that belongs to the token.`,
  },
  "token.other-subject": {
    title: "The token is of another subject",
    explanation: "Subjects are compared byte for byte.",
    fix: ({ contract }) => `${again} with the subject ${contract.workload.subject}, or give verify the contract that belongs to the token.`,
  },
  "token.other-audience": {
    title: "The token is for another audience",
    explanation: "A federated identity credential has exactly one audience, and the token's `aud` must be it.",
    fix: ({ contract }) => `${again} with the audience ${contract.workload.audience}, or set the audience in the stack's configuration to the one that the platform mints and run \`pulumi up\`.`,
  },
  "token.expired": {
    title: "The token has expired",
    explanation: "Entra allows clocks to differ by five minutes.",
    fix: () => "Present a fresh token; where a file holds it, look whether the platform still renews it, and in long jobs have one minted for each exchange.",
  },
  "token.not-yet-valid": {
    title: "The token is not valid yet",
    explanation: "Its `nbf` or `iat` is ahead by more than the five minutes that Entra allows.",
    fix: () => "Set the clock of the machine that issues tokens by NTP.",
  },
  "token.clock-skew": {
    title: "Entra's clock and that of this machine or of the issuer differ",
    explanation: "By the clock here the token is in time; by Entra's it is not.",
    fix: () => "Set the clocks of the issuer and of this machine by NTP.",
  },
  "token.unusable": {
    title: "The token is not as Entra needs it",
    explanation: "It must be a JWT of type JWT, signed with RS256, with `kid` in its header and iss, sub, aud and exp.",
    fix: (values) => `Correct the issuer's tokens: ${values.found ?? "see the evidence"}.`,
  },
} as const satisfies Record<string, AzureEntry>;
