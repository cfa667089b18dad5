/**
 * Issuer, subject and audience of a federated credential: Entra takes any text when a credential is made and compares byte for byte when a
 * token comes, so what can never match is only told there.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
 */
import { azureClouds, type AzureCloudName } from "../../facts/azure/clouds.js";
import { ENTRA_ISSUER_HOSTS } from "../../facts/azure/entra.js";
import { textRules } from "../../facts/azure/limits.js";
import type { Finding } from "../findings.js";
import { hasInvisible, visible } from "./difference.js";

export type FederatedValue = "issuer" | "subject" | "audience";

type Mistake = Omit<Finding, "path">;
type Test = (value: string) => Mistake | undefined;

/** What keeps a value from ever matching, or lets it match who is not meant; one finding a value, the first that fits. */
export function valueFindings(claim: FederatedValue, value: string, path: string, cloud: AzureCloudName): Finding[] {
  for (const test of [...anyValue(claim), ...ownTests(claim, cloud)]) {
    const found = test(value);
    if (found !== undefined) return [{ ...found, path }];
  }
  return [];
}

const error = (code: string, message: string, fix: string): Mistake => ({ code, severity: "error", message, fix });

function anyValue(claim: FederatedValue): Test[] {
  const rule = textRules[claim];
  return [
    (value) => (value === "" ? error(`${claim}-empty`, `The ${claim} is empty: no token matches.`, `Give the ${claim} that the tokens have.`) : undefined),
    (value) => (value !== value.trim() ? error(`${claim}-blank`, `The ${claim} ${visible(value)} begins or ends with a blank, which is compared like any character.`, "Remove the blank.") : undefined),
    (value) => (hasInvisible(value) ? error(`${claim}-invisible`, `The ${claim} ${visible(value)} has characters that are not seen, which are compared like any.`, "Type the value anew instead of pasting it.") : undefined),
    (value) => (/<[^<>]*>|\$\{[^}]*\}/.test(value) ? error(`${claim}-placeholder`, `The ${claim} ${visible(value)} has a placeholder in it, which is taken literally.`, "Put in the platform's own value.") : undefined),
    (value) => ((claim === "issuer" ? /\*/ : /[*?]/).test(value) ? error(`${claim}-wildcard`, `The ${claim} ${visible(value)} has a wildcard, which Entra takes literally: no token matches.`, "Write the exact value; one credential for each workload.") : undefined),
    (value) => (value.length > rule.max ? error(`${claim}-too-long`, `The ${claim} has ${value.length} characters; Entra takes ${rule.max}.`, "Have the platform shorten it.") : undefined),
  ];
}

function ownTests(claim: FederatedValue, cloud: AzureCloudName): Test[] {
  if (claim === "issuer") return issuerTests;
  return claim === "subject" ? subjectTests : audienceTests(cloud);
}

const issuerTests: Test[] = [
  (value) => (/^https:\/\//.test(value) ? undefined : error("issuer-not-https", `The issuer ${visible(value)} does not begin with https://: Entra cannot fetch its metadata.`, "Give the issuer's https URL, as the tokens' iss has it.")),
  (value) => {
    const host = /^https:\/\/([^/?#]*)/.exec(value)?.[1] ?? "";
    return host === host.toLowerCase() ? undefined : error("issuer-case", `The issuer ${visible(value)} has its host in upper case; tokens' iss rarely does, and case counts.`, `Write ${visible(value.replace(host, host.toLowerCase()))}, if the tokens' iss is so.`);
  },
  (value) => (/\/\.well-known\//.test(value) ? error("issuer-is-metadata", `The issuer ${visible(value)} is the address of metadata.`, "Leave out /.well-known/openid-configuration.") : undefined),
  (value) => (/[?#\s]|\/\/[^/]*@/.test(value) ? error("issuer-not-plain", `The issuer ${visible(value)} has a query, a fragment, a user or blanks.`, "Give the issuer as the tokens' iss has it.") : undefined),
  (value) => {
    const host = URL.canParse(value) ? new URL(value).hostname : "";
    return ENTRA_ISSUER_HOSTS.includes(host) ? error("issuer-of-entra", `The issuer ${visible(value)} is Entra itself: no platform's tokens are of it.`, "Give the platform's own issuer.") : undefined;
  },
  (value) =>
    value.endsWith("/")
      ? { code: "issuer-slash", severity: "info", message: `The issuer ${visible(value)} ends in a slash: this is right only if the tokens' iss and the issuer's metadata end in one too.`, fix: "Compare with the iss of a token." }
      : undefined,
];

const KUBERNETES = /^system:serviceaccount:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?:[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$/;
/** How people name a service account elsewhere: of Kubernetes with other signs, of Google as an address. */
const ACCOUNT_FORMS = /^(?:system[:/.])?service[-_ ]?accounts?[:/.]|^system:|@[\w-]+\.iam\.gserviceaccount\.com$/i;

const subjectTests: Test[] = [
  (value) =>
    !KUBERNETES.test(value) && ACCOUNT_FORMS.test(value)
      ? error("subject-account-form", `The subject ${visible(value)} looks like a service account, whose tokens have the subject system:serviceaccount:NAMESPACE:NAME, in lower case.`, "Write the subject as the token's sub has it.")
      : undefined,
];

function audienceTests(cloud: AzureCloudName): Test[] {
  const { federationAudience: own, title } = azureClouds[cloud];
  return [
    (value) => {
      const other = Object.values(azureClouds).find(({ name, federationAudience }) => name !== cloud && federationAudience === value);
      return other === undefined ? undefined : error("audience-of-other-cloud", `The audience ${value} is ${other.title}'s; this is ${title}, where tokens are made for ${own}.`, `Write ${own}, and have the platform mint tokens for it.`);
    },
    (value) => {
      const meant = Object.values(azureClouds).find(({ federationAudience }) => federationAudience.toLowerCase() === value.toLowerCase().replace(/\/$/, ""))?.federationAudience;
      return meant === undefined || meant === value ? undefined : error("audience-misspelt", `The audience ${visible(value)} is not ${meant}: case and a slash at the end count.`, `Write ${meant}.`);
    },
    (value) =>
      value === own
        ? undefined
        : { code: "audience-unusual", severity: "info", message: `The audience is ${visible(value)}, not ${own}: this is right only if the platform mints tokens for it.`, fix: "Compare with the aud of a token." },
  ];
}
