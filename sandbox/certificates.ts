import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import * as der from "./der.js";

/** A certification authority as it is kept; the key is secret. */
export interface CaMaterial {
  certPem: string;
  keyPem: string;
}

const oid = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

const day = 24 * 60 * 60 * 1000;
const caDays = 3650;
/** Some clients refuse server certificates that are valid for longer than 398 days. */
const leafDays = 390;

/**
 * The sandbox's own certification authority: EC P-256, SHA-256, with a server certificate for every host that is asked
 * for, made on the fly. Validity is in real time, whatever the sandbox's clock says: clients check it by theirs.
 */
export class CertificateAuthority {
  readonly certPem: string;
  readonly #key: KeyObject;
  readonly #leafKey = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #contexts = new Map<string, SecureContext>();

  constructor(material?: CaMaterial) {
    this.#key = material ? createPrivateKey(material.keyPem) : generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    this.certPem = material?.certPem ?? selfSigned(this.#key);
  }

  get material(): CaMaterial {
    return { certPem: this.certPem, keyPem: pem(this.#key) };
  }

  /** The TLS context of a server for one DNS name or IP address. */
  context(host: string): SecureContext {
    const known = this.#contexts.get(host);
    if (known) return known;
    const context = createSecureContext({ key: pem(this.#leafKey.privateKey), cert: this.#leaf([host]) + this.certPem });
    this.#contexts.set(host, context);
    return context;
  }

  /** The TLS context of the loopback listener itself. */
  loopbackContext(): SecureContext {
    return createSecureContext({
      key: pem(this.#leafKey.privateKey),
      cert: this.#leaf(["localhost", "*.localhost", "127.0.0.1", "::1"]) + this.certPem,
    });
  }

  #leaf(hosts: string[]): string {
    return certificate({
      subject: commonName("Cloud Federation sandbox"),
      issuer: caName(createPublicKey(this.#key)),
      publicKey: this.#leafKey.publicKey,
      signer: this.#key,
      days: leafDays,
      extensions: [
        extension(oid.basicConstraints, der.sequence(), true),
        extension(oid.keyUsage, der.bitString(Buffer.from([0x80]), 7), true), // digitalSignature
        extension(oid.extendedKeyUsage, der.sequence(der.objectIdentifier(oid.serverAuth))),
        extension(oid.subjectAltName, der.sequence(...hosts.map(generalName)), true),
      ],
    });
  }
}

function selfSigned(key: KeyObject): string {
  const publicKey = createPublicKey(key);
  return certificate({
    subject: caName(publicKey),
    issuer: caName(publicKey),
    publicKey,
    signer: key,
    days: caDays,
    extensions: [
      extension(oid.basicConstraints, der.sequence(der.boolean(true)), true),
      extension(oid.keyUsage, der.bitString(Buffer.from([0x06]), 1), true), // keyCertSign, cRLSign
    ],
  });
}

interface CertificateFields {
  subject: Buffer;
  issuer: Buffer;
  publicKey: KeyObject;
  signer: KeyObject;
  days: number;
  extensions: Buffer[];
}

/** An X.509 v3 certificate (RFC 5280 section 4.1) as PEM. */
function certificate(fields: CertificateFields): string {
  const algorithm = der.sequence(der.objectIdentifier(oid.ecdsaWithSha256));
  const serial = randomBytes(16);
  serial[0] = (serial.readUInt8(0) & 0x7f) | 0x40;
  const now = Date.now();
  const body = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))), // v3
    der.integer(serial),
    algorithm,
    fields.issuer,
    der.sequence(der.utcTime(new Date(now - day)), der.utcTime(new Date(now + fields.days * day))),
    fields.subject,
    fields.publicKey.export({ type: "spki", format: "der" }),
    der.explicit(
      3,
      der.sequence(
        ...fields.extensions,
        extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(fields.publicKey))),
        extension(oid.authorityKeyIdentifier, der.sequence(der.implicit(0, keyIdentifier(createPublicKey(fields.signer))))),
      ),
    ),
  );
  const whole = der.sequence(body, algorithm, der.bitString(sign("sha256", body, fields.signer)));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  const flags = critical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(id), ...flags, der.octetString(value));
}

function generalName(host: string): Buffer {
  return isIP(host) ? der.implicit(7, addressBytes(host)) : der.implicit(2, Buffer.from(host, "ascii"));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill("0");
  const all = [...groups(head), ...zeros, ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

function commonName(text: string): Buffer {
  return der.sequence(der.set(der.sequence(der.objectIdentifier(oid.commonName), der.utf8String(text))));
}

/** Names the authority after its key, so that a client that trusts several sandboxes can tell them apart. */
function caName(publicKey: KeyObject): Buffer {
  return commonName(`Cloud Federation sandbox CA ${keyIdentifier(publicKey).toString("hex").slice(0, 8)}`);
}

/** Identifies a key inside a chain; not a matter of security (RFC 7093 section 2, method 1). */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest().subarray(0, 20);
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
