/** How Lambda comes by a function's image: found in ECR, pulled by leave of the repository's policy. */
import { imagePullActions, manifestListTypes } from "../../facts/aws/ecr.js";
import { IMAGE_RETRIEVAL_SID, LAMBDA_PRINCIPAL, lambdaRefusals } from "../../facts/aws/lambda.js";
import { EcrAccess } from "./ecr-access.js";
import { EcrStore, type Repository } from "./ecr-store.js";
import { refuse } from "./lambda-access.js";
import type { FunctionImage } from "./lambda-store.js";
import { partitionOf } from "./s3-state.js";
import type { AwsServiceContext, OperationRequest } from "./service.js";

const IMAGE_URI = /^(?<registry>\d{12})\.dkr\.ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(?<repository>[a-z0-9._/-]+?)(?::(?<tag>[\w][\w.-]{0,299}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

interface ImageConfig {
  architecture?: string;
  config?: { Labels?: Record<string, string> | null };
}

/** One for the function that is being made or changed. */
export interface ImageOrder {
  request: OperationRequest;
  uri: string;
  functionArn: string;
}

export class LambdaImages {
  readonly #store: EcrStore;
  readonly #access: EcrAccess;

  constructor(context: AwsServiceContext) {
    this.#store = new EcrStore(context.core.store);
    this.#access = new EcrAccess(context, this.#store);
  }

  /** Throws what `CreateFunction` and `UpdateFunctionCode` answer. https://docs.aws.amazon.com/lambda/latest/dg/images-create.html */
  pull(order: ImageOrder): FunctionImage {
    const { uri, request } = order;
    const { registry = "", region = "", repository: name = "", tag = "latest", digest } = IMAGE_URI.exec(uri)?.groups ?? {};
    if (region !== request.region) throw refuse(lambdaRefusals.imageUriInvalid(uri));
    const repository = this.#store.repository(registry, region, name);
    if (!repository) throw refuse(lambdaRefusals.imageMissing(uri));
    this.#requireAccess(order, repository);
    const image = digest === undefined ? this.#store.imageByTag(repository, tag) : this.#store.image(repository, digest);
    if (!image) throw refuse(lambdaRefusals.imageMissing(uri));
    const config = manifestListTypes.includes(image.mediaType) ? undefined : this.#config(repository, image.manifest);
    if (config?.architecture === undefined) throw refuse(lambdaRefusals.imageTypeUnsupported(uri));
    return { uri, resolvedUri: `${repository.uri}@${image.digest}`, digest: image.digest, architecture: config.architecture, labels: config.config?.Labels ?? {} };
  }

  #config(repository: Repository, manifest: string): ImageConfig | undefined {
    const { config } = JSON.parse(manifest) as { config?: { digest: string } };
    const blob = config && this.#store.layer(repository, config.digest);
    try {
      return blob && (JSON.parse(Buffer.from(blob.data, "base64").toString("utf8")) as ImageConfig);
    } catch {
      // An image whose config is none: of no type that Lambda runs.
      return undefined;
    }
  }

  /** Lambda itself adds what is missing where the caller could. */
  #requireAccess(order: ImageOrder, repository: Repository): void {
    if (this.#mayPull(order, repository)) return;
    const { request } = order;
    const mayChange = ["GetRepositoryPolicy", "SetRepositoryPolicy"].every((action) => this.#access.allows(request, repository, action));
    const extended = this.#extendedPolicy(request, repository);
    if (!mayChange || !this.#mayPull(order, repository, extended)) throw refuse(lambdaRefusals.imageDenied());
    this.#store.putPolicy(repository, extended);
  }

  #mayPull({ request, functionArn }: ImageOrder, repository: Repository, document?: string): boolean {
    const sourceAccount = functionArn.split(":")[4] ?? "";
    const asLambda: OperationRequest = {
      caller: { principal: { kind: "service", arn: LAMBDA_PRINCIPAL, accountId: sourceAccount } },
      region: request.region,
      input: {},
      context: { "aws:SecureTransport": "true" },
    };
    const source = { "aws:SourceArn": functionArn, "aws:SourceAccount": sourceAccount };
    return imagePullActions.every((action) => this.#access.allows(asLambda, repository, action, document, source));
  }

  #extendedPolicy({ region }: OperationRequest, repository: Repository): string {
    const { Statement: kept, ...document } = JSON.parse(this.#store.policy(repository) ?? '{"Version":"2008-10-17","Statement":[]}') as { Statement: object | object[] };
    const added = {
      Sid: IMAGE_RETRIEVAL_SID,
      Effect: "Allow",
      Principal: { Service: LAMBDA_PRINCIPAL },
      Action: imagePullActions,
      Condition: { StringLike: { "aws:sourceArn": `arn:${partitionOf(region)}:lambda:${region}:${repository.registryId}:function:*` } },
    };
    return JSON.stringify({ ...document, Statement: [kept, added].flat() });
  }
}
