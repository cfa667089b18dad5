/** What the canary leaves that the granted rights do not reach, each with the command by which its account removes it. */
import type { Build } from "@aws-sdk/client-codebuild";
import type { Residue } from "../check.js";
import type { BuildGrant } from "./codebuild.js";

export interface StartedBuild {
  id: string;
  /** Seen to its end. */
  ended: boolean;
  /** Where it logged, once it has ended. */
  log?: Build["logs"];
}

export interface Deployed {
  functionName: string;
  /** It was called, so that it began a log. */
  called: boolean;
  builds: readonly StartedBuild[];
  /** `<repository>@sha256:…` of the first build; empty when it was not seen. */
  firstImage: string;
}

export function lastingResidue(grant: BuildGrant, { functionName, called, builds, firstImage }: Deployed): Residue[] {
  const { region, repositoryUri } = grant;
  const where = `--region ${region}`;
  const group = `/aws/lambda/${functionName}`;
  return [
    ...builds.flatMap((build) => residueOfBuild(grant, build)),
    ...(called ? [{ what: `log group ${group}`, remove: `aws logs delete-log-group --log-group-name ${group} ${where}` }] : []),
    ...(builds.length > 0 && repositoryUri !== undefined ? [images(repositoryUri.split("/").slice(1).join("/"), functionName, firstImage.split("@")[1], where)] : []),
  ];
}

function residueOfBuild({ project, region }: BuildGrant, { id, ended, log }: StartedBuild): Residue[] {
  const stop = { what: `build ${id}, which may still be under way (codebuild:StopBuild is not granted), and what it deploys`, remove: `aws codebuild stop-build --id ${id} --region ${region}` };
  if (ended && log?.streamName === undefined) return [];
  const { groupName = `/aws/codebuild/${project}`, streamName = id.split(":")[1] ?? "" } = log ?? {};
  const stream = { what: `the log of build ${id}, if it got so far`, remove: `aws logs delete-log-stream --log-group-name ${groupName} --log-stream-name ${streamName} --region ${region}` };
  return ended ? [stream] : [stop, stream];
}

/** The second push moves the tag, so that the first image has its digest only. */
function images(repository: string, tag: string, firstDigest: string | undefined, where: string): Residue {
  const first = firstDigest === undefined ? "" : ` imageDigest=${firstDigest}`;
  return { what: `images of the canary in repository ${repository}: the tag ${tag}, and the untagged one that it was moved from`, remove: `aws ecr batch-delete-image --repository-name ${repository} --image-ids imageTag=${tag}${first} ${where}` };
}
