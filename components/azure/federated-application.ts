import * as pulumi from "@pulumi/pulumi";
import { Application } from "@pulumi/azuread/application.js";
import { ApplicationFederatedIdentityCredential } from "@pulumi/azuread/applicationFederatedIdentityCredential.js";
import { getApplicationOutput } from "@pulumi/azuread/getApplication.js";
import { getServicePrincipalOutput } from "@pulumi/azuread/getServicePrincipal.js";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal.js";
import type { AzureExchange } from "../../contract/schema.js";
import { numberViolation } from "../../facts/rules.js";
import { numberRules } from "../../facts/azure/limits.js";
import { AzureChecks, lookupOptions } from "./common.js";
import { checkCredentials, type AzureFederatedCredentialArgs, type AzureFederatedPrincipal } from "./federated-credential.js";

export interface AzureFederatedApplicationArgs {
  /** Name of a created app registration. @default the component's name */
  displayName?: pulumi.Input<string> | undefined;
  /** Client id of an app registration of this tenant to use instead of creating one: it gets these credentials, and nothing else of it is changed. */
  existingClientId?: pulumi.Input<string> | undefined;
  /**
   * How many federated credentials the existing application has without these: Azure allows 20 on one application.
   * `az ad app federated-credential list --query "length(@)"` counts them.
   * @default 0
   */
  existingCredentials?: number | undefined;
  /** Whose tokens are taken, at most 20. */
  credentials: AzureFederatedCredentialArgs[];
}

/** Of this tenant alone: a service principal in another could never use the credentials, and nobody there be refused by this one's policies. */
const SINGLE_TENANT = "AzureADMyOrg";

/**
 * A single-tenant app registration and its service principal that outside workloads may act as, without any secret. For
 * platforms that need an application; otherwise use {@link AzureFederatedIdentity}, which needs no rights in the directory.
 *
 * The application has no owners of ours, no app roles and no permissions to any API. It may do nothing until a role is
 * assigned to the `principalId`, which is the service principal's object id and not the application's.
 * https://learn.microsoft.com/entra/identity-platform/app-objects-and-service-principals
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AzureFederatedApplication extends pulumi.ComponentResource implements AzureFederatedPrincipal {
  readonly clientId: pulumi.Output<string>;
  readonly principalId: pulumi.Output<string>;
  readonly tenantId: pulumi.Output<string>;
  /** Object id of the app registration. No role is ever assigned to it. */
  readonly applicationObjectId: pulumi.Output<string>;
  readonly identity: pulumi.Output<AzureExchange["identity"]>;
  readonly federatedCredentials: pulumi.Output<string[]>;

  constructor(name: string, args: AzureFederatedApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AzureFederatedApplication", name, {}, opts);
    const checks = new AzureChecks(this, "AzureFederatedApplication", name);
    const existing = args.existingClientId === undefined ? undefined : checks.text("existingClientId", args.existingClientId, "clientId");
    const credentials = checkCredentials(checks, name, args.credentials, existing && (args.existingCredentials ?? 0));
    if (existing) {
      checks.refuseSettings(args, ["displayName"], "an existing application");
      checks.value("existingCredentials", args.existingCredentials ?? 0, (value) => numberViolation(numberRules.federatedCredentials, value));
    } else if (args.existingCredentials !== undefined) {
      checks.add("existingCredentials", "goes with existingClientId only: a new application has none");
    }
    const displayName = checks.text("displayName", args.displayName ?? name, "applicationName");
    checks.finish();

    const children = checks.childOptions(opts);
    const application = existing
      ? this.adopt(existing, checks, opts)
      : new Application(`${name}-application`, { displayName, signInAudience: SINGLE_TENANT, preventDuplicateNames: true }, children);
    const principal = existing
      ? getServicePrincipalOutput({ clientId: existing }, lookupOptions(this, opts))
      : new ServicePrincipal(`${name}-principal`, { clientId: application.clientId }, children);
    this.clientId = application.clientId;
    this.principalId = principal.objectId;
    this.tenantId = principal.applicationTenantId;
    this.applicationObjectId = application.objectId;
    this.identity = application.objectId.apply((objectId) => ({ kind: "application" as const, objectId }));

    const made: ApplicationFederatedIdentityCredential[] = [];
    for (const [index, credential] of credentials.entries()) {
      const before = made.at(-1);
      made.push(
        new ApplicationFederatedIdentityCredential(
          index === 0 ? `${name}-credential` : `${name}-credential-${index + 1}`,
          {
            applicationId: pulumi.interpolate`/applications/${this.applicationObjectId}`,
            displayName: credential.name,
            issuer: credential.issuer,
            subject: credential.subject,
            audiences: [credential.audience],
          },
          pulumi.mergeOptions(children, before ? { dependsOn: [before] } : {}),
        ),
      );
    }
    this.federatedCredentials = pulumi.all(made.map((credential) => credential.displayName));
    this.registerOutputs({
      clientId: this.clientId,
      principalId: this.principalId,
      tenantId: this.tenantId,
      applicationObjectId: this.applicationObjectId,
      identity: this.identity,
      federatedCredentials: this.federatedCredentials,
    });
  }

  private adopt(clientId: pulumi.Output<string>, checks: AzureChecks, opts: pulumi.ComponentResourceOptions | undefined) {
    return getApplicationOutput({ clientId }, lookupOptions(this, opts)).apply((found) => {
      if (found.signInAudience === SINGLE_TENANT) return found;
      throw checks.error([
        {
          path: "existingClientId",
          reason: `must name an application of this tenant alone (signInAudience ${SINGLE_TENANT}); ${found.displayName} has ${found.signInAudience}, and what this stack did not create it does not change. Use another, or let the stack create one`,
        },
      ]);
    });
  }
}
