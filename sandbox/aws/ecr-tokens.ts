/** What opens a registry: authorization tokens, each for the principal that asked for it, and tickets for one layer. */
import { randomBytes } from "node:crypto";
import { AUTHORIZATION_TOKEN_HOURS } from "../../facts/aws/ecr.js";
import type { Clock, ResourceStore } from "../types.js";
import type { Repository } from "./ecr-store.js";
import type { AwsCaller } from "./types.js";

/** Under this type the store keeps secrets: they are persisted apart and never listed. */
const TOKEN = "secret:aws/ecr-token";
const DOWNLOAD = "secret:aws/ecr-download";
/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html says that they are short-lived, not how long. */
const DOWNLOAD_MINUTES = 60;

interface Token {
  caller: AwsCaller;
  /** ISO 8601. */
  expiresAt: string;
}

interface Download {
  repositoryArn: string;
  digest: string;
  expiresAt: string;
}

export class EcrTokens {
  constructor(
    private readonly store: ResourceStore,
    private readonly clock: Clock,
  ) {}

  issue(caller: AwsCaller): { password: string; expiresAt: Date } {
    const password = randomBytes(192).toString("base64");
    const expiresAt = new Date(this.clock.now().getTime() + AUTHORIZATION_TOKEN_HOURS * 3_600_000);
    this.store.put(TOKEN, password, { caller, expiresAt: expiresAt.toISOString() } satisfies Token);
    return { password, expiresAt };
  }

  /** Whom a password proves; undefined for one that ECR did not give. */
  caller(password: string): { caller: AwsCaller; expired: boolean } | undefined {
    const token = this.store.get<Token>(TOKEN, password);
    return token && { caller: token.caller, expired: this.#past(token.expiresAt) };
  }

  putDownload(ticket: string, repository: Repository, digest: string): void {
    const expiresAt = new Date(this.clock.now().getTime() + DOWNLOAD_MINUTES * 60_000).toISOString();
    this.store.put(DOWNLOAD, ticket, { repositoryArn: repository.arn, digest, expiresAt } satisfies Download);
  }

  /** Whether a ticket opens this layer now. */
  opens(ticket: string, repository: Repository, digest: string): boolean {
    const found = this.store.get<Download>(DOWNLOAD, ticket);
    return found !== undefined && found.repositoryArn === repository.arn && found.digest === digest && !this.#past(found.expiresAt);
  }

  #past(time: string): boolean {
    return new Date(time) <= this.clock.now();
  }
}
