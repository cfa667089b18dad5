/** Each thing that can break: what AWS answers the platform, and whether verify names it, and nothing else. */
import { startDcfAws, type Encryption, type Provisioned } from "../support/dcf-aws.js";
import { Administrator, policyText } from "../support/administrator.js";
import { Platform } from "../support/platform.js";
import type { Contract } from "../../contract/index.js";
import type { AwsAccessKey } from "../../sandbox/aws/types.js";
import type { Sandbox } from "../../sandbox/index.js";
import { functionToken, verifyContract, type Report, type VerifyOptions } from "../../verify/index.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { breakages, type Breakage, type Evidence } from "./breakage-table.js";

forwardRejections();

let sandbox: Sandbox;
let stacks: Record<Encryption, Provisioned>;
let platform: Platform;
/** Of the customer's engineer, who may read and nothing else. */
const readers = new Map<Encryption, AwsAccessKey>();

beforeAll(async () => {
  ({ sandbox, stacks } = await startDcfAws());
  platform = new Platform(sandbox);
  for (const [encryption, stack] of Object.entries(stacks) as [Encryption, Provisioned][]) {
    sandbox.restore(stack.healthy);
    readers.set(encryption, await new Administrator(sandbox, stack.contract).createReader());
    await platform.store(stack.contract, await sandbox.issuers.mint(stack.contract.workload));
    stack.healthy = sandbox.snapshot();
  }
});
afterAll(async () => {
  platform.close();
  await sandbox.close();
});

/** The account and the token as the row has them. */
async function stage(row: Situation): Promise<Stage> {
  const encryption = row.encryption ?? "sse-s3";
  const { contract, healthy } = stacks[encryption];
  sandbox.restore(healthy);
  const before = await (row.token?.(sandbox, contract) ?? sandbox.issuers.mint(contract.workload));
  await row.break?.(new Administrator(sandbox, contract));
  const given = row.contract?.(contract) ?? contract;
  const ownIssuer = given.workload.issuer === contract.workload.issuer;
  return { contract: given, token: ownIssuer ? before : await sandbox.issuers.mint(given.workload), reader: readers.get(encryption)! };
}

type Situation = Pick<Breakage, "break" | "contract" | "encryption" | "token">;

interface Stage {
  contract: Contract;
  token: string;
  reader: AwsAccessKey;
}

/** The platform's source: the staged token, and whatever else is ordered from the same workload. */
function source({ contract, token }: Stage) {
  return functionToken(
    (order) => (Object.keys(order).length === 0 ? Promise.resolve(token) : sandbox.issuers.mint({ ...contract.workload, ...order })),
    ["subject", "audience", "expiresInSeconds"],
  );
}

function verify(evidence: Evidence, staged: Stage, options: Partial<VerifyOptions> = {}): Promise<Report> {
  return verifyContract({
    contract: staged.contract,
    ...(evidence === "account" ? {} : { token: source(staged) }),
    ...(evidence === "token" ? {} : { account: staged.reader }),
    env: sandbox.env({ region: "eu-west-1" }),
    waitSeconds: 0,
    ...options,
  });
}

/** What a reader of the report is told: each "it is this" or "it is one of these", and which required checks have no verdict. */
function told({ findings, checks, exitCode, residue }: Report) {
  return {
    findings: findings.map(({ causes }) => causes.map(({ code }) => code).sort()),
    withoutVerdict: checks.filter(({ status, required }) => required && status === "unknown").map(({ id, reason }) => `${id}: ${reason}`),
    exitCode,
    residue,
  };
}

async function verifyWithEach(staged: Stage): Promise<Record<Evidence, Report>> {
  const [token, account, both] = await Promise.all((["token", "account", "both"] as const).map((evidence) => verify(evidence, staged)));
  return { token: token!, account: account!, both: both! };
}

/** As {@link told} when these causes, and nothing else, are to blame. */
function blaming(causes: readonly string[]) {
  return { findings: causes.length === 0 ? [] : [[...causes].sort()], withoutVerdict: [], exitCode: causes.length === 0 ? 0 : 1 };
}

