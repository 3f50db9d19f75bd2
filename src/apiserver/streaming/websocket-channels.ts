/**
 * exec and attach for clients that speak WebSocket with v5.channel.k8s.io: each message's first byte is its channel, and
 * channel 255 ends another one. Towards the kubelet the channels are streams of a SPDY connection, as all kubelets have.
 */
import { SpdyClient } from "../../host/spdy/spdy-client.ts";
import { ServerWebSocket, type WebSocketOffer } from "../../host/websocket/server-websocket.ts";
import { internalError, StatusError } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import { bodyText } from "./backend.ts";
import type { StreamOptions } from "./connect-options.ts";
import type { KubeletStream } from "./pod-streams.ts";
import { askBackend } from "./upgrade.ts";

export const STREAM_CLOSE_PROTOCOL = "v5.channel.k8s.io";
/** What is spoken over SPDY: the error stream carries a Status, and resizes have a stream. */
const SPDY_PROTOCOL = "v4.channel.k8s.io";

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
type Name = "error" | "stdin" | "stdout" | "stderr" | "resize";

/** Bytes from the client that are kept until the kubelet is there. */
const EARLY_LIMIT = 1024 * 1024;
/** A Status is small; more than this is none. */
const STATUS_LIMIT = 1024 * 1024;

/** As upstream, the handshake comes first: whatever goes wrong at the kubelet is told on the error channel. */
export async function serveChannels(
  request: ApiRequest,
  offer: WebSocketOffer,
  target: KubeletStream,
  options: StreamOptions,
): Promise<void> {
  const connection = request.exchange.take();
  request.code = 101;
  const session = new ChannelSession(connection, offer, options);
  try {
    const answer = await askBackend({
      secure: true,
      address: target.address,
      port: target.port,
      method: "POST",
      path: target.path,
      headers: [
        ...["Host", target.host, "Connection", "Upgrade", "Upgrade", "SPDY/3.1"],
        ...["X-Stream-Protocol-Version", SPDY_PROTOCOL],
      ],
      tls: target.tls,
    });
    if (!answer.upgraded) {
      session.fail(refusal(answer.response.statusCode ?? 500, await bodyText(answer.response)));
      return;
    }
    session.start(answer.socket as Parameters<ChannelSession["start"]>[0], answer.head);
  } catch (error) {
    session.fail(error instanceof StatusError ? internalError(error.message) : internalError(String(error)));
  }
}

function refusal(code: number, text: string): StatusError {
  return internalError(`unable to upgrade connection: ${text || `status code ${code}`}`);
}

class ChannelSession {
  private readonly socket: ServerWebSocket;
  private readonly names: readonly Name[];
  private spdy: SpdyClient | undefined;
  private readonly streams = new Map<Name, number>();
  private readonly channels = new Map<number, Name>();
  /** Streams of the kubelet's that have not ended. */
  private readonly open = new Set<Name>();
  private early: Buffer[] = [];
  private earlySize = 0;
  private status: Buffer[] = [];
  private statusSize = 0;
  private over = false;

  constructor(
    connection: ConstructorParameters<typeof ServerWebSocket>[0],
    offer: WebSocketOffer,
    { stdin, stdout, stderr, tty }: StreamOptions,
  ) {
    const names: Name[] = ["error"];
    if (stdin) names.push("stdin");
    if (stdout) names.push("stdout");
    if (stderr && !tty) names.push("stderr");
    if (tty) names.push("resize");
    this.names = names;
    this.socket = new ServerWebSocket(connection, offer, STREAM_CLOSE_PROTOCOL, {
      message: (payload) => this.fromClient(payload),
      drained: () => this.spdy?.resume(),
      closed: () => this.end(),
    });
    // An empty message tells the client that it is heard.
    this.socket.send(Buffer.from([stdout ? CHANNEL.stdout : stderr ? CHANNEL.stderr : CHANNEL.error]));
  }

  start(socket: ConstructorParameters<typeof SpdyClient>[0], head: Buffer): void {
    if (this.over) {
      socket.destroy();
      return;
    }
    const spdy = new SpdyClient(socket, head, {
      data: (stream, part, fin) => this.fromKubelet(stream, part, fin),
      drained: () => this.socket.resume(),
      closed: () => this.finish(),
    });
    this.spdy = spdy;
    for (const name of this.names) {
      const stream = spdy.open({ streamtype: name });
      this.streams.set(name, stream);
      this.channels.set(stream, name);
      if (name === "error" || name === "stdout" || name === "stderr") this.open.add(name);
    }
    const { early } = this;
    this.early = [];
    this.earlySize = 0;
    for (const payload of early) this.fromClient(payload);
    this.socket.resume();
  }

  fail(error: StatusError): void {
    this.complete(Buffer.from(JSON.stringify(error.toStatus())));
  }

  private fromClient(payload: Buffer): void {
    if (payload.length === 0 || this.over) return;
    const { spdy } = this;
    if (!spdy) {
      this.early.push(payload);
      this.earlySize += payload.length;
      if (this.earlySize > EARLY_LIMIT) this.socket.pause();
      return;
    }
    const channel = payload[0];
    if (channel === CHANNEL.close) {
      // Of the channels that a client writes to, only its input has an end that matters.
      const stream = payload[1] === CHANNEL.stdin ? this.streams.get("stdin") : undefined;
      if (stream !== undefined) spdy.finish(stream);
      return;
    }
    const name = channel === CHANNEL.stdin ? "stdin" : channel === CHANNEL.resize ? "resize" : undefined;
    const stream = name && this.streams.get(name);
    if (stream === undefined || payload.length === 1) return;
    if (!spdy.write(stream, payload.subarray(1))) this.socket.pause();
  }

  private fromKubelet(stream: number, part: Buffer, fin: boolean): void {
    const name = this.channels.get(stream);
    if (!name || this.over) return;
    if (name === "error") this.keepStatus(part);
    else if (part.length > 0 && (name === "stdout" || name === "stderr")) {
      if (!this.socket.send(Buffer.from([CHANNEL[name]]), part)) this.spdy?.pause();
    }
    if (!fin) return;
    this.open.delete(name);
    if (this.open.size === 0) this.finish();
  }

  private keepStatus(part: Buffer): void {
    this.statusSize += part.length;
    if (this.statusSize <= STATUS_LIMIT) this.status.push(part);
  }

  /** The kubelet has said everything, or is gone. */
  private finish(): void {
    const status = Buffer.concat(this.status);
    if (status.length > 0) this.complete(status);
    else if (!this.open.has("error")) this.complete(SUCCESS);
    else this.fail(internalError("the connection to the node was lost"));
  }

  private complete(status: Buffer): void {
    if (this.over) return;
    this.socket.send(Buffer.from([CHANNEL.error]), status);
    this.over = true;
    this.socket.close();
    this.spdy?.destroy();
  }

  /** The client is gone. */
  private end(): void {
    this.over = true;
    this.spdy?.destroy();
  }
}

const SUCCESS = Buffer.from('{"metadata":{},"status":"Success"}');
