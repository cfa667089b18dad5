/**
 * What the canary deploys: an image without a base, of one program of some hundred bytes that answers every request on its port
 * with 200 and the run's id. Made here, since nothing else builds images in this integration.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { answeringProgram } from "./canary-program.js";
import { tar } from "./tar.js";

/** https://distribution.github.io/distribution/spec/manifest-v2-2/ */
const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG_TYPE = "application/vnd.docker.container.image.v1+json";
const LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const PROGRAM = "answer";

interface Blob {
  digest: string;
  content: Buffer;
}

export interface CanaryImage {
  /** Config and layer. */
  blobs: readonly Blob[];
  manifest: { mediaType: string; document: Buffer; digest: string };
}

/** What the canary answers, as the whole body. */
export function canaryBody(runId: string): string {
  return `cloud-federation-verify ${runId}\n`;
}

export function canaryImage(runId: string, port: number): CanaryImage {
  const layer = tar(PROGRAM, answeringProgram(port, canaryBody(runId)));
  const compressed = blob(gzipSync(layer));
  const config = blob(
    json({
      architecture: "amd64",
      os: "linux",
      config: { Entrypoint: [`/${PROGRAM}`], ExposedPorts: { [`${port}/tcp`]: {} }, Labels: { "cloud-federation-verify": runId } },
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  );
  const document = json({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, size: config.content.length, digest: config.digest },
    layers: [{ mediaType: LAYER_TYPE, size: compressed.content.length, digest: compressed.digest }],
  });
  return { blobs: [config, compressed], manifest: { mediaType: MANIFEST_TYPE, document, digest: digestOf(document) } };
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
const blob = (content: Buffer): Blob => ({ digest: digestOf(content), content });

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
