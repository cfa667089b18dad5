/**
 * API versions of Azure Resource Manager: those that Pulumi's azure-native 3.28 can use of a type, and those of the `az` CLI 2.91,
 * of Azure's SDKs for Python and JavaScript, and of this toolkit. Azure has more of them; no client of an integration asks for those.
 * https://learn.microsoft.com/azure/azure-resource-manager/templates/resource-manager-template-best-practices#api-version
 */
import type { Grade } from "../rules.js";

/** What this toolkit itself asks for: generally available, and older than any version that a sovereign cloud lacks. */
export const API_VERSIONS = {
  subscriptions: "2022-12-01",
  resources: "2024-03-01",
  managedIdentity: "2023-01-31",
  roleAssignments: "2022-04-01",
  roleDefinitions: "2022-04-01",
  denyAssignments: "2022-04-01",
  permissions: "2022-04-01",
  locks: "2020-05-01",
  policies: "2023-04-01",
  storage: "2023-05-01",
  containerRegistry: "2023-07-01",
  web: "2023-12-01",
} as const;

export interface ApiVersionRow {
  /** A namespace, or a namespace and the first type where that has versions of its own. */
  of: string;
  /** The newest first. */
  versions: readonly string[];
  source: string;
  grade: Grade;
}

const NATIVE = "https://www.pulumi.com/registry/packages/azure-native/api-docs/";

/** As Resource Manager lists its own in a refusal; 2024-03-01 is in its public specification and in clients, though not in that list. */
const RESOURCE_MANAGER: readonly string[] = [
  "2025-04-01",
  "2025-03-01",
  "2024-11-01",
  "2024-10-01-preview",
  "2024-08-01",
  "2024-07-01",
  "2024-06-01-preview",
  "2024-03-01",
  "2023-07-01",
  "2023-07-01-preview",
  "2023-03-01-preview",
  "2022-12-01",
  "2022-11-01-preview",
  "2022-09-01",
  "2022-06-01",
  "2022-05-01",
  "2022-03-01-preview",
  "2022-01-01",
  "2021-04-01",
  "2021-01-01",
  "2020-10-01",
  "2020-09-01",
  "2020-08-01",
  "2020-07-01",
  "2020-06-01",
  "2020-05-01",
  "2020-01-01",
  "2019-11-01",
  "2019-10-01",
  "2019-09-01",
  "2019-08-01",
  "2019-07-01",
  "2019-06-01",
  "2019-05-10",
  "2019-05-01",
  "2018-05-01",
  "2018-02-01",
  "2017-05-10",
  "2016-09-01",
  "2016-06-01",
];

const POLICY: readonly string[] = ["2026-07-01", "2026-06-01", "2026-01-01-preview", "2025-12-01-preview", "2025-11-01", "2025-03-01", "2025-01-01", "2024-05-01", "2024-04-01", "2023-04-01", "2022-06-01", "2021-06-01", "2020-09-01"];

export const API_VERSION_ROWS: readonly ApiVersionRow[] = [
  { of: "Microsoft.Resources", versions: RESOURCE_MANAGER, source: "https://github.com/ansible-collections/azure/issues/1930", grade: "live" },
  {
    of: "Microsoft.ManagedIdentity",
    versions: ["2025-05-31-preview", "2025-01-31-preview", "2024-11-30", "2023-07-31-preview", "2023-01-31", "2022-01-31-preview", "2018-11-30"],
    source: `${NATIVE}managedidentity/userassignedidentity/`,
    grade: "documented",
  },
  {
    of: "Microsoft.Authorization/roleAssignments",
    versions: ["2022-04-01", "2020-10-01-preview", "2020-08-01-preview", "2020-04-01-preview", "2015-07-01"],
    source: `${NATIVE}authorization/roleassignment/`,
    grade: "documented",
  },
  { of: "Microsoft.Authorization/roleDefinitions", versions: ["2022-05-01-preview", "2022-04-01", "2018-01-01-preview", "2015-07-01"], source: `${NATIVE}authorization/roledefinition/`, grade: "documented" },
  {
    of: "Microsoft.Authorization/denyAssignments",
    versions: ["2024-07-01-preview", "2022-04-01", "2018-07-01-preview"],
    source: "https://learn.microsoft.com/rest/api/authorization/deny-assignments",
    grade: "documented",
  },
  {
    of: "Microsoft.Authorization/permissions",
    versions: ["2022-05-01-preview", "2022-04-01", "2018-07-01", "2015-07-01"],
    source: "https://learn.microsoft.com/rest/api/authorization/permissions",
    grade: "documented",
  },
  { of: "Microsoft.Authorization/locks", versions: ["2020-05-01", "2017-04-01", "2016-09-01", "2015-01-01"], source: `${NATIVE}authorization/managementlockbyscope/`, grade: "documented" },
  { of: "Microsoft.Authorization/policyAssignments", versions: POLICY, source: `${NATIVE}authorization/policyassignment/`, grade: "documented" },
  { of: "Microsoft.Authorization/policyDefinitions", versions: POLICY, source: `${NATIVE}authorization/policydefinition/`, grade: "documented" },
  {
    of: "Microsoft.Storage",
    versions: ["2026-09-01", "2026-04-01", "2025-08-01", "2025-06-01", "2025-01-01", "2024-01-01", "2023-05-01", "2023-04-01", "2023-01-01", "2022-09-01", "2021-09-01"],
    source: `${NATIVE}storage/storageaccount/`,
    grade: "documented",
  },
  {
    of: "Microsoft.ContainerRegistry",
    versions: [
      "2026-09-01-preview",
      "2026-03-01-preview",
      "2026-01-01-preview",
      "2025-11-01",
      "2025-06-01-preview",
      "2025-05-01-preview",
      "2025-04-01",
      "2025-03-01-preview",
      "2024-11-01-preview",
      "2023-11-01-preview",
      "2023-08-01-preview",
      "2023-07-01",
      "2023-06-01-preview",
      "2023-01-01-preview",
      "2022-12-01",
      "2022-02-01-preview",
      "2021-09-01",
    ],
    source: `${NATIVE}containerregistry/registry/`,
    grade: "documented",
  },
  {
    of: "Microsoft.Web",
    versions: ["2026-07-15", "2026-03-15", "2025-05-01", "2025-03-01", "2024-11-01", "2024-04-01", "2023-12-01", "2023-01-01", "2022-09-01", "2022-03-01", "2021-03-01", "2021-02-01", "2020-12-01"],
    source: `${NATIVE}web/webapp/`,
    grade: "documented",
  },
];

const byName: ReadonlyMap<string, readonly string[]> = new Map(API_VERSION_ROWS.map((row) => [row.of.toLowerCase(), row.versions]));

/** Of a type such as `Microsoft.Storage/storageAccounts/blobServices`; undefined for one that has no row. */
export function apiVersionsOf(type: string): readonly string[] | undefined {
  const [namespace = "", first = ""] = type.toLowerCase().split("/");
  return byName.get(`${namespace}/${first}`) ?? byName.get(namespace);
}
