/** Builds and functions: what verify shows of them without a build, and with one. */
import type { Contract } from "../../contract/index.js";
import type { AwsAccessKey } from "../../sandbox/aws/types.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { functionToken, planVerification, verifyContract, type Report, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { Administrator } from "../support/administrator.js";
import { provisionDcfAws } from "../support/dcf-aws.js";

forwardRejections();

let sandbox: Sandbox;
let contract: Contract;
let reader: AwsAccessKey;
let healthy: SandboxSnapshot;

beforeAll(async () => {
  sandbox = await startSandbox();
  contract = await provisionDcfAws(sandbox, { lambdaBuild: { undeploy: true } });
  reader = await new Administrator(sandbox, contract).createReader();
  healthy = sandbox.snapshot();
});
beforeEach(() => sandbox.restore(healthy));
afterAll(() => sandbox.close());

const options = (): VerifyOptions => ({
  contract,
  token: functionToken((order) => sandbox.issuers.mint({ ...contract.workload, ...order }), ["subject", "audience", "expiresInSeconds"]),
  env: sandbox.env({ region: "eu-west-1" }),
  waitSeconds: 0,
});
const verify = (more: Partial<VerifyOptions> = {}): Promise<Report> => verifyContract({ ...options(), ...more });
const failing = ({ checks }: Report) => checks.filter(({ required, status }) => required && status !== "pass").map(({ id, seen, reason }) => `${id}: ${seen ?? reason ?? ""}`);
const statuses = ({ checks }: Report, prefix: string) => Object.fromEntries(checks.filter(({ id }) => id.startsWith(prefix)).map(({ id, status }) => [id.slice(prefix.length), status]));

describe("depth runtime", () => {
  it("shows the rights without a side effect, and what must be refused", async () => {
    const before = sandbox.snapshot();
    const report = await verify({ depth: "runtime" });
    expect(failing(report)).toEqual([]);
    expect(statuses(report, "aws.codebuild.builds.")).toEqual({ read: "pass", start: "not-tested" });
    expect(statuses(report, "aws.lambda.functions.")).toEqual({ read: "pass", url: "pass" });
    expect(statuses(report, "aws.refusal.")).toMatchObject({ "project.builds": "pass", "function.functions": "pass" });
    expect({ ...sandbox.snapshot(), clock: undefined }).toEqual({ ...before, clock: undefined });
  });
});

describe("the account", () => {
  it("is in order", async () => {
    const report = await verify({ token: undefined, account: reader });
    expect(failing(report)).toEqual([]);
  });
});

describe("depth deploy", () => {
  it("does nothing that would stay, unless that is accepted", async () => {
    const report = await verify({ depth: "deploy" });
    expect(failing(report)).toEqual([expect.stringContaining("aws.canary.builds: it would leave two images and two build logs")]);
    expect([report.exitCode, report.residue]).toEqual([0, []]);
  });

  it("deploys a canary, calls it, updates it and removes it", async () => {
    const phases: string[] = [];
    const report = await verify({
      depth: "deploy",
      acceptResidue: true,
      onEvent: (event) => {
        if (event.type === "progress") phases.push(event.text);
      },
    });
    expect(failing(report)).toEqual([]);
    expect(phases).not.toEqual([]);
    console.log(report.residue);
  });

  it("is told in the plan", () => {
    console.log(planVerification({ ...options(), account: reader, depth: "deploy", acceptResidue: true }));
  });
});
