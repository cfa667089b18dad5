/** Reading a contract from outside: a file, a stack's output, a person's paste. */
import { z } from "zod";
import { CONTRACT_KIND, CONTRACT_VERSION, contractSchema, grantSchema, refusalTargetSchema, type Contract } from "./schema.js";

/** A document that is no contract that this version can read. The message is for the person who gave it. */
export class ContractError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ContractError";
  }
}

/** A part of a contract that a later release wrote under the same version: to be reported as unknown, not as failed. */
export interface Unrecognised {
  /** Where it stands, such as `grants[1]`. */
  path: string;
  kind: string;
  /** The grant's id, where it has one. */
  id?: string;
}

export interface ReadContract extends Contract {
  unrecognised: Unrecognised[];
}

/** From one version to the next, by the older one. Nothing has been changed yet that would need a step. */
const upgrades: Readonly<Record<number, (older: Record<string, unknown>) => Record<string, unknown>>> = {};

const grantKinds = kindsOf(grantSchema);
const refusalKinds = kindsOf(refusalTargetSchema);

/**
 * Reads a contract, bare or as the `contract` output of `pulumi stack output --json`.
 *
 * @throws ContractError with one line that names what is wrong where, and the way out
 */
export function readContract(value: unknown): ReadContract {
  const document = upgraded(unwrapped(value));
  const unrecognised = [...strangers(document, "grants", grantKinds), ...strangers(document, "refusalTargets", refusalKinds)];
  const known = { ...document };
  /** Where the entries that are left stood. */
  const places = new Map<PropertyKey, number[]>();
  for (const list of ["grants", "refusalTargets"]) {
    const entries: unknown = known[list];
    if (!Array.isArray(entries)) continue;
    const kept = [...entries.keys()].filter((index) => !unrecognised.some(({ path }) => path === `${list}[${index}]`));
    known[list] = kept.map((index): unknown => entries[index]);
    places.set(list, kept);
  }
  const schema = unrecognised.some(({ path }) => path.startsWith("grants")) ? readableSchema : contractSchema;
  const parsed = schema.safeParse(known);
  const issues = parsed.error?.issues ?? [];
  const mistakes = [...issues.map((issue) => describeIssue({ ...issue, path: replaced(issue.path, places) })), ...twins(document)];
  if (!parsed.success || mistakes.length > 0) throw new ContractError(`The contract cannot be read: ${mistakes.join("; ")}. ${WAY_OUT}`);
  return { ...parsed.data, unrecognised };
}

const WAY_OUT = "Take it as the stack wrote it, from `pulumi stack output --json`; its fields are described in the package's contract.schema.json.";

/** The path as it is in the document that was given. */
function replaced(path: readonly PropertyKey[], places: ReadonlyMap<PropertyKey, readonly number[]>): PropertyKey[] {
  const [list, index, ...rest] = path;
  if (list === undefined || typeof index !== "number") return [...path];
  return [list, places.get(list)?.[index] ?? index, ...rest];
}

/** A contract may consist of nothing but grants of later kinds. */
const readableSchema = contractSchema.extend({ grants: z.array(grantSchema) });

function unwrapped(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new ContractError(`A contract is a JSON object; got ${nameOf(value)}.`);
  const inner = value.kind === undefined && "contract" in value ? value.contract : value;
  if (!isRecord(inner)) throw new ContractError(`The output \`contract\` is no JSON object; got ${nameOf(inner)}. Run \`pulumi up\` to the end, then \`pulumi stack output --json\`.`);
  if (inner.kind !== CONTRACT_KIND) {
    throw new ContractError(`This is no contract: kind must be ${JSON.stringify(CONTRACT_KIND)}; got ${nameOf(inner.kind)}. Give it the stack's output \`contract\`, or all of \`pulumi stack output --json\`.`);
  }
  return inner;
}

function upgraded(document: Record<string, unknown>): Record<string, unknown> {
  let current = document;
  for (;;) {
    const { version } = current;
    if (version === CONTRACT_VERSION) return current;
    if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
      throw new ContractError(`The contract's version must be a whole number from 1 to ${CONTRACT_VERSION}; got ${nameOf(version)}.`);
    }
    if (version > CONTRACT_VERSION) {
      throw new ContractError(`The contract has version ${version}, made by a newer release: this one reads up to version ${CONTRACT_VERSION}. Upgrade cloud-federation.`);
    }
    const step = upgrades[version];
    if (!step) throw new ContractError(`The contract has version ${version}, which this release no longer reads. Run \`pulumi up\` again.`);
    current = step(current);
  }
}

function strangers(document: Record<string, unknown>, list: string, kinds: ReadonlySet<string>): Unrecognised[] {
  const entries: unknown[] = Array.isArray(document[list]) ? document[list] : [];
  return entries.flatMap((entry, index) => {
    if (!isRecord(entry) || typeof entry.kind !== "string" || kinds.has(entry.kind)) return [];
    return [{ path: `${list}[${index}]`, kind: entry.kind, ...(typeof entry.id === "string" ? { id: entry.id } : {}) }];
  });
}

/** Grants that have the id of one before them. */
function twins({ grants }: { grants?: unknown }): string[] {
  const ids = (Array.isArray(grants) ? (grants as unknown[]) : []).map((grant) => (isRecord(grant) && typeof grant.id === "string" ? grant.id : undefined));
  return ids.flatMap((id, index) => (id === undefined || ids.indexOf(id) === index ? [] : [`grants[${index}].id: ${JSON.stringify(id)} is the id of another grant too`]));
}

/** `grants[0].bucket: expected string, received undefined`. */
export function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.reduce<string>((left, key) => (typeof key === "number" ? `${left}[${key}]` : left === "" ? String(key) : `${left}.${String(key)}`), "");
  const message = issue.message.replace(/^Invalid input: /, "");
  return path === "" ? message : `${path}: ${message}`;
}

function kindsOf(union: { options: readonly { shape: { kind: { value: string } } }[] }): ReadonlySet<string> {
  return new Set(union.options.map(({ shape }) => shape.kind.value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return Array.isArray(value) ? "a list" : "an object";
}
