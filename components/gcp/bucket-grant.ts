import * as pulumi from "@pulumi/pulumi";
import { IAMCustomRole } from "@pulumi/gcp/projects/iamcustomRole.js";
import { BucketIAMMember } from "@pulumi/gcp/storage/bucketIAMMember.js";
import { choiceViolation } from "../../facts/rules.js";
import { grantedRoles, permissionsOf } from "../../facts/gcp/grants.js";
import { childOptions, GcpChecks } from "./common.js";

/**
 * How much of a bucket is granted. `object-admin` is DCF's role; `artifact-objects` a custom role with the four permissions
 * that DCF uses of it; `object-creator` lets new files in, and nothing out.
 */
export const bucketAccess = ["object-admin", "artifact-objects", "object-creator"] as const;

export interface GcpBucketGrantArgs {
  /** Id of the project that a custom role is made in. */
  projectId: pulumi.Input<string>;
  bucketName: pulumi.Input<string>;
  /** Who: `serviceAccount:<email>`, or one identity of a pool. */
  member: pulumi.Input<string>;
  /** One of {@link bucketAccess}. Plain, since it decides what is made. @default "object-admin" */
  access?: string | undefined;
  /** Id of the custom role that `artifact-objects` makes. A deleted role's id is taken for weeks. */
  customRoleId?: pulumi.Input<string> | undefined;
}

/**
 * One member's right on the objects of one bucket.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpBucketGrant extends pulumi.ComponentResource {
  /** Full name of the role. */
  readonly role: pulumi.Output<string>;
  /** What of the role is needed, in IAM's names. */
  readonly permissions: pulumi.Output<string[]>;

  constructor(name: string, args: GcpBucketGrantArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpBucketGrant", name, {}, opts);
    const checks = new GcpChecks(this, "GcpBucketGrant", name);
    const project = checks.text("projectId", args.projectId, "projectId");
    const bucket = checks.text("bucketName", args.bucketName, "bucketName");
    const member = checks.member("member", args.member);
    const access = args.access ?? "object-admin";
    checks.value("access", access, (value) => choiceViolation<string>(bucketAccess, value));
    const custom = access === "artifact-objects";
    const roleId = checks.optional("customRoleId", args.customRoleId, "customRoleId");
    if (custom && roleId === undefined) checks.add("customRoleId", "is required with access artifact-objects: the id of the role to make");
    if (!custom && roleId !== undefined) checks.add("customRoleId", "goes with access artifact-objects only: leave it out");
    checks.finish();

    const children = childOptions(this, opts);
    const permissions = permissionsOf(access === "object-creator" ? "object-delivery" : "artifact-objects");
    this.role = custom
      ? new IAMCustomRole(
          `${name}-role`,
          { project, roleId, title: "DCF artifacts", description: "Write, read, list and delete objects; for the artifact bucket", permissions },
          children,
        ).name
      : pulumi.output(access === "object-creator" ? grantedRoles.objectCreator : grantedRoles.objectAdmin);
    new BucketIAMMember(`${name}-member`, { bucket, role: this.role, member }, children);
    this.permissions = pulumi.output(permissions);
    this.registerOutputs({ role: this.role, permissions: this.permissions });
  }
}
