/** A Pulumi project in a temporary folder, for the real engine. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { findPulumi, minimumPulumiVersion } from "../../engine/cli-runner.js";

export interface TemporaryProject {
  directory: string;
  /** Replaces the program: CommonJS, as the engine runs it. */
  write(program: string): void;
  remove(): void;
}

export function temporaryProject(program: string): TemporaryProject {
  const directory = mkdtempSync(join(tmpdir(), "cloud-federation-project-"));
  const write = (text: string) => writeFileSync(join(directory, "index.js"), text);
  const project = { name: "demo", runtime: { name: "nodejs", options: { typescript: false } }, main: "index.js" };
  writeFileSync(join(directory, "Pulumi.yaml"), JSON.stringify(project));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "demo" }));
  symlinkSync(resolve(__dirname, "../../node_modules"), join(directory, "node_modules"));
  write(program);
  return { directory, write, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export const pulumi = findPulumi();

/** `describe`, or a skipped one that says why. */
export function describeWithPulumi(name: string, tests: () => void): void {
  if (pulumi) describe(name, tests);
  else describe.skip(`${name} (skipped: no pulumi ${minimumPulumiVersion} or newer on PATH)`, tests);
}
