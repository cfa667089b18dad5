/** Lists of objects and versions, page by page. */
import type * as api from "@aws-sdk/client-s3";
import type { S3Handler } from "./s3-access.js";
import { canonicalId } from "./s3-buckets.js";
import { s3Error } from "./s3-errors.js";
import { type ObjectVersion, type S3State, compareKeys } from "./s3-state.js";

const PAGE = 1000;

/** A page of entries and of the prefixes that stand for many, in one order. */
interface Page<T> {
  entries: T[];
  prefixes: string[];
  truncated: boolean;
  /** Key or prefix that ended the page. */
  last: string;
}

function pageSize(maxKeys: number | undefined): number {
  if (maxKeys === undefined) return PAGE;
  if (!Number.isInteger(maxKeys) || maxKeys < 0)
    throw s3Error("InvalidArgument", { ArgumentName: "max-keys", ArgumentValue: String(maxKeys) }, "Argument maxKeys must be an integer between 0 and 2147483647");
  return Math.min(maxKeys, PAGE);
}

interface Listing {
  prefix: string;
  delimiter: string;
  /** Everything up to and including this key or prefix was shown before. */
  after: string;
  size: number;
}

/** The prefix up to and including the first delimiter after the asked prefix. */
function commonPrefix(key: string, { prefix, delimiter }: Listing): string | undefined {
  if (delimiter === "") return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** `items` in order; several may share a key. `shown` tells those of the key `after` that an earlier page had. */
function paginate<T>(items: readonly T[], keyOf: (item: T) => string, listing: Listing, shown: (item: T) => boolean): Page<T> {
  const page: Page<T> = { entries: [], prefixes: [], truncated: false, last: "" };
  for (const item of items) {
    const key = keyOf(item);
    if (!key.startsWith(listing.prefix)) continue;
    const common = commonPrefix(key, listing);
    const place = common ?? key;
    if (listing.after !== "") {
      const order = compareKeys(place, listing.after);
      if (order < 0 || (order === 0 && (common !== undefined || shown(item)))) continue;
    }
    if (common !== undefined && page.prefixes.at(-1) === common) continue;
    if (page.entries.length + page.prefixes.length >= listing.size) {
      page.truncated = listing.size > 0;
      break;
    }
    if (common === undefined) page.entries.push(item);
    else page.prefixes.push(common);
    page.last = place;
  }
  return page;
}

/** Names in answers, escaped where the client asked for it. */
function namer(encodingType: string | undefined): (name: string) => string {
  if (encodingType === undefined) return (name) => name;
  if (encodingType !== "url")
    throw s3Error("InvalidArgument", { ArgumentName: "encoding-type", ArgumentValue: encodingType }, "Invalid Encoding Method specified in Request");
  return (name) =>
    encodeURIComponent(name)
      .replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll("%2F", "/")
      .replaceAll("%20", "+");
}

const opaque = (value: string) => Buffer.from(value).toString("base64url");
const readable = (token: string) => Buffer.from(token, "base64url").toString("utf8");

export function listingOperations(state: S3State) {
  function current(bucket: string): { key: string; version: ObjectVersion }[] {
    return state.objects(bucket).flatMap(({ key, versions: [version] }) => (version?.data === undefined ? [] : [{ key, version }]));
  }

  function content({ key, version }: { key: string; version: ObjectVersion }, name: (text: string) => string, owner?: string): api._Object {
    return {
      Key: name(key),
      LastModified: new Date(version.lastModified),
      ETag: version.data?.etag,
      ChecksumAlgorithm: [(version.data?.checksum.member.replace("Checksum", "") ?? "") as api.ChecksumAlgorithm],
      ChecksumType: version.data?.checksum.type,
      Size: version.data?.size,
      StorageClass: version.data?.storageClass as api.ObjectStorageClass,
      ...(owner === undefined ? {} : { Owner: { ID: canonicalId(owner) } }),
    };
  }

  const ListObjectsV2: S3Handler<api.ListObjectsV2Request> = ({ bucket, input }) => {
    const name = namer(input.EncodingType);
    const { ContinuationToken, StartAfter, Delimiter, EncodingType } = input;
    const after = ContinuationToken === undefined ? (StartAfter ?? "") : readable(ContinuationToken);
    const listing = { prefix: input.Prefix ?? "", delimiter: Delimiter ?? "", after, size: pageSize(input.MaxKeys) };
    const page = paginate(current(bucket.name), (each) => each.key, listing, () => true);
    const owner = input.FetchOwner === true ? bucket.accountId : undefined;
    const output: Partial<api.ListObjectsV2Output> = {
      Name: bucket.name,
      Prefix: name(listing.prefix),
      ...(Delimiter === undefined ? {} : { Delimiter: name(Delimiter) }),
      MaxKeys: input.MaxKeys ?? PAGE,
      ...(EncodingType === undefined ? {} : { EncodingType }),
      KeyCount: page.entries.length + page.prefixes.length,
      ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      ...(StartAfter === undefined ? {} : { StartAfter: name(StartAfter) }),
      IsTruncated: page.truncated,
      ...(page.truncated ? { NextContinuationToken: opaque(page.last) } : {}),
      Contents: page.entries.map((each) => content(each, name, owner)),
      CommonPrefixes: page.prefixes.map((each) => ({ Prefix: name(each) })),
    };
    return output;
  };

  const ListObjects: S3Handler<api.ListObjectsRequest> = ({ bucket, input }) => {
    const name = namer(input.EncodingType);
    const { Delimiter, EncodingType, Marker } = input;
    const listing = { prefix: input.Prefix ?? "", delimiter: Delimiter ?? "", after: Marker ?? "", size: pageSize(input.MaxKeys) };
    const page = paginate(current(bucket.name), (each) => each.key, listing, () => true);
    const output: Partial<api.ListObjectsOutput> = {
      Name: bucket.name,
      Prefix: name(listing.prefix),
      Marker: name(Marker ?? ""),
      ...(Delimiter === undefined ? {} : { Delimiter: name(Delimiter) }),
      MaxKeys: input.MaxKeys ?? PAGE,
      ...(EncodingType === undefined ? {} : { EncodingType }),
      IsTruncated: page.truncated,
      // Without a delimiter the last key serves as the marker.
      ...(page.truncated && Delimiter !== undefined ? { NextMarker: name(page.last) } : {}),
      Contents: page.entries.map((each) => content(each, name, bucket.accountId)),
      CommonPrefixes: page.prefixes.map((each) => ({ Prefix: name(each) })),
    };
    return output;
  };

  const ListObjectVersions: S3Handler<api.ListObjectVersionsRequest> = ({ bucket, input }) => {
    const name = namer(input.EncodingType);
    const { Delimiter, EncodingType, KeyMarker, VersionIdMarker } = input;
    const items = state
      .objects(bucket.name)
      .flatMap(({ key, versions }) => versions.map((version, index) => ({ key, version, index, latest: index === 0 })));
    const marker = items.find((each) => each.key === KeyMarker && each.version.versionId === VersionIdMarker);
    const listing = { prefix: input.Prefix ?? "", delimiter: Delimiter ?? "", after: KeyMarker ?? "", size: pageSize(input.MaxKeys) };
    const page = paginate(items, (each) => each.key, listing, (each) => marker === undefined || each.index <= marker.index);
    const last = page.entries.at(-1);
    const owner = { ID: canonicalId(bucket.accountId) };
    const common = (each: (typeof items)[number]) => ({
      Key: name(each.key),
      VersionId: each.version.versionId,
      IsLatest: each.latest,
      LastModified: new Date(each.version.lastModified),
      Owner: owner,
    });
    const output: Partial<api.ListObjectVersionsOutput> = {
      Name: bucket.name,
      Prefix: name(listing.prefix),
      KeyMarker: name(KeyMarker ?? ""),
      VersionIdMarker: VersionIdMarker ?? "",
      ...(Delimiter === undefined ? {} : { Delimiter: name(Delimiter) }),
      MaxKeys: input.MaxKeys ?? PAGE,
      ...(EncodingType === undefined ? {} : { EncodingType }),
      IsTruncated: page.truncated,
      ...(page.truncated ? { NextKeyMarker: name(page.last), ...(last?.key === page.last ? { NextVersionIdMarker: last.version.versionId } : {}) } : {}),
      Versions: page.entries
        .filter((each) => each.version.data !== undefined)
        .map((each) => ({
          ...common(each),
          ETag: each.version.data?.etag,
          Size: each.version.data?.size,
          StorageClass: each.version.data?.storageClass as api.ObjectVersionStorageClass,
        })),
      DeleteMarkers: page.entries.filter((each) => each.version.data === undefined).map(common),
      CommonPrefixes: page.prefixes.map((each) => ({ Prefix: name(each) })),
    };
    return output;
  };

  return { ListObjectsV2, ListObjects, ListObjectVersions };
}
