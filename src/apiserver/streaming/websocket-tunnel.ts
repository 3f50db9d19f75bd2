/**
 * Port forwarding for clients that speak WebSocket: the bytes of a SPDY connection come and go in binary messages, however
 * they are cut. What they mean is between the client and the kubelet.
 */
import type { Duplex } from "node:stream";
import { ServerWebSocket, type WebSocketOffer } from "../../host/websocket/server-websocket.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { KubeletStream } from "./pod-streams.ts";
import { askBackend, passRefusal } from "./upgrade.ts";

const SPDY_PROTOCOL = "portforward.k8s.io";
export const TUNNEL_PROTOCOL = `SPDY/3.1+${SPDY_PROTOCOL}`;

export async function serveTunnel(
  request: ApiRequest,
  offer: WebSocketOffer,
  target: KubeletStream,
): Promise<void> {
  const { exchange } = request;
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
  if (!answer.upgraded) return passRefusal(request, answer.response);
  const backend = answer.socket;
  if (exchange.answered) {
    backend.destroy();
    return;
  }
  const connection = exchange.take();
  request.code = 101;
  tunnel(connection, offer, backend, answer.head);
}

function tunnel(
  connection: ConstructorParameters<typeof ServerWebSocket>[0],
  offer: WebSocketOffer,
  backend: Duplex,
  head: Buffer,
): void {
  const socket = new ServerWebSocket(connection, offer, TUNNEL_PROTOCOL, {
    message(payload) {
      if (!backend.write(payload)) socket.pause();
    },
    drained: () => backend.resume(),
    closed: () => backend.destroy(),
  });
  const send = (part: Buffer): void => {
    if (!socket.send(part)) backend.pause();
  };
  if (head.length > 0) send(head);
  backend.on("data", send);
  backend.on("drain", () => socket.resume());
  backend.on("error", () => backend.destroy());
  backend.once("close", () => socket.close());
}
