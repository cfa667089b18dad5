/**
 * Whether a request is allowed: every layer of policies, in the order of AWS's evaluation logic.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 */
import { RequestContext } from "./conditions.js";
import { readPolicy, type PolicyDocument, type Statement } from "./policy.js";
import { principalContext, statementNaming, type Naming } from "./principals.js";
import { conditionsHold, coversAction, coversResource, knowsVariables } from "./statements.js";
import type { Authorization, AuthorizationRequest, NamedPolicy, PolicyLayer, PolicySet } from "./types.js";

/** AWS's names of the layers. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
const LAYER_NAME: Readonly<Record<PolicyLayer, string>> = {
  identity: "identity-based policy",
  resource: "resource-based policy",
  boundary: "permissions boundary",
  session: "session policy",
  "service-control": "service control policy",
  "resource-control": "resource control policy",
};

/** Layers in the order in which AWS considers them; where several deny, the first is named. */
const LAYERS: readonly PolicyLayer[] = ["resource-control", "service-control", "resource", "identity", "boundary", "session"];

interface Layer {
  policies: { name: string; document: PolicyDocument }[];
}

interface Match {
  policy: string;
  statement: Statement;
  /** Of resource-based policies. */
  naming: Naming | undefined;
}

/**
 * Decides one action on one resource.
 *
 * The date keys come from `request.now`, the system's clock when absent. A key in `request.context` takes precedence over
 * the one derived from the principal. Throws `PolicyError`, naming the policy, when a policy is no policy document.
 */
export function authorize(request: AuthorizationRequest, policies: PolicySet): Authorization {
  const context = requestContext(request);
  const layers = readLayers(request, policies);

  for (const layer of LAYERS) {
    const deny = matches(layers[layer], layer, "Deny", request, context)[0];
    if (deny !== undefined) return refusal(layer, request, deny);
  }

  const blocked = serviceControlBlock(layers["service-control"], request, context);
  if (blocked) return refusal("service-control", request);

  const resourceGrant = closest(matches(layers.resource, "resource", "Allow", request, context));
  const identityGrant = matches(layers.identity, "identity", "Allow", request, context)[0];
  const ceiling = (["boundary", "session"] as const).find(
    (layer) => layers[layer].policies.length > 0 && matches(layers[layer], layer, "Allow", request, context).length === 0,
  );
  return decide(request, policies, { resourceGrant, identityGrant, ceiling });
}

interface Grants {
  resourceGrant: Match | undefined;
  identityGrant: Match | undefined;
  /** The first layer that caps the principal and does not allow the request. */
  ceiling: "boundary" | "session" | undefined;
}

function decide(request: AuthorizationRequest, policies: PolicySet, { resourceGrant, identityGrant, ceiling }: Grants): Authorization {
  const { principal } = request;
  if (principal.kind === "anonymous" || principal.kind === "service") {
    return resourceGrant === undefined ? refusal("resource", request) : grant("resource", resourceGrant);
  }
  const sameAccount = principal.accountId === request.resourceAccountId;
  const named = resourceGrant !== undefined && resourceGrant.naming !== "account";

  if (sameAccount && named) {
    // Naming the session or the user grants past what boundary and session policies merely do not mention.
    const limited = resourceGrant.naming === "role" || resourceGrant.naming === "anyone";
    return limited && ceiling !== undefined ? refusal(ceiling, request) : grant("resource", resourceGrant);
  }
  if (resourceGrant === undefined && (!sameAccount || policies.resourcePolicyDecides === true)) return refusal("resource", request);
  // An account's root user may do everything that nothing denies, in its own account or where the resource's owner lets it.
  if (principal.kind === "root") return rootGrant();
  if (identityGrant === undefined) return refusal("identity", request);
  return ceiling === undefined ? grant("identity", identityGrant) : refusal(ceiling, request);
}

/** AWS's whole sentence for a refusal. */
export function accessDeniedMessage(request: AuthorizationRequest, authorization: Authorization): string {
  const who = request.principal.kind === "anonymous" ? "anonymous" : request.principal.arn;
  return `User: ${who} is not authorized to perform: ${request.action} on resource: ${request.resource} ${authorization.because}`;
}

