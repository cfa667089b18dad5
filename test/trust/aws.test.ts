import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { stsHints, STS_MESSAGE_FACTS, STS_STATUS } from "../../facts/aws/sts.js";
import { CertificateAuthority } from "../../sandbox/certificates.js";
import {
  evaluateWebIdentity,
  evaluateWebIdentityLazily,
  explainTrust,
  type OidcProvider,
  type WebIdentityAnswer,
  type WebIdentityQuestion,
} from "../../trust/aws.js";
import { decodeJwt, tokenFingerprint, verifyJwtSignature, publicKeyOf, visibleClaims } from "../../trust/jwt.js";
import { goodClaims, goodTrust, makeFactory, RECORDED_ANSWERS, token, type Presented } from "./recorded-answers.js";
import { discoveryOf, evidenceOf, signToken } from "./tokens.js";

const ACCOUNT = "111122223333";
const HOST = "issuer.example.com/tenant";
const factory = makeFactory({
  issuer: `https://${HOST}`,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/platform/deployer`,
  providerArn: `arn:aws:iam::${ACCOUNT}:oidc-provider/${HOST}`,
  now: 1_790_000_000,
});
const provider: OidcProvider = { arn: factory.providerArn, url: HOST, clientIds: ["client-a", "client-b"] };

function question(presented: Presented): WebIdentityQuestion {
  const roleArn = presented.roleArn ?? factory.roleArn;
  return {
    token: presented.token,
    roleArn,
    sessionName: presented.sessionName ?? "session",
    ...(presented.durationSeconds === undefined ? {} : { durationSeconds: presented.durationSeconds }),
    now: new Date(factory.now * 1000 + 400),
    providers: [provider],
    role: {
      arn: factory.roleArn,
      roleId: "AROAEXAMPLEEXAMPLE",
      trustPolicy: JSON.stringify(presented.trust ?? goodTrust(factory)),
      maxSessionDurationSeconds: 3600,
    },
    issuer: {
      status: "ok",
      discovery: presented.discovery ?? discoveryOf(factory.issuer),
      jwks: { keys: presented.jwks ?? [factory.keys.rsa.jwk, factory.keys.es.jwk] },
    },
  };
}

const ask = (presented: Partial<Presented> = {}) => question({ token: token(factory), ...presented });

function expectRefusal(answer: WebIdentityAnswer): Extract<WebIdentityAnswer, { allowed: false }> {
  if (answer.allowed) throw new Error("accepted");
  return answer;
}

describe("recorded answers of STS", () => {
  it.each(RECORDED_ANSWERS.map((row) => [`${row.name} (${row.grade})`, row] as const))("%s", async (_, row) => {
    const presented = row.present(factory);
    const asked = question(presented);
    const expected = row.expect(factory);
    const answer = evaluateWebIdentity(asked);
    if (expected.code === undefined) {
      expect(answer).toMatchObject({ allowed: true, audience: expected.audience, subject: expected.subject, provider });
    } else {
      expect(answer).toMatchObject({
        allowed: false,
        code: expected.code,
        httpStatus: expected.status,
        message: expected.message,
        reason: expected.reason,
      });
      expect(JSON.stringify(answer)).not.toContain(presented.token.split(".")[2] || presented.token);
    }
    await expect(evaluateWebIdentityLazily(asked, async () => asked.issuer)).resolves.toEqual(answer);
  });

  it("has no two rows of one name", () => {
    expect(new Set(RECORDED_ANSWERS.map(({ name }) => name)).size).toBe(RECORDED_ANSWERS.length);
  });
});

describe("the issuer is asked", () => {
  async function asksFor(presented: Partial<Presented>, change: Partial<WebIdentityQuestion> = {}): Promise<string[]> {
    const asked: string[] = [];
    await evaluateWebIdentityLazily({ ...ask(presented), ...change }, async (issuer) => {
      asked.push(issuer);
      return { status: "unavailable", detail: "connection refused" };
    });
    return asked;
  }

  it("once, for a token of a registered provider and audience", async () => {
    await expect(asksFor({})).resolves.toEqual([factory.issuer]);
  });

  it.each<[string, Partial<Presented>]>([
    ["no JWT", { token: "no.jwt" }],
    ["a claim missing", { token: token(factory, { sub: undefined }) }],
    ["an expired token", { token: token(factory, { exp: factory.now - 301 }) }],
    ["another issuer", { token: token(factory, { iss: "https://evil.example.com" }) }],
    ["another audience", { token: token(factory, { aud: "nobody" }) }],
    ["a bad session name", { sessionName: "a b" }],
  ])("never for %s", async (_, presented) => {
    await expect(asksFor(presented)).resolves.toEqual([]);
  });

  it("and an unreachable one is a missing verification key", () => {
    const answer = evaluateWebIdentity({ ...ask(), issuer: { status: "unavailable", detail: "timed out after 5 s" } });
    expect(answer).toMatchObject({
      code: "InvalidIdentityToken",
      httpStatus: 400,
      reason: "issuer-unavailable",
      detail: "the issuer's documents cannot be had: timed out after 5 s",
    });
  });

  it.each([
    ["a discovery document that is no object", { discovery: "text", jwks: { keys: [] } }],
    ["a key document without list", { discovery: discoveryOf(factory.issuer), jwks: {} }],
  ])("and %s is none either", (_, documents) => {
    expect(evaluateWebIdentity({ ...ask(), issuer: { status: "ok", ...documents } })).toMatchObject({ reason: "issuer-unavailable" });
  });
});

describe("a key's certificate (x5c)", () => {
  async function keyWithCertificate() {
    const { certPem, keyPem } = (await CertificateAuthority.create()).material;
    const privateKey = createPrivateKey(keyPem);
    const jwk = { ...createPublicKey(privateKey).export({ format: "jwk" }), kid: "es-9", x5c: [certPem.replaceAll(/-----.*-----|\s/g, "")] };
    return { jwk, privateKey };
  }

  it("must hold the key itself", async () => {
    const own = await keyWithCertificate();
    const text = token(factory, {}, { alg: "ES256", kid: "es-9" }, own);
    expect(evaluateWebIdentity(ask({ token: text, jwks: [own.jwk] }))).toMatchObject({ allowed: true });
    const other = await keyWithCertificate();
    expect(evaluateWebIdentity(ask({ token: text, jwks: [{ ...own.jwk, x5c: other.jwk.x5c }] }))).toMatchObject({
      code: "InvalidIdentityToken",
      reason: "key-unusable",
      detail: 'the certificate (x5c) of the issuer\'s key "es-9" holds another key',
    });
    expect(evaluateWebIdentity(ask({ token: text, jwks: [{ ...own.jwk, x5c: [] }] }))).toMatchObject({ reason: "key-unusable" });
  });
});

describe("provider and role", () => {
  it("must be in one account", () => {
    const elsewhere = { ...provider, arn: provider.arn.replace(ACCOUNT, "999988887777") };
    expect(evaluateWebIdentity({ ...ask(), providers: [elsewhere] })).toMatchObject({ code: "InvalidIdentityToken", reason: "provider-missing" });
    expect(evaluateWebIdentity({ ...ask(), providers: [elsewhere, provider] })).toMatchObject({ allowed: true });
  });

  it("must be in one partition", () => {
    const elsewhere = { ...provider, arn: provider.arn.replace("arn:aws:", "arn:aws-cn:") };
    expect(evaluateWebIdentity({ ...ask(), providers: [elsewhere] })).toMatchObject({ reason: "provider-missing" });
  });

  it("a missing role is denied like a wrong subject", () => {
    expect(evaluateWebIdentity({ ...ask(), role: undefined })).toMatchObject({
      code: "AccessDenied",
      httpStatus: 403,
      message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
      reason: "role-missing",
    });
  });

  it.each(["arn:aws:iam::111122223333:user/somebody", "not an arn", "arn:aws:s3:::role/x/and/more"])("%s is no role ARN", (roleArn) => {
    expect(evaluateWebIdentity({ ...ask(), roleArn })).toMatchObject({ code: "ValidationError", httpStatus: 400, reason: "role-arn-invalid" });
  });

  it("a trust policy that cannot be read admits nobody", () => {
    const asked = ask();
    const answer = evaluateWebIdentity({ ...asked, role: { ...asked.role!, trustPolicy: "{" } });
    expect(answer).toMatchObject({ code: "AccessDenied", reason: "trust-refused" });
    expect(expectRefusal(answer).detail).toMatch(/^policy the trust policy cannot be read: /);
  });

  it("the default session must fit the role too", () => {
    const asked = ask();
    expect(evaluateWebIdentity({ ...asked, role: { ...asked.role!, maxSessionDurationSeconds: 3599 } })).toMatchObject({ reason: "duration-too-long" });
  });

  it("a token of more than 20,000 characters is refused without showing it", () => {
    const asked = ask({ token: token(factory, { pad: "x".repeat(20_000) }) });
    const answer = expectRefusal(evaluateWebIdentity(asked));
    expect(answer).toMatchObject({ code: "ValidationError", reason: "token-malformed" });
    expect(answer.message).toBe("1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length less than or equal to 20000");
  });
});

describe("resource control policies", () => {
  const rcp = (statement: object) => ({
    resourceControlPolicies: [{ name: "perimeter", document: JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Principal: "*", Resource: "*", ...statement }] }) }],
  });

  it("deny by name", () => {
    expect(evaluateWebIdentity({ ...ask(), ...rcp({ Action: "sts:AssumeRoleWithWebIdentity" }) })).toMatchObject({
      code: "AccessDenied",
      httpStatus: 403,
      message: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
      reason: "resource-control-policy",
      detail: "the resource control policy perimeter denies sts:AssumeRoleWithWebIdentity",
    });
  });

  it("see the token's keys", () => {
    const only = (audience: string) => rcp({ Action: "sts:*", Condition: { StringNotEquals: { [`${HOST}:aud`]: audience } } });
    expect(evaluateWebIdentity({ ...ask(), ...only("client-a") })).toMatchObject({ allowed: true });
    expect(evaluateWebIdentity({ ...ask(), ...only("client-b") })).toMatchObject({ reason: "resource-control-policy" });
  });

  it("may be written for every AWS principal", () => {
    expect(evaluateWebIdentity({ ...ask(), ...rcp({ Principal: { AWS: "*" }, Action: "sts:*" }) })).toMatchObject({ reason: "resource-control-policy" });
  });

  it("leave other actions alone", () => {
    expect(evaluateWebIdentity({ ...ask(), ...rcp({ Action: "s3:*" }) })).toMatchObject({ allowed: true });
  });
});

describe("session tags and source identity", () => {
  const claims = {
    "https://aws.amazon.com/tags": { principal_tags: { Tenant: ["t1"], Team: ["a"] }, transitive_tag_keys: ["Team"] },
    "https://aws.amazon.com/source_identity": "run-7",
  };
  const actions = (...names: string[]) => goodTrust(factory, { Action: ["sts:AssumeRoleWithWebIdentity", ...names] });

  it("reach the session", () => {
    const answer = evaluateWebIdentity(ask({ token: token(factory, claims), trust: actions("sts:TagSession", "sts:SetSourceIdentity") }));
    expect(answer).toMatchObject({ allowed: true, tags: { Tenant: "t1", Team: "a" }, transitiveTagKeys: ["Team"], sourceIdentity: "run-7" });
  });

  it("need their actions", () => {
    expect(evaluateWebIdentity(ask({ token: token(factory, claims), trust: actions("sts:TagSession") }))).toMatchObject({
      message: "Not authorized to perform sts:SetSourceIdentity",
      reason: "source-identity-refused",
    });
    expect(evaluateWebIdentity(ask({ token: token(factory, claims), trust: actions("sts:SetSourceIdentity") }))).toMatchObject({ reason: "tag-session-refused" });
  });

  it.each([
    ["more than 50", Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, ["v"]]))],
    ["two keys that differ by case", { Tenant: ["a"], tenant: ["b"] }],
    ["a reserved key", { "aws:x": ["a"] }],
    ["a key of 129 characters", { ["k".repeat(129)]: ["a"] }],
    ["a value of 257 characters", { k: ["v".repeat(257)] }],
    ["a value with other characters", { k: ["a!b"] }],
  ])("are refused with %s", (_, principal_tags) => {
    const answer = evaluateWebIdentity(ask({ token: token(factory, { "https://aws.amazon.com/tags": { principal_tags } }) }));
    expect(answer).toMatchObject({ code: "InvalidIdentityToken", reason: "token-claim-invalid" });
  });

  it("are accepted at those limits", () => {
    const short = Array.from({ length: 49 }, (_, index) => [`k${index}`, [""]] as const);
    const principal_tags = { ["k".repeat(128)]: ["v".repeat(256)], ...Object.fromEntries(short) };
    expect(evaluateWebIdentity(ask({ token: token(factory, { "https://aws.amazon.com/tags": { principal_tags } }) }))).toMatchObject({ allowed: true });
  });
});

describe("the detail of a refusal", () => {
  const detail = (presented: Partial<Presented>) => expectRefusal(evaluateWebIdentity(ask(presented))).detail;

  it("names expected and presented subject", () => {
    expect(detail({ token: token(factory, { sub: "other" }) })).toBe('the trust expects sub "subject-probe", the token has "other"');
  });

  it("names every failing condition and the operator", () => {
    const trust = goodTrust(factory, { Condition: { StringEquals: { [`${HOST}:sub`]: ["a", "b"] }, StringLike: { [`${HOST}:email`]: "*@x" } } });
    expect(detail({ trust })).toBe(
      'the trust expects sub "a" or "b", the token has "subject-probe" and expects email StringLike "*@x", the token has none',
    );
  });

  it("names action and provider", () => {
    expect(detail({ trust: goodTrust(factory, { Action: "sts:AssumeRole" }) })).toBe('the trust allows "sts:AssumeRole", not sts:AssumeRoleWithWebIdentity');
    expect(detail({ trust: goodTrust(factory, { Principal: { Federated: "arn:aws:iam::1:oidc-provider/x" } }) })).toBe(
      `the trust trusts "arn:aws:iam::1:oidc-provider/x", the token comes from "${factory.providerArn}"`,
    );
  });

  it("names issuers and client ids", () => {
    expect(detail({ token: token(factory, { iss: `${factory.issuer}/` }) })).toBe(
      `the token's issuer is "${factory.issuer}/"; account ${ACCOUNT} has ${factory.issuer}`,
    );
    expect(detail({ token: token(factory, { aud: "x" }) })).toBe('the token\'s audience "x" is not among the provider\'s client ids: "client-a", "client-b"');
  });
});

