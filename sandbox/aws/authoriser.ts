/** Brings the policies that a question is decided by to `trust/`, as enforcement sees them now. */
import { accessDeniedMessage, authorize } from "../../trust/aws/authorize.js";
import type { Authorization, AuthorizationRequest, NamedPolicy, PolicySet, Principal } from "../../trust/aws/types.js";
import type { SandboxCore } from "../types.js";
import type { Identity, IamStore } from "./iam-store.js";
import type { AccessQuestion, Authoriser } from "./service.js";
import { AwsError, type AwsCaller } from "./types.js";

/** Policies of an organisation, by `<account>/<name>`; the administrator sets them. */
export const SERVICE_CONTROL_POLICY = "aws:organizations/scp";
export const RESOURCE_CONTROL_POLICY = "aws:organizations/rcp";

/** The policies of an organisation that an account is under. */
export function organisationPolicies(core: SandboxCore, type: typeof SERVICE_CONTROL_POLICY | typeof RESOURCE_CONTROL_POLICY, accountId: string): NamedPolicy[] {
  return core.store
    .list(type)
    .filter(({ id }) => id.startsWith(`${accountId}/`))
    .flatMap(({ id }) => core.store.effective<NamedPolicy>(type, id) ?? []);
}

export class PolicyAuthoriser implements Authoriser {
  constructor(
    private readonly core: SandboxCore,
    private readonly iam: IamStore,
  ) {}

  decide(question: AccessQuestion): Authorization {
    return authorize(...this.#ask(question));
  }

  require(question: AccessQuestion): void {
    const [request, policies] = this.#ask(question);
    const answer = authorize(request, policies);
    if (!answer.allowed) throw new AwsError("AccessDenied", 403, accessDeniedMessage(request, answer));
  }

  #ask({ request, action, resource, resourceAccountId, context, resourcePolicy, resourcePolicyDecides }: AccessQuestion): [AuthorizationRequest, PolicySet] {
    const { caller } = request;
    const identity = this.#identity(caller.principal);
    return [
      {
        principal: withTags(caller.principal, identity),
        action,
        resource,
        resourceAccountId,
        context: { "aws:RequestedRegion": request.region, ...request.context, ...context },
        now: this.core.clock.now(),
      },
      {
        identity: identity ? this.#identityPolicies(identity) : [],
        boundary: this.#boundary(identity),
        session: sessionPolicies(caller),
        resource: resourcePolicy,
        serviceControl: organisationPolicies(this.core, SERVICE_CONTROL_POLICY, caller.principal.accountId),
        resourceControl: organisationPolicies(this.core, RESOURCE_CONTROL_POLICY, resourceAccountId),
        ...(resourcePolicyDecides !== undefined && { resourcePolicyDecides }),
      },
    ];
  }

  #identity({ kind, accountId, arn, roleArn, uniqueId }: Principal): Identity | undefined {
    if (kind === "user") {
      const user = this.iam.user(accountId, arn.slice(arn.lastIndexOf("/") + 1), "effective");
      return user?.userId === uniqueId ? user : undefined;
    }
    const role = roleArn === undefined ? undefined : this.iam.roleByArn(roleArn, "effective");
    return role?.roleId === uniqueId ? role : undefined;
  }

  #identityPolicies(identity: Identity): NamedPolicy[] {
    const inline = Object.entries(identity.inlinePolicies).map(([name, document]) => ({ name, document }));
    return [...inline, ...identity.attachedPolicies.flatMap((arn) => this.#managed(arn) ?? [])];
  }

  #managed(arn: string): NamedPolicy | undefined {
    const document = this.iam.effectiveDocument(arn);
    return document === undefined ? undefined : { name: arn, document };
  }

  /** A boundary whose policy is gone allows nothing. */
  #boundary(identity: Identity | undefined): NamedPolicy | undefined {
    const arn = identity?.permissionsBoundary;
    return arn === undefined ? undefined : (this.#managed(arn) ?? { name: arn, document: NOTHING });
  }
}

const NOTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}';

function sessionPolicies(caller: AwsCaller): NamedPolicy[] | undefined {
  return caller.sessionPolicies?.map((document, index) => ({ name: `session policy ${index + 1}`, document }));
}

/** A session's own tags go before those of its role. */
function withTags(principal: Principal, identity: Identity | undefined): Principal {
  if (!identity) return principal;
  return { ...principal, tags: { ...Object.fromEntries(identity.tags.map(({ Key, Value }) => [Key, Value])), ...principal.tags } };
}
