/** A build as callers order it: what Cloud Build takes, and its substitutions filled in. */
import * as z from "zod";
import { CLOUD_BUILD_LIMITS, DEFAULT_BUILD_TIMEOUT_SECONDS, buildTexts, builtInSubstitutions, loggingModes } from "../../facts/gcp/cloud-build.js";
import { invalidArgument } from "./errors.js";

/** https://protobuf.dev/reference/protobuf/google.protobuf/#duration */
const duration = z.string().regex(/^\d+(?:\.\d{1,9})?s$/);
const { steps, argumentsPerStep, images, substitutions, timeout } = CLOUD_BUILD_LIMITS;

const step = z.object({
  name: z.string().min(1),
  args: z.array(z.string()).max(argumentsPerStep.max).optional(),
  env: z.array(z.string()).optional(),
  dir: z.string().optional(),
  id: z.string().optional(),
  entrypoint: z.string().optional(),
  script: z.string().optional(),
  waitFor: z.array(z.string()).optional(),
  allowFailure: z.boolean().optional(),
  timeout: duration.optional(),
});
const form = z.object({
  source: z.object({ storageSource: z.object({ bucket: z.string().min(1), object: z.string().min(1), generation: z.coerce.string().optional() }) }).optional(),
  steps: z.array(step).max(steps.max).default([]),
  timeout: duration.optional(),
  images: z.array(z.string()).max(images.max).optional(),
  artifacts: z.object({ images: z.array(z.string()).optional() }).optional(),
  logsBucket: z.string().optional(),
  options: z
    .object({
      logging: z.enum(loggingModes).optional(),
      substitutionOption: z.enum(["MUST_MATCH", "ALLOW_LOOSE"]).optional(),
      defaultLogsBucketBehavior: z.string().optional(),
      env: z.array(z.string()).optional(),
      /** Shown, without effect: the sandbox has workers of one kind. */
      machineType: z.string().optional(),
      diskSizeGb: z.coerce.string().optional(),
      dynamicSubstitutions: z.boolean().optional(),
    })
    .default({}),
  substitutions: z.record(z.string(), z.string()).optional(),
  tags: z.array(z.string()).optional(),
  serviceAccount: z.string().optional(),
  queueTtl: duration.optional(),
});

export type BuildOrder = z.output<typeof form>;

/** Throws INVALID_ARGUMENT. */
export function readOrder(body: unknown): BuildOrder {
  const result = form.safeParse(body ?? {});
  const issue = result.error?.issues[0];
  if (!result.success) throw invalidArgument(`Invalid value at 'build.${issue?.path.map(String).join(".") ?? ""}': ${issue?.message ?? ""}`);
  const order = result.data;
  if (order.steps.length === 0) throw invalidArgument(buildTexts.empty);
  if (seconds(order) > timeout.max) throw invalidArgument(`invalid build: timeout ${order.timeout ?? ""} exceeds the maximum of ${timeout.max}s`);
  const given = Object.keys(order.substitutions ?? {});
  if (given.length > substitutions.max) throw invalidArgument(`invalid build: number of substitutions exceeds the maximum of ${substitutions.max}`);
  const invalid = given.find((key) => !/^_[A-Z0-9_]+$/.test(key));
  if (invalid !== undefined) throw invalidArgument(buildTexts.substitutionInvalid(invalid));
  return order;
}

/** How long the build may take. */
export function seconds({ timeout: given }: Pick<BuildOrder, "timeout">): number {
  return given === undefined ? DEFAULT_BUILD_TIMEOUT_SECONDS : parseFloat(given);
}

/**
 * Puts values for `$NAME` and `${NAME}` everywhere in the build; `$$` is a dollar. Throws INVALID_ARGUMENT for keys without value
 * and values without use, unless the build is lenient about them.
 */
export function substitute(order: BuildOrder, builtIn: Readonly<Record<string, string>>): BuildOrder {
  const given = order.substitutions ?? {};
  const values: Readonly<Record<string, string>> = { ...given, ...builtIn };
  const lenient = order.options.substitutionOption === "ALLOW_LOOSE";
  const used = new Set<string>();
  const filled = (text: string): string =>
    text.replace(/\$(?:\$|\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))/g, (whole, braced: string | undefined, bare: string | undefined) => {
      const key = braced ?? bare;
      if (key === undefined) return "$";
      used.add(key);
      if (!Object.hasOwn(values, key) && !builtInSubstitutions.includes(key) && !lenient) throw invalidArgument(buildTexts.substitutionUnknown(key));
      return values[key] ?? "";
    });
  const { substitutions: _, ...rest } = order;
  const result = mapTexts(rest, filled);
  const unused = Object.keys(given).find((key) => !used.has(key));
  if (unused !== undefined && !lenient) throw invalidArgument(buildTexts.substitutionUnused(unused));
  return { ...result, substitutions: order.substitutions };
}

function mapTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => mapTexts(each, change)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]: [string, unknown]) => [key, mapTexts(each, change)])) as T;
}