describe("explainTrust", () => {
  const request = { provider, claims: goodClaims(factory), sessionName: "session", roleArn: factory.roleArn, now: new Date(factory.now * 1000) };

  it("says for each statement which part failed", () => {
    const policy = {
      Version: "2012-10-17",
      Statement: [
        { Sid: "Wrong", Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole", Condition: { StringEquals: { [`${HOST}/:sub`]: "subject-probe" } } },
        { Effect: "Allow", Principal: { Federated: provider.arn }, Action: "sts:AssumeRoleWithWebIdentity" },
      ],
    };
    expect(explainTrust(JSON.stringify(policy), request)).toEqual({
      decision: "allowed",
      statements: [
        {
          index: 0,
          sid: "Wrong",
          effect: "Allow",
          applies: false,
          principal: { holds: false, expected: ["*"], presented: provider.arn },
          action: { holds: false, expected: ["sts:AssumeRole"], presented: "sts:AssumeRoleWithWebIdentity" },
          conditions: [{ operator: "StringEquals", key: `${HOST}/:sub`, expected: ["subject-probe"], presented: undefined, holds: false }],
        },
        {
          index: 1,
          effect: "Allow",
          applies: true,
          principal: { holds: true, expected: [provider.arn], presented: provider.arn },
          action: { holds: true, expected: ["sts:AssumeRoleWithWebIdentity"], presented: "sts:AssumeRoleWithWebIdentity" },
          conditions: [],
        },
      ],
    });
  });

  it("a policy variable is a tautology, but only in version 2012-10-17", () => {
    const decide = (Version: string) =>
      explainTrust(JSON.stringify({ ...goodTrust(factory, { Condition: { StringEquals: { [`${HOST}:sub`]: `\${${HOST}:sub}` } } }), Version }), request).decision;
    expect(decide("2012-10-17")).toBe("allowed");
    expect(decide("2008-10-17")).toBe("implicit-deny");
  });

  it("NotPrincipal in a Deny spares only the listed provider, and in an Allow admits nobody", () => {
    const deny = (listed: string) => {
      const trust = goodTrust(factory);
      const statement = { Effect: "Deny", NotPrincipal: { Federated: listed }, Action: "sts:*" };
      return explainTrust(JSON.stringify({ ...trust, Statement: [...(trust["Statement"] as object[]), statement] }), request).decision;
    };
    expect(deny(provider.arn)).toBe("allowed");
    expect(deny(`${provider.arn}2`)).toBe("explicit-deny");
    expect(deny("*")).toBe("explicit-deny");
    const nobody = { Effect: "Deny", NotPrincipal: { AWS: "*" }, Action: "sts:*" };
    const open = goodTrust(factory);
    expect(explainTrust(JSON.stringify({ ...open, Statement: [...(open["Statement"] as object[]), nobody] }), request).decision).toBe("allowed");
    const allow = { Version: "2012-10-17", Statement: { Effect: "Allow", NotPrincipal: { Federated: "x" }, Action: "sts:*" } };
    expect(explainTrust(JSON.stringify(allow), request).decision).toBe("implicit-deny");
  });

  it("NotAction admits what it does not list", () => {
    const decide = (NotAction: string) =>
      explainTrust(JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Principal: { Federated: provider.arn }, NotAction } }), request).decision;
    expect(decide("sts:AssumeRole")).toBe("allowed");
    expect(decide("sts:AssumeRole*")).toBe("implicit-deny");
  });

  it("knows the transport's keys and the time", () => {
    const decide = (Condition: object) =>
      explainTrust(JSON.stringify(goodTrust(factory, { Condition })), { ...request, context: { "aws:SourceIp": "192.0.2.7" } }).decision;
    expect(decide({ IpAddress: { "aws:SourceIp": "192.0.2.0/24" } })).toBe("allowed");
    expect(decide({ IpAddress: { "aws:SourceIp": "198.51.100.0/24" } })).toBe("implicit-deny");
    expect(decide({ DateLessThan: { "aws:CurrentTime": new Date(factory.now * 1000 + 1000).toISOString() } })).toBe("allowed");
    expect(decide({ NumericLessThan: { "aws:EpochTime": String(factory.now) } })).toBe("implicit-deny");
    expect(decide({ StringEquals: { "aws:ResourceAccount": ACCOUNT } })).toBe("allowed");
  });

  it("knows the session's tags, transitive keys and source identity", () => {
    const own = {
      ...request.claims,
      "https://aws.amazon.com/tags": { principal_tags: { Tenant: ["t1"] }, transitive_tag_keys: ["Tenant"] },
      "https://aws.amazon.com/source_identity": "run-7",
    };
    const decide = (Condition: object) => explainTrust(JSON.stringify(goodTrust(factory, { Condition })), { ...request, claims: own }).decision;
    for (const [key, value] of [["aws:TagKeys", "Tenant"], ["sts:TransitiveTagKeys", "Tenant"], ["sts:SourceIdentity", "run-7"]] as const) {
      expect([key, decide({ "ForAnyValue:StringEquals": { [key]: value } })]).toEqual([key, "allowed"]);
      expect([key, decide({ "ForAnyValue:StringEquals": { [key]: "other" } })]).toEqual([key, "implicit-deny"]);
    }
  });

  it("compares claims that are numbers or truth values as texts", () => {
    const decide = (email: unknown, expected: string) =>
      explainTrust(JSON.stringify(goodTrust(factory, { Condition: { StringEquals: { [`${HOST}:email`]: expected } } })), { ...request, claims: { ...request.claims, email } }).decision;
    expect(decide(7, "7")).toBe("allowed");
    expect(decide(true, "true")).toBe("allowed");
    expect(decide({}, "[object Object]")).toBe("implicit-deny");
  });

  it("exposes the further claims of providers that IAM knows", () => {
    const github = { ...provider, url: "token.actions.githubusercontent.com" };
    const policy = goodTrust(factory, { Condition: { StringEquals: { [`${github.url}:repository`]: "o/r" } } });
    const decide = (repository: string) => explainTrust(JSON.stringify(policy), { ...request, provider: github, claims: { ...request.claims, repository } }).decision;
    expect(decide("o/r")).toBe("allowed");
    expect(decide("o/x")).toBe("implicit-deny");
  });
});

