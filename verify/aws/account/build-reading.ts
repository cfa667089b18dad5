/** Project, repository and build log, as their account can read them. */
import type { Build, Project } from "@aws-sdk/client-codebuild";
import { defaultRegions } from "../../../facts/aws/regions.js";
import type { BuildGrant } from "../codebuild.js";
import type { AccountReader, Reading } from "./reader.js";

/** In the contract's region. */
export function readProject(reader: AccountReader, { project, region }: BuildGrant): Promise<Reading<Project>> {
  return reader.once(`project ${project} ${region}`, async () => {
    const [{ BatchGetProjectsCommand }, client] = await Promise.all([import("@aws-sdk/client-codebuild"), reader.clients.codebuild(region, reader.signer)]);
    const reading = await reader.read("codebuild:BatchGetProjects", [], (abortSignal) => client.send(new BatchGetProjectsCommand({ names: [project] }), { abortSignal }));
    if (reading.status !== "read") return reading;
    const [found] = reading.value.projects ?? [];
    return found ? { status: "read", value: found } : { status: "absent", detail: `there is no project ${project} in ${region}` };
  });
}

/** Where a project of this name is, of the regions that every account has; undefined: nowhere there. */
export async function regionOfProject(reader: AccountReader, grant: BuildGrant): Promise<string | undefined> {
  const others = defaultRegions(reader.exchange.partition).filter((region) => region !== grant.region);
  const found = await Promise.all(others.map(async (region) => ((await readProject(reader, { ...grant, region })).status === "read" ? region : undefined)));
  return found.find((region) => region !== undefined);
}

export interface RepositoryFacts {
  /** `MUTABLE`, `IMMUTABLE`, and either with exclusions. */
  tagMutability: string;
  /** JSON text; absent when there is none. */
  policy: Reading<string>;
}

const MISSING = ["RepositoryNotFoundException"];
const NO_POLICY = ["RepositoryPolicyNotFoundException"];

/** @param uri `<account>.dkr.ecr.<region>.amazonaws.com/<name>` */
export function readRepository(reader: AccountReader, uri: string, region: string): Promise<Reading<RepositoryFacts>> {
  return reader.once(`repository ${uri}`, async () => {
    const repositoryName = uri.split("/").slice(1).join("/");
    const registryId = uri.split(".")[0] ?? "";
    const [{ DescribeRepositoriesCommand, GetRepositoryPolicyCommand }, client] = await Promise.all([import("@aws-sdk/client-ecr"), reader.clients.ecr(region, reader.signer)]);
    const [described, policy] = await Promise.all([
      reader.read("ecr:DescribeRepositories", MISSING, (abortSignal) => client.send(new DescribeRepositoriesCommand({ registryId, repositoryNames: [repositoryName] }), { abortSignal })),
      reader.read("ecr:GetRepositoryPolicy", [...MISSING, ...NO_POLICY], async (abortSignal) => (await client.send(new GetRepositoryPolicyCommand({ registryId, repositoryName }), { abortSignal })).policyText ?? ""),
    ]);
    if (described.status !== "read") return described;
    return { status: "read", value: { tagMutability: described.value.repositories?.[0]?.imageTagMutability ?? "MUTABLE", policy } };
  });
}

/** Whether a log group of exactly this name exists. */
export function readLogGroup(reader: AccountReader, name: string, region: string): Promise<Reading<boolean>> {
  return reader.once(`log group ${name}`, async () => {
    const [{ DescribeLogGroupsCommand }, client] = await Promise.all([import("@aws-sdk/client-cloudwatch-logs"), reader.clients.logs(region, reader.signer)]);
    return reader.read("logs:DescribeLogGroups", [], async (abortSignal) =>
      ((await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }), { abortSignal })).logGroups ?? []).some(({ logGroupName }) => logGroupName === name),
    );
  });
}

const LOG_LINES = 500;

/** The end of a build's log, a line each. */
export async function buildLog(reader: AccountReader, region: string, { logs }: Build): Promise<Reading<string[]>> {
  const { groupName, streamName } = logs ?? {};
  if (groupName === undefined || streamName === undefined) return { status: "absent", detail: "the build has no log" };
  const [{ GetLogEventsCommand }, client] = await Promise.all([import("@aws-sdk/client-cloudwatch-logs"), reader.clients.logs(region, reader.signer)]);
  return reader.read("logs:GetLogEvents", ["ResourceNotFoundException"], async (abortSignal) => {
    const { events = [] } = await client.send(new GetLogEventsCommand({ logGroupName: groupName, logStreamName: streamName, limit: LOG_LINES, startFromHead: false }), { abortSignal });
    return events.flatMap(({ message = "" }) => message.split("\n").filter((line) => line !== ""));
  });
}
