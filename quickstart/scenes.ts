/** The scenes of the demonstration, by integration. */
import type { AwsExchange, AzureExchange, Contract, GcpExchange } from "../contract/index.js";
import { API_VERSIONS } from "../facts/azure/api-versions.js";
import type { AwsServiceName } from "../sandbox/aws/types.js";
import type { Sandbox } from "../sandbox/index.js";
import { awsCredentialsToken } from "../verify/index.js";
import { issuedToken, type Scene } from "./scene.js";

const otherSubject = (subject: string): string => `${subject}-other`;

const dcfAws: Scene = {
  integration: "dcf-aws",
  owner: "the account's owner",
  token: issuedToken,
  account: (sandbox) => {
    const { accessKeyId, secretAccessKey } = sandbox.aws.administrator(sandbox.aws.defaultAccountId).accessKey;
    return { accessKeyId, secretAccessKey };
  },
  mistake: "the trust names another project's subject",
  break: async (sandbox, { exchange, workload }) => {
    const { roleArn, accountId, region } = exchange as AwsExchange;
    const call = awsCalls(sandbox, accountId, region);
    const RoleName = roleArn.split("/").at(-1);
    const { Role } = await call<{ Role: { AssumeRolePolicyDocument: string } }>("iam", "GetRole", { RoleName });
    const document = decodeURIComponent(Role.AssumeRolePolicyDocument);
    const PolicyDocument = document.replaceAll(JSON.stringify(workload.subject), JSON.stringify(otherSubject(workload.subject)));
    await call("iam", "UpdateAssumeRolePolicy", { RoleName, PolicyDocument });
    return `the role's trust policy now says ${otherSubject(workload.subject)}`;
  },
  cause: "aws.trust.subject-differs",
};

/** Google's projects are broken where people break them most: at the binding on the service account. */
const gcp = {
  owner: "the project's owner",
  account: (sandbox: Sandbox) => ({ accessToken: sandbox.gcp.administrator().accessToken }),
  mistake: "the right to impersonate the service account is taken away",
  break: async (sandbox: Sandbox, { exchange }: Contract) => {
    const { serviceAccountEmail = "", projectId } = exchange as GcpExchange;
    const url = `https://iam.googleapis.com/v1/projects/${projectId}/serviceAccounts/${serviceAccountEmail}`;
    await sandbox.gcp.call(sandbox.gcp.administrator().caller, "POST", `${url}:setIamPolicy`, { policy: { bindings: [] } });
    return `the policy of ${serviceAccountEmail} is empty now`;
  },
  cause: "gcp.impersonation.binding-missing",
};

const dcfGcp: Scene = { ...gcp, integration: "dcf-gcp", token: issuedToken };

const klaviGcp: Scene = {
  ...gcp,
  integration: "klavi-gcp",
  token: async (sandbox, { workload }) => {
    const [, , , , accountId = ""] = workload.subject.split(":");
    const RoleName = workload.subject.split("/").at(-1) ?? "";
    const region = "us-east-1";
    const call = awsCalls(sandbox, accountId, region);
    // Klavi's own side: the role that delivers, in Klavi's account.
    const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: "sts:AssumeRole" }] };
    await call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) });
    const { Credentials: keys } = await call<{ Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string } }>("sts", "AssumeRole", { RoleArn: `arn:aws:iam::${accountId}:role/${RoleName}`, RoleSessionName: "delivery" });
    const credentials = { accessKeyId: keys.AccessKeyId, secretAccessKey: keys.SecretAccessKey, sessionToken: keys.SessionToken };
    return awsCredentialsToken(async () => credentials, workload.audience, region);
  },
};

function awsCalls(sandbox: Sandbox, accountId: string, region: string) {
  const { caller } = sandbox.aws.administrator(accountId);
  return async <T = Record<string, unknown>>(service: AwsServiceName, operation: string, input: Record<string, unknown>): Promise<T> => (await sandbox.aws.call(caller, service, operation, input, region)) as T;
}

/** Azure's subscriptions are broken where people ask first: Contributor is there, and the blobs are out of reach. */
const azure = {
  owner: "the subscription's owner",
  // Whose client id and secret the sandbox's environment has.
  account: () => true,
  prepare: async (sandbox: Sandbox) => {
    const { subscriptionId } = sandbox.azure.defaultSubscription;
    for (const namespace of ["Microsoft.ManagedIdentity", "Microsoft.ContainerRegistry", "Microsoft.Web"]) {
      await arm(sandbox, "POST", `/subscriptions/${subscriptionId}/providers/${namespace}/register?api-version=${API_VERSIONS.resources}`);
    }
  },
  mistake: "the data role on the container is taken away",
  break: async (sandbox: Sandbox, { exchange, grants }: Contract) => {
    const { principalId } = exchange as AzureExchange;
    const grant = grants.find(({ kind }) => kind === "blob-container");
    if (grant?.kind !== "blob-container") throw new Error("The contract has no container.");
    const container = `/subscriptions/${grant.subscriptionId}/resourceGroups/${grant.resourceGroup}/providers/Microsoft.Storage/storageAccounts/${grant.account}/blobServices/default/containers/${grant.container}`;
    const path = `${container}/providers/Microsoft.Authorization/roleAssignments`;
    const version = `api-version=${API_VERSIONS.roleAssignments}`;
    const { value } = await arm<{ value: { id: string; properties: { principalId: string; scope: string } }[] }>(sandbox, "GET", `${path}?${version}&$filter=atScope()`);
    const own = value.filter(({ properties }) => properties.principalId === principalId && properties.scope.toLowerCase() === container.toLowerCase());
    for (const { id } of own) await arm(sandbox, "DELETE", `${id}?${version}`);
    return `nobody has ${grant.role ?? "a data role"} on container ${grant.container} now`;
  },
  cause: "azure.storage.data-role-missing",
};

const dcfAzure: Scene = { ...azure, integration: "dcf-azure", token: issuedToken };

const ddoeAzure: Scene = {
  ...azure,
  integration: "ddoe-azure",
  token: async (sandbox, contract) => {
    // The platform's own side: its issuer.
    if (!sandbox.issuers.find(contract.workload.issuer)) await sandbox.issuers.create(contract.workload.issuer);
    return issuedToken(sandbox, contract);
  },
};

function arm<T = Record<string, unknown>>(sandbox: Sandbox, method: string, path: string): Promise<T> {
  return sandbox.azure.call<T>(sandbox.azure.administrator().caller, method, `https://management.azure.com${path}`);
}

export const scenes: readonly Scene[] = [dcfAws, dcfGcp, dcfAzure, klaviGcp, ddoeAzure];
