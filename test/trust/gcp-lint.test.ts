import { DEFAULT_AWS_MAPPING, KLAVI_GUIDE_MAPPING } from "../../facts/gcp/attributes.js";
import { aliases, lintProvider, mappingMistakes, reachablePrincipals, type IntendedIdentity, type ProviderLintOptions, type WorkloadIdentityPoolProvider } from "../../trust/gcp.js";
import { adversariesOf } from "../../trust/gcp/adversaries.js";
import { ISSUER, POOL, PROVIDER, SUBJECT } from "./gcp-recorded-answers.js";

const ACCOUNT = "222233334444";
const ROLE = `arn:aws:sts::${ACCOUNT}:assumed-role/klavi-delivery`;
const AWS_MEMBER = `principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/${ROLE}`;
const BARE_MEMBER = `principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/klavi-delivery`;
const SUBJECT_MEMBER = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`;
const klavi: IntendedIdentity = { kind: "aws", accountId: ACCOUNT, roleName: "klavi-delivery" };
const dcf: IntendedIdentity = { kind: "oidc", subject: SUBJECT };

const oidc = (attributeCondition?: string, attributeMapping: Record<string, string> = { "google.subject": "assertion.sub" }, issuerUri = ISSUER): WorkloadIdentityPoolProvider => ({
  name: PROVIDER,
  state: "ACTIVE",
  disabled: false,
  attributeMapping,
  attributeCondition,
  oidc: { issuerUri },
});
const aws = (attributeCondition?: string, attributeMapping?: Record<string, string>): WorkloadIdentityPoolProvider => ({
  name: PROVIDER,
  state: "ACTIVE",
  disabled: false,
  attributeMapping,
  attributeCondition,
  aws: { accountId: ACCOUNT },
});
const codes = (provider: WorkloadIdentityPoolProvider, options?: ProviderLintOptions) => lintProvider(provider, options).map(({ code, severity }) => `${severity} ${code}`);

describe("providers that are safe", () => {
  it.each<[string, WorkloadIdentityPoolProvider, ProviderLintOptions]>([
    ["an exact subject", oidc(`assertion.sub == '${SUBJECT}'`), { intended: dcf, members: [SUBJECT_MEMBER] }],
    ["an exact mapped subject", oidc(`google.subject == '${SUBJECT}'`), { intended: dcf, members: [SUBJECT_MEMBER] }],
    ["an AWS role by Google's mapping", aws(`attribute.aws_role == '${ROLE}'`, DEFAULT_AWS_MAPPING), { intended: klavi, members: [AWS_MEMBER] }],
    ["an AWS role by its ARN up to the slash", aws(`assertion.arn.startsWith('${ROLE}/')`), { intended: klavi, members: [AWS_MEMBER] }],
    [
      "one session of an AWS role",
      aws(`assertion.arn == '${ROLE}/partner-1' && assertion.userid.startsWith('AROAEXAMPLEEXAMPLE123:')`),
      { intended: { ...klavi, sessionName: "partner-1" }, members: [AWS_MEMBER] },
    ],
  ])("%s", (_name, provider, options) => {
    expect(lintProvider(provider, options)).toEqual([]);
  });

  it("the guide's bare role name with the ARN pinned is safe alone, and says what it depends on", () => {
    const provider = aws(`assertion.arn.startsWith('${ROLE}/')`, KLAVI_GUIDE_MAPPING);
    expect(codes(provider, { intended: klavi, members: [BARE_MEMBER] })).toEqual(["warning mapping-drops-account"]);
  });
});

describe("conditions", () => {
  it.each<[string, string]>([
    ["true", "error condition-tautology"],
    ["1 == 1", "error condition-tautology"],
    ["'a' == 'a' || false", "error condition-tautology"],
    ["false", "error condition-never"],
    [`assertion.sub == '${SUBJECT}' || true`, "error condition-alternative-open"],
    [`'x' != 'y' || assertion.sub == '${SUBJECT}'`, "error condition-alternative-open"],
    [`assertion.sub == '${SUBJECT}' || assertion.sub == assertion.sub`, "error condition-alternative-open"],
    ["assertion.sub.startsWith('system:serviceaccount:dcf:project-4711')", "error condition-prefix-open"],
    ["assertion.sub.startsWith(assertion.iss)", "error condition-prefix-open"],
    ["assertion.sub.contains('project-4711')", "warning condition-loose"],
    ["assertion.sub.endsWith(':project-4711')", "warning condition-loose"],
    ["assertion.sub.matches('project-4711')", "warning condition-loose"],
    [`assertion.iss == '${ISSUER}'`, "error condition-names-no-workload"],
    ["assertion.aud == 'x' && assertion.iat > 5", "error condition-names-no-workload"],
    ["assertion.sub != 'x'", "error condition-only-excludes"],
    ["attribute.none == 'x'", "error mapping-malformed"],
    ["assertion.sub ==", "error mapping-malformed"],
    ["other.sub == 'x'", "error mapping-malformed"],
    ["assertion.sub.reverse() == 'x'", "error mapping-malformed"],
  ])("%s", (condition, code) => {
    expect(codes(oidc(condition))).toEqual([code]);
  });

  it.each(["", undefined])("missing (%j): worse where everybody has tokens, or more than one subject is bound", (condition) => {
    expect(codes(oidc(condition))).toEqual(["error condition-missing"]);
    expect(codes(oidc(condition), { members: [SUBJECT_MEMBER] })).toEqual(["warning condition-missing"]);
    expect(codes(oidc(condition), { members: [SUBJECT_MEMBER, "serviceAccount:a@customer-app-prod.iam.gserviceaccount.com"] })).toEqual(["error condition-missing"]);
    expect(codes(oidc(condition, undefined, "https://token.actions.githubusercontent.com"), { members: [SUBJECT_MEMBER] })).toEqual(["error condition-missing"]);
  });

  it.each([`assertion.sub == '${SUBJECT}'`, `assertion.sub == '${SUBJECT}' && assertion.iss == '${ISSUER}'`, "assertion.sub in ['a', 'b']", "assertion.sub == 'a' || assertion.sub == 'b'", "assertion.sub == 'a' || false", "assertion.sub == 'a' || assertion.sub < assertion.sub", "assertion.sub == 'a' || ['b'].exists(i, i == assertion.sub)", "assertion.sub.startsWith('system:serviceaccount:dcf:')", "assertion.sub != 'x' && assertion.team == 'y'", "assertion.sub != 'x' && assertion.sub in ['y', 'z']", "assertion.sub != 'x:' && assertion.sub.startsWith('x:')"])(
    "nothing to say without knowing who is meant: %s",
    (condition) => expect(lintProvider(oidc(condition))).toEqual([]),
  );

  it.each<[WorkloadIdentityPoolProvider, string]>([
    [oidc(), "There is no condition: every credential of the issuer is exchanged, and who gets rights depends on the bindings alone."],
    [aws(), "There is no condition: every credential of the AWS account is exchanged, and who gets rights depends on the bindings alone."],
    [oidc("false"), "The condition is never true: nobody gets in."],
    [oidc("true"), "The condition looks at nothing of the credential: it lets everybody in, or fails for everybody."],
    [oidc("assertion.sub.startsWith('a')"), 'assertion.sub only has to begin with "a": longer names begin so too.'],
    [oidc("(assertion.sub + 'x').startsWith(assertion.iss)"), 'a value only has to begin with "": longer names begin so too.'],
    [oidc("assertion.sub.contains('a')"), 'assertion.sub is tested with contains("a"), which other values pass too.'],
    [oidc("assertion.sub.endsWith(assertion.team)"), "assertion.sub is tested with endsWith(…), which other values pass too."],
    [oidc(`assertion.iss == '${ISSUER}'`), "The condition looks at assertion.iss, which every workload of the issuer or account has."],
    [oidc("size(assertion) > 3"), "The condition looks at no claim, which every workload of the issuer or account has."],
  ])("says what is wrong: $attributeCondition", (provider, message) => {
    expect(lintProvider(provider)[0]?.message).toBe(message);
  });

  it("names the condition that would do", () => {
    expect(lintProvider(oidc("true"), { intended: dcf })[0]?.fix).toContain(`assertion.sub == '${SUBJECT}'`);
    expect(lintProvider(aws("true"), { intended: klavi })[0]?.fix).toContain(`assertion.arn.startsWith('${ROLE}/')`);
  });
});

describe("who else gets in", () => {
  const admitted = (provider: WorkloadIdentityPoolProvider, members: string[], intended: IntendedIdentity) => [...new Set(aliases(provider, members, intended).map(({ code }) => code))].sort();

  it.each<[string, string[]]>([
    [`assertion.sub == '${SUBJECT}'`, []],
    [`assertion.sub.startsWith('${SUBJECT}')`, ["named-in-condition", "subject-longer"]],
    [`assertion.sub.endsWith('${SUBJECT}')`, ["named-in-condition", "subject-within"]],
    [`assertion.sub.contains('${SUBJECT}')`, ["named-in-condition", "subject-longer", "subject-within"]],
    [`assertion.sub.upperAscii() == '${SUBJECT.toUpperCase()}'`, ["named-in-condition", "subject-case"]],
    [`assertion.sub == '${SUBJECT}' || assertion.sub == 'second'`, ["named-in-condition"]],
    ["assertion.sub.startsWith('system:serviceaccount:dcf:')", ["named-in-condition", "subject-longer", "subject-shorter"]],
    ["assertion.sub != ''", ["named-in-condition", "other-subject", "subject-case", "subject-longer", "subject-shorter", "subject-within"]],
  ])("by subject: %s", (condition, expected) => {
    expect(admitted(oidc(condition), [], dcf)).toEqual(expected);
    // Exact bindings are a second lock: nobody else becomes this subject.
    expect(admitted(oidc(condition), [SUBJECT_MEMBER], dcf)).toEqual([]);
    expect(admitted(oidc(condition), [`principalSet://iam.googleapis.com/${POOL}/*`], dcf)).toEqual(expected);
  });

  it("by an attribute that others share", () => {
    const provider = oidc("assertion.team == 'dcf'", { "google.subject": "assertion.sub", "attribute.team": "assertion.team" });
    const member = `principalSet://iam.googleapis.com/${POOL}/attribute.team/dcf`;
    expect(codes(provider, { intended: { kind: "oidc", subject: SUBJECT, claims: { team: "dcf" } }, members: [member] })).toContain("error admits-other-subject");
  });

  it.each<[string, string | undefined, Record<string, string> | undefined, string, string[]]>([
    ["Google's mapping", `attribute.aws_role == '${ROLE}'`, undefined, AWS_MEMBER, []],
    ["no condition, exact member", undefined, undefined, AWS_MEMBER, []],
    ["no condition, bare name", undefined, KLAVI_GUIDE_MAPPING, BARE_MEMBER, ["other-partition", "user-path"]],
    ["the bare name alone", "attribute.aws_role == 'klavi-delivery'", KLAVI_GUIDE_MAPPING, BARE_MEMBER, ["other-partition", "user-path"]],
    ["the guide's mapping, pinned", `assertion.arn.startsWith('${ROLE}/')`, KLAVI_GUIDE_MAPPING, BARE_MEMBER, []],
    ["the account alone", `assertion.account == '${ACCOUNT}'`, KLAVI_GUIDE_MAPPING, BARE_MEMBER, ["other-partition", "user-path"]],
    ["no slash", `assertion.arn.startsWith('${ROLE}')`, undefined, `principalSet://iam.googleapis.com/${POOL}/*`, ["named-in-condition", "role-name-longer"]],
    ["contains", `assertion.arn.contains('${ROLE}/')`, undefined, `principalSet://iam.googleapis.com/${POOL}/*`, ["user-path"]],
    ["contains the name", "assertion.arn.contains('/klavi-delivery')", undefined, `principalSet://iam.googleapis.com/${POOL}/*`, ["other-partition", "role-name-longer", "session-like-role", "user-path"]],
    ["all roles of the account", `assertion.arn.startsWith('arn:aws:sts::${ACCOUNT}:assumed-role/')`, undefined, `principalSet://iam.googleapis.com/${POOL}/*`, ["named-in-condition", "other-role", "role-name-longer", "role-name-within", "session-like-role"]],
  ])("by role: %s", (_name, condition, mapping, member, expected) => {
    expect(admitted(aws(condition, mapping), [member], klavi)).toEqual(expected);
  });

  it("others with the session's name, in whichever partition and case", () => {
    const everybody = [`principalSet://iam.googleapis.com/${POOL}/*`];
    const one = { ...klavi, sessionName: "partner-1" };
    expect(admitted(aws("assertion.arn.endsWith(':assumed-role/klavi-delivery/partner-1')"), everybody, one)).toEqual(["other-partition", "user-path"]);
    expect(admitted(aws("assertion.arn.endsWith(':assumed-role/klavi-delivery/partner-1')"), everybody, { ...one, partition: "aws-us-gov" })).toEqual(["other-partition", "user-path"]);
    expect(admitted(aws("assertion.arn.startsWith('arn:aws-us-gov:')"), everybody, { ...one, partition: "aws-us-gov" })).not.toContain("other-partition");
    expect(admitted(oidc("assertion.sub.upperAscii() == 'ABC'"), [], { kind: "oidc", subject: "ABC" })).toEqual(["subject-case"]);
  });

  it("other sessions only where one is meant, and other accounts only by a provider of theirs", () => {
    const one = { ...klavi, sessionName: "partner-1" };
    expect(admitted(aws(`assertion.arn.startsWith('${ROLE}/')`), [AWS_MEMBER], one)).toEqual(["named-in-condition", "other-session"]);
    expect(admitted(aws(`assertion.arn.startsWith('${ROLE}/partner-1')`), [AWS_MEMBER], one)).toEqual(["named-in-condition", "other-session"]);
    expect(admitted(aws(`assertion.arn == '${ROLE}/partner-1'`), [AWS_MEMBER], one)).toEqual([]);
    const elsewhere = { ...aws("attribute.aws_role == 'klavi-delivery'", KLAVI_GUIDE_MAPPING), aws: { accountId: "999999999999" } };
    expect(admitted(elsewhere, [BARE_MEMBER], klavi)).toEqual(["other-account"]);
  });

  it("never counts the workload itself among them", () => {
    for (const intended of [dcf, klavi, { ...klavi, sessionName: "session" }, { ...dcf, subject: "x" }, { ...dcf, subject: "ABC" }]) {
      const own = intended.kind === "oidc" ? JSON.stringify({ sub: intended.subject }) : `${ROLE}/${"sessionName" in intended ? String(intended.sessionName) : ""}`;
      const credentials = adversariesOf(intended, [SUBJECT, `${ROLE}/session`, `${ROLE}/`]).map(({ credential }) => (credential.kind === "claims" ? JSON.stringify(credential.claims) : credential.arn));
      if (intended.kind === "oidc") expect(credentials).not.toContain(own);
      else expect(credentials.filter((arn) => ("sessionName" in intended ? arn === own : arn.startsWith(own)))).toEqual([]);
    }
  });
});

