import { isS3Host } from "./s3-wire.js";
import type { AwsService } from "./service.js";

/** What a host name says about a call. */
export interface AwsHost {
  service: AwsService["name"];
  /** The region that a signature must be made for; absent where the host serves every region (S3's global endpoint). */
  region?: string;
}

const REGION = "[a-z]{2,}(?:-[a-z]+)+-\\d+";

/**
 * The endpoints of the services besides S3, in each partition, with their FIPS and dual-stack forms.
 * https://docs.aws.amazon.com/general/latest/gr/rande.html
 */
const ENDPOINTS: readonly { host: RegExp; service: AwsService["name"]; region?: string }[] = [
  { host: /^sts\.amazonaws\.com$/, service: "sts", region: "us-east-1" },
  { host: new RegExp(`^sts(?:-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|api\\.aws)$`), service: "sts" },
  // IAM is one service a partition; its calls are signed for the region that it lives in.
  { host: /^iam(?:-fips)?\.(?:amazonaws\.com|global\.api\.aws)$/, service: "iam", region: "us-east-1" },
  { host: /^iam\.us-gov\.(?:amazonaws\.com|api\.aws)$/, service: "iam", region: "us-gov-west-1" },
  { host: /^iam\.cn-north-1\.(?:amazonaws\.com\.cn|api\.amazonwebservices\.com\.cn)$/, service: "iam", region: "cn-north-1" },
  { host: new RegExp(`^(?:api\\.|\\d{12}\\.dkr\\.)ecr(?:-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|api\\.aws)$`), service: "ecr" },
  { host: new RegExp(`^[a-z0-9]+\\.lambda-url\\.(${REGION})\\.on\\.aws$`), service: "lambda" },
  { host: new RegExp(`^codebuild(?:-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|api\\.aws)$`), service: "codebuild" },
  { host: new RegExp(`^lambda(?:-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|api\\.aws)$`), service: "lambda" },
  { host: new RegExp(`^logs(?:-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|api\\.aws)$`), service: "logs" },
  { host: new RegExp(`^kms(?:-fips)?\\.(${REGION})\\.(?:amazonaws\\.com(?:\\.cn)?|api\\.aws)$`), service: "kms" },
];

/** True for a registry's own host, which is part of the names of its images. */
export function isRegistryHost(host: string): boolean {
  return /^\d{12}\.dkr\.ecr/.test(host);
}

/** Service and region of a host name of AWS; undefined for every other, and for services that the sandbox does not play. */
export function parseAwsHost(host: string): AwsHost | undefined {
  for (const endpoint of ENDPOINTS) {
    const match = endpoint.host.exec(host);
    const region = endpoint.region ?? match?.[1];
    if (match) return { service: endpoint.service, ...(region !== undefined && { region }) };
  }
  if (!isS3Host(host)) return undefined;
  const region = new RegExp(`[.-](${REGION})\\.amazonaws\\.com(?:\\.cn)?$`).exec(host)?.[1];
  return { service: "s3", ...(region !== undefined && { region }) };
}
