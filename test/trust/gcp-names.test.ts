import { narrowestRole } from "../../facts/gcp/permissions.js";
import { PREDEFINED_ROLES, rolePermissions, rolesGranting } from "../../facts/gcp/roles.js";
import { grantedRoles, permissionsOf } from "../../facts/gcp/grants.js";
import { computeServiceAccountEmail, legacyBuildServiceAccountEmail, parseServiceAccountEmail, poolName, poolOf, serviceAccountEmail, serviceAgentEmail } from "../../facts/gcp/identifiers.js";
import { audiencesOf, memberViolation, namesProvider, normaliseAudience, parseFederatedMember, parseStsAudience } from "../../trust/gcp.js";
import { compileCel } from "../../trust/gcp/cel.js";
import { equalitiesIn, literalsIn, namesIn, selectsOf } from "../../trust/gcp/cel-names.js";
import { extract } from "../../trust/gcp/extract.js";
import { POOL, PROVIDER } from "./gcp-recorded-answers.js";

describe("a provider's spellings", () => {
  const audiences = audiencesOf({ projectNumber: "123456789012", pool: "dcf-pool", provider: "dcf-provider" });

  it("are made from one name", () => {
    expect(audiences).toEqual({
      projectNumber: "123456789012",
      pool: "dcf-pool",
      provider: "dcf-provider",
      name: PROVIDER,
      stsAudience: `//iam.googleapis.com/${PROVIDER}`,
      defaultTokenAudiences: [`https://iam.googleapis.com/${PROVIDER}`, `//iam.googleapis.com/${PROVIDER}`],
      targetResource: `//iam.googleapis.com/${PROVIDER}`,
    });
  });

  it.each([PROVIDER, `//iam.googleapis.com/${PROVIDER}`, `https://iam.googleapis.com/${PROVIDER}`, `http://iam.googleapis.com/${PROVIDER}`, ` ${PROVIDER}/\n`, `https://iam.googleapis.com/v1/${PROVIDER}`])("are taken as pasted: %j", (pasted) => {
    expect(normaliseAudience(pasted)).toEqual(audiences);
  });

  it.each<[string, RegExp]>([
    [PROVIDER.replace("123456789012", "customer-app-prod"), /project by its id "customer-app-prod".*project's number \(gcloud projects describe customer-app-prod /],
    [PROVIDER.replace("123456789012", "0123"), /project's number/],
    [PROVIDER.replace("global", "us-central1"), /the location "us-central1".*"global" only/],
    [POOL, /is the name of a pool; add \/providers\/PROVIDER/],
    ["locations/global/workforcePools/p/providers/q", /workforce pool/],
    [`${PROVIDER}/keys/x`, /must be the full name of a provider/],
    [PROVIDER.replace("dcf-pool", "abc"), /has "abc" where an id of 4 to 32/],
    [PROVIDER.replace("dcf-provider", "DCF-provider"), /has "DCF-provider"/],
    ["dcf-provider", /must be the full name/],
    [`//iam.example.com/${PROVIDER}`, /must be the full name/],
  ])("are refused with the way out: %s", (pasted, reason) => {
    expect(normaliseAudience(pasted)).toMatch(reason);
  });

  it("STS takes the plain one, with whatever stands for the project", () => {
    expect(parseStsAudience(audiences.stsAudience)).toEqual({ project: "123456789012", pool: "dcf-pool", provider: "dcf-provider" });
    expect(parseStsAudience(audiences.stsAudience.replace("123456789012", "customer-app-prod"))?.project).toBe("customer-app-prod");
    for (const wrong of [PROVIDER, `https:${audiences.stsAudience}`, audiences.stsAudience.replace("global", "us"), `${audiences.stsAudience}/x`]) expect(parseStsAudience(wrong)).toBeUndefined();
  });

  it("tokens and signatures name it with https: or without", () => {
    const names = (text: string) => namesProvider(text, PROVIDER);
    expect([`//iam.googleapis.com/${PROVIDER}`, `https://iam.googleapis.com/${PROVIDER}`].map(names)).toEqual([true, true]);
    expect([PROVIDER, `http://iam.googleapis.com/${PROVIDER}`, `//iam.googleapis.com/${PROVIDER}/`, `https://iam.googleapis.com/${PROVIDER}x`].map(names)).toEqual([false, false, false, false]);
  });
});

describe("members", () => {
  const principal = `principal://iam.googleapis.com/${POOL}`;
  const set = `principalSet://iam.googleapis.com/${POOL}`;

  it.each<[string, unknown]>([
    [`${principal}/subject/system:serviceaccount:dcf:x`, { pool: POOL, kind: "subject", value: "system:serviceaccount:dcf:x" }],
    [`${principal}/subject/a/b%2Fc`, { pool: POOL, kind: "subject", value: "a/b%2Fc" }],
    [`${set}/group/a/b`, { pool: POOL, kind: "group", value: "a/b" }],
    [`${set}/attribute.aws_role/arn:aws:sts::1:assumed-role/r`, { pool: POOL, kind: "attribute", name: "aws_role", value: "arn:aws:sts::1:assumed-role/r" }],
    [`${set}/*`, { pool: POOL, kind: "pool" }],
    [`${principal}/subject/`, undefined],
    [`${principal}/*`, undefined],
    [`${set}/subject/x`, undefined],
    [`${set}/attribute.Aws/x`, undefined],
    [`${set}/attribute.aws/`, undefined],
    [`${set}/group/`, undefined],
    [`${principal}/xsubject/x`, undefined],
    [`${set}/xgroup/x`, undefined],
    ["user:a@b.example", undefined],
  ])("%s", (member, expected) => {
    expect(parseFederatedMember(member)).toEqual(expected);
  });

  it.each([
    "allUsers",
    "allAuthenticatedUsers",
    "user:a@b.example",
    "user:principal@b.example",
    "group:a@b.example",
    "serviceAccount:dcf@customer-app-prod.iam.gserviceaccount.com",
    "serviceAccount:customer-app-prod.svc.id.goog[dcf/agent]",
    "domain:example.com",
    "projectOwner:customer-app-prod",
    "deleted:serviceAccount:dcf@customer-app-prod.iam.gserviceaccount.com?uid=123",
    `${principal}/subject/x`,
    `${set}/*`,
    "principalSet://cloudresourcemanager.googleapis.com/projects/123/type/ServiceAccount",
  ])("takes %s", (member) => expect(memberViolation(member)).toBeUndefined());

  it.each<[string, RegExp]>([
    ["dcf@customer-app-prod.iam.gserviceaccount.com", /must begin with user:/],
    ["users:a@b.example", /must begin with user:/],
    ["serviceAccount:dcf", /must be serviceAccount: and an email address/],
    ["user:a b@c.example", /email address/],
    ['user:"a@b.example"x', /email address/],
    ["domain:example", /domain/],
    ["projectOwner:a b", /project's id/],
    ["deleted:serviceAccount:a@b.example", /must begin with/],
    [`principal:${POOL}/subject/x`, /must be principal:\/\/iam\.googleapis\.com/],
    [`${principal.replace("123456789012", "customer-app-prod")}/subject/x`, /by its number, not by its id "customer-app-prod"/],
    [`${principal.replace("global", "eu")}/subject/x`, /location global/],
    [`${principal}/x`, /must end in \/subject\/SUBJECT/],
    [`${set}/subject/x`, /must end in \/attribute\.NAME\/VALUE/],
    ["principal:x", /must be principal:\/\//],
  ])("refuses %s", (member, reason) => expect(memberViolation(member)).toMatch(reason));
});

describe("names that Google builds", () => {
  it("of pools and accounts", () => {
    expect(poolName("123456789012", "dcf-pool")).toBe(POOL);
    expect(poolOf(PROVIDER)).toBe(POOL);
    expect(serviceAccountEmail("dcf", "customer-app-prod")).toBe("dcf@customer-app-prod.iam.gserviceaccount.com");
    expect(parseServiceAccountEmail("dcf@customer-app-prod.iam.gserviceaccount.com")).toEqual({ accountId: "dcf", projectId: "customer-app-prod" });
    for (const other of ["1-compute@developer.gserviceaccount.com", "a@b.example", "x@y@customer-app-prod.iam.gserviceaccount.com"]) expect(parseServiceAccountEmail(other)).toBeUndefined();
    expect(computeServiceAccountEmail("1")).toBe("1-compute@developer.gserviceaccount.com");
    expect(legacyBuildServiceAccountEmail("1")).toBe("1@cloudbuild.gserviceaccount.com");
    expect(serviceAgentEmail("serverless-robot-prod", "1")).toBe("service-1@serverless-robot-prod.iam.gserviceaccount.com");
  });
});

describe("extract", () => {
  // Examples of Google's documentation: https://cloud.google.com/iam/docs/conditions-attribute-reference#extract
  const object = "projects/_/buckets/acme-orders-aaa/data_lake/orders/order_date=2019-11-03/aef87g87ae0876";
  it.each([
    ["/order_date={date}/", "2019-11-03"],
    ["buckets/{name}/", "acme-orders-aaa"],
    ["/orders/{empty}order_date", ""],
    ["projects/{at_once}_/", ""],
    ["{start}/data_lake", "projects/_/buckets/acme-orders-aaa"],
    ["orders/{end}", "order_date=2019-11-03/aef87g87ae0876"],
    ["{all}", object],
    ["/orders/{none}/order_date=", ""],
    ["/nothing/{none}/", ""],
  ])("%s", (template, expected) => expect(extract(object, template)).toBe(expected));

  it.each(["", "x", "{a}{b}", "{a", "a}", "x{a}y{b}z"])("refuses the template %j", (template) => expect(() => extract("x", template)).toThrow(/exactly one \{name\}/));
});

describe("CEL", () => {
  const run = (expression: string, assertion: unknown) => {
    const program = compileCel(expression, "attribute-mapping");
    if (typeof program === "string") return program;
    const outcome = program.evaluate({ assertion });
    return outcome.ok ? outcome.value : `error: ${outcome.error}`;
  };

  it.each<[string, unknown]>([
    ["assertion.a + '-' + assertion.b", "Ab-c/d"],
    ["assertion.a.lowerAscii() + assertion.a.upperAscii()", "abAB"],
    ["assertion.b.split('/')[1]", "d"],
    ["assertion.list.join(',')", "x,y"],
    ["assertion.b.replace('/', '.')", "c.d"],
    ["assertion.b.matches('^c/.$')", true],
    ["assertion.b.matches('c')", true],
    ["assertion.b.startsWith('c') && assertion.b.endsWith('d') && assertion.b.contains('/')", true],
    ["'x' in assertion.list", true],
    ["'z' in assertion.list", false],
    ["size(assertion.list) == 2 && assertion.list.size() == 2", true],
    ["has(assertion.a) && !has(assertion.none)", true],
    ["assertion.list.exists(i, i == 'y')", true],
    ["assertion.list.all(i, i == 'y')", false],
    ["assertion.list.map(i, i + '!')", ["x!", "y!"]],
    ["assertion.deep['k.l'].m", "n"],
    ["assertion.n == 5 && assertion.n > 4", true],
    ["string(assertion.n)", "5"],
    ["{'p': assertion.a}[assertion.p]", "Ab"],
    ["assertion.a == 'Ab' ? 'yes' : assertion.none", "yes"],
    ["assertion.flag ? 'on' : 'off'", "on"],
    ["assertion.nothing == null", true],
    ["assertion.deep", { "k.l": { m: "n" } }],
    ["[1, 2u]", [1n, 2n]],
  ])("%s", (expression, expected) => {
    expect(run(expression, { a: "Ab", b: "c/d", list: ["x", "y"], deep: { "k.l": { m: "n" } }, n: 5, p: "p", flag: true, nothing: null })).toEqual(expected);
  });

  it.each<[string, RegExp]>([
    ["assertion.", /is no CEL expression/],
    ["", /is no CEL expression/],
    ["subject", /names subject, which is not there; there is assertion/],
    ["google.subject", /names google/],
    ["assertion.a.substring(1)", /calls substring, which Google does not offer here/],
    ["timestamp('2020-01-01T00:00:00Z')", /calls timestamp/],
    ["assertion.list.exists(i, j == 'y')", /names j/],
    ["google.protobuf.Timestamp{seconds: 1}", /makes a google\.protobuf\.Timestamp/],
    ["assertion.a.matches('(?=a)')", /^error: /],
    ["assertion.none", /^error: field not found: none/],
    ["assertion.constructor", /^error: /],
    ["assertion.a.extract('x')", /^error: .*exactly one/],
  ])("refuses %j", (expression, reason) => expect(run(expression, { a: "A", list: [] })).toMatch(reason));

  it("compiles an expression once for each place that it stands in", () => {
    expect(compileCel("assertion.sub == 'once'", "attribute-condition")).toBe(compileCel("assertion.sub == 'once'", "attribute-condition"));
    expect(typeof compileCel("google.subject == 'x'", "attribute-condition")).toBe("object");
    expect(typeof compileCel("google.subject == 'x'", "attribute-mapping")).toBe("string");
    const first = compileCel("assertion.sub == 'forgotten'", "attribute-condition");
    for (let index = 0; index < 1000; index += 1) compileCel(`assertion.sub == '${index}'`, "attribute-condition");
    expect(compileCel("assertion.sub == 'forgotten'", "attribute-condition")).not.toBe(first);
  });

  it("says what an expression names", () => {
    const program = compileCel("assertion.a.b == 'x' || ('y' == attribute['c'] && has(google.groups)) || [assertion].exists(i, i.d == {'k': 'z'}['k'])", "attribute-condition");
    if (typeof program === "string") throw new Error(program);
    expect(namesIn(program.tree).variables).toEqual(["assertion", "attribute", "google"]);
    expect(selectsOf(program.tree)).toEqual(["assertion.a.b", "attribute.c", "google.groups", "i.d"]);
    expect(equalitiesIn(program.tree)).toEqual([{ path: "assertion.a.b", value: "x" }, { path: "attribute.c", value: "y" }]);
    expect(literalsIn(program.tree)).toEqual(expect.arrayContaining(["x", "y", "z"]));
  });
});

describe("predefined roles", () => {
  it.each<[string, string[], string[]]>([
    ["roles/iam.workloadIdentityUser", ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"], ["iam.serviceAccounts.signBlob", "iam.serviceAccounts.actAs"]],
    ["roles/iam.serviceAccountTokenCreator", ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.signBlob", "iam.serviceAccounts.implicitDelegation"], ["iam.serviceAccounts.actAs"]],
    ["roles/iam.serviceAccountUser", ["iam.serviceAccounts.actAs"], ["iam.serviceAccounts.getAccessToken"]],
    ["roles/owner", ["iam.serviceAccounts.actAs", "storage.buckets.create", "run.services.setIamPolicy"], ["iam.serviceAccounts.getAccessToken", "storage.objects.get"]],
    ["roles/editor", ["run.services.create", "cloudbuild.builds.create"], ["run.services.setIamPolicy", "resourcemanager.projects.setIamPolicy", "storage.objects.get"]],
    ["roles/viewer", ["logging.logEntries.list", "run.services.get"], ["run.services.update", "logging.privateLogEntries.list"]],
    ["roles/storage.objectCreator", ["storage.objects.create"], ["storage.objects.get", "storage.objects.list", "storage.objects.delete"]],
    ["roles/storage.objectAdmin", ["storage.objects.create", "storage.objects.delete"], ["storage.buckets.get"]],
    ["roles/run.developer", ["run.services.create", "run.services.update", "run.services.getIamPolicy"], ["run.services.setIamPolicy", "iam.serviceAccounts.actAs"]],
    ["roles/run.admin", ["run.services.setIamPolicy"], ["iam.serviceAccounts.actAs"]],
    ["roles/container.clusterViewer", ["container.clusters.get"], ["container.deployments.update"]],
    ["roles/artifactregistry.writer", ["artifactregistry.repositories.uploadArtifacts"], ["artifactregistry.repositories.deleteArtifacts"]],
    ["roles/iam.workloadIdentityPoolAdmin", ["iam.workloadIdentityPools.create", "iam.workloadIdentityPoolProviders.undelete"], ["iam.serviceAccounts.create"]],
    ["roles/logging.viewer", ["logging.logEntries.list"], ["logging.privateLogEntries.list"]],
  ])("%s", (name, has, hasNot) => {
    const permissions = rolePermissions(name);
    expect(has.filter((permission) => permissions?.includes(permission) !== true)).toEqual([]);
    expect(hasNot.filter((permission) => permissions?.includes(permission) === true)).toEqual([]);
  });

  it("are known by their full names, each with a title and permissions of one form", () => {
    expect(rolePermissions("storage.objectAdmin")).toBeUndefined();
    for (const { name, title, permissions } of PREDEFINED_ROLES.values()) {
      expect([name, title.length > 0, permissions.length > 0]).toEqual([name, true, true]);
      expect(permissions.filter((permission) => !/^[a-z]+\.[A-Za-z]+\.[A-Za-z]+$/.test(permission))).toEqual([]);
      expect(new Set(permissions).size).toBe(permissions.length);
    }
  });

  it("that integrations grant have what is said to need them", () => {
    const holds = (set: Parameters<typeof permissionsOf>[0], role: keyof typeof grantedRoles) => permissionsOf(set).filter((permission) => rolePermissions(grantedRoles[role])?.includes(permission) !== true);
    expect([
      holds("artifact-objects", "objectAdmin"),
      holds("object-delivery", "objectCreator"),
      holds("builds", "buildsEditor"),
      holds("act-as", "serviceAccountUser"),
      holds("image-reading", "registryReader"),
      holds("cloud-run-service", "runDeveloper"),
      holds("cloud-run-service-creation", "runDeveloper"),
      holds("logs", "logViewer"),
      holds("build-source", "objectViewer"),
      holds("build-image", "registryWriter"),
      holds("build-log", "logWriter"),
    ].flat()).toEqual([]);
    expect(permissionsOf("public-access").filter((permission) => rolePermissions(grantedRoles.runDeveloper)?.includes(permission))).toEqual([]);
  });

  it.each<[string, string | undefined]>([
    ["storage.objects.create", "roles/storage.objectCreator"],
    ["storage.objects.get", "roles/storage.objectViewer"],
    ["storage.objects.delete", "roles/storage.objectAdmin"],
    ["storage.buckets.get", "roles/storage.bucketViewer"],
    ["iam.serviceAccounts.getAccessToken", "roles/iam.workloadIdentityUser"],
    ["iam.serviceAccounts.actAs", "roles/iam.serviceAccountUser"],
    ["cloudbuild.builds.create", "roles/cloudbuild.builds.editor"],
    ["run.services.update", "roles/run.developer"],
    ["run.routes.invoke", "roles/run.invoker"],
    ["logging.logEntries.create", "roles/logging.logWriter"],
    ["container.clusters.get", "roles/container.clusterViewer"],
    ["artifactregistry.repositories.uploadArtifacts", "roles/artifactregistry.writer"],
    ["serviceusage.services.use", "roles/serviceusage.serviceUsageConsumer"],
    ["resourcemanager.projects.setIamPolicy", "roles/resourcemanager.projectIamAdmin"],
    ["nothing.of.thekind", undefined],
  ])("the narrowest for %s", (permission, role) => expect(narrowestRole(permission)).toBe(role));

  it("recommends basic roles last, and those of Google's own accounts never", () => {
    const granting = rolesGranting("cloudbuild.builds.create");
    expect(granting.slice(-2)).toEqual(["roles/owner", "roles/editor"].sort((a, b) => (rolePermissions(a)?.length ?? 0) - (rolePermissions(b)?.length ?? 0)));
    expect(rolesGranting("artifactregistry.repositories.downloadArtifacts").filter((name) => /[sS]erviceAgent|legacy|ode/.test(name))).toEqual([]);
  });
});
