import { neededActions, grantedRoles } from "../../facts/azure/permissions.js";
import { builtInRole, roleDefinitionId } from "../../facts/azure/roles.js";
import {
  authorize,
  conditionMistake,
  conditionProblem,
  lockOn,
  matchesAction,
  narrowestRole,
  operationOf,
  permits,
  scopeCovers,
  scopeLevel,
  type AzureAccessQuestion,
  type DenyAssignment,
  type ManagementLock,
  type RoleAssignment,
} from "../../trust/azure.js";

const SUBSCRIPTION = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e";
const GROUP = `${SUBSCRIPTION}/resourceGroups/rg-acme-dcf`;
const ACCOUNT = `${GROUP}/providers/Microsoft.Storage/storageAccounts/acmedcfartifacts`;
const CONTAINER = `${ACCOUNT}/blobServices/default/containers/artifacts`;
const MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/acme";
const PRINCIPAL = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb";
const EVERYBODY = "00000000-0000-0000-0000-000000000000";
const READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read";
const BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";

const guidOf = (role: string) => builtInRole(role)?.name ?? "";
const assignment = (role: string, scope: string, changes: Partial<RoleAssignment> = {}): RoleAssignment => ({
  id: `${scope}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-3333-4444-555555555555`,
  scope,
  roleDefinitionId: roleDefinitionId("aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", guidOf(role)),
  principalId: PRINCIPAL,
  ...changes,
});
const ask = (assignments: readonly RoleAssignment[], changes: Partial<AzureAccessQuestion> = {}) =>
  authorize({ principalIds: [PRINCIPAL], action: READ_GROUP, scope: GROUP, assignments, role: (id) => builtInRole(id), ...changes });
const data = (verb: string, scope = `${CONTAINER}/blobs/a.zip`) => ({ action: `${BLOBS}/${verb}`, dataAction: true, scope });

describe("actions", () => {
  it.each([
    ["*", "Microsoft.Web/sites/read", true],
    ["*/read", "Microsoft.Web/sites/read", true],
    ["*/read", "Microsoft.Web/sites/write", false],
    ["*/read", "read", false],
    ["Microsoft.Web/sites/*", "Microsoft.Web/sites/config/list/action", true],
    ["Microsoft.Web/sites/*", "Microsoft.Web/sitesX/read", false],
    ["Microsoft.Web/sites/*", "Microsoft.Web/sites", false],
    ["Microsoft.Authorization/*/Write", "microsoft.authorization/roleAssignments/write", true],
    ["Microsoft.Authorization/*/Write", "Microsoft.Authorization/write", false],
    ["Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action", "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", false],
    ["Microsoft.Web/sites/read", "microsoft.web/SITES/Read", true],
    ["Microsoft.Web/sites/read", "Microsoft.Web/sites/readX", false],
    ["Microsoft.Web/sites/read", "XMicrosoft.Web/sites/read", false],
    ["a*b*a", "aba", true],
    ["a*a", "a", false],
    ["*ab*b", "ab", false],
    ["*ab*b", "abb", true],
    ["a*b*c*d", "a1b2c3d", true],
    ["a*b*c*d", "a1c2b3d", false],
    ["Microsoft.Web/sites/rea?", "Microsoft.Web/sites/read", false],
  ])("%s matches %s: %s", (pattern, action, matches) => {
    expect(matchesAction(pattern, action)).toBe(matches);
  });

  it("of one plane are not those of the other", () => {
    const { permissions } = builtInRole("Contributor") ?? { permissions: [] };
    expect(permits(permissions, { action: `${BLOBS}/read`, data: false })).toBe(true);
    expect(permits(permissions, { action: `${BLOBS}/read`, data: true })).toBe(false);
    const { permissions: blobs } = builtInRole("Storage Blob Data Contributor") ?? { permissions: [] };
    expect(permits(blobs, { action: `${BLOBS}/read`, data: true })).toBe(true);
    expect(permits(blobs, { action: `${BLOBS}/read`, data: false })).toBe(false);
  });

  it("that one permission takes away, another one gives", () => {
    const entry = { actions: ["a/*"], notActions: ["a/write"], dataActions: ["d/*"], notDataActions: ["d/write"] };
    const may = (action: string, isData: boolean, ...more: { actions: string[] }[]) => permits([entry, ...more.map((one) => ({ notActions: [], dataActions: [], notDataActions: [], ...one }))], { action, data: isData });
    expect([may("a/read", false), may("a/write", false), may("d/read", true), may("d/write", true)]).toEqual([true, false, true, false]);
    expect(may("a/write", false, { actions: ["a/write"] })).toBe(true);
  });
});

