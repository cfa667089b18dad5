/** Amazon ECR in the sandbox: private repositories of container images, by its API and by the registry protocol. */
import * as z from "zod";
import { ECR_LIMITS, REGISTRY_USER, ecrRefusals, encryptionTypes, tagMutabilities } from "../../facts/aws/ecr.js";
import type { WireRequest, WireResponse } from "../types.js";
import { EcrAccess, named, namesOf, operation, refuse, registryHost, registryId, repositoryArn, repositoryName, tagConditions } from "./ecr-access.js";
import { imageOperations, page } from "./ecr-images.js";
import { layerOperations } from "./ecr-layers.js";
import { policyOperations } from "./ecr-policies.js";
import { EcrStore, type EcrTag, type Repository } from "./ecr-store.js";
import { EcrTokens } from "./ecr-tokens.js";
import { createEcrRegistry } from "./ecr-registry.js";
import type { AwsService, AwsServiceContext, Operation, OperationRequest } from "./service.js";

const tag = z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256) });
const tags = z.array(tag).max(ECR_LIMITS.tags.max);
const scanning = z.object({ scanOnPush: z.boolean().optional() });
const mutability = z.enum(tagMutabilities);
const exclusionFilters = z.array(z.object({ filterType: z.literal("WILDCARD"), filter: z.string().regex(/^[0-9a-zA-Z._*-]{1,128}$/) })).min(1).max(5);
const encryption = z.object({ encryptionType: z.enum(encryptionTypes), kmsKey: z.string().optional() });

/** The service, and the same images by the protocol of `docker push` and `docker pull`. */
export interface Ecr extends AwsService {
  /** Requests to a registry's own host, `<account>.dkr.ecr.<region>.amazonaws.com`. */
  handleRegistry(request: WireRequest): Promise<WireResponse>;
}

function shown(repository: Repository): object {
  const { exclusionFilters: filters } = repository;
  return {
    ...namesOf(repository),
    repositoryArn: repository.arn,
    repositoryUri: repository.uri,
    createdAt: new Date(repository.createdAt),
    imageTagMutability: repository.tagMutability,
    ...(filters.length > 0 && { imageTagMutabilityExclusionFilters: filters.map((filter) => ({ filterType: "WILDCARD", filter })) }),
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: repository.encryption,
  };
}

