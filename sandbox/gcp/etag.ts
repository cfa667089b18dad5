import { randomBytes } from "node:crypto";

/** Base64 with its padding, on which clients insist, and the same in both of its alphabets: gcloud gives etags back in the URL-safe one. */
export function newEtag(): string {
  const etag = randomBytes(8).toString("base64");
  return /[+/]/.test(etag) ? newEtag() : etag;
}
