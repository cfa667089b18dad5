import { reservedWord, ruleViolation, textRules } from "../../facts/azure/limits.js";
import { builtInRole, roleDefinitionId } from "../../facts/azure/roles.js";
import { differenceOf, hasInvisible, lintAssignments, lintCredentials, visible, type AssignmentLintOptions, type CredentialLintOptions, type FederatedIdentityCredential, type RoleAssignment } from "../../trust/azure.js";
import { AUDIENCE, goodCredential, ISSUER, PRINCIPAL, SUBJECT } from "./azure-recorded-answers.js";

const WORKLOAD = { issuer: ISSUER, subject: SUBJECT, audience: AUDIENCE };

describe("federated credentials", () => {
  const codes = (credentials: readonly FederatedIdentityCredential[], options: CredentialLintOptions = {}) => lintCredentials(credentials, options).map(({ code }) => code);
  const one = (changes: Partial<FederatedIdentityCredential>, options?: CredentialLintOptions) => codes([goodCredential(changes)], options);

  it("that admit exactly the workload have no finding", () => {
    expect(codes([goodCredential()], { intended: WORKLOAD })).toEqual([]);
    expect(codes([goodCredential()], { intended: WORKLOAD, tenantHint: "4711" })).toEqual([]);
    expect(codes([])).toEqual([]);
  });

  it.each<[string, Partial<FederatedIdentityCredential>, string[]]>([
    ["an issuer without https", { issuer: "http://oidc.dcf.example" }, ["issuer-not-https"]],
    ["an issuer without scheme", { issuer: "oidc.dcf.example" }, ["issuer-not-https"]],
    ["no issuer", { issuer: "" }, ["issuer-empty"]],
    ["a blank behind the issuer", { issuer: `${ISSUER} ` }, ["issuer-blank"]],
    ["a character nobody sees in the issuer", { issuer: `${ISSUER}/a\u200Bb` }, ["issuer-invisible"]],
    ["an issuer's host in upper case", { issuer: "https://OIDC.dcf.example/A" }, ["issuer-case"]],
    ["upper case in an issuer's path alone", { issuer: "https://oidc.dcf.example/A" }, []],
    ["metadata's address", { issuer: `${ISSUER}/.well-known/openid-configuration` }, ["issuer-is-metadata"]],
    ["a query in the issuer", { issuer: `${ISSUER}?a=b` }, ["issuer-not-plain"]],
    ["a user in the issuer", { issuer: "https://a:b@oidc.dcf.example" }, ["issuer-not-plain"]],
    ["Entra as issuer", { issuer: "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0" }, ["issuer-of-entra"]],
    ["a slash at the issuer's end", { issuer: `${ISSUER}/` }, ["issuer-slash"]],
    ["no subject", { subject: "" }, ["subject-empty"]],
    ["a blank before the subject", { subject: ` ${SUBJECT}` }, ["subject-blank"]],
    ["a line's end behind the subject", { subject: `${SUBJECT}\n` }, ["subject-blank"]],
    ["a soft hyphen in the subject", { subject: "system:serviceaccount:dcf:project\u00AD4711" }, ["subject-invisible"]],
    ["a wildcard in the subject", { subject: "system:serviceaccount:dcf:project-4711*" }, ["subject-wildcard"]],
    ["a question mark in the subject", { subject: "system:serviceaccount:dcf:project-471?" }, ["subject-wildcard"]],
    ["a placeholder", { subject: "system:serviceaccount:ddoe:<service-name>" }, ["subject-placeholder", "subject-names-no-tenant"]],
    ["a variable", { subject: "${project}-4711" }, ["subject-placeholder"]],
    ["a service account with other signs", { subject: "system/serviceaccount/dcf/project-4711" }, ["subject-account-form"]],
    ["a service account without its prefix", { subject: "serviceaccount:dcf:project-4711" }, ["subject-account-form"]],
    ["a service account in upper case", { subject: "System:ServiceAccount:dcf:project-4711" }, ["subject-account-form"]],
    ["a namespace in upper case", { subject: "system:serviceaccount:DCF:project-4711" }, ["subject-account-form"]],
    ["a service account of Google", { subject: "dcf@project-4711.iam.gserviceaccount.com" }, ["subject-account-form"]],
    ["a subject that is no service account", { subject: "tenant:4711/service:uploads" }, []],
    ["a subject that is too long", { subject: "4711".repeat(151) }, ["subject-too-long"]],
    ["a subject that just fits", { subject: "4711".repeat(150) }, []],
    ["a subject without number", { subject: "system:serviceaccount:ddoe:uploads" }, ["subject-names-no-tenant"]],
    ["another cloud's audience", { audiences: ["api://AzureADTokenExchangeUSGov"] }, ["audience-of-other-cloud"]],
    ["an audience in lower case", { audiences: ["api://azureadtokenexchange"] }, ["audience-misspelt"]],
    ["an audience with a slash", { audiences: [`${AUDIENCE}/`] }, ["audience-misspelt"]],
    ["an audience of the platform's own", { audiences: ["https://ddoe.example/azure"] }, ["audience-unusual"]],
    ["a blank in the audience", { audiences: [` ${AUDIENCE}`] }, ["audience-blank"]],
    ["a wildcard for an audience", { audiences: ["*"] }, ["audience-wildcard"]],
    ["no audience", { audiences: [] }, ["audience-count"]],
    ["two audiences", { audiences: [AUDIENCE, "x"] }, ["audience-count"]],
    ["an expression", { subject: "", claimsMatchingExpression: "claims['sub'] matches 'repo:acme/*'" }, ["expression-refused"]],
  ])("%s", (_name, changes, expected) => {
    expect(one(changes)).toEqual(expected);
  });

  it("take the audience of their cloud", () => {
    expect(one({ audiences: ["api://AzureADTokenExchangeUSGov"] }, { cloud: "usgovernment" })).toEqual([]);
    expect(one({ audiences: [AUDIENCE] }, { cloud: "china" })).toEqual(["audience-of-other-cloud"]);
  });

  it("name the tenant, where it is known how the platform names it", () => {
    expect(lintCredentials([goodCredential()], { tenantHint: "acme" })).toMatchObject([{ code: "subject-names-no-tenant", severity: "warning", path: 'credentials["dcf"].subject' }]);
    expect(lintCredentials([goodCredential({ subject: "system:serviceaccount:ddoe:uploads" })])).toMatchObject([{ code: "subject-names-no-tenant", severity: "info" }]);
    expect(one({ subject: "system:serviceaccount:dcf:acme" }, { tenantHint: "acme" })).toEqual([]);
  });

  it("admit the workload and nobody else", () => {
    const other = goodCredential({ name: "other", subject: "system:serviceaccount:dcf:project-4712" });
    expect(lintCredentials([goodCredential(), other], { intended: WORKLOAD })).toMatchObject([{ code: "credential-of-others", severity: "warning", path: 'credentials["other"]', message: expect.stringContaining("project-4712") }]);
    expect(lintCredentials([goodCredential({ issuer: `${ISSUER}/` })], { intended: WORKLOAD }).map(({ code }) => code)).toEqual(["workload-refused", "credential-of-others", "issuer-slash"]);
    expect(lintCredentials([], { intended: WORKLOAD })).toMatchObject([{ code: "workload-refused", message: "The workload itself is refused: the identity has no federated identity credentials." }]);
    for (const changes of [{ issuer: `${ISSUER}/a` }, { audiences: ["x"] }]) {
      expect(lintCredentials([goodCredential(), goodCredential({ name: "other", ...changes })], { intended: WORKLOAD }).map(({ code }) => code)).toContain("credential-of-others");
    }
    const [found] = lintCredentials([goodCredential({ subject: SUBJECT.toUpperCase() })], { intended: WORKLOAD });
    expect(found?.message).toContain("subject");
  });

  it("are at most twenty, each with an issuer and subject of its own", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => goodCredential({ name: `c${index}`, subject: `system:serviceaccount:dcf:project-${1000 + index}` }));
    expect(codes(many(19))).toEqual([]);
    expect(codes(many(20))).toEqual(["credentials-full"]);
    expect(codes(many(21))).toEqual(["credentials-too-many"]);
    expect(codes([goodCredential(), goodCredential({ name: "twin", audiences: [AUDIENCE] })])).toEqual(["credential-duplicate"]);
    expect(codes([goodCredential(), goodCredential({ name: "no-twin", issuer: "https://oidc.ddoe.example" })])).toEqual([]);
    const flexible = (name: string) => goodCredential({ name, subject: "", claimsMatchingExpression: "claims['sub'] eq 'x'" });
    expect(codes([flexible("one"), flexible("two")])).toEqual(["expression-refused", "expression-refused"]);
  });

  it("the gravest first", () => {
    expect(lintCredentials([goodCredential({ issuer: `${ISSUER}/`, subject: "*" })]).map(({ severity }) => severity)).toEqual(["error", "info"]);
  });
});

