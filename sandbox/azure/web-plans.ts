/** App Service plans. https://learn.microsoft.com/rest/api/appservice/app-service-plans */
import * as z from "zod";
import { DEFAULT_WORKER_QUOTA, PLAN_TYPE, type PlanTier, QUOTA_VALIDATION_CODE, planSizes, webRefusals } from "../../facts/azure/app-service.js";
import { textRules } from "../../facts/azure/limits.js";
import { groupId, parseArmId, subscriptionId } from "./arm-ids.js";
import { type ArmResource, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { refuseWeb, WebError } from "./web-errors.js";
import { missing, parseWeb, planIdOf, shortLocation } from "./web-input.js";
import type { WriteLocks } from "./web-locks.js";
import type { Plan, WebStore } from "./web-store.js";

/** Workers that a subscription may have, a number by {@link workerQuotaId}; the administrator sets it. */
export const WORKER_QUOTA = "azure:web/worker-quota";

/** `tier` as in {@link planSizes}, such as `Basic`. */
export const workerQuotaId = (subscription: string, location: string, tier: string): string => `${subscription}/${location}/${tier}`.toLowerCase();

const sku = z.object({ name: z.string(), capacity: z.number().int().min(1).optional() });
const properties = z.looseObject({ reserved: z.boolean().nullish(), perSiteScaling: z.boolean().nullish(), zoneRedundant: z.boolean().nullish(), maximumElasticWorkerCount: z.number().nullish() });
const putForm = z.object({ location: z.string(), kind: z.string().nullish(), sku: sku.nullish(), tags: z.record(z.string(), z.string()).nullish(), properties: properties.default({}) });
const patchForm = z.object({ sku: sku.nullish(), properties: properties.default({}) });
const validateForm = z.object({ name: z.string(), type: z.string(), location: z.string(), properties: z.looseObject({ skuName: z.string().optional(), capacity: z.number().optional() }).default({}) });

interface Size {
  name: string;
  tier: PlanTier;
  capacity: number;
}

export function planRoutes(context: AzureServiceContext, store: WebStore, locks: WriteLocks): AzureRoute[] {
  const { resources } = context;

  function open(request: AzureRequest, action: "read" | "write" | "delete" = "read"): Plan {
    const id = planIdOf(request);
    context.require(request.caller, `${PLAN_TYPE}/${action}`, id);
    context.groupOf(request.params["subscription"] ?? "", request.params["group"] ?? "");
    const found = store.plan(id);
    if (!found) throw missing(id);
    return found;
  }

  /** Throws where the subscription's quota in the region does not have that many more. */
  function checkQuota(subscription: string, location: string, wanted: Size, before: Plan | undefined): void {
    const { tier, capacity } = wanted;
    const others = store.plans(subscriptionId(subscription)).filter((plan) => plan.id !== before?.id && plan.location === location && plan.sku.tier === tier.tier);
    const used = others.reduce((sum, plan) => sum + plan.sku.capacity, 0);
    const limit = context.core.store.get<number>(WORKER_QUOTA, workerQuotaId(subscription, location, tier.tier)) ?? DEFAULT_WORKER_QUOTA;
    const already = before?.sku.tier === tier.tier ? before.sku.capacity : 0;
    if (capacity > already && used + capacity > limit) throw refuseWeb(webRefusals.quota(tier.machines, { limit, used, wanted: capacity }));
  }

  async function put(request: AzureRequest): Promise<AzureAnswer> {
    const id = planIdOf(request);
    const { subscription = "", group = "", plan: name = "" } = request.params;
    context.require(request.caller, `${PLAN_TYPE}/write`, id);
    context.groupOf(subscription, group);
    context.assertUnlocked(id, "write");
    if (!textRules.appServicePlan.pattern.test(name)) throw refuseWeb(webRefusals.planNameInvalid(name));
    const wanted = parseWeb(putForm, request.body);
    const location = shortLocation(wanted.location);
    return locks.hold(id.toLowerCase(), () => refuseWeb(webRefusals.planLock()), () => {
      const before = store.plan(id);
      const size = sizeOf(wanted.sku?.name ?? before?.sku.name ?? "F1", wanted.sku?.capacity ?? before?.sku.capacity ?? 1);
      checkQuota(subscription, location, size, before);
      const reserved = wanted.properties.reserved ?? before?.properties.reserved ?? false;
      const next: ArmResource = {
        id: before?.id ?? id,
        name: before?.name ?? name,
        type: PLAN_TYPE,
        location,
        kind: wanted.kind ?? before?.kind ?? (reserved ? "linux" : "app"),
        sku: skuOf(size),
        ...(wanted.tags && { tags: wanted.tags }),
        properties: { ...before?.properties, ...wanted.properties, reserved },
      };
      return view(resources.put(context.applyPolicies(next)) as Plan);
    });
  }

  async function patch(request: AzureRequest): Promise<AzureAnswer> {
    const before = open(request, "write");
    context.assertUnlocked(before.id, "write");
    const wanted = parseWeb(patchForm, request.body);
    const size = sizeOf(wanted.sku?.name ?? before.sku.name, wanted.sku?.capacity ?? before.sku.capacity);
    checkQuota(request.params["subscription"] ?? "", before.location ?? "", size, before);
    return view(resources.put(context.applyPolicies({ ...before, sku: skuOf(size), properties: { ...before.properties, ...wanted.properties, reserved: before.properties.reserved } })) as Plan);
  }

  async function remove(request: AzureRequest): Promise<AzureAnswer> {
    const id = planIdOf(request);
    context.require(request.caller, `${PLAN_TYPE}/delete`, id);
    context.assertUnlocked(id, "delete");
    const found = store.plan(id);
    if (!found) return RawAnswer.json(204);
    const sites = store.sitesOf(found).map(({ name }) => name);
    if (sites.length > 0) throw refuseWeb(webRefusals.planInUse(found.name, sites));
    resources.delete(id);
    return RawAnswer.json(200);
  }

  function list(request: AzureRequest): object {
    const { subscription = "", group } = request.params;
    const scope = group === undefined ? subscriptionId(subscription) : groupId(subscription, group);
    context.require(request.caller, `${PLAN_TYPE}/read`, scope);
    if (group !== undefined) context.groupOf(subscription, group);
    return { value: store.plans(scope).map(view) };
  }

  /** What a template's validation asks before anything is made. https://learn.microsoft.com/rest/api/appservice/validate */
  function validate(request: AzureRequest): object {
    const { subscription = "", group = "" } = request.params;
    context.require(request.caller, "Microsoft.Web/validate/action", groupId(subscription, group));
    const wanted = parseWeb(validateForm, request.body);
    try {
      if (wanted.type === "ServerFarm") checkQuota(subscription, shortLocation(wanted.location), sizeOf(wanted.properties.skuName ?? "F1", wanted.properties.capacity ?? 1), undefined);
    } catch (error) {
      if (!(error instanceof WebError)) throw error;
      return { status: "Failure", error: { code: error.code === "Unauthorized" ? QUOTA_VALIDATION_CODE : error.code, message: error.message } };
    }
    return { status: "Success", error: null };
  }

  function view({ location = "", ...plan }: Plan): object {
    const parsed = parseArmId(plan.id);
    const tier = planSizes[plan.sku.name];
    return {
      ...plan,
      location,
      tags: plan.tags ?? {},
      properties: {
        ...plan.properties,
        status: "Ready",
        provisioningState: "Succeeded",
        geoRegion: location,
        resourceGroup: parsed?.group,
        subscription: parsed?.subscription,
        numberOfSites: store.sitesOf({ ...plan, location }).length,
        numberOfWorkers: plan.sku.capacity,
        maximumNumberOfWorkers: tier?.maximumWorkers,
      },
    };
  }

  const all = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/serverfarms";
  const one = `${all}/{plan}`;
  const route = (method: AzureRoute["method"], path: string, operation: string, run: AzureRoute["run"]): AzureRoute => ({ method, path, operation: `web:AppServicePlans_${operation}`, run });
  return [
    route("GET", "/subscriptions/{subscription}/providers/Microsoft.Web/serverfarms", "List", async (request) => list(request)),
    route("GET", all, "ListByResourceGroup", async (request) => list(request)),
    route("GET", one, "Get", async (request) => view(open(request))),
    route("PUT", one, "CreateOrUpdate", put),
    route("PATCH", one, "Update", patch),
    route("DELETE", one, "Delete", remove),
    route("POST", "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/validate", "Validate", async (request) => validate(request)),
  ];
}

function sizeOf(name: string, capacity: number): Size {
  const known = Object.keys(planSizes).find((each) => each.toLowerCase() === name.toLowerCase());
  const tier = known === undefined ? undefined : planSizes[known];
  if (known === undefined || !tier) throw refuseWeb(webRefusals.skuInvalid(name));
  return { name: known, tier, capacity };
}

const skuOf = ({ name, tier, capacity }: Size): Plan["sku"] => ({ name, tier: tier.tier, size: name, family: tier.family, capacity });
