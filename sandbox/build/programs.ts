/** The small programs of a build: those of the shell itself and of every Linux image. */
import { posix } from "node:path";
import { ArchiveError, readZip } from "./archive.js";
import type { Program, ProgramCall } from "./shell.js";

const lines = (text: string): string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

function missing({ name, err }: ProgramCall, file: string): number {
  err(`${name}: ${file}: No such file or directory\n`);
  return 1;
}

/** What an option of a program is that is not played. */
function unknown({ name, err }: ProgramCall, option: string): number {
  err(`${name}: the sandbox does not know '${option}'\n`);
  return 2;
}

const test: Program = (call) => {
  const args = call.name === "[" ? call.args.slice(0, -1) : call.args;
  if (call.name === "[" && call.args.at(-1) !== "]") {
    call.err("sh: [: missing `]'\n");
    return 2;
  }
  const negated = args[0] === "!";
  const tested = negated ? args.slice(1) : args;
  const operator = tested.length === 2 ? tested[0] : tested.length === 3 ? tested[1] : undefined;
  if (tested.length > 3 || (operator !== undefined && !TESTS.includes(operator))) return unknown(call, tested.join(" "));
  return Number(evaluate(call, tested) === negated);
};

const TESTS: readonly string[] = ["-z", "-n", "-f", "-s", "-d", "-e", "=", "==", "!=", "-eq", "-ne", "-lt", "-gt"];

function evaluate({ shell }: ProgramCall, args: readonly string[]): boolean {
  const [a = "", b = "", c = ""] = args;
  if (args.length <= 1) return a !== "";
  if (args.length === 2) {
    switch (a) {
      case "-z":
        return b === "";
      case "-n":
        return b !== "";
      case "-f":
      case "-s":
        return shell.files.isFile(shell.path(b));
      case "-d":
        return shell.files.isFolder(shell.path(b));
      case "-e":
        return shell.files.isFile(shell.path(b)) || shell.files.isFolder(shell.path(b));
      default:
        return false;
    }
  }
  switch (b) {
    case "=":
    case "==":
      return a === c;
    case "!=":
      return a !== c;
    case "-eq":
      return Number(a) === Number(c);
    case "-ne":
      return Number(a) !== Number(c);
    case "-lt":
      return Number(a) < Number(c);
    case "-gt":
      return Number(a) > Number(c);
    default:
      return false;
  }
}

const cat: Program = (call) => {
  if (call.args.length === 0) call.out(call.stdin);
  for (const file of call.args) {
    const data = call.shell.files.read(call.shell.path(file));
    if (!data) return missing(call, file);
    call.out(data.toString("utf8"));
  }
  return 0;
};

const grep: Program = (call) => {
  const options = call.args.filter((arg) => arg.startsWith("-"));
  const bad = options.find((option) => !/^-[qiEF]+$/.test(option));
  if (bad !== undefined) return unknown(call, bad);
  const [pattern = "", file] = call.args.filter((arg) => !arg.startsWith("-"));
  const data = file === undefined ? call.stdin : call.shell.files.read(call.shell.path(file))?.toString("utf8");
  if (data === undefined) return missing(call, file ?? "") + 1;
  const flags = options.some((option) => option.includes("i")) ? "i" : "";
  const fixed = options.some((option) => option.includes("F"));
  const expression = new RegExp(fixed ? pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : pattern, flags);
  const found = lines(data).filter((line) => expression.test(line));
  if (!options.some((option) => option.includes("q"))) call.out(found.map((line) => `${line}\n`).join(""));
  return found.length > 0 ? 0 : 1;
};

const cut: Program = (call) => {
  const value = (option: string): string | undefined => {
    const at = call.args.findIndex((arg) => arg.startsWith(option));
    return call.args[at] === option ? call.args[at + 1] : call.args[at]?.slice(option.length);
  };
  const delimiter = value("-d") ?? "\t";
  const field = value("-f");
  if (field === undefined || !/^\d+$/.test(field)) return unknown(call, call.args.join(" "));
  call.out(lines(call.stdin).map((line) => `${line.includes(delimiter) ? (line.split(delimiter)[Number(field) - 1] ?? "") : line}\n`).join(""));
  return 0;
};

