/** Container images made on the spot, pushed by ECR's API. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

export interface TestImage {
  config: Buffer;
  layer: Buffer;
  manifest: string;
  digest: string;
}

const sha256 = (data: Buffer | string): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;

/** `content` makes images differ; `architecture` is as image configs name it. */
export function testImage({ architecture = "amd64", content = "canary", labels = {} }: { architecture?: string; content?: string; labels?: Record<string, string> } = {}): TestImage {
  const layer = gzipSync(Buffer.alloc(1024, content));
  const config = Buffer.from(JSON.stringify({ architecture, os: "linux", config: { Labels: labels }, rootfs: { type: "layers", diff_ids: [sha256(Buffer.alloc(1024, content))] } }));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { mediaType: "application/vnd.docker.container.image.v1+json", size: config.length, digest: sha256(config) },
    layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", size: layer.length, digest: sha256(layer) }],
  });
  return { config, layer, manifest, digest: sha256(manifest) };
}

/** The image as a folder of the OCI layout, under the name `v1`. Answers the folder. */
export function ociLayout(folder: string, image: TestImage): string {
  const write = (path: string, data: string | Buffer) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), data);
  };
  for (const data of [image.config, image.layer]) write(`blobs/sha256/${sha256(data).slice(7)}`, data);
  const manifest = image.manifest
    .replace("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json")
    .replace("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json")
    .replace("application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.oci.image.layer.v1.tar+gzip");
  write(`blobs/sha256/${sha256(manifest).slice(7)}`, manifest);
  write("oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const named = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: sha256(manifest), size: manifest.length, annotations: { "org.opencontainers.image.ref.name": "v1" } };
  write("index.json", JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  return folder;
}

/** The members of answers that tests look into, of all operations of ECR together. */
export interface EcrAnswer {
  authorizationData: { authorizationToken: string }[];
  downloadUrl: string;
  failures: object[];
  image: { imageId: object };
  imageDetails: { imageDigest: string }[];
  imageIds: object[];
  images: object[];
  layers: { layerAvailability: string }[];
  lifecyclePolicyText: string;
  policyText: string;
  repositories: object[];
  tags: object[];
  uploadId: string;
}

export type Call<Answer> = (operation: string, input: object) => Promise<Answer>;
export type EcrCall = Call<EcrAnswer>;

export async function pushBlob(ecr: EcrCall, repositoryName: string, data: Buffer): Promise<void> {
  const { uploadId } = await ecr("InitiateLayerUpload", { repositoryName });
  await ecr("UploadLayerPart", { repositoryName, uploadId, partFirstByte: 0, partLastByte: data.length - 1, layerPartBlob: data });
  await ecr("CompleteLayerUpload", { repositoryName, uploadId, layerDigests: [sha256(data)] });
}

export async function pushImage(ecr: EcrCall, repositoryName: string, image: TestImage, imageTag = "latest"): Promise<void> {
  const layerDigests = [image.config, image.layer].map(sha256);
  const { layers } = await ecr("BatchCheckLayerAvailability", { repositoryName, layerDigests });
  for (const [index, data] of [image.config, image.layer].entries()) {
    if (layers[index]?.layerAvailability !== "AVAILABLE") await pushBlob(ecr, repositoryName, data);
  }
  await ecr("PutImage", { repositoryName, imageManifest: image.manifest, imageTag });
}
