/** What must hold of every provider, identity and policy, whatever they are. */
import fc from "fast-check";
import { aliases, authorizeAccess, credentialOf, evaluateTokenExchange, mapAttributes, parseFederatedMember, reaches, type AccessQuestion, type Binding, type DenyPolicy, type IntendedIdentity } from "../../trust/gcp.js";
import { adversariesOf } from "../../trust/gcp/adversaries.js";
import { admit } from "../../trust/gcp/exchange.js";
import { extract } from "../../trust/gcp/extract.js";
import { goodProvider, keysOf, makeFactory, NOW, POOL, PROVIDER, SUBJECT, token } from "./gcp-recorded-answers.js";
import { discoveryOf } from "./tokens.js";

const oneOf = (letters: string) => fc.constantFrom(...Array.from(letters));
const runs = (numRuns: number) => ({ numRuns, seed: 20_261_121 });

// ---- providers ----

const word = fc.constantFrom("a", "b", "ab", "A", "a:b", "a/b", "dcf", SUBJECT);
const path = fc.constantFrom("assertion.sub", "google.subject", "assertion.team", "attribute.team", "assertion.none");
const atom = fc.tuple(path, fc.constantFrom("== ", "!= ", ".startsWith(", ".contains("), word).map(([left, operator, right]) => (operator.startsWith(".") ? `${left}${operator}'${right}')` : `${left} ${operator}'${right}'`));
const condition = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3 }, atom, fc.tuple(tie("tree"), fc.constantFrom("&&", "||"), tie("tree")).map(([left, operator, right]) => `(${left} ${operator} ${right})`)),
})).tree;
const assertion = fc.record({ iss: fc.constant("https://oidc.dcf.example"), sub: word, team: word });
const provider = (attributeCondition: string) => ({ ...goodProvider(), attributeMapping: { "google.subject": "assertion.sub", "attribute.team": "assertion.team" }, attributeCondition });
const admitted = (expression: string, claims: Record<string, unknown>) => admit(provider(expression), claims, 60).allowed;

describe("conditions", () => {
  it("an added one never admits", () => {
    fc.assert(fc.property(condition, condition, assertion, (one, other, claims) => admitted(one, claims) || !admitted(`(${one}) && (${other})`, claims)), runs(150));
  });

  it("none of two admits whom neither does", () => {
    fc.assert(fc.property(condition, condition, assertion, (one, other, claims) => !admitted(`(${one}) || (${other})`, claims) || admitted(one, claims) || admitted(other, claims)), runs(150));
  });

  it("on a claim that is not there admits nobody", () => {
    fc.assert(fc.property(assertion, word, (claims, value) => !admitted(`assertion.none == '${value}'`, claims) && !admitted(`assertion.none != '${value}'`, claims)), runs(50));
  });

  it("that compare the subject admit it, and nothing one character off", () => {
    const letters = fc.string({ unit: oneOf("abcXYZ019:/-._"), minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(letters, fc.nat(), fc.constantFrom("x", "Q", "~"), (subject, at, letter) => {
        const index = at % subject.length;
        const changed = subject.slice(0, index) + letter + subject.slice(index + 1);
        expect(admitted(`assertion.sub == '${subject}'`, { sub: subject, team: "a" })).toBe(true);
        expect(admitted(`assertion.sub == '${subject}'`, { sub: changed, team: "a" })).toBe(changed === subject);
        expect(admitted(`assertion.sub == '${subject}'`, { sub: `${subject}${letter}`, team: "a" })).toBe(false);
        expect(admitted(`assertion.sub == '${subject}'`, { sub: subject.slice(1), team: "a" })).toBe(false);
      }),
      runs(150),
    );
  });
});

describe("tokens", () => {
  const factory = makeFactory();
  const good = token(factory);
  const exchange = (subjectToken: string) =>
    evaluateTokenExchange({
      audience: `//iam.googleapis.com/${PROVIDER}`,
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
      subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      scope: "x",
      subjectToken,
      now: new Date(NOW * 1000),
      pool: { name: POOL, state: "ACTIVE", disabled: false },
      provider: goodProvider(),
      issuer: async () => ({ status: "ok", discovery: discoveryOf("https://oidc.dcf.example"), jwks: keysOf(factory) }),
      awsIdentity: () => Promise.reject(new Error("not of AWS")),
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
      fc.asyncProperty(fc.constantFrom("email", "groups", "sid", "act"), fc.jsonValue(), fc.boolean(), async (name, value, right) => {
        const answer = await exchange(token(factory, { [name]: value, sub: right ? SUBJECT : "other" }));
        expect(answer.allowed).toBe(right);
      }),
      runs(60),
    );
  });
});

