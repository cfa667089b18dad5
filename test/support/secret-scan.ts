/**
 * Finds secrets in text by their shape, so that a whole run's output and files can be scanned without knowing its keys.
 * The sandbox's own secrets carry a marker for the same purpose.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SANDBOX_SECRET_MARK } from "../../facts/sandbox.js";

const shapes: { name: string; pattern: RegExp }[] = [
  { name: "JSON Web Token", pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{16,}/g },
  { name: "private key (PEM)", pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/g },
  { name: "private key (JWK)", pattern: /"d"\s*:\s*"[\w-]{40,}"/g },
  { name: "AWS signature", pattern: /Signature=[0-9a-f]{64}/g },
  { name: "sandbox secret", pattern: new RegExp(`${SANDBOX_SECRET_MARK}[\\w+/=%-]{8,}`, "g") },
];

export interface Finding {
  shape: string;
  where: string;
  /** Enough to find it, not enough to use it. */
  begins: string;
}

export function scanText(where: string, text: string): Finding[] {
  return shapes.flatMap(({ name, pattern }) =>
    [...text.matchAll(pattern)].map((match) => ({ shape: name, where, begins: match[0].slice(0, 12) })),
  );
}

/** Every file below a folder, except those that the caller names as the place for key material. */
export function scanFolder(folder: string, except: (path: string) => boolean = () => false): Finding[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => !except(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .flatMap((path) => scanText(path, readFileSync(path, "latin1")));
}
