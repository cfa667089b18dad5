/** Paths of routes as API references write them, with variables: `{name}` takes one segment, `{name=**}` the rest. */

export interface RoutePath {
  /** Source of a pattern with one group a variable, without anchors. */
  source: string;
  names: readonly string[];
  /** Characters outside variables: where several routes match, the one that says most is meant. */
  literals: number;
}

export function compileRoutePath(path: string): RoutePath {
  const names: string[] = [];
  let literals = 0;
  const source = path
    .split(/(\{[^}]+\})/)
    .map((part) => {
      const [, name, rest] = /^\{([^}=]+)(=\*\*)?\}$/.exec(part) ?? [];
      if (name === undefined) {
        literals += part.length;
        return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      }
      names.push(name);
      return rest === undefined ? "([^/]+)" : "(.+)";
    })
    .join("");
  return { source, names, literals };
}

/** A `%` that begins no escape stands for itself. */
export function decodePathPart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
