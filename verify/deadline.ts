import { setMaxListeners } from "node:events";

/**
 * Makes a call under a signal that aborts with the given one or when the time is up, whichever comes first.
 *
 * Not `AbortSignal.any([signal, AbortSignal.timeout(…)])`: Node 20's garbage collector may take such a timeout, and the call
 * then has no deadline.
 */
export async function within<T>(milliseconds: number, signal: AbortSignal | undefined, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, milliseconds);
  // Every call of a run that is under way listens to the same one.
  if (signal) setMaxListeners(0, signal);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
