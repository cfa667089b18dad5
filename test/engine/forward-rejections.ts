import { readFileSync } from "node:fs";

/**
 * Jest gives tests a copy of `process`, whose listeners never hear of unhandled rejections, and fails the test itself.
 * After this, the file's tests have rejections go to the listeners of the copy, as they do outside of Jest.
 */
export function forwardRejections(): void {
  // A built-in's function belongs to the outer realm, where `process` is the real one.
  const real = (readFileSync.constructor as (body: string) => () => NodeJS.Process)("return process")();
  const forward = (reason: unknown, promise: Promise<unknown>) => void process.emit("unhandledRejection", reason, promise);
  let jests: NodeJS.UnhandledRejectionListener[] = [];
  beforeEach(() => {
    jests = real.listeners("unhandledRejection");
    real.removeAllListeners("unhandledRejection");
    real.on("unhandledRejection", forward);
  });
  afterEach(() => {
    real.off("unhandledRejection", forward);
    for (const listener of jests) real.on("unhandledRejection", listener);
  });
}
