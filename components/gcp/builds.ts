import * as pulumi from "@pulumi/pulumi";
import { RepositoryIamMember } from "@pulumi/gcp/artifactregistry/repositoryIamMember.js";
import { IAMMember as ProjectIamMember } from "@pulumi/gcp/projects/iammember.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { IAMMember as AccountIamMember } from "@pulumi/gcp/serviceaccount/iammember.js";
import { BucketIAMMember } from "@pulumi/gcp/storage/bucketIAMMember.js";
import { grantedRoles } from "../../facts/gcp/grants.js";
import { childOptions, GcpChecks, serviceAccountName } from "./common.js";

/** The account that builds run as. */
export interface GcpBuildAccountArgs {
  /** The part of a created account's email before `@`, 6 to 30 characters. */
  accountId?: pulumi.Input<string> | undefined;
  /** Email of an account to use instead of creating one. It is given what builds need, and nothing else of it is changed. */
  existingEmail?: pulumi.Input<string> | undefined;
}

export interface GcpBuildsArgs {
  /** Id of the project that builds run in. */
  projectId: pulumi.Input<string>;
  /** Who starts builds: `serviceAccount:<email>`, or one identity of a pool. */
  member: pulumi.Input<string>;
  /**
   * The account that builds run as. Whoever starts builds has to name it. Default: builds run as the project's default
   * account, which is given nothing here.
   */
  account?: GcpBuildAccountArgs | undefined;
  /** Bucket that the source is staged in. */
  sourceBucket: pulumi.Input<string>;
  /** Repository that images are pushed to, and deployed from. */
  repository: GcpImageRepositoryArgs;
}

/** A Docker repository, as `GcpArtifactRepository` has it. */
export interface GcpImageRepositoryArgs {
  projectId: pulumi.Input<string>;
  location: pulumi.Input<string>;
  repositoryId: pulumi.Input<string>;
}

/**
 * Builds in Cloud Build: the right to start them, and an account for them that can read the source, push the image, write
 * the log, and nothing else.
 *
 * Starting a build is running code as its account: what that account may do is what whoever starts builds may do.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class GcpBuilds extends pulumi.ComponentResource {
  /** Account that builds run as; unknown for the project's default. */
  readonly serviceAccountEmail: pulumi.Output<string> | undefined;

  constructor(name: string, args: GcpBuildsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpBuilds", name, {}, opts);
    const checks = new GcpChecks(this, "GcpBuilds", name);
    const project = checks.text("projectId", args.projectId, "projectId");
    const member = checks.member("member", args.member);
    const accountId = checks.optional("account.accountId", args.account?.accountId, "serviceAccountId");
    const existingEmail = checks.optional("account.existingEmail", args.account?.existingEmail, "serviceAccountEmail");
    if (args.account && (accountId === undefined) === (existingEmail === undefined)) {
      checks.add("account", `must have accountId, for an account to create, or existingEmail; got ${accountId ? "both" : "neither"}`);
    }
    const bucket = checks.text("sourceBucket", args.sourceBucket, "bucketName");
    const repository = {
      project: checks.text("repository.projectId", args.repository.projectId, "projectId"),
      location: checks.text("repository.location", args.repository.location, "region"),
      repository: checks.text("repository.repositoryId", args.repository.repositoryId, "repositoryId"),
    };
    checks.finish();

    const children = childOptions(this, opts);
    new ProjectIamMember(`${name}-starter`, { project, role: grantedRoles.buildsEditor, member }, children);
    new RepositoryIamMember(`${name}-images`, { ...repository, role: grantedRoles.registryReader, member }, children);
    const account = accountId && new Account(`${name}-account`, { project, accountId, displayName: "Builds of DCF" }, children);
    this.serviceAccountEmail = account?.email ?? existingEmail;
    if (this.serviceAccountEmail !== undefined) {
      const builder = pulumi.interpolate`serviceAccount:${this.serviceAccountEmail}`;
      const serviceAccountId = account?.name ?? pulumi.all([this.serviceAccountEmail, project]).apply(([email, owner]) => serviceAccountName(email, owner));
      new AccountIamMember(`${name}-act-as`, { serviceAccountId, role: grantedRoles.serviceAccountUser, member }, children);
      new BucketIAMMember(`${name}-source`, { bucket, role: grantedRoles.objectViewer, member: builder }, children);
      new RepositoryIamMember(`${name}-push`, { ...repository, role: grantedRoles.registryWriter, member: builder }, children);
      new ProjectIamMember(`${name}-log`, { project, role: grantedRoles.logWriter, member: builder }, children);
    }
    this.registerOutputs({ serviceAccountEmail: this.serviceAccountEmail });
  }
}
