/** What a CEL expression names. https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto */
import type { Expr } from "./cel.js";

export interface NamesInExpression {
  /** Free variables: those of comprehensions are not among them. */
  variables: string[];
  /** Functions, methods and operators (`_==_`), by the parser's names. */
  functions: string[];
  /** The first message type that is constructed. */
  message: string | undefined;
}

export function namesIn(tree: Expr): NamesInExpression {
  const variables = new Set<string>();
  const functions = new Set<string>();
  let message: string | undefined;
  const visit = (node: Expr | undefined, bound: ReadonlySet<string>): void => {
    if (node === undefined) return;
    const { exprKind } = node;
    if (exprKind.case === "identExpr" && !bound.has(exprKind.value.name)) variables.add(exprKind.value.name);
    if (exprKind.case === "callExpr") functions.add(exprKind.value.function);
    if (exprKind.case === "structExpr" && exprKind.value.messageName !== "") message ??= exprKind.value.messageName;
    const inner = exprKind.case === "comprehensionExpr" ? new Set([...bound, exprKind.value.iterVar, exprKind.value.accuVar]) : bound;
    for (const child of childrenOf(node)) visit(child, inner);
  };
  visit(tree, new Set());
  return { variables: [...variables], functions: [...functions], message };
}

/** Every path like `assertion.sub` or `attribute.aws_role` that the expression reads, tests with `has` included, in its order. */
export function selectsOf(tree: Expr): string[] {
  const found = new Set<string>();
  const visit = (node: Expr): void => {
    const path = pathOf(node);
    if (path?.includes(".") === true) found.add(path);
    else for (const child of childrenOf(node)) visit(child);
  };
  visit(tree);
  return [...found];
}

/** `a.b.c` of a chain of selections that begins with a variable, `a["b"]` included; undefined for anything else. */
export function pathOf({ exprKind }: Expr): string | undefined {
  switch (exprKind.case) {
    case "identExpr":
      return exprKind.value.name;
    case "selectExpr":
      return joined(exprKind.value.operand, exprKind.value.field);
    case "callExpr":
      return exprKind.value.function === "_[_]" ? joined(exprKind.value.args[0], textOf(exprKind.value.args[1])) : undefined;
    default:
      return undefined;
  }
}

function joined(operand: Expr | undefined, field: string | undefined): string | undefined {
  const start = operand === undefined ? undefined : pathOf(operand);
  return start === undefined || field === undefined ? undefined : `${start}.${field}`;
}

/** The value of a literal text; undefined for anything else. */
export function textOf(node: Expr | undefined): string | undefined {
  const constant = node?.exprKind.case === "constExpr" ? node.exprKind.value.constantKind : undefined;
  return constant?.case === "stringValue" ? constant.value : undefined;
}

/** Every literal text, once. */
export function literalsIn(tree: Expr): string[] {
  const own = textOf(tree);
  return [...new Set([...(own === undefined ? [] : [own]), ...childrenOf(tree).flatMap(literalsIn)])];
}

/** Comparisons of a path with a literal text, wherever they stand, either way round. */
export function equalitiesIn(tree: Expr): { path: string; value: string }[] {
  const own = tree.exprKind.case === "callExpr" && tree.exprKind.value.function === "_==_" ? equality(tree.exprKind.value.args) : [];
  return [...own, ...childrenOf(tree).flatMap(equalitiesIn)];
}

function equality(sides: readonly Expr[]): { path: string; value: string }[] {
  const [path] = sides.map(pathOf).filter((each) => each !== undefined);
  const [value] = sides.map(textOf).filter((each) => each !== undefined);
  return path === undefined || value === undefined ? [] : [{ path, value }];
}

/** The nodes directly below one. */
export function childrenOf({ exprKind }: Expr): Expr[] {
  const present = (nodes: readonly (Expr | undefined)[]) => nodes.filter((node) => node !== undefined);
  switch (exprKind.case) {
    case "selectExpr":
      return present([exprKind.value.operand]);
    case "callExpr":
      return present([exprKind.value.target, ...exprKind.value.args]);
    case "listExpr":
      return exprKind.value.elements;
    case "structExpr":
      return present(exprKind.value.entries.flatMap(({ keyKind, value }) => [keyKind.case === "mapKey" ? keyKind.value : undefined, value]));
    case "comprehensionExpr": {
      const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
      return present([iterRange, accuInit, loopCondition, loopStep, result]);
    }
    default:
      return [];
  }
}