describe("role assignments", () => {
  const SUBSCRIPTION = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
  const GROUP = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
  const ACCOUNT = `${GROUP}/providers/Microsoft.Storage/storageAccounts/acmedcfartifacts`;
  const CONTAINER = `${ACCOUNT}/blobServices/default/containers/artifacts`;
  const CLIENT = "00001111-aaaa-2222-bbbb-3333cccc4444";
  const APPLICATION = "cccccccc-0000-1111-2222-dddddddddddd";
  const options: AssignmentLintOptions = {
    principalId: PRINCIPAL,
    clientId: CLIENT,
    applicationObjectId: APPLICATION,
    identityId: `${SUBSCRIPTION}/resourceGroups/rg-acme-identity/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-acme-dcf`,
    containerId: CONTAINER,
    role: (id) => builtInRole(id),
  };
  const assignment = (role: string, scope: string, changes: Partial<RoleAssignment> = {}): RoleAssignment => ({ id: `a:${role}`, scope, roleDefinitionId: roleDefinitionId("s", builtInRole(role)?.name ?? ""), principalId: PRINCIPAL, ...changes });
  const codes = (...args: Parameters<typeof assignment>) => lintAssignments([assignment(...args)], options).map(({ code }) => code);

  it.each<[string, string, string[]]>([
    ["Storage Blob Data Contributor", CONTAINER, []],
    ["Storage Blob Data Contributor", CONTAINER.toUpperCase(), []],
    ["Contributor", GROUP, ["role-lists-keys"]],
    ["Reader", GROUP, []],
    ["Reader", SUBSCRIPTION, []],
    ["Contributor", SUBSCRIPTION, ["role-scope-wide", "identity-rewrites-trust", "role-lists-keys"]],
    ["Contributor", "/providers/Microsoft.Management/managementGroups/acme", ["role-scope-wide", "role-lists-keys"]],
    ["Contributor", `${SUBSCRIPTION}/resourceGroups/rg-acme-identity`, ["identity-rewrites-trust", "role-lists-keys"]],
    ["Managed Identity Contributor", `${SUBSCRIPTION}/resourceGroups/rg-acme-identity`, ["identity-rewrites-trust"]],
    ["Managed Identity Operator", `${SUBSCRIPTION}/resourceGroups/rg-acme-identity`, []],
    ["Owner", GROUP, ["role-assigns-roles", "role-lists-keys"]],
    ["User Access Administrator", GROUP, ["role-assigns-roles"]],
    ["Storage Blob Data Contributor", ACCOUNT, ["data-role-wide"]],
    ["Storage Blob Data Contributor", GROUP, ["data-role-wide"]],
    ["Storage Blob Data Contributor", `${ACCOUNT}/blobServices/default/containers/other`, []],
    ["Storage Blob Data Owner", CONTAINER, ["data-role-strong"]],
    ["Storage Blob Data Reader", ACCOUNT, ["data-role-wide"]],
    ["AcrPush", GROUP, []],
  ])("%s on %s", (role, scope, expected) => {
    expect(codes(role, scope)).toEqual(expected);
  });

  it("are given to the service principal, not to its other ids", () => {
    expect(lintAssignments([assignment("Contributor", GROUP, { principalId: APPLICATION })], options)).toMatchObject([
      { code: "principal-mistaken", severity: "error", path: "a:Contributor", message: expect.stringContaining("the object id of the app registration"), fix: `Assign it to the service principal's object id, ${PRINCIPAL}.` },
    ]);
    expect(lintAssignments([assignment("Contributor", GROUP, { principalId: CLIENT.toUpperCase() })], options)).toMatchObject([{ code: "principal-mistaken", message: expect.stringContaining("the application (client) id") }]);
    expect(codes("Owner", SUBSCRIPTION, { principalId: "99999999-0000-1111-2222-dddddddddddd" })).toEqual([]);
  });

  it("have conditions that can be read, and roles that are known", () => {
    expect(codes("Storage Blob Data Contributor", CONTAINER, { condition: "@Resource[a] StringEquals" })).toEqual(["condition-unreadable"]);
    expect(codes("Storage Blob Data Contributor", CONTAINER, { condition: "@Resource[a] StringEquals 'x'" })).toEqual([]);
    expect(codes("Storage Blob Data Contributor", CONTAINER, { condition: "" })).toEqual([]);
    expect(codes("Contributor", SUBSCRIPTION, { roleDefinitionId: "99999999-0000-1111-2222-dddddddddddd" })).toEqual([]);
  });

  it("are not compared with what is not known", () => {
    const bare: AssignmentLintOptions = { principalId: PRINCIPAL, role: (id) => builtInRole(id) };
    expect(lintAssignments([assignment("Storage Blob Data Owner", ACCOUNT), assignment("Contributor", GROUP, { principalId: APPLICATION })], bare)).toEqual([]);
  });
});

