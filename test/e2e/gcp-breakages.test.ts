/** Each thing that can break in a Google Cloud project: what Google answers the platform, and whether verify names it, and nothing else. */
import type { Contract } from "../../contract/index.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, verifyContract, type Report, type TokenSource, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { GcpAdministrator } from "../support/gcp-administrator.js";
import { walk } from "../support/gcp-platform.js";
import { createDeployment } from "../support/gcp-runtime.js";
import { gcpExchangeOf, provisionGcp } from "../support/gcp.js";
import { Klavi } from "../support/klavi.js";
import { scanText } from "../support/secret-scan.js";
import { htmlReport } from "../../verify/formats/html.js";
import { jsonReport } from "../../verify/formats/json.js";
import { junitReport } from "../../verify/formats/junit.js";
import { textReport } from "../../verify/formats/text.js";
import { gcpBreakages } from "./breakages/gcp.js";
import { gcpRuntimeBreakages } from "./breakages/gcp-builds.js";
import type { GcpBreakage, GcpStack } from "./breakages/gcp-breakage.js";
import { gcpIssuerRows, gcpTokenRows } from "./breakages/gcp-tokens.js";
import { klaviBreakages } from "./breakages/klavi.js";

forwardRejections();

type Evidence = "token" | "account" | "both";

let sandbox: Sandbox;
const stacks = new Map<GcpStack, { contract: Contract; healthy: SandboxSnapshot }>();

/** The example of each, and what differs from it. */
const STACKS: Readonly<Record<GcpStack, [example: string, changes: Record<string, unknown>]>> = {
  "dcf-gcp": ["dcf-gcp", {}],
  "dcf-gcp-project": ["dcf-gcp", { cloudRun: { grantOn: "project" } }],
  "dcf-gcp-public": ["dcf-gcp", { cloudRun: { grantOn: "project", publicAccess: "platform" } }],
  "dcf-gcp-default-builds": ["dcf-gcp", { build: { mode: "default" } }],
  "dcf-gcp-gke": ["dcf-gcp-gke", {}],
  "klavi-gcp": ["klavi-gcp", {}],
};

