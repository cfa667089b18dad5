/** `docker` in a build: a daemon of its own where the build may have one, images in memory, pushes to the cloud's registry. */
import { posix } from "node:path";
import type { Clock } from "../types.js";
import { DockerfileError, type Image, buildImage } from "./image.js";
import type { Program, ProgramCall } from "./shell.js";

/** The registry of a cloud, as the daemon of a build talks to it. */
export interface ImageRegistry {
  /** False where the registry takes no such login. */
  login(server: string, password: string): boolean;
  logout(server: string): void;
  /** `name` has a tag. `progress` takes lines. Throws {@link PushError}. */
  push(name: string, image: Image, progress: (line: string) => void): Promise<void>;
}

/** A refused push. The message is what `docker push` says. */
export class PushError extends Error {}

export interface DockerHost {
  /** Without it every command fails. */
  hasDaemon: boolean;
  /** As in image configs: `amd64`, `arm64`. */
  architecture: string;
  clock: Clock;
  registry: ImageRegistry;
  /** Images by name with tag; shared by the steps of a build. */
  images: Map<string, Image>;
}

const NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";

export function dockerProgram(host: DockerHost): Program {
  const { images } = host;
  const withDaemon =
    (run: (call: ProgramCall, args: string[]) => number | Promise<number>) =>
    (call: ProgramCall, args: string[]): number | Promise<number> => {
      if (host.hasDaemon) return run(call, args);
      call.err(`ERROR: ${NO_DAEMON}\n`);
      return 1;
    };

  const commands: Record<string, (call: ProgramCall, args: string[]) => number | Promise<number>> = {
    login: (call, args) => login(host, call, args),
    logout: (_call, args) => {
      host.registry.logout(args[0] ?? "");
      return 0;
    },
    info: withDaemon(() => 0),
    build: withDaemon((call, args) => build(host, call, args)),
    tag: withDaemon(({ err }, [from = "", to = ""]) => {
      const image = images.get(named(from));
      if (!image) {
        err(`Error response from daemon: No such image: ${from}\n`);
        return 1;
      }
      images.set(named(to), image);
      return 0;
    }),
    push: withDaemon((call, args) => push(host, call, args)),
  };

  return (call) => {
    const [command = "", ...args] = call.args;
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run) return run(call, args);
    call.err(`docker: '${command}' is not a docker command of the sandbox (it has: ${Object.keys(commands).join(", ")})\n`);
    return 1;
  };
}

/** A name without tag means `latest`. */
export const named = (reference: string): string => (/:[\w.-]+$/.test(reference) ? reference : `${reference}:latest`);

function login({ registry }: DockerHost, { err, out, stdin }: ProgramCall, args: string[]): number {
  const server = args.filter((arg, index) => !arg.startsWith("-") && !["-u", "--username", "-p", "--password"].includes(args[index - 1] ?? "")).at(-1) ?? "";
  const password = args.includes("--password-stdin") ? stdin.trim() : "";
  if (password === "") {
    err("Error: Cannot perform an interactive login from a non TTY device\n");
    return 1;
  }
  if (!registry.login(server, password)) {
    err(`Error response from daemon: login attempt to https://${server}/v2/ failed with status: 400 Bad Request
`);
    return 1;
  }
  out("Login Succeeded\n");
  return 0;
}

function build({ architecture, clock, images }: DockerHost, { err, out, shell }: ProgramCall, args: string[]): number {
  const tags: string[] = [];
  const buildArgs: Record<string, string> = {};
  let file: string | undefined;
  let platform = architecture;
  let folder: string | undefined;
  for (let index = 0; index < args.length; index++) {
    const [option = "", attached] = (args[index] ?? "").split(/=(.*)/s);
    const value = (): string => attached ?? args[++index] ?? "";
    if (option === "-t" || option === "--tag") tags.push(named(value()));
    else if (option === "-f" || option === "--file") file = value();
    else if (option === "--platform") platform = value().split("/")[1] ?? architecture;
    else if (option === "--build-arg") {
      const [name = "", given = ""] = value().split(/=(.*)/s);
      buildArgs[name] = given;
    } else if (option.startsWith("-")) {
      if (!["--no-cache", "--pull", "--provenance", "--progress", "-q", "--quiet"].includes(option)) {
        err(`unknown flag: ${option}\n`);
        return 125;
      }
    } else folder = args[index];
  }
  if (folder === undefined) {
    err('ERROR: "docker build" requires exactly 1 argument.\n');
    return 1;
  }
  const root = shell.path(folder);
  if (!shell.files.isFolder(root)) {
    err(`ERROR: unable to prepare context: path "${folder}" not found\n`);
    return 1;
  }
  const dockerfile = shell.files.read(file === undefined ? posix.join(root, "Dockerfile") : shell.path(file));
  if (!dockerfile) {
    err("ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory\n");
    return 1;
  }
  try {
    const context = shell.files.below(root).map(({ path, data }) => ({ path: posix.relative(root, path), data }));
    const image = buildImage({ dockerfile: dockerfile.toString("utf8"), context, buildArgs, architecture: platform, created: clock.now() });
    for (const tag of tags) images.set(tag, image);
    out(`writing image ${image.config.digest} done\n${tags.map((tag) => `naming to ${tag} done\n`).join("")}`);
    return 0;
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    err(`ERROR: ${error.message}\n`);
    return 1;
  }
}

async function push({ images, registry }: DockerHost, { err, out }: ProgramCall, args: string[]): Promise<number> {
  const name = named(args.find((arg) => !arg.startsWith("-")) ?? "");
  const repository = name.replace(/:[\w.-]+$/, "");
  const image = images.get(name);
  out(`The push refers to repository [${repository}]\n`);
  try {
    if (!image) throw new PushError(`An image does not exist locally with the tag: ${repository}`);
    await registry.push(name, image, (line) => out(`${line}\n`));
    return 0;
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    err(`${error.message}\n`);
    return 1;
  }
}

/** What a daemon says of a registry that is not there. */
export function noSuchRegistry(name: string, known: string): PushError {
  const host = name.split("/")[0] ?? "";
  return new PushError(`Get "https://${host}/v2/": dial tcp: lookup ${host}: no such host (the sandbox has ${known} only)`);
}
