/** Randomness for names and ids, from the system's generator. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { RandomPort } from "../api/ports.ts";
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
