import * as pulumi from "@pulumi/pulumi";
import * as iam from "@pulumi/aws/iam/index.js";
import { quotas, textRules } from "../../facts/aws/index.js";
import { textViolation } from "../../facts/rules.js";
import { InputChecks, type Mistake } from "../inputs.js";
import { checkTags, titleOf, type Tags } from "./common.js";
import { adoptionMistakes } from "./provider-adoption.js";
import { issuerName, providerIsOf } from "./trust-document.js";

export interface AwsOidcProviderArgs {
  /**
   * The issuer's URL, equal to the `iss` of its tokens byte for byte.
   * At most 255 characters, without port, query and fragment.
   */
  url: pulumi.Input<string>;
  /** Audiences that roles on this provider accept: 1 to 100, such as `sts.amazonaws.com`. */
  clientIds: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * ARN of a provider that exists already. An account can have one provider for each issuer, so a second stack has to
   * adopt the first one's. Nothing of an adopted provider is changed: if it lacks an audience, the error says what to run.
   * Default: a provider is created.
   */
  existingArn?: pulumi.Input<string> | undefined;
  /**
   * Whether `pulumi destroy` leaves a created provider in the account.
   * @default true, since roles of other stacks may trust it by then
   */
  retainOnDestroy?: boolean | undefined;
  /** Tags of a created provider, at most 50. */
  tags?: pulumi.Input<Tags> | undefined;
}

/**
 * An issuer that the account's roles can trust, created or adopted.
 *
 * Thumbprints are left to IAM, which retrieves them itself where it needs any.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 *
 * @throws ResourceError with every mistake in the inputs, before anything is created
 */
export class AwsOidcProvider extends pulumi.ComponentResource {
  /** ARN of the provider, for `AwsFederatedRole`. */
  readonly arn: pulumi.Output<string>;
  /** The issuer's URL, as given. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: AwsOidcProviderArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:AwsOidcProvider", name, {}, opts);
    const checks = new InputChecks(this, titleOf("AwsOidcProvider", name));
    const url = checks.value("url", args.url, (value) => textViolation(textRules.issuerUrl, value));
    const clientIds = checks.check(args.clientIds, clientIdMistakes);
    const existing =
      args.existingArn === undefined ? undefined : checks.check({ arn: args.existingArn, url: args.url }, existingMistakes).arn;
    const tags = checkTags(checks, args.tags);
    checks.finish();

    this.url = url;
    this.arn = existing
      ? pulumi.all([existing, clientIds]).apply(async ([adopted, audiences]) => {
          const mistakes = await adoptionMistakes(adopted, audiences, { parent: this });
          if (mistakes.length > 0) throw checks.error(mistakes);
          return adopted;
        })
      : new iam.OpenIdConnectProvider(
          name,
          { url, clientIdLists: clientIds, ...tags },
          { parent: this, retainOnDelete: args.retainOnDestroy ?? true },
        ).arn;
    this.registerOutputs({ arn: this.arn, url: this.url });
  }
}

function existingMistakes({ arn, url }: { arn: string; url: string }): Mistake[] {
  const path = "existingArn";
  const reason = textViolation(textRules.oidcProviderArn, arn);
  if (reason) return [{ path, reason }];
  return providerIsOf(arn, url) ? [] : [{ path, reason: `must end with oidc-provider/${issuerName(url)} to be the provider of ${url}; got ${arn}` }];
}

function clientIdMistakes(clientIds: string[]): Mistake[] {
  const { limit } = quotas.clientIdsPerProvider;
  const mistakes: Mistake[] = [];
  if (clientIds.length < 1 || clientIds.length > limit) {
    mistakes.push({ path: "clientIds", reason: `must be 1 to ${limit}; got ${clientIds.length}` });
  }
  for (const [index, clientId] of clientIds.entries()) {
    const reason = textViolation(textRules.clientId, clientId);
    if (reason) mistakes.push({ path: `clientIds[${index}]`, reason });
  }
  return mistakes;
}
