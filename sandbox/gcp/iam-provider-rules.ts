/** What IAM refuses when a provider is written: its source of identities, its mapping, its condition, what the organisation forbids. */
import {
  ALLOWED_AUDIENCES,
  ATTRIBUTE_CONDITION_LENGTH,
  ATTRIBUTE_MAPPING,
  AWS_ACCOUNT_ID,
  MULTI_TENANT_ISSUERS,
  PROVIDER_CONSTRAINTS,
} from "../../facts/gcp/iam.js";
import { poolOf } from "../../facts/gcp/identifiers.js";
import { namesIn } from "../../trust/gcp/cel-names.js";
import { compileCel } from "../../trust/gcp/cel.js";
import { invalidArgument } from "./errors.js";
import { assertUploadedKeys } from "./iam-jwks.js";
import type { ProviderRecord } from "./iam-store.js";
import type { OrgPolicies } from "./org-policies.js";
import { GcpError } from "./types.js";

const CONDITIONS_PAGE = "https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions";

/** Throws INVALID_ARGUMENT, or FAILED_PRECONDITION where the organisation's policies are against it. */
export function assertProvider(provider: ProviderRecord, orgPolicies: OrgPolicies, projectId: string): void {
  const { oidc, aws, attributeMapping = {}, attributeCondition } = provider;
  if (oidc) assertOidc(oidc);
  if (aws && !AWS_ACCOUNT_ID.test(aws.accountId)) throw invalidArgument(`Invalid AWS account ID: "${aws.accountId}". It must be 12 digits.`);
  assertMapping(attributeMapping, oidc !== undefined);
  assertCondition(attributeCondition, oidc?.issuerUri);
  assertAllowed(provider, orgPolicies, projectId);
}

function assertOidc({ issuerUri, allowedAudiences = [], jwksJson }: NonNullable<ProviderRecord["oidc"]>): void {
  if (!URL.canParse(issuerUri)) throw invalidArgument("Invalid OIDC issuer URI.");
  if (new URL(issuerUri).protocol !== "https:") throw invalidArgument("Invalid OIDC issuer URI. The scheme must be https.");
  if (allowedAudiences.length > ALLOWED_AUDIENCES.count) throw invalidArgument(`The number of allowed audiences is ${allowedAudiences.length}; the maximum is ${ALLOWED_AUDIENCES.count}.`);
  const long = allowedAudiences.find((audience) => audience.length > ALLOWED_AUDIENCES.length);
  if (long !== undefined) throw invalidArgument(`The allowed audience "${long.slice(0, 32)}…" exceeds ${ALLOWED_AUDIENCES.length} characters.`);
  if (jwksJson !== undefined && jwksJson !== "") assertUploadedKeys(jwksJson);
}

/** An AWS provider may do without a mapping: then Google's own for AWS applies. */
function assertMapping(mapping: Readonly<Record<string, string>>, required: boolean): void {
  const entries = Object.entries(mapping);
  if (entries.length === 0 && !required) return;
  if (mapping["google.subject"] === undefined) throw invalidArgument("The attribute mapping must include a mapping to google.subject.");
  const custom = entries.filter(([key]) => key.startsWith("attribute.")).length;
  if (custom > ATTRIBUTE_MAPPING.customAttributes) throw invalidArgument(`The attribute mapping has ${custom} custom attributes; the maximum is ${ATTRIBUTE_MAPPING.customAttributes}.`);
  for (const [key, expression] of entries) {
    if (!ATTRIBUTE_MAPPING.key.test(key) || key.length > ATTRIBUTE_MAPPING.keyLength) throw invalidArgument(`Invalid mapped attribute key: ${key}.`);
    if (expression.length > ATTRIBUTE_MAPPING.expression) throw invalidArgument(`The expression mapped to ${key} exceeds ${ATTRIBUTE_MAPPING.expression} characters.`);
    const program = compileCel(expression, "attribute-mapping");
    if (typeof program === "string") throw invalidArgument(`Error in program compilation for mapped attribute ${key}: the expression ${program}.`);
  }
}

function assertCondition(condition: string | undefined, issuerUri: string | undefined): void {
  const needed = MULTI_TENANT_ISSUERS.some((issuer) => issuerUri !== undefined && issuer.test(issuerUri));
  const refused = invalidArgument(`The attribute condition must reference one of the provider's claims. For more information, see ${CONDITIONS_PAGE}`);
  if (condition === undefined || condition === "") {
    if (needed) throw refused;
    return;
  }
  if (condition.length > ATTRIBUTE_CONDITION_LENGTH) throw invalidArgument(`The attribute condition exceeds ${ATTRIBUTE_CONDITION_LENGTH} characters.`);
  const program = compileCel(condition, "attribute-condition");
  if (typeof program === "string") throw invalidArgument(`Error in program compilation for attribute condition: the expression ${program}.`);
  if (needed && namesIn(program.tree).variables.length === 0) throw refused;
}

function assertAllowed({ name, oidc, aws }: ProviderRecord, orgPolicies: OrgPolicies, projectId: string): void {
  const { issuers, awsAccounts, uploadedKeys } = PROVIDER_CONSTRAINTS;
  const pool = poolOf(name).replace(/^projects\/[^/]+\//, "");
  const asked: (readonly [constraint: string, value: string | undefined])[] = [
    [issuers, oidc?.issuerUri],
    [issuers, oidc?.jwksJson === undefined ? undefined : uploadedKeys],
    [awsAccounts, aws?.accountId],
  ];
  for (const [constraint, value] of asked) {
    if (value === undefined || orgPolicies.allows(constraint, projectId, value)) continue;
    const description = `Org Policy violated for value: '${value}'.`;
    const violations = [{ type: `constraints/${constraint}`, subject: `orgpolicy:projects/${projectId}/${pool}`, description }];
    throw new GcpError("FAILED_PRECONDITION", "Precondition check failed.", undefined, [{ "@type": "type.googleapis.com/google.rpc.PreconditionFailure", violations }]);
  }
}
