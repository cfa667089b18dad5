/** `aws:ecr/*`: repositories and what is set on them. https://www.pulumi.com/registry/packages/aws/api-docs/ecr/ */
import type { Properties } from "../../types.js";
import { during, type Members } from "./api.js";
import type { Definition } from "./behaviour.js";
import { compact, list, object, tagChange, tagList, tagMap, tagsOf, text } from "./values.js";

const noRepository = ["RepositoryNotFoundException"];

function encryption(inputs: Properties): Members | undefined {
  const [given] = list<Properties>(inputs.encryptionConfigurations);
  return given && compact({ encryptionType: given.encryptionType ?? "AES256", kmsKey: text(given.kmsKey) });
}

function mutability(inputs: Properties): Members {
  const filters = list<Properties>(inputs.imageTagMutabilityExclusionFilters);
  return compact({ imageTagMutability: inputs.imageTagMutability, imageTagMutabilityExclusionFilters: filters.length > 0 ? filters : undefined });
}

const scanning = (inputs: Properties): Members => ({ scanOnPush: object(inputs.imageScanningConfiguration).scanOnPush ?? false });

export const repository: Definition = {
  type: "aws:ecr/repository:Repository",
  inputs: ["encryptionConfigurations", "forceDelete", "imageScanningConfiguration", "imageTagMutability", "imageTagMutabilityExclusionFilters", "name", "tags"],
  defaults: { imageTagMutability: "MUTABLE" },
  replaceOn: ["encryptionConfigurations", "name"],
  name: { property: "name", prefixProperty: "namePrefix", maxLength: 256, lowerCase: true },
  computed: ["encryptionConfigurations", "imageScanningConfiguration"],
  local: ["forceDelete"],
  normalise: (inputs) => {
    const given = encryption(inputs);
    return given ? { ...inputs, encryptionConfigurations: [given] } : inputs;
  },
  known: (inputs, { api, region }) => ({
    arn: `arn:${api.partition}:ecr:${region}:${api.scope.accountId}:repository/${String(inputs.name)}`,
    registryId: api.scope.accountId,
    repositoryUrl: `${api.scope.accountId}.dkr.ecr.${region}.${api.dnsSuffix}/${String(inputs.name)}`,
    tagsAll: tagsOf(inputs.tags),
  }),

  async create(inputs, { api, region }) {
    const repositoryName = String(inputs.name);
    const input = compact({
      repositoryName,
      ...mutability(inputs),
      imageScanningConfiguration: scanning(inputs),
      encryptionConfiguration: encryption(inputs),
      tags: tagList(inputs.tags),
    });
    await during(`creating ECR Repository (${repositoryName})`, api.call("ecr", "CreateRepository", input, region));
    return repositoryName;
  },

  async read(id, { api, region }) {
    const doing = `reading ECR Repository (${id})`;
    const answer = await during(doing, api.find("ecr", "DescribeRepositories", { repositoryNames: [id] }, noRepository, region));
    const found = answer && object(list(answer.repositories)[0]);
    if (!found) return undefined;
    const tagged = await during(doing, api.call("ecr", "ListTagsForResource", { resourceArn: found.repositoryArn }, region));
    const filters = list(found.imageTagMutabilityExclusionFilters);
    const tags = tagMap(tagged.tags);
    return {
      outputs: {
        arn: found.repositoryArn,
        encryptionConfigurations: [found.encryptionConfiguration],
        imageScanningConfiguration: found.imageScanningConfiguration,
        imageTagMutability: found.imageTagMutability,
        imageTagMutabilityExclusionFilters: filters.length > 0 ? filters : undefined,
        name: found.repositoryName,
        registryId: found.registryId,
        repositoryUrl: found.repositoryUri,
        tags,
        tagsAll: tags,
      },
    };
  },

  async update(id, olds, news, { api, region }) {
    const repositoryName = id;
    const doing = `updating ECR Repository (${id})`;
    if (JSON.stringify(mutability(news)) !== JSON.stringify(mutability(olds))) {
      await during(`${doing} image tag mutability`, api.call("ecr", "PutImageTagMutability", { repositoryName, ...mutability(news) }, region));
    }
    if (scanning(news).scanOnPush !== scanning(olds).scanOnPush) {
      await during(`${doing} image scanning configuration`, api.call("ecr", "PutImageScanningConfiguration", { repositoryName, imageScanningConfiguration: scanning(news) }, region));
    }
    const { removed, added } = tagChange(olds.tags, news.tags);
    const resourceArn = olds.arn;
    if (removed.length > 0) await during(`updating tags for ECR Repository (${id})`, api.call("ecr", "UntagResource", { resourceArn, tagKeys: removed }, region));
    if (Object.keys(added).length > 0) await during(`updating tags for ECR Repository (${id})`, api.call("ecr", "TagResource", { resourceArn, tags: tagList(added) }, region));
  },

  async delete(id, outputs, { api, region }) {
    const deletion = api.find("ecr", "DeleteRepository", { repositoryName: id, force: outputs.forceDelete === true }, noRepository, region);
    await during(`deleting ECR Repository (${id})`, deletion);
  },
};

/** A document of a repository, which there is one of. */
function document(order: { type: string; noun: string; put: string; get: string; remove: string; member: string; absent: string }): Definition {
  const { type, noun, put, get, remove, member, absent } = order;
  const gone = [...noRepository, absent];
  return {
    type,
    inputs: ["policy", "repository"],
    required: ["policy", "repository"],
    replaceOn: ["repository"],
    documents: ["policy"],
    known: (_inputs, { api }) => ({ registryId: api.scope.accountId }),

    async create({ policy, repository: name }, { api, region }) {
      const repositoryName = String(name);
      await during(`creating ECR ${noun} (${repositoryName})`, api.call("ecr", put, { repositoryName, [member]: policy }, region));
      return repositoryName;
    },

    async read(id, { api, region }, olds) {
      const found = await during(`reading ECR ${noun} (${id})`, api.find("ecr", get, { repositoryName: id }, gone, region));
      // Documents that say the same are the same.
      return found && { outputs: { policy: sameJson(found[member], olds.policy) ? olds.policy : found[member], registryId: found.registryId, repository: id } };
    },

    async update(id, _olds, { policy }, { api, region }) {
      await during(`updating ECR ${noun} (${id})`, api.call("ecr", put, { repositoryName: id, [member]: policy }, region));
    },

    async delete(id, _outputs, { api, region }) {
      await during(`deleting ECR ${noun} (${id})`, api.find("ecr", remove, { repositoryName: id }, gone, region));
    },
  };
}

function sameJson(a: unknown, b: unknown): boolean {
  return typeof a === "string" && typeof b === "string" && JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
}

export const repositoryPolicy = document({
  type: "aws:ecr/repositoryPolicy:RepositoryPolicy",
  noun: "Repository Policy",
  put: "SetRepositoryPolicy",
  get: "GetRepositoryPolicy",
  remove: "DeleteRepositoryPolicy",
  member: "policyText",
  absent: "RepositoryPolicyNotFoundException",
});

export const lifecyclePolicy = document({
  type: "aws:ecr/lifecyclePolicy:LifecyclePolicy",
  noun: "Lifecycle Policy",
  put: "PutLifecyclePolicy",
  get: "GetLifecyclePolicy",
  remove: "DeleteLifecyclePolicy",
  member: "lifecyclePolicyText",
  absent: "LifecyclePolicyNotFoundException",
});
