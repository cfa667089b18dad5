/** Verify against a whole sandbox: residue, interruption, waiting, refusals that are not refused, secrets. */
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import type { Contract } from "../../contract/index.js";
import { formatReport, formatReportFile, functionToken, verifyContract, type Report, type RunEvent, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { provisionDcfAws } from "../support/dcf-aws.js";
import { scanText } from "../support/secret-scan.js";

forwardRejections();

const region = "eu-west-1";
let sandbox: Sandbox;
let contract: Contract;
let healthy: SandboxSnapshot;
/** Every token that was made, to be looked for in what is shown. */
const minted: string[] = [];

beforeAll(async () => {
  sandbox = await startSandbox();
  contract = await provisionDcfAws(sandbox);
  healthy = sandbox.snapshot();
});
afterAll(() => sandbox.close());
beforeEach(() => sandbox.restore(healthy));

const token = () =>
  functionToken(
    async (order) => {
      const made = await sandbox.issuers.mint({ ...contract.workload, ...order });
      minted.push(made);
      return made;
    },
    ["subject", "audience", "expiresInSeconds"],
  );
const call = (service: "iam" | "s3", operation: string, input: Record<string, unknown>) => sandbox.aws.call(sandbox.aws.administrator(sandbox.aws.defaultAccountId).caller, service, operation, input, region);
const verify = (options: Partial<VerifyOptions> = {}): Promise<Report> => verifyContract({ contract, token: token(), env: sandbox.env({ region }), waitSeconds: 0, ...options });
const status = (report: Report, id: string) => report.checks.find((check) => check.id === id)?.status;
const codes = (report: Report) => report.findings.map(({ causes }) => causes.map(({ code }) => code));
const Bucket = "acme-dcf-artifacts";
const versionsLeft = async () => {
  const { Versions = [], DeleteMarkers = [] } = (await call("s3", "ListObjectVersions", { Bucket })) as { Versions?: unknown[]; DeleteMarkers?: unknown[] };
  return { versions: Versions.length, markers: DeleteMarkers.length };
};
const account = () => {
  const key = sandbox.aws.administrator(sandbox.aws.defaultAccountId).accessKey;
  return { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey };
};

describe("what a probe leaves", () => {
  it("is nothing in a bucket without versions", async () => {
    const report = await verify();
    expect({ exitCode: report.exitCode, residue: report.residue }).toEqual({ exitCode: 0, residue: [] });
    expect(await versionsLeft()).toEqual({ versions: 0, markers: 0 });
  });

  describe("in a bucket that keeps versions", () => {
    beforeEach(() => call("s3", "PutBucketVersioning", { Bucket, VersioningConfiguration: { Status: "Enabled" } }));

    it("is nothing when the account shows that, for then nothing is put", async () => {
      const report = await verify({ account: account() });
      expect({ put: status(report, "aws.s3.artifacts.put"), list: status(report, "aws.s3.artifacts.list"), exitCode: report.exitCode, residue: report.residue }).toEqual({ put: "not-tested", list: "pass", exitCode: 0, residue: [] });
      expect(await versionsLeft()).toEqual({ versions: 0, markers: 0 });
    });

    it.each([
      ["when only putting shows it", {}],
      ["when residue is accepted", { acceptResidue: true, account: true }],
    ])("is listed, with the command that removes it, %s", async (_, options) => {
      const report = await verify({ ...options, ...("account" in options ? { account: account() } : {}) });
      expect({ exitCode: report.exitCode, left: await versionsLeft() }).toEqual({ exitCode: 0, left: { versions: 1, markers: 1 } });
      expect(report.residue.map(({ remove }) => remove)).toEqual([expect.stringMatching(/^aws s3api delete-object --bucket acme-dcf-artifacts --key cloud-federation-verify\/[0-9a-f]{12} --version-id \S+ --region eu-west-1$/), expect.stringContaining("--version-id")]);
    });
  });

  it("is the object where the grant to delete is missing in truth, and it is listed", async () => {
    await denyOnBucket("s3:DeleteObject");
    const report = await verify();
    expect({ codes: codes(report), left: await versionsLeft() }).toEqual({ codes: [["aws.s3.bucket-policy-denies"]], left: { versions: 1, markers: 0 } });
    expect(report.residue).toEqual([{ what: expect.stringContaining("(64 random bytes) in bucket acme-dcf-artifacts"), remove: expect.stringContaining("aws s3api delete-object") }]);
  });

  it("is nothing in an upload-only bucket, unless that is accepted", async () => {
    const [grant] = contract.grants;
    const uploadOnly = { ...contract, grants: [{ ...grant!, permissions: ["s3:PutObject", "s3:ListBucket"] }] };
    const careful = await verify({ contract: uploadOnly });
    expect([careful.exitCode, status(careful, "aws.s3.artifacts.put"), await versionsLeft()]).toEqual([0, "not-tested", { versions: 0, markers: 0 }]);
    const accepted = await verify({ contract: uploadOnly, acceptResidue: true });
    expect([accepted.exitCode, status(accepted, "aws.s3.artifacts.put"), accepted.residue.length, await versionsLeft()]).toEqual([0, "pass", 1, { versions: 1, markers: 0 }]);
  });

  it("is nothing after an interruption, and the report so far is given", async () => {
    const interrupt = new AbortController();
    const onEvent = (event: RunEvent) => {
      if (event.type === "finished" && event.check.id === "aws.s3.artifacts.put") interrupt.abort();
    };
    const report = await verify({ signal: interrupt.signal, onEvent });
    expect([report.outcome, report.exitCode, status(report, "aws.exchange"), status(report, "aws.s3.artifacts.delete")]).toEqual(["interrupted", 130, "pass", "not-tested"]);
    expect([report.residue, await versionsLeft()]).toEqual([[], { versions: 0, markers: 0 }]);
  });
});

async function denyOnBucket(action: string): Promise<void> {
  const { Policy } = (await call("s3", "GetBucketPolicy", { Bucket })) as { Policy: string };
  const policy = JSON.parse(Policy) as { Statement: unknown[] };
  policy.Statement.push({ Effect: "Deny", Principal: "*", Action: action, Resource: `arn:aws:s3:::${Bucket}/*`, Condition: { StringLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/*" } } });
  await call("s3", "PutBucketPolicy", { Bucket, Policy: JSON.stringify(policy) });
}

describe("refusals", () => {
  it("count only after the right token has passed", async () => {
    const report = await verify({ contract: { ...contract, exchange: { ...contract.exchange, roleArn: "arn:aws:iam::111122223333:role/gone" } as Contract["exchange"] } });
    expect(status(report, "aws.exchange")).toBe("fail");
    expect(report.checks.filter(({ id }) => id.startsWith("aws.refusal.")).map((check) => check.status)).toEqual(Array(6).fill("not-tested"));
  });

  it("are not tried when switched off, which changes nothing else", async () => {
    const report = await verify({ refusals: false });
    expect(report.exitCode).toBe(0);
    expect(report.checks.filter(({ id }) => id.startsWith("aws.refusal.")).map((check) => check.reason)).toEqual(Array(6).fill("switched off by --refusals off"));
  });

  it("that another code answers prove nothing", async () => {
    sandbox.faults.add({ operation: "s3:ListObjectsV2", status: 503, code: "SlowDown", message: "Please reduce your request rate." });
    const report = await verify();
    expect([status(report, `aws.refusal.bucket.${Bucket}-refusal`), report.exitCode]).toEqual(["unknown", 3]);
  });
});

describe("depth", () => {
  it("identity leaves storage alone", async () => {
    const report = await verify({ depth: "identity" });
    expect(report.checks.filter(({ id }) => id.startsWith("aws.s3"))).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  it.each(["runtime", "deploy"] as const)("%s says that the contract has nothing deeper", async (depth) => {
    const report = await verify({ depth });
    expect(report.checks.find(({ id }) => id === "depth")).toMatchObject({ status: "not-tested", reason: "nothing deeper in this contract: it has storage grants only" });
    expect(report.exitCode).toBe(0);
  });
});

describe("grants that this release does not know", () => {
  it("have no verdict", async () => {
    const later = { ...contract, grants: [...contract.grants, { id: "queue", kind: "sqs-queue", permissions: [] }] };
    const report = await verify({ contract: later });
    expect([status(report, "grant.queue"), report.exitCode]).toEqual(["unknown", 3]);
  });
});

describe("the exchange", () => {
  afterEach(() => {
    delete process.env["AWS_ACCESS_KEY_ID"];
    delete process.env["AWS_SECRET_ACCESS_KEY"];
  });

  it("is never signed with the credentials of the shell: wrong ones do not disturb it", async () => {
    process.env["AWS_ACCESS_KEY_ID"] = "AKIA0000000000000000";
    process.env["AWS_SECRET_ACCESS_KEY"] = "wrong";
    expect(status(await verify(), "aws.exchange")).toBe("pass");
    await expect(verify({ account: true })).rejects.toThrow(/^--account: AWS refuses the credentials of this shell: InvalidClientTokenId/);
  });
});

describe("secrets", () => {
  it("are in no form of a report and in no event, whatever happens", async () => {
    const shown: string[] = [];
    const onEvent = (event: RunEvent) => shown.push(JSON.stringify(event));
    await denyOnBucket("s3:GetObject");
    const reports = [await verify({ account: account(), onEvent })];
    sandbox.restore(healthy);
    sandbox.issuers.behave(contract.workload.issuer, { status: 500 });
    reports.push(await verify({ onEvent }));
    for (const report of reports) shown.push(...(["text", "json", "junit"] as const).map((format) => formatReport(report, format)), formatReportFile(report, "report.html", "text"));
    const text = shown.join("\n");
    expect(minted.length).toBeGreaterThan(5);
    for (const secret of [...minted, ...minted.map((made) => made.split(".")[2]!), account().secretAccessKey]) expect(text.includes(secret)).toBe(false);
    expect(scanText("reports", text)).toEqual([]);
    expect(text).not.toMatch(/ASIA[A-Z0-9]{16}/);
  });
});
