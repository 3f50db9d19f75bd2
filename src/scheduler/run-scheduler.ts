/** A scheduler with its client, and with informers of its own where no component of the process shares any. */
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { openClient } from "../client/client.ts";
import { Informers } from "../client/informer/informers.ts";
import type { Transport } from "../client/transport.ts";
import type { SchedulerConfiguration } from "./configuration/configuration.ts";
import { type RunningScheduler, type SchedulerOptions, startScheduler } from "./start.ts";

export interface RunOptions {
  /** With the credentials of system:kube-scheduler; closed at the stop. */
  transport: Transport;
  informers: Informers | undefined;
  clock: Clock;
  random: Random;
  configuration?: SchedulerConfiguration;
  hostname?: string;
  /** As startScheduler's. */
  elapsed?: SchedulerOptions["elapsed"];
  log: SchedulerOptions["log"];
}

const USER_AGENT = "kube-scheduler";

export function runScheduler(options: RunOptions): RunningScheduler {
  const { transport, informers: shared, clock, random, configuration, hostname, elapsed, log } = options;
  const client = openClient(transport, { userAgent: USER_AGENT });
  let stopping = false;
  const own = shared
    ? undefined
    : new Informers({
        client,
        clock,
        random,
        failed: ({ plural }, error) => {
          if (!stopping) log("warn", "a watch failed", { resource: plural, error: String(error) });
        },
      });
  const informers = (shared ?? own)!;
  const scheduler = startScheduler({
    client,
    informers,
    clock,
    random,
    configuration,
    hostname,
    elapsed,
    log,
  });
  return {
    ...scheduler,
    async stop() {
      stopping = true;
      await scheduler.stop();
      await own?.stop();
      await transport.close();
    },
  };
}
