import { authorizeAccess } from "../../trust/gcp/authorize.js";
import type { AccessQuestion, Binding, DenyPolicy } from "../../trust/gcp/types.js";

const ROLES: Record<string, readonly string[]> = {
  "roles/storage.objectViewer": ["storage.objects.get", "storage.objects.list"],
  "roles/iam.workloadIdentityPoolViewer": ["iam.googleapis.com/workloadIdentityPools.get"],
};
const BUCKET = "//storage.googleapis.com/projects/_/buckets/acme";
const PROJECT = "//cloudresourcemanager.googleapis.com/projects/customer-app-prod";
const CALLER = "serviceAccount:dcf@customer-app-prod.iam.gserviceaccount.com";

function question(bindings: readonly Binding[], changes: Partial<AccessQuestion> = {}): AccessQuestion {
  return {
    members: [CALLER],
    permission: "storage.objects.get",
    resource: { name: "projects/_/buckets/acme/objects/in/a", type: "storage.googleapis.com/Object", service: "storage.googleapis.com" },
    time: new Date("2026-03-01T12:00:00Z"),
    policies: [{ resource: BUCKET, policy: { bindings } }],
    role: (name) => ROLES[name],
    ...changes,
  };
}
const binding = (changes: Partial<Binding> = {}): Binding => ({ role: "roles/storage.objectViewer", members: [CALLER], ...changes });
const condition = (expression: string) => binding({ condition: { title: "t", expression } });