describe("the workload itself", () => {
  it.each([`assertion.arn == 'arn:aws:iam::${ACCOUNT}:role/klavi-delivery'`, `attribute.aws_role == 'arn:aws:iam::${ACCOUNT}:role/klavi-delivery'`])("is refused by the ARN of the role as IAM shows it: %s", (condition) => {
    expect(codes(aws(condition), { intended: klavi })).toEqual(["error workload-refused"]);
  });

  it("gets in as somebody without rights", () => {
    const bound = (member: string) => codes(aws(`assertion.arn.startsWith('${ROLE}/')`), { intended: klavi, members: [member] });
    expect(bound(`${AWS_MEMBER}x`)).toEqual(["error workload-not-member"]);
    expect(bound(BARE_MEMBER)).toEqual(["error workload-not-member"]);
    expect(bound(AWS_MEMBER)).toEqual([]);
  });

  it("has session names that fit the subject, or not", () => {
    const long: IntendedIdentity = { kind: "aws", accountId: ACCOUNT, roleName: "r".repeat(40) };
    const role = `arn:aws:sts::${ACCOUNT}:assumed-role/${long.roleName}`;
    const room = 127 - `${role}/`.length;
    const members = [`principalSet://iam.googleapis.com/${POOL}/attribute.aws_role/${role}`];
    const budget = (longestSessionName: number | undefined, mapping?: Record<string, string>) => codes(aws(`assertion.arn.startsWith('${role}/')`, mapping), { intended: long, members, longestSessionName });
    expect(budget(room)).toEqual([]);
    expect(budget(room + 1)).toEqual(["warning subject-budget"]);
    expect(budget(undefined)).toEqual(["warning subject-budget"]);
    expect(budget(undefined, { ...DEFAULT_AWS_MAPPING, "google.subject": "assertion.userid" })).toEqual([]);
    expect(lintProvider(aws(`assertion.arn.startsWith('${role}/')`), { intended: long })[0]?.message).toContain(`names of up to ${room} fit`);
    expect(codes(aws(`assertion.arn.startsWith('${ROLE}/')`), { intended: klavi, members: [AWS_MEMBER] })).toEqual([]);
    const one = { intended: { ...long, sessionName: "p" }, members };
    expect(codes(aws(`assertion.arn == '${role}/p'`), one)).toEqual([]);
  });

  it("is said to be whom it is, and where the mistake is", () => {
    const first = (provider: WorkloadIdentityPoolProvider, options: ProviderLintOptions) => lintProvider(provider, options)[0];
    expect(first(aws(`assertion.arn.startsWith('${ROLE}/')`), { intended: klavi, members: [BARE_MEMBER] })?.message).toBe(
      `The workload gets in and is none of the members that rights are granted to: it is principal://iam.googleapis.com/${POOL}/subject/${ROLE}/session, ${AWS_MEMBER}.`,
    );
    expect(first(oidc("assertion.sub == 'x'"), { intended: dcf })).toMatchObject({ code: "workload-refused", path: "attributeCondition" });
    expect(first(oidc(`assertion.sub == '${SUBJECT}'`, { "google.subject": "assertion.name" }), { intended: dcf })).toMatchObject({ code: "workload-refused", path: "attributeMapping" });
    const loose = oidc("assertion.sub.endsWith('4711')");
    expect(lintProvider(loose, { intended: dcf }).find(({ code }) => code === "admits-subject-within")?.message).toBe('Not only the workload gets in, but also a workload whose subject ends with this one ("x' + SUBJECT + '").');
    expect(lintProvider(loose, { intended: dcf, members: [`principalSet://iam.googleapis.com/${POOL}/*`] }).find(({ code }) => code === "admits-subject-within")?.message).toContain("gets in as this member, but also");
    expect(first(aws("true"), {})?.fix).toContain(`arn:aws:sts::${ACCOUNT}:assumed-role/<role>/`);
    expect(first(oidc("true"), {})?.fix).toContain("assertion.sub == '<subject>'");
  });
});

