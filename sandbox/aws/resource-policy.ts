/** Policies on resources keep their IAM principals by unique id, so that a role made again under an old name is not meant. */
import type { AwsServiceContext } from "./service.js";

type Identities = Pick<AwsServiceContext, "principalId" | "principalArn">;

const IAM_PRINCIPAL = /^arn:[\w-]+:iam::\d{12}:(role|user)\/.+$/;
const UNIQUE_ID = /^A(ROA|IDA)[A-Z0-9]+$/;

/** The document with its `AWS` principals changed; anything else stays as it is. Expects what `parsePolicy` has read. */
function mapPrincipals(document: string, change: (principal: string) => string): string {
  const changed: unknown = JSON.parse(document, (name, value: unknown) => {
    if (name !== "Principal" && name !== "NotPrincipal") return value;
    if (typeof value !== "object" || value === null || !("AWS" in value)) return value;
    const { AWS: aws } = value;
    if (typeof aws === "string") return { ...value, AWS: change(aws) };
    return { ...value, AWS: Array.isArray(aws) ? aws.map((each: unknown) => (typeof each === "string" ? change(each) : each)) : aws };
  });
  return JSON.stringify(changed);
}

/** The document as AWS keeps it. `refuse` makes the error for a role or user that does not exist. */
export function storePrincipals(document: string, identities: Identities, refuse: (principal: string) => Error): string {
  return mapPrincipals(document, (principal) => {
    const id = IAM_PRINCIPAL.test(principal) ? identities.principalId(principal) : principal;
    if (id === undefined || (UNIQUE_ID.test(id) && identities.principalArn(id) === undefined)) throw refuse(principal);
    return id;
  });
}

/** The document as AWS shows it: an ARN while the role or user lives, the bare id afterwards. */
export function showPrincipals(document: string, identities: Identities): string {
  return mapPrincipals(document, (principal) => (UNIQUE_ID.test(principal) ? (identities.principalArn(principal) ?? principal) : principal));
}
