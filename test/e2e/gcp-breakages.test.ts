/** Each thing that can break in a Google Cloud project: what Google answers the platform, and whether verify names it, and nothing else. */
import type { Contract } from "../../contract/index.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, verifyContract, type Report, type TokenSource, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { GcpAdministrator } from "../support/gcp-administrator.js";
import { walk } from "../support/gcp-platform.js";
import { provisionGcp } from "../support/gcp.js";
import { Klavi } from "../support/klavi.js";
import { gcpBreakages } from "./breakages/gcp.js";
import type { GcpBreakage, GcpStack } from "./breakages/gcp-breakage.js";
import { klaviBreakages } from "./breakages/klavi.js";

forwardRejections();

type Evidence = "token" | "account" | "both";

let sandbox: Sandbox;
const stacks = new Map<GcpStack, { contract: Contract; healthy: SandboxSnapshot }>();

beforeAll(async () => {
  sandbox = await startSandbox();
  const empty = sandbox.snapshot();
  for (const stack of ["dcf-gcp", "klavi-gcp"] as const) {
    sandbox.restore(empty);
    const { contract } = await provisionGcp(sandbox, stack);
    if (stack === "klavi-gcp") await new Klavi(sandbox, contract).createRole();
    stacks.set(stack, { contract, healthy: sandbox.snapshot() });
  }
});
afterAll(() => sandbox.close());

interface Stage {
  contract: Contract;
  token: TokenSource;
  reader: string;
}

type Situation = Pick<GcpBreakage, "break" | "contract" | "signer" | "stack" | "token">;

/** The project and the token as the row has them. */
async function stage(row: Situation): Promise<Stage> {
  const { stack = "dcf-gcp" } = row;
  const { contract, healthy } = stacks.get(stack)!;
  sandbox.restore(healthy);
  const administrator = new GcpAdministrator(sandbox, contract);
  await row.break?.(administrator);
  const given = row.contract?.(contract) ?? contract;
  return { contract: given, token: stack === "klavi-gcp" ? await signer(row, given) : await minter(row, given), reader: administrator.reader() };
}

async function signer(row: Situation, contract: Contract): Promise<TokenSource> {
  const klavi = new Klavi(sandbox, contract);
  return row.signer?.(klavi) ?? klavi.source(await klavi.session());
}

/** The platform's issuer, which can make broken tokens too. */
async function minter(row: Situation, contract: Contract): Promise<TokenSource> {
  const { issuer, subject, audience } = contract.workload;
  const order = (await row.token?.(sandbox, contract)) ?? {};
  return functionToken((more) => sandbox.issuers.mint({ issuer, subject, audience, ...order, ...more }), ["subject", "audience", "expiresInSeconds"]);
}

function verify(evidence: Evidence, { contract, token, reader }: Stage, options: Partial<VerifyOptions> = {}): Promise<Report> {
  return verifyContract({
    contract,
    ...(evidence === "account" ? {} : { token }),
    ...(evidence === "token" ? {} : { account: { accessToken: reader } }),
    // What the bucket of an upload-only grant keeps is the sandbox's.
    acceptResidue: true,
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

describe.each(["dcf-gcp", "klavi-gcp"] as const)("a healthy project of %s", (stack) => {
  it("lets the platform put an object", async () => {
    const { contract, token } = await stage({ stack });
    await expect(walk(sandbox, contract, await token.token(AbortSignal.timeout(10_000)))).resolves.toEqual({ hop: "none" });
  });

  it.each(["token", "account", "both"] as const)("passes every required check with %s evidence", async (evidence) => {
    const report = await verify(evidence, await stage({ stack }));
    expect(told(report)).toEqual({ findings: [], withoutVerdict: [], exitCode: 0, residue: stack === "dcf-gcp" || evidence === "account" ? [] : [expect.anything()] });
    expect(report.checks.filter(({ required, status }) => required && status !== "pass")).toEqual([]);
  });
});

describe.each([...gcpBreakages, ...klaviBreakages])("$name", (row) => {
  it("is what Google answers the platform", async () => {
    const { contract, token } = await stage(row);
    const { message, ...rest } = row.answers;
    const answered = await walk(sandbox, contract, await token.token(AbortSignal.timeout(10_000)));
    expect(answered).toEqual({ ...rest, ...(message !== undefined && { message: expect.stringContaining(message) }) });
  });

  it("is what verify names, and nothing else", async () => {
    const staged = await stage(row);
    const options = row.depth === undefined ? {} : { depth: row.depth };
    const [token, account, both] = await Promise.all((["token", "account", "both"] as const).map((evidence) => verify(evidence, staged, options)));
    const reports = { token: token!, account: account!, both: both! };
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
