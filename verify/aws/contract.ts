/** The contract in itself: do its parts belong together? */
import { parseArn } from "../../trust/aws/arn.js";
import type { AwsExchange, Contract } from "../../contract/schema.js";
import type { Cause } from "../causes.js";
import { fail, pass, type Check } from "../check.js";
import { awsCause } from "./causes.js";

function contractCause(contract: Contract, exchange: AwsExchange): Cause | undefined {
  const { providerArn, roleArn, accountId, partition } = exchange;
  const values = { contract, exchange };
  const provider = parseArn(providerArn);
  const role = parseArn(roleArn);
  const inconsistent = (evidence: string) => awsCause("contract.inconsistent", values, evidence);
  if (role?.service !== "iam" || !role.resource.startsWith("role/")) return inconsistent(`exchange.roleArn ${roleArn} is no ARN of a role`);
  if (provider?.service !== "iam" || !provider.resource.startsWith("oidc-provider/")) return inconsistent(`exchange.providerArn ${providerArn} is no ARN of an OIDC provider`);
  if (provider.accountId !== role.accountId) return awsCause("aws.oidc-provider.other-account", values, `the provider is in ${provider.accountId}, the role in ${role.accountId}`);
  if (role.accountId !== accountId) return inconsistent(`exchange.accountId is ${accountId}, the role is in ${role.accountId}`);
  if (role.partition !== partition || provider.partition !== partition) return inconsistent(`exchange.partition is ${partition}, the ARNs are of ${role.partition} and ${provider.partition}`);
  const expected = `oidc-provider/${contract.workload.issuer.replace(/^https:\/\//, "")}`;
  if (provider.resource !== expected) {
    return awsCause("aws.oidc-provider.url-differs", values, `the provider is ${provider.resource}, the workload's issuer needs ${expected}`);
  }
  return undefined;
}

export function contractCheck(contract: Contract, exchange: AwsExchange, unrecognised: readonly { path: string; kind: string }[]): Check {
  return {
    id: "contract",
    title: "Contract: reads and is consistent",
    grade: "live",
    required: true,
    needs: [],
    deadlineMs: 1_000,
    run: async (scope) => {
      for (const { path, kind } of unrecognised) scope.remark(`${path} of the contract is of kind ${JSON.stringify(kind)}, which this release cannot check`);
      const found = contractCause(contract, exchange);
      const seen = `${contract.integration} version ${contract.version} for account ${exchange.accountId}: ${contract.grants.length} ${contract.grants.length === 1 ? "grant" : "grants"}`;
      return found ? fail(seen, found) : pass(seen);
    },
  };
}
