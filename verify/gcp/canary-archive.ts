/** What the canary deploys: Google's own sample container, which answers every request with 200. */
import { zip } from "../zip.js";

/** Public, for amd64, listens on $PORT. https://cloud.google.com/run/docs/quickstarts/deploy-container */
const BASE_IMAGE = "us-docker.pkg.dev/cloudrun/container/hello";

/** A Dockerfile alone; the label makes the image one of its own. */
export function canaryArchive(runId: string): Buffer {
  return zip({ Dockerfile: `FROM ${BASE_IMAGE}\nLABEL cloud-federation-verify=${runId}\n` });
}
