/** Randomness for names and ids: from the system's generator, or from a seed in tests. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { RandomPort } from "../api/ports.ts";
import type { Random } from "../base/random.ts";
import { SUFFIX_CHARACTERS } from "../machinery/meta/generate-name.ts";

const POOL = 4096;

/** Bytes are drawn some thousands at a time: a name costs five. */
export function systemRandom(): RandomPort {
  let pool = Buffer.alloc(0);
  let at = 0;
  const byte = (): number => {
    if (at === pool.length) {
      pool = randomBytes(POOL);
      at = 0;
    }
    return pool[at++]!;
  };
  return {
    uuid: () => randomUUID(),
    suffix(length) {
      let text = "";
      while (text.length < length) {
        // Bytes that would make some characters likelier than others are left out.
        const drawn = byte();
        if (drawn < 243) text += SUFFIX_CHARACTERS[drawn % SUFFIX_CHARACTERS.length];
      }
      return text;
    },
    below: (limit) => (limit <= 1 ? 0 : randomInt(limit)),
  };
}

/** Names and ids that come again with the same `random`; for tests alone, since they can be foretold. */
export function foretold(random: Random): RandomPort {
  const below = (limit: number): number => Math.floor(random() * limit);
  const hex = (digits: number): string =>
    below(16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return {
    // A UUID of version 4: 122 random bits and six that say so.
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${(8 + below(4)).toString(16)}${hex(3)}-${hex(6)}${hex(6)}`,
    suffix: (length) =>
      Array.from({ length }, () => SUFFIX_CHARACTERS[below(SUFFIX_CHARACTERS.length)]).join(""),
    below,
  };
}
