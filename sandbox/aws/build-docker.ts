/** `docker` in a build: a daemon of its own where the project is privileged, images in memory, pushes to ECR. */
import { posix } from "node:path";
import { ecrRefusals } from "../../facts/aws/ecr.js";
import { AwsError } from "./types.js";
import type { Clock } from "../types.js";
import { type BuildCloud, NoRoute } from "./build-cloud.js";
import { type Blob, DockerfileError, type Image, MANIFEST_TYPE, buildImage } from "./build-image.js";
import type { Program, ProgramCall } from "./build-shell.js";

export interface DockerHost {
  /** Without privileged mode there is no daemon. */
  privileged: boolean;
  architecture: string;
  clock: Clock;
  cloud: BuildCloud;
  /** Whether the tag is written once: the registry's own knowledge, for which no right is needed. */
  isImmutable: (tag: { account: string; region: string; repository: string; tag: string }) => boolean;
}

/** A registry of ECR and a repository in it. https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html */
const ECR_REFERENCE = /^(?<host>(?<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?)\/(?<repository>[^:@]+)(?::(?<tag>[\w.-]+))?$/;
const ECR_HOST = /^(?:https:\/\/)?(?<host>\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)(?:\/.*)?$/;

const NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";

/** How registries name ECR's refusals. https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html */
const REGISTRY_ERRORS: Readonly<Record<string, string>> = {
  AccessDenied: "denied",
  AccessDeniedException: "denied",
  ImageTagAlreadyExistsException: "tag invalid",
  InvalidLayerException: "blob upload invalid",
  LayersNotFoundException: "blob unknown",
  RepositoryNotFoundException: "name unknown",
};

export function dockerProgram(host: DockerHost): Program {
  const images = new Map<string, Image>();
  const loggedIn = new Set<string>();

  const withDaemon =
    (run: (call: ProgramCall, args: string[]) => number | Promise<number>) =>
    (call: ProgramCall, args: string[]): number | Promise<number> => {
      if (host.privileged) return run(call, args);
      call.err(`ERROR: ${NO_DAEMON}\n`);
      return 1;
    };

  const commands: Record<string, (call: ProgramCall, args: string[]) => number | Promise<number>> = {
    login: (call, args) => login(host, loggedIn, call, args),
    logout: (_call, args) => {
      loggedIn.delete(args[0] ?? "");
      return 0;
    },
    info: withDaemon(() => 0),
    build: withDaemon((call, args) => build(host, images, call, args)),
    tag: withDaemon(({ err }, [from = "", to = ""]) => {
      const image = images.get(named(from));
      if (!image) {
        err(`Error response from daemon: No such image: ${from}\n`);
        return 1;
      }
      images.set(named(to), image);
      return 0;
    }),
    push: withDaemon((call, args) => push(host, images, loggedIn, call, args)),
  };

  return (call) => {
    const [command = "", ...args] = call.args;
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (run) return run(call, args);
    call.err(`docker: '${command}' is not a docker command of the sandbox (it has: ${Object.keys(commands).join(", ")})\n`);
    return 1;
  };
}

const named = (reference: string): string => (/:[\w.-]+$/.test(reference) ? reference : `${reference}:latest`);

/** Passwords are those that ECR gave this build; nothing else opens a registry. */
function login({ cloud }: DockerHost, loggedIn: Set<string>, { err, out, stdin }: ProgramCall, args: string[]): number {
  const server = args.filter((arg, index) => !arg.startsWith("-") && !["-u", "--username", "-p", "--password"].includes(args[index - 1] ?? "")).at(-1) ?? "";
  const password = args.includes("--password-stdin") ? stdin.trim() : "";
  if (password === "") {
    err("Error: Cannot perform an interactive login from a non TTY device\n");
    return 1;
  }
  const registry = ECR_HOST.exec(server)?.groups?.["host"];
  if (registry === undefined || !cloud.registryPasswords.has(password)) {
    err(`Error response from daemon: login attempt to https://${server}/v2/ failed with status: 400 Bad Request\n`);
    return 1;
  }
  loggedIn.add(registry);
  out("Login Succeeded\n");
  return 0;
}

function build({ architecture, clock }: DockerHost, images: Map<string, Image>, { err, out, shell }: ProgramCall, args: string[]): number {
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

async function push({ cloud, isImmutable }: DockerHost, images: Map<string, Image>, loggedIn: Set<string>, { err, out }: ProgramCall, args: string[]): Promise<number> {
  const name = named(args.find((arg) => !arg.startsWith("-")) ?? "");
  const target = ECR_REFERENCE.exec(name)?.groups;
  const image = images.get(name);
  const fail = (text: string): number => {
    err(`${text}\n`);
    return 1;
  };
  out(`The push refers to repository [${name.replace(/:[\w.-]+$/, "")}]\n`);
  if (!image) return fail(`An image does not exist locally with the tag: ${name.replace(/:[\w.-]+$/, "")}`);
  if (!target) return fail(`Get "https://${name.split("/")[0] ?? ""}/v2/": dial tcp: lookup ${name.split("/")[0] ?? ""}: no such host (the sandbox has ECR's registries only)`);
  const { host = "", account = "", region = "", repository = "", tag = "latest" } = target;
  if (!loggedIn.has(host)) return fail("no basic auth credentials");
  const url = `https://${host}/v2/`;
  const call = (operation: string, input: Record<string, unknown>) => cloud.call("ecr", operation, { registryId: account, repositoryName: repository, ...input }, region, url);
  try {
    for (const each of [...image.layers, image.config]) out(`${each.digest.slice(7, 19)}: ${await pushBlob(call, each)}\n`);
    try {
      await call("PutImage", { imageManifest: image.manifest, imageManifestMediaType: MANIFEST_TYPE, imageTag: tag });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== "ImageAlreadyExistsException") throw error;
      // The same image again is fine, unless its tag is never to be written again.
      if (isImmutable({ account, region, repository, tag })) return fail(`tag invalid: ${ecrRefusals.tagImmutable(tag, repository).message}`);
    }
    out(`${tag}: digest: ${image.digest} size: ${image.manifest.length}\n`);
    return 0;
  } catch (error) {
    if (error instanceof NoRoute) {
      return fail(`Get "${error.url}": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`);
    }
    if (!(error instanceof AwsError)) throw error;
    return fail(`${REGISTRY_ERRORS[error.code] ?? "unknown"}: ${error.message}`);
  }
}

async function pushBlob(call: (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>, { data, digest }: Blob): Promise<string> {
  const checked = await call("BatchCheckLayerAvailability", { layerDigests: [digest] });
  const [known] = (checked["layers"] ?? []) as { layerAvailability?: string }[];
  if (known?.layerAvailability === "AVAILABLE") return "Layer already exists";
  const { uploadId } = await call("InitiateLayerUpload", {});
  await call("UploadLayerPart", { uploadId, partFirstByte: 0, partLastByte: data.length - 1, layerPartBlob: data });
  try {
    await call("CompleteLayerUpload", { uploadId, layerDigests: [digest] });
  } catch (error) {
    // Another push was faster.
    if (!(error instanceof AwsError) || error.code !== "LayerAlreadyExistsException") throw error;
  }
  return "Pushed";
}
