import * as pulumi from "@pulumi/pulumi";

import { destroyEmbedded } from "../../engine/destroy.js";
import { runEmbedded, type EmbeddedEvent, type EmbeddedOptions, type EmbeddedResource } from "../../engine/embedded.js";
import { hasSecret } from "../../engine/properties.js";
import { forwardRejections } from "./forward-rejections.js";
import { fakeCloud, type FakeCloud } from "./fake-table.js";

interface ThingArgs {
  name?: pulumi.Input<string>;
  zone?: pulumi.Input<string>;
  size?: pulumi.Input<unknown>;
  note?: pulumi.Input<string>;
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

class Thing extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly arn: pulumi.Output<string>;
  declare readonly serial: pulumi.Output<string>;
  declare readonly region: pulumi.Output<string>;
  declare readonly note: pulumi.Output<string>;
  declare readonly tags: pulumi.Output<Record<string, string>>;
  constructor(name: string, args: ThingArgs = {}, options: pulumi.CustomResourceOptions = {}) {
    super("fake:index:Thing", name, { name: undefined, note: undefined, tags: undefined, ...args, arn: undefined, serial: undefined, region: undefined }, options);
  }
}

class Unheard extends pulumi.CustomResource {}

class Provider extends pulumi.ProviderResource {
  constructor(name: string, args: { region: pulumi.Input<string> }) {
    super("fake", name, args);
  }
}

class Group extends pulumi.ComponentResource {
  readonly inner: Thing;
  constructor(name: string, options: pulumi.ComponentResourceOptions = {}) {
    super("test:index:Group", name, {}, options);
    this.inner = new Thing(`${name}-inner`, {}, { parent: this });
    this.registerOutputs({ innerName: this.inner.name });
  }
}

const getThing = (name: string, options: pulumi.InvokeOptions = {}): Promise<{ region: string; serial: string }> =>
  pulumi.runtime.invoke("fake:index:getThing", { name }, options);

let cloud: FakeCloud;
forwardRejections();
beforeEach(() => {
  cloud = fakeCloud();
});

const run = (program: EmbeddedOptions["program"], more: Partial<EmbeddedOptions> = {}) =>
  runEmbedded({ program, project: "proj", stack: "dev", config: { "fake:region": "here" }, tables: [cloud.table], ...more });
const only = (register: () => Thing) => async () => {
  register();
  return {};
};
const byName = (resources: readonly EmbeddedResource[]) => Object.fromEntries(resources.map((resource) => [resource.name, resource]));

