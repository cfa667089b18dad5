import {
  accessDeniedMessage,
  authorize,
  evaluateCondition,
  parseArn,
  parsePolicy,
  RequestContext,
  type Authorization,
  type AuthorizationRequest,
  type NamedPolicy,
  type PolicyKind,
  type PolicySet,
  type Principal,
} from "../../trust/aws.js";
import { CONDITION_OPERATORS } from "../../facts/aws/conditions.js";
import { compilePattern, matchesPattern } from "../../trust/aws/pattern.js";

type Row = [operator: string, expected: string[], presented: string[] | undefined, holds: boolean];

const ARN = "arn:aws:s3:::bucket/a/b";

describe("condition operators", () => {
  const rows: Row[] = [
    ["StringEquals", ["a"], ["a"], true],
    ["StringEquals", ["a"], ["A"], false],
    ["StringEquals", ["a"], ["ab"], false],
    ["StringEquals", ["b", "a"], ["a"], true],
    ["StringEquals", ["a*"], ["ab"], false],
    ["StringEquals", ["a*"], ["a*"], true],
    ["StringEquals", ["a"], undefined, false],
    ["StringEquals", [""], [""], true],
    ["StringNotEquals", ["a"], ["b"], true],
    ["StringNotEquals", ["a"], ["a"], false],
    ["StringNotEquals", ["b", "a"], ["a"], false],
    ["StringNotEquals", ["a"], undefined, true],
    ["StringEqualsIgnoreCase", ["Ab"], ["aB"], true],
    ["StringEqualsIgnoreCase", ["Ab"], ["ac"], false],
    ["StringNotEqualsIgnoreCase", ["Ab"], ["aB"], false],
    ["StringNotEqualsIgnoreCase", ["Ab"], ["ac"], true],
    ["StringNotEqualsIgnoreCase", ["Ab"], undefined, true],
    ["StringLike", ["a*c"], ["abbc"], true],
    ["StringLike", ["a*c"], ["ac"], true],
    ["StringLike", ["a?c"], ["abc"], true],
    ["StringLike", ["a?c"], ["ac"], false],
    ["StringLike", ["a*c"], ["abcd"], false],
    ["StringLike", ["A*"], ["ab"], false],
    ["StringLike", ["*"], undefined, false],
    ["StringNotLike", ["a*"], ["ab"], false],
    ["StringNotLike", ["a*"], ["b"], true],
    ["StringNotLike", ["a*"], undefined, true],
    ["NumericEquals", ["10"], ["10.0"], true],
    ["NumericEquals", ["10"], ["11"], false],
    ["NumericEquals", ["10"], ["ten"], false],
    ["NumericEquals", ["ten"], ["ten"], false],
    ["NumericNotEquals", ["10"], ["11"], true],
    ["NumericNotEquals", ["10"], ["10"], false],
    ["NumericNotEquals", ["10"], undefined, true],
    ["NumericLessThan", ["10"], ["9"], true],
    ["NumericLessThan", ["10"], ["10"], false],
    ["NumericLessThanEquals", ["10"], ["10"], true],
    ["NumericLessThanEquals", ["10"], ["11"], false],
    ["NumericGreaterThan", ["10"], ["11"], true],
    ["NumericGreaterThan", ["10"], ["10"], false],
    ["NumericGreaterThanEquals", ["10"], ["10"], true],
    ["NumericGreaterThanEquals", ["10"], ["9"], false],
    ["NumericGreaterThan", ["-5"], ["-4"], true],
    ["DateEquals", ["2026-01-02T03:04:05Z"], ["2026-01-02T03:04:05.000Z"], true],
    ["DateEquals", ["2026-01-02T03:04:05Z"], ["2026-01-02T03:04:06Z"], false],
    ["DateEquals", ["2026-01-02T03:04:05Z"], ["1767323045"], true],
    ["DateEquals", ["2026-01-02"], ["2026-01-02T00:00:00Z"], true],
    ["DateEquals", ["1970-01-01T00:33:46Z"], ["2026"], true],
    ["DateNotEquals", ["2026-01-02T03:04:05Z"], ["2026-01-02T03:04:06Z"], true],
    ["DateNotEquals", ["2026-01-02T03:04:05Z"], ["2026-01-02T03:04:05Z"], false],
    ["DateLessThan", ["2026-01-02T00:00:00Z"], ["2026-01-01T23:59:59Z"], true],
    ["DateLessThan", ["2026-01-02T00:00:00Z"], ["2026-01-02T00:00:00Z"], false],
    ["DateLessThanEquals", ["2026-01-02T00:00:00Z"], ["2026-01-02T00:00:00Z"], true],
    ["DateLessThanEquals", ["2026-01-02T00:00:00Z"], ["2026-01-02T00:00:01Z"], false],
    ["DateGreaterThan", ["2026-01-02T00:00:00+01:00"], ["2026-01-01T23:00:01Z"], true],
    ["DateGreaterThan", ["2026-01-02T00:00:00Z"], ["2026-01-02T00:00:00Z"], false],
    ["DateGreaterThanEquals", ["2026-01-02T00:00:00Z"], ["2026-01-02T00:00:00Z"], true],
    ["DateGreaterThanEquals", ["2026-01-02T00:00:00Z"], ["2026-01-01T00:00:00Z"], false],
    ["DateLessThan", ["someday"], ["2026-01-02T00:00:00Z"], false],
    ["Bool", ["true"], ["true"], true],
    ["Bool", ["True"], ["true"], true],
    ["Bool", ["true"], ["false"], false],
    ["Bool", ["false"], undefined, false],
    ["BinaryEquals", ["QmluYXJ5"], ["QmluYXJ5"], true],
    ["BinaryEquals", ["QmluYXJ5"], ["QmluYXJ6"], false],
    ["BinaryEquals", ["QmluYXJ5"], undefined, false],
    ["IpAddress", ["192.0.2.0/24"], ["192.0.2.255"], true],
    ["IpAddress", ["192.0.2.0/24"], ["192.0.3.0"], false],
    ["IpAddress", ["192.0.2.7"], ["192.0.2.7"], true],
    ["IpAddress", ["192.0.2.7"], ["192.0.2.8"], false],
    ["IpAddress", ["2001:db8::/32"], ["2001:db8:ffff::1"], true],
    ["IpAddress", ["2001:db8::/32"], ["2001:db9::1"], false],
    ["IpAddress", ["0.0.0.0/0"], ["2001:db8::1"], false],
    ["IpAddress", ["0.0.0.0/0"], ["198.51.100.1"], true],
    ["IpAddress", ["192.0.2.0/33"], ["192.0.2.0"], false],
    ["IpAddress", ["192.0.2.0/24"], ["nowhere"], false],
    ["IpAddress", ["nowhere"], ["192.0.2.0"], false],
    ["IpAddress", ["192.0.2.0/24"], ["::ffff:192.0.2.1"], false],
    ["IpAddress", ["::ffff:192.0.2.0/120"], ["192.0.2.1"], false],
    ["NotIpAddress", ["192.0.2.0/24"], ["192.0.2.1"], false],
    ["NotIpAddress", ["192.0.2.0/24"], ["198.51.100.1"], true],
    ["NotIpAddress", ["192.0.2.0/24"], undefined, true],
    ["ArnEquals", [ARN], [ARN], true],
    ["ArnEquals", ["arn:aws:s3:::bucket/*"], [ARN], true],
    ["ArnEquals", ["arn:aws:s3:::bucket"], [ARN], false],
    ["ArnLike", ["arn:aws:s3:::bucket/*/b"], [ARN], true],
    ["ArnLike", ["arn:aws:s3:::other/*"], [ARN], false],
    ["ArnLike", ["arn:aws:*:bucket/a/b"], [ARN], false],
    ["ArnLike", ["arn:*:s3:::bucket/a/?"], [ARN], true],
    ["ArnLike", ["arn:aws:s3:::BUCKET/*"], [ARN], false],
    ["ArnLike", ["arn:aws:codebuild:*:111122223333:project/x"], ["arn:aws:codebuild:eu-west-1:111122223333:project/x"], true],
    ["ArnLike", ["arn:aws:codebuild:*:111122223333:project/x"], ["arn:aws:codebuild:eu-west-1:999988887777:project/x"], false],
    ["ArnLike", ["arn:aws:s3:::bucket/*"], ["no arn"], false],
    ["ArnNotEquals", [ARN], [ARN], false],
    ["ArnNotEquals", [ARN], ["arn:aws:s3:::x"], true],
    ["ArnNotLike", ["arn:aws:s3:::bucket/*"], [ARN], false],
    ["ArnNotLike", ["arn:aws:s3:::bucket/*"], undefined, true],
    ["Null", ["true"], undefined, true],
    ["Null", ["true"], ["a"], false],
    ["Null", ["true"], [], true],
    ["Null", ["false"], ["a"], true],
    ["Null", ["false"], undefined, false],
    ["StringEqualsIfExists", ["a"], undefined, true],
    ["StringEqualsIfExists", ["a"], ["a"], true],
    ["StringEqualsIfExists", ["a"], ["b"], false],
    ["BoolIfExists", ["false"], undefined, true],
    ["NumericLessThanIfExists", ["5"], ["6"], false],
    ["ForAllValues:StringEquals", ["a", "b"], ["a"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "b"], true],
    ["ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false],
    ["ForAllValues:StringEquals", ["a"], undefined, true],
    ["ForAllValues:StringEquals", ["a"], [], true],
    ["ForAllValues:StringLike", ["a*"], ["ab", "ac"], true],
    ["ForAllValues:StringNotEquals", ["a"], ["b", "c"], true],
    ["ForAllValues:StringNotEquals", ["a"], ["b", "a"], false],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], true],
    ["ForAnyValue:StringEquals", ["a", "b"], ["c"], false],
    ["ForAnyValue:StringEquals", ["a"], undefined, false],
    ["ForAnyValue:StringEquals", ["a"], [], false],
    ["ForAnyValue:StringNotEquals", ["a"], ["a", "b"], true],
    ["ForAnyValue:StringNotEquals", ["a"], ["a"], false],
    ["ForAnyValue:StringNotEquals", ["a"], undefined, false],
    ["ForAnyValue:StringEqualsIfExists", ["a"], undefined, true],
    ["StringEquals", ["a"], ["b", "a"], true],
    ["StringNotEquals", ["a"], ["b", "a"], false],
    ["StringEqual", ["a"], ["a"], false],
    ["NullIfExists", ["true"], undefined, false],
    ["stringequals", ["a"], ["a"], false],
  ];

  it.each(rows)("%s %j, presented %j: %s", (operator, values, presented, holds) => {
    const context = new RequestContext(presented === undefined ? {} : { "svc:Key": presented });
    expect(evaluateCondition({ operator, key: "SVC:key", values }, context, true)).toEqual({
      operator,
      key: "SVC:key",
      expected: values,
      presented: presented?.length === 0 ? undefined : presented,
      holds,
    });
  });

  it("every operator has rows on both sides", () => {
    for (const name of CONDITION_OPERATORS.keys()) {
      const sides = new Set(rows.filter(([operator]) => operator === name).map(([, , , holds]) => holds));
      expect([name, sides.size]).toEqual([name, 2]);
    }
  });

  describe("policy variables", () => {
    const context = new RequestContext({ "aws:username": "Anna", "aws:PrincipalTag/team": "blue*", "svc:key": "Anna", "svc:many": ["a", "b"] });
    const holds = (operator: string, value: string, presented: string, variables = true) =>
      evaluateCondition({ operator, key: "svc:presented", values: [value] }, new RequestContext(context.toRecord()).add({ "svc:presented": presented }), variables).holds;

    it.each<[string, string, string, boolean]>([
      ["StringEquals", "${aws:username}", "Anna", true],
      ["StringEquals", "${aws:username}", "anna", false],
      ["StringEquals", "${AWS:UserName}", "Anna", true],
      ["StringEqualsIgnoreCase", "x-${aws:username}", "X-ANNA", true],
      ["StringLike", "home/${aws:username}/*", "home/Anna/x", true],
      ["StringLike", "home/${aws:username}/*", "home/Bert/x", false],
      ["StringEquals", "${aws:missing}", "", false],
      ["StringEquals", "${aws:missing}", "${aws:missing}", false],
      ["StringNotEquals", "${aws:missing}", "x", true],
      ["StringEquals", "${aws:missing, 'guest'}", "guest", true],
      ["StringEquals", "${aws:username, 'guest'}", "Anna", true],
      ["StringEquals", "${aws:username, 'guest'}", "guest", false],
      ["StringEquals", "${svc:many}", "a", false],
      ["StringLike", "${aws:PrincipalTag/team}", "blue-1", false],
      ["StringLike", "${aws:PrincipalTag/team}", "blue*", true],
      ["StringLike", "a${*}", "ab", false],
      ["StringLike", "a${*}", "a*", true],
      ["StringLike", "a${?}", "ab", false],
      ["StringLike", "a${?}", "a?", true],
      ["StringEquals", "${$}{x}", "${x}", true],
      ["StringEquals", "${unclosed", "${unclosed", true],
      ["ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/Anna", true],
      ["ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/Bert", false],
      ["NumericEquals", "${svc:many}", "1", false],
    ])("%s %s matches %s: %s", (operator, value, presented, expected) => {
      expect(holds(operator, value, presented)).toBe(expected);
    });

    it("are text before version 2012-10-17", () => {
      expect(holds("StringEquals", "${aws:username}", "${aws:username}", false)).toBe(true);
      expect(holds("StringEquals", "${aws:username}", "Anna", false)).toBe(false);
    });
  });

  it("patterns do not take exponential time", () => {
    const pattern = compilePattern(`${"*a".repeat(30)}b`, { wildcards: true })!;
    expect(matchesPattern(pattern, "a".repeat(5_000))).toBe(false);
  });
});