describe("identities", () => {
  const value = fc.string({ unit: "grapheme", minLength: 1, maxLength: 24 });

  it("are every member that is parsed back to what was mapped, and no other", () => {
    fc.assert(
      fc.property(value, value, fc.array(value, { maxLength: 3 }), (sub, team, groups) => {
        const answer = admit({ ...goodProvider(), attributeMapping: { "google.subject": "assertion.sub", "attribute.team": "assertion.team", "google.groups": "assertion.groups" }, attributeCondition: undefined }, { sub, team, groups }, 60);
        if (!answer.allowed) throw new Error(answer.detail);
        expect(answer.identity.members.map((member) => parseFederatedMember(member))).toEqual([
          { pool: POOL, kind: "subject", value: sub },
          ...groups.map((group) => ({ pool: POOL, kind: "group", value: group })),
          { pool: POOL, kind: "attribute", name: "team", value: team },
          { pool: POOL, kind: "pool" },
        ]);
      }),
      runs(200),
    );
  });

  it("have subjects by bytes, not by characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "é", "漢", "𝒳"), minLength: 25, maxLength: 130 }), (sub) => {
        const mapped = mapAttributes({ "google.subject": "assertion.sub" }, { sub });
        expect("allowed" in mapped ? mapped.reason : "fits").toBe(Buffer.byteLength(sub) > 127 ? "subject-too-long" : "fits");
      }),
      runs(200),
    );
  });
});

describe("extract", () => {
  it("finds what stands first between prefix and suffix, and is always a part of the text", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "="), maxLength: 20 });
    fc.assert(
      fc.property(text, text, text, (whole, prefix, suffix) => {
        const found = extract(whole, `${prefix}{x}${suffix}`);
        const start = whole.indexOf(prefix);
        const end = start < 0 ? -1 : whole.indexOf(suffix, start + prefix.length);
        expect(found).toBe(start < 0 || end < 0 ? "" : whole.slice(start + prefix.length, suffix === "" ? undefined : end));
      }),
      runs(400),
    );
  });
});

describe("trusts that are written as they should be", () => {
  const roleName = fc.string({ unit: oneOf("abXY09+=,.@-_"), minLength: 1, maxLength: 60 });
  const account = fc.string({ unit: oneOf("0123456789"), minLength: 12, maxLength: 12 });
  const subject = fc.string({ unit: oneOf("abXY09:/@=+~|._-"), minLength: 1, maxLength: 100 }).filter((text) => /^[A-Za-z0-9]/.test(text));

  it("admit the role and nobody who is like it", () => {
    fc.assert(
      fc.property(roleName, account, fc.boolean(), (role, accountId, byAttribute) => {
        const assumed = `arn:aws:sts::${accountId}:assumed-role/${role}`;
        const own = { name: PROVIDER, state: "ACTIVE", disabled: false, aws: { accountId }, attributeCondition: byAttribute ? `attribute.aws_role == '${assumed}'` : `assertion.arn.startsWith('${assumed}/')` } as const;
        const intended: IntendedIdentity = { kind: "aws", accountId, roleName: role };
        const members = [`principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/${assumed}`];
        expect(reaches(own, credentialOf(intended), members)).toBe(true);
        expect(aliases(own, members, intended)).toEqual([]);
        expect(aliases(own, [], intended)).toEqual([]);
      }),
      runs(60),
    );
  });

  it("admit the subject and nobody who is like it", () => {
    fc.assert(
      fc.property(subject, (sub) => {
        const own = { ...goodProvider(), attributeCondition: `assertion.sub == '${sub}'` };
        const intended: IntendedIdentity = { kind: "oidc", subject: sub };
        expect(reaches(own, credentialOf(intended), [`principal://iam.googleapis.com/${POOL}/subject/${sub}`])).toBe(true);
        expect(aliases(own, [], intended)).toEqual([]);
        expect(adversariesOf(intended).every(({ credential }) => credential.kind === "claims" && credential.claims["sub"] !== sub)).toBe(true);
      }),
      runs(60),
    );
  });
});

// ---- policies ----

