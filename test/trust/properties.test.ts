/** What must hold of every policy and every token, whatever they are. */
import fc from "fast-check";
import { authorize, explainTrust, evaluateWebIdentity, parsePolicy, type AuthorizationRequest, type NamedPolicy, type PolicySet } from "../../trust/aws.js";
import { CONDITION_OPERATORS } from "../../facts/aws/conditions.js";
import { goodClaims, goodTrust, makeFactory, token } from "./recorded-answers.js";
import { evidenceOf } from "./tokens.js";

const ACCOUNT = "111122223333";
const HOST = "issuer.example.com/t";
const PROVIDER = { arn: `arn:aws:iam::${ACCOUNT}:oidc-provider/${HOST}`, url: HOST, clientIds: ["client-a"] };
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`;
const factory = makeFactory({ issuer: `https://${HOST}`, roleArn: ROLE, providerArn: PROVIDER.arn, now: 1_790_000_000 });
const evidence = evidenceOf(factory.issuer, [factory.keys.rsa.jwk]);

// ---- trust ----

const word = fc.constantFrom("a", "b", "ab", "A", "", "a*", "client-a", "dcf-1");
const trustKey = fc.constantFrom(`${HOST}:aud`, `${HOST}:sub`, `${HOST}:email`, "sts:RoleSessionName", "aws:SourceIp", "issuer.invalid:sub");
const setPrefix = fc.constantFrom("", "", "ForAllValues:", "ForAnyValue:");
const operator = fc.tuple(setPrefix, fc.constantFrom(...CONDITION_OPERATORS.keys()), fc.constantFrom("", "", "IfExists")).map((parts) => parts.join(""));
const condition = fc.array(fc.tuple(operator, trustKey, fc.array(word, { minLength: 1, maxLength: 3 })), { maxLength: 3 }).map((tests) => {
  const block: Record<string, Record<string, string[]>> = {};
  for (const [name, key, values] of tests) block[name] = { ...block[name], [key]: values };
  return block;
});
interface TrustStatement {
  Effect: string;
  Principal: unknown;
  Action: string;
  Condition: Record<string, Record<string, string[]>>;
}
const trustStatement: fc.Arbitrary<TrustStatement> = fc.record({
  Effect: fc.constantFrom("Allow", "Allow", "Deny"),
  Principal: fc.constantFrom<unknown>({ Federated: PROVIDER.arn }, { Federated: PROVIDER.arn }, { Federated: `${PROVIDER.arn}x` }, "*", { AWS: "*" }),
  Action: fc.constantFrom("sts:AssumeRoleWithWebIdentity", "sts:*", "sts:AssumeRole"),
  Condition: condition,
});
const claims = fc.record({ sub: word, email: word }).map((own) => ({ ...goodClaims(factory), ...own }));

const trustDecision = (statements: TrustStatement[], own: Record<string, unknown>, sessionName = "dcf-1") =>
  explainTrust(JSON.stringify({ Version: "2012-10-17", Statement: statements }), {
    provider: PROVIDER,
    claims: own,
    sessionName,
    roleArn: ROLE,
    now: new Date(factory.now * 1000),
  }).decision;

const runs = (numRuns: number) => ({ numRuns, seed: 20_260_911 });

