/** AWS Identity and Access Management: all its operations, by the API model's names. */
import * as z from "zod";
import { iamQuotas, type IamQuota } from "../../facts/aws/iam.js";
import { type IamContext, accountOf } from "./iam-context.js";
import { policyOperations } from "./iam-policies.js";
import { providerOperations } from "./iam-providers.js";
import { roleOperations } from "./iam-roles.js";
import { userOperations } from "./iam-users.js";
import { operation } from "./members.js";
import type { AwsService, OperationRequest } from "./service.js";

export function createIam(context: IamContext): AwsService {
  return {
    name: "iam",
    operations: {
      GetAccountSummary: operation(z.object({}), (_input, request) => accountSummary(context, request)),
      ...policyOperations(context),
      ...providerOperations(context),
      ...roleOperations(context),
      ...userOperations(context),
    },
  };
}

/** What an account has, and its quotas: those by which an operator knows whether a trust policy will fit. */
function accountSummary(iam: IamContext, request: OperationRequest): object {
  iam.authorise(request, "GetAccountSummary", "*");
  const accountId = accountOf(request);
  const quotas = Object.values<IamQuota>(iamQuotas).flatMap(({ summary, limit }): [string, number][] => (summary === undefined ? [] : [[summary, limit]]));
  const counts: [string, number][] = [
    ["Roles", iam.store.roles(accountId).length],
    ["Users", iam.store.users(accountId).length],
    ["Policies", iam.store.policies(accountId).length],
    ["Providers", iam.store.providers(accountId).length],
  ];
  return { SummaryMap: new Map([...counts, ...quotas]) };
}
