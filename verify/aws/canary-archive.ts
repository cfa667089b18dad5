/** What the canary deploys: a function that answers with a fixed text. */
import { zip } from "../zip.js";

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-image.html */
const BASE_IMAGE = "public.ecr.aws/lambda/nodejs:22";

/** A Dockerfile at the root and what it copies. Another revision makes another image. */
export function canaryArchive(runId: string, revision: number): Buffer {
  const answer = `cloud-federation-verify ${runId} revision ${revision}`;
  return zip({
    Dockerfile: [`FROM ${BASE_IMAGE}`, "COPY index.mjs /var/task/", 'CMD ["index.handler"]', ""].join("\n"),
    "index.mjs": `export const handler = async () => ({ statusCode: 200, headers: { "content-type": "text/plain" }, body: ${JSON.stringify(answer)} });\n`,
  });
}
