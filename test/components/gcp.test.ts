import { generateKeyPairSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import {
  GcpArtifactBucket,
  GcpArtifactRepository,
  GcpAuditLogs,
  GcpBucketGrant,
  GcpBuilds,
  GcpCloudRunTarget,
  GcpFederatedServiceAccount,
  GcpProjectServices,
  GcpRefusalBucket,
  GcpWorkloadIdentityPool,
  type GcpArtifactBucketArgs,
  type GcpBuildsArgs,
  type GcpCloudRunTargetArgs,
  type GcpFederatedServiceAccountArgs,
  type GcpWorkloadIdentityPoolArgs,
} from "../../components/gcp/index.js";
import { merged } from "../../components/gcp/audit-logs.js";
import { awsAdmission, type AwsRole } from "../../components/gcp/attribute-mapping.js";
import { GcpGkeTarget, type GcpGkeTargetArgs } from "../../components/gcp/gke-target.js";
import { canonicalJwks } from "../../components/gcp/jwks.js";
import { immutableReason, takenReason } from "../../components/gcp/provider-adoption.js";
import { KubernetesDeploymentAccess } from "../../components/kubernetes/index.js";
import { grantedRoles, neededPermissions } from "../../facts/gcp/grants.js";
import { numberRules, ruleViolation, textRules } from "../../facts/gcp/limits.js";
import { rolePermissions } from "../../facts/gcp/roles.js";
import { conditionRefusal, mapAttributes } from "../../trust/gcp/mapping.js";
import { federatedIdentity } from "../../trust/gcp/principal.js";
import { forwardRejections } from "../engine/forward-rejections.js";
import { fakeGcp, runGcp, type FakeGcp } from "./fake-gcp.js";

forwardRejections();

const projectId = "customer-app-prod";
const POOL = "projects/123456789012/locations/global/workloadIdentityPools/dcf-pool";
const SUBJECT = "system:serviceaccount:dcf:project-4711";
const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
const MEMBER = "serviceAccount:dcf-deployer@customer-app-prod.iam.gserviceaccount.com";
const oidc = { issuerUri: "https://oidc.dcf.example", subject: SUBJECT };
const aws = { accountId: "222233334444", roleName: "klavi-delivery" };
const ROLE_SET = `principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/arn:aws:sts::222233334444:assumed-role/klavi-delivery`;

type Running = ReturnType<typeof runGcp>;

/** Of a program that makes something and tells nothing of it. */
const runMaking = (make: () => unknown, cloud?: FakeGcp): Running =>
  runGcp(() => {
    make();
  }, cloud);

/** The mistakes that a run ended with, given that it made nothing. */
async function mistakes(running: Running): Promise<string> {
  const { result, children } = await running;
  expect([...children.keys()]).toEqual([]);
  expect(result.errors).toHaveLength(1);
  return result.errors[0] ?? "";
}

async function accepted(running: Running) {
  const finished = await running;
  expect(finished.result.errors).toEqual([]);
  return finished;
}

const poolWith = (args: Partial<GcpWorkloadIdentityPoolArgs>, cloud?: FakeGcp) =>
  runGcp(() => {
    const { principal, providerName, tokenAudience, projectNumber } = new GcpWorkloadIdentityPool("dcf", { projectId, poolId: "dcf-pool", providerId: "dcf-provider", oidc, ...args });
    return { principal, providerName, tokenAudience, projectNumber };
  }, cloud);
const outputsOf = ({ result }: Awaited<Running>) => Object.fromEntries(Object.entries(result.outputs).map(([name, { value }]) => [name, value]));

describe("GcpWorkloadIdentityPool", () => {
  it("trusts one subject of one issuer, under an exact condition, and stays on destroy", async () => {
    const done = await accepted(poolWith({ displayName: "DCF" }));
    expect(done.child("dcf-pool").inputs).toEqual({ project: projectId, workloadIdentityPoolId: "dcf-pool", displayName: "DCF" });
    expect(done.child("dcf-provider").inputs).toEqual({
      project: projectId,
      workloadIdentityPoolId: "dcf-pool",
      workloadIdentityPoolProviderId: "dcf-provider",
      displayName: "DCF",
      attributeMapping: { "google.subject": "assertion.sub" },
      attributeCondition: `assertion.sub == '${SUBJECT}'`,
      oidc: { issuerUri: oidc.issuerUri, allowedAudiences: [] },
    });
    expect([done.child("dcf-pool").retainOnDelete, done.child("dcf-provider").retainOnDelete]).toEqual([true, true]);
    expect(outputsOf(done)).toEqual({
      principal: PRINCIPAL,
      providerName: `${POOL}/providers/dcf-provider`,
      tokenAudience: `https://iam.googleapis.com/${POOL}/providers/dcf-provider`,
      projectNumber: "123456789012",
    });
  });

  it("deletes pool and provider on destroy only when told to", async () => {
    const done = await accepted(poolWith({ retainOnDestroy: false }));
    expect([done.child("dcf-pool").retainOnDelete, done.child("dcf-provider").retainOnDelete]).toEqual([false, false]);
  });

  it("names pool and principal by the number of the project that hosts the pool", async () => {
    const done = await accepted(poolWith({ projectId: "platform-host" }));
    expect(outputsOf(done).principal).toBe(PRINCIPAL.replace("123456789012", "210987654321"));
    expect(done.child("dcf-provider").inputs.project).toBe("platform-host");
  });

  it("allows the audience that the platform mints, and no other", async () => {
    const done = await accepted(poolWith({ oidc: { ...oidc, tokenAudience: "https://dcf.example/gcp" } }));
    expect(done.child("dcf-provider").inputs.oidc).toEqual({ issuerUri: oidc.issuerUri, allowedAudiences: ["https://dcf.example/gcp"] });
    expect(outputsOf(done).tokenAudience).toBe("https://dcf.example/gcp");
  });

  it("pins an AWS role by account and name", async () => {
    const done = await accepted(poolWith({ oidc: undefined, aws }));
    expect(done.child("dcf-provider").inputs).toEqual({
      project: projectId,
      workloadIdentityPoolId: "dcf-pool",
      workloadIdentityPoolProviderId: "dcf-provider",
      attributeMapping: {
        "google.subject": "assertion.arn",
        "attribute.aws_role":
          "assertion.arn.contains('assumed-role') ? assertion.arn.extract('{account_arn}assumed-role/') + 'assumed-role/' + assertion.arn.extract('assumed-role/{role_name}/') : assertion.arn",
      },
      attributeCondition: "assertion.arn.startsWith('arn:aws:sts::222233334444:assumed-role/klavi-delivery/')",
      aws: { accountId: "222233334444" },
    });
    expect(outputsOf(done)).toMatchObject({ principal: ROLE_SET, tokenAudience: `//iam.googleapis.com/${POOL}/providers/dcf-provider` });
  });

  it("pins session and unique id where they are given", async () => {
    const done = await accepted(poolWith({ oidc: undefined, aws: { ...aws, sessionName: "partner-4711", roleUniqueId: "AROA1234567890EXAMPLE", subject: "userid" } }));
    expect(done.child("dcf-provider").inputs.attributeCondition).toBe(
      "assertion.arn == 'arn:aws:sts::222233334444:assumed-role/klavi-delivery/partner-4711' && assertion.userid.startsWith('AROA1234567890EXAMPLE:')",
    );
    expect(done.child("dcf-provider").inputs.attributeMapping).toMatchObject({ "google.subject": "assertion.userid" });
  });

  const refusedInputs: [string, Partial<GcpWorkloadIdentityPoolArgs>, string][] = [
    ["a project number", { projectId: "123456789012" }, "projectId: must be a project id, and 123456789012 is a project number: `gcloud projects describe 123456789012 --format='value(projectId)'` has the id"],
    ["a reserved pool id", { poolId: "gcp-pool" }, 'poolId: must be 4 to 32 lower-case letters, digits or hyphens that do not begin with gcp-; got "gcp-pool"'],
    ["a short provider id", { providerId: "dcf" }, 'providerId: must be 4 to 32 lower-case letters, digits or hyphens that do not begin with gcp-; got "dcf"'],
    ["an issuer without https", { oidc: { ...oidc, issuerUri: "http://oidc.dcf.example" } }, "oidc.issuerUri: must be an https URL without user, query and fragment, equal to the `iss` of the tokens letter for letter; got \"http://oidc.dcf.example\""],
    ["a subject that ends the literal", { oidc: { ...oidc, subject: "x') || true || ('" } }, "oidc.subject: must be one exact subject: 1 to 127 letters, digits or any of -._:/@=+~| that begin with a letter or digit; got \"x') || true || ('\""],
    ["a subject with a wildcard", { oidc: { ...oidc, subject: "dcf:*" } }, 'oidc.subject: must be one exact subject: 1 to 127 letters, digits or any of -._:/@=+~| that begin with a letter or digit; got "dcf:*"'],
    ["the audience of the STS request", { oidc: { ...oidc, tokenAudience: `//iam.googleapis.com/${POOL}/providers/dcf-provider` } }, `oidc.tokenAudience: must be the \`aud\` in the platform's tokens, and //iam.googleapis.com/${POOL}/providers/dcf-provider is the audience of the STS request, which follows from pool and provider; leave it out if the tokens have the provider's name`],
    ["both kinds of workload", { aws }, "oidc, aws: must be one of the two; got both"],
    ["no workload", { oidc: undefined }, "oidc, aws: must be one of the two; got neither"],
    ["an existing provider in a new pool", { existingProvider: true }, "existingPool: must be true with existingProvider: the provider's pool exists too"],
    ["a condition of one's own", { attributeCondition: "true" }, "attributeCondition: goes with existingProvider only: a created provider's is made of the workload, exactly"],
    ["an account that is none", { oidc: undefined, aws: { ...aws, accountId: "2222" } }, 'aws.accountId: must be 12 digits; got "2222"'],
    ["a role with a path", { oidc: undefined, aws: { ...aws, roleName: "service/klavi" } }, 'aws.roleName: must be 1 to 64 letters, digits or any of _+=,.@-; got "service/klavi"'],
    [
      "a role whose sessions do not fit",
      { oidc: undefined, aws: { ...aws, roleName: "r".repeat(24) } },
      `aws.roleName: leaves 63 of Google's 127 bytes for the session's name behind \`arn:aws:sts::<account>:assumed-role/${"r".repeat(24)}/\`, and that may have 64: set longestSessionName to 63 or less, if the sessions are named so, or set subject to userid`,
    ],
  ];
  it.each(refusedInputs)("refuses %s before anything is made", async (_name, args, line) => {
    expect(await mistakes(poolWith(args))).toBe(`GcpWorkloadIdentityPool "dcf" has a mistake in its inputs: ${line}`);
  });

  it("reports all mistakes at once", async () => {
    const text = await mistakes(poolWith({ poolId: "p", providerId: "q", oidc: { issuerUri: "x", subject: "" } }));
    expect(text).toMatch(/^GcpWorkloadIdentityPool "dcf" has 4 mistakes in its inputs: /);
  });

  it("takes a role name of 23 characters with any session, and a longer one with shorter sessions or the user id", async () => {
    await accepted(poolWith({ oidc: undefined, aws: { ...aws, roleName: "r".repeat(23) } }));
    await accepted(poolWith({ oidc: undefined, aws: { ...aws, roleName: "r".repeat(24), longestSessionName: 63 } }));
    await accepted(poolWith({ oidc: undefined, aws: { ...aws, roleName: "r".repeat(64), subject: "userid" } }));
    await accepted(poolWith({ oidc: undefined, aws: { ...aws, roleName: "r".repeat(64), sessionName: "partner-4711" } }));
  });

  describe("with uploaded keys", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
    const key = (kid: string, more: object = {}) => ({ ...rsa.publicKey.export({ format: "jwk" }), kid, ...more });
    const upload = (keys: unknown) => poolWith({ oidc: { ...oidc, jwksJson: JSON.stringify({ keys }) } });

    it("uploads them in one form, by kid, with public members only", async () => {
      const done = await accepted(upload([{ ...ec, kid: "b", ext: true }, key("a", { use: "sig", x5c: ["AAAA"] })]));
      const { jwksJson } = done.child("dcf-provider").inputs.oidc as { jwksJson: string };
      expect(JSON.parse(jwksJson)).toEqual({ keys: [key("a", { use: "sig" }), { ...ec, kid: "b" }] });
      expect(canonicalJwks(jwksJson)).toBe(jwksJson);
    });

    it.each<[string, unknown, string]>([
      ["a private key", [{ ...rsa.privateKey.export({ format: "jwk" }), kid: "a" }], "must have public keys only: keys[0] has the private d, dp, dq, p, q, qi. Treat that key as leaked, and replace it"],
      ["a twin", [key("a"), key("a")], 'must name every key once: the kid "a" is there twice'],
      ["a nameless key", [rsa.publicKey.export({ format: "jwk" })], "must name every key: keys[0] has no kid"],
      ["another curve", [{ ...generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" }), kid: "a" }], "must have keys of type RSA (n, e) or EC on P-256 (x, y) only: keys[0] is neither"],
      ["no key", [], "must have 1 to 8 keys; has 0"],
      ["nine keys", Array.from({ length: 9 }, (_, index) => key(String(index))), "must have 1 to 8 keys; has 9"],
      ["no set", "x", 'must be the JSON of a JWK set: {"keys": […]}'],
    ])("refuses %s without showing it", async (_name, keys, reason) => {
      const text = await mistakes(upload(keys));
      expect(text).toBe(`GcpWorkloadIdentityPool "dcf" has a mistake in its inputs: oidc.jwksJson: ${reason}`);
      expect(text).not.toContain(String(rsa.privateKey.export({ format: "jwk" }).d));
    });
  });

  describe("adopting", () => {
    const pool = { state: "ACTIVE", disabled: false };
    const provider = {
      state: "ACTIVE",
      disabled: false,
      attributeMapping: { "google.subject": "assertion.sub" },
      attributeCondition: `assertion.sub == '${SUBJECT}'`,
      oidcs: [{ issuerUri: oidc.issuerUri, allowedAudiences: [], jwksJson: "" }],
      aws: [],
    };
    const with_ = (poolState: object, providerState?: object): FakeGcp =>
      fakeGcp({
        found: {
          getWorkloadIdentityPool: { "dcf-pool": { ...pool, ...poolState } },
          getWorkloadIdentityPoolProvider: providerState ? { "dcf-provider": { ...provider, ...providerState } } : {},
        },
      });
    const both = { existingPool: true, existingProvider: true };
    const where = "--workload-identity-pool=dcf-pool --project=customer-app-prod --location=global";
    const title = "the provider dcf-provider in the pool dcf-pool of customer-app-prod";
    const update = `gcloud iam workload-identity-pools providers update-oidc dcf-provider ${where}`;
    const head = 'GcpWorkloadIdentityPool "dcf" has ';

    it("changes nothing where everything fits", async () => {
      const done = await accepted(poolWith(both, with_({}, {})));
      expect([...done.children.keys()]).toEqual([]);
      expect(outputsOf(done)).toMatchObject({ principal: PRINCIPAL });
    });

    it("makes a provider in an existing pool, and says whom the pool's other providers may be", async () => {
      const done = await accepted(poolWith({ existingPool: true }, with_({})));
      expect([...done.children.keys()]).toEqual(["dcf-provider"]);
      expect(done.warnings).toEqual([
        "Bindings name the pool dcf-pool and not its providers: what other providers in it map to the same subject or attribute has the same rights. `cloud-federation verify --account` lists them.",
      ]);
    });

    it("reports every difference at once, each with its command", async () => {
      const differing = {
        disabled: true,
        attributeMapping: { "google.subject": "assertion.email" },
        attributeCondition: "true",
        oidcs: [{ issuerUri: "https://other.example", allowedAudiences: ["x"], jwksJson: '{"keys":[{"kid":"a"}]}' }],
      };
      const text = await mistakes(poolWith(both, with_({}, differing)));
      const untouched = "and what this stack did not create it does not change. Where nobody else depends on it, change it with";
      for (const line of [
        `providerId: ${title} has the state disabled, where enabled is needed, ${untouched} \`${update} --no-disabled\``,
        `attributeMapping: ${title} has the mapping {"google.subject":"assertion.email"}, where {"google.subject":"assertion.sub"} is needed, ${untouched} \`${update} --attribute-mapping=google.subject=assertion.sub\``,
        `attributeCondition: ${title} has the condition "true", where "assertion.sub == '${SUBJECT}'" is needed, ${untouched} \`${update} --attribute-condition="assertion.sub == '${SUBJECT}'"\``,
        `oidc.issuerUri: ${title} has the issuer https://other.example, where https://oidc.dcf.example is needed, ${untouched} \`${update} --issuer-uri=https://oidc.dcf.example\``,
        `oidc.tokenAudience: ${title} has the audiences ["x"], where Google's default is needed, ${untouched} \`${update} --allowed-audiences=""\``,
        `oidc.jwksJson: ${title} has the keys: uploaded keys ["a"], where the issuer's own keys (discovery) is needed, ${untouched} \`${update} --jwk-json-path=FILE\``,
      ]) {
        expect(text).toContain(line);
      }
      expect(text.startsWith(`${head}6 mistakes in its inputs:`)).toBe(true);
    });

    it("compares the account of an AWS provider, which can never be changed", async () => {
      const { mapping, condition } = awsAdmission({ ...aws, subject: "arn", bareRoleName: false });
      const found = (accountId: string) => with_({}, { attributeMapping: mapping, attributeCondition: condition, oidcs: [], aws: [{ accountId }] });
      await accepted(poolWith({ ...both, oidc: undefined, aws }, found(aws.accountId)));
      expect(await mistakes(poolWith({ ...both, oidc: undefined, aws }, found("999988887777")))).toBe(
        `${head}a mistake in its inputs: aws.accountId: ${title} has the AWS account 999988887777, where 222233334444 is needed, and what this stack did not create it does not change. ` +
          "That cannot be changed on a provider: use another providerId, or let the stack create one",
      );
    });

    it("says how a deleted pool or provider is brought back", async () => {
      const undelete = `Bring a deleted one back with \`gcloud iam workload-identity-pools undelete dcf-pool --project=customer-app-prod --location=global\``;
      expect(await mistakes(poolWith(both))).toContain(undelete);
      expect(await mistakes(poolWith(both, with_({ state: "DELETED" }, {})))).toContain("is deleted; for 30 days its id is taken, and it can be brought back: `gcloud iam workload-identity-pools undelete dcf-pool");
      expect(await mistakes(poolWith(both, with_({}, { state: "DELETED" })))).toContain(`\`gcloud iam workload-identity-pools providers undelete dcf-provider ${where}\``);
      expect(await mistakes(poolWith(both, with_({})))).toContain(`\`gcloud iam workload-identity-pools providers undelete dcf-provider ${where}\``);
    });

    it("tells a pool that cannot be read, and a disabled one, from a missing one", async () => {
      const denied = fakeGcp({ found: { getWorkloadIdentityPool: { "dcf-pool": new Error("googleapi: Error 403: Permission 'iam.workloadIdentityPools.get' denied") } } });
      expect(await mistakes(poolWith(both, denied))).toMatch(/poolId: the pool dcf-pool of customer-app-prod cannot be read: .*Permission 'iam.workloadIdentityPools.get' denied$/);
      expect(await mistakes(poolWith(both, with_({ disabled: true }, {})))).toContain("update dcf-pool --project=customer-app-prod --location=global --no-disabled`");
    });

    it("takes a stated mapping and condition that mean the workload", async () => {
      const stated = { attributeMapping: { "google.subject": "assertion.sub", "attribute.tenant": "assertion.iss" }, attributeCondition: "assertion.sub.startsWith('system:serviceaccount:dcf:')" };
      await accepted(poolWith({ ...both, ...stated }, with_({}, stated)));
    });

    it.each<[string, Partial<GcpWorkloadIdentityPoolArgs>, string]>([
      ["refuse the workload", { attributeCondition: "assertion.sub == 'other'" }, `attributeCondition: refuses the workload itself: the attribute condition "assertion.sub == 'other'" is false: assertion.sub is "${SUBJECT}"`],
      ["be no expression", { attributeCondition: "assertion.sub ==" }, "attributeCondition: "],
      ["make it somebody else", { attributeMapping: { "google.subject": "assertion.iss" } }, "attributeMapping: makes the workload principal://iam.googleapis.com/projects/1/"],
      ["take others for it", { attributeMapping: { "google.subject": "assertion.sub.lowerAscii()" }, attributeCondition: "true" }, `attributeCondition: lets the subject "${SUBJECT.toUpperCase()}" in as the workload`],
      ["admit everybody", { attributeCondition: " " }, "attributeCondition: must be there: a provider without a condition admits every token of its issuer, or every identity of its account"],
    ])("refuses a stated mapping or condition that would %s", async (_name, stated, line) => {
      expect(await mistakes(poolWith({ ...both, ...stated }, with_({}, { ...stated })))).toContain(line);
    });

    it.each<[string, string, string[]]>([
      ["Klavi's guide alone", "attribute.aws_role == 'klavi-delivery'", ["arn:aws:sts::000000000000:assumed-role/klavi-delivery/session", "arn:aws:iam::222233334444:user/role/klavi-delivery/session", "arn:aws:iam::222233334444:user/assumed-role/klavi-delivery/session"]],
    ])("refuses %s: it takes others for the role", async (_name, attributeCondition, strangers) => {
      const stated = { attributeCondition, attributeMapping: awsAdmission({ ...aws, subject: "arn", bareRoleName: true }).mapping };
      const text = await mistakes(poolWith({ ...both, oidc: undefined, aws: { ...aws, bareRoleName: true }, ...stated }, with_({}, { ...stated, oidcs: [], aws: [{ accountId: aws.accountId }] })));
      for (const stranger of strangers) expect(text).toContain(`attributeCondition: lets ${stranger} in as the workload`);
    });
  });

  it("says what a taken id means, and nothing of other errors", () => {
    const ids = { projectId, poolId: "dcf-pool" };
    expect(takenReason(["googleapi: Error 409: Requested entity already exists"], ids)).toBe(
      "The pool dcf-pool of customer-app-prod is there already, or was deleted in the last 30 days, for which its id is taken. If it was deleted, bring it back with " +
        "`gcloud iam workload-identity-pools undelete dcf-pool --project=customer-app-prod --location=global`. Then adopt it (existingPool; in the stacks' configuration `mode: existing`), or choose another id.",
    );
    expect(takenReason(["googleapi: Error 403: Permission denied"], ids)).toBeUndefined();
  });

  it("says what to do where an AWS account was to be changed, and nothing of other errors", () => {
    const ids = { projectId, poolId: "klavi-access-pool", providerId: "klavi-aws-provider" };
    expect(immutableReason(["googleapi: Error 400: Attempted to update an immutable field."], ids)).toBe(
      "The provider klavi-aws-provider in the pool klavi-access-pool of customer-app-prod cannot be given another AWS account, nor another kind of workload. " +
        "Choose another providerId (in the stacks' configuration `provider.id`): a deleted provider's id is taken for 30 days. Then end the trust in the former account: " +
        "`gcloud iam workload-identity-pools providers delete klavi-aws-provider --workload-identity-pool=klavi-access-pool --project=customer-app-prod --location=global`.",
    );
    expect(immutableReason(["googleapi: Error 400: Invalid AWS account ID"], ids)).toBeUndefined();
  });
});

/** Whoever signs, as AWS would say it, judged by Google's own rules. */
describe("the pin of an AWS role", () => {
  const judge = (arn: string, userid: string, role: Partial<AwsRole> = {}): boolean => {
    const admission = awsAdmission({ ...aws, subject: "arn", bareRoleName: false, ...role });
    const assertion = { arn, account: "222233334444", userid };
    const mapped = mapAttributes(admission.mapping, assertion);
    if ("allowed" in mapped || conditionRefusal(admission.condition, assertion, mapped)) return false;
    return federatedIdentity(`${POOL}/providers/dcf-provider`, mapped).members.includes(admission.principal(POOL));
  };
  const ROLE = "arn:aws:sts::222233334444:assumed-role/klavi-delivery";

  it.each([false, true])("admits the role alone (bareRoleName %s)", (bareRoleName) => {
    const judged = (arn: string) => judge(arn, "AROA1:x", { bareRoleName });
    expect(judged(`${ROLE}/any-session`)).toBe(true);
    for (const stranger of [
      "arn:aws:sts::999988887777:assumed-role/klavi-delivery/s",
      "arn:aws:sts::222233334444:assumed-role/klavi-delivery-2/s",
      "arn:aws:sts::222233334444:assumed-role/other/klavi-delivery",
      "arn:aws:iam::222233334444:user/role/klavi-delivery/s",
      "arn:aws:iam::222233334444:user/assumed-role/klavi-delivery/s",
      "arn:aws:iam::222233334444:role/klavi-delivery",
      "arn:aws:iam::222233334444:root",
      "arn:aws-us-gov:sts::222233334444:assumed-role/klavi-delivery/s",
      "arn:aws:sts::222233334444:federated-user/klavi-delivery",
    ]) {
      expect([stranger, judged(stranger)]).toEqual([stranger, false]);
    }
  });

  it("admits one session, and one incarnation of the role, where they are pinned", () => {
    const role = { sessionName: "partner-4711", uniqueId: "AROAONE" };
    expect(judge(`${ROLE}/partner-4711`, "AROAONE:partner-4711", role)).toBe(true);
    expect(judge(`${ROLE}/partner-47111`, "AROAONE:partner-47111", role)).toBe(false);
    expect(judge(`${ROLE}/partner-4711`, "AROATWO:partner-4711", role)).toBe(false);
  });
});

describe("GcpFederatedServiceAccount", () => {
  const accountWith = (args: Partial<GcpFederatedServiceAccountArgs>, cloud?: FakeGcp) =>
    runGcp(() => {
      const { email, member } = new GcpFederatedServiceAccount("dcf-deployer", { projectId, principal: PRINCIPAL, ...args });
      return { email, member };
    }, cloud);

  it("makes an account that one principal may act as, by workloadIdentityUser on the account", async () => {
    const done = await accepted(accountWith({ displayName: "DCF deployer" }));
    expect(done.child("dcf-deployer-account").inputs).toEqual({ project: projectId, accountId: "dcf-deployer", displayName: "DCF deployer" });
    expect(done.bindings()).toEqual([
      { on: `projects/${projectId}/serviceAccounts/dcf-deployer@customer-app-prod.iam.gserviceaccount.com`, role: "roles/iam.workloadIdentityUser", member: PRINCIPAL },
    ]);
    expect(outputsOf(done)).toEqual({ email: MEMBER.slice("serviceAccount:".length), member: MEMBER });
  });

  it("takes an existing account as it is", async () => {
    const email = "dcf-deployer@customer-app-prod.iam.gserviceaccount.com";
    const found = { getAccount: { [email]: { email, name: `projects/${projectId}/serviceAccounts/${email}`, uniqueId: "1" } } };
    const done = await accepted(accountWith({ existing: true }, fakeGcp({ found })));
    expect([...done.children.keys()]).toEqual(["dcf-deployer-impersonation"]);
    expect(await mistakes(accountWith({ existing: true, displayName: "x" }))).toContain("displayName: has no effect on an existing account, which is never changed: leave it out");
  });

  it.each([
    ["a whole pool", `principalSet://iam.googleapis.com/${POOL}/*`, "not a whole pool or a pattern"],
    ["everybody of a role", ROLE_SET, undefined],
    ["a subject with a wildcard", `${PRINCIPAL}*`, "not a whole pool or a pattern"],
    ["a group", `principalSet://iam.googleapis.com/${POOL}/group/all`, "not a whole pool or a pattern"],
    ["a project's id", PRINCIPAL.replace("123456789012", projectId), "must name the pool's project by its number, since Google never matches its id"],
    ["a service account", MEMBER, "must be one identity of a pool"],
    ["allUsers", "allUsers", "must be one identity of a pool"],
  ])("judges %s", async (_name, principal, line) => {
    if (line === undefined) await accepted(accountWith({ principal }));
    else expect(await mistakes(accountWith({ principal }))).toContain(line);
  });

  it("refuses ids that Google refuses", async () => {
    await accepted(accountWith({ accountId: "a".repeat(30) }));
    expect(await mistakes(accountWith({ accountId: "a".repeat(31) }))).toContain("accountId: must be 6 to 30 lower-case letters");
    expect(await mistakes(accountWith({ accountId: "short" }))).toContain("accountId: must be 6 to 30 lower-case letters");
  });
});

describe("GcpProjectServices", () => {
  it("enables each API and never disables one", async () => {
    const done = await accepted(runMaking(() => new GcpProjectServices("apis", { projectId, services: ["run.googleapis.com", "sts.googleapis.com"] })));
    expect(done.child("apis-run").inputs).toEqual({ project: projectId, service: "run.googleapis.com", disableOnDestroy: false });
    expect(done.child("apis-sts").inputs).toEqual({ project: projectId, service: "sts.googleapis.com", disableOnDestroy: false });
  });

  it("refuses what is no API, and twins", async () => {
    const text = await mistakes(runMaking(() => new GcpProjectServices("apis", { projectId, services: ["run", "sts.googleapis.com", "sts.googleapis.com"] })));
    expect(text).toContain('services[0]: must be the name of a Google API, such as run.googleapis.com; got "run"');
    expect(text).toContain("services[2]: names sts.googleapis.com a second time");
  });

  it("goes before what depends on it", async () => {
    const done = await accepted(
      runGcp(() => {
        const apis = new GcpProjectServices("apis", { projectId, services: ["iam.googleapis.com"] });
        new GcpFederatedServiceAccount("dcf-deployer", { projectId, principal: PRINCIPAL }, { dependsOn: apis });
      }),
    );
    expect(done.child("dcf-deployer-account").dependencies).toContain(done.child("apis-iam").urn);
    expect(done.child("dcf-deployer-impersonation").dependencies).toContain(done.child("apis-iam").urn);
  });
});

describe("GcpArtifactBucket and GcpRefusalBucket", () => {
  const bucketWith = (args: Partial<GcpArtifactBucketArgs>, cloud?: FakeGcp) =>
    runGcp(() => ({ name: new GcpArtifactBucket("artifacts", { projectId, bucketName: "dcf-gcs-bucket", location: "us-central1", ...args }).bucketName }), cloud);
  const hardened = { project: projectId, location: "us-central1", uniformBucketLevelAccess: true, publicAccessPrevention: "enforced" };

  it("hardens, keeps deleted objects for a week, and cleans up", async () => {
    expect((await accepted(bucketWith({ labels: { team: "payments" } }))).child("artifacts").inputs).toEqual({
      ...hardened,
      name: "dcf-gcs-bucket",
      softDeletePolicy: { retentionDurationSeconds: 604_800 },
      lifecycleRules: [
        { action: { type: "Delete" }, condition: { age: 30, matchesPrefixes: ["builds/"] } },
        { action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 7 } },
      ],
      labels: { team: "payments" },
    });
  });

  it("keeps what is delivered", async () => {
    expect((await accepted(bucketWith({ keepObjects: true, softDeleteDays: 0, versioning: true, forceDestroy: true }))).child("artifacts").inputs).toEqual({
      ...hardened,
      name: "dcf-gcs-bucket",
      softDeletePolicy: { retentionDurationSeconds: 0 },
      versioning: { enabled: true },
      forceDestroy: true,
      lifecycleRules: [{ action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: 7 } }],
    });
  });

  it("makes nothing of an existing bucket, and takes no settings for it", async () => {
    const done = await accepted(bucketWith({ existing: true }, fakeGcp({ found: { getBucket: { "dcf-gcs-bucket": {} } } })));
    expect([...done.children.keys()]).toEqual([]);
    expect(outputsOf(done)).toEqual({ name: "dcf-gcs-bucket" });
    expect(await mistakes(bucketWith({ existing: true, versioning: true }))).toContain("versioning: has no effect on an existing bucket, which is never changed: leave it out");
  });

  it("makes the refusal bucket as hard, without anything to bring back", async () => {
    const done = await accepted(runMaking(() => new GcpRefusalBucket("refusal", { projectId, bucketName: "dcf-gcs-bucket-refusal", location: "us-central1" })));
    expect(done.child("refusal").inputs).toEqual({ ...hardened, name: "dcf-gcs-bucket-refusal", softDeletePolicy: { retentionDurationSeconds: 0 }, lifecycleRules: [] });
    expect(done.bindings()).toEqual([]);
  });

  it.each<[Partial<GcpArtifactBucketArgs>, string | undefined]>([
    [{ softDeleteDays: 7 }, undefined],
    [{ softDeleteDays: 6 }, "softDeleteDays: must be a whole number from 7 to 90 (days), or 0 to switch it off; got 6"],
    [{ softDeleteDays: 90 }, undefined],
    [{ softDeleteDays: 91 }, "softDeleteDays: must be"],
    [{ bucketName: "my.bucket" }, "bucketName: must be 3 to 63 lower-case"],
    [{ bucketName: "goog-bucket" }, "bucketName: must be"],
    [{ bucketName: "my-google-bucket" }, "bucketName: must be"],
    [{ bucketName: "ab" }, "bucketName: must be"],
    [{ bucketName: "a".repeat(63) }, undefined],
    [{ bucketName: "a".repeat(64) }, "bucketName: must be"],
    [{ location: "US" }, "location: must be a region, such as us-central1 (no zone, no multi-region)"],
    [{ location: "us-central1-a" }, "location: must be a region"],
    [{ labels: { Team: "a" } }, 'labels["Team"]: the key must be'],
    [{ stagedBuildsExpireAfterDays: 0 }, "stagedBuildsExpireAfterDays: must be a whole number from 1 to 3650 (days); got 0"],
  ])("judges %j", async (args, line) => {
    if (line === undefined) await accepted(bucketWith(args));
    else expect(await mistakes(bucketWith(args))).toContain(line);
  });
});

describe("GcpBucketGrant", () => {
  const grantWith = (access?: string, customRoleId?: string, member = MEMBER) =>
    runGcp(() => ({ role: new GcpBucketGrant("artifacts", { projectId, bucketName: "dcf-gcs-bucket", member, access, customRoleId }).role }));

  it.each([
    [undefined, "roles/storage.objectAdmin"],
    ["object-admin", "roles/storage.objectAdmin"],
    ["object-creator", "roles/storage.objectCreator"],
  ])("grants with access %s the role %s on the one bucket", async (access, role) => {
    const done = await accepted(grantWith(access));
    expect([...done.children.keys()]).toEqual(["artifacts-member"]);
    expect(done.child("artifacts-member").inputs).toEqual({ bucket: "dcf-gcs-bucket", role, member: MEMBER });
  });

  it("makes a custom role of four permissions where asked to", async () => {
    const done = await accepted(grantWith("artifact-objects", "dcfArtifacts"));
    expect(done.child("artifacts-role").inputs).toMatchObject({
      project: projectId,
      roleId: "dcfArtifacts",
      permissions: ["storage.objects.create", "storage.objects.get", "storage.objects.list", "storage.objects.delete"],
    });
    expect(done.bindings()).toEqual([{ on: "dcf-gcs-bucket", role: "projects/customer-app-prod/roles/dcfArtifacts", member: MEMBER }]);
  });

  it("grants to a principal itself, for direct access", async () => {
    expect((await accepted(grantWith(undefined, undefined, PRINCIPAL))).bindings()).toEqual([{ on: "dcf-gcs-bucket", role: "roles/storage.objectAdmin", member: PRINCIPAL }]);
  });

  it("refuses anybody else, unknown access, and ids that do not fit", async () => {
    for (const member of ["allUsers", "allAuthenticatedUsers", "user:a@example.com", "domain:example.com", `principalSet://iam.googleapis.com/${POOL}/*`, "serviceAccount:*"]) {
      expect(await mistakes(grantWith(undefined, undefined, member))).toMatch(/member: must (be|name) /);
    }
    expect(await mistakes(grantWith("admin"))).toContain('access: must be one of object-admin, artifact-objects, object-creator; got "admin"');
    expect(await mistakes(grantWith("artifact-objects"))).toContain("customRoleId: is required with access artifact-objects: the id of the role to make");
    expect(await mistakes(grantWith("object-admin", "dcfArtifacts"))).toContain("customRoleId: goes with access artifact-objects only: leave it out");
  });
});

describe("GcpArtifactRepository", () => {
  const repositoryWith = (args: object, cloud?: FakeGcp) =>
    runGcp(() => ({ uri: new GcpArtifactRepository("images", { projectId, location: "us-central1", repositoryId: "customer-dcf-repo", ...args }).registryUri }), cloud);

  it("makes a repository for Docker images that stays on destroy", async () => {
    const done = await accepted(repositoryWith({ immutableTags: true }));
    expect(done.child("images").inputs).toEqual({
      project: projectId,
      location: "us-central1",
      repositoryId: "customer-dcf-repo",
      format: "DOCKER",
      description: "Images of DCF's builds",
      dockerConfig: { immutableTags: true },
    });
    expect(done.child("images").retainOnDelete).toBe(true);
    expect(outputsOf(done)).toEqual({ uri: "us-central1-docker.pkg.dev/customer-app-prod/customer-dcf-repo" });
    expect((await accepted(repositoryWith({ retainOnDestroy: false }))).child("images").retainOnDelete).toBe(false);
  });

  it("takes an existing one for Docker images only", async () => {
    const found = (format: string) => fakeGcp({ found: { getRepository: { "customer-dcf-repo": { format } } } });
    expect([...(await accepted(repositoryWith({ existing: true }, found("DOCKER")))).children.keys()]).toEqual([]);
    expect(await mistakes(repositoryWith({ existing: true }, found("NPM")))).toContain("repositoryId: must name a repository for Docker images; customer-dcf-repo is for NPM, which can never be changed");
  });
});

const repository = { projectId, location: "us-central1", repositoryId: "customer-dcf-repo" };

describe("GcpBuilds", () => {
  const buildsWith = (args: Partial<GcpBuildsArgs>) => runMaking(() => new GcpBuilds("builds", { projectId, member: MEMBER, sourceBucket: "dcf-gcs-bucket", repository, ...args }));
  const BUILDER = "serviceAccount:dcf-build@customer-app-prod.iam.gserviceaccount.com";
  const account = "projects/customer-app-prod/serviceAccounts/dcf-build@customer-app-prod.iam.gserviceaccount.com";
  const starter = [
    { on: projectId, role: "roles/cloudbuild.builds.editor", member: MEMBER },
    { on: "customer-dcf-repo", role: "roles/artifactregistry.reader", member: MEMBER },
  ];
  const builder = [
    { on: account, role: "roles/iam.serviceAccountUser", member: MEMBER },
    { on: "dcf-gcs-bucket", role: "roles/storage.objectViewer", member: BUILDER },
    { on: "customer-dcf-repo", role: "roles/artifactregistry.writer", member: BUILDER },
    { on: projectId, role: "roles/logging.logWriter", member: BUILDER },
  ];
  const sorted = (bindings: { on: string; role: unknown; member: unknown }[]) => bindings.map((binding) => JSON.stringify(binding)).sort();

  it("gives a created account what builds need, and nothing else", async () => {
    const done = await accepted(buildsWith({ account: { accountId: "dcf-build" } }));
    expect(done.child("builds-account").inputs).toEqual({ project: projectId, accountId: "dcf-build", displayName: "Builds of DCF" });
    expect(sorted(done.bindings())).toEqual(sorted([...starter, ...builder]));
  });

  it("gives the same to an existing one", async () => {
    const done = await accepted(buildsWith({ account: { existingEmail: BUILDER.slice("serviceAccount:".length) } }));
    expect(done.children.has("builds-account")).toBe(false);
    expect(sorted(done.bindings())).toEqual(sorted([...starter, ...builder]));
  });

  it("gives the project's default account nothing", async () => {
    expect(sorted((await accepted(buildsWith({}))).bindings())).toEqual(sorted(starter));
  });

  it("refuses both accounts, and neither", async () => {
    expect(await mistakes(buildsWith({ account: {} }))).toContain("account: must have accountId, for an account to create, or existingEmail; got neither");
    expect(await mistakes(buildsWith({ account: { accountId: "dcf-build", existingEmail: BUILDER.slice(15) } }))).toContain("got both");
  });
});

describe("GcpCloudRunTarget", () => {
  const targetWith = (args: Partial<GcpCloudRunTargetArgs>, cloud?: FakeGcp) =>
    runMaking(() => new GcpCloudRunTarget("run", { projectId, region: "us-central1", serviceName: "api", member: MEMBER, runtimeAccount: { accountId: "dcf-runtime" }, ...args }), cloud);
  const actAs = { on: "projects/customer-app-prod/serviceAccounts/dcf-runtime@customer-app-prod.iam.gserviceaccount.com", role: "roles/iam.serviceAccountUser", member: MEMBER };
  const developer = { on: "api", role: "roles/run.developer", member: MEMBER };

  it("makes a private service that runs as an account of its own, and lets the member deploy to it alone", async () => {
    const done = await accepted(targetWith({}));
    expect(done.child("run-service").inputs).toEqual({
      project: projectId,
      location: "us-central1",
      name: "api",
      ingress: "INGRESS_TRAFFIC_ALL",
      deletionProtection: false,
      template: { serviceAccount: "dcf-runtime@customer-app-prod.iam.gserviceaccount.com", containers: [{ image: "us-docker.pkg.dev/cloudrun/container/hello" }] },
    });
    expect(done.child("run-runtime").inputs).toEqual({ project: projectId, accountId: "dcf-runtime", displayName: "Runs what DCF deploys" });
    expect(done.bindings()).toEqual([actAs, developer]);
    expect(done.child("run-deployer").type).toBe("gcp:cloudrunv2/serviceIamMember:ServiceIamMember");
  });

  it("grants on the project only when asked to", async () => {
    const done = await accepted(targetWith({ grantOnProject: true }));
    expect(done.bindings()).toContainEqual({ ...developer, on: projectId });
    expect(done.child("run-deployer").type).toBe("gcp:projects/iAMMember:IAMMember");
  });

  it("lets the platform set the service's policy by a role for just that", async () => {
    const done = await accepted(targetWith({ publicAccess: "platform", publicAccessRoleId: "dcfPublic" }));
    expect(done.child("run-public-role").inputs).toMatchObject({ roleId: "dcfPublic", permissions: ["run.services.setIamPolicy"] });
    expect(done.bindings().filter(({ role }) => role === "projects/customer-app-prod/roles/dcfPublic")).toEqual([{ on: "api", role: "projects/customer-app-prod/roles/dcfPublic", member: MEMBER }]);
  });

  it("makes the service public itself for the customer who wants that", async () => {
    const done = await accepted(targetWith({ publicAccess: "customer" }));
    expect(done.child("run-public").inputs).toEqual({ project: projectId, location: "us-central1", name: "api", role: "roles/run.invoker", member: "allUsers" });
    expect(done.bindings().filter(({ member }) => member === "allUsers")).toHaveLength(1);
  });

  it("uses an existing service and account", async () => {
    const found = { getService: { api: { uri: "https://api.run.app" } } };
    const done = await accepted(targetWith({ existing: true, runtimeAccount: { existingEmail: "123456789012-compute@developer.gserviceaccount.com" } }, fakeGcp({ found })));
    expect([...done.children.keys()].sort()).toEqual(["run-act-as", "run-deployer"]);
    expect(done.child("run-act-as").inputs.serviceAccountId).toBe("projects/customer-app-prod/serviceAccounts/123456789012-compute@developer.gserviceaccount.com");
  });

  it.each<[Partial<GcpCloudRunTargetArgs>, string]>([
    [{ publicAccess: "yes" }, 'publicAccess: must be one of private, platform, customer; got "yes"'],
    [{ publicAccess: "platform" }, "publicAccessRoleId: is required with publicAccess platform: the id of the role to make"],
    [{ publicAccessRoleId: "dcfPublic" }, "publicAccessRoleId: goes with publicAccess platform only: leave it out"],
    [{ runtimeAccount: {} }, "runtimeAccount: must have accountId, for an account to create, or existingEmail; got neither"],
    [{ serviceName: "a".repeat(50) }, "serviceName: must be 1 to 49 lower-case letters"],
    [{ existing: true, labels: { a: "b" } }, "labels: has no effect on an existing service, which is never changed: leave it out"],
    [{ member: "allUsers" }, "member: must be serviceAccount:<email>, or one identity of a pool"],
  ])("refuses %j", async (args, line) => {
    expect(await mistakes(targetWith(args))).toContain(line);
  });
});

describe("GcpGkeTarget", () => {
  const cluster = fakeGcp({ found: { getCluster: { "dcf-apps": { endpoint: "203.0.113.7", masterAuths: [{ clusterCaCertificate: "Q0E=" }] } } } });
  const targetWith = (args: Partial<GcpGkeTargetArgs>, cloud = cluster) =>
    runMaking(() => new GcpGkeTarget("gke", {
          projectId,
          clusterName: "dcf-apps",
          clusterLocation: "us-central1",
          member: MEMBER,
          serviceAccountUniqueId: "100000000000000000001",
          clusterRoleId: "dcfCluster",
          namespace: "apps",
          deployments: ["one", "two"],
          ...args,
        }),
      cloud,
    );

  it("grants container.clusters.get alone on the project, and the rest in the cluster", async () => {
    const done = await accepted(targetWith({}));
    expect(done.child("gke-cluster-role").inputs).toMatchObject({ roleId: "dcfCluster", permissions: ["container.clusters.get"] });
    expect(done.bindings()).toEqual([{ on: projectId, role: "projects/customer-app-prod/roles/dcfCluster", member: MEMBER }]);
    const metadata = { name: "gke-deployments", namespace: "apps" };
    expect(done.child("gke-deployments-role").inputs).toMatchObject({
      metadata,
      rules: [{ apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["one", "two"], verbs: ["get", "patch", "update"] }],
    });
    const email = "dcf-deployer@customer-app-prod.iam.gserviceaccount.com";
    expect(done.child("gke-deployments-binding").inputs).toMatchObject({
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "gke-deployments" },
      subjects: [email, "100000000000000000001"].map((name) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name })),
    });
    expect(done.children.has("gke-deployments-namespace")).toBe(false);
  });

  it("reaches the cluster at its own address, with Google's plugin for the credentials", async () => {
    const { result } = await accepted(targetWith({}));
    const provider = result.resources.find(({ type }) => type === "pulumi:providers:kubernetes");
    const { kubeconfig } = provider?.inputs as { kubeconfig: string };
    expect(JSON.parse(kubeconfig)).toMatchObject({
      clusters: [{ cluster: { server: "https://203.0.113.7", "certificate-authority-data": "Q0E=" } }],
      users: [{ user: { exec: { command: "gke-gcloud-auth-plugin" } } }],
    });
    expect(kubeconfig).not.toMatch(/token|password|key-data/);
  });

  it("makes the namespace only when asked to, and then keeps it", async () => {
    const namespace = (await accepted(targetWith({ createNamespace: true }))).child("gke-deployments-namespace");
    expect(namespace.inputs).toMatchObject({ metadata: { name: "apps" } });
    expect(namespace.retainOnDelete).toBe(true);
  });

  it("lets the nodes' account read the repository where it is named", async () => {
    const done = await accepted(targetWith({ nodeServiceAccountEmail: "nodes@customer-app-prod.iam.gserviceaccount.com", repository }));
    expect(done.child("gke-pull").inputs).toEqual({
      project: projectId,
      location: "us-central1",
      repository: "customer-dcf-repo",
      role: "roles/artifactregistry.reader",
      member: "serviceAccount:nodes@customer-app-prod.iam.gserviceaccount.com",
    });
  });

  it("keeps a given kubeconfig secret", async () => {
    const { result } = await accepted(targetWith({ kubeconfig: "apiVersion: v1" }, fakeGcp()));
    expect(JSON.stringify(result.resources.find(({ type }) => type === "pulumi:providers:kubernetes")?.inputs)).toContain("1b47061264138c4ac30d75fd1eb44270");
  });

  it.each<[Partial<GcpGkeTargetArgs>, string]>([
    [{ deployments: [] }, "deployments: must name at least one Deployment: without names, the role would cover all of the namespace"],
    [{ deployments: ["one", "*"] }, 'deployments[1]: must be 1 to 253 lower-case letters, digits, hyphens or periods that begin and end with a letter or digit; got "*"'],
    [{ namespace: "Apps" }, "namespace: must be"],
    [{ nodeServiceAccountEmail: "nodes@customer-app-prod.iam.gserviceaccount.com" }, "repository: goes with nodeServiceAccountEmail: give both or neither"],
    [{ serviceAccountUniqueId: "x" }, 'serviceAccountUniqueId: must be digits; got "x"'],
    [{ clusterLocation: "everywhere" }, "clusterLocation: must be a region or zone"],
  ])("refuses %j", async (args, line) => {
    expect(await mistakes(targetWith(args))).toContain(line);
  });
});

