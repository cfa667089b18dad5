/** The artifact bucket. */
import type { GcpEntry } from "../causes.js";
import { up } from "../fixes.js";

export const storageCauses = {
  "gcp.bucket.missing": {
    title: "The bucket does not exist",
    explanation: "Bucket names are one for all of Google Cloud; a session with the right to see it is told when there is none.",
    fix: (values) => `${up}; it makes ${values.subject ?? "the bucket"}, or, where it is your own, name the right one in the stack's configuration.`,
  },
  "gcp.bucket.other-project": {
    title: "The bucket is in another project",
    explanation: "The contract's bucket belongs to the project that the platform works in.",
    fix: (values) => `Name a bucket of project ${values.expected ?? values.exchange.projectId} in the stack's configuration; ${values.subject ?? "this one"} is in ${values.found ?? "another"}.`,
  },
  "gcp.bucket.settings-differ": {
    title: "The bucket's protection was changed",
    explanation: "The stack turns on uniform bucket-level access and public access prevention.",
    fix: (values) => `${up}, or: gcloud storage buckets update gs://${values.subject ?? ""} --uniform-bucket-level-access --public-access-prevention`,
  },
  "gcp.bucket.content-differs": {
    title: "What was stored came back changed",
    explanation: "Something between here and Cloud Storage changes contents.",
    fix: () => "Look for a proxy that rewrites contents.",
  },
  "gcp.bucket.not-deleted": {
    title: "The test object is still listed after it was deleted",
    explanation: "A hold or a retention policy keeps objects, or something puts them back.",
    fix: (values) => `gcloud storage buckets describe gs://${values.subject ?? ""} --format='default(retention_policy,default_event_based_hold)'`,
  },
  "gcp.bucket.retained": {
    title: "The bucket keeps objects that the platform must be able to delete",
    explanation: "A retention policy or a hold refuses the deletion, whatever the rights.",
    fix: (values) => `gcloud storage buckets update gs://${values.subject ?? ""} --clear-retention-period, or use another bucket for artifacts.`,
  },
} as const satisfies Record<string, GcpEntry>;
