import { generateKeyPairSync } from "node:crypto";

import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../../sandbox/index.js";
import { GcpError, type GcpCaller } from "../../../sandbox/gcp/types.js";
import { Clients, onPath } from "./clients.js";

const IAM = "https://iam.googleapis.com/v1";
const POOLS = `${IAM}/projects/customer-app-prod/locations/global/workloadIdentityPools`;
const ACCOUNTS = `${IAM}/projects/customer-app-prod/serviceAccounts`;
const ROLES = `${IAM}/projects/customer-app-prod/roles`;
const DENY = "https://iam.googleapis.com/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fcustomer-app-prod/denypolicies";
const PROJECT = "https://cloudresourcemanager.googleapis.com/v1/projects/customer-app-prod";
const NUMBERED = "projects/123456789012/locations/global/workloadIdentityPools";
const DAY = 86_400;

type Json = Record<string, unknown>;

/** The members of answers that are looked into, of all methods together. */
interface Answer extends Json {
  accounts: Json[];
  bindings?: { role: string; members: string[] }[];
  name: string;
  nextPageToken: string;
  roles: { name: string; includedPermissions?: string[] }[];
  workloadIdentityPools: { name: string }[];
}

let sandbox: Sandbox;
let fresh: SandboxSnapshot;
let administrator: GcpCaller;
beforeAll(async () => {
  sandbox = await startSandbox();
  administrator = sandbox.gcp.administrator().caller;
  fresh = sandbox.snapshot();
});
beforeEach(() => {
  sandbox.restore(fresh);
  sandbox.core.settings.propagationDelaySeconds = 0;
});
afterAll(() => sandbox.close());

const as = (caller: GcpCaller) => (method: string, url: string, body?: unknown): Promise<Answer> => sandbox.gcp.call<Answer>(caller, method, url, body);
const call = (method: string, url: string, body?: unknown): Promise<Answer> => as(administrator)(method, url, body);

/** Status, message and details of the refusal; the answer itself where there is none. */
async function refusal(work: Promise<unknown>): Promise<unknown[]> {
  try {
    return ["answered", await work];
  } catch (error) {
    if (!(error instanceof GcpError)) throw error;
    return [error.status, error.message, ...error.details];
  }
}

const stranger: GcpCaller = { kind: "user", name: "stranger@example.com", members: ["user:stranger@example.com", "allUsers", "allAuthenticatedUsers"], scopes: [] };

const oidc = (more: Json = {}): Json => ({ attributeMapping: { "google.subject": "assertion.sub" }, oidc: { issuerUri: "https://oidc.dcf.example" }, ...more });
const makePool = (id = "dcf-pool"): Promise<Answer> => call("POST", `${POOLS}?workloadIdentityPoolId=${id}`, { displayName: "DCF" });
const makeProvider = (body: Json = oidc(), id = "dcf-oidc"): Promise<Answer> => call("POST", `${POOLS}/dcf-pool/providers?workloadIdentityPoolProviderId=${id}`, body);
const makeAccount = (accountId = "dcf-deployer"): Promise<Answer> => call("POST", ACCOUNTS, { accountId, serviceAccount: { displayName: "DCF" } });
const email = "dcf-deployer@customer-app-prod.iam.gserviceaccount.com";

