/** Tags as a resource of their own, on subscriptions, groups and resources. https://learn.microsoft.com/rest/api/resources/tags */
import { Accounts } from "./accounts.js";
import { badRequest, groupNotFound, invalidContent, resourceNotFound } from "./arm-errors.js";
import { GROUP_TYPE, parseArmId, SUBSCRIPTION_TYPE } from "./arm-ids.js";
import { atScopes, scopeOf } from "./arm-scopes.js";
import { mergeTags, readTags, removeTags, type Tags } from "./arm-tags.js";
import type { AzureAnswer, AzureRequest, AzureRoute, AzureServiceContext } from "./service.js";
import { RawAnswer } from "./service.js";
import { SUBSCRIPTION } from "./store-types.js";

const TAGS_TYPE = "Microsoft.Resources/tags";

/** What has tags, and how they are written back. */
interface Tagged {
  tags: Tags;
  write(tags: Record<string, string>): Tags;
}

export function tagRoutes(context: AzureServiceContext): AzureRoute[] {
  const at = (method: AzureRoute["method"], operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute[] =>
    atScopes(method, `${TAGS_TYPE}/default`, `arm:Tags_${operation}AtScope`, async (request) => run(request));
  const open = (request: AzureRequest, right: "read" | "write" | "delete"): Tagged => {
    const scope = scopeOf(request);
    context.require(request.caller, `${TAGS_TYPE}/${right}`, scope);
    const tagged = find(context, scope);
    if (right !== "read") context.assertUnlocked(scope, right);
    return tagged;
  };
  return [
    ...at("GET", "Get", (request) => view(request, open(request, "read").tags)),
    ...at("PUT", "CreateOrUpdate", (request) => {
      const tagged = open(request, "write");
      return view(request, tagged.write(tagsIn(request)));
    }),
    ...at("PATCH", "Update", (request) => {
      const tagged = open(request, "write");
      return view(request, tagged.write(patched(tagged.tags, request)));
    }),
    ...at("DELETE", "Delete", (request) => {
      open(request, "delete").write({});
      return RawAnswer.json(200);
    }),
  ];
}

function find(context: AzureServiceContext, scope: string): Tagged {
  const id = parseArmId(scope);
  if (!id) throw badRequest(`The scope '${scope}' can have no tags.`);
  if (id.type === SUBSCRIPTION_TYPE) {
    const { core } = context;
    const subscription = new Accounts(core).subscription(id.name);
    if (!subscription) throw badRequest(`The scope '${scope}' can have no tags.`);
    return {
      tags: subscription.tags,
      write: (tags) => {
        core.store.put(SUBSCRIPTION, subscription.subscriptionId.toLowerCase(), { ...subscription, tags });
        return tags;
      },
    };
  }
  const resource = context.resources.get(scope);
  if (!resource) throw id.type === GROUP_TYPE ? groupNotFound(id.name) : resourceNotFound(scope);
  return { tags: resource.tags ?? {}, write: (tags) => context.resources.put(context.applyPolicies({ ...resource, tags })).tags ?? {} };
}

function patched(tags: Tags, request: AzureRequest): Record<string, string> {
  const { operation } = request.body as { operation?: unknown };
  const given = tagsIn(request);
  switch (String(operation).toLowerCase()) {
    case "merge":
      return mergeTags(tags, given);
    case "replace":
      return given;
    case "delete":
      return removeTags(tags, given);
    default:
      throw badRequest(`The tags patch operation '${String(operation)}' is not valid. It must be one of 'Merge', 'Replace', 'Delete'.`);
  }
}

function tagsIn({ body }: AzureRequest): Record<string, string> {
  const { properties } = (body ?? {}) as { properties?: { tags?: unknown } };
  if (!properties) throw invalidContent("Required property 'properties' not found in JSON");
  return readTags(properties.tags);
}

const view = (request: AzureRequest, tags: Tags): object => ({ id: `${scopeOf(request)}/providers/${TAGS_TYPE}/default`, name: "default", type: TAGS_TYPE, properties: { tags } });
