/** The scheduler in the process of the API server: over the in-process transport, known by its certificate. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Handler } from "../apiserver/handler.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import type { Clock } from "../base/clock.ts";
import { UsageError } from "../cli/verb.ts";
import type { Informers } from "../client/informer/informers.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import { derOf } from "../cluster/pki/certificate.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import type { SchedulerConfiguration } from "../scheduler/configuration/configuration.ts";
import { readSchedulerConfiguration } from "../scheduler/configuration/read-configuration.ts";
import { ConfigurationError } from "../scheduler/framework/plugin.ts";
import { plugins } from "../scheduler/plugins/index.ts";
import { runScheduler as run } from "../scheduler/run-scheduler.ts";
import type { RunningScheduler } from "../scheduler/start.ts";
import type { LeaderElections, Term } from "./leader-elections.ts";
import { logLine } from "./log.ts";

export interface SchedulerRun {
  handler: Handler;
  pki: PKI;
  clock: Clock;
  /** Those of the controllers, where they run in this process. */
  informers: Informers | undefined;
  /** The path of its configuration; undefined: upstream's defaults. */
  config: string | undefined;
  elections?: LeaderElections;
}

export interface OwnScheduler extends Pick<RunningScheduler, "explain" | "stop"> {
  /** Acts with the scheduler's new certificate from now on. */
  renew(pki: PKI): void;
  /** For /metrics. */
  exposition(): string;
}

const NAME = "kube-scheduler";

/** Throws UsageError where the configuration cannot be used. */
export function runScheduler(options: SchedulerRun): OwnScheduler {
  const { handler, pki, clock, informers, config, elections } = options;
  const configuration = config === undefined ? undefined : readConfiguration(config);
  let certificate = { raw: derOf(pki.scheduler.certificate) };
  const open = (): InProcessTransport => new InProcessTransport(dispatchTo(handler, () => certificate));
  const parts = { informers, clock, random: Math.random, configuration, hostname: hostname(), log: logLine };
  const begin = (): Term<RunningScheduler> => {
    const transport = open();
    const running = explained(config, () => run({ transport, ...parts }));
    return { running, stop: running.stop, cut: () => transport.close() };
  };
  const scheduler = elections?.stand({ name: NAME, transport: open(), begin }) ?? begin();
  return {
    explain: (below) => scheduler.running?.explain(below),
    exposition: () => scheduler.running?.metrics.exposition() ?? "",
    stop: scheduler.stop,
    renew({ scheduler: fresh }) {
      certificate = { raw: derOf(fresh.certificate) };
    },
  };
}

function readConfiguration(path: string): SchedulerConfiguration {
  const readFile = (file: string): string => readFileSync(file, "utf8");
  const { configuration, withoutEffect } = explained(path, () =>
    readSchedulerConfiguration(readFile(path), plugins, readFile),
  );
  if (withoutEffect.length > 0) {
    const fields = withoutEffect.join(", ");
    logLine("warn", "settings of the scheduler's configuration have no effect here", { fields });
  }
  return configuration;
}

/** What is wrong with the file is for whoever gave it. */
function explained<T>(path: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined && !(error instanceof ConfigurationError)) throw error;
    throw new UsageError(`--scheduler-config ${path}: ${message}.`);
  }
}