describe.each(["sse-s3", "kms"] as const)("a healthy account (%s)", (encryption) => {
  it("refuses the platform nothing but the bucket that it has no grant on", async () => {
    const { contract, token } = await stage({ encryption });
    await expect(platform.walk(contract, token)).resolves.toEqual({ refused: {}, entersRefusalBucket: false });
  });

  it.each(["token", "account", "both"] as const)("passes every required check with %s evidence", async (evidence) => {
    const report = await verify(evidence, await stage({ encryption }));
    expect(told(report)).toEqual({ findings: [], withoutVerdict: [], exitCode: 0, residue: [] });
    expect(report.checks.filter(({ required, status }) => required && status !== "pass")).toEqual([]);
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

  it("is what verify names, and nothing else", async () => {
    const { token, account, both } = await verifyWithEach(await stage(row));
    const { expect: expected } = row;
    expect({ token: told(token), account: told(account), both: told(both) }).toMatchObject({
      token: blaming(expected.token),
      account: blaming(expected.account),
      both: blaming(expected.both),
    });
    const causes = [token, account, both].flatMap(({ findings }) => findings).flatMap((finding) => (finding.causes.length === 1 ? finding.causes : []));
    for (const { failureMode, evidence, fix } of causes) {
      expect(failureMode).toBe(row.failureMode);
      expect(evidence).not.toEqual([]);
      expect(fix).not.toMatch(/^$|undefined|\[object/);
      expect(fix).toContain(row.fix ?? "");
    }
  });
});

describe("a change that AWS has not seen everywhere yet", () => {
  /** The mistake is corrected, and for so many seconds AWS still goes by it. */
  const lateTrust = (seconds: number) => async (administrator: Administrator) => {
    const { Statement: correct } = await administrator.trust();
    await administrator.editTrustedClaims({ sub: "another" });
    sandbox.core.settings.propagationDelaySeconds = seconds;
    await administrator.setTrust(...correct);
  };
  const latePermission = (seconds: number) => async (administrator: Administrator) => {
    const { Statement: correct } = await administrator.permissions();
    await administrator.withholdAction("s3:PutObject");
    sandbox.core.settings.propagationDelaySeconds = seconds;
    await administrator.setPermissions(correct);
  };

  it("is one of the causes while it may be, and the only one that the account leaves besides what nobody can read", async () => {
    const { token, both } = await verifyWithEach(await stage({ break: lateTrust(3600) }));
    expect(told(token)).toMatchObject(blaming(["aws.exchange.not-propagated", "aws.exchange.resource-control-policy", "aws.role.missing", "aws.trust.refuses"]));
    expect(told(both)).toMatchObject(blaming(["aws.exchange.not-propagated", "aws.exchange.resource-control-policy"]));
  });

  it("is one of the causes of a denial in the bucket", async () => {
    const { token, both } = await verifyWithEach(await stage({ break: latePermission(3600) }));
    expect(told(token)).toMatchObject(blaming(["aws.s3.action-not-allowed", "aws.s3.not-propagated"]));
    expect(told(both)).toMatchObject(blaming(["aws.s3.action-not-allowed", "aws.s3.not-propagated"]));
  });

  it.each([
    ["trust", lateTrust, "aws.exchange"],
    ["permission", latePermission, "aws.s3.artifacts.put"],
  ] as const)("is waited for, and shown as waiting (%s)", async (_what, late, check) => {
    const waiting: string[] = [];
    const report = await verify("token", await stage({ break: late(2) }), {
      waitSeconds: 30,
      onEvent: (event) => {
        if (event.type === "waiting") waiting.push(`${event.check.id} ${event.notice.code}`);
      },
    });
    expect(told(report)).toEqual({ findings: [], withoutVerdict: [], exitCode: 0, residue: [] });
    expect(waiting).toContain(`${check} AccessDenied`);
    expect(report.waits.map((wait) => wait.check)).toContain(check);
  });

  it("is no suspect any more once it has been waited for", async () => {
    const report = await verify("token", await stage({ break: lateTrust(3600) }), { waitSeconds: 1 });
    expect(told(report)).toMatchObject(blaming(["aws.exchange.resource-control-policy", "aws.role.missing", "aws.trust.refuses"]));
    expect(report.waits).toMatchObject([{ check: "aws.exchange" }]);
  });

  it.each(["token", "both"] as const)("is not waited for when the %s evidence shows that waiting changes nothing", async (evidence) => {
    const lasting = breakages.find(({ name }) => name === (evidence === "token" ? "the token is for another audience" : "the provider was removed by another stack"));
    const report = await verify(evidence, await stage(lasting!), { waitSeconds: 30 });
    expect(told(report)).toMatchObject(blaming(lasting!.expect[evidence]));
    expect(report.waits).toEqual([]);
  });
});

describe("what cannot be read", () => {
  const readerMayNot = (...actions: string[]) => (administrator: Administrator) =>
    administrator.call("iam", "PutUserPolicy", { UserName: "engineer", PolicyName: "guardrail", PolicyDocument: policyText({ Effect: "Deny", Action: actions, Resource: "*" }) });

  it.each(["a service control policy denies the upload", "a resource control policy denies the exchange"])("is named by a report that passes without it: %s", async (name) => {
    const report = await verify("account", await stage(breakages.find((row) => row.name === name)!));
    expect(told(report)).toMatchObject(blaming([]));
    expect(report.notRead).toEqual(["service control policies", "resource control policies"]);
  });

  it("leaves the account's checks without a verdict, which names the right that is missing", async () => {
    const { findings, withoutVerdict, exitCode } = told(await verify("account", await stage({ break: readerMayNot("iam:GetRole") })));
    expect({ findings, exitCode }).toEqual({ findings: [], exitCode: 3 });
    expect(withoutVerdict).toEqual([expect.stringMatching(/^aws\.account\.role: .*iam:GetRole/)]);
  });

  it("excludes nothing: with it the live refusal stays one of several", async () => {
    const { token, both } = await verifyWithEach(
      await stage({
        break: async (administrator) => {
          await administrator.editTrustedClaims({ sub: "another" });
          await readerMayNot("iam:GetRole")(administrator);
        },
      }),
    );
    expect(told(both).findings).toEqual(told(token).findings);
    expect(told(both)).toMatchObject({ exitCode: 1, withoutVerdict: [expect.stringMatching(/^aws\.account\.role: /)] });
  });

  it("excludes nothing in the bucket either", async () => {
    const both = await verify(
      "both",
      await stage({
        break: async (administrator) => {
          await administrator.withholdAction("s3:PutObject");
          await readerMayNot("iam:GetRolePolicy")(administrator);
        },
      }),
    );
    expect(told(both).findings).toEqual([["aws.s3.action-not-allowed", "aws.s3.not-propagated"]]);
  });
});

describe("what only the call itself can tell", () => {
  const deniesOthersThan = (network: string) => (administrator: Administrator) =>
    administrator.addToBucketPolicy({ Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: `${administrator.bucketArn}/*`, Condition: { NotIpAddress: { "aws:SourceIp": network } } });
  const trustsOnly = (network: string) => (administrator: Administrator) =>
    administrator.editTrust(({ Condition }) => ({ Condition: { ...Condition, IpAddress: { "aws:SourceIp": network } } }));

  it.each([
    ["bucket's policy", deniesOthersThan, /^aws\.account\.grant\.artifacts: .*aws:SourceIp/],
    ["trust", trustsOnly, /^aws\.account\.exchange: .*aws:SourceIp/],
  ] as const)("blames nobody while the call is welcome (%s)", async (_what, limit, reason) => {
    const { token, account, both } = await verifyWithEach(await stage({ break: limit("127.0.0.0/8") }));
    expect([told(token), told(both)]).toMatchObject([blaming([]), blaming([])]);
    expect(told(account)).toMatchObject({ findings: [], exitCode: 3, withoutVerdict: [expect.stringMatching(reason)] });
  });

  it.each([
    ["bucket's policy", deniesOthersThan, ["aws.s3.bucket-policy-denies"]],
    ["trust", trustsOnly, ["aws.exchange.not-propagated", "aws.exchange.resource-control-policy", "aws.trust.condition-fails"]],
  ] as const)("is one of the causes when the call is refused (%s)", async (_what, limit, causes) => {
    const { account, both } = await verifyWithEach(await stage({ break: limit("198.51.100.0/24") }));
    expect(told(both)).toMatchObject({ findings: [causes], exitCode: 1 });
    expect(told(account)).toMatchObject({ findings: [], exitCode: 3 });
  });

  it("leaves out no key that the account does show: region, role tags, a key by its id or alias", async () => {
    const staged = await stage({
      encryption: "kms",
      break: async (administrator) => {
        const { Statement: statements } = await administrator.permissions();
        const Condition = { StringEquals: { "aws:RequestedRegion": administrator.region, "aws:PrincipalTag/project": "4711" } };
        await administrator.setPermissions(statements.map((statement) => ({ ...statement, Condition })));
        await administrator.call("iam", "TagRole", { RoleName: administrator.roleName, Tags: [{ Key: "project", Value: "4711" }] });
        const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: administrator.keyArn.split("/").at(-1) } };
        await administrator.call("s3", "PutBucketEncryption", { Bucket: administrator.bucket, ServerSideEncryptionConfiguration: { Rules: [rule] } });
      },
    });
    const { token, account, both } = await verifyWithEach(staged);
    expect([told(token), told(account), told(both)]).toMatchObject([blaming([]), blaming([]), blaming([])]);
  });

  it("tells whom else the trust admits", async () => {
    const report = await verify("account", await stage({
      break: async (administrator) => {
        const { Statement: statements } = await administrator.trust();
        await administrator.setTrust(...statements, { Effect: "Allow", Principal: { AWS: "arn:aws:iam::444455556666:root" }, Action: "sts:AssumeRole" });
      },
    }));
    expect(told(report)).toMatchObject(blaming([]));
    expect(JSON.stringify(report)).toContain("admits others besides the contract's workload: arn:aws:iam::444455556666:root");
  });
});

describe("AWS that does not answer properly", () => {
  it.each([
    ["sts:AssumeRoleWithWebIdentity", "Throttling", "aws.exchange"],
    ["s3:PutObject", "SlowDown", "aws.s3.artifacts.put"],
  ])("blames nobody when %s is throttled", async (operation, code, check) => {
    const staged = await stage({});
    sandbox.faults.add({ operation, status: 503, code, message: "Please reduce your request rate." });
    const { findings, withoutVerdict, exitCode } = told(await verify("both", staged));
    expect({ findings, exitCode }).toEqual({ findings: [], exitCode: 3 });
    expect(withoutVerdict).toEqual([expect.stringMatching(new RegExp(`^${check}: .*${code}`))]);
  });
});