describe("workload identity pools", () => {
  it("are created by an operation that is done, named by the project's number and read by id or number", async () => {
    const operation = await makePool();
    expect(operation).toMatchObject({ done: true, metadata: { "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPoolOperationMetadata" } });
    expect(operation.name).toMatch(/^projects\/123456789012\/locations\/global\/workloadIdentityPools\/dcf-pool\/operations\/[0-9a-f]{32}$/);
    const pool = { name: `${NUMBERED}/dcf-pool`, displayName: "DCF", state: "ACTIVE", disabled: false };
    expect(operation.response).toEqual({ "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPool", ...pool });
    expect(await call("GET", `${IAM}/${operation.name}`)).toEqual(operation);
    expect(await call("GET", `${POOLS}/dcf-pool`)).toEqual(pool);
    expect(await call("GET", `${IAM}/${NUMBERED}/dcf-pool`)).toEqual(pool);
  });

  it("take ids of four to 32 small letters, digits and hyphens that are not Google's", async () => {
    for (const id of ["abc", "a".repeat(33), "Upper", "under_score"]) {
      expect(await refusal(makePool(id))).toEqual(["INVALID_ARGUMENT", `Invalid workload_identity_pool_id "${id}": it must be 4 to 32 characters of [a-z0-9-].`]);
    }
    expect(await refusal(makePool("gcp-mine"))).toEqual(["INVALID_ARGUMENT", 'Invalid workload_identity_pool_id "gcp-mine": the prefix "gcp-" is reserved.']);
    for (const id of ["abcd", "a".repeat(32), "0-9-"]) expect((await makePool(id)).done).toBe(true);
    expect((await refusal(call("POST", `${POOLS.replace("global", "us-central1")}?workloadIdentityPoolId=abcde`, {})))[0]).toBe("INVALID_ARGUMENT");
    expect(await refusal(call("POST", `${POOLS}?workloadIdentityPoolId=long`, { displayName: "x".repeat(33) }))).toEqual([
      "INVALID_ARGUMENT",
      "The display_name is 33 characters long; the maximum is 32.",
    ]);
  });

  it("change by mask only what the mask names", async () => {
    await makePool();
    await call("PATCH", `${POOLS}/dcf-pool?updateMask=disabled,description`, { disabled: true, description: "d", displayName: "not this" });
    expect(await call("GET", `${POOLS}/dcf-pool`)).toMatchObject({ disabled: true, description: "d", displayName: "DCF" });
    await call("PATCH", `${POOLS}/dcf-pool?updateMask=display_name,disabled`, {});
    expect(await call("GET", `${POOLS}/dcf-pool`)).toEqual({ name: `${NUMBERED}/dcf-pool`, state: "ACTIVE", disabled: false, description: "d" });
    expect((await refusal(call("PATCH", `${POOLS}/dcf-pool`, { disabled: true })))[0]).toBe("INVALID_ARGUMENT");
    expect((await refusal(call("PATCH", `${POOLS}/dcf-pool?updateMask=name`, {})))[0]).toBe("INVALID_ARGUMENT");
    expect(await refusal(call("PATCH", `${POOLS}/dcf-pool?updateMask=disabled`, { dissabled: true }))).toEqual([
      "INVALID_ARGUMENT",
      'Invalid JSON payload received. Unknown name "dissabled": Cannot find field.',
      { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ description: 'Invalid JSON payload received. Unknown name "dissabled": Cannot find field.' }] },
    ]);
    expect((await refusal(call("PATCH", `${POOLS}/dcf-pool?updateMask=disabled`, { disabled: "yes" })))[1]).toBe(`Invalid value at 'disabled' (TYPE_BOOL), "yes"`);
  });

  it("stay for 30 days when they are deleted, and keep their id that long", async () => {
    await makePool();
    await makeProvider();
    await call("DELETE", `${POOLS}/dcf-pool`);
    const deleted = await call("GET", `${POOLS}/dcf-pool`);
    expect(deleted).toMatchObject({ state: "DELETED", expireTime: expect.any(String) });
    expect(await call("GET", POOLS)).toEqual({});
    expect((await call("GET", `${POOLS}?showDeleted=true`)).workloadIdentityPools).toEqual([deleted]);
    expect(await refusal(makePool())).toEqual(["ALREADY_EXISTS", "Requested entity already exists"]);
    expect((await refusal(call("PATCH", `${POOLS}/dcf-pool?updateMask=disabled`, { disabled: true })))[0]).toBe("NOT_FOUND");
    expect((await refusal(makeProvider(oidc(), "late")))[0]).toBe("FAILED_PRECONDITION");
    sandbox.core.clock.advance(30 * DAY - 1);
    await call("POST", `${POOLS}/dcf-pool:undelete`, {});
    expect(await call("GET", `${POOLS}/dcf-pool`)).toEqual({ name: `${NUMBERED}/dcf-pool`, displayName: "DCF", state: "ACTIVE", disabled: false });
    expect((await refusal(call("POST", `${POOLS}/dcf-pool:undelete`, {})))[0]).toBe("FAILED_PRECONDITION");

    await call("DELETE", `${POOLS}/dcf-pool`);
    sandbox.core.clock.advance(30 * DAY);
    expect(await refusal(call("GET", `${POOLS}/dcf-pool`))).toEqual(["NOT_FOUND", "Requested entity was not found."]);
    expect((await makePool()).done).toBe(true);
    expect(await call("GET", `${POOLS}/dcf-pool/providers?showDeleted=true`)).toEqual({});
  });

  it("are listed in pages", async () => {
    for (const id of ["pool-a", "pool-b", "pool-c"]) await makePool(id);
    const first = await call("GET", `${POOLS}?pageSize=2`);
    expect(first.workloadIdentityPools.map(({ name }) => name)).toEqual([`${NUMBERED}/pool-a`, `${NUMBERED}/pool-b`]);
    const second = await call("GET", `${POOLS}?pageSize=2&pageToken=${first.nextPageToken}`);
    expect(second).toEqual({ workloadIdentityPools: [expect.objectContaining({ name: `${NUMBERED}/pool-c` })] });
  });

  it("propagate: enforcement sees them later than reads", async () => {
    sandbox.core.settings.propagationDelaySeconds = 60;
    await makePool();
    const seen = () => sandbox.core.store.effective("gcp:iam/pool", `${NUMBERED}/dcf-pool`);
    expect(seen()).toBeUndefined();
    sandbox.core.clock.advance(60);
    expect(seen()).toMatchObject({ state: "ACTIVE" });
  });

  it("ask for the documented permissions", async () => {
    await makePool();
    const denied = (permission: string, below = "") => [
      "PERMISSION_DENIED",
      `Permission '${permission}' denied on resource '//iam.googleapis.com/projects/customer-app-prod/locations/global${below}' (or it may not exist).`,
    ];
    expect(await refusal(as(stranger)("POST", `${POOLS}?workloadIdentityPoolId=mine`, {}))).toEqual(denied("iam.workloadIdentityPools.create"));
    expect(await refusal(as(stranger)("GET", `${POOLS}/dcf-pool`))).toEqual(denied("iam.workloadIdentityPools.get", "/workloadIdentityPools/dcf-pool"));
    expect(await refusal(as(stranger)("GET", `${POOLS}/no-such`))).toEqual(denied("iam.workloadIdentityPools.get", "/workloadIdentityPools/no-such"));
    expect(await refusal(as(stranger)("DELETE", `${POOLS}/dcf-pool/providers/x`))).toEqual(
      denied("iam.workloadIdentityPoolProviders.delete", "/workloadIdentityPools/dcf-pool/providers/x"),
    );
    const { etag } = await call("POST", `${PROJECT}:getIamPolicy`, {});
    const bindings = [
      { role: "roles/owner", members: [administrator.members[0]] },
      { role: "roles/iam.workloadIdentityPoolViewer", members: ["user:stranger@example.com"] },
    ];
    await call("POST", `${PROJECT}:setIamPolicy`, { policy: { etag, bindings } });
    expect(await as(stranger)("GET", `${POOLS}/dcf-pool`)).toMatchObject({ state: "ACTIVE" });
    expect((await refusal(as(stranger)("PATCH", `${POOLS}/dcf-pool?updateMask=disabled`, { disabled: true })))[0]).toBe("PERMISSION_DENIED");
  });
});

