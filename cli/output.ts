import pc from "picocolors";

/** A mistake with a way out: printed as one line, without a stack. */
export class CliError extends Error {
  constructor(
    message: string,
    /** 2: wrong usage, or input that cannot be read. */
    readonly exitCode = 2,
  ) {
    super(message);
    this.name = "CliError";
  }
}

/** `isTTY` is undefined in a pipe, whatever Node's declaration says. */
type Stream = { isTTY?: boolean | undefined };

/** Whether people read the stream: on a terminal that takes colours, unless `NO_COLOR` is set (https://no-color.org). */
export function coloured(stream: Stream, environment: NodeJS.ProcessEnv = process.env): boolean {
  const refused = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  // A plain false: the colour library takes undefined as leave to guess.
  return stream.isTTY === true && !refused;
}

/** Colours for a stream; in a pipe every one leaves its text as it is. */
export function colours(stream: Stream = process.stdout): ReturnType<typeof pc.createColors> {
  return pc.createColors(coloured(stream));
}

/** An Error's message, or the value itself, as one line. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().replace(/\s*\n\s*/g, " ");
}

/** Prints a mistake on standard error: one line, with the stack only where `CLOUD_FEDERATION_DEBUG` is set. */
export function printError(error: unknown): void {
  const { red } = colours(process.stderr);
  process.stderr.write(`${red("error:")} ${oneLine(error)}\n`);
  if ((process.env["CLOUD_FEDERATION_DEBUG"] ?? "") !== "" && error instanceof Error && error.stack !== undefined) {
    process.stderr.write(`${error.stack}\n`);
  }
}

/** JSON for people and for tools alike. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** A word that every POSIX shell reads back as it is. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