describe("JSON Web Tokens", () => {
  it("are decoded without trust and verified by key", () => {
    const text = token(factory);
    const decoded = decodeJwt(text)!;
    expect(decoded.claims).toEqual(goodClaims(factory));
    expect(verifyJwtSignature(decoded, publicKeyOf(factory.keys.rsa.jwk)!)).toBe(true);
    expect(verifyJwtSignature(decoded, publicKeyOf(factory.keys.foreign.jwk)!)).toBe(false);
    expect(verifyJwtSignature(decoded, publicKeyOf(factory.keys.es.jwk)!)).toBe(false);
  });

  it("an algorithm of one key type does not verify with a key of the other", () => {
    const text = signToken({ alg: "RS256" }, {}, factory.keys.es.privateKey);
    expect(verifyJwtSignature(decodeJwt(text)!, publicKeyOf(factory.keys.es.jwk)!)).toBe(false);
  });

  it("an algorithm outside the list verifies with nothing", () => {
    const text = signToken({ alg: "none" }, {}, factory.keys.rsa.privateKey);
    expect(verifyJwtSignature(decodeJwt(text)!, publicKeyOf(factory.keys.rsa.jwk)!)).toBe(false);
  });

  it.each(["", "a.b", "a.b.c.d", "e30.e30.!", "e30.W10.", "e30.bnVsbA."])("%j is none", (text) => {
    expect(decodeJwt(text)).toBeUndefined();
    expect(visibleClaims(text)).toBeUndefined();
  });

  it("ES256 signatures are r and s, not DER", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = publicKeyOf(publicKey.export({ format: "jwk" }))!;
    expect(verifyJwtSignature(decodeJwt(signToken({ alg: "ES256" }, {}, privateKey))!, key)).toBe(true);
  });

  it("a report shows who, never what else the issuer put in", () => {
    const shown = visibleClaims(token(factory, { password: "hunter2", azp: "client-a", nbf: 1, aud: ["client-a", 7] }));
    expect(shown).toEqual({ ...goodClaims(factory), aud: ["client-a"], azp: "client-a", nbf: 1, alg: "RS256", kid: "rsa-1", others: ["password"] });
  });

  it("a fingerprint is short, stable and not part of the token", () => {
    const text = token(factory);
    expect(tokenFingerprint(text)).toMatch(/^[0-9a-f]{12}$/);
    expect(tokenFingerprint(text)).toBe(tokenFingerprint(text));
    expect(tokenFingerprint(`${text}x`)).not.toBe(tokenFingerprint(text));
  });
});