describe("KubernetesDeploymentAccess", () => {
  it("refuses Kubernetes' own users and nobody", async () => {
    const accessFor = (users: string[]) => runMaking(() => new KubernetesDeploymentAccess("access", { namespace: "apps", deployments: ["one"], users }));
    await accepted(accessFor(["a@example.com"]));
    expect(await mistakes(accessFor([]))).toContain("users: must name at least one user");
    expect(await mistakes(accessFor(["system:masters"]))).toContain("users[0]: must be the name of one user, not of Kubernetes' own (system:) and no pattern");
  });
});

describe("GcpAuditLogs", () => {
  const there = { auditConfigs: [{ service: "storage.googleapis.com", auditLogConfigs: [{ logType: "DATA_READ", exemptedMembers: ["user:a@example.com"] }] }, { service: "run.googleapis.com", auditLogConfigs: [{ logType: "DATA_READ" }] }] };

  it("adds to what is there, and stays on destroy", async () => {
    const services = [{ service: "storage.googleapis.com", logTypes: ["DATA_WRITE"] }];
    const done = await accepted(runMaking(() => new GcpAuditLogs("audit", { projectId, services }), fakeGcp({ policy: { bindings: [], ...there } })));
    expect([...done.children.keys()]).toEqual(["audit-storage"]);
    expect(done.child("audit-storage").inputs).toEqual({
      project: projectId,
      service: "storage.googleapis.com",
      auditLogConfigs: [{ logType: "DATA_READ", exemptedMembers: ["user:a@example.com"] }, { logType: "DATA_WRITE" }],
    });
    expect(done.child("audit-storage").retainOnDelete).toBe(true);
  });

  it("asks for the same again once it is so", () => {
    const once = merged(JSON.stringify(there), "storage.googleapis.com", ["DATA_WRITE"]);
    expect(merged(JSON.stringify({ auditConfigs: [{ service: "storage.googleapis.com", auditLogConfigs: once }] }), "storage.googleapis.com", ["DATA_WRITE"])).toEqual(once);
    expect(merged("{}", "sts.googleapis.com", ["DATA_READ"])).toEqual([{ logType: "DATA_READ" }]);
  });

  it("refuses unknown log types and twins", async () => {
    const text = await mistakes(
      runMaking(() => new GcpAuditLogs("audit", { projectId, services: [{ service: "sts.googleapis.com", logTypes: ["WRITES"] }, { service: "sts.googleapis.com", logTypes: [] }] })),
    );
    expect(text).toContain('services[0].logTypes[0]: must be one of ADMIN_READ, DATA_READ, DATA_WRITE; got "WRITES"');
    expect(text).toContain("services[1].logTypes: must be one or more of ADMIN_READ, DATA_READ, DATA_WRITE");
    expect(text).toContain("services[1].service: names sts.googleapis.com a second time");
  });
});

