import { createHash } from "node:crypto";

/**
 * `<base><suffix>` where that is short enough; otherwise as much of the base as fits, with eight digits of its hash, so
 * that two long bases that begin alike have different names. The same inputs always make the same name.
 */
export function boundedName(base: string, suffix: string, max: number): string {
  if (base.length + suffix.length <= max) return `${base}${suffix}`;
  const hash = hashOf(base);
  return `${base.slice(0, max - suffix.length - hash.length - 1)}-${hash}${suffix}`;
}

/**
 * The text with everything that a name may not have turned into hyphens; if that changed it, with eight digits of its
 * hash, so that two texts that then look alike have different names.
 */
export function plainName(text: string, allowed: "letters" | "lower-case"): string {
  const cased = allowed === "letters" ? text : text.toLowerCase();
  const plain = cased.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return plain === text ? text : `${plain}-${hashOf(text)}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
