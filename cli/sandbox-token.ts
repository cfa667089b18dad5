import type { TokenOptions } from "./sandbox.js";
import { parseClaims } from "./sandbox-arguments.js";
import { SandboxClient } from "./sandbox-client.js";

/** Prints the token alone, for `$(…)`, pipes and files: clients send a token file's bytes as they are, so only a terminal gets a new line. */
export async function printToken(options: TokenOptions): Promise<void> {
  const { subject, issuer, audience, expiresIn, claim, kid, foreignKey } = options;
  const { token } = await new SandboxClient(options.sandbox).post<{ token: string }>("/tokens", {
    subject,
    issuer,
    audience: audience?.length === 1 ? audience[0] : audience,
    expiresInSeconds: expiresIn,
    claims: claim && parseClaims(claim),
    kid,
    foreignKey,
    createIssuer: true,
  });
  process.stdout.write(process.stdout.isTTY ? `${token}\n` : token);
}
