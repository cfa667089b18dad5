import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

import { parse } from "yaml";

import { openCliStack, type CliStack, type CliStackOptions, type PulumiCli } from "../../engine/cli-runner.js";
import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded } from "../../engine/embedded.js";
import { startProviderServer, type ProviderServer } from "../../engine/provider-server.js";
import { startSandbox, type Sandbox, type SandboxSnapshot } from "../../sandbox/index.js";
import { dcfAws } from "../../stacks/dcf-aws.js";
import { fakeCloud, type FakeCloud } from "../engine/fake-table.js";
import { describeWithPulumi, pulumi, temporaryProject, type TemporaryProject } from "../engine/project.js";

jest.setTimeout(300_000);

const prelude = `
const pulumi = require("@pulumi/pulumi");
class Thing extends pulumi.CustomResource {
  constructor(name, args = {}, options = {}) {
    const outputs = { arn: undefined, serial: undefined, region: undefined, size: undefined, note: undefined, name: undefined, tags: undefined };
    super("fake:index:Thing", name, { ...outputs, ...args }, options);
  }
}
class Provider extends pulumi.ProviderResource {
  constructor(name, args) { super("fake", name, args); }
}
const config = new pulumi.Config();
`;

describeWithPulumi("the real engine against the provider server", () => {
  let cloud: FakeCloud;
  let server: ProviderServer;
  let project: TemporaryProject;
  const stacks: CliStack[] = [];

  beforeAll(async () => {
    cloud = fakeCloud();
    server = await startProviderServer([cloud.table]);
  });
  beforeEach(() => {
    cloud.things.clear();
    cloud.calls.length = 0;
    project = temporaryProject("");
  });
  afterEach(async () => {
    project.remove();
    await Promise.all(stacks.splice(0).map((stack) => stack.remove()));
  });
  afterAll(() => server.close());

  async function open(program: string, more: Partial<CliStackOptions> = {}): Promise<CliStack> {
    project.write(prelude + program);
    const stack = await openCliStack({
      cli: pulumi as PulumiCli,
      projectDirectory: project.directory,
      stack: "dev",
      port: server.port,
      packages: ["fake"],
      config: { "fake:region": "here" },
      ...more,
    });
    stacks.push(stack);
    return stack;
  }

  it("previews, ups, changes nothing twice, updates, replaces, destroys", async () => {
    const program = (size: number, zone: string) => `
      const first = new Thing("first", { size: ${size}, zone: "${zone}", tags: {} });
      const second = new Thing("second", { name: "second", note: first.arn });
      module.exports = { arn: first.arn, serial: first.serial, second: second.arn };`;
    const stack = await open(program(1, "a"));
    const preview = await stack.preview();
    expect(preview.errors).toEqual([]);
    expect(preview.changes).toEqual({ create: 3 });
    expect(cloud.calls).toEqual([]);

    const up = await stack.up();
    expect(up.errors).toEqual([]);
    expect(up.changes).toEqual({ create: 3 });
    const outputs = await stack.outputs();
    const [id] = [...cloud.things.keys()];
    expect(outputs).toEqual({ arn: expect.stringMatching(/^arn:fake:here:first-[0-9a-f]{7}$/), serial: cloud.things.get(id!)!.serial, second: "arn:fake:here:second" });
    const again = await stack.preview("--expect-no-changes");
    expect([again.errors, again.exitCode, again.changes]).toEqual([[], 0, { same: 3 }]);

    project.write(prelude + program(2, "a"));
    const updated = await stack.up();
    expect(updated.changes).toEqual({ same: 2, update: 1 });
    expect(updated.steps.find(({ op }) => op === "update")!.differences).toEqual({ size: "update" });
    expect(cloud.calls.filter((call) => call.startsWith("update"))).toEqual([`update ${id!}`]);

    project.write(prelude + program(2, "b"));
    cloud.calls.length = 0;
    const replaced = await stack.up();
    expect(replaced.errors).toEqual([]);
    expect(replaced.steps.find(({ op }) => op === "replace")!.differences).toEqual({ zone: "update-replace" });
    // The generated name is new, so the new one is there before the old one goes.
    expect(cloud.calls.map((call) => call.split(" ")[0])).toEqual(["create", "update", "delete"]);

    const destroyed = await stack.destroy();
    expect(destroyed.changes).toEqual({ delete: 3 });
    expect(cloud.things.size).toBe(0);
  });

  it("deletes first where the program gave the name that is kept", async () => {
    const stack = await open(`new Thing("t", { name: "fixed", zone: "a" });`);
    await stack.up();
    project.write(`${prelude} new Thing("t", { name: "fixed", zone: "b" });`);
    cloud.calls.length = 0;
    const replaced = await stack.up();
    expect(replaced.errors).toEqual([]);
    expect(cloud.calls).toEqual(["delete thing/fixed", "create thing/fixed"]);
  });

  it("reports drift on refresh and repairs it on the next up", async () => {
    const stack = await open(`new Thing("t", { name: "t", note: "as ordered" });`);
    await stack.up();
    cloud.things.set("thing/t", { ...cloud.things.get("thing/t"), note: "drifted" });
    const refreshed = await stack.refresh();
    expect(refreshed.changes).toEqual({ update: 1, same: 1 });
    const preview = await stack.preview();
    expect(preview.steps.find(({ op }) => op === "update")!.differences).toEqual({ note: "update" });
    await stack.up();
    expect(cloud.things.get("thing/t")!.note).toBe("as ordered");

    cloud.things.clear();
    expect((await stack.refresh()).changes).toEqual({ delete: 1, same: 1 });
    expect((await stack.up()).changes).toEqual({ create: 1, same: 1 });
  });

  it("imports what is there", async () => {
    cloud.things.set("thing/x", { name: "x", size: 1, region: "here", serial: "s1" });
    const stack = await open(`module.exports = { serial: new Thing("t", { name: "x" }, { import: "thing/x" }).serial };`);
    const up = await stack.up();
    expect([up.errors, up.changes]).toEqual([[], { create: 1, import: 1 }]);
    expect(await stack.outputs()).toEqual({ serial: "s1" });
    expect((await stack.preview("--expect-no-changes")).exitCode).toBe(0);
  });

  it("configures each provider instance by itself, invokes too", async () => {
    const stack = await open(`
      const there = new Provider("there", { region: "there" });
      const a = new Thing("a", { name: "a" });
      const b = new Thing("b", { name: "b" }, { provider: there });
      const found = pulumi.runtime.invokeOutput("fake:index:getThing", { name: b.name }, { provider: there });
      module.exports = { a: a.region, b: b.region, found: found.apply((thing) => thing.region) };`);
    const up = await stack.up();
    expect(up.errors).toEqual([]);
    expect(await stack.outputs()).toEqual({ a: "here", b: "there", found: "there" });
  });

  it("keeps secrets encrypted in the state, derived copies included, and out of errors", async () => {
    const secret = `hush-${process.pid}-value`;
    const stack = await open(
      `const note = config.requireSecret("note");
       const t = new Thing("t", { name: "t", note, tags: { open: "o", closed: note } });
       module.exports = { tags: t.tags };
       new Thing("wrong", { name: "wrong", size: note }, { dependsOn: [t] });`,
      { secretConfig: { note: secret } },
    );
    const up = await stack.up();
    expect(up.errors.filter((error) => error.includes("size"))).toEqual(["fake:index:Thing resource 'wrong' has a problem: size: expected a number"]);
    expect(cloud.things.get("thing/t")).toMatchObject({ note: secret, tags: { open: "o", closed: secret } });
    expect(JSON.stringify([up, await stack.exportState()])).not.toContain(secret);
    expect(everyFile(join(stack.directory, "state"))).not.toContain(secret);
  });

  it("shows a failure as one line, keeps what was made, and completes a half-made resource", async () => {
    const stack = await open(`
      new Thing("refused", { name: "r", note: "refuse" });
      new Thing("half", { name: "h", note: "half" });`);
    const up = await stack.up();
    expect(up.exitCode).toBe(1);
    expect(up.errors).toContain("creating Thing (r): refused by order");
    expect(up.errors.join("\n")).toContain("the second half failed");
    project.write(`${prelude} new Thing("half", { name: "h", note: "whole" });`);
    const repaired = await stack.up();
    expect([repaired.errors, repaired.changes]).toEqual([[], { same: 1, update: 1 }]);
  });

  it("names what the sandbox does not play, and a provider without its region", async () => {
    const stack = await open(`new (class extends pulumi.CustomResource {})("fake:index:Unheard", "u", {});`);
    expect((await stack.up()).errors).toContain("the sandbox does not play fake:index:Unheard; it plays: fake:index:Thing");
    const bare = await open(`new Thing("t");`, { config: {} });
    const up = await bare.up();
    expect(up.errors[0]).toMatch(/^pulumi:providers:fake resource 'default[^']*' has a problem: missing region: set fake:region$/);
  });

  it("serves four engines at once", async () => {
    const opened: CliStack[] = [];
    for (let index = 0; index < 4; index += 1) {
      opened.push(
        await open(`const name = config.require("name"); module.exports = { region: new Thing(name, { name }).region };`, {
          stack: `s${index}`,
          config: { "fake:region": `r${index}`, name: `n${index}` },
        }),
      );
    }
    const ups = await Promise.all(opened.map((stack) => stack.up()));
    expect(ups.flatMap(({ errors }) => errors)).toEqual([]);
    const outputs = await Promise.all(opened.map((stack) => stack.outputs()));
    expect(outputs).toEqual([{ region: "r0" }, { region: "r1" }, { region: "r2" }, { region: "r3" }]);
    await Promise.all(opened.map((stack) => stack.destroy()));
    expect(cloud.things.size).toBe(0);
  });

  it("writes nothing into the project and says what it cannot run", async () => {
    const before = readdirSync(project.directory);
    // With its stack, the SDK inspects the error in colours, which takes Node 20 half a minute.
    const stack = await open(`module.exports = async () => {
      throw Object.assign(new pulumi.RunError("one line for a person"), { stack: "RunError" });
    };`);
    const up = await stack.up();
    expect(up.errors.join()).toContain("one line for a person");
    expect(readdirSync(project.directory)).toEqual(before);
    mkdirSync(join(project.directory, "empty"));
    const missing = { ...(pulumi as PulumiCli), path: join(project.directory, "no-pulumi") };
    await expect(open("", { cli: missing })).rejects.toThrow(/^cannot run .*no-pulumi: /);
  });
});

