/**
 * Why Entra refused: suspects by its code, then what the token, the issuer and the account have to say about each.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import { ENTRA_ERRORS, entraErrorName, type EntraErrorName } from "../../facts/azure/entra-errors.js";
import { RESOURCES as SERVICES } from "../../facts/azure/entra.js";
import type { Cause, Suspect } from "../causes.js";
import type { CheckScope, Diagnosis } from "../check.js";
import { at } from "../token.js";
import { confirmed, diagnosis, isExplained, narrow, open } from "./account-reader.js";
import { describeAnswer, type AzureRefusal } from "./answers.js";
import type { AzureCauseCode, AzureCauseValues } from "./causes.js";
import type { Resource } from "./endpoints.js";
import { issuerCause } from "./issuer.js";
import { cause, type AzureRun } from "./run.js";
import { exchangeToken } from "./session.js";
import { tokenCause } from "./token.js";

/** Entra's name for a refusal; undefined for a code that is not known here. */
export function refusalName({ code }: AzureRefusal): EntraErrorName | undefined {
  return code.startsWith("AADSTS") ? entraErrorName(Number(code.slice("AADSTS".length))) : undefined;
}

interface Refused {
  run: AzureRun;
  resource: Resource;
  refusal: AzureRefusal;
  answered: string;
  /** What the token itself shows to be wrong. */
  own: Cause | undefined;
  /** Time for propagation is over. */
  waited: boolean;
  scope: CheckScope;
}

type Suspicion = (refused: Refused) => Suspect[] | Promise<Suspect[]>;

/** The causes of a refusal; never empty. */
export async function diagnoseExchange(run: AzureRun, resource: Resource, refusal: AzureRefusal, waited: boolean, scope: CheckScope): Promise<Diagnosis> {
  const answered = `Entra answered ${describeAnswer(refusal)}`;
  const refused: Refused = { run, resource, refusal, answered, own: run.token && tokenCause(run, run.token, new Date()), waited, scope };
  const name = refusalName(refusal);
  const suspects = await (name === undefined ? unnamed(refused) : SUSPECTS[name](refused));
  const left = suspects.some((suspect) => suspect.confirmed) ? suspects : await narrow(run, { about: "exchange", code: refusal.code }, suspects, answered);
  return diagnosis(left) ?? { causes: [cause(run, "azure.exchange.refused", answered)], layersNotRead: [] };
}

function unnamed({ run, refusal, answered, own }: Refused): Suspect[] {
  if (own) return [confirmed(own)];
  // The families of codes of Conditional Access and of what an issuer is not allowed to.
  if (/^AADSTS530\d+$/.test(refusal.code)) return [confirmed(cause(run, "azure.exchange.conditional-access", answered))];
  if (/^AADSTS(?:700226|700236|700238|7002381)$/.test(refusal.code)) return [confirmed(cause(run, "azure.exchange.issuer-not-allowed", answered))];
  return [open(cause(run, "azure.exchange.refused", answered))];
}

const sure =
  (code: AzureCauseCode, values: (refused: Refused) => Partial<AzureCauseValues> = () => ({})): Suspicion =>
  (refused) => [confirmed(cause(refused.run, code, refused.answered, values(refused)))];

/** The token's own fault where the token shows it, else one of the credential's; what is new may only be too new. */
const unmatched =
  (own: readonly AzureCauseCode[], code: AzureCauseCode): Suspicion =>
  (refused) => {
    const { run, answered } = refused;
    if (refused.own && (own as readonly string[]).includes(refused.own.code)) return [confirmed(withAnswer(refused.own, answered))];
    return [open(cause(run, code, answered)), ...unfollowed(refused)];
  };

/** A credential that is there and that Entra does not go by: too new, or, where the account shows it in order after all the waiting, stale. */
function unfollowed({ run, answered, waited }: Refused): Suspect[] {
  if (!waited) return [open(cause(run, "azure.credential.not-propagated", "no change of the credential is known to be older than the time that Entra takes"))];
  return run.account ? [open(cause(run, "azure.credential.stale", answered))] : [];
}

const form: Suspicion = ({ run, answered, own }) => [confirmed(own?.code === "token.unusable" ? withAnswer(own, answered) : cause(run, "token.unusable", answered))];

const time: Suspicion = ({ run, answered, own }) => [confirmed(own ? withAnswer(own, answered) : cause(run, "token.clock-skew", [answered, clocks(run)]))];

/** Entra names the key that it looked for and did not find. */
const key: Suspicion = async ({ run, answered }) => {
  const found = issuerCause(run, await run.issuer());
  if (found) return [confirmed(withAnswer(found, answered))];
  return [confirmed(cause(run, "issuer.key-cached", [answered, `seen from here, the issuer publishes the key ${run.token?.visible.kid ?? ""}`]))];
};

const signature: Suspicion = async ({ run, answered }) => {
  const found = issuerCause(run, await run.issuer());
  return [confirmed(found ? withAnswer(found, answered) : cause(run, "issuer.signature-mismatch", answered))];
};

const documents: Suspicion = async ({ run, answered }) => {
  const found = issuerCause(run, await run.issuer());
  return [confirmed(found ? withAnswer(found, answered) : cause(run, "issuer.unreachable-for-entra", [answered, "seen from here, both documents are in order"]))];
};

