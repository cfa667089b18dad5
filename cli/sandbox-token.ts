import type { TokenOptions } from "./sandbox.js";
import { parseClaims } from "./sandbox-arguments.js";
import { SandboxClient } from "./sandbox-client.js";

/** Prints the token alone, for `$(…)` and pipes. */
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
  process.stdout.write(`${token}\n`);
}
