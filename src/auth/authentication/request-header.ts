/** Users that an authenticating front proxy names in headers; believed only with the proxy's own certificate. */

import type { Clock } from "../../base/clock.ts";
import { OID } from "../../base/x509/certificate.ts";
import {
  type DistinctHeaders,
  frozenUser,
  type PeerCertificate,
  type RequestMethod,
  withAuthenticatedGroup,
} from "./method.ts";
import { readAuthorities, verifyClientCertificate } from "./verify-certificate.ts";

const EXTRA_PREFIX = "x-remote-extra-";

export interface RequestHeaderMethod extends RequestMethod {
  trust(bundle: string): void;
}

export function requestHeaderMethod(options: {
  bundle: string;
  /** Common names that a proxy may have; none means any. */
  allowedNames: readonly string[];
  clock: Clock;
}): RequestHeaderMethod {
  let authorities = readAuthorities(options.bundle);
  let known = new WeakMap<PeerCertificate, { from: number; until: number } | "stranger">();

  function isProxy(peer: PeerCertificate): boolean {
    let entry = known.get(peer);
    if (entry === undefined) {
      const verified = verifyClientCertificate(peer, authorities);
      const name = verified?.certificate.subject.findLast(({ type }) => type === OID.commonName)?.text ?? "";
      const allowed = options.allowedNames.length === 0 || options.allowedNames.includes(name);
      entry = verified && allowed ? verified : "stranger";
      known.set(peer, entry);
    }
    const now = options.clock.now();
    return entry !== "stranger" && now >= entry.from && now <= entry.until;
  }

  return {
    authenticate({ peerCertificate, headers }) {
      if (!peerCertificate || !isProxy(peerCertificate)) return undefined;
      const all = headers();
      const name = all["x-remote-user"]?.[0];
      if (!name) return undefined;
      const uid = all["x-remote-uid"]?.[0];
      const extra = extraOf(all, EXTRA_PREFIX);
      const user = frozenUser({
        name,
        ...(uid ? { uid } : {}),
        groups: [...(all["x-remote-group"] ?? [])],
        ...(extra ? { extra } : {}),
      });
      return { user: withAuthenticatedGroup(user) };
    },
    trust(bundle) {
      authorities = readAuthorities(bundle);
      known = new WeakMap();
    },
  };
}

/** Values by key from headers whose name ends in the (percent-encoded) key; undefined where there are none. */
export function extraOf(headers: DistinctHeaders, prefix: string): Record<string, string[]> | undefined {
  let extra: Record<string, string[]> | undefined;
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(prefix)) continue;
    const key = decoded(header.slice(prefix.length));
    extra ??= Object.create(null) as Record<string, string[]>;
    extra[key] = [...(extra[key] ?? []), ...(headers[header] ?? [])];
  }
  return extra;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
