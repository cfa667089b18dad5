/** Which projects a stack works in, and what of them can be known before anything is registered. */
import * as pulumi from "@pulumi/pulumi";
import { getRepository } from "@pulumi/gcp/artifactregistry/getRepository.js";
import { getService } from "@pulumi/gcp/cloudrunv2/getService.js";
import { getCluster } from "@pulumi/gcp/container/getCluster.js";
import { getProject } from "@pulumi/gcp/organizations/getProject.js";
import { getAccount } from "@pulumi/gcp/serviceaccount/getAccount.js";
import { getBucket } from "@pulumi/gcp/storage/getBucket.js";
import { poolAdoptionMistakes, providerAdoptionMistakes, type ExpectedProvider } from "../components/gcp/index.js";
import { judgeStated, type StatedAdmission } from "../components/gcp/stated-admission.js";
import type { Contract } from "../contract/index.js";
import { SANDBOX_PROJECT_LABEL } from "../facts/sandbox.js";
import { firstLine, type Lookup } from "./lookups.js";

export interface Project {
  id: string;
  number: string;
  environment: Contract["environment"];
}

export interface Place {
  /** The project that the grants are in. */
  target: Project;
  /** The project that hosts pool and provider. */
  host: Project;
}

/** Stops before anything is registered when a project cannot be read, or the provider is configured for another. */
export async function findPlace(projectId: string, hostId: string | undefined): Promise<Place> {
  const configured = new pulumi.Config("gcp").get("project");
  if (configured !== undefined && configured !== projectId) {
    throw new pulumi.RunError(
      `This stack is for project ${projectId}, but gcp:project is ${configured}. Nothing was changed. Set it with \`pulumi config set gcp:project ${projectId}\`, or choose the stack of ${configured}.`,
    );
  }
  const target = await findProject("projectId", projectId);
  const host = hostId === undefined || hostId === projectId ? target : await findProject("pool.projectId", hostId);
  if (host.environment !== target.environment) {
    throw new pulumi.RunError(`pool.projectId: ${host.id} is of the ${host.environment}, and ${target.id} of the ${target.environment}. Nothing was changed. Use projects of one of them.`);
  }
  return { target, host };
}

async function findProject(path: string, projectId: string): Promise<Project> {
  try {
    const { number, labels, effectiveLabels } = await getProject({ projectId });
    if (!/^\d+$/.test(number)) throw new Error("Google tells no number of it");
    return { id: projectId, number, environment: (effectiveLabels[SANDBOX_PROJECT_LABEL] ?? labels[SANDBOX_PROJECT_LABEL]) === "true" ? "sandbox" : "cloud" };
  } catch (error) {
    throw new pulumi.RunError(
      `${path}: the project ${projectId} cannot be read: ${firstLine(error)}. Nothing was changed. Check the id, the credentials (\`gcloud auth application-default login\`) ` +
        "and that they have resourcemanager.projects.get on it.",
    );
  }
}

/** An existing pool, and the provider in it if that exists too, with who is meant to get in. */
export async function lookUpTrust(expected: ExpectedProvider, existingProvider: boolean, workload: Pick<StatedAdmission, "oidc" | "aws">): Lookup {
  const { mapping, condition } = expected;
  const stated = existingProvider ? judgeStated({ mapping, condition, ...workload }) : [];
  const pool = await poolAdoptionMistakes(expected);
  const provider = pool.length > 0 || !existingProvider ? [] : await providerAdoptionMistakes(expected);
  const found = [...stated, ...pool, ...provider];
  return found.map(({ path, reason }) => `${KEYS[path] ?? path}: ${reason}`);
}

/** From a component's argument to the configuration's key. */
const KEYS: Readonly<Record<string, string>> = {
  poolId: "pool.id",
  providerId: "provider.id",
  attributeMapping: "provider.attributeMapping",
  attributeCondition: "provider.attributeCondition",
  "oidc.issuerUri": "workload.issuer",
  "oidc.tokenAudience": "workload.tokenAudience",
  "oidc.jwksJson": "workload.jwksJson",
  "aws.accountId": "klavi.awsAccountId",
};

export function lookUpBucket(name: string, { target, region }: { target: Project; region: string }): Lookup {
  return looked("bucket.name", `the bucket ${name}`, async () => {
    const { location, projectNumber, uniformBucketLevelAccess, publicAccessPrevention } = await getBucket({ name });
    return [
      ...(String(projectNumber) === target.number ? [] : [`bucket.name: ${name} is in the project with the number ${projectNumber}, not in ${target.id} (${target.number}): its rights and its logs are that project's`]),
      ...(location.toLowerCase() === region ? [] : [`bucket.name: ${name} is in ${location.toLowerCase()}, not in ${region}: use a bucket there, or set region`]),
      ...(uniformBucketLevelAccess ? [] : [`bucket.name: ${name} has object ACLs: switch to uniform access with \`gcloud storage buckets update gs://${name} --uniform-bucket-level-access\``]),
      ...(publicAccessPrevention === "enforced" ? [] : [`bucket.name: ${name} does not prevent public access: do so with \`gcloud storage buckets update gs://${name} --public-access-prevention\``]),
    ];
  });
}

export function lookUpRepository(repositoryId: string, { target, region }: { target: Project; region: string }): Lookup {
  return looked("repository.name", `the repository ${repositoryId} in ${region} of ${target.id}`, async () => {
    const { format } = await getRepository({ project: target.id, location: region, repositoryId });
    return format === "DOCKER" ? [] : [`repository.name: ${repositoryId} is for ${format}, not for Docker images, and that can never be changed: use another`];
  });
}

export function lookUpAccount(path: string, email: string, project: string): Lookup {
  return looked(path, `the service account ${email}`, async () => {
    const { disabled } = await getAccount({ accountId: email, project });
    return disabled ? [`${path}: ${email} is disabled: enable it with \`gcloud iam service-accounts enable ${email}\``] : [];
  });
}

export function lookUpService(name: string, { target, region }: { target: Project; region: string }): Lookup {
  return looked("cloudRun.serviceName", `the service ${name} in ${region} of ${target.id}`, async () => {
    await getService({ project: target.id, location: region, name });
    return [];
  });
}

export function lookUpCluster(name: string, location: string, projectId: string): Lookup {
  return looked("gke.cluster", `the cluster ${name} in ${location} of ${projectId}`, async () => {
    const { endpoint } = await getCluster({ project: projectId, location, name });
    return endpoint ? [] : [`gke.cluster: the cluster ${name} in ${location} of ${projectId} is not there, or has no address`];
  });
}

async function looked(path: string, what: string, work: () => Promise<string[]>): Lookup {
  try {
    return await work();
  } catch (error) {
    // The stack enables the API before it needs it; until then nothing can be known.
    const line = firstLine(error);
    return /SERVICE_DISABLED|has not been used in project|API is not enabled/i.test(line) ? [] : [`${path}: ${what} cannot be read: ${line}`];
  }
}
