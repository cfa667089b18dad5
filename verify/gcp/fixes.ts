/** Commands that fixes share, with the run's values. */
import type { GcpCauseValues } from "./causes.js";

/** The way back to what the stack declares. */
export const up = "Run `pulumi up --refresh` in the stack's project";

export const quote = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** Flags that name the pool's place in gcloud. */
export function poolFlags({ exchange }: GcpCauseValues): string {
  return `--location=global --project=${exchange.poolProjectNumber}`;
}

export function providerCommand(values: GcpCauseValues, verb: string, flags = ""): string {
  const { pool, provider, subjectTokenType } = values.exchange;
  const kind = verb === "update" ? (subjectTokenType === "jwt" ? "update-oidc" : "update-aws") : verb;
  return `gcloud iam workload-identity-pools providers ${kind} ${provider} --workload-identity-pool=${pool} ${poolFlags(values)}${flags === "" ? "" : ` ${flags}`}`;
}

export function poolCommand(values: GcpCauseValues, verb: string, flags = ""): string {
  return `gcloud iam workload-identity-pools ${verb} ${values.exchange.pool} ${poolFlags(values)}${flags === "" ? "" : ` ${flags}`}`;
}

/** The service account that the contract names. */
export const accountOf = ({ exchange }: GcpCauseValues): string => exchange.serviceAccountEmail ?? "";

export function bindingCommand(values: GcpCauseValues, verb: "add" | "remove" = "add"): string {
  return `gcloud iam service-accounts ${verb}-iam-policy-binding ${accountOf(values)} --project=${values.exchange.projectId} --role=roles/iam.workloadIdentityUser --member=${quote(values.exchange.principal)}`;
}

/** Who acts in the project, as a policy member. */
export function sessionMember({ exchange }: GcpCauseValues): string {
  return exchange.serviceAccountEmail === undefined ? exchange.principal : `serviceAccount:${exchange.serviceAccountEmail}`;
}
