/** Each thing that builds can stumble over: what AWS tells the platform, and whether verify names it, and nothing else. */
import type { Contract } from "../../contract/index.js";
import type { AwsAccessKey } from "../../sandbox/aws/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, verifyContract, type Report } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { BuildAdministrator } from "../support/build-administrator.js";
import { provisionDcfAws, type Encryption } from "../support/dcf-aws.js";
import { buildBreakages } from "./breakage-table.js";
import type { Evidence } from "./breakages/breakage.js";

forwardRejections();

interface Stage {
  contract: Contract;
  reader: AwsAccessKey;
  healthy: SandboxSnapshot;
}

let sandbox: Sandbox;
const stages = new Map<Encryption, Stage>();

beforeAll(async () => {
  sandbox = await startSandbox();
  const empty = sandbox.snapshot();
  for (const encryption of ["sse-s3", "kms"] as const) {
    sandbox.restore(empty);
    const contract = await provisionDcfAws(sandbox, { bucket: { encryption }, lambdaBuild: { undeploy: true } });
    const reader = await new BuildAdministrator(sandbox, contract).createReader();
    stages.set(encryption, { contract, reader, healthy: sandbox.snapshot() });
  }
});
afterAll(() => sandbox.close());

function verify(evidence: Evidence, { contract, reader }: Stage): Promise<Report> {
  return verifyContract({
    contract,
    ...(evidence === "account" ? {} : { token: functionToken((order) => sandbox.issuers.mint({ ...contract.workload, ...order }), ["subject", "audience", "expiresInSeconds"]) }),
    ...(evidence === "token" ? {} : { account: reader }),
    depth: "deploy",
    acceptResidue: true,
    env: sandbox.env({ region: "eu-west-1" }),
    waitSeconds: 0,
  });
}

function told({ findings, checks, exitCode }: Report) {
  return {
    findings: findings.map(({ causes }) => causes.map(({ code }) => code).sort()),
    withoutVerdict: checks.filter(({ status, required }) => required && status === "unknown").map(({ id, reason }) => `${id}: ${reason}`),
    exitCode,
  };
}

function blaming(causes: readonly string[]) {
  return { findings: causes.length === 0 ? [] : [[...causes].sort()], withoutVerdict: [], exitCode: causes.length === 0 ? 0 : 1 };
}

describe.each(["sse-s3", "kms"] as const)("builds in a healthy account (%s)", (encryption) => {
  it.each(["token", "account", "both"] as const)("pass every required check with %s evidence", async (evidence) => {
    const stage = stages.get(encryption)!;
    sandbox.restore(stage.healthy);
    const report = await verify(evidence, stage);
    expect(told(report)).toEqual(blaming([]));
    expect(report.checks.filter(({ required, status }) => required && status !== "pass")).toEqual([]);
  });
});

describe.each(buildBreakages)("$name", (row) => {
  it.each(["token", "account", "both"] as const)("is what verify names, and nothing else, with %s evidence", async (evidence) => {
    const stage = stages.get(row.encryption ?? "sse-s3")!;
    sandbox.restore(stage.healthy);
    await row.break(new BuildAdministrator(sandbox, stage.contract));
    const report = await verify(evidence, stage);
    expect(told(report)).toEqual(blaming(row.expect[evidence]));
    const failed = report.checks.filter(({ status, grade }) => status === "fail" && grade === "live").map(({ seen }) => seen);
    if (evidence !== "account" && row.told !== undefined) expect(failed).toContainEqual(expect.stringContaining(row.told));
    for (const { failureMode, evidence: seen, fix } of report.findings.flatMap(({ causes }) => (causes.length === 1 ? causes : []))) {
      expect(failureMode).toBe(row.failureMode);
      expect(seen).not.toEqual([]);
      expect(fix).not.toMatch(/^$|undefined|\[object/);
      expect(fix).toContain(row.fix ?? "");
    }
  });
});
