import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readContract } from "../../contract/index.js";
import program from "../../stacks/index.js";
import { fakeGcp, runGcp, type FakeGcp } from "../components/fake-gcp.js";
import { forwardRejections } from "../engine/forward-rejections.js";

forwardRejections();

const example = (parse(readFileSync(join(__dirname, "../../examples/klavi-gcp/Pulumi.klavi-gcp.yaml"), "utf8")) as { config: Record<string, unknown> }).config;

function config(changes: Record<string, unknown> = {}): Record<string, string> {
  const merged = { ...example, ...Object.fromEntries(Object.entries(changes).map(([key, value]) => [`cloud-federation:${key}`, value])) };
  const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

const start = (changes?: Record<string, unknown>, cloud: FakeGcp = fakeGcp()) => runGcp(program, cloud, config(changes));

async function up(changes?: Record<string, unknown>, cloud?: FakeGcp) {
  const done = await start(changes, cloud);
  expect(done.result.errors).toEqual([]);
  const outputs = Object.fromEntries(Object.entries(done.result.outputs).map(([name, { value }]) => [name, value]));
  return { ...done, outputs, contract: readContract(outputs.contract) };
}

async function refusal(changes: Record<string, unknown>, cloud?: FakeGcp): Promise<string> {
  const { result } = await start(changes, cloud);
  expect(result.resources).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

const projectId = "customer-app-prod";
const POOL = "projects/123456789012/locations/global/workloadIdentityPools/klavi-access-pool";
const PROVIDER = `${POOL}/providers/klavi-aws-provider`;
const EMAIL = "klavi-data-ingestor@customer-app-prod.iam.gserviceaccount.com";
const ROLE = "arn:aws:sts::222233334444:assumed-role/klavi-delivery";
const klavi = (changes: Record<string, unknown>) => ({ klavi: { awsAccountId: "222233334444", roleArn: "arn:aws:iam::222233334444:role/klavi-delivery", ...changes } });
const roleArn = (name: string) => `arn:aws:iam::222233334444:role/${name}`;

describe("klavi-gcp", () => {
  it("provisions the example, and says so in its contract", async () => {
    const { contract, outputs, children, child, bindings } = await up();
    expect([...children.keys()].sort()).toEqual([
      "klavi-apis-iam",
      "klavi-apis-iamcredentials",
      "klavi-apis-sts",
      "klavi-audit-storage",
      "klavi-delivery",
      "klavi-delivery-member",
      "klavi-ingestor-account",
      "klavi-ingestor-impersonation",
      "klavi-pool",
      "klavi-provider",
      "klavi-refusal",
    ]);
    const principal = `principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/${ROLE}`;
    expect(bindings()).toEqual(
      expect.arrayContaining([
        { on: `projects/${projectId}/serviceAccounts/${EMAIL}`, role: "roles/iam.workloadIdentityUser", member: principal },
        { on: "partner-data-inbound", role: "roles/storage.objectCreator", member: `serviceAccount:${EMAIL}` },
      ]),
    );
    expect(bindings()).toHaveLength(2);
    expect(child("klavi-provider").inputs).toMatchObject({ attributeCondition: `assertion.arn.startsWith('${ROLE}/')`, aws: { accountId: "222233334444" } });
    expect(child("klavi-delivery").inputs).toMatchObject({
      uniformBucketLevelAccess: true,
      publicAccessPrevention: "enforced",
      lifecycleRules: [{ action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 7 } }],
    });
    expect(contract).toMatchObject({
      integration: "klavi-gcp",
      workload: { issuer: "https://sts.amazonaws.com", subject: ROLE, audience: `//iam.googleapis.com/${PROVIDER}` },
      exchange: { subjectTokenType: "aws4_request", pool: "klavi-access-pool", provider: "klavi-aws-provider", principal, serviceAccountEmail: EMAIL },
      grants: [{ id: "delivery", kind: "gcs-bucket", role: "roles/storage.objectCreator", permissions: ["storage.objects.create"], bucket: "partner-data-inbound", projectId }],
      refusalTargets: [{ kind: "gcs-bucket", bucket: "partner-data-inbound-refusal", projectId }],
    });
    expect(contract.exchange).not.toHaveProperty("issuerKeys");
    expect(outputs).toMatchObject({
      partnerToKlavi: {
        gcpProjectNumber: "123456789012",
        workloadPoolId: "klavi-access-pool",
        providerId: "klavi-aws-provider",
        gcpServiceAccount: EMAIL,
        gcsBucketName: "partner-data-inbound",
      },
      klaviToPartner: { klaviAwsAccountId: "222233334444", klaviIamRoleArn: "arn:aws:iam::222233334444:role/klavi-delivery", sessionName: "at most 64 characters" },
      credentialConfiguration: {
        type: "external_account",
        audience: `//iam.googleapis.com/${PROVIDER}`,
        subject_token_type: "urn:ietf:params:aws:token-type:aws4_request",
        token_url: "https://sts.googleapis.com/v1/token",
        service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${EMAIL}:generateAccessToken`,
      },
    });
  });

  it("keeps bindings of Klavi's guide working, under the same pin", async () => {
    const { child, contract } = await up(klavi({ bareRoleName: true }));
    expect(contract.exchange).toMatchObject({ principal: `principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/klavi-delivery` });
    expect(child("klavi-provider").inputs).toMatchObject({
      attributeMapping: { "google.subject": "assertion.arn", "attribute.aws_role": "assertion.arn.contains('role/') ? assertion.arn.extract('role/{role_name}/') : assertion.arn" },
      attributeCondition: `assertion.arn.startsWith('${ROLE}/')`,
    });
  });

  it("pins one session where there is one, and says so", async () => {
    const { contract, outputs, child } = await up(klavi({ sessionName: "partner-4711" }));
    expect(child("klavi-provider").inputs.attributeCondition).toBe(`assertion.arn == '${ROLE}/partner-4711'`);
    expect(contract.workload.subject).toBe(`${ROLE}/partner-4711`);
    expect(outputs.klaviToPartner).toMatchObject({ sessionName: "partner-4711" });
  });

  it("knows a role by its last name: what STS says has no path", async () => {
    expect((await up(klavi({ roleArn: roleArn("delivery/eu/klavi-delivery") }))).contract.workload.subject).toBe(ROLE);
  });

  it("budgets the subject: 127 bytes for role and session", async () => {
    await up(klavi({ roleArn: roleArn("r".repeat(23)) }));
    await up(klavi({ roleArn: roleArn("r".repeat(24)), longestSessionName: 63 }));
    await up(klavi({ roleArn: roleArn("r".repeat(64)), subject: "userid" }));
    expect(await refusal(klavi({ roleArn: roleArn("r".repeat(24)) }))).toContain(
      `klavi.roleArn: leaves 63 of Google's 127 bytes for the session's name behind \`arn:aws:sts::<account>:assumed-role/${"r".repeat(24)}/\`, and that may have 64: ` +
        "set longestSessionName to 63 or less, if the sessions are named so, or set subject to userid",
    );
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a role of another account", klavi({ awsAccountId: "999988887777" }), "klavi.roleArn: must be a role of the account 999988887777 (awsAccountId); got one of 222233334444"],
    ["another partition", klavi({ roleArn: "arn:aws-us-gov:iam::222233334444:role/klavi-delivery" }), "klavi.roleArn: must be of the partition aws: Google asks AWS's global partition who signed, and knows no other"],
    ["a session instead of a role", klavi({ roleArn: `${ROLE}/session` }), "klavi.roleArn: must be the ARN of one IAM role, as Klavi gives it (not of a session, and without wildcards)"],
    ["any role", klavi({ roleArn: roleArn("*") }), "klavi.roleArn: must be the ARN of one IAM role"],
    ["a user", klavi({ roleArn: "arn:aws:iam::222233334444:user/klavi" }), "klavi.roleArn: must be the ARN of one IAM role"],
    ["an account that is none", klavi({ awsAccountId: "2222" }), 'klavi.awsAccountId: must be 12 digits; got "2222"'],
    ["a session with a wildcard", klavi({ sessionName: "partner-*" }), 'klavi.sessionName: must be 2 to 64 letters, digits or any of _+=,.@-, without wildcards; got "partner-*"'],
    ["DCF's settings", { runtimeTarget: "cloud_run" }, "runtimeTarget: is no key of this configuration"],
    ["clean-up of what is delivered", { bucket: { name: "partner-data-inbound", stagedBuildsExpireAfterDays: 30 } }, "bucket.stagedBuildsExpireAfterDays: is no key of this configuration"],
  ])("refuses %s", async (_name, changes, line) => {
    expect(await refusal(changes)).toContain(line);
  });

  it("adopts a provider that fits, and none that takes others for Klavi", async () => {
    const mapping = { "google.subject": "assertion.arn", "attribute.aws_role": "assertion.arn.contains('role/') ? assertion.arn.extract('role/{role_name}/') : assertion.arn" };
    const found = (attributeCondition: string): FakeGcp =>
      fakeGcp({
        found: {
          getWorkloadIdentityPool: { "klavi-access-pool": { state: "ACTIVE", disabled: false } },
          getWorkloadIdentityPoolProvider: { "klavi-aws-provider": { state: "ACTIVE", disabled: false, attributeMapping: mapping, attributeCondition, oidcs: [], aws: [{ accountId: "222233334444" }] } },
        },
      });
    const changes = { ...klavi({ bareRoleName: true }), pool: { mode: "existing" } };
    const pinned = "assertion.account == '222233334444' && assertion.arn.startsWith('arn:aws:sts::222233334444:assumed-role/klavi-delivery/')";
    const { children } = await up({ ...changes, provider: { mode: "existing", attributeCondition: pinned } }, found(pinned));
    expect(children.has("klavi-provider")).toBe(false);

    const wide = "attribute.aws_role == 'klavi-delivery'";
    expect(await refusal({ ...changes, provider: { mode: "existing", attributeCondition: wide } }, found(wide))).toContain(
      "provider.attributeCondition: lets arn:aws:iam::222233334444:user/assumed-role/klavi-delivery/session in as the workload",
    );
    expect(await refusal({ ...changes, provider: { mode: "existing" } }, found(wide))).toContain(`provider.attributeCondition: the provider klavi-aws-provider in the pool klavi-access-pool of customer-app-prod has the condition ${JSON.stringify(wide)}`);
  });
});
