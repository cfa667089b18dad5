/** What stands in the way of adopting an OIDC provider, and what taking it out of the way would open. */
import type * as pulumi from "@pulumi/pulumi";
import * as iam from "@pulumi/aws/iam/index.js";
import { takesUnnamedAudience } from "../../trust/aws/audience.js";
import type { Mistake } from "../inputs.js";

/** How many roles are read at most, and at once: IAM throttles an account that asks for thousands. */
const ROLES_READ = 200;
const ROLES_AT_ONCE = 10;

/** Paths of roles that only AWS itself makes, and that no OIDC provider is trusted by. */
const AWS_OWN_PATHS = [":role/aws-service-role/", ":role/aws-reserved/"];

/**
 * What is wrong with a provider that is to be adopted: it cannot be read, or lacks an audience. Changes nothing.
 * For programs that want to know before they register anything. Where an audience is missing, the account's roles are
 * read as well (`iam:ListRoles`, `iam:GetRole`), to name those that adding it would widen.
 */
export async function adoptionMistakes(arn: string, clientIds: string[], opts?: pulumi.InvokeOptions): Promise<Mistake[]> {
  const path = "existingArn";
  try {
    const { clientIdLists } = await iam.getOpenIdConnectProvider({ arn }, opts);
    const missing = clientIds.filter((clientId) => !clientIdLists.includes(clientId));
    if (missing.length === 0) return [];
    const roles = await readRoles(opts);
    return missing.map((clientId) => ({ path, reason: `${audienceMissing(arn, clientId)} ${consequences(arn, clientId, roles)}` }));
  } catch (error) {
    return [{ path, reason: `${arn} cannot be read: ${firstLine(error)}` }];
  }
}

function audienceMissing(arn: string, clientId: string): string {
  return (
    `${arn} does not have the audience ${JSON.stringify(clientId)}, and what this stack did not create it does not change. ` +
    `Add it with \`aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${arn} --client-id ${clientId}\`.`
  );
}

interface ReadRole {
  name: string;
  trustPolicy?: string;
  /** Why there is no trust policy. */
  error?: string;
}

/** The account's roles as far as they were read; or why they could not be listed. */
type Roles = { read: ReadRole[]; total: number } | { error: string };

async function readRoles(opts?: pulumi.InvokeOptions): Promise<Roles> {
  try {
    const { arns } = await iam.getRoles({}, opts);
    const names = arns.filter((arn) => !AWS_OWN_PATHS.some((path) => arn.includes(path))).map((arn) => arn.slice(arn.lastIndexOf("/") + 1));
    const asked = names.sort().slice(0, ROLES_READ);
    const read: ReadRole[] = [];
    while (read.length < asked.length) {
      read.push(...(await Promise.all(asked.slice(read.length, read.length + ROLES_AT_ONCE).map((name) => readRole(name, opts)))));
    }
    return { read, total: names.length };
  } catch (error) {
    return { error: firstLine(error) };
  }
}

async function readRole(name: string, opts?: pulumi.InvokeOptions): Promise<ReadRole> {
  try {
    return { name, trustPolicy: (await iam.getRole({ name }, opts)).assumeRolePolicy };
  } catch (error) {
    return { name, error: firstLine(error) };
  }
}

/** Which roles would take tokens of the new audience too, and what of that is not known. */
function consequences(arn: string, clientId: string, roles: Roles): string {
  if ("error" in roles) {
    return `Look first: a role on this provider whose trust policy does not pin \`aud\` would then accept tokens of that audience too. Which ones is not known, since the roles cannot be listed: ${roles.error}.`;
  }
  const judged = roles.read.map((role) => judge(role, arn, clientId));
  const widened = judged.filter(({ wide }) => wide).map(({ name }) => name);
  const unread = judged.filter(({ error }) => error !== undefined);
  const seen = roles.read.length < roles.total || unread.length > 0 ? "Of the roles that could be looked at, " : "";
  const sentences = [
    widened.length > 0
      ? `Look first: these roles on this provider do not pin \`aud\` and would then accept tokens of that audience too: ${widened.join(", ")}.`
      : `${seen}${seen === "" ? "No" : "no"} role on this provider leaves \`aud\` open, so none would be widened.`,
  ];
  if (unread.length > 0) sentences.push(`Not looked at, since they cannot be read: ${unread.map(({ name }) => name).join(", ")} (${unread[0]?.error ?? ""}).`);
  if (roles.read.length < roles.total) sentences.push(`Only the first ${roles.read.length} of ${roles.total} roles by name were looked at.`);
  return sentences.join(" ");
}

function judge({ name, trustPolicy, error }: ReadRole, arn: string, clientId: string): { name: string; wide: boolean; error?: string } {
  if (trustPolicy === undefined) return { name, wide: false, error: error ?? "no trust policy" };
  const url = arn.slice(arn.indexOf("/") + 1);
  try {
    return { name, wide: takesUnnamedAudience(trustPolicy, { arn, url }, clientId) };
  } catch (malformed) {
    return { name, wide: false, error: firstLine(malformed) };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
