/** Why Azure Resource Manager refused a call. https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors */
import { ARM_ERRORS, type ArmErrorName } from "../../facts/azure/arm-errors.js";
import { isJsonObject } from "../../trust/jwt.js";
import type { Cause, Suspect } from "../causes.js";
import { fail, unknown, type CheckScope, type Diagnosis, type Verdict } from "../check.js";
import { confirmed, diagnosis, isExplained, narrow, open, type Question } from "./account-reader.js";
import { describeAnswer, isOverload, type AzureCall, type AzureFailure, type AzureRefusal, type AzureSuccess } from "./answers.js";
import type { AzureCauseCode, AzureCauseValues } from "./causes.js";
import { cause, type AzureRun } from "./run.js";
import { askPatiently } from "./session.js";

/** What the evidence of a token cannot show of rights. */
export const RIGHTS_NOT_READ = ["role assignments and their conditions", "deny assignments"];

export interface ArmCall {
  /** Names the wait in the report. */
  check: string;
  /** For people: `GET storage account`. */
  operation: string;
  /** As roles name it. */
  action: string;
  /** ARM id that the right is on. */
  scope: string;
  /** What a 404 means. */
  missing: AzureCauseCode;
  /** Id of a check whose pass shows that the session may read here. */
  readable?: string | undefined;
  /** Further suspects of a 403, such as that the thing is not there. */
  forbidden?: readonly AzureCauseCode[];
  values?: Partial<AzureCauseValues>;
  call: AzureCall;
}

/** The answer, or the verdict that its absence is. */
export async function askArm(run: AzureRun, scope: CheckScope, call: ArmCall): Promise<{ answer: AzureSuccess } | { verdict: Verdict; refusal?: AzureRefusal }> {
  const { answer, exhausted } = await askPatiently(run, scope, { check: call.check, resource: "arm", mayPass: (refusal) => armMayBePropagation(run, call, refusal) }, call.call);
  return answer.ok ? { answer } : { verdict: await armVerdict(run, call, answer, exhausted, scope), ...(answer.kind === "refused" ? { refusal: answer } : {}) };
}

export async function armVerdict(run: AzureRun, call: ArmCall, answer: AzureFailure, waited: boolean, scope: CheckScope): Promise<Verdict> {
  const seen = `${call.operation}: ${describeAnswer(answer)}`;
  if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
  const found = await diagnoseArm(run, call, answer, waited, scope);
  return found ? fail(seen, found) : unknown(seen);
}

function nameOf({ code, httpStatus }: AzureRefusal): ArmErrorName | undefined {
  return (Object.keys(ARM_ERRORS) as ArmErrorName[]).find((name) => ARM_ERRORS[name].code === code && ARM_ERRORS[name].httpStatus === httpStatus);
}

/** Undefined for answers that say nothing about the subscription. */
async function diagnoseArm(run: AzureRun, call: ArmCall, refusal: AzureRefusal, waited: boolean, scope: CheckScope): Promise<Diagnosis | undefined> {
  const answered = `${call.operation} answered ${describeAnswer(refusal)}`;
  const name = nameOf(refusal);
  const values = { action: call.action, scope: call.scope, ...call.values };
  const one = (code: AzureCauseCode, more: Partial<AzureCauseValues> = {}) => diagnosis([confirmed(cause(run, code, answered, { ...values, ...more }))]);
  if (name === "authorizationFailed" || name === "linkedAuthorizationFailed") return diagnosis(await rightSuspects(run, call, refusal, answered, waited, scope), RIGHTS_NOT_READ);
  if (name === "tokenTenant") return one("azure.subscription.other-tenant", { found: tenantsIn(refusal.message)[1] });
  const known = name && NAMED[name];
  if (known) return one(known, { subject: call.values?.subject ?? namespaceIn(refusal.message), found: denierIn(refusal.message) });
  if (refusal.httpStatus === 401) return /additional quota/i.test(refusal.message) ? one("azure.plan.quota") : one("azure.arm.token-refused");
  if (/^(?:SubscriptionIsOverQuotaForSku|QuotaExceeded)$/.test(refusal.code)) return one("azure.plan.quota");
  return refusal.httpStatus === 404 ? one(call.missing) : undefined;
}

