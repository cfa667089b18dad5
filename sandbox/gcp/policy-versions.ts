/** Policies as those see them who do not know conditions. https://cloud.google.com/iam/docs/policies#versions */
import { createHash } from "node:crypto";
import type { Policy } from "../../trust/gcp/types.js";
import { invalidArgument } from "./errors.js";
import type { GcpRequest } from "./service.js";

/** The version that a call asks for, in its body or its query; 0 where it says none. */
export function requestedVersion({ body, query }: GcpRequest): number {
  const options = (body as { options?: { requestedPolicyVersion?: unknown } } | undefined)?.options;
  const asked = Number(options?.requestedPolicyVersion ?? query.get("options.requestedPolicyVersion") ?? query.get("optionsRequestedPolicyVersion") ?? 0);
  if (![0, 1, 3].includes(asked)) throw invalidArgument(`Invalid policy version: ${asked}. Valid values are 0, 1, and 3.`);
  return asked;
}

/** Below version 3 a conditional binding has a role that says so, and no condition. */
export function answerPolicy<P extends Policy>(policy: P, version: number): P {
  if (version === 3) return policy;
  const bindings = policy.bindings.map(({ condition, ...binding }) => {
    if (condition === undefined) return binding;
    const hash = createHash("sha256").update(JSON.stringify(condition)).digest("hex").slice(0, 20);
    return { ...binding, role: `${binding.role}_withcond_${hash}` };
  });
  return { ...policy, bindings, ...(policy.version === 3 && { version: 1 }) };
}
