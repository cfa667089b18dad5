/** The registry at its own host: whether it takes the session's tokens, and those that App Service pulls with. */
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { diagnosis, narrow, open } from "./account-reader.js";
import { RIGHTS_NOT_READ } from "./arm-causes.js";
import { ask, describeAnswer, isOverload, isUnknownHost } from "./answers.js";
import type { AzureCauseCode } from "./causes.js";
import { registryId } from "./endpoints.js";
import { registryToken, tagsCall, type RegistryFailure } from "./registry.js";
import { cause, type AzureRun } from "./run.js";
import { serviceCheckId, type ServiceGrant } from "./service.js";

const DEADLINE_MS = 60_000;

/** Actions that roles allow images by. */
export const IMAGE_ACTIONS = {
  pull: "Microsoft.ContainerRegistry/registries/pull/read",
  push: "Microsoft.ContainerRegistry/registries/push/write",
  delete: "Microsoft.ContainerRegistry/registries/artifacts/delete",
} as const;

export function registryChecks(run: AzureRun, grant: ServiceGrant): Check[] {
  const id = `azure.runtime.${grant.id}`;
  const there = serviceCheckId(grant, "registry");
  return [
    {
      id: `${id}.registry`,
      title: `Data: registry ${grant.registry} takes the identity's token and lets it pull`,
      grade: "live",
      required: true,
      needs: ["azure.exchange.registry", there],
      deadlineMs: DEADLINE_MS,
      run: (scope) => pull(run, grant, scope),
    },
    {
      id: `${id}.registry-arm`,
      title: `Data: registry ${grant.registry} takes tokens for Azure Resource Manager, which App Service pulls with`,
      grade: "live",
      required: true,
      needs: ["azure.exchange", `${id}.registry`],
      deadlineMs: DEADLINE_MS,
      run: async ({ signal }) => {
        const given = await registryToken(run, grant.loginServer, "pull", signal, "arm");
        if ("token" in given) return pass("taken");
        const seen = `${given.step}: ${describeAnswer(given.answer)}`;
        const refused = given.answer.kind === "refused" && given.answer.httpStatus === 401;
        return refused ? fail(seen, cause(run, "azure.registry.arm-tokens-refused", [seen, "a token of the registry's own audience is taken"], { subject: grant.registry })) : unknown(seen);
      },
    },
  ];
}

async function pull(run: AzureRun, grant: ServiceGrant, scope: CheckScope): Promise<Verdict> {
  const { answer, exhausted } = await run.waiter.until(
    `azure.runtime.${grant.id}.registry`,
    scope,
    () => attempt(run, grant, scope.signal),
    (given) => (given?.answer.kind === "refused" && given.answer.httpStatus === 401 ? given.answer.code : undefined),
  );
  return answer ? registryVerdict(run, grant, answer, "pull", exhausted, scope) : pass(`a token to pull from ${grant.loginServer}`);
}

/** Undefined when the session may pull: asked of a repository that need not be there. */
async function attempt(run: AzureRun, grant: ServiceGrant, signal: AbortSignal): Promise<RegistryFailure | undefined> {
  const given = await registryToken(run, grant.loginServer, "pull,metadata_read", signal);
  if (!("token" in given)) return given;
  const answer = await ask(run.network, tagsCall(grant.loginServer, given.token), signal);
  return answer.ok || (answer.kind === "refused" && answer.httpStatus === 404) ? undefined : { step: "GET tags", answer };
}

/** What a registry's refusal comes to. https://learn.microsoft.com/azure/container-registry/container-registry-troubleshoot-login */
export async function registryVerdict(run: AzureRun, grant: ServiceGrant, { step, answer }: RegistryFailure, right: keyof typeof IMAGE_ACTIONS, waited: boolean, scope: CheckScope): Promise<Verdict> {
  const seen = `${step}: ${describeAnswer(answer)}`;
  const id = registryId(grant);
  const action = IMAGE_ACTIONS[right];
  const values = { subject: grant.registry, resourceGroup: grant.resourceGroup, scope: id, action, role: grant.role };
  if (answer.kind === "no-answer") return isUnknownHost(answer) ? fail(seen, cause(run, "azure.registry.missing", `there is no host ${grant.loginServer}`, values)) : unknown(seen);
  if (isOverload(answer)) return unknown(seen);
  if (answer.httpStatus === 403) {
    const suspects = [open(cause(run, "azure.registry.firewall", seen, values))];
    return failed(seen, diagnosis(await narrow(run, { about: "network", scope: id }, suspects, seen)));
  }
  if (answer.httpStatus !== 401) return unknown(seen);
  const managed = await scope.outcome(serviceCheckId(grant, "registry"));
  const byRepository = managed?.status === "pass" && managed.seen.includes("rights by roles on repositories only");
  const missing: AzureCauseCode = right === "push" ? "azure.registry.push-denied" : "azure.registry.pull-denied";
  const codes: AzureCauseCode[] = byRepository
    ? ["azure.registry.repository-roles"]
    : step.startsWith("POST /oauth2")
      ? ["azure.registry.token-refused"]
      : [missing, ...(waited ? [] : (["azure.rbac.not-propagated"] as const)), "azure.rbac.constrained"];
  const suspects = codes.map((code) => open(cause(run, code, seen, values)));
  return failed(seen, diagnosis(await narrow(run, { about: "right", action, dataAction: false, scope: id }, suspects, seen), RIGHTS_NOT_READ));
}

function failed(seen: string, found: ReturnType<typeof diagnosis>): Verdict {
  return found ? fail(seen, found) : unknown(seen);
}
