import type { z } from "zod";

/** One platform's full set for one cloud: trust, grants and targets. */
export interface Integration {
  /** As in the configuration's `integration`. */
  readonly name: string;
  /** Of the stack's configuration, without the project's namespace. */
  readonly configSchema: z.ZodObject;
  /** The Pulumi program: reads the configuration, registers resources, returns the stack's outputs. */
  readonly program: () => Promise<Record<string, unknown>>;
}
