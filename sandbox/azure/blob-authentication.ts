/** Whom a request of the Blob service proves. https://learn.microsoft.com/rest/api/storageservices/authorize-requests-to-azure-storage */
import { BEARER_SINCE, STORAGE_AUDIENCE } from "../../facts/azure/storage.js";
import type { WireRequest } from "../types.js";
import type { BlobAccess } from "./blob-access.js";
import type { BlobCredential } from "./blob-call.js";
import { assertSigned } from "./blob-shared-key.js";
import type { AzureServiceContext } from "./service.js";
import { storageRefusal } from "./storage-errors.js";
import type { Account, StorageState } from "./storage-state.js";
import { sameResource } from "./tokens.js";
import type { AzureError } from "./types.js";

export class BlobAuthentication {
  constructor(
    private readonly context: AzureServiceContext,
    private readonly state: StorageState,
    private readonly access: BlobAccess,
  ) {}

  /** Throws AzureError 401 or 403 for credentials that prove nothing. */
  credentialOf(request: WireRequest, account: Account, version: string): BlobCredential {
    const header = request.headers["authorization"];
    const [, scheme = "", value = ""] = /^(\S+)\s+(\S.*)$/.exec(header ?? "") ?? [];
    const keysAllowed = account.properties.allowSharedKeyAccess !== false;
    if (header === undefined) {
      if (request.url.searchParams.has("sig")) throw this.#signedUrl(request, keysAllowed);
      return { kind: "anonymous" };
    }
    if (/^bearer$/i.test(scheme)) return this.#bearer(request, account, version, value);
    if (/^shared-?key(?:lite)?$/i.test(scheme)) {
      if (!keysAllowed) throw storageRefusal("KeyBasedAuthenticationNotPermitted");
      assertSigned(request, { scheme, value }, account, this.state.keys(account), this.state.now());
      return { kind: "key" };
    }
    throw failed(`Authentication scheme ${scheme} is not supported in this version.`);
  }

  #bearer(request: WireRequest, account: Account, version: string, token: string): BlobCredential {
    if (!request.secure) throw failed("Authentication scheme Bearer is not allowed with HTTP.");
    if (version < BEARER_SINCE) throw failed("Authentication scheme Bearer is not supported in this version.");
    const { blobSuffix } = this.state.cloudOf(account);
    const audiences = [STORAGE_AUDIENCE, `https://${account.name}.${blobSuffix}`];
    const caller = this.context.cloud.authenticate(token, audiences);
    if (!caller) throw this.#invalid(account, whatIsWrong(token, audiences, this.state.now()));
    if (caller.tenantId !== this.state.tenantOf(account)) throw this.#invalid(account, "Issuer validation failed. Issuer did not match.");
    return { kind: "bearer", caller };
  }

  #invalid(account: Account, detail: string): AzureError {
    return storageRefusal("InvalidAuthenticationInfo", { AuthenticationErrorDetail: detail }, this.access.challenge(account));
  }

  /** Signatures of users' delegation keys prove nothing here: the sandbox gives no such keys out. */
  #signedUrl({ url: { searchParams } }: WireRequest, keysAllowed: boolean): AzureError {
    return keysAllowed || searchParams.has("skoid") ? failed("Signature did not match.") : storageRefusal("KeyBasedAuthenticationNotPermitted");
  }
}

const failed = (detail: string): AzureError => storageRefusal("AuthenticationFailed", { AuthenticationErrorDetail: detail });

/** For a token that proved nobody. Says nothing of its content. */
function whatIsWrong(token: string, audiences: readonly string[], now: Date): string {
  const claims = claimsOf(token);
  if (!claims) return "IDX12741: JWT must have three segments (JWS) or five segments (JWE).";
  if (!audiences.some((audience) => sameResource(audience, String(claims["aud"])))) return "Audience validation failed. Audience did not match.";
  if (Number(claims["exp"]) * 1000 <= now.getTime()) return "Lifetime validation failed. The token is expired.";
  return "Signature validation failed. Signature key not found.";
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  const segments = token.split(".");
  if (segments.length !== 3) return undefined;
  try {
    return JSON.parse(Buffer.from(segments[1] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