// ---- storing ----

describe("policy documents", () => {
  const identity = { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" };
  const trust = { Effect: "Allow", Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/x.example" }, Action: "sts:AssumeRoleWithWebIdentity" };
  const resource = { ...identity, Principal: { AWS: "arn:aws:iam::111122223333:role/path/name" } };
  const rcp = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" };
  const sound: Record<PolicyKind, object> = {
    identity,
    boundary: identity,
    "service-control": identity,
    trust,
    resource,
    "resource-control": rcp,
  };
  const text = (Statement: unknown, rest: object = {}) => JSON.stringify({ Version: "2012-10-17", ...rest, Statement });
  const mistakesOf = (kind: PolicyKind, change: object, rest: object = {}) => parsePolicy(text([{ ...sound[kind], ...change }], rest), kind).mistakes;

  it.each(Object.keys(sound) as PolicyKind[])("a sound %s policy has no mistakes", (kind) => {
    expect(mistakesOf(kind, {})).toEqual([]);
    expect(parsePolicy(text(sound[kind]), kind).mistakes).toEqual([]);
  });

  it.each<[string, PolicyKind, object, string, string]>([
    ["an unknown effect", "identity", { Effect: "Allows" }, "Statement[0].Effect", "Invalid effect: Allows"],
    ["no effect", "identity", { Effect: undefined }, "Statement[0].Effect", "Missing required field Effect"],
    ["an unknown element", "identity", { Actions: "x" }, "Statement[0].Actions", "Unknown field Actions"],
    ["no action", "identity", { Action: undefined }, "Statement[0].Action", "Policy statement must contain actions."],
    ["an empty list of actions", "identity", { Action: [] }, "Statement[0].Action", "Policy statement must contain actions."],
    ["Action and NotAction", "identity", { NotAction: "s3:*" }, "Statement[0].NotAction", "Syntax errors in policy."],
    ["an action without vendor", "identity", { Action: "GetObject" }, "Statement[0].Action", "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."],
    ["no resource", "identity", { Resource: undefined }, "Statement[0].Resource", "Policy statement must contain resources."],
    ["no resource in a resource policy", "resource", { Resource: undefined }, "Statement[0].Resource", "Missing required field Resource"],
    ["Resource and NotResource", "identity", { NotResource: "*" }, "Statement[0].NotResource", "Syntax errors in policy."],
    ["a resource that is no ARN", "identity", { Resource: "bucket" }, "Statement[0].Resource", 'Resource bucket must be in ARN format or "*".'],
    ["an ARN with too few parts", "identity", { Resource: "arn:aws:s3" }, "Statement[0].Resource", 'Resource arn:aws:s3 must be in ARN format or "*".'],
    ["an unknown partition", "identity", { Resource: "arn:azure:s3:::b" }, "Statement[0].Resource", 'Partition "azure" is not valid for resource "arn:azure:s3:::b".'],
    ["an ARN without service", "identity", { Resource: "arn:aws::::b" }, "Statement[0].Resource", "Vendor  is not valid"],
    ["a principal", "identity", { Principal: "*" }, "Statement[0].Principal", "Policy document should not specify a principal."],
    ["a principal in an SCP", "service-control", { Principal: "*" }, "Statement[0].Principal", "Policy document should not specify a principal."],
    ["a principal in a boundary", "boundary", { NotPrincipal: "*" }, "Statement[0].NotPrincipal", "Policy document should not specify a principal."],
    ["a resource in a trust", "trust", { Resource: "*" }, "Statement[0].Resource", "Has prohibited field Resource"],
    ["no principal", "trust", { Principal: undefined }, "Statement[0].Principal", "Missing required field Principal"],
    ["no principal in a bucket policy", "resource", { Principal: undefined }, "Statement[0].Principal", "Missing required field Principal"],
    ["NotPrincipal in a trust", "trust", { Principal: undefined, NotPrincipal: "*" }, "Statement[0].NotPrincipal", "Has prohibited field NotPrincipal"],
    ["no action in a trust", "trust", { Action: undefined }, "Statement[0].Action", "Missing required field Action"],
    ["another service's action in a trust", "trust", { Action: "s3:GetObject" }, "Statement[0].Action", "AssumeRole policy may only specify STS AssumeRole actions."],
    ["every action in a trust", "trust", { Action: "*" }, "Statement[0].Action", "AssumeRole policy may only specify STS AssumeRole actions."],
    ["a federated wildcard", "trust", { Principal: { Federated: "*" } }, "Statement[0].Principal.Federated", 'Invalid principal in policy: "FEDERATED":"*"'],
    ["a wildcard in a role", "trust", { Principal: { AWS: "arn:aws:iam::111122223333:role/*" } }, "Statement[0].Principal.AWS", 'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/*"'],
    ["a principal that is a text", "trust", { Principal: "somebody" }, "Statement[0].Principal", "Invalid principal in policy"],
    ["a principal of no kind", "trust", { Principal: {} }, "Statement[0].Principal", "Invalid principal in policy"],
    ["an unknown kind of principal", "trust", { Principal: { Oidc: "x", ...trust.Principal } }, "Statement[0].Principal.Oidc", "Unknown field Oidc"],
    ["an unknown operator", "identity", { Condition: { StringEqual: { "aws:x": "y" } } }, "Statement[0].Condition.StringEqual", "Invalid Condition type : StringEqual"],
    ["a key without vendor", "identity", { Condition: { StringEquals: { x: "y" } } }, "Statement[0].Condition.StringEquals.x", "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."],
    ["a key without values", "identity", { Condition: { StringEquals: { "aws:x": [] } } }, "Statement[0].Condition.StringEquals.aws:x", "Syntax errors in policy."],
    ["a value that is an object", "identity", { Condition: { StringEquals: { "aws:x": {} } } }, "Statement[0].Condition.StringEquals.aws:x", "Syntax errors in policy."],
    ["an operator that is no object", "identity", { Condition: { StringEquals: "x" } }, "Statement[0].Condition.StringEquals", "Syntax errors in policy."],
    ["a condition that is no object", "identity", { Condition: "x" }, "Statement[0].Condition", "Syntax errors in policy."],
    ["a resource that is a number", "identity", { Resource: 7 }, "Statement[0].Resource", "Syntax errors in policy."],
    ["a Sid that is a number", "identity", { Sid: 7 }, "Statement[0].Sid", "Syntax errors in policy."],
    ["a Sid with a space", "identity", { Sid: "a b" }, "Statement[0].Sid", "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"],
    ["an RCP that allows", "resource-control", { Effect: "Allow" }, "Statement[0].Effect", "A resource control policy may only have the effect Deny."],
    ["an RCP for one", "resource-control", { Principal: { AWS: "111122223333" } }, "Statement[0].Principal", 'A resource control policy may only have the principal "*".'],
    ["characters beyond Latin-1", "identity", { Sid: "", Resource: "arn:aws:s3:::b/\u{1f511}" }, "", "The specified value for policyDocument is invalid. It must contain only printable ASCII characters."],
  ])("%s", (_, kind, change, path, message) => {
    expect(mistakesOf(kind, change)).toEqual([{ path, message }]);
  });

  it.each<[string, string, string]>([
    ["no JSON", "{", "Syntax errors in policy."],
    ["a list", "[]", "Syntax errors in policy."],
    ["an empty list of statements", text([]), "Syntax errors in policy."],
    ["no statement", '{"Version":"2012-10-17"}', "Syntax errors in policy."],
    ["a statement that is a text", text(["x"]), "Syntax errors in policy."],
    ["another version", JSON.stringify({ Version: "2012-10-18", Statement: identity }), "The policy must contain a valid version string"],
  ])("%s is no policy at all", (_, json, message) => {
    const parsed = parsePolicy(json, "identity");
    expect(parsed.document).toBeUndefined();
    expect(parsed.mistakes[0]?.message).toBe(message);
  });

  it("a trust has its own words for no JSON", () => {
    expect(parsePolicy("{", "trust").mistakes[0]?.message).toBe("This policy contains invalid Json");
  });

  it("an unknown element of the document is named", () => {
    expect(mistakesOf("identity", {}, { Statements: [] })).toEqual([{ path: "Statements", message: "Unknown field Statements" }]);
    expect(mistakesOf("identity", {}, { Id: "x" })).toEqual([]);
  });

  it("Sids are unique, and free in form in resource policies", () => {
    const two = text([{ ...resource, Sid: "a b" }, { ...resource, Sid: "a b" }]);
    expect(parsePolicy(two, "resource").mistakes).toEqual([{ path: "Statement[1].Sid", message: "Statement IDs (SID) in a single policy must be unique." }]);
  });

  it.each(["*", "111122223333", "AROAEXAMPLEEXAMPLE", "AIDAEXAMPLEEXAMPLE", "arn:aws:iam::111122223333:root", "arn:aws:sts::111122223333:assumed-role/r/s"])(
    "%s is an AWS principal",
    (AWS) => {
      expect(mistakesOf("resource", { Principal: { AWS } })).toEqual([]);
    },
  );

  it.each(["sts:*", "sts:AssumeRole*", "sts:TagSession", "sts:SetSourceIdentity"])("%s is an action of a trust", (Action) => {
    expect(mistakesOf("trust", { Action })).toEqual([]);
  });

  it("every mistake is reported, and what can be evaluated still can", () => {
    const parsed = parsePolicy(text([{ ...identity, Resource: "b", Action: "x", Condition: { Oops: { "aws:x": "y" } } }]), "identity");
    expect(parsed.mistakes).toHaveLength(3);
    expect(parsed.document?.statements[0]?.resources).toEqual(["b"]);
  });

  it("numbers and booleans are values of conditions", () => {
    const parsed = parsePolicy(text([{ ...identity, Condition: { Bool: { "aws:SecureTransport": true }, NumericLessThan: { "s3:max-keys": 5 } } }]), "identity");
    expect(parsed.mistakes).toEqual([]);
    expect(parsed.document?.statements[0]?.conditions.map(({ values }) => values)).toEqual([["true"], ["5"]]);
  });
});

// ---- authorisation ----

const ACCOUNT = "111122223333";
const OTHER = "999988887777";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/platform/deployer`;
const session: Principal = {
  kind: "role-session",
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/run-1`,
  accountId: ACCOUNT,
  roleArn: ROLE,
  uniqueId: "AROAEXAMPLEEXAMPLE",
  sessionName: "run-1",
  federatedProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/x.example`,
  tags: { Team: "blue" },
};
const user: Principal = { kind: "user", arn: `arn:aws:iam::${ACCOUNT}:user/path/anna`, accountId: ACCOUNT, uniqueId: "AIDAEXAMPLEEXAMPLE" };
const root: Principal = { kind: "root", arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };
const anonymous: Principal = { kind: "anonymous", arn: "", accountId: "" };
const service: Principal = { kind: "service", arn: "logging.s3.amazonaws.com", accountId: "" };
const OBJECT = "arn:aws:s3:::bucket/key";

const request = (change: Partial<AuthorizationRequest> = {}): AuthorizationRequest => ({
  principal: session,
  action: "s3:PutObject",
  resource: OBJECT,
  resourceAccountId: ACCOUNT,
  context: {},
  ...change,
});

let policies = 0;
function policy(...statements: object[]): NamedPolicy {
  policies += 1;
  const full = statements.map((statement) => ({ Effect: "Allow", Action: "s3:*", Resource: "*", ...statement }));
  return { name: `policy-${policies}`, document: JSON.stringify({ Version: "2012-10-17", Statement: full }) };
}
const allow = (change: object = {}) => policy(change);
const deny = (change: object = {}) => policy({ Effect: "Deny", ...change });
const nothing = policy({ Action: "iam:ListUsers" });
const bucket = (Principal: unknown, change: object = {}) => policy({ Principal, ...change });
const decide = (set: Partial<PolicySet>, change: Partial<AuthorizationRequest> = {}): Authorization => authorize(request(change), { identity: [], ...set });

const NO = (layer: string) => `because no ${layer} allows the s3:PutObject action`;
const EXPLICIT = (layer: string) => `with an explicit deny in ${layer}`;

describe("authorisation: layers", () => {
  const identity = [allow()];

  it("nothing allows nothing", () => {
    expect(decide({})).toEqual({ allowed: false, decision: "implicit-deny", layer: "identity", because: NO("identity-based policy") });
  });

  it("an identity policy allows, and is named", () => {
    const named = policy({ Action: "iam:*" }, { Sid: "Write" });
    expect(decide({ identity: [nothing, named] })).toEqual({
      allowed: true,
      decision: "allowed",
      layer: "identity",
      statement: { policy: named.name, sid: "Write", index: 1 },
      because: "allowed by an identity-based policy",
    });
  });

  it.each<[string, (denying: NamedPolicy) => Partial<PolicySet>, string]>([
    ["identity", (denying) => ({ identity: [allow(), denying] }), "an identity-based policy"],
    ["boundary", (denying) => ({ identity, boundary: { ...denying } }), "a permissions boundary"],
    ["session", (denying) => ({ identity, session: [allow(), denying] }), "a session policy"],
    ["service-control", (denying) => ({ identity, serviceControl: [allow(), denying] }), "a service control policy"],
  ])("an explicit deny in %s wins", (layer, set, name) => {
    const denying = policy({}, { Sid: "No", Effect: "Deny", Resource: OBJECT });
    expect(decide(set(denying))).toEqual({
      allowed: false,
      decision: "explicit-deny",
      layer,
      statement: { policy: denying.name, sid: "No", index: 1 },
      because: EXPLICIT(name),
    });
    expect(decide(set(denying), { resource: `${OBJECT}2` }).allowed).toBe(true);
  });

  it.each<[string, (denying: NamedPolicy) => Partial<PolicySet>, string]>([
    ["resource", (denying) => ({ identity, resource: denying }), "a resource-based policy"],
    ["resource-control", (denying) => ({ identity, resourceControl: [denying] }), "a resource control policy"],
  ])("an explicit deny in %s wins for whom it names", (layer, set, name) => {
    const denying = bucket("*", { Effect: "Deny", Condition: { StringEquals: { "aws:SourceVpce": "vpce-1" } } });
    expect(decide(set(denying), { context: { "aws:SourceVpce": "vpce-1" } })).toMatchObject({ decision: "explicit-deny", layer, because: EXPLICIT(name) });
    expect(decide(set(denying)).allowed).toBe(true);
  });

  it("the deny that AWS meets first is named", () => {
    const everything = deny({ Principal: "*" });
    const set = { identity: [deny()], boundary: deny(), session: [deny()], resource: everything, serviceControl: [deny()], resourceControl: [everything] };
    expect(decide(set).layer).toBe("resource-control");
    expect(decide({ ...set, resourceControl: [] }).layer).toBe("service-control");
    expect(decide({ ...set, resourceControl: [], serviceControl: [] }).layer).toBe("resource");
    expect(decide({ identity: [deny()], boundary: deny(), session: [deny()] }).layer).toBe("identity");
  });

  it.each<[string, Partial<PolicySet>, string]>([
    ["boundary", { identity, boundary: nothing }, "permissions boundary"],
    ["session", { identity, session: [nothing] }, "session policy"],
    ["service-control", { identity, serviceControl: [allow(), nothing] }, "service control policy"],
  ])("%s must allow too", (layer, set, name) => {
    expect(decide(set)).toEqual({ allowed: false, decision: "implicit-deny", layer, because: NO(name) });
  });

  it("boundary, session and SCP that allow let the identity policy decide", () => {
    const set = { boundary: allow(), session: [nothing, allow()], serviceControl: [allow(), allow()] };
    expect(decide({ ...set, identity }).allowed).toBe(true);
    expect(decide({ ...set, identity: [] }).because).toBe(NO("identity-based policy"));
  });

  it("an SCP that only denies stands beside FullAWSAccess", () => {
    expect(decide({ identity, serviceControl: [deny({ Action: "iam:*" })] }).allowed).toBe(true);
  });

  it("an RCP never allows", () => {
    expect(decide({ resourceControl: [bucket("*")] }).allowed).toBe(false);
  });

  it("the whole sentence is AWS's", () => {
    expect(accessDeniedMessage(request(), decide({}))).toBe(
      `User: ${session.arn} is not authorized to perform: s3:PutObject on resource: ${OBJECT} because no identity-based policy allows the s3:PutObject action`,
    );
    expect(accessDeniedMessage(request({ principal: anonymous }), decide({}))).toContain("User: anonymous is not");
  });

  it("a policy that cannot be read is named, not skipped", () => {
    expect(() => decide({ identity: [{ name: "broken", document: "{" }] })).toThrow("policy broken cannot be read: Syntax errors in policy.");
  });
});

describe("authorisation: resource policies in one account", () => {
  it.each<[string, unknown, Principal]>([
    ["the session", { AWS: session.arn }, session],
    ["the user", { AWS: user.arn }, user],
    ["the user's id", { AWS: "AIDAEXAMPLEEXAMPLE" }, user],
  ])("naming %s grants past boundary and session policies", (_, who, principal) => {
    const set = { resource: bucket(who), boundary: nothing, session: [nothing] };
    expect(decide(set, { principal })).toMatchObject({ allowed: true, layer: "resource", because: "allowed by a resource-based policy" });
    expect(decide({ ...set, boundary: deny() }, { principal }).allowed).toBe(false);
    expect(decide({ ...set, serviceControl: [nothing] }, { principal })).toMatchObject({ allowed: false, layer: "service-control" });
  });

  it.each<[string, unknown]>([
    ["the role", { AWS: ROLE }],
    ["the role's id", { AWS: "AROAEXAMPLEEXAMPLE" }],
    ["everybody", "*"],
    ["every AWS principal", { AWS: "*" }],
    ["the identity provider", { Federated: session.federatedProvider }],
  ])("naming %s grants, but not past boundary and session policies", (_, who) => {
    const set = { resource: bucket(who) };
    expect(decide(set)).toMatchObject({ allowed: true, layer: "resource" });
    expect(decide({ ...set, boundary: nothing })).toMatchObject({ layer: "boundary", because: NO("permissions boundary") });
    expect(decide({ ...set, session: [nothing] })).toMatchObject({ layer: "session", because: NO("session policy") });
  });

  it("the closest naming decides", () => {
    const both = policy({ Principal: { AWS: ROLE } }, { Principal: { AWS: session.arn } });
    expect(decide({ resource: both, boundary: nothing })).toMatchObject({ allowed: true, statement: { index: 1 } });
  });

  it.each<[string, unknown]>([
    ["by root ARN", { AWS: `arn:aws:iam::${ACCOUNT}:root` }],
    ["by number", { AWS: ACCOUNT }],
  ])("naming the account %s grants nothing by itself", (_, who) => {
    expect(decide({ resource: bucket(who) })).toMatchObject({ allowed: false, because: NO("identity-based policy") });
    expect(decide({ resource: bucket(who), identity: [allow()] })).toMatchObject({ allowed: true, layer: "identity" });
  });

  it.each<[string, unknown, Principal]>([
    ["another session", { AWS: `${session.arn}2` }, session],
    ["another role", { AWS: `${ROLE}2` }, session],
    ["a role made again, by the old one's id", { AWS: "AROAOLDOLDOLDOLDOL" }, session],
    ["another account", { AWS: `arn:aws:iam::${OTHER}:root` }, session],
    ["another user", { AWS: `${user.arn}2` }, user],
    ["a service", { Service: "lambda.amazonaws.com" }, session],
    ["another identity provider", { Federated: "arn:aws:iam::111122223333:oidc-provider/y.example" }, session],
    ["a canonical user", { CanonicalUser: "a".repeat(64) }, session],
  ])("naming %s grants nothing", (_, who, principal) => {
    expect(decide({ resource: bucket(who) }, { principal }).allowed).toBe(false);
  });

  it("NotPrincipal in a Deny spares who is listed with session, role and account", () => {
    const spare = (...AWS: string[]) => decide({ identity: [allow()], resource: policy({ Effect: "Deny", NotPrincipal: { AWS } }) }).allowed;
    const accountRoot = `arn:aws:iam::${ACCOUNT}:root`;
    expect(spare(session.arn, ROLE, accountRoot)).toBe(true);
    expect(spare(session.arn, "AROAEXAMPLEEXAMPLE", ACCOUNT)).toBe(true);
    expect(spare(ROLE, accountRoot)).toBe(false);
    expect(spare(session.arn, ROLE)).toBe(false);
    expect(spare(session.arn, accountRoot)).toBe(false);
    expect(spare("*")).toBe(true);
  });

  it("NotPrincipal knows users, root, services and nobody", () => {
    const spare = (principal: Principal, NotPrincipal: unknown) =>
      decide({ resource: policy({ Principal: "*" }, { Effect: "Deny", NotPrincipal }) }, { principal }).allowed;
    expect(spare(user, { AWS: [user.arn, ACCOUNT] })).toBe(true);
    expect(spare(user, { AWS: ["AIDAEXAMPLEEXAMPLE", ACCOUNT] })).toBe(true);
    expect(spare(user, { AWS: [user.arn] })).toBe(false);
    expect(spare(user, { AWS: [ACCOUNT] })).toBe(false);
    expect(spare(root, { AWS: [ACCOUNT] })).toBe(true);
    expect(spare(service, { Service: service.arn })).toBe(true);
    expect(spare(service, { AWS: "*" })).toBe(false);
    expect(spare(anonymous, { AWS: [ACCOUNT] })).toBe(false);
    expect(spare(anonymous, "*")).toBe(true);
  });
});

describe("authorisation: other accounts", () => {
  const foreign = { resourceAccountId: OTHER };

  it.each<[string, unknown]>([
    ["the role", { AWS: ROLE }],
    ["the session", { AWS: session.arn }],
    ["the account", { AWS: ACCOUNT }],
    ["everybody", "*"],
  ])("a resource policy for %s and an identity policy are both needed", (_, who) => {
    const resource = bucket(who);
    expect(decide({ resource, identity: [allow()] }, foreign)).toMatchObject({ allowed: true });
    expect(decide({ resource }, foreign)).toMatchObject({ allowed: false, layer: "identity" });
    expect(decide({ resource, identity: [allow()], boundary: nothing }, foreign)).toMatchObject({ allowed: false, layer: "boundary" });
    expect(decide({ resource, identity: [allow()], session: [nothing] }, foreign)).toMatchObject({ allowed: false, layer: "session" });
  });

  it("without a resource policy there is no access, not for root either", () => {
    expect(decide({ identity: [allow()] }, foreign)).toEqual({ allowed: false, decision: "implicit-deny", layer: "resource", because: NO("resource-based policy") });
    expect(decide({}, { ...foreign, principal: root }).allowed).toBe(false);
    expect(decide({ resource: bucket({ AWS: ACCOUNT }) }, { ...foreign, principal: root }).allowed).toBe(true);
  });
});

describe("authorisation: root, services, nobody", () => {
  it("root may do what nothing denies", () => {
    expect(decide({}, { principal: root })).toMatchObject({ allowed: true, layer: "identity" });
    expect(decide({ boundary: deny(), session: [deny()], identity: [deny()] }, { principal: root }).allowed).toBe(true);
    expect(decide({ resource: bucket("*", { Effect: "Deny" }) }, { principal: root }).layer).toBe("resource");
    expect(decide({ serviceControl: [nothing] }, { principal: root }).layer).toBe("service-control");
  });

  it("a service needs a resource policy that names it", () => {
    const named = bucket({ Service: service.arn });
    expect(decide({ resource: named, serviceControl: [nothing] }, { principal: service }).allowed).toBe(true);
    expect(decide({ resource: bucket({ Service: "lambda.amazonaws.com" }) }, { principal: service })).toMatchObject({ allowed: false, layer: "resource" });
    expect(decide({ resource: bucket({ AWS: "*" }), identity: [allow()] }, { principal: service }).allowed).toBe(false);
    expect(decide({ resource: bucket("*") }, { principal: service }).allowed).toBe(true);
  });

  it("nobody needs a resource policy for everybody", () => {
    expect(decide({ resource: bucket("*") }, { principal: anonymous }).allowed).toBe(true);
    expect(decide({ resource: bucket({ AWS: "*" }) }, { principal: anonymous }).allowed).toBe(true);
    expect(decide({ resource: bucket({ AWS: ACCOUNT }), identity: [allow()] }, { principal: anonymous })).toMatchObject({ allowed: false, layer: "resource" });
  });
});

describe("authorisation: where the resource policy decides (KMS)", () => {
  const kms = { action: "kms:Decrypt", resource: `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1` };
  const key = (who: unknown) => policy({ Principal: who, Action: "kms:*" });
  const identity = [policy({ Action: "kms:*" })];

  it("an identity policy alone is not enough", () => {
    expect(decide({ identity, resource: key({ AWS: `${ROLE}2` }), resourcePolicyDecides: true }, kms)).toMatchObject({
      allowed: false,
      layer: "resource",
      because: "because no resource-based policy allows the kms:Decrypt action",
    });
    expect(decide({ identity, resource: key({ AWS: `${ROLE}2` }) }, kms).allowed).toBe(true);
  });

  it("naming the role is enough", () => {
    expect(decide({ resource: key({ AWS: ROLE }), resourcePolicyDecides: true }, kms).allowed).toBe(true);
  });

  it("naming the account delegates to IAM", () => {
    const resource = key({ AWS: `arn:aws:iam::${ACCOUNT}:root` });
    expect(decide({ identity, resource, resourcePolicyDecides: true }, kms)).toMatchObject({ allowed: true, layer: "identity" });
    expect(decide({ resource, resourcePolicyDecides: true }, kms)).toMatchObject({ allowed: false, layer: "identity" });
    expect(decide({ identity, resource, boundary: nothing, resourcePolicyDecides: true }, kms)).toMatchObject({ layer: "boundary" });
  });

  it("root needs the key policy too", () => {
    expect(decide({ resource: key({ AWS: ROLE }), resourcePolicyDecides: true }, { ...kms, principal: root }).allowed).toBe(false);
    expect(decide({ resource: key({ AWS: ACCOUNT }), resourcePolicyDecides: true }, { ...kms, principal: root }).allowed).toBe(true);
  });
});

describe("authorisation: actions, resources, keys", () => {
  const by = (change: object, on: Partial<AuthorizationRequest> = {}) => decide({ identity: [policy(change)] }, on).allowed;

  it.each<[string, string, boolean]>([
    ["s3:PutObject", "s3:PutObject", true],
    ["S3:putobject", "s3:PutObject", true],
    ["s3:Put*", "s3:PutObject", true],
    ["s3:Put?bject", "s3:PutObject", true],
    ["*", "s3:PutObject", true],
    ["s3:PutObject", "s3:PutObjectAcl", false],
    ["s3:Get*", "s3:PutObject", false],
  ])("action %s covers %s: %s", (Action, action, allowed) => {
    expect(by({ Action }, { action })).toBe(allowed);
  });

  it.each<[string, string, boolean]>([
    ["arn:aws:s3:::bucket/*", OBJECT, true],
    ["arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", false],
    ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket", true],
    ["arn:aws:s3:::bucket/KEY", OBJECT, false],
    ["arn:aws:s3:::buck?t/key", OBJECT, true],
    ["arn:aws:s3:::*", OBJECT, true],
    ["arn:*:s3:::bucket/key", OBJECT, true],
    ["arn:aws-cn:s3:::bucket/key", OBJECT, false],
    ["arn:aws:codebuild:*:project/x", "arn:aws:codebuild:eu-west-1:111122223333:project/x", false],
    ["arn:aws:logs:eu-west-1:111122223333:log-group:/a:*", "arn:aws:logs:eu-west-1:111122223333:log-group:/a:log-stream:x", true],
    ["*", OBJECT, true],
  ])("resource %s covers %s: %s", (Resource, resource, allowed) => {
    expect(by({ Resource }, { resource })).toBe(allowed);
  });

  it("NotAction and NotResource cover the rest", () => {
    expect(by({ Action: undefined, NotAction: ["s3:Get*", "iam:*"] })).toBe(true);
    expect(by({ Action: undefined, NotAction: ["s3:Put*"] })).toBe(false);
    expect(by({ Resource: undefined, NotResource: "arn:aws:s3:::other/*" })).toBe(true);
    expect(by({ Resource: undefined, NotResource: "arn:aws:s3:::bucket/*" })).toBe(false);
  });

  it("resources take policy variables", () => {
    const Resource = "arn:aws:s3:::bucket/${aws:PrincipalTag/Team}/*";
    expect(by({ Resource }, { resource: "arn:aws:s3:::bucket/blue/x" })).toBe(true);
    expect(by({ Resource }, { resource: "arn:aws:s3:::bucket/red/x" })).toBe(false);
    expect(by({ Resource: "arn:aws:s3:::bucket/${aws:username}/*" }, { resource: "arn:aws:s3:::bucket/${aws:username}/x" })).toBe(false);
  });

  it("all keys and operators must hold, any value may", () => {
    const Condition = { StringEquals: { "s3:prefix": ["a", "b"], "s3:delimiter": "/" }, Bool: { "aws:SecureTransport": "true" } };
    const context = { "s3:prefix": "b", "s3:delimiter": "/", "aws:SecureTransport": "true" };
    expect(by({ Condition }, { context })).toBe(true);
    expect(by({ Condition }, { context: { ...context, "s3:prefix": "c" } })).toBe(false);
    expect(by({ Condition }, { context: { ...context, "s3:delimiter": "" } })).toBe(false);
    expect(by({ Condition }, { context: { ...context, "aws:SecureTransport": "false" } })).toBe(false);
  });

  it.each<[string, Principal, string, string | undefined]>([
    ["aws:PrincipalArn is the role's", session, "aws:PrincipalArn", ROLE],
    ["aws:PrincipalArn is the user's", user, "aws:PrincipalArn", user.arn],
    ["aws:PrincipalArn is root's", root, "aws:PrincipalArn", root.arn],
    ["nobody has no aws:PrincipalArn", anonymous, "aws:PrincipalArn", undefined],
    ["a service has no aws:PrincipalArn", service, "aws:PrincipalArn", undefined],
    ["aws:PrincipalAccount", session, "aws:PrincipalAccount", ACCOUNT],
    ["nobody has no account", anonymous, "aws:PrincipalAccount", undefined],
    ["a session's type", session, "aws:PrincipalType", "AssumedRole"],
    ["a user's type", user, "aws:PrincipalType", "User"],
    ["root's type", root, "aws:PrincipalType", "Account"],
    ["nobody's type", anonymous, "aws:PrincipalType", "Anonymous"],
    ["a service has no type", service, "aws:PrincipalType", undefined],
    ["a session's id", session, "aws:userid", "AROAEXAMPLEEXAMPLE:run-1"],
    ["a user's id", user, "aws:userid", "AIDAEXAMPLEEXAMPLE"],
    ["root's id", root, "aws:userid", ACCOUNT],
    ["nobody's id", anonymous, "aws:userid", "anonymous"],
    ["a service has no id", service, "aws:userid", undefined],
    ["a user's name", user, "aws:username", "anna"],
    ["a session has no name", session, "aws:username", undefined],
    ["a tag", session, "aws:PrincipalTag/team", "blue"],
    ["no tag", user, "aws:PrincipalTag/team", undefined],
    ["no service", session, "aws:PrincipalIsAWSService", "false"],
    ["a service", service, "aws:PrincipalIsAWSService", "true"],
    ["a service's name", service, "aws:PrincipalServiceName", service.arn],
    ["the federated provider", session, "aws:FederatedProvider", session.federatedProvider],
    ["no federated provider", user, "aws:FederatedProvider", undefined],
    ["the resource's account", session, "aws:ResourceAccount", ACCOUNT],
    ["not by way of a service", session, "aws:ViaAWSService", "false"],
  ])("%s", (_, principal, key, value) => {
    const test = (Condition: object) => decide({ resource: policy({ Principal: "*", Condition }) }, { principal }).allowed;
    const absent = test({ Null: { [key]: "true" } }) && !test({ Null: { [key]: "false" } });
    if (principal === root) {
      // Root needs no grant: a Deny shows the key.
      expect(decide({ resource: policy({ Effect: "Deny", Principal: "*", Condition: { StringEquals: { [key]: value } } }) }, { principal }).allowed).toBe(false);
      return;
    }
    expect(absent).toBe(value === undefined);
    if (value !== undefined) expect([test({ StringEquals: { [key]: value } }), test({ StringEquals: { [key]: `${value}x` } })]).toEqual([true, false]);
  });

  it("keys of the request come from the service, over derived ones", () => {
    const Condition = { StringEquals: { "aws:SourceAccount": "444455556666", "aws:ResourceAccount": "1" } };
    expect(by({ Condition }, { context: { "AWS:sourceaccount": "444455556666", "aws:resourceaccount": "1" } })).toBe(true);
  });

  it("the time is the request's, the system's otherwise", () => {
    const now = new Date("2026-01-02T00:00:00Z");
    const Condition = { DateLessThan: { "aws:CurrentTime": "2026-01-03T00:00:00Z" }, NumericEquals: { "aws:EpochTime": "1767312000" } };
    expect(by({ Condition }, { now })).toBe(true);
    expect(by({ Condition }, { now: new Date("2026-01-04T00:00:00Z") })).toBe(false);
    expect(by({ Condition: { DateGreaterThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } } })).toBe(true);
  });
});

describe("ARNs", () => {
  it("are read part by part", () => {
    expect(parseArn("arn:aws:iam::111122223333:role/a:b")).toEqual({ partition: "aws", service: "iam", region: "", accountId: "111122223333", resource: "role/a:b" });
    expect(parseArn("arn:aws:iam::111122223333")).toBeUndefined();
    expect(parseArn("urn:aws:iam::111122223333:role/a")).toBeUndefined();
  });
});
