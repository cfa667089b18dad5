/** The form of a policy in a request. */
import * as z from "zod";
import type { Policy } from "../../trust/gcp/types.js";
import { invalidArgument } from "./errors.js";
import { GcpError } from "./types.js";

const condition = z.object({ title: z.string().min(1).max(100), description: z.string().max(256).optional(), expression: z.string().min(1) });
const binding = z.object({ role: z.string().min(1), members: z.array(z.string()).default([]), condition: condition.nullish() });
const auditConfig = z.object({
  service: z.string().min(1),
  auditLogConfigs: z.array(z.object({ logType: z.enum(["ADMIN_READ", "DATA_READ", "DATA_WRITE"]), exemptedMembers: z.array(z.string()).optional() })).min(1),
});
const policyForm = z.object({
  version: z.number().optional(),
  etag: z.string().optional(),
  bindings: z.array(binding).default([]),
  auditConfigs: z.array(auditConfig).optional(),
});

/** Throws INVALID_ARGUMENT that names the member at fault. */
export function readPolicy(value: unknown): Policy {
  const result = policyForm.safeParse(value);
  const issue = result.error?.issues[0];
  if (!result.success) throw invalidArgument(`Invalid value at 'policy${issue ? [...issue.path].map((step) => `.${String(step)}`).join("") : ""}': ${issue?.message ?? "not a policy"}`);
  const { version, bindings, ...rest } = result.data;
  if (version !== undefined && ![0, 1, 3].includes(version)) throw new GcpError("INVALID_ARGUMENT", `Invalid policy version: ${version}. Valid values are 0, 1, and 3.`);
  return { ...rest, version, bindings: bindings.map(({ condition: given, ...plain }) => ({ ...plain, ...(given && { condition: given }) })) };
}
