/** The workload's own token. */
import type { GcpEntry } from "../causes.js";

const again = "Have the platform mint a token for this contract's workload";

export const tokenCauses = {
  "token.other-issuer": {
    title: "The token is of another issuer",
    explanation: "Google compares the token's `iss` with the provider's issuer byte for byte, slash and case included.",
    fix: ({ contract }) => `${again} at ${contract.workload.issuer}, or give verify the contract that belongs to the token.`,
  },
  "token.other-subject": {
    title: "The token is of another subject",
    explanation: "Subject, mapping and condition are compared byte for byte.",
    fix: ({ contract }) => `${again} with the subject ${contract.workload.subject}, or give verify the contract that belongs to the token.`,
  },
  "token.other-audience": {
    title: "The token is for another audience",
    explanation: "The token's `aud` must be one that the provider allows; the audience of the exchange request is another thing.",
    fix: ({ contract }) => `${again} with the audience ${contract.workload.audience}; where the platform mints another one, set \`tokenAudience\` to that in the stack's configuration and run \`pulumi up\`.`,
  },
  "token.expired": {
    title: "The token has expired",
    explanation: "Google allows clocks to differ by a minute.",
    fix: () => "Present a fresh token; where a file holds it, look whether the platform still renews it.",
  },
  "token.not-yet-valid": {
    title: "The token is not valid yet",
    explanation: "Its `iat` or `nbf` is ahead by more than the minute that Google allows.",
    fix: () => "Set the clock of the machine that issues tokens by NTP.",
  },
  "token.too-old": {
    title: "The token was issued more than a day ago",
    explanation: "Google takes no token whose `iat` is older than 24 hours, even where `exp` is later.",
    fix: () => "Present a fresh token; have the platform mint tokens that live for less than a day.",
  },
  "token.clock-skew": {
    title: "Google's clock and that of this machine or of the issuer differ",
    explanation: "By the clock here the token is in time; by Google's it is not.",
    fix: () => "Set the clocks of the issuer and of this machine by NTP.",
  },
  "token.unusable": {
    title: "The token is not as Google needs it",
    explanation: "It must be a JWT of at most 12 KB, signed with RS256 or ES256, with `kid` in its header and iss, sub, aud, iat and exp.",
    fix: (values) => `Correct the issuer's tokens: ${values.found ?? "see the evidence"}.`,
  },
} as const satisfies Record<string, GcpEntry>;
