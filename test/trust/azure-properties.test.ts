/** What must hold of every credential, assertion, role and condition, whatever they are. */
import fc from "fast-check";
import { authorize, conditionProblem, evaluateClientAssertion, explainAssertion, lockOn, matchCredential, matchesAction, permits, type AzureAccessQuestion, type DenyAssignment, type FederatedIdentityCredential, type RoleAssignment, type RoleDefinition, type WorkloadClaims } from "../../trust/azure.js";
import { assertion, AUDIENCE, CLIENT, goodClient, goodCredential, ISSUER, keysOf, makeFactory, NOW, SUBJECT, TENANT } from "./azure-recorded-answers.js";
import { discoveryOf } from "./tokens.js";

const oneOf = (letters: string) => fc.constantFrom(...Array.from(letters));
const runs = (numRuns: number) => ({ numRuns, seed: 20_261_121 });
const changed = (text: string, at: number, letter: string) => text.slice(0, at % text.length) + letter + text.slice((at % text.length) + 1);

// ---- credentials ----

const value = fc.constantFrom(ISSUER, `${ISSUER}/`, SUBJECT, SUBJECT.toUpperCase(), AUDIENCE, "x", "");
const workload: fc.Arbitrary<WorkloadClaims> = fc.record({ issuer: value, subject: value, audience: value });
const credential: fc.Arbitrary<FederatedIdentityCredential> = fc.record({
  name: fc.constantFrom("a", "b", "c"),
  issuer: value,
  subject: value,
  audiences: value.map((one) => [one]),
  claimsMatchingExpression: fc.option(fc.constant("claims['sub'] matches '*'"), { nil: undefined, freq: 6 }),
});
const matches = (credentials: readonly FederatedIdentityCredential[], claims: WorkloadClaims) => "name" in matchCredential({ credentials, displayName: "id" }, claims);

describe("credentials", () => {
  it("admit exactly what is equal to one of them in all three values", () => {
    fc.assert(
      fc.property(fc.array(credential, { maxLength: 5 }), workload, (credentials, claims) => {
        const equal = credentials.some((one) => one.claimsMatchingExpression === undefined && one.issuer === claims.issuer && one.subject === claims.subject && one.audiences[0] === claims.audience);
        expect(matches(credentials, claims)).toBe(equal);
      }),
      runs(500),
    );
  });

  it("one added never refuses, and their order does not matter", () => {
    fc.assert(
      fc.property(fc.array(credential, { maxLength: 4 }), credential, workload, (credentials, further, claims) => {
        if (matches(credentials, claims)) expect(matches([further, ...credentials], claims)).toBe(true);
        expect(matches([...credentials].reverse(), claims)).toBe(matches(credentials, claims));
        const [one, other] = [credentials, [...credentials].reverse()].map((list) => matchCredential({ credentials: list, displayName: "id" }, claims));
        if (one !== undefined && "reason" in one) expect(other).toMatchObject({ reason: one.reason, code: one.code, message: one.message });
      }),
      runs(400),
    );
  });

  it("one changed character refuses", () => {
    const letters = fc.string({ unit: oneOf("abXY09:/-._é"), minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(letters, letters, letters, fc.nat(), oneOf("xQ~ \u200B"), fc.constantFrom("issuer", "subject", "audience"), (issuer, subject, audience, at, letter, which) => {
        const claims = { issuer, subject, audience };
        const own = goodCredential({ issuer, subject, audiences: [audience] });
        expect(matches([own], claims)).toBe(true);
        const other = changed(claims[which], at, letter);
        expect(matches([own], { ...claims, [which]: other })).toBe(other === claims[which]);
        expect(matches([own], { ...claims, [which]: `${claims[which]}${letter}` })).toBe(false);
        expect(matches([own], { ...claims, [which]: claims[which].slice(1) })).toBe(false);
      }),
      runs(300),
    );
  });
});

// ---- assertions ----

describe("assertions", () => {
  const factory = makeFactory();
  const good = assertion(factory);
  const exchange = (raw: string, changes: object = {}) =>
    evaluateClientAssertion({
      cloud: "public",
      tenant: TENANT,
      knownTenant: { tenantId: TENANT, cloud: "public" },
      clientId: CLIENT,
      client: goodClient(),
      grantType: "client_credentials",
      assertionType: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      assertion: raw,
      scope: "https://storage.azure.com/.default",
      knownResource: () => true,
      now: new Date(NOW * 1000),
      issuer: async () => ({ status: "ok", discovery: discoveryOf(ISSUER), jwks: keysOf(factory) }),
      ...changes,
    });

  it("one changed character refuses", async () => {
    expect((await exchange(good)).allowed).toBe(true);
    // The last character of a part may carry bits that no byte has.
    const ends = [...good.matchAll(/\.|$/g)].map(({ index }) => index - 1);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), oneOf("AZaz09-_."), async (at, letter) => {
        fc.pre(good[at] !== letter && !ends.includes(at));
        expect((await exchange(good.slice(0, at) + letter + good.slice(at + 1))).allowed).toBe(false);
      }),
      runs(200),
    );
  });

  it("no claim that is added or changed outside what is looked at lets anybody in or out", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("email", "groups", "sid", "tid", "azp"), fc.jsonValue(), fc.boolean(), async (name, content, right) => {
        const answer = await exchange(assertion(factory, { [name]: content, sub: right ? SUBJECT : "other" }));
        expect(answer.allowed).toBe(right);
      }),
      runs(60),
    );
  });

  it("explained are refused for the same reason, and never shown", async () => {
    const claims = fc.record({ iss: fc.constantFrom(ISSUER, "x"), sub: fc.constantFrom(SUBJECT, SUBJECT.toUpperCase(), "x"), aud: fc.constantFrom(AUDIENCE, "x"), exp: fc.constantFrom(NOW + 60, NOW - 600) });
    await fc.assert(
      fc.asyncProperty(claims, fc.boolean(), async (some, ours) => {
        const raw = assertion(factory, some, {}, ours ? factory.rsa : factory.foreign);
        const answer = await exchange(raw);
        const explained = explainAssertion({ client: goodClient(), tenant: TENANT, presented: { kind: "jwt", token: raw }, now: new Date(NOW * 1000), issuer: { status: "ok", discovery: discoveryOf(ISSUER), jwks: keysOf(factory) } });
        expect(explained.refusal).toEqual(answer.allowed ? undefined : answer);
        expect(JSON.stringify([answer, explained])).not.toContain(raw.split(".")[2]);
      }),
      runs(80),
    );
  });
});

