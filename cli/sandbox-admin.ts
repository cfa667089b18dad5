import { Option, type Command } from "commander";
import { parseInteger, parseNumber, sandboxOption } from "./sandbox-arguments.js";
import { registerAzureAdmin } from "./sandbox-admin-azure.js";
import type { SandboxClient } from "./sandbox-client.js";

type Call = (client: SandboxClient) => Promise<unknown>;

/** The admin API as commands: each action is one call, and prints its answer as JSON. */
export function registerSandboxAdmin(sandbox: Command): void {
  const admin = sandbox
    .command("admin")
    .description("change the running sandbox from outside: resources, latency, faults, time, issuers")
    .helpCommand(false)
    .addOption(sandboxOption())
    .addHelpText(
      "after",
      `
Examples:
  $ cloud-federation sandbox admin resources list aws:iam/role
  $ cloud-federation sandbox admin fault add 'sts:*' --code Throttling --status 400 --count 2
  $ cloud-federation sandbox admin clock advance 3600`,
    );
  const run = async (call: Call): Promise<void> => {
    const [{ SandboxClient }, { printJson }] = await Promise.all([import("./sandbox-client.js"), import("./output.js")]);
    printJson(await call(new SandboxClient(admin.opts<{ sandbox?: string }>().sandbox)));
  };

  admin
    .command("info")
    .description("show what runs, and its settings")
    .action(() => run((client) => client.get("/info")));
  registerResources(group(admin, "resources", "list, read, change and delete resources out of band"), run);
  registerPolicies(group(admin, "policy", "organisation policies of an account: service control (scp) and resource control (rcp)"), run);
  registerOrgPolicies(group(admin, "org-policy", "organisation policies of a project of Google Cloud, by constraint"), run);
  registerAzureAdmin((name, description) => group(admin, name, description), examples, run);
  registerFaults(group(admin, "fault", "wrong answers for operations"), run);
  registerIssuers(group(admin, "issuer", "issuers, their keys and how they misbehave"), run);
  registerTime(admin, run);
}

type Run = (call: Call) => Promise<void>;

function group(admin: Command, name: string, description: string): Command {
  return admin.command(name).description(description).helpCommand(false);
}

const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  $ cloud-federation sandbox admin ${line}`).join("\n")}`;
const propagateOption = (): Option => new Option("--propagate", "let enforcement see the change only after the propagation delay");
const propagation = (options: { propagate?: boolean }): Record<string, string> => (options.propagate ? { propagates: "true" } : {});

function registerResources(resources: Command, run: Run): void {
  resources.addHelpText(
    "after",
    examples(
      "resources types",
      "resources list aws:iam/role",
      "resources get aws:iam/role 111122223333/deploy > role.json",
      "resources set aws:iam/role 111122223333/deploy role.json",
    ),
  );
  resources
    .command("types")
    .description("list the types of resources that there are")
    .action(() => run((client) => client.get("/types")));
  resources
    .command("list <type>")
    .description("list the resources of a type")
    .action((type: string) => run((client) => client.get("/resources", { type })));
  resources
    .command("get <type> <id>")
    .description("print a resource's value")
    .action((type: string, id: string) => run(async (client) => (await client.get<{ value: unknown }>("/resource", { type, id })).value));
  resources
    .command("set <type> <id> <file>")
    .description("make a resource, or replace its value, with the JSON of a file or of standard input (-)")
    .addOption(propagateOption())
    .action(async (type: string, id: string, file: string, options: { propagate?: boolean }) => {
      const { readJson } = await import("./sandbox-arguments.js");
      const value = readJson(file);
      await run((client) => client.put("/resource", value, { type, id, ...propagation(options) }));
    });
  resources
    .command("delete <type> <id>")
    .description("delete a resource")
    .addOption(propagateOption())
    .action((type: string, id: string, options: { propagate?: boolean }) =>
      run((client) => client.delete("/resource", { type, id, ...propagation(options) })),
    );
}

/** `<accountId>/<name>` of the stored document; the account that is asked for, or the sandbox's own. */
async function policyResource(client: SandboxClient, kind: string, name: string, account?: string): Promise<{ type: string; id: string }> {
  const accountId = account ?? (await client.get<{ accountId: string }>("/info")).accountId;
  return { type: `aws:organizations/${kind}`, id: `${accountId}/${name}` };
}