describe("providers", () => {
  beforeEach(() => makePool());

  it("of OIDC and of AWS are created, changed, disabled, deleted and brought back", async () => {
    const audiences = { issuerUri: "https://oidc.dcf.example", allowedAudiences: ["a", "b"] };
    const operation = await makeProvider(oidc({ attributeCondition: "assertion.sub == 'x'", oidc: audiences }));
    const provider = { name: `${NUMBERED}/dcf-pool/providers/dcf-oidc`, state: "ACTIVE", disabled: false, attributeCondition: "assertion.sub == 'x'", ...oidc({ oidc: audiences }) };
    expect(operation.response).toEqual({ "@type": "type.googleapis.com/google.iam.v1.WorkloadIdentityPoolProvider", ...provider });
    const url = `${POOLS}/dcf-pool/providers/dcf-oidc`;
    expect(await call("GET", url)).toEqual(provider);
    await call("PATCH", `${url}?updateMask=oidc.allowedAudiences,disabled`, { disabled: true, oidc: { allowedAudiences: ["c"] } });
    expect(await call("GET", url)).toEqual({ ...provider, disabled: true, oidc: { ...audiences, allowedAudiences: ["c"] } });
    await call("PATCH", `${url}?updateMask=attributeCondition`, {});
    expect(await call("GET", url)).not.toHaveProperty("attributeCondition");
    await call("DELETE", url);
    expect(await call("GET", url)).toMatchObject({ state: "DELETED" });
    expect(await refusal(makeProvider())).toEqual(["ALREADY_EXISTS", "Requested entity already exists"]);
    await call("POST", `${url}:undelete`, {});
    expect(await call("GET", url)).toMatchObject({ state: "ACTIVE", disabled: true });

    await makeProvider({ aws: { accountId: "111122223333" } }, "klavi-aws");
    expect(await call("GET", `${POOLS}/dcf-pool/providers/klavi-aws`)).toEqual({
      name: `${NUMBERED}/dcf-pool/providers/klavi-aws`,
      state: "ACTIVE",
      disabled: false,
      aws: { accountId: "111122223333" },
    });
    const changed = call("PATCH", `${POOLS}/dcf-pool/providers/klavi-aws?updateMask=aws`, { aws: { accountId: "444455556666" } });
    expect(await refusal(changed)).toEqual(["INVALID_ARGUMENT", "Attempted to update an immutable field."]);
    expect((await call("GET", `${POOLS}/dcf-pool/providers`)).workloadIdentityPoolProviders).toHaveLength(2);
  });

  it("have exactly one source of identities", async () => {
    const one = ["INVALID_ARGUMENT", "Exactly one of aws, oidc, saml or x509 must be set as the provider's configuration."];
    expect(await refusal(makeProvider({ attributeMapping: { "google.subject": "assertion.sub" } }))).toEqual(one);
    expect(await refusal(makeProvider(oidc({ aws: { accountId: "111122223333" } })))).toEqual(one);
    expect((await refusal(makeProvider({ saml: { idpMetadataXml: "<x/>" } })))[0]).toBe("UNIMPLEMENTED");
    for (const accountId of ["", "11112222333", "1111222233334", "11112222333x"]) {
      expect((await refusal(makeProvider({ aws: { accountId } })))[1]).toBe(`Invalid AWS account ID: "${accountId}". It must be 12 digits.`);
    }
  });

  it("take https issuers, whether they are there or not", async () => {
    const issuer = (issuerUri: string) => refusal(makeProvider(oidc({ oidc: { issuerUri } }), "issuer"));
    expect(await issuer("http://oidc.dcf.example")).toEqual(["INVALID_ARGUMENT", "Invalid OIDC issuer URI. The scheme must be https."]);
    expect(await issuer("oidc.dcf.example")).toEqual(["INVALID_ARGUMENT", "Invalid OIDC issuer URI."]);
    expect((await issuer("https://nobody.invalid"))[0]).toBe("answered");
    const many = (count: number, length: number) => refusal(makeProvider(oidc({ oidc: { issuerUri: "https://a.example", allowedAudiences: Array(count).fill("a".repeat(length)) } }), `aud-${count}-${length}`));
    expect((await many(11, 1))[0]).toBe("INVALID_ARGUMENT");
    expect((await many(1, 257))[0]).toBe("INVALID_ARGUMENT");
    expect((await many(10, 256))[0]).toBe("answered");
  });

  it("of issuers that serve everybody need a condition on a claim", async () => {
    for (const issuerUri of ["https://token.actions.githubusercontent.com", "https://gitlab.com", "https://app.terraform.io"]) {
      const id = `id-${issuerUri.length}`;
      for (const attributeCondition of [undefined, "", "true", "1 == 1"]) {
        const [status, message] = await refusal(makeProvider(oidc({ oidc: { issuerUri }, attributeCondition }), id));
        expect([status, String(message).slice(0, 72)]).toEqual(["INVALID_ARGUMENT", "The attribute condition must reference one of the provider's claims. For"]);
      }
      expect((await refusal(makeProvider(oidc({ oidc: { issuerUri }, attributeCondition: "assertion.repository_owner_id == '1'" }), id)))[0]).toBe("answered");
    }
    expect((await refusal(makeProvider(oidc({ oidc: { issuerUri: "https://gitlab.example.com" } }), "own-gitlab")))[0]).toBe("answered");
  });

  it("have mappings and conditions that Google can compile, within its limits", async () => {
    const mapping = (attributeMapping: Json | undefined, id = "mapping") => refusal(makeProvider(oidc({ attributeMapping }), id));
    const missing = ["INVALID_ARGUMENT", "attributeMapping must map google.subject."];
    expect(await mapping(undefined)).toEqual(missing);
    expect(await mapping({ "attribute.a": "assertion.a" })).toEqual(missing);
    expect(await refusal(makeProvider({ aws: { accountId: "111122223333" }, attributeMapping: { "attribute.a": "assertion.arn" } }))).toEqual(missing);
    const subject = { "google.subject": "assertion.sub" };
    for (const key of ["attribute.Upper", "google.name", "attribute.", "sub", `attribute.${"a".repeat(91)}`]) {
      const [status, message] = await mapping({ ...subject, [key]: "assertion.a" });
      expect([status, String(message).startsWith(`attributeMapping["${key}"] `)]).toEqual(["INVALID_ARGUMENT", true]);
    }
    expect((await mapping({ ...subject, [`attribute.${"a".repeat(90)}`]: "assertion.a" }, "long-key"))[0]).toBe("answered");
    const custom = (count: number): Json => Object.fromEntries(Array.from({ length: count }, (_each, index) => [`attribute.a${index}`, "assertion.a"]));
    expect((await mapping({ ...subject, ...custom(51) }))[0]).toBe("INVALID_ARGUMENT");
    expect((await mapping({ ...subject, ...custom(50) }, "fifty"))[0]).toBe("answered");
    expect((await mapping({ "google.subject": `'${"a".repeat(2047)}'` }))[0]).toBe("INVALID_ARGUMENT");
    expect((await mapping({ "google.subject": `'${"a".repeat(2046)}'` }, "long-text"))[0]).toBe("answered");
    for (const expression of ["assertion.", "nobody.sub", "assertion.sub.shout()"]) {
      expect((await mapping({ "google.subject": expression }))[1]).toMatch(/^attributeMapping\["google\.subject"\] (is no CEL expression|names nobody|calls shout)/);
    }
    expect((await refusal(makeProvider(oidc({ attributeCondition: "assertion.sub =" }))))[1]).toMatch(/^attributeCondition is no CEL expression/);
    expect((await refusal(makeProvider(oidc({ attributeCondition: `assertion.sub == '${"a".repeat(4096)}'` }))))[0]).toBe("INVALID_ARGUMENT");
  });

  it("take uploaded keys that are public RSA or P-256 keys and nothing more", async () => {
    const jwk = (type: "rsa" | "ec" | "ed25519", options: Json = {}): Json => {
      const make = generateKeyPairSync as unknown as (type: string, options: Json) => { publicKey: { export(as: Json): Json } };
      return { ...make(type, options).publicKey.export({ format: "jwk" }), kid: "k" };
    };
    const rsa = jwk("rsa", { modulusLength: 2048 });
    const keys = (given: unknown, id = "keys") =>
      refusal(makeProvider(oidc({ oidc: { issuerUri: "https://oidc.dcf.example", jwksJson: typeof given === "string" ? given : JSON.stringify({ keys: given }) } }), id));
    expect((await keys([rsa, jwk("ec", { namedCurve: "P-256" })], "good"))[0]).toBe("answered");
    expect(await keys([jwk("ec", { namedCurve: "P-384" })])).toEqual(["INVALID_ARGUMENT", "Invalid JWKs. Only RSA, EC key types are supported."]);
    expect(await keys([jwk("ed25519")])).toEqual(["INVALID_ARGUMENT", "Input jwks contains corrupted key material."]);
    expect(await keys([{ ...rsa, n: 5 }])).toEqual(["INVALID_ARGUMENT", "Input jwks contains corrupted key material."]);
    for (const given of ["not json", "{}", [{ ...rsa, x5t: "t" }], [{ ...rsa, d: "private" }], ["key"]]) {
      expect(await keys(given)).toEqual(["INVALID_ARGUMENT", "Input JWK is not in a valid json format"]);
    }
    expect((await keys(Array(9).fill(rsa)))[0]).toBe("INVALID_ARGUMENT");
    expect((await keys(Array(8).fill(rsa), "eight"))[0]).toBe("answered");
  });

  it("trust only whom the organisation lets them", async () => {
    const constrain = (constraint: string, allowedValues: string[]) =>
      sandbox.core.store.put("gcp:orgpolicy/constraint", `projects/customer-app-prod/policies/${constraint}`, { rules: [{ values: { allowedValues } }] });
    constrain("iam.workloadIdentityPoolProviders", ["https://allowed.example"]);
    constrain("iam.workloadIdentityPoolAwsAccounts", ["111122223333"]);
    const violated = (constraint: string, value: string) => [
      "FAILED_PRECONDITION",
      "Precondition check failed.",
      {
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        violations: [
          {
            type: `constraints/${constraint}`,
            subject: "orgpolicy:projects/customer-app-prod/locations/global/workloadIdentityPools/dcf-pool",
            description: `Org Policy violated for value: '${value}'.`,
          },
        ],
      },
    ];
    expect(await refusal(makeProvider())).toEqual(violated("iam.workloadIdentityPoolProviders", "https://oidc.dcf.example"));
    expect((await refusal(makeProvider(oidc({ oidc: { issuerUri: "https://allowed.example" } }))))[0]).toBe("answered");
    const uploaded = oidc({ oidc: { issuerUri: "https://allowed.example", jwksJson: JSON.stringify({ keys: [] }) } });
    expect(await refusal(makeProvider(uploaded, "keys"))).toEqual(violated("iam.workloadIdentityPoolProviders", "KEY_UPLOAD"));
    expect(await refusal(makeProvider({ aws: { accountId: "999999999999" } }, "aws-other"))).toEqual(violated("iam.workloadIdentityPoolAwsAccounts", "999999999999"));
    expect((await refusal(makeProvider({ aws: { accountId: "111122223333" } }, "aws-right")))[0]).toBe("answered");
  });
});

