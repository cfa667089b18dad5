/** The disk of a build: files by absolute path, in memory. */
import { posix } from "node:path";

export class BuildFiles {
  readonly #files = new Map<string, Buffer>();
  readonly #folders = new Set<string>(["/", "/tmp", "/root"]);

  read(path: string): Buffer | undefined {
    return this.#files.get(path);
  }

  write(path: string, data: Buffer): void {
    this.addFolder(posix.dirname(path));
    this.#files.set(path, data);
  }

  remove(path: string): void {
    for (const file of this.#files.keys()) if (isWithin(file, path)) this.#files.delete(file);
    for (const folder of this.#folders) if (isWithin(folder, path)) this.#folders.delete(folder);
  }

  addFolder(path: string): void {
    for (let folder = path; !this.#folders.has(folder); folder = posix.dirname(folder)) this.#folders.add(folder);
  }

  isFile(path: string): boolean {
    return this.#files.has(path);
  }

  isFolder(path: string): boolean {
    return this.#folders.has(path);
  }

  /** Files below a folder, or the file itself; by path. */
  below(path: string): { path: string; data: Buffer }[] {
    return [...this.#files]
      .filter(([file]) => isWithin(file, path))
      .map(([file, data]) => ({ path: file, data }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Names of what is directly in a folder. */
  names(folder: string): string[] {
    const prefix = folder === "/" ? "/" : `${folder}/`;
    const all = [...this.#files.keys(), ...this.#folders].filter((path) => path.startsWith(prefix) && path !== folder);
    return [...new Set(all.map((path) => path.slice(prefix.length).split("/")[0] ?? ""))].sort();
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}
