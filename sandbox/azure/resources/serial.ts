/** Work that providers do not do at the same time. */

const tails = new Map<string, Promise<unknown>>();

/** Runs work on one thing after the other: sites on one plan, credentials of one application. */
export async function oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = tails.get(key);
  const mine = (async () => {
    await before?.catch(() => undefined);
    return work();
  })();
  tails.set(key, mine);
  try {
    return await mine;
  } finally {
    if (tails.get(key) === mine) tails.delete(key);
  }
}