describe("what is granted", () => {
  it("is in the role that it is said to be in", () => {
    const pairs: [keyof typeof neededPermissions, string][] = [
      ["artifact-objects", grantedRoles.objectAdmin],
      ["object-delivery", grantedRoles.objectCreator],
      ["builds", grantedRoles.buildsEditor],
      ["act-as", grantedRoles.serviceAccountUser],
      ["image-reading", grantedRoles.registryReader],
      ["cloud-run-service", grantedRoles.runDeveloper],
      ["cloud-run-service-creation", grantedRoles.runDeveloper],
      ["logs", grantedRoles.logViewer],
      ["build-source", grantedRoles.objectViewer],
      ["build-image", grantedRoles.registryWriter],
      ["build-log", grantedRoles.logWriter],
    ];
    for (const [grant, role] of pairs) {
      const contents = rolePermissions(role) ?? [];
      expect([role, neededPermissions[grant].map(({ permission }) => permission).filter((permission) => !contents.includes(permission))]).toEqual([role, []]);
    }
  });

  it("lets nobody set policies by a predefined role, and is never an administrator's", () => {
    const roles = Object.values(grantedRoles);
    expect(roles).not.toContain("roles/run.admin");
    expect(roles.filter((role) => /^roles\/(owner|editor)$/.test(role))).toEqual([]);
    expect(rolePermissions(grantedRoles.runDeveloper)).not.toContain("run.services.setIamPolicy");
    expect(rolePermissions(grantedRoles.objectCreator)).not.toContain("storage.objects.get");
  });
});

describe("rules", () => {
  it("have examples that follow them", () => {
    for (const rule of Object.keys(textRules) as (keyof typeof textRules)[]) expect([rule, ruleViolation(rule, textRules[rule].example)]).toEqual([rule, undefined]);
    for (const { min, max } of Object.values(numberRules)) expect(min).toBeLessThan(max);
  });

  it("are kept for values that are known later, too", async () => {
    const late = (value: string) => pulumi.output(Promise.resolve(value));
    const done = await poolWith({ oidc: { ...oidc, subject: late("dcf:*") } });
    expect(done.children.has("dcf-provider")).toBe(false);
    expect(done.result.errors[0]).toContain("oidc.subject: must be one exact subject");
  });
});