/** Refusals that say by themselves what is at fault. */
const NAMED: Readonly<Partial<Record<ArmErrorName, AzureCauseCode>>> = {
  denyAssignment: "azure.rbac.denied",
  policy: "azure.policy.disallowed",
  scopeLocked: "azure.group.locked",
  subscriptionNotFound: "azure.subscription.missing",
  subscriptionInvalid: "azure.subscription.missing",
  subscriptionReadOnly: "azure.subscription.disabled",
  groupNotFound: "azure.group.missing",
  groupDeleting: "azure.group.deleting",
  namespaceUnregistered: "azure.provider.not-registered",
  planQuota: "azure.plan.quota",
};

async function rightSuspects(run: AzureRun, call: ArmCall, refusal: AzureRefusal, answered: string, waited: boolean, scope: CheckScope): Promise<Suspect[]> {
  // ARM names what is missing and where, which may be another resource that the call reaches to.
  const { action = call.action, scope: place = call.scope } = refusedRight(refusal.message);
  const values = { ...call.values, action, scope: place };
  const reads = call.readable !== undefined && !/\/read$/i.test(action) && (await scope.outcome(call.readable))?.status === "pass";
  const suspect = (code: AzureCauseCode, evidence = answered): Cause => cause(run, code, evidence, values);
  const suspects = [
    ...(call.forbidden ?? []).map((code) => open(suspect(code))),
    open(suspect(missingCode(action, reads))),
    ...(waited ? [] : [open(suspect("azure.rbac.not-propagated", "no change of the assignment is known to be older than the time that Azure takes"))]),
  ];
  return narrow(run, rightQuestion(action, place), suspects, answered);
}

function missingCode(action: string, reads: boolean): AzureCauseCode {
  if (/\/userAssignedIdentities\/assign\/action$/i.test(action)) return "azure.site.identity-assign-denied";
  return reads ? "azure.rbac.role-too-narrow" : "azure.rbac.assignment-missing";
}

function rightQuestion(action: string, scope: string): Question {
  return { about: "right", action, dataAction: false, scope };
}

/** `… to perform action 'A' over scope 'S' …`, or of a linked scope `… perform action(s) 'A' on the linked scope(s) 'S'`. */
function refusedRight(message: string): { action?: string | undefined; scope?: string | undefined } {
  const linked = /perform action\(s\) '([^']+)' on the linked scope\(s\) '([^']+)'/.exec(message);
  const direct = /perform action '([^']+)' over scope '([^']+)'/.exec(message);
  const [, action, scope] = linked ?? direct ?? [];
  return { action, scope };
}

function tenantsIn(message: string): string[] {
  return [...message.matchAll(/sts\.windows\.net\/([0-9a-f-]{36})/gi)].map(([, tenant]) => tenant ?? "");
}

function namespaceIn(message: string): string | undefined {
  return /namespace '([^']+)'/.exec(message)?.[1];
}

/** The deny assignment or the policy that a refusal names. */
function denierIn(message: string): string | undefined {
  return /deny assignment with name '([^']+)'/.exec(message)?.[1] ?? /"policyAssignment":\s*\{"name":\s*"([^"]+)"/.exec(message)?.[1];
}

/** The code, when the refusal may end by itself: an assignment that Azure has not seen yet. */
export async function armMayBePropagation(run: AzureRun, call: Pick<ArmCall, "action" | "scope">, refusal: AzureRefusal): Promise<string | undefined> {
  const name = nameOf(refusal);
  if (name === undefined || ARM_ERRORS[name].retry !== "propagation") return undefined;
  const { action = call.action, scope = call.scope } = refusedRight(refusal.message);
  return (await isExplained(run, rightQuestion(action, scope))) ? undefined : refusal.code;
}

/** A member of an ARM resource's `properties`, where that is an object. */
export function propertiesOf(answer: AzureSuccess): Record<string, unknown> {
  const { properties } = answer.json;
  return isJsonObject(properties) ? properties : {};
}

