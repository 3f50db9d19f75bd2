/** The scheduler in the process of the API server: over the in-process transport, known by its certificate. */
import { hostname } from "node:os";
import type { Handler } from "../apiserver/handler.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import type { Clock } from "../base/clock.ts";
import type { Informers } from "../client/informer/informers.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import { derOf } from "../cluster/pki/certificate.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import type { SchedulerConfiguration } from "../scheduler/configuration/configuration.ts";
import { runScheduler as run } from "../scheduler/run-scheduler.ts";
import type { RunningScheduler } from "../scheduler/start.ts";
import { logLine } from "./log.ts";

export interface SchedulerRun {
  handler: Handler;
  pki: PKI;
  clock: Clock;
  /** Those of the controllers, where they run in this process. */
  informers: Informers | undefined;
  configuration: SchedulerConfiguration | undefined;
}

export interface OwnScheduler extends RunningScheduler {
  /** Acts with the scheduler's new certificate from now on. */
  renew(pki: PKI): void;
}

export function runScheduler({ handler, pki, clock, informers, configuration }: SchedulerRun): OwnScheduler {
  let certificate = { raw: derOf(pki.scheduler.certificate) };
  const scheduler = run({
    transport: new InProcessTransport(dispatchTo(handler, () => certificate)),
    informers,
    clock,
    random: Math.random,
    configuration,
    hostname: hostname(),
    log: logLine,
  });
  return {
    ...scheduler,
    renew({ scheduler: fresh }) {
      certificate = { raw: derOf(fresh.certificate) };
    },
  };
}
