/** The parts of Amazon Resource Names. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */

export interface Arn {
  partition: string;
  service: string;
  region: string;
  accountId: string;
  /** Everything after the fifth colon. */
  resource: string;
}

/** Undefined when the text is no ARN. */
export function parseArn(text: string): Arn | undefined {
  const [scheme, partition, service, region, accountId, ...resource] = text.split(":");
  if (scheme !== "arn" || !partition || !service || region === undefined || accountId === undefined) return undefined;
  return resource.length === 0 ? undefined : { partition, service, region, accountId, resource: resource.join(":") };
}

/** The account that an ARN names; undefined when it names none, as the ARN of a bucket. */
export function arnAccount(text: string): string | undefined {
  const accountId = parseArn(text)?.accountId;
  return accountId === "" ? undefined : accountId;
}
