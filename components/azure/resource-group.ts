import * as pulumi from "@pulumi/pulumi";
import { getResourceGroupOutput } from "@pulumi/azure-native/resources/getResourceGroup.js";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { TagAtScope } from "@pulumi/azure-native/resources/tagAtScope.js";
import type { Mistake } from "../inputs.js";
import { AzureChecks, lookupOptions, type Tags } from "./common.js";

export interface AzureResourceGroupArgs {
  /** Name of the group. */
  resourceGroupName: pulumi.Input<string>;
  /** The group exists already: tags are merged into its own, and nothing else of it is changed. @default false */
  existing?: boolean | undefined;
  /** Region of a created group, which can never be changed. */
  location?: pulumi.Input<string> | undefined;
  /**
   * Of a created group, all of its tags. Of an existing one, tags that it is to have beside its own; one that it has with
   * another value is a mistake, and never written over.
   */
  tags?: pulumi.Input<Tags> | undefined;
  /** Whether `pulumi destroy` leaves a created group. @default true: Azure deletes a group with everything in it, whoever made it */
  retainOnDestroy?: boolean | undefined;
}

/**
 * A resource group: created, or an existing one by reference, with the tags that it is to have.
 *
 * The tags of an existing group are merged at its scope, and stay on destroy: after a refresh, Pulumi cannot tell its own
 * tags from those that others added since, and would remove both. Needs an `@pulumi/azure-native` whose `TagAtScope` merges
 * (https://github.com/pulumi/pulumi-azure-native/pull/4690); earlier ones refuse a group that has tags.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AzureResourceGroup extends pulumi.ComponentResource {
  /** Known once the group exists. */
  readonly resourceGroupName: pulumi.Output<string>;
  /** ARM id. */
  readonly resourceGroupId: pulumi.Output<string>;
  readonly location: pulumi.Output<string>;

  constructor(name: string, args: AzureResourceGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AzureResourceGroup", name, {}, opts);
    const checks = new AzureChecks(this, "AzureResourceGroup", name);
    const resourceGroupName = checks.text("resourceGroupName", args.resourceGroupName, "resourceGroup");
    const { tags } = checks.tags(args.tags);
    if (args.existing) checks.refuseSettings(args, ["location", "retainOnDestroy"], "an existing group");
    const location = args.existing ? undefined : checks.required("location", args.location, "location");
    checks.finish();

    const children = checks.childOptions(opts);
    if (location === undefined) {
      const found = getResourceGroupOutput({ resourceGroupName }, lookupOptions(this, opts));
      this.resourceGroupName = found.name;
      this.resourceGroupId = found.id;
      this.location = found.location;
      if (tags !== undefined) {
        const merged = pulumi.all([found, tags]).apply(([group, wanted]) => {
          const mistakes = tagConflicts(group, wanted);
          if (mistakes.length > 0) throw checks.error(mistakes);
          return wanted;
        });
        new TagAtScope(`${name}-tags`, { scope: found.id, properties: { tags: merged } }, { ...children, retainOnDelete: true });
      }
    } else {
      const group = new ResourceGroup(name, { resourceGroupName, location, ...(tags === undefined ? {} : { tags }) }, { ...children, retainOnDelete: args.retainOnDestroy ?? true });
      this.resourceGroupName = group.name;
      this.resourceGroupId = group.id;
      this.location = group.location;
    }
    this.registerOutputs({ resourceGroupName: this.resourceGroupName, resourceGroupId: this.resourceGroupId, location: this.location });
  }
}

/** What stands in the way of merging tags into a group's own: names that it has with other values. Names are compared without case, values with. */
export function tagConflicts(group: { id: string; name: string; tags?: Record<string, string> | undefined }, wanted: Record<string, string>): Mistake[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const [there, has] = Object.entries(group.tags ?? {}).find(([other]) => other.toLowerCase() === name.toLowerCase()) ?? [];
    if (there === undefined || has === undefined || has === value) return [];
    return [
      {
        path: `tags[${JSON.stringify(name)}]`,
        reason:
          `is to be ${JSON.stringify(value)}, but the resource group ${group.name} has the tag ${there} with the value ${JSON.stringify(has)}, which is not written over. ` +
          `Use the group that is meant, or, where the former value is given up, change it with \`az tag update --resource-id ${group.id} --operation Merge --tags ${there}=${shellQuoted(value)}\``,
      },
    ];
  });
}

function shellQuoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
