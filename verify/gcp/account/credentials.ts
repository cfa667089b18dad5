/** Where `--account` takes its credentials from: Application Default Credentials. https://cloud.google.com/docs/authentication/application-default-credentials */
import { InputError } from "../../input-error.js";
import type { Network } from "../../network.js";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const DEADLINE_MS = 20_000;

/** @throws InputError when there are none, or Google does not take them */
export async function ambientAccessToken(network: Network): Promise<string> {
  const given = network.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? network.env["CLOUDSDK_AUTH_ACCESS_TOKEN"] ?? "";
  if (given !== "") return given;
  const { GoogleAuth } = await import("google-auth-library");
  const file = network.env["GOOGLE_APPLICATION_CREDENTIALS"] ?? "";
  const agent = network.agentFor(new URL("https://oauth2.googleapis.com"));
  const auth = new GoogleAuth({
    scopes: [SCOPE],
    // Named, so that the library does not go looking for one at Resource Manager.
    projectId: "-",
    ...(file === "" ? {} : { keyFilename: file }),
    clientOptions: { transporterOptions: { agent, timeout: DEADLINE_MS } },
  });
  try {
    const token = await auth.getAccessToken();
    if (typeof token === "string" && token !== "") return token;
    throw new Error("no token came");
  } catch (error) {
    throw new InputError(
      `--account found no credentials that Google takes (${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}): run \`gcloud auth application-default login\`, or set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_OAUTH_ACCESS_TOKEN.`,
    );
  }
}
