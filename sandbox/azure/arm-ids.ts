/** Reads ARM ids. https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#resourceid */

export interface ArmId {
  /** Such as `Microsoft.Storage/storageAccounts/blobServices/containers`; of the last provider in the id. */
  type: string;
  name: string;
  /** Names of the resource and its parents of the same provider, the outermost first. */
  names: readonly string[];
  subscription: string | undefined;
  group: string | undefined;
  /** What an extension resource (a lock, an assignment) is on, or the group or subscription of any other; empty for the tenant. */
  scope: string;
}

export const SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions";
export const GROUP_TYPE = "Microsoft.Resources/resourceGroups";

/** Undefined for what is no id of a resource, a group or a subscription. */
export function parseArmId(id: string): ArmId | undefined {
  const segments = id.split("/").slice(1);
  if (!id.startsWith("/") || segments.some((segment) => segment === "")) return undefined;
  const is = (index: number, word: string): boolean => segments[index]?.toLowerCase() === word;
  const subscription = is(0, "subscriptions") ? segments[1] : undefined;
  const group = is(2, "resourcegroups") ? segments[3] : undefined;
  const provider = segments.findLastIndex((segment, index) => segment.toLowerCase() === "providers" && (segments.length - index) % 2 === 0 && index % 2 === 0);
  if (provider >= 0) {
    const [namespace = "", ...rest] = segments.slice(provider + 1);
    const types = rest.filter((_, index) => index % 2 === 0);
    const names = rest.filter((_, index) => index % 2 === 1);
    if (names.length === 0) return undefined;
    return { type: [namespace, ...types].join("/"), name: names.at(-1) ?? "", names, subscription, group, scope: pathOf(segments.slice(0, provider)) };
  }
  if (subscription === undefined) return undefined;
  if (segments.length === 2) return { type: SUBSCRIPTION_TYPE, name: subscription, names: [subscription], subscription, group, scope: "" };
  return segments.length === 4 && group !== undefined ? { type: GROUP_TYPE, name: group, names: [group], subscription, group, scope: pathOf(segments.slice(0, 2)) } : undefined;
}

const pathOf = (segments: readonly string[]): string => segments.map((segment) => `/${segment}`).join("");

/** For comparison: lower case, without a slash at the end; empty for the tenant's root. */
export const normalised = (id: string): string => id.toLowerCase().replace(/\/+$/, "");

/** Whether a scope is the other one or above it. */
export function covers(scope: string, id: string): boolean {
  const above = normalised(scope);
  const below = normalised(id);
  return below === above || below.startsWith(`${above}/`);
}

export const subscriptionId = (subscription: string): string => `/subscriptions/${subscription}`;
export const groupId = (subscription: string, group: string): string => `/subscriptions/${subscription}/resourceGroups/${group}`;
