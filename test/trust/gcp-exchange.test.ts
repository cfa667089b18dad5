import { STS_REFUSALS, stsHints } from "../../facts/gcp/sts.js";
import {
  evaluateTokenExchange,
  explainExchange,
  signsTarget,
  readAwsRequest,
  type AwsIdentity,
  type TokenExchangeAnswer,
  type TokenExchangeQuestion,
  type WorkloadIdentityPool,
  type WorkloadIdentityPoolProvider,
} from "../../trust/gcp.js";
import type { JsonObject } from "../../trust/jwt.js";
import { DEFAULT_AWS_MAPPING, KLAVI_GUIDE_MAPPING } from "../../facts/gcp/attributes.js";
import { goodClaims, goodProvider, ISSUER, keysOf, makeFactory, NOW, POOL, PROVIDER, RECORDED_ANSWERS, SUBJECT, token, type Presented } from "./gcp-recorded-answers.js";
import { discoveryOf } from "./tokens.js";

const factory = makeFactory();
const pool = (changes: Partial<WorkloadIdentityPool> = {}): WorkloadIdentityPool => ({ name: POOL, state: "ACTIVE", disabled: false, ...changes });

function ask(presented: Presented): { question: TokenExchangeQuestion; asked: string[] } {
  const { token: subjectToken, jwks, discovery = discoveryOf(ISSUER), pool: poolChanges, provider, ...request } = presented;
  const asked: string[] = [];
  const question: TokenExchangeQuestion = {
    audience: `//iam.googleapis.com/${PROVIDER}`,
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
    subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
    scope: "https://www.googleapis.com/auth/cloud-platform",
    ...request,
    subjectToken,
    now: new Date(NOW * 1000),
    pool: poolChanges === null ? undefined : pool(poolChanges),
    provider: provider === null ? undefined : { ...goodProvider(), ...provider },
    issuer: async (uri) => {
      asked.push(uri);
      return jwks === null ? { status: "unavailable", detail: "refused" } : { status: "ok", discovery, jwks: jwks ?? keysOf(factory) };
    },
    awsIdentity: () => Promise.reject(new Error("not of AWS")),
  };
  return { question, asked };
}

const refusal = (answer: TokenExchangeAnswer) => (answer.allowed ? undefined : answer);

