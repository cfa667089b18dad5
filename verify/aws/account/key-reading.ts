/** A KMS key, as its account can read it. */
import type { AccountReader, Reading } from "./reader.js";

export interface KeyFacts {
  /** The key's own ARN, also when it was named by its id or an alias. */
  arn: Reading<string>;
  /** `Enabled`, `Disabled`, `PendingDeletion` …: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
  state: Reading<string>;
  /** JSON text. */
  policy: Reading<string>;
}

const NOT_FOUND = ["NotFoundException"];

/** @param name ARN or id of the key, or an alias, as services take them */
export async function readKey(reader: AccountReader, name: string, region: string): Promise<KeyFacts> {
  const [{ DescribeKeyCommand, GetKeyPolicyCommand }, client] = await Promise.all([import("@aws-sdk/client-kms"), reader.clients.kms(region, reader.signer)]);
  const policyOf = (KeyId: string) =>
    reader.read("kms:GetKeyPolicy", NOT_FOUND, async (abortSignal) => (await client.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }), { abortSignal })).Policy ?? "");
  const described = reader.read("kms:DescribeKey", NOT_FOUND, async (abortSignal) => (await client.send(new DescribeKeyCommand({ KeyId: name }), { abortSignal })).KeyMetadata);
  // A key's policy cannot be asked for by an alias.
  const [metadata, policy] = await Promise.all([described, isAlias(name) ? described.then((key) => (key.status === "read" ? policyOf(key.value?.Arn ?? name) : key)) : policyOf(name)]);
  if (metadata.status !== "read") return { arn: metadata, state: metadata, policy };
  return { arn: { status: "read", value: metadata.value?.Arn ?? name }, state: { status: "read", value: metadata.value?.KeyState ?? "" }, policy };
}

function isAlias(name: string): boolean {
  return /(^|:)alias\//.test(name);
}
