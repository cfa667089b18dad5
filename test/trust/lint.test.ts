import { lintPermissions, lintTrustPolicy, takesUnnamedAudience, type TrustLintOptions } from "../../trust/aws.js";

const ACCOUNT = "111122223333";
const URL = "issuer.example.com/tenants/t-42";
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/${URL}`;
const GOOD = { StringEquals: { [`${URL}:aud`]: "sts.amazonaws.com", [`${URL}:sub`]: "tenant:t-42:deployer" } };

const sound = { Effect: "Allow", Principal: { Federated: PROVIDER }, Action: "sts:AssumeRoleWithWebIdentity", Condition: GOOD };
const document = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const lint = (change: object, options: TrustLintOptions = {}) =>
  lintTrustPolicy(document({ ...sound, ...change }), options).map(({ severity, code }) => `${severity} ${code}`);
const withCondition = (Condition: object, options: TrustLintOptions = {}) => lint({ Condition }, options);
const sub = (value: string, operator = "StringEquals", options: TrustLintOptions = {}) =>
  withCondition({ StringEquals: { [`${URL}:aud`]: "a" }, [operator]: { ...(operator === "StringEquals" ? { [`${URL}:aud`]: "a" } : {}), [`${URL}:sub`]: value } }, options);

describe("lint of a trust policy", () => {
  it("an exact trust has no findings", () => {
    expect(lint({}, { providerUrls: [`https://${URL}`], tenantHint: "t-42" })).toEqual([]);
  });

  it("a finding says what, where and how to mend it", () => {
    expect(lintTrustPolicy(document({ ...sound, Condition: { StringEquals: { [`${URL}:aud`]: "a" } } }))).toEqual([
      {
        code: "sub-missing",
        severity: "error",
        path: "Statement[0].Condition",
        message: `The trust does not pin ${URL}:sub, so every workload of the issuer may assume the role.`,
        fix: `Add "StringEquals": {"${URL}:sub": "<the token's sub>"}.`,
      },
    ]);
  });

  it.each<[string, object, string[]]>([
    ["no federated principal", { Principal: { AWS: ACCOUNT } }, ["error federated-principal-missing"]],
    ["everybody", { Principal: "*" }, ["error principal-everybody", "error federated-principal-missing"]],
    ["every AWS account", { Principal: { AWS: "*" } }, ["error principal-everybody", "error federated-principal-missing"]],
    ["everybody but one", { Principal: undefined, NotPrincipal: { Federated: PROVIDER } }, ["error policy-malformed", "error principal-everybody", "error federated-principal-missing"]],
    ["the wrong action", { Action: "sts:AssumeRole" }, ["error action-wrong"]],
    ["NotAction", { Action: undefined, NotAction: "sts:AssumeRole" }, ["warning not-action"]],
    ["a wildcard of STS actions", { Action: "sts:*" }, []],
    ["a Deny only", { Effect: "Deny" }, ["error federated-principal-missing"]],
    ["a resource", { Resource: "*" }, ["error policy-malformed"]],
  ])("%s", (_, change, findings) => {
    expect(lint(change)).toEqual(findings);
  });

  it("no JSON is one finding", () => {
    expect(lintTrustPolicy("{").map(({ code, message }) => [code, message])).toEqual([
      ["policy-malformed", "IAM refuses the policy: This policy contains invalid Json"],
    ]);
  });

  it("aud and sub are pinned only by tests that fail without the claim", () => {
    expect(withCondition({})).toEqual(["error aud-missing", "error sub-missing"]);
    expect(withCondition({ StringEquals: { [`${URL}:sub`]: "s" } })).toEqual(["error aud-missing"]);
    for (const operator of ["ForAllValues:StringEquals", "StringEqualsIfExists", "StringNotEquals"]) {
      expect(withCondition({ StringEquals: { [`${URL}:aud`]: "a" }, [operator]: { [`${URL}:sub`]: "s" } })).toEqual(["error sub-missing", "error passes-when-absent"]);
    }
    expect(withCondition({ ...GOOD, Null: { [`${URL}:sub`]: "false" } })).toEqual(["error passes-when-absent"]);
    expect(withCondition({ "ForAnyValue:StringEquals": GOOD.StringEquals })).toEqual([]);
  });

  it("other keys that pass when absent are warned about", () => {
    expect(withCondition({ ...GOOD, IpAddressIfExists: { "aws:SourceIp": "192.0.2.0/24" } })).toEqual(["warning passes-when-absent"]);
    expect(withCondition({ ...GOOD, IpAddress: { "aws:SourceIp": "192.0.2.0/24" } })).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ["tenant:t-42:deployer", "StringEquals", []],
    ["", "StringEquals", ["error value-empty"]],
    ["tenant:t-42 ", "StringEquals", ["error value-whitespace"]],
    [`\${${URL}:sub}`, "StringEquals", ["error value-policy-variable"]],
    ["tenant:t-42:*", "StringEquals", ["error wildcard-literal"]],
    ["tenant:t-4?", "StringEquals", ["error wildcard-literal"]],
    ["*:deployer", "StringLike", ["error sub-leading-wildcard"]],
    ["*", "StringLike", ["error sub-leading-wildcard"]],
    ["?enant", "StringLike", ["error sub-leading-wildcard"]],
    ["tenant:t-42:*", "StringLike", ["warning sub-trailing-wildcard"]],
    ["tenant:t-42:a*b", "StringLike", ["warning sub-pattern"]],
    ["tenant:t-42:deployer", "StringLike", ["info sub-not-exact"]],
    ["tenant:t-42:deployer", "StringEqualsIgnoreCase", ["warning sub-not-exact"]],
  ])("subject %j under %s", (value, operator, findings) => {
    expect(sub(value, operator)).toEqual(findings);
  });

  it("a pattern that is meant is noted only, a leading wildcard never", () => {
    expect(sub("tenant:t-42:*", "StringLike", { allowSubjectPattern: true })).toEqual(["info sub-trailing-wildcard"]);
    expect(sub("tenant:t-42:a*b", "StringLike", { allowSubjectPattern: true })).toEqual(["info sub-pattern"]);
    expect(sub("*", "StringLike", { allowSubjectPattern: true })).toEqual(["error sub-leading-wildcard"]);
  });

  it("an audience is exact", () => {
    const aud = (operator: string) => withCondition({ StringEquals: { [`${URL}:sub`]: "s" }, [operator]: { [`${URL}:aud`]: "sts.*" } });
    expect(aud("StringLike")).toEqual(["warning aud-not-exact"]);
  });

  it.each([
    ["with a trailing slash", `${URL}/`],
    ["with a scheme", `https://${URL}`],
    ["by host only", "issuer.example.com"],
    ["of another issuer", "other.example.com"],
  ])("a key %s tests nothing", (_, prefix) => {
    expect(withCondition({ StringEquals: { [`${URL}:aud`]: "a", [`${prefix}:sub`]: "s" } })).toEqual(["error sub-missing", "error key-prefix-mismatch"]);
  });

  it("keys are compared without case, and global ones are no claims", () => {
    expect(withCondition({ StringEquals: { [`${URL.toUpperCase()}:AUD`]: "a", [`${URL}:sub`]: "s" } })).toEqual([]);
    expect(withCondition({ StringEquals: { ...GOOD.StringEquals, "sts:RoleSessionName": "x", "aws:SourceIp": "y" } })).toEqual([]);
  });

  it("a claim that IAM does not expose is an error, one that it does is not", () => {
    expect(withCondition({ StringEquals: { ...GOOD.StringEquals, [`${URL}:tenant`]: "t" } })).toEqual(["error claim-not-exposed"]);
    expect(withCondition({ StringEquals: { ...GOOD.StringEquals, [`${URL}:email`]: "e" } })).toEqual([]);
  });

  it("a provider that the account does not have", () => {
    expect(lint({}, { providerUrls: ["other.example.com"] })).toEqual(["error provider-unknown"]);
    expect(lint({}, { providerUrls: [] })).toEqual(["error provider-unknown"]);
    expect(lint({}, { providerUrls: [URL] })).toEqual([]);
  });

  it("several providers need several statements", () => {
    expect(lint({ Principal: { Federated: [PROVIDER, `${PROVIDER}2`] } })).toEqual(["error several-providers"]);
    expect(lintTrustPolicy(document(sound, { ...sound }))).toEqual([]);
  });

  it("tests of session tags need sts:TagSession", () => {
    const Condition = { StringEquals: { ...GOOD.StringEquals, "aws:RequestTag/Tenant": "t" } };
    expect(lint({ Condition })).toEqual(["error tag-session-missing"]);
    expect(lint({ Condition, Action: [sound.Action, "sts:TagSession"] })).toEqual([]);
  });

  describe("a subject that names no tenant", () => {
    const kubernetes = { StringEquals: { [`${URL}:aud`]: "a", [`${URL}:sub`]: "system:serviceaccount:platform:runtime" } };

    it("is a confused deputy in waiting", () => {
      expect(withCondition(kubernetes)).toEqual(["info subject-names-no-tenant"]);
      expect(withCondition(kubernetes, { tenantHint: "t-42" })).toEqual(["warning subject-names-no-tenant"]);
      expect(withCondition(kubernetes, { tenantHint: "platform" })).toEqual([]);
      expect(lint({}, { tenantHint: "t-43" })).toEqual(["warning subject-names-no-tenant"]);
    });

    it.each<[string, object]>([
      ["the session name", { StringEquals: { ...kubernetes.StringEquals, "sts:RoleSessionName": "t-42" } }],
      ["the issuer's own list of roles", { ...kubernetes, Bool: { "sts:RoleAuthorizedByIdp": "true" } }],
    ])("unless %s is a second lock", (_, Condition) => {
      expect(withCondition(Condition)).toEqual([]);
    });

    it("a lock that opens when the key is absent is none", () => {
      expect(withCondition({ ...kubernetes, StringEqualsIfExists: { "sts:RoleSessionName": "t-42" } })).toEqual(["warning passes-when-absent", "info subject-names-no-tenant"]);
    });
  });

  it("service roles name their source", () => {
    const role = (Service: string, Condition?: object) => lint({ Principal: { Service }, Action: "sts:AssumeRole", Condition });
    const account = { StringEquals: { "aws:SourceAccount": ACCOUNT } };
    expect(role("codebuild.amazonaws.com")).toEqual(["warning service-source-account-missing", "warning service-source-arn-missing"]);
    expect(role("codebuild.amazonaws.com", account)).toEqual(["warning service-source-arn-missing"]);
    expect(role("codebuild.amazonaws.com", { ...account, ArnEquals: { "aws:SourceArn": "arn:aws:codebuild:eu-west-1:111122223333:project/x" } })).toEqual([]);
    expect(role("lambda.amazonaws.com")).toEqual(["warning service-source-account-missing"]);
    expect(role("lambda.amazonaws.com", account)).toEqual([]);
    expect(role("lambda.amazonaws.com", { StringEqualsIfExists: account.StringEquals })).toEqual(["warning service-source-account-missing"]);
    expect(role("ec2.amazonaws.com")).toEqual([]);
  });

  it("a policy beyond the quota", () => {
    const long = (count: number) => withCondition({ StringEquals: { ...GOOD.StringEquals, [`${URL}:sub`]: Array.from({ length: count }, (_, index) => `tenant:t-42:${"x".repeat(80)}${index}`) } });
    expect(long(25)).toEqual(["warning trust-too-long"]);
    expect(long(10)).toEqual([]);
  });

  it("the gravest comes first", () => {
    const findings = lintTrustPolicy(
      document({ ...sound, Condition: { StringEquals: { [`${URL}:sub`]: "system:serviceaccount:a:b" }, IpAddressIfExists: { "aws:SourceIp": "192.0.2.0/24" } } }),
    );
    expect(findings.map(({ severity }) => severity)).toEqual(["error", "warning", "info"]);
  });
});

