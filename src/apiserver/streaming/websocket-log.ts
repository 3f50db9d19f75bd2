/** Logs for clients that speak WebSocket: what comes is sent as messages, however it was cut; what they send is nothing. */
import type { IncomingMessage } from "node:http";
import { ServerWebSocket, type WebSocketOffer } from "../../host/websocket/server-websocket.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";

/** Sub-protocols of upstream's readers; without any, messages are binary. */
const ENCODINGS: ReadonlyMap<string, "binary" | "base64"> = new Map([
  ["", "binary"],
  ["binary.k8s.io", "binary"],
  ["base64.binary.k8s.io", "base64"],
]);

export function sendLog(request: ApiRequest, offer: WebSocketOffer, log: IncomingMessage): void {
  const offered = offer.protocols.length > 0 ? offer.protocols : [""];
  const protocol = offered.find((one) => ENCODINGS.has(one));
  if (protocol === undefined) {
    log.destroy();
    throw badRequest(`none of the sub-protocols offered is served: ${offered.join(", ")}`);
  }
  if (request.exchange.answered) {
    log.destroy();
    return;
  }
  const connection = request.exchange.take();
  request.code = 101;
  const socket = new ServerWebSocket(connection, offer, protocol, {
    message: () => {},
    drained: () => log.resume(),
    closed: () => log.destroy(),
  });
  const isText = ENCODINGS.get(protocol) === "base64";
  log.on("data", (chunk: Buffer) => {
    const hasRoom = isText ? socket.sendText(chunk.toString("base64")) : socket.send(chunk);
    if (!hasRoom) log.pause();
  });
  log.on("error", () => socket.close());
  log.once("end", () => socket.close());
}
