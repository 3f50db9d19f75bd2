/** Starts every controller as kube-controller-manager does: one identity that reads, and one account each that writes. */
import { ServiceAccount } from "../api/core/service-account.ts";
import type { Clock } from "../base/clock.ts";
import { MetricSet } from "../base/metrics/metric-set.ts";
import type { Random } from "../client/backoff.ts";
import { openClient } from "../client/client.ts";
import { CoreEventRecorder } from "../client/events/core-event-recorder.ts";
import type { Informers } from "../client/informer/informers.ts";
import { serviceAccountTransport } from "../client/service-account-transport.ts";
import type { Transport } from "../client/transport.ts";
import { WorkQueueMetrics } from "../client/work-queue/work-queue-metrics.ts";
import { chosenControllers } from "./choose.ts";
import { controllers } from "./index.ts";
import type { ControllerSettings } from "./runtime/controller.ts";
import { type ControllersOptions, startControllers } from "./runtime/start-controllers.ts";

export interface StartOptions {
  /** With the credentials of system:kube-controller-manager, which may ask for tokens of service accounts. */
  transport: Transport;
  /** To the same server, without credentials: the controllers' tokens go over it. */
  bare: Transport;
  clock: Clock;
  random: Random;
  settings: ControllerSettings;
  /** Which to start, as upstream's --controllers: names, `-name` for all but it, `*` for all that are on by default. */
  choice?: readonly string[];
  log: ControllersOptions["log"];
}

export interface Controllers {
  /** What the controllers read by; other components of the process may share them. */
  readonly informers: Informers;
  /** Resolves once the default namespace can take pods, that is, has its service account. */
  readonly ready: Promise<void>;
  /** The figures of the controllers, for /metrics. */
  exposition(): string;
  stop(): Promise<void>;
}

const USER_AGENT = "kube-controller-manager";
const NAMESPACE = "kube-system";

export function startAllControllers(options: StartOptions): Controllers {
  const { transport, bare, clock, random, settings, choice = ["*"], log } = options;
  const figures = new MetricSet();
  const client = openClient(transport, { userAgent: USER_AGENT });
  const running = startControllers(chosenControllers(controllers, choice), {
    client,
    clientOf: (name, wrote) =>
      openClient(
        name === USER_AGENT
          ? transport
          : serviceAccountTransport({ keeper: client, namespace: NAMESPACE, name, clock, transport: bare }),
        { userAgent: USER_AGENT, wrote },
      ),
    eventsOf: (name, client) => new CoreEventRecorder({ client, component: name, clock }),
    clock,
    random,
    settings,
    figures,
    metrics: new WorkQueueMetrics(figures, () => performance.now()),
    log,
  });
  const accounts = running.informers.of(ServiceAccount, { fieldSelector: "metadata.name=default" });
  const ready = Promise.withResolvers<void>();
  const leave = accounts.subscribe(({ key, now }) => {
    if (now && key === "default/default") ready.resolve();
  });
  void ready.promise.then(() => leave());
  return {
    informers: running.informers,
    ready: ready.promise,
    exposition: () => figures.exposition(),
    async stop() {
      await running.stop();
      await Promise.all([transport.close(), bare.close()]);
    },
  };
}