const member = fc.constantFrom("user:a@b.example", "serviceAccount:s@p.iam.gserviceaccount.com", "allUsers", "deleted:user:a@b.example?uid=1");
const expression = fc.constantFrom("true", "false", "resource.name.startsWith('projects/_/buckets/b')", "resource.type == 'x'", "request.time < timestamp('2030-01-01T00:00:00Z')", "resource.none == 'x'");
const optionalCondition = fc.option(expression, { nil: undefined }).map((text) => (text === undefined ? undefined : { title: "c", expression: text }));
const binding: fc.Arbitrary<Binding> = fc.record({ role: fc.constantFrom("roles/r", "roles/w", "roles/none"), members: fc.array(member, { maxLength: 2 }), condition: optionalCondition });
const denyPrincipal = fc.constantFrom("principal://goog/subject/a@b.example", "principal://iam.googleapis.com/projects/-/serviceAccounts/s@p.iam.gserviceaccount.com", "principalSet://goog/public:all");
const deniedPermission = fc.constantFrom("storage.googleapis.com/objects.get", "storage.googleapis.com/objects.*", "storage.googleapis.com/*.create", "run.googleapis.com/services.get");
const denyRule = fc.record({
  deniedPrincipals: fc.array(denyPrincipal, { maxLength: 2 }),
  exceptionPrincipals: fc.array(denyPrincipal, { maxLength: 1 }),
  deniedPermissions: fc.array(deniedPermission, { maxLength: 2 }),
  exceptionPermissions: fc.array(deniedPermission, { maxLength: 1 }),
  denialCondition: optionalCondition,
});
const denyPolicy: fc.Arbitrary<DenyPolicy> = fc.record({ name: fc.constant("d"), rules: fc.array(denyRule, { maxLength: 2 }).map((rules) => rules.map((rule) => ({ denyRule: rule }))) });
const question = fc.record({ bindings: fc.array(binding, { maxLength: 3 }), above: fc.array(binding, { maxLength: 2 }), members: fc.uniqueArray(fc.constantFrom("user:a@b.example", "serviceAccount:s@p.iam.gserviceaccount.com", "allUsers"), { minLength: 1 }), permission: fc.constantFrom("storage.objects.get", "storage.objects.create") }).map(
  ({ bindings, above, members, permission }): AccessQuestion => ({
    members,
    permission,
    resource: { name: "projects/_/buckets/b/objects/o", type: "storage.googleapis.com/Object", service: "storage.googleapis.com" },
    time: new Date("2026-11-21T00:00:00Z"),
    policies: [
      { resource: "//storage.googleapis.com/projects/_/buckets/b", policy: { bindings } },
      { resource: "//cloudresourcemanager.googleapis.com/projects/p", policy: { bindings: above } },
    ],
    role: (name) => ({ "roles/r": ["storage.objects.get"], "roles/w": ["storage.objects.create"] })[name],
  }),
);
const allowed = (asked: AccessQuestion) => authorizeAccess(asked).allowed;

describe("policies", () => {
  it("a deny policy never admits, and wins over every binding", () => {
    fc.assert(
      fc.property(question, denyPolicy, binding, (asked, deny, further) => {
        const denied = { ...asked, denyPolicies: [deny] };
        if (allowed(denied)) expect(allowed(asked)).toBe(true);
        if (authorizeAccess(denied).reason === "denied") {
          const more = [...asked.policies, { resource: "//x", policy: { bindings: [further, { role: "roles/r", members: ["allUsers"] }, { role: "roles/w", members: ["allUsers"] }] } }];
          expect(authorizeAccess({ ...denied, policies: more })).toEqual({ allowed: false, reason: "denied", denyPolicy: "d" });
        }
      }),
      runs(400),
    );
  });

  it("a further binding never refuses, and a condition added to all never admits", () => {
    fc.assert(
      fc.property(question, binding, expression, (asked, further, text) => {
        const [own, above] = asked.policies;
        const more = { ...asked, policies: [{ resource: "//x", policy: { bindings: [further] } }, ...asked.policies] };
        if (allowed(asked)) expect(allowed(more)).toBe(true);
        const conditioned = [own, above].flatMap((each) => (each === undefined ? [] : [{ ...each, policy: { bindings: each.policy.bindings.map((item) => ({ ...item, condition: { title: "c", expression: item.condition === undefined ? text : `(${item.condition.expression}) && (${text})` } })) } }]));
        if (allowed({ ...asked, policies: conditioned })) expect(allowed(asked)).toBe(true);
      }),
      runs(400),
    );
  });

  it("members who are deleted, or of whom the caller is none, get nothing", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const own = asked.policies.map((each) => ({ ...each, policy: { bindings: each.policy.bindings.filter(({ members }) => members.some((name) => asked.members.includes(name))) } }));
        expect(authorizeAccess({ ...asked, policies: own })).toEqual(authorizeAccess(asked));
        expect(allowed({ ...asked, members: ["deleted:user:a@b.example?uid=2"] })).toBe(false);
      }),
      runs(300),
    );
  });
});
