/**
 * /exec, /attach and /portForward: the runtime serves the streams itself, on a port of its own, and names a URL there
 * for one use. The connection is passed on to it byte for byte once it has agreed to change its protocol, whichever
 * that is (SPDY/3.1 or WebSocket).
 */
import { answerHead, askUpgrade } from "../../host/http/ask-upgrade.ts";
import { endToEndHeaders } from "../../host/http/headers.ts";
import { splice } from "../../host/http/splice.ts";
import { findPod, hasContainer, idOf, statusOf } from "./find-container.ts";
import type { KubeletServerOptions } from "./options.ts";
import { KubeletError, type KubeletRequest } from "./request.ts";

/** Milliseconds that the runtime has to agree. */
const PATIENCE = 30_000;

type Parts = Pick<KubeletServerOptions, "pods" | "runtime">;

/** `[namespace, pod, container]` or `[namespace, pod, uid, container]`. */
export async function exec(
  parts: Parts,
  request: KubeletRequest,
  segments: readonly string[],
): Promise<void> {
  const wanted = streamsOf(request.query);
  const containerId = runningContainer(parts, segments);
  const cmd = request.query.getAll("command");
  const { url } = await parts.runtime.exec({ containerId, cmd, ...wanted }).catch(refused);
  await passOn(request, url);
}

export async function attach(
  parts: Parts,
  request: KubeletRequest,
  segments: readonly string[],
): Promise<void> {
  const wanted = streamsOf(request.query);
  const containerId = runningContainer(parts, segments);
  const { url } = await parts.runtime.attach({ containerId, ...wanted }).catch(refused);
  await passOn(request, url);
}

/** `[namespace, pod]` or `[namespace, pod, uid]`; a WebSocket names its ports in the query. */
export async function portForward(
  { pods, runtime }: Parts,
  request: KubeletRequest,
  [namespace = "", name = "", uid]: readonly string[],
): Promise<void> {
  const ports = portsOf(request.query);
  const pod = findPod(pods, namespace, name, uid);
  const podSandboxId = await pods.sandboxID(pod.metadata.uid ?? "");
  if (podSandboxId === undefined)
    throw new KubeletError(500, `not able to port forward: pod ${name} is not running`);
  const { url } = await runtime.portForward({ podSandboxId, port: ports }).catch(refused);
  await passOn(request, url);
}

export function runningContainer({ pods }: Pick<Parts, "pods">, segments: readonly string[]): string {
  const [namespace = "", name = "", third = "", fourth] = segments;
  const [uid, container] = fourth === undefined ? ["", third] : [third, fourth];
  const pod = findPod(pods, namespace, name, uid);
  const status = hasContainer(pod, container) ? statusOf(pod, container) : undefined;
  const id = status?.state?.running ? idOf(status.containerID) : undefined;
  if (id === undefined) throw new KubeletError(500, `container not found (${JSON.stringify(container)})`);
  return id;
}

interface Streams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** As upstream's kubelet takes them: of a terminal's output there is one stream only. */
function streamsOf(query: URLSearchParams): Streams {
  const asks = (name: string) => query.get(name) === "1" || query.get(name) === "true";
  const tty = asks("tty");
  const streams = { stdin: asks("input"), stdout: asks("output"), stderr: asks("error") && !tty, tty };
  if (!streams.stdin && !streams.stdout && !streams.stderr) {
    throw new KubeletError(400, "you must specify at least 1 of stdin, stdout, stderr");
  }
  return streams;
}

function portsOf(query: URLSearchParams): number[] {
  return query
    .getAll("port")
    .flatMap((text) => text.split(","))
    .map((text) => {
      const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
      if (port < 1 || port > 65535) throw new KubeletError(400, `invalid port ${JSON.stringify(text)}`);
      return port;
    });
}

function refused(error: Error): never {
  throw new KubeletError(500, error.message);
}

async function passOn(request: KubeletRequest, url: string): Promise<void> {
  if (!request.upgrades) throw new KubeletError(400, "Upgrade request required");
  const target = new URL(url);
  const { incoming } = request;
  const answer = await askUpgrade({
    secure: target.protocol === "https:",
    address: target.hostname.replace(/^\[|\]$/g, ""),
    port: Number(target.port || (target.protocol === "https:" ? 443 : 80)),
    method: request.method,
    path: `${target.pathname}${target.search}`,
    headers: ["Host", target.host, ...endToEndHeaders(incoming.rawHeaders, SECRETS), ...upgradeOf(request)],
    // The runtime's certificate is its own, and the way to it does not leave the node.
    tls: { rejectUnauthorized: false },
    timeoutMs: PATIENCE,
  }).catch((error: Error) => {
    throw new KubeletError(500, `error dialing backend: ${error.message}`);
  });
  const { response } = answer;
  if (!answer.upgraded) {
    // Neither redirects nor the body of a success make sense here: what is no upgrade is a refusal.
    const status = response.statusCode ?? 500;
    const text = await bodyText(response);
    throw new KubeletError(
      status >= 400 ? status : 502,
      text || "the runtime did not upgrade the connection",
    );
  }
  const { socket, head } = request.take();
  socket.write(answerHead(response));
  if (answer.head.length > 0) socket.write(answer.head);
  if (head.length > 0) answer.socket.write(head);
  splice(socket, answer.socket);
}

/** What the API server shows to the kubelet is not for the runtime. */
const SECRETS = ["host", "authorization", "cookie"];

function upgradeOf({ incoming }: KubeletRequest): string[] {
  return ["Connection", "Upgrade", "Upgrade", incoming.headers.upgrade ?? ""];
}

const LONGEST_REFUSAL = 64 * 1024;

async function bodyText(response: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    parts.push(part);
    size += part.length;
    if (size > LONGEST_REFUSAL) break;
  }
  return Buffer.concat(parts).toString().trim();
}