describe("built-in roles", () => {
  const may = (role: string, action: string, isData = false) => permits(builtInRole(role)?.permissions ?? [], { action, data: isData });

  it("are found by GUID, ARM id and name", () => {
    for (const id of ["b24988ac-6180-42a0-ab88-20f7382dd24c", "B24988AC-6180-42A0-AB88-20F7382DD24C", roleDefinitionId("s", "b24988ac-6180-42a0-ab88-20f7382dd24c"), "Contributor", "contributor"]) expect(builtInRole(id)?.roleName).toBe("Contributor");
    expect(builtInRole("Contributors")).toBeUndefined();
    expect(builtInRole("b24988ac-6180-42a0-ab88-20f7382dd24d")).toBeUndefined();
  });

  it.each<[string, string, boolean, boolean]>([
    ["Owner", "Microsoft.Authorization/roleAssignments/write", false, true],
    ["Contributor", "Microsoft.Authorization/roleAssignments/write", false, false],
    ["Contributor", "Microsoft.Authorization/roleAssignments/delete", false, false],
    ["Contributor", "Microsoft.Authorization/locks/write", false, false],
    ["Contributor", "Microsoft.Authorization/roleAssignments/read", false, true],
    ["Contributor", "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", false, true],
    ["Contributor", "Microsoft.Storage/storageAccounts/listKeys/action", false, true],
    ["Contributor", "Microsoft.ContainerRegistry/registries/push/write", false, true],
    ["Contributor", "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", false, true],
    ["Contributor", `${BLOBS}/read`, true, false],
    ["Owner", `${BLOBS}/read`, true, false],
    ["Reader", READ_GROUP, false, true],
    ["Reader", "Microsoft.Storage/storageAccounts/listKeys/action", false, false],
    ["User Access Administrator", "Microsoft.Authorization/roleAssignments/write", false, true],
    ["User Access Administrator", "Microsoft.Storage/storageAccounts/write", false, false],
    ["Role Based Access Control Administrator", "Microsoft.Authorization/roleAssignments/write", false, true],
    ["Role Based Access Control Administrator", "Microsoft.Authorization/policyAssignments/write", false, false],
    ["Storage Blob Data Reader", `${BLOBS}/read`, true, true],
    ["Storage Blob Data Reader", `${BLOBS}/write`, true, false],
    ["Storage Blob Data Contributor", `${BLOBS}/write`, true, true],
    ["Storage Blob Data Contributor", `${BLOBS}/manageOwnership/action`, true, false],
    ["Storage Blob Data Owner", `${BLOBS}/manageOwnership/action`, true, true],
    ["Storage Blob Data Contributor", "Microsoft.Storage/storageAccounts/read", false, false],
    ["Storage Account Contributor", "Microsoft.Storage/storageAccounts/listKeys/action", false, true],
    ["Storage Account Contributor", `${BLOBS}/read`, true, false],
    ["AcrPull", "Microsoft.ContainerRegistry/registries/pull/read", false, true],
    ["AcrPull", "Microsoft.ContainerRegistry/registries/push/write", false, false],
    ["AcrPush", "Microsoft.ContainerRegistry/registries/push/write", false, true],
    ["Container Registry Repository Reader", "Microsoft.ContainerRegistry/registries/repositories/content/read", true, true],
    ["Container Registry Repository Reader", "Microsoft.ContainerRegistry/registries/pull/read", false, false],
    ["Website Contributor", "Microsoft.Web/sites/write", false, true],
    ["Website Contributor", "Microsoft.Web/serverfarms/write", false, false],
    ["Managed Identity Contributor", "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", false, true],
    ["Managed Identity Operator", "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", false, false],
  ])("%s: %s (on data: %s): %s", (role, action, isData, allowed) => {
    expect(may(role, action, isData)).toBe(allowed);
  });

  it("grant what each grant needs", () => {
    const plan = { contributor: ["azure-resource-group", "app-service", "app-service-canary"], blobDataContributor: ["blob-container"], blobDataReader: ["blob-container-reading"], acrPull: ["image-pull"] } as const;
    for (const [role, grants] of Object.entries(plan)) {
      for (const grant of grants) for (const { action, data: isData } of neededActions[grant]) expect([role, action, may(grantedRoles[role as keyof typeof plan], action, isData)]).toEqual([role, action, true]);
    }
    expect(neededActions["blob-container"].every(({ action, data: isData }) => may("Storage Blob Data Reader", action, isData))).toBe(false);
  });

  it.each<[string | undefined, boolean, string[]]>([
    ["Storage Blob Data Reader", true, [`${BLOBS}/read`]],
    ["Storage Blob Data Contributor", true, [`${BLOBS}/read`, `${BLOBS}/write`, `${BLOBS}/delete`]],
    ["AcrPull", false, ["Microsoft.ContainerRegistry/registries/pull/read"]],
    ["AcrPush", false, ["Microsoft.ContainerRegistry/registries/push/write"]],
    ["Role Based Access Control Administrator", false, ["Microsoft.Authorization/roleAssignments/write"]],
    ["Contributor", false, ["Microsoft.Web/sites/write", "Microsoft.Storage/storageAccounts/write"]],
    [undefined, true, ["Microsoft.Nothing/at/all"]],
  ])("the narrowest is %s (of data: %s)", (role, isData, actions) => {
    expect(narrowestRole(actions.map((action) => ({ action, data: isData })))?.roleName).toBe(role);
  });
});

