/** Which headers a proxy passes on. */

/** Of one connection, not of the message (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Of headers as names and values by turns, those for whoever is behind the proxy: without those of the connection, those
 * that Connection names, and `without` (in lower case).
 */
export function endToEndHeaders(raw: readonly string[], without: readonly string[] = []): string[] {
  const dropped = new Set(without);
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() !== "connection") continue;
    for (const name of raw[i + 1]!.split(",")) dropped.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (!HOP_BY_HOP.has(name) && !dropped.has(name)) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}
