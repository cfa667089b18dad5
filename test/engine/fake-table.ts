/** A package of one resource type and one function over a map, for what the engines do with any table. */
import { randomBytes } from "node:crypto";

import { PartialFailureError, type Properties, type ProviderTable, type ResourceBehaviour } from "../../sandbox/types.js";

interface Scope {
  region: string;
  accountId: string;
}

export interface FakeCloud {
  table: ProviderTable;
  /** By id; changed directly for "out of band". */
  things: Map<string, Properties>;
  /** `create`, `update`, `read` or `delete` and the id, in order. */
  calls: string[];
}

export function fakeCloud(): FakeCloud {
  const things = new Map<string, Properties>();
  const calls: string[] = [];

  const outputsOf = (id: string, value: Properties): Properties => ({ tags: {}, ...value, id, arn: arn(value) });
  const arn = ({ name, region }: Properties) => `arn:fake:${String(region)}:${String(name)}`;

  const thing: ResourceBehaviour<Scope> = {
    type: "fake:index:Thing",
    replaceOn: ["name", "zone", "region"],
    physicalName: "name",
    check(inputs, scope, logicalName, olds) {
      const kept = typeof olds?.name === "string" && /-[0-9a-f]{7}$/.test(olds.name) ? olds.name : undefined;
      const name = inputs.name ?? kept ?? `${logicalName}-${randomBytes(4).toString("hex").slice(0, 7)}`;
      const size = inputs.size ?? 1;
      const failures = typeof size === "number" ? [] : [{ property: "size", reason: "expected a number" }];
      return { inputs: { ...inputs, name, size, region: inputs.region ?? scope.region }, failures };
    },
    preview: (inputs) => ({ arn: arn(inputs) }),
    async create(inputs) {
      const id = `thing/${String(inputs.name)}`;
      calls.push(`create ${id}`);
      if (inputs.note === "refuse") throw new Error(`creating Thing (${String(inputs.name)}): refused\nby order`);
      if (things.has(id)) throw new Error(`creating Thing (${String(inputs.name)}): already exists`);
      things.set(id, { ...inputs, serial: randomBytes(4).toString("hex") });
      const outputs = outputsOf(id, things.get(id) ?? {});
      if (inputs.note === "half") throw new PartialFailureError("the second half failed", id, outputs);
      return { id, outputs };
    },
    async read(id) {
      calls.push(`read ${id}`);
      const value = things.get(id);
      if (!value) return undefined;
      const { serial: _serial, ...inputs } = value;
      return { id, inputs, outputs: outputsOf(id, value) };
    },
    async update(id, _olds, news) {
      calls.push(`update ${id}`);
      const value = { ...news, serial: things.get(id)?.serial };
      things.set(id, value);
      return outputsOf(id, value);
    },
    async delete(id) {
      calls.push(`delete ${id}`);
      if (things.get(id)?.note === "sticky") throw new Error(`deleting Thing (${id}): it is not empty`);
      things.delete(id);
    },
  };

  const table: ProviderTable<Scope> = {
    package: "fake",
    scope(config) {
      if (config.region === undefined || config.region === "") throw new Error("missing region: set fake:region");
      return { region: config.region, accountId: config.account ?? "1" };
    },
    resources: new Map([[thing.type, thing]]),
    invokes: new Map([
      [
        "fake:index:getThing",
        async (args, scope) => {
          const found = [...things.values()].find(({ name }) => name === args.name);
          if (!found) throw new Error(`no thing ${String(args.name)} in ${scope.region}`);
          return { ...found, region: scope.region };
        },
      ],
    ]),
  };
  return { table, things, calls };
}
