/** Each thing that can break: what AWS answers the platform, and whether verify names it, and nothing else. */
import { startDcfAws, type Encryption, type Provisioned } from "../support/dcf-aws.js";
import { Administrator } from "../support/administrator.js";
import { Platform } from "../support/platform.js";
import type { Contract } from "../../contract/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { breakages, type Breakage } from "./breakage-table.js";

forwardRejections();

let sandbox: Sandbox;
let stacks: Record<Encryption, Provisioned>;
let platform: Platform;

beforeAll(async () => {
  ({ sandbox, stacks } = await startDcfAws());
  platform = new Platform(sandbox);
  for (const stack of Object.values(stacks)) {
    sandbox.restore(stack.healthy);
    await platform.store(stack.contract, await sandbox.issuers.mint(stack.contract.workload));
    stack.healthy = sandbox.snapshot();
  }
});
afterAll(async () => {
  platform.close();
  await sandbox.close();
});

/** The account and the token as the row has them. */
async function stage(row: Pick<Breakage, "break" | "contract" | "encryption" | "token">): Promise<{ contract: Contract; token: string }> {
  const { contract, healthy } = stacks[row.encryption ?? "sse-s3"];
  sandbox.restore(healthy);
  const token = await row.token?.(sandbox, contract);
  const healthyToken = token ?? (await sandbox.issuers.mint(contract.workload));
  await row.break?.(new Administrator(sandbox, contract));
  const given = row.contract?.(contract) ?? contract;
  const ownIssuer = given.workload.issuer === contract.workload.issuer;
  return { contract: given, token: ownIssuer ? healthyToken : await sandbox.issuers.mint(given.workload) };
}

describe.each(["sse-s3", "kms"] as const)("a healthy account (%s)", (encryption) => {
  it("refuses the platform nothing but the bucket that it has no grant on", async () => {
    const { contract, token } = await stage({ encryption });
    await expect(platform.walk(contract, token)).resolves.toEqual({ refused: {}, entersRefusalBucket: false });
  });
});

describe.each(breakages)("$name", (row) => {
  it("is what AWS answers the platform", async () => {
    const { contract, token } = await stage(row);
    const answers = Object.entries(row.refused).map(([operation, answer]) => [operation, { ...answer, message: expect.stringContaining(answer.message) }]);
    await expect(platform.walk(contract, token)).resolves.toEqual({
      refused: Object.fromEntries(answers),
      entersRefusalBucket: row.entersRefusalBucket ?? false,
    });
  });
});