function registerPolicies(policy: Command, run: Run): void {
  policy.addHelpText("after", examples("policy set scp deny-s3 deny-s3.json", "policy list scp", "policy delete scp deny-s3"));
  const kinds = "scp or rcp";
  const checked = async (kind: string): Promise<string> => {
    const { CliError } = await import("./output.js");
    if (kind !== "scp" && kind !== "rcp") throw new CliError(`The kind of policy is ${kinds}, not ${JSON.stringify(kind)}.`);
    return kind;
  };
  policy
    .command("list <kind>")
    .description(`list the policies of a kind: ${kinds}`)
    .action(async (kind: string) => {
      const type = `aws:organizations/${await checked(kind)}`;
      await run((client) => client.get("/resources", { type }));
    });
  policy
    .command("set <kind> <name> <file>")
    .description("attach a policy document, from a file or standard input (-), to an account")
    .option("--account <id>", "the account (default: the sandbox's own)")
    .action(async (kind: string, name: string, file: string, options: { account?: string }) => {
      const { readJson } = await import("./sandbox-arguments.js");
      const [known, document] = [await checked(kind), JSON.stringify(readJson(file))];
      await run(async (client) => client.put("/resource", { name, document }, await policyResource(client, known, name, options.account)));
    });
  policy
    .command("delete <kind> <name>")
    .description("detach a policy from an account")
    .option("--account <id>", "the account (default: the sandbox's own)")
    .action(async (kind: string, name: string, options: { account?: string }) => {
      const known = await checked(kind);
      await run(async (client) => client.delete("/resource", await policyResource(client, known, name, options.account)));
    });
}

