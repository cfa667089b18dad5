/** `gcloud` in a build, as far as builds deploy with it: `gcloud run`. https://cloud.google.com/build/docs/deploying-builds/deploy-cloud-run */
import type { Program, ProgramCall } from "../build/shell.js";
import { FaultError } from "../types.js";
import { GcpError, type GcpCaller, type GcpCloud } from "./types.js";

export interface GcloudHost {
  cloud: GcpCloud;
  caller: GcpCaller;
  /** Unless `--project` says otherwise. */
  projectId: string;
}

interface Options {
  words: string[];
  flags: Readonly<Record<string, string>>;
}

/** Flags that take a value; all others are switches. */
const VALUED = ["--image", "--region", "--service-account", "--platform", "--project", "--ingress", "--port", "--format", "--set-env-vars", "--update-env-vars", "--labels", "--memory", "--cpu", "--member", "--role", "--timeout", "--max-instances", "--min-instances", "--concurrency"];
const SWITCHES = ["--allow-unauthenticated", "--no-allow-unauthenticated", "--quiet", "-q", "--invoker-iam-check", "--no-invoker-iam-check"];

const INGRESS: Readonly<Record<string, string>> = {
  all: "INGRESS_TRAFFIC_ALL",
  internal: "INGRESS_TRAFFIC_INTERNAL_ONLY",
  "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
};

export function gcloudProgram(host: GcloudHost): Program {
  return async (call) => {
    const options = readOptions(call.args);
    if (typeof options === "string") return failed(call, "gcloud", options);
    const [group = "", command = "", ...words] = options.words;
    const run = group === "run" && Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
    if (!run) return failed(call, "gcloud", `the sandbox's builds have 'gcloud run deploy', 'gcloud run services update' and 'gcloud run services describe' only`);
    try {
      return await run(host, call, { ...options, words });
    } catch (error) {
      if (error instanceof FaultError) return failed(call, `gcloud.${group}.${command}`, error.fault.message);
      if (!(error instanceof GcpError)) throw error;
      return failed(call, `gcloud.${group}.${command}`, `${error.status}: ${error.message}`);
    }
  };
}

function failed({ err }: ProgramCall, command: string, problem: string): number {
  err(`ERROR: (${command}) ${problem}\n`);
  return 1;
}

/** Answers a sentence for flags that it does not know. */
function readOptions(args: readonly string[]): Options | string {
  const words: string[] = [];
  const flags: Record<string, string> = {};
  for (let index = 0; index < args.length; index++) {
    const [flag = "", attached] = (args[index] ?? "").split(/=(.*)/s);
    if (!flag.startsWith("-")) words.push(args[index] ?? "");
    else if (VALUED.includes(flag)) flags[flag] = attached ?? args[++index] ?? "";
    else if (SWITCHES.includes(flag)) flags[flag] = "";
    else return `unrecognized arguments: ${flag} (the sandbox knows: ${[...VALUED, ...SWITCHES].join(", ")})`;
  }
  return { words, flags };
}

/** Makes the service, or another revision of it; public access last, as gcloud does it. */
async function deploy(host: GcloudHost, call: ProgramCall, { words: [service], flags }: Options): Promise<number> {
  const { cloud, caller } = host;
  const { "--region": region, "--image": image, "--platform": platform = "managed" } = flags;
  if (service === undefined || region === undefined || image === undefined) return failed(call, "gcloud.run.deploy", "the sandbox needs the service's name, --image and --region");
  if (platform !== "managed") return failed(call, "gcloud.run.deploy", `Invalid value for [--platform]: the sandbox has managed only, not ${platform}`);
  const projectId = flags["--project"] ?? host.projectId;
  const parent = `https://run.googleapis.com/v2/projects/${projectId}/locations/${region}/services`;
  call.out(`Deploying container to Cloud Run service [${service}] in project [${projectId}] region [${region}]\n`);
  const known = await found(cloud.call(caller, "GET", `${parent}/${service}`));
  const change = changed(known ?? {}, flags);
  const operation = await (known ? cloud.call(caller, "PATCH", `${parent}/${service}`, change) : cloud.call(caller, "POST", `${parent}?serviceId=${service}`, change));
  const { error } = operation as { error?: { message: string } };
  if (error) return failed(call, "gcloud.run.deploy", error.message);
  if ("--allow-unauthenticated" in flags) await makePublic(host, call, `${parent}/${service}`);
  return describe(host, call, `${parent}/${service}`);
}

