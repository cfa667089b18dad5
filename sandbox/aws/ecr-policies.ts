/** Policies of ECR's repositories: who may use them, and which images expire. */
import * as z from "zod";
import { ECR_LIMITS, ecrRefusals } from "../../facts/aws/ecr.js";
import { parsePolicy } from "../../trust/aws/policy.js";
import { type EcrAccess, named, namesOf, operation, refuse } from "./ecr-access.js";
import type { EcrStore, Repository } from "./ecr-store.js";
import { text } from "./members.js";
import { showPrincipals, storePrincipals } from "./resource-policy.js";
import type { AwsServiceContext, Operation, OperationRequest } from "./service.js";
import { onEverything } from "./sts.js";

/** The document as ECR keeps it; its statements name no resource. Throws `InvalidParameterException`. */
function checkedPolicy(document: string, context: AwsServiceContext): string {
  const parsed = parsePolicy(document, "resource").document;
  const namesResources = parsed?.statements.some(({ resources, notResources }) => resources ?? notResources);
  if (!parsed || namesResources === true || parsePolicy(onEverything(document), "resource").mistakes.length > 0) throw refuse(ecrRefusals.policyInvalid());
  return storePrincipals(document, context, () => refuse(ecrRefusals.policyInvalid()));
}

const lifecyclePolicy = z.object({
  rules: z
    .array(
      z.object({
        rulePriority: z.number().int().min(1),
        selection: z.looseObject({
          tagStatus: z.enum(["tagged", "untagged", "any"]),
          countType: z.enum(["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"]),
          countNumber: z.number().int().min(1),
        }),
        action: z.looseObject({ type: z.enum(["expire", "transition"]) }),
        description: z.string().optional(),
      }),
    )
    .min(1),
});

/** Throws `InvalidParameterException`. https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html */
function checkLifecyclePolicy(document: string): void {
  let read: unknown;
  try {
    read = JSON.parse(document);
  } catch {
    throw refuse(ecrRefusals.lifecyclePolicyInvalid("the policy is no JSON"));
  }
  const [issue] = lifecyclePolicy.safeParse(read).error?.issues ?? [];
  if (issue) throw refuse(ecrRefusals.lifecyclePolicyInvalid(`${issue.path.join(".")}: ${issue.message}`));
}

export function policyOperations(context: AwsServiceContext, store: EcrStore, access: EcrAccess): Record<string, Operation> {
  function shownPolicy(repository: Repository): object {
    const document = store.policy(repository);
    if (document === undefined) throw refuse(ecrRefusals.policyMissing(repository.name, repository.registryId));
    return { ...namesOf(repository), policyText: showPrincipals(document, context) };
  }

  function lifecycle(repository: Repository): object {
    const { lifecyclePolicy: lifecyclePolicyText } = repository;
    if (lifecyclePolicyText === undefined) throw refuse(ecrRefusals.lifecyclePolicyMissing(repository.name, repository.registryId));
    return { ...namesOf(repository), lifecyclePolicyText };
  }

  function requireStillAllowed(request: OperationRequest, repository: Repository, document: string): void {
    if (!access.allows(request, repository, "SetRepositoryPolicy", document)) throw refuse(ecrRefusals.policyLocksOut());
  }

  return {
    SetRepositoryPolicy: operation(z.object({ ...named, policyText: text(ECR_LIMITS.policyText), force: z.boolean().optional() }), (input, request) => {
      const repository = access.open(request, input, "SetRepositoryPolicy");
      const document = checkedPolicy(input.policyText, context);
      if (input.force !== true) requireStillAllowed(request, repository, document);
      store.putPolicy(repository, document);
      return shownPolicy(repository);
    }),
    GetRepositoryPolicy: operation(z.object(named), (input, request) => shownPolicy(access.open(request, input, "GetRepositoryPolicy"))),
    DeleteRepositoryPolicy: operation(z.object(named), (input, request) => {
      const repository = access.open(request, input, "DeleteRepositoryPolicy");
      const deleted = shownPolicy(repository);
      store.deletePolicy(repository);
      return deleted;
    }),
    PutLifecyclePolicy: operation(z.object({ ...named, lifecyclePolicyText: text(ECR_LIMITS.lifecyclePolicyText) }), (input, request) => {
      const repository = access.open(request, input, "PutLifecyclePolicy");
      checkLifecyclePolicy(input.lifecyclePolicyText);
      const changed = { ...repository, lifecyclePolicy: input.lifecyclePolicyText };
      store.putRepository(changed);
      return lifecycle(changed);
    }),
    GetLifecyclePolicy: operation(z.object(named), (input, request) => ({
      ...lifecycle(access.open(request, input, "GetLifecyclePolicy")),
      lastEvaluatedAt: new Date(0),
    })),
    DeleteLifecyclePolicy: operation(z.object(named), (input, request) => {
      const repository = access.open(request, input, "DeleteLifecyclePolicy");
      const deleted = lifecycle(repository);
      const { lifecyclePolicy: _policy, ...kept } = repository;
      store.putRepository(kept);
      return { ...deleted, lastEvaluatedAt: new Date(0) };
    }),
  };
}
