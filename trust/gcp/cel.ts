/** Google's dialects of CEL: checked before they run, compiled once, their values plain. */
import { createRequire } from "node:module";
import type * as Cel from "@bufbuild/cel";
import type * as CelExt from "@bufbuild/cel/ext";
import type * as Wkt from "@bufbuild/protobuf/wkt";
import { ATTRIBUTE_FUNCTIONS, CEL_STANDARD_FUNCTIONS, IAM_CONDITION_FUNCTIONS } from "../../facts/gcp/cel.js";
import { namesIn } from "./cel-names.js";
import { extract } from "./extract.js";

/** Where an expression stands: each place has its own variables and functions. */
export type CelDialect = "attribute-mapping" | "attribute-condition" | "iam-condition";

const DIALECTS: Readonly<Record<CelDialect, { variables: readonly string[]; functions: ReadonlySet<string> }>> = {
  "attribute-mapping": { variables: ["assertion"], functions: new Set([...CEL_STANDARD_FUNCTIONS, ...ATTRIBUTE_FUNCTIONS]) },
  "attribute-condition": {
    variables: ["assertion", "google", "attribute"],
    functions: new Set([...CEL_STANDARD_FUNCTIONS, ...ATTRIBUTE_FUNCTIONS]),
  },
  "iam-condition": {
    variables: ["resource", "request", "api", "destination"],
    functions: new Set([...CEL_STANDARD_FUNCTIONS, ...IAM_CONDITION_FUNCTIONS]),
  },
};

export type CelOutcome = { ok: true; value: unknown } | { ok: false; error: string };

export interface CelProgram {
  readonly expression: string;
  /** The expression's syntax tree, as the CEL specification names its nodes. */
  readonly tree: Expr;
  /** Texts, booleans, numbers (`bigint` for integers), `null`, lists and objects of them; anything else as CEL has it. */
  evaluate(variables: Readonly<Record<string, unknown>>): CelOutcome;
}

export type Expr = ReturnType<typeof Cel.parse>["expr"];

/** Loaded when the first expression is met: it costs more than the rest of these rules together. */
const libraries = (() => {
  const load = () => {
    const require = createRequire(__filename);
    return {
      cel: require("@bufbuild/cel") as typeof Cel,
      strings: (require("@bufbuild/cel/ext") as typeof CelExt).strings,
      wkt: require("@bufbuild/protobuf/wkt") as typeof Wkt,
    };
  };
  let loaded: ReturnType<typeof load> | undefined;
  return () => (loaded ??= load());
})();

const CACHE_SIZE = 1000;
const compiled = new Map<string, CelProgram | string>();

/** The program, or why Google does not take the expression. */
export function compileCel(expression: string, dialect: CelDialect): CelProgram | string {
  const key = `${dialect} ${expression}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  // The oldest goes: expressions come from policies, of which few are in use at a time.
  const oldest = compiled.keys().next();
  if (compiled.size >= CACHE_SIZE && oldest.done !== true) compiled.delete(oldest.value);
  const program = compile(expression, dialect);
  compiled.set(key, program);
  return program;
}

function compile(expression: string, dialect: CelDialect): CelProgram | string {
  const { cel } = libraries();
  let tree: Expr;
  try {
    tree = cel.parse(expression).expr;
  } catch (error) {
    return `is no CEL expression: ${messageOf(error)}`;
  }
  const { variables, functions } = DIALECTS[dialect];
  const used = namesIn(tree);
  const variable = used.variables.find((name) => !variables.includes(name));
  if (variable !== undefined) return `names ${variable}, which is not there; there is ${variables.join(", ")}`;
  const called = used.functions.find((name) => !functions.has(name));
  if (called !== undefined) return `calls ${called}, which Google does not offer here`;
  if (used.message !== undefined) return `makes a ${used.message}, which Google does not offer here`;
  const run = cel.plan(environment(), tree);
  return {
    expression,
    tree,
    evaluate: (values) => {
      try {
        const value: unknown = run(values as Readonly<Record<string, Cel.CelInput>>);
        return cel.isCelError(value) ? { ok: false, error: value.message } : { ok: true, value: plain(value) };
      } catch (error) {
        return { ok: false, error: messageOf(error) };
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Functions of every dialect: which may be called was checked before. */
const environment = (() => {
  let made: Cel.CelEnv | undefined;
  return () => (made ??= libraries().cel.celEnv({ funcs: [...libraries().strings, ...googleFunctions(libraries().cel)] }));
})();

function googleFunctions({ celFunc, celMethod, objectType, CelScalar, listType }: typeof Cel): Cel.CelFunc[] {
  const { STRING, BOOL, DYN } = CelScalar;
  const { TimestampSchema, timestampFromDate } = libraries().wkt;
  // What is known of a resource does not hold its tags: no condition on a tag is met.
  const tagTest = (name: string, ...parameters: (typeof STRING)[]) => celMethod(name, DYN, parameters, BOOL, () => false);
  return [
    celMethod("extract", STRING, [STRING], STRING, function (template) {
      return extract(this, template);
    }),
    celMethod("getAttribute", DYN, [STRING, DYN], DYN, function (name, otherwise) {
      const value = libraries().cel.isCelMap(this) ? this.get(name) : undefined;
      return value ?? otherwise;
    }),
    celMethod("hasOnly", listType(DYN), [listType(DYN)], BOOL, function (allowed) {
      return [...this].every((item) => [...allowed].includes(item));
    }),
    celFunc("date", [STRING], objectType(TimestampSchema), (day) => timestampFromDate(new Date(`${day}T00:00:00Z`))),
    tagTest("matchTag", STRING, STRING),
    tagTest("matchTagId", STRING, STRING),
    tagTest("hasTagKey", STRING),
    tagTest("hasTagKeyId", STRING),
  ];
}

/** A point in time as CEL has it. */
export function celTimestamp(time: Date): unknown {
  return libraries().wkt.timestampFromDate(time);
}

function plain(value: unknown): unknown {
  const { cel } = libraries();
  if (cel.isCelList(value)) return [...value].map(plain);
  if (cel.isCelMap(value)) return Object.fromEntries([...value].map(([key, item]) => [typeof key === "object" ? key.value.toString() : String(key), plain(item)]));
  return cel.isCelUint(value) ? value.value : value;
}
