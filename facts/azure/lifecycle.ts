/** Rules by which Blob storage removes what is old. */
import type { NumberRule } from "../rules.js";

export const blobAgeDays: NumberRule = {
  what: "the age at which Blob storage removes a blob",
  min: 1,
  // Any number is taken; ten years is where a typing mistake is likelier than a wish.
  max: 3650,
  unit: "days",
  source: "https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-overview",
  grade: "inferred",
};
