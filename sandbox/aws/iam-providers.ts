/** IAM OIDC providers: whose tokens an account believes. */
import * as z from "zod";
import { iamQuotas } from "../../facts/aws/iam.js";
import { textRules } from "../../facts/aws/limits.js";
import { type IamContext, accountOf, assertQuota, iamArn, member, mergeTags, page, pageMembers, refuse, resourceTagConditions, tagConditions, withoutTags } from "./iam-context.js";
import type { ProviderRecord } from "./iam-store.js";
import { list, operation } from "./members.js";
import type { Operation, OperationRequest } from "./service.js";

const named = { OpenIDConnectProviderArn: member.arn };

export function providerOperations(iam: IamContext): Record<string, Operation> {
  /** The provider that a request names, once the caller may do this to it. */
  const open = (request: OperationRequest, action: string, arn: string, context: Record<string, string | string[]> = {}): ProviderRecord => {
    const provider = iam.store.provider(arn);
    iam.authorise(request, action, arn, { ...resourceTagConditions(provider?.tags ?? []), ...context });
    if (provider?.accountId !== accountOf(request)) throw refuse.noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`);
    return provider;
  };

  return {
    CreateOpenIDConnectProvider: operation(
      z.object({ Url: member.url, ClientIDList: list(member.clientId).optional(), ThumbprintList: list(member.thumbprint).optional(), Tags: member.tags.optional() }),
      (input, request) => {
        const { Url, ClientIDList = [], ThumbprintList = [], Tags = [] } = input;
        if (!textRules.issuerUrl.pattern.test(Url)) throw refuse.validation("Invalid Open ID Connect Provider URL");
        const url = Url.slice("https://".length);
        const arn = iamArn(request, `oidc-provider/${url}`);
        iam.authorise(request, "CreateOpenIDConnectProvider", arn, tagConditions(Tags));
        if (Tags.length > 0) iam.authorise(request, "TagOpenIDConnectProvider", arn, tagConditions(Tags));
        if (iam.store.provider(arn)) throw refuse.alreadyExists(`Provider with url ${Url} already exists.`);
        assertQuota(iamQuotas.providers, iam.store.providers(accountOf(request)).length + 1);
        const clientIds = [...new Set(ClientIDList)];
        assertQuota(iamQuotas.clientIdsPerProvider, clientIds.length);
        assertThumbprints(ThumbprintList);
        const tags = mergeTags([], Tags);
        iam.store.putProvider({ accountId: accountOf(request), arn, url, clientIds, thumbprints: ThumbprintList, tags, createDate: iam.now() });
        return { OpenIDConnectProviderArn: arn, ...(tags.length > 0 && { Tags: tags }) };
      },
    ),
    GetOpenIDConnectProvider: operation(z.object(named), (input, request) => {
      const { url, clientIds, thumbprints, createDate, tags } = open(request, "GetOpenIDConnectProvider", input.OpenIDConnectProviderArn);
      return { Url: url, ClientIDList: clientIds, ThumbprintList: thumbprints, CreateDate: createDate, ...(tags.length > 0 && { Tags: tags }) };
    }),
    ListOpenIDConnectProviders: operation(z.object({}), (_input, request) => {
      iam.authorise(request, "ListOpenIDConnectProviders", iamArn(request, "*"));
      return { OpenIDConnectProviderList: iam.store.providers(accountOf(request)).map(({ arn }) => ({ Arn: arn })) };
    }),
    DeleteOpenIDConnectProvider: operation(z.object(named), (input, request) => {
      iam.store.deleteProvider(open(request, "DeleteOpenIDConnectProvider", input.OpenIDConnectProviderArn));
      return {};
    }),
    AddClientIDToOpenIDConnectProvider: operation(z.object({ ...named, ClientID: member.clientId }), (input, request) => {
      const provider = open(request, "AddClientIDToOpenIDConnectProvider", input.OpenIDConnectProviderArn);
      const clientIds = [...new Set([...provider.clientIds, input.ClientID])];
      assertQuota(iamQuotas.clientIdsPerProvider, clientIds.length);
      iam.store.putProvider({ ...provider, clientIds });
      return {};
    }),
    RemoveClientIDFromOpenIDConnectProvider: operation(z.object({ ...named, ClientID: member.clientId }), (input, request) => {
      const provider = open(request, "RemoveClientIDFromOpenIDConnectProvider", input.OpenIDConnectProviderArn);
      iam.store.putProvider({ ...provider, clientIds: provider.clientIds.filter((id) => id !== input.ClientID) });
      return {};
    }),
    UpdateOpenIDConnectProviderThumbprint: operation(z.object({ ...named, ThumbprintList: list(member.thumbprint) }), (input, request) => {
      const provider = open(request, "UpdateOpenIDConnectProviderThumbprint", input.OpenIDConnectProviderArn);
      assertThumbprints(input.ThumbprintList);
      iam.store.putProvider({ ...provider, thumbprints: input.ThumbprintList });
      return {};
    }),
    TagOpenIDConnectProvider: operation(z.object({ ...named, Tags: member.tags }), (input, request) => {
      const provider = open(request, "TagOpenIDConnectProvider", input.OpenIDConnectProviderArn, tagConditions(input.Tags));
      iam.store.putProvider({ ...provider, tags: mergeTags(provider.tags, input.Tags) });
      return {};
    }),
    UntagOpenIDConnectProvider: operation(z.object({ ...named, TagKeys: member.tagKeys }), (input, request) => {
      const provider = open(request, "UntagOpenIDConnectProvider", input.OpenIDConnectProviderArn, { "aws:TagKeys": input.TagKeys });
      iam.store.putProvider({ ...provider, tags: withoutTags(provider.tags, input.TagKeys) });
      return {};
    }),
    ListOpenIDConnectProviderTags: operation(z.object({ ...named, ...pageMembers }), (input, request) =>
      page("Tags", open(request, "ListOpenIDConnectProviderTags", input.OpenIDConnectProviderArn).tags, input),
    ),
  };
}

function assertThumbprints(thumbprints: readonly string[]): void {
  if (thumbprints.length > iamQuotas.thumbprintsPerProvider.limit) throw refuse.invalidInput("Thumbprint list must contain fewer than 5 entries.");
}
