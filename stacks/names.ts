import { createHash } from "node:crypto";

/**
 * `<base><suffix>` where that is short enough; otherwise as much of the base as fits, with eight digits of its hash, so
 * that two long bases that begin alike have different names. The same inputs always make the same name.
 */
export function boundedName(base: string, suffix: string, max: number): string {
  if (base.length + suffix.length <= max) return `${base}${suffix}`;
  const hash = createHash("sha256").update(base).digest("hex").slice(0, 8);
  return `${base.slice(0, max - suffix.length - hash.length - 1)}-${hash}${suffix}`;
}
