import * as pulumi from "@pulumi/pulumi";
import { FederatedIdentityCredential } from "@pulumi/azure-native/managedidentity/federatedIdentityCredential.js";
import { getUserAssignedIdentityOutput } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import type { AzureExchange } from "../../contract/schema.js";
import { numberViolation } from "../../facts/rules.js";
import { numberRules } from "../../facts/azure/limits.js";
import { normaliseScope } from "../../trust/azure/scopes.js";
import { parseResourceId, resourceIdViolation } from "./arm-id.js";
import { AzureChecks, lookupOptions, type Tags } from "./common.js";
import { checkCredentials, type AzureFederatedCredentialArgs, type AzureFederatedPrincipal } from "./federated-credential.js";

export interface AzureFederatedIdentityArgs {
  /** Group that a created identity is in. Not one that the identity is Contributor of: it could rewrite its own trust. */
  resourceGroupName?: pulumi.Input<string> | undefined;
  /** Region of a created identity. */
  location?: pulumi.Input<string> | undefined;
  /** Name of a created identity, which can never be changed. @default the component's name */
  identityName?: pulumi.Input<string> | undefined;
  /** ARM id of an identity to use instead of creating one: it gets these credentials, and nothing else of it is changed. */
  existingIdentityId?: pulumi.Input<string> | undefined;
  /**
   * How many federated credentials the existing identity has without these: Azure allows 20 on one identity.
   * `az identity federated-credential list --query "length(@)"` counts them.
   * @default 0
   */
  existingCredentials?: number | undefined;
  /** Whose tokens are taken, at most 20. */
  credentials: AzureFederatedCredentialArgs[];
  /** Of a created identity, at most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

const IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities";

/**
 * A user-assigned managed identity that outside workloads may act as, without any secret. It may do nothing until a role is
 * assigned to its `principalId`.
 *
 * Its credentials are written one after another: Azure refuses concurrent writes on one identity.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AzureFederatedIdentity extends pulumi.ComponentResource implements AzureFederatedPrincipal {
  readonly clientId: pulumi.Output<string>;
  readonly principalId: pulumi.Output<string>;
  readonly tenantId: pulumi.Output<string>;
  /** ARM id. */
  readonly identityId: pulumi.Output<string>;
  readonly identity: pulumi.Output<AzureExchange["identity"]>;
  readonly federatedCredentials: pulumi.Output<string[]>;

  constructor(name: string, args: AzureFederatedIdentityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AzureFederatedIdentity", name, {}, opts);
    const checks = new AzureChecks(this, "AzureFederatedIdentity", name);
    const existingId = args.existingIdentityId === undefined ? undefined : checks.value("existingIdentityId", args.existingIdentityId, (value) => resourceIdViolation(IDENTITY_TYPE, value));
    const credentials = checkCredentials(checks, name, args.credentials, existingId && (args.existingCredentials ?? 0));
    if (existingId) {
      checks.refuseSettings(args, ["resourceGroupName", "location", "identityName", "tags"], "an existing identity");
      checks.value("existingCredentials", args.existingCredentials ?? 0, (value) => numberViolation(numberRules.federatedCredentials, value));
    } else if (args.existingCredentials !== undefined) {
      checks.add("existingCredentials", "goes with existingIdentityId only: a new identity has none");
    }
    const place = existingId ? placeOf(existingId) : newPlace(checks, name, args);
    checks.finish();

    const children = checks.childOptions(opts);
    const found = existingId
      ? this.adopt(existingId, place, checks, opts)
      : new UserAssignedIdentity(`${name}-identity`, { resourceName: place.resourceName, resourceGroupName: place.resourceGroupName, location: place.location ?? "", ...place.tags }, children);
    this.clientId = found.clientId;
    this.principalId = found.principalId;
    this.tenantId = found.tenantId;
    this.identityId = found.id;
    this.identity = found.id.apply((resourceId) => ({ kind: "managed-identity" as const, resourceId }));

    const made: FederatedIdentityCredential[] = [];
    for (const [index, credential] of credentials.entries()) {
      const before = made.at(-1);
      made.push(
        new FederatedIdentityCredential(
          index === 0 ? `${name}-credential` : `${name}-credential-${index + 1}`,
          {
            resourceGroupName: place.resourceGroupName,
            resourceName: found.name,
            federatedIdentityCredentialResourceName: credential.name,
            issuer: credential.issuer,
            subject: credential.subject,
            audiences: [credential.audience],
          },
          pulumi.mergeOptions(children, before ? { dependsOn: [before] } : {}),
        ),
      );
    }
    this.federatedCredentials = pulumi.all(made.map((credential) => credential.name));
    this.registerOutputs({
      clientId: this.clientId,
      principalId: this.principalId,
      tenantId: this.tenantId,
      identityId: this.identityId,
      identity: this.identity,
      federatedCredentials: this.federatedCredentials,
    });
  }

  /** The provider looks in its own subscription, whatever the id says. */
  private adopt(id: pulumi.Output<string>, place: IdentityPlace, checks: AzureChecks, opts: pulumi.ComponentResourceOptions | undefined) {
    const found = getUserAssignedIdentityOutput({ resourceGroupName: place.resourceGroupName, resourceName: place.resourceName }, lookupOptions(this, opts));
    return pulumi.all([found, id]).apply(([identity, wanted]) => {
      if (normaliseScope(identity.id) === normaliseScope(wanted)) return identity;
      throw checks.error([{ path: "existingIdentityId", reason: `must be in the subscription that the provider is configured for (azure-native:subscriptionId), where the identity of this name is ${identity.id}; got ${JSON.stringify(wanted)}` }]);
    });
  }
}

interface IdentityPlace {
  resourceGroupName: pulumi.Output<string>;
  resourceName: pulumi.Output<string>;
  location?: pulumi.Output<string>;
  tags?: { tags?: pulumi.Output<Record<string, string>> };
}

function newPlace(checks: AzureChecks, name: string, args: AzureFederatedIdentityArgs): IdentityPlace {
  return {
    resourceGroupName: checks.required("resourceGroupName", args.resourceGroupName, "resourceGroup"),
    location: checks.required("location", args.location, "location"),
    resourceName: checks.text("identityName", args.identityName ?? name, "managedIdentity"),
    tags: checks.tags(args.tags),
  };
}

function placeOf(id: pulumi.Output<string>): IdentityPlace {
  const parsed = id.apply(parseResourceId);
  return { resourceGroupName: parsed.apply((known) => known?.resourceGroup ?? ""), resourceName: parsed.apply((known) => known?.name ?? "") };
}
