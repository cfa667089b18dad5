/** A KMS key, as its account can read it. */
import type { AccountReader, Reading } from "./reader.js";

export interface KeyFacts {
  /** `Enabled`, `Disabled`, `PendingDeletion` …: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
  state: Reading<string>;
  /** JSON text. */
  policy: Reading<string>;
}

const NOT_FOUND = ["NotFoundException"];

export async function readKey(reader: AccountReader, arn: string, region: string): Promise<KeyFacts> {
  const [{ DescribeKeyCommand, GetKeyPolicyCommand }, client] = await Promise.all([import("@aws-sdk/client-kms"), reader.clients.kms(region, reader.signer)]);
  const [state, policy] = await Promise.all([
    reader.read("kms:DescribeKey", NOT_FOUND, async (abortSignal) => (await client.send(new DescribeKeyCommand({ KeyId: arn }), { abortSignal })).KeyMetadata?.KeyState ?? ""),
    reader.read("kms:GetKeyPolicy", NOT_FOUND, async (abortSignal) => (await client.send(new GetKeyPolicyCommand({ KeyId: arn, PolicyName: "default" }), { abortSignal })).Policy ?? ""),
  ]);
  return { state, policy };
}
