/**
 * Learns what becomes of containers, from whoever tells it soonest: containerd by its own events, other runtimes by the
 * CRI's, and those that tell nothing are listed every second, as upstream does. All of them are listed now and then,
 * should an event have been lost.
 */

import type { Clock } from "../../base/clock.ts";
import { GrpcClient, type GrpcError, type GrpcStream } from "../../host/grpc/grpc-client.ts";
import { bytes, message, string, strings, sub } from "../../host/grpc/messages.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";

export interface RuntimeEventsOptions {
  runtime: ContainerRuntime;
  runtimeName: string;
  socket: string;
  clock: Clock;
  /** A container, or the first of a sandbox, began, ended or ran out of memory, which may be told after its end. */
  changed(containerID: string, what: RuntimeChange): void;
  /** Looks at all that the runtime has; events may have been missed. */
  relist(): Promise<void>;
  log(level: "info" | "warn", text: string, facts?: Record<string, unknown>): void;
}

export type RuntimeChange = "began" | "ended" | "out of memory";

export interface RuntimeEvents {
  /** Milliseconds since all that the runtime has was listed last, or since this began. */
  unlistedFor(): number;
  stop(): void;
}

const UNIMPLEMENTED = 12;
const RELIST = 60_000;
const RELIST_WITHOUT_EVENTS = 1000;
const RECONNECT = 1000;
const TIMEOUT = 30_000;
const NAMESPACE = "k8s.io";

const SubscribeRequest = message({ filters: strings(1) });
const Any = message({ typeUrl: string(1), value: bytes(2) });
const Envelope = message({ namespace: string(2), topic: string(3), event: sub(4, Any) });
/** Of TaskExit; of TaskStart and TaskOOM the first alone. `id` is the process: the container's own, or one of exec. */
const TaskEvent = message({ containerID: string(1), id: string(2) });

const EXIT = "/tasks/exit";
const TOPICS = [EXIT, "/tasks/oom"];

export function followRuntime(options: RuntimeEventsOptions): RuntimeEvents {
  const { clock, runtimeName, log } = options;
  const containerd = runtimeName === "containerd" ? openEvents(options.socket) : undefined;
  let stream: GrpcStream | undefined;
  let stopped = false;
  let hasEvents = true;
  let cancelRelist = (): void => {};
  let cancelReconnect = (): void => {};
  let failed = "";
  let listedAt = clock.elapsed();

  const relist = async (): Promise<void> => {
    cancelRelist();
    let next = hasEvents ? RELIST : RELIST_WITHOUT_EVENTS;
    try {
      await options.relist();
      listedAt = clock.elapsed();
      failed = "";
    } catch (error) {
      const text = rpcErrorText(error);
      // It is told once, however often it is tried.
      if (!stopped && text !== failed)
        log("warn", "the container runtime could not be asked", { error: text });
      failed = text;
      next = RELIST_WITHOUT_EVENTS;
    }
    if (stopped) return;
    // Two may have been under way.
    cancelRelist();
    cancelRelist = clock.setTimer(next, () => void relist());
  };

  const ended = (error: GrpcError | undefined): void => {
    if (stopped) return;
    stream = undefined;
    if (error?.code === UNIMPLEMENTED) {
      hasEvents = false;
      log("info", "the container runtime tells no events: it is asked every second");
      void relist();
      return;
    }
    cancelReconnect = clock.setTimer(RECONNECT, () => void connect().then(relist));
  };

  const connect = async (): Promise<void> => {
    try {
      const opened = containerd
        ? await containerd.follow(options.changed, ended)
        : await options.runtime.events(
            (event) => options.changed(event.containerId, event.containerEventType === 2 ? "ended" : "began"),
            ended,
          );
      if (stopped) opened.close();
      else stream = opened;
    } catch (error) {
      ended(error as GrpcError);
    }
  };

  void connect();
  cancelRelist = clock.setTimer(RELIST, () => void relist());
  return {
    unlistedFor: () => clock.elapsed() - listedAt,
    stop() {
      stopped = true;
      cancelRelist();
      cancelReconnect();
      stream?.close();
      containerd?.close();
    },
  };
}

function openEvents(socket: string) {
  const client = new GrpcClient({ peer: "containerd", endpoints: [`unix://${socket}`], timeoutMs: TIMEOUT });
  return {
    async follow(
      changed: RuntimeEventsOptions["changed"],
      ended: (error: GrpcError | undefined) => void,
    ): Promise<GrpcStream> {
      const stream = await client.stream(
        "/containerd.services.events.v1.Events/Subscribe",
        {
          message(received) {
            const { namespace, topic, event } = Envelope.decode(received);
            if (namespace !== NAMESPACE || !event || !TOPICS.includes(topic)) return;
            const { containerID, id } = TaskEvent.decode(event.value);
            if (topic !== EXIT) changed(containerID, "out of memory");
            else if (id === containerID) changed(containerID, "ended");
          },
          ended,
        },
        { "containerd-namespace": NAMESPACE },
      );
      const filters = TOPICS.map((topic) => `topic==${JSON.stringify(topic)}`);
      stream.send(SubscribeRequest.encode({ filters }));
      stream.finish();
      return stream;
    },
    close: () => client.close(),
  };
}
