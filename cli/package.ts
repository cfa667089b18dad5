import { existsSync } from "node:fs";
import { join } from "node:path";

/** The package's folder: one up from the source, two from the build. */
export function packageFolder(): string {
  const folder = [join(__dirname, ".."), join(__dirname, "..", "..")].find((candidate) => existsSync(join(candidate, "package.json")));
  if (folder === undefined) throw new Error(`no package.json above ${__dirname}: the installation is incomplete`);
  return folder;
}
