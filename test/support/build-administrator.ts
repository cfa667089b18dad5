/** An administrator who changes what builds stand on. */
import type { GrantOf } from "../../contract/index.js";
import { Administrator, policyText, type Statement } from "./administrator.js";

interface Variable {
  name: string;
  value: string;
}

interface Project {
  name: string;
  environment: Record<string, unknown> & { environmentVariables: Variable[] };
  source: object;
  serviceRole: string;
}

const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);

export class BuildAdministrator extends Administrator {
  get #grant(): GrantOf<"codebuild-project"> {
    const grant = this.contract.grants.find((candidate) => candidate.kind === "codebuild-project");
    if (!grant) throw new Error("The contract grants no project.");
    return grant;
  }

  get project(): string {
    return this.#grant.project;
  }

  get projectArn(): string {
    return `arn:aws:codebuild:${this.region}:${this.accountId}:project/${this.project}`;
  }

  /** Name of the role that builds run as. */
  get buildRole(): string {
    return nameOf(this.#grant.serviceRoleArn ?? "");
  }

  get buildRoleArn(): string {
    return this.#grant.serviceRoleArn ?? "";
  }

  /** Name of the role that functions run as. */
  get executionRole(): string {
    return nameOf(this.#grant.executionRoleArn ?? "");
  }

  get repository(): string {
    return nameOf(this.#grant.repositoryUri ?? "");
  }

  async #project(): Promise<Project> {
    const { projects } = (await this.call("codebuild", "BatchGetProjects", { names: [this.project] })) as { projects: Project[] };
    return projects[0]!;
  }

  async deleteProject(): Promise<void> {
    await this.call("codebuild", "DeleteProject", { name: this.project });
  }

  async moveProject(region: string): Promise<void> {
    const { name, source, environment, serviceRole } = await this.#project();
    // The service role's trust is for the project's place; nothing is made of it until a build starts.
    await this.setTrustOf(this.buildRole, { Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole", Condition: { StringEquals: { "aws:SourceAccount": this.accountId } } });
    await this.call("codebuild", "CreateProject", { name, source, environment, serviceRole, artifacts: { type: "NO_ARTIFACTS" } }, { region });
    await this.deleteProject();
  }

  async updateEnvironment(change: object): Promise<void> {
    const { name, environment } = await this.#project();
    await this.call("codebuild", "UpdateProject", { name, environment: { ...environment, ...change } });
  }

  async setVariables(keep: (variable: Variable) => boolean): Promise<void> {
    const { environment } = await this.#project();
    await this.updateEnvironment({ environmentVariables: environment.environmentVariables.filter(keep) });
  }

  async setVariable(name: string, change: (value: string) => string): Promise<void> {
    const { environment } = await this.#project();
    await this.updateEnvironment({ environmentVariables: environment.environmentVariables.map((variable) => (variable.name === name ? { ...variable, value: change(variable.value) } : variable)) });
  }

  /** A new role without rights. */
  async runBuildsAs(RoleName: string, trust: Statement): Promise<void> {
    const { Role: role } = (await this.call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument: policyText(trust) })) as { Role: { Arn: string } };
    await this.call("codebuild", "UpdateProject", { name: this.project, serviceRole: role.Arn });
  }

  /** Every such call is answered with this error, until a snapshot is restored. */
  failCalls(operation: string, error: { status: number; code: string; message: string }): void {
    this.sandbox.faults.add({ operation, ...error });
  }

  /** The role gets the rights for it; the subnet has no way out. */
  async placeInNetwork(): Promise<void> {
    await this.addToBuild({ Effect: "Allow", Action: "ec2:*", Resource: "*" }, "network");
    await this.call("codebuild", "UpdateProject", { name: this.project, vpcConfig: { vpcId: "vpc-1", subnets: ["subnet-1"], securityGroupIds: ["sg-1"] } });
  }

  allowBuilds(concurrentBuilds: number): void {
    this.sandbox.store.put("aws:codebuild/quota", `${this.accountId}/${this.region}`, { concurrentBuilds });
  }

  async deleteLogGroup(): Promise<void> {
    await this.call("logs", "DeleteLogGroup", { logGroupName: `/aws/codebuild/${this.project}` });
  }

  // ---- roles ----

  async setTrustOf(RoleName: string, ...statements: Statement[]): Promise<void> {
    await this.call("iam", "UpdateAssumeRolePolicy", { RoleName, PolicyDocument: policyText(...statements) });
  }

  async deleteRoleOf(RoleName: string, PolicyName: string): Promise<void> {
    await this.call("iam", "DeleteRolePolicy", { RoleName, PolicyName });
    await this.call("iam", "DeleteRole", { RoleName });
  }

  async #edit(RoleName: string, PolicyName: string, change: (statement: Statement) => Statement): Promise<void> {
    const { PolicyDocument: text } = await this.call("iam", "GetRolePolicy", { RoleName, PolicyName });
    const { Statement: statements } = JSON.parse(String(text)) as { Statement: Statement[] };
    const changed = statements.map(change).filter(({ Action }) => [Action].flat().length > 0);
    await this.call("iam", "PutRolePolicy", { RoleName, PolicyName, PolicyDocument: policyText(...changed) });
  }

  editBuildRights(change: (statement: Statement) => Statement): Promise<void> {
    return this.#edit(this.buildRole, "lambda-build", change);
  }

  withholdFromBuild(action: string): Promise<void> {
    return this.editBuildRights((statement) => ({ ...statement, Action: [statement.Action].flat().filter((each) => each !== action) }));
  }

  async addToBuild(statement: Statement, PolicyName = "more"): Promise<void> {
    await this.call("iam", "PutRolePolicy", { RoleName: this.buildRole, PolicyName, PolicyDocument: policyText(statement) });
  }

  async boundBuild(...statements: Statement[]): Promise<void> {
    const { Policy: policy } = (await this.call("iam", "CreatePolicy", { PolicyName: "build-boundary", PolicyDocument: policyText(...statements) })) as { Policy: { Arn: string } };
    await this.call("iam", "PutRolePermissionsBoundary", { RoleName: this.buildRole, PermissionsBoundary: policy.Arn });
  }

  /** Changes all inline policies of the federated role. */
  async editRights(change: (statement: Statement) => Statement): Promise<void> {
    const { PolicyNames: names } = (await this.call("iam", "ListRolePolicies", { RoleName: this.roleName })) as { PolicyNames: string[] };
    for (const name of names) await this.#edit(this.roleName, name, change);
  }

  withholdFromRole(action: string): Promise<void> {
    return this.editRights((statement) => ({ ...statement, Action: [statement.Action].flat().filter((each) => each !== action) }));
  }

  /** A statement of a key's policy that does not mean the build's role any more. */
  withoutBuildRole(statement: Statement): Statement {
    return JSON.parse(JSON.stringify(statement).replaceAll(`role/${this.buildRole}"`, `role/${this.buildRole}-old"`)) as Statement;
  }
}
