/** UTF-8 to text as Go does it: every byte that cannot start or continue a character becomes one U+FFFD. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

export function decodeUTF8(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  // The Web's decoder may replace two or three bytes by one character; only text with replacements can differ.
  return text.includes("\ufffd") ? decodeByteByByte(bytes) : text;
}

export function encodeUTF8(text: string): Uint8Array {
  return encoder.encode(text);
}

function decodeByteByByte(bytes: Uint8Array): string {
  const parts: string[] = [];
  let from = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > from) parts.push(decoder.decode(bytes.subarray(from, at)));
    parts.push("\ufffd");
    at++;
    from = at;
  }
  if (at > from) parts.push(decoder.decode(bytes.subarray(from, at)));
  return parts.join("");
}

/** How many bytes the character at `at` has; 0 where there is none (overlong, surrogate, cut off or too large). */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let more = 2; more < length; more++) {
    if ((bytes[at + more]! & 0xc0) !== 0x80) return 0;
  }
  return length;
}
