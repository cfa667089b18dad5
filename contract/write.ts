/** Making a contract: the last look at a document before it becomes a stack's public output. */
import { ContractError, describeIssue, readContract } from "./read.js";
import { contractSchema, type Contract } from "./schema.js";

/** What a credential looks like, in case one ever ends up in a field that is meant for a name. */
const secrets: readonly (readonly [string, RegExp])[] = [
  ["a token", /\beyJ[\w-]{8,}\.[\w-]{8,}/],
  ["an AWS access key", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
];

/**
 * The document as a contract.
 *
 * @throws ContractError when it does not fit the schema, has a field that the schema does not know, or holds something
 *   that looks like a secret; the error never repeats the secret
 */
export function writeContract(document: Contract): Contract {
  refuseSecrets(document, "");
  const parsed = contractSchema.safeParse(document);
  if (!parsed.success) throw new ContractError(`The contract does not fit its schema: ${parsed.error.issues.map(describeIssue).join("; ")}`);
  refuseUnknown(document, parsed.data, "");
  readContract(parsed.data);
  return parsed.data;
}

function refuseSecrets(value: unknown, path: string): void {
  if (typeof value === "string") {
    const found = secrets.find(([, form]) => form.test(value));
    if (found) throw new ContractError(`The contract must hold no secret: ${path} looks like ${found[0]}`);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) refuseSecrets(inner, join(path, key, value));
  }
}

/** The schema drops what it does not know, on purpose, for readers; a writer must not rely on it. */
function refuseUnknown(given: unknown, kept: unknown, path: string): void {
  if (typeof given !== "object" || given === null) return;
  for (const [key, inner] of Object.entries(given)) {
    if (inner === undefined) continue;
    if (typeof kept !== "object" || kept === null || !(key in kept)) {
      throw new ContractError(`The contract does not fit its schema: ${join(path, key, given)} is no field of it`);
    }
    refuseUnknown(inner, (kept as Record<string, unknown>)[key], join(path, key, given));
  }
}

function join(path: string, key: string, parent: object): string {
  if (Array.isArray(parent)) return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}
