import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Extension, Name } from "@peculiar/x509";

/** A certification authority as it is kept; the key is secret. */
export interface CaMaterial {
  certPem: string;
  keyPem: string;
}

type X509 = typeof import("@peculiar/x509");

const day = 24 * 60 * 60 * 1000;
const caDays = 3650;
/** Some clients refuse server certificates that are valid for longer than 398 days. */
const leafDays = 390;
const keyType = { name: "ECDSA", namedCurve: "P-256" } as const;

/**
 * The sandbox's own certification authority: EC P-256, SHA-256, with a server certificate for every host that is asked
 * for, made on the fly. Validity is in real time, whatever the sandbox's clock says: clients check it by theirs.
 */
export class CertificateAuthority {
  readonly #leafKey = newKey();
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  /** The authority as it was; {@link create} makes a new one. */
  constructor(readonly material: CaMaterial) {}

  static async create(): Promise<CertificateAuthority> {
    const key = newKey();
    return new CertificateAuthority({ certPem: await selfSigned(key), keyPem: pem(key) });
  }

  get certPem(): string {
    return this.material.certPem;
  }

  /** The TLS context of a server for one DNS name or IP address. */
  context(host: string): Promise<SecureContext> {
    return this.#context([host]);
  }

  /** The TLS context of the loopback listener itself. */
  loopbackContext(): Promise<SecureContext> {
    return this.#context(["localhost", "*.localhost", "127.0.0.1", "::1"]);
  }

  #context(hosts: string[]): Promise<SecureContext> {
    const id = hosts.join();
    const known = this.#contexts.get(id);
    if (known) return known;
    const made = serverCertificate(this.material, this.#leafKey, hosts).then((leaf) =>
      createSecureContext({ key: pem(this.#leafKey), cert: leaf + this.certPem }),
    );
    this.#contexts.set(id, made);
    return made;
  }
}

async function selfSigned(key: KeyObject): Promise<string> {
  const x509 = await library();
  const keyId = await x509.SubjectKeyIdentifierExtension.create(spki(key));
  // Named after its key, so that a client that trusts several sandboxes can tell them apart.
  const name = new x509.Name([{ CN: [`Cloud Federation sandbox CA ${keyId.keyId.slice(0, 8)}`] }]);
  return certificate(x509, {
    subject: name,
    issuer: name,
    key,
    signer: key,
    days: caDays,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      keyId,
      new x509.AuthorityKeyIdentifierExtension(keyId.keyId),
    ],
  });
}

async function serverCertificate(ca: CaMaterial, key: KeyObject, hosts: string[]): Promise<string> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(ca.certPem);
  const issuerKeyId = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const names = hosts.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value }));
  return certificate(x509, {
    subject: new x509.Name([{ CN: ["Cloud Federation sandbox"] }]),
    issuer: issuer.subjectName,
    key,
    signer: createPrivateKey(ca.keyPem),
    days: leafDays,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(spki(key)),
      ...(issuerKeyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(issuerKeyId)]),
    ],
  });
}

interface CertificateFields {
  subject: Name;
  issuer: Name;
  /** The private key of whom it is for. */
  key: KeyObject;
  signer: KeyObject;
  days: number;
  extensions: Extension[];
}

async function certificate(x509: X509, fields: CertificateFields): Promise<string> {
  const { key, signer, days, ...rest } = fields;
  const now = Date.now();
  const made = await x509.X509CertificateGenerator.create({
    ...rest,
    publicKey: spki(key),
    signingKey: await webcrypto.subtle.importKey("pkcs8", signer.export({ type: "pkcs8", format: "der" }), keyType, false, ["sign"]),
    signingAlgorithm: { name: keyType.name, hash: "SHA-256" },
    notBefore: new Date(now - day),
    notAfter: new Date(now + days * day),
  });
  return `${made.toString("pem")}\n`;
}

/** Loaded with the first certificate only: it takes longer than the rest of a start. It needs reflect-metadata before it. */
async function library(): Promise<X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: keyType.namedCurve }).privateKey;
}

function spki(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
