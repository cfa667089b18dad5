/**
 * How AWS says in an AccessDenied which layer refused. Texts are hints: they are used where they are there, and nothing
 * depends on them. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
import type { PolicyLayer } from "../../trust/aws/types.js";

export interface Denial {
  /** The action that was refused, which may be another service's than the call's: S3 uses KMS for its caller. */
  action: string | undefined;
  resource: string | undefined;
  layer: PolicyLayer | "vpc-endpoint";
  /** As AWS calls it: `service control policy`. */
  layerName: string;
  explicit: boolean;
}

const LAYERS: readonly (readonly [string, Denial["layer"]])[] = [
  ["identity-based policy", "identity"],
  ["resource-based policy", "resource"],
  ["permissions boundary", "boundary"],
  ["session policy", "session"],
  ["service control policy", "service-control"],
  ["resource control policy", "resource-control"],
  ["VPC endpoint policy", "vpc-endpoint"],
];

/** Undefined when the text names no layer, as in the plain "Access Denied". */
export function readDenial(message: string): Denial | undefined {
  const reason = /\b(because no|with an explicit deny in) (.*)$/.exec(message);
  const [layerName, layer] = LAYERS.find(([words]) => reason?.[2]?.includes(words)) ?? [];
  if (!reason || layerName === undefined || layer === undefined) return undefined;
  return {
    action: /not authorized to perform: ([\w-]+:\w+)/.exec(message)?.[1],
    resource: /on resource: "?([^"\s]+)"?/.exec(message)?.[1],
    layer,
    layerName,
    explicit: reason[1] !== "because no",
  };
}
