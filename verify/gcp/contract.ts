/** The contract in itself: do its parts belong together? */
import type { Contract, GcpExchange } from "../../contract/schema.js";
import type { Cause } from "../causes.js";
import { fail, pass, type Check } from "../check.js";
import { gcpCause } from "./causes.js";
import { poolName, stsAudience } from "./run.js";

function contractCause(contract: Contract, exchange: GcpExchange): Cause | undefined {
  const values = { contract, exchange };
  const inconsistent = (evidence: string) => gcpCause("contract.inconsistent", values, evidence);
  const pool = `//iam.googleapis.com/${poolName(exchange)}/`.replace("//iam", "://iam");
  if (!exchange.principal.includes(pool)) return inconsistent(`exchange.principal ${exchange.principal} is none of pool ${poolName(exchange)}`);
  const aws = exchange.subjectTokenType === "aws4_request";
  if (aws && contract.workload.audience !== stsAudience(exchange)) {
    return inconsistent(`workload.audience is ${contract.workload.audience}, the provider is ${stsAudience(exchange)}`);
  }
  const { serviceAccountEmail } = exchange;
  if (serviceAccountEmail !== undefined && !/^[^@\s]+@[^@\s]+\.gserviceaccount\.com$/.test(serviceAccountEmail)) {
    return gcpCause("gcp.service-account.malformed", values, `exchange.serviceAccountEmail is ${JSON.stringify(serviceAccountEmail)}`);
  }
  return undefined;
}

export function contractCheck(contract: Contract, exchange: GcpExchange, unrecognised: readonly { path: string; kind: string }[]): Check {
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
      const seen = `${contract.integration} version ${contract.version} for project ${exchange.projectId}: ${contract.grants.length} ${contract.grants.length === 1 ? "grant" : "grants"}`;
      return found ? fail(seen, found) : pass(seen);
    },
  };
}
