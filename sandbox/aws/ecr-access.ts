/** Which repository is meant, and may this caller do this to it? Every operation of ECR goes through here. */
import * as z from "zod";
import { ECR_LIMITS, type EcrRefusal, ecrRefusals } from "../../facts/aws/ecr.js";
import { operation as checked, text } from "./members.js";
import { type EcrStore, type EcrTag, type Repository } from "./ecr-store.js";
import { dnsSuffix, partitionOf } from "./s3-state.js";
import { requireAllowed } from "./service-role.js";
import type { AwsServiceContext, OperationRequest } from "./service.js";
import { onEverything } from "./sts.js";
import { AwsError } from "./types.js";

export const repositoryName = text(ECR_LIMITS.repositoryName);
export const registryId = z.string().regex(/^\d{12}$/).optional();
/** The members by which most operations name a repository. */
export const named = { registryId, repositoryName };
export type Named = z.output<z.ZodObject<typeof named>>;

/** ECR calls every broken member an invalid parameter. */
export const operation: typeof checked = (schema, run) => checked(schema, run, "InvalidParameterException");

export function refuse({ code, message }: EcrRefusal): AwsError {
  return new AwsError(code, 400, message);
}

/** The repository's part of an answer. */
export function namesOf(repository: Repository): { registryId: string; repositoryName: string } {
  return { registryId: repository.registryId, repositoryName: repository.name };
}

/** A registry's host name. https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html */
export function registryHost(account: string, region: string): string {
  return `${account}.dkr.ecr.${region}.${dnsSuffix(region)}`;
}

export function repositoryArn(account: string, region: string, name: string): string {
  return `arn:${partitionOf(region)}:ecr:${region}:${account}:repository/${name}`;
}

/** Condition keys of an operation that gives tags. */
export function tagConditions(tags: readonly EcrTag[]): Record<string, string | string[]> {
  if (tags.length === 0) return {};
  return { "aws:TagKeys": tags.map(({ Key }) => Key), ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])) };
}

export class EcrAccess {
  constructor(
    private readonly context: AwsServiceContext,
    private readonly store: EcrStore,
  ) {}

  /** Throws AccessDeniedException, whether or not there is such a repository, then RepositoryNotFoundException. */
  open(request: OperationRequest, { registryId: registry, repositoryName: name }: Named, action: string, conditions: Record<string, string | string[]> = {}): Repository {
    const account = registry ?? request.caller.principal.accountId;
    const repository = this.store.repository(account, request.region, name);
    this.require(request, action, repositoryArn(account, request.region, name), { account, repository, conditions });
    if (!repository) throw refuse(ecrRefusals.repositoryMissing(name, account));
    return repository;
  }

  /** For operations on a name, an ARN or `*`. */
  require(
    request: OperationRequest,
    action: string,
    resource: string,
    { account = request.caller.principal.accountId, repository, conditions = {} }: { account?: string; repository?: Repository | undefined; conditions?: Record<string, string | string[]> } = {},
  ): void {
    requireAllowed(this.context, {
      request,
      action: `ecr:${action}`,
      resource,
      resourceAccountId: account,
      context: { ...resourceTags(repository), ...conditions },
      resourcePolicy: repository && this.#policy(repository),
    });
  }

  /** Whether the caller could do this under another policy than the one that is there. */
  allows(request: OperationRequest, repository: Repository, action: string, document = this.store.policy(repository, "effective"), conditions: Record<string, string | string[]> = {}): boolean {
    return this.context.authoriser.decide({
      request,
      action: action.startsWith("ecr:") ? action : `ecr:${action}`,
      resource: repository.arn,
      resourceAccountId: repository.registryId,
      context: { ...resourceTags(repository), ...conditions },
      resourcePolicy: document === undefined ? undefined : { name: "repository policy", document: onEverything(document) },
    }).allowed;
  }

  #policy(repository: Repository): { name: string; document: string } | undefined {
    const document = this.store.policy(repository, "effective");
    // A repository's policy is about the repository, without saying so.
    return document === undefined ? undefined : { name: "repository policy", document: onEverything(document) };
  }
}

function resourceTags(repository: Repository | undefined): Record<string, string> {
  return Object.fromEntries((repository?.tags ?? []).flatMap(({ Key, Value }) => [[`aws:ResourceTag/${Key}`, Value], [`ecr:ResourceTag/${Key}`, Value]]));
}