describe("trust policies", () => {
  it("an added condition never admits", () => {
    fc.assert(
      fc.property(trustStatement, operator, trustKey, word, claims, (statement, name, key, value, own) => {
        const allow = { ...statement, Effect: "Allow" };
        const narrower = { ...allow, Condition: { ...allow.Condition, [name]: { [key]: [value], ...allow.Condition[name] } } };
        return trustDecision([allow], own) === "allowed" || trustDecision([narrower], own) !== "allowed";
      }),
      runs(400),
    );
  });

  it("a Deny never admits, and always wins", () => {
    fc.assert(
      fc.property(fc.array(trustStatement, { minLength: 1, maxLength: 4 }), trustStatement, claims, (statements, further, own) => {
        const deny = { ...further, Effect: "Deny" };
        const before = trustDecision(statements, own);
        const after = trustDecision([...statements, deny], own);
        if (trustDecision([deny], own) === "explicit-deny") expect(after).toBe("explicit-deny");
        else expect(after).toBe(before);
      }),
      runs(400),
    );
  });

  it("the order of statements does not matter", () => {
    fc.assert(
      fc.property(
        fc.array(trustStatement, { minLength: 2, maxLength: 5 }).chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        claims,
        ([list, shuffled], own) => {
          expect(trustDecision(shuffled, own)).toBe(trustDecision(list, own));
        },
      ),
      runs(200),
    );
  });

  it("another value in a list of alternatives never refuses, a removed one never admits", () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), word, claims, (values, more, own) => {
        const decide = (expected: string[]) =>
          trustDecision([{ Effect: "Allow", Principal: { Federated: PROVIDER.arn }, Action: "sts:*", Condition: { StringLike: { [`${HOST}:sub`]: expected } } }], own);
        return decide(values) !== "allowed" || decide([...values, more]) === "allowed";
      }),
      runs(200),
    );
  });

  it("only the provider's own ARN admits", () => {
    fc.assert(
      fc.property(fc.nat(PROVIDER.arn.length - 1), fc.constantFrom("x", "*", "?", ""), (at, replacement) => {
        const arn = PROVIDER.arn.slice(0, at) + replacement + PROVIDER.arn.slice(at + 1);
        fc.pre(arn !== PROVIDER.arn);
        const statement = { Effect: "Allow", Principal: { Federated: arn }, Action: "sts:*", Condition: {} };
        return trustDecision([statement], goodClaims(factory)) === "implicit-deny";
      }),
      runs(200),
    );
  });
});

describe("exchanges", () => {
  const role = { arn: ROLE, roleId: "AROAEXAMPLEEXAMPLE", trustPolicy: JSON.stringify(goodTrust(factory)), maxSessionDurationSeconds: 3600 };
  const exchange = (text: string) =>
    evaluateWebIdentity({ token: text, roleArn: ROLE, sessionName: "dcf-1", now: new Date(factory.now * 1000), providers: [PROVIDER], role, issuer: evidence });

  const changed = (text: string) =>
    fc.tuple(fc.nat(text.length), fc.constantFrom("x", "/", " ", "A", "*", "")).map(([at, character]) => text.slice(0, at) + character + text.slice(at + 1));

  it("the right token is accepted", () => {
    expect(exchange(token(factory))).toMatchObject({ allowed: true });
  });

  it.each([
    ["iss", factory.issuer, "InvalidIdentityToken"],
    ["aud", "client-a", "InvalidIdentityToken"],
    ["sub", "subject-probe", "AccessDenied"],
  ])("one changed character of %s refuses", (name, value, code) => {
    fc.assert(
      fc.property(changed(value), (other) => {
        fc.pre(other !== value);
        expect(exchange(token(factory, { [name]: other }))).toMatchObject({ allowed: false, code });
      }),
      runs(120),
    );
  });

  it("one changed character of the token refuses", () => {
    const text = token(factory);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom("x", "A", ".", "-"), (at, character) => {
        const other = text.slice(0, at) + character + text.slice(at + 1);
        fc.pre(other !== text);
        // The last characters of a part may hold bits that base64 does not use: the bytes are then the same.
        fc.pre(!text.split(".").every((part, index) => Buffer.from(part, "base64url").equals(Buffer.from(other.split(".")[index] ?? "", "base64url"))));
        expect(exchange(other)).toMatchObject({ allowed: false, code: "InvalidIdentityToken" });
      }),
      runs(300),
    );
  });

  it("a further claim never admits what was refused", () => {
    fc.assert(
      fc.property(fc.constantFrom("email", "tenant", "role", "groups", "sts:RoleSessionName", "AUD", "Sub"), word, (name, value) => {
        expect(exchange(token(factory, { sub: "other", [name]: value }))).toMatchObject({ allowed: false, code: "AccessDenied" });
      }),
      runs(60),
    );
  });

  it("no refusal shows the token or its signature", () => {
    fc.assert(
      fc.property(fc.constantFrom("iss", "aud", "sub", "exp", "iat"), fc.constantFrom<unknown>(null, "x", 0, [], undefined), (name, value) => {
        const text = token(factory, { [name]: value });
        const answer = JSON.stringify(exchange(text));
        for (const part of [text, ...text.split(".")]) expect(answer).not.toContain(part);
      }),
      runs(60),
    );
  });
});