describe("access", () => {
  it("is granted by a binding of the role to the member, and refused one character off", () => {
    expect(authorizeAccess(question([binding()]))).toEqual({ allowed: true, reason: "granted", binding: { resource: BUCKET, binding: binding() } });
    for (const wrong of [binding({ members: [`${CALLER}x`] }), binding({ role: "roles/storage.objectViewe" }), binding({ members: [`deleted:${CALLER}?uid=1`] })]) {
      expect(authorizeAccess(question([wrong]))).toEqual({ allowed: false, reason: "no-binding" });
    }
    expect(authorizeAccess(question([binding()], { permission: "storage.objects.delete" })).allowed).toBe(false);
    expect(authorizeAccess(question([binding({ members: ["user:a@b.example", CALLER] })])).allowed).toBe(true);
    expect(authorizeAccess(question([binding()], { members: ["user:a@b.example", CALLER] })).allowed).toBe(true);
  });

  it.each([
    ["resource.name.startsWith('projects/_/buckets/acme/objects/in/')", true],
    ["resource.name.startsWith('projects/_/buckets/acme/objects/out/')", false],
    ["resource.type == 'storage.googleapis.com/Object' && resource.service == 'storage.googleapis.com'", true],
    ["resource.name.extract('objects/{part}/') == 'in'", true],
    ["request.time < timestamp('2026-03-01T12:00:01Z')", true],
    ["request.time < timestamp('2026-03-01T12:00:00Z')", false],
    ["request.time < date('2026-03-02')", true],
    ["request.time.getHours('Europe/Berlin') == 13", true],
    ["request.time.getHours('Europe/Berlin') == 12", false],
    ["resource.matchTag('123/env', 'prod')", false],
    ["!resource.matchTag('123/env', 'prod')", true],
    ["api.getAttribute('storage.googleapis.com/objectListPrefix', '') == ''", true],
    ["api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/run.invoker'])", true],
    ["resource.nonsense == 'x'", false],
    ["nonsense == 'x'", false],
    ["resource.name", false],
    ["resource.name.sing()", false],
  ])("a condition %s holds: %s", (expression, holds) => {
    const answer = authorizeAccess(question([condition(expression)]));
    expect(answer).toMatchObject(holds ? { allowed: true, reason: "granted" } : { allowed: false, reason: "condition-false", binding: { resource: BUCKET } });
  });

  it("knows the attributes of the call", () => {
    const only = condition("api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/run.invoker'])");
    const granted = (roles: string[]) => authorizeAccess(question([only], { apiAttributes: { "iam.googleapis.com/modifiedGrantsByRole": roles } })).allowed;
    expect(granted(["roles/run.invoker"])).toBe(true);
    expect(granted(["roles/run.invoker", "roles/run.admin"])).toBe(false);
  });

  it("inherits from above, and takes projectViewer: for whoever has the basic role there", () => {
    const above = question([], { policies: [{ resource: BUCKET, policy: { bindings: [] } }, { resource: PROJECT, policy: { bindings: [binding()] } }] });
    expect(authorizeAccess(above).binding?.resource).toBe(PROJECT);
    const viewer = (...members: string[]): Binding => ({ role: "roles/viewer", members });
    const convenience = (member: string, ...bindings: Binding[]) =>
      authorizeAccess(
        question([], {
          policies: [
            { resource: BUCKET, policy: { bindings: [binding({ members: [member] })] } },
            { resource: PROJECT, policy: { bindings } },
          ],
        }),
      ).allowed;
    const own = "projectViewer:customer-app-prod";
    expect(convenience(own, viewer(CALLER))).toBe(true);
    expect(convenience(own, { role: "roles/browser", members: [] }, viewer("user:a@b.example", CALLER))).toBe(true);
    expect(convenience(own, viewer("user:a@b.example"))).toBe(false);
    expect(convenience(own, { ...viewer(CALLER), role: "roles/editor" })).toBe(false);
    expect(convenience(own, { ...viewer(CALLER), condition: { title: "t", expression: "true" } })).toBe(false);
    expect(convenience("projectEditor:customer-app-prod", viewer(CALLER))).toBe(false);
    expect(convenience("projectViewer:other", viewer(CALLER))).toBe(false);
  });

  it("takes both names of a permission for one", () => {
    const pools = binding({ role: "roles/iam.workloadIdentityPoolViewer" });
    expect(authorizeAccess(question([pools], { permission: "iam.workloadIdentityPools.get" })).allowed).toBe(true);
    expect(authorizeAccess(question([pools], { permission: "iam.workloadIdentityPools.list" })).allowed).toBe(false);
  });

  describe("is denied first", () => {
    type Rule = DenyPolicy["rules"][number]["denyRule"];
    const deny = (changes: Partial<Rule> = {}): DenyPolicy => ({
      name: "policies/p/denypolicies/d",
      rules: [{ denyRule: { deniedPrincipals: ["principalSet://goog/public:all"], deniedPermissions: ["storage.googleapis.com/objects.get"], ...changes } }],
    });
    const asked = (changes: Partial<Rule>, permission = "storage.objects.get") => authorizeAccess(question([binding()], { denyPolicies: [deny(changes)], permission }));
    const self = "principal://iam.googleapis.com/projects/-/serviceAccounts/dcf@customer-app-prod.iam.gserviceaccount.com";

    it.each<[string, Partial<Rule>, boolean]>([
      ["everybody", {}, true],
      ["the caller", { deniedPrincipals: [self] }, true],
      ["somebody else", { deniedPrincipals: [`${self}x`] }, false],
      ["all but the caller", { exceptionPrincipals: [self] }, false],
      ["another verb", { deniedPermissions: ["storage.googleapis.com/objects.list"] }, false],
      ["a resource's verbs", { deniedPermissions: ["storage.googleapis.com/objects.*"] }, true],
      ["a verb of every resource", { deniedPermissions: ["storage.googleapis.com/*.get"] }, true],
      ["another service", { deniedPermissions: ["run.googleapis.com/*.*"] }, false],
      ["the service but this", { deniedPermissions: ["storage.googleapis.com/*.*"], exceptionPermissions: ["storage.googleapis.com/objects.get"] }, false],
      ["under a condition that holds", { denialCondition: { title: "c", expression: "true" } }, true],
      ["under one that does not", { denialCondition: { title: "c", expression: "resource.matchTag('1/e', 'p')" } }, false],
      ["under one that cannot be evaluated", { denialCondition: { title: "c", expression: "resource.nonsense" } }, true],
    ])("%s", (_name, changes, denied) => {
      expect(asked(changes)).toMatchObject(denied ? { allowed: false, reason: "denied", denyPolicy: "policies/p/denypolicies/d" } : { allowed: true });
    });

    it("by the first policy that does, by any of its rules, principals and permissions", () => {
      const none = deny({ deniedPermissions: [] });
      const named = (policy: DenyPolicy, name: string) => ({ ...policy, name });
      const answer = authorizeAccess(question([binding()], { denyPolicies: [none, named(deny(), "second"), named(deny(), "third")] }));
      expect(answer).toEqual({ allowed: false, reason: "denied", denyPolicy: "second" });
      const later = { name: "rules", rules: [...none.rules, ...deny({ deniedPrincipals: [`${self}x`, self], deniedPermissions: ["run.googleapis.com/services.get", "storage.googleapis.com/objects.get"] }).rules] };
      expect(authorizeAccess(question([binding()], { denyPolicies: [later] })).denyPolicy).toBe("rules");
    });

    it.each<[string, string, boolean]>([
      ["user:a@b.example", "principal://goog/subject/a@b.example", true],
      ["group:a@b.example", "principalSet://goog/group/a@b.example", true],
      ["user:principal@b.example", "principal://goog/subject/principal@b.example", true],
      ["group:a@b.example", "principal://goog/subject/a@b.example", false],
      ["allAuthenticatedUsers", "principal://goog/subject/allAuthenticatedUsers", false],
      ["principal://iam.googleapis.com/x/subject/s", "principal://iam.googleapis.com/x/subject/s", true],
    ])("%s as %s: %s", (member, principal, denied) => {
      const answer = authorizeAccess(question([binding({ members: [member] })], { members: [member], denyPolicies: [deny({ deniedPrincipals: [principal] })] }));
      expect(answer.reason).toBe(denied ? "denied" : "granted");
    });

    it("by the service's own host name", () => {
      const permission = "resourcemanager.projects.get";
      const project = (denied: string) => asked({ deniedPermissions: [denied] }, permission).reason;
      expect(project("cloudresourcemanager.googleapis.com/projects.get")).toBe("denied");
      expect(project("resourcemanager.googleapis.com/projects.get")).toBe("no-binding");
    });
  });
});
