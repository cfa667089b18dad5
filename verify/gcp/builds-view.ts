/** A build as Cloud Build shows it. https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#Build */
import type { GrantOf } from "../../contract/schema.js";
import { isJsonObject, type JsonObject } from "../../trust/jwt.js";

export type BuildGrant = GrantOf<"cloud-build">;

/** A build as far as its fate is told. */
export interface BuildView {
  id: string;
  status: string;
  statusDetail: string;
  failureType: string;
  failureDetail: string;
  steps: { args: string[]; status: string }[];
  warnings: string[];
  digest: string | undefined;
}

export function describeBuild({ id, status, failureDetail, statusDetail, digest }: BuildView): string {
  const why = failureDetail === "" ? statusDetail : failureDetail;
  return `build ${id} ${status}${why === "" ? "" : `: ${why}`}${digest === undefined ? "" : `, ${digest}`}`;
}

export function viewOf({ id, status, statusDetail, failureInfo, steps, warnings, results }: JsonObject): BuildView {
  const failure = isJsonObject(failureInfo) ? failureInfo : {};
  const [image] = objects(isJsonObject(results) ? results["images"] : undefined);
  return {
    id: text(id),
    status: text(status),
    statusDetail: text(statusDetail),
    failureType: text(failure["type"]),
    failureDetail: text(failure["detail"]),
    steps: objects(steps).map(({ args, status: state }) => ({ args: Array.isArray(args) ? args.map(String) : [], status: text(state) })),
    warnings: objects(warnings).map((warning) => text(warning["text"])),
    digest: image && typeof image["digest"] === "string" ? image["digest"] : undefined,
  };
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
