/** Cloud Run as the project's configuration has it: service, ingress, who may invoke it, and the rights of whoever deploys. */
import { fail, pass, type Check, type CheckScope, type Verdict } from "../check.js";
import { accountCheck, rightsCheck, unread, type AccountParts } from "./account/checks.js";
import { accountVerdict, actAsPrediction } from "./builds-prediction.js";
import { INVOKERS_UNCHECKED } from "./causes/service.js";
import { cause, type GcpRun } from "./run.js";
import { isOwnService, OPEN_INGRESS, serviceName, serviceValues, type ServiceGrant } from "./service.js";
import { namingMissing } from "./service-causes.js";

const EVERYBODY = ["allUsers", "allAuthenticatedUsers"];

export function serviceAccountChecks(run: GcpRun, parts: AccountParts, grant: ServiceGrant): Check[] {
  const { id, service, projectId, runtimeServiceAccountEmail: runtime, permissions, role } = grant;
  const named = (check: Check) => namingMissing(run, check, "gcp.service.deployer-role-missing", deployerValues(grant));
  return [
    accountCheck(`account.${id}`, `runtime account ${runtime}`, [], () => accountVerdict(run, parts, runtime, "gcp.service.runtime-account-missing")),
    actAsPrediction(run, parts, `${id}.account`, projectId, runtime, [`account.${id}`], "gcp.service.act-as-missing"),
    ...(service === undefined
      ? [named(rightsCheck(run, parts, id, `project ${projectId}`, `//cloudresourcemanager.googleapis.com/projects/${projectId}`, permissions, [], role))]
      : [
          accountCheck(`service.${id}`, `service ${service}`, ["apis"], () => serviceVerdict(run, parts, grant, service)),
          // A custom role of the platform's own has the right to set the policy; the role of the grant has the rest.
          named(rightsCheck(run, parts, id, `service ${service}`, `//run.googleapis.com/${serviceName(grant, service)}`, permissions, [`service.${id}`], role)),
          accountCheck(`invokers.${id}`, `who may invoke service ${service}`, [`service.${id}`], (scope) => invokers(run, parts, grant, service, scope)),
        ]),
  ];
}

/** For the cause of a missing right to deploy. */
export function deployerValues({ service, projectId, permissions, role }: ServiceGrant) {
  return { permission: permissions.join(", "), role, project: projectId, subject: service === undefined ? `project ${projectId}` : `service ${service}` };
}

async function serviceVerdict(run: GcpRun, { documents }: AccountParts, grant: ServiceGrant, service: string): Promise<Verdict> {
  const reading = await documents.resource("run", serviceName(grant, service));
  if (reading.status === "unreadable") return unread(reading);
  const values = serviceValues(grant, service);
  if (reading.status === "absent") return fail(reading.detail, cause(run, "gcp.service.missing", reading.detail, values));
  const { ingress = OPEN_INGRESS, uri } = reading.value;
  const seen = `ingress ${String(ingress)}`;
  if (ingress !== OPEN_INGRESS && isOwnService(run, grant, service)) return fail(seen, cause(run, "gcp.service.internal-ingress", `its ingress is ${String(ingress)}`, values));
  return pass(`${typeof uri === "string" ? uri : "without an address"}, ${seen}`);
}

/** By the service's policy and the project's, or with the check of invokers off. */
async function invokers(run: GcpRun, { documents, rights }: AccountParts, grant: ServiceGrant, service: string, scope: CheckScope): Promise<Verdict> {
  const name = serviceName(grant, service);
  const [reading, answer] = await Promise.all([documents.resource("run", name), rights.decide(EVERYBODY, "run.routes.invoke", `//run.googleapis.com/${name}`)]);
  if (typeof answer === "string") return unread({ status: "unreadable", reason: answer });
  const unchecked = reading.status === "read" && reading.value["invokerIamDisabled"] === true;
  const open = answer.allowed || unchecked;
  const everybody = answer.binding?.binding.members.filter((member) => EVERYBODY.includes(member)) ?? [];
  const how = unchecked ? INVOKERS_UNCHECKED : open ? `${everybody.join(", ")} may invoke it` : "nobody may invoke it without a token";
  const values = serviceValues(grant, service);
  if (open && grant.publicAccess === "private") return fail(how, cause(run, "gcp.service.public", how, { ...values, found: unchecked ? INVOKERS_UNCHECKED : everybody[0] }));
  if (!open && grant.publicAccess === "customer") return fail(how, cause(run, "gcp.service.not-public", how, values));
  if (open && grant.publicAccess === "platform") scope.remark(`Service ${service} is public: the platform, which may, has made it so, or somebody else.`);
  return pass(how);
}
