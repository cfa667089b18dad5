import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { ruleViolation } from "../../facts/azure/limits.js";
import { BUILT_IN_ROLES, builtInRole, roleDefinitionId, type BuiltInRole } from "../../facts/azure/roles.js";
import { permits } from "../../trust/azure/roles.js";
import { scopeLevel } from "../../trust/azure/scopes.js";
import { AzureChecks } from "./common.js";

export interface AzureRoleAssignmentArgs {
  /** ARM id of what the role is on: a resource group or something in one, never a whole subscription. */
  scope: pulumi.Input<string>;
  /** Object id of the service principal: a managed identity's `principalId`, never a client id or an application's object id. */
  principalId: pulumi.Input<string>;
  /** Name of a built-in role, such as `Storage Blob Data Contributor`; none that lets its holder assign roles. */
  role: string;
}

/**
 * One role of one service principal on one scope.
 *
 * Its name, a GUID, is made of scope, principal and role: the same assignment always has the same name, and one for an
 * identity that was made again another. Azure takes such an assignment once only, under whatever name. Since the principal
 * is known only once it exists, so is the name. The principal's type is always given, so that Azure does not look for one
 * that its directory's copies do not have yet.
 * https://learn.microsoft.com/azure/role-based-access-control/role-assignments
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AzureRoleAssignment extends pulumi.ComponentResource {
  /** ARM id. */
  readonly assignmentId: pulumi.Output<string>;
  /** Name of the role, such as `Contributor`. */
  readonly role: pulumi.Output<string>;
  readonly scope: pulumi.Output<string>;

  constructor(name: string, args: AzureRoleAssignmentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AzureRoleAssignment", name, {}, opts);
    const checks = new AzureChecks(this, "AzureRoleAssignment", name);
    this.scope = checks.value("scope", args.scope, scopeViolation);
    const principalId = checks.value("principalId", args.principalId, (value) => ruleViolation("objectId", value));
    const role = builtInRole(args.role);
    const violation = roleViolation(args.role);
    if (violation !== undefined) checks.add("role", violation);
    checks.finish();

    const guid = role?.name ?? "";
    const assignment = new RoleAssignment(
      name,
      {
        roleAssignmentName: pulumi.all([this.scope, principalId]).apply(([scope, principal]) => roleAssignmentName(scope, principal, guid)),
        scope: this.scope,
        roleDefinitionId: this.scope.apply((scope) => roleDefinitionId(subscriptionOf(scope) ?? "", guid)),
        principalId,
        principalType: "ServicePrincipal",
      },
      checks.childOptions(opts),
    );
    this.assignmentId = assignment.id;
    this.role = pulumi.output(role?.roleName ?? "");
    this.registerOutputs({ assignmentId: this.assignmentId, role: this.role, scope: this.scope });
  }
}

const SCOPE = /^\/subscriptions\/([^/]+)\/resourceGroups\/[^/]+(?:\/providers\/[^/]+(?:\/[^/]+\/[^/]+)+)?$/i;

function scopeViolation(scope: string): string | undefined {
  if (SCOPE.test(scope)) return undefined;
  const wide = ["tenant", "management-group", "subscription"].includes(scopeLevel(scope));
  const why = wide ? ", not something above it: a role there reaches every group" : "";
  return `must be the ARM id of a resource group or of something in one${why}; got ${JSON.stringify(scope)}`;
}

function subscriptionOf(scope: string): string | undefined {
  return SCOPE.exec(scope)?.[1];
}

/** Owner, and every other role with which more could be had. */
function assignsRoles({ permissions }: BuiltInRole): boolean {
  return permits(permissions, { action: "Microsoft.Authorization/roleAssignments/write", data: false });
}

function roleViolation(name: string): string | undefined {
  const role = builtInRole(name);
  if (role === undefined) {
    const known = [...BUILT_IN_ROLES.values()].filter((one) => !assignsRoles(one)).map(({ roleName }) => roleName);
    return `must be a built-in role that is known here (${known.join(", ")}); got ${JSON.stringify(name)}`;
  }
  return assignsRoles(role) ? `must not be ${role.roleName}, with which the workload could assign itself every other role` : undefined;
}

/** The namespace of names that are URLs, as an ARM id is a part of one. https://www.rfc-editor.org/rfc/rfc9562#name-namespace-id-usage-and-alloc */
const NAMESPACE = Buffer.from("6ba7b8119dad11d180b400c04fd430c8", "hex");

/** A name-based GUID (version 5). Case does not count: Azure compares ids without it. */
export function roleAssignmentName(scope: string, principalId: string, role: string): string {
  const digest = createHash("sha1").update(NAMESPACE).update([scope, principalId, role].join("|").toLowerCase()).digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.subarray(0, 16).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
