/**
 * Which rights the session holds on the resource group, asked without doing anything: Azure lists everybody's own.
 * https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group
 */
import type { GrantOf } from "../../contract/schema.js";
import { isJsonObject } from "../../trust/jwt.js";
import { permits } from "../../trust/azure/roles.js";
import type { RoleDefinition } from "../../trust/azure/types.js";
import { fail, notTested, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { diagnosis, isExplained, narrow, open, type RightQuestion } from "./account-reader.js";
import { RIGHTS_NOT_READ } from "./arm-causes.js";
import { describeAnswer, isOverload, type AzureFailure } from "./answers.js";
import { armUrl, groupId, planId, registryId, siteId } from "./endpoints.js";
import { groupCheckId, type GroupGrant } from "./group.js";
import { cause, type AzureRun } from "./run.js";
import { askAs } from "./session.js";

/** With which the rest could be had. */
const TAKE_OVER = ["Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/elevateAccess/action"];

type Permissions = RoleDefinition["permissions"];

interface Held {
  held: Permissions;
}

export function rightsCheckId(grant: GroupGrant): string {
  return `azure.management.${grant.id}.rights`;
}

/** @param services grants on what is in the group, whose actions its role allows */
export function rightsCheck(run: AzureRun, grant: GroupGrant, services: readonly GrantOf<"app-service">[]): Check {
  return {
    id: rightsCheckId(grant),
    title: `Management: rights on resource group ${grant.resourceGroup}`,
    grade: "live",
    required: true,
    needs: [groupCheckId(grant)],
    deadlineMs: 60_000,
    run: (scope) => new HeldRights(run, grant, services).verdict(scope),
  };
}

/** The check, left out where the rights on the group are known to be too few: it would only say so again. */
export function unlessTooFew(check: Check, grant: GroupGrant): Check {
  const id = rightsCheckId(grant);
  return {
    ...check,
    after: [...(check.after ?? []), id],
    run: async (scope) => ((await scope.outcome(id))?.status === "fail" ? notTested(`left out because rights on resource group ${grant.resourceGroup} are missing`) : check.run(scope)),
  };
}

class HeldRights {
  readonly #group: string;
  readonly #wanted: readonly string[];

  constructor(
    private readonly run: AzureRun,
    private readonly grant: GroupGrant,
    private readonly services: readonly GrantOf<"app-service">[],
  ) {
    this.#group = groupId(grant.subscriptionId, grant.resourceGroup);
    this.#wanted = [...new Set([...grant.permissions, ...services.flatMap(({ permissions }) => permissions)])];
  }

  async verdict(scope: CheckScope): Promise<Verdict> {
    const { answer, exhausted } = await this.run.waiter.until(
      rightsCheckId(this.grant),
      scope,
      () => this.#ask(scope.signal),
      async (given) => {
        const [first] = "held" in given ? this.#missing(given.held) : [];
        return first === undefined || (await isExplained(this.run, this.#question(first))) ? undefined : first;
      },
    );
    if (!("held" in answer)) return this.#unread(answer);
    const { held } = answer;
    const missing = this.#missing(held);
    if (missing.length > 0) return this.#tooFew(missing, exhausted);
    const surplus = TAKE_OVER.filter((action) => !this.#wanted.includes(action) && permits(held, { action, data: false }));
    if (surplus.length > 0) return fail(`held: ${surplus.join(", ")}`, cause(this.run, "azure.rbac.too-wide", `Azure lists ${surplus.join(", ")} among the session's own permissions`, { action: surplus.join(", "), scope: this.#group }));
    return pass(`${this.#wanted.length} actions of the contract are held; not ${TAKE_OVER.join(", ")}`);
  }

  /** On the group and, where a role may be on them alone, on the resources in it. */
  async #ask(signal: AbortSignal): Promise<Held | AzureFailure> {
    const own = await this.#permissionsAt(this.#group, signal);
    if (!("held" in own) || this.#missing(own.held).length === 0) return own;
    const places = this.services.flatMap((service) => [registryId(service), planId(service), siteId(service, service.site)]);
    const more = await Promise.all(places.map((place) => this.#permissionsAt(place, signal)));
    return { held: [...own.held, ...more.flatMap((each) => ("held" in each ? each.held : []))] };
  }

  async #permissionsAt(place: string, signal: AbortSignal): Promise<Held | AzureFailure> {
    const answer = await askAs(this.run, "arm", { method: "GET", url: armUrl(this.run.cloud, `${place}/providers/Microsoft.Authorization/permissions`, "permissions") }, signal);
    if (!answer.ok) return answer;
    const { value } = answer.json;
    return { held: Array.isArray(value) ? value.filter(isJsonObject).map(permissionOf) : [] };
  }

  #missing(held: Permissions): string[] {
    return this.#wanted.filter((action) => !permits(held, { action, data: false }));
  }

  #question(action: string): RightQuestion {
    return { about: "right", action, dataAction: false, scope: this.#group };
  }

  async #tooFew(missing: readonly string[], waited: boolean): Promise<Verdict> {
    const seen = `not held: ${missing.join(", ")}`;
    const values = { action: missing.join(", "), scope: this.#group, role: this.grant.role };
    const evidence = `Azure leaves ${missing.join(", ")} out of the session's own permissions, and lets it read the group`;
    const suspects = [
      open(cause(this.run, "azure.rbac.role-too-narrow", evidence, values)),
      ...(waited ? [] : [open(cause(this.run, "azure.rbac.not-propagated", "no change of the assignment is known to be older than the time that Azure takes", values))]),
    ];
    const found = diagnosis(await narrow(this.run, this.#question(missing[0] ?? ""), suspects, evidence), RIGHTS_NOT_READ);
    return found ? fail(seen, found) : unknown(seen);
  }

  /** Nobody has to be granted this. */
  #unread(answer: AzureFailure): Verdict {
    const seen = describeAnswer(answer);
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
    return notTested(`the session may not list its own permissions, which the contract does not grant: ${seen}`);
  }
}

function permissionOf(value: Record<string, unknown>): Permissions[number] {
  const texts = (name: string): string[] => (Array.isArray(value[name]) ? value[name].filter((item) => typeof item === "string") : []);
  return { actions: texts("actions"), notActions: texts("notActions"), dataActions: texts("dataActions"), notDataActions: texts("notDataActions") };
}
