/** Artifact Registry. */
import type { GcpEntry } from "../causes.js";
import { up } from "../fixes.js";

export const registryCauses = {
  "gcp.registry.repository-missing": {
    title: "The Artifact Registry repository does not exist",
    failureMode: "repository not found",
    explanation: "Builds push to a Docker repository in the deployment's region and the contract's project; Artifact Registry makes none by itself.",
    fix: (values) =>
      `${up}, or: gcloud artifacts repositories create ${values.subject ?? ""} --repository-format=docker --location=${values.expected ?? "REGION"} --project=${values.project ?? values.exchange.projectId}; look also whether it is in another region or project.`,
  },
  "gcp.registry.not-docker": {
    title: "The repository is not one that images can be pushed to",
    explanation: "It must be a standard repository of format Docker; format and mode cannot be changed.",
    fix: (values) => `Make a standard Docker repository and name it in the stack's configuration in place of ${values.subject ?? "this one"}.`,
  },
} as const satisfies Record<string, GcpEntry>;
