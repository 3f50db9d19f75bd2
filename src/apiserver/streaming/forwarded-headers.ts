/** The headers of a request that whoever is behind the API server gets to see. */
import { endToEndHeaders } from "../../host/http/headers.ts";
import type { Exchange } from "../http/exchange.ts";

/** How the client has shown who it is, and as whom it acts, is between it and the API server. */
const CREDENTIALS = ["authorization", "host"];
const CREDENTIAL_PREFIXES = ["impersonate-", "x-remote-"];
const TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io.";
const FORWARDED_FOR = "x-forwarded-for";
const PROTOCOLS = "sec-websocket-protocol";

/** Names and values by turns; without Host, which is the caller's to say. */
export function forwardedHeaders(exchange: Exchange): string[] {
  const passed = endToEndHeaders(exchange.rawHeaders(), CREDENTIALS);
  const kept: string[] = [];
  const via: string[] = [];
  for (let i = 0; i + 1 < passed.length; i += 2) {
    const [name, value] = [passed[i]!, passed[i + 1]!];
    const lower = name.toLowerCase();
    if (CREDENTIAL_PREFIXES.some((prefix) => lower.startsWith(prefix))) continue;
    if (lower === FORWARDED_FOR) via.push(value);
    else if (lower === PROTOCOLS) {
      const protocols = value.split(",").map((one) => one.trim());
      const harmless = protocols.filter((one) => !one.startsWith(TOKEN_PROTOCOL));
      if (harmless.length > 0) kept.push(name, harmless.join(", "));
    } else kept.push(name, value);
  }
  if (exchange.remoteAddress !== "") via.push(exchange.remoteAddress);
  if (via.length > 0) kept.push("X-Forwarded-For", via.join(", "));
  if (exchange.upgrade !== undefined) kept.push("Connection", "Upgrade", "Upgrade", exchange.upgrade);
  return kept;
}
