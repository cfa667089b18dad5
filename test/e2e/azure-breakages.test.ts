/**
 * What goes wrong in Azure, row by row: what Azure answers the platform, and what verify names with the platform's token, with the
 * credentials of somebody who reads the subscription, and with both.
 */
import type { Contract } from "../../contract/index.js";
import { grantedRoles } from "../../facts/azure/permissions.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, verifyContract, type Report, type TokenSource, type VerifyOptions } from "../../verify/index.js";
import { htmlReport } from "../../verify/formats/html.js";
import { jsonReport } from "../../verify/formats/json.js";
import { junitReport } from "../../verify/formats/junit.js";
import { textReport } from "../../verify/formats/text.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { AzureAdministrator } from "../support/azure-administrator.js";
import { walk } from "../support/azure-platform.js";
import { azureReader, provisionAzure } from "../support/azure-stack.js";
import { scanText } from "../support/secret-scan.js";
import { azureBreakages } from "./breakages/azure.js";
import type { AzureBreakage, AzureStack } from "./breakages/azure-breakage.js";
import { azureServiceRows } from "./breakages/azure-services.js";
import { azureTokenRows } from "./breakages/azure-tokens.js";

forwardRejections();

type Evidence = "token" | "account" | "both";

let sandbox: Sandbox;
const stacks = new Map<AzureStack, { contract: Contract; healthy: SandboxSnapshot }>();

/** The example of each, and what differs from it. */
const STACKS: Readonly<Record<AzureStack, [example: string, changes: Record<string, unknown>]>> = {
  "dcf-azure": ["dcf-azure", {}],
  "dcf-azure-application": ["dcf-azure", { identityKind: "application", identityResourceGroup: null, "azuread:tenantId": "aaaabbbb-0000-cccc-1111-dddd2222eeee" }],
  "ddoe-azure": ["ddoe-azure", {}],
};

beforeAll(async () => {
  sandbox = await startSandbox();
  await sandbox.issuers.create("https://oidc.ddoe.example");
  const empty = sandbox.snapshot();
  for (const [stack, [example, changes]] of Object.entries(STACKS) as [AzureStack, (typeof STACKS)[AzureStack]][]) {
    sandbox.restore(empty);
    const { contract } = await provisionAzure(sandbox, example, changes);
    stacks.set(stack, { contract, healthy: sandbox.snapshot() });
  }
});
afterAll(() => sandbox.close());

interface Stage {
  contract: Contract;
  token: TokenSource;
}

type Situation = Pick<AzureBreakage, "break" | "contract" | "stack" | "token">;

/** The subscription and the token as the row has them. */
async function stage(row: Situation): Promise<Stage> {
  const { contract, healthy } = stacks.get(row.stack ?? "dcf-azure")!;
  sandbox.restore(healthy);
  await row.break?.(new AzureAdministrator(sandbox, contract));
  const given = row.contract?.(contract) ?? contract;
  return { contract: given, token: await minter(row, contract) };
}

/** The platform's issuer, which can make broken tokens too. */
async function minter(row: Situation, contract: Contract): Promise<TokenSource> {
  const { issuer, subject, audience } = contract.workload;
  const order = (await row.token?.(sandbox, contract)) ?? {};
  return functionToken((more) => sandbox.issuers.mint({ issuer, subject, audience, ...order, ...more }), ["subject", "audience", "expiresInSeconds"]);
}

function verify(evidence: Evidence, { contract, token }: Stage, options: Partial<VerifyOptions> = {}): Promise<Report> {
  return verifyContract({
    contract,
    ...(evidence === "account" ? {} : { token }),
    ...(evidence === "token" ? {} : { account: azureReader(sandbox) }),
    // What soft delete and the registry keep is the sandbox's.
    acceptResidue: true,
    env: sandbox.env(),
    ca: sandbox.caPem,
    waitSeconds: 0,
    ...options,
  });
}

/** What a reader of the report is told. A wait of zero seconds excludes that something is merely new only where all of it was waited. */
function told({ findings, checks, exitCode }: Report) {
  return {
    findings: findings.map(({ causes }) => causes.map(({ code }) => code).filter((code) => !code.endsWith("not-propagated")).sort()),
    withoutVerdict: checks.filter(({ status, required }) => required && status === "unknown").map(({ id, reason }) => `${id}: ${reason}`),
    exitCode,
  };
}

