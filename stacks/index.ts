/** The program of the project: provisions the integration that the stack's configuration names. */
import * as pulumi from "@pulumi/pulumi";
import { integrations } from "./integrations.js";

async function program(): Promise<Record<string, unknown>> {
  try {
    return await provision();
  } catch (error) {
    // The SDK renders the stack of every error, also where it only shows the message: source maps make that half a minute.
    if (pulumi.RunError.isInstance(error)) error.stack = error.message;
    throw error;
  }
}

async function provision(): Promise<Record<string, unknown>> {
  const name = new pulumi.Config().get("integration");
  const load = name !== undefined && Object.hasOwn(integrations, name) ? integrations[name] : undefined;
  if (!load) {
    const given = name === undefined ? "The configuration names no integration" : `There is no integration ${JSON.stringify(name)}`;
    const known = Object.keys(integrations);
    throw new pulumi.RunError(`${given}; there are: ${known.join(", ")}. Choose one with \`pulumi config set integration ${known[0] ?? ""}\`.`);
  }
  return (await load()).program();
}

export = program;
