/** What is particular to an integration in the demonstration: who presents what, and what is broken. */
import type { Contract } from "../contract/index.js";
import type { Sandbox } from "../sandbox/index.js";
import type { TokenSource, VerifyOptions } from "../verify/index.js";

export interface Scene {
  /** As in `examples/`. */
  integration: string;
  /** Who has the credentials that read the account or project: `the account's owner`. */
  owner: string;
  /** What people do once, by hand, before the stack. */
  prepare?(sandbox: Sandbox): Promise<void>;
  /** The platform, as verify is given it. */
  token(sandbox: Sandbox, contract: Contract): Promise<TokenSource>;
  /** Credentials of the sandbox's administrator, who may read. */
  account(sandbox: Sandbox): NonNullable<VerifyOptions["account"]>;
  /** What is about to be broken, after "Break one thing: ". */
  mistake: string;
  /** Breaks it as somebody would by hand; a sentence on what stands there now. */
  break(sandbox: Sandbox, contract: Contract): Promise<string>;
  /** What the breakage has to be diagnosed as. */
  cause: string;
}

/** A token of the workload's issuer, which lives in the sandbox and can make broken ones too. */
export async function issuedToken(sandbox: Sandbox, { workload }: Contract): Promise<TokenSource> {
  const { functionToken } = await import("../verify/index.js");
  const { issuer, subject, audience } = workload;
  return functionToken((order) => sandbox.issuers.mint({ issuer, subject, audience, ...order }), ["subject", "audience", "expiresInSeconds"]);
}
