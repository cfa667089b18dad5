/** `aws s3 cp` in a build. https://docs.aws.amazon.com/cli/latest/reference/s3/cp.html */
import { posix } from "node:path";
import { type BuildCloud, NoRoute } from "./build-cloud.js";
import type { ProgramCall } from "../build/shell.js";
import { dnsSuffix } from "./s3-state.js";
import { AwsError } from "./types.js";

const S3_URL = /^s3:\/\/([^/]+)\/?(.*)$/s;
const FAILED = 1;
const USAGE = 252;

export async function copy(cloud: BuildCloud, call: ProgramCall, args: readonly string[], region: string): Promise<number> {
  const [from = "", to = "", ...more] = args.filter((arg, index) => !arg.startsWith("--") && args[index - 1] !== "--region");
  const source = S3_URL.exec(from);
  const target = S3_URL.exec(to);
  if (more.length > 0 || (source === null) === (target === null)) {
    call.err("\naws: error: Invalid argument type (the sandbox copies between one object and one file)\n");
    return USAGE;
  }
  try {
    return await (source ? download(cloud, call, source[1] ?? "", source[2] ?? "", to, region) : upload(cloud, call, from, target?.[1] ?? "", target?.[2] ?? "", region));
  } catch (error) {
    if (!(error instanceof NoRoute)) throw error;
    call.err(`fatal error: ${error.message}\n`);
    return FAILED;
  }
}

async function download(cloud: BuildCloud, call: ProgramCall, Bucket: string, Key: string, to: string, region: string): Promise<number> {
  const url = `https://${Bucket}.s3.${region}.${dnsSuffix(region)}/${Key}`;
  try {
    await cloud.call("s3", "HeadObject", { Bucket, Key }, region, url);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    call.err(`fatal error: An error occurred (${error.status}) when calling the HeadObject operation: ${headProblem(error.status, Key)}\n`);
    return FAILED;
  }
  const path = to.endsWith("/") || call.shell.files.isFolder(call.shell.path(to)) ? posix.join(to, posix.basename(Key)) : to;
  try {
    const { Body } = await cloud.call("s3", "GetObject", { Bucket, Key }, region, url);
    call.shell.files.write(call.shell.path(path), Buffer.from(Body as Uint8Array));
    call.out(`download: s3://${Bucket}/${Key} to ./${posix.normalize(path)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    call.err(`download failed: s3://${Bucket}/${Key} to ./${posix.normalize(path)} An error occurred (${error.code}) when calling the GetObject operation: ${error.message}\n`);
    return FAILED;
  }
}

/** An answer to HEAD has no body: its status is all that the CLI has. */
function headProblem(status: number, key: string): string {
  if (status === 404) return `Key "${key}" does not exist`;
  return status === 301 ? "Moved Permanently" : status === 400 ? "Bad Request" : "Forbidden";
}

async function upload(cloud: BuildCloud, call: ProgramCall, from: string, Bucket: string, key: string, region: string): Promise<number> {
  const Body = call.shell.files.read(call.shell.path(from));
  if (!Body) {
    call.err(`\nThe user-provided path ${from} does not exist.\n`);
    return 255;
  }
  const Key = key === "" || key.endsWith("/") ? key + posix.basename(from) : key;
  try {
    await cloud.call("s3", "PutObject", { Bucket, Key, Body }, region, `https://${Bucket}.s3.${region}.${dnsSuffix(region)}/${Key}`);
    call.out(`upload: ./${posix.normalize(from)} to s3://${Bucket}/${Key}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    call.err(`upload failed: ./${posix.normalize(from)} to s3://${Bucket}/${Key} An error occurred (${error.code}) when calling the PutObject operation: ${error.message}\n`);
    return FAILED;
  }
}