function blaming(causes: readonly string[]) {
  return { findings: causes.length === 0 ? [] : [[...causes].sort()], withoutVerdict: [], exitCode: causes.length === 0 ? 0 : 1 };
}

describe.each(["dcf-azure", "dcf-azure-application", "ddoe-azure"] as const)("a healthy subscription of %s", (stack) => {
  it("lets the platform put a blob", async () => {
    const { contract, token } = await stage({ stack });
    await expect(walk(sandbox, contract, await token.token(AbortSignal.timeout(10_000)))).resolves.toEqual({ hop: "none" });
  });

  it.each(["token", "account", "both"] as const)("passes every required check with %s evidence", async (evidence) => {
    const report = await verify(evidence, await stage({ stack }), { depth: "deploy" });
    expect(report.checks.filter(({ required, status }) => required && status !== "pass").map(({ id, status, seen, reason }) => `${id}: ${status}: ${seen ?? reason ?? ""}`)).toEqual([]);
    expect(told(report)).toEqual({ findings: [], withoutVerdict: [], exitCode: 0 });
  });
});

describe.each([...azureBreakages, ...azureTokenRows, ...azureServiceRows])("$name", (row) => {
  it("is what Azure answers the platform", async () => {
    const { contract, token } = await stage(row);
    await expect(walk(sandbox, contract, await token.token(AbortSignal.timeout(10_000)))).resolves.toEqual(row.answers);
  });

  it("is what verify names, and nothing else", async () => {
    const staged = await stage(row);
    const options = row.depth === undefined ? {} : { depth: row.depth };
    const { refusesReader } = row;
    if (refusesReader !== undefined) {
      expect(told(await verify("token", staged, options))).toEqual(blaming(row.expect.token));
      for (const evidence of ["account", "both"] as const) await expect(verify(evidence, staged, options)).rejects.toThrow(refusesReader);
      return;
    }
    const reports = { token: await verify("token", staged, options), account: await verify("account", staged, options), both: await verify("both", staged, options) };
    expect({ token: told(reports.token), account: told(reports.account), both: told(reports.both) }).toEqual({
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

describe("a role on another scope", () => {
  it("is the one that gives the right, not the one of the blobs that is below it", async () => {
    let elsewhere = "";
    const staged = await stage({
      break: async (admin) => {
        elsewhere = admin.account;
        await admin.reassign(admin.group, grantedRoles.contributor, { scope: admin.account });
      },
    });
    const { findings } = await verify("account", staged);
    const [only] = findings.flatMap(({ causes }) => causes);
    expect(only).toMatchObject({ code: "azure.rbac.wrong-scope", evidence: [`Contributor on ${elsewhere}`] });
    expect(only?.fix).toMatch(new RegExp(`--scope /subscriptions/[^/]+/resourceGroups/[^/ ]+; then remove the one on ${elsewhere}\\.$`));
  });
});

/** Whatever a run prints or writes, in its worst moments too. */
describe("secrets", () => {
  const worst = [...azureBreakages, ...azureTokenRows].filter(({ name }) => ["the token is for another audience", "the token has expired", "the data role is missing", "the identity was deleted"].includes(name));

  it.each([{ name: "a healthy subscription" }, ...worst] as (Situation & { name: string })[])("are in no report: $name", async (situation) => {
    const staged = await stage(situation);
    const seen = new Set<string>();
    const token: TokenSource = {
      ...staged.token,
      token: async (signal, order) => {
        const given = await staged.token.token(signal, order);
        seen.add(given.slice(given.lastIndexOf(".") + 1));
        return given;
      },
    };
    const printed: string[] = [];
    const report = await verify("both", { ...staged, token }, { diagnostics: true, depth: "deploy", onEvent: (event) => printed.push(JSON.stringify(event)) });
    printed.push(textReport(report), jsonReport(report), junitReport(report), htmlReport(report), JSON.stringify(report));
    expect(seen.size).toBeGreaterThan(0);
    expect([...seen].filter((signature) => printed.join("\n").includes(signature))).toEqual([]);
    expect(scanText("reports", printed.join("\n"))).toEqual([]);
  });
});
