/**
 * Container images as a build makes them: one layer of the copied files, a config, a manifest, all with their digests.
 * https://github.com/opencontainers/image-spec and https://distribution.github.io/distribution/spec/manifest-v2-2/
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { gzipSync } from "node:zlib";
import { type ArchiveEntry, writeTar } from "./archive.js";

export const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG_TYPE = "application/vnd.docker.container.image.v1+json";
const LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip";

export interface Blob {
  digest: string;
  data: Buffer;
}

export interface Image {
  manifest: string;
  /** Of the manifest. */
  digest: string;
  config: Blob;
  layers: Blob[];
}

/** A Dockerfile that cannot be built. The message is what `docker build` says. */
export class DockerfileError extends Error {}

interface Config {
  Env: string[];
  Cmd?: string[];
  Entrypoint?: string[];
  WorkingDir: string;
  Labels: Record<string, string>;
  User?: string;
}

export interface ImageOrder {
  dockerfile: string;
  /** Files of the build's context, by path relative to it. */
  context: readonly ArchiveEntry[];
  buildArgs: Readonly<Record<string, string>>;
  /** As in image configs: `amd64`, `arm64`. */
  architecture: string;
  created: Date;
}

/** Instructions that change nothing which the sandbox looks at; base images count as empty. */
const WITHOUT_EFFECT = ["FROM", "RUN", "EXPOSE", "ARG", "VOLUME", "SHELL", "STOPSIGNAL", "HEALTHCHECK", "MAINTAINER"];

/** Throws {@link DockerfileError}. https://docs.docker.com/reference/dockerfile/ */
export function buildImage(order: ImageOrder): Image {
  const config: Config = { Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], WorkingDir: "", Labels: {} };
  const files: ArchiveEntry[] = [];
  const variables: Record<string, string> = {};
  const instructions = readDockerfile(order.dockerfile);
  const [first] = instructions;
  if (!first) throw new DockerfileError("failed to solve: file with no instructions");
  if (!instructions.some(({ name }) => name === "FROM")) throw new DockerfileError("failed to solve: no build stage in current context");
  for (const { name, value } of instructions) {
    const text = value.replace(/\$\{?([A-Za-z_]\w*)\}?/g, (whole, variable: string) => variables[variable] ?? whole);
    if (name === "ARG") {
      const [key, standard] = split(text, "=");
      variables[key] = order.buildArgs[key] ?? standard ?? "";
    } else if (!applyInstruction(name, text, config, files, order.context) && !WITHOUT_EFFECT.includes(name)) {
      throw new DockerfileError(`failed to solve: dockerfile parse error: unknown instruction: ${name}`);
    }
  }
  return assemble(order, config, files);
}

/** True when the instruction is one that it knows. */
function applyInstruction(name: string, text: string, config: Config, files: ArchiveEntry[], context: readonly ArchiveEntry[]): boolean {
  switch (name) {
    case "COPY":
    case "ADD":
      files.push(...copied(text, config.WorkingDir, context));
      return true;
    case "ENV":
      config.Env.push(...pairs(text).map(([key, value]) => `${key}=${value}`));
      return true;
    case "LABEL":
      Object.assign(config.Labels, Object.fromEntries(pairs(text)));
      return true;
    case "WORKDIR":
      config.WorkingDir = posix.resolve(config.WorkingDir === "" ? "/" : config.WorkingDir, text);
      return true;
    case "USER":
      config.User = text;
      return true;
    case "CMD":
      config.Cmd = commandOf(text);
      return true;
    case "ENTRYPOINT":
      config.Entrypoint = commandOf(text);
      return true;
    default:
      return false;
  }
}

function readDockerfile(text: string): { name: string; value: string }[] {
  return text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name, value = ""] = split(line, " ");
      return { name: name.toUpperCase(), value: value.trim() };
    });
}

function copied(text: string, folder: string, context: readonly ArchiveEntry[]): ArchiveEntry[] {
  const words = text.split(/\s+/).filter((word) => !word.startsWith("--"));
  const destination = words.at(-1) ?? "";
  return words.slice(0, -1).flatMap((source) => {
    const from = posix.normalize(source).replace(/^\.?\/+|\/$/g, "").replace(/^\.$/, "");
    const found = context.filter(({ path }) => from === "" || path === from || path.startsWith(`${from}/`));
    if (found.length === 0) throw new DockerfileError(`failed to solve: failed to compute cache key: failed to calculate checksum of ref: "/${from}": not found`);
    const target = posix.resolve(folder === "" ? "/" : folder, destination);
    return found.map(({ path, data }) => {
      const isFile = path === from;
      const below = isFile ? (destination.endsWith("/") || destination === "." ? posix.basename(path) : "") : posix.relative(from, path);
      return { path: posix.join(target, below).replace(/^\//, ""), data };
    });
  });
}

function commandOf(text: string): string[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.every((item) => typeof item === "string")) return parsed;
  } catch {
    // The other form: a text for the shell.
  }
  return ["/bin/sh", "-c", text];
}

function pairs(text: string): [string, string][] {
  const found = [...text.matchAll(/([\w.-]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S*))/g)];
  if (found.length > 0) return found.map(([, key = "", double, single, bare = ""]) => [key, double?.replace(/\\(.)/g, "$1") ?? single ?? bare]);
  const [key, value = ""] = split(text, " ");
  return [[key, value]];
}

function split(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function assemble({ architecture, created }: ImageOrder, config: Config, files: readonly ArchiveEntry[]): Image {
  const tar = writeTar(files);
  const layer = blob(gzipSync(tar));
  const history = [{ created: created.toISOString(), created_by: "sandbox" }];
  const described = { architecture, os: "linux", created: created.toISOString(), config, rootfs: { type: "layers", diff_ids: [digestOf(tar)] }, history };
  const configBlob = blob(Buffer.from(JSON.stringify(described)));
  const entry = (mediaType: string, { data, digest }: Blob) => ({ mediaType, size: data.length, digest });
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: entry(CONFIG_TYPE, configBlob), layers: [entry(LAYER_TYPE, layer)] }, null, 3);
  return { manifest, digest: digestOf(Buffer.from(manifest)), config: configBlob, layers: [layer] };
}

function blob(data: Buffer): Blob {
  return { digest: digestOf(data), data };
}

export function digestOf(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}
