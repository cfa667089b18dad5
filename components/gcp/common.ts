/** What the GCP components check and look up alike. */
import * as pulumi from "@pulumi/pulumi";
import { getProjectOutput } from "@pulumi/gcp/organizations/getProject.js";
import { textViolation } from "../../facts/rules.js";
import { parseServiceAccountEmail } from "../../facts/gcp/identifiers.js";
import { LABELS, ruleViolation, textRules } from "../../facts/gcp/limits.js";
import { InputChecks } from "../inputs.js";

export { childOptions, lookupOptions } from "../options.js";

export type Labels = Record<string, pulumi.Input<string>>;

/** Checks of one component's inputs, in its name. */
export class GcpChecks extends InputChecks {
  constructor(component: pulumi.ComponentResource, type: string, name: string) {
    super(component, `${type} ${JSON.stringify(name)}`);
  }

  text(path: string, value: pulumi.Input<string>, rule: keyof typeof textRules): pulumi.Output<string> {
    return this.value(path, value, (known) => ruleViolation(rule, known));
  }

  optional(path: string, value: pulumi.Input<string> | undefined, rule: keyof typeof textRules): pulumi.Output<string> | undefined {
    return value === undefined ? undefined : this.text(path, value, rule);
  }

  /** Labels as given, or none. */
  labels(labels: pulumi.Input<Labels> | undefined): { labels?: pulumi.Output<Record<string, string>> } {
    if (labels === undefined) return {};
    return {
      labels: this.check(labels, (known) =>
        labelMistakes(known).map(({ key, reason }) => ({ path: key === undefined ? "labels" : `labels[${JSON.stringify(key)}]`, reason })),
      ),
    };
  }

  /** The member of IAM policies that rights are given to. */
  member(path: string, value: pulumi.Input<string>): pulumi.Output<string> {
    return this.value(path, value, memberViolation);
  }
}

/** What is wrong with labels, all together (no key) or one by one. */
export function labelMistakes(labels: Record<string, string>): { key?: string; reason: string }[] {
  const entries = Object.entries(labels);
  const tooMany = entries.length > LABELS ? [{ reason: `must be at most ${LABELS}; got ${entries.length}` }] : [];
  const single = entries.flatMap(([key, value]) => {
    const wrongKey = textViolation(textRules.labelKey, key);
    const wrongValue = textViolation(textRules.labelValue, value);
    return [...(wrongKey === undefined ? [] : [{ key, reason: `the key ${wrongKey}` }]), ...(wrongValue === undefined ? [] : [{ key, reason: wrongValue }])];
  });
  return [...tooMany, ...single];
}

const POOL_MEMBER = /^(principal|principalSet):\/\/iam\.googleapis\.com\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/(.+)$/;

/** Why a text names no single service account and no pool identity: nobody else is granted anything here. */
export function memberViolation(member: string): string | undefined {
  if (member.startsWith("serviceAccount:")) {
    const violation = textViolation(textRules.serviceAccountEmail, member.slice("serviceAccount:".length));
    return violation === undefined ? undefined : `must name one service account; got ${JSON.stringify(member)}`;
  }
  return principalViolation(member) && `must be serviceAccount:<email>, or ${PRINCIPAL_FORM}; got ${JSON.stringify(member)}`;
}

const PRINCIPAL_FORM = "one identity of a pool (principal://…/subject/<subject> or principalSet://…/attribute.<name>/<value>)";

/** Why a text names no single subject, and no single value of an attribute, of one pool. */
export function principalViolation(principal: string): string | undefined {
  const got = `got ${JSON.stringify(principal)}`;
  const [, kind, project = "", rest = ""] = POOL_MEMBER.exec(principal) ?? [];
  if (kind === undefined) return `must be ${PRINCIPAL_FORM}; ${got}`;
  if (textViolation(textRules.projectNumber, project) !== undefined) return `must name the pool's project by its number, since Google never matches its id; ${got}`;
  const exact = kind === "principal" ? /^subject\/[^\s'"`\\$*%]+$/ : /^attribute\.[a-z0-9_]+\/[^\s'"`\\$*%]+$/;
  return exact.test(rest) ? undefined : `must be ${PRINCIPAL_FORM}, not a whole pool or a pattern; ${got}`;
}

/** Full name of an account: its own project's, which is `projectId` for accounts whose email names none. */
export function serviceAccountName(email: string, projectId: string): string {
  return `projects/${parseServiceAccountEmail(email)?.projectId ?? projectId}/serviceAccounts/${email}`;
}

/** A project's number, by which principals and providers are named. Needs `resourcemanager.projects.get`. */
export function projectNumber(parent: pulumi.Resource, checks: InputChecks, projectId: pulumi.Input<string>): pulumi.Output<string> {
  const { number } = getProjectOutput({ projectId }, { parent });
  return checks.value("projectId", number, (known) =>
    textViolation(textRules.projectNumber, known) === undefined ? undefined : "names a project that Google tells no number of: its credentials may not read it (resourcemanager.projects.get)",
  );
}
