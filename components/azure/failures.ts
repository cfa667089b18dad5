/** What Azure's refusals mean where its own words leave that open, said when a resource fails; and which failures pass by themselves. */
import * as pulumi from "@pulumi/pulumi";
import { QUOTA_VALIDATION_CODE } from "../../facts/azure/app-service.js";
import { ARM_ERRORS } from "../../facts/azure/arm-errors.js";
import { BLOB_ERRORS } from "../../facts/azure/blob-errors.js";
import { GRAPH_ERRORS } from "../../facts/azure/graph-errors.js";

interface Explanation {
  /** In what the provider says, which is a status, a code and Azure's own text. */
  when: RegExp;
  reason: (match: readonly string[]) => string;
}

const code = (name: string) => new RegExp(`"?${name}"?`);

const explanations: readonly Explanation[] = [
  {
    when: new RegExp(`${ARM_ERRORS.namespaceUnregistered.code}.*namespace '([^']+)'`),
    reason: ([, namespace = ""]) =>
      `The subscription has not registered ${namespace}. Do so with \`az provider register --namespace ${namespace} --wait\`, which takes minutes and ${namespace}/register/action on the subscription, and run again.`,
  },
  {
    when: new RegExp(`additional quota[^]*?Current Limit \\(([^)]*)\\): (\\d+)|${QUOTA_VALIDATION_CODE}`),
    reason: ([, machines = "this size", limit]) =>
      `The subscription has no quota left for App Service plans of ${machines} in this region${limit === undefined ? "" : ` (its limit is ${limit})`}. Ask for quota in Azure Portal (Quotas, App Service), ` +
      "choose another size or region, or use a plan that is there (existingPlan; in the stacks' configuration `mode: existing`).",
  },
  {
    when: /cannot create already existing (?:sub)?resource '([^']+)'/,
    reason: ([, id = ""]) =>
      `${id} is there already, and what this program did not create it does not take over. Adopt it (existing…; in the stacks' configuration \`mode: existing\`), or choose another name.`,
  },
  {
    when: code(ARM_ERRORS.assignmentExists.code),
    reason: () =>
      "The same role is assigned to the same identity on the same scope already, under another name. Look it up with `az role assignment list --scope <scope> --assignee <principal id>`, and delete that one, or leave the grant to whoever made it.",
  },
  {
    when: /Too many Federated Identity Credentials for|The limit is 20/,
    reason: () =>
      "The identity has as many federated credentials as Azure allows, 20. Remove those that nobody needs (`az identity federated-credential list`, `az ad app federated-credential list`), or use a second identity. " +
      "Say how many there are (existingCredentials), and the next program finds out beforehand.",
  },
  {
    when: /Issuer and subject combination already exists/,
    reason: () => "The identity trusts this issuer and subject by another credential already. Remove that one, or leave the trust to whoever made it.",
  },
  {
    when: new RegExp(`${ARM_ERRORS.authorizationFailed.code}.*'Microsoft\\.Authorization/roleAssignments/write'`, "i"),
    reason: () =>
      "The credentials of this run may not assign roles there: that takes Owner, User Access Administrator or Role Based Access Control Administrator on the scope; Contributor is not enough.",
  },
  {
    when: code(GRAPH_ERRORS.denied.code),
    reason: () =>
      "The credentials of this run may not make applications in the directory: that takes the role Application Developer or Application Administrator, or, for a service principal, the permission Application.ReadWrite.OwnedBy. " +
      "Where nobody gives them that, use a managed identity (AzureFederatedIdentity; in the stacks' configuration `identityKind: managed-identity`), which needs no rights in the directory.",
  },
];

/** Undefined where Azure's own words say enough. */
export function failureReason(error: string): string | undefined {
  for (const { when, reason } of explanations) {
    const match = when.exec(error);
    if (match) return reason(match);
  }
  return undefined;
}

/** Somebody else writes to the same identity; the directory's copies do not know a new principal yet; a container of the same name is on its way out. */
const PASSING = [ARM_ERRORS.credentialsConcurrent.code, ARM_ERRORS.principalNotFound.code, BLOB_ERRORS.containerDeleting.code];

export function passesByItself(error: string): boolean {
  return PASSING.some((name) => error.includes(name));
}

const TRIES = 6;
const LONGEST_WAIT_SECONDS = 30;

/** Retries what passes by itself, at growing distances; explains what does not. The provider's error stands in either case. */
export function failureHooks(component: pulumi.ComponentResource, title: string): { hooks?: pulumi.ResourceHookBinding } {
  const monitor: object | undefined = pulumi.runtime.getMonitor();
  // In unit tests with `pulumi.runtime.setMocks` there is nobody to register with.
  if (monitor === undefined || !("registerErrorHook" in monitor)) return {};
  const hook = new pulumi.ErrorHook(`${title} failed`, async ({ errors }) => {
    const [latest = ""] = errors;
    if (passesByItself(latest) && errors.length < TRIES) {
      // Not at the same moment as whoever stands in the way.
      await seconds(Math.min(2 ** errors.length, LONGEST_WAIT_SECONDS) * (0.5 + Math.random() / 2));
      return true;
    }
    const reason = failureReason(latest);
    if (reason !== undefined) await pulumi.log.error(reason, component);
    return false;
  });
  return { hooks: { onError: [hook] } };
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
