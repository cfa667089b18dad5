/** Allow policies of every resource: what `setIamPolicy` checks, keeps and gives back. https://cloud.google.com/iam/docs/reference/rest/v1/Policy */
import type { Binding, Policy } from "../../trust/gcp/types.js";
import type { SandboxCore } from "../types.js";
import { projectResource } from "./accounts.js";
import { newEtag } from "./etag.js";
import type { IamStore, View } from "./iam-store.js";
import { deletedForm, memberOf } from "./policy-members.js";
import { readPolicy } from "./policy-form.js";
import type { PolicyRules } from "./policy-rules.js";
import type { GcpPolicies } from "./service.js";
import { GcpError } from "./types.js";

const POLICY = "gcp:iam/policy";
/** What Google answers for a policy that nobody has set. */
const EMPTY_ETAG = "ACAB";

interface PolicyRecord {
  bindings: readonly Binding[];
  auditConfigs?: Policy["auditConfigs"];
  etag: string;
  /** Unique ids of the accounts that the bindings name: an account made again under an address is another. */
  accounts: Readonly<Record<string, string>>;
}

export class PolicyStore implements GcpPolicies {
  constructor(
    private readonly core: SandboxCore,
    private readonly iam: IamStore,
    private readonly rules: PolicyRules,
  ) {}

  get(resource: string): Policy & { etag: string } {
    return this.#render(this.core.store.get<PolicyRecord>(POLICY, resource), "written");
  }

  /** As enforcement sees it. */
  effective(resource: string): Policy {
    return this.#render(this.core.store.effective<PolicyRecord>(POLICY, resource), "effective");
  }

  set(resource: string, policy: unknown, projectId: string): Policy & { etag: string } {
    const current = this.get(resource);
    const next = readPolicy(policy);
    if (next.etag !== undefined && next.etag !== "" && next.etag !== current.etag) throw concurrent();
    const conditional = [...next.bindings, ...current.bindings].some(({ condition }) => condition !== undefined);
    // Who gives no etag overwrites whatever is there.
    if (next.etag && conditional && next.version !== 3) throw versionTooLow(next.version ?? 0);
    const onProject = resource === projectResource(projectId);
    this.rules.check(next.bindings, current.bindings, { projectId, onProject });
    this.#put(resource, next.bindings, next.auditConfigs, true);
    return this.get(resource);
  }

  /** Sets what is there from the start, unchecked and at once. */
  seed(resource: string, bindings: readonly Binding[]): void {
    this.#put(resource, bindings, undefined, false);
  }

  delete(resource: string): void {
    this.core.store.delete(POLICY, resource, { propagates: true });
  }

  #put(resource: string, bindings: readonly Binding[], auditConfigs: Policy["auditConfigs"], propagates: boolean): void {
    const record: PolicyRecord = { bindings: merge(bindings), auditConfigs, etag: newEtag(), accounts: this.#accountsIn(bindings) };
    this.core.store.put(POLICY, resource, record, { propagates });
  }

  /** Which account each address means now. */
  #accountsIn(bindings: readonly Binding[]): Record<string, string> {
    const found = bindings
      .flatMap(({ members }) => members.map(memberOf))
      .flatMap((member): [string, string][] => {
        const { kind, email = "" } = member ?? {};
        const living = kind === "serviceAccount" ? this.iam.serviceAccount(email)?.uniqueId : undefined;
        return living === undefined ? [] : [[email, living]];
      });
    return Object.fromEntries(found);
  }

  /** An account that went is named by its id, whoever has its address now; one that is back is itself again. */
  #render(record: PolicyRecord | undefined, view: View): Policy & { etag: string } {
    if (!record) return { etag: EMPTY_ETAG, bindings: [] };
    const { accounts, auditConfigs, etag } = record;
    const present = (member: string): string => {
      const { kind, email = "", uid = accounts[email] } = memberOf(member) ?? {};
      if (uid === undefined || (kind !== "serviceAccount" && kind !== "deleted:serviceAccount")) return member;
      return this.iam.serviceAccount(email, "-", view)?.uniqueId === uid ? `serviceAccount:${email}` : deletedForm(email, uid);
    };
    const bindings = record.bindings.map((binding) => ({ ...binding, members: [...new Set(binding.members.map(present))] }));
    const version = bindings.some(({ condition }) => condition !== undefined) ? 3 : 1;
    return { version, etag, bindings, ...(auditConfigs && auditConfigs.length > 0 && { auditConfigs }) };
  }
}

/** One binding for a role and a condition; none without members. */
function merge(bindings: readonly Binding[]): Binding[] {
  const merged = new Map<string, Binding>();
  for (const binding of bindings) {
    const key = JSON.stringify([binding.role, binding.condition]);
    const known = merged.get(key);
    merged.set(key, { ...binding, members: [...new Set([...(known?.members ?? []), ...binding.members])] });
  }
  return [...merged.values()].filter(({ members }) => members.length > 0);
}

/** Eight bytes; clients take padded base64 only. */
function versionTooLow(version: number): GcpError {
  const message = `Specified policy version (${version}) cannot be less than the existing policy version (3).`;
  return new GcpError("INVALID_ARGUMENT", `${message} For more information, please refer to https://cloud.google.com/iam/docs/policies#versions.`);
}

function concurrent(): GcpError {
  return new GcpError("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.");
}
