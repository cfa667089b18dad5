/** Layers of ECR's repositories: checked, uploaded in parts, downloaded. */
import { randomBytes, randomUUID } from "node:crypto";
import * as z from "zod";
import { ECR_LIMITS, PROPOSED_PART_BYTES, ecrRefusals } from "../../facts/aws/ecr.js";
import { digestOf } from "../registry.js";
import { type EcrAccess, named, namesOf, operation, refuse, registryHost } from "./ecr-access.js";
import type { EcrStore, Repository } from "./ecr-store.js";
import type { EcrTokens } from "./ecr-tokens.js";
import type { Operation } from "./service.js";

const digest = z.string().regex(/^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/);
const upload = { ...named, uploadId: z.guid() };
const byte = z.number().int().min(0);
/** Base64 from the wire, as it is from a direct call. */
const blob = z
  .union([z.string(), z.instanceof(Uint8Array)])
  .transform((value) => (typeof value === "string" ? Buffer.from(value, "base64") : Buffer.from(value)))
  .refine((value) => value.length <= ECR_LIMITS.layerPart.max, { error: `have length less than or equal to ${ECR_LIMITS.layerPart.max}` });

export function layerOperations(store: EcrStore, access: EcrAccess, tokens: EcrTokens): Record<string, Operation> {
  function receivedSoFar(repository: Repository, uploadId: string): number {
    const received = store.received(repository, uploadId);
    if (received === undefined) throw refuse(ecrRefusals.uploadMissing(uploadId, repository.name, repository.registryId));
    return received;
  }

  return {
    BatchCheckLayerAvailability: operation(z.object({ ...named, layerDigests: z.array(z.string().max(1000)).min(1).max(100) }), (input, request) => {
      const repository = access.open(request, input, "BatchCheckLayerAvailability");
      const [wellFormed, malformed] = [true, false].map((good) => input.layerDigests.filter((each) => digest.safeParse(each).success === good));
      return {
        layers: (wellFormed ?? []).map((layerDigest) => {
          const layer = store.layer(repository, layerDigest);
          return layer ? { layerDigest, layerAvailability: "AVAILABLE", layerSize: layer.size } : { layerDigest, layerAvailability: "UNAVAILABLE" };
        }),
        failures: (malformed ?? []).map((layerDigest) => ({ layerDigest, failureCode: "InvalidLayerDigest", failureReason: "Invalid layer digest" })),
      };
    }),
    InitiateLayerUpload: operation(z.object(named), (input, request) => {
      const repository = access.open(request, input, "InitiateLayerUpload");
      const uploadId = randomUUID();
      store.beginUpload(repository, uploadId);
      return { uploadId, partSize: PROPOSED_PART_BYTES };
    }),
    UploadLayerPart: operation(z.object({ ...upload, partFirstByte: byte, partLastByte: byte, layerPartBlob: blob }), (input, request) => {
      const repository = access.open(request, input, "UploadLayerPart");
      const { uploadId, partFirstByte, partLastByte, layerPartBlob } = input;
      const received = receivedSoFar(repository, uploadId);
      if (partFirstByte !== received || partLastByte !== received + layerPartBlob.length - 1) throw refuse(ecrRefusals.partInvalid(received, partFirstByte));
      store.addPart(repository, uploadId, received, layerPartBlob);
      return { ...namesOf(repository), uploadId, lastByteReceived: partLastByte };
    }),
    CompleteLayerUpload: operation(z.object({ ...upload, layerDigests: z.array(digest).min(1).max(100) }), (input, request) => {
      const repository = access.open(request, input, "CompleteLayerUpload");
      const { uploadId, layerDigests } = input;
      if (receivedSoFar(repository, uploadId) === 0) throw refuse(ecrRefusals.uploadEmpty(uploadId, repository.name, repository.registryId));
      const data = store.uploaded(repository, uploadId);
      const layerDigest = digestOf(data);
      if (!layerDigests.includes(layerDigest)) throw refuse(ecrRefusals.layerInvalid(layerDigest, layerDigests));
      store.endUpload(repository, uploadId);
      if (store.layer(repository, layerDigest)) throw refuse(ecrRefusals.layerExists(layerDigest, repository.name, repository.registryId));
      store.putLayer(repository, data);
      return { ...namesOf(repository), uploadId, layerDigest };
    }),
    GetDownloadUrlForLayer: operation(z.object({ ...named, layerDigest: digest }), (input, request) => {
      const repository = access.open(request, input, "GetDownloadUrlForLayer");
      const { layerDigest } = input;
      if (!store.layer(repository, layerDigest)) throw refuse(ecrRefusals.layerMissing(layerDigest, repository.name, repository.registryId));
      const ticket = randomBytes(24).toString("hex");
      tokens.putDownload(ticket, repository, layerDigest);
      const url = `https://${registryHost(repository.registryId, repository.region)}/v2/${repository.name}/blobs/${layerDigest}?ticket=${ticket}`;
      return { downloadUrl: url, layerDigest };
    }),
  };
}