describe("service accounts", () => {
  it("are created with an address and a unique id, and found by either, in their project or anywhere", async () => {
    const account = await makeAccount();
    expect(account).toEqual({
      name: `projects/customer-app-prod/serviceAccounts/${email}`,
      projectId: "customer-app-prod",
      uniqueId: expect.stringMatching(/^1\d{20}$/),
      email,
      displayName: "DCF",
      etag: expect.any(String),
      oauth2ClientId: account.uniqueId,
    });
    for (const url of [`${ACCOUNTS}/${email}`, `${ACCOUNTS}/${String(account.uniqueId)}`, `${IAM}/projects/-/serviceAccounts/${email}`, `${IAM}/projects/123456789012/serviceAccounts/${email}`]) {
      expect(await call("GET", url)).toEqual(account);
    }
    expect((await call("GET", ACCOUNTS)).accounts).toContainEqual(account);
    expect(await refusal(call("GET", `${IAM}/projects/platform-host/serviceAccounts/${email}`))).toEqual(["NOT_FOUND", "Unknown service account"]);
    expect(await refusal(call("GET", `${ACCOUNTS}/nobody@customer-app-prod.iam.gserviceaccount.com`))).toEqual(["NOT_FOUND", "Unknown service account"]);
    const denied = "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist).";
    expect(await refusal(as(stranger)("GET", `${ACCOUNTS}/${email}`))).toEqual(["PERMISSION_DENIED", denied]);
    expect(await refusal(as(stranger)("GET", `${IAM}/projects/-/serviceAccounts/nobody@customer-app-prod.iam.gserviceaccount.com`))).toEqual(["PERMISSION_DENIED", denied]);
  });

  it("have ids of 6 to 30 characters", async () => {
    for (const accountId of ["", "abcde", "a".repeat(31)]) {
      expect(await refusal(makeAccount(accountId))).toEqual(["INVALID_ARGUMENT", `The account ID "${accountId}" does not have a length between 6 and 30.`]);
    }
    for (const accountId of ["1abcde", "abcde-", "Abcdef", "abc_def"]) expect((await refusal(makeAccount(accountId)))[0]).toBe("INVALID_ARGUMENT");
    for (const accountId of ["abcdef", "a".repeat(30), "a-b-c-1"]) expect((await refusal(makeAccount(accountId)))[0]).toBe("answered");
    expect(await refusal(makeAccount("abcdef"))).toEqual([
      "ALREADY_EXISTS",
      "Service account abcdef already exists within project projects/customer-app-prod.",
      { "@type": "type.googleapis.com/google.rpc.ResourceInfo", resourceName: "projects/customer-app-prod/serviceAccounts/abcdef@customer-app-prod.iam.gserviceaccount.com" },
    ]);
  });

  it("change their texts, and are disabled and enabled", async () => {
    const { etag } = await makeAccount();
    const patched = await call("PATCH", `${ACCOUNTS}/${email}`, { serviceAccount: { description: "d", displayName: "not this" }, updateMask: "description" });
    expect(patched).toMatchObject({ description: "d", displayName: "DCF" });
    expect((await refusal(call("PATCH", `${ACCOUNTS}/${email}`, { serviceAccount: { etag, description: "e" }, updateMask: "description" })))[0]).toBe("ABORTED");
    await call("POST", `${ACCOUNTS}/${email}:disable`, {});
    expect(await call("GET", `${ACCOUNTS}/${email}`)).toMatchObject({ disabled: true });
    await call("POST", `${ACCOUNTS}/${email}:enable`);
    expect(await call("GET", `${ACCOUNTS}/${email}`)).not.toHaveProperty("disabled");
  });

  const grant = async (members: string[], url = PROJECT): Promise<void> => {
    const { etag, bindings = [] } = await call("POST", `${url}:getIamPolicy`, {});
    await call("POST", `${url}:setIamPolicy`, { policy: { etag, bindings: [...bindings, { role: url === PROJECT ? "roles/viewer" : "roles/iam.workloadIdentityUser", members }] } });
  };
  const members = async (role: string, url = PROJECT): Promise<string[]> => {
    const { bindings = [] } = await call("POST", `${url}:getIamPolicy`, {});
    return bindings.filter((binding) => binding.role === role).flatMap((binding) => binding.members);
  };

  it("stay in policies as deleted ones when they are deleted; made again they are others, undeleted they are themselves", async () => {
    const { uniqueId } = await makeAccount();
    await grant([`serviceAccount:${email}`]);
    await grant(["user:somebody@example.com"], `${ACCOUNTS}/${email}`);
    await call("DELETE", `${ACCOUNTS}/${email}`);
    expect((await refusal(call("GET", `${ACCOUNTS}/${email}`)))[0]).toBe("NOT_FOUND");
    const gone = `deleted:serviceAccount:${email}?uid=${String(uniqueId)}`;
    expect(await members("roles/viewer")).toEqual([gone]);

    const again = await makeAccount();
    expect(again.uniqueId).not.toBe(uniqueId);
    expect(await members("roles/viewer")).toEqual([gone]);
    expect(await call("POST", `${ACCOUNTS}/${email}:getIamPolicy`)).toMatchObject({ bindings: [] });
    expect((await refusal(call("POST", `${ACCOUNTS}/${String(uniqueId)}:undelete`, {})))[0]).toBe("FAILED_PRECONDITION");

    await call("DELETE", `${ACCOUNTS}/${email}`);
    expect((await call("POST", `${ACCOUNTS}/${String(uniqueId)}:undelete`, {})).restoredAccount).toMatchObject({ uniqueId, email });
    expect(await members("roles/viewer")).toEqual([`serviceAccount:${email}`]);
    expect(await members("roles/iam.workloadIdentityUser", `${ACCOUNTS}/${email}`)).toEqual(["user:somebody@example.com"]);
  });

  it("can be brought back for 30 days", async () => {
    const { uniqueId } = await makeAccount();
    await call("DELETE", `${ACCOUNTS}/${email}`);
    sandbox.core.clock.advance(30 * DAY);
    expect(await refusal(call("POST", `${ACCOUNTS}/${String(uniqueId)}:undelete`, {}))).toEqual(["NOT_FOUND", "Unknown service account"]);
  });

  it("have policies of their own, under an etag", async () => {
    await makeAccount();
    const url = `${ACCOUNTS}/${email}`;
    const principal = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/dcf-pool/subject/s";
    const binding = { role: "roles/iam.workloadIdentityUser", members: [principal] };
    const { etag } = await call("POST", `${url}:getIamPolicy?options.requestedPolicyVersion=3`);
    expect((await refusal(call("POST", `${url}:setIamPolicy`, { policy: { etag, bindings: [binding] } })))[1]).toMatch(/^Identity Pool does not exist/);
    await makePool();
    const set = await call("POST", `${url}:setIamPolicy`, { policy: { etag, bindings: [binding] } });
    expect(set).toMatchObject({ bindings: [binding], version: 1 });
    expect((await refusal(call("POST", `${url}:setIamPolicy`, { policy: { etag, bindings: [] } })))[0]).toBe("ABORTED");
    const condition = { title: "until", expression: "request.time < timestamp('2030-01-01T00:00:00Z')" };
    await call("POST", `${url}:setIamPolicy`, { policy: { version: 3, etag: set.etag, bindings: [{ ...binding, condition }] } });
    expect((await call("POST", `${url}:getIamPolicy?options.requestedPolicyVersion=3`)).bindings).toEqual([{ ...binding, condition }]);
    expect((await call("POST", `${url}:getIamPolicy`)).bindings![0]!.role).toMatch(/^roles\/iam\.workloadIdentityUser_withcond_[0-9a-f]{20}$/);
    expect((await refusal(as(stranger)("POST", `${url}:getIamPolicy`)))[0]).toBe("PERMISSION_DENIED");
  });

  it("say which permissions the caller has, and know no others than their own", async () => {
    await makeAccount();
    const test = (caller: GcpCaller, permissions: string[], account = email) => refusal(as(caller)("POST", `${ACCOUNTS}/${account}:testIamPermissions`, { permissions }));
    // The owner of a project cannot impersonate its accounts.
    expect(await test(administrator, ["iam.serviceAccounts.get", "iam.serviceAccounts.getAccessToken"])).toEqual(["answered", { permissions: ["iam.serviceAccounts.get"] }]);
    expect(await test(stranger, ["iam.serviceAccounts.get"])).toEqual(["answered", {}]);
    expect(await test(administrator, ["storage.objects.get"])).toEqual(["INVALID_ARGUMENT", "Permission storage.objects.get is not valid for this resource."]);
    expect(await test(administrator, ["iam.serviceAccounts.*"])).toEqual(["INVALID_ARGUMENT", "Permission iam.serviceAccounts.* is not valid for this resource."]);
    expect((await test(administrator, Array<string>(101).fill("iam.serviceAccounts.get")))[0]).toBe("INVALID_ARGUMENT");
  });

  it("get no keys", async () => {
    await makeAccount();
    expect(await call("GET", `${ACCOUNTS}/${email}/keys`)).toEqual({});
    expect((await refusal(as(stranger)("GET", `${ACCOUNTS}/${email}/keys`)))[1]).toBe("Permission 'iam.serviceAccountKeys.list' denied on resource (or it may not exist).");
    expect(await refusal(call("POST", `${ACCOUNTS}/${email}/keys`, {}))).toEqual([
      "FAILED_PRECONDITION",
      `Key creation is not allowed on this service account (constraints/iam.disableServiceAccountKeyCreation): projects/customer-app-prod/serviceAccounts/${email}`,
    ]);
  });

  it("are seen by enforcement as it knew them until a change has propagated", async () => {
    const { uniqueId } = await makeAccount();
    sandbox.core.settings.propagationDelaySeconds = 60;
    await call("DELETE", `${ACCOUNTS}/${email}`);
    const again = await makeAccount();
    const { IamStore } = await import("../../../sandbox/gcp/iam-store.js");
    const store = new IamStore(sandbox.core.store, sandbox.core.clock);
    expect(store.serviceAccount(email, "-", "effective")).toMatchObject({ uniqueId });
    expect(store.serviceAccount(String(uniqueId), "-", "effective")).toMatchObject({ email });
    expect(store.serviceAccount(String(again.uniqueId), "-", "effective")).toBeUndefined();
    sandbox.core.clock.advance(60);
    expect(store.serviceAccount(email, "-", "effective")).toMatchObject({ uniqueId: again.uniqueId });
    expect(store.serviceAccount(String(uniqueId), "-", "effective")).toBeUndefined();
  });
});

