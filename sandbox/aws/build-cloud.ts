/** The cloud as a build sees it: the services under the build role's session, over the build's network. */
import { FaultError } from "../types.js";
import { dnsSuffix } from "./s3-state.js";
import type { CallAs } from "./service-role.js";
import { AwsError, type AwsCaller, type AwsServiceName } from "./types.js";

/** The call got no answer: the build's subnet has no way out. */
export class NoRoute extends Error {
  constructor(readonly url: string) {
    super(`Connect timeout on endpoint URL: "${url}"`);
  }
}

export class BuildCloud {
  /** Passwords of registries that this build was given. */
  readonly registryPasswords = new Set<string>();

  constructor(
    private readonly callAs: CallAs,
    private readonly session: AwsCaller,
    /** False in a VPC without a way out. */
    private readonly hasEgress: boolean,
  ) {}

  /** Throws `AwsError`, and {@link NoRoute} when there is no network. `url` is where the client sends it. */
  async call(service: AwsServiceName, operation: string, input: Record<string, unknown>, region: string, url = endpoint(service, region)): Promise<Record<string, unknown>> {
    if (!this.hasEgress) throw new NoRoute(url);
    try {
      return await this.callAs(this.session, service, operation, input, region);
    } catch (error) {
      if (error instanceof FaultError) throw new AwsError(error.fault.code, error.fault.status, error.fault.message);
      throw error;
    }
  }
}

/** https://docs.aws.amazon.com/general/latest/gr/rande.html */
export function endpoint(service: AwsServiceName, region: string): string {
  const suffix = dnsSuffix(region);
  if (service === "iam") return `https://iam.${suffix}/`;
  return `https://${service === "ecr" ? "api.ecr" : service}.${region}.${suffix}/`;
}
