import { Option, type Command } from "commander";
import type { SandboxClient } from "./sandbox-client.js";

type Run = (call: (client: SandboxClient) => Promise<unknown>) => Promise<void>;

const STATES = ["Enabled", "Disabled", "Warned"];
const SUBSCRIPTION = "azure:account/subscription";
const POLICY = "azure:graph/conditionalAccessPolicy";

interface Group {
  (name: string, description: string): Command;
}

/** What an administrator of Azure does outside a subscription: tenants, whose a subscription is, who may sign in. */
export function registerAzureAdmin(group: Group, examples: (...lines: string[]) => string, run: Run): void {
  group("tenant", "tenants of Azure")
    .command("list")
    .description("list the tenants, each with its cloud")
    .action(() => run((client) => client.get("/resources", { type: "azure:account/tenant" })));
  registerSubscriptions(group("subscription", "subscriptions of Azure: whose they are, and whether they are enabled"), examples, run);
  registerConditionalAccess(group("conditional-access", "Conditional Access policies that block service principals"), examples, run);
}

function registerSubscriptions(subscription: Command, examples: (...lines: string[]) => string, run: Run): void {
  subscription.addHelpText("after", examples("subscription list", "subscription set aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e --tenant bbbbcccc-1111-dddd-2222-eeee3333ffff", "subscription set aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e --state Disabled"));
  subscription
    .command("list")
    .description("list the subscriptions")
    .action(() => run((client) => client.get("/resources", { type: SUBSCRIPTION })));
  subscription
    .command("set <id>")
    .description("move a subscription to another tenant, or change its state")
    .option("--tenant <id>", "the tenant that it is moved to; its role assignments stay behind")
    .addOption(new Option("--state <state>", "its state").choices(STATES))
    .action(async (id: string, options: { tenant?: string; state?: string }) => {
      const { CliError } = await import("./output.js");
      if (options.tenant === undefined && options.state === undefined) throw new CliError("Say what to change: --tenant or --state.");
      await run(async (client) => {
        const { value } = await client.get<{ value: object }>("/resource", { type: SUBSCRIPTION, id });
        if (options.tenant !== undefined) await client.get("/resource", { type: "azure:account/tenant", id: options.tenant });
        return client.put("/resource", { ...value, ...(options.tenant !== undefined && { tenantId: options.tenant }), ...(options.state !== undefined && { state: options.state }) }, { type: SUBSCRIPTION, id });
      });
    });
}

interface ServicePrincipal {
  id: string;
  appId: string;
  displayName: string;
  servicePrincipalType: string;
}

function registerConditionalAccess(access: Command, examples: (...lines: string[]) => string, run: Run): void {
  access.addHelpText("after", examples("conditional-access block 00001111-aaaa-2222-bbbb-3333cccc4444", "conditional-access list", "conditional-access unblock 00001111-aaaa-2222-bbbb-3333cccc4444"));
  access
    .command("list")
    .description("list the policies of all tenants")
    .action(() => run((client) => client.get("/resources", { type: POLICY })));
  access
    .command("block <client-id>")
    .description("block sign-ins of an application's service principal; policies do not reach managed identities")
    .action((clientId: string) => run((client) => block(client, clientId)));
  access
    .command("unblock <client-id>")
    .description("remove the policy that blocks it")
    .action((clientId: string) =>
      run(async (client) => {
        const { tenantId, principal } = await find(client, clientId);
        return client.delete("/resource", { type: POLICY, id: `${tenantId}/${principal.id}` });
      }),
    );
}

async function block(client: SandboxClient, clientId: string): Promise<unknown> {
  const { CliError } = await import("./output.js");
  const { tenantId, principal } = await find(client, clientId);
  const { id, displayName, servicePrincipalType } = principal;
  if (servicePrincipalType === "ManagedIdentity") throw new CliError(`${displayName} is a managed identity: Conditional Access does not reach it, so a policy would block nothing.`);
  const policy = {
    id,
    displayName: `Block ${displayName}`,
    state: "enabled",
    conditions: { clientApplications: { includeServicePrincipals: [id], excludeServicePrincipals: [] } },
    grantControls: { operator: "OR", builtInControls: ["block"] },
  };
  return client.put("/resource", policy, { type: POLICY, id: `${tenantId}/${id}` });
}

async function find(client: SandboxClient, clientId: string): Promise<{ tenantId: string; principal: ServicePrincipal }> {
  const { CliError } = await import("./output.js");
  const { resources } = await client.get<{ resources: { id: string; value: ServicePrincipal }[] }>("/resources", { type: "azure:graph/servicePrincipal" });
  const found = resources.find(({ value }) => value.appId === clientId.toLowerCase());
  if (!found) throw new CliError(`No tenant of the sandbox has a service principal with the client id ${clientId}.`);
  return { tenantId: found.id.split("/")[0] ?? "", principal: found.value };
}
