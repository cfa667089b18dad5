/**
 * Checking of a component's inputs, so that every mistake is known before the first child exists: plain values at once
 * and together, values that are only known later (outputs) as soon as they are, holding back what depends on them.
 */
import * as pulumi from "@pulumi/pulumi";

export interface Mistake {
  /** Where in the arguments, such as `workloads[0].subject`. */
  path: string;
  /** End of a sentence that begins with the path: what is wrong, what was given, what would do. */
  reason: string;
}

export class InputChecks {
  private readonly mistakes: Mistake[] = [];

  /** @param resource The component; errors are shown under it. */
  constructor(private readonly resource: pulumi.ComponentResource, private readonly title: string) {}

  add(path: string, reason: string): void {
    this.mistakes.push({ path, reason });
  }

  /** Judges a value and hands it on; the judge's paths are taken as they are. */
  check<T>(value: pulumi.Input<T>, judge: (value: pulumi.Unwrap<T>) => Mistake[]): pulumi.Output<pulumi.Unwrap<T>> {
    const output = pulumi.output(value);
    if (isPlain(value)) {
      this.mistakes.push(...judge(value as pulumi.Unwrap<T>));
      return output;
    }
    return output.apply((known) => {
      const late = judge(known);
      if (late.length > 0) throw this.error(late);
      return known;
    });
  }

  /** As {@link check}, for one value with one possible complaint. */
  value<T>(path: string, value: pulumi.Input<T>, violation: (value: pulumi.Unwrap<T>) => string | undefined): pulumi.Output<pulumi.Unwrap<T>> {
    return this.check(value, (known) => {
      const reason = violation(known);
      return reason === undefined ? [] : [{ path, reason }];
    });
  }

  /** To be called before the first child is made. Throws one error with all mistakes. */
  finish(): void {
    if (this.mistakes.length > 0) throw this.error(this.mistakes);
  }

  error(mistakes: Mistake[]): pulumi.ResourceError {
    const count = mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`;
    const lines = mistakes.map(({ path, reason }) => `\n  ${path}: ${reason}`);
    const text = `${this.title} has ${count} in its inputs:${lines.join("")}`;
    const error = new pulumi.ResourceError(text, this.resource, true);
    // The SDK would put "error serializing property …" in front when an output that somebody waits for rejects with it.
    Object.defineProperty(error, "message", { get: () => text, set: () => undefined });
    // The SDK renders the stack although it shows the message alone: source maps make that half a minute.
    error.stack = text;
    return error;
  }
}

/** The value where it is known now, the stand-in where it has to be waited for. */
export function knownOr<T extends string | number>(value: pulumi.Input<T>, standIn: T): T {
  return isPlain(value) ? (value as T) : standIn;
}

/** True when nothing in the value has to be waited for. */
function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isPlain);
}
