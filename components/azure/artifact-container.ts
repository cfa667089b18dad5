import * as pulumi from "@pulumi/pulumi";
import { BlobContainer } from "@pulumi/azure-native/storage/blobContainer.js";
import { BlobServiceProperties } from "@pulumi/azure-native/storage/blobServiceProperties.js";
import { getBlobContainerOutput } from "@pulumi/azure-native/storage/getBlobContainer.js";
import { getStorageAccountOutput } from "@pulumi/azure-native/storage/getStorageAccount.js";
import { ManagementPolicy } from "@pulumi/azure-native/storage/managementPolicy.js";
import { StorageAccount } from "@pulumi/azure-native/storage/storageAccount.js";
import { numberViolation } from "../../facts/rules.js";
import { blobAgeDays } from "../../facts/azure/lifecycle.js";
import { numberRules } from "../../facts/azure/limits.js";
import { AzureChecks, lookupOptions, type Tags } from "./common.js";

export interface AzureArtifactContainerArgs {
  /** Group that the storage account is in. */
  resourceGroupName: pulumi.Input<string>;
  /** Region of a created account. */
  location?: pulumi.Input<string> | undefined;
  /** Name of the storage account, unique in all of Azure. */
  accountName: pulumi.Input<string>;
  /** The account exists already: nothing of it is changed but for the container that it gets. @default false */
  existingAccount?: boolean | undefined;
  /** Name of the blob container. */
  containerName: pulumi.Input<string>;
  /** The container exists already, and is never changed. @default false */
  existingContainer?: boolean | undefined;
  /** Redundancy of a created account. @default "Standard_LRS" */
  sku?: pulumi.Input<string> | undefined;
  /** Keep former versions of blobs. @default false */
  versioning?: boolean | undefined;
  /** Days for which deleted blobs and containers can be brought back, 1 to 365; 0 switches it off. @default 7 */
  softDeleteDays?: number | undefined;
  /** Days after their last change after which blobs of the container are removed. @default never */
  blobsExpireAfterDays?: number | undefined;
  /** Whether `pulumi destroy` leaves what was created. @default true: Azure deletes an account, and a container, with every blob in it */
  retainOnDestroy?: boolean | undefined;
  /** Of a created account, at most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

/**
 * The blob container for artifacts, and its storage account: each created and hardened, or an existing one by reference.
 *
 * A created account takes Entra's tokens alone (its keys open nothing, also for who may list them), lets nobody in without
 * credentials, and speaks TLS 1.2 or newer. It is open to every network: the platform calls from outside, from addresses
 * that are its own to change, and every call needs a token of an identity with a role.
 * https://learn.microsoft.com/azure/storage/blobs/security-recommendations
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AzureArtifactContainer extends pulumi.ComponentResource {
  /** Known once the account exists. */
  readonly accountName: pulumi.Output<string>;
  /** ARM id of the account. */
  readonly accountId: pulumi.Output<string>;
  /** Known once the container exists. */
  readonly containerName: pulumi.Output<string>;
  /** ARM id of the container: the narrowest scope that a role on its blobs can have. */
  readonly containerId: pulumi.Output<string>;
  /** The account's blob endpoint, as Azure names it, with a slash at its end. */
  readonly blobEndpoint: pulumi.Output<string>;