function registerOrgPolicies(policy: Command, run: Run): void {
  const type = "gcp:orgpolicy/constraint";
  const project = (): Option => new Option("--project <id>", "the project (default: the sandbox's own)");
  /** The constraint with or without `constraints/` before it. */
  const idOf = async (client: SandboxClient, constraint: string, id?: string): Promise<string> => {
    const [{ ORG_CONSTRAINTS }, { CliError }] = await Promise.all([import("../facts/gcp/org-policy.js"), import("./output.js")]);
    const name = constraint.replace(/^constraints\//, "");
    if (!Object.hasOwn(ORG_CONSTRAINTS, name)) throw new CliError(`The sandbox plays no constraint ${JSON.stringify(name)}; it has: ${Object.keys(ORG_CONSTRAINTS).join(", ")}.`);
    const projectId = id ?? (await client.get<{ projectId: string }>("/info")).projectId;
    return `projects/${projectId}/policies/${name}`;
  };
  policy.addHelpText(
    "after",
    `${examples("org-policy set iam.allowedPolicyMemberDomains domains.json", "org-policy list", "org-policy delete iam.allowedPolicyMemberDomains")}

The file is a policy's spec, such as {"rules":[{"values":{"allowedValues":["C0123abcd"]}}]} or {"rules":[{"enforce":true}]}.`,
  );
  policy
    .command("list")
    .description("list the policies of all projects")
    .action(() => run((client) => client.get("/resources", { type })));
  policy
    .command("set <constraint> <file>")
    .description("set the policy for a constraint, from a file or standard input (-)")
    .addOption(project())
    .action(async (constraint: string, file: string, options: { project?: string }) => {
      const { readJson } = await import("./sandbox-arguments.js");
      const spec = readJson(file);
      await run(async (client) => client.put("/resource", spec, { type, id: await idOf(client, constraint, options.project) }));
    });
  policy
    .command("delete <constraint>")
    .description("remove the policy for a constraint")
    .addOption(project())
    .action((constraint: string, options: { project?: string }) => run(async (client) => client.delete("/resource", { type, id: await idOf(client, constraint, options.project) })));
}

function registerFaults(fault: Command, run: Run): void {
  fault.addHelpText(
    "after",
    examples("fault add s3:PutObject --code SlowDown --status 503 --count 3", "fault list", "fault remove fault-1", "fault remove"),
  );
  fault
    .command("list")
    .description("list the faults that still strike")
    .action(() => run((client) => client.get("/faults")));
  fault
    .command("add <operation>")
    .description("answer an operation, or every one that a pattern with * matches, with an error")
    .requiredOption("--code <code>", "the service's error code, such as Throttling")
    .option("--status <status>", "the HTTP status", parseInteger(400, 599), 500)
    .option("--message <text>", "the error's message", "ordered by the sandbox's administrator")
    .option("--count <count>", "strike so many times (default: until it is removed)", parseInteger(1, 1_000_000))
    .action((operation: string, options: object) => run((client) => client.post("/faults", { operation, ...options })));
  fault
    .command("remove [id]")
    .description("remove a fault, or all of them")
    .action((id: string | undefined) => run((client) => client.delete("/faults", id === undefined ? {} : { id })));
}

function registerIssuers(issuer: Command, run: Run): void {
  issuer.addHelpText(
    "after",
    examples(
      "issuer create https://tokens.example/tenants/a",
      "issuer rotate https://oidc.dcf.example",
      "issuer behave https://oidc.dcf.example --delay 6",
      "issuer behave https://oidc.dcf.example",
    ),
  );
  issuer
    .command("list")
    .description("list the issuers")
    .action(() => run((client) => client.get("/issuers")));
  issuer
    .command("create <url>")
    .description("make an issuer")
    .addOption(new Option("--algorithm <algorithm>", "of its keys").choices(["RS256", "ES256"]).default("RS256"))
    .action((url: string, options: { algorithm: string }) => run((client) => client.post("/issuers", { url, ...options })));
  issuer
    .command("delete <url>")
    .description("delete an issuer; its host is refused from then on")
    .action((url: string) => run((client) => client.delete("/issuers", { url })));
  issuer
    .command("rotate <url>")
    .description("add a key and sign with it; earlier keys stay published")
    .action((url: string) => run((client) => client.post("/issuers/rotate", { url })));
  for (const [name, description] of [
    ["remove-key", "stop publishing a key"],
    ["foreign-key", "publish another key's numbers under a key's kid"],
  ] as const) {
    issuer
      .command(`${name} <url>`)
      .description(description)
      .option("--kid <kid>", "which key (default: the one that signs)")
      .action((url: string, options: object) => run((client) => client.post(`/issuers/${name}`, { url, ...options })));
  }
  issuer
    .command("behave <url>")
    .description("answer otherwise than an issuer should; without options it is healthy again")
    .option("--discovery-issuer <issuer>", "name another issuer in the discovery document")
    .option("--delay <seconds>", "answer so late", parseNumber(0))
    .option("--status <status>", "answer with this HTTP status", parseInteger(200, 599))
    .option("--untrusted-certificate", "show a certificate of an unknown authority")
    .action((url: string, options: { discoveryIssuer?: string; delay?: number; status?: number; untrustedCertificate?: boolean }) => {
      const behaviour = {
        ...(options.discoveryIssuer !== undefined && { discovery: { issuer: options.discoveryIssuer } }),
        ...(options.delay !== undefined && { delaySeconds: options.delay }),
        ...(options.status !== undefined && { status: options.status }),
        ...(options.untrustedCertificate && { certificate: "untrusted" }),
      };
      return run((client) => client.put("/issuers/behaviour", { url, behaviour }));
    });
}

function registerTime(admin: Command, run: Run): void {
  admin
    .command("latency [milliseconds]")
    .description("show or set the latency of every operation, or of those that --operation matches")
    .option("--operation <pattern>", "such as s3:PutObject or s3:*")
    .addHelpText("after", examples("latency 50", "latency 200 --operation 's3:*'", "latency 0"))
    .action(async (milliseconds: string | undefined, options: object) => {
      const value = milliseconds === undefined ? undefined : await parseArgument("milliseconds", milliseconds, 0);
      await run((client) => (value === undefined ? client.get("/latency") : client.put("/latency", { milliseconds: value, ...options })));
    });
  admin
    .command("propagation-delay [seconds]")
    .description("show or set how long trust and grants take to be seen")
    .addHelpText("after", examples("propagation-delay 10", "propagation-delay 0"))
    .action(async (seconds: string | undefined) => {
      const value = seconds === undefined ? undefined : await parseArgument("seconds", seconds, 0);
      await run((client) => (value === undefined ? client.get("/propagation-delay") : client.put("/propagation-delay", { seconds: value })));
    });
  const clock = group(admin, "clock", "the sandbox's time").addHelpText("after", examples("clock show", "clock advance 3600"));
  clock
    .command("show")
    .description("show the time and how far it is ahead")
    .action(() => run((client) => client.get("/clock")));
  clock
    .command("advance <seconds>")
    .description("move the time; a negative number moves it back")
    .action(async (seconds: string) => {
      const advanceSeconds = await parseArgument("seconds", seconds);
      await run((client) => client.post("/clock", { advanceSeconds }));
    });
  admin
    .command("snapshot")
    .description("remember everything as it is, and print the id to come back to")
    .action(() => run((client) => client.post("/snapshots")));
  admin
    .command("restore <id>")
    .description("go back to a snapshot of this run")
    .addHelpText("after", examples("restore 8f14e45f-ceea-4671-a1b2-000000000000"))
    .action((id: string) => run((client) => client.post("/snapshots/restore", { id })));
}

async function parseArgument(name: string, text: string, minimum?: number): Promise<number> {
  const { CliError, oneLine } = await import("./output.js");
  try {
    return parseNumber(minimum)(text);
  } catch (error) {
    throw new CliError(`${name} is ${JSON.stringify(text)}: ${oneLine(error)}`);
  }
}