describe("roles", () => {
  const makeRole = (roleId = "dcfBucket", more: Json = {}): Promise<Answer> =>
    call("POST", ROLES, { roleId, role: { title: "T", includedPermissions: ["storage.objects.create", "storage.buckets.get"], stage: "GA", ...more } });

  it("of Google are read with what they grant", async () => {
    const role = await call("GET", `${IAM}/roles/iam.workloadIdentityUser`);
    expect(role).toMatchObject({ name: "roles/iam.workloadIdentityUser", stage: "GA", title: "Workload Identity User" });
    expect(role.includedPermissions).toContain("iam.serviceAccounts.getAccessToken");
    expect(await refusal(call("GET", `${IAM}/roles/iam.nothing`))).toEqual(["NOT_FOUND", "The role named roles/iam.nothing was not found."]);
    const { roles } = await call("GET", `${IAM}/roles?pageSize=1000`);
    expect(roles.map(({ name }) => name)).toEqual(expect.arrayContaining(["roles/owner", "roles/run.developer"]));
    expect(roles[0]).not.toHaveProperty("includedPermissions");
    const grantable = await call("POST", `${IAM}/roles:queryGrantableRoles`, { fullResourceName: `//iam.googleapis.com/projects/customer-app-prod/serviceAccounts/${email}` });
    expect(grantable.roles.map(({ name }) => name)).toContain("roles/iam.serviceAccountUser");
  });

  it("of a project are created, changed, deleted and brought back", async () => {
    const role = await makeRole();
    const shown = { name: "projects/customer-app-prod/roles/dcfBucket", title: "T", includedPermissions: ["storage.buckets.get", "storage.objects.create"], stage: "GA", etag: expect.any(String) };
    expect(role).toEqual(shown);
    expect(await call("GET", `${ROLES}/dcfBucket`)).toEqual(role);
    expect(await refusal(makeRole())).toEqual(["ALREADY_EXISTS", "A role named dcfBucket in projects/customer-app-prod already exists."]);
    const patched = await call("PATCH", `${ROLES}/dcfBucket?updateMask=includedPermissions`, { title: "U", includedPermissions: ["storage.objects.get"], etag: role.etag });
    expect(patched).toMatchObject({ title: "T", includedPermissions: ["storage.objects.get"] });
    expect((await refusal(call("PATCH", `${ROLES}/dcfBucket`, { title: "U", etag: role.etag })))[0]).toBe("ABORTED");
    expect(await call("PATCH", `${ROLES}/dcfBucket`, { title: "U" })).toMatchObject({ title: "U", includedPermissions: ["storage.objects.get"] });

    expect(await call("DELETE", `${ROLES}/dcfBucket`)).toMatchObject({ deleted: true });
    expect(await call("GET", `${ROLES}/dcfBucket`)).toMatchObject({ deleted: true });
    expect(await call("GET", ROLES)).toEqual({});
    expect((await call("GET", `${ROLES}?showDeleted=true&view=FULL`)).roles).toEqual([expect.objectContaining({ deleted: true, includedPermissions: ["storage.objects.get"] })]);
    expect(await refusal(makeRole())).toEqual([
      "FAILED_PRECONDITION",
      "You can't create a role with role_id (dcfBucket) where there is an existing role with that role_id in a deleted state.",
    ]);
    sandbox.core.clock.advance(7 * DAY - 1);
    expect(await call("POST", `${ROLES}/dcfBucket:undelete`, {})).not.toHaveProperty("deleted");
    await call("DELETE", `${ROLES}/dcfBucket`);
    sandbox.core.clock.advance(7 * DAY);
    expect((await refusal(call("POST", `${ROLES}/dcfBucket:undelete`, {})))[0]).toBe("FAILED_PRECONDITION");
    expect((await refusal(makeRole()))[0]).toBe("FAILED_PRECONDITION");
    sandbox.core.clock.advance(30 * DAY);
    expect((await refusal(makeRole()))[0]).toBe("answered");
  });

  it("have etags that are the same in both alphabets of Base64", async () => {
    await makeRole();
    for (let change = 0; change < 40; change += 1) expect((await call("PATCH", `${ROLES}/dcfBucket`, { title: `T${change}` })).etag).toMatch(/^[A-Za-z0-9]{11}=$/);
  });

  it("take permissions that there are, in a project", async () => {
    for (const permission of ["storage.objects.put", "storage.objects", "s3:GetObject", "storage.objects.*", "resourcemanager.projects.list"]) {
      expect(await refusal(makeRole("wrong", { includedPermissions: [permission] }))).toEqual(["INVALID_ARGUMENT", `Permission ${permission} is not valid.`]);
    }
    expect((await refusal(makeRole("right", { includedPermissions: ["compute.instances.get", "run.services.setIamPolicy"] })))[0]).toBe("answered");
    for (const id of ["ab", "with-hyphen", "a".repeat(65)]) expect((await refusal(makeRole(id)))[0]).toBe("INVALID_ARGUMENT");
  });

  it("can be made of the permissions that a resource has", async () => {
    const testable = async (fullResourceName: string): Promise<Json[]> => {
      const { permissions } = await call("POST", `${IAM}/permissions:queryTestablePermissions`, { fullResourceName, pageSize: 1000 });
      return permissions as Json[];
    };
    const onProject = await testable("//cloudresourcemanager.googleapis.com/projects/customer-app-prod");
    expect(onProject).toContainEqual({ name: "run.services.setIamPolicy", stage: "GA" });
    expect(onProject).toContainEqual({ name: "resourcemanager.projects.list", stage: "GA", customRolesSupportLevel: "NOT_SUPPORTED" });
    const onBucket = await testable("//storage.googleapis.com/projects/_/buckets/b");
    expect(onBucket.map(({ name }) => String(name).split(".")[0]).filter((service) => service !== "storage")).toEqual([]);
    expect((await refusal(testable("customer-app-prod")))[0]).toBe("INVALID_ARGUMENT");
  });

  it("grant nothing once they are deleted", async () => {
    await makeRole("poolReader", { includedPermissions: ["iam.workloadIdentityPools.get"] });
    await makePool();
    const { etag, bindings = [] } = await call("POST", `${PROJECT}:getIamPolicy`, {});
    await call("POST", `${PROJECT}:setIamPolicy`, { policy: { etag, bindings: [...bindings, { role: "projects/customer-app-prod/roles/poolReader", members: ["user:stranger@example.com"] }] } });
    expect((await refusal(as(stranger)("GET", `${POOLS}/dcf-pool`)))[0]).toBe("answered");
    await call("DELETE", `${ROLES}/poolReader`);
    expect((await refusal(as(stranger)("GET", `${POOLS}/dcf-pool`)))[0]).toBe("PERMISSION_DENIED");
    await call("POST", `${ROLES}/poolReader:undelete`, {});
    await call("PATCH", `${ROLES}/poolReader?updateMask=stage`, { stage: "DISABLED" });
    expect((await refusal(as(stranger)("GET", `${POOLS}/dcf-pool`)))[0]).toBe("PERMISSION_DENIED");
  });
});

