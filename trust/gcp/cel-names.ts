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
