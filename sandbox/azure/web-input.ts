/** Reads requests to Microsoft.Web, and where they are. */
import type * as z from "zod";
import { PLAN_TYPE, SITE_TYPE, webRefusals } from "../../facts/azure/app-service.js";
import { resourceNotFound } from "./arm-errors.js";
import { groupId, parseArmId } from "./arm-ids.js";
import type { AzureRequest } from "./service.js";
import { AzureError } from "./types.js";
import { refuseWeb } from "./web-errors.js";

export const planIdOf = ({ params }: AzureRequest): string => `${groupId(params["subscription"] ?? "", params["group"] ?? "")}/providers/${PLAN_TYPE}/${params["plan"] ?? ""}`;

/** Of the site, also where the path names one of its slots. */
export const parentIdOf = ({ params }: AzureRequest): string => `${groupId(params["subscription"] ?? "", params["group"] ?? "")}/providers/${SITE_TYPE}/${params["site"] ?? ""}`;

/** Of the slot, where the path names one. */
export function siteIdOf(request: AzureRequest): string {
  const slot = request.params["slot"];
  return slot === undefined ? parentIdOf(request) : `${parentIdOf(request)}/slots/${slot}`;
}

export function parseWeb<T>(form: z.ZodType<T>, body: unknown): T {
  const result = form.safeParse(body ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw refuseWeb(webRefusals.bodyInvalid(`${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? ""}`));
}

export const shortLocation = (location: string): string => location.toLowerCase().replaceAll(" ", "");

export function missing(id: string): AzureError {
  const parsed = parseArmId(id);
  return parsed ? resourceNotFound(parsed) : new AzureError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
}
