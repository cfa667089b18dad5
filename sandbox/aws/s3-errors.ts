/** S3's refusals: status and text come from the vendor's table, the caller adds what is at fault. */
import { S3_ERRORS, type S3ErrorCode } from "../../facts/aws/s3.js";
import { AwsError } from "./types.js";

/** `extra` are further elements of the error document, such as `BucketName`; `message` replaces the usual text. */
export function s3Error(code: S3ErrorCode, extra: Readonly<Record<string, string>> = {}, message?: string): AwsError {
  const [status, text] = S3_ERRORS[code];
  return new AwsError(code, status, message ?? text, extra);
}