function requestContext(request: AuthorizationRequest): RequestContext {
  const now = request.now ?? new Date();
  return new RequestContext({
    ...principalContext(request.principal),
    "aws:ResourceAccount": request.resourceAccountId,
    "aws:CurrentTime": now.toISOString(),
    "aws:EpochTime": String(Math.floor(now.getTime() / 1000)),
    "aws:ViaAWSService": "false",
  })
    .add(request.context)
    .suppose(request.supposition);
}

function readLayers({ principal }: AuthorizationRequest, policies: PolicySet): Record<PolicyLayer, Layer> {
  const read = (list: readonly (NamedPolicy | undefined)[] | undefined): Layer => ({
    policies: (list ?? []).flatMap((policy) => (policy === undefined ? [] : [{ name: policy.name, document: readPolicy(policy) }])),
  });
  const ownsPolicies = principal.kind === "role-session" || principal.kind === "user";
  const inOrganisation = ownsPolicies || principal.kind === "root";
  return {
    identity: read(ownsPolicies ? policies.identity : []),
    resource: read([policies.resource]),
    boundary: read(ownsPolicies ? [policies.boundary] : []),
    session: read(ownsPolicies ? policies.session : []),
    "service-control": read(inOrganisation ? policies.serviceControl : []),
    "resource-control": read(policies.resourceControl),
  };
}

function matches(layer: Layer, kind: PolicyLayer, effect: "Allow" | "Deny", request: AuthorizationRequest, context: RequestContext): Match[] {
  return layer.policies.flatMap(({ name, document }) =>
    document.statements.flatMap((statement) => {
      if (statement.effect !== effect || !coversAction(statement, request.action)) return [];
      const naming = kind === "resource" || kind === "resource-control" ? statementNaming(statement, request.principal) : undefined;
      if ((kind === "resource" || kind === "resource-control") && naming === undefined) return [];
      const variables = knowsVariables(document) ? context.variable : undefined;
      if (!coversResource(statement, request.resource, variables) || !conditionsHold(statement, context, document)) return [];
      return [{ policy: name, statement, naming }];
    }),
  );
}

/**
 * Every level of an organisation must allow. A policy with an Allow stands for a level; one that only denies stands
 * beside `FullAWSAccess`, which AWS attaches everywhere by default.
 */
function serviceControlBlock(layer: Layer, request: AuthorizationRequest, context: RequestContext): boolean {
  const levels = layer.policies.filter(({ document }) => document.statements.some(({ effect }) => effect === "Allow"));
  return levels.some((policy) => matches({ policies: [policy] }, "service-control", "Allow", request, context).length === 0);
}

const NAMING_ORDER: readonly (Naming | undefined)[] = ["session", "user", "service", "role", "anyone", "account"];

/** The grant that names the principal most closely: it is limited by the fewest other layers. */
function closest(grants: readonly Match[]): Match | undefined {
  return [...grants].sort((a, b) => NAMING_ORDER.indexOf(a.naming) - NAMING_ORDER.indexOf(b.naming))[0];
}

function statementOf({ policy, statement }: Match): NonNullable<Authorization["statement"]> {
  return { policy, index: statement.index, ...(statement.sid === undefined ? {} : { sid: statement.sid }) };
}

function grant(layer: "identity" | "resource", match: Match): Authorization {
  const because = `allowed by ${layer === "identity" ? "an identity-based policy" : "a resource-based policy"}`;
  return { allowed: true, decision: "allowed", layer, statement: statementOf(match), because };
}

function rootGrant(): Authorization {
  return { allowed: true, decision: "allowed", layer: "identity", because: "allowed to the account's root user" };
}

function refusal(layer: PolicyLayer, request: AuthorizationRequest, deny?: Match): Authorization {
  const name = LAYER_NAME[layer];
  if (deny === undefined) {
    return { allowed: false, decision: "implicit-deny", layer, because: `because no ${name} allows the ${request.action} action` };
  }
  const because = `with an explicit deny in ${layer === "identity" ? "an" : "a"} ${name}`;
  return { allowed: false, decision: "explicit-deny", layer, statement: statementOf(deny), because };
}
