/** Asks the host's resolvers for everything that is not of the cluster. */
import type { Clock } from "../../../base/clock.ts";
import type { Random } from "../../../base/random.ts";
import { FLAGS, RCODES } from "../message/constants.ts";
import type { Query } from "../message/query.ts";
import { lifetimeOf, type Response } from "../message/response.ts";
import { type CachedResponse, ResponseCache } from "./cache.ts";
import { exchange } from "./exchange.ts";

export interface ForwarderOptions {
  clock: Clock;
  random: Random;
  /** Is told of each question that a resolver was asked; `rcode` is undefined where it did not answer. */
  asked?: (server: string, rcode: number | undefined, milliseconds: number) => void;
  /** Of the resolvers; another in tests. */
  port?: number;
}

/** What came of a question, and whether somebody had asked it before. */
export interface Forwarded {
  response: Response;
  /** Seconds since it came. */
  age: number;
  isCached: boolean;
}

const LIMITS = { entries: 10_000, bytes: 8 * 1024 * 1024 };
/** Seconds that an answer is kept at most, as kubeadm configures CoreDNS. */
const LONGEST = 30;
/** Seconds that a failure is kept, so that the resolver that causes it is not asked by everyone at once (RFC 9520). */
const FAILURE = 1;
/** Questions under way at the same time, as CoreDNS' configuration of kubeadm has it. */
const MOST = 1000;
/** Milliseconds for one resolver, and for all: by then clients ask again. */
const TIMEOUT = 2000;
const DEADLINE = 4500;
/** Milliseconds for which one that did not answer is asked last. */
const AVOID = 10_000;

export class Forwarder {
  private readonly options: ForwarderOptions;
  private readonly cache = new ResponseCache(LIMITS);
  private readonly pending = new Map<string, Promise<Response | undefined>>();
  private readonly avoidUntil = new Map<string, number>();
  private servers: readonly string[] = [];
  /** Questions refused because too many were under way. */
  rejected = 0;

  constructor(options: ForwarderOptions) {
    this.options = options;
  }

  get cached(): number {
    return this.cache.size;
  }

  /** What other resolvers said may not be what these say. */
  use(servers: readonly string[]): void {
    this.servers = servers;
    this.avoidUntil.clear();
    this.cache.clear();
  }

  /** Undefined where it is not known here: then `ask`. */
  known(query: Query): Forwarded | undefined {
    const now = this.options.clock.elapsed();
    const entry: CachedResponse | undefined = this.cache.get(keyOf(query), now);
    if (!entry) return undefined;
    return { response: entry.response, age: Math.floor((now - entry.since) / 1000), isCached: true };
  }

  /** Undefined where no resolver answers, or there is none; "busy" where too many questions are under way. */
  async ask(query: Query): Promise<Forwarded | "busy" | undefined> {
    const key = keyOf(query);
    let asking = this.pending.get(key);
    if (!asking) {
      if (this.pending.size >= MOST) {
        this.rejected++;
        return "busy";
      }
      asking = this.askAll(query, key).finally(() => this.pending.delete(key));
      this.pending.set(key, asking);
    }
    const response = await asking;
    return response && { response, age: 0, isCached: false };
  }

  /** Asks one resolver, past the cache. */
  async askOne(server: string, query: Query, timeoutMs = TIMEOUT): Promise<Response | undefined> {
    const { clock, random, asked, port = 53 } = this.options;
    const began = clock.elapsed();
    const id = (): number => Math.floor(random() * 65536);
    const options = { server, port, query, clock, timeoutMs };
    let response = await exchange({ ...options, id: id() });
    // Old ones take our options for an error.
    if (response?.rcode === RCODES.FORMERR || response?.rcode === RCODES.NOTIMP) {
      response = (await exchange({ ...options, id: id(), withOptions: false })) ?? response;
    }
    asked?.(server, response?.rcode, clock.elapsed() - began);
    return response;
  }

  private async askAll(query: Query, key: string): Promise<Response | undefined> {
    const { clock } = this.options;
    const servers = this.servers;
    const began = clock.elapsed();
    let worst: Response | undefined;
    // A lost packet is no reason to give up: each is asked twice while there is time.
    for (const server of [...this.inOrder(servers), ...this.inOrder(servers)]) {
      const left = began + DEADLINE - clock.elapsed();
      if (left <= 0) break;
      const response = await this.askOne(server, query, Math.min(TIMEOUT, left));
      if (this.servers !== servers) return this.askAgain(query, key, response);
      if (!response) {
        this.avoidUntil.set(server, clock.elapsed() + AVOID);
        continue;
      }
      this.avoidUntil.delete(server);
      if (response.rcode === RCODES.SERVFAIL || response.rcode === RCODES.REFUSED) {
        if (worst) break;
        worst = response;
        continue;
      }
      this.keep(key, response);
      return response;
    }
    if (worst) this.keep(key, worst);
    return worst;
  }

  /** The resolvers were changed meanwhile: theirs is the answer that counts. */
  private askAgain(query: Query, key: string, response: Response | undefined): Promise<Response | undefined> {
    return response ? Promise.resolve(response) : this.askAll(query, key);
  }

  private inOrder(servers: readonly string[]): string[] {
    const now = this.options.clock.elapsed();
    const isAvoided = (server: string): boolean => (this.avoidUntil.get(server) ?? 0) > now;
    return [...servers.filter((server) => !isAvoided(server)), ...servers.filter(isAvoided)];
  }

  private keep(key: string, response: Response): void {
    // An answer that did not fit is not the answer.
    if ((response.flags & FLAGS.TC) !== 0) return;
    const isFailure = response.rcode === RCODES.SERVFAIL || response.rcode === RCODES.REFUSED;
    const seconds = Math.min(isFailure ? FAILURE : (lifetimeOf(response) ?? 0), LONGEST);
    if (seconds <= 0) return;
    const since = this.options.clock.elapsed();
    this.cache.set(key, { response, since, until: since + seconds * 1000 });
  }
}

/** Clients that want signatures, or want them not checked, get other answers. */
function keyOf({ name, type, class: class_, flags, edns }: Query): string {
  const asked = (flags & FLAGS.CD) | (edns?.wantsDNSSEC ? 1 : 0) | (flags & FLAGS.AD);
  return `${name}/${type}/${class_}/${asked}`;
}
