import { ENTRA_ERRORS, entraErrorName } from "../../facts/azure/entra-errors.js";
import { azureClouds } from "../../facts/azure/clouds.js";
import { resourceName, resourceOfScope } from "../../facts/azure/entra.js";
import { AZURE_ISSUER_RULES, evaluateClientAssertion, explainAssertion, matchCredential, type ClientAssertionQuestion } from "../../trust/azure.js";
import type { JsonObject } from "../../trust/jwt.js";
import { assertion, AUDIENCE, CLIENT, goodClient, goodCredential, ISSUER, keysOf, makeFactory, NOW, PRINCIPAL, RECORDED_ASSERTIONS, SUBJECT, TENANT, type PresentedAssertion } from "./azure-recorded-answers.js";
import { discoveryOf, makeKey } from "./tokens.js";

const factory = makeFactory();

function ask(presented: PresentedAssertion): { question: ClientAssertionQuestion; asked: string[] } {
  const { jwks, discovery = discoveryOf(ISSUER), client, knownTenant, ...request } = presented;
  const asked: string[] = [];
  const question: ClientAssertionQuestion = {
    cloud: "public",
    tenant: TENANT,
    clientId: CLIENT,
    grantType: "client_credentials",
    assertionType: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    scope: "https://management.azure.com/.default",
    ...request,
    knownTenant: knownTenant === null ? undefined : (knownTenant ?? { tenantId: TENANT, cloud: "public" }),
    client: client === null ? undefined : goodClient(client),
    knownResource: (resource) => resource.startsWith("https://management.azure.com"),
    now: new Date(NOW * 1000),
    issuer: async (issuer) => {
      asked.push(issuer);
      return jwks === null ? { status: "unavailable", detail: "connection refused" } : { status: "ok", discovery, jwks: jwks ?? keysOf(factory) };
    },
  };
  return { question, asked };
}

const detailOf = async (presented: PresentedAssertion) => {
  const answer = await evaluateClientAssertion(ask(presented).question);
  return answer.allowed ? undefined : answer.detail;
};

describe("client assertions", () => {
  it.each(RECORDED_ASSERTIONS.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const presented = row.present(factory);
    const { question } = ask(presented);
    const answer = await evaluateClientAssertion(question);
    if (row.refusal === undefined) {
      const credential = question.client?.credentials.find(({ subject }) => subject === SUBJECT);
      expect(answer).toEqual({ allowed: true, credential, resource: question.scope.slice(0, -"/.default".length) });
      return;
    }
    const { status, ...refusal } = row.refusal;
    expect(answer).toEqual({ allowed: false, httpStatus: status, detail: expect.any(String), ...refusal });
    expect(entraErrorName(refusal.code)).toBeDefined();
    if (presented.assertion.length > 40) expect(JSON.stringify(answer)).not.toContain(presented.assertion);
  });

  it("ask the issuer once, and only where a credential matches in time", async () => {
    const good = ask({ assertion: assertion(factory) });
    await evaluateClientAssertion(good.question);
    expect(good.asked).toEqual([ISSUER]);
    for (const claims of [{ iss: "https://x.example" }, { aud: "x" }, { sub: "x" }, { exp: NOW - 900 }]) {
      const { question, asked } = ask({ assertion: assertion(factory, claims) });
      await evaluateClientAssertion(question);
      expect(asked).toEqual([]);
    }
  });

  it.each<[string, PresentedAssertion, string]>([
    ["a slash too much", { assertion: assertion(factory, { iss: `${ISSUER}/` }) }, `the token's iss is "${ISSUER}/", the credential "dcf" has "${ISSUER}": a slash more at its end`],
    ["a slash too few", { assertion: assertion(factory), client: { credentials: [goodCredential({ issuer: `${ISSUER}/` })] } }, `the token's iss is "${ISSUER}", the credential "dcf" has "${ISSUER}/": a slash less at its end`],
    ["a blank", { assertion: assertion(factory, { sub: `${SUBJECT} ` }) }, `the token's sub is "${SUBJECT} ", the credential "dcf" has "${SUBJECT}": blanks at an end`],
    ["a character that is not seen", { assertion: assertion(factory, { sub: `${SUBJECT}\u200B` }) }, `the token's sub is "${SUBJECT}\\u{200B}", the credential "dcf" has "${SUBJECT}": characters that are not seen`],
    ["case", { assertion: assertion(factory, { sub: SUBJECT.toUpperCase() }) }, `the token's sub is "${SUBJECT.toUpperCase()}", the credential "dcf" has "${SUBJECT}": another case`],
    ["another subject", { assertion: assertion(factory, { sub: "x" }) }, `the token's sub is "x", the credential "dcf" has "${SUBJECT}"`],
    [
      "another subject than several",
      { assertion: assertion(factory, { sub: "x" }), client: { credentials: [goodCredential(), goodCredential({ subject: "y" })] } },
      `no credential has a subject equal to the token's sub "x" (2 looked at)`,
    ],
    [
      "nearly one of several",
      { assertion: assertion(factory), client: { credentials: [goodCredential({ subject: "y" }), goodCredential({ name: "near", subject: ` ${SUBJECT}` })] } },
      `the token's sub is "${SUBJECT}", the credential "near" has " ${SUBJECT}": blanks at an end`,
    ],
    ["two audiences", { assertion: assertion(factory, { aud: [AUDIENCE, "x"] }) }, "the assertion is for 2 audiences; Entra takes one"],
    ["claims missing", { assertion: assertion(factory, { iss: undefined, aud: 1 }) }, "the assertion's iss, aud are missing or of the wrong type"],
    ["one claim missing", { assertion: assertion(factory, { exp: undefined }) }, "the assertion's exp is missing or of the wrong type"],
    ["expired", { assertion: assertion(factory, { exp: NOW - 400 }) }, "the assertion expired 400 seconds ago; Entra tolerates 300"],
    ["too early", { assertion: assertion(factory, { nbf: NOW + 400 }) }, "the assertion is valid from 400 seconds ahead; Entra tolerates 300"],
    ["rotated keys", { assertion: assertion(factory, {}, { kid: "rsa-2" }) }, 'the issuer has no key "rsa-2"; it has "rsa-1", "es-1"'],
    ["another cloud", { assertion: assertion(factory), cloud: "china" }, `the tenant ${TENANT} is of Azure public cloud, whose authority is https://login.microsoftonline.com; asked was login.chinacloudapi.cn`],
    ["a policy", { assertion: assertion(factory), blockedBy: "Known places" }, 'the Conditional Access policy "Known places" blocks this workload identity'],
    ["no resource", { assertion: assertion(factory), scope: "https://x.example/.default" }, `the tenant ${TENANT} knows no resource "https://x.example"`],
    ["disabled", { assertion: assertion(factory), client: { servicePrincipal: { objectId: PRINCIPAL, enabled: false } } }, `the service principal ${PRINCIPAL} of id-acme-dcf is disabled`],
    ["out of reach", { assertion: assertion(factory), jwks: null }, `the documents of ${ISSUER} cannot be had: connection refused`],
  ])("say which values differ: %s", async (_name, presented, detail) => {
    expect(await detailOf(presented)).toBe(detail);
  });
});