describe("texts that differ", () => {
  it.each<[string, string, string | undefined]>([
    ["a", "a", undefined],
    ["a/", "a", "a slash more at its end"],
    ["a", "a/", "a slash less at its end"],
    ["a ", "a", "blanks at an end"],
    ["a b", "ab", "blanks in it"],
    ["a\u200Bb", "ab", "characters that are not seen"],
    ["a\uFEFF", "a", "blanks at an end"],
    ["A", "a", "another case"],
    ["\u0430bc", "abc", "characters that look alike"],
    ["a\u2013b", "a-b", "characters that look alike"],
    ["A/", "a", "characters that look alike"],
    ["abc", "abd", undefined],
  ])("%j from %j: %s", (found, expected, hint) => {
    expect(differenceOf(found, expected).hint).toBe(hint);
  });

  it("show what is not seen, and where they part", () => {
    expect(differenceOf("ab\u200Bc", "abc")).toEqual({ found: '"ab\\u{200B}c"', expected: '"abc"', hint: "characters that are not seen", common: 2 });
    expect(visible('é"😀\n')).toBe('"\\u{E9}\\"\\u{1F600}\\n"');
    expect([hasInvisible("a\u00A0b"), hasInvisible("a b"), hasInvisible("a\tb"), hasInvisible("é")]).toEqual([true, false, true, false]);
    expect(differenceOf("abc", "abc").common).toBe(3);
    expect(differenceOf("ab", "abc").common).toBe(2);
  });
});

