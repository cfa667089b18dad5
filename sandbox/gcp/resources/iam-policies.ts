/**
 * The four ways in which Pulumi's GCP package writes the IAM policy of a resource: one member of a role (`…IAMMember`), all
 * members of a role (`…IAMBinding`), the whole policy (`…IAMPolicy`), the audit configuration of a service
 * (`…IAMAuditConfig`). Each kind of resource that has a policy says once how its policy is read and written.
 * https://www.pulumi.com/registry/packages/gcp/api-docs/serviceaccount/iammember/
 */
import type { Binding, Condition, Policy } from "../../../trust/gcp/types.js";
import type { CheckFailure, Properties } from "../../types.js";
import { CallError, during, oneAtATime, reading, unlessMissing } from "./api.js";
import type { Context, Definition, Place } from "./behaviour.js";
import { compact, inOrderOf, list, object, pick, text } from "./values.js";

/** With conditions, which only version 3 has. https://cloud.google.com/iam/docs/policies#versions */
export const POLICY_VERSION = 3;

/** A kind of resource that has an IAM policy. */
export interface PolicyTarget {
  /** Inputs that name the resource, all of them required unless the provider's configuration gives them. */
  inputs: readonly string[];
  places?: readonly Place[];
  /** What is wrong with the inputs that name the resource. */
  validate?(inputs: Properties): CheckFailure[];
  /** With what the ids of its members and bindings begin. */
  id(inputs: Properties, context: Context): string;
  /** From what an import gives as the resource to the inputs that name it. */
  parse(resource: string, context: Context): Properties;
  /** As messages name it: `project "p"`. */
  describe(inputs: Properties, context: Context): string;
  /** Throws {@link CallError}. */
  getPolicy(inputs: Properties, context: Context): Promise<Policy>;
  setPolicy(inputs: Properties, policy: Policy, context: Context): Promise<unknown>;
}

export function iamMember(type: string, target: PolicyTarget): Definition {
  const memberOf = ({ role, member, condition }: Properties): Binding => binding(role, [normalMember(text(member) ?? "")], condition);
  const find = (policy: Policy, wanted: Binding): Binding | undefined =>
    policy.bindings.find((each) => sameRole(each, wanted) && each.members.some((member) => sameMember(member, wanted.members[0] ?? "")));
  return {
    ...common(type, target, ["condition", "member", "role"], ["member", "role"]),
    replaceOn: [...target.inputs, "condition", "member", "role"],
    validate: (inputs) => [...(target.validate?.(inputs) ?? []), ...memberFailures("member", [text(inputs.member) ?? ""])],

    async create(inputs, context) {
      const added = memberOf(inputs);
      await change(target, inputs, context, (policy) => {
        const present = policy.bindings.find((each) => sameRole(each, added));
        const members = [...new Set([...(present?.members ?? []), ...added.members])];
        return { ...policy, bindings: [...policy.bindings.filter((each) => each !== present), { ...added, members }] };
      });
      return bindingId(target.id(inputs, context), added, added.members);
    },

    async read(id, context, olds) {
      const asked = text(olds.role) === undefined ? importedMember(target, id, context) : olds;
      const policy = await readPolicy(target, asked, context);
      const found = policy && (asked.conditionTitle === undefined ? find(policy, memberOf(asked)) : importedBinding(target, policy, asked, context));
      if (!policy || !found) return undefined;
      const member = found.members.find((each) => sameMember(each, String(asked.member))) ?? String(asked.member);
      const named = { ...pick(asked, target.inputs), role: found.role, condition: found.condition };
      return {
        id: bindingId(target.id(asked, context), found, [normalMember(member)]),
        outputs: compact({ ...named, etag: policy.etag ?? "", member: sameMember(member, String(olds.member)) ? olds.member : member }),
      };
    },

    async delete(_id, outputs, context) {
      const removed = memberOf(outputs);
      const without = (each: Binding): Binding[] => {
        if (!sameRole(each, removed)) return [each];
        const members = each.members.filter((member) => !sameMember(member, removed.members[0] ?? ""));
        return members.length > 0 ? [{ ...each, members }] : [];
      };
      const work = change(target, outputs, context, (policy) => ({ ...policy, bindings: policy.bindings.flatMap(without) }));
      const what = `Resource ${target.id(outputs, context)} for IAM Member (role "${removed.members[0] ?? ""}", "${removed.role}")`;
      await reading(what, unlessMissing(work));
    },
  };
}

