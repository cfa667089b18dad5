/** Pulumi's GCP package as the sandbox plays it: its resource types, its functions, its provider's configuration. */
import type { ProviderTable, ResourceBehaviour } from "../types.js";
import { rememberToken } from "./resources/api.js";
import * as artifactRegistry from "./resources/artifact-registry.js";
import { behaviour, type Definition } from "./resources/behaviour.js";
import * as cloudRun from "./resources/cloud-run.js";
import * as container from "./resources/container.js";
import * as iam from "./resources/iam.js";
import { createInvokes } from "./resources/invokes.js";
import * as projects from "./resources/projects.js";
import * as storage from "./resources/storage.js";
import { labelsOf } from "./resources/values.js";
import type { GcpCaller, GcpCloud, GcpScope } from "./types.js";

const definitions: readonly Definition[] = [
  artifactRegistry.repository,
  artifactRegistry.repositoryIamBinding,
  artifactRegistry.repositoryIamMember,
  artifactRegistry.repositoryIamPolicy,
  cloudRun.service,
  cloudRun.serviceIamBinding,
  cloudRun.serviceIamMember,
  cloudRun.serviceIamPolicy,
  iam.account,
  iam.accountIamBinding,
  iam.accountIamMember,
  iam.accountIamPolicy,
  iam.denyPolicy,
  iam.workloadIdentityPool,
  iam.workloadIdentityPoolProvider,
  projects.iamCustomRole,
  projects.projectIamAuditConfig,
  projects.projectIamBinding,
  projects.projectIamMember,
  projects.projectIamPolicy,
  projects.service,
  storage.bucket,
  storage.bucketIamBinding,
  storage.bucketIamMember,
  storage.bucketIamPolicy,
  storage.bucketObject,
];

export function createGcpTable(cloud: GcpCloud): ProviderTable<GcpScope> {
  const resources = definitions.map((definition): [string, ResourceBehaviour<GcpScope>] => [definition.type, behaviour(cloud, definition)]);
  return {
    package: "gcp",
    scope: (config) => scope(cloud, config),
    resources: new Map(resources),
    invokes: createInvokes(cloud, artifactRegistry.lookups, cloudRun.lookups, container.lookups, storage.lookups),
  };
}

/** https://www.pulumi.com/registry/packages/gcp/installation-configuration/ */
function scope(cloud: GcpCloud, config: Record<string, string>): GcpScope {
  const project = set(config.project) ?? cloud.defaultProject.projectId;
  if (/^\d+$/.test(project)) throw new Error(`gcp:project is the number ${project}; set it to the project's id with \`pulumi config set gcp:project ${cloud.project(project)?.projectId ?? "PROJECT_ID"}\``);
  const zone = set(config.zone);
  const token = set(config.accessToken);
  const caller = callerOf(cloud, config, token);
  const made: GcpScope = { project, region: set(config.region) ?? zone?.replace(/-[a-z]$/, ""), zone, defaultLabels: defaultLabels(config), ...(caller && { caller }) };
  if (token !== undefined) rememberToken(made, token);
  return made;
}

/** Whom the configuration's credentials prove; without any it is the administrator: the table cannot see the program's environment. */
function callerOf(cloud: GcpCloud, config: Record<string, string>, token: string | undefined): GcpCaller | undefined {
  if (set(config.impersonateServiceAccount) !== undefined) {
    throw new Error("gcp:impersonateServiceAccount is not played by the sandbox's provider: set gcp:accessToken to a token of that account");
  }
  if (token !== undefined) {
    const caller = cloud.authenticate(token);
    if (caller) return caller;
    throw new Error("gcp:accessToken is no access token that this sandbox issued, or it has expired; leave it out to act as the sandbox's administrator");
  }
  const credentials = set(config.credentials);
  if (credentials === undefined) return undefined;
  const { type, refresh_token } = parsed(credentials);
  const administrator = cloud.administrator();
  if (type === "authorized_user" && refresh_token === administrator.refreshToken) return administrator.caller;
  throw new Error(
    `gcp:credentials of the type ${typeof type === "string" ? type : "unknown"} cannot be exchanged by the sandbox's provider: set gcp:accessToken to a token that they were exchanged for, or leave both out to act as the sandbox's administrator`,
  );
}

function parsed(credentials: string): Record<string, unknown> {
  try {
    return JSON.parse(credentials) as Record<string, unknown>;
  } catch {
    throw new Error("gcp:credentials is no JSON: the sandbox's provider does not read files; give the content of the credentials file");
  }
}

/** The package marks what it makes, unless it is told not to; a structured value of the configuration arrives as a JSON text. */
function defaultLabels(config: Record<string, string>): Record<string, string> {
  const given = set(config.defaultLabels);
  const attribution = config.addPulumiAttributionLabel === "false" ? {} : { "goog-pulumi-provisioned": "true" };
  return { ...attribution, ...(given === undefined ? {} : labelsOf(JSON.parse(given))) };
}

const set = (value: string | undefined): string | undefined => (value === "" ? undefined : value);
