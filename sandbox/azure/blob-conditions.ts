/** Conditional headers. https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations */
import { storageRefusal } from "./storage-errors.js";
import { AzureError } from "./types.js";

interface Subject {
  etag?: string | undefined;
  lastModified: string;
}

type Headers = Readonly<Record<string, string>>;

const equal = (listed: string, etag: string | undefined): boolean =>
  listed.split(",").some((each) => each.trim() === "*" || each.trim().replaceAll('"', "") === etag?.replaceAll('"', ""));

/** `subject` is undefined for a blob that is not there. */
export function assertWriteConditions(headers: Headers, subject: Subject | undefined): void {
  const { "if-match": match, "if-none-match": noneMatch } = headers;
  if (subject === undefined) {
    if (match !== undefined) throw storageRefusal("ConditionNotMet");
    return;
  }
  if (noneMatch === "*") throw storageRefusal("BlobAlreadyExists");
  const met = (match === undefined || equal(match, subject.etag)) && (noneMatch === undefined || !equal(noneMatch, subject.etag)) && !isStale(headers, subject) && !isNewer(headers, subject);
  if (!met) throw storageRefusal("ConditionNotMet");
}

/** What has not changed is 304. */
export function assertReadConditions(headers: Headers, subject: Subject): void {
  const { "if-match": match, "if-none-match": noneMatch } = headers;
  if ((match !== undefined && !equal(match, subject.etag)) || isNewer(headers, subject)) throw storageRefusal("ConditionNotMet");
  const same = noneMatch !== undefined ? equal(noneMatch, subject.etag) : isStale(headers, subject);
  if (same) throw new AzureError(304, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.", { headers: { etag: subject.etag ?? "" } });
}

/** Not changed since the time that was asked about. */
const isStale = ({ "if-modified-since": since }: Headers, { lastModified }: Subject): boolean => since !== undefined && seconds(lastModified) <= seconds(since);

const isNewer = ({ "if-unmodified-since": since }: Headers, { lastModified }: Subject): boolean => since !== undefined && seconds(lastModified) > seconds(since);

/** HTTP's dates know no fractions. */
function seconds(time: string): number {
  const value = new Date(time).getTime();
  if (Number.isNaN(value)) throw storageRefusal("InvalidHeaderValue", { HeaderValue: time });
  return Math.floor(value / 1000);
}
