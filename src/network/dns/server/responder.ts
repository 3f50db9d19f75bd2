/** From a message to its answer. */

import type { Forwarded, Forwarder } from "../forward/forwarder.ts";
import type { Loops } from "../forward/loops.ts";
import { writeAnswer } from "../message/answer.ts";
import {
  ANY,
  AXFR,
  IXFR,
  isInternet,
  LARGEST_MESSAGE,
  LEAST_UDP_SIZE,
  RCODES,
  TYPES,
  UDP_SIZE,
} from "../message/constants.ts";
import { encodeName } from "../message/name.ts";
import { type BadQuery, type Query, readQuery } from "../message/query.ts";
import type { DNSRecord } from "../message/record.ts";
import { writeResponse } from "../message/response.ts";
import { takeAnswers } from "../message/take-records.ts";
import type { ClusterZone, ZoneAnswer } from "../zone/cluster-zone.ts";

export type Protocol = "udp" | "tcp";

export interface Answered {
  message: Buffer;
  /** Who knew it. */
  by: "kubernetes" | "cache" | "forward" | "";
  rcode: number;
  /** What was asked; undefined where it could not be read. */
  query?: Query;
}

export interface ResponderOptions {
  zone: ClusterZone;
  /** Whether the zone knows all of the cluster: before, it must not say that something is not there. */
  isComplete: () => boolean;
  forwarder: Forwarder;
  loops: Loops;
  /** A bug: what is answered is that we failed. */
  failed: (error: unknown) => void;
}

/** Names that are other names, one after the other: more than this are a circle. */
const MOST_ALIASES = 8;

type Outcome = Omit<Answered, "query"> | undefined;

export class Responder {
  private readonly options: ResponderOptions;
  private turn = 0;

  constructor(options: ResponderOptions) {
    this.options = options;
  }

  /** Undefined for what gets no answer. Never throws. */
  respond(message: Uint8Array, protocol: Protocol): Answered | undefined | Promise<Answered | undefined> {
    let query: Query | BadQuery | undefined;
    try {
      query = readQuery(message);
      if (!query) return undefined;
      if ("rcode" in query) return refusal(query, query.rcode, protocol);
      const asked = query;
      const outcome = this.answer(asked, protocol);
      if (!(outcome instanceof Promise)) return outcome && { ...outcome, query: asked };
      return outcome
        .then((late) => late && { ...late, query: asked })
        .catch((error) => this.failure(error, asked, protocol));
    } catch (error) {
      return this.failure(error, query, protocol);
    }
  }

  private failure(
    error: unknown,
    query: Query | BadQuery | undefined,
    protocol: Protocol,
  ): Answered | undefined {
    this.options.failed(error);
    return query && refusal(query, RCODES.SERVFAIL, protocol);
  }

  private answer(query: Query, protocol: Protocol): Outcome | Promise<Outcome> {
    const { zone, isComplete, loops } = this.options;
    const { name, type } = query;
    if (!isInternet(query.class) || type === AXFR || type === IXFR) {
      return refusal(query, RCODES.REFUSED, protocol);
    }
    if (type === ANY || type === TYPES.OPT) return refusal(query, RCODES.NOTIMP, protocol);
    if (zone.owns(name)) {
      if (!isComplete()) return refusal(query, RCODES.SERVFAIL, protocol);
      const answer = zone.answer(name, type);
      if (answer.alias === undefined || type === TYPES.CNAME) return this.ours(query, answer, protocol);
      return this.follow(query, answer, protocol);
    }
    const pointers = zone.pointers(name, type);
    if (pointers) return this.ours(query, pointers, protocol);
    if (loops.isProbe(query)) return refusal(query, RCODES.REFUSED, protocol);
    return this.forward(query, protocol);
  }

  private ours(query: Query, { rcode, answers, additional }: ZoneAnswer, protocol: Protocol): Outcome {
    const isEmpty = answers.length === 0;
    const sections = {
      rcode,
      answers: this.rotated(answers),
      authority: isEmpty ? [this.options.zone.authority()] : [],
      additional,
      isAuthoritative: true,
    };
    return { message: writeAnswer(query, sections, limitOf(query, protocol)), by: "kubernetes", rcode };
  }

  /** Clients take the first address: it is another each time. */
  private rotated(answers: readonly DNSRecord[]): readonly DNSRecord[] {
    if (answers.length < 2) return answers;
    const first = this.turn++ % answers.length;
    return first === 0 ? answers : [...answers.slice(first), ...answers.slice(0, first)];
  }

  private forward(query: Query, protocol: Protocol): Outcome | Promise<Outcome> {
    const known = this.options.forwarder.known(query);
    return known
      ? this.theirs(query, known, protocol)
      : this.options.forwarder.ask(query).then((answer) => this.theirs(query, answer, protocol));
  }

  private theirs(query: Query, answer: Forwarded | "busy" | undefined, protocol: Protocol): Outcome {
    if (!answer) return refusal(query, RCODES.SERVFAIL, protocol);
    if (answer === "busy") return refusal(query, RCODES.REFUSED, protocol);
    const { response, age, isCached } = answer;
    const message = writeResponse(query, response, age, limitOf(query, protocol));
    return { message, by: isCached ? "cache" : "forward", rcode: response.rcode };
  }

  /** Other names are followed for the client, as those of C libraries do not do it themselves. */
  private async follow(query: Query, first: ZoneAnswer, protocol: Protocol): Promise<Outcome> {
    const { zone, forwarder } = this.options;
    const answers = [...first.answers];
    const write = (rcode: number, by: Answered["by"]): Outcome => {
      const sections = { rcode, answers, isAuthoritative: true };
      return { message: writeAnswer(query, sections, limitOf(query, protocol)), by, rcode };
    };
    let target = first.alias;
    for (let step = 0; step < MOST_ALIASES && target !== undefined; step++) {
      const name: string = target;
      if (zone.owns(name)) {
        const next = zone.answer(name, query.type);
        answers.push(...next.answers.map((record) => ({ ...record, name: record.name ?? name })));
        if (next.alias === undefined) return write(next.rcode, "kubernetes");
        target = next.alias;
        continue;
      }
      const asked = questionFor(query, name);
      const answer = asked && (forwarder.known(asked) ?? (await forwarder.ask(asked)));
      if (!answer || answer === "busy") return write(RCODES.SERVFAIL, "forward");
      const { response, age } = answer;
      for (const record of takeAnswers(response)) {
        answers.push({ ...record, ttl: Math.max(record.ttl - age, 0) });
      }
      return write(response.rcode, "forward");
    }
    return write(RCODES.SERVFAIL, "kubernetes");
  }
}

function refusal(query: Query | BadQuery, rcode: number, protocol: Protocol): Answered {
  const message = writeAnswer(query, { rcode }, limitOf(query, protocol));
  return { message, by: "", rcode, query: "name" in query ? query : undefined };
}

/** What the client takes, but never so much that it would travel in fragments. */
function limitOf({ edns }: Pick<Query, "edns">, protocol: Protocol): number {
  if (protocol === "tcp") return LARGEST_MESSAGE;
  return edns ? Math.min(edns.size, UDP_SIZE) : LEAST_UDP_SIZE;
}

/** The same question of another name. */
function questionFor(query: Query, name: string): Query | undefined {
  const encoded = encodeName(name);
  if (!encoded) return undefined;
  const question = new Uint8Array(encoded.length + 4);
  question.set(encoded);
  question.set(query.question.subarray(-4), encoded.length);
  return { ...query, name, question };
}
