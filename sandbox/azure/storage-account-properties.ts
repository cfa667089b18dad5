/** Properties of a storage account: what may be written, what the service adds, and what it answers. https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create */
import { randomUUID } from "node:crypto";
import { accessTiers, creationOnlyProperties, pairedRegions, storageKinds, storageSkus, tlsVersions } from "../../facts/azure/storage.js";
import type { AzureCloudFacts } from "../../facts/azure/clouds.js";
import { readTags } from "./arm-tags.js";
import type { ArmResource, AzureRequest } from "./service.js";
import { invalidValue, isObject, propertiesOf } from "./storage-arm.js";
import type { Account, AccountProperties } from "./storage-state.js";
import { AzureError } from "./types.js";

/** Of the body, what it writes over what was there. */
export type AccountPatch = Pick<ArmResource, "sku" | "kind" | "tags" | "identity"> & { properties: Record<string, unknown> };

const BOOLEANS = [
  "allowBlobPublicAccess",
  "allowCrossTenantReplication",
  "allowSharedKeyAccess",
  "defaultToOAuthAuthentication",
  "enableExtendedGroups",
  "isHnsEnabled",
  "isLocalUserEnabled",
  "isNfsV3Enabled",
  "isSftpEnabled",
  "supportsHttpsTrafficOnly",
];
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  accessTier: accessTiers,
  minimumTlsVersion: tlsVersions,
  publicNetworkAccess: ["Enabled", "Disabled", "SecuredByPerimeter"],
  dnsEndpointType: ["Standard", "AzureDnsZone"],
  largeFileSharesState: ["Enabled", "Disabled"],
  allowedCopyScope: ["AAD", "PrivateLink"],
};
/** Kept as written. */
const OBJECTS = ["azureFilesIdentityBasedAuthentication", "customDomain", "immutableStorageWithVersioning", "keyPolicy", "routingPreference", "sasPolicy"];

/** Throws AzureError 400 for what the service would not take. */
export function readPatch(request: AzureRequest): AccountPatch {
  const body = isObject(request.body) ? request.body : {};
  const given = propertiesOf(request);
  const properties: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    if (BOOLEANS.includes(name)) properties[name] = readBoolean(name, value);
    else if (CHOICES[name]) properties[name] = readChoice(name, value, CHOICES[name]);
    else if (OBJECTS.includes(name)) properties[name] = value;
    else if (name === "networkAcls") properties[name] = readNetworkRules(value);
    else if (name === "encryption") properties[name] = value;
  }
  const sku = isObject(body["sku"]) ? body["sku"] : undefined;
  return {
    properties,
    ...(sku && { sku: skuOf(readChoice("sku.name", sku["name"], storageSkus)) }),
    ...(body["kind"] !== undefined && { kind: readChoice("kind", body["kind"], storageKinds) }),
    ...(body["tags"] !== undefined && { tags: readTags(body["tags"]) }),
    ...(isObject(body["identity"]) && { identity: body["identity"] }),
  };
}

/** What a creation needs and does not say. Grades: documented, but where the documentation names no value, as the service has been seen to answer. */
export function newAccount(id: string, name: string, location: string, patch: AccountPatch, now: Date): Account {
  if (!patch.sku || !patch.kind) {
    throw new AzureError(400, "InvalidValuesForRequestParameters", `Values for request parameters are invalid: ${[!patch.sku && "sku", !patch.kind && "kind"].filter(Boolean).join(",")}.`);
  }
  const creationTime = precise(now);
  const premium = String(patch.sku["name"]).startsWith("Premium");
  const properties: AccountProperties = {
    incarnation: randomUUID(),
    creationTime,
    keyCreationTime: { key1: creationTime, key2: creationTime },
    allowCrossTenantReplication: false,
    privateEndpointConnections: [],
    minimumTlsVersion: "TLS1_0",
    allowBlobPublicAccess: false,
    networkAcls: { bypass: "AzureServices", defaultAction: "Allow", ipRules: [] },
    supportsHttpsTrafficOnly: true,
    encryption: encryption(undefined, creationTime),
    ...(!premium && patch.kind !== "Storage" && { accessTier: "Hot" }),
  };
  return changedAccount({ id, name, type: "Microsoft.Storage/storageAccounts", location, tags: {}, properties }, patch, now);
}

/** What is not named stays as it is, for creations over an existing account too. */
export function changedAccount(account: Account, patch: AccountPatch, now: Date): Account {
  const properties: AccountProperties = { ...account.properties, ...patch.properties };
  if (patch.properties["networkAcls"]) properties.networkAcls = { ...account.properties.networkAcls, ...patch.properties["networkAcls"] };
  if (patch.properties["encryption"]) properties["encryption"] = encryption(patch.properties["encryption"], precise(now));
  return {
    ...account,
    ...(patch.sku && { sku: patch.sku }),
    ...(patch.kind !== undefined && { kind: patch.kind }),
    ...(patch.tags && { tags: patch.tags }),
    ...(patch.identity && { identity: patch.identity }),
    properties,
  };
}

