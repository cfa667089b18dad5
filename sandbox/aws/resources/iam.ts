/** `aws:iam/*`: providers, roles and policies. https://www.pulumi.com/registry/packages/aws/api-docs/iam/ */
import type { Properties } from "../../types.js";
import { during, unless, type Api, type Members } from "./api.js";
import type { Context, Definition } from "./behaviour.js";
import { compact, inOrderOf, list, object, policyText, sameList, tagChange, tagList, tagMap, tagsOf, text } from "./values.js";

const gone = ["NoSuchEntity"];

/** All pages of a listing. */
async function listed<T>(api: Api, operation: string, input: Members, member: string): Promise<T[]> {
  const items: T[] = [];
  for (let marker: unknown; ; ) {
    const page = await api.call("iam", operation, compact({ ...input, Marker: marker }));
    items.push(...list<T>(page[member]));
    if (page.IsTruncated !== true) return items;
    marker = page.Marker;
  }
}

async function syncTags(api: Api, noun: string, input: Members, olds: Properties, news: Properties): Promise<void> {
  const { removed, added } = tagChange(olds.tags, news.tags);
  if (removed.length > 0) await api.call("iam", `Untag${noun}`, { ...input, TagKeys: removed });
  if (Object.keys(added).length > 0) await api.call("iam", `Tag${noun}`, { ...input, Tags: tagList(added) });
}

const givenTags = (inputs: Properties): Members => (Object.keys(tagsOf(inputs.tags)).length > 0 ? { Tags: tagList(inputs.tags) } : {});
const readTags = (tags: unknown): Properties => ({ tags: tagMap(tags), tagsAll: tagMap(tags) });
const knownTags = (inputs: Properties): Properties => ({ tagsAll: tagsOf(inputs.tags) });

function arn({ api }: Context, resource: string): string {
  return `arn:${api.partition}:iam::${api.scope.accountId}:${resource}`;
}

