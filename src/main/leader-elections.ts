/** Has components of this process act only while it holds their leases, and begins them anew each time it wins one. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Clock } from "../base/clock.ts";
import { MetricSet } from "../base/metrics/metric-set.ts";
import { openClient } from "../client/client.ts";
import { CoreEventRecorder } from "../client/events/core-event-recorder.ts";
import { LeaderElection } from "../client/leader-election/leader-election.ts";
import type { Transport } from "../client/transport.ts";
import { wait } from "../client/wait.ts";
import type { logLine } from "./log.ts";

/** One time in office of a component. */
export interface Term<T> {
  running: T;
  /** Ends in order what is under way. */
  stop(): Promise<void>;
  /** Lets nothing more through to the server, so that what is under way fails. */
  cut(): Promise<void>;
}

export interface Elected<T> {
  /** Undefined where another process acts. */
  readonly running: T | undefined;
  /** Ends the term, if any, and lets another begin one at once. */
  stop(): Promise<void>;
}

export interface Candidacy<T> {
  /** The lease's, in kube-system, and the one that events come from. */
  name: string;
  /** With the component's credentials, for the lease alone; closed at the stop. */
  transport: Transport;
  begin: () => Term<T>;
}

const NAMESPACE = "kube-system";
/** Milliseconds that a term has for its end; others begin theirs five seconds after it was lost at the earliest. */
const GRACE = 3000;

export class LeaderElections {
  /** Rejects where a component cannot begin. */
  readonly failed: Promise<never>;
  private readonly clock: Clock;
  private readonly log: typeof logLine;
  private readonly identity = `${hostname()}_${randomUUID()}`;
  private readonly figures = new MetricSet();
  private readonly failure = Promise.withResolvers<never>();
  private readonly status = this.figures.gauge(
    "leader_election_master_status",
    "[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. 'name' is the string used to identify the lease. Please make sure to group by name.",
    ["name"],
  );
  private readonly slow = this.figures.counter(
    "leader_election_slowpath_total",
    "[ALPHA] Total number of slow path exercised in renewing leader leases. 'name' is the string used to identify the lease. Please make sure to group by name.",
    ["name"],
  );

  constructor(clock: Clock, log: typeof logLine) {
    this.clock = clock;
    this.log = log;
    this.failed = this.failure.promise;
    this.failed.catch(() => {});
  }

  stand<T>({ name, transport, begin }: Candidacy<T>): Elected<T> {
    const { clock, identity } = this;
    const stopping = new AbortController();
    const status = this.status.of(name);
    const client = openClient(transport, { userAgent: name });
    const election = new LeaderElection({
      client,
      namespace: NAMESPACE,
      name,
      identity,
      clock,
      random: Math.random,
      events: new CoreEventRecorder({ client, component: name, clock }),
      leading: (leads) => {
        status.set(leads ? 1 : 0);
        this.log("info", leads ? "leads from now on" : "leads no more", { name, identity });
      },
      slow: () => this.slow.of(name).add(),
      failed: (error) =>
        this.log("warn", "a lease could not be taken or renewed", { name, error: String(error) }),
    });
    let running: T | undefined;
    const lead = async (signal: AbortSignal): Promise<void> => {
      const term = begin();
      running = term.running;
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      running = undefined;
      await this.end(term);
    };
    const done = election.run(stopping.signal, lead).catch((error) => this.failure.reject(error));
    return {
      get running() {
        return running;
      },
      async stop() {
        stopping.abort();
        await done;
        await transport.close();
      },
    };
  }

  exposition(): string {
    return this.figures.exposition();
  }

  private async end({ stop, cut }: Term<unknown>): Promise<void> {
    const over = new AbortController();
    const stopped = stop();
    await Promise.race([stopped, wait(this.clock, GRACE, over.signal)]);
    over.abort();
    await cut();
    await stopped;
  }
}
