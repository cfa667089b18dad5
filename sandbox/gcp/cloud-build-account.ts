/** Which account a build runs as, and whether the caller may start one as it. https://cloud.google.com/build/docs/cloud-build-service-account-updates */
import { buildTexts } from "../../facts/gcp/cloud-build.js";
import { defaultServiceAccount } from "./default-service-account.js";
import { invalidArgument } from "./errors.js";
import { IamStore, type ServiceAccountRecord } from "./iam-store.js";
import type { GcpServiceContext } from "./service.js";
import { GcpError, type GcpCaller, type GcpProject } from "./types.js";

const NAME = /^projects\/[^/]+\/serviceAccounts\/([^/]+)$/;

export class BuildAccounts {
  readonly #iam: IamStore;

  constructor(private readonly context: GcpServiceContext) {
    this.#iam = new IamStore(context.core.store, context.core.clock);
  }

  /** Address of the account of builds that name none: the Compute Engine default one, as in projects since June 2024. It has no rights but those that it is granted. */
  defaultEmail(project: GcpProject): string {
    return defaultServiceAccount(this.context, project).email;
  }

  /** Throws INVALID_ARGUMENT for an account that is not there, and PERMISSION_DENIED where the caller may not act as it. */
  startAs(caller: GcpCaller, project: GcpProject, given: string | undefined): ServiceAccountRecord {
    const [, named] = NAME.exec(given ?? "") ?? [];
    if (given !== undefined && named === undefined) throw invalidArgument(`invalid value for 'build.service_account': '${given}' must match projects/{project}/serviceAccounts/{account}`);
    const account = named === undefined ? defaultServiceAccount(this.context, project) : this.#iam.serviceAccount(named);
    if (account && this.#mayActAs(caller, account)) return account;
    // Who may act as every account of the project is told that this one is not there.
    const inProject = { name: `//cloudresourcemanager.googleapis.com/projects/${project.projectId}`, type: "cloudresourcemanager.googleapis.com/Project", projectId: project.projectId };
    const told = !account && this.context.allows(caller, "iam.serviceAccounts.actAs", inProject);
    throw told ? new GcpError("NOT_FOUND", buildTexts.accountMissing(named ?? "")) : new GcpError("PERMISSION_DENIED", buildTexts.actAsDenied(account?.uniqueId ?? named ?? ""));
  }

  #mayActAs(caller: GcpCaller, { name, projectId }: ServiceAccountRecord): boolean {
    return this.context.allows(caller, "iam.serviceAccounts.actAs", { name: `//iam.googleapis.com/${name}`, type: "iam.googleapis.com/ServiceAccount", projectId });
  }
}
