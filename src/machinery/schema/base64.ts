/** Base64 as Go's StdEncoding takes it: line breaks are skipped, padding is required. */
import { DecodeError } from "./walk.ts";

/** The text as it would be written again; throws Go's error where it is not base64. */
export function normalBase64(text: string): string {
  let breaks = 0;
  let symbols = 0;
  let padding = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d) {
      breaks++;
    } else if (code === 0x3d) {
      padding++;
      if (padding > 2 || symbols % 4 < 2 || symbols + padding > Math.ceil(symbols / 4) * 4) throw illegal(at);
    } else if (padding > 0 || !isSymbol(code)) {
      throw illegal(at);
    } else {
      symbols++;
    }
  }
  if ((symbols + padding) % 4 !== 0) throw illegal(text.length - breaks === 0 ? 0 : text.length);
  return breaks === 0 ? text : text.replace(/[\r\n]/g, "");
}

function isSymbol(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2f
  );
}

function illegal(at: number): DecodeError {
  return new DecodeError(`illegal base64 data at input byte ${at}`);
}

/** The bytes of text that normalBase64 gave. */
export function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.fromBase64(text);
}

export function base64OfBytes(bytes: Uint8Array): string {
  return bytes.toBase64();
}
