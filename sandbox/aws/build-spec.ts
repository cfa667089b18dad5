/** Buildspecs. https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html */
import { parse } from "yaml";
import * as z from "zod";
import { type BuildPhaseName, buildspecPhases } from "../../facts/aws/codebuild.js";

export interface BuildspecPhase {
  phase: BuildPhaseName;
  commands: string[];
  /** Run after the commands, also when one failed. */
  finally: string[];
  /** Goes on to the next phase although this one failed. */
  continueOnFailure: boolean;
}

export interface Buildspec {
  variables: Record<string, string>;
  phases: BuildspecPhase[];
}

/** A text that is no buildspec, or asks for what the sandbox's builds cannot do. */
export class BuildspecError extends Error {}

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const commands = z.preprocess((given) => (given === null || given === undefined ? [] : given), z.array(z.string()));
const phase = z.object({
  commands,
  finally: commands,
  "on-failure": z.string().optional(),
  "runtime-versions": z.unknown().optional(),
  "run-as": z.string().optional(),
});
const shape = z.object({
  version: z.union([z.literal(0.2), z.literal("0.2")]),
  env: z.object({ variables: z.record(z.string(), value).optional(), "parameter-store": z.unknown().optional(), "secrets-manager": z.unknown().optional() }).nullish(),
  phases: z.partialRecord(z.enum(Object.keys(buildspecPhases) as (keyof typeof buildspecPhases)[]), phase),
});

/** Throws {@link BuildspecError}. */
export function readBuildspec(text: string): Buildspec {
  const parsed = shape.safeParse(yaml(text));
  if (!parsed.success) throw new BuildspecError(problem(parsed.error.issues[0]));
  const { env, phases } = parsed.data;
  if (env?.["parameter-store"] !== undefined || env?.["secrets-manager"] !== undefined) {
    throw new BuildspecError("the sandbox has no Parameter Store and no Secrets Manager; give env.variables");
  }
  return {
    variables: env?.variables ?? {},
    phases: (Object.keys(buildspecPhases) as (keyof typeof buildspecPhases)[]).map((name) => {
      const given = phases[name];
      return {
        phase: buildspecPhases[name],
        commands: given?.commands ?? [],
        finally: given?.finally ?? [],
        continueOnFailure: given?.["on-failure"] === "CONTINUE",
      };
    }),
  };
}

function yaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new BuildspecError(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}

function problem(issue: z.core.$ZodIssue | undefined): string {
  const path = issue?.path ?? [];
  const index = path.at(-1);
  if (path[0] === "version") return "invalid buildspec version; the sandbox knows 0.2";
  if (path.includes("commands") && typeof index === "number") return `Expected Commands[${index}] to be of string type: found subkeys instead`;
  return `${path.map(String).join(".") || "the buildspec"}: ${issue?.message ?? "cannot be read"}`;
}