export function createEcr(context: AwsServiceContext): Ecr {
  const { clock } = context.core;
  const store = new EcrStore(context.core.store);
  const access = new EcrAccess(context, store);
  const tokens = new EcrTokens(context.core.store, clock);

  const repositories: Record<string, Operation> = {
    CreateRepository: operation(
      z.object({
        ...named,
        tags: tags.optional(),
        imageTagMutability: mutability.optional(),
        imageTagMutabilityExclusionFilters: exclusionFilters.optional(),
        imageScanningConfiguration: scanning.optional(),
        encryptionConfiguration: encryption.optional(),
      }),
      (input, request) => {
        const { accountId } = request.caller.principal;
        const { repositoryName: name, tags: given = [] } = input;
        const arn = repositoryArn(accountId, request.region, name);
        access.require(request, "CreateRepository", arn, { conditions: tagConditions(given) });
        if (given.length > 0) access.require(request, "TagResource", arn, { conditions: tagConditions(given) });
        if (store.repository(accountId, request.region, name)) throw refuse(ecrRefusals.repositoryExists(name, accountId));
        const { encryptionType = "AES256", kmsKey } = input.encryptionConfiguration ?? {};
        const repository: Repository = {
          arn,
          registryId: accountId,
          region: request.region,
          name,
          uri: `${registryHost(accountId, request.region)}/${name}`,
          createdAt: clock.now().toISOString(),
          tagMutability: input.imageTagMutability ?? "MUTABLE",
          exclusionFilters: (input.imageTagMutabilityExclusionFilters ?? []).map(({ filter }) => filter),
          scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
          encryption: { encryptionType, ...(kmsKey !== undefined && { kmsKey }) },
          tags: given,
        };
        store.putRepository(repository);
        return { repository: shown(repository) };
      },
    ),
    DescribeRepositories: operation(
      z.object({ registryId, repositoryNames: z.array(repositoryName).min(1).max(100).optional(), nextToken: z.string().optional(), maxResults: z.number().int().min(1).max(1000).optional() }),
      (input, request) => {
        if (input.repositoryNames) {
          return { repositories: input.repositoryNames.map((name) => shown(access.open(request, { registryId: input.registryId, repositoryName: name }, "DescribeRepositories"))) };
        }
        const account = input.registryId ?? request.caller.principal.accountId;
        access.require(request, "DescribeRepositories", repositoryArn(account, request.region, "*"), { account });
        const { items, nextToken } = page(store.repositories(account, request.region), input);
        return { repositories: items.map(shown), ...nextToken };
      },
    ),
    DeleteRepository: operation(z.object({ ...named, force: z.boolean().optional() }), (input, request) => {
      const repository = access.open(request, input, "DeleteRepository");
      if (input.force !== true && store.images(repository).length > 0) throw refuse(ecrRefusals.repositoryNotEmpty(repository.name, repository.registryId));
      store.deleteRepository(repository);
      return { repository: shown(repository) };
    }),
    PutImageTagMutability: operation(
      z.object({ ...named, imageTagMutability: mutability, imageTagMutabilityExclusionFilters: exclusionFilters.optional() }),
      (input, request) => {
        const repository = access.open(request, input, "PutImageTagMutability");
        const filters = input.imageTagMutabilityExclusionFilters ?? [];
        store.putRepository({ ...repository, tagMutability: input.imageTagMutability, exclusionFilters: filters.map(({ filter }) => filter) });
        return { ...namesOf(repository), imageTagMutability: input.imageTagMutability, ...(filters.length > 0 && { imageTagMutabilityExclusionFilters: filters }) };
      },
    ),
    PutImageScanningConfiguration: operation(z.object({ ...named, imageScanningConfiguration: scanning }), (input, request) => {
      const repository = access.open(request, input, "PutImageScanningConfiguration");
      const scanOnPush = input.imageScanningConfiguration.scanOnPush ?? false;
      store.putRepository({ ...repository, scanOnPush });
      return { ...namesOf(repository), imageScanningConfiguration: { scanOnPush } };
    }),
  };

  /** The one operation that no policy can narrow to a repository. */
  const authorization: Record<string, Operation> = {
    GetAuthorizationToken: operation(z.object({ registryIds: z.array(z.string().regex(/^\d{12}$/)).min(1).max(10).optional() }), ({ registryIds }, request) => {
      const { caller, region } = request;
      access.require(request, "GetAuthorizationToken", "*");
      const data = (registryIds ?? [caller.principal.accountId]).map((account) => {
        const { password, expiresAt } = tokens.issue(caller);
        const authorizationToken = Buffer.from(`${REGISTRY_USER}:${password}`).toString("base64");
        return { authorizationToken, expiresAt, proxyEndpoint: `https://${registryHost(account, region)}` };
      });
      return { authorizationData: data };
    }),
  };

  function tagged(request: OperationRequest, action: string, arn: string, conditions: Record<string, string | string[]> = {}): Repository {
    const [, , , , account = "", resource = ""] = arn.split(":");
    return access.open(request, { registryId: account, repositoryName: resource.replace(/^repository\//, "") }, action, conditions);
  }

  const resourceArn = z.string().regex(/^arn:[\w-]+:ecr:[\w-]+:\d{12}:repository\/.+$/);
  const tagging: Record<string, Operation> = {
    TagResource: operation(z.object({ resourceArn, tags }), (input, request) => {
      const repository = tagged(request, "TagResource", input.resourceArn, tagConditions(input.tags));
      const kept = repository.tags.filter(({ Key }) => !input.tags.some((each: EcrTag) => each.Key === Key));
      store.putRepository({ ...repository, tags: [...kept, ...input.tags] });
      return {};
    }),
    UntagResource: operation(z.object({ resourceArn, tagKeys: z.array(z.string()) }), (input, request) => {
      const repository = tagged(request, "UntagResource", input.resourceArn, { "aws:TagKeys": input.tagKeys });
      store.putRepository({ ...repository, tags: repository.tags.filter(({ Key }) => !input.tagKeys.includes(Key)) });
      return {};
    }),
    ListTagsForResource: operation(z.object({ resourceArn }), (input, request) => ({ tags: tagged(request, "ListTagsForResource", input.resourceArn).tags })),
  };

  const operations = {
    ...repositories,
    ...authorization,
    ...policyOperations(context, store, access),
    ...layerOperations(store, access, tokens),
    ...imageOperations(clock, store, access),
    ...tagging,
  };
  return { name: "ecr", operations, handleRegistry: createEcrRegistry({ core: context.core, operations, store, tokens }) };
}
