import * as pulumi from "@pulumi/pulumi";
import { BlobContainer } from "@pulumi/azure-native/storage/blobContainer.js";
import { AzureChecks } from "./common.js";

export interface AzureRefusalContainerArgs {
  /** Group that the storage account is in. */
  resourceGroupName: pulumi.Input<string>;
  /** Account that the container is made in: one on which nobody who is to be refused has a role on data. */
  accountName: pulumi.Input<string>;
  containerName: pulumi.Input<string>;
}

/**
 * An empty blob container that nobody is granted anything on. That the workload is refused here shows that its rights on data
 * end where its grants end; with a role on the whole account they do not, and there is nothing to show.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AzureRefusalContainer extends pulumi.ComponentResource {
  readonly containerName: pulumi.Output<string>;
  /** ARM id. */
  readonly containerId: pulumi.Output<string>;

  constructor(name: string, args: AzureRefusalContainerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AzureRefusalContainer", name, {}, opts);
    const checks = new AzureChecks(this, "AzureRefusalContainer", name);
    const settings = {
      resourceGroupName: checks.text("resourceGroupName", args.resourceGroupName, "resourceGroup"),
      accountName: checks.text("accountName", args.accountName, "storageAccount"),
      containerName: checks.text("containerName", args.containerName, "blobContainer"),
    };
    checks.finish();
    const container = new BlobContainer(name, { ...settings, publicAccess: "None" }, checks.childOptions(opts));
    this.containerName = container.name;
    this.containerId = container.id;
    this.registerOutputs({ containerName: this.containerName, containerId: this.containerId });
  }
}
