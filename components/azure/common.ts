/** What the Azure components check alike. */
import * as pulumi from "@pulumi/pulumi";
import { numberRules, reservedWord, ruleViolation, textRules } from "../../facts/azure/limits.js";
import { InputChecks } from "../inputs.js";
import { childOptions } from "../options.js";
import { failureHooks } from "./failures.js";

export { lookupOptions } from "../options.js";

export type Tags = Record<string, pulumi.Input<string>>;

/** Checks of one component's inputs, in its name. */
export class AzureChecks extends InputChecks {
  constructor(
    private readonly component: pulumi.ComponentResource,
    private readonly type: string,
    private readonly name: string,
  ) {
    super(component, `${type} ${JSON.stringify(name)}`);
  }

  /** Options of the component's children, whose failures are explained. To be asked for once. */
  childOptions(opts?: pulumi.ComponentResourceOptions): pulumi.CustomResourceOptions & { parent: pulumi.Resource } {
    return { ...childOptions(this.component, opts), ...failureHooks(this.component, `${this.type} ${this.name}`) };
  }

  text(path: string, value: pulumi.Input<string>, rule: keyof typeof textRules): pulumi.Output<string> {
    return this.value(path, value, (known) => ruleViolation(rule, known));
  }

  /** Of something that the component creates only where nothing that exists is named. */
  required(path: string, value: pulumi.Input<string> | undefined, rule: keyof typeof textRules): pulumi.Output<string> {
    if (value !== undefined) return this.text(path, value, rule);
    this.add(path, `is required: ${textRules[rule].what}, such as ${textRules[rule].example}`);
    return pulumi.output("");
  }

  /** Of something with an endpoint of its own in all of Azure. */
  publicName(path: string, value: pulumi.Input<string>, rule: "storageAccount" | "containerRegistry" | "site"): pulumi.Output<string> {
    return this.value(path, value, (known) => publicNameViolation(rule, known));
  }

  /** Tags as given, or none. */
  tags(tags: pulumi.Input<Tags> | undefined): { tags?: pulumi.Output<Record<string, string>> } {
    if (tags === undefined) return {};
    return {
      tags: this.check(tags, (known) => tagMistakes(known).map(({ name, reason }) => ({ path: name === undefined ? "tags" : `tags[${JSON.stringify(name)}]`, reason }))),
    };
  }

  /** Settings that would have to change what exists already. */
  refuseSettings<Args extends object>(args: Args, paths: readonly (keyof Args & string)[], of: string): void {
    for (const path of paths) {
      if (args[path] !== undefined && args[path] !== false) this.add(path, `has no effect on ${of}, which is never changed: leave it out`);
    }
  }
}

export function publicNameViolation(rule: "storageAccount" | "containerRegistry" | "site", value: string): string | undefined {
  const malformed = ruleViolation(rule, value);
  if (malformed !== undefined) return malformed;
  const reserved = reservedWord(value);
  return reserved === undefined ? undefined : `must not have the word ${reserved}, which Azure reserves; got ${JSON.stringify(value)}`;
}

/** What is wrong with tags, all together (no name) or one by one. Names are compared without case, as Azure does. */
export function tagMistakes(tags: Record<string, string>): { name?: string; reason: string }[] {
  const names = Object.keys(tags);
  const { max } = numberRules.tags;
  const tooMany = names.length > max ? [{ reason: `must be at most ${max}; got ${names.length}` }] : [];
  const single = Object.entries(tags).flatMap(([name, value]) => {
    const wrongName = ruleViolation("tagName", name);
    const twin = names.find((other) => other < name && other.toLowerCase() === name.toLowerCase());
    const reasons = [
      wrongName && `the name ${wrongName}`,
      ruleViolation("tagValue", value),
      twin && `differs from the tag ${JSON.stringify(twin)} only in case, which Azure takes for the same name`,
    ];
    return reasons.flatMap((reason) => (reason ? [{ name, reason }] : []));
  });
  return [...tooMany, ...single];
}