describe("deny policies", () => {
  const rule = { denyRule: { deniedPrincipals: ["principal://goog/subject/stranger@example.com"], deniedPermissions: ["iam.googleapis.com/workloadIdentityPools.get"] } };
  beforeEach(async () => {
    await makePool();
    const { etag, bindings = [] } = await call("POST", `${PROJECT}:getIamPolicy`, {});
    const more = [
      { role: "roles/iam.denyAdmin", members: [administrator.members[0]] },
      { role: "roles/iam.workloadIdentityPoolViewer", members: ["user:stranger@example.com"] },
    ];
    await call("POST", `${PROJECT}:setIamPolicy`, { policy: { etag, bindings: [...bindings, ...more] } });
  });

  it("need a role of their own, even of the project's owner", async () => {
    sandbox.restore(fresh);
    expect(await refusal(call("POST", `${DENY}?policyId=no-pools`, { rules: [rule] }))).toEqual([
      "PERMISSION_DENIED",
      "Permission 'iam.denypolicies.create' denied on resource '//cloudresourcemanager.googleapis.com/projects/customer-app-prod' (or it may not exist).",
    ]);
  });

  it("win over what is granted, until they are changed or deleted", async () => {
    const reads = async () => (await refusal(as(stranger)("GET", `${POOLS}/dcf-pool`)))[0];
    expect(await reads()).toBe("answered");
    const operation = await call("POST", `${DENY}?policyId=no-pools`, { displayName: "No pools", rules: [rule] });
    const name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fcustomer-app-prod/denypolicies/no-pools";
    expect(operation).toMatchObject({ done: true, response: { "@type": "type.googleapis.com/google.iam.v2.Policy", name, kind: "DenyPolicy", rules: [rule] } });
    expect(await reads()).toBe("PERMISSION_DENIED");
    const policy = await call("GET", `${DENY}/no-pools`);
    expect(await call("GET", `${DENY.replaceAll("%2F", "%252F")}/no-pools`)).toEqual(policy);
    expect((await call("GET", DENY)).policies).toEqual([expect.not.objectContaining({ rules: expect.anything() })]);
    expect((await refusal(call("POST", `${DENY}?policyId=no-pools`, { rules: [rule] })))[0]).toBe("ALREADY_EXISTS");

    const excepted = { denyRule: { ...rule.denyRule, deniedPrincipals: ["principalSet://goog/public:all"], exceptionPrincipals: rule.denyRule.deniedPrincipals } };
    await call("PUT", `${DENY}/no-pools`, { ...policy, rules: [excepted] });
    expect(await reads()).toBe("answered");
    expect((await refusal(call("PUT", `${DENY}/no-pools`, { ...policy, rules: [rule] })))[0]).toBe("ABORTED");
    await call("PUT", `${DENY}/no-pools`, { rules: [rule] });
    expect(await reads()).toBe("PERMISSION_DENIED");
    await call("DELETE", `${DENY}/no-pools`);
    expect(await reads()).toBe("answered");
    expect((await refusal(call("GET", `${DENY}/no-pools`)))[0]).toBe("NOT_FOUND");
  });

  it("name principals and permissions in their own form", async () => {
    const make = (denyRule: Json) => refusal(call("POST", `${DENY}?policyId=some-rule`, { rules: [{ denyRule: { ...rule.denyRule, ...denyRule } }] }));
    for (const denyRule of [
      { deniedPrincipals: ["user:stranger@example.com"] },
      { deniedPrincipals: [] },
      { deniedPermissions: ["iam.workloadIdentityPools.get"] },
      { deniedPermissions: [] },
      { exceptionPrincipals: ["allUsers"] },
      { denialCondition: { title: "t", expression: "resource." } },
    ]) {
      expect((await make(denyRule))[0]).toBe("INVALID_ARGUMENT");
    }
    expect((await make({ deniedPermissions: ["iam.googleapis.com/*.*"], denialCondition: { title: "t", expression: "resource.matchTag('1/env', 'prod')" } }))[0]).toBe("answered");
    expect((await refusal(call("GET", DENY.replace("projects", "organizations"))))[0]).toBe("UNIMPLEMENTED");
    expect((await refusal(call("GET", DENY.replace("cloudresourcemanager", "storage"))))[0]).toBe("INVALID_ARGUMENT");
  });
});

