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
  if (signal) {
    // As many calls as there are may share a signal; each takes its listener back, so that none leaks, of which Node would warn.
    setMaxListeners(Infinity, signal);
    signal.addEventListener("abort", abort, { once: true });
  }
  if (signal?.aborted) abort();
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