describe("lint of permissions", () => {
  const permissions = (...statements: object[]) =>
    lintPermissions(document(...statements.map((statement) => ({ Effect: "Allow", ...statement })))).map(({ severity, code }) => `${severity} ${code}`);
  const BUCKET = "arn:aws:s3:::bucket";

  it.each<[string, object, string[]]>([
    ["object actions on objects", { Action: ["s3:GetObject", "s3:PutObject"], Resource: `${BUCKET}/*` }, []],
    ["object actions on the bucket", { Action: "s3:GetObject", Resource: BUCKET }, ["error action-resource-mismatch"]],
    ["bucket actions on the bucket", { Action: ["s3:ListBucket", "s3:GetBucketLocation"], Resource: BUCKET }, []],
    ["bucket actions on objects", { Action: "s3:ListBucket", Resource: `${BUCKET}/*` }, ["error action-resource-mismatch"]],
    ["both on both", { Action: ["s3:ListBucket", "s3:GetObject"], Resource: [BUCKET, `${BUCKET}/*`] }, []],
    ["an action of another case", { Action: "S3:getobject", Resource: BUCKET }, ["error action-resource-mismatch"]],
    ["an operation that is no action", { Action: "s3:HeadObject", Resource: `${BUCKET}/*` }, ["error action-unknown"]],
    ["listing by the operation's name", { Action: "s3:ListObjectsV2", Resource: BUCKET }, ["error action-unknown"]],
    ["a login to the registry on anything", { Action: "ecr:GetAuthorizationToken", Resource: "*" }, []],
    ["a login to the registry on one", { Action: "ecr:GetAuthorizationToken", Resource: "arn:aws:ecr:eu-west-1:111122223333:repository/x" }, ["error action-needs-any-resource"]],
    ["a push to any registry", { Action: "ecr:PutImage", Resource: "*" }, ["warning any-resource"]],
    ["every action of a service", { Action: "s3:*", Resource: `${BUCKET}/*` }, ["warning any-action"]],
    ["every action", { Action: "*", Resource: "*" }, ["warning any-action", "warning any-resource", "error pass-role-any", "warning pass-role-any-service", "warning kms-via-service-missing"]],
    ["a build on its project", { Action: "codebuild:StartBuild", Resource: "arn:aws:codebuild:eu-west-1:111122223333:project/x" }, []],
    ["a build on a build", { Action: "codebuild:BatchGetBuilds", Resource: "arn:aws:codebuild:eu-west-1:111122223333:build/x" }, ["error action-resource-mismatch"]],
    ["a build on a bucket", { Action: "codebuild:StartBuild", Resource: BUCKET }, ["error action-resource-mismatch"]],
    ["logs with a stream", { Action: "logs:PutLogEvents", Resource: "arn:aws:logs:eu-west-1:111122223333:log-group:/x:*" }, []],
    ["logs without a stream", { Action: "logs:PutLogEvents", Resource: "arn:aws:logs:eu-west-1:111122223333:log-group:/x" }, ["error action-resource-mismatch"]],
    ["NotAction", { NotAction: "s3:*", Resource: BUCKET }, ["warning allow-by-exception", "warning pass-role-any-service", "warning kms-via-service-missing"]],
    ["NotResource", { Action: "s3:GetObject", NotResource: BUCKET }, ["warning allow-by-exception"]],
    ["a role to be passed to one service", { Action: "iam:PassRole", Resource: "arn:aws:iam::111122223333:role/x", Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } } }, []],
    ["any role to be passed", { Action: "iam:PassRole", Resource: "arn:aws:iam::111122223333:role/*" }, ["error pass-role-any", "warning pass-role-any-service"]],
    ["a statement that IAM refuses", { Action: "GetObject", Resource: BUCKET }, ["error policy-malformed"]],
  ])("%s", (_, statement, findings) => {
    expect(permissions(statement).sort()).toEqual([...findings].sort());
  });

  it("a Deny grants nothing, so nothing is too much", () => {
    expect(permissions({ Effect: "Deny", Action: "*", Resource: "*" })).toEqual([]);
  });

  it("a data key without decryption, and both directly", () => {
    const key = { Resource: "arn:aws:kms:eu-west-1:111122223333:key/1", Condition: { StringEquals: { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } } };
    expect(permissions({ Action: "kms:GenerateDataKey", ...key })).toEqual(["error kms-pair-incomplete"]);
    expect(permissions({ Action: "kms:GenerateDataKey", ...key }, { Action: "kms:Decrypt", ...key })).toEqual([]);
    expect(permissions({ Action: "kms:Decrypt", ...key })).toEqual([]);
    expect(permissions({ Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: key.Resource })).toEqual(["warning kms-via-service-missing"]);
  });

  it("ARNs of another partition", () => {
    const policy = document({ Effect: "Allow", Action: "s3:GetObject", Resource: `${BUCKET}/*` });
    expect(lintPermissions(policy, { partition: "aws-cn" }).map(({ code }) => code)).toEqual(["partition-mismatch"]);
    expect(lintPermissions(policy, { partition: "aws" })).toEqual([]);
  });

  it("no JSON is one finding", () => {
    expect(lintPermissions("{").map(({ code }) => code)).toEqual(["policy-malformed"]);
  });
});