beforeAll(async () => {
  sandbox = await startSandbox();
  const empty = sandbox.snapshot();
  for (const [stack, [example, changes]] of Object.entries(STACKS) as [GcpStack, (typeof STACKS)[GcpStack]][]) {
    sandbox.restore(empty);
    const { contract } = await provisionGcp(sandbox, example, changes);
    if (stack === "dcf-gcp-gke") await createDeployment(sandbox, contract);
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

describe.each([...gcpBreakages, ...gcpTokenRows, ...gcpIssuerRows, ...klaviBreakages, ...gcpRuntimeBreakages])("$name", (row) => {
  it("is what Google answers the platform", async () => {
    const { contract, token } = await stage(row);
    const { message, ...rest } = row.answers;
    const answered = await walk(sandbox, contract, await token.token(AbortSignal.timeout(10_000)));
    expect(answered).toEqual({ ...rest, ...(message !== undefined && { message: expect.stringContaining(message) }) });
  });

  it("is what verify names, and nothing else", async () => {
    const staged = await stage(row);
    const options = { ...(row.depth !== undefined && { depth: row.depth }), ...(row.allowPublicCanary && { allowPublicCanary: true }) };
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

describe("somebody else's right to impersonate the service account", () => {
  it("is named, and no fault", async () => {
    const member = "user:intern@customer.example";
    const staged = await stage({ break: (admin) => admin.editAccountPolicy((bindings) => [...bindings, { role: "roles/iam.serviceAccountTokenCreator", members: [member] }]) });
    const report = await verify("account", staged);
    expect(told(report).findings).toEqual([]);
    expect(report.remarks.join("\n")).toContain(`lets ${member} impersonate`);
  });
});

describe("a trust that goes by the role's bare name", () => {
  const bare = klaviBreakages.find(({ name }) => name.startsWith("the guide's mapping is compared with the role's bare name"))!;

  it.each(["role", "assumed-role"])("takes an IAM user on the path /%s/NAME/ for the role, which verify says twice: who signed, and that he got in", async (path) => {
    const trick: Situation = { ...bare, signer: async (klavi) => klavi.source(await klavi.user("delivery", `/${path}/${klavi.roleName}/`)) };
    const staged = await stage(trick);
    await expect(walk(sandbox, staged.contract, await staged.token.token(AbortSignal.timeout(10_000)))).resolves.toEqual({ hop: "none" });
    expect(told(await verify("token", staged)).findings).toEqual([["gcp.aws.other-role"], ["gcp.provider.too-wide"]]);
  });
});

describe("a contract that has the project's id where its number belongs", () => {
  const withId = (contract: Contract): Contract => ({ ...contract, exchange: { ...gcpExchangeOf(contract), poolProjectNumber: gcpExchangeOf(contract).projectId } });

  it("names nothing that Google knows, and is refused before anything is asked", async () => {
    const { contract, token } = await stage({});
    await expect(walk(sandbox, withId(contract), await token.token(AbortSignal.timeout(10_000)))).resolves.toMatchObject({ hop: "sts", code: "invalid_target" });
    await expect(verifyContract({ contract: withId(contract), token, env: sandbox.env(), ca: sandbox.caPem })).rejects.toThrow("exchange.poolProjectNumber");
  });
});

/** Whatever a run prints or writes, in its worst moments too. */
describe("secrets", () => {
  /** Everything that must not be read in a report, as it passes through the test's hands. */
  class Overheard {
    readonly secrets = new Set<string>();

    source(inner: TokenSource): TokenSource {
      return {
        ...inner,
        token: async (signal, order) => {
          const token = await inner.token(signal, order);
          this.add(token);
          return token;
        },
      };
    }

    /** A signed request is secret in whole and in part. */
    add(token: string): void {
      this.secrets.add(token);
      if (!token.startsWith("%7B")) return void this.secrets.add(token.slice(token.lastIndexOf(".") + 1));
      const { headers } = JSON.parse(decodeURIComponent(token)) as { headers: { key: string; value: string }[] };
      for (const { key, value } of headers) if (/authorization|security-token/.test(key)) this.secrets.add(/Signature=(\w+)/.exec(value)?.[1] ?? value);
    }

    foundIn(text: string): string[] {
      return [...this.secrets].filter((secret) => text.includes(secret)).map((secret) => `${secret.slice(0, 6)}… (${secret.length} characters)`);
    }
  }

  const worst: readonly [string, Situation][] = [
    ...(["dcf-gcp", "klavi-gcp"] as const).map((stack): [string, Situation] => [`a healthy project of ${stack}`, { stack }]),
    ...[...gcpBreakages, ...gcpTokenRows, ...klaviBreakages]
      .filter(({ name }) => ["the signature is corrupted", "the signature has expired", "the session token is another one's", "somebody else signed under the issuer's key id", "the token is for another audience", "the account was deleted"].includes(name))
      .map((row): [string, Situation] => [row.name, row]),
  ];

  it.each(worst)("are in no report: %s", async (_name, situation) => {
    const staged = await stage(situation);
    const overheard = new Overheard();
    overheard.secrets.add(staged.reader);
    const printed: string[] = [];
    for (const evidence of ["token", "both"] as const) {
      const report = await verify(evidence, { ...staged, token: overheard.source(staged.token) }, { diagnostics: true, onEvent: (event) => printed.push(JSON.stringify(event)) });
      expect(report.hops).not.toEqual([]);
      printed.push(textReport(report), jsonReport(report), junitReport(report), htmlReport(report), JSON.stringify(report));
    }
    expect(overheard.secrets.size).toBeGreaterThan(1);
    expect(overheard.foundIn(printed.join("\n"))).toEqual([]);
    expect(scanText("reports", printed.join("\n"))).toEqual([]);
  });
});
