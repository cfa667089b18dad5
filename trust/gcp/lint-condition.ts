/** What a condition says for itself, before anybody is put to it. https://cloud.google.com/iam/docs/workload-identity-federation#conditions */
import { MULTI_TENANT_ISSUERS } from "../../facts/gcp/iam.js";
import type { Finding } from "../findings.js";
import { compileCel, type Expr } from "./cel.js";
import { childrenOf, namesIn, pathOf, selectsOf, textOf } from "./cel-names.js";
import type { WorkloadIdentityPoolProvider } from "./types.js";

const PATH = "attributeCondition";

/** `exact`: the bindings name one subject of this provider, which pins the workload by itself. */
export function conditionFindings({ attributeCondition, oidc }: WorkloadIdentityPoolProvider, pin: string, exact: boolean): Finding[] {
  if (attributeCondition === undefined || attributeCondition === "") return [missing(oidc?.issuerUri, pin, exact)];
  const program = compileCel(attributeCondition, "attribute-condition");
  // A condition that does not compile is a mistake of its own.
  if (typeof program === "string") return [];
  if (namesIn(program.tree).variables.length === 0) return [constant(program.evaluate({}), pin)];
  return [...alternatives(program.tree, pin), ...prefixes(program.tree), ...unpinned(program.tree, pin), ...negations(program.tree, pin)];
}

function missing(issuerUri: string | undefined, pin: string, exact: boolean): Finding {
  const everybodys = issuerUri !== undefined && MULTI_TENANT_ISSUERS.some((issuer) => issuer.test(issuerUri));
  return {
    code: "condition-missing",
    severity: everybodys || !exact ? "error" : "warning",
    path: PATH,
    message: everybodys
      ? `There is no condition, and everybody can have tokens of ${issuerUri}; Google takes no such provider.`
      : `There is no condition: every credential of the ${issuerUri === undefined ? "AWS account" : "issuer"} is exchanged, and who gets rights depends on the bindings alone.`,
    fix: `Set the condition ${pin}.`,
  };
}

function constant(outcome: { ok: boolean; value?: unknown }, pin: string): Finding {
  const never = outcome.ok && outcome.value === false;
  return {
    code: never ? "condition-never" : "condition-tautology",
    severity: "error",
    path: PATH,
    message: never ? "The condition is never true: nobody gets in." : "The condition looks at nothing of the credential: it lets everybody in, or fails for everybody.",
    fix: `Set the condition ${pin}.`,
  };
}

function callsOf(tree: Expr, name: string): { target: Expr | undefined; args: readonly Expr[] }[] {
  const own = tree.exprKind.case === "callExpr" && tree.exprKind.value.function === name ? [{ target: tree.exprKind.value.target, args: tree.exprKind.value.args }] : [];
  return [...own, ...childrenOf(tree).flatMap((child) => callsOf(child, name))];
}

/** A side that looks at nothing, or compares something with itself, decides without the credential. */
function alternatives(tree: Expr, pin: string): Finding[] {
  const open = callsOf(tree, "_||_").some(({ args }) => args.some((side) => (namesIn(side).variables.length === 0 && !isFalse(side)) || comparesWithItself(side)));
  if (!open) return [];
  return [
    {
      code: "condition-alternative-open",
      severity: "error",
      path: PATH,
      message: "One side of || does not depend on the credential, so that the other side does not matter.",
      fix: `Set the condition ${pin}.`,
    },
  ];
}

function isFalse({ exprKind }: Expr): boolean {
  return exprKind.case === "constExpr" && exprKind.value.constantKind.case === "boolValue" && !exprKind.value.constantKind.value;
}

function comparesWithItself(tree: Expr): boolean {
  if (tree.exprKind.case !== "callExpr" || !["_==_", "_<=_", "_>=_"].includes(tree.exprKind.value.function)) return false;
  const [left, right] = tree.exprKind.value.args.map(pathOf);
  return left !== undefined && left === right;
}

/** Signs that issuers separate parts of a name by: behind one, the part before is whole. */
const DELIMITED = /[/:|]$/;

function prefixes(tree: Expr): Finding[] {
  const tests = (name: string) => callsOf(tree, name).flatMap(({ target, args }) => (target === undefined ? [] : [{ on: pathOf(target) ?? "a value", text: textOf(args[0]) }]));
  const open = tests("startsWith").filter(({ text }) => text === undefined || !DELIMITED.test(text));
  const loose = ["contains", "endsWith", "matches"].flatMap((name) => tests(name).map((test) => ({ ...test, name })));
  return [
    ...open.map(
      ({ on, text }): Finding => ({
        code: "condition-prefix-open",
        severity: "error",
        path: PATH,
        message: `${on} only has to begin with ${JSON.stringify(text ?? "")}: longer names begin so too.`,
        fix: `Compare with ==, or end the text with the sign that ends the name, such as / or :.`,
      }),
    ),
    ...loose.map(
      ({ on, text, name }): Finding => ({
        code: "condition-loose",
        severity: "warning",
        path: PATH,
        message: `${on} is tested with ${name}(${text === undefined ? "…" : JSON.stringify(text)}), which other values pass too.`,
        fix: "Compare with ==.",
      }),
    ),
  ];
}

/** What every workload of an issuer or an account has alike. */
const SHARED = /^assertion\.(?:iss|aud|account|exp|iat|nbf)$/;

function unpinned(tree: Expr, pin: string): Finding[] {
  const paths = selectsOf(tree);
  if (!paths.every((path) => SHARED.test(path))) return [];
  return [
    {
      code: "condition-names-no-workload",
      severity: "error",
      path: PATH,
      message: `The condition looks at ${paths.length === 0 ? "no claim" : paths.join(", ")}, which every workload of the issuer or account has.`,
      fix: `Set the condition ${pin}.`,
    },
  ];
}

/** What is excluded leaves all the rest in. */
function negations(tree: Expr, pin: string): Finding[] {
  const compares = callsOf(tree, "_==_").length + callsOf(tree, "@in").length + callsOf(tree, "startsWith").length;
  if (callsOf(tree, "_!=_").length === 0 || compares > 0) return [];
  return [{ code: "condition-only-excludes", severity: "error", path: PATH, message: "The condition only says who is not let in: everybody else is.", fix: `Set the condition ${pin}.` }];
}
