/** The files that clients are pointed at: the CA's certificate, and what Google's clients and the `az` CLI take from files only. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AzureFiles, createAzureFiles } from "./azure/client-files.js";
import type { AzureCloud } from "./azure/types.js";
import type { GcpCloud } from "./gcp/types.js";

export interface GoogleFiles {
  /** gcloud's configuration folder, empty at each start: what gcloud remembers of another sandbox's tokens would be wrong. */
  configFolder: string;
  /** An access token of the administrator, as gcloud reads it. */
  accessTokenFile: string;
  /** Application default credentials of the administrator. */
  credentialsFile: string;
}

export interface ClientFiles {
  caFile: string;
  google: GoogleFiles;
  azure: AzureFiles;
  /** Removes everything, unless there is a state file beside it. */
  remove(): Promise<void>;
}

interface Clouds {
  gcp: GcpCloud;
  azure: AzureCloud;
}

/** Beside the state file, so that a shell's variables outlive a restart, else in a temporary folder. */
export async function createClientFiles(stateFile: string | undefined, caPem: string, clouds: Clouds): Promise<ClientFiles> {
  if (stateFile === undefined) {
    const folder = await mkdtemp(join(tmpdir(), "cloud-federation-"));
    const files = await write({ caFile: join(folder, "ca.pem"), google: join(folder, "google"), azure: join(folder, "azure") }, caPem, clouds);
    return { ...files, remove: () => rm(folder, { recursive: true, force: true }) };
  }
  const places: Places = { caFile: `${stateFile}.ca.pem`, google: `${stateFile}.google`, azure: `${stateFile}.azure` };
  await Promise.all([places.google, places.azure].map((folder) => rm(folder, { recursive: true, force: true })));
  return { ...(await write(places, caPem, clouds)), remove: async () => undefined };
}

interface Places {
  caFile: string;
  google: string;
  azure: string;
}

async function write(places: Places, caPem: string, { gcp, azure }: Clouds): Promise<Omit<ClientFiles, "remove">> {
  await writeFile(places.caFile, caPem, { mode: 0o644 });
  return { caFile: places.caFile, google: await createGoogleFiles(places.google, gcp), azure: await createAzureFiles(places.azure, azure) };
}

const secret = { mode: 0o600 };

async function createGoogleFiles(folder: string, gcp: GcpCloud): Promise<GoogleFiles> {
  const configFolder = join(folder, "gcloud");
  await mkdir(configFolder, { recursive: true, mode: 0o700 });
  const files: GoogleFiles = { configFolder, accessTokenFile: join(folder, "access-token"), credentialsFile: join(folder, "application-default-credentials.json") };
  const { accessToken, refreshToken } = gcp.administrator();
  const credentials = { type: "authorized_user", client_id: "cloud-federation-sandbox.apps.googleusercontent.com", client_secret: "none", refresh_token: refreshToken };
  await Promise.all([writeFile(files.accessTokenFile, accessToken, secret), writeFile(files.credentialsFile, `${JSON.stringify(credentials, undefined, 2)}\n`, secret), forgoMetadata(configFolder)]);
  return files;
}

/** gcloud asks the metadata server of Compute Engine whether it is there, and keeps the answer for ten minutes: this one stays fresh. */
async function forgoMetadata(configFolder: string): Promise<void> {
  const file = join(configFolder, "gce");
  await writeFile(file, "False", secret);
  const farAhead = new Date("2100-01-01T00:00:00Z");
  await utimes(file, farAhead, farAhead);
}
