/** Objects in the encoding that typed clients prefer: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { MESSAGES } from "../../facts/kubernetes/protobuf.js";
import { badRequest } from "./errors.js";

export const PROTOBUF = "application/vnd.kubernetes.protobuf";

const MAGIC = Buffer.from("k8s\0");

/**
 * The object as JSON would have it: what is empty and what has no meaning here is left out.
 *
 * @throws KubernetesError 400 where the body is no such object, or of a kind that clients do not send
 */
export function decodeProtobuf(body: Buffer): Record<string, unknown> {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw badRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  try {
    const { apiVersion, kind, raw } = envelope(body.subarray(MAGIC.length));
    if (!Object.hasOwn(MESSAGES, kind)) throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
    return { apiVersion, kind, ...message(kind, raw) };
  } catch (error) {
    if (error instanceof RangeError) throw badRequest("unable to decode the protobuf message: unexpected EOF");
    throw error;
  }
}

interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
}

function envelope(bytes: Uint8Array): Envelope {
  const found: Envelope = { apiVersion: "", kind: "", raw: new Uint8Array() };
  for (const { number, reader, wireType } of fields(bytes)) {
    if (number === 1) {
      for (const type of fields(reader.bytes())) {
        if (type.number === 1) found.apiVersion = type.reader.string();
        else if (type.number === 2) found.kind = type.reader.string();
        else type.reader.skip(type.wireType);
      }
    } else if (number === 2) found.raw = reader.bytes();
    else reader.skip(wireType);
  }
  return found;
}

function* fields(bytes: Uint8Array): Generator<{ number: number; wireType: WireType; reader: BinaryReader }> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    yield { number, wireType, reader };
  }
}

function message(name: string, bytes: Uint8Array): Record<string, unknown> {
  const known = MESSAGES[name] ?? {};
  const decoded: Record<string, unknown> = {};
  for (const { number, wireType, reader } of fields(bytes)) {
    const field = known[number];
    if (!field) {
      reader.skip(wireType);
      continue;
    }
    const [member, type] = field;
    const value = read(type.replace(/^\[\]/, ""), reader);
    if (type.startsWith("[]")) decoded[member] = [...((decoded[member] ?? []) as unknown[]), value];
    else if (/map$/i.test(type)) decoded[member] = { ...(decoded[member] as object | undefined), ...(value as object) };
    else if (!isEmpty(value)) decoded[member] = value;
  }
  return decoded;
}

/** Fields that are no pointers are always written, empty or not. */
function isEmpty(value: unknown): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

function read(type: string, reader: BinaryReader): unknown {
  switch (type) {
    case "string":
      return reader.string();
    case "int":
      return Number(reader.int64());
    case "bool":
      return reader.bool();
    case "map":
      return entry(reader, (value) => value.string());
    case "bytesMap":
      return entry(reader, (value) => Buffer.from(value.bytes()).toString("base64"));
    case "quantityMap":
      return entry(reader, (value) => quantity(value.bytes()));
    default:
      return message(type.replace(/^message:/, ""), reader.bytes());
  }
}

function entry(reader: BinaryReader, readValue: (reader: BinaryReader) => string): Record<string, string> {
  let [key, value] = ["", ""];
  for (const field of fields(reader.bytes())) {
    if (field.number === 1) key = field.reader.string();
    else value = readValue(field.reader);
  }
  return { [key]: value };
}

function quantity(bytes: Uint8Array): string {
  for (const { reader } of fields(bytes)) return reader.string();
  return "";
}
