/** Conditions on keys that nobody knows, and keys that no signature can be checked with. */
import { authorize } from "../../trust/aws/authorize.js";
import { keyMistake } from "../../trust/aws/issuer-keys.js";
import type { AuthorizationRequest } from "../../trust/aws/types.js";
import { generateKeyPairSync } from "node:crypto";

const statement = (Effect: "Allow" | "Deny", Condition: object = {}) => ({ Effect, Action: "s3:PutObject", Resource: "*", Condition });
const inNetwork = { IpAddress: { "AWS:sourceip": "203.0.113.0/24" } };

function decide(statements: object[], supposition: AuthorizationRequest["supposition"], context: AuthorizationRequest["context"] = {}) {
  const account = "111122223333";
  return authorize(
    {
      principal: { kind: "role-session", arn: `arn:aws:sts::${account}:assumed-role/dcf/run`, accountId: account, roleArn: `arn:aws:iam::${account}:role/dcf`, issuedAt: "2026-11-21T10:00:00Z" },
      action: "s3:PutObject",
      resource: "arn:aws:s3:::artifacts/app.zip",
      resourceAccountId: account,
      context,
      supposition,
    },
    { identity: [{ name: "policy", document: JSON.stringify({ Version: "2012-10-17", Statement: statements }) }] },
  ).decision;
}

describe("a condition on an unknown key", () => {
  const unknownKeys = ["aws:SourceIp"];

  it.each([
    ["favour", [statement("Allow", inNetwork)], "allowed"],
    ["disfavour", [statement("Allow", inNetwork)], "implicit-deny"],
    ["favour", [statement("Allow"), statement("Deny", inNetwork)], "allowed"],
    ["disfavour", [statement("Allow"), statement("Deny", inNetwork)], "explicit-deny"],
  ] as const)("in %s of the request", (side, statements, decision) => {
    expect(decide([...statements], { unknownKeys, in: side })).toBe(decision);
  });

  it("leaves the conditions on known keys beside it to decide", () => {
    const elsewhere = { ...inNetwork, StringEquals: { "aws:RequestedRegion": "us-east-1" } };
    expect(decide([statement("Allow", elsewhere)], { unknownKeys, in: "favour" }, { "aws:RequestedRegion": "eu-west-1" })).toBe("implicit-deny");
    expect(decide([statement("Allow", elsewhere)], { unknownKeys, in: "favour" }, { "aws:RequestedRegion": "us-east-1" })).toBe("allowed");
  });

  it("is an absent key without a supposition", () => {
    expect(decide([statement("Allow", inNetwork)], undefined)).toBe("implicit-deny");
  });
});

it.each([
  ["2026-11-21T10:00:01Z", "explicit-deny"],
  ["2026-11-21T10:00:00Z", "allowed"],
])("sessions issued before %s are revoked", (moment, decision) => {
  expect(decide([statement("Allow"), statement("Deny", { DateLessThan: { "aws:TokenIssueTime": moment } })], undefined)).toBe(decision);
});

describe("a published key", () => {
  const jwk = { ...generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }), kid: "k1" };

  it.each([
    ["is usable", {}, undefined],
    ["is usable for signatures", { use: "sig" }, undefined],
    ["is for encryption", { use: "enc" }, 'the issuer\'s key "k1" is not for signatures (use "enc")'],
    ["has operations", { key_ops: ["verify"] }, 'the issuer\'s key "k1" has key_ops, which AWS does not accept'],
    ["has no type", { kty: undefined }, 'the issuer\'s key "k1" is no readable public key'],
    ["has another certificate", { x5c: ["MIIB"] }, 'the certificate (x5c) of the issuer\'s key "k1" holds another key'],
  ])("%s", (_what, members, mistake) => {
    expect(keyMistake({ ...jwk, ...members })).toBe(mistake);
  });
});
