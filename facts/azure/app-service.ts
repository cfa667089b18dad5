/** App Service's tiers, settings, states and refusals, as data. Texts are hints: Microsoft changes them; codes are the contract. */
import type { Grade } from "../rules.js";

const docs = "https://learn.microsoft.com/azure/app-service";
const api = "https://learn.microsoft.com/rest/api/appservice";
const forum = "https://github.com";

export const PLAN_TYPE = "Microsoft.Web/serverfarms";
export const SITE_TYPE = "Microsoft.Web/sites";
export const SLOT_TYPE = "Microsoft.Web/sites/slots";

export interface PlanTier {
  /** As the API names it in a plan's `sku`. */
  tier: string;
  family: string;
  /** As messages about quota count it: `Basic VMs`. */
  machines: string;
  maximumWorkers: number;
  /** Besides the production slot. */
  slots: number;
  alwaysOn: boolean;
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#app-service-limits */
const tiers = {
  Free: { tier: "Free", family: "F", machines: "Free VMs", maximumWorkers: 1, slots: 0, alwaysOn: false },
  Basic: { tier: "Basic", family: "B", machines: "Basic VMs", maximumWorkers: 3, slots: 0, alwaysOn: true },
  Standard: { tier: "Standard", family: "S", machines: "Standard VMs", maximumWorkers: 10, slots: 5, alwaysOn: true },
  PremiumV2: { tier: "PremiumV2", family: "Pv2", machines: "PremiumV2 VMs", maximumWorkers: 30, slots: 20, alwaysOn: true },
  PremiumV3: { tier: "PremiumV3", family: "Pv3", machines: "PremiumV3 VMs", maximumWorkers: 30, slots: 20, alwaysOn: true },
} as const satisfies Record<string, PlanTier>;

/** Sizes of Linux plans. https://azure.microsoft.com/pricing/details/app-service/linux/ */
export const planSizes: Readonly<Record<string, PlanTier>> = {
  F1: tiers.Free,
  B1: tiers.Basic,
  B2: tiers.Basic,
  B3: tiers.Basic,
  S1: tiers.Standard,
  S2: tiers.Standard,
  S3: tiers.Standard,
  P1v2: tiers.PremiumV2,
  P2v2: tiers.PremiumV2,
  P3v2: tiers.PremiumV2,
  P0v3: tiers.PremiumV3,
  P1v3: tiers.PremiumV3,
  P2v3: tiers.PremiumV3,
  P3v3: tiers.PremiumV3,
};

/** Workers that a subscription may have of one tier in one region where nobody said otherwise; real subscriptions differ, down to none. */
export const DEFAULT_WORKER_QUOTA = 30;

/** What a site's `linuxFxVersion` begins with where it runs a container. https://learn.microsoft.com/azure/app-service/reference-app-settings */
export const CONTAINER_PREFIX = "DOCKER|";

/** Names of app settings that say how a container is had and reached. https://learn.microsoft.com/azure/app-service/reference-app-settings#custom-containers */
export const containerSettings = {
  port: "WEBSITES_PORT",
  startSeconds: "WEBSITES_CONTAINER_START_TIME_LIMIT",
  registryUrl: "DOCKER_REGISTRY_SERVER_URL",
  registryUser: "DOCKER_REGISTRY_SERVER_USERNAME",
  registryPassword: "DOCKER_REGISTRY_SERVER_PASSWORD",
} as const;

/** Where a container is expected to listen unless the settings name another port. https://learn.microsoft.com/azure/app-service/configure-custom-container#configure-port-number */
export const DEFAULT_CONTAINER_PORT = 80;
/** Seconds that a container has to answer. https://learn.microsoft.com/azure/app-service/reference-app-settings#custom-containers */
export const START_SECONDS = { usual: 230, most: 1800 } as const;

/** Microsoft's own images that stand in until something is deployed; they answer at whichever port they are asked. https://learn.microsoft.com/azure/app-service/quickstart-custom-container */
export const publicImages: readonly string[] = ["mcr.microsoft.com/appsvc/staticsite", "mcr.microsoft.com/azuredocs/aci-helloworld", "mcr.microsoft.com/azuredocs/containerapps-helloworld", "mcr.microsoft.com/k8se/quickstart"];

/** How far the default host name is guarded against reuse; without one it is the site's own name. https://learn.microsoft.com/azure/app-service/reference-dangling-subdomain-prevention */
export const siteNameScopes = ["TenantReuse", "SubscriptionReuse", "ResourceGroupReuse", "NoReuse"] as const;
export type SiteNameScope = (typeof siteNameScopes)[number];

interface StartError {
  /** In `GET …/siteStatus` as `lastError`, and in the container's log. */
  code: string;
  /** As `lastErrorDetails`. */
  details: (values: { image: string; port: number; seconds: number; reason: string }) => string;
  source: string;
  grade: Grade;
}

/** Why a site's container does not start. */
export const startErrors = {
  pullUnauthorized: {
    code: "ImagePullUnauthorizedFailure",
    details: ({ image, reason }) => `Failed to pull image: ${image}. Image pull failed with forbidden or unauthorized. Check registry credentials. ${reason}`,
    source: `${docs}/configure-custom-container#use-an-image-from-a-private-registry`,
    grade: "live",
  },
  pullNotFound: {
    code: "ImagePullNotFoundFailure",
    details: ({ image, reason }) => `Failed to pull image: ${image}. Image pull failed with not found. Check the image's name and tag. ${reason}`,
    source: `${docs}/configure-custom-container#use-an-image-from-a-private-registry`,
    grade: "inferred",
  },
  pullFailed: {
    code: "ImagePullFailure",
    details: ({ image, reason }) => `Failed to pull image: ${image}. ${reason}`,
    source: `${docs}/configure-custom-container#use-an-image-from-a-private-registry`,
    grade: "inferred",
  },
  timeout: {
    code: "ContainerTimeout",
    details: ({ port, seconds }) => `Container did not start within expected time limit of ${seconds}s. Container didn't respond to HTTP pings on port: ${port}, failing site start.`,
    source: "https://learn.microsoft.com/troubleshoot/azure/app-service/faqs-app-service-linux",
    grade: "live",
  },
  exited: {
    code: "ContainerExited",
    details: ({ image, reason }) => `Container of image ${image} has exited, failing site start. ${reason}`,
    source: "https://learn.microsoft.com/troubleshoot/azure/app-service/faqs-app-service-linux",
    grade: "inferred",
  },
  identityMissing: {
    code: "ManagedIdentityTokenFailure",
    details: ({ reason }) => `Failed to get a token of the managed identity that images are pulled with. ${reason}`,
    source: `${docs}/configure-custom-container#use-managed-identity-to-pull-image-from-azure-container-registry`,
    grade: "inferred",
  },
} as const satisfies Record<string, StartError>;
export type StartErrorKind = keyof typeof startErrors;

interface WebRefusal {
  status: number;
  code: string;
  message: string;
  /** App Service's own number, in `Details`. */
  extendedCode?: string;
  source: string;
  grade: Grade;
}

const quotaText = (machines: string, { limit, used, wanted }: { limit: number; used: number; wanted: number }): string =>
  [
    "Operation cannot be completed without additional quota. ",
    "Additional details - Location:  ",
    `Current Limit (${machines}): ${limit} `,
    `Current Usage: ${used}`,
    `Amount required for this deployment (${machines}): ${wanted} `,
    `(Minimum) New Limit that you should request to enable this deployment: ${used + wanted}. `,
    "Note that if you experience multiple scaling operations failing (in addition to this one) and need to accommodate the aggregate quota requirements of these operations, you will need to request a higher quota limit than the one currently displayed.",
  ].join("\r\n");

/** Where a template is validated, the shortage of quota has this code. https://github.com/MicrosoftDocs/msteams-docs/issues/13495 */
export const QUOTA_VALIDATION_CODE = "SubscriptionIsOverQuotaForSku";

const invalid = (message: string): WebRefusal => ({ status: 400, code: "BadRequest", message, source: `${api}/web-apps/create-or-update`, grade: "inferred" });

/** How Microsoft.Web refuses. */
export const webRefusals = {
  quota: (machines: string, numbers: { limit: number; used: number; wanted: number }) => ({
    status: 401,
    code: "Unauthorized",
    message: quotaText(machines, numbers),
    source: `${forum}/Azure/terraform-azurerm-avm-res-web-site/issues/248`,
    grade: "live",
  }),
  siteLock: () => ({
    status: 429,
    code: "429",
    message: "Cannot acquire exclusive lock to create, update or delete this site. Retry the request later.",
    source: `${forum}/pulumi/pulumi-azure-native/issues/4461`,
    grade: "live",
  }),
  planLock: () => ({
    status: 429,
    code: "429",
    message: "Cannot acquire exclusive lock to create or update this server farm. Retry the request later.",
    source: `${forum}/Azure/azure-functions-host/issues/6244`,
    grade: "live",
  }),
  siteTaken: (name: string) => ({ status: 409, code: "Conflict", message: `Website with given name ${name} already exists.`, extendedCode: "54001", source: `${forum}/Azure/RDS-Templates/issues/365`, grade: "live" }),
  planMissing: (name: string) => ({ status: 404, code: "NotFound", message: `Cannot find ServerFarm with name ${name}.`, extendedCode: "51004", source: `${api}/web-apps/create-or-update`, grade: "live" }),
  planInUse: (name: string, sites: readonly string[]) => ({
    status: 409,
    code: "Conflict",
    message: `Server farm '${name}' cannot be deleted because it has web app(s) ${sites.join(", ")} assigned to it.`,
    source: `${api}/app-service-plans/delete`,
    grade: "live",
  }),
  slotsExceeded: (tier: string) => ({
    status: 409,
    code: "Conflict",
    message: `Cannot complete the operation because the site will exceed the number of slots allowed for the '${tier}' SKU.`,
    source: `${docs}/deploy-staging-slots`,
    grade: "documented",
  }),
  alwaysOnRefused: () => ({
    status: 409,
    code: "Conflict",
    message: "There was a conflict. AlwaysOn cannot be set for this site as the plan does not allow it. For more information on pricing and features, please see: https://aka.ms/appservicepricingdetails",
    source: `${docs}/configure-common`,
    grade: "inferred",
  }),
  locationDiffers: (site: string, plan: string) => ({
    status: 409,
    code: "Conflict",
    message: `The location '${site}' of the site differs from the location '${plan}' of its App Service plan.`,
    source: `${api}/web-apps/create-or-update`,
    grade: "inferred",
  }),
  linuxInWindows: () => invalid("The parameter LinuxFxVersion has an invalid value."),
  planNameInvalid: (name: string) => invalid(`The parameter name has an invalid value: '${name}'.`),
  siteNameInvalid: (name: string) => invalid(`The parameter name has an invalid value: '${name}'.`),
  skuInvalid: (name: string) => invalid(`The parameter SKU.Name has an invalid value: '${name}'.`),
  planRequired: () => invalid("The parameter ServerFarmId has an invalid value."),
  bodyInvalid: (problem: string) => invalid(`The request's content is invalid: ${problem}.`),
} as const satisfies Record<string, (...values: never[]) => WebRefusal>;

interface ErrorPage {
  status: number;
  title: string;
  heading: string;
  text: (scmHost: string) => string;
  source: string;
  grade: Grade;
}

/** What a site's address answers where no container does. */
export const sitePages = {
  stopped: {
    status: 403,
    title: "Web App - Unavailable",
    heading: "Error 403 - This web app is stopped.",
    text: () => "The web app you have attempted to reach is currently stopped and does not accept any requests. Please try to reload the page or visit it again soon.",
    source: "https://learn.microsoft.com/troubleshoot/azure/app-service/faqs-app-service-linux",
    grade: "live",
  },
  blocked: {
    status: 403,
    title: "Web App - Unavailable",
    heading: "Error 403 - Forbidden",
    text: () => "The web app you have attempted to reach has blocked your access.",
    source: `${docs}/overview-access-restrictions`,
    grade: "live",
  },
  failed: {
    status: 503,
    title: "Application Error",
    heading: ":( Application Error",
    text: (scmHost) => `If you are the application administrator, you can access the <a href="https://${scmHost}/detectors">diagnostic resources</a>.`,
    source: `${docs}/troubleshoot-http-502-http-503`,
    grade: "live",
  },
} as const satisfies Record<string, ErrorPage>;
