/** The program of the project: provisions the integration that the stack's configuration names. */
import * as pulumi from "@pulumi/pulumi";
import { integrations } from "./integrations.js";

async function program(): Promise<Record<string, unknown>> {
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
