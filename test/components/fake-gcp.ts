/**
 * Google Cloud as far as the programs' own decisions need it: every resource is taken as it is given, and answered with the
 * names that the real provider makes. The sandbox's own behaviour is tested elsewhere, against real clients.
 */
import { runEmbedded, type EmbeddedResource, type EmbeddedResult } from "../../engine/embedded.js";
import type { InvokeBehaviour, Properties, ProviderTable, ResourceBehaviour } from "../../sandbox/types.js";

export interface FakeGcp {
  /** By id. */
  projects: Record<string, { number: string; labels?: Record<string, string> }>;
  /** What lookups find, by the lookup's name and the thing's; an Error where it cannot be read. */
  found: Record<string, Record<string, Properties | Error>>;
  /** Of a project, as JSON. */
  policy: Properties;
}

export const fakeGcp = (overrides: Partial<FakeGcp> = {}): FakeGcp => ({
  projects: { "customer-app-prod": { number: "123456789012" }, "platform-host": { number: "210987654321" } },
  found: {},
  policy: { bindings: [] },
  ...overrides,
});

type OutputsOf = (inputs: Properties, cloud: FakeGcp) => Properties;

const accountEmail = ({ accountId, project }: Properties) => `${String(accountId)}@${String(project)}.iam.gserviceaccount.com`;

const gcpTypes: Record<string, OutputsOf> = {
  "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": () => ({ state: "ACTIVE" }),
  "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": () => ({ state: "ACTIVE" }),
  "gcp:serviceaccount/account:Account": (inputs) => ({
    email: accountEmail(inputs),
    name: `projects/${String(inputs.project)}/serviceAccounts/${accountEmail(inputs)}`,
    uniqueId: "100000000000000000001",
    member: `serviceAccount:${accountEmail(inputs)}`,
  }),
  "gcp:serviceaccount/iAMMember:IAMMember": () => ({}),
  "gcp:storage/bucket:Bucket": ({ name }) => ({ url: `gs://${String(name)}` }),
  "gcp:storage/bucketIAMMember:BucketIAMMember": () => ({}),
  "gcp:artifactregistry/repository:Repository": () => ({}),
  "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": () => ({}),
  "gcp:projects/service:Service": () => ({}),
  "gcp:projects/iAMMember:IAMMember": () => ({}),
  "gcp:projects/iAMCustomRole:IAMCustomRole": ({ project, roleId }) => ({ name: `projects/${String(project)}/roles/${String(roleId)}` }),
  "gcp:projects/iAMAuditConfig:IAMAuditConfig": () => ({}),
  "gcp:cloudrunv2/service:Service": ({ name }) => ({ uri: `https://${String(name)}-abcdefghij-uc.a.run.app` }),
  "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": () => ({}),
};

const kubernetesTypes: Record<string, OutputsOf> = {
  "kubernetes:core/v1:Namespace": () => ({}),
  "kubernetes:rbac.authorization.k8s.io/v1:Role": () => ({}),
  "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": () => ({}),
};

/** Lookups of things that exist already, with the argument that names the thing. */
const lookups: Record<string, string> = {
  "gcp:iam/getWorkloadIdentityPool:getWorkloadIdentityPool": "workloadIdentityPoolId",
  "gcp:iam/getWorkloadIdentityPoolProvider:getWorkloadIdentityPoolProvider": "workloadIdentityPoolProviderId",
  "gcp:storage/getBucket:getBucket": "name",
  "gcp:artifactregistry/getRepository:getRepository": "repositoryId",
  "gcp:cloudrunv2/getService:getService": "name",
  "gcp:serviceaccount/getAccount:getAccount": "accountId",
  "gcp:container/getCluster:getCluster": "name",
};

export function fakeGcpTables(cloud: FakeGcp): ProviderTable[] {
  const behaviour = (type: string, outputsOf: OutputsOf): ResourceBehaviour => ({
    type,
    replaceOn: [],
    check: (inputs) => ({ inputs, failures: [] }),
    create: async (inputs) => ({ id: `id-of-${JSON.stringify(inputs).length}`, outputs: { ...inputs, ...outputsOf(inputs, cloud) } }),
    read: async () => undefined,
    update: async (_id, _olds, news) => news,
    delete: async () => undefined,
  });
  const resources = (types: Record<string, OutputsOf>) => new Map(Object.entries(types).map(([type, outputsOf]) => [type, behaviour(type, outputsOf)]));
  const invokes = new Map<string, InvokeBehaviour>([
    [
      "gcp:organizations/getProject:getProject",
      async ({ projectId }) => {
        const found = cloud.projects[String(projectId)];
        if (!found) throw new Error(`googleapi: Error 403: The caller does not have permission, forbidden`);
        return { projectId, number: found.number, labels: found.labels ?? {}, effectiveLabels: found.labels ?? {}, id: `projects/${String(projectId)}` };
      },
    ],
    ["gcp:projects/getIamPolicy:getIamPolicy", async ({ project }) => ({ project, policyData: JSON.stringify(cloud.policy), etag: "", id: String(project) })],
    ...Object.entries(lookups).map(([token, key]): [string, InvokeBehaviour] => [
      token,
      async (args) => {
        const name = String(args[key]);
        const found = cloud.found[token.slice(token.lastIndexOf(":") + 1)]?.[name];
        if (found === undefined) throw new Error(`projects/${String(args.project)}/${name} not found`);
        if (found instanceof Error) throw found;
        return { ...args, id: name, ...found };
      },
    ]),
  ]);
  return [
    { package: "gcp", scope: () => ({}), resources: resources(gcpTypes), invokes },
    { package: "kubernetes", scope: (config) => ({ kubeconfig: config.kubeconfig }), resources: resources(kubernetesTypes), invokes: new Map() },
  ];
}

export interface GcpRun {
  result: EmbeddedResult;
  /** The resources that are no components and no providers, by logical name. */
  children: Map<string, EmbeddedResource>;
  child(name: string): EmbeddedResource;
  /** Every right that is given: who, what, and on what. */
  bindings(): { on: string; role: unknown; member: unknown }[];
  warnings: string[];
}

export async function runGcp(program: () => unknown, cloud = fakeGcp(), config: Record<string, string> = {}, preview = false): Promise<GcpRun> {
  const warnings: string[] = [];
  const result = await runEmbedded({
    program: async () => (await program()) as Record<string, unknown> | undefined,
    project: "cloud-federation",
    stack: "test",
    config,
    preview,
    tables: fakeGcpTables(cloud),
    onEvent: (event) => {
      if (event.kind === "log" && event.severity === "warning") warnings.push(event.message);
    },
  });
  const own = result.resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:"));
  const children = new Map(own.map((resource) => [resource.name, resource]));
  if (children.size !== own.length) throw new Error("two resources have one name");
  const child = (name: string) => {
    const found = children.get(name);
    if (!found) throw new Error(`no resource ${name}; there are: ${[...children.keys()].join(", ")}`);
    return found;
  };
  const bindings = () =>
    own
      .filter(({ type }) => type.toLowerCase().endsWith("iammember"))
      .map(({ inputs }) => ({
        on: String(inputs.serviceAccountId ?? inputs.bucket ?? inputs.repository ?? inputs.name ?? inputs.project),
        role: inputs.role,
        member: inputs.member,
      }));
  return { result, children, child, bindings, warnings };
}
