import { readFileSync } from "node:fs";
import { InvalidArgumentError, Option } from "commander";
import { SANDBOX_VARIABLE } from "../facts/sandbox.js";
import { CliError, oneLine } from "./output.js";

/** The port on 127.0.0.1 that a sandbox listens on unless told otherwise. */
export const defaultPort = 8470;
export const defaultSandboxUrl = `http://127.0.0.1:${defaultPort}`;

export function sandboxOption(): Option {
  return new Option("--sandbox <url>", `the running sandbox (default: $${SANDBOX_VARIABLE} or ${defaultSandboxUrl})`);
}

/** A commander parser for a number of at least `minimum`. */
export function parseNumber(minimum = Number.NEGATIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It has to be a number.");
    if (value < minimum) throw new InvalidArgumentError(`It has to be ${minimum} or more.`);
    return value;
  };
}

export function parseInteger(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`It has to be a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** `name=value` pairs, each value JSON where it reads as JSON and text where not. */
export function parseClaims(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at <= 0) throw new CliError(`--claim takes name=value, not ${JSON.stringify(pair)}.`);
      return [pair.slice(0, at), jsonOrText(pair.slice(at + 1))];
    }),
  );
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The JSON in a file, or on standard input for `-`. */
export function readJson(file: string): unknown {
  const what = file === "-" ? "Standard input" : `The file ${file}`;
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new CliError(`${what} cannot be read: ${oneLine(error)}.`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(`${what} is not JSON: ${oneLine(error)}.`);
  }
}