const COMMANDS: Readonly<Record<string, (host: GcloudHost, call: ProgramCall, options: Options) => Promise<number>>> = { deploy, services };

/** As gcloud does it: a service whose policy could not be set is deployed all the same. */
async function makePublic({ cloud, caller }: GcloudHost, call: ProgramCall, url: string): Promise<void> {
  try {
    const policy = await cloud.call<{ bindings?: { role: string; members: string[] }[] }>(caller, "GET", `${url}:getIamPolicy`);
    const bindings = [...(policy.bindings ?? []), { role: "roles/run.invoker", members: ["allUsers"] }];
    await cloud.call(caller, "POST", `${url}:setIamPolicy`, { policy: { ...policy, bindings } });
  } catch (error) {
    if (!(error instanceof GcpError)) throw error;
    call.err('Setting IAM policy failed, try "gcloud beta run services add-iam-policy-binding --member=allUsers --role=roles/run.invoker"\n');
  }
}

async function describe({ cloud, caller }: GcloudHost, { out }: ProgramCall, url: string): Promise<number> {
  const { latestReadyRevision = "", uri } = await cloud.call<{ latestReadyRevision?: string; uri: string }>(caller, "GET", url);
  const [service = "", revision = ""] = [url, latestReadyRevision].map((name) => name.slice(name.lastIndexOf("/") + 1));
  out(`Service [${service}] revision [${revision}] has been deployed and is serving 100 percent of traffic.\nService URL: ${uri}\n`);
  return 0;
}

async function services(host: GcloudHost, call: ProgramCall, { words: [command, service], flags }: Options): Promise<number> {
  const { "--region": region = "", "--project": projectId = host.projectId } = flags;
  const url = `https://run.googleapis.com/v2/projects/${projectId}/locations/${region}/services/${service ?? ""}`;
  const known = await found(host.cloud.call(host.caller, "GET", url));
  if (!known) return failed(call, `gcloud.run.services.${command ?? ""}`, `Cannot find service [${service ?? ""}]`);
  if (command === "update") {
    const operation = await host.cloud.call<{ error?: { message: string } }>(host.caller, "PATCH", url, changed(known, flags));
    if (operation.error) return failed(call, "gcloud.run.services.update", operation.error.message);
  }
  return describe(host, call, url);
}

async function found<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof GcpError && error.status === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** The service as the flags want it. */
function changed(known: Record<string, unknown>, flags: Readonly<Record<string, string>>): object {
  const { template = {}, ingress } = known as { template?: { containers?: object[]; serviceAccount?: string }; ingress?: string };
  const [container = {}] = template.containers ?? [];
  const env = (flags["--set-env-vars"] ?? flags["--update-env-vars"])?.split(",").map((pair) => ({ name: pair.split("=")[0] ?? "", value: pair.slice(pair.indexOf("=") + 1) }));
  const { revision: _, ...kept } = template as { revision?: string };
  return {
    ...(flags["--ingress"] === undefined ? ingress !== undefined && { ingress } : { ingress: INGRESS[flags["--ingress"]] }),
    ...("--no-invoker-iam-check" in flags && { invokerIamDisabled: true }),
    template: {
      ...kept,
      ...(flags["--service-account"] !== undefined && { serviceAccount: flags["--service-account"] }),
      containers: [{ ...container, ...(flags["--image"] !== undefined && { image: flags["--image"] }), ...(env && { env }) }],
    },
  };
}
