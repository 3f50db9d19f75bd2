/** Answers of resolvers, for as long as they say. */
import type { Response } from "../message/response.ts";

export interface CachedResponse {
  response: Response;
  /** Milliseconds since 1970. */
  since: number;
  until: number;
}

export interface CacheLimits {
  entries: number;
  bytes: number;
}

/** What an entry costs beside its message, or nearly. */
const ENTRY = 200;

/** What was not asked for the longest goes first. */
export class ResponseCache {
  private readonly entries = new Map<string, CachedResponse>();
  private readonly limits: CacheLimits;
  private bytes = 0;

  constructor(limits: CacheLimits) {
    this.limits = limits;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string, now: number): CachedResponse | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    // A clock that was set back must not make an answer live longer.
    if (now >= entry.until || now < entry.since) {
      this.bytes -= costOf(entry);
      return undefined;
    }
    this.entries.set(key, entry);
    return entry;
  }

  set(key: string, entry: CachedResponse): void {
    this.delete(key);
    this.entries.set(key, entry);
    this.bytes += costOf(entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.limits.entries && this.bytes <= this.limits.bytes) return;
      this.delete(oldest);
    }
  }

  clear(): void {
    this.entries.clear();
    this.bytes = 0;
  }

  private delete(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.bytes -= costOf(entry);
  }
}

const costOf = ({ response }: CachedResponse): number =>
  response.bytes.length + response.records.length * 48 + ENTRY;
