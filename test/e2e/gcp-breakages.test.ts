/** Each thing that can break in a Google Cloud project: what Google answers the platform, and whether verify names it, and nothing else. */
import type { Contract } from "../../contract/index.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, verifyContract, type Report, type TokenSource, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { GcpAdministrator } from "../support/gcp-administrator.js";
import { provisionGcp } from "../support/gcp.js";
import { gcpBreakages } from "./breakages/gcp.js";
import type { GcpBreakage, GcpStack } from "./breakages/gcp-breakage.js";

forwardRejections();

type Evidence = "token" | "account" | "both";

let sandbox: Sandbox;
const stacks = new Map<GcpStack, { contract: Contract; healthy: SandboxSnapshot }>();

beforeAll(async () => {
  sandbox = await startSandbox();
  const empty = sandbox.snapshot();
  for (const stack of ["dcf-gcp"] as const) {
    sandbox.restore(empty);
    const { contract } = await provisionGcp(sandbox, stack);
    stacks.set(stack, { contract, healthy: sandbox.snapshot() });
  }
});
afterAll(() => sandbox.close());

interface Stage {
  contract: Contract;
  token: TokenSource;
  reader: string;
}

/** The project and the token as the row has them. */
async function stage(row: Pick<GcpBreakage, "break" | "contract" | "stack" | "token">): Promise<Stage> {
  const { contract, healthy } = stacks.get(row.stack ?? "dcf-gcp")!;
  sandbox.restore(healthy);
  const administrator = new GcpAdministrator(sandbox, contract);
  await row.break?.(administrator);
  const given = row.contract?.(contract) ?? contract;
  const order = (await row.token?.(sandbox, contract)) ?? {};
  const mint = (more: object) => sandbox.issuers.mint({ issuer: given.workload.issuer, subject: given.workload.subject, audience: given.workload.audience, ...order, ...more });
  return { contract: given, token: functionToken(mint, ["subject", "audience", "expiresInSeconds"]), reader: administrator.reader() };
}

function verify(evidence: Evidence, { contract, token, reader }: Stage, options: Partial<VerifyOptions> = {}): Promise<Report> {
  return verifyContract({
    contract,
    ...(evidence === "account" ? {} : { token }),
    ...(evidence === "token" ? {} : { account: { accessToken: reader } }),
    env: sandbox.env(),
    ca: sandbox.caPem,
    waitSeconds: 0,
    ...options,
  });
}

/** What a reader of the report is told. A wait of zero seconds excludes that something is merely new only where all of it was waited. */
function told({ findings, checks, exitCode, residue }: Report) {
  return {
    findings: findings.map(({ causes }) => causes.map(({ code }) => code).filter((code) => !code.endsWith("not-propagated")).sort()),
    withoutVerdict: checks.filter(({ status, required }) => required && status === "unknown").map(({ id, reason }) => `${id}: ${reason}`),
    exitCode,
    residue,
  };
}

function blaming(causes: readonly string[]) {
  return { findings: causes.length === 0 ? [] : [[...causes].sort()], withoutVerdict: [], exitCode: causes.length === 0 ? 0 : 1 };
}

describe("a healthy project", () => {
  it.each(["token", "account", "both"] as const)("passes every required check with %s evidence", async (evidence) => {
    const report = await verify(evidence, await stage({}));
    expect(told(report)).toEqual({ findings: [], withoutVerdict: [], exitCode: 0, residue: [] });
    expect(report.checks.filter(({ required, status }) => required && status !== "pass")).toEqual([]);
  });
});

describe.each(gcpBreakages)("$name", (row) => {
  it("is what verify names, and nothing else", async () => {
    const staged = await stage(row);
    const options = row.depth === undefined ? {} : { depth: row.depth };
    const reports = { token: await verify("token", staged, options), account: await verify("account", staged, options), both: await verify("both", staged, options) };
    expect({ token: told(reports.token), account: told(reports.account), both: told(reports.both) }).toMatchObject({
      token: blaming(row.expect.token),
      account: blaming(row.expect.account),
      both: blaming(row.expect.both),
    });
    const causes = Object.values(reports).flatMap(({ findings }) => findings).flatMap((finding) => (finding.causes.length === 1 ? finding.causes : []));
    for (const { failureMode, evidence, fix } of causes) {
      if (row.failureMode !== undefined) expect(failureMode).toBe(row.failureMode);
      expect(evidence).not.toEqual([]);
      expect(fix).not.toMatch(/^$|undefined|\[object/);
    }
  });
});
