/** /containerLogs/{namespace}/{pod}/{container}: what a container wrote, and goes on writing. */
import { LogQueryError, readLogQuery } from "../logs/log-query.ts";
import { LogFileError } from "../logs/open-log.ts";
import { readLog } from "../logs/read-log.ts";
import { findPod, hasContainer, loggedContainer } from "./find-container.ts";
import type { KubeletServerOptions } from "./options.ts";
import { KubeletError, type KubeletRequest } from "./request.ts";

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
  await send(request, (sink) =>
    readLog({
      ...sink,
      path,
      root: paths.podLogs,
      query,
      ended: (stop) => (query.previous ? Promise.resolve() : parts.containerEnded(containerId, stop)),
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