describe("an exchange explained", () => {
  const workload = { kind: "workload", issuer: ISSUER, subject: SUBJECT, audience: AUDIENCE } as const;
  const explain = (changes: Partial<Parameters<typeof explainAssertion>[0]> = {}) => explainAssertion({ client: goodClient(), tenant: TENANT, presented: workload, now: new Date(NOW * 1000), ...changes });

  it("for a workload that is admitted, without a token", () => {
    const { steps, credential, comparisons, refusal } = explain();
    expect(steps.map(({ step, outcome }) => [step, outcome])).toEqual([["token", "passes"], ["credential", "passes"], ["service-principal", "passes"]]);
    expect(credential?.name).toBe("dcf");
    expect(comparisons).toEqual([{ name: "dcf", differences: {} }]);
    expect(refusal).toBeUndefined();
  });

  it("says what Entra would answer, and how each credential differs, the nearest first", () => {
    const { steps, credential, comparisons, refusal } = explain({ client: goodClient({ servicePrincipal: undefined, credentials: [goodCredential({ name: "far", issuer: "https://x.example", subject: "x" }), goodCredential({ name: "near", subject: `${SUBJECT}\u00A0` })] }) });
    expect(refusal).toMatchObject({ reason: "subject-differs", code: 700213 });
    expect(credential).toBeUndefined();
    expect(steps.map(({ step, reason }) => [step, reason])).toEqual([["token", undefined], ["credential", "subject-differs"], ["service-principal", "service-principal-missing"]]);
    expect(comparisons.map(({ name, differences }) => [name, Object.keys(differences)])).toEqual([["near", ["subject"]], ["far", ["issuer", "subject"]]]);
    expect(comparisons[0]?.differences.subject).toEqual({ found: `"${SUBJECT}"`, expected: `"${SUBJECT}\\u{A0}"`, hint: "blanks at an end", common: SUBJECT.length });
  });

  it("looks at a token's times and keys as well", () => {
    const issuer = { status: "ok", discovery: discoveryOf(ISSUER), jwks: keysOf(factory) } as const;
    const stepsOf = (token: string, evidence?: typeof issuer) => explain({ presented: { kind: "jwt", token }, issuer: evidence }).steps.map(({ step, outcome }) => `${step} ${outcome}`);
    expect(stepsOf(assertion(factory), issuer)).toEqual(["token passes", "credential passes", "times passes", "signature passes", "service-principal passes"]);
    expect(stepsOf(assertion(factory))).toContain("signature not-looked-at");
    expect(stepsOf(assertion(factory, { exp: NOW - 900, sub: "x" }, {}, factory.foreign), issuer)).toEqual(["token passes", "credential fails", "times fails", "signature fails", "service-principal passes"]);
    expect(stepsOf("no.jwt")).toEqual(["token fails", "service-principal passes"]);
    expect(stepsOf(assertion(factory, { aud: undefined }))).toEqual(["token fails", "service-principal passes"]);
  });
});

