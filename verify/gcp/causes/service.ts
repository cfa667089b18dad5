/** Cloud Run: deploying a service, and calling it. */
import type { GcpCauseValues, GcpEntry } from "../causes.js";
import { quote, sessionMember, up } from "../fixes.js";

const DEPLOY = "build succeeds but deploy fails";
const ENDPOINT = "403 Forbidden on endpoint";

/** Value of `found` for a service that asks nobody for roles/run.invoker. https://cloud.google.com/run/docs/securing/managing-access#invoker_check */
export const INVOKERS_UNCHECKED = "the check of invokers is off";

const project = ({ project: named, exchange }: GcpCauseValues) => named ?? exchange.projectId;
/** Name of the service, with its region in `expected`. */
const service = (values: GcpCauseValues) => `${values.subject ?? "SERVICE"} --region=${values.expected ?? "REGION"} --project=${project(values)}`;

export const serviceCauses = {
  "gcp.service.deployer-role-missing": {
    title: "The session may not deploy to Cloud Run",
    failureMode: DEPLOY,
    explanation: "The build needs no right on Cloud Run, the deployment after it does: roles/run.developer on the service, or on the project where services are to be created.",
    fix: (values) => `${up}, or grant ${values.role ?? "roles/run.developer"} (it gives ${values.permission ?? "run.services.update"} on ${values.subject ?? "the service"}) to ${quote(sessionMember(values))}.`,
  },
  "gcp.service.act-as-missing": {
    title: "The session may not act as the account that the service runs as",
    failureMode: DEPLOY,
    explanation: "Whoever deploys a service names its account, and needs iam.serviceAccounts.actAs on it; an account that does not exist is refused in the same words.",
    fix: (values) => `${up}, or: gcloud iam service-accounts add-iam-policy-binding ${values.subject ?? "ACCOUNT"} --project=${project(values)} --role=roles/iam.serviceAccountUser --member=${quote(sessionMember(values))}`,
  },
  "gcp.service.runtime-account-missing": {
    title: "The account that the service runs as does not exist, or is disabled",
    failureMode: DEPLOY,
    explanation: "No revision starts without its account.",
    fix: (values) => `${up}; gcloud iam service-accounts describe ${values.subject ?? "ACCOUNT"} --project=${project(values)} shows it.`,
  },
  "gcp.service.image-denied": {
    title: "The image may not be read for the deployment",
    failureMode: DEPLOY,
    explanation: "Cloud Run asks whoever deploys for artifactregistry.repositories.downloadArtifacts on the image's repository; its own service agent needs it too where the repository is in another project.",
    fix: (values) => `${up}, or grant roles/artifactregistry.reader on the repository of ${values.found ?? "the image"} to ${quote(sessionMember(values))}.`,
  },
  "gcp.service.not-ready": {
    title: "The service does not become ready",
    failureMode: DEPLOY,
    explanation: "The revision was made and does not serve: its image is missing or for another architecture, or its container does not listen on $PORT.",
    fix: (values) => `gcloud run services describe ${service(values)}, and the log: gcloud logging read 'resource.type="cloud_run_revision"' --project=${project(values)} --limit=50`,
  },
  "gcp.service.missing": {
    title: "The Cloud Run service does not exist",
    explanation: "The role is granted on this one service, which must be there before the platform deploys: only a role on the project lets it create one.",
    fix: (values) => `${up}; it makes ${values.subject ?? "the service"} in ${values.expected ?? "its region"}, or set cloudRun.grantOn to project in the stack's configuration.`,
  },
  "gcp.service.internal-ingress": {
    title: "The service takes requests from inside only",
    explanation: "With another ingress than all, everybody outside gets 404, with or without a token.",
    fix: (values) => `gcloud run services update ${service(values)} --ingress=all, if it is to be called from outside.`,
  },
  "gcp.service.not-public": {
    title: "The service is private although the contract makes it public",
    failureMode: ENDPOINT,
    explanation: "Nobody may invoke it without an identity token as long as allUsers has not roles/run.invoker on it; where the organisation restricts domains, it cannot be given.",
    fix: (values) => `${up}, or: gcloud run services add-iam-policy-binding ${service(values)} --role=roles/run.invoker --member=allUsers`,
  },
  "gcp.service.public": {
    title: "Everybody may invoke the service although the contract keeps it private",
    explanation: "allUsers or allAuthenticatedUsers has run.routes.invoke, or the check of invokers is off.",
    fix: (values) =>
      values.found === INVOKERS_UNCHECKED
        ? `${up}, or: gcloud run services update ${service(values)} --invoker-iam-check`
        : `gcloud run services remove-iam-policy-binding ${service(values)} --role=roles/run.invoker --member=${values.found ?? "allUsers"}, and look for the same on project ${project(values)}.`,
  },
  "gcp.service.private-call-refused": {
    title: "The private service refuses a caller who may invoke it",
    failureMode: ENDPOINT,
    explanation: "The identity token is for the service's own address and of an account with run.routes.invoke.",
    fix: (values) => `Look at the log of the refusal: gcloud logging read 'resource.type="cloud_run_revision" httpRequest.status=403' --project=${project(values)} --limit=10`,
  },
  "gcp.service.public-forbidden": {
    title: "The service cannot be made public",
    failureMode: ENDPOINT,
    explanation: "The organisation restricts members of policies to its own domains (constraints/iam.allowedPolicyMemberDomains), which excludes allUsers.",
    fix: (values) => `Ask the organisation's administrators for an exception for project ${project(values)}, or keep the service private and call it with identity tokens.`,
  },
} as const satisfies Record<string, GcpEntry>;
