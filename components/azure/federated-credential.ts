/** Federated identity credentials: who is trusted, under which names, and how many fit on one identity. */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { numberRules } from "../../facts/azure/limits.js";
import type { AzureExchange } from "../../contract/schema.js";
import { workloadViolation } from "./workload.js";
import type { AzureChecks } from "./common.js";

/** Whose tokens are taken: exactly these three values, compared letter for letter. */
export interface AzureFederatedCredentialArgs {
  /** The `iss` of the tokens, letter for letter, a slash at its end included. */
  issuer: pulumi.Input<string>;
  /** The `sub` of the tokens. */
  subject: pulumi.Input<string>;
  /** The `aud` of the tokens, by convention the cloud's own, such as `api://AzureADTokenExchange`. */
  audience: pulumi.Input<string>;
  /** The credential's name, which can never be changed. @default `<component>-<eight digits of a hash of issuer and subject>` */
  credentialName?: pulumi.Input<string> | undefined;
}

/**
 * What a workload's token is exchanged for in Entra, be it a managed identity or an application: a stack takes either.
 */
export interface AzureFederatedPrincipal {
  /** Application (client) id, which the platform names at the token endpoint. */
  readonly clientId: pulumi.Output<string>;
  /** Object id of the service principal, which roles are assigned to. */
  readonly principalId: pulumi.Output<string>;
  readonly tenantId: pulumi.Output<string>;
  /** What carries the credentials, as the contract names it. */
  readonly identity: pulumi.Output<AzureExchange["identity"]>;
  /** Names of the credentials, in the order given. */
  readonly federatedCredentials: pulumi.Output<string[]>;
}

export interface CheckedCredential {
  name: pulumi.Output<string>;
  issuer: pulumi.Output<string>;
  subject: pulumi.Output<string>;
  audience: pulumi.Output<string>;
}

/**
 * @param existing How many credentials the adopted identity has without these; undefined for a new one
 */
export function checkCredentials(checks: AzureChecks, component: string, credentials: readonly AzureFederatedCredentialArgs[], existing: number | undefined): CheckedCredential[] {
  const { max } = numberRules.federatedCredentials;
  if (credentials.length === 0) checks.add("credentials", "must have at least one: without a credential nobody is trusted");
  const total = credentials.length + (existing ?? 0);
  if (total > max) {
    const counted = existing === undefined ? `got ${total}` : `got ${credentials.length} beside the ${existing} that are there (existingCredentials)`;
    checks.add("credentials", `must be at most ${max} on one identity; ${counted}. Use a second identity`);
  }
  const checked = credentials.map((credential, index): CheckedCredential => {
    const path = `credentials[${index}]`;
    const issuer = checks.value(`${path}.issuer`, credential.issuer, (value) => workloadViolation("issuer", value));
    const subject = checks.value(`${path}.subject`, credential.subject, (value) => workloadViolation("subject", value));
    const audience = checks.value(`${path}.audience`, credential.audience, (value) => workloadViolation("audience", value));
    const name =
      credential.credentialName === undefined
        ? pulumi.all([issuer, subject]).apply(([iss, sub]) => credentialName(component, iss, sub))
        : checks.text(`${path}.credentialName`, credential.credentialName, "federatedCredential");
    return { name, issuer, subject, audience };
  });
  for (const [index, { issuer, subject }] of credentials.entries()) {
    const twin = credentials.findIndex((other) => other.issuer === issuer && other.subject === subject);
    if (twin < index) checks.add(`credentials[${index}]`, `has issuer and subject of credentials[${twin}]: Entra takes a pair once on one identity, with one audience`);
  }
  return checked;
}

/** The same inputs always make the same name; another issuer or subject makes another, since a name can never be changed. */
export function credentialName(component: string, issuer: string, subject: string): string {
  const hash = createHash("sha256").update(`${issuer}\n${subject}`).digest("hex").slice(0, 8);
  const base = component.replace(/[^a-zA-Z0-9_-]+/g, "-").replace(/^[^a-zA-Z0-9]+/, "");
  return `${base.slice(0, 120 - hash.length - 1) || "workload"}-${hash}`;
}
