/** A connection whose protocol changes, passed on byte for byte to whoever is behind the API server. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import {
  answerHead,
  askUpgrade,
  type UpgradeAnswer,
  type UpgradeRequest,
} from "../../host/http/ask-upgrade.ts";
import { endToEndHeaders } from "../../host/http/headers.ts";
import { splice } from "../../host/http/splice.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import type { ApiRequest } from "../endpoints/api-request.ts";
import type { ResponseHeaders } from "../http/exchange.ts";
import { dialError } from "./backend.ts";
import { passBody } from "./pass-body.ts";

/** Milliseconds that a backend has to answer a request for an upgrade. */
const ANSWER_WITHIN = 30_000;

export type Upgrade = Omit<UpgradeRequest, "timeoutMs">;

/** Asks the backend first: until it has agreed, the client's connection is HTTP's, and nothing else of it goes on. */
export async function passUpgrade(request: ApiRequest, upgrade: Upgrade): Promise<void> {
  const { exchange } = request;
  const answer = await askBackend(upgrade);
  if (!answer.upgraded) return passRefusal(request, answer.response);
  if (exchange.answered) {
    answer.socket.destroy();
    return;
  }
  const { socket, head } = exchange.take();
  request.code = 101;
  join(socket, head, answer);
}

export async function askBackend(upgrade: Upgrade): Promise<UpgradeAnswer> {
  try {
    return await askUpgrade({ ...upgrade, timeoutMs: ANSWER_WITHIN });
  } catch (error) {
    const { message } = dialError(error as Error, upgrade.address, upgrade.port);
    throw new StatusError("", `error dialing backend: ${message}`, undefined, 500);
  }
}

function join(client: Duplex, head: Buffer, answer: Extract<UpgradeAnswer, { upgraded: true }>): void {
  client.write(answerHead(answer.response));
  if (answer.head.length > 0) client.write(answer.head);
  if (head.length > 0) answer.socket.write(head);
  splice(client, answer.socket);
}

/** What is no upgrade is a refusal; a redirect, or a success of something else, is nothing for the client. */
export async function passRefusal(request: ApiRequest, response: IncomingMessage): Promise<void> {
  const status = response.statusCode ?? 500;
  if (status < 400) {
    response.destroy();
    throw new StatusError("", `invalid upgrade response: status code ${status}`, undefined, 502);
  }
  const stream = request.open(status, answerHeaders(response));
  await passBody(response, stream, request.exchange);
}

/** The headers of a backend's answer, without those of its connection. */
export function answerHeaders(response: IncomingMessage, without: readonly string[] = []): ResponseHeaders {
  const raw = endToEndHeaders(response.rawHeaders, without);
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [raw[i]!.toLowerCase(), raw[i + 1]!];
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return headers as unknown as ResponseHeaders;
}
