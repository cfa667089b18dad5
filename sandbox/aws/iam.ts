/** AWS Identity and Access Management: all its operations, by the API model's names. */
import { type IamContext } from "./iam-context.js";
import { providerOperations } from "./iam-providers.js";
import { roleOperations } from "./iam-roles.js";
import type { AwsService } from "./service.js";

export function createIam(context: IamContext): AwsService {
  return { name: "iam", operations: { ...providerOperations(context), ...roleOperations(context) } };
}
