import * as pulumi from "@pulumi/pulumi";
import { getIamPolicyOutput } from "@pulumi/gcp/projects/getIamPolicy.js";
import { IAMAuditConfig } from "@pulumi/gcp/projects/iamauditConfig.js";
import { choiceViolation } from "../../facts/rules.js";
import { childOptions, GcpChecks, lookupOptions } from "./common.js";

/** https://cloud.google.com/logging/docs/audit/configure-data-access#config-project */
export const auditLogTypes = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"] as const;

/** Data access logs of one service. */
export interface GcpAuditedServiceArgs {
  /** Such as `storage.googleapis.com`; `iam.googleapis.com` covers tokens of service accounts, `sts.googleapis.com` the exchange. */
  service: string;
  /** Of {@link auditLogTypes}; at least one. */
  logTypes: string[];
}

export interface GcpAuditLogsArgs {
  /** Id of the project whose data access is logged, in all of its resources: Google configures it per project and service. */
  projectId: pulumi.Input<string>;
  services: GcpAuditedServiceArgs[];
}

/**
 * Data access audit logs, in addition to what the project logs already: log types and exempted members that are configured
 * stay as they are, and everything stays on destroy. Logs cost by their volume.
 *
 * @throws ResourceError with every mistake in the inputs, before anything is changed
 */
export class GcpAuditLogs extends pulumi.ComponentResource {
  constructor(name: string, args: GcpAuditLogsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cloud-federation:index:GcpAuditLogs", name, {}, opts);
    const checks = new GcpChecks(this, "GcpAuditLogs", name);
    const project = checks.text("projectId", args.projectId, "projectId");
    for (const [index, { service, logTypes }] of args.services.entries()) {
      checks.text(`services[${index}].service`, service, "service");
      if (logTypes.length === 0) checks.add(`services[${index}].logTypes`, `must be one or more of ${auditLogTypes.join(", ")}`);
      for (const [at, type] of logTypes.entries()) checks.value(`services[${index}].logTypes[${at}]`, type, (value) => choiceViolation<string>(auditLogTypes, value));
      if (args.services.findIndex((other) => other.service === service) !== index) checks.add(`services[${index}].service`, `names ${service} a second time`);
    }
    checks.finish();

    const { policyData } = getIamPolicyOutput({ project }, lookupOptions(this, opts));
    for (const { service, logTypes } of args.services) {
      new IAMAuditConfig(
        `${name}-${service.replace(".googleapis.com", "")}`,
        { project, service, auditLogConfigs: policyData.apply((policy) => merged(policy, service, logTypes)) },
        // The provider sets the whole configuration of a service: taken away, it would take along what was there before.
        { ...childOptions(this, opts), retainOnDelete: true },
      );
    }
    this.registerOutputs({});
  }
}

interface LogConfig {
  logType: string;
  exemptedMembers?: string[];
}

/** What there is for the service, and what is wanted of it. The same again once it is so. */
export function merged(policyData: string, service: string, logTypes: readonly string[]): LogConfig[] {
  const { auditConfigs = [] } = JSON.parse(policyData) as { auditConfigs?: { service: string; auditLogConfigs?: LogConfig[] }[] };
  const present = auditConfigs.filter((config) => config.service === service).flatMap(({ auditLogConfigs = [] }) => auditLogConfigs);
  const added: LogConfig[] = logTypes.filter((logType) => !present.some((config) => config.logType === logType)).map((logType) => ({ logType }));
  return [...present, ...added]
    .map(({ logType, exemptedMembers = [] }) => ({ logType, ...(exemptedMembers.length > 0 ? { exemptedMembers } : {}) }))
    .sort((one, other) => (one.logType < other.logType ? -1 : 1));
}