describe("a client id that is added to a provider", () => {
  const aud = `${URL}:aud`;
  const allow = (condition: object, more: object = {}) => ({ ...sound, Condition: { StringEquals: { [`${URL}:sub`]: "a" }, ...condition }, ...more });
  const deny = (condition: object) => ({ ...sound, Effect: "Deny", Condition: condition });
  const wide = (...statements: object[]) => takesUnnamedAudience(document(...statements), { arn: PROVIDER, url: URL }, "new");

  it.each([
    ["no audience", true, [allow({})]],
    ["no condition at all", true, [{ ...sound, Condition: {} }]],
    ["another audience", false, [allow({ StringLike: { [aud]: "old" } })]],
    ["another audience, in other letters of the key", false, [allow({ StringLike: { [aud.toUpperCase()]: "old" } })]],
    ["this audience by name", false, [allow({ "ForAnyValue:StringEquals": { [aud]: ["old", "new"] } })]],
    ["a pattern that it fits", true, [allow({ StringLike: { [aud]: "n*" } })]],
    ["a pattern that it does not fit", false, [allow({ StringLike: { [aud]: "o*" } })]],
    ["everything but another", true, [allow({ StringNotEquals: { [aud]: "old" } })]],
    ["everything but this", false, [allow({ StringNotEquals: { [aud]: "new" } })]],
    ["the original audience", false, [allow({ StringEquals: { [`${URL}:oaud`]: "old" } })]],
    ["another issuer's audience", true, [allow({ StringLike: { "other.example:aud": "old" } })]],
    ["one statement of two", true, [allow({ StringLike: { [aud]: "old" } }), allow({})]],
    ["another provider", false, [allow({}, { Principal: { Federated: `${PROVIDER}-2` } })]],
    ["another action", false, [allow({}, { Action: "sts:TagSession" })]],
    ["an audience by denial of all others", false, [allow({}), deny({ StringNotEquals: { [aud]: "old" } })]],
    ["no audience, with a denial of another", true, [allow({}), deny({ StringEquals: { [aud]: "old" } })]],
    ["no audience, with a denial of some subjects only", true, [allow({}), deny({ StringNotEquals: { [aud]: "old" }, StringLike: { [`${URL}:sub`]: "b" } })]],
  ])("a trust that pins %s: opened %p", (_name, expected, statements) => {
    expect(wide(...statements)).toBe(expected);
  });
});
