import * as pulumi from "@pulumi/pulumi";
import { getServiceOutput } from "@pulumi/gcp/cloudrunv2/getService.js";
import { Service } from "@pulumi/gcp/cloudrunv2/service.js";
import { ServiceIamMember } from "@pulumi/gcp/cloudrunv2/serviceIamMember.js";
import { IAMCustomRole } from "@pulumi/gcp/projects/iamcustomRole.js";
import { IAMMember as ProjectIamMember } from "@pulumi/gcp/projects/iammember.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { IAMMember as AccountIamMember } from "@pulumi/gcp/serviceaccount/iammember.js";
import { choiceViolation } from "../../facts/rules.js";
import { grantedRoles, permissionsOf } from "../../facts/gcp/grants.js";
import { childOptions, GcpChecks, lookupOptions, serviceAccountName, type Labels } from "./common.js";

/**
 * Who may make the service public: nobody (`private`), the platform, by a custom role with `run.services.setIamPolicy`
 * alone, or the customer, whose stack makes the binding itself and whose platform cannot take it back.
 */
export const publicAccess = ["private", "platform", "customer"] as const;

/** The account that the service runs as. */
export interface GcpRuntimeAccountArgs {
  /** The part of a created account's email before `@`, 6 to 30 characters. It is granted nothing. */
  accountId?: pulumi.Input<string> | undefined;
  /** Email of an account to use instead of creating one. */
  existingEmail?: pulumi.Input<string> | undefined;
}

export interface GcpCloudRunTargetArgs {
  /** Id of the project that the service is in. */
  projectId: pulumi.Input<string>;
  region: pulumi.Input<string>;
  /** Name of the service, at most 49 characters. */
  serviceName: pulumi.Input<string>;
  /** The service exists already: nothing of it but its IAM policy is changed. @default false: made, with Google's sample image */
  existing?: boolean | undefined;
  /** Who deploys: `serviceAccount:<email>`, or one identity of a pool. */
  member: pulumi.Input<string>;
  /**
   * Grants `roles/run.developer` on the whole project instead of the one service, so that other services can be created,
   * changed and deleted too.
   * @default false
   */
  grantOnProject?: boolean | undefined;
  runtimeAccount: GcpRuntimeAccountArgs;
  /** One of {@link publicAccess}. Plain, since it decides what is made. @default "private" */
  publicAccess?: string | undefined;
  /** Id of the custom role that `publicAccess: platform` makes. A deleted role's id is taken for weeks. */
  publicAccessRoleId?: pulumi.Input<string> | undefined;
  /** Of a created service, at most 64. */
  labels?: pulumi.Input<Labels> | undefined;
}

/**
 * Public, kept by Google, and says no more than that it runs: stands in until the platform deploys.
 * https://cloud.google.com/run/docs/quickstarts/deploy-container
 */
const PLACEHOLDER_IMAGE = "us-docker.pkg.dev/cloudrun/container/hello";

/** Of a service, what every deployment by the platform changes. */
const DEPLOYED = ["annotations", "client", "clientVersion", "labels", "template", "traffics"];

