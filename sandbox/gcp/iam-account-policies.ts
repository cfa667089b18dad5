/** Who may use a service account: its own policy, and the keys that it does not have. */
import * as z from "zod";

import { TESTED_PERMISSIONS } from "../../facts/gcp/iam.js";
import { invalidArgument } from "./errors.js";
import { type IamContext, iamRoute, param, preconditionFailed } from "./iam-context.js";
import { message, read } from "./iam-input.js";
import { ACCOUNT_PATH, accountResource, openAccount } from "./iam-service-accounts.js";
import { answerPolicy, requestedVersion } from "./policy-versions.js";
import type { GcpRequest, GcpRoute } from "./service.js";

const SET = message({ policy: z.unknown(), updateMask: z.string().optional() });
const TEST = message({ permissions: z.array(z.string()).default([]) });

export function accountPolicyRoutes(iam: IamContext): GcpRoute[] {
  const { policies } = iam.context;

  function get(request: GcpRequest): object {
    return answerPolicy(policies.get(accountResource(openAccount(iam, request, "getIamPolicy")).name), requestedVersion(request));
  }

  function set(request: GcpRequest): object {
    const account = openAccount(iam, request, "setIamPolicy");
    return policies.set(accountResource(account).name, read(SET, request.body).policy ?? {}, account.projectId);
  }

  /** Needs no permission itself. */
  function test(request: GcpRequest): object {
    const { permissions: asked } = read(TEST, request.body);
    if (asked.length > TESTED_PERMISSIONS) throw invalidArgument(`Too many permissions: ${asked.length}. The maximum is ${TESTED_PERMISSIONS}.`);
    const unfit = asked.find((permission) => !/^iam\.serviceAccount(s|Keys)\.[a-zA-Z]+$/.test(permission));
    if (unfit !== undefined) throw invalidArgument(`Permission ${unfit} is not valid for this resource.`);
    const project = param(request, "project");
    const account = iam.store.serviceAccount(param(request, "account"), project === "-" ? "-" : iam.context.projectOf(project).projectId);
    const permissions = account ? asked.filter((permission) => iam.context.allows(request.caller, permission, accountResource(account))) : [];
    return permissions.length > 0 ? { permissions } : {};
  }

  /** Keys live as long as nobody deletes them: the sandbox's organisations forbid them, as new ones do. */
  function createKey(request: GcpRequest): object {
    const { name } = openAccount(iam, request, "create", "iam.serviceAccountKeys");
    throw preconditionFailed(`Key creation is not allowed on this service account (constraints/iam.disableServiceAccountKeyCreation): ${name}`);
  }

  function listKeys(request: GcpRequest): object {
    openAccount(iam, request, "list", "iam.serviceAccountKeys");
    return {};
  }

  return [
    iamRoute("POST", `${ACCOUNT_PATH}:getIamPolicy`, "GetIamPolicy", get),
    iamRoute("POST", `${ACCOUNT_PATH}:setIamPolicy`, "SetIamPolicy", set),
    iamRoute("POST", `${ACCOUNT_PATH}:testIamPermissions`, "TestIamPermissions", test),
    iamRoute("GET", `${ACCOUNT_PATH}/keys`, "ListServiceAccountKeys", listKeys),
    iamRoute("POST", `${ACCOUNT_PATH}/keys`, "CreateServiceAccountKey", createKey),
  ];
}