describe("scopes", () => {
  it.each([
    [GROUP, GROUP, true],
    [GROUP, ACCOUNT, true],
    [SUBSCRIPTION, CONTAINER, true],
    ["/", CONTAINER, true],
    [`${GROUP}/`, ACCOUNT, true],
    [GROUP.toUpperCase(), ACCOUNT, true],
    [ACCOUNT, GROUP, false],
    [GROUP, `${GROUP}-2`, false],
    [GROUP, `${GROUP}-2/providers/Microsoft.Storage/storageAccounts/x`, false],
    [CONTAINER, `${CONTAINER}2`, false],
  ])("%s covers %s: %s", (scope, other, covers) => {
    expect(scopeCovers(scope, other)).toBe(covers);
  });

  it("are as wide as their form says", () => {
    expect(["/", MANAGEMENT_GROUP, SUBSCRIPTION, GROUP, ACCOUNT].map(scopeLevel)).toEqual(["tenant", "management-group", "subscription", "resource-group", "resource"]);
  });
});

describe("access", () => {
  it("is granted by a role on the scope or above it, and not one character off", () => {
    const own = assignment("Contributor", GROUP);
    expect(ask([own])).toEqual({ allowed: true, reason: "granted", assignment: own });
    for (const wrong of [
      assignment("Contributor", `${GROUP}-2`),
      assignment("Contributor", ACCOUNT),
      assignment("Contributor", GROUP, { principalId: "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbc" }),
      assignment("Contributor", GROUP, { roleDefinitionId: "b24988ac-6180-42a0-ab88-20f7382dd24d" }),
      assignment("AcrPull", GROUP),
    ]) expect(ask([wrong])).toEqual({ allowed: false, reason: "no-assignment" });
    expect(ask([])).toEqual({ allowed: false, reason: "no-assignment" });
    expect(ask([assignment("Contributor", GROUP.toLowerCase(), { principalId: PRINCIPAL.toUpperCase() })], { action: READ_GROUP.toLowerCase() }).allowed).toBe(true);
    expect(ask([assignment("Reader", SUBSCRIPTION)], { scope: CONTAINER, action: "Microsoft.Storage/storageAccounts/blobServices/containers/read" }).allowed).toBe(true);
    expect(ask([assignment("Contributor", GROUP, { roleDefinitionId: guidOf("Contributor") })]).allowed).toBe(true);
  });

  it("is a group's too", () => {
    expect(ask([assignment("Reader", GROUP, { principalId: "99999999-0000-1111-2222-bbbbbbbbbbbb" })]).allowed).toBe(false);
    expect(ask([assignment("Reader", GROUP, { principalId: "99999999-0000-1111-2222-bbbbbbbbbbbb" })], { principalIds: [PRINCIPAL, "99999999-0000-1111-2222-bbbbbbbbbbbb"] }).allowed).toBe(true);
  });

  it("comes from management groups only where the subscription is in them", () => {
    expect(ask([assignment("Reader", MANAGEMENT_GROUP)]).allowed).toBe(false);
    expect(ask([assignment("Reader", MANAGEMENT_GROUP)], { managementGroups: [MANAGEMENT_GROUP.toUpperCase()] }).allowed).toBe(true);
    expect(ask([assignment("Reader", MANAGEMENT_GROUP)], { managementGroups: [`${MANAGEMENT_GROUP}-2`] }).allowed).toBe(false);
  });

  it("to data is not that to resources: Contributor reads no blob, and data roles no group", () => {
    const contributor = assignment("Contributor", GROUP);
    const blobs = assignment("Storage Blob Data Contributor", CONTAINER);
    expect(ask([contributor], data("read"))).toEqual({ allowed: false, reason: "no-assignment" });
    expect(ask([blobs], data("read"))).toEqual({ allowed: true, reason: "granted", assignment: blobs });
    expect(ask([blobs]).allowed).toBe(false);
    expect(ask([contributor, blobs], data("write")).assignment).toBe(blobs);
    expect(ask([assignment("Storage Blob Data Reader", CONTAINER)], data("write")).allowed).toBe(false);
    expect(ask([blobs], data("read", `${ACCOUNT}/blobServices/default/containers/refusal/blobs/a`)).allowed).toBe(false);
  });

  describe("is denied first", () => {
    const deny = (changes: Partial<DenyAssignment> = {}): DenyAssignment => ({
      id: `${GROUP}/providers/Microsoft.Authorization/denyAssignments/d`,
      name: "d",
      scope: GROUP,
      permissions: [{ actions: ["*"], notActions: [], dataActions: ["*"], notDataActions: [] }],
      principalIds: [EVERYBODY],
      excludePrincipalIds: [],
      doNotApplyToChildScopes: false,
      ...changes,
    });
    const permissions = (changes: Partial<DenyAssignment["permissions"][number]>) => ({ permissions: [{ actions: ["*"], notActions: [], dataActions: [], notDataActions: [], ...changes }] });

    it.each<[string, Partial<DenyAssignment>, Partial<AzureAccessQuestion>, boolean]>([
      ["everybody", {}, {}, true],
      ["the caller", { principalIds: [PRINCIPAL.toUpperCase()] }, {}, true],
      ["somebody else", { principalIds: ["aaaaaaaa-0000-1111-2222-bbbbbbbbbbbc"] }, {}, false],
      ["everybody but the caller", { excludePrincipalIds: [PRINCIPAL] }, {}, false],
      ["everybody but somebody else", { excludePrincipalIds: ["aaaaaaaa-0000-1111-2222-bbbbbbbbbbbc"] }, {}, true],
      ["below", {}, { scope: ACCOUNT, action: "Microsoft.Storage/storageAccounts/read" }, true],
      ["below, when it is for the scope alone", { doNotApplyToChildScopes: true }, { scope: ACCOUNT, action: "Microsoft.Storage/storageAccounts/read" }, false],
      ["the scope alone", { doNotApplyToChildScopes: true, scope: GROUP.toUpperCase() }, {}, true],
      ["elsewhere", { scope: `${GROUP}-2` }, {}, false],
      ["other actions", permissions({ actions: ["*/write"] }), {}, false],
      ["all actions but this", permissions({ notActions: ["*/read"] }), {}, false],
    ])("%s", (_name, changes, question, denied) => {
      const own = assignment("Owner", SUBSCRIPTION);
      const one = deny(changes);
      expect(ask([own], { denyAssignments: [one], ...question })).toEqual(denied ? { allowed: false, reason: "denied", denyAssignment: one } : { allowed: true, reason: "granted", assignment: own });
    });

    it("on data by data actions", () => {
      const own = assignment("Storage Blob Data Owner", CONTAINER);
      expect(ask([own], { ...data("read"), denyAssignments: [deny(permissions({ actions: ["*"] }))] }).allowed).toBe(true);
      expect(ask([own], { ...data("read"), denyAssignments: [deny(permissions({ actions: [], dataActions: [`${BLOBS}/*`] }))] }).reason).toBe("denied");
    });
  });

  it("needs the condition to hold, of one assignment", () => {
    const condition = `@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'artifacts'`;
    const attributes = { "Microsoft.Storage/storageAccounts/blobServices/containers:name": "artifacts" };
    const own = assignment("Storage Blob Data Contributor", ACCOUNT, { condition, conditionVersion: "2.0" });
    expect(ask([own], { ...data("read"), attributes })).toEqual({ allowed: true, reason: "granted", assignment: own });
    expect(ask([own], { ...data("read"), attributes: { ...attributes, "Microsoft.Storage/storageAccounts/blobServices/containers:name": "refusal" } })).toEqual({
      allowed: false,
      reason: "condition-false",
      assignment: own,
      conditionProblem: `the condition does not hold for ${BLOBS}/read`,
    });
    expect(ask([own], data("read"))).toMatchObject({ allowed: false, reason: "condition-false", conditionProblem: "the condition cannot be decided: the call has no Microsoft.Storage/storageAccounts/blobServices/containers:name (resource)" });
    const open = assignment("Storage Blob Data Reader", CONTAINER);
    expect(ask([own, open], data("read")).assignment).toBe(open);
    expect(ask([own, open], data("write")).reason).toBe("condition-false");
  });
});

