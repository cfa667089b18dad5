/** Pulumi options that the components hand on alike. */
import type * as pulumi from "@pulumi/pulumi";

/** Options of a component's children: a component's own `dependsOn` does not reach them by itself. */
export function childOptions(parent: pulumi.ComponentResource, opts?: pulumi.ComponentResourceOptions): pulumi.CustomResourceOptions & { parent: pulumi.Resource } {
  return { parent, ...(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) };
}

/** Options of a lookup: made once what the component depends on is there. */
export function lookupOptions(parent: pulumi.ComponentResource, opts?: pulumi.ComponentResourceOptions): pulumi.InvokeOutputOptions {
  return { parent, ...(opts?.dependsOn === undefined ? {} : { dependsOn: opts.dependsOn }) };
}
