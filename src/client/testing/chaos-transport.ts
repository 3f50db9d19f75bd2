/**
 * A transport between which and the server things go wrong, from a seed: answers come late or never, the server is
 * overloaded, watches are cut, and revisions are too old to resume from. Nothing is sent twice and nothing is made up.
 */
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
  type TransportStream,
} from "../transport.ts";

/** Parts of 1 of the requests, or of the watches. */
export interface Chaos {
  /** Requests that never reach the server. */
  lost?: number;
  /** Requests whose answer never comes back, though they were done. */
  unanswered?: number;
  /** Requests that the server is too busy for (429). */
  refused?: number;
  /** Milliseconds that a request takes at the most, each so much as chance has it. */
  slow?: number;
  /** Milliseconds after which a watch is cut at the most. */
  cut?: number;
  /** Watches whose revision is gone (410). */
  expired?: number;
}

export interface ChaosOptions {
  chaos: Chaos;
  clock: Clock;
  random: Random;
}

export class ChaosTransport implements Transport {
  /** What went wrong so far, by what it was. */
  readonly done = new Map<string, number>();
  private readonly transport: Transport;
  private readonly options: ChaosOptions;
  private calm = true;
  /** Streams from before it began. */
  private readonly open: TransportStream[] = [];

  constructor(transport: Transport, options: ChaosOptions) {
    this.transport = transport;
    this.options = options;
  }

  get lasting(): boolean {
    return this.transport.lasting === true;
  }

  /** Nothing goes wrong before. */
  begin(): void {
    this.calm = false;
    for (const stream of this.open.splice(0)) this.cutLater(stream);
  }

  /** Nothing goes wrong any more. */
  end(): void {
    this.calm = true;
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const { slow = 0, lost, refused, unanswered } = this.options.chaos;
    if (this.calm) return this.transport.request(request);
    if (slow > 0) await this.late(slow);
    if (this.happens("lost", lost)) throw new TransportError("the request was lost");
    if (this.happens("refused", refused)) return status(429, "TooManyRequests");
    const answer = await this.transport.request(request);
    if (this.happens("unanswered", unanswered)) throw new TransportError("the answer was lost");
    return answer;
  }

  async stream(request: TransportRequest): Promise<TransportStream> {
    const { expired, lost } = this.options.chaos;
    if (this.happens("lost", lost)) throw new TransportError("the request was lost");
    const resumes = /(^|&)resourceVersion=[1-9]/.test(request.query ?? "");
    if (resumes && this.happens("expired", expired)) return streamOf(status(410, "Expired"));
    const stream = await this.transport.stream(request);
    if (this.calm) this.open.push(stream);
    else this.cutLater(stream);
    return stream;
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  private happens(what: string, part = 0): boolean {
    if (this.calm || part === 0 || this.options.random() >= part) return false;
    this.count(what);
    return true;
  }

  private cutLater(stream: TransportStream): void {
    const { chaos, clock, random } = this.options;
    if (chaos.cut === undefined) return;
    clock.setTimer(chaos.cut * random(), () => {
      if (this.calm) return;
      this.count("cut");
      stream.close();
    });
  }

  private count(what: string): void {
    this.done.set(what, (this.done.get(what) ?? 0) + 1);
  }

  private late(most: number): Promise<void> {
    const { clock, random } = this.options;
    return new Promise((resolve) => clock.setTimer(most * random(), resolve));
  }
}

function status(code: number, reason: string): TransportResponse {
  const body = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    reason,
    message: reason,
    code,
  };
  return { status: code, headers: {}, body: new TextEncoder().encode(JSON.stringify(body)) };
}

function streamOf({ status, headers, body }: TransportResponse): TransportStream {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield body;
  };
  return { status, headers, body: chunks(), close() {} };
}