describe("facts about STS", () => {
  it("every text has a code with a status, a grade and a source", () => {
    for (const fact of Object.values(STS_MESSAGE_FACTS)) {
      expect(fact.httpStatus).toBe(STS_STATUS[fact.code as keyof typeof STS_STATUS]);
      expect(fact.source).toMatch(/^https:/);
    }
  });

  it.each([
    ["InvalidIdentityToken", "Incorrect token audience", ["audience"]],
    ["InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://x", ["provider"]],
    ["InvalidIdentityToken", "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint", ["thumbprint"]],
    ["AccessDenied", "Not authorized to perform sts:TagSession", ["tag-session"]],
    ["AccessDenied", "something new", []],
  ])("both generations of texts are known: %s %s", (code, message, means) => {
    expect(stsHints(code, message)).toEqual(means);
  });

  it("every recorded refusal but the service's own failure has a hint", () => {
    for (const row of RECORDED_ANSWERS) {
      const { code, message = "", reason } = row.expect(factory);
      if (code === undefined || code === "InternalFailure") continue;
      const hints = stsHints(code, message);
      const shapeOnly = reason === "session-name-invalid" || reason === "duration-invalid";
      expect([row.name, hints.length > 0]).toEqual([row.name, !shapeOnly]);
    }
  });

  it("evidence of another issuer's keys does not verify", () => {
    const other = evidenceOf(factory.issuer, [factory.keys.foreign.jwk]);
    expect(evaluateWebIdentity({ ...ask(), issuer: other })).toMatchObject({ reason: "signature-invalid" });
  });
});
