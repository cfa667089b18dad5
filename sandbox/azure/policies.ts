/** Azure Policy: definitions, their assignments, and what they make of a new or changed resource. https://learn.microsoft.com/azure/governance/policy/overview */
import { armError, badRequest, invalidContent } from "./arm-errors.js";
import { ExpressionError } from "./arm-expressions.js";
import { covers, groupId, normalised, parseArmId } from "./arm-ids.js";
import { atScopes, idAt, scopeOf } from "./arm-scopes.js";
import { BUILT_IN_POLICIES } from "./policies-built-in.js";
import { evaluatePolicy, type PolicyEffect, type PolicyQuestion } from "./policies-evaluate.js";
import { POLICY_ASSIGNMENT_TYPE, POLICY_DEFINITION_TYPE, type PolicyAssignmentProperties, type PolicyDefinitionProperties } from "./policies-model.js";
import { type ArmResource, type ArmResources, type AzureAnswer, type AzureRequest, type AzureRoute, type AzureServiceContext, RawAnswer } from "./service.js";
import { AzureError } from "./types.js";

export class Policies {
  constructor(private readonly resources: ArmResources) {}

  /** Writes what policies write, then asks those that deny. Throws RequestDisallowedByPolicy. */
  apply(resource: ArmResource): ArmResource {
    const id = parseArmId(resource.id);
    const group = id?.subscription !== undefined && id.group !== undefined ? this.resources.get(groupId(id.subscription, id.group)) : undefined;
    const applying = this.resources.list(POLICY_ASSIGNMENT_TYPE).flatMap((stored) => {
      const assignment = stored.properties as unknown as PolicyAssignmentProperties;
      const definition = this.definition(assignment.policyDefinitionId);
      const applies = covers(assignment.scope, resource.id) && !assignment.notScopes.some((scope) => covers(scope, resource.id)) && assignment.enforcementMode === "Default";
      return applies && definition ? [{ stored, assignment, definition }] : [];
    });
    const changed = applying.reduce((current, { assignment, definition }) => {
      const effect = effectOf({ resource: current, group, assignment, definition });
      return effect?.kind === "change" ? effect.resource : current;
    }, resource);
    const denying = applying.filter(({ assignment, definition }) => effectOf({ resource: changed, group, assignment, definition })?.kind === "deny");
    if (denying.length === 0) return changed;
    const identifiers = denying.map(({ stored, assignment, definition }) => ({
      policyAssignment: { name: assignment.displayName, id: stored.id },
      policyDefinition: { name: definition.displayName, id: assignment.policyDefinitionId },
    }));
    throw armError("policy", resource.name, JSON.stringify(identifiers));
  }

  definition(id: string): PolicyDefinitionProperties | undefined {
    const builtIn = /^\/providers\/microsoft\.authorization\/policydefinitions\/([^/]+)$/i.exec(id)?.[1]?.toLowerCase();
    const own = builtIn === undefined ? undefined : BUILT_IN_POLICIES[builtIn];
    return own ? { ...own, policyType: "BuiltIn" } : (this.resources.get(id)?.properties as PolicyDefinitionProperties | undefined);
  }
}

/** A rule that the sandbox does not play is an error rather than one that never holds. */
function effectOf(question: PolicyQuestion): PolicyEffect {
  try {
    return evaluatePolicy(question);
  } catch (error) {
    if (error instanceof ExpressionError) throw new AzureError(400, "InvalidPolicyRule", `The policy '${question.definition.displayName}' cannot be evaluated: ${error.message}`);
    throw error;
  }
}