// ---- authorisation ----

const action = fc.constantFrom("s3:GetObject", "s3:PutObject", "s3:*", "s3:Get*", "*", "iam:*");
const resource = fc.constantFrom("*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c/*", "arn:aws:s3:::b/?");
const requestCondition = fc.constantFrom<object>({}, {}, { Bool: { "aws:SecureTransport": "true" } }, { StringEquals: { "s3:prefix": "p" } }, { StringNotEquals: { "aws:PrincipalArn": ROLE } });
interface AnyStatement {
  Effect: string;
  Action: string;
  Resource: string;
  Condition: object;
}
const statement: fc.Arbitrary<AnyStatement> = fc.record({ Effect: fc.constantFrom("Allow", "Allow", "Allow", "Deny"), Action: action, Resource: resource, Condition: requestCondition });
const document = (statements: readonly object[]): NamedPolicy => ({ name: "p", document: JSON.stringify({ Version: "2012-10-17", Statement: statements }) });
const policy = fc.array(statement, { minLength: 1, maxLength: 3 }).map(document);
const who = fc.constantFrom<unknown>("*", { AWS: ROLE }, { AWS: ACCOUNT }, { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/r/s` }, { AWS: `${ROLE}2` });
const resourceStatement = fc.tuple(statement, who).map(([own, Principal]) => ({ ...own, Principal }));
const policySet: fc.Arbitrary<PolicySet> = fc.record({
  identity: fc.array(policy, { maxLength: 2 }),
  resource: fc.option(fc.array(resourceStatement, { minLength: 1, maxLength: 3 }).map(document), { nil: undefined }),
  boundary: fc.option(policy, { nil: undefined }),
  session: fc.array(policy, { maxLength: 1 }),
  serviceControl: fc.array(policy, { maxLength: 2 }),
  resourcePolicyDecides: fc.boolean(),
});
const request: fc.Arbitrary<AuthorizationRequest> = fc.record({
  principal: fc.constant({ kind: "role-session" as const, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/r/s`, accountId: ACCOUNT, roleArn: ROLE, uniqueId: "AROAEXAMPLEEXAMPLE", sessionName: "s" }),
  action: fc.constantFrom("s3:GetObject", "s3:PutObject"),
  resource: fc.constantFrom("arn:aws:s3:::b/k", "arn:aws:s3:::c/k"),
  resourceAccountId: fc.constantFrom(ACCOUNT, ACCOUNT, "999988887777"),
  context: fc.constantFrom<Record<string, string>>({}, { "aws:SecureTransport": "true" }, { "s3:prefix": "p" }),
  now: fc.constant(new Date(0)),
});
const allowed = (asked: AuthorizationRequest, set: PolicySet) => authorize(asked, set).allowed;
const denyAll = { Effect: "Deny", Action: "*", Resource: "*" };

