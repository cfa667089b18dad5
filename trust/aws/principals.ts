/**
 * Who a request comes from, as policies name it, and what that adds to the request's condition keys.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
import type { PrincipalElement, Statement } from "./policy.js";
import type { Principal } from "./types.js";

/**
 * How closely a Principal element names the requester. In the same account a statement that names the session or the
 * user grants by itself; one that names the role is still limited by boundary and session policies; one that names the
 * account only hands the decision to that account's own policies.
 */
export type Naming = "session" | "user" | "role" | "service" | "anyone" | "account";

const CLOSEST_FIRST: readonly Naming[] = ["session", "user", "service", "role", "anyone", "account"];

/** How the element names the principal; undefined when it does not. */
export function namingOf(element: PrincipalElement, principal: Principal): Naming | undefined {
  if (element.anyone) return "anyone";
  const namings = element.values.map(({ type, value }): Naming | undefined => {
    switch (type) {
      case "AWS":
        return awsNaming(value, principal);
      case "Service":
        return principal.kind === "service" && principal.arn === value ? "service" : undefined;
      case "Federated":
        return principal.federatedProvider === value ? "role" : undefined;
      case "CanonicalUser":
        return undefined;
    }
  });
  return CLOSEST_FIRST.find((naming) => namings.includes(naming));
}

function awsNaming(value: string, principal: Principal): Naming | undefined {
  if (value === "*") return principal.kind === "service" ? undefined : "anyone";
  if (principal.kind === "anonymous" || principal.kind === "service") return undefined;
  if (value === principal.accountId || isRootArn(value, principal.accountId)) return "account";
  if (principal.kind === "root") return undefined;
  if (principal.kind === "user") return value === principal.arn || value === principal.uniqueId ? "user" : undefined;
  if (value === principal.arn) return "session";
  return value === principal.roleArn || value === principal.uniqueId ? "role" : undefined;
}

function isRootArn(value: string, accountId: string): boolean {
  return /^arn:[^:]+:iam::(\d{12}):root$/.exec(value)?.[1] === accountId;
}

/**
 * NotPrincipal excepts a requester only when everything that the requester is has been listed: session, role and account.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
function isExcepted(element: PrincipalElement, principal: Principal): boolean {
  if (element.anyone) return true;
  const lists = (matches: (value: string) => boolean) => element.values.some(({ type, value }) => type === "AWS" && matches(value));
  if (lists((value) => value === "*") && principal.kind !== "service") return true;
  if (principal.kind === "service") return element.values.some(({ type, value }) => type === "Service" && value === principal.arn);
  if (principal.kind === "anonymous") return false;
  if (!lists((value) => value === principal.accountId || isRootArn(value, principal.accountId))) return false;
  if (principal.kind === "root") return true;
  if (!lists((value) => value === principal.arn || (principal.kind === "user" && value === principal.uniqueId))) return false;
  return principal.kind === "user" || lists((value) => value === principal.roleArn || value === principal.uniqueId);
}

/** How a statement of a resource policy names the principal; undefined when it is not about that principal. */
export function statementNaming(statement: Statement, principal: Principal): Naming | undefined {
  if (statement.principal !== undefined) return namingOf(statement.principal, principal);
  return statement.notPrincipal !== undefined && !isExcepted(statement.notPrincipal, principal) ? "anyone" : undefined;
}

const PRINCIPAL_TYPE: Readonly<Record<Principal["kind"], string | undefined>> = {
  "role-session": "AssumedRole",
  user: "User",
  root: "Account",
  anonymous: "Anonymous",
  service: undefined,
};

/** The condition keys that follow from who asks. */
export function principalContext(principal: Principal): Record<string, string | undefined> {
  const isPerson = principal.kind === "role-session" || principal.kind === "user" || principal.kind === "root";
  const tags = Object.entries(principal.tags ?? {}).map(([key, value]) => [`aws:PrincipalTag/${key}`, value] as const);
  return {
    "aws:PrincipalArn": isPerson ? (principal.roleArn ?? principal.arn) : undefined,
    "aws:PrincipalAccount": isPerson ? principal.accountId : undefined,
    "aws:PrincipalType": PRINCIPAL_TYPE[principal.kind],
    "aws:userid": userId(principal),
    "aws:username": principal.kind === "user" ? principal.arn.split("/").at(-1) : undefined,
    "aws:PrincipalIsAWSService": String(principal.kind === "service"),
    "aws:PrincipalServiceName": principal.kind === "service" ? principal.arn : undefined,
    "aws:FederatedProvider": principal.federatedProvider,
    "aws:TokenIssueTime": principal.issuedAt,
    ...Object.fromEntries(tags),
  };
}

function userId(principal: Principal): string | undefined {
  switch (principal.kind) {
    case "role-session":
      return principal.uniqueId === undefined ? undefined : `${principal.uniqueId}:${principal.sessionName ?? ""}`;
    case "user":
      return principal.uniqueId;
    case "root":
      return principal.accountId;
    case "anonymous":
      return "anonymous";
    case "service":
      return undefined;
  }
}