describe("issuers", () => {
  const { discoveryMistakes, keyMistake } = AZURE_ISSUER_RULES;
  const document = (changes: JsonObject) => ({ ...discoveryOf(ISSUER), ...changes });

  it("need the metadata that Entra reads", () => {
    expect(discoveryMistakes(ISSUER, discoveryOf(ISSUER))).toEqual([]);
    expect(discoveryMistakes(ISSUER, document({ jwks_uri: "" }))).toEqual(["the issuer's discovery document has no jwks_uri"]);
    expect(discoveryMistakes(ISSUER, document({ jwks_uri: "http://a.example/keys" }))).toHaveLength(1);
    expect(discoveryMistakes(ISSUER, document({ subject_types_supported: null, issuer: "https://x.example" }))).toEqual([
      "the issuer's discovery document has no subject_types_supported",
      `the issuer's discovery document names the issuer "https://x.example", the token "${ISSUER}"`,
    ]);
    for (const name of ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint"]) {
      expect(discoveryMistakes(ISSUER, document({ [name]: "" }))).toEqual([`the issuer's discovery document has "" as ${name}, which is no URL; Entra reads none of such a document`]);
    }
  });

  it("need RSA keys for signatures", () => {
    expect(keyMistake(factory.rsa.jwk)).toBeUndefined();
    expect(keyMistake({ ...factory.rsa.jwk, use: undefined })).toBeUndefined();
    expect(keyMistake(factory.es.jwk)).toBe('the issuer\'s key "es-1" is of type "EC"; Entra takes RSA');
    expect(keyMistake({ ...factory.rsa.jwk, use: "enc" })).toBe('the issuer\'s key "rsa-1" is not for signatures (use "enc")');
    expect(keyMistake({ ...factory.rsa.jwk, n: undefined })).toBe('the issuer\'s key "rsa-1" is no readable public key');
    expect(makeKey("k").jwk["kty"]).toBe("RSA");
  });
});

describe("what tokens are asked for", () => {
  it.each([
    ["https://management.azure.com/.default", "https://management.azure.com"],
    ["https://management.core.windows.net//.default", "https://management.core.windows.net/"],
    ["https://management.azure.com", undefined],
    ["/.default", undefined],
    ["https://a.example/.default openid", undefined],
  ])("the scope %s is for %s", (scope, resource) => {
    expect(resourceOfScope(scope)).toBe(resource);
  });

  it.each([
    ["https://management.azure.com", "public", "arm"],
    ["https://MANAGEMENT.azure.com/", "public", "arm"],
    ["https://management.core.windows.net/", "public", "arm"],
    ["797f4846-ba00-4fd7-ba43-dac1f8f63013", "public", "arm"],
    ["https://management.azure.com", "china", undefined],
    ["https://management.chinacloudapi.cn", "china", "arm"],
    ["https://graph.microsoft.com", "public", "graph"],
    ["https://storage.azure.com", "usgovernment", "storage"],
    ["https://acme.blob.core.windows.net", "public", "storage"],
    ["https://acme.blob.core.windows.net", "china", undefined],
    ["https://containerregistry.azure.net", "public", "containerRegistry"],
    ["https://nobody.example", "public", undefined],
  ] as const)("%s is, in the cloud %s, %s", (resource, cloud, name) => {
    expect(resourceName(resource, azureClouds[cloud])).toBe(name);
  });
});

describe("Entra's codes", () => {
  it("are each known once", () => {
    const codes = Object.values(ENTRA_ERRORS).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it("are found by their number", () => {
    expect(entraErrorName(700213)).toBe("subject");
    expect(entraErrorName(1)).toBeUndefined();
  });

  it("match without a client too", () => {
    expect(matchCredential({ displayName: "x", credentials: [goodCredential()] }, { issuer: ISSUER, subject: SUBJECT, audience: AUDIENCE })).toEqual(goodCredential());
  });
});