export function iamBinding(type: string, target: PolicyTarget): Definition {
  const bindingOf = ({ role, members, condition }: Properties): Binding => binding(role, list<string>(members).map(normalMember), condition);
  const write = (inputs: Properties, context: Context): Promise<void> => {
    const wanted = bindingOf(inputs);
    return change(target, inputs, context, (policy) => ({ ...policy, bindings: [...policy.bindings.filter((each) => !sameRole(each, wanted)), wanted] }));
  };
  return {
    ...common(type, target, ["condition", "members", "role"], ["members", "role"]),
    replaceOn: [...target.inputs, "condition", "role"],
    validate: (inputs) => [...(target.validate?.(inputs) ?? []), ...memberFailures("members", list<string>(inputs.members))],

    async create(inputs, context) {
      await write(inputs, context);
      return bindingId(target.id(inputs, context), bindingOf(inputs));
    },

    async read(id, context, olds) {
      const asked = text(olds.role) === undefined ? importedBindingOf(target, id, context) : olds;
      const policy = await readPolicy(target, asked, context);
      if (!policy) return undefined;
      const wanted = bindingOf(asked);
      const titled = asked.conditionTitle;
      const found = policy.bindings.find((each) => (titled === undefined ? sameRole(each, wanted) : each.role === wanted.role && (each.condition?.title ?? "") === titled));
      if (!found && titled !== undefined) {
        throw new Error(`Cannot find binding for "${target.describe(asked, context)}" with role "${wanted.role}" and condition title "${text(titled) ?? ""}"`);
      }
      // A role that nobody has any more is a binding without members, which the next update fills again.
      const members = inOrderOf(found?.members ?? [], olds.members);
      return {
        id: bindingId(target.id(asked, context), found ?? wanted),
        outputs: compact({ ...pick(asked, target.inputs), role: wanted.role, members, condition: (found ?? wanted).condition, etag: policy.etag ?? "" }),
      };
    },

    update: (_id, _olds, news, context) => write(news, context),

    async delete(_id, outputs, context) {
      const removed = bindingOf(outputs);
      const work = change(target, outputs, context, (policy) => ({ ...policy, bindings: policy.bindings.filter((each) => !sameRole(each, removed)) }));
      await reading(`Resource "${target.id(outputs, context)}" for IAM binding with role "${removed.role}"`, unlessMissing(work));
    },
  };
}

export function iamPolicy(type: string, target: PolicyTarget): Definition {
  const write = async (inputs: Properties, context: Context): Promise<void> => {
    const wanted = JSON.parse(String(inputs.policyData)) as Policy;
    await change(target, inputs, context, ({ etag }) => ({ ...wanted, bindings: list(wanted.bindings), etag }));
  };
  return {
    ...common(type, target, ["policyData"], ["policyData"]),
    replaceOn: target.inputs,
    validate: (inputs) => [...(target.validate?.(inputs) ?? []), ...policyFailures(inputs.policyData)],

    async create(inputs, context) {
      await write(inputs, context);
      return target.id(inputs, context);
    },

    async read(id, context, olds) {
      const asked = Object.keys(olds).length === 0 ? target.parse(id, context) : olds;
      const policy = await readPolicy(target, asked, context);
      if (!policy) return undefined;
      const policyData = policyText(policy);
      const same = text(olds.policyData) !== undefined && canonical(olds.policyData) === canonical(policyData);
      return {
        id: target.id(asked, context),
        outputs: { ...pick(asked, target.inputs), etag: policy.etag ?? "", policyData: same ? olds.policyData : policyData },
      };
    },

    update: (_id, _olds, news, context) => write(news, context),

    async delete(_id, outputs, context) {
      await unlessMissing(change(target, outputs, context, ({ etag }) => ({ bindings: [], etag })));
    },
  };
}

interface AuditLogConfig {
  logType: string;
  exemptedMembers?: readonly string[];
}

interface AuditConfig {
  service: string;
  auditLogConfigs: readonly AuditLogConfig[];
}

