/** One call of the Blob service, as its operations see it: by the wire, signed or not, or past it. */
import { createHash } from "node:crypto";
import type { WireResponse } from "../types.js";
import type { Account } from "./storage-state.js";
import type { AzureCaller } from "./types.js";
import { storageRefusal } from "./storage-errors.js";
import { type Markup, XML_TYPE, xmlDocument } from "./storage-xml.js";

/** Whom a request proves: somebody by a token, whoever has the account's key, or nobody. */
export type BlobCredential = { kind: "bearer"; caller: AzureCaller } | { kind: "key" } | { kind: "anonymous" };

export interface BlobAddress {
  account: Account;
  /** Empty at the level of the account. */
  container: string;
  /** Decoded; empty at the level of a container. */
  blob: string;
}

export interface BlobRequest extends BlobAddress {
  credential: BlobCredential;
  method: string;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** Of the protocol, as the request says. */
  version: string;
  /** Scheme, host and the account's path, with a slash at its end. */
  endpoint: string;
}

export type BlobAnswer = WireResponse;

export const xml = (name: string, content: readonly (Markup | undefined)[], attributes: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): BlobAnswer => ({
  status: 200,
  headers: { "content-type": XML_TYPE, ...headers },
  body: xmlDocument(name, content, attributes),
});

/** RFC 1123's, as in `Last-Modified`. */
export const httpDate = (iso: string): string => new Date(iso).toUTCString();

const METADATA = "x-ms-meta-";

/** `x-ms-meta-NAME` as a map. Throws 400 for a name that C# would not take. */
export function readMetadata(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]): [string, string][] => (name.startsWith(METADATA) ? [[name.slice(METADATA.length), value]] : []));
  if (!entries.every(([name]) => /^[a-z_][a-z0-9_]*$/.test(name))) throw storageRefusal("InvalidMetadata");
  return Object.fromEntries(entries);
}

export const metadataHeaders = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-ms-meta-${name}`, value]));

export const md5 = (data: Buffer): string => createHash("md5").update(data).digest("base64");

/** Words of a parameter such as `include=metadata,versions`. */
export const words = (text: string | null): string[] => (text ?? "").split(",").filter((word) => word !== "");
