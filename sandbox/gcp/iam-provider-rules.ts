/** What IAM refuses when a provider is written: its source of identities, its mapping, its condition, what the organisation forbids. */
import { ALLOWED_AUDIENCES, AWS_ACCOUNT_ID, MULTI_TENANT_ISSUERS, PROVIDER_CONSTRAINTS } from "../../facts/gcp/iam.js";
import { poolOf } from "../../facts/gcp/identifiers.js";
import { namesIn } from "../../trust/gcp/cel-names.js";
import { compileCel } from "../../trust/gcp/cel.js";
import { mappingMistakes } from "../../trust/gcp/mapping.js";
import { invalidArgument } from "./errors.js";
import { assertUploadedKeys } from "./iam-jwks.js";
import type { ProviderRecord } from "./iam-store.js";
import type { OrgPolicies } from "./org-policies.js";
import { GcpError } from "./types.js";

const CONDITIONS_PAGE = "https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions";

/** Throws INVALID_ARGUMENT, or FAILED_PRECONDITION where the organisation's policies are against it. */
export function assertProvider(provider: ProviderRecord, orgPolicies: OrgPolicies, projectId: string): void {
  const { oidc, aws, attributeCondition } = provider;
  if (oidc) assertOidc(oidc);
  if (aws && !AWS_ACCOUNT_ID.test(aws.accountId)) throw invalidArgument(`Invalid AWS account ID: "${aws.accountId}". It must be 12 digits.`);
  const [mistake] = mappingMistakes(provider);
  if (mistake) throw invalidArgument(`${mistake.path} ${mistake.message}.`);
  assertTenant(attributeCondition, oidc?.issuerUri);
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

/** Issuers that sign for everybody: a condition that looks at nothing lets everybody in. */
function assertTenant(condition: string | undefined, issuerUri: string | undefined): void {
  if (issuerUri === undefined || !MULTI_TENANT_ISSUERS.some((issuer) => issuer.test(issuerUri))) return;
  const program = compileCel(condition === undefined || condition === "" ? "true" : condition, "attribute-condition");
  if (typeof program === "object" && namesIn(program.tree).variables.length === 0) {
    throw invalidArgument(`The attribute condition must reference one of the provider's claims. For more information, see ${CONDITIONS_PAGE}`);
  }
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
