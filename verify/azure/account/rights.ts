/** What the role assignments that were read give the identity, and what stands in the way where they give too little. */
import { authorize } from "../../../trust/azure/authorize.js";
import type { AzureAccessAnswer, DenyAssignment, RoleAssignment, RoleDefinition } from "../../../trust/azure/types.js";
import type { Cause } from "../../causes.js";
import type { Explanation, RightQuestion } from "../account-reader.js";
import type { AzureCauseCode } from "../causes.js";
import { groupId } from "../endpoints.js";
import { cause, type AzureRun } from "../run.js";
import { properties, type AzureDocuments } from "./reader.js";

export type RightPrediction = { status: "allowed"; by: string } | { status: "refused"; cause: Cause } | { status: "unknown"; reason: string };

/** The same mistake has a name of its own where data is at stake: people look for it elsewhere. */
interface Names {
  missing: AzureCauseCode;
  narrow: AzureCauseCode;
  elsewhere: AzureCauseCode;
  principal: AzureCauseCode;
  constrained: AzureCauseCode;
  /** An action that every role on this plane has: who may do this and not the other has too narrow a role. */
  reading: { action: string; dataAction: boolean };
}

const management: Names = {
  missing: "azure.rbac.assignment-missing",
  narrow: "azure.rbac.role-too-narrow",
  elsewhere: "azure.rbac.wrong-scope",
  principal: "azure.rbac.wrong-principal",
  constrained: "azure.rbac.constrained",
  reading: { action: "Microsoft.Resources/subscriptions/resourceGroups/read", dataAction: false },
};

const data: Names = {
  missing: "azure.storage.data-role-missing",
  narrow: "azure.storage.reader-only",
  elsewhere: "azure.storage.data-role-elsewhere",
  principal: "azure.storage.data-role-wrong-principal",
  constrained: "azure.storage.constrained",
  reading: { action: "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", dataAction: true },
};

/** Everything that the decision is made of. */
interface Rules {
  assignments: readonly RoleAssignment[];
  denyAssignments: readonly DenyAssignment[];
  roles: ReadonlyMap<string, RoleDefinition>;
}

export class Rights {
  constructor(
    private readonly run: AzureRun,
    private readonly documents: AzureDocuments,
  ) {}

  /** @param role by which the contract grants it */
  async predict(question: RightQuestion, role?: string): Promise<RightPrediction> {
    const rules = await this.#rules(question.scope);
    if (typeof rules === "string") return { status: "unknown", reason: rules };
    const answer = decide(rules, this.run.exchange.principalId, question);
    if (answer.allowed) return { status: "allowed", by: describe(answer.assignment, rules) };
    return { status: "refused", cause: await this.#cause(question, answer, rules, role) };
  }

  /** Of a refusal that was seen. */
  async explain(question: RightQuestion): Promise<Explanation> {
    if (question.principal !== undefined) return this.#explainOther(question, question.principal);
    const { resourceGroup } = placeOf(question.scope);
    if (resourceGroup !== undefined) {
      // To somebody whose rights end elsewhere a missing group looks like a forbidden one.
      const group = await this.documents.group(groupId(subscriptionOf(question.scope), resourceGroup));
      if (group.status === "absent") return { cause: cause(this.run, "azure.group.missing", group.detail, { resourceGroup }) };
    }
    const prediction = await this.predict(question);
    if (prediction.status === "refused") return { cause: prediction.cause };
    if (prediction.status === "unknown") return {};
    const { missing, narrow, elsewhere, principal, constrained } = namesFor(question);
    return { excluded: [missing, narrow, elsewhere, principal, constrained, "azure.rbac.denied", "azure.rbac.condition-false"] };
  }

  /** Of another identity than the workload's: the one that sites pull their images with. */
  async #explainOther(question: RightQuestion, identityId: string): Promise<Explanation> {
    const denied = await this.deniedTo(identityId, question);
    if (denied === undefined) return {};
    return denied === false ? { excluded: ["azure.site.pull-denied"] } : { cause: cause(this.run, "azure.site.pull-denied", denied, { ...placeOf(question.scope), scope: question.scope, expected: identityId }) };
  }

  /** Why a managed identity may not do it; false where it may, undefined where nobody can tell. */
  async deniedTo(identityId: string, question: RightQuestion): Promise<string | false | undefined> {
    const identity = await this.documents.arm(identityId, "managedIdentity");
    if (identity.status === "absent") return `the identity ${identityId} does not exist`;
    if (identity.status !== "read") return undefined;
    const principalId = String(properties(identity.value)["principalId"]);
    const may = await this.holds(principalId, question);
    return may === false ? `${identityId.split("/").at(-1) ?? ""} (object id ${principalId}) has no role with ${question.action} on ${question.scope}` : may && false;
  }

  /** Whether anybody with this object id may do it, by what is assigned to him. */
  async holds(principalId: string, question: RightQuestion): Promise<boolean | undefined> {
    const rules = await this.#rules(question.scope, principalId);
    return typeof rules === "string" ? undefined : decide(rules, principalId, question).allowed;
  }

