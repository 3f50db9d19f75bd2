/** PEM (RFC 7468), without node:. */

export function pemOf(label: string, der: Uint8Array): string {
  let binary = "";
  for (const byte of der) binary += String.fromCharCode(byte);
  const text = btoa(binary).replaceAll(/.{1,64}/g, "$&\n");
  return `-----BEGIN ${label}-----\n${text}-----END ${label}-----\n`;
}

/** The DER of the first block of that label; undefined where there is none, or it is not base64. */
export function derOfPEM(label: string, text: string): Uint8Array | undefined {
  const begin = `-----BEGIN ${label}-----`;
  const from = text.indexOf(begin);
  const to = from < 0 ? -1 : text.indexOf(`-----END ${label}-----`, from);
  if (to < 0) return undefined;
  try {
    return Uint8Array.from(atob(text.slice(from + begin.length, to)), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