(onPath("gcloud") ? describe : describe.skip)("gcloud, unchanged, through the proxy", () => {
  jest.setTimeout(120_000);
  const clients = new Clients(() => sandbox);
  const gcloud = async (line: string, expected: RegExp = /^(?!ERROR)/): Promise<void> => {
    const { err } = await clients.gcloud(sandbox.gcp.administrator().accessToken, ...line.split(" "));
    expect(err).toMatch(expected);
  };

  it("makes pools, providers, accounts and roles", async () => {
    await gcloud("iam workload-identity-pools create dcf-pool --location=global");
    const provider = "--location=global --workload-identity-pool=dcf-pool";
    await gcloud(`iam workload-identity-pools providers create-oidc dcf-oidc ${provider} --issuer-uri=https://oidc.dcf.example --attribute-mapping=google.subject=assertion.sub`);
    await gcloud(`iam workload-identity-pools providers update-oidc dcf-oidc ${provider} --allowed-audiences=a,b --disabled`);
    expect(await call("GET", `${POOLS}/dcf-pool/providers/dcf-oidc`)).toMatchObject({ disabled: true, oidc: { issuerUri: "https://oidc.dcf.example", allowedAudiences: ["a", "b"] } });
    await gcloud("iam workload-identity-pools create dcf-pool --location=global", /ALREADY_EXISTS: Requested entity already exists/);

    await gcloud("iam service-accounts create dcf-deployer --display-name=DCF");
    const member = `principal://iam.googleapis.com/${NUMBERED}/dcf-pool/subject/s`;
    await gcloud(`iam service-accounts add-iam-policy-binding ${email} --role=roles/iam.workloadIdentityUser --member=${member}`);
    expect((await call("POST", `${ACCOUNTS}/${email}:getIamPolicy`)).bindings).toEqual([{ role: "roles/iam.workloadIdentityUser", members: [member] }]);

    await gcloud("iam roles create dcfRole --project=customer-app-prod --title=T --permissions=storage.objects.get");
    await gcloud("iam roles update dcfRole --project=customer-app-prod --add-permissions=storage.objects.create");
    expect(await call("GET", `${ROLES}/dcfRole`)).toMatchObject({ title: "T", includedPermissions: ["storage.objects.create", "storage.objects.get"] });
  });
});
