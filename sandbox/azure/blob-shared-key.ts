/** Requests signed with an account's key. https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
import { createHmac, timingSafeEqual } from "node:crypto";
import { storageLimits } from "../../facts/azure/storage.js";
import type { WireRequest } from "../types.js";
import { storageRefusal } from "./storage-errors.js";
import type { Account, AccountKeys } from "./storage-state.js";

const SIGNED_HEADERS = ["content-encoding", "content-language", "content-length", "content-md5", "content-type", "date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"];

/** Throws 403 AuthenticationFailed for a signature that neither key makes, or of another time. */
export function assertSigned(request: WireRequest, { scheme, value }: { scheme: string; value: string }, account: Account, keys: AccountKeys, now: Date): void {
  const [, name = "", signature = ""] = /^([^:]+):(\S+)$/.exec(value) ?? [];
  const date = request.headers["x-ms-date"] ?? request.headers["date"] ?? "";
  const age = Math.abs(now.getTime() - new Date(date).getTime());
  if (!(age <= storageLimits.signedDate.max * 60_000)) throw failed(`Request date header too old: '${date}'`);
  const text = /lite/i.test(scheme) ? liteStringToSign(request, account.name) : stringToSign(request, account.name);
  const given = Buffer.from(signature, "base64");
  const fits = Object.values(keys).some(({ value: key }) => {
    const expected = createHmac("sha256", Buffer.from(key as string, "base64")).update(text, "utf8").digest();
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!fits || name !== account.name) throw failed("The MAC signature found in the HTTP request is not the same as any computed signature.");
}

const failed = (detail: string) => storageRefusal("AuthenticationFailed", { AuthenticationErrorDetail: detail });

function stringToSign(request: WireRequest, account: string): string {
  const { method, headers } = request;
  const signed = SIGNED_HEADERS.map((name) => {
    if (name === "date" && headers["x-ms-date"] !== undefined) return "";
    return name === "content-length" && headers[name] === "0" ? "" : (headers[name] ?? "");
  });
  const parameters = [...new Set([...request.url.searchParams.keys()])].sort().map((name) => {
    const values = request.url.searchParams.getAll(name).sort().join(",");
    return `\n${name.toLowerCase()}:${values}`;
  });
  return [method, ...signed, `${canonicalHeaders(headers)}/${account}${pathOf(request)}${parameters.join("")}`].join("\n");
}

function liteStringToSign(request: WireRequest, account: string): string {
  const { method, headers, url } = request;
  const date = headers["x-ms-date"] === undefined ? (headers["date"] ?? "") : "";
  const comp = url.searchParams.get("comp");
  const resource = `/${account}${pathOf(request)}${comp === null ? "" : `?comp=${comp}`}`;
  return [method, headers["content-md5"] ?? "", headers["content-type"] ?? "", date, `${canonicalHeaders(headers)}${resource}`].join("\n");
}

/** As sent: escapes stay. */
const pathOf = ({ rawTarget }: WireRequest): string => rawTarget.split("?")[0] ?? "/";

const canonicalHeaders = (headers: Readonly<Record<string, string>>): string =>
  Object.keys(headers)
    .filter((name) => name.startsWith("x-ms-"))
    .sort()
    .map((name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/\s+/g, " ")}\n`)
    .join("");
