/** What AWS Lambda keeps: functions, their policies and URLs. */
import type { Architecture } from "../../facts/aws/lambda.js";
import type { ResourceStore } from "../types.js";

/** What a function runs: taken from the registry when the function was made or changed, as Lambda does. */
export interface FunctionImage {
  uri: string;
  /** The same image by digest. */
  resolvedUri: string;
  digest: string;
  /** As image configs name it: `amd64`, `arm64`. */
  architecture: string;
  labels: Record<string, string>;
}

export interface FunctionUrl {
  id: string;
  url: string;
  authType: "NONE" | "AWS_IAM";
  invokeMode: string;
  cors?: Record<string, unknown>;
  /** ISO 8601, as all times here. */
  createdAt: string;
  modifiedAt: string;
}

export interface LambdaFunction {
  accountId: string;
  region: string;
  name: string;
  arn: string;
  role: string;
  description: string;
  timeoutSeconds: number;
  memoryMegabytes: number;
  environment: Record<string, string>;
  architecture: Architecture;
  imageConfig?: Record<string, unknown>;
  image: FunctionImage;
  /** What answers until an update is through. */
  previous?: Pick<LambdaFunction, "image" | "architecture">;
  tags: Record<string, string>;
  modifiedAt: string;
  revisionId: string;
  /** What Lambda is still doing, and until when. */
  work: { kind: "create" | "update"; until: string };
  url?: FunctionUrl;
}

/** A statement of a function's policy, as `AddPermission` made it. */
export interface PolicyStatement {
  Sid: string;
  [element: string]: unknown;
}

const FUNCTION = "aws:lambda/function";
const POLICY = "aws:lambda/function-policy";
export const LAMBDA_TYPES = [FUNCTION, POLICY];

export class LambdaStore {
  constructor(private readonly store: ResourceStore) {}

  find(accountId: string, region: string, name: string): LambdaFunction | undefined {
    return this.store.get<LambdaFunction>(FUNCTION, `${accountId}/${region}/${name}`);
  }

  list(accountId: string, region: string): LambdaFunction[] {
    return this.#all()
      .filter((each) => each.accountId === accountId && each.region === region)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  byUrl(region: string, urlId: string): LambdaFunction | undefined {
    return this.#all().find((each) => each.region === region && each.url?.id === urlId);
  }

  put(fn: LambdaFunction): void {
    this.store.put(FUNCTION, idOf(fn), fn);
  }

  delete(fn: LambdaFunction): void {
    this.store.delete(POLICY, idOf(fn), { propagates: true });
    this.store.delete(FUNCTION, idOf(fn));
  }

  /** With principals by unique id. `effective` is what enforcement sees now. */
  statements(fn: LambdaFunction, view: "get" | "effective" = "get"): PolicyStatement[] {
    return this.store[view]<PolicyStatement[]>(POLICY, idOf(fn)) ?? [];
  }

  putStatements(fn: LambdaFunction, statements: readonly PolicyStatement[]): void {
    this.store.put(POLICY, idOf(fn), statements, { propagates: true });
  }

  #all(): LambdaFunction[] {
    return this.store.list<LambdaFunction>(FUNCTION).map(({ value }) => value);
  }
}

export function policyDocument(statements: readonly PolicyStatement[]): string {
  return JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: statements });
}

function idOf({ accountId, region, name }: LambdaFunction): string {
  return `${accountId}/${region}/${name}`;
}