export function iamAuditConfig(type: string, target: PolicyTarget): Definition {
  const others = (policy: Policy, service: unknown): AuditConfig[] => list<AuditConfig>(policy.auditConfigs).filter((each) => each.service !== service);
  const set = (policy: Policy, auditConfigs: readonly AuditConfig[]): Policy => ({ ...policy, auditConfigs: auditConfigs.map((each) => ({ ...each })) });
  const write = (inputs: Properties, context: Context): Promise<void> => {
    const wanted: AuditConfig = { service: String(inputs.service), auditLogConfigs: list<AuditLogConfig>(inputs.auditLogConfigs) };
    return change(target, inputs, context, (policy) => set(policy, [...others(policy, inputs.service), wanted]));
  };
  return {
    ...common(type, target, ["auditLogConfigs", "service"], ["auditLogConfigs", "service"]),
    replaceOn: target.inputs,

    async create(inputs, context) {
      await write(inputs, context);
      return `${target.id(inputs, context)}/audit_config/${String(inputs.service)}`;
    },

    async read(id, context, olds) {
      const asked = text(olds.service) === undefined ? importedAuditConfig(target, id, context) : olds;
      const policy = await readPolicy(target, asked, context);
      const found = list<AuditConfig>(policy?.auditConfigs).find(({ service }) => service === asked.service);
      if (!policy || !found) return undefined;
      const read = found.auditLogConfigs.map(({ logType, exemptedMembers = [] }) => (exemptedMembers.length > 0 ? { exemptedMembers, logType } : { logType }));
      const order = list<AuditLogConfig>(olds.auditLogConfigs).map(({ logType }) => logType);
      const logTypes = inOrderOf(read.map(({ logType }) => logType), order);
      return {
        id: `${target.id(asked, context)}/audit_config/${found.service}`,
        outputs: {
          ...pick(asked, target.inputs),
          service: found.service,
          auditLogConfigs: logTypes.flatMap((logType) => read.filter((each) => each.logType === logType)),
          etag: policy.etag ?? "",
        },
      };
    },

    async update(_id, olds, news, context) {
      if (olds.service !== news.service) await change(target, olds, context, (policy) => set(policy, others(policy, olds.service)));
      await write(news, context);
    },

    async delete(id, outputs, context) {
      const work = change(target, outputs, context, (policy) => set(policy, others(policy, outputs.service)));
      await reading(`Resource ${target.describe(outputs, context)} with IAM audit config "${id}"`, unlessMissing(work));
    },
  };
}

function common(type: string, target: PolicyTarget, inputs: readonly string[], required: readonly string[]): Pick<Definition, "type" | "inputs" | "required" | "places" | "deleteBeforeReplace"> {
  return { type, inputs: [...target.inputs, ...inputs].sort(), required: [...target.inputs, ...required], places: target.places ?? [], deleteBeforeReplace: true };
}

async function readPolicy(target: PolicyTarget, inputs: Properties, context: Context): Promise<Policy | undefined> {
  return unlessMissing(retrieve(target, inputs, context));
}

function retrieve(target: PolicyTarget, inputs: Properties, context: Context): Promise<Policy> {
  return during(`Error retrieving IAM policy for ${target.describe(inputs, context)}`, target.getPolicy(inputs, context));
}

/** What happens in one window between reading and writing is rare; that many times in a row is a fight between two programs. */
const attempts = 6;
const firstBackoffMs = 50;

