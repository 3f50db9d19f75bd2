/** Names made from a prefix (apiserver/pkg/storage/names). */

const NAME_MAX = 63;
const SUFFIX_LENGTH = 5;

/** The characters of a suffix: no vowels, so that it spells no word, and nothing that looks like another. */
export const SUFFIX_CHARACTERS = "bcdfghjklmnpqrstvwxz2456789";

/** `base` cut so that it fits a label with five random characters behind it. */
export function generateName(base: string, suffix: (length: number) => string): string {
  return base.slice(0, NAME_MAX - SUFFIX_LENGTH) + suffix(SUFFIX_LENGTH);
}
