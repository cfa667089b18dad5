import * as pulumi from "@pulumi/pulumi";
import { Service } from "@pulumi/gcp/projects/service.js";
import { childOptions, GcpChecks } from "./common.js";

export interface GcpProjectServicesArgs {
  projectId: pulumi.Input<string>;
  /** APIs to enable, such as `run.googleapis.com`. Plain, since each becomes a resource. */
  services: string[];
}

/**
 * APIs of a project, enabled and never disabled again: on destroy others may use them, and disabling one deletes what it has.
 *
 * Pass the component in `dependsOn` to whatever needs the APIs.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is enabled
 */
export class GcpProjectServices extends pulumi.ComponentResource {
  readonly services: pulumi.Output<string[]>;

  constructor(name: string, args: GcpProjectServicesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpProjectServices", name, {}, opts);
    const checks = new GcpChecks(this, "GcpProjectServices", name);
    const project = checks.text("projectId", args.projectId, "projectId");
    for (const [index, service] of args.services.entries()) {
      checks.text(`services[${index}]`, service, "service");
      if (args.services.indexOf(service) !== index) checks.add(`services[${index}]`, `names ${service} a second time`);
    }
    checks.finish();

    const enabled = args.services.map(
      (service) =>
        new Service(
          `${name}-${service.replace(".googleapis.com", "")}`,
          { project, service, disableOnDestroy: false },
          childOptions(this, opts),
        ),
    );
    this.services = pulumi.all(enabled.map(({ service }) => service));
    this.registerOutputs({ services: this.services });
  }
}
