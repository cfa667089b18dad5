/**
 * Which rights the session holds, asked without doing anything: `testIamPermissions` answers everybody about himself and
 * changes nothing. It does not know the conditions that look at single objects, so where a round trip is possible that counts.
 * https://cloud.google.com/iam/docs/testing-permissions
 */
import { fail, pass, unknown, type Check, type CheckScope, type Verdict } from "../check.js";
import { describeAnswer, isOverload, type GcpCall } from "./answers.js";
import { diagnoseRefusal, rightMayBePropagation, type RightCall } from "./rights-causes.js";
import { askAsSession, cause, diagnosis, open, type GcpRun } from "./run.js";

/** Where rights are asked. */
export interface Place {
  /** For people: `service hello`. */
  title: string;
  /** Full resource name. */
  resource: string;
  call(permissions: readonly string[]): GcpCall;
}

export function projectPlace(projectId: string): Place {
  return {
    title: `project ${projectId}`,
    resource: `//cloudresourcemanager.googleapis.com/projects/${projectId}`,
    call: (permissions) => ({ method: "POST", url: `https://cloudresourcemanager.googleapis.com/v1/projects/${projectId}:testIamPermissions`, body: { permissions } }),
  };
}

export function servicePlace(projectId: string, region: string, service: string): Place {
  const name = `projects/${projectId}/locations/${region}/services/${service}`;
  return { title: `service ${service}`, resource: `//run.googleapis.com/${name}`, call: (permissions) => ({ method: "POST", url: `https://run.googleapis.com/v2/${name}:testIamPermissions`, body: { permissions } }) };
}

export function accountPlace(projectId: string, email: string): Place {
  return {
    title: `service account ${email}`,
    resource: `//iam.googleapis.com/projects/${projectId}/serviceAccounts/${email}`,
    call: (permissions) => ({ method: "POST", url: `https://iam.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:testIamPermissions`, body: { permissions } }),
  };
}

export function repositoryPlace(name: string): Place {
  return { title: `repository ${name.split("/").at(-1) ?? name}`, resource: `//artifactregistry.googleapis.com/${name}`, call: (permissions) => ({ method: "POST", url: `https://artifactregistry.googleapis.com/v1/${name}:testIamPermissions`, body: { permissions } }) };
}

export interface HeldQuestion {
  id: string;
  place: Place;
  /** Must be held. */
  wanted: readonly string[];
  /** Must not be held. */
  unwanted?: readonly string[] | undefined;
  /** That the contract grants them by. */
  role?: string | undefined;
}

/** The session holds what the contract grants there, and not what it must not. */
export function heldCheck(run: GcpRun, question: HeldQuestion, needs: string[] = []): Check {
  const { id, place } = question;
  return {
    id: `gcp.held.${id}`,
    title: `Rights on ${place.title}`,
    grade: "live",
    required: true,
    needs: [run.exchange.serviceAccountEmail === undefined ? "gcp.exchange" : "gcp.impersonation", ...needs],
    deadlineMs: 60_000,
    run: (scope) => ask(run, question, scope),
  };
}

async function ask(run: GcpRun, { id, place, wanted, unwanted = [], role }: HeldQuestion, scope: CheckScope): Promise<Verdict> {
  const right: RightCall = { operation: "testIamPermissions", permission: wanted[0] ?? "", resource: place.resource, role };
  const missingIn = (held: unknown) => wanted.filter((permission) => !(Array.isArray(held) && held.includes(permission)));
  const { answer, exhausted } = await run.waiter.until(
    `gcp.held.${id}`,
    scope,
    () => askAsSession(run, place.call([...wanted, ...unwanted]), scope.signal),
    async (given) => {
      if (!given.ok) return given.kind === "no-answer" ? undefined : rightMayBePropagation(run, right, given);
      const [missing] = missingIn(given.json["permissions"]);
      if (missing === undefined) return undefined;
      return (await run.account?.rightOf(missing, place.resource))?.status === "refused" ? undefined : missing;
    },
  );
  if (!answer.ok) {
    const seen = `testIamPermissions: ${describeAnswer(answer)}`;
    if (answer.kind === "no-answer" || isOverload(answer)) return unknown(seen);
    const found = await diagnoseRefusal(run, right, answer, exhausted);
    return found ? fail(seen, found) : unknown(seen);
  }
  const held = answer.json["permissions"];
  const surplus = unwanted.filter((permission) => Array.isArray(held) && held.includes(permission));
  const missing = missingIn(held);
  if (missing.length > 0) return fail(`not held: ${missing.join(", ")}`, await missingCause(run, missing, place, exhausted, role));
  if (surplus.length > 0) return fail(`held: ${surplus.join(", ")}`, cause(run, "gcp.iam.too-wide", `testIamPermissions answers ${surplus.join(", ")}`, { permission: surplus.join(", "), subject: place.resource }));
  return pass(`${wanted.length === 0 ? "" : `${wanted.join(", ")}; `}${unwanted.length === 0 ? "" : `not ${unwanted.join(", ")}`}`.replace(/; $/, ""));
}

async function missingCause(run: GcpRun, missing: readonly string[], place: Place, waited: boolean, role: string | undefined) {
  const evidence = `testIamPermissions on ${place.title} leaves out ${missing.join(", ")}`;
  const values = { permission: missing.join(", "), subject: place.resource, role };
  const predicted = await run.account?.rightOf(missing[0] ?? "", place.resource);
  if (predicted?.status === "refused") return { ...predicted.cause, evidence: [evidence, ...predicted.cause.evidence] };
  const fresh = waited ? [] : [open(cause(run, "gcp.iam.not-propagated", evidence, values))];
  const missingOne = predicted?.status === "allowed" ? [] : [open(cause(run, "gcp.iam.permission-missing", evidence, values))];
  return diagnosis([...missingOne, ...fresh, open(cause(run, "gcp.iam.constrained", evidence, values))], ["deny policies above the project"]) ?? cause(run, "gcp.iam.permission-missing", evidence, values);
}