describe("the embedded engine", () => {
  it("creates, gives ids, outputs and the engine's URNs, and destroys in reverse order", async () => {
    const result = await run(async () => {
      const group = new Group("g");
      const nested = new Thing("nested", { note: group.inner.arn }, { parent: group.inner });
      return { arn: group.inner.arn, nested: nested.serial };
    });
    expect(result.errors).toEqual([]);
    const { "g-inner": inner, nested, g } = byName(result.resources);
    expect(g!.urn).toBe("urn:pulumi:dev::proj::test:index:Group::g");
    expect(inner!.urn).toBe("urn:pulumi:dev::proj::test:index:Group$fake:index:Thing::g-inner");
    expect(nested!.urn).toBe("urn:pulumi:dev::proj::test:index:Group$fake:index:Thing$fake:index:Thing::nested");
    expect(inner!.id).toMatch(/^thing\/g-inner-[0-9a-f]{7}$/);
    expect(nested!.dependencies).toEqual([inner!.urn]);
    expect(result.outputs.arn).toEqual({ value: inner!.outputs.arn, secret: false, known: true });
    expect(g!.outputs).toEqual({ innerName: inner!.outputs.name });

    cloud.calls.length = 0;
    const destroyed = await destroyEmbedded(result.resources, [cloud.table]);
    expect(destroyed.ok).toBe(true);
    expect(cloud.calls).toEqual([`delete ${nested!.id}`, `delete ${inner!.id}`]);
    expect(cloud.things.size).toBe(0);
  });

  it("previews with known ARNs and unknown ids, and changes nothing", async () => {
    const seen: string[] = [];
    const result = await run(
      async () => {
        const first = new Thing("first", { name: "fixed" });
        const second = new Thing("second", { name: pulumi.interpolate`after-${first.serial}`, size: first.serial });
        first.serial.apply((serial) => seen.push(serial));
        return { arn: first.arn, serial: first.serial, second: second.arn };
      },
      { preview: true },
    );
    expect(result.errors).toEqual([]);
    expect(result.outputs).toEqual({
      arn: { value: "arn:fake:here:fixed", secret: false, known: true },
      serial: { value: undefined, secret: false, known: false },
      second: { value: undefined, secret: false, known: false },
    });
    expect(result.resources.map(({ id, status }) => [id, status])).toEqual([["", "created"], ["", "created"]]);
    expect(seen).toEqual([]);
    expect(cloud.calls).toEqual([]);
  });

  it("reports every independent failure of one run and skips what depends on them", async () => {
    const result = await run(async () => {
      const refused = new Thing("refused", { note: "refuse" });
      const child = new Thing("child", { note: refused.arn });
      new Thing("grandchild", {}, { dependsOn: [child] });
      new Thing("wrong", { size: "big" });
      const fine = new Thing("fine");
      return { fine: fine.name, child: child.arn };
    });
    expect(result.ok).toBe(false);
    const { refused, child, grandchild, wrong, fine } = byName(result.resources);
    expect([refused, child, grandchild, wrong, fine].map((r) => r!.status)).toEqual(["failed", "skipped", "skipped", "failed", "created"]);
    expect(refused!.error).toMatch(/^creating Thing \(refused-[0-9a-f]{7}\): refused by order$/);
    expect(wrong!.error).toBe("size: expected a number");
    expect([...result.errors].sort()).toEqual([`fake:index:Thing (refused): ${refused!.error!}`, "fake:index:Thing (wrong): size: expected a number"]);
    expect(result.outputs.fine!.known).toBe(true);
    expect(result.outputs.child).toEqual({ value: undefined, secret: false, known: false });
  });

  it("names types and functions that the sandbox does not play", async () => {
    const result = await run(async () => {
      new Unheard("fake:index:Unheard", "u", {});
      new Unheard("other:index:Unheard", "o", {});
      await pulumi.runtime.invoke("fake:index:getUnheard", {});
      return {};
    });
    expect([...result.errors].sort()).toEqual([
      "fake:index:Unheard (u): the sandbox does not play fake:index:Unheard; it plays: fake:index:Thing",
      "invocation of fake:index:getUnheard returned an error: the sandbox does not play fake:index:getUnheard; it plays: fake:index:getThing",
      "other:index:Unheard (o): the sandbox does not play the package other; it plays: fake",
    ]);
  });

  it("gives explicit providers and invokes their own scope", async () => {
    const result = await run(async () => {
      const there = new Provider("there", { region: "there" });
      const a = new Thing("a", { name: "a" });
      const b = new Thing("b", { name: "b" }, { provider: there });
      const found = await getThing(await new Promise<string>((resolve) => a.name.apply(resolve)), { provider: there });
      return { a: a.region, b: b.region, found: found.region };
    });
    expect(result.errors).toEqual([]);
    expect(Object.values(result.outputs).map(({ value }) => value)).toEqual(["here", "there", "there"]);
  });

  it("says what is wrong with a provider's configuration, once per resource", async () => {
    const result = await run(async () => {
      new Thing("t");
      return {};
    }, { config: {} });
    expect(result.errors).toEqual(["fake:index:Thing (t): missing region: set fake:region"]);
  });

  it("keeps secrets in envelopes in resources and marks outputs", async () => {
    const result = await run(
      async () => {
        const note = new pulumi.Config("proj").requireSecret("note");
        const thing = new Thing("s", { note, tags: { open: "o", closed: pulumi.secret("c-value") } });
        const extra = new Thing("x", { name: "x" }, { additionalSecretOutputs: ["serial"] });
        return { note: thing.note, name: thing.name, tags: thing.tags, serial: extra.serial };
      },
      { config: { "fake:region": "here", "proj:note": "hush" }, secretKeys: ["proj:note"] },
    );
    expect(result.errors).toEqual([]);
    expect(result.outputs.note).toEqual({ value: "hush", secret: true, known: true });
    expect(result.outputs.tags).toEqual({ value: { open: "o", closed: "c-value" }, secret: true, known: true });
    expect(result.outputs.name!.secret).toBe(false);
    expect(result.outputs.serial!.secret).toBe(true);
    const { s } = byName(result.resources);
    expect(hasSecret(s!.outputs.note)).toBe(true);
    expect(hasSecret(s!.inputs.note)).toBe(true);
    expect([...cloud.things.values()].find(({ name }) => name !== "x")!.note).toBe("hush");
  });

  it("says `same` on a second run, and what it leaves to the real engine", async () => {
    const program = (size: number, withSecond: boolean) => async () => {
      const thing = new Thing("t", { size, tags: {} });
      if (withSecond) new Thing("second", { name: "second" });
      return { name: thing.name };
    };
    const first = await run(program(1, true));
    cloud.calls.length = 0;
    const again = await run(program(1, true), { previous: first.resources });
    expect(again.ok).toBe(true);
    expect(again.resources.map(({ status }) => status)).toEqual(["same", "same"]);
    expect(again.outputs).toEqual(first.outputs);
    expect(cloud.calls).toEqual([]);

    const changed = await run(program(2, false), { previous: first.resources });
    expect(changed.errors).toEqual(["fake:index:Thing (t): size changed: the embedded engine does not update; install the Pulumi CLI to apply it"]);
    const removed = await run(program(1, false), { previous: first.resources });
    expect(removed.errors).toEqual([
      "fake:index:Thing (second) is no longer in the program: the embedded engine does not delete single resources; install the Pulumi CLI, or destroy the stack",
    ]);
    expect(removed.resources.map(({ name }) => name)).toEqual(["t", "second"]);
    await destroyEmbedded(changed.resources, [cloud.table]);
    expect(cloud.things.size).toBe(0);
  });

  it("finds a renamed resource by its alias", async () => {
    const first = await run(only(() => new Thing("old", { size: 3 })));
    const renamed = await run(only(() => new Thing("new", { size: 3 }, { aliases: [{ name: "old" }] })), { previous: first.resources });
    expect(renamed.resources.find(({ name }) => name === "new")).toMatchObject({ status: "same", id: first.resources[0]!.id });
  });

  it("adopts by import what equals the program, and refuses what does not", async () => {
    cloud.things.set("thing/x", { name: "x", size: 1, region: "here", serial: "s1" });
    const adopted = await run(async () => ({ serial: new Thing("t", { name: "x" }, { import: "thing/x" }).serial }));
    expect(adopted.errors).toEqual([]);
    expect(adopted.outputs.serial!.value).toBe("s1");
    const refused = await run(only(() => new Thing("t", { name: "x", size: 2 }, { import: "thing/x" })));
    expect(refused.errors).toEqual(["fake:index:Thing (t): size changed: the embedded engine does not update; install the Pulumi CLI to apply it"]);
    const missing = await run(only(() => new Thing("t", { name: "y" }, { import: "thing/y" })));
    expect(missing.errors).toEqual(["fake:index:Thing (t): resource 'thing/y' does not exist"]);
  });

  it("reads existing resources", async () => {
    cloud.things.set("thing/x", { name: "x", size: 1, region: "here", serial: "s1" });
    const read = (id: string) => async () => ({ serial: new Thing("t", {}, { id }).serial });
    const found = await run(read("thing/x"));
    expect(found.outputs.serial!.value).toBe("s1");
    expect(found.resources).toEqual([]);
    const missing = await run(read("thing/y"));
    expect(missing.errors).toHaveLength(1);
    expect(missing.errors[0]).toContain("resource 'thing/y' does not exist");
  });

  it("keeps a half-made resource for destroy", async () => {
    const result = await run(only(() => new Thing("t", { name: "t", note: "half" })));
    expect(result.errors).toEqual(["fake:index:Thing (t): the second half failed"]);
    expect(result.resources[0]).toMatchObject({ status: "failed", id: "thing/t" });
    await destroyEmbedded(result.resources, [cloud.table]);
    expect(cloud.things.size).toBe(0);
  });

  it("honours protect and retainOnDelete, and leaves what a failed delete depends on", async () => {
    const guarded = await run(only(() => new Thing("p", {}, { protect: true })));
    const refused = await destroyEmbedded(guarded.resources, [cloud.table]);
    expect(refused.errors).toEqual(["fake:index:Thing (p) is protected: unset `protect` in the program and run it again before destroying"]);
    expect(cloud.things.size).toBe(1);

    const result = await run(async () => {
      const base = new Thing("base", { name: "base" });
      new Thing("sticky", { name: "sticky", note: "sticky" }, { dependsOn: [base] });
      new Thing("kept", { name: "kept" }, { retainOnDelete: true });
      return {};
    });
    const destroyed = await destroyEmbedded(result.resources, [cloud.table]);
    expect(Object.fromEntries(destroyed.resources.map(({ name, status }) => [name, status]))).toEqual({ base: "skipped", sticky: "failed", kept: "kept" });
    expect(destroyed.errors).toEqual(["fake:index:Thing (sticky): deleting Thing (thing/sticky): it is not empty"]);
    expect(destroyed.remaining.map(({ name }) => name).sort()).toEqual(["base", "sticky"]);
  });

  it("reports what a program throws, awaited or dangling, as one line without a stack", async () => {
    const thrown = await run(async () => {
      new Thing("t");
      throw new pulumi.RunError("first line\nsecond line");
    });
    expect(thrown.errors).toEqual(["first line\nsecond line"]);
    expect(thrown.resources.map(({ status }) => status)).toEqual(["created"]);
    const dangling = await run(async () => {
      new Thing("t").serial.apply(() => {
        throw new Error("in an apply");
      });
      return {};
    });
    expect(dangling.errors).toEqual(["in an apply"]);
    const logged = await run(async () => {
      await pulumi.log.error("told the log");
      return {};
    });
    expect(logged.errors).toEqual(["told the log"]);
    const duplicate = await run(async () => {
      new Thing("twin");
      new Thing("twin");
      return {};
    });
    expect(duplicate.errors).toHaveLength(1);
    expect(duplicate.errors[0]).toContain("Duplicate resource URN 'urn:pulumi:dev::proj::fake:index:Thing::twin'");
  });

  it("ends when what an `apply` rejects with is waited for, with what was under way", async () => {
    const outcome = await run(async () => {
      const base = new Thing("base", { name: "base" });
      const late = new Thing("late", { name: "late", note: base.serial });
      const broken = base.arn.apply((): string => {
        throw new pulumi.RunError("not this one");
      });
      const blocked = new Thing("blocked", { note: broken });
      new Thing("behind", { note: blocked.serial });
      return { late: late.name, blocked: blocked.serial };
    });
    expect(outcome.ok).toBe(false);
    expect(outcome.errors).toHaveLength(1);
    expect(outcome.errors[0]).toMatch(/not this one$/);
    expect(outcome.resources.map(({ name, status }) => [name, status])).toEqual([
      ["base", "created"],
      ["late", "created"],
    ]);
    expect(outcome.resources.map(({ id }) => id).sort()).toEqual([...cloud.things.keys()].sort());
  });

  it("lets a failed program change nothing after its run", async () => {
    let ask: () => Promise<unknown> = async () => undefined;
    const outcome = await run(async () => {
      ask = () => getThing("any").then(() => "answered", (error: unknown) => String(error));
      void Promise.reject(new Error("early"));
      return new Promise(() => undefined);
    });
    expect(outcome.errors).toEqual(["early"]);
    expect(await ask()).toContain("the run has ended");
  });

  it("tells of each resource as it goes", async () => {
    const events: EmbeddedEvent[] = [];
    await run(async () => {
      await pulumi.log.info("hello");
      new Group("g");
      return {};
    }, { onEvent: (event) => events.push(event) });
    const told = events.filter((event) => event.kind !== "log" || event.severity === "info");
    expect(told.map(({ kind }) => kind)).toEqual(["log", "started", "finished"]);
  });

  it("keeps twenty programs at once apart", async () => {
    const clouds = Array.from({ length: 20 }, fakeCloud);
    const results = await Promise.all(
      clouds.map(({ table }, index) =>
        runEmbedded({
          program: async () => {
            const label = new pulumi.Config("proj").require("label");
            await new Promise((resolve) => setTimeout(resolve, index % 3));
            const group = new Group(label);
            if (index === 7) group.inner.arn.apply(() => Promise.reject(new Error(`only ${label}`)));
            return { label: pulumi.interpolate`${label}/${pulumi.getStack()}/${group.inner.region}` };
          },
          project: "proj",
          stack: `s${index}`,
          config: { "fake:region": `r${index}`, "proj:label": `p${index}` },
          tables: [table],
        }),
      ),
    );
    expect(results.map(({ outputs }) => outputs.label?.value)).toEqual(clouds.map((_, index) => `p${index}/s${index}/r${index}`));
    expect(results.map(({ errors }) => errors.length)).toEqual(clouds.map((_, index) => (index === 7 ? 1 : 0)));
  });
});
