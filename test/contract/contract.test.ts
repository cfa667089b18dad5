import { ContractError, contractJsonSchema, readContract, writeContract } from "../../contract/index.js";
import { exampleContract } from "../support/contract.js";

const contract = exampleContract();
const changed = (change: Record<string, unknown>) => ({ ...contract, ...change });

function errorOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ContractError);
    const { message } = error as ContractError;
    expect(message).not.toContain("\n");
    return message;
  }
  throw new Error("nothing was thrown");
}

describe("reading a contract", () => {
  it("takes it bare, and as a stack's outputs", () => {
    expect(readContract(contract)).toEqual({ ...contract, unrecognised: [] });
    expect(readContract({ roleArn: "x", contract })).toEqual({ ...contract, unrecognised: [] });
  });

  it("ignores fields that a later release added", () => {
    expect(readContract(changed({ later: true, workload: { ...contract.workload, later: 1 } }))).toEqual({ ...contract, unrecognised: [] });
  });

  it("keeps later kinds of grants and refusals aside", () => {
    const grants = [{ id: "q", kind: "sqs-queue", queue: "q" }, ...contract.grants];
    const refusalTargets = [...contract.refusalTargets, { kind: "sqs-queue", queue: "q" }];
    expect(readContract(changed({ grants, refusalTargets }))).toEqual({
      ...contract,
      unrecognised: [
        { path: "grants[0]", kind: "sqs-queue", id: "q" },
        { path: "refusalTargets[1]", kind: "sqs-queue" },
      ],
    });
    expect(readContract(changed({ grants: [grants[0]] })).grants).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ["text", "x", 'A contract is a JSON object; got "x".'],
    ["nothing", null, "A contract is a JSON object; got null."],
    ["a list", [contract], "A contract is a JSON object; got a list."],
    [
      "outputs of a stack that did not finish",
      { contract: null },
      "The output `contract` is no JSON object; got null. Run `pulumi up` to the end, then `pulumi stack output --json`.",
    ],
    [
      "something else",
      { hello: 1 },
      'This is no contract: kind must be "cloud-federation/contract"; got nothing. Give it the stack\'s output `contract`, or all of `pulumi stack output --json`.',
    ],
    ["a later version", changed({ version: 2 }), "The contract has version 2, made by a newer release: this one reads up to version 1. Upgrade cloud-federation."],
    ["version 0", changed({ version: 0 }), "The contract's version must be a whole number from 1 to 1; got 0."],
    ["a version in quotes", changed({ version: "1" }), 'The contract\'s version must be a whole number from 1 to 1; got "1".'],
    ["no grants", changed({ grants: [] }), "The contract cannot be read: grants: "],
    [
      "a grant without a bucket",
      changed({ grants: [{ ...contract.grants[0], bucket: undefined }] }),
      "The contract cannot be read: grants[0].bucket: expected string, received undefined",
    ],
    ["several mistakes", changed({ integration: "", environment: "moon" }), "; environment: "],
    [
      "twin grants",
      changed({ grants: [contract.grants[0], contract.grants[0]] }),
      'The contract cannot be read: grants[1].id: "artifacts" is the id of another grant too',
    ],
    ["an issuer without TLS", changed({ workload: { ...contract.workload, issuer: "http://oidc.dcf.example" } }), "The contract cannot be read: workload.issuer: "],
  ])("says what is wrong with %s", (_name, value, expected) => {
    expect(errorOf(() => readContract(value))).toContain(expected);
  });

  it("says everything at once, each where it stands in what was given, and the way out", () => {
    const grants = [{ id: "q", kind: "sqs-queue" }, { ...contract.grants[0], bucket: 7 }, ...contract.grants];
    expect(errorOf(() => readContract(changed({ environment: "moon", exchange: { type: "magic" }, targets: undefined, grants })))).toBe(
      'The contract cannot be read: environment: Invalid option: expected one of "cloud"|"sandbox"; ' +
        "exchange.type: Invalid discriminator value. Expected 'aws-web-identity' | 'azure-client-assertion' | 'gcp-workload-identity'; " +
        "grants[1].bucket: expected string, received number; targets: expected array, received undefined; " +
        'grants[2].id: "artifacts" is the id of another grant too. ' +
        "Take it as the stack wrote it, from `pulumi stack output --json`; its fields are described in the package's contract.schema.json.",
    );
  });
});

describe("writing a contract", () => {
  it("hands on what fits", () => {
    expect(writeContract(contract)).toEqual(contract);
  });

  it.each([
    ["a token", `eyJhbGciOiJFUzI1NiJ9.${"a".repeat(20)}.sig`],
    ["an AWS access key", `AKIA${"A".repeat(16)}`],
    ["a private key", "-----BEGIN PRIVATE KEY-----"],
  ])("refuses what looks like %s, without repeating it", (name, secret) => {
    const message = errorOf(() => writeContract({ ...contract, targets: [{ kind: "x", id: secret, ownership: "created" }] }));
    expect(message).toBe(`The contract must hold no secret: targets[0].id looks like ${name}`);
  });

  it("refuses a field that the schema does not know", () => {
    const exchange = { ...contract.exchange, secretAccessKey: "x" };
    expect(errorOf(() => writeContract({ ...contract, exchange }))).toBe("The contract does not fit its schema: exchange.secretAccessKey is no field of it");
  });

  it("refuses what no reader would take", () => {
    expect(errorOf(() => writeContract({ ...contract, grants: [] }))).toContain("The contract does not fit its schema: grants: ");
    expect(errorOf(() => writeContract({ ...contract, grants: [...contract.grants, ...contract.grants] }))).toContain("is the id of another grant too");
  });
});

describe("the published schema", () => {
  it("has every grant kind as an alternative", () => {
    const { properties } = contractJsonSchema() as { properties: { grants: { items: { oneOf: { properties: { kind: { const: string } } }[] } } } };
    expect(properties.grants.items.oneOf.map(({ properties: { kind } }) => kind.const)).toEqual([
      "s3-objects",
      "kms-key",
      "codebuild-project",
      "lambda-functions",
      "gcs-bucket",
      "artifact-registry-repository",
      "cloud-build",
      "cloud-run-service",
      "gke-deployments",
      "project-logs",
      "azure-resource-group",
      "blob-container",
      "app-service",
    ]);
  });
});