describe("conditions", () => {
  const NAME = "Microsoft.Storage/storageAccounts/blobServices/containers:name";
  const TAG = `${BLOBS}/tags:Project<$key_case_sensitive$>`;
  const attributes = {
    [NAME]: "artifacts",
    [TAG]: "Cascade",
    text: "abcd",
    pair: ["red", "blue"],
    number: "10",
    guid: "8E3AF657-a8ff-443c-a75c-2fe8c4bcb635",
    none: [],
    "@Environment[isPrivateLink]": "true",
    "@Request[both]": "request",
    "@Resource[both]": "resource",
  };
  const problem = (condition: string, more: { action?: string; attributes?: Record<string, string | string[]>; version?: string; now?: Date } = {}) =>
    conditionProblem({ condition, conditionVersion: more.version ?? "2.0" }, { action: more.action ?? `${BLOBS}/read`, data: true, attributes: more.attributes ?? attributes, now: more.now });

  // Results that Microsoft documents, then the others.
  it.each([
    ["@Resource[text] StringLike 'a*c?'", true],
    ["@Resource[text] StringLike 'A*C?'", false],
    ["@Resource[text] StringLike 'a*c'", false],
    ["{'red', 'blue'} ForAnyOfAnyValues:StringEquals {'blue', 'green'}", true],
    ["{'red', 'blue'} ForAnyOfAnyValues:StringEquals {'orange', 'green'}", false],
    ["{'red', 'blue'} ForAllOfAnyValues:StringEquals {'orange', 'red', 'blue'}", true],
    ["{'red', 'blue'} ForAllOfAnyValues:StringEquals {'red', 'green'}", false],
    ["{10, 20} ForAnyOfAllValues:NumericLessThan {15, 18}", true],
    ["{10, 20} ForAllOfAllValues:NumericLessThan {5, 15, 18}", false],
    ["{10, 20} ForAllOfAllValues:NumericLessThan {25, 30}", true],
    ["{10, 20} ForAllOfAllValues:NumericLessThan {15, 25, 30}", false],
    [`ActionMatches{'${BLOBS}/*'}`, true],
    ["ActionMatches{'Microsoft.Authorization/roleDefinitions/*'}", false],
    [`@Resource[${NAME}] StringEquals 'artifacts'`, true],
    [`@Resource[${NAME.toUpperCase()}] StringEquals 'artifacts'`, true],
    [`@Resource[${NAME}] StringEquals 'Artifacts'`, false],
    [`@Resource[${NAME}] StringEqualsIgnoreCase 'Artifacts'`, true],
    [`@Resource[${NAME}] StringNotEquals 'refusal'`, true],
    [`@Resource[${NAME}] StringNotEquals 'artifacts'`, false],
    [`@Resource[${NAME}] StringNotEqualsIgnoreCase 'ARTIFACTS'`, false],
    [`@Resource[${NAME}] StringStartsWith 'art'`, true],
    [`@Resource[${NAME}] StringStartsWith 'facts'`, false],
    [`@Resource[${NAME}] StringStartsWithIgnoreCase 'ART'`, true],
    [`@Resource[${NAME}] StringNotStartsWith 'art'`, false],
    [`@Resource[${NAME}] StringNotLike 'ref*'`, true],
    [`@Resource[${NAME}] StringLikeIgnoreCase 'ART*'`, true],
    [`@Resource[${NAME}] stringequals 'artifacts'`, true],
    [`'artifacts' StringEquals @Resource[${NAME}]`, true],
    [`@Resource[${TAG}] StringEquals 'Cascade'`, true],
    [`@Resource[${TAG.replace("Project", "project")}] StringEquals 'Cascade'`, false],
    ["'a*c' StringLike 'a\\*c'", true],
    ["'abc' StringLike 'a\\*c'", false],
    ["'a.c' StringLike 'a.c'", true],
    ["'abc' StringLike 'a.c'", false],
    ["'a?' StringLike 'a\\?'", true],
    ["@Resource[number] NumericEquals 10", true],
    ["@Resource[number] NumericNotEquals 10", false],
    ["@Resource[number] NumericLessThan 10", false],
    ["@Resource[number] NumericLessThanEquals 10", true],
    ["@Resource[number] NumericGreaterThan 9", true],
    ["@Resource[number] NumericGreaterThanEquals 11", false],
    ["@Resource[text] NumericGreaterThan 1", false],
    ["NOT @Resource[text] NumericGreaterThan 1", false],
    ["@Resource[guid] GuidEquals 8e3af657-a8ff-443c-a75c-2fe8c4bcb635", true],
    ["@Resource[guid] ForAnyOfAnyValues:GuidEquals {8e3af657-a8ff-443c-a75c-2fe8c4bcb635, b24988ac-6180-42a0-ab88-20f7382dd24c}", true],
    ["@Resource[guid] ForAnyOfAllValues:GuidNotEquals {8e3af657-a8ff-443c-a75c-2fe8c4bcb635, b24988ac-6180-42a0-ab88-20f7382dd24c}", false],
    ["@Resource[text] GuidEquals 8e3af657-a8ff-443c-a75c-2fe8c4bcb635", false],
    ["@Resource[text] GuidNotEquals 8e3af657-a8ff-443c-a75c-2fe8c4bcb635", false],
    ["@Environment[isPrivateLink] BoolEquals true", true],
    ["@Environment[isPrivateLink] BoolNotEquals true", false],
    ["@Environment[isPrivateLink] BoolEquals 'maybe'", false],
    ["@Resource[isPrivateLink] BoolEquals true", false],
    ["@Environment[text] StringEquals 'abcd'", false],
    ["@Request[both] StringEquals 'request'", true],
    ["@Resource[both] StringEquals 'request'", false],
    ["@Resource[pair] ForAllOfAnyValues:StringEquals {'red', 'blue', 'green'}", true],
    ["@Resource[pair] StringEquals 'red'", false],
    ["@Resource[absent] StringEquals 'x'", false],
    ["NOT @Resource[absent] StringEquals 'x'", false],
    ["@Resource[absent] StringNotEquals 'x'", false],
    ["@Resource[none] ForAllOfAnyValues:StringEquals {'x'}", false],
    ["Exists @Resource[text]", true],
    ["Exists @Resource[absent]", false],
    ["NOT Exists @Resource[absent]", true],
    ["Exists @Resource[none]", false],
    ["@Resource[absent] StringEquals 'x' OR @Resource[text] StringEquals 'abcd'", true],
    ["@Resource[absent] StringEquals 'x' AND @Resource[text] StringEquals 'abcd'", false],
    ["!(@Resource[absent] StringEquals 'x' AND @Resource[text] StringEquals 'y')", true],
    ["(@Resource[text] StringEquals 'abcd') && !(@Resource[text] StringEquals 'x')", true],
    ["@Resource[text] StringEquals 'x' || @Resource[text] StringEquals 'abcd'", true],
    ["@Resource[text] StringEquals 'x' or not @Resource[text] StringEquals 'y'", true],
    ["", true],
    ["  ", true],
  ])("%s holds: %s", (condition, holds) => {
    expect(problem(condition) === undefined).toBe(holds);
  });

  it("for an action let other actions be, and its sub-operation where they say so", () => {
    const guarded = `((!(ActionMatches{'${BLOBS}/read'} AND NOT SubOperationMatches{'Blob.List'})) OR (@Resource[${NAME}] StringEquals 'x'))`;
    const older = `((!(ActionMatches{'${BLOBS}/read'} AND @Request[subOperation] ForAnyOfAnyValues:StringEqualsIgnoreCase {'blob.list'})) OR (@Resource[${NAME}] StringEquals 'x'))`;
    expect(problem(guarded)).toBe(`the condition does not hold for ${BLOBS}/read`);
    expect(problem(guarded, { action: `${BLOBS}/write` })).toBeUndefined();
    expect(problem(guarded, { attributes: { ...attributes, subOperation: "blob.list" } })).toBeUndefined();
    expect(problem(older, { attributes: { ...attributes, subOperation: "Blob.List" } })).toBe(`the condition does not hold for ${BLOBS}/read`);
    expect(problem(older, { attributes: { ...attributes, subOperation: "Blob.Read" } })).toBeUndefined();
  });

  it("on the time need a time", () => {
    const since = "@Environment[UtcNow] DateTimeGreaterThan '2026-05-01T13:00:00.0Z'";
    expect(problem(since, { now: new Date("2026-05-01T13:00:01Z") })).toBeUndefined();
    expect(problem(since, { now: new Date("2026-05-01T13:00:00Z") })).toBe(`the condition does not hold for ${BLOBS}/read`);
    expect(problem(since)).toBe("the condition cannot be decided: the call has no UtcNow (environment)");
    expect(problem("@Environment[UtcNow] DateTimeLessThanEquals 'soon'", { now: new Date(0) })).toBe('the condition cannot be decided: "soon" is no time');
  });

  it.each([
    ["@Resource[a] StringEquals 'x' AND @Resource[a] StringEquals 'y' OR @Resource[a] StringEquals 'z'", "joins with AND and OR without parentheses"],
    ["@Resource[a] TimeOfDayEquals '13:00'", "has the operator TimeOfDayEquals, which is not known here"],
    ["@Resource[a] ForSomeValues:StringEquals 'x'", "has the operator ForSomeValues:StringEquals, which is not known here"],
    ["@Resource[a] a:b:StringEquals 'x'", "has the operator a:b:StringEquals, which is not known here"],
    ["@Tenant[a] StringEquals 'x'", "has the attribute @Tenant[a], which is not known here"],
    ["@Resource[] StringEquals 'x'", "has the attribute @Resource[], which is not known here"],
    ["@Resource[a] StringEquals", "ends where a value should be"],
    ["@Resource[a] StringEquals )", 'has ")" where a value should be'],
    ["(@Resource[a] StringEquals 'x'", "ends where ) should be"],
    ["@Resource[a] StringEquals 'x')", 'goes on with ")" where it should end'],
    ["@Resource[a] StringEquals {'x' 'y'}", 'has "y" where } should be'],
    ["@Resource[a] 'x' StringEquals", 'has "x" where an operator should be'],
    ["Exists 'x'", 'has "x" where an attribute such as @Resource[…] should be'],
    ["ActionMatches 'x'", 'has "x" where { should be'],
    ["@Resource[a] = 'x'", `cannot be read at "= 'x'"`],
    ["x".repeat(8_193), "is longer than 8192 bytes"],
  ])("that cannot be read do not hold, and say so: %s", (condition, mistake) => {
    expect(conditionMistake(condition)).toBe(mistake);
    expect(problem(condition)).toBe(`the condition ${mistake}`);
  });

  it("are of the one version", () => {
    expect(conditionMistake(`@Resource[${NAME}] StringEquals 'x'`)).toBeUndefined();
    expect(problem("@Resource[text] StringEquals 'abcd'", { version: "1.0" })).toBe("the condition is of version 1.0, which is not known here");
    expect(conditionProblem({ condition: "@Resource[text] StringEquals 'abcd'" }, { action: "a", data: true, attributes, now: undefined })).toBeUndefined();
    expect(problem("@Resource[pair] StringEquals 'red'")).toBe("the condition cannot be decided: StringEquals compares one value with one, and there are more");
  });
});