/** Reads the policy, changes it and writes it back under its etag; starts again where somebody was faster. */
async function change(target: PolicyTarget, inputs: Properties, context: Context, modify: (policy: Policy) => Policy): Promise<void> {
  const where = target.describe(inputs, context);
  await oneAtATime(where, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const before = await retrieve(target, inputs, context);
      const bindings = list<Binding>(before.bindings);
      const policy = { ...modify({ ...before, bindings }), version: POLICY_VERSION };
      try {
        await during(`Error setting IAM policy for ${where}`, target.setPolicy(inputs, policy, context));
        return;
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        if (error.code !== 409) throw new CallError(error.code, `Error applying IAM policy for ${where}: ${error.message}`);
        if (attempt === attempts) throw new CallError(409, `Error applying IAM policy to ${where}: Too many conflicts.  Latest error: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, firstBackoffMs * 2 ** (attempt - 1)));
      }
    }
  });
}

function binding(role: unknown, members: readonly string[], condition: unknown): Binding {
  const { title, description, expression } = object(condition);
  const named: Condition = { title: String(title), ...(text(description) !== undefined && { description: String(description) }), expression: String(expression) };
  return { role: String(role), members, ...(condition !== undefined && { condition: named }) };
}

function conditionKey(condition: Condition | undefined): string {
  return condition === undefined ? "" : `/${condition.title}/${condition.description ?? ""}/${condition.expression}`;
}

function sameRole(a: Binding, b: Binding): boolean {
  return a.role === b.role && conditionKey(a.condition) === conditionKey(b.condition);
}

function bindingId(resource: string, { role, condition }: Binding, member: readonly string[] = []): string {
  return [resource, role, ...member].join("/") + conditionKey(condition);
}

const caseSensitive = /^(deleted:)?(principal|principalSet|principalHierarchy):|^(allUsers|allAuthenticatedUsers)$/;

/** Email addresses and domains are the same in every case, principals of workload identity pools are not. */
function normalMember(member: string): string {
  const colon = member.indexOf(":");
  if (caseSensitive.test(member) || colon === -1) return member;
  return member.slice(0, colon + 1) + member.slice(colon + 1).toLowerCase();
}

const sameMember = (a: string, b: string): boolean => normalMember(a) === normalMember(b);

function memberFailures(property: string, members: readonly string[]): CheckFailure[] {
  return members.flatMap((member) => {
    if (member.startsWith("deleted")) {
      return [{ property, reason: `invalid value for ${property} (Terraform does not support IAM members for deleted principals)` }];
    }
    if (/.+:.+|projectOwners|projectReaders|projectWriters|allUsers|allAuthenticatedUsers/.test(member)) return [];
    const where = "https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding";
    return [{ property, reason: `invalid value "${member}" for ${property} (IAM members must have one of the values outlined here: ${where})` }];
  });
}

function policyFailures(policyData: unknown): CheckFailure[] {
  try {
    JSON.parse(String(policyData));
    return [];
  } catch {
    return [{ property: "policyData", reason: `"policyData" is not a valid JSON policy; make it with organizations.getIAMPolicy` }];
  }
}

/** The form in which the provider keeps a policy: without etag and version. */
export function policyText({ bindings, auditConfigs = [] }: Policy): string {
  return JSON.stringify({ ...(auditConfigs.length > 0 && { auditConfigs }), bindings });
}

function canonical(policyData: unknown): string {
  const { bindings, auditConfigs } = JSON.parse(String(policyData)) as Policy;
  const roles = list<Binding>(bindings).map((each) => JSON.stringify([each.role, conditionKey(each.condition), [...new Set(each.members.map(normalMember))].sort()]));
  return JSON.stringify([roles.sort(), list(auditConfigs).map((each) => JSON.stringify(each)).sort()]);
}

// ---- imports name a resource by what is in the policy, divided by spaces ----

function parts(kind: string, id: string, least: number, form: string): string[] {
  const found = id.split(/\s+/).filter((part) => part !== "");
  if (found.length < least) throw new Error(`Wrong number of parts to ${kind} id [${found.join(" ")}]; expected '${form}'.`);
  return found;
}

function importedMember(target: PolicyTarget, id: string, context: Context): Properties {
  const [resource = "", role, member, ...title] = parts("Member", id, 3, "resource_name role member [condition_title]");
  return { ...target.parse(resource, context), role, member, conditionTitle: title.join(" ") };
}

function importedBindingOf(target: PolicyTarget, id: string, context: Context): Properties {
  const [resource = "", role, ...title] = parts("Binding", id, 2, "resource_name role [condition_title]");
  return { ...target.parse(resource, context), role, conditionTitle: title.join(" ") };
}

function importedAuditConfig(target: PolicyTarget, id: string, context: Context): Properties {
  const [resource = "", service] = parts("AuditConfig", id, 2, "resource_name service");
  return { ...target.parse(resource, context), service };
}

function importedBinding(target: PolicyTarget, policy: Policy, asked: Properties, context: Context): Binding {
  const { role, member, conditionTitle } = asked;
  const found = policy.bindings.filter((each) => each.role === role && (each.condition?.title ?? "") === conditionTitle && each.members.some((one) => sameMember(one, String(member))));
  if (found.length > 1) throw new Error(`Cannot import IAM member with condition title "${text(conditionTitle) ?? ""}", it matches multiple conditions`);
  const [only] = found;
  if (only) return only;
  const what = `role "${text(role) ?? ""}", member "${text(member) ?? ""}", and condition title "${text(conditionTitle) ?? ""}"`;
  throw new Error(`Cannot find binding for "${target.describe(asked, context)}" with ${what}`);
}

