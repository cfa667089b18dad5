/** The cluster as Google's API describes it, and the right to find it; what may be done in it, only the cluster itself says. */
import { fail, pass, type Check } from "../check.js";
import { accountCheck, rightsCheck, unread, type AccountParts } from "./account/checks.js";
import { clusterName, clusterUrl, isClosed, type GkeGrant } from "./gke.js";
import { cause, type GcpRun } from "./run.js";

export function gkeAccountChecks(run: GcpRun, parts: AccountParts, grant: GkeGrant): Check[] {
  const { id, cluster, location, projectId, permissions } = grant;
  return [
    accountCheck(`cluster.${id}`, `cluster ${cluster}`, ["apis"], async () => {
      const reading = await parts.documents.get(clusterUrl(grant));
      if (reading.status === "unreadable") return unread(reading);
      if (reading.status === "absent") return fail(reading.detail, cause(run, "gcp.gke.cluster-missing", reading.detail, { subject: cluster, found: location, project: projectId }));
      const { status, endpoint } = reading.value;
      return pass(`${String(status)}, ${String(endpoint)}${isClosed(reading.value) ? ", without a public endpoint or for known networks only" : ""}`);
    }),
    rightsCheck(run, parts, id, `cluster ${cluster}`, `//container.googleapis.com/${clusterName(grant)}`, permissions.filter((permission) => permission.startsWith("container.")), [`cluster.${id}`]),
  ];
}