const unzip: Program = (call) => {
  const args = [...call.args];
  const into = args.indexOf("-d");
  const [, folder = "."] = into < 0 ? [] : args.splice(into, 2);
  const bad = args.find((arg) => arg.startsWith("-") && !/^-[qo]+$/.test(arg));
  if (bad !== undefined) return unknown(call, bad);
  const file = args.find((arg) => !arg.startsWith("-")) ?? "";
  const data = call.shell.files.read(call.shell.path(file));
  if (!data) {
    call.err(`unzip:  cannot find or open ${file}, ${file}.zip or ${file}.ZIP.\n`);
    return 9;
  }
  try {
    const root = call.shell.path(folder);
    call.shell.files.addFolder(root);
    for (const entry of readZip(data)) call.shell.files.write(posix.join(root, entry.path), entry.data);
    return 0;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    call.err(`  ${error.message}\nunzip:  cannot find zipfile directory in one of ${file} or ${file}.zip.\n`);
    return 9;
  }
};

const set: Program = (call) => {
  const { options } = call.shell;
  const named = { errexit: "e", nounset: "u" } as const;
  for (const [index, arg] of call.args.entries()) {
    if (arg === "pipefail" && /^[-+]\w*o$/.test(call.args[index - 1] ?? "")) options.pipefail = (call.args[index - 1] ?? "").startsWith("-");
    else if (/^[-+][euxo]+$/.test(arg)) {
      for (const [option, letter] of Object.entries(named)) if (arg.includes(letter)) options[option as keyof typeof named] = arg.startsWith("-");
    } else return unknown(call, arg);
  }
  return 0;
};

/** Sleeps by the sandbox's clock. */
function sleeper(pause: (seconds: number) => Promise<void>): Program {
  return async (call) => {
    const seconds = Number(call.args[0]);
    if (!Number.isFinite(seconds)) return unknown(call, call.args[0] ?? "");
    await pause(seconds);
    return 0;
  };
}

/** `pause` waits by the sandbox's clock; `now` is its time. */
export function basicPrograms(pause: (seconds: number) => Promise<void>, now: () => Date): Record<string, Program> {
  return {
    ":": () => 0,
    true: () => 0,
    false: () => 1,
    "[": test,
    test,
    cat,
    cut,
    grep,
    set,
    unzip,
    sleep: sleeper(pause),
    echo: ({ args, out }) => {
      const newline = args[0] !== "-n";
      out(args.slice(newline ? 0 : 1).join(" ") + (newline ? "\n" : ""));
      return 0;
    },
    printf: ({ args, out }) => {
      const [format = "", ...values] = args;
      out(format.replaceAll("\\n", "\n").replaceAll("\\t", "\t").replace(/%[sd]/g, () => values.shift() ?? ""));
      return 0;
    },
    cd: (call) => {
      const folder = call.shell.path(call.args[0] ?? "/root");
      if (!call.shell.files.isFolder(folder)) return missing(call, call.args[0] ?? "");
      call.shell.folder = folder;
      return 0;
    },
    pwd: ({ out, shell }) => {
      out(`${shell.folder}\n`);
      return 0;
    },
    mkdir: ({ args, shell }) => {
      for (const folder of args.filter((arg) => !arg.startsWith("-"))) shell.files.addFolder(shell.path(folder));
      return 0;
    },
    rm: ({ args, shell }) => {
      for (const path of args.filter((arg) => !arg.startsWith("-"))) shell.files.remove(shell.path(path));
      return 0;
    },
    ls: (call) => {
      const path = call.shell.path(call.args.find((arg) => !arg.startsWith("-")) ?? ".");
      if (!call.shell.files.isFolder(path)) return call.shell.files.isFile(path) ? 0 : missing(call, path);
      call.out(call.shell.files.names(path).map((name) => `${name}\n`).join(""));
      return 0;
    },
    export: ({ args, shell }) => {
      for (const arg of args) if (arg.includes("=")) shell.variables.set(arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1));
      return 0;
    },
    env: ({ out, shell }) => {
      out([...shell.variables].map(([name, value]) => `${name}=${value}\n`).join(""));
      return 0;
    },
    date: ({ args, out }) => {
      out(`${args.includes("+%s") ? Math.floor(now().getTime() / 1000) : now().toUTCString()}\n`);
      return 0;
    },
    exit: ({ args, shell }) => shell.exit(args[0] === undefined ? shell.lastStatus : Number(args[0])),
  };
}