describe("the exchange of tokens", () => {
  it.each(RECORDED_ANSWERS.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const presented = row.present(factory);
    const { question } = ask(presented);
    const answer = await evaluateTokenExchange(question);
    if (row.refusal === undefined) {
      expect(answer).toMatchObject({ allowed: true, expiresInSeconds: row.seconds, identity: { subject: SUBJECT, principal: `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}` } });
      return;
    }
    const { status, error, description, reason } = row.refusal;
    expect(answer).toMatchObject({ allowed: false, httpStatus: status, error, description, reason });
    if (presented.token.length > 40) expect(JSON.stringify(answer)).not.toContain(presented.token);
    if (error !== "internal_error" && reason !== "request-malformed" && !(reason === "token-malformed" && error === "invalid_request") && reason !== "token-type-mismatch") {
      expect(stsHints(error, description)).not.toEqual([]);
    }
  });

  it.each<[string, Presented, string]>([
    ["a slash too much", { token: token(factory, { iss: `${ISSUER}/` }) }, `the token's iss is "${ISSUER}/", the provider's issuer is "${ISSUER}" (they differ by a slash at the end)`],
    ["another issuer", { token: token(factory, { iss: "https://x.example" }) }, `the token's iss is "https://x.example", the provider's issuer is "${ISSUER}"`],
    ["another audience", { token: token(factory, { aud: "x" }) }, `the token's aud is "x", expected is https://iam.googleapis.com/${PROVIDER}`],
    [
      "an audience that is not allowed",
      { token: token(factory, { aud: "x" }), provider: { oidc: { issuerUri: ISSUER, allowedAudiences: ["a", "b"] } } },
      `the token's aud is "x", expected is one of the provider's allowed audiences (a, b)`,
    ],
    [
      "the default audience that is switched off",
      { token: token(factory, { aud: [`//iam.googleapis.com/${PROVIDER}`, "x"] }), provider: { oidc: { issuerUri: ISSUER, allowedAudiences: ["a"] } } },
      `the token's aud is ["//iam.googleapis.com/${PROVIDER}","x"], expected is one of the provider's allowed audiences (a); allowed audiences switch the default one off`,
    ],
    ["claims missing", { token: token(factory, { sub: undefined, aud: null }) }, "the token has no claim sub, aud"],
    ["expired", { token: token(factory, { exp: NOW - 90 }) }, "the token expired 90 seconds ago; Google tolerates less than 60"],
    ["too early", { token: token(factory, { nbf: NOW + 90, iat: NOW - 5 }) }, "the token is valid from 90 seconds ahead; Google tolerates 60"],
    ["issued ahead, behind its nbf", { token: token(factory, { iat: NOW + 90, nbf: NOW }) }, "the token is valid from 90 seconds ahead; Google tolerates 60"],
    ["too old", { token: token(factory, { iat: NOW - 90_000 }) }, "the token was issued 90000 seconds ago; Google takes tokens of 86400 seconds"],
    ["an unknown key", { token: token(factory, {}, { kid: "x" }) }, `the issuer has no key "x"; it has "rsa-1", "es-1", "es-384"`],
    ["many keys", { token: token(factory, {}, { kid: "x" }), jwks: { keys: Array.from("1234567", (kid) => ({ kid })) } }, `the issuer has no key "x"; it has "1", "2", "3", "4", "5" and 2 more`],
    ["no keys", { token: token(factory), jwks: { keys: [] } }, `the issuer has no key "rsa-1"; it has none`],
    ["a key of another type", { token: token(factory, {}, { kid: "es-1" }) }, `the issuer's key "es-1" is of type EC, the token is signed with RS256`],
    ["a discovery document of another issuer", { token: token(factory), discovery: discoveryOf("https://x.example") }, `the issuer's discovery document names the issuer "https://x.example", the provider "${ISSUER}"`],
    ["a condition on more than one claim", { token: token(factory), provider: { attributeCondition: "assertion.sub == 'x' || assertion.team.size() > 1 || false" } }, `the attribute condition "assertion.sub == 'x' || assertion.team.size() > 1 || false" cannot be evaluated: field not found: team`],
    [
      "a condition that is false",
      { token: token(factory), provider: { attributeCondition: "google.subject == 'x' && has(assertion.team)" } },
      `the attribute condition "google.subject == 'x' && has(assertion.team)" is false: google.subject is "${SUBJECT}", assertion.team is not there`,
    ],
    [
      "a condition on what is inside of claims",
      { token: token(factory, { a: { b: 1, c: null, d: "x" } }), provider: { attributeCondition: "assertion.a.b == 2 && assertion.a.c == 'x' && has(assertion.a.c.e) && has(assertion.a.d.e)" } },
      `the attribute condition "assertion.a.b == 2 && assertion.a.c == 'x' && has(assertion.a.c.e) && has(assertion.a.d.e)" is false: assertion.a.b is 1, assertion.a.c is null, assertion.a.c.e is not there, assertion.a.d.e is not there`,
    ],
    ["a condition on nothing", { token: token(factory), provider: { attributeCondition: "1 > 2" } }, 'the attribute condition "1 > 2" is false'],
    ["a subject without a value", { token: token(factory), provider: { attributeMapping: { "google.subject": "assertion.name" } } }, "google.subject has no value (field not found: name); the assertion has aud, exp, iat, iss, sub"],
    ["a subject that is not mapped", { token: token(factory), provider: { attributeMapping: {} } }, "google.subject has no value (google.subject is not mapped); the assertion has aud, exp, iat, iss, sub"],
    ["a mapping that is no CEL", { token: token(factory), provider: { attributeMapping: { "google.subject": "sub" } } }, "google.subject has no value (its expression names sub, which is not there; there is assertion); the assertion has aud, exp, iat, iss, sub"],
    ["an empty subject", { token: token(factory), provider: { attributeMapping: { "google.subject": "''" } } }, "google.subject has no value (the value is empty); the assertion has aud, exp, iat, iss, sub"],
    ["a number for a text", { token: token(factory), provider: { attributeMapping: { "google.subject": "1" } } }, "google.subject is mapped to a number, not to a text"],
    ["a list for a text", { token: token(factory), provider: { attributeMapping: { "google.subject": "[1]" } } }, "google.subject is mapped to a list of other things, not to a text"],
  ])("says which values differ: %s", async (_name, presented, detail) => {
    expect(refusal(await evaluateTokenExchange(ask(presented).question))?.detail).toBe(detail);
  });

  it("takes tokens of 12 KB to the byte", async () => {
    const of = (size: number): string => {
      const made = (more: number, typ: string) => token(factory, { more: "x".repeat(more) }, { typ });
      const near = Math.floor(((size - made(0, "").length) * 3) / 4);
      // Three bytes are four characters: what a claim cannot reach, the header can.
      for (const typ of ["", "a", "ab"]) for (let more = near - 4; more < near + 3; more += 1) if (made(more, typ).length === size) return made(more, typ);
      throw new Error(`no token of ${size}`);
    };
    expect((await evaluateTokenExchange(ask({ token: of(12_288) }).question)).allowed).toBe(true);
    expect(refusal(await evaluateTokenExchange(ask({ token: of(12_289) }).question))?.detail).toBe("the token has 12289 bytes; Google takes 12288");
  });

  it("asks the issuer once, only for a token that passed everything else, and never where keys were uploaded", async () => {
    const asks = async (presented: Presented) => {
      const { question, asked } = ask(presented);
      await evaluateTokenExchange(question);
      return asked;
    };
    expect(await asks({ token: token(factory) })).toEqual([ISSUER]);
    expect(await asks({ token: token(factory, { aud: "x" }) })).toEqual([]);
    expect(await asks({ token: token(factory, { exp: NOW - 100 }) })).toEqual([]);
    expect(await asks({ token: token(factory), provider: { oidc: { issuerUri: ISSUER, jwksJson: JSON.stringify(keysOf(factory)) } } })).toEqual([]);
  });

  it("says who the caller is: subject, groups, attributes, pool", async () => {
    const provider = { attributeMapping: { "google.subject": "assertion.sub", "google.groups": "assertion.roles", "attribute.team": "assertion.team", "attribute.tags": "assertion.roles" }, attributeCondition: "'a' in google.groups" };
    const { question } = ask({ token: token(factory, { roles: ["a", "b/c"], team: "x%2Fy" }), provider });
    const answer = await evaluateTokenExchange(question);
    const set = `principalSet://iam.googleapis.com/${POOL}`;
    expect(answer).toEqual({
      allowed: true,
      expiresInSeconds: 600,
      identity: {
        subject: SUBJECT,
        groups: ["a", "b/c"],
        attributes: { team: "x%2Fy", tags: ["a", "b/c"] },
        principal: `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`,
        members: [
          `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`,
          `${set}/group/a`,
          `${set}/group/b/c`,
          `${set}/attribute.team/x%2Fy`,
          `${set}/attribute.tags/a`,
          `${set}/attribute.tags/b/c`,
          `${set}/*`,
        ],
      },
    });
  });

  it("has a hint for each of its refusals that trust has a say in", () => {
    for (const [name, { code, text }] of Object.entries(STS_REFUSALS)) {
      const words = (text)("x", "y");
      if (["parameter", "nearlyExpired", "throttled"].includes(name)) continue;
      expect([name, stsHints(code, words).length > 0]).toEqual([name, true]);
    }
    expect(stsHints("invalid_grant", "something new")).toEqual([]);
  });
});

