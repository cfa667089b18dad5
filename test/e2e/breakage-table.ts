/**
 * Everything that can be wrong between the platform's token and the bucket: how it comes about, what AWS then answers the
 * platform, and what verify must make of it with each kind of evidence.
 */
import type { Breakage } from "./breakages/breakage.js";
import { buildRows, type BuildBreakage } from "./breakages/builds.js";
import { providerRows, roleRows, trustRows } from "./breakages/exchange.js";
import { bucketRows, keyRows, permissionRows } from "./breakages/storage.js";
import { issuerRows, tokenRows } from "./breakages/token.js";

export type { Breakage, Evidence } from "./breakages/breakage.js";

export const breakages: readonly Breakage[] = [
  ...providerRows,
  ...trustRows,
  ...roleRows,
  ...tokenRows,
  ...issuerRows,
  ...permissionRows,
  ...bucketRows,
  ...keyRows,
];

/** From the staged archive to the function that answers. */
export const buildBreakages: readonly BuildBreakage[] = buildRows;