describe("names and values", () => {
  it.each<[keyof typeof textRules, string[], string[]]>([
    ["tenantId", ["aaaabbbb-0000-cccc-1111-dddd2222eeee", "AAAABBBB-0000-CCCC-1111-DDDD2222EEEE"], ["aaaabbbb", "aaaabbbb-0000-cccc-1111-dddd2222eeeg", "{aaaabbbb-0000-cccc-1111-dddd2222eeee}"]],
    ["resourceGroup", ["rg", "rg-acme_dcf.(1)", "größe", "a".repeat(90)], ["", "rg.", "a".repeat(91), "a b", "a/b", "a#b"]],
    ["location", ["westeurope", "usgovvirginia", "chinanorth3"], ["West Europe", "eu-west-1", ""]],
    ["tagName", ["dcfCorrelationId", "a b", "a".repeat(512)], ["", "a/b", "a?b", "azure-x", "Microsoft", "a".repeat(513)]],
    ["tagValue", ["", "a".repeat(256), "<any>"], ["a".repeat(257)]],
    ["managedIdentity", ["abc", "1a_-", "a".repeat(128)], ["ab", "-abc", "a.b", "a".repeat(129)]],
    ["applicationName", ["Acme DDOE", "a".repeat(120)], ["", "a<b", "a".repeat(121), "a\u200B"]],
    ["federatedCredential", ["abc", "a".repeat(120)], ["ab", "_abc", "a b c", "a".repeat(121)]],
    ["issuer", [ISSUER, `${ISSUER}/`, "https://a.example:8443/x/y"], ["http://a.example", `${ISSUER} `, "https://a.example?x", "https://u@a.example", "https://a.example#x", `https://a.example/${"a".repeat(600)}`]],
    ["subject", [SUBJECT, "a", "a b", "repo:acme/x:ref:refs/heads/main", "a".repeat(600)], ["", " a", "a ", "a*", "a?b", "a\u200Bb", "a\nb", "a".repeat(601)]],
    ["audience", [AUDIENCE, "x"], ["", "a b", "a*", " a", "a".repeat(601)]],
    ["storageAccount", ["abc", "acme4711", "a".repeat(24)], ["ab", "Acme", "acme-dcf", "a".repeat(25)]],
    ["blobContainer", ["abc", "a-b", "1a1"], ["ab", "a--b", "-abc", "abc-", "Abc", "a".repeat(64), "$web"]],
    ["blobName", ["a", "a/b.zip", "a".repeat(1024)], ["", "a.", "a/", "a".repeat(1025)]],
    ["containerRegistry", ["acme5", "AcmeDcf"], ["acme", "acme-dcf", "a".repeat(51)]],
    ["appServicePlan", ["a", "plan-1", "a".repeat(60)], ["", "plan_1", "a".repeat(61)]],
    ["site", ["ab", "app-1", "a".repeat(60)], ["a", "-ab", "ab-", "a_b", "a".repeat(61)]],
    ["roleAssignmentName", ["00000000-0000-0000-0000-000000000000"], ["contributor"]],
  ])("%s", (rule, good, bad) => {
    for (const value of good) expect([value, ruleViolation(rule, value)]).toEqual([value, undefined]);
    for (const value of bad) expect([value, ruleViolation(rule, value)]).toEqual([value, `must be ${textRules[rule].form}; got ${JSON.stringify(value)}`]);
  });

  it("of what has an endpoint have no reserved words", () => {
    expect(["acmemicrosoft", "Windows1", "loginacme", "XBOX", "Office365"].map(reservedWord)).toEqual(["microsoft", "windows", "login", "xbox", "office365"]);
    expect(["acmelogin", "myxbox", "office-1", "micro-soft"].map(reservedWord)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("have examples that keep their rules", () => {
    for (const [name, rule] of Object.entries(textRules)) expect([name, ruleViolation(name as keyof typeof textRules, rule.example)]).toEqual([name, undefined]);
  });
});
