/** Two texts that have to be equal and are not: what the eye overlooks made visible, and where they part. */

export interface Difference {
  /** Quoted, with everything that is no printable ASCII as its code. */
  found: string;
  expected: string;
  /** What is different about `found`, where it is something that people mistake: `a slash more at its end`. */
  hint: string | undefined;
  /** Characters that both begin with. */
  common: number;
}

export function differenceOf(found: string, expected: string): Difference {
  return { found: visible(found), expected: visible(expected), hint: hintOf(found, expected), common: commonPrefix(found, expected) };
}

/** Spaces that are none, joiners, marks of direction, the byte order mark, soft hyphens, controls. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u00A0\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/gu;

export function hasInvisible(text: string): boolean {
  return text.search(INVISIBLE) >= 0;
}

/** As JSON quotes it, with what is no printable ASCII as its code. */
export function visible(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7E]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);
}

function hintOf(found: string, expected: string): string | undefined {
  if (found === expected) return undefined;
  if (found === `${expected}/`) return "a slash more at its end";
  if (`${found}/` === expected) return "a slash less at its end";
  if (found.trim() === expected.trim()) return "blanks at an end";
  if (found.replace(/\s+/g, "") === expected.replace(/\s+/g, "")) return "blanks in it";
  if (found.replace(INVISIBLE, "") === expected.replace(INVISIBLE, "")) return "characters that are not seen";
  if (found.toLowerCase() === expected.toLowerCase()) return "another case";
  if (plain(found) === plain(expected)) return "characters that look alike";
  return undefined;
}

/** Letters of Cyrillic and Greek that look like Latin ones, and the dashes and quotes that text editors write. */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({ а: "a", е: "e", о: "o", р: "p", с: "c", у: "y", х: "x", і: "i", ѕ: "s", ј: "j", ο: "o", ν: "v", "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-", "∕": "/", "⁄": "/", "：": ":", "’": "'" }),
);

function plain(text: string): string {
  const mapped = Array.from(text.normalize("NFKC").replace(INVISIBLE, ""), (character) => LOOK_ALIKES.get(character) ?? character).join("");
  return mapped.trim().replace(/\/+$/, "").toLowerCase();
}

function commonPrefix(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}