// ---- roles ----

const segment = oneOf("abc");
const actionName = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const actionPattern = fc.array(fc.oneof(segment, fc.constant("*")), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const patterns = fc.array(actionPattern, { maxLength: 3 });
const permission = fc.record({ actions: patterns, notActions: patterns, dataActions: patterns, notDataActions: patterns });

describe("patterns of actions", () => {
  it("match as the regular expression with .* for every star does", () => {
    fc.assert(
      fc.property(fc.string({ unit: oneOf("ab*/."), maxLength: 8 }), fc.string({ unit: oneOf("ab/."), maxLength: 10 }), (pattern, action) => {
        const expression = new RegExp(`^${pattern.replace(/[.]/g, "\\.").replaceAll("*", ".*")}$`, "i");
        expect(matchesAction(pattern, action)).toBe(expression.test(action));
      }),
      runs(1_000),
    );
  });

  it("taken away never give, and of one plane give nothing on the other", () => {
    fc.assert(
      fc.property(permission, actionName, actionPattern, fc.boolean(), (one, action, further, data) => {
        const less = { ...one, notActions: [...one.notActions, further], notDataActions: [...one.notDataActions, further] };
        if (permits([less], { action, data })) expect(permits([one], { action, data })).toBe(true);
        expect(permits([{ ...one, ...(data ? { dataActions: [] } : { actions: [] }) }], { action, data })).toBe(false);
      }),
      runs(400),
    );
  });
});

// ---- access ----

const SCOPES = ["/subscriptions/s", "/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/g/providers/P/t/r", "/subscriptions/s/resourceGroups/g2", "/subscriptions/s2"];
const scope = fc.constantFrom(...SCOPES);
const principal = fc.constantFrom("p1", "p2", "p3");
const atom = fc.constantFrom("@Resource[a] StringEquals 'x'", "@Resource[a] StringNotEquals 'x'", "@Resource[none] StringEquals 'x'", "@Resource[none] StringNotEquals 'x'", "Exists @Resource[none]", "ActionMatches{'a/*'}", "@Resource[n] NumericLessThan 5", "@Resource[a] NumericLessThan 5");
const condition = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    atom,
    fc.tuple(tie("tree"), fc.constantFrom("AND", "OR", "&&", "||"), tie("tree")).map(([left, joiner, right]) => `(${left} ${joiner} ${right})`),
    tie("tree").map((inner) => `!(${inner})`),
  ),
})).tree;
const attributes = fc.record({ a: fc.constantFrom("x", "y"), n: fc.constantFrom("1", "9") });
const roles: Record<string, RoleDefinition> = {
  all: { name: "all", roleName: "all", permissions: [{ actions: ["*"], notActions: ["a/b"], dataActions: [], notDataActions: [] }] },
  data: { name: "data", roleName: "data", permissions: [{ actions: [], notActions: [], dataActions: ["a/*"], notDataActions: [] }] },
};
const roleAssignment: fc.Arbitrary<RoleAssignment> = fc.record({ id: fc.constant("i"), scope, roleDefinitionId: fc.constantFrom("all", "data", "none"), principalId: principal, condition: fc.option(condition, { nil: undefined, freq: 3 }) });
const deny: fc.Arbitrary<DenyAssignment> = fc.record({
  id: fc.constant("d"),
  name: fc.constant("d"),
  scope,
  permissions: fc.array(permission, { minLength: 1, maxLength: 2 }),
  principalIds: fc.array(fc.oneof(principal, fc.constant("00000000-0000-0000-0000-000000000000")), { maxLength: 2 }),
  excludePrincipalIds: fc.array(principal, { maxLength: 1 }),
  doNotApplyToChildScopes: fc.boolean(),
});
const question: fc.Arbitrary<AzureAccessQuestion> = fc.record({ principalIds: fc.uniqueArray(principal, { minLength: 1, maxLength: 2 }), action: actionName, dataAction: fc.boolean(), scope, attributes, assignments: fc.array(roleAssignment, { maxLength: 4 }) }).map((asked) => ({ ...asked, role: (id) => roles[id] }));
const allowed = (asked: AzureAccessQuestion) => authorize(asked).allowed;

