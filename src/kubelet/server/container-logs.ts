/** /containerLogs/{namespace}/{pod}/{container}: what a container wrote, and goes on writing. */
import { GrpcError } from "../../host/grpc/grpc-client.ts";
import { LogQueryError, readLogQuery } from "../logs/log-query.ts";
import { LogFileError } from "../logs/open-log.ts";
import { readLog } from "../logs/read-log.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { ContainerState } from "../runtime/cri/shared.ts";
import { findPod, hasContainer, loggedContainer } from "./find-container.ts";
import type { KubeletServerOptions } from "./options.ts";
import { KubeletError, type KubeletRequest } from "./request.ts";

const NOT_FOUND = 5;

/** Milliseconds between two looks whether a followed container still runs, where nobody tells; as upstream's. */
const LOOK_AGAIN = 1000;

type Parts = Pick<KubeletServerOptions, "pods" | "runtime" | "paths" | "clock" | "containerEnded">;

export async function containerLogs(
  parts: Parts,
  request: KubeletRequest,
  [namespace = "", podName = "", container = ""]: readonly string[],
): Promise<void> {
  const { pods, runtime, paths, clock } = parts;
  if (request.method !== "GET") throw new KubeletError(405, "405: Method Not Allowed");
  if (podName === "") throw new KubeletError(400, '{"message": "Missing podID."}');
  if (container === "") throw new KubeletError(400, '{"message": "Missing container name."}');
  const query = readQuery(request.query, clock.now());
  const pod = pods.get(namespace, podName);
  if (!pod) throw new KubeletError(404, `pod ${JSON.stringify(podName)} does not exist\n`);
  if (!hasContainer(pod, container)) {
    throw new KubeletError(
      404,
      `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(podName)}\n`,
    );
  }
  const containerId = loggedContainer(findPod(pods, namespace, podName), container, query.previous);
  const { status } = await runtime.containerStatus({ containerId }).catch((cause) => {
    throw new KubeletError(400, `unable to retrieve container logs for ${containerId}: ${cause.message}`);
  });
  const path = status?.logPath ?? "";
  if (path === "") throw new KubeletError(400, `unable to retrieve container logs for ${containerId}`);
  const ended = parts.containerEnded ?? lookWhetherEnded(parts);
  await send(request, (sink) =>
    readLog({
      ...sink,
      path,
      root: paths.podLogs,
      query,
      ended: (stop) => (query.previous ? Promise.resolve() : ended(containerId, stop)),
    }),
  );
}

function readQuery(query: URLSearchParams, now: number) {
  try {
    return readLogQuery(query, now);
  } catch (error) {
    throw error instanceof LogQueryError ? new KubeletError(422, error.message) : error;
  }
}

interface Sink {
  opened(): void;
  write(piece: Buffer): void | Promise<void>;
  signal: AbortSignal;
}

/** Answers 200 once the log is open; what goes wrong before is said by the status. */
async function send({ response }: KubeletRequest, read: (sink: Sink) => Promise<void>): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const sink: Sink = {
    signal: gone.signal,
    opened() {
      response.writeHead(200, { "content-type": "text/plain", "transfer-encoding": "chunked" });
      // A follower learns at once that it is heard, though the container may say nothing for long.
      response.flushHeaders();
    },
    write: (piece) => (response.destroyed || response.write(piece) ? undefined : drained(response)),
  };
  try {
    await read(sink);
  } catch (error) {
    throw refusal(error);
  }
  response.end();
}

function drained(response: KubeletRequest["response"]): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.removeListener("drain", go);
      response.removeListener("close", go);
      resolve();
    };
    response.on("drain", go);
    response.on("close", go);
  });
}

function refusal(error: unknown): unknown {
  if (error instanceof LogFileError) return new KubeletError(403, error.message);
  if ((error as NodeJS.ErrnoException).code === "ENOENT") {
    return new KubeletError(404, "the log of the container is not there any more");
  }
  return error;
}

function lookWhetherEnded({
  runtime,
  clock,
}: {
  runtime: ContainerRuntime;
  clock: Parts["clock"];
}): NonNullable<Parts["containerEnded"]> {
  return (containerId, signal) =>
    new Promise((resolve, reject) => {
      let cancel = (): void => {};
      signal.addEventListener("abort", () => {
        cancel();
        reject(signal.reason);
      });
      const look = (): void => {
        runtime
          .containerStatus({ containerId })
          .then(({ status }) => status?.state === ContainerState.CONTAINER_RUNNING)
          .catch((error) => !(error instanceof GrpcError && error.code === NOT_FOUND))
          .then((runs) => {
            if (!runs) resolve();
            else if (!signal.aborted) cancel = clock.setTimer(LOOK_AGAIN, look);
          });
      };
      look();
    });
}