export function policyRoutes(context: AzureServiceContext): AzureRoute[] {
  const policies = new Policies(context.resources);
  const at = (method: AzureRoute["method"], path: string, operation: string, run: (request: AzureRequest) => AzureAnswer): AzureRoute[] =>
    atScopes(method, path, `arm:${operation}`, async (request) => run(request));
  const opened = (request: AzureRequest, type: string, right: "read" | "write" | "delete"): string => {
    const id = idAt(request, type, "name");
    if (right !== "read" || parseArmId(id)?.subscription !== undefined) context.require(request.caller, `${type}/${right}`, id);
    return id;
  };
  const removal = (type: string, operation: string): AzureRoute[] =>
    at("DELETE", `${type}/{name}`, operation, (request) => {
      const id = opened(request, type, "delete");
      const found = context.resources.get(id);
      if (!found) return RawAnswer.json(204);
      context.resources.delete(id);
      return view(found);
    });
  const listing = (type: string, operation: string): AzureRoute[] =>
    at("GET", type, operation, (request) => {
      const scope = scopeOf(request);
      context.require(request.caller, `${type}/read`, scope);
      const found = context.resources.list(type).filter(({ id }) => covers(scope, id) || covers(parseArmId(id)?.scope ?? id, scope));
      const builtIns = type === POLICY_DEFINITION_TYPE ? Object.keys(BUILT_IN_POLICIES).map((name) => builtInView(policies, name)) : [];
      return { value: [...builtIns, ...found.map(view)] };
    });
  return [
    ...listing(POLICY_DEFINITION_TYPE, "PolicyDefinitions_List"),
    ...at("GET", `${POLICY_DEFINITION_TYPE}/{name}`, "PolicyDefinitions_Get", (request) => {
      const id = opened(request, POLICY_DEFINITION_TYPE, "read");
      const name = request.params["name"] ?? "";
      if (scopeOf(request) === "" && policies.definition(id)) return builtInView(policies, name);
      const found = context.resources.get(id);
      if (!found) throw new AzureError(404, "PolicyDefinitionNotFound", `The policy definition '${name}' could not be found.`);
      return view(found);
    }),
    ...at("PUT", `${POLICY_DEFINITION_TYPE}/{name}`, "PolicyDefinitions_CreateOrUpdate", (request) => {
      const id = opened(request, POLICY_DEFINITION_TYPE, "write");
      return RawAnswer.json(201, view(context.resources.put({ id, name: request.params["name"] ?? "", type: POLICY_DEFINITION_TYPE, properties: { ...readDefinition(request) } })));
    }),
    ...removal(POLICY_DEFINITION_TYPE, "PolicyDefinitions_Delete"),
    ...listing(POLICY_ASSIGNMENT_TYPE, "PolicyAssignments_List"),
    ...at("GET", `${POLICY_ASSIGNMENT_TYPE}/{name}`, "PolicyAssignments_Get", (request) => {
      const found = context.resources.get(opened(request, POLICY_ASSIGNMENT_TYPE, "read"));
      if (!found) throw new AzureError(404, "PolicyAssignmentNotFound", `The policy assignment '${request.params["name"] ?? ""}' is not found.`);
      return view(found);
    }),
    ...at("PUT", `${POLICY_ASSIGNMENT_TYPE}/{name}`, "PolicyAssignments_Create", (request) => {
      const id = opened(request, POLICY_ASSIGNMENT_TYPE, "write");
      return RawAnswer.json(201, view(context.resources.put({ id, name: request.params["name"] ?? "", type: POLICY_ASSIGNMENT_TYPE, properties: { ...readAssignment(policies, request) } })));
    }),
    ...removal(POLICY_ASSIGNMENT_TYPE, "PolicyAssignments_Delete"),
  ];
}

function readDefinition({ body, params }: AzureRequest): PolicyDefinitionProperties {
  const { properties } = (body ?? {}) as { properties?: Partial<PolicyDefinitionProperties> };
  const { policyRule, mode = "All", displayName = params["name"] ?? "", parameters = {} } = properties ?? {};
  if (policyRule === undefined || typeof policyRule.then !== "object" || policyRule.if === undefined) {
    throw new AzureError(400, "InvalidPolicyRule", "Failed to parse policy rule: it must have 'if' and 'then'.");
  }
  return { displayName, policyType: "Custom", mode, parameters, policyRule };
}

function readAssignment(policies: Policies, request: AzureRequest): PolicyAssignmentProperties {
  const { properties } = (request.body ?? {}) as { properties?: Partial<PolicyAssignmentProperties> };
  if (!properties) throw invalidContent("Required property 'properties' not found in JSON");
  const { policyDefinitionId, displayName = request.params["name"] ?? "", notScopes = [], parameters = {}, enforcementMode = "Default" } = properties;
  if (typeof policyDefinitionId !== "string") throw badRequest("The policy assignment's 'policyDefinitionId' is missing.");
  const definition = policies.definition(policyDefinitionId);
  if (!definition) throw new AzureError(404, "PolicyDefinitionNotFound", `The policy definition '${policyDefinitionId}' could not be found.`);
  const missing = Object.entries(definition.parameters).find(([name, { defaultValue }]) => defaultValue === undefined && parameters[name] === undefined);
  if (missing) {
    throw new AzureError(400, "MissingPolicyParameter", `The policy assignment is missing the parameter(s) '${missing[0]}' as defined in the policy definition '${normalised(policyDefinitionId).split("/").at(-1) ?? ""}'.`);
  }
  return { displayName, policyDefinitionId, scope: scopeOf(request), notScopes, parameters, enforcementMode };
}

const view = ({ id, name, type, properties }: ArmResource): object => ({ properties, id, type, name });

function builtInView(policies: Policies, name: string): object {
  const id = `/providers/${POLICY_DEFINITION_TYPE}/${name.toLowerCase()}`;
  return { properties: policies.definition(id), id, type: POLICY_DEFINITION_TYPE, name: name.toLowerCase() };
}