// ---- AWS ----

const ACCOUNT = "222233334444";
const ARN = `arn:aws:sts::${ACCOUNT}:assumed-role/klavi-delivery/partner-1`;
const HOST = "sts.us-east-1.amazonaws.com";
const HEADERS: Record<string, string> = {
  Authorization: "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date;x-goog-cloud-target-resource, Signature=00",
  host: HOST,
  "x-amz-date": "20260101T000000Z",
  "x-amz-security-token": "t",
  "x-goog-cloud-target-resource": `//iam.googleapis.com/${PROVIDER}`,
};
interface Signed {
  url?: unknown;
  method?: unknown;
  headers?: unknown;
  change?: Record<string, string | undefined>;
}
const signed = ({ url = `https://${HOST}?Action=GetCallerIdentity&Version=2011-06-15`, method = "POST", headers, change = {} }: Signed = {}): string => {
  const list = Object.entries({ ...HEADERS, ...change }).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  return encodeURIComponent(JSON.stringify({ url, method, headers: headers ?? list }));
};
const awsProvider = (changes: Partial<WorkloadIdentityPoolProvider> = {}): WorkloadIdentityPoolProvider => ({
  name: PROVIDER,
  state: "ACTIVE",
  disabled: false,
  aws: { accountId: ACCOUNT },
  attributeCondition: `attribute.aws_role == 'arn:aws:sts::${ACCOUNT}:assumed-role/klavi-delivery'`,
  ...changes,
});