const withoutScheme = (url: string): string => url.replace(/^https:\/\//, "");

export const openIdConnectProvider: Definition = {
  type: "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
  inputs: ["clientIdLists", "tags", "thumbprintLists", "url"],
  required: ["clientIdLists", "url"],
  global: true,
  replaceOn: ["url"],
  computed: ["thumbprintLists"],
  known: (inputs, context) => ({ arn: arn(context, `oidc-provider/${withoutScheme(text(inputs.url) ?? "")}`), ...knownTags(inputs) }),

  async create(inputs, { api }) {
    const input = compact({
      Url: inputs.url,
      ClientIDList: list(inputs.clientIdLists),
      ThumbprintList: inputs.thumbprintLists,
      ...givenTags(inputs),
    });
    const created = await during("creating IAM OIDC Provider", api.call("iam", "CreateOpenIDConnectProvider", input));
    return String(created.OpenIDConnectProviderArn);
  },

  async read(id, { api }, olds) {
    const reading = api.find("iam", "GetOpenIDConnectProvider", { OpenIDConnectProviderArn: id }, gone);
    const provider = await during(`reading IAM OIDC Provider (${id})`, reading);
    if (!provider) return undefined;
    const url = withoutScheme(String(provider.Url));
    const outputs = {
      arn: id,
      url,
      clientIdLists: inOrderOf(list(provider.ClientIDList), olds.clientIdLists),
      thumbprintLists: list(provider.ThumbprintList),
      ...readTags(provider.Tags),
    };
    // IAM keeps the URL without its scheme, and so does the output; the input must have it.
    return { outputs, inputs: { url: `https://${url}` } };
  },

  async update(id, olds, news, { api }) {
    const named = { OpenIDConnectProviderArn: id };
    await during(`updating IAM OIDC Provider (${id})`, change());
    async function change(): Promise<void> {
      const [before, after] = [list(olds.clientIdLists), list(news.clientIdLists)];
      for (const ClientID of after.filter((clientId) => !before.includes(clientId))) {
        await api.call("iam", "AddClientIDToOpenIDConnectProvider", { ...named, ClientID });
      }
      for (const ClientID of before.filter((clientId) => !after.includes(clientId))) {
        await api.call("iam", "RemoveClientIDFromOpenIDConnectProvider", { ...named, ClientID });
      }
      if (news.thumbprintLists !== undefined && !sameList(olds.thumbprintLists, news.thumbprintLists)) {
        await api.call("iam", "UpdateOpenIDConnectProviderThumbprint", { ...named, ThumbprintList: news.thumbprintLists });
      }
      await syncTags(api, "OpenIDConnectProvider", named, olds, news);
    }
  },

  async delete(id, _outputs, { api }) {
    const deleting = api.find("iam", "DeleteOpenIDConnectProvider", { OpenIDConnectProviderArn: id }, gone);
    await during(`deleting IAM OIDC Provider (${id})`, deleting);
  },
};

interface InlinePolicy {
  name: string;
  policy: string;
}

async function inlinePolicies(api: Api, RoleName: string): Promise<InlinePolicy[]> {
  const names = await listed<string>(api, "ListRolePolicies", { RoleName }, "PolicyNames");
  const documents = names.map(async (name) => {
    const { PolicyDocument } = await api.call("iam", "GetRolePolicy", { RoleName, PolicyName: name });
    return { name, policy: policyText(PolicyDocument) };
  });
  return Promise.all(documents);
}

async function attachedPolicies(api: Api, RoleName: string): Promise<string[]> {
  const attached = await listed<{ PolicyArn: string }>(api, "ListAttachedRolePolicies", { RoleName }, "AttachedPolicies");
  return attached.map(({ PolicyArn }) => PolicyArn);
}

async function syncInlinePolicies(api: Api, RoleName: string, olds: unknown, news: unknown): Promise<void> {
  const after = list<InlinePolicy>(news);
  for (const { name } of list<InlinePolicy>(olds).filter((old) => !after.some(({ name }) => name === old.name))) {
    await api.find("iam", "DeleteRolePolicy", { RoleName, PolicyName: name }, gone);
  }
  for (const { name, policy } of after) {
    await api.call("iam", "PutRolePolicy", { RoleName, PolicyName: name, PolicyDocument: policy });
  }
}

async function syncAttachedPolicies(api: Api, RoleName: string, olds: unknown, news: unknown): Promise<void> {
  const [before, after] = [list<string>(olds), list<string>(news)];
  for (const PolicyArn of before.filter((each) => !after.includes(each))) {
    await api.find("iam", "DetachRolePolicy", { RoleName, PolicyArn }, gone);
  }
  for (const PolicyArn of after.filter((each) => !before.includes(each))) {
    await api.call("iam", "AttachRolePolicy", { RoleName, PolicyArn });
  }
}

export const role: Definition = {
  type: "aws:iam/role:Role",
  inputs: [
    "assumeRolePolicy",
    "description",
    "forceDetachPolicies",
    "inlinePolicies",
    "managedPolicyArns",
    "maxSessionDuration",
    "name",
    "namePrefix",
    "path",
    "permissionsBoundary",
    "tags",
  ],
  required: ["assumeRolePolicy"],
  defaults: { forceDetachPolicies: false, maxSessionDuration: 3600, path: "/" },
  global: true,
  replaceOn: ["name", "namePrefix", "path"],
  name: { property: "name", prefixProperty: "namePrefix", maxLength: 64 },
  computed: ["inlinePolicies", "managedPolicyArns"],
  local: ["forceDetachPolicies", "namePrefix"],
  documents: ["assumeRolePolicy"],
  known: (inputs, context) => ({ arn: arn(context, `role${text(inputs.path) ?? "/"}${text(inputs.name) ?? ""}`), ...knownTags(inputs) }),

  async create(inputs, { api }) {
    const name = String(inputs.name);
    const input = compact({
      RoleName: name,
      Path: inputs.path,
      AssumeRolePolicyDocument: inputs.assumeRolePolicy,
      Description: text(inputs.description),
      MaxSessionDuration: inputs.maxSessionDuration,
      PermissionsBoundary: text(inputs.permissionsBoundary),
      ...givenTags(inputs),
    });
    await during(`creating IAM Role (${name})`, api.call("iam", "CreateRole", input));
    return name;
  },

  async complete(id, inputs, { api }) {
    await during(`creating IAM Role (${id}) inline policies`, syncInlinePolicies(api, id, [], inputs.inlinePolicies));
    await during(`attaching IAM Policies to Role (${id})`, syncAttachedPolicies(api, id, [], inputs.managedPolicyArns));
  },

  async read(id, { api }, olds) {
    const answer = await during(`reading IAM Role (${id})`, api.find("iam", "GetRole", { RoleName: id }, gone));
    if (!answer) return undefined;
    const found = object(answer.Role);
    const [inline, attached] = await during(`reading IAM Role (${id})`, Promise.all([inlinePolicies(api, id), attachedPolicies(api, id)]));
    const order = list<InlinePolicy>(olds.inlinePolicies).map(({ name }) => name);
    const names = inOrderOf(inline.map(({ name }) => name), order);
    return {
      outputs: {
        arn: found.Arn,
        assumeRolePolicy: policyText(found.AssumeRolePolicyDocument),
        createDate: timestamp(found.CreateDate),
        description: text(found.Description) ?? "",
        inlinePolicies: names.flatMap((name) => inline.filter((policy) => policy.name === name)),
        managedPolicyArns: inOrderOf(attached, olds.managedPolicyArns),
        maxSessionDuration: found.MaxSessionDuration ?? 3600,
        name: found.RoleName,
        namePrefix: "",
        path: found.Path,
        permissionsBoundary: text(object(found.PermissionsBoundary).PermissionsBoundaryArn) ?? "",
        uniqueId: found.RoleId,
        ...readTags(found.Tags),
      },
    };
  },

  async update(id, olds, news, { api }) {
    const named = { RoleName: id };
    if (olds.assumeRolePolicy !== news.assumeRolePolicy) {
      const change = api.call("iam", "UpdateAssumeRolePolicy", { ...named, PolicyDocument: news.assumeRolePolicy });
      await during(`updating IAM Role (${id}) assume role policy`, change);
    }
    const settings = { Description: text(news.description) ?? "", MaxSessionDuration: news.maxSessionDuration };
    await during(`updating IAM Role (${id})`, api.call("iam", "UpdateRole", { ...named, ...settings }));
    const boundary = text(news.permissionsBoundary);
    if (boundary !== text(olds.permissionsBoundary)) {
      const change =
        boundary === undefined
          ? api.call("iam", "DeleteRolePermissionsBoundary", named)
          : api.call("iam", "PutRolePermissionsBoundary", { ...named, PermissionsBoundary: boundary });
      await during(`updating IAM Role (${id}) permissions boundary`, change);
    }
    if (news.inlinePolicies !== undefined) {
      await during(`updating IAM Role (${id}) inline policies`, syncInlinePolicies(api, id, olds.inlinePolicies, news.inlinePolicies));
    }
    if (news.managedPolicyArns !== undefined) {
      await during(`updating IAM Role (${id}) managed policies`, syncAttachedPolicies(api, id, olds.managedPolicyArns, news.managedPolicyArns));
    }
    await during(`updating tags for IAM Role (${id})`, syncTags(api, "Role", named, olds, news));
  },

  async delete(id, outputs, { api }) {
    // Only what belongs to the role itself, unless the program said otherwise: policies of others stop the deletion.
    if (outputs.forceDetachPolicies === true) {
      const attached = (await unless(gone, attachedPolicies(api, id))) ?? [];
      await during(`deleting IAM Role (${id})`, syncAttachedPolicies(api, id, attached, []));
      const inline = (await unless(gone, inlinePolicies(api, id))) ?? [];
      await during(`deleting IAM Role (${id})`, syncInlinePolicies(api, id, inline, []));
    } else {
      await during(`deleting IAM Role (${id})`, syncInlinePolicies(api, id, outputs.inlinePolicies, []));
      await during(`deleting IAM Role (${id})`, syncAttachedPolicies(api, id, outputs.managedPolicyArns, []));
    }
    await during(`deleting IAM Role (${id})`, api.find("iam", "DeleteRole", { RoleName: id }, gone));
  },
};

function timestamp(value: unknown): string {
  return value instanceof Date ? `${value.toISOString().slice(0, 19)}Z` : String(value);
}

/** A role may be given by its name, or as the role itself, which arrives as its name. */
export const rolePolicy: Definition = {
  type: "aws:iam/rolePolicy:RolePolicy",
  inputs: ["name", "namePrefix", "policy", "role"],
  required: ["policy", "role"],
  global: true,
  replaceOn: ["name", "namePrefix", "role"],
  name: { property: "name", prefixProperty: "namePrefix", maxLength: 128 },
  local: ["namePrefix"],
  documents: ["policy"],

  async create(inputs, { api }) {
    const [RoleName, PolicyName] = [String(inputs.role), String(inputs.name)];
    const putting = api.call("iam", "PutRolePolicy", { RoleName, PolicyName, PolicyDocument: inputs.policy });
    await during(`putting IAM Role (${RoleName}) Policy (${PolicyName})`, putting);
    return `${RoleName}:${PolicyName}`;
  },

  async read(id, { api }) {
    const [RoleName = "", PolicyName = ""] = id.split(":");
    const found = await during(`reading IAM Role Policy (${id})`, api.find("iam", "GetRolePolicy", { RoleName, PolicyName }, gone));
    return found && { outputs: { name: PolicyName, namePrefix: "", policy: policyText(found.PolicyDocument), role: RoleName } };
  },

  async update(id, _olds, news, { api }) {
    const [RoleName = "", PolicyName = ""] = id.split(":");
    const putting = api.call("iam", "PutRolePolicy", { RoleName, PolicyName, PolicyDocument: news.policy });
    await during(`putting IAM Role (${RoleName}) Policy (${PolicyName})`, putting);
  },

  async delete(id, _outputs, { api }) {
    const [RoleName = "", PolicyName = ""] = id.split(":");
    await during(`deleting IAM Role (${RoleName}) Policy (${PolicyName})`, api.find("iam", "DeleteRolePolicy", { RoleName, PolicyName }, gone));
  },
};

export const rolePolicyAttachment: Definition = {
  type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  inputs: ["policyArn", "role"],
  required: ["policyArn", "role"],
  global: true,
  replaceOn: ["policyArn", "role"],

  async create(inputs, { api }) {
    const [RoleName, PolicyArn] = [String(inputs.role), String(inputs.policyArn)];
    await during(`attaching IAM Policy (${PolicyArn}) to IAM Role (${RoleName})`, api.call("iam", "AttachRolePolicy", { RoleName, PolicyArn }));
    return `${RoleName}/${PolicyArn}`;
  },

  async read(id, { api }) {
    const [roleName, policyArn] = attachment(id);
    const attached = await during(`reading IAM Role Policy Attachment (${id})`, unless(gone, attachedPolicies(api, roleName)));
    return attached?.includes(policyArn) === true ? { outputs: { policyArn, role: roleName } } : undefined;
  },

  async delete(id, _outputs, { api }) {
    const [RoleName, PolicyArn] = attachment(id);
    await during(`detaching IAM Policy (${PolicyArn}) from IAM Role (${RoleName})`, api.find("iam", "DetachRolePolicy", { RoleName, PolicyArn }, gone));
  },
};

function attachment(id: string): [roleName: string, policyArn: string] {
  const slash = id.indexOf("/");
  return [id.slice(0, slash), id.slice(slash + 1)];
}

/** IAM keeps this many versions of a managed policy. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const policyVersions = 5;

interface PolicyVersion {
  VersionId: string;
  IsDefaultVersion: boolean;
}

export const policy: Definition = {
  type: "aws:iam/policy:Policy",
  inputs: ["delayAfterPolicyCreationInMs", "description", "name", "namePrefix", "path", "policy", "tags"],
  required: ["policy"],
  defaults: { path: "/" },
  global: true,
  replaceOn: ["description", "name", "namePrefix", "path"],
  name: { property: "name", prefixProperty: "namePrefix", maxLength: 128 },
  local: ["delayAfterPolicyCreationInMs", "namePrefix"],
  documents: ["policy"],
  known: (inputs, context) => ({ arn: arn(context, `policy${text(inputs.path) ?? "/"}${text(inputs.name) ?? ""}`), ...knownTags(inputs) }),

  async create(inputs, { api }) {
    const name = String(inputs.name);
    const input = compact({
      PolicyName: name,
      Path: inputs.path,
      PolicyDocument: inputs.policy,
      Description: text(inputs.description),
      ...givenTags(inputs),
    });
    const created = await during(`creating IAM Policy (${name})`, api.call("iam", "CreatePolicy", input));
    return String(object(created.Policy).Arn);
  },

  async read(id, { api }) {
    const answer = await during(`reading IAM Policy (${id})`, api.find("iam", "GetPolicy", { PolicyArn: id }, gone));
    if (!answer) return undefined;
    const found = object(answer.Policy);
    const version = await during(`reading IAM Policy (${id})`, api.call("iam", "GetPolicyVersion", { PolicyArn: id, VersionId: found.DefaultVersionId }));
    return {
      outputs: {
        arn: id,
        attachmentCount: found.AttachmentCount ?? 0,
        description: text(found.Description) ?? "",
        name: found.PolicyName,
        namePrefix: "",
        path: found.Path,
        policy: policyText(object(version.PolicyVersion).Document),
        policyId: found.PolicyId,
        ...readTags(found.Tags),
      },
    };
  },

  async update(id, olds, news, { api }) {
    const named = { PolicyArn: id };
    if (olds.policy !== news.policy) {
      const versions = await listed<PolicyVersion>(api, "ListPolicyVersions", named, "Versions");
      const oldest = versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion).at(-1);
      if (versions.length >= policyVersions && oldest) await api.call("iam", "DeletePolicyVersion", { ...named, VersionId: oldest.VersionId });
      const change = api.call("iam", "CreatePolicyVersion", { ...named, PolicyDocument: news.policy, SetAsDefault: true });
      await during(`updating IAM Policy (${id})`, change);
    }
    await during(`updating tags for IAM Policy (${id})`, syncTags(api, "Policy", named, olds, news));
  },

  async delete(id, _outputs, { api }) {
    const named = { PolicyArn: id };
    const versions = (await unless(gone, listed<PolicyVersion>(api, "ListPolicyVersions", named, "Versions"))) ?? [];
    for (const { VersionId } of versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion)) {
      await during(`deleting IAM Policy (${id})`, api.find("iam", "DeletePolicyVersion", { ...named, VersionId }, gone));
    }
    await during(`deleting IAM Policy (${id})`, api.find("iam", "DeletePolicy", named, gone));
  },
};
