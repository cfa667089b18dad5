/** What of the things that exist already can be known to be wrong before anything is registered. */
import * as pulumi from "@pulumi/pulumi";

/** A lookup that says what is wrong with something that exists, in lines that begin with the configuration's key. */
export type Lookup = Promise<string[]>;

/** Runs them all, and reports everything that is wrong at once. */
export async function refuseEarly(integration: string, lookups: Lookup[]): Promise<void> {
  const lines = (await Promise.all(lookups)).flat();
  if (lines.length > 0) throw new pulumi.RunError(`${integration} cannot be provisioned, and nothing was changed:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

export function firstLine(error: unknown): string {
  return ((error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "").replace(/\.$/, "");
}
