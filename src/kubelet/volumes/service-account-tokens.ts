/** Tokens of pods' service accounts, asked for again when four fifths of their life are over. */
import { ServiceAccount } from "../../api/core/service-account.ts";
import type { TokenRequest } from "../../api/core/token-request.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Client } from "../../client/client.ts";
import { VolumeError } from "./volume-plugin.ts";

export interface Token {
  token: string;
  madeAt: number;
  /** When to ask for the next, in milliseconds since 1970. */
  renewAt: number;
  expiresAt: number;
}

export interface TokenWish {
  audience?: string;
  expirationSeconds: number;
}

/** Upstream's figures. */
const LIFE_TO_USE = 0.8;
const LONGEST_USE = 24 * 3_600_000;
const JITTER = 10_000;
/** Milliseconds after which a token that could not be renewed is tried to renew again. */
const RETRY = 30_000;
/** Milliseconds that clocks may differ by. */
const LEEWAY = 60_000;

export class ServiceAccountTokens {
  private readonly client: Client;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly byPod = new Map<string, Map<string, Token>>();

  constructor(client: Client, clock: Clock, random: Random) {
    this.client = client;
    this.clock = clock;
    this.random = random;
  }

  /** The one that is in use, or a new one where that is old. Throws VolumeError where there is none that is valid. */
  async get(pod: Pod, wish: TokenWish): Promise<Token> {
    const { uid = "" } = pod.metadata;
    const tokens = this.byPod.get(uid) ?? new Map<string, Token>();
    this.byPod.set(uid, tokens);
    const key = JSON.stringify([wish.audience, wish.expirationSeconds, pod.spec?.serviceAccountName]);
    const known = tokens.get(key);
    const now = this.clock.now();
    // One of a time to come is refused where the clock was set back.
    if (known && now < known.renewAt && now >= known.madeAt - LEEWAY) return known;
    try {
      const token = await this.request(pod, wish, now);
      if (this.byPod.get(uid) === tokens) tokens.set(key, token);
      return token;
    } catch (error) {
      if (known && now < known.expiresAt) return { ...known, renewAt: now + RETRY };
      throw new VolumeError(`failed to fetch token: ${(error as Error).message}`, { cause: error });
    }
  }

  forget(podUID: string): void {
    this.byPod.delete(podUID);
  }

  private async request(pod: Pod, wish: TokenWish, now: number): Promise<Token> {
    const { name, namespace, uid } = pod.metadata;
    const { status } = await this.client
      .resource(ServiceAccount, namespace)
      .createSubresource<TokenRequest>(pod.spec?.serviceAccountName || "default", "token", {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        metadata: {},
        spec: {
          audiences: wish.audience ? [wish.audience] : undefined,
          expirationSeconds: wish.expirationSeconds,
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
        },
      });
    if (!status) throw new Error("the server answered without a token");
    const expiresAt = Date.parse(status.expirationTimestamp);
    const life = Math.min((expiresAt - now) * LIFE_TO_USE, LONGEST_USE);
    return {
      token: status.token,
      madeAt: now,
      expiresAt,
      renewAt: now + life - this.random() * Math.min(JITTER, life / 10),
    };
  }
}
