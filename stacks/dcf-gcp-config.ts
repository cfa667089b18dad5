/** What a customer says about their project for the integration `dcf-gcp`. */
import { z } from "zod";
import { jwksViolation } from "../components/gcp/jwks.js";
import { textRules } from "../facts/gcp/limits.js";
import { tokenAudienceViolation } from "../components/gcp/workload-identity-pool.js";
import { choice, refuser, text } from "./fields.js";
import { artifactBucket, auditLogs, gcpText, labels, refusalBucket, serviceAccountField, trustFields, trustMistakes } from "./gcp-fields.js";

const workload = z
  .strictObject({
    issuer: gcpText("issuerUri", "The `iss` of the platform's tokens, letter for letter"),
    subject: gcpText("subject", "The `sub` of the platform's tokens, letter for letter; it names your project"),
    tokenAudience: gcpText("tokenAudience", "The `aud` of the platform's tokens, which is then the only one allowed. Default: the provider's own name", tokenAudienceViolation).optional(),
    jwksJson: z
      .string()
      .superRefine((value, context) => {
        const message = jwksViolation(value);
        // The value may be a private key that somebody pasted: "; got " keeps it out of the message.
        if (message !== undefined) context.addIssue({ code: "custom", message: `${message}; got a text that is not shown` });
      })
      .optional()
      .meta({ description: "The issuer's public keys as the JSON of a JWK set, for an issuer that Google cannot reach" }),
  })
  .meta({ description: "Who is trusted" });

const repository = z
  .strictObject({
    name: gcpText("repositoryId", "Name of the repository"),
    mode: choice(["create", "existing"], "Whether the stack creates the repository, or uses one of this project and region, unchanged").default("create"),
    immutableTags: z.boolean().default(false).meta({ description: "Refuse to move a tag to another image" }),
    retainOnDestroy: z.boolean().default(true).meta({ description: "Whether a created repository stays on `pulumi destroy`: Google deletes it with every image in it" }),
  })
  .superRefine((value, context) => {
    if (value.mode === "existing" && value.immutableTags) refuser(context)("immutableTags", "has no effect on an existing repository, which is never changed: leave it out");
  })
  .meta({ description: "The Artifact Registry repository for Docker images" });

/** An account that is made, or one that is there. */
function account(modes: readonly ["create", "existing", ...string[]], what: string, description: string, defaultId: string) {
  return z
    .strictObject({
      mode: choice(modes, description).default("create"),
      id: gcpText("serviceAccountId", `The part of a created account's email before @. Default: ${defaultId}`).optional(),
      email: gcpText("serviceAccountEmail", `Email of the existing account${what}`).optional(),
    })
    .superRefine((value, context) => {
      const refuse = refuser(context);
      if (value.mode === "existing" && value.email === undefined) refuse("email", "is required with mode existing: the email of the account");
      if (value.mode !== "existing" && value.email !== undefined) refuse("email", "goes with mode existing only");
      if (value.mode !== "create" && value.id !== undefined) refuse("id", "goes with mode create only");
    });
}

const build = account(
  ["create", "existing", "default"],
  "",
  "Whether builds run as an account that the stack creates, as one that is there, or as the project's default account, which is given nothing",
  "dcf-build",
).meta({ description: "The account that builds run as; DCF has to name it in its builds" });

const cloudRun = z
  .strictObject({
    serviceName: gcpText("cloudRunService", "Name of the service"),
    mode: choice(["create", "existing"], "Whether the stack creates the service, with a placeholder until DCF deploys, or uses one that is there, unchanged").default("create"),
    grantOn: choice(["service", "project"], "Whether DCF may deploy to this service only, or create, change and delete any service of the project").default("service"),
    runtimeAccount: account(["create", "existing"], "", "Whether the stack creates the account that the service runs as, or uses one that is there", "dcf-runtime")
      .meta({ description: "The account that the service runs as" })
      .prefault({}),
    publicAccess: choice(
      ["private", "platform", "customer"],
      "Who may make the service public: nobody, DCF by a custom role with run.services.setIamPolicy alone, or this stack, which then lets everybody invoke it",
    ).default("private"),
  })
  .meta({ description: "The Cloud Run service that DCF deploys to; with runtimeTarget cloud_run" });

const gke = z
  .strictObject({
    cluster: gcpText("clusterName", "Name of the cluster, which is yours: none is made"),
    location: gcpText("clusterLocation", "Region or zone of the cluster. Default: region").optional(),
    namespace: gcpText("namespace", "Namespace of the Deployments"),
    createNamespace: z.boolean().default(false).meta({ description: "Make the namespace; it stays on destroy" }),
    deployments: z.array(gcpText("deployment", "Name of a Deployment")).min(1).meta({ description: "Deployments that DCF may change, first the one that it deploys to", examples: [["dcf-function-4711"]] }),
    containerName: gcpText("container", "Container whose image DCF sets"),
    nodeServiceAccountEmail: gcpText("serviceAccountEmail", "Account of the cluster's nodes, which then may read the repository. Default: it can already").optional(),
    kubeconfig: z.string().min(1).optional().meta({ description: "How the stack reaches the cluster, to be set as a secret. Default: its address, with gke-gcloud-auth-plugin" }),
  })
  .meta({ description: "The Deployments that DCF updates; with runtimeTarget gke" });

const deployment = z
  .strictObject({
    name: gcpText("deployment", "Stable name that DCF deploys under. Default: serviceName, or the first of gke.deployments").optional(),
    containerName: gcpText("container", "Container that DCF deploys. Default: serviceName, or gke.containerName").optional(),
  })
  .meta({ description: "What DCF's frontend sends with a deployment" });

export const dcfGcpConfigSchema = z
  .strictObject({
    projectId: gcpText("projectId", "The project that this stack is for, by its id"),
    region: text(textRules.region, "Region of bucket, repository, builds and service"),
    workload,
    ...trustFields({ pool: "dcf-pool", provider: "dcf-provider" }),
    serviceAccount: serviceAccountField("dcf-deployer"),
    bucket: artifactBucket,
    repository,
    build: build.prefault({}),
    runtimeTarget: z
      .enum(["cloud_run", "gke"], { error: ({ input }) => (input === undefined ? "is required (GCP_RUNTIME_TARGET_REQUIRED)" : undefined) })
      .meta({ description: "Where DCF deploys to", examples: ["cloud_run"] }),
    cloudRun: cloudRun.optional(),
    gke: gke.optional(),
    deployment: deployment.prefault({}),
    logs: choice(["none", "log-viewer", "viewer"], "Right to read logs of the project: none, roles/logging.viewer, or roles/viewer. Default: log-viewer for gke, none for cloud_run").optional(),
    auditLogs,
    refusalBucket,
    labels,
  })
  .superRefine((value, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    for (const { path, message } of trustMistakes(value)) refuse(path, message);
    const [wanted, other] = value.runtimeTarget === "gke" ? (["gke", "cloudRun"] as const) : (["cloudRun", "gke"] as const);
    if (value[wanted] === undefined) refuse([wanted], `is required with runtimeTarget ${value.runtimeTarget}`);
    if (value[other] !== undefined) refuse([other], `goes with runtimeTarget ${other === "gke" ? "gke" : "cloud_run"} only: leave it out, or change runtimeTarget`);
    if (value.gke && value.deployment.name !== undefined && !value.gke.deployments.includes(value.deployment.name)) {
      refuse(["deployment", "name"], `must be one of gke.deployments, which alone DCF may change; got ${JSON.stringify(value.deployment.name)}`);
    }
  });

export type DcfGcpConfig = z.output<typeof dcfGcpConfigSchema>;
