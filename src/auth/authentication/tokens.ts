/** The server's TokenPort: issues service account tokens and says whose a token is. */

import type { TokenPort } from "../../api/ports.ts";
import type { Clock } from "../../base/clock.ts";
import type { Claims } from "./json-web-token.ts";
import type { TokenMethod } from "./method.ts";
import { claimsOf } from "./service-account-tokens.ts";

export function makeTokenPort(options: {
  sign: (claims: Claims) => string;
  issuer: string;
  audiences: readonly string[];
  /** All methods that know tokens. */
  methods: TokenMethod;
  clock: Clock;
  uuid: () => string;
}): TokenPort {
  const { sign, issuer, audiences: own, methods, clock, uuid } = options;
  return {
    audiences: own,
    async issue(request) {
      const { claims, expires } = claimsOf(request, { issuer, own, id: uuid(), now: clock.now() });
      return { token: sign(claims), expires };
    },
    async review(token, asked) {
      const finding = methods.authenticate(token, asked);
      if (!finding) return undefined;
      if ("refused" in finding) return { error: finding.refused };
      if (finding.audiences) return { user: finding.user, audiences: [...finding.audiences] };
      // A method that knows no audiences vouches for those of the server.
      const audiences = asked.length > 0 ? asked.filter((audience) => own.includes(audience)) : own;
      return audiences.length > 0 ? { user: finding.user, audiences: [...audiences] } : undefined;
    },
  };
}
