/** IAM policy documents as typed data, written as text in exactly one way, so that an unchanged policy is an unchanged input. */

export interface PolicyStatement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: "*" | { AWS: string | string[] } | { Federated: string } | { Service: string };
  Action: string | string[];
  Resource?: string | string[];
  /** Operator, then condition key, then value or values. */
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: PolicyStatement[];
}

export function policyDocument(statements: PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/** The document as JSON with sorted keys. The order of lists is the builder's. */
export function serializePolicy(document: PolicyDocument): string {
  return JSON.stringify(document, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** One value as itself, several as a list: the form in which IAM's own editors write it. */
export function oneOrMany(values: string[]): string | string[] {
  const [first, ...rest] = values;
  return first !== undefined && rest.length === 0 ? first : values;
}