  async #rules(scope: string, principalId = this.run.exchange.principalId): Promise<Rules | string> {
    const [assignments, denyAssignments] = await Promise.all([this.documents.assignmentsOf(subscriptionOf(scope), principalId), this.documents.denyAssignments(scope)]);
    if (assignments.status !== "read") return assignments.status === "absent" ? assignments.detail : assignments.reason;
    // A right to read deny assignments is less common; what they hide is said by the checks.
    const denied = denyAssignments.status === "read" ? denyAssignments.value : [];
    return { assignments: assignments.value, denyAssignments: denied, roles: await this.#roles(assignments.value) };
  }

  async #roles(assignments: readonly RoleAssignment[]): Promise<ReadonlyMap<string, RoleDefinition>> {
    const ids = [...new Set(assignments.map(({ roleDefinitionId }) => roleDefinitionId))];
    const found = await Promise.all(ids.map((id) => this.documents.role(id)));
    return new Map(found.flatMap((role) => (role ? [[role.name.toLowerCase(), role]] : [])));
  }

  async #cause(question: RightQuestion, answer: AzureAccessAnswer, rules: Rules, role: string | undefined): Promise<Cause> {
    const { action, scope } = question;
    const names = namesFor(question);
    const values = { action, scope, role, ...placeOf(scope) };
    const found = (code: AzureCauseCode, evidence: string, more: { found?: string } = {}) => cause(this.run, code, evidence, { ...values, ...more });
    if (answer.reason === "denied") {
      const name = answer.denyAssignment?.name ?? "";
      return found("azure.rbac.denied", `deny assignment ${name} on ${answer.denyAssignment?.scope ?? "?"} denies ${action}`, { found: name });
    }
    if (answer.reason === "condition-false") {
      const condition = answer.assignment?.condition ?? "";
      return found("azure.rbac.condition-false", `${describe(answer.assignment, rules)} has the condition ${condition}`, { found: condition });
    }
    const { principalId } = this.run.exchange;
    const reading = decide(rules, principalId, { about: "right", ...names.reading, scope });
    if (!isReading(action) && reading.allowed) return found(names.narrow, `${describe(reading.assignment, rules)} reads, and does not have ${action}`);
    // By itself: where several roles meet, another one may be what allows it.
    const elsewhere = rules.assignments.find((assignment) => decide({ ...rules, assignments: [assignment] }, principalId, { ...question, scope: assignment.scope }).allowed);
    if (elsewhere) return found(names.elsewhere, describe(elsewhere, rules), { found: elsewhere.scope });
    const other = await this.#otherPrincipal(question);
    if (other !== undefined) return found(names.principal, other.evidence, { found: other.principalId });
    return found(names.missing, `nothing that is assigned to ${principalId} on ${scope} or above has ${action}`);
  }

  /** The ids that are taken for the principal's: of the app registration, the client id, and whoever is no longer there. */
  async #otherPrincipal(question: RightQuestion): Promise<{ principalId: string; evidence: string } | undefined> {
    const { identity, clientId, principalId } = this.run.exchange;
    const mistaken = [...(identity.kind === "application" ? [{ id: identity.objectId, what: "the app registration's object id" }] : []), { id: clientId, what: "the client id" }];
    const there = await this.documents.assignmentsAt(question.scope);
    if (there.status !== "read") return undefined;
    for (const { id, what } of mistaken) {
      const assignment = there.value.find((one) => sameId(one.principalId, id));
      if (assignment && (await this.holds(id, question))) return { principalId: id, evidence: `the role is assigned to ${id}, which is ${what}, on ${assignment.scope}` };
    }
    const others = [...new Set(there.value.map((one) => one.principalId))].filter((id) => !sameId(id, principalId));
    for (const id of others) {
      if (!(await this.holds(id, question))) continue;
      const known = await this.documents.graph(`/directoryObjects/${id}`);
      if (known.status === "absent") return { principalId: id, evidence: `the role is assigned to ${id}, which the directory no longer has` };
    }
    return undefined;
  }
}

function decide({ assignments, denyAssignments, roles }: Rules, principalId: string, { action, dataAction, scope, attributes }: RightQuestion): AzureAccessAnswer {
  return authorize({
    principalIds: [principalId],
    action,
    dataAction,
    scope,
    attributes,
    assignments,
    denyAssignments,
    role: (id) => roles.get(id.toLowerCase()),
  });
}

/** What a container's role gives besides blobs is a matter of that role too. */
function namesFor({ dataAction, scope }: RightQuestion): Names {
  return dataAction || /\/blobServices\//i.test(scope) ? data : management;
}

export function isReading(action: string): boolean {
  return /\/read$/i.test(action);
}

function describe(assignment: RoleAssignment | undefined, { roles }: Rules): string {
  if (!assignment) return "a role assignment";
  const guid = assignment.roleDefinitionId.split("/").at(-1) ?? "";
  return `${roles.get(guid.toLowerCase())?.roleName ?? guid} on ${assignment.scope}`;
}

function subscriptionOf(scope: string): string {
  return scope.split("/")[2] ?? "";
}

function placeOf(scope: string): { resourceGroup?: string; subject?: string } {
  const [, , , , resourceGroup] = scope.split("/");
  const last = scope.split("/").at(-1);
  return { ...(resourceGroup !== undefined && { resourceGroup }), ...(last !== undefined && { subject: last }) };
}

export function sameId(one: unknown, other: unknown): boolean {
  return typeof one === "string" && typeof other === "string" && one.toLowerCase() === other.toLowerCase();
}
