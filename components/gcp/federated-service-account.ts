import * as pulumi from "@pulumi/pulumi";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { getAccountOutput } from "@pulumi/gcp/serviceaccount/getAccount.js";
import { IAMMember } from "@pulumi/gcp/serviceaccount/iammember.js";
import { grantedRoles } from "../../facts/gcp/grants.js";
import { childOptions, GcpChecks, lookupOptions, principalViolation } from "./common.js";

export interface GcpFederatedServiceAccountArgs {
  /** Id of the project that the account is in. */
  projectId: pulumi.Input<string>;
  /** The part of the email before `@`, 6 to 30 characters. @default the component's name */
  accountId?: pulumi.Input<string> | undefined;
  /** The account exists already: it is given one more who may act as it, and nothing else of it is changed. @default false */
  existing?: boolean | undefined;
  /** Who may act as the account: one identity of a pool, as `GcpWorkloadIdentityPool` has it. */
  principal: pulumi.Input<string>;
  /** At most 100 bytes. */
  displayName?: pulumi.Input<string> | undefined;
  /** At most 256 bytes. */
  description?: pulumi.Input<string> | undefined;
}

/**
 * A service account that one outside identity may act as: mint its access and identity tokens, and nothing more.
 *
 * For direct access, without an account in between, do without this component and give rights to the pool's principal
 * itself: `member` of a grant may be that. https://cloud.google.com/iam/docs/federated-identity-supported-services says
 * where Google takes it.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpFederatedServiceAccount extends pulumi.ComponentResource {
  readonly email: pulumi.Output<string>;
  /** `serviceAccount:<email>`, for grants. Known once the account exists. */
  readonly member: pulumi.Output<string>;
  /** `projects/<project>/serviceAccounts/<email>` */
  readonly accountName: pulumi.Output<string>;
  /** Never given again, also when an account of the same email is made later. */
  readonly uniqueId: pulumi.Output<string>;
  readonly principal: pulumi.Output<string>;

  constructor(name: string, args: GcpFederatedServiceAccountArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpFederatedServiceAccount", name, {}, opts);
    const checks = new GcpChecks(this, "GcpFederatedServiceAccount", name);
    const project = checks.text("projectId", args.projectId, "projectId");
    const accountId = checks.text("accountId", args.accountId ?? name, "serviceAccountId");
    this.principal = checks.value("principal", args.principal, principalViolation);
    if (args.existing) {
      for (const path of ["displayName", "description"] as const) {
        if (args[path] !== undefined) checks.add(path, "has no effect on an existing account, which is never changed: leave it out");
      }
    }
    checks.finish();

    const children = childOptions(this, opts);
    const account = args.existing
      ? getAccountOutput({ accountId: pulumi.interpolate`${accountId}@${project}.iam.gserviceaccount.com`, project }, lookupOptions(this, opts))
      : new Account(`${name}-account`, { project, accountId, displayName: args.displayName, description: args.description }, children);
    this.email = account.email;
    this.member = pulumi.interpolate`serviceAccount:${account.email}`;
    this.accountName = account.name;
    this.uniqueId = account.uniqueId;
    new IAMMember(`${name}-impersonation`, { serviceAccountId: account.name, role: grantedRoles.workloadIdentityUser, member: this.principal }, children);
    this.registerOutputs({ email: this.email, member: this.member, accountName: this.accountName, uniqueId: this.uniqueId, principal: this.principal });
  }
}