/** Throws AzureError 409 or 400 for a change that only a new account could have. */
export function assertChangeable(account: Account, patch: AccountPatch): void {
  for (const name of creationOnlyProperties) {
    const wanted = patch.properties[name];
    const standing = account.properties[name] ?? (name === "dnsEndpointType" ? "Standard" : false);
    if (wanted !== undefined && wanted !== standing) {
      throw new AzureError(409, "AccountPropertyCannotBeUpdated", `The property '${name}' was specified in the input, but it cannot be updated.`);
    }
  }
  const [from, to] = [String(account.sku?.["name"]), patch.sku && String(patch.sku["name"])];
  if (to !== undefined && from.startsWith("Premium") !== to.startsWith("Premium")) throw new AzureError(400, "InvalidAccountType", `The AccountType ${to} is invalid. For more information, see - https://aka.ms/storageaccountskus`);
}

/** As ARM answers it. */
export function accountView(account: Account, cloud: AzureCloudFacts): object {
  const { id, name, type, location = "", kind, sku, tags, identity } = account;
  const { incarnation: _, networkAcls, ...properties } = account.properties;
  const redundancy = String(sku?.["name"]);
  const secondaryLocation = /G(?:RS|ZRS)$/.test(redundancy) ? pairedRegions[location] : undefined;
  return {
    sku,
    kind,
    id,
    name,
    type,
    location,
    tags: tags ?? {},
    ...(identity && { identity }),
    properties: {
      ...properties,
      networkAcls: { ipv6Rules: [], resourceAccessRules: [], virtualNetworkRules: [], ...networkAcls },
      provisioningState: "Succeeded",
      primaryEndpoints: endpoints(name, cloud),
      primaryLocation: location,
      statusOfPrimary: "available",
      ...(secondaryLocation !== undefined && { secondaryLocation, statusOfSecondary: "available" }),
      ...(secondaryLocation !== undefined && redundancy.includes("RAG") && { secondaryEndpoints: endpoints(`${name}-secondary`, cloud, ["file"]) }),
    },
  };
}

/** Each service is at the same suffix below its own name. */
function endpoints(account: string, { blobSuffix }: AzureCloudFacts, without: readonly string[] = []): Record<string, string> {
  const suffix = blobSuffix.slice("blob.".length);
  // The web endpoint's zone is of the account's region; one stands for all here.
  const hosts = { dfs: "dfs", web: "z6.web", blob: "blob", queue: "queue", table: "table", file: "file" };
  return Object.fromEntries(Object.entries(hosts).flatMap(([service, host]) => (without.includes(service) ? [] : [[service, `https://${account}.${host}.${suffix}/`]])));
}

/** Seven digits of fractions, as .NET writes times. */
export const precise = (time: Date): string => time.toISOString().replace("Z", "0000+00:00");

const skuOf = (name: string): Record<string, string> => ({ name, tier: name.split("_")[0] ?? "" });

function encryption(given: unknown, time: string): object {
  const wanted = isObject(given) ? given : {};
  const service = { enabled: true, keyType: "Account", lastEnabledTime: time };
  return { keySource: "Microsoft.Storage", ...wanted, services: { file: service, blob: service } };
}

function readBoolean(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw invalidValue(value, name);
}

/** Without regard to case, as ARM compares. */
function readChoice(name: string, value: unknown, choices: readonly string[]): string {
  const found = choices.find((choice) => choice.toLowerCase() === String(value).toLowerCase());
  if (found === undefined) throw invalidValue(value, name);
  return found;
}

/** https://learn.microsoft.com/azure/storage/common/storage-network-security-ip-address-range: public IPv4 addresses and ranges. */
function readNetworkRules(value: unknown): object {
  if (!isObject(value)) throw invalidValue(value, "networkAcls");
  const rules = Array.isArray(value["ipRules"]) ? (value["ipRules"] as unknown[]) : undefined;
  return {
    ...(value["defaultAction"] !== undefined && { defaultAction: readChoice("networkAcls.defaultAction", value["defaultAction"], ["Allow", "Deny"]) }),
    ...(value["bypass"] !== undefined && { bypass: readBypass(value["bypass"]) }),
    ...(rules && { ipRules: rules.map((rule) => ({ value: readAddress(isObject(rule) ? rule["value"] : undefined), action: "Allow" })) }),
    ...(Array.isArray(value["virtualNetworkRules"]) && { virtualNetworkRules: value["virtualNetworkRules"] as unknown[] }),
    ...(Array.isArray(value["resourceAccessRules"]) && { resourceAccessRules: value["resourceAccessRules"] as unknown[] }),
  };
}

function readBypass(value: unknown): string {
  const parts = String(value).split(/\s*,\s*/);
  return parts.map((part) => readChoice("networkAcls.bypass", part, ["None", "AzureServices", "Logging", "Metrics"])).join(", ");
}

const PRIVATE = /^(?:10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.)/;

function readAddress(value: unknown): string {
  const [, address = "", bits] = /^((?:\d{1,3}\.){3}\d{1,3})(?:\/(\d{1,2}))?$/.exec(String(value)) ?? [];
  const valid = address.split(".").every((octet) => octet !== "" && Number(octet) <= 255) && (bits === undefined || Number(bits) <= 30);
  if (!valid || PRIVATE.test(address)) throw invalidValue(value, "networkAcls.ipRule[*].value");
  return String(value);
}
