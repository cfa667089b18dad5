/** Projects and builds as the API shows them. */
import type { BuildRecord, BuildSettings, PhaseRecord, ProjectRecord } from "./codebuild-store.js";

function settings({ source, environment, serviceRole, timeoutInMinutes, queuedTimeoutInMinutes, encryptionKey, vpcConfig }: BuildSettings): object {
  return {
    source: { insecureSsl: false, ...source },
    cache: { type: "NO_CACHE" },
    environment,
    serviceRole,
    timeoutInMinutes,
    queuedTimeoutInMinutes,
    encryptionKey,
    ...(vpcConfig && { vpcConfig }),
  };
}

export function projectOutput(project: ProjectRecord): object {
  const { name, arn, description, tags, created, lastModified, logsConfig, concurrentBuildLimit } = project;
  return {
    name,
    arn,
    ...(description !== undefined && { description }),
    ...settings(project),
    secondarySources: [],
    secondaryArtifacts: [],
    artifacts: { type: "NO_ARTIFACTS" },
    tags,
    created: new Date(created),
    lastModified: new Date(lastModified),
    badge: { badgeEnabled: false },
    logsConfig: { ...logsConfig, s3Logs: { status: "DISABLED", encryptionDisabled: false } },
    ...(concurrentBuildLimit !== undefined && { concurrentBuildLimit }),
    projectVisibility: "PRIVATE",
  };
}

export function buildOutput(build: BuildRecord): object {
  const { id, arn, buildNumber, startTime, endTime, currentPhase, buildStatus, projectName, phases, initiator } = build;
  return {
    id,
    arn,
    buildNumber,
    startTime: new Date(startTime),
    ...(endTime !== undefined && { endTime: new Date(endTime) }),
    currentPhase,
    buildStatus,
    projectName,
    phases: phases.map(phaseOutput),
    ...settings(build),
    artifacts: { location: "" },
    logs: logsOutput(build),
    buildComplete: buildStatus !== "IN_PROGRESS",
    initiator,
  };
}

function phaseOutput({ phaseType, phaseStatus, startTime, endTime, contexts }: PhaseRecord): object {
  return {
    phaseType,
    ...(phaseStatus && { phaseStatus }),
    startTime: new Date(startTime),
    ...(endTime !== undefined && { endTime: new Date(endTime), durationInSeconds: Math.floor((endTime - startTime) / 1000) }),
    ...(contexts && { contexts: contexts.map(({ statusCode, message }) => ({ statusCode, message })) }),
  };
}

function logsOutput({ logs, logsConfig, accountId, region, arn }: BuildRecord): object {
  const { cloudWatchLogs } = logsConfig;
  const disabled = { cloudWatchLogs, s3Logs: { status: "DISABLED", encryptionDisabled: false } };
  if (!logs) return { deepLink: `https://console.${consoleHost(region)}/cloudwatch/home?region=${region}#logEvent:group=null;stream=null`, ...disabled };
  const { groupName, streamName } = logs;
  return {
    groupName,
    streamName,
    deepLink: `https://console.${consoleHost(region)}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${encodeURIComponent(groupName).replaceAll("%", "$25")}/log-events/${encodeURIComponent(streamName).replaceAll("%", "$25")}`,
    cloudWatchLogsArn: `arn:${arn.split(":")[1] ?? "aws"}:logs:${region}:${accountId}:log-group:${groupName}:log-stream:${streamName}`,
    ...disabled,
  };
}

/** The console of the region's partition. */
function consoleHost(region: string): string {
  if (region.startsWith("cn-")) return "amazonaws.cn";
  return region.startsWith("us-gov-") ? "amazonaws-us-gov.com" : "aws.amazon.com";
}
