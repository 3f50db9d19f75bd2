/**
 * Finds resolvers that ask us in their turn: a question would go round until it is too old. Each resolver is sent a
 * question that nobody else asks; one whose question comes back to us is not used.
 */
import type { Random } from "../../../base/random.ts";
import { CLASS_IN, FLAGS } from "../message/constants.ts";
import { encodeName } from "../message/name.ts";
import type { Query } from "../message/query.ts";

const HINFO = 13;

export class Loops {
  private readonly random: Random;
  private readonly probes = new Map<string, string>();
  private readonly found: (server: string) => void;

  constructor(random: Random, found: (server: string) => void) {
    this.random = random;
    this.found = found;
  }

  /** The question for a resolver; at the root, where nobody in between answers by himself. */
  probe(server: string): Query {
    const part = (): string => String(Math.floor(this.random() * 2 ** 48));
    const name = `${part()}.${part()}`;
    this.probes.set(name, server);
    const encoded = encodeName(name)!;
    const question = Buffer.concat([encoded, Buffer.from([0, HINFO, 0, CLASS_IN])]);
    return { id: 0, flags: FLAGS.RD, name, type: HINFO, class: CLASS_IN, question };
  }

  /** Whether the question is one of ours. */
  isProbe({ name, type }: Query): boolean {
    if (type !== HINFO) return false;
    const server = this.probes.get(name);
    if (server === undefined) return false;
    this.probes.delete(name);
    this.found(server);
    return true;
  }

  /** Those of former resolvers mean nothing any more. */
  forget(): void {
    this.probes.clear();
  }
}