const root = resolve(__dirname, "../..");
const built = existsSync(join(root, "dist/stacks/index.js"));
const example = parse(readFileSync(join(root, "examples/dcf-aws/Pulumi.dcf-aws.yaml"), "utf8")) as { config: Record<string, unknown> };
const asTexts = (config: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
const roleName = "dcf-aws-e2e";
const providerArn = "arn:aws:iam::111122223333:oidc-provider/oidc.dcf.example";

describe("dcf-aws provisioned into the sandbox", () => {
  let sandbox: Sandbox;
  let fresh: SandboxSnapshot;
  beforeAll(async () => {
    sandbox = await startSandbox();
    fresh = sandbox.snapshot();
  });
  beforeEach(() => sandbox.restore(fresh));
  afterAll(() => sandbox.close());

  const iam = (operation: string, input: Record<string, unknown>) =>
    sandbox.aws.call(sandbox.aws.administrator(sandbox.aws.defaultAccountId).caller, "iam", operation, input, "eu-west-1");

  describe("by the embedded engine", () => {
    const run = (changes: Record<string, unknown> = {}, more: { preview?: boolean; previous?: Awaited<ReturnType<typeof runEmbedded>>["resources"] } = {}) =>
      runEmbedded({
        program: dcfAws.program,
        project: "cloud-federation",
        stack: "e2e",
        config: asTexts({ ...example.config, ...changes }),
        tables: sandbox.tables,
        ...more,
      });

    it("previews, creates, finds nothing to do, destroys all but the provider that it keeps", async () => {
      const preview = await run({}, { preview: true });
      expect(preview.errors).toEqual([]);
      expect(preview.outputs.roleArn).toMatchObject({ value: `arn:aws:iam::111122223333:role/${roleName}`, known: true });
      await expect(iam("GetRole", { RoleName: roleName })).rejects.toMatchObject({ code: "NoSuchEntity" });

      const created = await run();
      expect(created.errors).toEqual([]);
      expect(created.outputs.contract).toMatchObject({ secret: false, known: true });
      expect(created.resources.map(({ urn }) => urn).sort()).toEqual(preview.resources.map(({ urn }) => urn).sort());
      const again = await run({}, { previous: created.resources });
      expect([again.errors, again.outputs]).toEqual([[], created.outputs]);

      const destroyed = await destroyEmbedded(created.resources, sandbox.tables);
      expect(destroyed.errors).toEqual([]);
      expect(destroyed.resources.filter(({ status }) => status === "kept").map(({ id }) => id)).toEqual([providerArn]);
      await expect(iam("GetRole", { RoleName: roleName })).rejects.toMatchObject({ code: "NoSuchEntity" });
      await expect(iam("GetOpenIDConnectProvider", { OpenIDConnectProviderArn: providerArn })).resolves.toMatchObject({ Url: "oidc.dcf.example" });
    });

    it("stops before any change when the account is another one", async () => {
      const result = await run({ "cloud-federation:accountId": "999999999999" });
      expect(result.resources).toEqual([]);
      expect(result.errors).toHaveLength(1);
      expect(result.errors[0]).toContain("This stack is for account 999999999999, but the credentials are of account 111122223333");
    });
  });

  const describeBuilt = built ? describeWithPulumi : (name: string, tests: () => void) => describe.skip(`${name} (skipped: not built)`, tests);
  describeBuilt("by the real engine", () => {
    let server: ProviderServer;
    beforeAll(async () => {
      server = await startProviderServer(sandbox.tables);
    });
    afterAll(() => server.close());
    const open = (options: Partial<CliStackOptions>) =>
      openCliStack({ cli: pulumi as PulumiCli, projectDirectory: root, stack: "e2e", port: server.port, packages: ["aws"], config: example.config, ...options });

    it("ups, has nothing to do, updates, replaces, repairs drift, destroys", async () => {
      const stack = await open({});
      try {
        const up = await stack.up();
        expect(up.errors).toEqual([]);
        const outputs = await stack.outputs();
        expect(outputs).toMatchObject({ roleArn: `arn:aws:iam::111122223333:role/${roleName}`, region: "eu-west-1" });
        expect(await stack.preview("--expect-no-changes")).toMatchObject({ exitCode: 0, errors: [] });

        await stack.setConfig({ role: { maxSessionDurationSeconds: 7200 } });
        const updated = await stack.up();
        expect(updated.errors).toEqual([]);
        expect(updated.steps.filter(({ op }) => op === "update").map(({ type, differences }) => [type, differences])).toContainEqual([
          "aws:iam/role:Role",
          { maxSessionDuration: "update" },
        ]);
        expect((await iam("GetRole", { RoleName: roleName })).Role).toMatchObject({ MaxSessionDuration: 7200 });

        const trust = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Principal: "*", Action: "sts:*" }] });
        await iam("UpdateAssumeRolePolicy", { RoleName: roleName, PolicyDocument: trust });
        const refreshed = await stack.refresh();
        expect(refreshed.errors).toEqual([]);
        expect(refreshed.changes.update).toBeGreaterThanOrEqual(1);
        const repair = await stack.preview();
        expect(repair.steps.filter(({ op }) => op === "update").map(({ type, differences }) => [type, Object.keys(differences)])).toEqual([
          ["aws:iam/role:Role", ["assumeRolePolicy"]],
        ]);
        expect((await stack.up()).errors).toEqual([]);
        expect(await stack.outputs()).toMatchObject({ roleArn: outputs.roleArn });

        await stack.setConfig({ role: { maxSessionDurationSeconds: 7200, path: "/dcf/" } });
        const replaced = await stack.up();
        expect(replaced.errors).toEqual([]);
        expect(replaced.steps.find(({ op, type }) => op === "replace" && type === "aws:iam/role:Role")!.differences).toMatchObject({ path: "update-replace" });
        expect((await iam("GetRole", { RoleName: roleName })).Role).toMatchObject({ Path: "/dcf/" });

        expect((await stack.destroy()).errors).toEqual([]);
        await expect(iam("GetRole", { RoleName: roleName })).rejects.toMatchObject({ code: "NoSuchEntity" });
        await expect(iam("GetOpenIDConnectProvider", { OpenIDConnectProviderArn: providerArn })).resolves.toMatchObject({ Url: "oidc.dcf.example" });
      } finally {
        await stack.remove();
      }
    });

    it("imports a role, places explicit providers, keeps secret tags encrypted, words failures as AWS does", async () => {
      const trust = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" }] });
      await iam("CreateRole", { RoleName: "existing", AssumeRolePolicyDocument: trust, Description: "by hand", Tags: [{ Key: "Team", Value: "x" }] });
      const program = (more: string) => `
        const pulumi = require("@pulumi/pulumi");
        const iam = require("@pulumi/aws/iam/index.js");
        const s3 = require("@pulumi/aws/s3/index.js");
        const { Provider } = require("@pulumi/aws/provider.js");
        const trust = ${JSON.stringify(trust)};
        const adopted = new iam.Role("adopted", { name: "existing", assumeRolePolicy: trust, description: "by hand", tags: { Team: "x" } }, { import: "existing" });
        const frankfurt = new Provider("frankfurt", { region: "eu-central-1" });
        const bucket = new s3.Bucket("far", { bucket: "a-far-bucket", tags: { Note: new pulumi.Config().requireSecret("note") } }, { provider: frankfurt });
        ${more}
        module.exports = { id: adopted.uniqueId, region: bucket.bucketRegion, all: bucket.tagsAll };`;
      const project = temporaryProject(program(""));
      const secret = `hush-${process.pid}-tag`;
      const stack = await open({ projectDirectory: project.directory, config: { "aws:region": "eu-west-1" }, secretConfig: { note: secret } });
      try {
        const up = await stack.up();
        expect([up.errors, up.changes]).toEqual([[], { create: 3, import: 1 }]);
        expect(await stack.outputs()).toEqual({ id: expect.stringMatching(/^AROA/), region: "eu-central-1", all: { Note: secret } });
        expect(everyFile(join(stack.directory, "state"))).not.toContain(secret);
        expect(await stack.preview("--expect-no-changes")).toMatchObject({ exitCode: 0, errors: [] });
        const refreshed = await stack.refresh();
        expect([refreshed.errors, refreshed.changes]).toEqual([[], { same: 4 }]);

        project.write(program(`new iam.Role("twin", { name: "existing", assumeRolePolicy: trust });`));
        const failed = await stack.up();
        expect(failed.exitCode).toBe(1);
        expect(failed.errors).toContainEqual(expect.stringMatching(/^creating IAM Role \(existing\): operation error IAM: CreateRole, https response error StatusCode: 409, RequestID: [0-9a-f-]+, EntityAlreadyExists: Role with name existing already exists\.$/));
        expect((await stack.destroy()).errors).toEqual([]);
      } finally {
        await stack.remove();
        project.remove();
      }
    });
  });
});

function everyFile(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => readFileSync(join(file.parentPath, file.name), "utf8")).join("\n");
}