/**
 * A Cloud Run service that a platform deploys to: the service, the account that it runs as, and the rights on both. Never
 * `roles/run.admin`.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpCloudRunTarget extends pulumi.ComponentResource {
  /** Known once the service exists. */
  readonly serviceName: pulumi.Output<string>;
  readonly runtimeServiceAccountEmail: pulumi.Output<string>;
  /** Full name of the custom role of `publicAccess: platform`. */
  readonly publicAccessRole: pulumi.Output<string> | undefined;
  /** The service's address. */
  readonly uri: pulumi.Output<string>;

  constructor(name: string, args: GcpCloudRunTargetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpCloudRunTarget", name, {}, opts);
    const checks = new GcpChecks(this, "GcpCloudRunTarget", name);
    const project = checks.text("projectId", args.projectId, "projectId");
    const location = checks.text("region", args.region, "region");
    const serviceName = checks.text("serviceName", args.serviceName, "cloudRunService");
    const member = checks.member("member", args.member);
    const accountId = checks.optional("runtimeAccount.accountId", args.runtimeAccount.accountId, "serviceAccountId");
    const existingEmail = checks.optional("runtimeAccount.existingEmail", args.runtimeAccount.existingEmail, "serviceAccountEmail");
    const access = args.publicAccess ?? "private";
    const roleId = checks.optional("publicAccessRoleId", args.publicAccessRoleId, "customRoleId");
    const labels = checks.labels(args.labels);
    checkChoices(checks, args, access);
    checks.finish();

    const children = childOptions(this, opts);
    const account = accountId && new Account(`${name}-runtime`, { project, accountId, displayName: "Runs what DCF deploys" }, children);
    this.runtimeServiceAccountEmail = account?.email ?? existingEmail ?? pulumi.output("");
    const runtimeAccountId = account?.name ?? pulumi.all([this.runtimeServiceAccountEmail, project]).apply(([email, owner]) => serviceAccountName(email, owner));
    new AccountIamMember(`${name}-act-as`, { serviceAccountId: runtimeAccountId, role: grantedRoles.serviceAccountUser, member }, children);

    const service = args.existing
      ? getServiceOutput({ project, location, name: serviceName }, lookupOptions(this, opts))
      : new Service(
          `${name}-service`,
          {
            project,
            location,
            name: serviceName,
            ingress: "INGRESS_TRAFFIC_ALL",
            deletionProtection: false,
            template: { serviceAccount: this.runtimeServiceAccountEmail, containers: [{ image: PLACEHOLDER_IMAGE }] },
            ...labels,
          },
          { ...children, ignoreChanges: DEPLOYED },
        );
    this.serviceName = service.name;
    this.uri = service.uri;
    const onService = { project, location, name: service.name };
    if (args.grantOnProject) new ProjectIamMember(`${name}-deployer`, { project, role: grantedRoles.runDeveloper, member }, children);
    else new ServiceIamMember(`${name}-deployer`, { ...onService, role: grantedRoles.runDeveloper, member }, children);

    this.publicAccessRole = access === "platform" ? this.policySetter(name, { project, roleId, member, onService }, args.grantOnProject ?? false, children) : undefined;
    if (access === "customer") new ServiceIamMember(`${name}-public`, { ...onService, role: grantedRoles.runInvoker, member: "allUsers" }, children);
    this.registerOutputs({
      serviceName: this.serviceName,
      runtimeServiceAccountEmail: this.runtimeServiceAccountEmail,
      publicAccessRole: this.publicAccessRole,
      uri: this.uri,
    });
  }

  /**
   * Lets the platform set the policy of the service, on the service unless it deploys to the whole project. A policy
   * setter can give itself every other right on the same service: IAM has no condition for services that would hold it back.
   * https://cloud.google.com/iam/docs/setting-limits-on-granting-roles
   */
  private policySetter(
    name: string,
    { project, roleId, member, onService }: PolicySetter,
    onProject: boolean,
    children: pulumi.CustomResourceOptions,
  ): pulumi.Output<string> {
    const role = new IAMCustomRole(
      `${name}-public-role`,
      { project, roleId, title: "DCF public access", description: "Set who may invoke a Cloud Run service", permissions: permissionsOf("public-access") },
      children,
    );
    if (onProject) new ProjectIamMember(`${name}-public`, { project, role: role.name, member }, children);
    else new ServiceIamMember(`${name}-public`, { ...onService, role: role.name, member }, children);
    return role.name;
  }
}

interface PolicySetter {
  project: pulumi.Output<string>;
  roleId: pulumi.Output<string> | undefined;
  member: pulumi.Output<string>;
  onService: { project: pulumi.Output<string>; location: pulumi.Output<string>; name: pulumi.Output<string> };
}

function checkChoices(checks: GcpChecks, args: GcpCloudRunTargetArgs, access: string): void {
  checks.value("publicAccess", access, (value) => choiceViolation<string>(publicAccess, value));
  if (access === "platform" && args.publicAccessRoleId === undefined) checks.add("publicAccessRoleId", "is required with publicAccess platform: the id of the role to make");
  if (access !== "platform" && args.publicAccessRoleId !== undefined) checks.add("publicAccessRoleId", "goes with publicAccess platform only: leave it out");
  const { accountId, existingEmail } = args.runtimeAccount;
  if ((accountId === undefined) === (existingEmail === undefined)) {
    checks.add("runtimeAccount", `must have accountId, for an account to create, or existingEmail; got ${accountId === undefined ? "neither" : "both"}`);
  }
  if (args.existing && args.labels !== undefined) checks.add("labels", "has no effect on an existing service, which is never changed: leave it out");
}