async function exchangeAws(subjectToken: string, identity: AwsIdentity = { status: "ok", account: ACCOUNT, arn: ARN, userId: "AROAX:partner-1" }, provider = awsProvider()) {
  const replayed: string[] = [];
  const { question } = ask({ token: subjectToken, subjectTokenType: "urn:ietf:params:aws:token-type:aws4_request" });
  const answer = await evaluateTokenExchange({
    ...question,
    provider,
    awsIdentity: async (request) => {
      replayed.push(request.url.href);
      return identity;
    },
  });
  return { answer, replayed };
}

describe("the exchange of signed AWS requests", () => {
  it("maps the role without its session where nothing is mapped", async () => {
    const { answer, replayed } = await exchangeAws(signed());
    expect(answer).toMatchObject({ allowed: true, expiresInSeconds: 3600, identity: { subject: ARN, attributes: { aws_role: `arn:aws:sts::${ACCOUNT}:assumed-role/klavi-delivery` } } });
    expect(replayed).toEqual([`https://${HOST}/?Action=GetCallerIdentity&Version=2011-06-15`]);
    const empty = await exchangeAws(signed(), undefined, awsProvider({ attributeMapping: {} }));
    expect(empty.answer).toEqual(answer);
    const said = await exchangeAws(signed(), undefined, awsProvider({ attributeMapping: DEFAULT_AWS_MAPPING }));
    expect(said.answer).toEqual(answer);
  });

  it.each<[string, Signed]>([
    ["the target with https:", { change: { "x-goog-cloud-target-resource": `https://iam.googleapis.com/${PROVIDER}` } }],
    ["the global endpoint", { url: "https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15", change: { host: "sts.amazonaws.com" } }],
    ["headers in another case", { change: { host: undefined, HOST } }],
    ["credentials that are not temporary", { change: { "x-amz-security-token": undefined } }],
  ])("takes %s", async (_name, parts) => {
    expect((await exchangeAws(signed(parts))).answer.allowed).toBe(true);
  });

  it.each<[string, string | Signed]>([
    ["no JSON", "%7B"],
    ["a percent sign that encodes nothing", "%"],
    ["a list", encodeURIComponent("[]")],
    ["no URL", { url: "x" }],
    ["http", { url: `http://${HOST}?Action=GetCallerIdentity&Version=2011-06-15` }],
    ["another host", { url: "https://sts.evil.example?Action=GetCallerIdentity&Version=2011-06-15", change: { host: "sts.evil.example" } }],
    ["a host that ends otherwise", { url: "https://sts.amazonaws.com.evil.example?Action=GetCallerIdentity&Version=2011-06-15", change: { host: "sts.amazonaws.com.evil.example" } }],
    ["a port", { url: `https://${HOST}:8443?Action=GetCallerIdentity&Version=2011-06-15`, change: { host: `${HOST}:8443` } }],
    ["a user", { url: `https://u@${HOST}?Action=GetCallerIdentity&Version=2011-06-15` }],
    ["a path", { url: `https://${HOST}/x?Action=GetCallerIdentity&Version=2011-06-15` }],
    ["another action", { url: `https://${HOST}?Action=AssumeRole&Version=2011-06-15` }],
    ["another version", { url: `https://${HOST}?Action=GetCallerIdentity&Version=2011-06-16` }],
    ["one parameter more", { url: `https://${HOST}?Action=GetCallerIdentity&Version=2011-06-15&X=1` }],
    ["GET", { method: "GET" }],
    ["headers as an object", { headers: {} }],
    ["a header twice", { change: { Host: HOST } }],
    ["a header that is no text", { headers: [{ key: "host", value: 1 }] }],
    ["a header whose name is no text", { headers: [{ key: 1, value: "x" }] }],
    ["a header that is no object", { headers: [null] }],
    ["another host in the header", { change: { host: "sts.amazonaws.com" } }],
    ...["Authorization", "host", "x-amz-date", "x-goog-cloud-target-resource"].map((name): [string, Signed] => [`no ${name}`, { change: { [name]: undefined } }]),
  ])("refuses %s", async (_name, parts) => {
    const { answer, replayed } = await exchangeAws(typeof parts === "string" ? parts : signed(parts));
    expect(refusal(answer)).toMatchObject({ httpStatus: 400, error: "invalid_grant", reason: "aws-request-malformed" });
    expect(refusal(answer)?.description).toMatch(/^Invalid format of AWS credentials: ./);
    expect(replayed).toEqual([]);
  });

  it("refuses a signature for another provider before AWS is asked, and says whether the target is signed at all", async () => {
    const { answer, replayed } = await exchangeAws(signed({ change: { "x-goog-cloud-target-resource": `//iam.googleapis.com/${PROVIDER}x` } }));
    expect(refusal(answer)).toMatchObject({ error: "invalid_grant", reason: "aws-target-differs", httpStatus: 400 });
    expect(replayed).toEqual([]);
    const signs = (authorization: string) => {
      const request = readAwsRequest(signed({ change: { Authorization: authorization } }));
      return "allowed" in request ? undefined : signsTarget(request);
    };
    expect(signs(HEADERS["Authorization"]!)).toBe(true);
    expect(signs("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host;x-amz-date, Signature=0")).toBe(false);
  });

  it("hands on what AWS says", async () => {
    const expired = await exchangeAws(signed(), { status: "refused", code: "SignatureDoesNotMatch", message: "Signature expired: 1 is now earlier than 2" });
    expect(refusal(expired.answer)).toMatchObject({
      httpStatus: 400,
      error: "invalid_grant",
      reason: "aws-refused",
      description: "Received invalid AWS response of type SignatureDoesNotMatch with error message: Signature expired: 1 is now earlier than 2",
    });
    const other = await exchangeAws(signed(), { status: "ok", account: "999999999999", arn: ARN.replace(ACCOUNT, "999999999999"), userId: "AROAX:partner-1" });
    expect(refusal(other.answer)).toMatchObject({ error: "invalid_grant", reason: "aws-account-differs" });
  });

  it("refuses a JWT, and a provider that is for neither", async () => {
    const { question } = ask({ token: token(factory) });
    expect(refusal(await evaluateTokenExchange({ ...question, provider: awsProvider() }))).toMatchObject({ reason: "token-type-mismatch", error: "invalid_request" });
    expect(refusal(await evaluateTokenExchange({ ...question, provider: awsProvider({ aws: undefined }) }))).toMatchObject({ reason: "token-type-mismatch" });
  });

  it.each<[string, string, boolean, boolean]>([
    // caller's ARN, pinned by Google's mapping, pinned by the bare name of Klavi's guide
    ["the role", ARN, true, true],
    ["the role in GovCloud", ARN.replace("arn:aws:", "arn:aws-us-gov:"), false, true],
    ["a longer role name", ARN.replace("klavi-delivery", "klavi-delivery-x"), false, false],
    ["an IAM user on the path /assumed-role/", `arn:aws:iam::${ACCOUNT}:user/assumed-role/klavi-delivery/x`, false, true],
    ["an IAM user on the path /role/", `arn:aws:iam::${ACCOUNT}:user/role/klavi-delivery/x`, false, true],
    ["an IAM user of the role's name", `arn:aws:iam::${ACCOUNT}:user/klavi-delivery`, false, false],
    ["a federated user", `arn:aws:sts::${ACCOUNT}:federated-user/klavi-delivery`, false, false],
    ["the root user", `arn:aws:iam::${ACCOUNT}:root`, false, false],
  ])("by role: %s", async (_name, arn, byArn, byName) => {
    const identity = { status: "ok", account: ACCOUNT, arn, userId: "X:y" } as const;
    expect((await exchangeAws(signed(), identity)).answer.allowed).toBe(byArn);
    const guide = awsProvider({ attributeMapping: KLAVI_GUIDE_MAPPING, attributeCondition: "attribute.aws_role == 'klavi-delivery'" });
    expect((await exchangeAws(signed(), identity, guide)).answer.allowed).toBe(byName);
  });

  it("counts the session's name against the subject's 127 bytes", async () => {
    const session = (length: number) => exchangeAws(signed(), { status: "ok", account: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/klavi-delivery/${"s".repeat(length)}`, userId: "A:s" });
    const room = 127 - `arn:aws:sts::${ACCOUNT}:assumed-role/klavi-delivery/`.length;
    expect((await session(room)).answer.allowed).toBe(true);
    expect(refusal((await session(room + 1)).answer)).toMatchObject({ reason: "subject-too-long" });
  });
});

describe("an exchange explained", () => {
  const explain = (changes: JsonObject, more: Partial<Parameters<typeof explainExchange>[0]> = {}) =>
    explainExchange({ pool: pool(), provider: goodProvider(), presented: { kind: "claims", claims: { ...goodClaims(), ...changes } }, now: new Date(NOW * 1000), ...more });
  const outcomes = (explained: ReturnType<typeof explainExchange>) => Object.fromEntries(explained.steps.map(({ step, outcome }) => [step, outcome]));

  it("passes every step of a good token", () => {
    const member = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
    const presented = { kind: "jwt", token: token(factory) } as const;
    const evidence = { status: "ok", discovery: discoveryOf(ISSUER), jwks: keysOf(factory) } as const;
    const explained = explain({}, { presented, issuer: evidence, member });
    expect(explained.refusal).toBeUndefined();
    expect(explained.identity?.principal).toBe(member);
    expect(outcomes(explained)).toEqual({ provider: "passes", token: "passes", issuer: "passes", audience: "passes", times: "passes", signature: "passes", mapping: "passes", condition: "passes", member: "passes" });
    expect(outcomes(explain({}, { presented })).signature).toBe("not-looked-at");
    expect(outcomes(explain({}, { presented: { kind: "jwt", token: token(factory, {}, {}, factory.foreign) }, issuer: evidence })).signature).toBe("fails");
    expect(JSON.stringify(explained)).not.toContain(presented.token);
    expect(explained.steps.map(({ detail }) => detail)).toEqual([
      `${PROVIDER} takes credentials`,
      "it has iss, sub, aud",
      ISSUER,
      `"https://iam.googleapis.com/${PROVIDER}"`,
      "it is in time",
      `made by the issuer's key "rsa-1"`,
      `it becomes ${member}`,
      `assertion.sub == '${SUBJECT}'`,
      `it is ${member}`,
    ]);
    const uploaded = { ...goodProvider(), attributeCondition: undefined, oidc: { issuerUri: ISSUER, jwksJson: JSON.stringify(keysOf(factory)) } };
    expect(explain({}, { presented, provider: uploaded }).steps.filter(({ step }) => step === "signature" || step === "condition")).toEqual([
      { step: "signature", outcome: "passes", detail: `made by the uploaded key "rsa-1"` },
      { step: "condition", outcome: "passes", detail: "there is no condition" },
    ]);
  });

  it("goes on behind what fails, and names the first as STS does", () => {
    const explained = explain({ aud: "x", sub: "other", exp: NOW - 600 }, { pool: pool({ disabled: true }), member: "principal://x" });
    expect(outcomes(explained)).toEqual({ provider: "fails", token: "passes", issuer: "passes", audience: "fails", times: "fails", mapping: "passes", condition: "fails", member: "fails" });
    expect(explained.refusal?.reason).toBe("pool-disabled");
    expect(explained.steps.find(({ step }) => step === "condition")?.detail).toContain('assertion.sub is "other"');
  });

  it("says what a mapping makes of an AWS caller, and stops where there is nothing to map", () => {
    const aws = { kind: "aws", account: "999999999999", arn: ARN, userId: "X:y" } as const;
    expect(outcomes(explain({}, { presented: aws, provider: awsProvider() }))).toEqual({ provider: "passes", account: "fails", mapping: "passes", condition: "passes" });
    expect(outcomes(explain({}, { presented: aws }))).toEqual({ provider: "passes", account: "not-looked-at" });
    expect(outcomes(explain({}, { provider: awsProvider() }))).toEqual({ provider: "passes", token: "not-looked-at" });
    expect(outcomes(explain({}, { provider: awsProvider(), presented: { kind: "jwt", token: "x" } }))).toEqual({ provider: "passes", token: "not-looked-at" });
    expect(outcomes(explain({}, { provider: undefined }))).toEqual({ provider: "fails" });
    expect(outcomes(explain({}, { presented: { kind: "jwt", token: "x" } }))).toEqual({ provider: "passes", token: "fails" });
    expect(outcomes(explain({}, { provider: { ...goodProvider(), attributeMapping: { "google.subject": "assertion.none" } } })).mapping).toBe("fails");
  });
});