describe("members", () => {
  it.each<[string, string[]]>([
    [`principalSet://iam.googleapis.com/${POOL}/*`, ["error member-pool-wide"]],
    ["allUsers", ["error member-public"]],
    ["allAuthenticatedUsers", ["error member-public"]],
    [SUBJECT_MEMBER.replace("123456789012", "customer-app-prod"), ["error member-malformed"]],
    [SUBJECT_MEMBER.replace("global", "us-central1"), ["error member-malformed"]],
    [SUBJECT_MEMBER.replace("dcf-pool", "other-pool"), ["error member-other-pool"]],
    [`principal://iam.googleapis.com/${POOL}/subject/system%3Aserviceaccount`, ["error member-encoded"]],
    [`principalSet://iam.googleapis.com/${POOL}/attribute.team/dcf`, ["error member-unmapped"]],
    [`principalSet://iam.googleapis.com/${POOL}/group/dcf`, ["error member-unmapped"]],
    ["serviceAccount:dcf-deployer@customer-app-prod.iam.gserviceaccount.com", []],
    [SUBJECT_MEMBER, []],
  ])("%s", (member, expected) => {
    expect(codes(oidc(`assertion.sub == '${SUBJECT}'`), { members: [member] })).toEqual(expected);
  });
});

describe("other providers of the pool", () => {
  const own = oidc(`assertion.sub == '${SUBJECT}'`);
  const other = (changes: Partial<WorkloadIdentityPoolProvider>): WorkloadIdentityPoolProvider => ({ ...oidc(undefined), name: `${POOL}/providers/second`, ...changes });

  it.each<[string, WorkloadIdentityPoolProvider, "shown" | "possible" | undefined]>([
    ["one without a condition", other({}), "shown"],
    ["one that is disabled", other({ disabled: true }), "shown"],
    ["one that is deleted", other({ state: "DELETED" }), undefined],
    ["one of another pool", other({ name: PROVIDER.replace("dcf-pool", "other-pool") }), undefined],
    ["one pinned to another subject", other({ attributeCondition: "assertion.sub == 'other'" }), undefined],
    ["one pinned by another claim", other({ attributeCondition: "assertion.repository == 'a/b'" }), "shown"],
    ["one pinned by an attribute of another claim", other({ attributeMapping: { "google.subject": "assertion.sub", "attribute.repo": "assertion.repository" }, attributeCondition: "attribute.repo == 'a/b'" }), "shown"],
    ["one that maps another prefix", other({ attributeMapping: { "google.subject": "'second::' + assertion.sub" }, attributeCondition: "assertion.team == 'x'" }), undefined],
    ["one that maps another prefix, without a condition", other({ attributeMapping: { "google.subject": "'second::' + assertion.sub" } }), "possible"],
  ])("%s", (_name, provider, certainty) => {
    expect(reachablePrincipals(own.name, [own, provider], [SUBJECT_MEMBER]).map((found) => found.certainty)).toEqual(certainty === undefined ? [] : [certainty]);
    const expected = certainty === undefined ? [] : [certainty === "shown" ? "error pool-provider-reaches" : "warning pool-provider-may-reach"];
    expect(codes(own, { members: [SUBJECT_MEMBER], providers: [own, provider] })).toEqual(expected);
  });

  it("reach groups, and the whole pool", () => {
    const group = `principalSet://iam.googleapis.com/${POOL}/group/dcf`;
    const grouped = other({ attributeMapping: { "google.subject": "assertion.sub", "google.groups": "assertion.roles" } });
    const certainties = (provider: WorkloadIdentityPoolProvider, member: string) => reachablePrincipals(own.name, [own, provider], [member]).map(({ certainty }) => certainty);
    expect(certainties(grouped, group)).toEqual(["shown"]);
    expect(certainties(other({}), group)).toEqual([]);
    expect(certainties(other({}), `principalSet://iam.googleapis.com/${POOL}/*`)).toEqual(["shown"]);
    expect(certainties(other({ attributeCondition: "assertion.sub == 'a' && assertion.sub == 'b'" }), `principalSet://iam.googleapis.com/${POOL}/*`)).toEqual([]);
    expect(certainties(other({}), "allUsers")).toEqual([]);
  });

  it("of another AWS account reach a bare role name, and not the role's ARN", () => {
    const second = { ...aws(undefined, KLAVI_GUIDE_MAPPING), name: `${POOL}/providers/second`, aws: { accountId: "999999999999" } };
    const reached = (member: string, mapping: Record<string, string>) => reachablePrincipals(PROVIDER, [aws(), { ...second, attributeMapping: mapping }], [member], klavi).map(({ certainty }) => certainty);
    expect(reached(BARE_MEMBER, KLAVI_GUIDE_MAPPING)).toEqual(["shown"]);
    expect(reached(AWS_MEMBER, DEFAULT_AWS_MAPPING)).toEqual([]);
    const session = `principal://iam.googleapis.com/${POOL}/subject/${ROLE}-x/session`;
    expect(reached(session, DEFAULT_AWS_MAPPING)).toEqual([]);
    expect(reachablePrincipals(PROVIDER, [{ ...second, attributeMapping: DEFAULT_AWS_MAPPING, aws: { accountId: ACCOUNT } }], [session]).map(({ example }) => example)).toEqual([{ account: ACCOUNT, arn: `${ROLE}-x/session`, userid: `${ROLE}-x/session` }]);
    const oidcSecond = other({ attributeMapping: { "google.subject": "assertion.sub", "attribute.aws_role": "assertion.role" } });
    expect(reachablePrincipals(PROVIDER, [oidcSecond], [AWS_MEMBER], klavi)).toMatchObject([{ certainty: "shown", example: { role: ROLE } }]);
  });
});