describe("access", () => {
  it("a deny assignment never admits, and wins over every role", () => {
    fc.assert(
      fc.property(question, deny, roleAssignment, (asked, one, further) => {
        const denied = { ...asked, denyAssignments: [one] };
        if (allowed(denied)) expect(allowed(asked)).toBe(true);
        if (authorize(denied).reason === "denied") expect(authorize({ ...denied, assignments: [...asked.assignments, further, { id: "o", scope: "/", roleDefinitionId: "all", principalId: asked.principalIds[0] ?? "" }] }).reason).toBe("denied");
      }),
      runs(500),
    );
  });

  it("a further assignment never refuses, and a condition added to all never admits", () => {
    fc.assert(
      fc.property(question, roleAssignment, condition, (asked, further, text) => {
        if (allowed(asked)) expect(allowed({ ...asked, assignments: [further, ...asked.assignments] })).toBe(true);
        const conditioned = asked.assignments.map((one) => ({ ...one, condition: one.condition === undefined ? text : `(${one.condition}) AND (${text})` }));
        if (allowed({ ...asked, assignments: conditioned })) expect(allowed(asked)).toBe(true);
      }),
      runs(500),
    );
  });

  it("is of those that are assigned something alone, on the scope or above, in whatever case it is written", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const relevant = asked.assignments.filter((one) => asked.principalIds.includes(one.principalId) && (asked.scope === one.scope || asked.scope.startsWith(`${one.scope}/`)));
        expect(authorize({ ...asked, assignments: relevant })).toEqual(authorize(asked));
        expect(allowed({ ...asked, scope: asked.scope.toUpperCase(), action: asked.action.toUpperCase() })).toBe(allowed(asked));
        expect(allowed({ ...asked, principalIds: ["nobody"] })).toBe(false);
      }),
      runs(400),
    );
  });
});

describe("conditions", () => {
  const holds = (text: string, some: Record<string, string>, action = "a/b") => conditionProblem({ condition: text }, { action, data: true, attributes: some, now: undefined }) === undefined;

  it("and their negation never both hold", () => {
    fc.assert(fc.property(condition, attributes, (text, some) => !(holds(text, some) && holds(`!(${text})`, some))), runs(400));
  });

  it("are decided wherever everything that they ask is known", () => {
    fc.assert(
      fc.property(condition, attributes, (text, some) => {
        fc.pre(!/\[none\] String|\[a\] Numeric/.test(text));
        expect(holds(`!(${text})`, some)).toBe(!holds(text, some));
      }),
      runs(300),
    );
  });

  it("never hold for less knowledge where they did not for more, but by what they say of absence", () => {
    fc.assert(
      fc.property(condition, attributes, (text, some) => {
        fc.pre(!text.includes("Exists"));
        if (holds(text, {})) expect(holds(text, some)).toBe(true);
      }),
      runs(400),
    );
  });
});

describe("locks", () => {
  it("a further one never unlocks, and reading is never locked", () => {
    const lock = fc.record({ id: fc.constant("l"), scope, level: fc.constantFrom("CanNotDelete" as const, "ReadOnly" as const) });
    fc.assert(
      fc.property(fc.array(lock, { maxLength: 3 }), lock, scope, fc.constantFrom("a/read", "a/write", "a/delete", "a/x/action"), (locks, further, on, action) => {
        if (lockOn(locks, on, action) !== undefined) expect(lockOn([further, ...locks], on, action)).toBeDefined();
        if (action === "a/read") expect(lockOn(locks, on, action)).toBeUndefined();
        if (lockOn(locks, on, "a/write") !== undefined) expect(lockOn(locks, on, "a/delete")).toBeDefined();
      }),
      runs(300),
    );
  });
});