describe("locks", () => {
  const lock = (level: ManagementLock["level"], scope: string): ManagementLock => ({ id: `${scope}/providers/Microsoft.Authorization/locks/l`, scope, level });
  const readOnly = lock("ReadOnly", GROUP);
  const noDelete = lock("CanNotDelete", GROUP);
  const KEYS = "Microsoft.Storage/storageAccounts/listKeys/action";

  it.each<[string, boolean, ManagementLock, string, string]>([
    ["ReadOnly, a write below", true, readOnly, ACCOUNT, "Microsoft.Storage/storageAccounts/write"],
    ["ReadOnly, a delete below", true, readOnly, ACCOUNT, "Microsoft.Storage/storageAccounts/delete"],
    ["ReadOnly, listing keys", true, readOnly, ACCOUNT, KEYS],
    ["ReadOnly, a read", false, readOnly, ACCOUNT, "Microsoft.Storage/storageAccounts/read"],
    ["ReadOnly, on the group itself", true, readOnly, GROUP, "Microsoft.Resources/subscriptions/resourceGroups/write"],
    ["ReadOnly, another group", false, readOnly, `${GROUP}-2`, "Microsoft.Resources/subscriptions/resourceGroups/write"],
    ["ReadOnly, a write above", false, readOnly, SUBSCRIPTION, "Microsoft.Resources/tags/write"],
    ["CanNotDelete, a write", false, noDelete, ACCOUNT, "Microsoft.Storage/storageAccounts/write"],
    ["CanNotDelete, listing keys", false, noDelete, ACCOUNT, KEYS],
    ["CanNotDelete, a delete below", true, noDelete, ACCOUNT, "Microsoft.Storage/storageAccounts/delete"],
    ["CanNotDelete, a delete of what holds it", true, lock("CanNotDelete", ACCOUNT), GROUP, "Microsoft.Resources/subscriptions/resourceGroups/delete"],
    ["ReadOnly, a write to what holds it", false, lock("ReadOnly", ACCOUNT), GROUP, "Microsoft.Resources/subscriptions/resourceGroups/write"],
    ["ReadOnly, the lock itself", false, readOnly, `${GROUP}/providers/Microsoft.Authorization/locks/l`, "Microsoft.Authorization/locks/delete"],
    ["ReadOnly, a role assignment", true, readOnly, `${GROUP}/providers/Microsoft.Authorization/roleAssignments/a`, "Microsoft.Authorization/roleAssignments/write"],
  ])("%s: holds: %s", (_name, holds, held, scope, action) => {
    expect(lockOn([held], scope, action)).toEqual(holds ? held : undefined);
  });

  it("name the nearest", () => {
    const near = lock("ReadOnly", ACCOUNT);
    expect(lockOn([lock("ReadOnly", SUBSCRIPTION), near, readOnly], CONTAINER, "Microsoft.Storage/storageAccounts/blobServices/containers/write")).toBe(near);
    expect(lockOn([], CONTAINER, "x/write")).toBeUndefined();
  });

  it("tell operations by the end of their names", () => {
    expect(["a/read", "a/Write", "a/delete", "a/listKeys/action", "write"].map(operationOf)).toEqual(["read", "write", "delete", "action", "write"]);
  });
});
