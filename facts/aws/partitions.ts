/**
 * AWS's separate worlds: each has its own ARNs, host names and accounts.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export type PartitionName = "aws" | "aws-us-gov" | "aws-cn";

export interface Partition {
  name: PartitionName;
  /** Domain of the service endpoints, and of the service names in `kms:ViaService`. */
  dnsSuffix: string;
  /** How the partition's regions begin; empty for the one that has all the others. */
  regionPrefix: string;
}

export const partitions: readonly Partition[] = [
  { name: "aws-us-gov", dnsSuffix: "amazonaws.com", regionPrefix: "us-gov-" },
  { name: "aws-cn", dnsSuffix: "amazonaws.com.cn", regionPrefix: "cn-" },
  { name: "aws", dnsSuffix: "amazonaws.com", regionPrefix: "" },
];

/** Region names of the three partitions. The isolated and sovereign ones (`us-iso-…`, `eusc-…`) have partitions of their own. */
const regionForm = /^(?:(?:af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+|us-gov-(?:east|west)|cn-[a-z]+)-\d{1,2}$/;

/** The partition that a region is in; undefined for text that is no region of the three. */
export function partitionOfRegion(region: string): Partition | undefined {
  return regionForm.test(region) ? partitions.find(({ regionPrefix }) => region.startsWith(regionPrefix)) : undefined;
}

export function partitionNamed(name: string): Partition | undefined {
  return partitions.find((partition) => partition.name === name);
}
