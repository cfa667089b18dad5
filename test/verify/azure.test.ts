/** Verify against Azure in the sandbox: what passes, what must be refused, and what each breakage is called. */
import type { Contract } from "../../contract/index.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { planVerification, verifyContract, type Report, type VerifyOptions } from "../../verify/index.js";
import { Scene } from "./azure-scene.js";

let sandbox: Sandbox;
let scene: Scene;
let contract: Contract;
let healthy: SandboxSnapshot;

beforeAll(async () => {
  sandbox = await startSandbox();
  scene = new Scene(sandbox);
  await scene.provision();
  contract = scene.contract;
  healthy = sandbox.snapshot();
});
afterAll(() => sandbox.close());
beforeEach(() => {
  sandbox.restore(healthy);
  scene.contract = contract;
});

const options = (): VerifyOptions => ({ contract: scene.contract, token: scene.token(), env: sandbox.env(), ca: sandbox.caPem, waitSeconds: 0 });
const verify = (more: Partial<VerifyOptions> = {}): Promise<Report> => verifyContract({ ...options(), ...more });
const withoutPass = ({ checks }: Report) => checks.filter(({ required, status }) => required && status !== "pass").map(({ id, status, seen, reason }) => `${id}: ${status}: ${seen ?? reason ?? ""}`);

describe("a healthy integration", () => {
  it("passes at the default depth", async () => {
    const report = await verify();
    expect(withoutPass(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  it("passes at depth deploy", async () => {
    const report = await verify({ depth: "deploy" });
    expect(withoutPass(report)).toEqual([]);
    expect(report.residue).toEqual([]);
  });

  it("is described by the plan", async () => {
    const plan = await planVerification({ ...options(), depth: "deploy" });
    expect(plan).toContain("Residue:");
  });
});