describe("authorisation", () => {
  it("a boundary, a session policy or an SCP never adds", () => {
    fc.assert(
      fc.property(request, policySet, policy, (asked, set, further) => {
        const before = allowed(asked, set);
        const narrowed: PolicySet[] = [
          ...(set.boundary === undefined ? [{ ...set, boundary: further }] : []),
          ...(set.session?.length === 0 ? [{ ...set, session: [further] }] : []),
          { ...set, serviceControl: [...(set.serviceControl ?? []), further] },
        ];
        for (const narrower of narrowed) if (allowed(asked, narrower)) expect(before).toBe(true);
      }),
      runs(400),
    );
  });

  it("Deny wins in every layer", () => {
    fc.assert(
      fc.property(request, policySet, fc.constantFrom("identity", "resource", "boundary", "session", "serviceControl", "resourceControl"), (asked, set, layer) => {
        const everyone = document([{ ...denyAll, Principal: "*" }]);
        const single = layer === "resource" || layer === "boundary";
        const value = single ? everyone : [...((set[layer as "identity"] as NamedPolicy[] | undefined) ?? []), everyone];
        expect(authorize(asked, { ...set, [layer]: value })).toMatchObject({ allowed: false, decision: "explicit-deny" });
      }),
      runs(300),
    );
  });

  it("an RCP never adds, whatever it says", () => {
    fc.assert(
      fc.property(request, policySet, resourceStatement, (asked, set, own) => {
        if (!allowed(asked, set)) expect(allowed(asked, { ...set, resourceControl: [document([own])] })).toBe(false);
      }),
      runs(200),
    );
  });

  it("narrowing action, resource or condition of an Allow never admits", () => {
    const narrower: ((one: AnyStatement) => object)[] = [
      (one) => ({ ...one, Action: "s3:GetObject" }),
      (one) => ({ ...one, Resource: "arn:aws:s3:::b/k" }),
      (one) => ({ ...one, Condition: { ...one.Condition, StringEquals: { "aws:PrincipalAccount": "0" } } }),
    ];
    fc.assert(
      fc.property(request, policySet, statement, fc.constantFrom(...narrower), (asked, set, own, narrow) => {
        const wide = { ...own, Effect: "Allow", Action: "s3:*", Resource: "*" };
        const widened = { ...set, identity: [...set.identity, document([wide])] };
        const narrowed = { ...set, identity: [...set.identity, document([narrow(wide)])] };
        if (allowed(asked, narrowed)) expect(allowed(asked, widened)).toBe(true);
      }),
      runs(300),
    );
  });

  it("the order of policies and statements does not matter", () => {
    fc.assert(
      fc.property(request, fc.array(statement, { minLength: 2, maxLength: 5 }), policySet, (asked, list, set) => {
        const one = authorize(asked, { ...set, identity: [document(list)] });
        const other = authorize(asked, { ...set, identity: [...list].reverse().map((own) => document([own])) });
        expect([other.decision, other.layer]).toEqual([one.decision, one.layer]);
      }),
      runs(200),
    );
  });

  it("the case of actions and of keys does not matter", () => {
    fc.assert(
      fc.property(request, policySet, (asked, set) => {
        const shouted = { ...asked, action: asked.action.toUpperCase(), context: Object.fromEntries(Object.entries(asked.context).map(([key, value]) => [key.toUpperCase(), value])) };
        expect(allowed(shouted, set)).toBe(allowed(asked, set));
      }),
      runs(200),
    );
  });

  it("other accounts need both sides", () => {
    fc.assert(
      fc.property(request, policySet, (asked, set) => {
        const foreign = { ...asked, resourceAccountId: "999988887777" };
        if (allowed(foreign, set)) {
          expect(allowed(foreign, { ...set, identity: [] })).toBe(false);
          expect(allowed(foreign, { ...set, resource: undefined })).toBe(false);
        }
      }),
      runs(300),
    );
  });

  it("a refusal says which layer, an allowance which statement", () => {
    fc.assert(
      fc.property(request, policySet, (asked, set) => {
        const answer = authorize(asked, set);
        if (answer.allowed) expect(answer.statement).toBeDefined();
        else expect(answer.because).toMatch(/^(because no .+ allows the .+ action|with an explicit deny in an? .+)$/);
      }),
      runs(200),
    );
  });
});

describe("reading", () => {
  it("any text is a document or has a mistake, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.jsonValue().map((Statement) => JSON.stringify({ Statement }))), (text) => {
        const { document: read, mistakes } = parsePolicy(text, "identity");
        expect(read !== undefined || mistakes.length > 0).toBe(true);
      }),
      runs(300),
    );
  });
});
