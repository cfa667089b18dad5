/** The files that clients are pointed at: the CA's certificate, and what Google's clients take from files only. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  /** Removes everything, unless there is a state file beside it. */
  remove(): Promise<void>;
}

/** Beside the state file, so that a shell's variables outlive a restart, else in a temporary folder. */
export async function createClientFiles(stateFile: string | undefined, caPem: string, gcp: GcpCloud): Promise<ClientFiles> {
  if (stateFile === undefined) {
    const folder = await mkdtemp(join(tmpdir(), "cloud-federation-"));
    const files = await write(join(folder, "ca.pem"), join(folder, "google"), caPem, gcp);
    return { ...files, remove: () => rm(folder, { recursive: true, force: true }) };
  }
  const google = `${stateFile}.google`;
  await rm(google, { recursive: true, force: true });
  return { ...(await write(`${stateFile}.ca.pem`, google, caPem, gcp)), remove: async () => undefined };
}

async function write(caFile: string, googleFolder: string, caPem: string, gcp: GcpCloud): Promise<Omit<ClientFiles, "remove">> {
  await writeFile(caFile, caPem, { mode: 0o644 });
  return { caFile, google: await createGoogleFiles(googleFolder, gcp) };
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