describe("what Google would not store", () => {
  const mistakes = (attributeMapping: Record<string, string>, attributeCondition?: string, withAws = false) =>
    mappingMistakes({ attributeMapping, attributeCondition, ...(withAws ? { aws: { accountId: ACCOUNT } } : {}) }).map(({ path }) => path);
  const subject = { "google.subject": "assertion.sub" };
  const customs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`attribute.a${index}`, "assertion.sub"]));

  it.each<[string, string[], string[]]>([
    ["no subject", mistakes({}), ["attributeMapping"]],
    ["no mapping of an AWS provider", mistakes({}, undefined, true), []],
    ["a mapping of an AWS provider without a subject", mistakes(customs(1), undefined, true), ["attributeMapping"]],
    ["50 attributes", mistakes({ ...subject, ...customs(50) }), []],
    ["51 attributes", mistakes({ ...subject, ...customs(51) }), ["attributeMapping"]],
    ["another of Google's", mistakes({ ...subject, "google.email": "assertion.sub" }), ['attributeMapping["google.email"]']],
    ["upper case", mistakes({ ...subject, "attribute.A": "assertion.sub" }), ['attributeMapping["attribute.A"]']],
    ["a hyphen", mistakes({ ...subject, "attribute.a-b": "assertion.sub" }), ['attributeMapping["attribute.a-b"]']],
    ["a key of 100 characters", mistakes({ ...subject, [`attribute.${"a".repeat(90)}`]: "assertion.sub" }), []],
    ["a key of 101 characters", mistakes({ ...subject, [`attribute.${"a".repeat(91)}`]: "assertion.sub" }), [`attributeMapping["attribute.${"a".repeat(91)}"]`]],
    ["an expression of 2048 characters", mistakes({ "google.subject": `'${"x".repeat(2046)}'` }), []],
    ["an expression of 2049 characters", mistakes({ "google.subject": `'${"x".repeat(2047)}'` }), ['attributeMapping["google.subject"]']],
    ["attributes in a mapping", mistakes({ "google.subject": "google.groups" }), ['attributeMapping["google.subject"]']],
    ["a condition of 4096 characters", mistakes(subject, `assertion.sub == '${"x".repeat(4096 - 18 - 1)}'`), []],
    ["a condition of 4097 characters", mistakes(subject, `assertion.sub == '${"x".repeat(4097 - 18)}'`), ["attributeCondition"]],
    ["a condition on what is mapped by Google", mistakes({}, "attribute.aws_role == 'x'", true), []],
    ["a condition on what is not mapped", mistakes(subject, "'a' in google.groups"), ["attributeCondition"]],
  ])("%s", (_name, found, expected) => {
    expect(found).toEqual(expected);
  });
});