  constructor(name: string, args: AzureArtifactContainerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AzureArtifactContainer", name, {}, opts);
    const checks = new AzureChecks(this, "AzureArtifactContainer", name);
    const resourceGroupName = checks.text("resourceGroupName", args.resourceGroupName, "resourceGroup");
    const accountName = args.existingAccount ? checks.text("accountName", args.accountName, "storageAccount") : checks.publicName("accountName", args.accountName, "storageAccount");
    const containerName = checks.text("containerName", args.containerName, "blobContainer");
    const softDeleteDays = checks.value("softDeleteDays", args.softDeleteDays ?? 7, softDeleteViolation);
    const expiry = args.blobsExpireAfterDays;
    if (expiry !== undefined) checks.value("blobsExpireAfterDays", expiry, (days) => numberViolation(blobAgeDays, days));
    const tags = checks.tags(args.tags);
    if (args.existingAccount) checks.refuseSettings(args, ["location", "sku", "versioning", "softDeleteDays", "blobsExpireAfterDays", "tags"], "an existing account");
    else if (args.existingContainer) checks.add("existingContainer", "is of no use in an account that is created: it has none yet");
    if (args.existingContainer) checks.refuseSettings(args, ["retainOnDestroy"], "an existing container");
    const location = args.existingAccount ? undefined : checks.required("location", args.location, "location");
    checks.finish();

    const children = checks.childOptions(opts);
    const kept = { ...children, retainOnDelete: args.retainOnDestroy ?? true };
    const made = location && hardenedAccount(name, { resourceGroupName, accountName, location, sku: args.sku ?? "Standard_LRS", ...tags }, kept);
    const account = made ?? getStorageAccountOutput({ resourceGroupName, accountName }, lookupOptions(this, opts));
    this.accountName = account.name;
    this.accountId = account.id;
    this.blobEndpoint = account.primaryEndpoints.apply(({ blob }) => blob);
    const inAccount = { resourceGroupName, accountName: this.accountName };
    const service =
      made &&
      new BlobServiceProperties(
        `${name}-service`,
        {
          ...inAccount,
          blobServicesName: "default",
          isVersioningEnabled: args.versioning ?? false,
          deleteRetentionPolicy: softDeleteDays.apply(retention),
          containerDeleteRetentionPolicy: softDeleteDays.apply(retention),
        },
        kept,
      );
    if (made && expiry !== undefined) new ManagementPolicy(`${name}-lifecycle`, { ...inAccount, managementPolicyName: "default", policy: expiryPolicy(containerName, expiry) }, kept);
    const container = args.existingContainer
      ? getBlobContainerOutput({ ...inAccount, containerName }, lookupOptions(this, opts))
      : new BlobContainer(`${name}-container`, { ...inAccount, containerName, publicAccess: "None" }, pulumi.mergeOptions(kept, service ? { dependsOn: [service] } : {}));
    this.containerName = container.name;
    this.containerId = container.id;
    this.registerOutputs({
      accountName: this.accountName,
      accountId: this.accountId,
      containerName: this.containerName,
      containerId: this.containerId,
      blobEndpoint: this.blobEndpoint,
    });
  }
}

interface AccountSettings {
  resourceGroupName: pulumi.Output<string>;
  accountName: pulumi.Output<string>;
  location: pulumi.Output<string>;
  sku: pulumi.Input<string>;
  tags?: pulumi.Output<Record<string, string>>;
}

function hardenedAccount(name: string, { resourceGroupName, accountName, location, sku, tags }: AccountSettings, options: pulumi.CustomResourceOptions): StorageAccount {
  return new StorageAccount(
    `${name}-account`,
    {
      resourceGroupName,
      accountName,
      location,
      kind: "StorageV2",
      sku: { name: sku },
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      allowCrossTenantReplication: false,
      defaultToOAuthAuthentication: true,
      enableHttpsTrafficOnly: true,
      minimumTlsVersion: "TLS1_2",
      publicNetworkAccess: "Enabled",
      networkRuleSet: { defaultAction: "Allow", bypass: "AzureServices" },
      ...(tags === undefined ? {} : { tags }),
    },
    options,
  );
}

/** https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview */
export function softDeleteViolation(days: number): string | undefined {
  const violation = days === 0 ? undefined : numberViolation(numberRules.softDeleteDays, days);
  return violation && violation.replace("; got", ", or 0 to switch it off; got");
}

function retention(days: number) {
  return days === 0 ? { enabled: false } : { enabled: true, days };
}

/** https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-overview */
function expiryPolicy(containerName: pulumi.Output<string>, days: number) {
  return {
    rules: [
      {
        name: "expire-artifacts",
        type: "Lifecycle",
        enabled: true,
        definition: {
          filters: { blobTypes: ["blockBlob"], prefixMatch: [pulumi.interpolate`${containerName}/`] },
          actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: days } }, version: { delete: { daysAfterCreationGreaterThan: days } } },
        },
      },
    ],
  };
}
