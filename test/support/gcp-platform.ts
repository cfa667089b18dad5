/** The platform without any diagnosis: what Google answers it on its way from the token to an object in the bucket. */
import type { Contract } from "../../contract/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import { proxied } from "../sandbox/gcp/proxied.js";
import { gcpExchangeOf, grantOf } from "./gcp.js";

export interface Refused {
  /** Where the way ends; `none` where it does not. */
  hop: "sts" | "iamcredentials" | "storage.create" | "none";
  code?: string;
  message?: string;
}

interface Answer {
  access_token?: string;
  accessToken?: string;
  error?: string | { code: number; status?: string; message: string };
  error_description?: string;
}

/** Goes as far as Google lets it. */
export async function walk(sandbox: Sandbox, contract: Contract, subjectToken: string): Promise<Refused> {
  const send = proxied(sandbox);
  const { poolProjectNumber, pool, provider, serviceAccountEmail, subjectTokenType } = gcpExchangeOf(contract);
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: `//iam.googleapis.com/projects/${poolProjectNumber}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`,
    scope: "https://www.googleapis.com/auth/cloud-platform",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: subjectToken,
    subject_token_type: subjectTokenType === "jwt" ? "urn:ietf:params:oauth:token-type:jwt" : "urn:ietf:params:aws:token-type:aws4_request",
  });
  const exchanged = await send("POST", "https://sts.googleapis.com/v1/token", { headers: { "content-type": "application/x-www-form-urlencoded" }, body: form.toString() });
  const federated = exchanged.body as Answer;
  if (exchanged.status !== 200) return refused("sts", federated);
  let token = federated.access_token;
  if (serviceAccountEmail !== undefined) {
    const url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${serviceAccountEmail}:generateAccessToken`;
    const impersonated = await send("POST", url, { token, body: { scope: ["https://www.googleapis.com/auth/cloud-platform"] } });
    if (impersonated.status !== 200) return refused("iamcredentials", impersonated.body as Answer);
    token = (impersonated.body as Answer).accessToken;
  }
  const { bucket } = grantOf(contract, "gcs-bucket");
  const stored = await send("POST", `https://storage.googleapis.com/upload/storage/v1/b/${bucket}/o?uploadType=media&name=delivery.txt`, { token, headers: { "content-type": "text/plain" }, body: "delivered" });
  return stored.status === 200 ? { hop: "none" } : refused("storage.create", stored.body as Answer);
}

/** STS says an OAuth error, IAM a status, Cloud Storage a number. */
function refused(hop: Refused["hop"], { error, error_description: description = "" }: Answer): Refused {
  if (typeof error !== "object") return { hop, code: error ?? "", message: description };
  return { hop, code: error.status ?? String(error.code), message: error.message };
}
