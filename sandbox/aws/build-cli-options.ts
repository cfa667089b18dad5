/** Options of the AWS CLI. https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-types.html */

/** Members that are no texts, by their names in lower case. */
const TYPES: Readonly<Record<string, "integer" | "list" | "structure">> = {
  architectures: "list",
  code: "structure",
  environment: "structure",
  layerdigests: "list",
  memorysize: "integer",
  names: "list",
  ids: "list",
  repositorynames: "list",
  tags: "structure",
  timeout: "integer",
};

/** Of the CLI itself, with the number of values that each takes. */
const GLOBAL: Readonly<Record<string, 0 | 1>> = { "--region": 1, "--output": 1, "--query": 1, "--no-cli-pager": 0, "--debug": 0, "--no-paginate": 0, "--cli-read-timeout": 1, "--cli-connect-timeout": 1 };

export interface CliOptions {
  input: Record<string, unknown>;
  query?: string;
  output?: string;
}

/** `member` makes an option's name into that of a member. Answers a sentence when an option cannot be read. */
export function readOptions(args: readonly string[], member: (option: string) => string): CliOptions | string {
  const options: CliOptions = { input: {} };
  for (let index = 0; index < args.length; ) {
    const option = args[index++] ?? "";
    if (!option.startsWith("--")) return `Unknown options: ${option}`;
    const values: string[] = [];
    while (index < args.length && !(args[index] ?? "").startsWith("--")) values.push(args[index++] ?? "");
    const [value] = values;
    if (Object.hasOwn(GLOBAL, option)) {
      if (values.length !== GLOBAL[option]) return `argument ${option}: expected ${GLOBAL[option] ?? 0} argument(s)`;
      if (option === "--query" && value !== undefined) options.query = value;
      if (option === "--output" && value !== undefined) options.output = value;
      continue;
    }
    const name = member(option.slice(2));
    const read = readValue(name, values);
    if (read instanceof Error) return `argument ${option}: ${read.message}`;
    if (value === undefined && option.startsWith("--no-")) options.input[member(option.slice(5))] = false;
    else options.input[name] = read;
  }
  return options;
}

function readValue(name: string, values: readonly string[]): unknown {
  const [first] = values;
  if (first === undefined) return true;
  switch (TYPES[name.toLowerCase()]) {
    case "integer":
      return /^-?\d+$/.test(first) ? Number(first) : new Error(`invalid literal for int() with base 10: '${first}'`);
    case "list":
      return first.startsWith("[") ? json(first) : values;
    case "structure":
      return first.startsWith("{") || first.startsWith("[") ? json(first) : shorthand(values.join(","));
    case undefined:
      return values.length === 1 ? first : new Error(`expected one argument; got ${values.length}`);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new Error(`Invalid JSON: ${text}`);
  }
}

/** `A=b,C={D=e,F=g}`. https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html */
function shorthand(text: string): Record<string, unknown> | Error {
  const result: Record<string, unknown> = {};
  for (let rest = text; rest !== ""; ) {
    const match = /^([\w-]+)=(?:\{([^{}]*)\}|([^,]*))(?:,|$)/.exec(rest);
    if (!match) return new Error(`Expected: '=', received: '${rest}'`);
    const [whole, key = "", nested, value = ""] = match;
    result[key] = nested === undefined ? value : shorthand(nested);
    rest = rest.slice(whole.length);
  }
  return result;
}