/** A swapped id shows by what Entra says of the other one, a wrong tenant by the subscription's. */
const client: Suspicion = async ({ run, resource, answered, waited, scope }) => {
  const { clientId, principalId } = run.exchange;
  const subscription = await scope.outcome("azure.subscription");
  const moved = subscription?.status === "fail" ? subscription.diagnosis.causes.find(({ code }) => code === "azure.subscription.other-tenant") : undefined;
  if (moved) return [confirmed(withAnswer(moved, answered))];
  if (clientId !== principalId) {
    const other = await exchangeToken(run, { resource, assertion: run.token?.raw ?? "", clientId: principalId }, scope.signal);
    const known = other.ok || (other.kind === "refused" && refusalName(other) !== undefined && refusalName(other) !== "clientMissing");
    if (known) return [confirmed(cause(run, "azure.client.is-principal-id", [answered, `with the principal id ${principalId} for a client id, Entra answered ${other.ok ? "with a token" : describeAnswer(other)}`]))];
  }
  return [open(cause(run, "azure.client.missing", answered)), open(cause(run, "azure.client.recreated", answered)), ...(waited ? [] : [open(cause(run, "azure.client.not-propagated", answered))])];
};

/** What each of Entra's refusals lets one suspect. */
const SUSPECTS: Readonly<Record<EntraErrorName, Suspicion>> = {
  tenantMalformed: sure("azure.tenant.malformed"),
  tenantMissing: sure("azure.tenant.missing"),
  cloudDiffers: sure("azure.tenant.other-cloud"),
  cloudRedirect: sure("azure.tenant.other-cloud"),
  clientMissing: client,
  servicePrincipalMissing: sure("azure.client.service-principal-missing"),
  servicePrincipalDisabled: sure("azure.client.disabled"),
  conditionalAccess: sure("azure.exchange.conditional-access"),
  parameterMissing: sure("azure.exchange.refused"),
  grantType: sure("azure.exchange.refused"),
  assertionMissing: sure("azure.exchange.refused"),
  scope: sure("azure.exchange.refused"),
  resourceUnknown: sure("azure.exchange.resource-unknown", ({ resource }) => ({ subject: SERVICES[resource === "registry" ? "containerRegistry" : resource].appId })),
  assertionMalformed: form,
  assertionType: form,
  algorithm: form,
  keyUnusable: async ({ run, answered }) => {
    const found = issuerCause(run, await run.issuer());
    return [confirmed(found ? withAnswer(found, answered) : cause(run, "issuer.key-unusable", answered, { subject: run.token?.visible.kid }))];
  },
  assertionTime: time,
  noCredentials: (refused) => [open(cause(refused.run, "azure.credential.missing", refused.answered)), ...unfollowed(refused)],
  issuer: unmatched(["token.other-issuer"], "azure.credential.issuer-differs"),
  audience: unmatched(["token.other-audience"], "azure.credential.audience-differs"),
  subject: unmatched(["token.other-subject"], "azure.credential.subject-differs"),
  subjectCase: (refused) => [confirmed(refused.own?.code === "token.other-subject" ? withAnswer(refused.own, refused.answered) : cause(refused.run, "azure.credential.subject-case-differs", refused.answered))],
  subjectOfEntra: unmatched(["token.other-subject"], "azure.credential.subject-differs"),
  subjectOrExpression: unmatched(["token.other-subject"], "azure.credential.subject-differs"),
  unmatched: unmatched(["token.other-issuer", "token.other-audience", "token.other-subject"], "azure.credential.differs"),
  issuerNotAllowed: sure("azure.exchange.issuer-not-allowed"),
  issuerEndpoint: documents,
  issuerMetadata: documents,
  issuerRequest: documents,
  keyUnknown: key,
  signature,
  certificate: signature,
  secretInvalid: sure("azure.exchange.refused"),
  secretExpired: sure("azure.exchange.refused"),
  unavailable: sure("azure.exchange.refused"),
  throttled: sure("azure.exchange.refused"),
};

function withAnswer(found: Cause, answered: string): Cause {
  return { ...found, evidence: [...new Set([answered, ...found.evidence])] };
}

function clocks(run: AzureRun): string {
  const { iat, exp } = run.token?.visible ?? {};
  return `the token is of ${iat === undefined ? "?" : at(iat)} and valid until ${exp === undefined ? "?" : at(exp)}, by this machine's clock it is ${at(Math.floor(Date.now() / 1000))}`;
}

/** The code, when the refusal may end by itself: something new that Entra has not seen yet. */
export async function exchangeMayBePropagation(run: AzureRun, refusal: AzureRefusal): Promise<string | undefined> {
  const name = refusalName(refusal);
  const retry = name === undefined ? "never" : ENTRA_ERRORS[name].retry;
  if (retry !== "propagation" && retry !== "issuer") return undefined;
  // What the token or the issuer shows does not change by waiting.
  const own = run.token && tokenCause(run, run.token, new Date());
  if (own) return undefined;
  if (retry === "issuer" && issuerCause(run, await run.issuer())) return undefined;
  return (await isExplained(run, { about: "exchange", code: refusal.code })) ? undefined : refusal.code;
}
